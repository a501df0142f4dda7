//! As somebody whose crawl came as archives, I want their members read as files are, and nothing written where it should not be.

use std::io::{Cursor, Write};

use serde_json::Value;
use zip::CompressionMethod;
use zip::write::SimpleFileOptions;

use crate::support::Place;
use crate::support::articles::{Page, crawl, json_lines};

/// Members of an archive, by name.
pub type Members = Vec<(String, Vec<u8>)>;

/// Returns pages as the members of an archive: lines of JSON, one packed again, and texts.
pub fn members(pages: &[Page]) -> Members {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(json_lines(&pages[10..20]).as_bytes()).unwrap();
    let mut members = vec![
        ("part/a.jsonl".to_owned(), json_lines(&pages[..10]).into_bytes()),
        ("part/b.jsonl.gz".to_owned(), packed.finish().unwrap()),
    ];
    members.extend(
        pages[20..].iter().map(|page| (format!("texts/{}.txt", page.id.replace('/', "-")), page.text.clone().into())),
    );
    members
}

fn zip(members: &Members, method: CompressionMethod) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(method);
    writer.add_directory("part/", options).unwrap();
    for (name, bytes) in members {
        writer.start_file(name.as_str(), options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn tar(members: &Members) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        if name.contains("..") || name.starts_with('/') {
            // What no honest writer writes.
            header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
            header.set_cksum();
            builder.append(&header, &bytes[..]).unwrap();
        } else {
            builder.append_data(&mut header, name, &bytes[..]).unwrap();
        }
    }
    builder.into_inner().unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Returns the same members in every kind of archive.
pub fn archives(members: &Members) -> Vec<(&'static str, Vec<u8>)> {
    let tar = tar(members);
    vec![
        ("crawl.zip", zip(members, CompressionMethod::Deflated)),
        ("stored.zip", zip(members, CompressionMethod::Stored)),
        ("zstd.zip", zip(members, CompressionMethod::Zstd)),
        ("crawl.tar.gz", gzip(&tar)),
        ("crawl.tgz", gzip(&tar)),
        ("crawl.tar.zst", zstd::encode_all(&tar[..], 1).unwrap()),
        ("crawl.tar", tar),
    ]
}

/// Returns the rows of a table, with the names of their files without that of the archive.
fn rows(place: &Place, path: &str, archive: &str) -> Vec<Value> {
    let text = place.text(path).replace(&format!("{archive}!"), "").replace(&format!("{archive}/"), "");
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn members_are_read_as_the_files_that_they_are() {
    let place = Place::new();
    let members = members(&crawl(81, 48, 4));
    for (name, bytes) in &members {
        place.file(&format!("crawl/{name}"), bytes);
    }
    let tables = ["documents", "blocks", "pairs", "clusters"];
    place.run(["scan", "crawl", "-o", "found"]).ends_with(0).prints("48 documents");
    let expected = tables.map(|table| rows(&place, &format!("found/{table}.jsonl"), "none"));
    for (name, bytes) in archives(&members) {
        let out = format!("{name}.out");
        place.file(name, bytes).run(["scan", name, "-o", &out, "--threads", "2"]).ends_with(0).prints("48 documents");
        let found = tables.map(|table| rows(&place, &format!("{out}/{table}.jsonl"), name));
        assert!(found == expected, "{name}");
        let first = &place.rows(&format!("{out}/documents.jsonl"))[0];
        assert_eq!(first["source"], format!("{name}!part/a.jsonl"));
    }
}

#[test]
fn copies_of_members_are_files_in_a_directory_of_the_archive_s_name_and_can_be_put_back() {
    let place = Place::new();
    let members = members(&crawl(82, 48, 4));
    for (name, bytes) in &members {
        place.file(&format!("crawl/{name}"), bytes);
    }
    place.run(["clean", "crawl", "-o", "clean"]).ends_with(0);
    place.run(["scan", "crawl", "-o", "found"]).ends_with(0);
    place.run(["dedup", "--from", "found", "-o", "unique"]).ends_with(0);
    std::fs::create_dir(place.path("archives")).unwrap();
    for (name, bytes) in archives(&members) {
        place.file(&format!("archives/{name}"), bytes);
        let archive = format!("archives/{name}");
        let [clean, found, unique, again] = ["clean", "found", "unique", "again"].map(|what| format!("{name}.{what}"));
        place.run(["clean", &archive, "-o", &clean]).ends_with(0);
        place.run(["scan", &archive, "-o", &found]).ends_with(0);
        place.run(["dedup", "--from", &found, "-o", &unique]).ends_with(0);
        place.run(["clean", "--restore", &clean, "-o", &again]).ends_with(0);
        for (member, bytes) in &members {
            assert!(
                place.read(&format!("{clean}/{name}/{member}")) == place.read(&format!("clean/{member}")),
                "{member}"
            );
            let kept = std::fs::read(place.path(format!("unique/{member}"))).ok();
            assert!(std::fs::read(place.path(format!("{unique}/{name}/{member}"))).ok() == kept, "{member}");
            if !member.ends_with(".gz") {
                assert!(place.read(&format!("{again}/{name}/{member}")) == *bytes, "{member}");
            }
        }
    }
    place.run(["scan", "archives"]).ends_with(0).prints("336 documents");
}

#[test]
fn patterns_choose_members_and_what_is_no_text_is_left_out() {
    let place = Place::new();
    let text = |name: &str| (name.to_owned(), b"A story of the harbor.\n".to_vec());
    let members: Members =
        ["a/one.txt", "b/two.md", "b/.hidden.txt", "__MACOSX/one.txt", "c/picture.jpg", "inner.zip"].map(text).into();
    place.file("crawl/x.zip", zip(&members, CompressionMethod::Deflated)).file("crawl/y.txt", "Another story.\n");
    let scan = place.run(["scan", "crawl", "-o", "all"]).ends_with(0).prints("3 documents");
    scan.tells("left out 2 hidden files").tells("1 `.jpg`, 1 `.zip`");
    let of = |glob: &str, out: &str| -> Vec<String> {
        place.run(["scan", "crawl", "--glob", glob, "-o", out]).ends_with(0);
        let rows = place.rows(&format!("{out}/documents.jsonl"));
        rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(of("*.txt", "texts"), ["x.zip!a/one.txt", "y.txt"]);
    assert_eq!(of("!b/", "without"), ["x.zip!a/one.txt", "y.txt"]);
    assert_eq!(of("!*.zip", "plain"), ["y.txt"]);
    place.run(["scan", "crawl/x.zip", "--site-from-dir", "-o", "sites"]).ends_with(0);
    let sites = place.rows("sites/documents.jsonl");
    assert_eq!(sites.iter().map(|row| row["site"].as_str().unwrap()).collect::<Vec<_>>(), ["a", "b"]);
}

#[test]
fn a_name_that_leads_elsewhere_is_told_and_never_written() {
    let text = |name: &str| (name.to_owned(), b"A story of the harbor.\n".to_vec());
    let names = ["good.txt", "../outside.txt", "a/../../outside.txt", "/tmp/retold-outside.txt", "good.txt/b.txt"];
    let members: Members = names.map(text).into();
    for (name, bytes) in archives(&members) {
        let place = Place::new();
        std::fs::create_dir(place.path("work")).unwrap();
        place.file(&format!("work/{name}"), bytes);
        let archive = format!("work/{name}");
        let outcome = place.run(["clean", &archive, "-o", "work/clean"]).ends_with(1).prints("1 of 1 document");
        assert!(outcome.stderr.contains("does not stay inside the archive"), "{}", outcome.stderr);
        let mut expected = vec![format!("clean/{name}/good.txt"), name.to_owned()];
        expected.extend(["removed.jsonl", "skipped.jsonl", "summary.json"].map(|table| format!("clean/{table}")));
        expected.sort();
        assert_eq!(place.tree("work"), expected);
        assert_eq!(place.tree("").len(), expected.len(), "something was written elsewhere");
        let skipped = place.rows("work/clean/skipped.jsonl");
        assert_eq!(skipped.len(), 4, "{skipped:?}");
    }
    assert!(!std::path::Path::new("/tmp/retold-outside.txt").exists());
}

#[test]
fn damaged_archives_cost_what_cannot_be_read() {
    let place = Place::new();
    let members = members(&crawl(83, 24, 3));
    for (name, bytes) in archives(&members) {
        place.file(&format!("cut/{name}"), &bytes[..bytes.len() / 2]);
        let mut flipped = bytes;
        let middle = flipped.len() / 2;
        flipped[middle..middle + 64].iter_mut().for_each(|byte| *byte ^= 0x5a);
        place.file(&format!("flipped/{name}"), flipped);
    }
    place.file("cut/none.zip", "no archive at all").file("cut/empty.tar", "").file("cut/good.txt", "A story.\n");
    place.file("flipped/good.txt", "A story.\n");
    for directory in ["cut", "flipped"] {
        let outcome = place.run(["clean", directory, "-o", &format!("{directory}.out")]).ends_with(1);
        assert!(!outcome.stderr.contains("panicked"), "{}", outcome.stderr);
        assert!(place.path(format!("{directory}.out/good.txt")).exists());
    }
    place.run(["scan", "cut"]).ends_with(1).tells("left out 1 archive without a file");
    let skipped = place.text("cut.out/skipped.jsonl");
    assert!(skipped.contains("none.zip") && skipped.contains("crawl.zip"), "{skipped}");
    let skipped = place.text("flipped.out/skipped.jsonl");
    assert!(skipped.contains("crawl.zip!") && skipped.contains("stored.zip!"), "{skipped}");
}

#[test]
fn a_member_that_unpacks_without_end_costs_itself_alone() {
    let place = Place::new();
    let members: Members = vec![
        ("bomb.jsonl".to_owned(), vec![b' '; 132 << 20]),
        ("bomb.txt".to_owned(), vec![b' '; 132 << 20]),
        ("good.txt".to_owned(), b"A story of the harbor.\n".to_vec()),
    ];
    place.file("crawl.zip", zip(&members, CompressionMethod::Deflated));
    place.file("crawl.tar.zst", zstd::encode_all(&tar(&members)[..], 1).unwrap());
    for name in ["crawl.zip", "crawl.tar.zst"] {
        place
            .run(["scan", name])
            .ends_with(1)
            .prints("1 document")
            .tells("bomb.jsonl")
            .tells("bomb.txt")
            .tells("200 times");
    }
}

#[test]
fn nothing_is_left_of_what_was_unpacked() {
    let place = Place::new();
    std::fs::create_dir(place.path("scratch")).unwrap();
    place.file("crawl.tar.gz", gzip(&tar(&members(&crawl(84, 24, 3)))));
    place.run(["scan", "crawl.tar.gz", "--temp-dir", "scratch"]).ends_with(0).prints("24 documents");
    assert_eq!(place.tree("scratch"), [""; 0]);
}

#[cfg(feature = "parquet")]
#[test]
fn tables_with_columns_are_read_from_archives_too() {
    let place = Place::new();
    place.file("crawl.jsonl", json_lines(&crawl(85, 24, 3)));
    place.run(["scan", "crawl.jsonl", "-o", "found", "--tables", "parquet"]).ends_with(0);
    let members: Members = vec![("documents.parquet".to_owned(), place.read("found/documents.parquet"))];
    for (name, bytes) in archives(&members) {
        place.file(name, bytes);
        place.run(["scan", name, "--text-field", "headline"]).ends_with(0).prints("24 documents");
    }
}

#[test]
fn the_xml_that_trafilatura_writes_is_read_and_other_xml_is_left_out() {
    let place = Place::new();
    let plain = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<doc title=\"A bridge\" date=\"2024-05-01\" \
        source=\"https://www.news.example/a\"><main><head>A bridge</head><p>It was &lt;closed&gt; on Monday.</p></main></doc>";
    let tei = "<TEI xmlns=\"http://www.tei-c.org/ns/1.0\"><teiHeader><title type=\"main\">A tunnel</title></teiHeader>\
        <text><body><p>It was opened.</p></body></text></TEI>";
    place.file("crawl/a.xml", plain).file("crawl/b.xml.gz", gzip(tei.as_bytes()));
    place.file("crawl/feed.xml", "<?xml version=\"1.0\"?><rss><channel><title>News</title></channel></rss>");
    place.run(["scan", "crawl", "-o", "out"]).ends_with(0).prints("2 documents").tells("1 `.xml`");
    let rows = place.rows("out/documents.jsonl");
    assert_eq!((&rows[0]["headline"], &rows[0]["site"]), (&"A bridge".into(), &"news.example".into()));
    assert_eq!((&rows[1]["headline"], &rows[1]["words"]), (&"A tunnel".into(), &3.into()));
    place.run(["clean", "crawl", "--max-removed", "1", "-o", "clean"]).ends_with(0);
    assert!(place.text("clean/a.xml.txt").contains("It was <closed> on Monday."), "{:?}", place.tree("clean"));
    place.run(["clean", "--restore", "clean", "-o", "again"]).ends_with(2).tells("only original");
    place.file("crawl/c.xml", "<doc><p>torn");
    place.run(["scan", "crawl"]).ends_with(1).tells("c.xml`: broken XML");
}
