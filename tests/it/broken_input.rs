//! Whatever is wrong with the input, it is said where, the rest is processed, and the status tells.

use std::io::Write;

use crate::support::Place;
use crate::support::articles::{crawl, json_lines};

const STORY: &str = "The council voted on Monday to close the old bridge until the spring.\n";

/// Returns bytes packed as gzip.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 3).unwrap()
}

#[test]
fn a_missing_path_alone_is_an_error_and_among_others_a_skip() {
    let place = Place::new();
    place.file("crawl/a.txt", STORY);
    place.run(["scan", "nowhere"]).ends_with(2).tells("`nowhere`").tells("hint: check the spelling");
    place.run(["scan", "crawl", "nowhere"]).ends_with(1).tells("`nowhere`").prints("1 document");
}

#[test]
fn a_directory_with_nothing_to_read_is_an_error_that_says_what_is_read() {
    let place = Place::new();
    std::fs::create_dir(place.path("empty")).unwrap();
    place.run(["scan", "empty"]).ends_with(2).tells("found nothing to read in `empty`").tells("`.jsonl`");
    place.file("pictures/a.png", [0x89, b'P', b'N', b'G', 0, 0]);
    place.run(["scan", "pictures"]).ends_with(2).tells(".png");
}

#[test]
fn empty_and_blank_files_are_documents() {
    let place = Place::new();
    place.file("crawl/a.txt", "").file("crawl/b.txt", " \n\t\n").file("crawl/c.txt", STORY);
    place.run(["scan", "crawl", "-o", "out"]).ends_with(0).prints("3 documents").prints("2 without a word");
    let rows = place.rows("out/documents.jsonl");
    let roles: Vec<_> = rows.iter().map(|row| row["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["empty", "empty", "unique"]);
    assert!(rows.iter().all(|row| row["cluster_id"] == row["id"]));
}

#[test]
fn a_binary_file_is_skipped() {
    let place = Place::new();
    let picture: Vec<u8> = (0..=255).cycle().take(4096).collect();
    place.file("crawl/a.txt", picture).file("crawl/b.txt", STORY);
    place.run(["scan", "crawl"]).ends_with(1).tells("`a.txt`").prints("1 document");
}

#[test]
fn text_that_is_not_utf8_is_decoded_and_told() {
    let place = Place::new();
    let latin: Vec<u8> = "Der Bürgermeister eröffnete die Brücke über den Fluß früh am Morgen für die Fußgänger.\n"
        .chars()
        .map(|c| c as u8)
        .collect();
    place.file("crawl/a.txt", latin);
    place.run(["scan", "crawl"]).ends_with(0).tells("`a.txt`").prints("1 document");
    place.file("lines.jsonl", b"{\"text\":\"caf\xff latte\"}\n{\"text\":\"one more\"}\n");
    let outcome = place.run(["scan", "lines.jsonl"]);
    assert!(outcome.stderr.contains("line 1"), "{}", outcome.stderr);
}

#[test]
fn records_before_a_tear_count_and_the_tear_is_one_skip_with_its_place() {
    let place = Place::new();
    let lines = json_lines(&crawl(21, 200, 4));
    for (name, packed) in [("torn.jsonl.gz", gzip(lines.as_bytes())), ("torn.jsonl.zst", zstd(lines.as_bytes()))] {
        let half = &packed[..packed.len() / 2];
        place.file(name, half);
        let out = format!("{name}.out");
        place.run(["scan", name, "-o", &out]).ends_with(1).tells(&format!("`{name}`"));
        let skipped = place.rows(&format!("{out}/skipped.jsonl"));
        assert_eq!(skipped.len(), 1, "{skipped:?}");
        assert!(skipped[0]["byte"].as_u64().is_some(), "{skipped:?}");
        let read = place.rows(&format!("{out}/documents.jsonl")).len();
        assert!(name.ends_with("zst") || (1..200).contains(&read), "{name}: {read} documents");
    }
}

#[test]
fn broken_records_are_told_by_line_and_field() {
    let place = Place::new();
    let lines = [
        r#"{"id":"a","text":"The council voted on Monday."}"#,
        r#"{"id":"b","text":"The council voted"#,
        r#"{"id":"c","headline":"Bridge","html":"<p>x</p>"}"#,
        r#"{"id":"d","text":7}"#,
        r#"["no","object"]"#,
        r#"{"id":"f","text":"The last one is whole."}"#,
    ];
    place.file("crawl.jsonl", lines.join("\n"));
    let outcome = place.run(["scan", "crawl.jsonl", "-o", "out"]).ends_with(1).prints("2 documents");
    for line in [2, 3, 4, 5] {
        assert!(outcome.stderr.contains(&format!("`crawl.jsonl`, line {line}")), "{}", outcome.stderr);
    }
    assert!(outcome.stderr.contains("`--text-field`"), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("`html`"), "{}", outcome.stderr);
    let skipped = place.rows("out/skipped.jsonl");
    let rows: Vec<_> = skipped.iter().map(|row| row["row"].as_u64().unwrap()).collect();
    assert_eq!(rows, [1, 2, 3, 4]);
    place.run(["scan", "crawl.jsonl", "--text-field", "html"]).prints("1 document");
}

#[test]
fn an_id_that_occurs_again_is_made_unique() {
    let place = Place::new();
    let line = |text: &str| format!("{{\"id\":\"a\",\"text\":\"{text}\"}}\n");
    place.file("crawl.jsonl", [line("One story."), line("Another story."), line("A third one.")].concat());
    place.run(["scan", "crawl.jsonl", "-o", "out"]).ends_with(0).prints("3 documents");
    let rows = place.rows("out/documents.jsonl");
    let ids: Vec<_> = rows.iter().map(|row| row["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["a", "a#2", "a#3"]);
}

#[test]
fn a_very_long_line_is_read_or_skipped_and_told() {
    let place = Place::new();
    // 200 MB, of which little is kept in memory here: the line is written piece by piece.
    let mut file = std::io::BufWriter::new(std::fs::File::create(place.path("long.jsonl")).unwrap());
    file.write_all(b"{\"id\":\"long\",\"text\":\"").unwrap();
    let piece = "the council voted on monday to close the old bridge ".repeat(20_000);
    for _ in 0..200 {
        file.write_all(piece.as_bytes()).unwrap();
    }
    file.write_all(b"\"}\n{\"id\":\"short\",\"text\":\"One more story.\"}\n").unwrap();
    drop(file);
    let outcome = place.run(["scan", "long.jsonl", "-o", "out", "--memory", "256M", "--no-boilerplate"]);
    assert!(matches!(outcome.status, 0 | 1), "{}", outcome.stderr);
    let rows = place.rows("out/documents.jsonl");
    assert!(rows.iter().any(|row| row["id"] == "short"));
    let skipped = place.rows("out/skipped.jsonl");
    assert_eq!(rows.len() + skipped.len(), 2);
    assert_eq!(outcome.status, i32::from(!skipped.is_empty()));
    let peak = place.json("out/summary.json")["run"]["peak_resident"].as_u64();
    assert!(peak.is_none_or(|bytes| bytes < 384 << 20), "{peak:?} bytes were held");
}

#[test]
fn a_document_of_very_many_lines_is_read() {
    let place = Place::new();
    place.file("crawl/long.txt", "one line\n".repeat(300_000)).file("crawl/short.txt", STORY);
    place.run(["scan", "crawl"]).ends_with(0).prints("2 documents");
}

#[test]
fn a_loop_of_links_ends() {
    let place = Place::new();
    place.file("crawl/a.txt", STORY);
    std::os::unix::fs::symlink("..", place.path("crawl/up")).unwrap();
    std::os::unix::fs::symlink("itself", place.path("crawl/itself")).unwrap();
    let outcome = place.run(["scan", "crawl"]);
    assert!(matches!(outcome.status, 0 | 1), "{}", outcome.stderr);
    assert!(outcome.stdout.contains("1 document"), "{}", outcome.stdout);
}

#[test]
fn what_cannot_be_opened_is_skipped() {
    let place = Place::new();
    place.file("crawl/a.txt", STORY);
    // A link to nothing cannot be opened even by those who may read everything.
    std::os::unix::fs::symlink("gone.txt", place.path("crawl/b.txt")).unwrap();
    place.run(["scan", "crawl"]).ends_with(1).tells("b.txt").prints("1 document");
}

#[test]
fn hidden_files_and_unknown_suffixes_are_left_out_and_told() {
    let place = Place::new();
    place.file("crawl/a.txt", STORY).file("crawl/.git/config.txt", "x").file("crawl/b.jpg", "x");
    place.file("crawl/.retoldignore", "drafts/\n").file("crawl/drafts/c.txt", "x").file("crawl/.gitignore", "*.txt\n");
    let outcome = place.run(["scan", "crawl"]).ends_with(0).prints("1 document").tells("hidden").tells(".jpg");
    assert!(outcome.stderr.contains("ignore"), "{}", outcome.stderr);
    place.file("crawl/notes/d.txt", STORY);
    place.run(["scan", "crawl", "--glob", "!notes/"]).prints("1 document");
}

#[test]
fn an_output_of_ours_that_is_met_on_the_walk_is_skipped_and_told() {
    let place = Place::new();
    place.file("crawl/a.txt", STORY);
    place.run(["scan", "crawl", "-o", "out"]).ends_with(0);
    std::fs::rename(place.path("out"), place.path("crawl/out")).unwrap();
    place.run(["scan", "crawl"]).ends_with(0).prints("1 document").tells("out");
}

#[test]
fn an_output_that_cannot_be_written_is_not_done() {
    let place = Place::new();
    place.file("crawl/a.txt", STORY).file("file", "x");
    place.run(["scan", "crawl", "-o", "file/out"]).ends_with(2).tells("`file").tells("hint:");
    place.run(["scan", "crawl", "-o", "/proc/out"]).ends_with(2).tells("error:").tells("hint:");
    place.shell("retold scan crawl > /dev/full").ends_with(2).tells("could not write to standard output");
}

#[test]
fn a_full_disk_leaves_nothing_half_written() {
    let place = Place::new();
    place.file("crawl.jsonl", json_lines(&crawl(22, 400, 8)));
    // Files of at most 64 KiB: the tables do not fit.
    let outcome = place.shell("trap '' XFSZ; ulimit -f 64; retold scan crawl.jsonl -o out").ends_with(2);
    assert!(outcome.stderr.contains("could not be written"), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("hint:"), "{}", outcome.stderr);
    assert_eq!(place.tree(""), ["crawl.jsonl"]);
}

#[test]
fn a_second_run_over_the_same_folder_says_the_same() {
    let place = Place::new();
    place.file("crawl.jsonl", json_lines(&crawl(23, 40, 4)));
    let first = place.run(["scan", "crawl.jsonl"]).ends_with(0).stdout;
    let second = place.run(["scan", "crawl.jsonl"]).ends_with(0).stdout;
    assert_eq!(first, second);
}
