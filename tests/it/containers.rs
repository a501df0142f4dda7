//! As somebody with articles in whatever form they came, I want the same answers, and my files back in that form.

use std::collections::HashSet;

use serde_json::Value;

use crate::support::Place;
use crate::support::articles::{Page, crawl, json_lines};

/// Cells of a page: id, site, url, title, date and text.
fn cells(page: &Page) -> [&str; 6] {
    [&page.id, &page.site, &page.url, &page.title, &page.date, &page.text]
}

const COLUMNS: [&str; 6] = ["id", "site", "url", "title", "date", "text"];

fn table(pages: &[Page], delimiter: u8) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
    writer.write_record(COLUMNS).unwrap();
    pages.iter().for_each(|page| writer.write_record(cells(page)).unwrap());
    writer.into_inner().unwrap()
}

fn list(pages: &[Page]) -> String {
    let objects: Vec<Value> = json_lines(pages).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    serde_json::to_string_pretty(&objects).unwrap()
}

#[cfg(feature = "parquet")]
mod stored {
    use std::sync::Arc;

    use parquet::basic::{Compression, ZstdLevel};
    use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
    use parquet::file::metadata::KeyValue;
    use parquet::file::properties::WriterProperties;
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::file::writer::SerializedFileWriter;
    use parquet::record::{Field, RowAccessor};
    use parquet::schema::parser::parse_message_type;

    use super::{Page, cells};

    const SCHEMA: &str = "message pages {
        required binary id (STRING); optional binary site (STRING); optional binary url (STRING);
        optional group words (LIST) { repeated group list { optional int64 element; } }
        optional binary title (STRING); optional binary date (STRING); optional binary text (STRING); }";

    /// Writes pages as Parquet, with a list of numbers in the middle and row groups of 16 rows.
    pub fn parquet(pages: &[Page]) -> Vec<u8> {
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_key_value_metadata(Some(vec![KeyValue::new("made".to_owned(), "by hand".to_owned())]))
            .build();
        let schema = Arc::new(parse_message_type(SCHEMA).unwrap());
        let mut writer = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties)).unwrap();
        for pages in pages.chunks(16) {
            let mut group = writer.next_row_group().unwrap();
            for column in [Some(0), Some(1), Some(2), None, Some(3), Some(4), Some(5)] {
                let mut out = group.next_column().unwrap().unwrap();
                match column {
                    None => {
                        let numbers: Vec<i64> = (0..pages.len() as i64 * 2).collect();
                        let repeated: Vec<i16> = (0..numbers.len()).map(|at| (at % 2) as i16).collect();
                        let levels = vec![3; numbers.len()];
                        out.typed::<Int64Type>().write_batch(&numbers, Some(&levels), Some(&repeated)).unwrap();
                    }
                    Some(column) => {
                        let values: Vec<ByteArray> = pages.iter().map(|page| cells(page)[column].into()).collect();
                        let levels = vec![1; values.len()];
                        let levels = Some(&levels[..]).filter(|_| column > 0);
                        out.typed::<ByteArrayType>().write_batch(&values, levels, None).unwrap();
                    }
                }
                out.close().unwrap();
            }
            group.close().unwrap();
        }
        writer.into_inner().unwrap()
    }

    /// Returns the schema and key-value metadata of a file, and its rows: id, numbers and text.
    pub fn rows(bytes: Vec<u8>) -> (String, Vec<(String, String, String)>) {
        let reader = SerializedFileReader::new(bytes::Bytes::from(bytes)).unwrap();
        let metadata = reader.metadata().file_metadata();
        let schema = format!("{:?} {:?}", metadata.schema(), metadata.key_value_metadata());
        let compressions: Vec<_> =
            reader.metadata().row_groups().iter().map(|group| group.column(0).compression()).collect();
        assert!(compressions.iter().all(|one| matches!(one, Compression::ZSTD(_))));
        let rows = reader.get_row_iter(None).unwrap().map(Result::unwrap);
        let text = |row: &parquet::record::Row, at| row.get_string(at).unwrap().clone();
        let numbers = |row: &parquet::record::Row| match row.get_column_iter().nth(3).unwrap().1 {
            Field::ListInternal(list) => format!("{:?}", list.elements()),
            other => panic!("{other:?}"),
        };
        (schema, rows.map(|row| (text(&row, 0), numbers(&row), text(&row, 6))).collect())
    }
}

