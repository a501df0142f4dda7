//! What is cut out, what stays, and what is refused.

use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::files::Compression;
use crate::input::SourceSettings;
use crate::observe::Silent;
use crate::output::{FinishedScan, Restored, restore};

/// Decides that every line that says "Subscribe" goes, and every document that says "copy" is dropped.
fn decide(source: &Source) -> Vec<Result<Decision, WriteError>> {
    let mut decisions = Vec::new();
    let mut pass = crate::document::DocumentSource::pass(source).unwrap();
    while let Some(batch) = pass.next_batch().unwrap() {
        for document in batch.parse().documents {
            let mut removed = Vec::new();
            let mut at = 0;
            for line in document.text.split_inclusive('\n') {
                if line.contains("Subscribe") {
                    let span = Span::new(at, at + line.trim_end().len());
                    removed.push(RemovedBlock { span, kind: BoilerplateKind::Newsletter, score: 0.75 });
                }
                at += line.len();
            }
            let keep = !document.text.contains("copy");
            let dropped = (!keep).then(|| DroppedDocument {
                kept_id: Some("first".to_owned()),
                similarity: Some(1.0),
                relation: "identical".to_owned(),
                reason: "identical to `first`".to_owned(),
            });
            decisions.push(Ok(Decision { id: document.id, keep, removed, dropped }));
        }
    }
    decisions
}

struct Case {
    root: tempfile::TempDir,
}

