//! Files of records, cut where records end.
//!
//! Cutting is cheap and in order: unpacked bytes are read into chunks of whole records. Parsing a chunk needs nothing but
//! the chunk, so that workers do it side by side.

use std::io::{self, Read};
use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::document::{Document, Parsed, Skipped, Span};
use crate::files::{self, Compression, FileError, InputReader};
use crate::input::decode::{Charset, decode_as, raw_offsets};
use crate::input::fields::{self, Field, Fields, Value};
use crate::input::{Container, InputFile, csv, json, jsonl, warc};

/// Bytes of a chunk: a millisecond or two of a worker's time, far more than the lock around cutting costs.
const CHUNK_BYTES: usize = 1 << 20;

/// Bytes up to which a record that could not be read is shown as it is.
const RAW_BYTES: usize = 4 << 10;

/// How a file's records follow each other.
#[derive(Clone, Debug)]
pub(crate) enum Format {
    /// A record a line.
    Lines,
    /// The rows of a table.
    Rows(Arc<csv::Layout>),
    /// The objects of one JSON value: the file is one chunk.
    Json,
    /// The records of a web archive, with the bytes that the body of one may unpack to.
    Archive(u64),
}

impl Format {
    fn of(file: &InputFile, fields: &Fields, memory_bytes: u64, limit_bytes: u64) -> Result<Format, Skipped> {
        Ok(match file.container {
            Container::Csv => Format::Rows(Arc::new(csv::Layout::read(file, fields, memory_bytes)?)),
            Container::Json => Format::Json,
            Container::Warc => Format::Archive(limit_bytes),
            _ => Format::Lines,
        })
    }

    /// Returns where the last whole record of `bytes` ends, 0 if none does, and how many rows stand before that.
    ///
    /// What stands before `from` is known to hold no end.
    fn whole(&self, bytes: &[u8], from: usize, has_header: bool) -> (usize, u64) {
        match self {
            Format::Lines => match memchr::memrchr(b'\n', &bytes[from..]) {
                Some(at) => {
                    let end = from + at + 1;
                    (end, memchr::memchr_iter(b'\n', &bytes[..end]).count() as u64)
                }
                None => (0, 0),
            },
            Format::Rows(layout) => layout.whole(bytes, has_header),
            Format::Json => (0, 0),
            Format::Archive(_) => warc::whole(bytes),
        }
    }
}

/// Whole records of a file.
pub(crate) struct Chunk {
    /// The records, unpacked.
    pub bytes: Vec<u8>,
    /// How they follow each other.
    pub format: Format,
    /// The number of the first record, 0 for the file's first.
    pub first_row: u64,
    /// The number of lines before the first record.
    pub lines_before: u64,
    /// Where the first record begins in the unpacked file.
    pub offset: u64,
    /// How the file is packed.
    pub compression: Compression,
    /// Bytes of the file as packed that were read for it.
    pub packed_bytes: u64,
    /// What is wrong after these records: a tear, or a record too long for the memory given.
    pub trouble: Option<Skipped>,
}

/// Where the cutting of a file stands.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Position {
    row: u64,
    lines: u64,
    offset: u64,
    /// Bytes that were read beyond the offset.
    carried: u64,
    packed_bytes: u64,
    ended: bool,
}

/// A file being cut into chunks.
pub(crate) struct Chunks<'a> {
    file: &'a InputFile,
    format: Format,
    reader: InputReader,
    limit_bytes: u64,
    carry: Vec<u8>,
    row: u64,
    lines: u64,
    offset: u64,
    packed_bytes: u64,
    ended: bool,
}

