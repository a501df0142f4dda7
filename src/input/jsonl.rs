//! A document a line.
//!
//! Cutting is cheap and in order: unpacked bytes are read into chunks that end where a line ends. Parsing a chunk needs
//! nothing but the chunk, so that workers do it side by side.

use std::borrow::Cow;
use std::io::Read;

use crate::document::{Document, Parsed, Skipped};
use crate::files::{self, Compression, FileError, InputReader};
use crate::input::InputFile;
use crate::input::decode::decode;
use crate::input::fields::{self, Field, Fields, Value};

/// Bytes of a chunk: a millisecond or two of a worker's time, far more than the lock around cutting costs.
const CHUNK_BYTES: usize = 1 << 20;

/// Bytes up to which a record that could not be read is shown as it is.
const RAW_BYTES: usize = 4 << 10;

/// Whole lines of a file.
pub(crate) struct Chunk {
    /// The lines, unpacked.
    pub bytes: Vec<u8>,
    /// The number of the first line, 0 for the file's first.
    pub first_row: u64,
    /// Where the first line begins in the unpacked file.
    pub offset: u64,
    /// How the file is packed.
    pub compression: Compression,
    /// Bytes of the file as packed that were read for it.
    pub packed_bytes: u64,
    /// What is wrong after these lines: a tear, or a line too long for the memory given.
    pub trouble: Option<Skipped>,
}

/// A file being cut into chunks.
pub(crate) struct Lines<'a> {
    file: &'a InputFile,
    reader: InputReader,
    limit_bytes: u64,
    carry: Vec<u8>,
    row: u64,
    offset: u64,
    packed_bytes: u64,
    ended: bool,
}

impl<'a> Lines<'a> {
    /// Opens a file; a line longer than `limit_bytes` is skipped.
    pub fn open(file: &'a InputFile, memory_bytes: u64, limit_bytes: u64) -> Result<Lines<'a>, Skipped> {
        let reader = files::open(&file.path, memory_bytes).map_err(|error| match &error {
            FileError::Read { source, .. } => super::walk::skipped_path(file.source.to_string(), source),
            other => file.skipped(None, None, other.to_string(), Some(other.hint())),
        })?;
        Ok(Lines { file, reader, limit_bytes, carry: Vec::new(), row: 0, offset: 0, packed_bytes: 0, ended: false })
    }

    /// Returns the next chunk, none at the end.
    pub fn next_chunk(&mut self) -> Option<Chunk> {
        if self.ended {
            return None;
        }
        let mut bytes = std::mem::take(&mut self.carry);
        let mut want = CHUNK_BYTES;
        let mut trouble = None;
        loop {
            let before = bytes.len();
            bytes.reserve(want);
            // An error ends the file: what was read before it is in `bytes` already.
            let failed = self.reader.by_ref().take(want as u64).read_to_end(&mut bytes).err();
            let whole = bytes.len() - before < want;
            if before == 0 && self.offset == 0 {
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
                bytes.truncate(memchr::memrchr(b'\n', &bytes).map_or(0, |at| at + 1));
                break;
            }
            if whole {
                self.ended = true;
                break;
            }
            if let Some(at) = memchr::memrchr(b'\n', &bytes[before..]) {
                self.carry = bytes.split_off(before + at + 1);
                break;
            }
            if bytes.len() as u64 >= self.limit_bytes {
                trouble = Some(self.skip_line(&mut bytes));
                break;
            }
            want = bytes.len().min(usize::try_from(self.limit_bytes).unwrap_or(usize::MAX) - bytes.len()).max(1);
        }
        let packed_bytes = self.reader.packed_bytes();
        let chunk = Chunk {
            first_row: self.row,
            offset: self.offset,
            compression: self.reader.compression(),
            packed_bytes: packed_bytes - self.packed_bytes,
            trouble,
            bytes,
        };
        self.packed_bytes = packed_bytes;
        if let Some(Skipped { row: Some(row), .. }) = chunk.trouble {
            // `skip_line` moved the offset on already.
            self.row = row + 1;
        } else {
            self.row += memchr::memchr_iter(b'\n', &chunk.bytes).count() as u64;
            self.offset += chunk.bytes.len() as u64;
        }
        Some(chunk)
    }

    /// Says why a file that begins like this is not read at all.
    fn unreadable(&self, head: &[u8], whole: bool) -> Option<Skipped> {
        if let Some(skipped) = self.file.not_packed(self.reader.compression(), head.is_empty() && whole) {
            return Some(skipped);
        }
        let found = match head {
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "UTF-16",
            _ if head[..head.len().min(512)].contains(&0) => "binary data",
            _ => return None,
        };
        let hint = "turn it into UTF-8 first, one JSON object a line".to_owned();
        Some(self.file.skipped(None, None, format!("expected JSON lines in UTF-8, found {found}"), Some(hint)))
    }

    /// Reads on to the end of a line that does not fit, and keeps none of it.
    fn skip_line(&mut self, bytes: &mut Vec<u8>) -> Skipped {
        let skipped = self.file.skipped(
            Some(self.row),
            Some(self.offset),
            format!("one record of more than {} MiB does not fit in the memory given", self.limit_bytes >> 20),
            Some("raise `--memory`, or cut the record into documents".to_owned()),
        );
        loop {
            self.offset += bytes.len() as u64;
            bytes.clear();
            let failed = self.reader.by_ref().take(CHUNK_BYTES as u64).read_to_end(bytes).is_err();
            if failed || bytes.is_empty() {
                self.offset += bytes.len() as u64;
                self.ended = true;
                break;
            }
            if let Some(at) = memchr::memchr(b'\n', bytes) {
                self.offset += at as u64 + 1;
                self.carry = bytes.split_off(at + 1);
                break;
            }
        }
        bytes.clear();
        skipped
    }
}

/// A line that holds something.
pub(crate) struct Line<'c> {
    /// Its number, 0 for the file's first.
    pub row: u64,
    /// Where it begins in the chunk.
    pub start: usize,
    /// Where its line end ends in the chunk.
    pub end: usize,
    /// Its bytes, without line end and byte order mark.
    pub bytes: &'c [u8],
}

