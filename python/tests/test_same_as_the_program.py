"""What Python gives is what the command line writes: same settings, same tables, same copies."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

import retold
from conftest import Run
from retold import _retold, _settings
from retold._scan import TABLES

#: Of a summary: what depends on the machine and the run.
OF_THE_RUN = "run"

SETTINGS: dict[str, Any] = {"threshold": 0.6, "keep": "earliest", "spare": ["byline", "caption"], "all_blocks": True}
FLAGS = ["--threshold", "0.6", "--keep", "earliest", "--spare", "byline,caption", "--all-blocks"]


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def summary(directory: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((directory / "summary.json").read_text("utf-8"))
    del found[OF_THE_RUN]
    return found


@pytest.mark.parametrize(("settings", "flags"), [({}, []), (SETTINGS, FLAGS)], ids=["default", "settings"])
def test_a_scan_of_files_writes_the_same_bytes(
    parquet: Path, tmp_path: Path, program: Run, settings: dict[str, Any], flags: list[str]
) -> None:
    program("scan", parquet, "-o", tmp_path / "program", *flags)
    scan = retold.scan(parquet, progress=False, **settings)
    for name in TABLES:
        mine, theirs = scan.directory / f"{name}.jsonl", tmp_path / "program" / f"{name}.jsonl"
        assert mine.read_bytes() == theirs.read_bytes(), name
    assert summary(scan.directory) == summary(tmp_path / "program")
    assert scan.summary["documents"] == 300 and len(scan.clusters) > 20 and len(scan.blocks) > 300


def test_tables_hold_what_the_lines_hold(parquet: Path) -> None:
    scan = retold.scan(parquet, progress=False)
    for name in TABLES:
        rows = lines(scan.directory / f"{name}.jsonl")
        table: retold.Table = getattr(scan, name)
        assert table.to_pylist() == rows, name
        assert pyarrow.table(table).to_pylist() == rows, name


def test_tables_have_the_columns_and_types_of_the_parquet_tables(parquet: Path, tmp_path: Path, program: Run) -> None:
    program("scan", parquet, "-o", tmp_path / "found", "--tables", "parquet")
    scan = retold.load(tmp_path / "found")
    for name in TABLES:
        theirs = pyarrow.parquet.read_table(tmp_path / "found" / f"{name}.parquet")
        mine = pyarrow.table(getattr(scan, name))
        assert mine.column_names == theirs.column_names, name
        kinds = [str(kind).replace("element", "item").replace(" not null", "") for kind in theirs.schema.types]
        assert [str(kind) for kind in mine.schema.types] == kinds, name
        assert mine.num_rows == theirs.num_rows, name


def test_a_table_in_memory_is_judged_as_the_file_that_holds_it(pages: pyarrow.Table, parquet: Path) -> None:
    of_file = retold.scan(parquet, progress=False)
    of_table = retold.scan(pages, name="crawl.parquet", progress=False)
    for name in TABLES:
        mine, theirs = of_table.directory / f"{name}.jsonl", of_file.directory / f"{name}.jsonl"
        assert mine.read_bytes() == theirs.read_bytes(), name
    for key in ("inputs", OF_THE_RUN):
        of_file.summary.pop(key)
        of_table.summary.pop(key)
    assert of_table.summary == of_file.summary


def test_cleaned_rows_are_those_of_the_copy(pages: pyarrow.Table, parquet: Path, tmp_path: Path, program: Run) -> None:
    program("clean", parquet, "-o", tmp_path / "clean")
    copy = pyarrow.parquet.read_table(tmp_path / "clean" / "crawl.parquet")
    cleaned = retold.clean(pages, name="crawl.parquet", progress=False)
    assert pyarrow.table(cleaned).to_pylist() == copy.to_pylist()
    assert pyarrow.table(cleaned).schema.equals(pages.schema)
    assert cleaned.removed.to_pylist() == lines(tmp_path / "clean" / "removed.jsonl")
    assert len(cleaned.removed) > 300
    documents = retold.clean(parquet, progress=False)
    assert [row["text"] for row in documents] == copy["text"].to_pylist()
    applied = retold.scan(pages, name="crawl.parquet", progress=False).clean()
    assert pyarrow.table(applied).to_pylist() == copy.to_pylist()


def test_unique_rows_are_those_of_the_copy(pages: pyarrow.Table, parquet: Path, tmp_path: Path, program: Run) -> None:
    program("dedup", parquet, "-o", tmp_path / "unique", "--threshold", "0.7")
    copy = pyarrow.parquet.read_table(tmp_path / "unique" / "crawl.parquet")
    unique = retold.dedup(pages, name="crawl.parquet", threshold=0.7, progress=False)
    assert pyarrow.table(unique).to_pylist() == copy.to_pylist()
    assert unique.dropped.to_pylist() == lines(tmp_path / "unique" / "dropped.jsonl")
    assert 0 < len(unique) < 300
    program("scan", parquet, "-o", tmp_path / "found")
    program("dedup", "--from", tmp_path / "found", "-o", tmp_path / "closer", "--threshold", "0.9")
    closer = retold.load(tmp_path / "found").dedup(threshold=0.9)
    assert [int(row["id"]) for row in closer] == pyarrow.parquet.read_table(tmp_path / "closer" / "crawl.parquet")[
        "id"
    ].to_pylist()


def test_both_at_once(pages: pyarrow.Table, parquet: Path, tmp_path: Path, program: Run) -> None:
    program("clean", parquet, "-o", tmp_path / "both", "--dedup")
    copy = pyarrow.parquet.read_table(tmp_path / "both" / "crawl.parquet")
    assert pyarrow.table(retold.clean(pages, dedup=True, progress=False)).to_pylist() == copy.to_pylist()


def test_directories_are_written_as_the_program_writes_them(seeds: Path, tmp_path: Path, program: Run) -> None:
    program("clean", "seeds", "-o", "by-program")
    written = retold.clean("seeds", output="by-python", progress=False)
    assert written.directory == Path("by-python") and written.summary["documents"] == 5
    theirs = {path.relative_to("by-program") for path in Path("by-program").rglob("*") if path.is_file()}
    assert {path.relative_to("by-python") for path in Path("by-python").rglob("*") if path.is_file()} == theirs
    for path in theirs - {Path("summary.json")}:
        assert Path("by-python", path).read_bytes() == Path("by-program", path).read_bytes(), path


def test_explanations_are_the_program_s(seeds: Path, program: Run) -> None:
    pair = ["seeds/003_fd83145bf835ab4b.txt", "seeds/004_a5eb49e10b94d38d.txt"]
    told = program("explain", *pair, "--format", "json")
    why = retold.explain(*pair)
    assert {"scope": why.scope, "documents": why.documents, "pair": why.pair} == json.loads(told.stdout)
    assert str(why) == program("explain", *pair).stdout
    scan = retold.scan("seeds", output="found", progress=False)
    told = program("explain", "--from", "found", "004_a5eb49e10b94d38d.txt", "--format", "json")
    assert scan.explain("004_a5eb49e10b94d38d.txt").documents == json.loads(told.stdout)["documents"]


def test_a_report_is_the_program_s(seeds: Path, program: Run) -> None:
    scan = retold.scan("seeds", output="found", progress=False)
    program("report", "found", "-o", "program.html")
    scan.report("python.html")
    assert Path("python.html").read_bytes() == Path("program.html").read_bytes()


def test_the_report_of_a_table_in_memory_shows_its_texts(pages: pyarrow.Table, parquet: Path, tmp_path: Path) -> None:
    scan = retold.scan(pages, progress=False)
    scan.report(tmp_path / "held.html")
    scan.save(tmp_path / "saved")
    with pytest.warns(retold.RetoldWarning, match="the page has no texts"):
        retold.load(tmp_path / "saved").report(tmp_path / "without.html")
    with_texts, without = ((tmp_path / name).stat().st_size for name in ("held.html", "without.html"))
    assert with_texts > 1.5 * without
    assert scan.explain("17").documents[0]["blocks"]


TYPES = {
    "scan": _settings.ScanSettings,
    "clean": _settings.CleanSettings,
    "dedup": _settings.DedupSettings,
    "explain": _settings.ExplainSettings,
    "report": _settings.ReportSettings,
}


@pytest.mark.parametrize("command", TYPES)
def test_settings_are_the_flags(command: str, program: Run) -> None:
    """Every flag of the program's own help is a setting under its name, or one of those that Python has no use for."""
    help_text = program(command, "--help").stdout
    flags = set(re.findall(r"^(?:  -\w, |      )--([a-z-]+)", help_text, re.MULTILINE)) - {"help", "version"}
    assert len(flags) > 10
    assert flags == {name for name, *_ in _retold.settings(command)}
    named = {name.rstrip("_").replace("_", "-") for name in TYPES[command].__annotations__} | {"output"}
    if command == "explain":
        named -= {"output"}
    assert named == flags - set(_settings.NOT_SETTINGS)
    assert named & set(_settings.NOT_SETTINGS) == set()


