"""Scans, and what is made of them."""

from __future__ import annotations

import json
import shutil
import tempfile
import weakref
from collections.abc import Mapping
from functools import cached_property
from html import escape
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from . import _data, _retold
from ._progress import Listener, ProgressArgument
from ._results import Edited, Explanation, Written
from ._settings import words
from ._table import Table, counted, table_html

if TYPE_CHECKING:
    from collections.abc import Iterable

    from typing_extensions import Unpack

    from ._data import ArrowArray, ArrowStream
    from ._settings import CleanSettings, DedupSettings, ExplainSettings, ReportSettings, ScanSettings

    AnyPath = str | PathLike[str]
    Data = AnyPath | Iterable[AnyPath] | ArrowStream | ArrowArray

#: The tables of a scan, as the command line writes them.
TABLES = ("documents", "blocks", "pairs", "clusters", "versions", "references", "headlines", "skipped")

#: Rows of each list that a notebook shows of a scan.
_SHOWN = 5


class Scan:
    """A finished scan: the tables that `retold scan -o DIR` writes, and what can be done with them.

    Tables are read when they are asked for. A scan without `output` keeps them in a temporary directory, which goes
    when the last reference to the scan does; `save` keeps them.

    >>> import retold
    >>> scan = retold.scan("seeds", progress=False)
    >>> scan.summary["documents"], len(scan.clusters)
    (5, 0)
    >>> sorted({block["kind"] for block in scan.blocks})[:2]
    ['byline', 'caption']
    """

    #: The directory that holds the tables.
    directory: Path

    def __init__(
        self, directory: AnyPath, _rows: tuple[_retold.ArrowTable, str] | None = None, _scratch: bool = False
    ) -> None:
        self.directory = Path(directory)
        self._rows = _rows
        self._scratch = _scratch

    @cached_property
    def summary(self) -> dict[str, Any]:
        """The run in numbers, as in `summary.json`: settings, versions, counts by kind and site, warnings."""
        summary: dict[str, Any] = json.loads((self.directory / "summary.json").read_text("utf-8"))
        return summary

    @cached_property
    def documents(self) -> Table:
        """A row a document: site, headline, language, words, cluster, whether it is kept."""
        return self._table("documents")

    @cached_property
    def blocks(self) -> Table:
        """A row a block judged boilerplate: where it stands, kind, score, evidence."""
        return self._table("blocks")

    @cached_property
    def pairs(self) -> Table:
        """A row a pair that is alike: similarity with and without boilerplate, whether it joins and why."""
        return self._table("pairs")

    @cached_property
    def clusters(self) -> Table:
        """A row a story told more than once: its members, the representative and why."""
        return self._table("clusters")

    @cached_property
    def versions(self) -> Table:
        """A row a document whose address was met before with another text."""
        return self._table("versions")

    @cached_property
    def references(self) -> Table:
        """A row a reference that a document repeats, with `against`."""
        return self._table("references")

    @cached_property
    def headlines(self) -> Table:
        """A row a headline of several documents: one story, a recurring column, or a generic line."""
        return self._table("headlines")

    @cached_property
    def skipped(self) -> Table:
        """A row an input or record that could not be read: where and why."""
        return self._table("skipped")

    def _table(self, name: str) -> Table:
        return Table(_retold.read_table(self.directory, name))

    def clean(self, *, dedup: bool = False, progress: ProgressArgument = None) -> Edited:
        """Returns the documents of this scan without their boilerplate, with `dedup` one of every story.

        Applies the scan as it is: nothing is judged again, and inputs that have changed are refused.

        >>> import retold
        >>> cleaned = retold.scan("seeds", progress=False).clean()
        >>> cleaned.summary["removed_words"] > 0, len(cleaned)
        (True, 5)
        """
        return clean(self, progress=progress, dedup=dedup)

    def dedup(self, *, threshold: float | None = None, progress: ProgressArgument = None) -> Edited:
        """Returns one document of every story of this scan, at a higher `threshold` where one is given."""
        if threshold is None:
            return dedup(self, progress=progress)
        return dedup(self, progress=progress, threshold=threshold)

    def explain(self, a: str, b: str | None = None) -> Explanation:
        """Says why: each block of the document with the id `a`, or what `a` and `b` share and what parts them.

        >>> import retold
        >>> scan = retold.scan("seeds", progress=False)
        >>> why = scan.explain("003_fd83145bf835ab4b.txt", "004_a5eb49e10b94d38d.txt")
        >>> why.pair["joined"]
        False
        """
        ids = [a] if b is None else [a, b]
        why = _explain([f"--from={self.directory}", "--", *ids], [None] * len(ids), self._rows)
        if self._scratch:
            # Its directory has no name that would say anything.
            named = f"the scan in `{self.directory}`"
            why = why.naming(named, "this scan")
        return why

    def report(self, path: AnyPath, *, progress: ProgressArgument = None, **settings: Unpack[ReportSettings]) -> None:
        """Writes the scan as one HTML page to look at; it opens from disk and asks the network for nothing.

        `since` names the directory of an earlier scan, to show what changed; `force` replaces a page.

        >>> import retold
        >>> retold.scan("seeds", progress=False).report("seeds.html")
        """
        flags = words("report", settings)
        with _listening(progress) as listener:
            _retold.report(
                ["retold", "report", *flags, f"--output={fspath(path)}", "--", str(self.directory)],
                self._rows,
                listener,
            )

    def save(self, directory: AnyPath, *, force: bool = False) -> None:
        """Keeps the tables in a new directory, as `retold scan -o DIR` writes it; it appears whole or not at all.

        >>> import retold
        >>> retold.scan("seeds", progress=False).save("found")
        >>> len(retold.load("found").documents)
        5
        """
        _retold.save(self.directory, directory, force)

    def __repr__(self) -> str:
        found = self.summary
        documents, clusters = counted(found["documents"], "document"), counted(found["clusters"], "cluster")
        return f"Scan({documents}, {clusters}, {found['skipped']:,} skipped)"

    def _repr_html_(self) -> str:
        found = self.summary
        share = 100 * found["removed_words"] / found["words"] if found["words"] else 0
        counts = [
            {"what": "documents", "count": f"{found['documents']:,}"},
            {"what": "of one story with another", "count": f"{found['clustered']:,} in {found['clusters']:,} clusters"},
            {"what": "that `dedup` keeps", "count": f"{found['kept']:,}"},
            {"what": "words that `clean` takes out", "count": f"{found['removed_words']:,} ({share:.1f}%)"},
            {"what": "skipped", "count": f"{found['skipped']:,}"},
        ]
        parts = ["<h4>Scan</h4>", table_html(["what", "count"], counts)]
        kinds = [kind for kind in found["kinds"] if kind["removed"]][:_SHOWN]
        if kinds:
            parts += ["<h4>Boilerplate</h4>", table_html(["kind", "blocks", "documents", "words"], kinds)]
        largest = sorted(self.clusters, key=lambda row: -row["cluster_size"])[:_SHOWN]
        if largest:
            columns = ["cluster_size", "representative", "headlines", "sites"]
            parts += ["<h4>Largest clusters</h4>", table_html(columns, largest)]
        parts += [f"<p>{escape(warning)}</p>" for warning in found["warnings"][:_SHOWN]]
        return "".join(parts)


