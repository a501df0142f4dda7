"""How the package behaves: beside other threads, when it is stopped, when something is wrong."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import nbformat
import pyarrow
import pyarrow.parquet
import pytest
from nbclient import NotebookClient

import retold
from conftest import crawl


@pytest.fixture(scope="module")
def many() -> pyarrow.Table:
    """Enough pages that a scan takes seconds."""
    pages = crawl(2000, seed=1)
    return pyarrow.concat_tables([pages.drop_columns(["id", "url"])] * 8)


def test_other_threads_run_meanwhile(many: pyarrow.Table) -> None:
    ticks: list[float] = []
    done = threading.Event()

    def tick() -> None:
        while not done.wait(0.005):
            ticks.append(time.monotonic())

    thread = threading.Thread(target=tick)
    thread.start()
    began = time.monotonic()
    retold.scan(many, threads=1, progress=False)
    took = time.monotonic() - began
    done.set()
    thread.join()
    during = [at for at in ticks if began <= at <= began + took]
    longest = max(b - a for a, b in zip([began, *during], [*during, began + took], strict=True))
    assert took > 0.3 and longest < 0.25 * took, (took, longest)


def test_every_run_has_an_id_of_its_own(pages: pyarrow.Table) -> None:
    assert len({retold.scan(pages, progress=False).summary["run"]["id"] for _ in range(3)}) == 3


def test_scans_run_beside_each_other(pages: pyarrow.Table) -> None:
    found: list[list[dict[str, Any]]] = []
    threads = [
        threading.Thread(target=lambda: found.append(retold.scan(pages, progress=False).documents.to_pylist()))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4 and all(rows == found[0] for rows in found)


INTERRUPTED = """
import sys, time, pathlib, retold, pyarrow, pyarrow.parquet
table = pyarrow.parquet.read_table(sys.argv[1])
table = pyarrow.concat_tables([table] * 400)
pathlib.Path(sys.argv[2]).write_text("")
try:
    retold.scan(table, temp_dir=sys.argv[3], progress=False)
except KeyboardInterrupt:
    print("interrupted")
    sys.exit(7)