impl Line<'_> {
    /// Returns its text, and what is worth telling about how it was decoded.
    ///
    /// # Errors
    /// If it is no text: says what it looks like.
    fn text(&self) -> Result<(Cow<'_, str>, Option<String>), &'static str> {
        match simdutf8::basic::from_utf8(self.bytes) {
            Ok(text) => Ok((Cow::Borrowed(text), None)),
            Err(_) => decode(self.bytes.to_vec()).map(|decoded| {
                let note = decoded.note();
                (Cow::Owned(decoded.text), note)
            }),
        }
    }
}

impl Chunk {
    /// Returns the lines that hold something, in order. Blank lines are no records, but they count.
    pub fn lines(&self) -> impl Iterator<Item = Line<'_>> {
        let ends = memchr::memchr_iter(b'\n', &self.bytes).map(|at| at + 1).chain(
            // The file's last line may lack its line end.
            self.bytes.last().filter(|last| **last != b'\n').map(|_| self.bytes.len()),
        );
        let mut start = 0;
        ends.enumerate().filter_map(move |(number, end)| {
            let row = self.first_row + number as u64;
            let mark = if row == 0 && self.bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
            let line = Line { row, start: start + mark, end, bytes: self.bytes[start + mark..end].trim_ascii_end() };
            start = end;
            (!line.bytes.trim_ascii_start().is_empty()).then_some(line)
        })
    }
}

/// Counts of things that are read all the same but worth telling, each with the first line that has it.
#[derive(Default)]
pub(crate) struct Notes(Vec<(String, u64, u64)>);

impl Notes {
    fn add(&mut self, what: String, row: u64) {
        match self.0.iter_mut().find(|(known, _, _)| *known == what) {
            Some((_, _, count)) => *count += 1,
            None => self.0.push((what, row, 1)),
        }
    }

    fn told(self, file: &InputFile) -> Vec<String> {
        let tell = |(what, row, count): (String, u64, u64)| {
            let more = if count > 1 { format!(" (and {} more)", count - 1) } else { String::new() };
            format!("`{}`, line {}: {what}{more}", file.source, row + 1)
        };
        self.0.into_iter().map(tell).collect()
    }
}

