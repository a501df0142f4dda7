"""Checks that files which other programs write are read and written again, and that they read what is written.

    python check.py target/release/retold

Every file holds the same articles, so every container must give the same answers; of a copy all that is not the text of a
document must be as it was. Ends with a line for every check, or at the first that fails.
"""

import csv
import gzip
import importlib.machinery
import importlib.util
import io
import json
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

import duckdb
import polars
import pyarrow
import pyarrow.feather
import pyarrow.ipc
import pyarrow.parquet
from warcio.archiveiterator import ArchiveIterator
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

def native_mixer():
    """Returns the compiled part of the dolma toolkit alone: the rest of it wants far more packages than a mixer."""
    found = importlib.machinery.PathFinder.find_spec("dolma")
    if found is None:
        return None
    (library,) = Path(found.submodule_search_locations[0]).glob("dolma.*.so")
    loader = importlib.machinery.ExtensionFileLoader("dolma", str(library))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("dolma", loader))
    loader.exec_module(module)
    return module


mixer = native_mixer()

PROGRAM = str(Path(sys.argv[1]).resolve())
PLACES = ["harbor", "bridge", "school", "r\u00e9servoir", "m\u00fcseum", "\u5e02\u5834", "station", "library"]
CHECKS = 0


def articles():
    """Twenty-four stories of four sites with a newsletter line on every page, and a copy of each third."""
    rows = []
    for number in range(24):
        place, site = PLACES[number % len(PLACES)], f"site{number % 4}.example"
        story = [
            f"The {place} number {number} was closed on Monday after engineers found {number + 3} cracks in its walls.",
            f"Repairs will take {number + 2} months and cost {number + 1} million, the council of district {number} said.",
            f"People who live near the {place} asked for a shuttle bus; the mayor of district {number} promised one.",
        ]
        rows.append((number, site, place, story))
        if number % 3 == 0:
            rows.append((100 + number, f"site{(number + 1) % 4}.example", place, story))
    notice = "Subscribe to our newsletter and get the best stories in your inbox every morning."
    return [
        {
            "id": f"a{number}",
            "site": site,
            "url": f"https://{site}/{number}",
            "date": f"2024-05-{number % 28 + 1:02}",
            "title": f"The {place} is closed ({number})",
            "text": "\n\n".join([*story, notice]) + "\n",
            "words": [len(line.split()) for line in story],
            "facts": {"place": place, "number": number},
        }
        for number, site, place, story in rows
    ]


def run(*arguments, status=0):
    done = subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == status, f"{arguments}: status {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def lines(path):
    return [json.loads(line) for line in Path(path).read_text("utf-8").splitlines()]


def check(name, holds=True):
    global CHECKS
    assert holds, name
    CHECKS += 1
    print(f"ok: {name}", flush=True)


def parquet_files(table, root):
    """The same rows as other programs write them."""
    for compression in ["zstd", "snappy", "gzip", "brotli", "lz4", "none"]:
        path = root / f"pyarrow-{compression}.parquet"
        pyarrow.parquet.write_table(table, path, compression=compression, row_group_size=7)
        yield path
    large = table.set_column(5, "text", table["text"].cast(pyarrow.large_string()))
    pyarrow.parquet.write_table(large, root / "pyarrow-large.parquet", version="2.6", data_page_version="2.0")
    yield root / "pyarrow-large.parquet"
    # Not the site alone: the text itself is a dictionary too.
    coded = table.set_column(5, "text", table["text"].dictionary_encode())
    pyarrow.parquet.write_table(coded, root / "pyarrow-dictionary.parquet")
    yield root / "pyarrow-dictionary.parquet"
    connection = duckdb.connect()
    connection.register("articles", table)
    connection.execute(f"COPY articles TO '{root}/duckdb.parquet' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 8)")
    yield root / "duckdb.parquet"
    polars.from_arrow(table).write_parquet(root / "polars.parquet", row_group_size=9)
    yield root / "polars.parquet"


def check_parquet(path, cleaned, kept, out):
    """Cleans and thins a Parquet file, and compares the copies with it column by column."""
    run("clean", path, "-o", out / "clean", "--quiet")
    run("dedup", path, "-o", out / "unique", "--quiet")
    before = pyarrow.parquet.read_table(path)
    clean = pyarrow.parquet.read_table(out / "clean" / path.name)
    unique = pyarrow.parquet.read_table(out / "unique" / path.name)
    for copy in (clean, unique):
        assert copy.schema.equals(before.schema, check_metadata=True), f"{path.name}: {copy.schema} {before.schema}"
        chunks = [pyarrow.parquet.ParquetFile(file).metadata.row_group(0).column(0).compression
                  for file in (path, out / "clean" / path.name)]
        assert chunks[0] == chunks[1], f"{path.name}: {chunks}"
    others = [name for name in before.column_names if name != "text"]
    assert clean.select(others).equals(before.select(others)), path.name
    assert dict(zip(clean["id"].to_pylist(), clean["text"].to_pylist())) == cleaned, path.name
    stay = pyarrow.array([identifier in kept for identifier in before["id"].to_pylist()])
    assert unique.equals(before.filter(stay)), path.name
    check(f"{path.name}: schema, metadata, compression and other columns stay")