"""


def test_ctrl_c_ends_the_work_within_two_seconds_and_leaves_nothing(many: pyarrow.Table, tmp_path: Path) -> None:
    path, began, scratch = tmp_path / "many.parquet", tmp_path / "began", tmp_path / "scratch"
    pyarrow.parquet.write_table(many.slice(0, 2000), path)
    scratch.mkdir()
    words = [sys.executable, "-c", INTERRUPTED, path, began, scratch]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    while not began.exists():
        assert process.poll() is None
        time.sleep(0.02)
    time.sleep(1.0)
    sent = time.monotonic()
    process.send_signal(signal.SIGINT)
    told, _ = process.communicate(timeout=30)
    assert (told, process.returncode) == ("interrupted\n", 7)
    assert time.monotonic() - sent < 2.0
    assert list(scratch.iterdir()) == []


def test_progress_is_told_in_order(many: pyarrow.Table) -> None:
    told: list[retold.Progress] = []
    retold.scan(many, progress=told.append)
    stages = list(dict.fromkeys(progress.stage for progress in told))
    order = ["reading", "judging", "comparing"]
    assert stages == [stage for stage in order if stage in stages] and "judging" in stages
    of_one = [progress for progress in told if progress.stage == "judging"]
    assert [p.done for p in of_one] == sorted(p.done for p in of_one)
    assert all(p.total is None or p.done <= p.total for p in told)
    assert max(p.documents for p in told) > 0


def test_a_progress_that_raises_ends_the_work(many: pyarrow.Table) -> None:
    def full(_: retold.Progress) -> None:
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        retold.scan(many, progress=full)


def test_a_terminal_shows_a_bar_and_a_pipe_does_not(many: pyarrow.Table, tmp_path: Path) -> None:
    pty = pytest.importorskip("pty")
    path = tmp_path / "many.parquet"
    pyarrow.parquet.write_table(many, path)
    words = [sys.executable, "-c", "import sys, retold; retold.scan(sys.argv[1], threads=1)", str(path)]
    piped = subprocess.run(words, capture_output=True, text=True, check=True)
    assert (piped.stdout, piped.stderr) == ("", "")
    ours, theirs = pty.openpty()
    with subprocess.Popen(words, stderr=theirs) as process:
        os.close(theirs)
        shown = b""
        while True:
            try:
                part = os.read(ours, 4096)
            except OSError:
                break
            if not part:
                break
            shown += part
    assert process.returncode == 0
    assert b"documents" in shown and b"judging: " in shown


def test_a_notebook_shows_a_bar_and_takes_it_away(many: pyarrow.Table, tmp_path: Path) -> None:
    path = tmp_path / "many.parquet"
    pyarrow.parquet.write_table(many, path)

    def outputs(code: str) -> str:
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
        NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
        return str(notebook.cells[0].outputs)

    scan = f"import retold\nscan = retold.scan({str(path)!r}, threads=1)"
    assert "<progress" not in outputs(scan)
    kept = "import retold._progress\nretold._progress._NotebookBar.close = lambda self: None\n"
    assert "<progress" in outputs(kept + scan) and "documents" in outputs(kept + scan)


def test_nothing_to_read_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(retold.InputError) as raised:
        retold.scan(tmp_path / "missing.jsonl", progress=False)
    assert str(raised.value).endswith("no such file or directory\nhint: check the spelling of the path")
    assert raised.value.path is not None and raised.value.path.endswith("missing.jsonl")
    assert (raised.value.row, raised.value.field) == (None, None)
    assert raised.value.hint == "check the spelling of the path"
    with pytest.raises(retold.InputError) as raised:
        retold.scan(pyarrow.table({"a": ["x"], "b": [1]}), progress=False)
    assert raised.value.path == "data.arrow" and raised.value.field == "text"
    assert "expected a column `text`, found `a`, `b`" in str(raised.value)


def test_a_record_that_ends_the_run_is_named(tmp_path: Path) -> None:
    path = tmp_path / "crawl.jsonl"
    path.write_text('{"text": "one"}\n{"text": 7}\n')
    with pytest.raises(retold.InputError) as raised:
        retold.scan(path, fail_fast=True, progress=False)
    error = raised.value
    assert (error.path, error.row, error.field) == ("crawl.jsonl", 1, "text")
    assert "`crawl.jsonl`, line 2: expected a string in field `text`, found a number" in str(error)
    assert error.hint is not None and "--text-field" in error.hint
    with pytest.warns(retold.SkippedWarning, match="1 input or record was skipped, see the table `skipped`"):
        scan = retold.scan(path, progress=False)
    assert scan.skipped[0]["row"] == 1 and len(scan.documents) == 1


@pytest.mark.parametrize(
    ("settings", "setting", "words"),
    [
        ({"threshold": 2}, "threshold", "`--threshold`: expected 0.3 to 1.0, found `2`"),
        ({"threshold": "high"}, "threshold", "invalid value 'high' for '--threshold <T>'"),
        ({"treshold": 0.7}, "treshold", "did you mean `threshold`?"),
        ({"tables": "csv"}, "tables", "tables are Arrow"),
        ({"keep": "best"}, "keep", "best"),
        ({"across_sites_only": True, "same_site_only": True}, None, "cannot be used with"),
    ],
)
def test_settings_that_cannot_be_used_are_named(
    settings: dict[str, Any], setting: str | None, words: str, pages: pyarrow.Table
) -> None:
    with pytest.raises(retold.SettingError) as raised:
        retold.scan(pages, progress=False, **settings)
    assert words in str(raised.value)
    if setting is not None:
        assert raised.value.setting == setting
    assert isinstance(raised.value, retold.Error)


def test_attributes_need_a_directory(pages: pyarrow.Table, seeds: Path) -> None:
    with pytest.raises(retold.SettingError, match="name a new directory") as raised:
        retold.clean(pages, attributes="dolma", progress=False)
    assert raised.value.setting == "attributes"
    with pytest.raises(retold.Error, match="leave `output` out") as other:
        retold.clean(pages, output="clean", progress=False)
    assert other.value.hint is not None
    assert (retold.Error("x").hint, retold.InputError("x").path, retold.SettingError("x").setting) == (None, None, None)
    Path("shards").mkdir()
    Path("shards/a.jsonl").write_text(
        '{"id": "1", "text": "Sign up for our newsletter\\n\\nThe board met on Monday."}\n'
    )
    retold.clean("shards", attributes="dolma", output="attributes", progress=False)
    assert "retold__boilerplate" in Path("attributes/a.jsonl").read_text()


def test_a_switch_takes_true_and_false_alone(pages: pyarrow.Table) -> None:
    with pytest.raises(TypeError, match="`careful`: expected True or False, found 'yes'"):
        retold.scan(pages, careful="yes", progress=False)  # type: ignore[arg-type]


def test_a_directory_that_is_no_scan_is_refused(tmp_path: Path) -> None:
    with pytest.raises(retold.Error, match="expected a finished scan") as raised:
        retold.load(tmp_path)
    assert raised.value.hint is not None and "name the directory that `retold scan -o DIR` wrote" in raised.value.hint


def test_an_output_is_not_replaced_but_by_force(pages: pyarrow.Table, tmp_path: Path) -> None:
    scan = retold.scan(pages, progress=False)
    scan.save(tmp_path / "kept")
    with pytest.raises(retold.Error, match="kept"):
        scan.save(tmp_path / "kept")
    scan.save(tmp_path / "kept", force=True)
    kept = retold.load(tmp_path / "kept")
    assert kept.documents.to_pylist() == scan.documents.to_pylist() and kept.summary == scan.summary


def test_nearly_all_of_the_text_does_not_go_unasked() -> None:
    table = pyarrow.table({"text": [("Subscribe to our newsletter\n" * 3).strip()] * 60, "site": ["a.example"] * 60})
    with pytest.raises(retold.Error, match=r"`--max-removed 0\.9` allows"):
        retold.dedup(table, progress=False)
    assert len(retold.dedup(table, max_removed=1.0, progress=False)) == 1


def test_the_tables_go_with_the_scan(pages: pyarrow.Table, tmp_path: Path) -> None:
    scan = retold.scan(pages, temp_dir=tmp_path, progress=False)
    assert scan.directory.is_relative_to(tmp_path) and scan.directory.is_dir()
    del scan
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(retold.SettingError):
        retold.scan(pages, temp_dir=tmp_path, threshold=2, progress=False)
    assert list(tmp_path.iterdir()) == []


def test_a_notebook_shows_what_was_found(pages: pyarrow.Table) -> None:
    scan = retold.scan(pages, progress=False)
    html = scan._repr_html_()
    assert "<h4>Largest clusters</h4>" in html and "<h4>Boilerplate</h4>" in html and ">300<" in html
    assert repr(scan).startswith("Scan(300 documents, ")
    hostile = pyarrow.table({"text": ["<script>alert(1)</script> and some words of a page"] * 2})
    shown = retold.scan(hostile, progress=False).documents._repr_html_()
    assert "<script>" not in shown and "<table>" in shown
    assert "<pre>" in retold.explain({"text": "One line of text."})._repr_html_()


def test_the_import_is_quick_and_brings_no_other_package() -> None:
    code = "import sys; before = set(sys.modules); import retold; print(*sorted(set(sys.modules) - before))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    others = {"pyarrow", "pandas", "polars", "numpy", "duckdb", "datasets", "IPython"}
    assert others & {name.partition(".")[0] for name in told} == set()

    # Processor time, and the least of several: other work on the machine can only make it longer.
    code = "import time; began = time.process_time(); import retold; print(time.process_time() - began)"
    words = [sys.executable, "-c", code]
    seconds = [float(subprocess.run(words, capture_output=True, text=True, check=True).stdout) for _ in range(5)]
    assert min(seconds) < 0.2, seconds


def test_the_command_is_the_program(seeds: Path, tmp_path: Path) -> None:
    command = Path(sys.executable).with_name("retold")
    done = subprocess.run([command, "scan", "seeds"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("5 documents") and "retold clean seeds" in done.stdout
    wrong = subprocess.run([command, "scan", "missing"], capture_output=True, text=True, check=False)
    assert wrong.returncode == 2 and "error: " in wrong.stderr and "hint: " in wrong.stderr
    told = subprocess.run([command, "scan", "seeds", "--format", "json"], capture_output=True, text=True, check=True)
    assert json.loads(told.stdout)["documents"] == 5
    version = subprocess.run([command, "--version"], capture_output=True, text=True, check=True).stdout
    assert version.startswith(f"retold {retold.__version__} (")


def test_the_wheel_is_small() -> None:
    wheel = os.environ.get("RETOLD_WHEEL")
    if wheel is None:
        pytest.skip("RETOLD_WHEEL names no wheel")
    assert Path(wheel).stat().st_size <= 15 << 20


def test_exceptions_keep_their_words_in_another_process() -> None:
    error = pickle.loads(pickle.dumps(retold.InputError("`a`: no such file")))
    assert isinstance(error, retold.InputError) and str(error) == "`a`: no such file"
