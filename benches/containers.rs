//! Reading rate of every container, beside that of the library which reads it: what documents cost on top of records.
//!
//! A library's side decodes the same bytes and takes the same fields out of every record, and makes nothing of them; ours
//! is a pass that gives whole documents (id, site, title, date, text), judged by nobody. Both run on one thread. What is
//! found once, before up to three passes, stands beside them: the members of an archive.
//!
//! `cargo bench --bench containers`; with `-- --test` every case runs once. The last group reads the same documents from
//! ten thousand files and from one.

#[path = "../tests/it/support/articles.rs"]
#[allow(dead_code, reason = "tests look at how a page was made")]
mod articles;

use std::fs;
use std::hint::black_box;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use retold::DocumentSource;
use retold::input::{Source, SourceSettings};
use serde::Deserialize;

use articles::{Page, crawl, json_lines};

// The program's allocator, for both sides.
#[cfg(feature = "cli")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const DOCUMENTS: usize = 4000;

/// Finds what there is to read: of an archive, its members.
fn source(path: &Path) -> Source {
    let settings = SourceSettings { temp_dir: std::env::temp_dir(), ..SourceSettings::default() };
    Source::open(&[path.to_owned()], &settings).expect("it was just written")
}

/// Reads all documents; returns how many there are, and the bytes of their texts.
fn documents(source: &Source) -> (usize, usize) {
    let mut pass = source.pass().expect("a pass can begin");
    let (mut count, mut bytes) = (0, 0);
    while let Some(batch) = pass.next_batch().expect("the input is sound") {
        let parsed = batch.parse();
        assert!(parsed.skipped.is_empty(), "{:?}", parsed.skipped);
        count += parsed.documents.len();
        bytes += parsed.documents.iter().map(|document| document.text.len()).sum::<usize>();
    }
    (count, bytes)
}

/// What a library takes out of a record.
#[derive(Deserialize)]
#[allow(dead_code, reason = "taken out, as a document takes it")]
struct Fields {
    id: String,
    site: Option<String>,
    url: Option<String>,
    title: Option<String>,
    date: Option<String>,
    text: String,
}

fn by_serde_json(reader: impl Read) -> (usize, usize) {
    let mut reader = BufReader::with_capacity(1 << 20, reader);
    let (mut count, mut bytes, mut line) = (0, 0, Vec::new());
    while reader.read_until(b'\n', &mut line).expect("it was just written") > 0 {
        let fields: Fields = serde_json::from_slice(&line).expect("it is JSON");
        count += 1;
        bytes += black_box(fields).text.len();
        line.clear();
    }
    (count, bytes)
}

fn by_csv(reader: impl Read) -> (usize, usize) {
    let mut reader = csv::Reader::from_reader(reader);
    let rows = reader.deserialize().map(|row: Result<Fields, _>| black_box(row.expect("it is CSV")).text.len());
    rows.fold((0, 0), |(count, bytes), text| (count + 1, bytes + text))
}

fn as_csv(pages: &[Page]) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["id", "site", "url", "title", "date", "text"]).expect("memory does not fail");
    for page in pages {
        let row = [&page.id, &page.site, &page.url, &page.title, &page.date, &page.text];
        writer.write_record(row).expect("memory does not fail");
    }
    writer.into_inner().expect("memory does not fail")
}

fn as_wet(pages: &[Page]) -> Vec<u8> {
    let record = |page: &Page| {
        format!(
            "WARC/1.0\r\nWARC-Type: conversion\r\nWARC-Record-ID: <{}>\r\nWARC-Target-URI: {}\r\nWARC-Date: {}T00:00:00Z\r\n\
             Content-Type: text/plain\r\nContent-Length: {}\r\n\r\n{}\r\n\r\n",
            page.id,
            page.url,
            page.date,
            page.text.len(),
            page.text
        )
    };
    pages.iter().map(record).collect::<String>().into_bytes()
}

fn by_warc(reader: impl Read) -> (usize, usize) {
    let reader = warc::WarcReader::new(BufReader::with_capacity(1 << 20, reader));
    let (mut count, mut bytes) = (0, 0);
    for record in reader.iter_records() {
        let record = record.expect("it is a web archive");
        let text = std::str::from_utf8(record.body()).expect("it is text").to_owned();
        let url = record.header(warc::WarcHeader::TargetURI).expect("there is one").into_owned();
        let taken = (record.warc_id().to_owned(), url, record.date().to_rfc3339(), text);
        count += 1;
        bytes += black_box(taken).3.len();
    }
    (count, bytes)
}

#[cfg(feature = "parquet")]
mod columns {
    use std::path::Path;
    use std::sync::Arc;

    use parquet::basic::{Compression, ZstdLevel};
    use parquet::column::reader::ColumnReader;
    use parquet::data_type::{ByteArray, ByteArrayType};
    use parquet::file::properties::WriterProperties;
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::file::writer::SerializedFileWriter;
    use parquet::schema::parser::parse_message_type;

    use crate::articles::Page;

