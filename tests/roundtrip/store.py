"""Checks that objects are read from stores and web servers as files are from a disk.

    python store.py target/debug/retold [target/release/retold]

The first program is built with the feature `object-store`; the second, if it is given, without. The store is moto's S3
server, the web servers are those of Python; all of them run here, and count what is asked of them. Ends with a line for
every check, or at the first that fails.
"""

import collections
import csv
import email.utils
import gzip
import http.server
import io
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
import zipfile
from pathlib import Path

import boto3
import pyarrow
import pyarrow.parquet
from moto.server import DomainDispatcherApplication, create_backend_app
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter
from werkzeug.serving import WSGIRequestHandler, make_server

PROGRAM = str(Path(sys.argv[1]).resolve())
LEAN = str(Path(sys.argv[2]).resolve()) if len(sys.argv) > 2 else None
BLOCK = 4 << 20
CHECKS = 0


def check(name, holds=True):
    global CHECKS
    assert holds, name
    CHECKS += 1
    print(f"ok: {name}", flush=True)


class Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, *_):
        pass


class Store:
    """moto's S3 server, behind what counts its requests and can disturb them."""

    def __init__(self):
        self.app = DomainDispatcherApplication(create_backend_app)
        self.lock = threading.Lock()
        self.before_get = None
        self.server = make_server("127.0.0.1", 0, self.answer, threaded=True, request_handler=Quiet)
        self.port = self.server.server_port
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.port}"
        self.client = boto3.client(
            "s3", endpoint_url=self.url, aws_access_key_id="me", aws_secret_access_key="secret", region_name="us-east-1"
        )
        self.forget()

    def forget(self):
        """Begins to count anew."""
        self.requests = collections.Counter()
        self.gets = collections.Counter()
        self.bytes = 0

    def answer(self, environ, start_response):
        method, key = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        is_get = (
            method == "GET"
            and key.count("/") > 1
            and not key.endswith("/")
            and "list-type" not in environ["QUERY_STRING"]
        )
        ours = "boto" not in environ.get("HTTP_USER_AGENT", "").lower()
        if ours:
            with self.lock:
                self.requests[method if not is_get else "GET"] += 1
                if is_get:
                    self.gets[key] += 1
                    if "HTTP_RANGE" in environ:
                        first, last = environ["HTTP_RANGE"].removeprefix("bytes=").split("-")
                        self.bytes += int(last) - int(first) + 1
            if is_get and self.before_get:
                status = self.before_get(key, self.gets[key])
                if status == "drop":
                    environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
                    raise ConnectionAbortedError
                if status:
                    start_response(status, [("Content-Length", "0")])
                    return [b""]
        return self.app(environ, start_response)

    def put(self, key, body, bucket="crawl"):
        self.client.put_object(Bucket=bucket, Key=key, Body=body)

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Pages(http.server.BaseHTTPRequestHandler):
    """Files of a web server, with parts of them or without."""

    protocol_version = "HTTP/1.1"
    files: dict = {}
    has_ranges = True
    gets: list = []
    modified = 1_700_000_000

    def do_HEAD(self):
        self.give(False)

    def do_GET(self):
        self.give(True)

    def give(self, with_body):
        path, _, query = self.path.partition("?")
        body = self.files.get(path)
        if body is None or (path.startswith("/secret/") and query != "token=x"):
            self.send_response(404 if body is None else 403)
            self.send_header("Content-Length", "0")
            return self.end_headers()
        asked = self.headers.get("Range")
        if with_body:
            self.gets.append((path, asked))
        part = body
        if asked and self.has_ranges:
            first, last = asked.removeprefix("bytes=").split("-")
            if int(first) >= len(body):
                self.send_response(416)
                self.send_header("Content-Length", "0")
                return self.end_headers()
            part = body[int(first) : int(last) + 1]
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {first}-{int(first) + len(part) - 1}/{len(body)}")
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(part)))
        self.send_header("Last-Modified", email.utils.formatdate(self.modified, usegmt=True))
        self.end_headers()
        if with_body:
            try:
                self.wfile.write(part)
            except OSError:
                pass  # Whoever asked has seen enough.

    def log_message(self, *_):
        pass


def pages(files, has_ranges):
    """Starts a web server; returns its address and the requests for bodies so far."""
    handler = type("Handler", (Pages,), {"files": files, "has_ranges": has_ranges, "gets": []})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}", handler