impl<'a> Chunks<'a> {
    /// Opens a file; a record longer than `limit_bytes` is skipped.
    pub fn open(
        file: &'a InputFile,
        fields: &Fields,
        memory_bytes: u64,
        limit_bytes: u64,
    ) -> Result<Chunks<'a>, Skipped> {
        let reader = open_input(file, memory_bytes)?;
        let format = Format::of(file, fields, memory_bytes, limit_bytes)?;
        Ok(Chunks {
            file,
            format,
            reader,
            limit_bytes,
            carry: Vec::new(),
            row: 0,
            lines: 0,
            offset: 0,
            packed_bytes: 0,
            ended: false,
        })
    }

    /// Returns where cutting stands.
    pub fn position(&self) -> Position {
        Position {
            row: self.row,
            lines: self.lines,
            offset: self.offset,
            carried: self.carry.len() as u64,
            packed_bytes: self.packed_bytes,
            ended: self.ended,
        }
    }

    /// Goes to where cutting stood: chunks come as they would have come then.
    pub fn at(mut self, position: Position) -> io::Result<Chunks<'a>> {
        if position.ended {
            self.ended = true;
            return Ok(self);
        }
        self.reader.skip(position.offset)?;
        let carry = &mut self.carry;
        if self.reader.by_ref().take(position.carried).read_to_end(carry)? as u64 != position.carried {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        (self.row, self.lines, self.offset) = (position.row, position.lines, position.offset);
        self.packed_bytes = position.packed_bytes.min(self.reader.packed_bytes());
        Ok(self)
    }

    /// Returns the next chunk, none at the end.
    pub fn next_chunk(&mut self) -> Option<Chunk> {
        if self.ended {
            return None;
        }
        let is_first = self.offset == 0;
        let mut bytes = std::mem::take(&mut self.carry);
        let mut want = CHUNK_BYTES;
        let mut trouble = None;
        let mut rows = 0;
        loop {
            let before = bytes.len();
            bytes.reserve(want);
            // An error ends the file: what was read before it is in `bytes` already.
            let failed = self.reader.by_ref().take(want as u64).read_to_end(&mut bytes).err();
            let whole = bytes.len() - before < want;
            if before == 0 && is_first {
                trouble = self.unreadable(&bytes, whole);
                if trouble.is_some() {
                    bytes.clear();
                    self.ended = true;
                    break;
                }
            }
            if let Some(error) = failed {
                self.ended = true;
                let at = self.offset + bytes.len() as u64;
                trouble = Some(self.file.torn(self.reader.compression(), at, &error));
                let (end, _) = self.format.whole(&bytes, 0, is_first);
                bytes.truncate(end);
                break;
            }
            if whole {
                self.ended = true;
                break;
            }
            let (end, count) = self.format.whole(&bytes, before, is_first);
            if end > 0 {
                self.carry = bytes.split_off(end);
                rows = count;
                break;
            }
            if bytes.len() as u64 >= self.limit_bytes {
                // A quote that nothing closes takes its line with it, not the rest of the file; and a record that says that
                // it is longer than it is, itself alone.
                let first = match &self.format {
                    Format::Rows(layout) => layout.give_up(&bytes),
                    Format::Archive(_) => warc::give_up(&bytes),
                    _ => None,
                };
                if let Some(end) = first {
                    self.carry = bytes.split_off(end);
                    rows = 1;
                } else if matches!(self.format, Format::Json) {
                    trouble = Some(self.too_long("one JSON file"));
                    bytes.clear();
                    self.ended = true;
                } else {
                    trouble = Some(self.skip_record(&mut bytes));
                }
                break;
            }
            want = bytes.len().min(usize::try_from(self.limit_bytes).unwrap_or(usize::MAX) - bytes.len()).max(1);
        }
        let packed_bytes = self.reader.packed_bytes();
        let chunk = Chunk {
            format: self.format.clone(),
            first_row: self.row,
            lines_before: self.lines,
            offset: self.offset,
            compression: self.reader.compression(),
            packed_bytes: packed_bytes - self.packed_bytes,
            trouble,
            bytes,
        };
        self.packed_bytes = packed_bytes;
        if let Some(Skipped { row: Some(row), .. }) = chunk.trouble {
            // `skip_record` moved the offset on already.
            self.row = row + 1;
            self.lines += 1;
        } else {
            self.row += rows;
            self.lines += memchr::memchr_iter(b'\n', &chunk.bytes).count() as u64;
            self.offset += chunk.bytes.len() as u64;
        }
        Some(chunk)
    }

    /// Says why a file that begins like this is not read at all.
    fn unreadable(&self, head: &[u8], whole: bool) -> Option<Skipped> {
        if let Some(skipped) = self.file.not_packed(self.reader.compression(), head.is_empty() && whole) {
            return Some(skipped);
        }
        if matches!(self.format, Format::Archive(_)) {
            let begins = head.trim_ascii_start().starts_with(b"WARC/") || head.trim_ascii().is_empty();
            let reason = "expected a web archive, which begins with `WARC/`, found something else".to_owned();
            return (!begins).then(|| self.file.skipped(None, None, reason, None));
        }
        let found = match head {
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "UTF-16",
            _ if head[..head.len().min(512)].contains(&0) => "binary data",
            _ => return None,
        };
        let (expected, hint) = match self.format {
            Format::Lines => ("JSON lines in UTF-8", "turn it into UTF-8 first, one JSON object a line"),
            Format::Rows(_) => ("a table in UTF-8 or an 8-bit encoding", "turn it into UTF-8 first"),
            Format::Json | Format::Archive(_) => ("JSON in UTF-8", "turn it into UTF-8 first"),
        };
        Some(self.file.skipped(None, None, format!("expected {expected}, found {found}"), Some(hint.to_owned())))
    }

    fn too_long(&self, what: &str) -> Skipped {
        self.file.skipped(
            None,
            None,
            format!("{what} of more than {} MiB does not fit in the memory given", self.limit_bytes >> 20),
            Some("raise `--memory`, or cut it into documents".to_owned()),
        )
    }

    /// Reads on to the end of a record that does not fit, and keeps none of it.
    fn skip_record(&mut self, bytes: &mut Vec<u8>) -> Skipped {
        let skipped = Skipped { row: Some(self.row), byte: Some(self.offset), ..self.too_long("one record") };
        // What begins a record of an archive may lie across what is read at once.
        let overlap = if matches!(self.format, Format::Archive(_)) { 8 } else { 0 };
        loop {
            let done = bytes.len().saturating_sub(overlap);
            self.offset += done as u64;
            bytes.drain(..done);
            let before = bytes.len();
            let failed = self.reader.by_ref().take(CHUNK_BYTES as u64).read_to_end(bytes).is_err();
            if failed || bytes.len() == before {
                self.offset += bytes.len() as u64;
                self.ended = true;
                break;
            }
            let next = match self.format {
                Format::Archive(_) => warc::next_begin(bytes, 0),
                _ => memchr::memchr(b'\n', bytes).map(|at| at + 1),
            };
            if let Some(at) = next {
                self.offset += at as u64;
                self.carry = bytes.split_off(at);
                break;
            }
        }
        bytes.clear();
        skipped
    }
}