    pub fn written(pages: &[Page]) -> Vec<u8> {
        let schema = "message pages { required binary id (STRING); required binary site (STRING);
            required binary url (STRING); required binary title (STRING); required binary date (STRING);
            required binary text (STRING); }";
        let schema = Arc::new(parse_message_type(schema).expect("it is a schema"));
        let properties = WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default())).build();
        let mut writer =
            SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties)).expect("it can be written");
        for pages in pages.chunks(1000) {
            let mut group = writer.next_row_group().expect("it can be written");
            for number in 0..6 {
                let cell = |page: &Page| -> ByteArray {
                    let cells = [&page.id, &page.site, &page.url, &page.title, &page.date, &page.text];
                    cells[number].as_str().into()
                };
                let values: Vec<ByteArray> = pages.iter().map(cell).collect();
                let mut column = group.next_column().expect("it can be written").expect("there are six");
                column.typed::<ByteArrayType>().write_batch(&values, None, None).expect("it can be written");
                column.close().expect("it can be written");
            }
            group.close().expect("it can be written");
        }
        writer.into_inner().expect("it can be written")
    }

    pub fn by_parquet(path: &Path) -> (usize, usize) {
        let file = std::fs::File::open(path).expect("it was just written");
        let reader = SerializedFileReader::new(file).expect("it is Parquet");
        let (mut count, mut bytes) = (0, 0);
        for group in 0..reader.num_row_groups() {
            let group = reader.get_row_group(group).expect("it is Parquet");
            for number in 0..6 {
                let ColumnReader::ByteArrayColumnReader(mut column) =
                    group.get_column_reader(number).expect("it is there")
                else {
                    panic!("a column of texts");
                };
                loop {
                    let mut values = Vec::new();
                    let (rows, _, _) = column.read_records(256, None, None, &mut values).expect("it is Parquet");
                    if rows == 0 {
                        break;
                    }
                    let text = |value: &ByteArray| std::str::from_utf8(value.data()).expect("it is text").to_owned();
                    let texts: Vec<String> = values.iter().map(text).collect();
                    if number == 5 {
                        count += rows;
                        bytes += texts.iter().map(String::len).sum::<usize>();
                    }
                    std::hint::black_box(texts);
                }
            }
        }
        (count, bytes)
    }
}

#[cfg(feature = "arrow")]
mod batches {
    use std::path::Path;
    use std::sync::Arc;

    use arrow_array::cast::AsArray;
    use arrow_array::{ArrayRef, RecordBatch, StringArray};
    use arrow_ipc::CompressionType;
    use arrow_ipc::reader::FileReader;
    use arrow_ipc::writer::{FileWriter, IpcWriteOptions};

    use crate::articles::Page;

    pub fn written(pages: &[Page]) -> Vec<u8> {
        let batch = |pages: &[Page]| {
            let column = |of: fn(&Page) -> &String| -> ArrayRef {
                Arc::new(StringArray::from_iter_values(pages.iter().map(of)))
            };
            RecordBatch::try_from_iter([
                ("id", column(|page| &page.id)),
                ("site", column(|page| &page.site)),
                ("url", column(|page| &page.url)),
                ("title", column(|page| &page.title)),
                ("date", column(|page| &page.date)),
                ("text", column(|page| &page.text)),
            ])
            .expect("columns are of one length")
        };
        let options = IpcWriteOptions::default().try_with_compression(Some(CompressionType::LZ4_FRAME));
        let schema = batch(&pages[..1]).schema();
        let mut writer = FileWriter::try_new_with_options(Vec::new(), &schema, options.expect("it is built in"))
            .expect("it can be written");
        pages.chunks(1000).for_each(|pages| writer.write(&batch(pages)).expect("it can be written"));
        writer.into_inner().expect("it can be written")
    }

    pub fn by_arrow(path: &Path) -> (usize, usize) {
        let file = std::fs::File::open(path).expect("it was just written");
        let (mut count, mut bytes) = (0, 0);
        for batch in FileReader::try_new_buffered(file, None).expect("it is Arrow") {
            let batch = batch.expect("it is Arrow");
            for column in batch.columns() {
                let texts: Vec<String> =
                    column.as_string::<i32>().iter().map(|text| text.expect("none is missing").to_owned()).collect();
                bytes += if std::ptr::eq(column, &batch["text"]) { texts.iter().map(String::len).sum() } else { 0 };
                std::hint::black_box(texts);
            }
            count += batch.num_rows();
        }
        (count, bytes)
    }
}

fn packed_gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).expect("memory does not fail");
    encoder.finish().expect("memory does not fail")
}

fn as_tar(pages: &[Page]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (number, page) in pages.iter().enumerate() {
        let mut header = tar::Header::new_gnu();
        header.set_size(page.text.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, format!("{number}.txt"), page.text.as_bytes()).expect("memory does not fail");
    }
    builder.into_inner().expect("memory does not fail")
}