def articles(count=24, words=40):
    """Stories of four sites with a newsletter line on every page, and a copy of each third."""
    chance = random.Random(7)
    places = ["harbor", "bridge", "school", "r\u00e9servoir", "m\u00fcseum", "\u5e02\u5834", "station", "library"]
    vocabulary = [f"word{number}" for number in range(5000)]
    rows = []
    for number in range(count):
        place = places[number % len(places)]
        story = [
            f"The {place} number {number} was closed on Monday after engineers found {number + 3} cracks in its walls.",
            "It is said that " + " ".join(chance.choice(vocabulary) for _ in range(words)) + ".",
            f"People who live near the {place} asked for a shuttle bus; the mayor of district {number} promised one.",
        ]
        copies = [number] + ([count + number] if number % 3 == 0 else [])
        notice = "Subscribe to our newsletter and get the best stories in your inbox every morning."
        for copy in copies:
            site = f"site{copy % 4}.example"
            text = "\n\n".join([*story, notice]) + "\n"
            rows.append(
                {
                    "id": f"a{copy}",
                    "site": site,
                    "url": f"https://{site}/{copy}",
                    "date": "2024-05-03",
                    "title": f"The {place} is closed ({number})",
                    "text": text,
                }
            )
    return rows


def json_lines(rows):
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def containers(rows):
    """The same articles in every container, by the names of files."""
    lines = json_lines(rows)
    table = io.StringIO()
    writer = csv.DictWriter(table, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    columns = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), columns, row_group_size=7, compression="zstd")
    archive, warc = io.BytesIO(), io.BytesIO()
    web = WARCWriter(warc, gzip=True)
    for row in rows:
        page = "".join(f"<p>{part}</p>" for part in row["text"].split("\n\n"))
        page = (
            f"<html><head><meta charset=utf-8><title>{row['title']}</title></head><body>{page}</body></html>".encode()
        )
        headers = StatusAndHeaders("200 OK", [("Content-Type", "text/html; charset=utf-8")], protocol="HTTP/1.1")
        record = web.create_warc_record(row["url"], "response", payload=io.BytesIO(page), http_headers=headers)
        record.rec_headers.replace_header("WARC-Date", "2024-05-03T00:00:00Z")
        web.write_record(record)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for row in rows[:9]:
            packed.writestr(f"pages/{row['id']}.txt", row["text"])
        packed.writestr("more/articles.jsonl", lines)
        packed.writestr("more/articles.parquet", columns.getvalue())
    tars = {}
    for suffix, mode in [("tar", "w"), ("tar.gz", "w:gz")]:
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode=mode) as packed:
            for name, body in [("a/articles.jsonl", lines), ("b/articles.csv", table.getvalue().encode())]:
                member = tarfile.TarInfo(name)
                member.size = len(body)
                packed.addfile(member, io.BytesIO(body))
        tars[suffix] = out.getvalue()
    return {
        "lines.jsonl": lines,
        "lines.jsonl.gz": gzip.compress(lines),
        "lines.jsonl.zst": pyarrow.compress(lines, codec="zstd", asbytes=True),
        "lines.ndjson.bz2": __import__("bz2").compress(lines),
        "list.json": json.dumps(rows).encode(),
        "table.csv": table.getvalue().encode(),
        "table.csv.gz": gzip.compress(table.getvalue().encode()),
        "table.parquet": columns.getvalue(),
        "web.warc.gz": warc.getvalue(),
        "page.html": b"<html><title>One</title><body><p>One page that says little.</p></body></html>",
        "text.txt": rows[0]["text"].encode(),
        "nameless": lines,
        "archive.zip": archive.getvalue(),
        "archive.tar": tars["tar"],
        "archive.tar.gz": tars["tar.gz"],
        "deep/er/text.md": rows[1]["text"].encode(),
    }


