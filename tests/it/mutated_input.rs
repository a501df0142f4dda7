//! Whatever bytes lie in a file: it is read, or it is told what is wrong with it, and nothing goes down or hangs.
//!
//! Whole files of every container are damaged at random, the same in every run, and read, for `FUZZ_SECONDS` seconds a
//! container (half a second when that is not set). A failure names the number of its case.

use std::time::{Duration, Instant};

use retold::DocumentSource;
use retold::hash::mix64;
use retold::input::{Source, SourceSettings};

use crate::archives::{archives, members};
use crate::containers::{containers, wet};
use crate::support::Place;
use crate::support::articles::crawl;

/// Time that a file of some kilobytes may take, on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(20);

/// Numbers that look random and are not.
struct Chance(u64);

impl Chance {
    /// Returns a number below `end`.
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        (mix64(self.0) % end.max(1) as u64) as usize
    }
}

/// Damages a file: bytes changed, cut out, doubled, or replaced by those that mean something.
fn damaged(bytes: &[u8], case: u64) -> Vec<u8> {
    const TELLING: [&[u8]; 16] = [
        b"\xff\xff\xff\xff",
        b"\0\0\0\0",
        b"\"",
        b"\n",
        b"{",
        b"[",
        b"]]>",
        b"<",
        b"&#x110000;",
        b"\\ud800",
        b"WARC/1.0\r\n",
        b"Content-Length: 99999999999\r\n",
        b"PK\x01\x02",
        b"PAR1",
        b"\x1f\x8b",
        b"../",
    ];
    let mut chance = Chance(case);
    let mut out = bytes.to_vec();
    for _ in 0..=chance.below(6) {
        let at = chance.below(out.len());
        let to = (at + 1 + chance.below(64)).min(out.len());
        match chance.below(6) {
            0 if at < out.len() => out[at] ^= 1 << chance.below(8),
            1 => out[at..to].iter_mut().for_each(|byte| *byte = 0xff),
            2 => drop(out.drain(at..to)),
            3 => {
                let doubled = out[at..to].to_vec();
                out.splice(at..at, doubled);
            }
            4 => out.truncate(at),
            _ => drop(out.splice(at..to, TELLING[chance.below(TELLING.len())].iter().copied())),
        }
    }
    out
}

