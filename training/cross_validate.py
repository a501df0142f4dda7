#!/usr/bin/env python3
"""Judges labelled pages by models that saw no page of their site, and prints figures.

    cross_validate.py ROWS WORK OUT SET... [-- --careful | --no-model | --alone]

ROWS and WORK are those of `train.py`, which left the models of its folds in WORK. Every SET is judged as one run, once a
fold; the verdicts of a page are those of the fold that its site was left out of. Writes OUT/NAME for every set file NAME
(without `.gz`): `{"id", "lines": [keep or not], "kinds", "scores"}` a page. What follows `--` goes to ROWS.

Figures are of tokens (words in lower case; Han and kana one a character), lines labelled `ignore` left out. Standard
library only.
"""
import collections, gzip, json, os, re, subprocess, sys, unicodedata

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

    def __str__(self):
        kept, lost = self.tokens["content", True], self.tokens["content", False]
        left, removed = self.tokens["boilerplate", True], self.tokens["boilerplate", False]
        content = f1(kept / max(kept + left, 1), kept / max(kept + lost, 1))
        taken = removed / max(left + removed, 1)
        boilerplate = f1(removed / max(removed + lost, 1), taken)
        return (f"{self.pages:5} pages  content {content:.3f}  page mean {self.page_f1 / max(self.pages, 1):.3f}  "
                f"removed {boilerplate:.3f} (share {taken:.3f})  pages with content lost {self.lossy / max(self.pages, 1):.3f}")


def main():
    arguments, flags = sys.argv[1:], []
    if "--" in arguments:
        at = arguments.index("--")
        arguments, flags = arguments[:at], arguments[at + 1:]
    rows, work, out, *sets = arguments
    os.makedirs(out, exist_ok=True)
    for path in sets:
        pages = list(read(path))
        verdicts = {}
        for fold in range(FOLDS):
            model = os.path.join(work, f"fold-{fold}.bin")
            subprocess.run([rows, "judge", out, "--model", model, *flags, path], check=True, stderr=subprocess.DEVNULL)
            for record, verdict in zip(pages, read(os.path.join(out, "judged.jsonl")), strict=True):
                if fold_of(record.get("site", "")) == fold:
                    verdicts[record["id"]] = verdict
        os.remove(os.path.join(out, "judged.jsonl"))
        figures = collections.defaultdict(Figures)
        sites = collections.Counter(record.get("site", "") for record in pages)
        with open(os.path.join(out, os.path.basename(path).removesuffix(".gz")), "w", encoding="utf-8") as file:
            for record in pages:
                verdict = verdicts[record["id"]]
                file.write(json.dumps(verdict) + "\n")
                groups = ["all", f"language {record.get('lang', '?')}", f"source {record.get('source', '?')}"]
                if sites[record.get("site", "")] >= 8:
                    groups.append("sites of 8 pages and more")
                for group in groups:
                    figures[group].add(record, verdict["lines"])
        print(os.path.basename(path), *flags)
        for group, figure in sorted(figures.items()):
            if figure.pages >= 30:
                print(f"  {group:28}{figure}")


if __name__ == "__main__":
    main()
