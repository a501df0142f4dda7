"""Scrapy: an item pipeline that leaves one clean item of every story.

    python with_scrapy.py seeds

Items are spooled to a file as they come, so that a crawl of any size needs no memory for them; when the spider is
closed the file is cleaned and deduplicated at once, since what is boilerplate is seen across pages. The site is a local
one.
"""

import functools
import html
import http.server
import json
import sys
import tempfile
import threading
from pathlib import Path

import scrapy
from scrapy.crawler import CrawlerProcess

import retold


class RetoldPipeline:
    """Spools items with a field `text`; writes those that stay to the directory that `RETOLD_OUTPUT` names."""

    def __init__(self, output, settings):
        self.output, self.settings = Path(output), settings

    @classmethod
    def from_crawler(cls, crawler):
        return cls(crawler.settings["RETOLD_OUTPUT"], crawler.settings.getdict("RETOLD_SETTINGS"))

    def open_spider(self):
        self.spool = Path(tempfile.mkdtemp(prefix="items-")) / "items.jsonl"
        self.file = self.spool.open("w", encoding="utf-8")

    def process_item(self, item):
        self.file.write(json.dumps(dict(item)) + "\n")
        return item

    def close_spider(self):
        self.file.close()
        if self.spool.stat().st_size:
            retold.clean(self.spool, output=self.output, dedup=True, progress=False, **self.settings)


class Articles(scrapy.Spider):
    """Follows the links of the first page."""

    name = "articles"

    def parse(self, response):
        yield from response.follow_all(css="a", callback=self.parse_article)

    def parse_article(self, response):
        yield {
            "url": response.url,
            "title": response.css("title::text").get(),
            "text": "\n".join(response.css("p::text").getall()),
        }


def local_site(seeds, directory):
    """Makes pages of the seeds, and one of them again at another address; returns the address of a server for them."""
    pages = {f"{number}.html": path.read_text("utf-8") for number, path in enumerate(sorted(Path(seeds).glob("*.txt")))}
    pages["again.html"] = pages["1.html"]
    for name, text in pages.items():
        body = "".join(f"<p>{html.escape(line)}</p>" for line in text.splitlines() if line.strip())
        (directory / name).write_text(f"<meta charset=utf-8><title>{name}</title>{body}", encoding="utf-8")
    (directory / "index.html").write_text("".join(f"<a href='{name}'>{name}</a> " for name in pages), encoding="utf-8")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(directory)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/index.html"


def main():
    directory = Path(tempfile.mkdtemp(prefix="site-"))
    output = directory / "articles"
    process = CrawlerProcess(
        {
            "ITEM_PIPELINES": {RetoldPipeline: 300},
            "RETOLD_OUTPUT": str(output),
            "RETOLD_SETTINGS": {"keep": "first"},
            "LOG_LEVEL": "ERROR",
            "TELNETCONSOLE_ENABLED": False,
        }
    )
    process.crawl(Articles, start_urls=[local_site(sys.argv[1], directory)])
    process.start()
    items = [json.loads(line) for line in (output / "items.jsonl").read_text("utf-8").splitlines()]
    dropped = (output / "dropped.jsonl").read_text("utf-8").splitlines()
    assert len(items) == 5 and len(dropped) == 1 and all(item["title"] for item in items)
    print(f"{len(items)} articles stay, {len(dropped)} was a copy")


if __name__ == "__main__":
    main()
