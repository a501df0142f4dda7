//! Records as documents, or as what is wrong with them.

use crate::document::{Document, Parsed, Skipped};
use crate::input::chunk::{Chunk, Format, Record};
use crate::input::fields::{self, Field, Fields, Value};
use crate::input::limits::Limits;
use crate::input::{InputFile, jsonl, warc};

/// Bytes up to which a record that could not be read is shown as it is.
const RAW_BYTES: usize = 4 << 10;

/// Counts of things that are read all the same but worth telling, each with the first record that has it.
#[derive(Default)]
pub(crate) struct Notes(Vec<(String, u64, u64)>);

impl Notes {
    pub(super) fn add(&mut self, what: String, row: u64) {
        match self.0.iter_mut().find(|(known, _, _)| *known == what) {
            Some((_, _, count)) => *count += 1,
            None => self.0.push((what, row, 1)),
        }
    }

    pub(super) fn told(self, file: &InputFile) -> Vec<String> {
        let tell = |(what, row, count): (String, u64, u64)| {
            let more = if count > 1 { format!(" (and {} more)", count - 1) } else { String::new() };
            let numbered = crate::document::numbered(&file.source);
            format!("`{}`, {numbered} {}: {what}{more}", file.source, row + 1)
        };
        self.0.into_iter().map(tell).collect()
    }
}

/// Parses a chunk, of which only the bytes are left. What it gives does not depend on where chunks were cut, but for the
/// grouping of notes.
pub(crate) fn parse(chunk: &mut Chunk, file: &InputFile, fields: &Fields) -> Parsed {
    let mut parsed = Parsed { bytes: chunk.packed_bytes, ..Parsed::default() };
    let mut notes = Notes::default();
    for record in chunk.records() {
        match read_record(chunk, &record, file, fields, &mut notes) {
            Ok(document) => parsed.documents.extend(document),
            Err(skipped) => parsed.skipped.push(skipped),
        }
    }
    parsed.notes = notes.told(file);
    parsed.skipped.extend(chunk.trouble.take());
    parsed
}

/// Reads the document that a record of a chunk holds; none where a record is none and nobody would expect one.
pub(crate) fn read_record(
    chunk: &Chunk,
    record: &Record,
    file: &InputFile,
    fields: &Fields,
    notes: &mut Notes,
) -> Result<Option<Document>, Skipped> {
    let at = |column: usize| Some(chunk.offset + (record.range.start + column) as u64);
    let bytes = chunk.bytes_of(record);
    if bytes.len() as u64 > chunk.limits.record_bytes {
        return Err(Skipped { row: Some(record.row), byte: at(0), ..chunk.limits.too_long(file, "one record") });
    }
    let read = match &chunk.format {
        Format::Lines | Format::Json => jsonl::read(bytes, fields),
        Format::Rows(layout) => layout.read_row(bytes, fields),
        Format::Archive => {
            return archived(bytes, record.row, file, &chunk.limits, notes).map_err(|trouble| {
                file.skipped(Some(record.row), trouble.column.and_then(at), trouble.reason, trouble.hint)
            });
        }
    };
    read.and_then(|values| {
        if let Some(note) = values.note {
            notes.add(note, record.row);
        }
        document(values.record, record.row, file, notes).map(Some).map_err(|found| match &chunk.format {
            Format::Lines | Format::Json | Format::Archive => jsonl::no_text(bytes, fields, found),
            Format::Rows(layout) => layout.no_text(fields, found),
        })
    })
    .map_err(|trouble| {
        let reason = match &chunk.format {
            // A row of a table may take several lines, so that its number does not say where it stands.
            Format::Rows(_) => {
                let before = memchr::memchr_iter(b'\n', &chunk.bytes[..record.range.start]).count() as u64;
                format!("line {}: {}", chunk.lines_before + before + 1, trouble.reason)
            }
            _ => trouble.reason,
        };
        let raw = (bytes.len() <= RAW_BYTES).then(|| String::from_utf8_lossy(bytes).into_owned());
        let raw = if trouble.is_text { raw } else { None };
        let skipped = file.skipped(Some(record.row), trouble.column.and_then(at), reason, trouble.hint);
        Skipped { raw, field: trouble.field, ..skipped }
    })
}

/// Makes the document of a record of a web archive.
fn archived(
    bytes: &[u8],
    row: u64,
    file: &InputFile,
    limits: &Limits,
    notes: &mut Notes,
) -> Result<Option<Document>, Trouble> {
    let said = match warc::read(bytes, limits)? {
        warc::Kind::Document(said) => said,
        warc::Kind::Nothing => return Ok(None),
        warc::Kind::LeftOut(what) => {
            notes.add(format!("left out {what}"), row);
            return Ok(None);
        }
    };
    if let Some(note) = said.note {
        notes.add(note, row);
    }
    let id = said.id.unwrap_or_else(|| format!("{}:{row}", file.source));
    Ok(Some(file.document(id, row, said.url, None, said.title, said.date, said.text)))
}

/// What a record says, and what is worth telling about how it was decoded.
pub(super) struct Values {
    pub record: fields::Record,
    pub note: Option<String>,
}

/// What is wrong with a record.
pub(super) struct Trouble {
    pub reason: String,
    pub hint: Option<String>,
    /// The byte of the record.
    pub column: Option<usize>,
    /// The field that is meant, when one is.
    pub field: Option<String>,
    /// Whether it is worth showing as it is.
    pub is_text: bool,
}

impl Trouble {
    /// Says that bytes are no text.
    pub fn no_text(expected: &str, found: &str) -> Trouble {
        let reason = format!("expected {expected}, found {found}");
        Trouble { reason, hint: None, column: Some(0), field: None, is_text: false }
    }
}

/// Makes the document of a row whose cells are typed.
pub(crate) fn read_cells(
    record: fields::Record,
    row: u64,
    file: &InputFile,
    fields: &Fields,
    notes: &mut Notes,
) -> Result<Document, Skipped> {
    document(record, row, file, notes).map_err(|found| {
        let column = &fields.text_names()[0];
        let reason = format!("expected a string in column `{column}`, found {found}");
        let hint = "name the column of the text with `--text-field`".to_owned();
        Skipped { field: Some(column.clone()), ..file.skipped(Some(row), None, reason, Some(hint)) }
    })
}

/// Makes the document of a record.
///
/// # Errors
/// If it has no text: says what stands in its place.
fn document(
    mut record: fields::Record,
    row: u64,
    file: &InputFile,
    notes: &mut Notes,
) -> Result<Document, &'static str> {
    let text = match record.take(Field::Text) {
        Value::Given(text) => text,
        // Null is what scrapers write when they found no text: a document without words, like an empty string.
        Value::Missing => String::new(),
        Value::Absent => return Err("none"),
        Value::Wrong(found) => return Err(found),
    };
    let mut short = |field: Field| match record.take(field) {
        Value::Given(value) => Some(value),
        Value::Absent | Value::Missing => None,
        Value::Wrong(found) => {
            let name =
                field.names().first().map_or("the field of `--within`".to_owned(), |name| format!("field `{name}`"));
            notes.add(format!("expected a string in {name}, found {found}: read as missing"), row);
            None
        }
    };
    let id = short(Field::Id).unwrap_or_else(|| format!("{}:{row}", file.source));
    let [url, site, title, date] = [Field::Url, Field::Site, Field::Title, Field::Date].map(&mut short);
    let within = short(Field::Within);
    Ok(Document { within, ..file.document(id, row, url, site, title, date, text) })
}
