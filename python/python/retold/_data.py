"""What may be read: files by their paths, or anything that hands out Arrow."""

from __future__ import annotations

from os import PathLike, fspath
from typing import TYPE_CHECKING, Protocol

from . import _retold

if TYPE_CHECKING:
    Path = str | PathLike[str]


class ArrowStream(Protocol):
    """An object that hands out batches of Arrow: tables of pyarrow, data frames, relations of DuckDB."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object: ...


class ArrowArray(Protocol):
    """An object that hands out one batch of Arrow."""

    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[object, object]: ...


#: The name of a table in memory where none is given: what its documents name as their source.
NAME = "data.arrow"


def read(data: object, name: str) -> tuple[list[str], tuple[_retold.ArrowTable, str] | None]:
    """Returns paths as words of a command line, or else a table with its name."""
    if isinstance(data, (str, PathLike)):
        return ["--", fspath(data)], None
    table = _table(data)
    if table is not None:
        return [], (table, name)
    if (
        isinstance(data, (list, tuple, set, frozenset))
        and data
        and all(isinstance(one, (str, PathLike)) for one in data)
    ):
        return ["--", *(fspath(one) for one in data)], None
    raise TypeError(
        f"expected paths or a table of Arrow (pyarrow, Polars, pandas, DuckDB, datasets), found {_described(data)}"
    )


def _table(data: object) -> _retold.ArrowTable | None:
    if hasattr(data, "__arrow_c_stream__") or hasattr(data, "__arrow_c_array__"):
        return _retold.ArrowTable.from_arrow(data)
    # A dataset of Hugging Face that hands out no Arrow by itself: its rows, as it orders and filters them.
    if type(data).__module__.partition(".")[0] == "datasets" and hasattr(data, "with_format"):
        rows = data.with_format("arrow")
        if hasattr(rows, "__len__"):
            return _retold.ArrowTable.from_arrow(rows[:])
    return None


def _described(data: object) -> str:
    kind = f"{type(data).__module__}.{type(data).__qualname__}".removeprefix("builtins.")
    if kind.startswith("polars") and hasattr(data, "collect"):
        return f"a {kind}: `collect()` it first"
    if isinstance(data, (list, tuple)) and data and isinstance(data[0], dict):
        return "a list of dictionaries: `pyarrow.Table.from_pylist(records)` is such a table"
    return f"a {kind}"
