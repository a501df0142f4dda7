"""Datasets of Hugging Face: clean a split, and drop what repeats a test set.

python with_datasets.py seeds
"""

import sys
from pathlib import Path

import datasets
import pyarrow

import retold

paths = sorted(Path(sys.argv[1]).glob("*.txt"))
train = datasets.Dataset.from_dict(
    {"id": [path.stem for path in paths], "text": [path.read_text("utf-8") for path in paths]}
)
train = train.map(lambda row: {"characters": len(row["text"])})

cleaned = datasets.Dataset(pyarrow.table(retold.clean(train, progress=False)))
assert cleaned.column_names == train.column_names and len(cleaned) == len(train)
print(f"{sum(train['characters'])} characters before, {sum(len(text) for text in cleaned['text'])} after")

# What of the training set is in the test set, here its first article.
new = retold.dedup(train, against=paths[0], progress=False)
print(f"{len(new)} of {len(train)} are not in the test set; known: {[row['id'] for row in new.dropped]}")
assert [row["id"] for row in new.dropped] == [paths[0].stem]