def arrow_files(table, root):
    """The same rows as record batches, as other programs write them."""
    for compression in ["lz4", "zstd", "uncompressed"]:
        path = root / f"pyarrow-{compression}.feather"
        pyarrow.feather.write_feather(table, path, compression=compression, chunksize=7)
        yield path
    coded = table.set_column(1, "site", table["site"].dictionary_encode())
    with pyarrow.ipc.new_stream(root / "pyarrow.arrows", coded.schema) as writer:
        writer.write_table(coded, max_chunksize=5)
    yield root / "pyarrow.arrows"
    frame = polars.from_arrow(table)
    frame.write_ipc(root / "polars.arrow", compression="zstd")
    yield root / "polars.arrow"
    frame.write_ipc_stream(root / "polars-stream.arrows")
    yield root / "polars-stream.arrows"


def read_arrow(path):
    with open(path, "rb") as file:
        is_file = file.read(6) == b"ARROW1"
    with pyarrow.memory_map(str(path)) as file:
        return (pyarrow.ipc.open_file if is_file else pyarrow.ipc.open_stream)(file).read_all()


def check_arrow(path, cleaned, kept, out):
    """Cleans and thins an Arrow file, and compares the copies with it column by column."""
    run("clean", path, "-o", out / "clean", "--quiet")
    run("dedup", path, "-o", out / "unique", "--quiet")
    before, clean, unique = (read_arrow(file) for file in (path, out / "clean" / path.name, out / "unique" / path.name))
    for copy in (clean, unique):
        assert copy.schema.equals(before.schema, check_metadata=True), f"{path.name}: {copy.schema} {before.schema}"
    others = [name for name in before.column_names if name != "text"]
    assert clean.select(others).equals(before.select(others)), path.name
    assert dict(zip(clean["id"].to_pylist(), clean["text"].to_pylist())) == cleaned, path.name
    assert unique.to_pylist() == [row for row in before.to_pylist() if row["id"] in kept], path.name
    assert polars.from_arrow(clean)["text"].to_list() == clean["text"].to_pylist(), path.name
    check(f"{path.name}: form, schema, metadata and other columns stay")


def check_tables(root, parquet, kept):
    """Reads the tables back with other programs, and drops duplicates by a join."""
    run("scan", parquet, "-o", root / "found", "--tables", "parquet", "--quiet")
    run("scan", parquet, "-o", root / "sheets", "--tables", "csv", "--quiet")
    tables = sorted(path.stem for path in (root / "found").glob("*.parquet"))
    assert len(tables) == 8, tables
    for name in tables:
        rows = lines(root / "found" / f"{name}.jsonl")
        file = root / "found" / f"{name}.parquet"
        assert polars.read_parquet(file).to_dicts() == rows, name
        found = duckdb.sql(f"SELECT * FROM '{file}'")
        assert [dict(zip(found.columns, row)) for row in found.fetchall()] == rows, name
        with open(root / "sheets" / f"{name}.csv", encoding="utf-8-sig", newline="") as sheet:
            cells = list(csv.DictReader(sheet))
        assert len(cells) == len(rows), name
        for cell, row in zip(cells, rows):
            texts = {key: value for key, value in row.items() if isinstance(value, str)}
            assert {key: cell[key] for key in texts} == texts, name
    check("DuckDB, Polars and a reader of CSV read all eight tables as the lines of JSON say")
    joined = duckdb.sql(f"""
        SELECT crawl.* FROM '{parquet}' AS crawl
        JOIN '{root}/found/documents.parquet' AS judged ON judged.id = CAST(crawl.id AS VARCHAR)
        WHERE judged.keep
    """)
    at = joined.columns.index("id")
    check("the join of the README keeps what `dedup` keeps", {row[at] for row in joined.fetchall()} == kept)


