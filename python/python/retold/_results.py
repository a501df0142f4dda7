"""What `clean`, `dedup` and `explain` give."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

from . import _retold
from ._table import Table, counted


class Edited(Table):
    """Documents as `clean` and `dedup` leave them: a table of Arrow, and what went.

    Of a table in memory it has the same columns, types and order; of files, `id`, `source`, `row`, `url`, `site`,
    `title`, `date` and `text`.
    """

    #: What was cut out, block by block, in order.
    removed: Table
    #: Documents left out, each with the one kept in its place.
    dropped: Table
    #: The run in numbers, as in `summary.json`.
    summary: dict[str, Any]

    def __init__(self, edited: _retold.Edited) -> None:
        super().__init__(edited.table)
        self.removed = Table(edited.removed)
        self.dropped = Table(edited.dropped)
        self.summary = json.loads(edited.summary)


class Written(NamedTuple):
    """A directory of copies that `clean` or `dedup` wrote."""

    #: The directory.
    directory: Path
    #: The run in numbers, as in `summary.json`.
    summary: dict[str, Any]


class Explanation:
    """Why a document was judged so, or why two are one cluster or not. Printed, it is the program's own text."""

    #: How far the explanation reaches.
    scope: str
    #: Each document with its blocks.
    documents: list[dict[str, Any]]
    #: The two beside each other, when there are two.
    pair: dict[str, Any] | None

    def __init__(self, found: Mapping[str, Any], text: str) -> None:
        self.scope = found["scope"]
        self.documents = found["documents"]
        self.pair = found["pair"]
        self._text = text

    def naming(self, place: str, name: str) -> Explanation:
        """Returns the same with another name for where it was judged."""
        found = {"scope": self.scope.replace(place, name, 1), "documents": self.documents, "pair": self.pair}
        return Explanation(found, self._text.replace(place, name, 1))

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return f"Explanation({counted(len(self.documents), 'document')}: {self.scope})"

    def _repr_html_(self) -> str:
        return f"<pre>{escape(self._text)}</pre>"
