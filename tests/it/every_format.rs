//! Documents come in many shapes; each is read, alone and packed.

use std::io::Write;

use crate::support::Place;
use crate::support::articles::{crawl, json_lines};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 3).unwrap()
}

/// Returns the ids and hashes of all documents of a scan.
fn documents(place: &Place, directory: &str) -> Vec<(String, String)> {
    let text = |row: &serde_json::Value, name: &str| row[name].as_str().expect("it is text").to_owned();
    let rows = place.rows(&format!("{directory}/documents.jsonl"));
    rows.iter().map(|row| (text(row, "id"), text(row, "text_hash"))).collect()
}

#[test]
fn records_are_the_same_packed_or_not() {
    let place = Place::new();
    let lines = json_lines(&crawl(31, 20, 3));
    let (one, two) = lines.split_at(lines.find("\n{").unwrap() + 1);
    place.file("plain.jsonl", &lines).file("other.ndjson", &lines);
    place.file("one.jsonl.gz", gzip(lines.as_bytes())).file("one.jsonl.zst", zstd(lines.as_bytes()));
    place.file("members.jsonl.gz", [gzip(one.as_bytes()), gzip(two.as_bytes())].concat());
    place.file("frames.jsonl.zst", [zstd(one.as_bytes()), zstd(two.as_bytes())].concat());
    place.run(["scan", "plain.jsonl", "-o", "plain"]).ends_with(0);
    let expected = documents(&place, "plain");
    assert_eq!(expected.len(), 20);
    for name in ["other.ndjson", "one.jsonl.gz", "one.jsonl.zst", "members.jsonl.gz", "frames.jsonl.zst"] {
        let out = format!("{name}.out");
        place.run(["scan", name, "-o", &out]).ends_with(0);
        assert_eq!(documents(&place, &out), expected, "{name}");
    }
    place.shell("cat members.jsonl.gz | retold scan - -o piped").ends_with(0);
    assert_eq!(documents(&place, "piped"), expected);
}

#[test]
fn a_text_file_is_a_document_known_by_its_path() {
    let place = Place::new();
    place.file("crawl/b/two.md", "# Bridge\n\nThe old bridge is closed.\n").file("crawl/a.txt", "One story.\n");
    place.file("crawl/b/three.txt.gz", gzip(b"Another story.\n")).file("crawl/B.txt.zst", zstd(b"A third.\n"));
    place.run(["scan", "crawl", "-o", "out"]).ends_with(0);
    let ids: Vec<String> = documents(&place, "out").into_iter().map(|(id, _)| id).collect();
    assert_eq!(ids, ["B.txt.zst", "a.txt", "b/three.txt.gz", "b/two.md"]);
    place.file("more/a.txt", "Something else.\n");
    place.run(["scan", "more", "crawl/b", "-o", "both"]).ends_with(0);
    let ids: Vec<String> = documents(&place, "both").into_iter().map(|(id, _)| id).collect();
    assert_eq!(ids, ["b/three.txt.gz", "b/two.md", "more/a.txt"]);
}

#[test]
fn fields_are_found_by_the_names_in_use() {
    let place = Place::new();
    let lines = [
        r#"{"doc_id":7,"content":"One story.","link":"https://www.news.example.co.uk/a","headline":"One","published":"2024-05-01"}"#,
        r#"{"maintext":"Another story.","hostname":"other.example","id":"","url":null}"#,
    ];
    place.file("crawl.jsonl", lines.join("\n"));
    place.run(["scan", "crawl.jsonl", "-o", "out"]).ends_with(0);
    let rows = place.rows("out/documents.jsonl");
    let of = |row: usize, name: &str| rows[row][name].as_str().map(str::to_owned);
    assert_eq!(of(0, "id").as_deref(), Some("7"));
    assert_eq!(of(0, "site").as_deref(), Some("example.co.uk"));
    assert_eq!(of(0, "headline").as_deref(), Some("One"));
    assert_eq!(of(0, "headline_source").as_deref(), Some("title"));
    assert_eq!(of(0, "date").as_deref(), Some("2024-05-01"));
    assert_eq!(of(1, "site").as_deref(), Some("other.example"));
    assert_eq!(of(1, "id").as_deref(), Some("crawl.jsonl:1"));
    assert_eq!(of(1, "url"), None);
}

#[test]
fn sites_of_files_come_from_a_table_or_from_the_path() {
    let place = Place::new();
    place.file("crawl/one.example/a.txt", "One story.\n").file("crawl/two.example/b.txt", "Another story.\n");
    place.file("table.csv", "file,site,date,title\na.txt,alpha.example,2024-01-02,A story\n");
    let sites = |more: &[&str], out: &str| {
        place.run(["scan", "crawl", "-o", out].iter().chain(more)).ends_with(0);
        let rows = place.rows(&format!("{out}/documents.jsonl"));
        rows.iter().map(|row| row["site"].as_str().unwrap_or("none").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(sites(&[], "none"), ["none", "none"]);
    assert_eq!(sites(&["--site-from-dir"], "dir"), ["one.example", "two.example"]);
    assert_eq!(sites(&["--site-from", "^(?<site>[a-z]+)[.]"], "regex"), ["one", "two"]);
    assert_eq!(sites(&["--metadata", "table.csv"], "table"), ["alpha.example", "none"]);
    assert_eq!(place.rows("table/documents.jsonl")[0]["headline"], "A story");
}
