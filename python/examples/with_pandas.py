"""pandas: take the boilerplate out of a data frame, and keep one row of every story.

python with_pandas.py seeds
"""

import sys
from pathlib import Path

import pandas

import retold

paths = sorted(Path(sys.argv[1]).glob("*.txt"))
pages = pandas.DataFrame({"id": [path.stem for path in paths], "text": [path.read_text("utf-8") for path in paths]})
# The first page again, as another site has it.
reprint = pandas.DataFrame({"id": ["reprint"], "text": ["The Other Daily\n\n" + pages["text"][0]]})
pages = pandas.concat([pages, reprint], ignore_index=True)

scan = retold.scan(pages, progress=False)
judged = scan.documents.to_pandas()
stories = pages.merge(judged[["id", "cluster_id", "keep", "words", "content_words"]], on="id")
print(stories.drop(columns="text").to_string(index=False))

clean = scan.clean(dedup=True).to_pandas()
assert list(clean.columns) == ["id", "text"] and len(clean) == len(paths)
print(f"{len(pages)} pages, {len(clean)} stories, {clean['text'].str.len().sum()} characters of them")