impl Case {
    fn new(files: &[(&str, Vec<u8>)]) -> Case {
        let root = tempfile::tempdir().unwrap();
        for (name, bytes) in files {
            let path = root.path().join("in").join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        Case { root }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    fn source(&self) -> Source {
        Source::open(&[self.path("in")], &SourceSettings::default()).unwrap()
    }

    fn rewrite(&self, mode: Mode, threads: usize) -> Result<Rewritten, WriteError> {
        let source = self.source();
        let mut decisions = decide(&source).into_iter();
        let settings = RewriteSettings { mode, digests: Some(source.digests()), threads };
        let _ = fs::remove_dir_all(self.path("out"));
        let directory = OutputDirectory::create(&self.path("out"), false)?;
        let rewritten = rewrite(&source, &mut decisions, &settings, Target::Directory(&directory), &Silent)?;
        directory.create_file(Path::new("summary.json"))?.put(b"{\"retold\": \"clean\"}")?;
        directory.commit()?;
        Ok(rewritten)
    }

    fn restore(&self) -> Result<Restored, WriteError> {
        let _ = fs::remove_dir_all(self.path("again"));
        let directory = OutputDirectory::create(&self.path("again"), false)?;
        let restored = restore(&self.path("out"), &directory, 2)?;
        directory.commit()?;
        Ok(restored)
    }

    fn unpacked(&self, name: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut file = crate::files::open(&self.path(name), u64::MAX).unwrap();
        std::io::Read::read_to_end(&mut file, &mut bytes).unwrap();
        bytes
    }
}

fn latin(text: &str) -> Vec<u8> {
    encoding_rs::WINDOWS_1252.encode(text).0.into_owned()
}

fn utf16(text: &str) -> Vec<u8> {
    [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
}

const TABLE: &str = "\u{feff}id;text;note\r\n1;\"One \"\"so\"\".\nSubscribe \"\"now\"\"\n\nTwo; three.\";\"a \"\"b\"\"\"\r\n\r\n2;;Subscribe\r\n3;plain;x";
const TABLE_CLEAN: &str =
    "\u{feff}id;text;note\r\n1;\"One \"\"so\"\".\n\nTwo; three.\";\"a \"\"b\"\"\"\r\n\r\n2;;Subscribe\r\n3;plain;x";
const TABS: &str =
    "text\turl\n\"L'\u{e9}cole a ferm\u{e9} apr\u{e8}s l'\u{e9}t\u{e9}.\nSubscribe d\u{e8}s aujourd'hui\n\"\tu\n";
const TABS_CLEAN: &str = "text\turl\n\"L'\u{e9}cole a ferm\u{e9} apr\u{e8}s l'\u{e9}t\u{e9}.\n\"\tu\n";
const LIST: &str = "[\n  {\"text\": \"One.\\nSubscribe\\nTwo.\", \"n\": 1},\n  {\"text\": \"Three.\"}\n]\n";

/// Inputs with what `clean` makes of them.
fn inputs() -> Vec<(&'static str, Vec<u8>, Vec<u8>)> {
    let french = "L'\u{e9}cole a ferm\u{e9} apr\u{e8}s l'\u{e9}t\u{e9}.\nSubscribe d\u{e8}s aujourd'hui\nLa mairie l'a annonc\u{e9}.\n";
    let french_clean = french.replace("Subscribe d\u{e8}s aujourd'hui\n", "");
    let escaped = "{\"id\":\"x\" , \"other\": [1.50,\"\\u00e9\"],\"text\" :\"One \\\"\\u00e9\\ud83d\\ude00\\\".\\n\\nSubscribe \\u0026 \\/win\\n\\nTwo.\",\"z\":null}\r\n\n{\"text\":\"Three.\"}";
    let escaped_clean = "{\"id\":\"x\" , \"other\": [1.50,\"\\u00e9\"],\"text\" :\"One \\\"\\u00e9\\ud83d\\ude00\\\".\\n\\nTwo.\",\"z\":null}\r\n\n{\"text\":\"Three.\"}";
    let broken = "not JSON: Subscribe\n{\"text\": \"Four.\\nSubscribe\"}\n";
    let broken_clean = "not JSON: Subscribe\n{\"text\": \"Four.\\n\"}\n";
    let line = |text: &str| latin(&format!("{{\"text\": \"{}\", \"n\": 1}}\n", text.replace('\n', "\\n")));
    let gzip = |bytes: &str| Compression::Gzip.pack(bytes.as_bytes().to_vec()).unwrap();
    let zstd = |bytes: &str| Compression::Zstd.pack(bytes.as_bytes().to_vec()).unwrap();
    vec![
        ("a/plain.txt", b"One.\n\nSubscribe now\n\nTwo.\n".to_vec(), b"One.\n\nTwo.\n".to_vec()),
        ("a/crlf.txt", b"One.\r\nSubscribe\r\nTwo.".to_vec(), b"One.\r\nTwo.".to_vec()),
        ("b/mark.txt", b"\xef\xbb\xbfSubscribe\nOne.\n".to_vec(), b"\xef\xbb\xbfOne.\n".to_vec()),
        ("b/latin.txt", latin(french), latin(&french_clean)),
        ("b/utf16.txt", utf16(french), utf16(&french_clean)),
        (
            "b/broken.txt",
            b"Caf\xc3\xa9 Caf\xc3\xa9 Caf\xc3\xa9 Caf\xc3\xa9\nSubscribe \xff\nend\n".to_vec(),
            b"Caf\xc3\xa9 Caf\xc3\xa9 Caf\xc3\xa9 Caf\xc3\xa9\nend\n".to_vec(),
        ),
        ("empty.txt", Vec::new(), Vec::new()),
        ("all.txt", b"Subscribe".to_vec(), Vec::new()),
        ("escaped.jsonl", escaped.as_bytes().to_vec(), escaped_clean.as_bytes().to_vec()),
        ("escaped.jsonl.gz", gzip(escaped), escaped_clean.as_bytes().to_vec()),
        ("escaped.ndjson.zst", zstd(escaped), escaped_clean.as_bytes().to_vec()),
        ("plain.txt.gz", gzip("One.\nSubscribe\n"), b"One.\n".to_vec()),
        ("broken.jsonl", broken.as_bytes().to_vec(), broken_clean.as_bytes().to_vec()),
        ("latin.jsonl", line(french), line(&french_clean)),
        ("none.jsonl.gz", gzip(""), Vec::new()),
        ("table.csv.gz", gzip(TABLE), TABLE_CLEAN.as_bytes().to_vec()),
        ("table.tsv", latin(TABS), latin(TABS_CLEAN)),
        ("list.json", LIST.as_bytes().to_vec(), LIST.replace("Subscribe\\n", "").into_bytes()),
    ]
}

#[test]
fn cleaned_copies_keep_every_other_byte_and_restore_puts_all_back() {
    let inputs = inputs();
    let case = Case::new(&inputs.iter().map(|(name, bytes, _)| (*name, bytes.clone())).collect::<Vec<_>>());
    for threads in [1, 4] {
        let rewritten = case.rewrite(Mode::Clean, threads).unwrap();
        assert_eq!((rewritten.removed, rewritten.dropped, rewritten.skipped.len()), (16, 0, 1));
        assert!(rewritten.notes.is_empty(), "{:?}", rewritten.notes);
        for (name, bytes, clean) in &inputs {
            let copy = case.unpacked(&format!("out/{name}"));
            assert_eq!(copy, *clean, "{name}: {}", String::from_utf8_lossy(&copy));
            let packed = fs::read(case.path(&format!("out/{name}"))).unwrap();
            assert_eq!(Compression::of_magic(&packed), Compression::of_magic(bytes), "{name}");
        }
        let restored = case.restore().unwrap();
        assert_eq!(restored, Restored { files: inputs.len() as u64, blocks: 16 });
        for (name, _, _) in &inputs {
            assert_eq!(case.unpacked(&format!("again/{name}")), case.unpacked(&format!("in/{name}")), "{name}");
        }
    }
}

#[test]
fn removed_says_what_was_cut_out_of_text_and_file() {
    let case = Case::new(&[("a.jsonl", b"{\"text\":\"One.\\nSubscribe\\nTwo.\"}\n".to_vec())]);
    case.rewrite(Mode::Clean, 1).unwrap();
    assert_eq!(
        fs::read_to_string(case.path("out/removed.jsonl")).unwrap(),
        "{\"id\":\"a.jsonl:0\",\"source\":\"a.jsonl\",\"row\":0,\"start\":5,\"end\":15,\"kind\":\"newsletter\",\
         \"score\":0.75,\"text\":\"Subscribe\\n\",\"byte\":15,\"raw\":\"Subscribe\\\\n\"}\n"
    );
}

#[test]
fn dedup_keeps_container_fields_and_order_and_lists_what_it_drops() {
    let lines = "\u{feff}{\"text\":\"a copy\"}\n{\"id\": 1, \"text\":\"One.\\nSubscribe\"}\r\nbroken\n{\"text\":\"a copy\"}\n{\"text\":\"Two.\"}";
    let case = Case::new(&[
        ("a.jsonl", lines.as_bytes().to_vec()),
        ("b.txt", b"a copy".to_vec()),
        ("c.txt", b"Three.".to_vec()),
    ]);
    let rewritten = case.rewrite(Mode::Dedup, 2).unwrap();
    assert_eq!((rewritten.documents, rewritten.kept, rewritten.dropped, rewritten.removed), (6, 3, 3, 0));
    assert_eq!(
        String::from_utf8(case.unpacked("out/a.jsonl")).unwrap(),
        "\u{feff}{\"id\": 1, \"text\":\"One.\\nSubscribe\"}\r\n{\"text\":\"Two.\"}"
    );
    assert!(!case.path("out/b.txt").exists() && case.path("out/c.txt").exists());
    let dropped = fs::read_to_string(case.path("out/dropped.jsonl")).unwrap();
    assert_eq!(dropped.lines().count(), 3);
    assert_eq!(
        dropped.lines().next().unwrap(),
        "{\"id\":\"a.jsonl:0\",\"source\":\"a.jsonl\",\"row\":0,\"kept_id\":\"first\",\"similarity\":1.0,\
         \"relation\":\"identical\",\"reason\":\"identical to `first`\"}"
    );
    assert!(!case.path("out/removed.jsonl").exists());
    case.rewrite(Mode::CleanDedup, 2).unwrap();
    assert!(String::from_utf8(case.unpacked("out/a.jsonl")).unwrap().contains("\"One.\\n\""));
    assert!(matches!(case.restore(), Err(WriteError::OtherRun { .. })));
}

#[test]
fn rows_and_members_that_are_dropped_leave_a_table_and_a_list() {
    let case = Case::new(&[
        ("a.csv", b"id,text\n1,a copy\n2,\"One,\n2\"\n3,a copy\nx\n".to_vec()),
        ("b.json", b"[{\"text\": \"a copy\"},\n {\"text\": \"Two.\"}, {\"text\": \"a copy\"}]\n".to_vec()),
    ]);
    let rewritten = case.rewrite(Mode::Dedup, 2).unwrap();
    assert_eq!((rewritten.kept, rewritten.dropped, rewritten.skipped.len()), (2, 4, 1));
    assert_eq!(case.unpacked("out/a.csv"), b"id,text\n2,\"One,\n2\"\n");
    assert_eq!(case.unpacked("out/b.json"), b"[{\"text\": \"Two.\"}]\n");
}

#[test]
fn a_stream_takes_records_and_texts_as_records() {
    let case = Case::new(&[
        ("c.csv", b"url,text\nu,\"One.\nSubscribe\"\n".to_vec()),
        ("d.json", b"{\"x\": 1,\n \"text\":\"One.\\nSubscribe\"}".to_vec()),
        ("a.jsonl", b"\xef\xbb\xbf{\"x\": 1, \"text\":\"One.\\nSubscribe\"}".to_vec()),
        ("b.txt", latin("\u{c9}t\u{e9} \u{e0} l'\u{e9}cole.\nSubscribe\n")),
    ]);
    let source = case.source();
    let mut stream = Vec::new();
    let settings = RewriteSettings { mode: Mode::Clean, digests: None, threads: 2 };
    rewrite(&source, &mut decide(&source).into_iter(), &settings, Target::Stream(&mut stream), &Silent).unwrap();
    assert_eq!(
        String::from_utf8(stream).unwrap(),
        "{\"x\": 1, \"text\":\"One.\\n\"}\n{\"id\":\"b.txt\",\"text\":\"\u{c9}t\u{e9} \u{e0} l'\u{e9}cole.\\n\"}\n\
         {\"id\":\"c.csv:0\",\"url\":\"u\",\"text\":\"One.\\n\"}\n{\"x\": 1,  \"text\":\"One.\\n\"}\n"
    );
}

#[test]
fn what_does_not_fit_together_is_refused_and_leaves_nothing() {
    let case = Case::new(&[("a.txt", b"One.".to_vec()), ("b.txt", b"Two.".to_vec())]);
    let source = case.source();
    type Decisions = Vec<Result<Decision, WriteError>>;
    let attempt = |change: &dyn Fn(&mut Decisions), digests: Option<Vec<u64>>| {
        let mut decisions = decide(&source);
        change(&mut decisions);
        let settings = RewriteSettings { mode: Mode::Clean, digests, threads: 1 };
        let directory = OutputDirectory::create(&case.path("out"), false).unwrap();
        let target = Target::Directory(&directory);
        rewrite(&source, &mut decisions.into_iter(), &settings, target, &Silent).unwrap_err()
    };
    let error = attempt(&|decisions| decisions.swap(0, 1), None);
    assert!(error.to_string().ends_with("found one for `b.txt`, where document `a.txt` was read"), "{error}");
    assert!(matches!(attempt(&|decisions| decisions.truncate(1), None), WriteError::Decisions { .. }));
    let more = decide(&source).pop().unwrap().unwrap();
    assert!(matches!(attempt(&|decisions| decisions.push(Ok(more.clone())), None), WriteError::Decisions { .. }));
    assert!(matches!(attempt(&|_| (), Some(vec![1, 2])), WriteError::Changed { .. }));
    assert!(!case.path("out").exists() && !case.path("out.partial").exists());
}

#[test]
fn a_finished_scan_decides_as_its_tables_say() {
    let case = Case::new(&[("a.txt", b"One.\nSubscribe\n".to_vec()), ("b.txt", b"One.\n".to_vec())]);
    let source = case.source();
    decide(&source);
    let inputs: Vec<crate::output::Input> = source
        .files()
        .iter()
        .zip(source.digests())
        .map(|(file, digest)| crate::output::Input {
            source: file.source.to_string(),
            bytes: file.bytes,
            digest: format!("{digest:016x}"),
        })
        .collect();
    let scan = case.path("scan");
    fs::create_dir(&scan).unwrap();
    let summary = crate::output::Summary {
        retold: "scan".to_owned(),
        schema: crate::output::SCHEMA,
        inputs,
        ..Default::default()
    };
    fs::write(scan.join("summary.json"), serde_json::to_vec(&summary).unwrap()).unwrap();
    let document = |id: &str, keep: bool, similarity: &str| {
        format!(
            "{{\"id\":\"{id}\",\"source\":\"{id}\",\"row\":0,\"words\":1,\"content_words\":1,\"text_hash\":\"\",\
             \"cluster_id\":\"a.txt\",\"cluster_size\":2,\"keep\":{keep},\"role\":\"duplicate\",\
             \"representative\":\"a.txt\",\"similarity\":{similarity},\"relation\":\"near\"}}\n"
        )
    };
    fs::write(scan.join("documents.jsonl"), document("a.txt", true, "null") + &document("b.txt", false, "0.75"))
        .unwrap();
    let block = |kind: &str, removed: bool| {
        format!("{{\"id\":\"a.txt\",\"start\":5,\"end\":14,\"kind\":{kind},\"score\":0.5,\"removed\":{removed}}}\n")
    };
    fs::write(scan.join("blocks.jsonl"), block("null", false) + &block("\"newsletter\"", true)).unwrap();

    let finished = FinishedScan::open(&scan).unwrap();
    let digests = finished.check(&source).unwrap();
    assert_eq!(digests, source.digests());
    let decisions: Vec<Decision> = finished.decisions(|| finished.documents()).unwrap().map(Result::unwrap).collect();
    assert_eq!(decisions[0].removed.len(), 1);
    assert_eq!(decisions[1].dropped.as_ref().unwrap().kept_id.as_deref(), Some("a.txt"));
    let settings = RewriteSettings { mode: Mode::CleanDedup, digests: Some(digests), threads: 1 };
    let directory = OutputDirectory::create(&case.path("out"), false).unwrap();
    let mut decisions = finished.decisions(|| finished.documents()).unwrap();
    rewrite(&source, &mut decisions, &settings, Target::Directory(&directory), &Silent).unwrap();
    directory.commit().unwrap();
    assert_eq!(case.unpacked("out/a.txt"), b"One.\n");

    fs::write(case.path("in/a.txt"), "One.").unwrap();
    let error = finished.check(&case.source()).unwrap_err();
    assert_eq!(error.to_string(), "`a.txt`: has changed since it was judged");
    let other = crate::output::Summary { schema: crate::output::SCHEMA + 1, ..summary };
    fs::write(scan.join("summary.json"), serde_json::to_vec(&other).unwrap()).unwrap();
    assert!(matches!(FinishedScan::open(&scan), Err(WriteError::OtherSchema { .. })));
    fs::write(scan.join("summary.json"), "{}").unwrap();
    assert!(matches!(FinishedScan::open(&scan), Err(WriteError::Table { .. })));
}

#[test]
fn an_output_over_the_input_and_a_copy_with_a_table_s_name_are_refused() {
    let case = Case::new(&[("a.txt", b"One.".to_vec()), ("summary.json", b"{\"retold\": 1}".to_vec())]);
    let source = case.source();
    let settings = RewriteSettings { mode: Mode::Clean, digests: None, threads: 1 };
    let attempt = |source: &Source, target: &str| {
        let directory = OutputDirectory::create(&case.path(target), true).unwrap();
        let target = Target::Directory(&directory);
        rewrite(source, &mut decide(source).into_iter(), &settings, target, &Silent).unwrap_err()
    };
    assert!(matches!(attempt(&source, "in"), WriteError::OverInput { .. }));
    fs::write(case.path("removed.jsonl"), "{\"text\": \"mine\"}").unwrap();
    let named = Source::open(&[case.path("removed.jsonl")], &SourceSettings::default()).unwrap();
    assert!(matches!(attempt(&named, "out"), WriteError::Collision { .. }));
}

#[test]
fn applied_documents_are_the_copies_and_list_the_same() {
    let pages = "{\"id\": \"a\", \"text\": \"One.\\nSubscribe\\n\\nTwo.\"}\n{\"text\": 7}\n\
                 {\"id\": \"b\", \"text\": \"a copy\"}\n{\"id\": \"c\", \"text\": \"Three.\"}\n";
    let case = Case::new(&[("a.jsonl", pages.into()), ("b.txt", b"Subscribe today\nFour.\n".to_vec())]);
    let rewritten = case.rewrite(Mode::CleanDedup, 1).unwrap();
    let source = case.source();
    let mut decisions = decide(&source).into_iter();
    let settings = RewriteSettings { mode: Mode::CleanDedup, digests: Some(source.digests()), threads: 1 };
    let mut texts = Vec::new();
    let tables = apply(&source, &mut decisions, &settings, &Silent, &mut |applied| {
        if applied.keeps {
            texts.push(applied.text.unwrap_or(applied.document.text));
        }
    });
    let tables = tables.unwrap();
    assert_eq!(texts, ["One.\n\nTwo.", "Three.", "Four.\n"]);
    let counts = |of: &Rewritten| (of.documents, of.kept, of.dropped, of.removed, of.text_bytes, of.removed_bytes);
    assert_eq!(counts(&tables.rewritten), counts(&rewritten));
    assert_eq!(tables.rewritten.skipped, rewritten.skipped);
    assert_eq!(String::from_utf8(tables.dropped).unwrap(), fs::read_to_string(case.path("out/dropped.jsonl")).unwrap());
    // Where a block stood in the file is the copies' alone to say.
    let rows = |text: &str| -> Vec<(String, u64, u64, String)> {
        let row = |line: &str| serde_json::from_str::<crate::output::RemovedRow>(line).unwrap();
        text.lines().map(row).map(|row| (row.id, row.start, row.end, row.text)).collect()
    };
    let listed = fs::read_to_string(case.path("out/removed.jsonl")).unwrap();
    assert_eq!(rows(std::str::from_utf8(&tables.removed).unwrap()), rows(&listed));
    assert_eq!(rows(&listed).len(), 2);
}

#[test]
fn what_has_changed_and_what_has_no_copy_are_refused() {
    let case = Case::new(&[("a.txt", b"One.\n".to_vec())]);
    let source = case.source();
    let settings = RewriteSettings { mode: Mode::Clean, digests: Some(vec![7]), threads: 1 };
    let changed = apply(&source, &mut decide(&source).into_iter(), &settings, &Silent, &mut |_| {});
    assert!(matches!(changed.unwrap_err(), WriteError::Changed { .. }));
    let settings = RewriteSettings { mode: Mode::Attributes, digests: None, threads: 1 };
    let lines = apply(&source, &mut decide(&source).into_iter(), &settings, &Silent, &mut |_| {});
    assert!(matches!(lines.unwrap_err(), WriteError::NoLines { .. }));
}