/// Returns the same pages in every container that keeps all of their fields.
pub fn containers(pages: &[Page]) -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("pages.jsonl", json_lines(pages).into_bytes()),
        ("pages.csv", table(pages, b',')),
        ("pages.tsv", table(pages, b'\t')),
        ("pages.json", list(pages).into_bytes()),
        #[cfg(feature = "parquet")]
        ("pages.parquet", stored::parquet(pages)),
        #[cfg(feature = "arrow")]
        ("pages.feather", crate::arrow::file(pages)),
        #[cfg(feature = "arrow")]
        ("pages.arrows", crate::arrow::stream(pages, None)),
    ]
}

/// Returns pages as a WET file: a record each, after one that is none.
pub fn wet(pages: &[Page]) -> Vec<u8> {
    let mut out = b"WARC/1.0\r\nWARC-Type: warcinfo\r\nContent-Length: 9\r\n\r\nmade: by\n\r\n\r\n".to_vec();
    for page in pages {
        let header = format!(
            "WARC/1.0\r\nWARC-Type: conversion\r\nWARC-Record-ID: <{}>\r\nWARC-Target-URI: {}\r\nWARC-Date: {}\r\n\
             Content-Type: text/plain\r\nContent-Length: {}\r\n\r\n",
            page.id,
            page.url,
            page.date,
            page.text.len()
        );
        out.extend([header.as_bytes(), page.text.as_bytes(), b"\r\n\r\n"].concat());
    }
    out
}

/// Returns the pages as their servers sent them.
#[cfg(feature = "html")]
pub fn warc(pages: &[Page]) -> Vec<u8> {
    use std::io::Write;
    let mut out = Vec::new();
    for page in pages {
        let html = format!("<title>{}</title><body>{}", page.title, page.text.replace('\n', "<br>"));
        let block = format!("HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{html}");
        let record = format!(
            "WARC/1.0\r\nWARC-Type: response\r\nWARC-Record-ID: <{}>\r\nWARC-Target-URI: {}\r\nWARC-Date: {}\r\n\
             Content-Type: application/http; msgtype=response\r\nContent-Length: {}\r\n\r\n{block}\r\n\r\n",
            page.id,
            page.url,
            page.date,
            block.len()
        );
        let mut member = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        member.write_all(record.as_bytes()).unwrap();
        out.extend(member.finish().unwrap());
    }
    out
}

/// Returns a table's rows, without the name of the file.
fn told(place: &Place, path: &str) -> Vec<Value> {
    let mut rows = place.rows(path);
    rows.iter_mut().for_each(|row| {
        row.as_object_mut().unwrap().remove("source");
    });
    rows
}

#[test]
fn every_container_gives_the_same_tables() {
    let place = Place::new();
    let pages = crawl(51, 48, 4);
    let mut expected: Option<Vec<Vec<Value>>> = None;
    for (name, bytes) in containers(&pages) {
        let out = format!("{name}.out");
        place.file(name, bytes).run(["scan", name, "-o", &out]).ends_with(0).prints("48 documents");
        let tables = ["documents", "blocks", "pairs", "clusters", "headlines"];
        let found: Vec<Vec<Value>> = tables.iter().map(|table| told(&place, &format!("{out}/{table}.jsonl"))).collect();
        assert!(found.iter().all(|table| !table.is_empty()), "{name}");
        match &expected {
            None => expected = Some(found),
            Some(expected) => assert_eq!(&found, expected, "{name}"),
        }
    }
}