/// Reads damaged files of a container for as long as is asked for.
#[allow(clippy::print_stdout, reason = "the gate shows how much was tried")]
fn damage(name: &str, bytes: &[u8]) {
    let seconds = std::env::var("FUZZ_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(0.5);
    let place = Place::new();
    let settings =
        SourceSettings { memory_bytes: 128 << 20, temp_dir: place.path("scratch"), ..SourceSettings::default() };
    let began = Instant::now();
    let (mut case, mut documents, mut skipped) = (0, 0, 0);
    while began.elapsed().as_secs_f64() < seconds || case < 20 {
        let began = Instant::now();
        place.file(name, damaged(bytes, case));
        let read = std::panic::catch_unwind(|| read(&place, name, &settings));
        let (more, less) = read.unwrap_or_else(|_| panic!("{name}, case {case}: the reader went down"));
        assert!(began.elapsed() < PATIENCE, "{name}, case {case}: it took {:?}", began.elapsed());
        (case, documents, skipped) = (case + 1, documents + more, skipped + less);
    }
    println!("{name}: {case} damaged files, {documents} documents read, {skipped} inputs and records skipped");
    assert!(documents > 0 && skipped > 0, "{name}: {documents} read, {skipped} skipped");
}

/// Reads a file; returns how many documents were read and how much was skipped.
fn read(place: &Place, name: &str, settings: &SourceSettings) -> (usize, usize) {
    let Ok(source) = Source::open(&[place.path(name)], settings) else { return (0, 1) };
    let (mut documents, mut skipped) = (0, source.skipped().len());
    let mut pass = source.pass().expect("a pass can begin");
    while let Some(batch) = pass.next_batch().expect("a damaged file is no end of the input") {
        let parsed = batch.parse();
        assert!(parsed.documents.iter().all(|document| !document.id.is_empty()));
        documents += parsed.documents.len();
        skipped += parsed.skipped.len();
    }
    (documents, skipped)
}

/// Writes a sound file of every container, from which `fuzz/run` begins.
#[test]
#[ignore = "writes where FUZZ_SEEDS says"]
fn sound_files_to_begin_with() {
    let directory = std::path::PathBuf::from(std::env::var("FUZZ_SEEDS").expect("FUZZ_SEEDS names a directory"));
    let pages = crawl(91, 4, 2);
    let mut files = containers(&pages);
    let packed = archives(&members(&crawl(95, 24, 3)));
    files.extend(packed.into_iter().filter(|(name, _)| ["crawl.zip", "crawl.tar", "crawl.tar.gz"].contains(name)));
    files.extend([("pages.wet", wet(&pages)), ("page.xml", xml())]);
    #[cfg(feature = "html")]
    files.extend([
        ("pages.warc.gz", crate::containers::warc(&pages)),
        ("page.html", b"<html><head><title>One</title></head><body><p>A story.<ul><li>Share<li>Print</ul>".to_vec()),
    ]);
    for (name, bytes) in files {
        std::fs::create_dir_all(directory.join(name)).unwrap();
        std::fs::write(directory.join(name).join("sound"), bytes).unwrap();
    }
}

/// Damages the file of this name among those given.
fn damage_one(name: &str, files: Vec<(&str, Vec<u8>)>) {
    let (_, bytes) = files.iter().find(|(known, _)| *known == name).expect("there is such a file");
    damage(name, bytes);
}

macro_rules! damage {
    ($($test:ident: $name:literal of $files:expr;)*) => {
        $(#[test]
        fn $test() {
            damage_one($name, $files);
        })*
    };
}

damage! {
    damaged_lines_of_json_are_read_or_told: "pages.jsonl" of containers(&crawl(91, 12, 3));
    damaged_tables_are_read_or_told: "pages.csv" of containers(&crawl(92, 12, 3));
    damaged_json_is_read_or_told: "pages.json" of containers(&crawl(93, 12, 3));
    damaged_text_of_crawls_is_read_or_told: "pages.wet" of vec![("pages.wet", wet(&crawl(94, 12, 3)))];
    damaged_zip_archives_are_read_or_told: "crawl.zip" of archives(&members(&crawl(95, 24, 3)));
    damaged_tar_archives_are_read_or_told: "crawl.tar" of archives(&members(&crawl(96, 24, 3)));
    damaged_packed_archives_are_read_or_told: "crawl.tar.gz" of archives(&members(&crawl(97, 24, 3)));
    damaged_xml_is_read_or_told: "page.xml" of vec![("page.xml", xml())];
}

#[cfg(feature = "parquet")]
damage! {
    damaged_parquet_is_read_or_told: "pages.parquet" of containers(&crawl(98, 24, 3));
}

#[cfg(feature = "arrow")]
damage! {
    damaged_arrow_files_are_read_or_told: "pages.feather" of containers(&crawl(100, 40, 3));
    damaged_arrow_streams_are_read_or_told: "pages.arrows" of containers(&crawl(101, 40, 3));
}

#[cfg(feature = "html")]
damage! {
    damaged_pages_as_fetched_are_read_or_told: "pages.warc.gz" of
        vec![("pages.warc.gz", crate::containers::warc(&crawl(99, 12, 3)))];
}

/// Returns a document as trafilatura writes it.
fn xml() -> Vec<u8> {
    let lines: String =
        crawl(90, 1, 1)[0].text.lines().map(|line| format!("<p>{line} &amp; <hi>more</hi></p>\n")).collect();
    format!("<?xml version=\"1.0\"?>\n<doc title=\"A &lt; B\" date=\"2024-05-01\"><main>{lines}</main></doc>")
        .into_bytes()
}
