//! As somebody whose tables are Arrow in memory, I want to hand over the files that Feather and `write_ipc` make of them,
//! and to have them back in that form.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::builder::{Int64Builder, ListBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use arrow_array::{
    ArrayRef, DictionaryArray, LargeStringArray, RecordBatch, StringArray, StringViewArray, StructArray,
};
use arrow_ipc::CompressionType;
use arrow_ipc::reader::{FileReader, StreamReader};
use arrow_ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};
use arrow_schema::Schema;

use crate::support::Place;
use crate::support::articles::{Page, crawl};

/// Returns pages as record batches of 16 rows: sites as a dictionary, a list of numbers, and texts with long offsets.
fn batches(pages: &[Page]) -> (Arc<Schema>, Vec<RecordBatch>) {
    let all_sites: Vec<&str> = pages.iter().map(|page| page.site.as_str()).collect();
    let sites: DictionaryArray<Int32Type> = all_sites.iter().copied().collect();
    let batches: Vec<RecordBatch> = pages
        .chunks(16)
        .enumerate()
        .map(|(number, pages)| {
            let column = |of: fn(&Page) -> &str| pages.iter().map(of).map(Some).collect::<Vec<_>>();
            let mut numbers = ListBuilder::new(Int64Builder::new());
            (0..pages.len() as i64).for_each(|at| numbers.append_value([Some(at), None]));
            let columns: [(&str, ArrayRef); 7] = [
                ("id", Arc::new(StringArray::from(column(|page| &page.id)))),
                ("site", Arc::new(sites.slice(number * 16, pages.len()))),
                ("numbers", Arc::new(numbers.finish())),
                ("url", Arc::new(StringViewArray::from(column(|page| &page.url)))),
                ("title", Arc::new(StringArray::from(column(|page| &page.title)))),
                ("date", Arc::new(StringArray::from(column(|page| &page.date)))),
                ("text", Arc::new(LargeStringArray::from(column(|page| &page.text)))),
            ];
            RecordBatch::try_from_iter(columns).unwrap()
        })
        .collect();
    let made = HashMap::from([("made".to_owned(), "by hand".to_owned())]);
    let schema = Arc::new(batches[0].schema().as_ref().clone().with_metadata(made));
    let batches = batches.into_iter().map(|batch| batch.with_schema(schema.clone()).unwrap()).collect();
    (schema, batches)
}

/// Writes pages as a file, packed by LZ4, as Feather is by default.
pub fn file(pages: &[Page]) -> Vec<u8> {
    let (schema, batches) = batches(pages);
    let options = IpcWriteOptions::default().try_with_compression(Some(CompressionType::LZ4_FRAME)).unwrap();
    let mut writer = FileWriter::try_new_with_options(Vec::new(), &schema, options).unwrap();
    batches.iter().for_each(|batch| writer.write(batch).unwrap());
    writer.write_metadata("footer", "kept");
    writer.into_inner().unwrap()
}

/// Writes pages as a stream.
pub fn stream(pages: &[Page], compression: Option<CompressionType>) -> Vec<u8> {
    let (schema, batches) = batches(pages);
    let options = IpcWriteOptions::default().try_with_compression(compression).unwrap();
    let mut writer = StreamWriter::try_new_with_options(Vec::new(), &schema, options).unwrap();
    batches.iter().for_each(|batch| writer.write(batch).unwrap());
    writer.into_inner().unwrap()
}

fn read(bytes: &[u8]) -> (Arc<Schema>, Vec<RecordBatch>) {
    if bytes.starts_with(b"ARROW1") {
        let reader = FileReader::try_new(std::io::Cursor::new(bytes), None).unwrap();
        (reader.schema(), reader.map(Result::unwrap).collect())
    } else {
        let reader = StreamReader::try_new(bytes, None).unwrap();
        (reader.schema(), reader.map(Result::unwrap).collect())
    }
}

/// Returns id and text of every row.
pub fn texts(bytes: &[u8]) -> Vec<(String, String)> {
    let rows = |batch: &RecordBatch| {
        let (ids, texts) = (batch["id"].as_string::<i32>().clone(), batch["text"].as_string::<i64>().clone());
        (0..batch.num_rows())
            .map(move |row| (ids.value(row).to_owned(), texts.value(row).to_owned()))
            .collect::<Vec<_>>()
    };
    read(bytes).1.iter().flat_map(rows).collect()
}