class _listening:
    """Listens to work, and takes the bar away however it ends."""

    def __init__(self, progress: ProgressArgument) -> None:
        self._listener = Listener(progress)

    def __enter__(self) -> Listener:
        return self._listener

    def __exit__(self, *_: object) -> None:
        self._listener.close()


def scan(
    data: Data,
    *,
    output: AnyPath | None = None,
    name: str = _data.NAME,
    progress: ProgressArgument = None,
    **settings: Unpack[ScanSettings],
) -> Scan:
    """Finds boilerplate and near-duplicates; changes nothing.

    `data` is a path or several (files, directories, patterns, as on the command line), or anything with
    `__arrow_c_stream__` or `__arrow_c_array__`: a row is a document, its text the first of the columns `text`,
    `content`, `body`, … or `text_field`. `name` is what the rows of a table name as their `source`. Settings are the
    flags of `retold scan` under their names; `output` keeps the tables in that directory.

    `progress` is called with a `Progress` as work goes on, `False` shows nothing, and by default notebooks and
    terminals show a bar. Other Python threads run meanwhile; Ctrl-C ends the work.

    >>> import pyarrow, retold
    >>> story = "The harbor was closed on Monday after a crane fell into the water near the eastern pier."
    >>> pages = pyarrow.table({"id": ["a", "b", "c"], "text": [story, "Something else.", story]})
    >>> found = retold.scan(pages, threshold=0.8, progress=False)
    >>> found.clusters[0]["members"]
    ['a', 'c']
    >>> [row["id"] for row in found.documents if row["keep"]]
    ['a', 'b']

    Raises `InputError` where nothing can be read, `SettingError` for settings that cannot be used, and `Error`
    otherwise; each says what to do. Records that cannot be read are skipped, listed in `Scan.skipped`, and told by a
    `SkippedWarning` when they are more than `max_skipped`.
    """
    inputs, rows = _data.read(data, name)
    flags = words("scan", settings)
    scratch: Path | None = None
    if output is None:
        scratch = Path(tempfile.mkdtemp(prefix="retold-scan-", dir=settings.get("temp_dir")))
    directory = Path(fspath(output)) if output is not None else Path(str(scratch), "scan")
    try:
        with _listening(progress) as listener:
            told, allowed = _retold.scan(["retold", "scan", *flags, f"--output={directory}", *inputs], rows, listener)
    except BaseException:
        if scratch is not None:
            shutil.rmtree(scratch, ignore_errors=True)
        raise
    found = Scan(directory, rows, scratch is not None)
    if scratch is not None:
        weakref.finalize(found, shutil.rmtree, scratch, ignore_errors=True)
    found.__dict__["summary"] = json.loads(told)
    if not allowed:
        listener.warn_of_skipped(found.summary["skipped"])
    return found


