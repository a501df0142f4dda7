//! As somebody whose jobs run at night, I want to try a part first, read what happened in the morning, and not be misled.

use retold::DocumentSource;
use retold::input::{Source, SourceSettings};
use serde_json::Value;

use crate::support::articles::{crawl, json_lines};
use crate::support::{Outcome, Place};

/// Returns the ids of a scan's documents.
fn ids(place: &Place, directory: &str) -> Vec<String> {
    let rows = place.rows(&format!("{directory}/documents.jsonl"));
    rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

/// Returns a place with a crawl in two files, one record of which is broken.
fn place() -> Place {
    let place = Place::new();
    let lines = json_lines(&crawl(71, 60, 4));
    let (one, two) = lines.split_at(lines.match_indices('\n').nth(29).unwrap().0 + 1);
    place.file("crawl/a.jsonl", one).file("crawl/b.jsonl", two);
    place
}

#[test]
fn the_first_documents_are_read_for_a_first_look() {
    let place = place();
    place.run(["scan", "crawl", "-o", "all"]).ends_with(0).prints("60 documents");
    for (limit, threads) in [("7", "1"), ("7", "4"), ("31", "4"), ("99", "4")] {
        let out = format!("first-{limit}-{threads}");
        place.run(["scan", "crawl", "--limit", limit, "--threads", threads, "-o", &out]).ends_with(0);
        let expected: Vec<String> = ids(&place, "all").into_iter().take(limit.parse().unwrap()).collect();
        assert_eq!(ids(&place, &out), expected);
    }
    assert_eq!(place.json("first-7-1/summary.json")["settings"]["limit"], 7);
    place.file("broken.jsonl", "{\"text\": \"One story.\"}\n{\"text\": \"Another.\"}\nbroken\n");
    place.run(["scan", "broken.jsonl", "--limit", "2"]).ends_with(0).prints("2 documents");
    place.run(["scan", "broken.jsonl", "--limit", "3"]).ends_with(1).prints("2 documents");
}

#[test]
fn a_sample_is_the_same_in_every_run_and_part_of_a_larger_one() {
    let place = place();
    let sample = |sample: &str, threads: &str, out: &str| {
        place.run(["scan", "crawl", "--sample", sample, "--threads", threads, "-o", out]).ends_with(0);
        ids(&place, out)
    };
    let third = sample("0.3", "1", "third");
    assert!((8..30).contains(&third.len()), "{}", third.len());
    assert_eq!(sample("0.3", "4", "again"), third);
    let half = sample("0.5", "1", "half");
    assert!(third.iter().all(|id| half.contains(id)));
    assert_ne!(sample("0.3:1", "1", "other"), third);
    place.run(["scan", "crawl", "--sample", "0.3", "--limit", "2", "-o", "two"]).ends_with(0);
    assert_eq!(ids(&place, "two"), third[..2]);
    place.run(["scan", "crawl", "--sample", "2"]).ends_with(2).tells("expected a share such as 0.01");
}

#[test]
fn a_scan_of_a_part_is_explained_and_shown_but_never_applied() {
    let place = place();
    let scan = place.run(["scan", "crawl", "--sample", "0.5", "-o", "part"]).ends_with(0);
    assert!(!scan.stdout.contains("--from part") && scan.stdout.contains("--sample 0.5"), "{}", scan.stdout);
    let tells = "read only a part of its input (`--sample`)";
    place.run(["clean", "--from", "part", "-o", "clean"]).ends_with(2).tells(tells).tells("hint:");
    place.run(["dedup", "--from", "part", "-o", "unique"]).ends_with(2).tells(tells);
    let first = ids(&place, "part").swap_remove(0);
    place.run(["explain", "--from", "part", &first]).ends_with(0).prints(&first);
    place.run(["report", "part", "-o", "part.html"]).ends_with(0);
}

#[test]
fn a_run_goes_on_after_what_it_cannot_read_unless_it_is_told_not_to() {
    let place = place();
    place.file("crawl/c.jsonl", "{\"text\": \"One story.\"}\nbroken\n");
    place.run(["scan", "crawl", "-o", "out"]).ends_with(1).prints("61 documents");
    let failed = place.run(["scan", "crawl", "--fail-fast", "-o", "fast"]).ends_with(2);
    failed.tells("error: `c.jsonl`, line 2, byte 23").tells("`--fail-fast` ends the run").tells("hint: repair it");
    place.run(["clean", "crawl", "--fail-fast", "-o", "fast"]).ends_with(2).tells("`c.jsonl`, line 2");
    place.run(["dedup", "--from", "out", "--fail-fast", "-o", "fast"]).ends_with(2).tells("`c.jsonl`, line 2");
    place.run(["scan", "crawl", "nowhere", "--fail-fast"]).ends_with(2).tells("nowhere");
    assert!(!place.path("fast").exists() && !place.path("fast.partial").exists());
    place.file("retold.toml", "fail-fast = true\n");
    place.run(["scan", "crawl"]).ends_with(2);
    place.run(["scan", "crawl", "--keep-going"]).ends_with(1).prints("61 documents");
}

/// Returns the lines of a log.
fn log(outcome: &Outcome) -> Vec<Value> {
    outcome.stderr.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"))).collect()
}

#[test]
fn messages_are_lines_of_json_when_they_are_to_be_gathered() {
    let place = place();
    let broken = "{\"html\": \"x\"}\n".repeat(20);
    place.file("crawl/c.jsonl", broken + "not JSON\n").file("crawl/d.jpg", "x");
    let outcome = place.run(["scan", "crawl", "--log-json", "-o", "out"]).ends_with(1).prints("60 documents");
    let lines = log(&outcome);
    let run = place.json("out/summary.json")["run"]["id"].clone();
    assert!(lines.iter().all(|line| line["run"] == run && line["time"].as_str().unwrap().ends_with('Z')));
    // Every one of them is told, where people see ten.
    let skipped: Vec<&Value> = lines.iter().filter(|line| line["level"] == "warning").collect();
    assert_eq!(skipped.len(), 21);
    assert_eq!((&skipped[0]["file"], &skipped[0]["line"]), (&"c.jsonl".into(), &1.into()));
    assert_eq!(skipped[0]["field"], "text");
    assert!(skipped[0]["hint"].as_str().unwrap().starts_with("name the text field with `--text-field`"));
    assert!(skipped[0]["message"].as_str().unwrap().starts_with("skipped `c.jsonl`, line 1: expected a string"));
    assert_eq!((&skipped[20]["line"], skipped[20]["byte"].is_u64()), (&21.into(), true));
    assert!(lines.iter().any(|line| line["level"] == "note" && line["message"].as_str().unwrap().contains(".jpg")));
    let failed = place.run(["scan", "nowhere", "--log-json"]).ends_with(2);
    let error = &log(&failed)[0];
    assert_eq!((&error["level"], &error["hint"]), (&"error".into(), &"check the spelling of the path".into()));
    let failed = place.run(["scan", "crawl", "--log-json", "--fail-fast", "--quiet"]).ends_with(2);
    let error = log(&failed).pop().unwrap();
    assert_eq!((&error["file"], &error["level"]), (&"c.jsonl".into(), &"error".into()));
}

#[test]
fn records_longer_than_they_may_be_are_skipped() {
    let place = place();
    let long = format!("{{\"text\": \"{}\"}}\n", "word ".repeat(400_000));
    place.file("crawl/c.jsonl", format!("{{\"text\": \"One story.\"}}\n{long}{{\"text\": \"Another.\"}}\n"));
    place.file("crawl/d.txt", "word ".repeat(400_000));
    place.run(["scan", "crawl"]).ends_with(0).prints("64 documents");
    let outcome = place.run(["scan", "crawl", "--max-record", "1M", "-o", "out"]).ends_with(1);
    let outcome =
        outcome.prints("62 documents").tells("longer than `--max-record` allows").tells("hint: raise `--max-record`");
    assert!(outcome.stderr.contains("`c.jsonl`, line 2, byte 23: one record of more than 1 MiB"), "{}", outcome.stderr);
    place.run(["clean", "crawl", "--max-record", "1M", "-o", "clean"]).ends_with(1);
    place.run(["scan", "crawl", "--max-record", "2G"]).ends_with(2).tells("up to 1G");
}

/// Packs what is given `times` times.
fn packed(record: &str, times: usize, end: &str, as_zstd: bool) -> Vec<u8> {
    let text = format!("{}{end}", record.repeat(times));
    if as_zstd {
        return zstd::encode_all(text.as_bytes(), 1).unwrap();
    }
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::Write::write_all(&mut encoder, text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn what_unpacks_without_end_costs_itself_alone() {
    let place = place();
    let spaces = " ".repeat(1 << 20);
    place
        .file("crawl/c.jsonl.zst", packed(&spaces, 100, "\n{\"text\": \"After.\"}\n", true))
        .file("crawl/d.jsonl.gz", packed(&spaces, 132, "\n{\"text\": \"After.\"}\n", false))
        .file("crawl/e.txt.zst", packed(&spaces, 100, "", true))
        .file("crawl/f.csv.gz", packed(&spaces, 132, "\n", false))
        .file("crawl/g.json.zst", packed(&spaces, 100, "{}", true));
    let outcome = place.run(["scan", "crawl", "-o", "out"]).ends_with(1);
    let outcome = outcome.prints("62 documents").tells("over 200 times").tells("hint: raise `--max-ratio`");
    assert!(!outcome.stderr.contains("panicked"), "{}", outcome.stderr);
    let skipped = place.rows("out/skipped.jsonl");
    let told: Vec<&str> = skipped.iter().map(|row| row["source"].as_str().unwrap()).collect();
    assert_eq!(told, ["c.jsonl.zst", "d.jsonl.gz", "e.txt.zst", "f.csv.gz", "g.json.zst"]);
    let peak = place.json("out/summary.json")["run"]["peak_resident"].as_u64();
    assert!(peak.is_none_or(|bytes| bytes < 1 << 30), "{peak:?} bytes were held");
    place.run(["scan", "crawl/e.txt.zst", "--max-ratio", "1000000"]).ends_with(0).prints("1 document");
}

#[test]
fn a_million_equal_documents_are_legal_however_small_they_pack() {
    let place = Place::new();
    let record =
        "{\"text\": \"The harbor was closed on Monday after a crane fell into the water near the eastern pier.\"}\n";
    let bytes = packed(record, 1_000_000, "", true);
    assert!(record.len() * 1_000_000 > 1000 * bytes.len() && record.len() * 1_000_000 > 64 << 20);
    place.file("crawl.jsonl.zst", bytes);
    let source = Source::open(&[place.path("crawl.jsonl.zst")], &SourceSettings::default()).unwrap();
    let mut pass = source.pass().unwrap();
    let mut documents = 0;
    while let Some(batch) = pass.next_batch().unwrap() {
        let parsed = batch.parse();
        assert!(parsed.skipped.is_empty(), "{:?}", parsed.skipped);
        documents += parsed.documents.len();
    }
    assert_eq!(documents, 1_000_000);
}