class Place:
    """A directory to run the program in."""

    def __init__(self, root, store):
        self.root, self.store = Path(root), store
        self.number = 0

    def environment(self, **more):
        mine = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "RETOLD_"))}
        mine |= {"AWS_ENDPOINT_URL": self.store.url, "AWS_ACCESS_KEY_ID": "me", "AWS_SECRET_ACCESS_KEY": "secret"}
        mine |= {"NO_PROXY": "*", "no_proxy": "*"}
        mine.update(more)
        return {name: value for name, value in mine.items() if value is not None}

    def run(self, *arguments, status=0, program=PROGRAM, **more):
        done = subprocess.run(
            [program, *map(str, arguments)],
            capture_output=True,
            text=True,
            cwd=self.root,
            env=self.environment(**more),
            timeout=100,
        )
        told = f"{arguments}: status {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert done.returncode == status, told
        return done

    def fails(self, *arguments, says, status=2, **more):
        done = self.run(*arguments, status=status, **more)
        for text in says:
            assert text in done.stderr, f"`{text}` is not in:\n{done.stderr}"
        return done

    def scan(self, *arguments, status=0, **more):
        """Scans; returns all tables and what the summary says of them, without what is of this run alone."""
        self.number += 1
        out = self.root / f"found-{self.number}"
        self.told = self.run("scan", *arguments, "-o", out, status=status, **more).stderr
        return self.tables(out)

    def tables(self, out):
        tables = {path.name: path.read_bytes() for path in sorted(out.glob("*.jsonl"))}
        assert len(tables) >= 8, sorted(tables)
        summary = json.loads((out / "summary.json").read_text("utf-8"))
        del summary["run"]
        return tables | {"summary.json": summary}

    def scratch(self):
        return sorted(path.name for path in (self.root / "scratch").glob("*"))


def lines(path):
    return [json.loads(line) for line in Path(path).read_text("utf-8").splitlines()]


def check_containers(place, store, files):
    local = place.root / "crawl"
    for name, body in files.items():
        path = local / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
        store.put(f"all/{name}", body)
    scratch = ("--temp-dir", place.root / "scratch")
    for name in files:
        here = place.scan(local / name)
        there = place.scan(f"s3://crawl/all/{name}", *scratch)
        documents = here["documents.jsonl"].count(b"\n")
        assert documents > 0, name
        check(f"{name}: the same tables of {documents} documents from the store", here == there)
    (local / "nameless").unlink()
    store.client.delete_object(Bucket="crawl", Key="all/nameless")
    here = place.scan(local)
    there = place.scan("s3://crawl/all/", *scratch)
    check("a prefix is read as a directory is", here == there)
    check("a prefix needs no slash at its end", here == place.scan("s3://crawl/all", *scratch))
    check(
        "one thread and little memory change nothing",
        here == place.scan("s3://crawl/all", *scratch, "--threads", 1, "--memory", "64M"),
    )
    check("no scratch file is left", place.scratch() == [])
    globbed = place.scan("s3://crawl/all/", *scratch, "--glob", "*.csv*")
    check("`--glob` chooses among objects and members", globbed == place.scan(local, "--glob", "*.csv*"))


def check_names(place, store, rows):
    body = json_lines(rows[:6])
    for key in [
        "n/a/one.jsonl",
        "n/a/two.jsonl.gz",
        "n/b/one.jsonl",
        "n/b/odd [1]*?#%20.jsonl",
        "n/.hidden/x.jsonl",
        "n/b/picture.jpg",
        "n/c/skip.jsonl",
        "n/c/keep.jsonl",
        "n/out/documents.jsonl",
        "n/d/",
    ]:
        store.put(key, b"" if key.endswith("/") else gzip.compress(body) if key.endswith(".gz") else body)
    store.put("n/c/.retoldignore", b"skip.*\n")
    store.put("n/out/summary.json", b'{"retold": "scan"}')

    def sources(*arguments, **more):
        tables = place.scan(*arguments, **more)
        return sorted({row["source"] for row in map(json.loads, tables["documents.jsonl"].splitlines())})

    odd = "b/odd [1]*?#%20.jsonl"
    check(
        "all below a prefix, but for what is hidden, ignored or ours",
        sources("s3://crawl/n/")
        == ["a/one.jsonl", "a/two.jsonl.gz", "b/odd [1]*?#%20.jsonl", "b/one.jsonl", "c/keep.jsonl"],
    )
    assert "1 `.jpg`" in place.told and "`.retoldignore`" in place.told and "hidden" in place.told, place.told
    check(
        "a pattern matches within one part of a key",
        sources("s3://crawl/n/*/one.jsonl") == ["a/one.jsonl", "b/one.jsonl"],
    )
    check("`**` matches any parts", sources("s3://crawl/n/**/*.gz") == ["two.jsonl.gz"])
    check(
        "a pattern may match what holds objects",
        sources("s3://crawl/n/[ab]/") == sources("s3://crawl/n/a", "s3://crawl/n/b"),
    )
    check("a key that looks like a pattern is a key", sources(f"s3://crawl/n/{odd}") == ["odd [1]*?#%20.jsonl"])
    local = place.root / "local.jsonl"
    local.write_bytes(body)
    (place.root / "list").write_text(f"s3://crawl/n/a/\n{local}\n\ns3://crawl/n/b/one.jsonl\n")
    named = sources("--files-from", "list")
    check(
        "`--files-from` names addresses and paths",
        named == ["a/one.jsonl", "a/two.jsonl.gz", "local.jsonl", "one.jsonl"],
    )
    check(
        "an object given twice is read once",
        sources("s3://crawl/n/a", "s3://crawl/n/a/one.jsonl") == ["a/one.jsonl", "a/two.jsonl.gz"],
    )
    place.fails("scan", "s3://crawl/n/*.nothing", says=["`s3://crawl/n/*.nothing`: no object matches", "hint:"])
    check("a pattern that matches nothing is told")