/// Parses a chunk. What it gives does not depend on where chunks were cut, but for the grouping of notes.
pub(crate) fn parse(chunk: Chunk, file: &InputFile, fields: &Fields) -> Parsed {
    let mut parsed = Parsed { bytes: chunk.packed_bytes, ..Parsed::default() };
    let mut notes = Notes::default();
    for line in chunk.lines() {
        match read_line(&chunk, &line, file, fields, &mut notes) {
            Ok(document) => parsed.documents.push(document),
            Err(skipped) => parsed.skipped.push(skipped),
        }
    }
    parsed.notes = notes.told(file);
    parsed.skipped.extend(chunk.trouble);
    parsed
}

/// Reads the document that a line of a chunk holds.
pub(crate) fn read_line(
    chunk: &Chunk,
    line: &Line<'_>,
    file: &InputFile,
    fields: &Fields,
    notes: &mut Notes,
) -> Result<Document, Skipped> {
    let at = |column: usize| Some(chunk.offset + (line.start + column) as u64);
    let (text, note) = line
        .text()
        .map_err(|found| file.skipped(Some(line.row), at(0), format!("expected JSON, found {found}"), None))?;
    if let Some(note) = note {
        notes.add(note, line.row);
    }
    read_document(&text, line.row, file, fields, notes).map_err(|trouble| Skipped {
        raw: (text.len() <= RAW_BYTES).then(|| text.to_string()),
        ..file.skipped(Some(line.row), trouble.column.and_then(at), trouble.reason, Some(trouble.hint))
    })
}

/// What is wrong with a record.
struct Trouble {
    reason: String,
    hint: String,
    /// The byte of the line.
    column: Option<usize>,
}

/// Reads the document that a line holds.
fn read_document(
    json: &str,
    row: u64,
    file: &InputFile,
    fields: &Fields,
    notes: &mut Notes,
) -> Result<Document, Trouble> {
    let mut record = fields::read_record(json, fields).map_err(|error| broken(json, &error))?;
    let text = match record.take(Field::Text) {
        Value::Given(text) => text,
        // Null is what scrapers write when they found no text: a document without words, like an empty string.
        Value::Missing => String::new(),
        Value::Absent => return Err(no_text(json, fields, "none")),
        Value::Wrong(found) => return Err(no_text(json, fields, found)),
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

/// Explains a record that is no JSON object.
fn broken(json: &str, error: &serde_json::Error) -> Trouble {
    let hint = "repair the line; the other lines are read".to_owned();
    let first = json.trim_start().as_bytes().first().copied().unwrap_or_default();
    let found = match first {
        b'{' => {
            let message = error.to_string();
            let message = message.split(" at line ").next().unwrap_or_default();
            return Trouble {
                reason: format!("broken JSON at column {}: {message}", error.column()),
                hint,
                column: Some(error.column().saturating_sub(1)),
            };
        }
        b'[' => "a list",
        b'"' => "a string",
        b'-' | b'0'..=b'9' => "a number",
        _ => "something else",
    };
    Trouble { reason: format!("expected a JSON object, found {found}"), hint, column: Some(0) }
}

/// Explains a record without a text.
fn no_text(json: &str, fields: &Fields, found: &str) -> Trouble {
    let seen: Vec<String> = fields::names(json).iter().map(|name| format!("`{name}`")).collect();
    let asked = fields.text_names();
    let name = asked.iter().find(|name| seen.contains(&format!("`{name}`"))).unwrap_or(&asked[0]);
    let has = if seen.is_empty() { "no fields".to_owned() } else { seen.join(", ") };
    Trouble {
        reason: format!("expected a string in field `{name}`, found {found}"),
        hint: format!("name the text field with `--text-field`; this record has {has}"),
        column: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn fields() -> Fields {
        Fields::new([None; 6])
    }

    /// Reads a file with chunks and lines of at most `limit_bytes`.
    fn read_limited(path: &Path, limit_bytes: u64) -> Parsed {
        let file = InputFile::for_test("a.jsonl", path);
        let mut lines = Lines::open(&file, 1 << 30, limit_bytes).unwrap();
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
