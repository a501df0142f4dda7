"""Compares Python with the command line on one Parquet file: processor seconds, the least of several runs.

    python cpu.py crawl.parquet --program target/release/retold --runs 3

`tables` takes every table as Arrow too, which the program has no part of.
"""

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile

CODES = {
    "python, path": "scan = retold.scan(path, progress=False)",
    "python, path, tables": "scan = retold.scan(path, progress=False)\n"
    "for name in ('documents', 'blocks', 'pairs', 'clusters', 'headlines', 'skipped'): len(getattr(scan, name))",
    "python, pyarrow": "import pyarrow.parquet\n"
    "scan = retold.scan(pyarrow.parquet.read_table(path), name=os.path.basename(path), progress=False)",
}


def seconds(words: list[str]) -> float:
    """Returns the processor seconds of a command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    print(f"{spent:8.2f} s  {' '.join(words)[:100]!r}", file=sys.stderr, flush=True)
    return spent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path")
    parser.add_argument("--program", default=shutil.which("retold"))
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    found: dict[str, list[float]] = {}
    for _ in range(options.runs):
        with tempfile.TemporaryDirectory() as directory:
            output = os.path.join(directory, "found")
            words = [options.program, "scan", options.path, "--quiet", "-o", output]
            found.setdefault("program", []).append(seconds(words))
        for name, code in CODES.items():
            words = [sys.executable, "-c", f"import os, sys, retold\npath = sys.argv[1]\n{code}", options.path]
            found.setdefault(name, []).append(seconds(words))
    least = min(found["program"])
    for name, all_seconds in found.items():
        runs = ", ".join(f"{one:.2f}" for one in all_seconds)
        print(f"{name:<22} {min(all_seconds):6.2f} s  {min(all_seconds) / least:5.3f}  ({runs})")


if __name__ == "__main__":
    main()