def check_large(place, store):
    rows = articles(900, 1500)
    body = json_lines(rows)
    assert len(body) > 2.5 * BLOCK, len(body)
    columns = io.BytesIO()
    wide = [row | {"noise": random.Random(n).randbytes(30_000).hex()} for n, row in enumerate(rows)]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(wide), columns, row_group_size=450, compression="none")
    for name, body in [
        ("large.jsonl", body),
        ("large.jsonl.gz", gzip.compress(body, 1)),
        ("large.parquet", columns.getvalue()),
    ]:
        (place.root / name).write_bytes(body)
        store.put(f"large/{name}", body)
        here = place.scan(place.root / name)
        store.forget()
        there = place.scan(f"s3://crawl/large/{name}")
        assert here == there, name
        stated = 3 * len(body)
        most = stated + (2 * BLOCK if name.endswith("parquet") else 0)
        assert 0 < store.bytes <= most, (store.bytes, most)
        if not name.endswith("parquet"):
            assert store.bytes == stated, (store.bytes, stated)
        told = [line for line in place.told.splitlines() if "1 object" in line]
        assert len(told) == 1 and "x 3 passes" in told[0] and "are fetched" in told[0], place.told
        check(
            f"{name}, {len(body) >> 20} MiB: the same tables, {store.bytes >> 20} MiB in {store.gets.total()} requests as stated"
        )
        if name.endswith("parquet"):
            check("of columns that mean nothing most is not fetched", store.bytes < 0.5 * stated)
    store.forget()
    place.scan("s3://crawl/large/large.jsonl", "--verify", "sketch")
    check(
        "sketches take two passes",
        store.bytes == 2 * len((place.root / "large.jsonl").read_bytes()) and "x 2 passes" in place.told,
    )


def check_many(place, store, rows):
    for number, row in enumerate(rows):
        store.put(f"many/texts/{number:03}.txt", row["text"].encode())
        store.put(f"many/lines/{number:03}.jsonl", json_lines([row]))
    for kind, least in [("texts", 8), ("lines", 3)]:
        now, most, lock = [0], [0], threading.Lock()

        def wait(key, count):
            with lock:
                now[0] += 1
                most[0] = max(most[0], now[0])
            time.sleep(0.03)
            with lock:
                now[0] -= 1

        store.before_get = wait
        store.forget()
        place.scan(f"s3://crawl/many/{kind}/", "--threads", 1)
        store.before_get = None
        check(
            f"{len(rows)} small objects come side by side ({kind}: {most[0]} at once), each once a pass",
            most[0] >= least and store.gets.total() == 3 * len(rows),
        )


