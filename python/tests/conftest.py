"""What the tests share: the program, the seeds, a small crawl of many kinds of copies."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

ROOT = Path(__file__).resolve().parents[2]

#: The command line that Python is compared with: the program as cargo builds it where that is named, else the wheel's.
PROGRAM = os.environ.get("RETOLD_PROGRAM") or str(Path(sys.executable).with_name("retold"))

PEOPLE = ("Amira Holt", "Jonas Ekberg", "Priya Nair", "Tomas Rivera", "Lena Fischer", "Samuel Okoro", "Mei Tanaka")
PLACES = ("the harbor", "the old mill", "the city council", "the northern line", "the river bridge", "the hospital")
ACTS = ("was closed after", "has approved", "will reopen despite", "was sold before", "has delayed", "is blamed for")
THINGS = ("a crane fell", "the new budget", "months of repairs", "a long dispute", "the winter storm", "a leak")
CHROME = {
    "a.example": ["Subscribe to our newsletter", "Leave a Reply", "Share this article on Facebook"],
    "b.example": ["Sign up for our daily briefing", "All rights reserved. 2026 B Media", "Read more stories"],
    "c.example": ["Support our work with a donation", "Follow us on Twitter", "Cookie settings"],
}


def story(chance: random.Random) -> list[str]:
    """Returns the paragraphs of a story."""

    def sentence() -> str:
        who, where = chance.choice(PEOPLE), chance.choice(PLACES)
        number = chance.randrange(10, 9999)
        what = f"{chance.choice(ACTS)} {chance.choice(THINGS)}"
        return f"{who} said on day {number} that {where} {what} near gate {number % 97}."

    return [" ".join(sentence() for _ in range(4)) for _ in range(5)]


def crawl(count: int, seed: int = 7) -> pyarrow.Table:
    """Returns pages of three sites, a third of them copies of others under other boilerplate."""
    chance = random.Random(seed)
    rows: list[dict[str, object]] = []
    stories: list[list[str]] = []
    for number in range(count):
        if stories and chance.random() < 0.33:
            told = list(chance.choice(stories))
            if chance.random() < 0.5:
                told[chance.randrange(len(told))] = story(chance)[0]
        else:
            told = story(chance)
            stories.append(told)
        site = chance.choice(sorted(CHROME))
        text = "\n\n".join([CHROME[site][0], *told, *CHROME[site][1:]])
        rows.append(
            {
                "id": number,
                "url": f"https://www.{site}/{number}",
                "title": told[0].split(" near")[0],
                "text": text,
                "date": f"2026-01-{1 + number % 28:02}",
                "extra": number * 0.5,
            }
        )
    return pyarrow.Table.from_pylist(rows)


@pytest.fixture(scope="session")
def pages() -> pyarrow.Table:
    """A crawl of 300 pages."""
    return crawl(300)


@pytest.fixture(scope="session")
def parquet(pages: pyarrow.Table, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same crawl as a file."""
    path = tmp_path_factory.mktemp("crawl") / "crawl.parquet"
    pyarrow.parquet.write_table(pages, path)
    return path


@pytest.fixture
def seeds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The five articles, in the directory that the test works in."""
    shutil.copytree(ROOT / "seeds", tmp_path / "seeds")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "seeds"


Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def program() -> Run:
    """Runs the program, without what the machine's settings say."""

    def run(*words: str | os.PathLike[str], status: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run([PROGRAM, *map(os.fspath, words)], capture_output=True, text=True, check=False)
        assert done.returncode == status, done.stderr
        return done

    return run