def load(directory: AnyPath) -> Scan:
    """Opens a scan that `Scan.save` or `retold scan -o DIR` wrote.

    >>> import retold
    >>> retold.scan("seeds", output="kept", progress=False)
    Scan(5 documents, 0 clusters, 0 skipped)
    >>> retold.load("kept").summary["documents"]
    5
    """
    # Whether it is a scan, and of a layout that this version reads, is the program's to say.
    _retold.read_table(directory, "headlines")
    return Scan(directory)


@overload
def clean(
    data: Data | Scan,
    *,
    output: None = None,
    name: str = _data.NAME,
    progress: ProgressArgument = None,
    **settings: Unpack[CleanSettings],
) -> Edited: ...
@overload
def clean(
    data: Data | Scan,
    *,
    output: AnyPath,
    name: str = _data.NAME,
    progress: ProgressArgument = None,
    **settings: Unpack[CleanSettings],
) -> Written: ...
def clean(
    data: Data | Scan,
    *,
    output: AnyPath | None = None,
    name: str = _data.NAME,
    progress: ProgressArgument = None,
    **settings: Unpack[CleanSettings],
) -> Edited | Written:
    """Returns the documents without their boilerplate; every other byte of their texts stays.

    A table keeps its columns, types and order. Files are given back as a table of documents, or with `output` as copies
    in that directory, as `retold clean` writes them. A `Scan` is applied without judging again.

    >>> import retold
    >>> cleaned = retold.clean("seeds", progress=False)
    >>> len(cleaned), sorted({row["kind"] for row in cleaned.removed})[:2]
    (5, ['byline', 'caption'])
    >>> cleaned[4]["text"].splitlines()[0]
    'For Putin, a Deal with Trump Could Yield More Than Land in Ukraine'
    """
    return _rewrite("clean", data, output, name, progress, words("clean", settings), settings)