def check_changes(place, store, rows):
    body = json_lines(rows)

    def with_change(act, at=2, key="/crawl/ch/b.jsonl"):
        store.put("ch/a.jsonl", body)
        store.put("ch/b.jsonl", body.replace(b'"a', b'"b'))
        store.before_get = lambda asked, count: act() if asked == key and count == at else None
        store.forget()

    other = lambda: store.put("ch/b.jsonl", body.replace(b'"a', b'"b').replace(b"Monday", b"Friday"))
    gone = lambda: store.client.delete_object(Bucket="crawl", Key="ch/b.jsonl") and None
    cases = [("changed", other, "has changed since this run began"), ("removed", gone, "is gone since this run began")]
    for name, act, says in cases:
        for at in [1, 2, 3]:
            with_change(act, at)
            out = place.root / f"{name}-{at}"
            place.fails(
                "scan", "s3://crawl/ch/", "-o", out, says=[f"error: `s3://crawl/ch/b.jsonl`: {says}", "hint: run again"]
            )
            assert not out.exists() and not out.with_suffix(".partial").exists()
            check(f"an object that is {name} before pass {at} is named, and nothing is written")
    with_change(other, 4)
    place.fails("clean", "s3://crawl/ch/", "-o", "changed-clean", says=["`s3://crawl/ch/b.jsonl`: has changed"])
    check("`clean` refuses an object that changed while it was judged", not (place.root / "changed-clean").exists())
    with_change(lambda: None)
    store.before_get = None
    place.run("scan", "s3://crawl/ch/", "-o", place.root / "judged")
    other()
    place.fails("clean", "--from", "judged", "-o", "late", says=["b.jsonl`: has changed since it was judged"])
    check("a finished scan is not applied to an object that changed later", not (place.root / "late").exists())

    cache = ("--cache-dir", place.root / "cache-changes")
    place.scan("s3://crawl/ch/", *cache)
    with_change(lambda: None)
    place.scan("s3://crawl/ch/", *cache)
    heads = iter(range(100))

    # All bytes are kept, so that only the check of the second pass can notice.
    answer = store.app

    def disturbed(environ, start_response):
        if environ["REQUEST_METHOD"] == "HEAD" and "boto" not in environ.get("HTTP_USER_AGENT", "").lower():
            if next(heads) == 2:
                other()
        return answer(environ, start_response)

    store.app = disturbed
    place.fails("scan", "s3://crawl/ch/", *cache, says=["`s3://crawl/ch/b.jsonl`: has changed since this run began"])
    store.app = answer
    check("a change is noticed when all bytes are kept here")


def check_trouble(place, store, rows):
    body = json_lines(rows)
    store.put("t/a.jsonl", body)
    place.fails(
        "scan",
        "s3://crawl/t/b.jsonl",
        says=["error: `s3://crawl/t/b.jsonl`: no such object", "hint: check the spelling"],
    )
    place.fails("scan", "s3://crawl/nowhere/", says=["`s3://crawl/nowhere/`: no object begins with that"])
    for address in ["s3://nobody/a.jsonl", "s3://nobody/", "s3://nobody"]:
        place.fails("scan", address, says=["there is no `nobody`", "hint: check the name of the bucket"])
    place.fails("scan", "s3:///a.jsonl", says=["expected a bucket"])
    check("what is missing is named, with what to do")
    found = place.scan("s3://crawl/t/a.jsonl", "s3://crawl/t/b.jsonl", status=1)
    skipped = [json.loads(line) for line in found["skipped.jsonl"].splitlines()]
    check(
        "one missing object among others is skipped, and listed",
        [row["source"] for row in skipped] == ["s3://crawl/t/b.jsonl"],
    )
    place.run("scan", "s3://crawl/t/a.jsonl", "s3://crawl/t/b.jsonl", "--fail-fast", status=2)
    place.run("scan", "s3://crawl/t/a.jsonl", "s3://crawl/t/b.jsonl", "--max-skipped", 1)
    check("`--fail-fast` and `--max-skipped` hold for objects too")
    place.fails(
        "scan",
        "s3://crawl/t/a.jsonl",
        AWS_ACCESS_KEY_ID=None,
        AWS_SECRET_ACCESS_KEY=None,
        AWS_METADATA_ENDPOINT="http://127.0.0.1:9",
        says=["no credentials were found", "hint: set `AWS_ACCESS_KEY_ID`"],
    )
    check("missing credentials are named")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{free.getsockname()[1]}"
    place.fails(
        "scan",
        "s3://crawl/t/a.jsonl",
        AWS_ENDPOINT_URL=nobody,
        says=["the server does not answer", "hint: check the network"],
    )
    check("a server that does not answer is named")

    store.before_get = lambda key, count: "503 Slow Down" if count in (2, 3) else None
    here = place.scan("s3://crawl/t/a.jsonl")
    store.before_get = None
    check("a server that is busy for a while is asked again", here == place.scan("s3://crawl/t/a.jsonl"))
    store.forget()
    store.before_get = lambda key, count: "503 Slow Down" if count >= 2 else None
    place.fails(
        "scan",
        "s3://crawl/t/a.jsonl",
        "-o",
        "busy",
        says=["`s3://crawl/t/a.jsonl`: could not be fetched", "503", "hint:"],
    )
    store.forget()
    store.before_get = lambda key, count: "403 Forbidden"
    place.fails("scan", "s3://crawl/t/a.jsonl", status=1, says=["`a.jsonl`: permission denied", "AWS_ACCESS_KEY_ID"])
    store.before_get = None
    check("a server that gives up midway ends the run, and nothing is written", not (place.root / "busy").exists())

    silent = socket.create_server(("127.0.0.1", 0))
    child = subprocess.Popen(
        [PROGRAM, "scan", "s3://crawl/t/a.jsonl", "-o", "silent"],
        cwd=place.root,
        stdout=subprocess.DEVNULL,
        env=place.environment(AWS_ENDPOINT_URL=f"http://127.0.0.1:{silent.getsockname()[1]}"),
    )
    time.sleep(0.5)
    began = time.time()
    child.send_signal(signal.SIGINT)
    assert child.wait(timeout=30) == 2
    check("Ctrl-C ends a run that waits for a server", time.time() - began < 4)
    assert not list(place.root.glob("silent*"))

    other = Store()
    other.client.create_bucket(Bucket="crawl")
    other.put("a.jsonl", body)

    def stop(key, count):
        if count < 2:
            return None
        other.server.shutdown()
        other.server.socket.close()
        return "drop"

    other.before_get = stop
    place.fails(
        "scan", "s3://crawl/a.jsonl", "-o", "gone", AWS_ENDPOINT_URL=other.url, says=["`s3://crawl/a.jsonl`", "hint:"]
    )
    check("a network that is gone midway ends the run, and nothing is written", not (place.root / "gone").exists())