#[test]
fn a_copy_keeps_form_schema_metadata_compression_and_other_columns() {
    let place = Place::new();
    let pages = crawl(61, 40, 4);
    let forms = [
        ("pages.feather", file(&pages)),
        ("pages.arrow", stream(&pages, Some(CompressionType::ZSTD))),
        ("pages.arrows", stream(&pages, None)),
    ];
    for (name, bytes) in forms {
        let out = format!("{name}.out");
        place.file(name, &bytes).run(["clean", name, "--dedup", "-o", &out]).ends_with(0);
        let (schema, before) = read(&bytes);
        let copy = place.read(&format!("{out}/{name}"));
        let (same_schema, after) = read(&copy);
        assert_eq!(schema, same_schema, "{name}");
        assert_eq!(copy.starts_with(b"ARROW1"), name == "pages.feather");
        let dropped: Vec<u64> =
            place.rows(&format!("{out}/dropped.jsonl")).iter().map(|row| row["row"].as_u64().unwrap()).collect();
        assert!(!dropped.is_empty());
        let mut cut = 0;
        for (number, (before, after)) in before.iter().zip(&after).enumerate() {
            let kept = (0..before.num_rows()).filter(|row| !dropped.contains(&((number * 16 + row) as u64)));
            let kept: Vec<usize> = kept.collect();
            assert_eq!(kept.len(), after.num_rows(), "{name}");
            for column in ["id", "site", "numbers", "url", "title", "date"] {
                for (to, from) in kept.iter().enumerate() {
                    let (from, to) = (before[column].slice(*from, 1), after[column].slice(to, 1));
                    match column {
                        "site" => {
                            let word = |array: &ArrayRef| {
                                let array = array.as_dictionary::<Int32Type>().clone();
                                array
                                    .downcast_dict::<StringArray>()
                                    .unwrap()
                                    .into_iter()
                                    .next()
                                    .flatten()
                                    .unwrap()
                                    .to_owned()
                            };
                            assert_eq!(word(&from), word(&to));
                        }
                        _ => assert_eq!(&from, &to, "{name}, {column}"),
                    }
                }
            }
            let text = |batch: &RecordBatch, row| batch["text"].as_string::<i64>().value(row).to_owned();
            cut += kept.iter().enumerate().filter(|(to, from)| text(before, **from) != text(after, *to)).count();
        }
        assert!(cut > 0, "{name}");
        let is_packed = |codec: &[u8]| memchr_find(&copy, codec);
        match name {
            // The marks that begin a frame of each codec.
            "pages.feather" => assert!(is_packed(&[0x04, 0x22, 0x4d, 0x18])),
            "pages.arrow" => assert!(is_packed(&[0x28, 0xb5, 0x2f, 0xfd])),
            _ => assert!(!is_packed(&[0x28, 0xb5, 0x2f, 0xfd]) && !is_packed(&[0x04, 0x22, 0x4d, 0x18])),
        }
    }
    let reader = FileReader::try_new(std::io::Cursor::new(place.read("pages.feather.out/pages.feather")), None);
    assert_eq!(reader.unwrap().custom_metadata()["footer"], "kept");
}

fn memchr_find(bytes: &[u8], what: &[u8]) -> bool {
    bytes.windows(what.len()).any(|window| window == what)
}

#[test]
fn a_text_inside_a_struct_is_read_and_cut() {
    let place = Place::new();
    let pages = crawl(62, 40, 4);
    let (_, batches) = batches(&pages);
    let nested: Vec<RecordBatch> = batches
        .iter()
        .map(|batch| {
            let inner = StructArray::from(batch.project(&[4, 6]).unwrap());
            let columns = [("id", batch["id"].clone()), ("page", Arc::new(inner) as ArrayRef)];
            RecordBatch::try_from_iter(columns).unwrap()
        })
        .collect();
    let mut writer = FileWriter::try_new(Vec::new(), &nested[0].schema()).unwrap();
    nested.iter().for_each(|batch| writer.write(batch).unwrap());
    place.file("nested.arrow", writer.into_inner().unwrap());
    place.run(["scan", "nested.arrow"]).ends_with(1).tells("found `id`, `page.title`, `page.text`");
    place
        .run(["clean", "nested.arrow", "--text-field", "page.text", "--title-field", "page.title", "-o", "out"])
        .ends_with(0)
        .prints("40 of 40 documents");
    let (_, after) = read(&place.read("out/nested.arrow"));
    let length = |batches: &[RecordBatch]| -> usize {
        let texts = |batch: &RecordBatch| batch["page"].as_struct()["text"].as_string::<i64>().value_data().len();
        batches.iter().map(texts).sum()
    };
    assert!(length(&after) < length(&nested));
    assert_eq!(&after[0]["page"].as_struct()["title"], &nested[0]["page"].as_struct()["title"]);
}