/// Returns id and text of every record of a copy.
fn texts(place: &Place, path: &str) -> Vec<(String, String)> {
    let of = |row: &Value| (row["id"].as_str().unwrap().to_owned(), row["text"].as_str().unwrap().to_owned());
    let delimiter = if path.ends_with("tsv") { b'\t' } else { b',' };
    match path.rsplit('.').next().unwrap() {
        "jsonl" => place.rows(path).iter().map(of).collect(),
        "json" => place.json(path).as_array().unwrap().iter().map(of).collect(),
        #[cfg(feature = "parquet")]
        "parquet" => stored::rows(place.read(path)).1.into_iter().map(|(id, _, text)| (id, text)).collect(),
        #[cfg(feature = "arrow")]
        "feather" | "arrows" => crate::arrow::texts(&place.read(path)),
        _ => {
            let bytes = place.read(path);
            let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).from_reader(&bytes[..]);
            reader.records().map(Result::unwrap).map(|row| (row[0].to_owned(), row[5].to_owned())).collect()
        }
    }
}

#[test]
fn copies_are_written_in_the_container_that_was_read() {
    let place = Place::new();
    let pages = crawl(52, 48, 4);
    let mut expected: Option<[Vec<(String, String)>; 2]> = None;
    for (name, bytes) in containers(&pages) {
        place.file(name, bytes);
        let [clean, unique, found] = ["clean", "unique", "found"].map(|what| format!("{name}.{what}"));
        place.run(["clean", name, "-o", &clean, "--threads", "2"]).ends_with(0).prints("taken out");
        place.run(["scan", name, "-o", &found]).ends_with(0);
        place.run(["dedup", "--from", &found, "-o", &unique]).ends_with(0);
        let copies = [texts(&place, &format!("{clean}/{name}")), texts(&place, &format!("{unique}/{name}"))];
        assert!(copies[1].len() < pages.len(), "{name}: copies were planted");
        match &expected {
            None => expected = Some(copies),
            Some(expected) => assert_eq!(&copies, expected, "{name}"),
        }
        let again = format!("{name}.again");
        let restored = place.run(["clean", "--restore", &clean, "-o", &again]);
        if ["parquet", "feather", "arrows"].iter().any(|suffix| name.ends_with(suffix)) {
            restored.ends_with(2).tells(name).tells("written anew");
        } else {
            restored.ends_with(0);
            assert!(place.read(&format!("{again}/{name}")) == place.read(name), "{name}");
        }
    }
}

#[cfg(feature = "parquet")]
#[test]
fn a_copy_of_a_parquet_file_keeps_schema_metadata_and_other_columns() {
    let place = Place::new();
    let pages = crawl(53, 40, 4);
    place.file("pages.parquet", stored::parquet(&pages));
    place.run(["clean", "pages.parquet", "--dedup", "-o", "out"]).ends_with(0);
    let (schema, before) = stored::rows(place.read("pages.parquet"));
    let (same_schema, after) = stored::rows(place.read("out/pages.parquet"));
    assert_eq!(schema, same_schema);
    let dropped: HashSet<u64> =
        place.rows("out/dropped.jsonl").iter().map(|row| row["row"].as_u64().unwrap()).collect();
    let kept = (0..).zip(&before).filter(|(row, _)| !dropped.contains(row)).map(|(_, row)| (&row.0, &row.1));
    assert_eq!(kept.collect::<Vec<_>>(), after.iter().map(|row| (&row.0, &row.1)).collect::<Vec<_>>());
    assert!(!dropped.is_empty() && after.iter().zip(&before).any(|(after, before)| after.2 != before.2));
}