def check_cache(place, store, rows):
    for number in range(5):
        store.put(f"c/{number}.jsonl", json_lines(rows[number * 5 : number * 5 + 5]))
    store.put("c/archive.tar.gz", containers(rows)["archive.tar.gz"])
    cache = place.root / "cache"
    plain = place.scan("s3://crawl/c/")
    store.forget()
    first = place.scan("s3://crawl/c/", "--cache-dir", cache)
    size = sum(
        len(store.client.get_object(Bucket="crawl", Key=key["Key"])["Body"].read())
        for key in store.client.list_objects_v2(Bucket="crawl", Prefix="c/")["Contents"]
    )
    check("with `--cache-dir` each object is fetched once", plain == first and store.bytes == size)
    store.forget()
    second = place.scan("s3://crawl/c/", "--cache-dir", cache)
    check("a second run fetches nothing", plain == second and store.gets.total() == 0 and store.bytes == 0)
    check("and says so", "nothing is fetched" in place.told)
    check("but it asks for every version in every pass", store.requests["HEAD"] >= 3 * 6)
    store.put("c/3.jsonl", json_lines(rows[20:22]))
    store.forget()
    changed = place.scan("s3://crawl/c/", "--cache-dir", cache)
    check("a new version is fetched, and nothing else", set(store.gets) == {"/crawl/c/3.jsonl"} and changed != plain)
    store.forget()
    place.run("clean", "s3://crawl/c/", "-o", place.root / "from-cache", "--cache-dir", cache)
    check("another command reads what is kept", store.gets.total() == 0)
    for path in cache.glob("*.zst"):
        path.write_bytes(path.read_bytes()[:-3])
    store.forget()
    again = place.scan("s3://crawl/c/", "--cache-dir", cache)
    check("what was damaged on disk is fetched anew", again == changed and store.gets.total() == 6)

    # 12 MiB that hardly pack, for a cache of 5 MiB.
    noise = [
        row | {"text": row["text"] + random.Random(number).randbytes(60_000).hex()}
        for number, row in enumerate(articles(75))
    ]
    store.put("big/noise.jsonl", json_lines(noise))
    stored = len(json_lines(noise))
    small = place.root / "small-cache"
    held = lambda: sum(path.stat().st_size for path in small.glob("*"))
    arguments = ("s3://crawl/big/", "--cache-dir", small, "--cache-size", "5M")
    expected = place.scan("s3://crawl/big/")
    sizes, done = [], threading.Event()

    def watch():
        while not done.is_set():
            try:
                sizes.append(held())
            except FileNotFoundError:
                pass
            time.sleep(0.002)

    watcher = threading.Thread(target=watch)
    watcher.start()
    store.forget()
    found = place.scan(*arguments)
    done.set()
    watcher.join()
    check(
        f"the cache never takes more than was said ({max(sizes)} of {5 << 20} bytes)",
        max(sizes) <= 5 << 20 and found == expected,
    )
    check("what fits in it is fetched once, the rest in every pass", stored < store.bytes < 3 * stored)
    place.scan("s3://crawl/c/", "--cache-dir", small, "--cache-size", "1M")
    check("a smaller size is obeyed", held() <= 1 << 20)

    killed = place.root / "killed-cache"
    for wait in [0.05, 0.1, 0.2, 0.3, 0.5]:
        child = subprocess.Popen(
            [PROGRAM, "scan", "s3://crawl/big/", "--cache-dir", killed],
            cwd=place.root,
            env=place.environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(wait)
        child.send_signal(signal.SIGKILL)
        child.wait()
    check("a kill leaves a cache that can be used", place.scan("s3://crawl/big/", "--cache-dir", killed) == expected)
    check("and nothing half written in it", not list(killed.glob("*.partial")))

    both = place.root / "both-cache"
    command = [PROGRAM, "scan", "s3://crawl/big/", "--cache-dir", both, "--cache-size", "7M", "-o"]
    children = [
        subprocess.Popen(
            [*command, place.root / f"both-{number}"],
            env=place.environment(),
            cwd=place.root,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        for number in range(2)
    ]
    for child in children:
        _, told = child.communicate(timeout=300)
        assert child.returncode == 0, told.decode()
    same = all(place.tables(place.root / f"both-{number}") == expected for number in range(2))
    total = sum(path.stat().st_size for path in both.glob("*"))
    check("two runs share a cache, and its size", same and total <= 7 << 20)
    place.fails(
        "scan", "s3://crawl/c/", "--cache-dir", place.root / "crawl" / "text.txt", says=["--cache-dir", "hint:"]
    )
    check("a cache that cannot be made is named")


def check_commands(place, store, files):
    local = place.root / "crawl"
    for command in ["clean", "dedup"]:
        place.run(command, local, "-o", place.root / f"{command}-here", "--max-removed", 1)
        place.run(command, "s3://crawl/all/", "-o", place.root / f"{command}-there", "--max-removed", 1)
        here, there = (
            {
                path.relative_to(root): path.read_bytes()
                for path in sorted(root.rglob("*"))
                if path.is_file() and path.name != "summary.json"
            }
            for root in [place.root / f"{command}-here", place.root / f"{command}-there"]
        )
        check(f"`{command}` writes {len(here)} files as from a directory", here == there and len(here) > 15)
    place.run("scan", "s3://crawl/all/", "-o", "applied")
    place.run("dedup", "--from", "applied", "-o", "dedup-from", "--max-removed", 1)
    for path in (place.root / "dedup-here").rglob("*.jsonl*"):
        assert (
            path.read_bytes() == (place.root / "dedup-from" / path.relative_to(place.root / "dedup-here")).read_bytes()
        ), path
    check("`dedup --from` reads the objects of the scan again")
    place.run("clean", "s3://crawl/all/lines.jsonl", "-o", "to-restore")
    place.run("clean", "--restore", "to-restore", "-o", "restored")
    check(
        "`clean --restore` rebuilds an object",
        (place.root / "restored" / "lines.jsonl").read_bytes() == files["lines.jsonl"],
    )
    place.run("report", "applied", "-o", "page.html")
    told = place.run("report", "applied", "-o", "page.html", "--force").stderr
    check("`report` reads the texts again", "no texts" not in told and "x 1 pass" in told)
    done = place.run("explain", "s3://crawl/all/text.txt")
    check("`explain` takes an address", "newsletter" in done.stdout)
    done = place.run("explain", "--from", "applied", "text.txt")
    check("`explain --from` reads the texts of objects", "Monday" in done.stdout)
    place.run("scan", "s3://crawl/all/", "-o", "resumed", "--resume")
    check("`--resume` takes objects", place.tables(place.root / "resumed") == place.tables(place.root / "applied"))
    done = place.run("dedup", "s3://crawl/all/lines.jsonl", "--against", "s3://crawl/all/text.txt", "-o", "new")
    gone = {row["id"] for row in lines(place.root / "new" / "dropped.jsonl")}
    check("`--against` takes an address", "a0" in gone)
    for arguments in [
        ("scan", local, "-o", "s3://crawl/out"),
        ("clean", local, "-o", "https://example.org/out"),
        ("report", "applied", "-o", "gs://crawl/page.html"),
        ("scan", local, "--save-evidence", "az://c/e"),
    ]:
        place.fails(
            *arguments, says=["objects in stores are read, and never written", "hint: name a place on this machine"]
        )
    check("an output in a store is refused")
    place.fails(
        "scan", "gs://crawl/a.jsonl", GOOGLE_SERVICE_ACCOUNT="nowhere.json", says=["`gs://crawl/a.jsonl`", "hint:"]
    )
    place.fails("scan", "az://crawl/a.jsonl", says=["`az://crawl/a.jsonl`", "AZURE_STORAGE_ACCOUNT_NAME"])
    check("other stores say what they need")


def check_web(place, files):
    local = place.root / "crawl"
    served = {f"/all/{name}": body for name, body in files.items()}
    served["/empty.jsonl"] = b""
    served["/secret/lines.jsonl"] = files["lines.jsonl"]
    served["/with%20blank.jsonl"] = files["lines.jsonl"]
    for has_ranges in [True, False]:
        url, handler = pages(served, has_ranges)
        kind = "parts" if has_ranges else "no parts"
        for name in files:
            if name == "nameless":
                continue
            here = place.scan(local / name)
            handler.gets.clear()
            there = place.scan(f"{url}/all/{name}", "--temp-dir", place.root / "scratch")
            assert here == there, name
            whole = [asked for _, asked in handler.gets if asked is None]
            assert len(whole) == (0 if has_ranges else 1), handler.gets
        check(f"every container from a web server that gives {kind}")
        check("no scratch file is left", place.scratch() == [])
        place.scan(f"{url}/secret/lines.jsonl?token=x")
        assert "token" not in place.told
        place.fails(
            "scan", f"{url}/secret/lines.jsonl", says=[f"`{url}/secret/lines.jsonl`: permission denied: ", "403"]
        )
        place.fails("scan", f"{url}/nothing.jsonl", says=[f"`{url}/nothing.jsonl`: no such object"])
        place.fails("scan", f"{url}/all/", says=["web servers do not list what they have", "--files-from"])
        found = place.scan(f"{url}/empty.jsonl", f"{url}/with%20blank.jsonl")
        check(f"queries, blanks, empty and missing files of a web server that gives {kind}", found["documents.jsonl"])
        cache = place.root / f"web-cache-{has_ranges}"
        place.scan(f"{url}/all/lines.jsonl", "--cache-dir", cache)
        handler.gets.clear()
        place.scan(f"{url}/all/lines.jsonl", "--cache-dir", cache)
        check("a second run fetches at most one byte a pass", all(asked == "bytes=0-0" for _, asked in handler.gets))
        handler.gets.clear()
        begun = threading.Event()
        give = handler.give

        def changing(self, with_body, give=give, handler=handler):
            asked = self.headers.get("Range")
            if with_body and asked not in (None, "bytes=0-0") or (not with_body and begun.is_set()):
                if begun.is_set():
                    handler.modified += 100
                begun.set()
            if with_body and asked is None:
                begun.set()
            give(self, with_body)

        handler.give = changing
        place.fails(
            "scan", f"{url}/all/lines.jsonl", says=[f"`{url}/all/lines.jsonl`: has changed since this run began"]
        )
        check(f"a file that changes on a web server that gives {kind} is noticed")


def main():
    rows = articles()
    files = containers(rows)
    with tempfile.TemporaryDirectory() as directory:
        store = Store()
        store.client.create_bucket(Bucket="crawl")
        place = Place(directory, store)
        (place.root / "scratch").mkdir()
        check_containers(place, store, files)
        check_names(place, store, rows)
        check_large(place, store)
        check_many(place, store, rows)
        check_changes(place, store, rows)
        store.before_get = None
        check_trouble(place, store, rows)
        check_cache(place, store, rows)
        files.pop("nameless")
        check_commands(place, store, files)
        check_web(place, files)
        if LEAN:
            place.fails(
                "scan",
                "s3://crawl/all/",
                program=LEAN,
                says=[
                    "`s3://crawl/all/`: this program was built without the feature `object-store`",
                    "hint: build it with `cargo install --features object-store`",
                ],
            )
            check("a program without the feature names it")
        store.stop()
    print(f"{CHECKS} passed, 0 failed")


main()
