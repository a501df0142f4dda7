"""Anything that hands out Arrow is read, and what comes back is taken by all of them."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import datasets
import duckdb
import pandas
import polars
import pyarrow
import pytest

import retold
from conftest import crawl

STORY = "The harbor was closed on Monday after a crane fell into the water near the eastern pier."


def ids(scan: retold.Scan) -> list[str]:
    return [row["id"] for row in scan.documents if row["keep"]]


@pytest.fixture(scope="module")
def expected(pages: pyarrow.Table) -> list[str]:
    return ids(retold.scan(pages, progress=False))


def duck(pages: pyarrow.Table) -> duckdb.DuckDBPyRelation:
    return duckdb.sql("SELECT * FROM pages")


SOURCES: dict[str, Any] = {
    "pyarrow in batches": lambda pages: pyarrow.Table.from_batches(pages.to_batches(max_chunksize=7)),
    "a stream": lambda pages: pages.to_reader(max_chunksize=100),
    "one batch": lambda pages: pages.combine_chunks().to_batches()[0],
    "pandas": lambda pages: pages.to_pandas(),
    "pandas on Arrow": lambda pages: pages.to_pandas(types_mapper=pandas.ArrowDtype),
    "polars": lambda pages: polars.DataFrame(pages),
    "DuckDB": duck,
    "datasets": lambda pages: datasets.Dataset(pages),
    "our own": lambda pages: retold.Table(retold._retold.ArrowTable.from_arrow(pages)),
}


@pytest.mark.parametrize("kind", SOURCES)
def test_every_source_gives_the_same(kind: str, pages: pyarrow.Table, expected: list[str]) -> None:
    assert ids(retold.scan(SOURCES[kind](pages), progress=False)) == expected


def test_a_dataset_is_read_as_it_orders_its_rows(pages: pyarrow.Table) -> None:
    shuffled = datasets.Dataset(pages).shuffle(seed=3).filter(lambda row: row["id"] % 2 == 0)
    scan = retold.scan(shuffled, progress=False)
    assert [row["id"] for row in scan.documents] == [str(number) for number in shuffled["id"]]


def test_what_comes_back_is_taken_by_all(pages: pyarrow.Table) -> None:
    cleaned = retold.clean(pages, progress=False)
    table = pyarrow.table(cleaned)
    assert table.num_rows == len(cleaned) == 300
    assert polars.DataFrame(cleaned).equals(polars.DataFrame(table))
    assert cleaned.to_polars().equals(polars.DataFrame(table))
    assert cleaned.to_pandas().equals(table.to_pandas())
    assert duckdb.sql("SELECT count(*) FROM cleaned").fetchall() == [(300,)]
    assert pandas.DataFrame.from_arrow(cleaned)["text"].tolist() == table["text"].to_pylist()
    assert datasets.Dataset(table)["text"][0] == table["text"][0].as_py()


STRINGS = [
    pyarrow.string(),
    pyarrow.large_string(),
    pyarrow.string_view(),
    pyarrow.dictionary(pyarrow.int8(), pyarrow.string()),
    pyarrow.binary(),
    pyarrow.large_binary(),
]


@pytest.mark.parametrize("kind", STRINGS, ids=str)
def test_texts_of_every_type_are_read_and_keep_their_type(kind: pyarrow.DataType) -> None:
    pages = crawl(30)
    texts = (
        pages["text"].cast(kind)
        if not pyarrow.types.is_string_view(kind)
        else pyarrow.chunked_array([pyarrow.array(pages["text"].to_pylist(), kind)])
    )
    typed = pages.set_column(pages.schema.get_field_index("text"), "text", texts)
    cleaned = pyarrow.table(retold.clean(typed, progress=False))
    assert cleaned.schema.field("text").type == kind
    expected = pyarrow.table(retold.clean(pages, progress=False))["text"].to_pylist()
    found = cleaned["text"].to_pylist()
    assert [text.decode() if isinstance(text, bytes) else text for text in found] == expected
    assert len(retold.clean(pages, progress=False).removed) > 0


def test_other_cells_are_words_as_in_parquet_files(tmp_path: Path) -> None:
    table = pyarrow.table(
        {
            "id": pyarrow.array([1, 2, None], pyarrow.uint64()),
            "text": [STORY, "Something else.", "A third one."],
            "date": pyarrow.array(
                [datetime.datetime(2026, 1, 2, 3, 4, 5), None, datetime.datetime(1999, 12, 31)], pyarrow.timestamp("us")
            ),
            "title": pyarrow.array(["One", "Two", "Two"]).dictionary_encode(),
            "url": pyarrow.array(["https://www.a.example/1", "", None], pyarrow.string_view()),
        }
    )
    rows = retold.scan(table, progress=False).documents.to_pylist()
    assert [row["id"] for row in rows] == ["1", "2", "data.arrow:2"]
    assert [row["date"] for row in rows] == ["2026-01-02T03:04:05Z", None, "1999-12-31T00:00:00Z"]
    assert [row["headline"] for row in rows] == ["One", "Two", "Two"]
    assert [row["site"] for row in rows] == ["a.example", None, None]
    days = table.set_column(2, "date", pyarrow.array([datetime.date(2026, 1, 2)] * 3))
    assert retold.scan(days, progress=False).documents[0]["date"] == "2026-01-02"
    numbers = table.set_column(0, "id", pyarrow.array([1.5, float("nan"), 3e20]))
    path = tmp_path / "numbers.parquet"
    pyarrow.parquet.write_table(numbers, path)
    of_file = [row["id"] for row in retold.scan(path, progress=False).documents]
    assert [row["id"] for row in retold.scan(numbers, name="numbers.parquet", progress=False).documents] == of_file


def test_a_text_may_be_part_of_an_object() -> None:
    pages = [{"page": {"body": STORY}, "n": 1}, {"page": None, "n": 2}, {"page": {"body": STORY}, "n": 3}]
    table = pyarrow.Table.from_pylist(pages)
    scan = retold.scan(table, text_field="page.body", progress=False)
    assert [row["keep"] for row in scan.documents] == [True, True, False]
    assert scan.dedup().to_pyarrow()["n"].to_pylist() == [1, 2]
    with pytest.raises(retold.Error, match="the text is part of another column"):
        scan.clean()


def test_rows_that_hold_no_text_are_kept_by_clean_and_left_out_by_dedup() -> None:
    page = "Sign up for our newsletter\n\n" + STORY
    texts: list[bytes | None] = [b"\xff\xfe", page.encode(), None, page.encode()]
    table = pyarrow.table({"text": pyarrow.array(texts, pyarrow.binary()), "n": [1, 2, 3, 4]})
    reason = "record 1: expected a string in column `text`, found bytes that are no UTF-8"
    with pytest.warns(retold.SkippedWarning, match=reason):
        cleaned = retold.clean(table, progress=False)
    assert cleaned.to_pyarrow()["text"].to_pylist() == [b"\xff\xfe", STORY.encode(), None, STORY.encode()]
    assert cleaned.summary["skipped"] == 1
    with pytest.warns(retold.SkippedWarning):
        assert retold.dedup(table, progress=False).to_pyarrow()["n"].to_pylist() == [2, 3]
    assert retold.dedup(table, max_skipped=1, progress=False).summary["documents"] == 3


def test_an_empty_table_and_one_of_no_batches() -> None:
    empty = pyarrow.table({"text": pyarrow.array([], pyarrow.string())})
    for table in (empty, pyarrow.Table.from_batches([], empty.schema)):
        scan = retold.scan(table, progress=False)
        assert len(scan.documents) == len(scan.blocks) == 0
        assert scan.clean().to_pyarrow().schema.equals(empty.schema)


def test_rows_are_read_one_by_one_too(pages: pyarrow.Table) -> None:
    table = retold.scan(pages, progress=False).documents
    rows = table.to_pylist()
    assert (
        table[5] == rows[5] and table[-1] == rows[-1] and table[3:9:2] == rows[3:9:2] and table[9:3:-1] == rows[9:3:-1]
    )
    assert len(list(table)) == len(table) == 300
    with pytest.raises(IndexError):
        table[300]


@pytest.mark.parametrize(
    ("data", "hint"),
    [
        (7, "found a int"),
        ([{"text": STORY}], "from_pylist"),
        (polars.LazyFrame({"text": [STORY]}), "collect"),
        ([], "found a list"),
    ],
)
def test_what_is_not_read_is_told(data: Any, hint: str) -> None:
    with pytest.raises(TypeError, match=hint):
        retold.scan(data, progress=False)
