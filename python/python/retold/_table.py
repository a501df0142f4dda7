"""Tables: Arrow on the outside, rows as dictionaries for a look."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING, Any, overload

from . import _retold

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow

#: Rows that a notebook shows.
_SHOWN = 10
#: Characters of a cell that it shows.
_CELL = 120


class Table:
    """A table of Arrow: whatever reads Arrow streams takes it as it is, and nothing is copied.

    ``pyarrow.table(t)``, ``polars.DataFrame(t)``, ``duckdb.sql("SELECT * FROM t")``, ``t.to_pandas()``.

    >>> import retold
    >>> table = retold.scan("seeds", progress=False).documents
    >>> len(table)
    5
    >>> table.column_names[:3]
    ['id', 'source', 'row']
    >>> table[0]["lang"]
    'en'
    """

    def __init__(self, table: _retold.ArrowTable) -> None:
        self._table = table

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._table.__arrow_c_stream__(requested_schema)

    def __arrow_c_schema__(self) -> object:
        return self._table.__arrow_c_schema__()

    @property
    def column_names(self) -> list[str]:
        """The names of the columns, in order."""
        return self._table.column_names

    def __len__(self) -> int:
        return len(self._table)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for start in range(0, len(self), 1024):
            yield from self._table.rows(start, start + 1024)

    @overload
    def __getitem__(self, at: int) -> dict[str, Any]: ...
    @overload
    def __getitem__(self, at: slice) -> list[dict[str, Any]]: ...
    def __getitem__(self, at: int | slice) -> dict[str, Any] | list[dict[str, Any]]:
        if isinstance(at, slice):
            start, stop, step = at.indices(len(self))
            return (
                self._table.rows(start, stop)[::step] if step > 0 else [self[row] for row in range(start, stop, step)]
            )
        row = at + len(self) if at < 0 else at
        if not 0 <= row < len(self):
            raise IndexError(f"row {at} of a table of {len(self)} rows")
        return self._table.rows(row, row + 1)[0]

    def to_pylist(self) -> list[dict[str, Any]]:
        """Returns all rows as dictionaries."""
        return list(self)

    def to_pyarrow(self) -> pyarrow.Table:
        """Returns a `pyarrow.Table`."""
        import pyarrow

        return pyarrow.table(self)

    def to_pandas(self) -> pandas.DataFrame:
        """Returns a `pandas.DataFrame`; pyarrow converts."""
        frame: pandas.DataFrame = self.to_pyarrow().to_pandas()
        return frame

    def to_polars(self) -> polars.DataFrame:
        """Returns a `polars.DataFrame`."""
        import polars

        return polars.DataFrame(self)

    def __repr__(self) -> str:
        return f"Table({len(self):,} rows: {', '.join(self.column_names)})"

    def _repr_html_(self) -> str:
        try:
            rows = self[:_SHOWN]
        except TypeError:
            return f"<p>{escape(repr(self))}</p>"
        more = len(self) - len(rows)
        return table_html(self.column_names, rows) + (f"<p>… and {more:,} more rows</p>" if more else "")


def table_html(columns: list[str], rows: list[dict[str, Any]]) -> str:
    """Returns rows as a table of HTML."""
    head = "".join(f"<th>{escape(name)}</th>" for name in columns)
    body = "".join("<tr>" + "".join(f"<td>{_cell(row.get(name))}</td>" for name in columns) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = f"{value:.3f}" if isinstance(value, float) else "; ".join(value) if isinstance(value, list) else str(value)
    return escape(text if len(text) <= _CELL else text[: _CELL - 1] + "…")


def counted(count: int, what: str) -> str:
    """Returns a number of things, as `1 document` or `2,000 documents`."""
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"