/// Opens a file of the input, or says why it cannot be opened.
pub(super) fn open_input(file: &InputFile, memory_bytes: u64) -> Result<InputReader, Skipped> {
    files::open(&file.path, memory_bytes).map_err(|error| match &error {
        FileError::Read { source, .. } => super::walk::skipped_path(file.source.to_string(), source),
        other => file.skipped(None, None, other.to_string(), Some(other.hint())),
    })
}

/// A record that holds something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    /// Its number, 0 for the file's first.
    pub row: u64,
    /// Where it stands in the chunk, without line end and byte order mark.
    pub range: Range<usize>,
    /// Where its line end ends in the chunk.
    pub end: usize,
}

impl Chunk {
    /// Returns the records that hold something, in order. Blank lines are no records, but they count where lines do.
    pub fn records(&self) -> Vec<Record> {
        match &self.format {
            Format::Lines => self.lines().collect(),
            Format::Rows(layout) => layout.rows(&self.bytes, self.offset == 0, self.first_row),
            Format::Json => json::records(&self.bytes),
            Format::Archive(_) => (self.first_row..)
                .zip(warc::records(&self.bytes))
                .map(|(row, range)| Record { row, end: range.end, range })
                .collect(),
        }
    }

    fn lines(&self) -> impl Iterator<Item = Record> + '_ {
        let ends = memchr::memchr_iter(b'\n', &self.bytes).map(|at| at + 1).chain(
            // The file's last line may lack its line end.
            self.bytes.last().filter(|last| **last != b'\n').map(|_| self.bytes.len()),
        );
        let mut start = 0;
        ends.enumerate().filter_map(move |(number, end)| {
            let row = self.first_row + number as u64;
            let from = start + if row == 0 && self.bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
            let bytes = self.bytes[from..end].trim_ascii_end();
            let record = Record { row, range: from..from + bytes.len(), end };
            start = end;
            (!bytes.trim_ascii_start().is_empty()).then_some(record)
        })
    }

    /// Returns the ranges that go with the records that are left out, which ascend: lines with their line ends, members of
    /// a list with one of the commas around them.
    pub fn without(&self, records: &[Record], left_out: &[bool]) -> Vec<Range<usize>> {
        match self.format {
            Format::Json => json::without(records, left_out),
            _ => {
                let gone = records.iter().zip(left_out).filter(|(_, out)| **out);
                gone.map(|(record, _)| record.range.start..record.end).collect()
            }
        }
    }

    /// Returns the bytes of a record.
    pub fn bytes_of(&self, record: &Record) -> &[u8] {
        &self.bytes[record.range.clone()]
    }

    /// Finds where parts of a document's text stand in its record: a range of the chunk's bytes for every span.
    ///
    /// Returns none if the bytes that stay would not read as the text that stays.
    pub fn ranges_of(&self, record: &Record, text: &str, spans: &[Span], fields: &Fields) -> Option<Vec<Range<usize>>> {
        let bytes = self.bytes_of(record);
        let ranges = match &self.format {
            Format::Lines | Format::Json => jsonl::ranges_of(bytes, spans, fields)?,
            Format::Rows(layout) => layout.ranges_of(bytes, text, spans, fields)?,
            // Their text is not in them as it is read.
            Format::Archive(_) => return None,
        };
        let start = record.range.start;
        Some(ranges.into_iter().map(|range| start + range.start..start + range.end).collect())
    }
}

