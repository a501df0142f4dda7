"""Polars: which kinds of boilerplate a frame of pages holds, and the frame without them.

python with_polars.py seeds
"""

import sys
from pathlib import Path

import polars

import retold

paths = sorted(Path(sys.argv[1]).glob("*.txt"))
pages = polars.DataFrame({"id": [path.stem for path in paths], "text": [path.read_text("utf-8") for path in paths]})

scan = retold.scan(pages, progress=False)
kinds = scan.blocks.to_polars().filter("removed").group_by("kind").agg(polars.len().alias("blocks"))
print(kinds.sort("blocks", "kind", descending=[True, False]))

clean = polars.DataFrame(scan.clean())
before, after = (frame["text"].str.len_chars().sum() for frame in (pages, clean))
assert clean.columns == pages.columns and after < before
print(f"{before - after} of {before} characters were boilerplate")
