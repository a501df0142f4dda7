#!/usr/bin/env python3
"""Judges labelled pages by models that saw no page of their site, and prints figures.

    cross_validate.py ROWS WORK[,WORK...] OUT SET... [-- --careful | --no-model | --alone]

ROWS and WORK are those of `train.py`, which left the models of its folds in WORK. Every SET is judged as one run, once a
fold; the verdicts of a page are those of the fold that its site was left out of. Writes OUT/NAME for every set file NAME
(without `.gz`): `{"id", "lines": [keep or not], "kinds", "scores"}` a page. What follows `--` goes to ROWS.

Of several WORKs, trained with other seeds, every figure is the mean, followed by the standard deviation among them; the
verdicts of the N-th stand in OUT/N. Two ways to train differ where their means lie further apart than that.

Figures are of tokens (words in lower case; Han and kana one a character), lines labelled `ignore` left out. Standard
library only.
"""
import collections, gzip, json, os, re, statistics, subprocess, sys, unicodedata

from folds import FOLDS, fold_of

HAN = "\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
TOKEN = re.compile(f"[{HAN}]|[^\\W_{HAN}]+")


def read(path):
    with (gzip.open if path.endswith(".gz") else open)(path, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def f1(precision, recall):
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


class Figures:
    """Counts of tokens over pages: content and boilerplate, kept and removed."""

    def __init__(self):
        self.tokens = collections.Counter()
        self.pages = self.lossy = 0
        self.page_f1 = 0.0

    def add(self, record, keep):
        here, lost = collections.Counter(), False
        for line, kept in zip(record["lines"], keep, strict=True):
            if line["label"] != "ignore":
                text = unicodedata.normalize("NFKC", line["text"]).lower()
                here[line["label"], kept] += len(TOKEN.findall(text))
                lost |= line["label"] == "content" and not kept and line.get("kind") != "headline"
        self.tokens += here
        content = here["content", True] + here["content", False]
        if any(line["label"] == "content" for line in record["lines"]):
            self.pages += 1
            self.lossy += lost
            kept = here["content", True] + here["boilerplate", True]
            self.page_f1 += f1(here["content", True] / max(kept, 1), here["content", True] / max(content, 1))

    def shares(self):
        """The figures by name, each in 0..=1."""
        kept, lost = self.tokens["content", True], self.tokens["content", False]
        left, removed = self.tokens["boilerplate", True], self.tokens["boilerplate", False]
        taken = removed / max(left + removed, 1)
        return {
            "content": f1(kept / max(kept + left, 1), kept / max(kept + lost, 1)),
            "page mean": self.page_f1 / max(self.pages, 1),
            "removed": f1(removed / max(removed + lost, 1), taken),
            "share removed": taken,
            "pages with content lost": self.lossy / max(self.pages, 1),
        }


def told(runs):
    """A line of figures: of one run as they are, of several their means with the standard deviations."""
    out = [f"{runs[0].pages:5} pages"]
    for name in runs[0].shares():
        values = [run.shares()[name] for run in runs]
        spread = f" ±{statistics.stdev(values):.4f}" if len(values) > 1 else ""
        out.append(f"{name} {statistics.mean(values):.{4 if spread else 3}f}{spread}")
    return "  ".join(out)


def judge(rows, work, out, flags, path, pages):
    """Returns the verdict on every page by the model that saw no page of its site, by id."""
    verdicts = {}
    for fold in range(FOLDS):
        model = os.path.join(work, f"fold-{fold}.bin")
        subprocess.run([rows, "judge", out, "--model", model, *flags, path], check=True, stderr=subprocess.DEVNULL)
        for record, verdict in zip(pages, read(os.path.join(out, "judged.jsonl")), strict=True):
            if fold_of(record.get("site", "")) == fold:
                verdicts[record["id"]] = verdict
    os.remove(os.path.join(out, "judged.jsonl"))
    return verdicts


def groups_of(record, sources, large):
    """The groups of pages that a page is counted in."""
    source = record.get("source", "?")
    yield "all"
    yield f"language {record.get('lang', '?')}"
    yield f"source {source}"
    yield from (f"without source {other}" for other in sources if other != source)
    if large:
        yield "sites of 8 pages and more"


def main():
    arguments, flags = sys.argv[1:], []
    if "--" in arguments:
        at = arguments.index("--")
        arguments, flags = arguments[:at], arguments[at + 1:]
    rows, works, out, *sets = arguments
    works = works.split(",")
    for path in sets:
        pages = list(read(path))
        sites = collections.Counter(record.get("site", "") for record in pages)
        sources = {record.get("source", "?") for record in pages}
        figures = collections.defaultdict(lambda: [Figures() for _ in works])
        for number, work in enumerate(works):
            folder = os.path.join(out, str(number)) if len(works) > 1 else out
            os.makedirs(folder, exist_ok=True)
            verdicts = judge(rows, work, folder, flags, path, pages)
            with open(os.path.join(folder, os.path.basename(path).removesuffix(".gz")), "w", encoding="utf-8") as file:
                for record in pages:
                    verdict = verdicts[record["id"]]
                    file.write(json.dumps(verdict) + "\n")
                    for group in groups_of(record, sources, sites[record.get("site", "")] >= 8):
                        figures[group][number].add(record, verdict["lines"])
        print(os.path.basename(path), *flags)
        for group, runs in sorted(figures.items()):
            if runs[0].pages >= 30:
                print(f"  {group:34}{told(runs)}", flush=True)


if __name__ == "__main__":
    main()
