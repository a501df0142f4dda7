"""Settings: the flags of the command line under the same names, `-` written as `_`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from os import PathLike, fspath
from typing import TYPE_CHECKING, TypedDict

from . import _retold

if TYPE_CHECKING:
    Path = str | PathLike[str]

#: Flags that say what is printed and where, not what is done: in Python these are arguments and attributes.
NOT_SETTINGS: Mapping[str, str] = {
    "color": "what is printed is the program's alone",
    "format": "a `Scan` has its `summary` as a dictionary",
    "quiet": "`progress=False` says nothing",
    "no-progress": "`progress=False` shows no bar",
    "log-json": "messages go to the logger `retold`, and to warnings",
    "no-config": "a settings file is read only where `config` names one",
    "top": "tables hold all, not the largest alone",
    "timings": "`summary['run']['stages']` holds them",
    "tables": "tables are Arrow: any writer of Parquet or CSV takes them",
    "report": "`Scan.report` writes the page",
    "from": "`scan.clean()`, `scan.dedup()` and `scan.explain()` apply a finished scan",
    "restore": "the command `retold clean --restore` puts back what it cut out of files",
    "files-from": "inputs are a list",
    "cache-dir": "the module reads no addresses: the program does, built with the feature `object-store`",
    "cache-size": "the module reads no addresses: the program does, built with the feature `object-store`",
}


class _Run(TypedDict, total=False):
    threads: int
    memory: int | str
    temp_dir: Path
    config: Path


class _Judging(TypedDict, total=False):
    threshold: float
    shingle: str
    no_boilerplate: bool
    no_model: bool
    model: Path
    rules: Path
    evidence: Path
    careful: bool
    no_retellings: bool
    exact: bool
    verify: str
    across_sites_only: bool
    same_site_only: bool
    date_window: int
    within: str
    decisions: Path
    keep: str
    site_priority: str | Iterable[str]
    remove: str | Iterable[str]
    spare: str | Iterable[str]
    for_: str


class _Reading(TypedDict, total=False):
    text_field: str
    id_field: str
    url_field: str
    site_field: str
    title_field: str
    date_field: str
    against: Path | Iterable[Path]
    glob: str | Iterable[str]
    metadata: Path
    site_from: str
    site_from_dir: bool
    max_skipped: int | float | str
    fail_fast: bool
    keep_going: bool
    max_record: int | str
    max_ratio: int


class ScanSettings(_Run, _Judging, _Reading, total=False):
    """Settings of `scan`."""

    force: bool
    resume: bool
    save_evidence: Path
    suggest_rules: Path
    all_blocks: bool
    keep_texts: bool
    limit: int
    sample: float | str


class CleanSettings(_Run, _Judging, _Reading, total=False):
    """Settings of `clean`."""

    force: bool
    dedup: bool
    attributes: str
    max_removed: float


class DedupSettings(_Run, _Judging, _Reading, total=False):
    """Settings of `dedup`."""

    force: bool
    max_removed: float


class ExplainSettings(_Run, _Judging, _Reading, total=False):
    """Settings of `explain`."""


class ReportSettings(_Run, total=False):
    """Settings of `Scan.report`."""

    since: Path
    force: bool


def words(command: str, settings: Mapping[str, object]) -> list[str]:
    """Returns settings as words of a command line.

    `None` leaves a setting at its default. `for_` is the flag `--for`, whose name Python keeps for itself.

    >>> words("scan", {"threshold": 0.8, "no_model": True, "spare": ["byline", "tags"], "keep": None})
    ['--threshold=0.8', '--no-model', '--spare=byline', '--spare=tags']
    """
    known = {name: switch for name, switch, *_ in _retold.settings(command)}
    found: list[str] = []
    for given, value in settings.items():
        name = given.rstrip("_").replace("_", "-")
        if name not in known or name in NOT_SETTINGS:
            raise _unknown(command, given, name)
        if value is None:
            continue
        if known[name]:
            if not isinstance(value, bool):
                raise TypeError(f"`{given}`: expected True or False, found {value!r}")
            found.extend([f"--{name}"] if value else [])
        elif isinstance(value, (str, PathLike)) or not isinstance(value, Iterable):
            found.append(f"--{name}={_word(value)}")
        else:
            found.extend(f"--{name}={_word(one)}" for one in value)
    return found


def _word(value: object) -> str:
    return fspath(value) if isinstance(value, PathLike) else str(value)


def _unknown(command: str, given: str, name: str) -> Exception:
    instead = NOT_SETTINGS.get(name)
    if instead is None:
        return _retold.unknown_setting(command, given)
    error = _retold.SettingError(f"`{command}` has no setting `{given}` in Python\nhint: {instead}")
    error.setting, error.hint = given, instead
    return error