#: A value of every setting of judging and reading that is not its default, and what `summary.json` says of it then.
VALUES: dict[str, tuple[object, str, object]] = {
    "threshold": (0.75, "threshold", 0.75),
    "shingle": ("chars:7", "shingle", "chars:7"),
    "no_boilerplate": (True, "boilerplate", False),
    "no_model": (True, "model", False),
    "careful": (True, "careful", True),
    "no_retellings": (True, "retellings", False),
    "exact": (True, "exact", True),
    "verify": ("sketch", "verify", "sketch"),
    "across_sites_only": (True, "sites", "across"),
    "same_site_only": (True, "sites", "same"),
    "date_window": (3, "date_window", 3),
    "within": ("date", "within", "date"),
    "keep": ("latest", "keep", "latest"),
    "site_priority": (["b.example", "a.example"], "site_priority", ["b.example", "a.example"]),
    "remove": (["byline"], "remove", ["byline"]),
    "text_field": ("title", "text_field", "title"),
    "id_field": ("url", "id_field", "url"),
    "url_field": ("title", "url_field", "title"),
    "site_field": ("title", "site_field", "title"),
    "title_field": ("url", "title_field", "url"),
    "date_field": ("title", "date_field", "title"),
    "glob": (["*.parquet"], "glob", ["*.parquet"]),
    "site_from": ("cra", "site_from", "cra"),
    "site_from_dir": (True, "site_from_dir", True),
    "max_record": ("64M", "max_record", 64 << 20),
    "max_ratio": (100, "max_ratio", 100),
    "limit": (20, "limit", 20),
    "sample": (0.5, "sample", "0.5:0"),
}