#[cfg(feature = "parquet")]
#[test]
fn parquet_files_that_lie_are_skipped_and_told() {
    let place = Place::new();
    let whole = stored::parquet(&crawl(54, 40, 4));
    place.file("crawl/cut.parquet", &whole[..whole.len() / 2]).file("crawl/whole.parquet", &whole);
    place.file("crawl/not.parquet", b"PAR1 this is no such file, though it begins and ends as one PAR1");
    let mut footer = whole.clone();
    let length = footer.len() - 8;
    footer[length..length + 4].copy_from_slice(&u32::MAX.to_le_bytes());
    place.file("crawl/footer.parquet", footer);
    let mut page = whole;
    page[100..200].fill(0xff);
    place.file("crawl/page.parquet", page);
    let outcome = place.run(["scan", "crawl", "-o", "out", "--threads", "2"]).ends_with(1);
    assert!(!outcome.stderr.contains("panicked"), "{}", outcome.stderr);
    let skipped = place.rows("out/skipped.jsonl");
    let told: Vec<_> = skipped.iter().map(|row| row["source"].as_str().unwrap()).collect();
    assert_eq!(told, ["cut.parquet", "footer.parquet", "not.parquet", "page.parquet"]);
    place.run(["clean", "crawl", "-o", "clean"]).ends_with(1);
    assert_eq!(stored::rows(place.read("clean/whole.parquet")).1.len(), 40);
}

#[test]
fn a_table_without_a_column_of_texts_is_one_skip_that_names_its_columns() {
    let place = Place::new();
    place.file("crawl/a.csv", "key,words\n1,One story.\n2,Another story.\n").file("crawl/b.txt", "A story.\n");
    place.run(["scan", "crawl", "-o", "out"]).ends_with(1).tells("expected a column `text`").tells("`key`, `words`");
    assert_eq!(place.rows("out/skipped.jsonl").len(), 1);
    place.run(["scan", "crawl/a.csv", "--text-field", "words"]).ends_with(0).prints("2 documents");
}

#[test]
fn a_stray_zero_hides_no_missing_column() {
    let place = Place::new();
    place.file("crawl/a.csv", "key,words\n1,One \0story.\n").file("crawl/b.csv", "k\0ey,words\n1,One story.\n");
    place.file("crawl/c.txt", "A story.\n").run(["scan", "crawl", "-o", "out"]).ends_with(1).prints("1 document");
    let skipped = place.rows("out/skipped.jsonl");
    let told: Vec<_> = skipped.iter().map(|row| row["reason"].as_str().unwrap()).collect();
    assert!(told[0].starts_with("expected a column `text` in its first row, found `key`, `words`"), "{}", told[0]);
    assert!(told[1].contains("found binary data"), "{}", told[1]);
}

#[test]
fn rows_that_do_not_parse_are_told_by_line() {
    let place = Place::new();
    place.file(
        "crawl.csv",
        "id,text\n1,\"One story\nof two lines.\"\n2,Another,story\n3,\"A third \"story\" of, more\n4,fine\n",
    );
    place.run(["scan", "crawl.csv", "-o", "out"]).ends_with(1).prints("2 documents").tells("line 4: expected 2 cells");
    let skipped = place.rows("out/skipped.jsonl");
    let told: Vec<_> = skipped.iter().map(|row| (row["row"].as_u64().unwrap(), row["raw"].as_str().unwrap())).collect();
    assert_eq!(told, [(1, "2,Another,story"), (2, "3,\"A third \"story\" of, more")]);
}