def check_warc(rows, root, expected):
    """Reads a web archive of warcio's, and has warcio read what is written of it."""
    path = root / "crawl.warc.gz"
    with open(path, "wb") as out:
        writer = WARCWriter(out, gzip=True)
        writer.write_record(writer.create_warcinfo_record(path.name, {"software": "a test"}))
        for row in rows:
            paragraphs = "".join(f"<p>{line}</p>" for line in row["text"].strip().split("\n\n"))
            page = f"<html><head><title>{row['title']}</title></head><body>{paragraphs}</body></html>".encode()
            headers = StatusAndHeaders("200 OK", [("Content-Type", "text/html; charset=utf-8")], protocol="HTTP/1.1")
            writer.write_record(writer.create_warc_record(row["url"], "response", io.BytesIO(page), http_headers=headers))
    run("scan", path, "-o", root / "pages", "--quiet")
    documents = lines(root / "pages" / "documents.jsonl")
    assert [one["url"] for one in documents] == [row["url"] for row in rows]
    assert [one["site"] for one in documents] == [row["site"] for row in rows]
    run("clean", path, "-o", root / "text", "--quiet")
    with open(root / "text" / "crawl.warc.wet.gz", "rb") as stream:
        texts = [(record.rec_headers.get_header("WARC-Target-URI"), record.content_stream().read().decode())
                 for record in ArchiveIterator(stream, check_digests=True) if record.rec_type == "conversion"]
    assert [url for url, _ in texts] == [row["url"] for row in rows]
    words = {row["url"]: expected[row["id"]].split() for row in rows}
    check("warcio reads the text of its own archive", all(text.split() == words[url] for url, text in texts))


def check_archives(rows, root, expected):
    """Reads archives of Python's own library."""
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    with zipfile.ZipFile(root / "crawl.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("m\u00fcll/articles.jsonl", text)
    for suffix, mode in [("tar", "w"), ("tar.gz", "w:gz"), ("tar.bz2", "w:bz2"), ("tar.xz", "w:xz")]:
        with tarfile.open(root / f"crawl.{suffix}", mode, format=tarfile.PAX_FORMAT) as archive:
            member = tarfile.TarInfo("m\u00fcll/" + "d" * 120 + "/articles.jsonl")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text))
    for path in sorted(root.glob("crawl.*")):
        if path.suffix == ".gz" and ".warc" in path.name:
            continue
        out = root / f"{path.name}.clean"
        run("clean", path, "-o", out, "--quiet")
        (copy,) = (out / path.name).rglob("articles.jsonl")
        assert {row["id"]: row["text"] for row in lines(copy)} == expected, path.name
        run("clean", "--restore", out, "-o", root / f"{path.name}.again")
        (again,) = (root / f"{path.name}.again").rglob("articles.jsonl")
        assert again.read_bytes() == text, path.name
        check(f"{path.name}: its member is cleaned, and put back byte for byte")


def check_dolma(rows, root, expected):
    """Has the mixer of the dolma toolkit take out what the attributes say, and compares with `clean`."""
    documents = root / "corpus" / "documents"
    documents.mkdir(parents=True)
    with gzip.open(documents / "articles.jsonl.gz", "wt", encoding="utf-8") as out:
        for row in rows:
            out.write(json.dumps({"source": "a test", **row}, ensure_ascii=False) + "\n")
    run("clean", documents, "--attributes", "dolma", "-o", root / "corpus" / "attributes" / "retold", "--quiet")
    spans = {"span": "$.attributes.retold__boilerplate", "min_score": 0.0, "replacement": ""}
    stream = {"name": "mixed", "documents": [str(documents / "*.gz")], "attributes": ["retold"],
              "output": {"path": str(root / "mixed"), "max_size_in_bytes": 1 << 30}, "span_replacement": [spans]}
    work = {"input": str(root / "work" / "input"), "output": str(root / "work" / "output")}
    mixer.mixer_entrypoint(json.dumps({"streams": [stream], "work_dir": work, "processes": 1}))
    (mixed,) = (root / "mixed").glob("*.gz")
    with gzip.open(mixed, "rt", encoding="utf-8") as out:
        texts = {row["id"]: row["text"] for row in map(json.loads, out)}
    check("the mixer of dolma leaves what `clean` leaves", texts == expected)


def main():
    rows = articles()
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        source = root / "articles.jsonl"
        source.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
        run("clean", source, "-o", root / "clean", "--quiet")
        run("dedup", source, "-o", root / "unique", "--quiet")
        cleaned = {row["id"]: row["text"] for row in lines(root / "clean" / source.name)}
        kept = {row["id"] for row in lines(root / "unique" / source.name)}
        assert len(kept) == 24, len(kept)
        assert all("Subscribe" not in text for text in cleaned.values())
        assert all(cleaned[row["id"]] != row["text"] for row in rows)
        table = pyarrow.Table.from_pylist(rows).replace_schema_metadata({"made by": "a test", "n": "1"})
        for path in parquet_files(table, root):
            check_parquet(path, cleaned, kept, root / f"{path.stem}.out")
        for path in arrow_files(table, root):
            check_arrow(path, cleaned, kept, root / f"{path.name}.out")
        (root / "tables").mkdir()
        check_tables(root / "tables", root / "duckdb.parquet", kept)
        (root / "archives").mkdir()
        check_warc(rows, root / "archives", cleaned)
        check_archives(rows, root / "archives", cleaned)
        if mixer is None:
            print("skipped: the mixer of dolma is not installed")
        else:
            check_dolma(rows, root / "dolma", cleaned)
    print(f"{CHECKS} passed, 0 failed")


main()