/// Finds where spans of a field's value stand in its record's bytes: `offsets` leads from the value to the decoded record.
///
/// Returns none if the bytes that stay would not decode to what stays of the decoded record.
pub(super) fn raw_ranges(
    bytes: &[u8],
    charset: Charset,
    mark: usize,
    decoded: &str,
    offsets: &[usize],
) -> Option<Vec<Range<usize>>> {
    let ranges = pairs(&raw_offsets(bytes, charset, mark, offsets));
    let stays = || without(decoded.as_bytes(), &pairs(offsets));
    (charset == Charset::Utf8 || decode_as(&without(bytes, &ranges)[mark..], charset).as_bytes() == stays())
        .then_some(ranges)
}

/// Returns where spans begin and end, in order.
pub(crate) fn ends(spans: &[Span]) -> Vec<usize> {
    spans.iter().flat_map(|span| [span.start, span.end]).collect()
}

fn pairs(ends: &[usize]) -> Vec<Range<usize>> {
    ends.chunks_exact(2).map(|pair| pair[0]..pair[1]).collect()
}

/// Returns `bytes` without the ranges, which ascend and do not overlap.
pub(crate) fn without<'r>(bytes: &[u8], ranges: impl IntoIterator<Item = &'r Range<usize>>) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    for range in ranges {
        out.extend_from_slice(&bytes[at..range.start]);
        at = range.end;
    }
    out.extend_from_slice(&bytes[at..]);
    out
}

/// Finds where spans of a text stand in the bytes that it was decoded from.
///
/// Returns none if the bytes that stay would not decode to the text that stays.
pub(crate) fn text_ranges(
    bytes: &[u8],
    charset: Charset,
    mark: usize,
    text: &str,
    spans: &[Span],
) -> Option<Vec<Range<usize>>> {
    raw_ranges(bytes, charset, mark, text, &ends(spans))
}

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