fn by_tar(path: &Path) -> (usize, usize) {
    let file = BufReader::with_capacity(256 << 10, fs::File::open(path).expect("it was just written"));
    let mut archive = tar::Archive::new(file);
    let (mut count, mut bytes) = (0, 0);
    for entry in archive.entries().expect("it is a tar archive") {
        let (mut entry, mut text) = (entry.expect("it is a tar archive"), String::new());
        let name = entry.path().expect("it has a name").to_string_lossy().into_owned();
        entry.read_to_string(&mut text).expect("it is text");
        count += 1;
        bytes += black_box((name, text)).1.len();
    }
    (count, bytes)
}

fn as_zip(pages: &[Page]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (number, page) in pages.iter().enumerate() {
        let options = zip::write::SimpleFileOptions::default();
        writer.start_file(format!("{number}.txt"), options).expect("memory does not fail");
        writer.write_all(page.text.as_bytes()).expect("memory does not fail");
    }
    writer.finish().expect("memory does not fail").into_inner()
}

fn by_zip(path: &Path) -> (usize, usize) {
    let file = BufReader::with_capacity(256 << 10, fs::File::open(path).expect("it was just written"));
    let mut archive = zip::ZipArchive::new(file).expect("it is a zip archive");
    let (mut count, mut bytes) = (0, 0);
    for number in 0..archive.len() {
        let (mut entry, mut text) = (archive.by_index(number).expect("it is there"), String::new());
        let name = entry.name().expect("it has a name").into_owned();
        entry.read_to_string(&mut text).expect("it is text");
        count += 1;
        bytes += black_box((name, text)).1.len();
    }
    (count, bytes)
}

type Read1 = Box<dyn Fn(&Path) -> (usize, usize)>;

fn opened(path: &Path) -> fs::File {
    fs::File::open(path).expect("it was just written")
}

fn containers(criterion: &mut Criterion) {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let pages = crawl(5, DOCUMENTS, 40);
    let lines = json_lines(&pages).into_bytes();
    let zst = zstd::encode_all(&lines[..], 3).expect("memory does not fail");
    let cases: Vec<(&str, Vec<u8>, Read1)> = vec![
        ("pages.jsonl", lines.clone(), Box::new(|path| by_serde_json(opened(path)))),
        (
            "pages.jsonl.gz",
            packed_gz(&lines),
            Box::new(|path| by_serde_json(flate2::read::MultiGzDecoder::new(BufReader::new(opened(path))))),
        ),
        (
            "pages.jsonl.zst",
            zst,
            Box::new(|path| by_serde_json(zstd::Decoder::new(opened(path)).expect("it is Zstandard"))),
        ),
        ("pages.csv", as_csv(&pages), Box::new(|path| by_csv(opened(path)))),
        ("pages.wet", as_wet(&pages), Box::new(|path| by_warc(opened(path)))),
        #[cfg(feature = "parquet")]
        ("pages.parquet", columns::written(&pages), Box::new(columns::by_parquet)),
        #[cfg(feature = "arrow")]
        ("pages.feather", batches::written(&pages), Box::new(batches::by_arrow)),
        ("pages.tar", as_tar(&pages), Box::new(by_tar)),
        ("pages.zip", as_zip(&pages), Box::new(by_zip)),
    ];
    let mut group = criterion.benchmark_group("containers");
    group.sample_size(20);
    for (name, bytes, library) in cases {
        let path = directory.path().join(name);
        fs::write(&path, bytes).expect("the directory can be written");
        let expected = library(&path);
        assert_eq!(expected.0, DOCUMENTS, "{name}");
        let source = source(&path);
        assert_eq!(documents(&source), expected, "{name}");
        // Of texts: the same bytes in every container.
        group.throughput(Throughput::Bytes(expected.1 as u64));
        group
            .bench_with_input(BenchmarkId::new("library", name), &path, |bencher, path| bencher.iter(|| library(path)));
        group.bench_with_input(BenchmarkId::new("retold", name), &source, |bencher, source| {
            bencher.iter(|| documents(source))
        });
        if matches!(name, "pages.tar" | "pages.zip") {
            group.bench_with_input(BenchmarkId::new("retold finds", name), &path, |bencher, path| {
                bencher.iter(|| black_box(self::source(path)))
            });
        }
    }
    group.finish();
}

fn small_files(criterion: &mut Criterion) {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let files = directory.path().join("files");
    fs::create_dir(&files).expect("the directory can be written");
    let pages = crawl(6, 10_000, 100);
    let mut lines = String::new();
    for (number, page) in pages.iter().enumerate() {
        fs::write(files.join(format!("{number}.txt")), &page.text).expect("the directory can be written");
        lines += &serde_json::json!({ "id": format!("{number}.txt"), "text": page.text }).to_string();
        lines.push('\n');
    }
    let one = directory.path().join("one.jsonl");
    fs::write(&one, lines).expect("the directory can be written");
    let mut group = criterion.benchmark_group("small_files");
    group.sample_size(10);
    for (name, path) in [("10,000 files", &files), ("one file", &one)] {
        let (count, bytes) = documents(&source(path));
        assert_eq!(count, pages.len());
        group.throughput(Throughput::Bytes(bytes as u64));
        group.bench_function(name, |bencher| bencher.iter(|| documents(&source(path))));
    }
    group.finish();
}

criterion_group!(benches, containers, small_files);
criterion_main!(benches);