@overload
def dedup(
    data: Data | Scan,
    *,
    output: None = None,
    name: str = _data.NAME,
    progress: ProgressArgument = None,
    **settings: Unpack[DedupSettings],
) -> Edited: ...
@overload
def dedup(
    data: Data | Scan,
    *,
    output: AnyPath,
    name: str = _data.NAME,
    progress: ProgressArgument = None,
    **settings: Unpack[DedupSettings],
) -> Written: ...
def dedup(
    data: Data | Scan,
    *,
    output: AnyPath | None = None,
    name: str = _data.NAME,
    progress: ProgressArgument = None,
    **settings: Unpack[DedupSettings],
) -> Edited | Written:
    """Returns one document of every story, as it was read; the table `dropped` names the others.

    >>> import pyarrow, retold
    >>> story = "The harbor was closed on Monday after a crane fell into the water near the eastern pier."
    >>> pages = pyarrow.table({"id": ["a", "b", "c"], "text": [story, "Something else.", story]})
    >>> unique = retold.dedup(pages, progress=False)
    >>> pyarrow.table(unique)["id"].to_pylist(), unique.dropped[0]["kept_id"]
    (['a', 'b'], 'a')
    """
    return _rewrite("dedup", data, output, name, progress, words("dedup", settings), settings)


def _rewrite(
    command: str,
    data: object,
    output: AnyPath | None,
    name: str,
    progress: ProgressArgument,
    flags: list[str],
    settings: Mapping[str, object],
) -> Edited | Written:
    if isinstance(data, Scan):
        inputs, rows = [f"--from={data.directory}"], data._rows
    else:
        inputs, rows = _data.read(data, name)
    if settings.get("attributes") is not None and output is None:
        error = _retold.SettingError("`attributes` are files beside files\nhint: name a new directory with `output`")
        error.setting, error.hint = "attributes", "name a new directory with `output`"
        raise error
    target = "-" if output is None else fspath(output)
    with _listening(progress) as listener:
        edited = _retold.rewrite(["retold", command, *flags, f"--output={target}", *inputs], rows, listener)
    summary: dict[str, Any] = json.loads(edited.summary)
    if not edited.allowed:
        listener.warn_of_skipped(summary["skipped"])
    return Edited(edited) if output is None else Written(Path(target), summary)


def explain(
    a: AnyPath | Mapping[str, object],
    b: AnyPath | Mapping[str, object] | None = None,
    **settings: Unpack[ExplainSettings],
) -> Explanation:
    """Says why: each block of a document, or what two documents share and what parts them.

    `a` and `b` are files, or records with `text` and where known `id`, `url`, `site`, `title` and `date`. They are
    judged alone; `Scan.explain` says what a scan said, with all its evidence.

    >>> import retold
    >>> story = "The harbor was closed on Monday after a crane fell into the water near the eastern pier."
    >>> why = retold.explain({"id": "a", "text": story}, {"id": "b", "text": story})
    >>> why.pair["joined"], why.pair["relation"]
    (True, 'identical')
    """
    documents = [a] if b is None else [a, b]
    records: list[_retold._Record | None] = []
    names: list[str] = []
    for number, document in enumerate(documents):
        if isinstance(document, Mapping):
            record = _record(document, "ab"[number])
            records.append(record)
            names.append(record[0])
        else:
            records.append(None)
            names.append(fspath(document))
    return _explain([*words("explain", settings), "--", *names], records, None)


def _record(document: Mapping[str, object], letter: str) -> _retold._Record:
    text = document.get("text")
    if not isinstance(text, str):
        raise TypeError(f"expected a string as `text` of a record, found {type(text).__name__}")
    known = [
        None if document.get(field) is None else str(document[field]) for field in ("url", "site", "title", "date")
    ]
    url, site, title, date = known
    given = document.get("id")
    return (letter if given is None else str(given), text, url, site, title, date)


def _explain(
    flags: list[str], records: list[_retold._Record | None], rows: tuple[_retold.ArrowTable, str] | None
) -> Explanation:
    with _listening(False) as listener:
        found, text = _retold.explain(["retold", "explain", *flags], records, rows, listener)
    return Explanation(json.loads(found), text)