@pytest.mark.parametrize("name", VALUES)
def test_a_setting_does_what_its_flag_does(name: str, parquet: Path, tmp_path: Path, program: Run) -> None:
    value, key, said = VALUES[name]
    scan = retold.scan(parquet, progress=False, **{name: value})  # type: ignore[arg-type]
    assert scan.summary["settings"][key] == said
    flag = f"--{name.replace('_', '-')}"
    words = [flag] if value is True else [f"{flag}={one}" for one in (value if isinstance(value, list) else [value])]
    program("scan", parquet, "-o", tmp_path / "program", *words)
    assert summary(scan.directory) == summary(tmp_path / "program")


def test_every_setting_that_changes_answers_was_tried() -> None:
    elsewhere = {
        # Files, tried below and by the program's own tests: the same code reads them.
        "model", "rules", "evidence", "decisions", "metadata", "against",
        # What is kept, written or allowed, not what is found.
        "spare", "for_", "force", "resume", "save_evidence", "suggest_rules", "all_blocks", "keep_texts",
        "max_skipped", "fail_fast", "keep_going", "threads", "memory", "temp_dir", "config",
    }  # fmt: skip
    assert set(_settings.ScanSettings.__annotations__) == set(VALUES) | elsewhere


def test_what_was_taught_is_obeyed(parquet: Path, tmp_path: Path) -> None:
    retold.scan(
        parquet, save_evidence=tmp_path / "seen", suggest_rules=tmp_path / "rules.toml", threads=1, progress=False
    )
    again = retold.scan(parquet, evidence=tmp_path / "seen", rules=tmp_path / "rules.toml", progress=False)
    assert again.summary["settings"]["evidence"] and again.summary["settings"]["rules"]
    (tmp_path / "decisions.csv").write_text("0,1,same\n")
    decided = retold.scan(parquet, decisions=tmp_path / "decisions.csv", for_="linguistics", progress=False)
    assert decided.documents[0]["cluster_id"] == decided.documents[1]["cluster_id"]
    assert "byline" not in decided.summary["settings"]["remove"]
    known = retold.scan(parquet, against=[parquet], memory="256M", temp_dir=tmp_path, progress=False)
    assert known.summary["known"] == 300 and len(known.references) > 0
    (tmp_path / "retold.toml").write_text("threshold = 0.9\n")
    assert retold.scan(parquet, config=tmp_path / "retold.toml", progress=False).summary["settings"]["threshold"] == 0.9


def test_neither_environment_nor_directory_has_a_say(
    parquet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "retold.toml").write_text("threshold = 0.9\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RETOLD_THRESHOLD", "0.8")
    assert retold.scan(parquet, progress=False).summary["settings"]["threshold"] == 0.5
