//! The same bytes at any number of threads, in any memory, in whatever order files are given.

use std::path::Path;

use retold::config::Verify;
use retold::evidence::SavedEvidence;
use retold::observe::Silent;
use retold::output::{SkippedRow, Tables, suggested_rules};
use retold::store::Workspace;
use retold::{Config, Document, Documents, Error};

use crate::support::Place;
use crate::support::articles::{Page, crawl, json_lines};

const TABLES: [&str; 9] = [
    "blocks.jsonl",
    "clusters.jsonl",
    "documents.jsonl",
    "headlines.jsonl",
    "pairs.jsonl",
    "references.jsonl",
    "skipped.jsonl",
    "summary.json",
    "versions.jsonl",
];

fn documents(pages: &[Page]) -> Documents {
    let document = |page: &Page| Document {
        id: page.id.clone(),
        source: "memory".into(),
        url: Some(page.url.clone()),
        site: Some(page.site.clone()),
        title: Some(page.title.clone()),
        date: Some(page.date.clone()),
        text: page.text.clone(),
        ..Document::default()
    };
    Documents::new(pages.iter().map(document).collect())
}

/// Scans through the library and returns all tables, one after the other.
fn scan(documents: &Documents, config: &Config, threads: usize, budget: u64) -> Vec<(String, Vec<u8>)> {
    let place = Place::new();
    std::fs::create_dir(place.path("tables")).unwrap();
    let write = |directory: &Path| -> Result<(), Error> {
        let tables = Tables::create(directory)?;
        let workspace = Workspace::new(place.path("scratch"), budget, threads);
        let scan = retold::scan(config, &workspace, documents, &Silent, Some(&tables))?;
        tables.finish_blocks()?;
        tables.write_table("documents", scan.documents()?)?;
        tables.write_table("pairs", scan.pairs()?)?;
        tables.write_table("clusters", scan.clusters()?)?;
        tables.write_table("versions", scan.versions()?)?;
        tables.write_table("references", scan.references()?)?;
        tables.write_table("headlines", scan.headlines().iter().map(Ok::<_, Error>))?;
        tables.write_table("skipped", scan.skipped().iter().map(SkippedRow::from).map(Ok::<_, Error>))?;
        std::fs::write(directory.join("summary.json"), serde_json::to_vec(scan.summary()).unwrap()).unwrap();
        Ok(())
    };
    write(&place.path("tables")).unwrap();
    assert_eq!(place.tree("scratch"), [""; 0], "scratch files are left");
    TABLES.map(|table| (table.to_owned(), place.read(&format!("tables/{table}")))).to_vec()
}

fn assert_same(expected: &[(String, Vec<u8>)], found: &[(String, Vec<u8>)], how: &str) {
    for ((name, expected), (_, found)) in expected.iter().zip(found) {
        let (expected, found) = (String::from_utf8_lossy(expected), String::from_utf8_lossy(found));
        let differing = expected.lines().zip(found.lines()).find(|(expected, found)| expected != found);
        assert!(expected == found, "{name} differs {how}: {differing:?}");
    }
}

#[test]
fn threads_and_memory_change_no_byte() {
    let documents = documents(&crawl(7, 120, 6));
    let judged = Config::default();
    let expected = scan(&documents, &judged, 1, u64::MAX);
    assert!(!expected[1].1.is_empty(), "copies were planted");
    for threads in [1, 2, 8] {
        for budget in [0, 4 << 10, 1 << 20, u64::MAX] {
            let found = scan(&documents, &judged, threads, budget);
            assert_same(&expected, &found, &format!("at {threads} threads and {budget} bytes"));
        }
    }
    let plain = Config { boilerplate: false, threshold: 0.8, ..Config::default() };
    let expected = scan(&documents, &plain, 1, u64::MAX);
    for (threads, budget) in [(8, 0), (2, 4 << 10)] {
        let found = scan(&documents, &plain, threads, budget);
        assert_same(&expected, &found, &format!("without boilerplate, at {threads} threads and {budget} bytes"));
    }
    let sketched = Config { verify: Verify::Sketch, ..Config::default() };
    let expected = scan(&documents, &sketched, 1, u64::MAX);
    assert_same(&expected, &scan(&documents, &sketched, 8, 0), "by sketches, at 8 threads and 0 bytes");
}

#[test]
fn what_is_taught_to_later_runs_is_the_same_bytes_at_any_threads_and_memory() {
    let pages = crawl(10, 120, 6);
    let documents = documents(&pages);
    let place = Place::new();
    let teach = |threads: usize, budget: u64| {
        let config = Config { save_evidence: true, suggest_rules: true, ..Config::default() };
        let workspace = Workspace::new(place.path("scratch"), budget, threads);
        let scan = retold::scan(&config, &workspace, &documents, &Silent, None).unwrap();
        let mut evidence = Vec::new();
        scan.save_evidence(&mut evidence).unwrap();
        (evidence, suggested_rules(scan.suggestions()))
    };
    let expected = teach(1, u64::MAX);
    assert!(expected.1.contains("action = \"remove\""), "{}", expected.1);
    for threads in [2, 8] {
        for budget in [0, 4 << 10, 1 << 20] {
            assert!(expected == teach(threads, budget), "at {threads} threads and {budget} bytes");
        }
    }
    place.file("evidence", &expected.0);
    let evidence = SavedEvidence::open(&place.path("evidence")).unwrap();
    let taught = Config { evidence: Some(evidence), ..Config::default() };
    let expected = scan(&documents, &taught, 1, u64::MAX);
    for (threads, budget) in [(8, 0), (2, 4 << 10), (8, u64::MAX)] {
        let found = scan(&documents, &taught, threads, budget);
        assert_same(&expected, &found, &format!("with evidence, at {threads} threads and {budget} bytes"));
    }
    // The counts that were saved are those that were counted, in every table that shows them.
    let counted = scan(&documents, &Config::default(), 2, u64::MAX);
    assert_same(&counted[..1], &expected[..1], "by evidence of its own");
}

#[test]
fn the_order_of_arguments_changes_no_byte() {
    let place = Place::new();
    let pages = crawl(8, 90, 6);
    for (name, part) in ["c", "a", "b"].iter().zip(pages.chunks(30)) {
        place.file(&format!("{name}.jsonl"), json_lines(part));
    }
    place.run(["scan", "a.jsonl", "b.jsonl", "c.jsonl", "-o", "one", "--threads", "1"]).ends_with(0);
    place.run(["scan", "c.jsonl", "a.jsonl", "b.jsonl", "-o", "two", "--threads", "8", "--memory", "64M"]).ends_with(0);
    for table in TABLES.iter().filter(|table| **table != "summary.json") {
        assert_eq!(place.text(&format!("one/{table}")), place.text(&format!("two/{table}")), "{table}");
    }
    let summary = |name: &str| {
        let mut summary = place.json(name);
        summary["run"] = serde_json::Value::Null;
        summary
    };
    assert_eq!(summary("one/summary.json"), summary("two/summary.json"));
}

#[test]
fn a_file_that_is_met_twice_is_read_once() {
    let place = Place::new();
    place.file("crawl/a.jsonl", json_lines(&crawl(9, 8, 2)));
    place.run(["scan", "crawl", "crawl/a.jsonl", "crawl"]).prints("8 documents");
}