/// Parses a chunk. What it gives does not depend on where chunks were cut, but for the grouping of notes.
pub(crate) fn parse(chunk: Chunk, file: &InputFile, fields: &Fields) -> Parsed {
    let mut parsed = Parsed { bytes: chunk.packed_bytes, ..Parsed::default() };
    let mut notes = Notes::default();
    for record in chunk.records() {
        match read_record(&chunk, &record, file, fields, &mut notes) {
            Ok(document) => parsed.documents.extend(document),
            Err(skipped) => parsed.skipped.push(skipped),
        }
    }
    parsed.notes = notes.told(file);
    parsed.skipped.extend(chunk.trouble);
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
    let read = match &chunk.format {
        Format::Lines | Format::Json => jsonl::read(bytes, fields),
        Format::Rows(layout) => layout.read_row(bytes, fields),
        Format::Archive(limit_bytes) => {
            return archived(bytes, record.row, file, *limit_bytes, notes).map_err(|trouble| {
                file.skipped(Some(record.row), trouble.column.and_then(at), trouble.reason, trouble.hint)
            });
        }
    };
    read.and_then(|values| {
        if let Some(note) = values.note {
            notes.add(note, record.row);
        }
        document(values.record, record.row, file, notes).map(Some).map_err(|found| match &chunk.format {
            Format::Lines | Format::Json | Format::Archive(_) => jsonl::no_text(bytes, fields, found),
            Format::Rows(_) => unreachable!("a table without a column of texts is not read"),
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
        Skipped { raw, ..file.skipped(Some(record.row), trouble.column.and_then(at), reason, trouble.hint) }
    })
}

/// Makes the document of a record of a web archive.
fn archived(
    bytes: &[u8],
    row: u64,
    file: &InputFile,
    limit_bytes: u64,
    notes: &mut Notes,
) -> Result<Option<Document>, Trouble> {
    let said = match warc::read(bytes, limit_bytes)? {
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
    /// Whether it is worth showing as it is.
    pub is_text: bool,
}

impl Trouble {
    /// Says that bytes are no text.
    pub fn no_text(expected: &str, found: &str) -> Trouble {
        Trouble { reason: format!("expected {expected}, found {found}"), hint: None, column: Some(0), is_text: false }
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
        let reason = format!("expected a string in column `{}`, found {found}", fields.text_names()[0]);
        let hint = "name the column of the text with `--text-field`".to_owned();
        file.skipped(Some(row), None, reason, Some(hint))
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn fields() -> Fields {
        Fields::new([None; 6])
    }

    /// Reads a file with records of at most `limit_bytes`.
    fn read_limited(path: &Path, limit_bytes: u64) -> Parsed {
        let file = InputFile::for_test("a.jsonl", path);
        let mut lines = Chunks::open(&file, &fields(), 1 << 30, limit_bytes).unwrap();
        let mut all = Parsed::default();
        while let Some(chunk) = lines.next_chunk() {
            let parsed = parse(chunk, &file, &fields());
            all.documents.extend(parsed.documents);
            all.skipped.extend(parsed.skipped);
            all.notes.extend(parsed.notes);
            all.bytes += parsed.bytes;
        }
        all
    }

    fn read(bytes: &[u8]) -> Parsed {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.jsonl");
        std::fs::write(&path, bytes).unwrap();
        read_limited(&path, 1 << 30)
    }

    fn texts(parsed: &Parsed) -> Vec<(u64, &str)> {
        parsed.documents.iter().map(|document| (document.row, document.text.as_str())).collect()
    }

    #[test]
    fn a_line_is_a_document_and_a_blank_line_is_none() {
        let parsed = read(b"\xef\xbb\xbf{\"text\": \"a\", \"id\": 7}\r\n\n  \n{\"text\": \"\"}\n{\"text\": \"c\\n\"}");
        assert_eq!(texts(&parsed), [(0, "a"), (3, ""), (4, "c\n")]);
        let ids: Vec<&str> = parsed.documents.iter().map(|document| document.id.as_str()).collect();
        assert_eq!(ids, ["7", "a.jsonl:3", "a.jsonl:4"]);
        assert!(parsed.skipped.is_empty() && parsed.notes.is_empty());
    }

    #[test]
    fn a_bad_record_costs_one_record_and_says_where_and_what() {
        let parsed = read(
            b"{\"text\": \"a\"}\n{\"text\": \"b\"\n[1]\n{\"html\": \"x\", \"title\": \"t\"}\n{\"text\": 5}\n{\"text\": \"f\"}\n",
        );
        assert_eq!(texts(&parsed), [(0, "a"), (5, "f")]);
        let told: Vec<String> = parsed.skipped.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "`a.jsonl`, line 2, byte 25: broken JSON at column 12: EOF while parsing an object",
                "`a.jsonl`, line 3, byte 27: expected a JSON object, found a list",
                "`a.jsonl`, line 4: expected a string in field `text`, found none",
                "`a.jsonl`, line 5: expected a string in field `text`, found a number",
            ]
        );
        assert_eq!(
            parsed.skipped[2].hint.as_deref(),
            Some("name the text field with `--text-field`; this record has `html`, `title`")
        );
        assert_eq!(parsed.skipped[0].raw.as_deref(), Some("{\"text\": \"b\""));
    }

    #[test]
    fn fields_of_other_types_are_missing_and_told_once() {
        let parsed = read(b"{\"text\": \"a\", \"date\": {\"$date\": 1}}\n{\"text\": \"b\", \"date\": []}\n{\"text\": \"c\", \"date\": {}}");
        assert_eq!(parsed.documents.len(), 3);
        assert_eq!(
            parsed.notes,
            [
                "`a.jsonl`, line 1: expected a string in field `date`, found an object: read as missing (and 1 more)",
                "`a.jsonl`, line 2: expected a string in field `date`, found a list: read as missing",
            ]
        );
    }

    #[test]
    fn a_line_in_another_encoding_is_decoded_and_told() {
        let parsed = read(b"{\"text\": \"L'\xe9cole a ferm\xe9 apr\xe8s l'\xe9t\xe9.\"}\n{\"text\": \"\xc3\xa9\"}\n");
        assert_eq!(texts(&parsed), [(0, "L'\u{e9}cole a ferm\u{e9} apr\u{e8}s l'\u{e9}t\u{e9}."), (1, "\u{e9}")]);
        assert_eq!(parsed.notes, ["`a.jsonl`, line 1: read as windows-1252"]);
    }

    #[test]
    fn chunks_never_cut_a_line() {
        let line = format!("{{\"text\": \"{}\"}}\n", "word ".repeat(1000));
        let parsed = read(line.repeat(700).as_bytes());
        assert_eq!(parsed.documents.len(), 700);
        assert_eq!(parsed.documents[699].row, 699);
        assert_eq!(parsed.bytes, (line.len() * 700) as u64);
    }

    #[test]
    fn a_line_longer_than_many_chunks_is_read_and_one_longer_than_memory_is_skipped() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.jsonl");
        let long = format!("{{\"text\": \"a\"}}\n{{\"text\": \"{}\"}}\n{{\"text\": \"c\"}}\n", "x".repeat(5 << 20));
        std::fs::write(&path, &long).unwrap();
        assert_eq!(read_limited(&path, 8 << 20).documents[1].text.len(), 5 << 20);
        let parsed = read_limited(&path, 3 << 20);
        assert_eq!(texts(&parsed), [(0, "a"), (2, "c")]);
        assert_eq!((parsed.skipped[0].row, parsed.skipped[0].byte), (Some(1), Some(14)));
    }

    #[test]
    fn of_a_torn_file_the_records_before_the_tear_count() {
        let directory = tempfile::tempdir().unwrap();
        for compression in [Compression::Gzip, Compression::Zstd] {
            let path = directory.path().join(compression.name());
            let text: String = (0..20_000_u64)
                .map(|n| format!("{{\"text\": \"{:x}\"}}\n", n.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
                .collect();
            let mut packed = compression.pack(text.into_bytes()).unwrap();
            packed.truncate(packed.len() * 2 / 3);
            std::fs::write(&path, &packed).unwrap();
            let parsed = read_limited(&path, 1 << 30);
            assert!(parsed.documents.len() > 1_000, "{}", parsed.documents.len());
            assert_eq!(parsed.skipped.len(), 1);
            assert!(parsed.skipped[0].byte.is_some() && parsed.skipped[0].row.is_none());
            assert!(parsed.skipped[0].reason.starts_with(&format!("the {} stream is torn", compression.name())));
        }
    }

    #[test]
    fn a_file_that_is_no_text_is_skipped_whole() {
        assert!(read(b"\xff\xfe{\x00").skipped[0].reason.ends_with("found UTF-16"));
        assert!(read(b"\x00\x01\x02").skipped[0].reason.ends_with("found binary data"));
    }
}
