"""DuckDB over Parquet: scan what a query selects, and write the rows that stay by a join.

python with_duckdb.py seeds
"""

import sys
import tempfile
from pathlib import Path

import duckdb

import retold

directory = Path(tempfile.mkdtemp())
crawl, unique = directory / "crawl.parquet", directory / "unique.parquet"
duckdb.execute(
    f"""COPY (
        SELECT row_number() OVER () AS id, parse_filename(filename) AS name, content AS text, 'en' AS lang
        FROM (
            SELECT * FROM read_text('{sys.argv[1]}/*.txt')
            UNION ALL SELECT * FROM read_text('{sys.argv[1]}/00[12]*.txt')
        )
    ) TO '{crawl}'"""
)

pages = duckdb.sql(f"SELECT * FROM '{crawl}' WHERE lang = 'en' ORDER BY id")
scan = retold.scan(pages, progress=False)
documents, clusters = scan.documents, scan.clusters
print(duckdb.sql("SELECT cluster_id, cluster_size, members FROM clusters ORDER BY cluster_id"))
duckdb.sql(
    f"""COPY (
        SELECT crawl.* FROM '{crawl}' AS crawl JOIN documents ON documents.id = CAST(crawl.id AS VARCHAR)
        WHERE documents.keep ORDER BY crawl.id
    ) TO '{unique}'"""
)
counts = duckdb.sql(f"SELECT (SELECT count(*) FROM '{crawl}'), (SELECT count(*) FROM '{unique}')").fetchall()
assert counts == [(7, 5)] and len(clusters) == 2
print("{} pages, {} stories".format(*counts[0]))
