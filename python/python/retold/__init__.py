"""Finds near-duplicate articles and site boilerplate in scraped text, in one run: Arrow in, Arrow out.

>>> import retold
>>> found = retold.scan("seeds", progress=False)
>>> found
Scan(5 documents, 0 clusters, 0 skipped)

`scan` finds, `clean` and `dedup` give the documents as they should be, `explain` says why. Settings are the flags of
the command `retold` under the same names, and tables are the ones that it writes.
"""

from ._progress import Progress, RetoldWarning, SkippedWarning
from ._results import Edited, Explanation, Written
from ._retold import Error, InputError, SettingError, __version__
from ._scan import Scan, clean, dedup, explain, load, scan
from ._table import Table

__all__ = [
    "Edited",
    "Error",
    "Explanation",
    "InputError",
    "Progress",
    "RetoldWarning",
    "Scan",
    "SettingError",
    "SkippedWarning",
    "Table",
    "Written",
    "__version__",
    "clean",
    "dedup",
    "explain",
    "load",
    "scan",
]
