"""The examples and the notebook do what they say."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from conftest import ROOT

EXAMPLES = sorted((ROOT / "python" / "examples").glob("with_*.py"))

SAID = {
    "with_pandas.py": "6 pages, 5 stories",
    "with_polars.py": "characters were boilerplate",
    "with_duckdb.py": "7 pages, 5 stories",
    "with_datasets.py": "4 of 5 are not in the test set",
    "with_scrapy.py": "5 articles stay, 1 was a copy",
}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_an_example_runs(path: Path, tmp_path: Path) -> None:
    words = [sys.executable, path, ROOT / "seeds"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert SAID[path.name] in done.stdout, done.stdout


def test_the_notebook_shows_what_it_shows() -> None:
    path = ROOT / "python" / "notebooks" / "seeds.ipynb"
    stored = nbformat.read(path, as_version=4)
    run = nbformat.from_dict(json.loads(json.dumps(stored)))
    NotebookClient(run, timeout=300, kernel_name="python3", resources={"metadata": {"path": path.parent}}).execute()

    def shown(notebook: nbformat.NotebookNode) -> list[list[object]]:
        cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
        return [[output.get("data") or output.get("text") for output in cell.outputs] for cell in cells]

    assert shown(run) == shown(stored)
    assert any("Largest clusters" in str(outputs) for outputs in shown(stored))