#[test]
fn the_text_of_a_crawl_is_cleaned_into_records_of_the_same_form() {
    let place = Place::new();
    let pages = crawl(55, 40, 4);
    place.file("crawl.wet", wet(&pages)).file("crawl.jsonl", json_lines(&pages));
    place.run(["clean", "crawl.wet", "-o", "clean"]).ends_with(0).prints("40 of 40 documents");
    place.run(["scan", "crawl.wet", "-o", "wet"]).ends_with(0);
    let expected: Vec<_> = pages.iter().map(|page| (page.id.clone(), page.url.clone(), page.date.clone())).collect();
    let rows = place.rows("wet/documents.jsonl");
    let text = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
    assert_eq!(
        rows.iter().map(|row| (text(row, "id"), text(row, "url"), text(row, "date"))).collect::<Vec<_>>(),
        expected
    );
    // What was cleaned is clean, and is read as what it was.
    place.run(["scan", "clean/crawl.wet", "-o", "again"]).ends_with(0);
    let again = place.rows("again/documents.jsonl");
    assert_eq!(
        again.iter().map(|row| text(row, "id")).collect::<Vec<_>>(),
        rows.iter().map(|row| text(row, "id")).collect::<Vec<_>>()
    );
    let words = |rows: &[Value], name: &str| rows.iter().map(|row| row[name].as_u64().unwrap()).sum::<u64>();
    assert!(words(&again, "words") < words(&rows, "words"));
    place.run(["clean", "--restore", "clean", "-o", "back"]).ends_with(2).tells("crawl.wet").tells("only original");
    place.run(["dedup", "--from", "wet", "-o", "unique"]).ends_with(0);
    assert!(place.read("unique/crawl.wet").len() < place.read("crawl.wet").len());
}

#[cfg(feature = "html")]
#[test]
fn pages_as_fetched_are_cleaned_into_their_text() {
    let place = Place::new();
    let pages = crawl(56, 24, 3);
    place.file("crawl/a.warc.gz", warc(&pages[..12]));
    for page in &pages[12..] {
        let html = page.text.lines().map(|line| format!("<p>{line}</p>\n")).collect::<String>();
        let head = format!("<title>{}</title><link rel=\"canonical\" href=\"{}\">", page.title, page.url);
        place.file(
            &format!("crawl/{}.html", page.id.replace('/', "-")),
            format!("<html><head>{head}</head><body>{html}"),
        );
    }
    place.run(["scan", "crawl", "-o", "found"]).ends_with(0).prints("24 documents");
    let rows = place.rows("found/documents.jsonl");
    assert_eq!(rows.iter().filter(|row| row["url"].is_null() || row["site"].is_null()).count(), 0);
    assert_eq!(rows.iter().filter(|row| row["headline_source"] == "title").count(), 24);
    place.run(["clean", "--from", "found", "-o", "clean"]).ends_with(0);
    let tree = place.tree("clean");
    assert!(tree.contains(&"a.warc.wet.gz".to_owned()), "{tree:?}");
    assert_eq!(tree.iter().filter(|name| name.ends_with(".html.txt")).count(), 12, "{tree:?}");
    place.run(["scan", "clean/a.warc.wet.gz"]).ends_with(0).prints("12 documents");
    place.run(["clean", "crawl", "-o", "-"]).ends_with(0).prints("\"url\":");
}

#[test]
fn packed_files_of_every_kind_are_read_and_written() {
    let place = Place::new();
    let pages = crawl(57, 30, 3);
    let lines = json_lines(&pages);
    place.file("crawl/a.jsonl", &lines).file("crawl/b.jsonl", &lines).file("crawl/c.jsonl", &lines);
    let packed = place.shell("bzip2 -k crawl/a.jsonl && xz -k crawl/b.jsonl && rm crawl/[ab].jsonl");
    if packed.status != 0 {
        // Where those programs are missing, what we pack ourselves is tested beside the code.
        return;
    }
    place.run(["clean", "crawl", "-o", "clean"]).ends_with(0).prints("90 of 90 documents");
    place.shell("bzip2 -dc clean/a.jsonl.bz2 > a && xz -dc clean/b.jsonl.xz > b").ends_with(0);
    assert!(place.read("a") == place.read("clean/c.jsonl") && place.read("b") == place.read("clean/c.jsonl"));
    place.run(["clean", "--restore", "clean", "-o", "again"]).ends_with(0);
    place.shell("xz -dc again/b.jsonl.xz > b").ends_with(0);
    assert!(place.read("b") == lines.as_bytes());
}

