"""Examples in docstrings and READMEs say what happens, and the types are what the stubs say."""

from __future__ import annotations

import doctest
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import ROOT

MODULES = ["retold", "retold._scan", "retold._settings", "retold._table"]
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.IGNORE_EXCEPTION_DETAIL


@pytest.mark.parametrize("name", MODULES)
def test_docstrings(name: str, seeds: Path) -> None:
    failed, tried = doctest.testmod(importlib.import_module(name), optionflags=FLAGS)
    assert tried > 0 and failed == 0


def test_every_function_of_the_package_has_an_example() -> None:
    import retold

    for owner, names in (
        (retold, ["scan", "clean", "dedup", "explain", "load"]),
        (retold.Scan, ["clean", "explain", "report", "save"]),
    ):
        for name in names:
            assert ">>> " in (getattr(owner, name).__doc__ or ""), name


@pytest.mark.parametrize("path", ["README.md", "python/README.md"])
def test_readmes(path: str, seeds: Path) -> None:
    failed, tried = doctest.testfile(str(ROOT / path), module_relative=False, optionflags=FLAGS)
    assert tried > 0 and failed == 0


def test_types_are_as_the_stubs_say(tmp_path: Path) -> None:
    mypy = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--ignore-missing-imports",
        "--cache-dir",
        str(tmp_path / "cache"),
    ]
    checked = subprocess.run([*mypy, "-p", "retold"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout
    stubs = [sys.executable, "-m", "mypy.stubtest", "retold._retold"]
    checked = subprocess.run(stubs, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert checked.returncode == 0, checked.stdout


GOOD = """
import pyarrow, retold

scan = retold.scan(pyarrow.table({"text": ["a"]}), threshold=0.7, spare=["byline"], progress=print)
names: list[str] = scan.documents.column_names
cleaned: retold.Edited = retold.clean("crawl", no_model=True)
written: retold.Written = retold.clean("crawl", output="clean")
"""

BAD = {
    'retold.scan("crawl", treshold=0.7)': "treshold",
    'retold.scan("crawl", threshold="0.7")': "threshold",
    "retold.scan(7)": "arg-type",
    'x: int = retold.clean("crawl")': "Edited",
}


def test_a_caller_s_types_are_checked(tmp_path: Path) -> None:
    def check(code: str) -> subprocess.CompletedProcess[str]:
        path = tmp_path / "caller.py"
        path.write_text(code)
        words = [
            sys.executable,
            "-m",
            "mypy",
            "--strict",
            "--ignore-missing-imports",
            "--cache-dir",
            str(tmp_path / "cache"),
        ]
        return subprocess.run([*words, str(path)], capture_output=True, text=True, check=False)

    good = check(GOOD)
    assert good.returncode == 0, good.stdout
    for line, word in BAD.items():
        bad = check(f"import retold\n{line}\n")
        assert bad.returncode == 1 and word in bad.stdout, (line, bad.stdout)
