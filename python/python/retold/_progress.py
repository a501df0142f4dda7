"""What is told while work goes on: progress, notes and warnings."""

from __future__ import annotations

import importlib
import logging
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

logger = logging.getLogger("retold")

#: Work that takes less than this many seconds shows no progress.
_QUIET = 0.5


class RetoldWarning(UserWarning):
    """Something went well but is worth a look."""


class SkippedWarning(RetoldWarning):
    """Inputs or records could not be read and were left out: the table `skipped` lists them."""


class Progress(NamedTuple):
    """How far work is."""

    #: `reading`, `judging`, `comparing` or `writing`.
    stage: str
    #: Bytes that this stage has read.
    done: int
    #: Bytes that it will read, where that is known.
    total: int | None
    #: Documents that it has read.
    documents: int


ProgressArgument = bool | Callable[[Progress], object] | None


class Listener:
    """Takes what the compiled part tells, and says it as Python does."""

    def __init__(self, progress: ProgressArgument) -> None:
        self._show: Callable[[Progress], object] | None = None
        self._bar: _Bar | None = None
        self.skipped: list[str] = []
        self._last: Progress | None = None
        if callable(progress):
            self._show = progress
        elif progress or (progress is None and _is_watched()):
            self._bar = _NotebookBar() if _in_notebook() else _TerminalBar()
            self._show = self._bar.show

    def __call__(self, kind: str, *told: Any) -> None:
        if kind == "progress":
            progress = Progress(*told)
            if self._show is not None and progress != self._last:
                self._last = progress
                self._show(progress)
            return
        level, text, about = told
        if level == "warning" and about is not None:
            logger.info("%s", text)
            self.skipped.append(text)
        elif level == "warning":
            warnings.warn(text, RetoldWarning, stacklevel=4)
        else:
            logger.info("%s", text)

    def close(self) -> None:
        """Takes the bar away."""
        if self._bar is not None:
            self._bar.close()

    def warn_of_skipped(self, count: int) -> None:
        """Warns of what was skipped, naming the first."""
        if count == 0:
            return
        first = f": {self.skipped[0].removeprefix('skipped ')}" if self.skipped else ""
        what = "1 input or record was" if count == 1 else f"{count} inputs or records were"
        warnings.warn(f"{what} skipped, see the table `skipped`{first}", SkippedWarning, stacklevel=4)


def _display() -> Any:
    return importlib.import_module("IPython.display")


def _in_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and hasattr(shell, "kernel")


def _is_watched() -> bool:
    return _in_notebook() or (sys.stderr is not None and sys.stderr.isatty())


def _size(count: int) -> str:
    size, units = float(count), ["B", "KiB", "MiB", "GiB", "TiB"]
    while size >= 1024 and len(units) > 1:
        size /= 1024
        units.pop(0)
    return f"{size:.0f} {units[0]}" if units[0] == "B" else f"{size:.1f} {units[0]}"


def _line(progress: Progress) -> str:
    if not progress.total:
        return f"{progress.stage}: {_size(progress.done)}"
    percent = 100 * progress.done // progress.total
    return f"{progress.stage}: {percent}% of {_size(progress.total)}, {progress.documents:,} documents"


class _Bar:
    def __init__(self) -> None:
        self._began = time.monotonic()
        self._shown = False

    def show(self, progress: Progress) -> None:
        if time.monotonic() - self._began >= _QUIET:
            self._shown = True
            self.draw(progress)

    def draw(self, progress: Progress) -> None:
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError


class _TerminalBar(_Bar):
    _WIDTH = 30

    def draw(self, progress: Progress) -> None:
        filled = self._WIDTH * progress.done // progress.total if progress.total else 0
        bar = "=" * filled + " " * (self._WIDTH - filled)
        sys.stderr.write(f"\r[{bar}] {_line(progress)}\x1b[K")
        sys.stderr.flush()

    def close(self) -> None:
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


class _NotebookBar(_Bar):
    def __init__(self) -> None:
        super().__init__()
        self._handle: Any = None

    def draw(self, progress: Progress) -> None:
        value = f' value="{progress.done}" max="{progress.total}"' if progress.total else ""
        bar = _display().HTML(f"<progress{value}></progress> {_line(progress)}")
        if self._handle is None:
            self._handle = _display().display(bar, display_id=True)
        else:
            self._handle.update(bar)

    def close(self) -> None:
        if self._handle is not None:
            self._handle.update(_display().HTML(""))