#[test]
fn threads_and_memory_change_no_byte_of_any_container() {
    let place = Place::new();
    let pages = crawl(58, 60, 4);
    for (name, bytes) in containers(&pages) {
        place.file(&format!("crawl/{name}"), bytes);
    }
    place.file("crawl/pages.wet", wet(&pages));
    place.run(["clean", "crawl", "--dedup", "--max-removed", "1", "-o", "one", "--threads", "1"]).ends_with(0);
    let many = ["--threads", "8", "--memory", "64M", "-o", "many"];
    place.run(["clean", "crawl", "--dedup", "--max-removed", "1"].into_iter().chain(many)).ends_with(0);
    for name in place.tree("one").iter().filter(|name| *name != "summary.json") {
        assert!(place.read(&format!("one/{name}")) == place.read(&format!("many/{name}")), "{name}");
    }
}

#[test]
fn inputs_may_be_listed_in_a_file() {
    let place = Place::new();
    place
        .file("crawl/a.txt", "One story.\n")
        .file("crawl/b.txt", "Another.\n")
        .file("list", "crawl/a.txt\n\ncrawl/b.txt\n");
    place.run(["scan", "--files-from", "list"]).ends_with(0).prints("2 documents");
    place.shell("find crawl -name 'b*' | retold scan --files-from -").ends_with(0).prints("1 document");
    place.file("empty", "\n").run(["scan", "--files-from", "empty"]).ends_with(2).tells("lists no input");
    place.run(["scan", "--files-from", "none"]).ends_with(2).tells("`none` could not be read");
}

#[test]
fn records_made_to_mislead_cost_themselves_alone() {
    let place = Place::new();
    let deep = format!("{{\"id\":\"deep\",\"text\":\"x\",\"more\":{}1{}}}", "[".repeat(10_000), "]".repeat(10_000));
    let numbers = format!("{{\"id\":{},\"text\":\"One story.\"}}", "9".repeat(5000));
    place
        .file("crawl/a.jsonl", format!("{deep}\n{numbers}\n"))
        .file("crawl/b.json", format!("[{deep},{{\"text\":\"Two.\"}}]"));
    let lies = "WARC/1.0\r\nWARC-Type: conversion\r\nContent-Length: 99999999999999999999\r\n\r\nlies\r\n\r\n\
                WARC/1.0\r\nWARC-Type: conversion\r\nContent-Length: 4000000000\r\n\r\nlies\r\n\r\n\
                WARC/1.0\r\nWARC-Type: conversion\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n\r\nThree.\r\n\r\n";
    place.file("crawl/c.wet", lies).file("crawl/d.csv", "text\n\"Four.\"\n\"open and never closed\n");
    let outcome = place.run(["scan", "crawl", "-o", "out"]).ends_with(1);
    assert!(!outcome.stderr.contains("panicked"), "{}", outcome.stderr);
    let rows = place.rows("out/documents.jsonl");
    let read: Vec<_> = rows.iter().map(|row| row["source"].as_str().unwrap()).collect();
    // Depth alone is no harm: what is not needed is not built.
    assert_eq!(read, ["a.jsonl", "a.jsonl", "b.json", "b.json", "c.wet", "d.csv", "d.csv"]);
    let skipped = place.rows("out/skipped.jsonl");
    let told: Vec<_> = skipped.iter().map(|row| row["source"].as_str().unwrap()).collect();
    assert_eq!(told, ["c.wet", "c.wet"]);
}

#[test]
fn ids_and_addresses_never_name_a_place_to_write_to() {
    let place = Place::new();
    place.file("crawl.jsonl", "{\"id\":\"../../x\",\"text\":\"One.\"}\n{\"id\":\"/etc/x\\u0000\",\"text\":\"Two.\"}\n");
    place.run(["clean", "crawl.jsonl", "-o", "out"]).ends_with(0);
    assert_eq!(place.tree("out"), ["crawl.jsonl", "removed.jsonl", "skipped.jsonl", "summary.json"]);
}