#[test]
fn files_that_lie_are_skipped_and_told() {
    let place = Place::new();
    let whole = file(&crawl(63, 40, 4));
    place
        .file("crawl/cut.arrow", &whole[..whole.len() / 2])
        .file("crawl/whole.arrow", &whole)
        .file("crawl/not.arrow", b"ARROW1\0\0 this is no such file, though it begins and ends as one ARROW1")
        .file("crawl/old.feather", b"FEA1 was another form")
        .file("crawl/empty.arrow", b"");
    // A message that says it were of four thousand million bytes.
    let mut long = whole.clone();
    let end = long.len() - 10;
    let length = u32::from_le_bytes(long[end..end + 4].try_into().unwrap()) as usize;
    let footer = arrow_ipc::root_as_footer(&long[end - length..end]).unwrap();
    let last = footer.recordBatches().unwrap().iter().next_back().unwrap().offset() as usize;
    long[last + 4..last + 8].copy_from_slice(&u32::MAX.to_le_bytes());
    place.file("crawl/long.arrow", long);
    let outcome = place.run(["scan", "crawl", "-o", "out"]).ends_with(1);
    assert!(!outcome.stderr.contains("panicked"), "{}", outcome.stderr);
    let skipped = place.rows("out/skipped.jsonl");
    let mut told: Vec<_> = skipped.iter().map(|row| row["source"].as_str().unwrap()).collect();
    told.dedup();
    assert_eq!(told, ["cut.arrow", "empty.arrow", "long.arrow", "not.arrow", "old.feather"]);
    let reason = |of: &str| skipped.iter().find(|row| row["source"] == of).unwrap()["reason"].as_str().unwrap();
    assert!(reason("cut.arrow").contains("torn or damaged"), "{}", reason("cut.arrow"));
    assert!(reason("old.feather").contains("Feather of the first version"));
    place.run(["clean", "crawl", "-o", "clean"]).ends_with(1);
    assert_eq!(texts(&place.read("clean/whole.arrow")).len(), 40);
}

#[test]
fn a_batch_that_does_not_fit_in_the_memory_given_is_told_and_the_others_are_read() {
    let place = Place::new();
    let pages = crawl(64, 40, 4);
    let (schema, batches) = batches(&pages);
    let long = "A sentence that is said again and again, and again. ".repeat(400_000);
    let big = RecordBatch::try_new(
        schema.clone(),
        batches[0]
            .columns()
            .iter()
            .enumerate()
            .map(|(number, column)| match number {
                6 => Arc::new(LargeStringArray::from_iter_values([&long])) as ArrayRef,
                _ => column.slice(0, 1),
            })
            .collect(),
    );
    let options = IpcWriteOptions::default().try_with_compression(Some(CompressionType::ZSTD)).unwrap();
    let mut writer = FileWriter::try_new_with_options(Vec::new(), &schema, options).unwrap();
    [&batches[0], &big.unwrap(), &batches[1]].into_iter().for_each(|batch| writer.write(batch).unwrap());
    place.file("crawl.arrow", writer.into_inner().unwrap());
    place
        .run(["scan", "crawl.arrow", "--memory", "64M", "-o", "out"])
        .ends_with(1)
        .prints("32 documents")
        .tells("record batch 2 takes")
        .tells("smaller record batches");
    let rows = place.rows("out/documents.jsonl");
    assert_eq!(rows[16]["row"], 17);
    place.run(["scan", "crawl.arrow", "--memory", "1G"]).ends_with(0).prints("33 documents");
}
