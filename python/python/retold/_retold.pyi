"""The compiled part: converts and calls. Use the package `retold`; names here may change."""

from collections.abc import Callable
from os import PathLike
from typing import Any, final

__all__ = [
    "ArrowTable",
    "Edited",
    "Error",
    "InputError",
    "SettingError",
    "command",
    "explain",
    "read_table",
    "report",
    "rewrite",
    "save",
    "scan",
    "settings",
    "unknown_setting",
    "__version__",
]

__version__: str

_Named = tuple[ArrowTable, str] | None
_Record = tuple[str, str, str | None, str | None, str | None, str | None]
_Tell = Callable[..., object]

class Error(Exception):
    hint: str | None

class InputError(Error):
    path: str | None
    row: int | None
    field: str | None

class SettingError(Error):
    setting: str | None

@final
class ArrowTable:
    @classmethod
    def from_arrow(cls, data: object) -> ArrowTable: ...
    @property
    def column_names(self) -> list[str]: ...
    def rows(self, start: int, stop: int) -> list[dict[str, Any]]: ...
    def __len__(self) -> int: ...
    def __arrow_c_schema__(self) -> object: ...
    def __arrow_c_stream__(self, requested_schema: object = None) -> object: ...

@final
class Edited:
    @property
    def table(self) -> ArrowTable: ...
    @property
    def removed(self) -> ArrowTable: ...
    @property
    def dropped(self) -> ArrowTable: ...
    @property
    def summary(self) -> str: ...
    @property
    def allowed(self) -> bool: ...

def command(words: list[str]) -> int: ...
def scan(words: list[str], rows: _Named, tell: _Tell) -> tuple[str, bool]: ...
def rewrite(words: list[str], rows: _Named, tell: _Tell) -> Edited: ...
def explain(words: list[str], records: list[_Record | None], rows: _Named, tell: _Tell) -> tuple[str, str]: ...
def report(words: list[str], rows: _Named, tell: _Tell) -> None: ...
def read_table(directory: str | PathLike[str], name: str) -> ArrowTable: ...
def save(directory: str | PathLike[str], target: str | PathLike[str], force: bool) -> None: ...
def settings(command: str) -> list[tuple[str, bool, bool, str, list[str]]]: ...
def unknown_setting(command: str, name: str) -> SettingError: ...
