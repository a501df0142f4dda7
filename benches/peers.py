"""Compares `retold` with other near-duplicate finders on a made corpus: time, memory, and recall of planted pairs.

    python3 -m venv venv && venv/bin/pip install datasketch==2.0.0 rensa==0.5.0
    cargo build --release
    venv/bin/python benches/peers.py --documents 10000

Every tool reads the same JSON lines and writes one line a document, `id cluster`. The others run at their usual
settings for a threshold of 0.7: 128 permutations, 16 bands of 8 rows, word 5-grams, no verification; `retold` at its
own, with verification. Each runs alone, in turn, `--rounds` times; medians are printed. A planted pair is found when
its two documents are in one cluster.
"""

import argparse
import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time

PERMUTATIONS, BANDS, ROWS, WIDTH = 128, 16, 8, 5


def make(path, count, seed=7):
    """Writes a corpus: one document in five is an edited copy of an earlier one. Returns pairs with the share kept."""
    dice = random.Random(seed)
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = ["".join(dice.choices(letters, k=dice.randint(2, 10))) for _ in range(50_000)]
    weights = [1 / (rank + 10) for rank in range(len(words))]
    texts, pairs = [], []
    with open(path, "w") as file:
        for number in range(count):
            if number % 5 == 4:
                base = dice.randrange(len(texts))
                edits = dice.choice([0.0, 0.01, 0.02, 0.04])
                text = [dice.choice(words) if dice.random() < edits else word for word in texts[base]]
                pairs.append((f"d{base}", f"d{number}", jaccard(texts[base], text)))
            else:
                text = dice.choices(words, weights, k=dice.randint(150, 900))
            texts.append(text)
            lines = [" ".join(text[at : at + 40]) + "." for at in range(0, len(text), 40)]
            file.write(json.dumps({"id": f"d{number}", "text": "\n".join(lines)}) + "\n")
    return pairs


def jaccard(one, other):
    one, other = (set(zip(*(text[at:] for at in range(WIDTH)))) for text in (one, other))
    return len(one & other) / len(one | other)


def documents(path):
    with open(path) as file:
        for line in file:
            record = json.loads(line)
            words = re.findall(r"\w+", record["text"].lower())
            grams = {" ".join(words[at : at + WIDTH]) for at in range(max(1, len(words) - WIDTH + 1))}
            yield record["id"], [gram.encode() for gram in grams]


def bands_to_clusters(signatures, out):
    """Joins documents that share a band, and writes the clusters."""
    parent = {}

    def root(item):
        while parent.setdefault(item, item) != item:
            parent[item] = parent[parent[item]]
            item = parent[item]
        return item

    first = {}
    names = []
    for name, signature in signatures:
        names.append(name)
        for band in range(BANDS):
            key = (band, tuple(signature[band * ROWS : (band + 1) * ROWS]))
            parent[root(name)] = root(first.setdefault(key, name))
    with open(out, "w") as file:
        file.writelines(f"{name} {root(name)}\n" for name in names)


def run_datasketch(corpus, out):
    from datasketch import MinHash

    def signatures():
        for name, grams in documents(corpus):
            sketch = MinHash(num_perm=PERMUTATIONS)
            sketch.update_batch(grams)
            yield name, sketch.hashvalues.tolist()

    bands_to_clusters(signatures(), out)


def run_rensa(corpus, out):
    from rensa import RMinHash

    def signatures():
        for name, grams in documents(corpus):
            sketch = RMinHash(num_perm=PERMUTATIONS, seed=1)
            sketch.update([gram.decode() for gram in grams])
            yield name, sketch.digest()

    bands_to_clusters(signatures(), out)


def run_retold(corpus, out):
    program = os.environ.get("RETOLD", "target/release/retold")
    with tempfile.TemporaryDirectory() as directory:
        command = [program, "scan", corpus, "--no-boilerplate", "--quiet", "-o", f"{directory}/found"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        with open(f"{directory}/found/documents.jsonl") as rows, open(out, "w") as file:
            for row in map(json.loads, rows):
                file.write(f"{row['id']} {row['cluster_id']}\n")


TOOLS = {"retold": run_retold, "rensa": run_rensa, "datasketch": run_datasketch}


def measure(tool, corpus, out):
    """Runs a tool in a process of its own; returns seconds on the clock, processor seconds, and clusters."""
    began = time.monotonic()
    process = subprocess.Popen([sys.executable, __file__, "--run", tool, corpus, out])
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        return None
    with open(out) as file:
        clusters = dict(line.split() for line in file)
    return seconds, usage.ru_utime + usage.ru_stime, clusters


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--run", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        tool, corpus, out = options.run
        return TOOLS[tool](corpus, out)
    with tempfile.TemporaryDirectory() as directory:
        corpus = f"{directory}/corpus.jsonl"
        pairs = make(corpus, options.documents)
        runs = {tool: [] for tool in TOOLS}
        for _ in range(options.rounds):
            for tool in TOOLS:
                runs[tool].append(measure(tool, corpus, f"{directory}/{tool}"))
        print(f"{options.documents} documents, {os.path.getsize(corpus) / 1e6:.0f} MB, {len(pairs)} planted pairs")
        print(f"{'tool':<12}{'wall s':>8}{'cpu s':>8}{'recall from 0.8':>17}{'0.5 to 0.8':>12}")
        for tool, results in runs.items():
            if None in results:
                print(f"{tool:<12}  not installed, or failed")
                continue
            clusters = results[-1][2]
            found = lambda low, high: [clusters[a] == clusters[b] for a, b, share in pairs if low <= share < high]
            recall = [statistics.mean(found(low, high) or [0]) for low, high in [(0.8, 1.1), (0.5, 0.8)]]
            wall, cpu = (statistics.median(result[at] for result in results) for at in (0, 1))
            print(f"{tool:<12}{wall:>8.2f}{cpu:>8.2f}{recall[0]:>17.3f}{recall[1]:>12.3f}")


if __name__ == "__main__":
    sys.exit(main())
