//! Files of records, cut where records end.
//!
//! Cutting is cheap and in order: unpacked bytes are read into chunks of whole records. Parsing a chunk needs nothing but
//! the chunk, so that workers do it side by side.

use std::io::{self, Read};

use serde::{Deserialize, Serialize};

use crate::document::Skipped;
use crate::files::{FileError, InputReader};
use crate::input::buffers::{Buffers, fill};
use crate::input::chunk::{Chunk, Format};
use crate::input::fields::Fields;
use crate::input::limits::{Limits, MOST_BYTES};
use crate::input::{InputFile, walk, warc};

/// Bytes of a chunk: a millisecond or two of a worker's time, far more than the lock around cutting costs.
const CHUNK_BYTES: usize = 1 << 20;

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
    limits: Limits,
    buffers: &'a Buffers,
    /// What was read beyond the chunk before.
    carry: Vec<u8>,
    row: u64,
    lines: u64,
    offset: u64,
    packed_bytes: u64,
    ended: bool,
    /// A tear, or another end, that was met while a record was skipped, to be told after that.
    torn: Option<Skipped>,
}

impl<'a> Chunks<'a> {
    /// Opens a file; a record that is longer than the limits allow is skipped. Chunks are read into `buffers`.
    pub fn open(
        file: &'a InputFile,
        fields: &Fields,
        limits: &Limits,
        buffers: &'a Buffers,
    ) -> Result<Chunks<'a>, Skipped> {
        let reader = open_input(file, limits.memory_bytes)?;
        let format = Format::of(file, fields, limits)?;
        Ok(Chunks {
            file,
            format,
            reader,
            limits: *limits,
            buffers,
            carry: Vec::new(),
            row: 0,
            lines: 0,
            offset: 0,
            packed_bytes: 0,
            ended: false,
            torn: None,
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
            // Whoever goes on here meets the tear again.
            ended: self.ended && self.torn.is_none(),
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
        if let Some(torn) = self.torn.take() {
            return Some(self.chunk(Vec::new(), Some(torn)));
        }
        if self.ended {
            return None;
        }
        let is_first = self.offset == 0;
        let mut bytes = self.buffers.take();
        let carried = self.carry.len();
        bytes.resize(bytes.len().max(carried), 0);
        bytes[..carried].copy_from_slice(&self.carry);
        self.carry.clear();
        let mut want = CHUNK_BYTES;
        let mut trouble = None;
        let mut rows = 0;
        let mut before = carried;
        loop {
            // An error ends the file: what was read before it is in `bytes` already.
            let failed = fill(&mut self.reader, &mut bytes, before, want).err();
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
                self.carry_from(&mut bytes, end);
                rows = count;
                break;
            }
            let is_bomb = self.is_bomb(bytes.len() as u64);
            if is_bomb || bytes.len() as u64 >= self.limits.record_bytes {
                // A quote that nothing closes takes its line with it, not the rest of the file; and a record that says that
                // it is longer than it is, itself alone.
                let first = match &self.format {
                    Format::Rows(layout) => layout.give_up(&bytes),
                    Format::Archive => warc::give_up(&bytes),
                    _ => None,
                };
                if let Some(end) = first {
                    self.carry_from(&mut bytes, end);
                    rows = 1;
                } else if matches!(self.format, Format::Json) {
                    trouble = Some(self.refused("one JSON file", is_bomb));
                    bytes.clear();
                    self.ended = true;
                } else {
                    trouble = Some(self.skip_record(&mut bytes, is_bomb));
                }
                break;
            }
            before = bytes.len();
            want = before.min(usize::try_from(self.limits.record_bytes).unwrap_or(usize::MAX) - before).max(1);
        }
        let chunk = self.chunk(bytes, trouble);
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

    /// Keeps what stands behind `end` for the next chunk.
    fn carry_from(&mut self, bytes: &mut Vec<u8>, end: usize) {
        self.carry.extend_from_slice(&bytes[end..]);
        bytes.truncate(end);
    }

    /// Makes the chunk of the records that follow.
    fn chunk(&mut self, bytes: Vec<u8>, trouble: Option<Skipped>) -> Chunk {
        let before = std::mem::replace(&mut self.packed_bytes, self.reader.packed_bytes());
        Chunk {
            format: self.format.clone(),
            limits: self.limits,
            first_row: self.row,
            lines_before: self.lines,
            offset: self.offset,
            compression: self.reader.compression(),
            packed_bytes: self.packed_bytes - before,
            trouble,
            bytes,
        }
    }

    /// Says why a file that begins like this is not read at all.
    fn unreadable(&self, head: &[u8], whole: bool) -> Option<Skipped> {
        if let Some(skipped) = self.file.not_packed(self.reader.compression(), head.is_empty() && whole) {
            return Some(skipped);
        }
        if matches!(self.format, Format::Archive) {
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
            Format::Json | Format::Archive => ("JSON in UTF-8", "turn it into UTF-8 first"),
        };
        Some(self.file.skipped(None, None, format!("expected {expected}, found {found}"), Some(hint.to_owned())))
    }

    /// Returns whether a record that has come to so many bytes unpacks without end.
    fn is_bomb(&self, bytes: u64) -> bool {
        let packed_bytes = self.reader.packed_bytes() - self.packed_bytes;
        self.limits.is_bomb(self.reader.is_packed(), bytes, packed_bytes)
    }

    fn refused(&self, what: &str, is_bomb: bool) -> Skipped {
        if is_bomb { self.limits.bomb(self.file, what) } else { self.limits.too_long(self.file, what) }
    }

    /// Reads on to the end of a record that does not fit, and keeps none of it.
    ///
    /// Of one that unpacks without end the end is not looked for without end.
    fn skip_record(&mut self, bytes: &mut Vec<u8>, is_bomb: bool) -> Skipped {
        let begin = self.offset;
        let skipped = Skipped { row: Some(self.row), byte: Some(begin), ..self.refused("one record", is_bomb) };
        // What begins a record of an archive may lie across what is read at once.
        let overlap = if matches!(self.format, Format::Archive) { 8 } else { 0 };
        loop {
            if self.offset - begin > MOST_BYTES && self.is_bomb(self.offset - begin) {
                let rest = self.refused("the rest of the file is not read: a record that does not end", true);
                self.torn = Some(Skipped { byte: Some(self.offset), ..rest });
                self.ended = true;
                break;
            }
            let done = bytes.len().saturating_sub(overlap);
            self.offset += done as u64;
            bytes.drain(..done);
            let before = bytes.len();
            let failed = self.reader.by_ref().take(CHUNK_BYTES as u64).read_to_end(bytes).err();
            if failed.is_some() || bytes.len() == before {
                self.offset += bytes.len() as u64;
                self.torn = failed.map(|error| self.file.torn(self.reader.compression(), self.offset, &error));
                self.ended = true;
                break;
            }
            let next = match self.format {
                Format::Archive => warc::next_begin(bytes, 0),
                _ => memchr::memchr(b'\n', bytes).map(|at| at + 1),
            };
            if let Some(at) = next {
                self.offset += at as u64;
                self.carry_from(bytes, at);
                break;
            }
        }
        bytes.clear();
        skipped
    }
}

/// Opens a file of the input, or says why it cannot be opened.
pub(super) fn open_input(file: &InputFile, memory_bytes: u64) -> Result<InputReader, Skipped> {
    file.open(memory_bytes).map_err(|error| match &error {
        FileError::Read { source, .. } => walk::skipped_path(file.source.to_string(), source),
        other => file.skipped(None, None, other.to_string(), Some(other.hint())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Parsed;
    use crate::files::Compression;
    use crate::input::parse::parse;
    use std::path::Path;

    fn fields() -> Fields {
        Fields::new([None; 6])
    }

    /// Reads a file with records of at most `limit_bytes`.
    fn read_limited(path: &Path, limit_bytes: u64) -> Parsed {
        let file = InputFile::for_test("a.jsonl", path);
        let buffers = Buffers::default();
        let mut lines = Chunks::open(&file, &fields(), &Limits::of_records(limit_bytes), &buffers).unwrap();
        let mut all = Parsed::default();
        while let Some(mut chunk) = lines.next_chunk() {
            let parsed = parse(&mut chunk, &file, &fields());
            buffers.give(chunk.bytes);
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
    fn a_tear_inside_a_record_that_is_too_long_is_told_too() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.jsonl");
        let digits: String = (0..1_u64 << 19).map(|n| format!("{:x}", n.wrapping_mul(0x9e37_79b9))).collect();
        let text = format!("{{\"text\": \"a\"}}\n{{\"text\": \"{digits}\"}}\n");
        let mut packed = Compression::Gzip.pack(text.into_bytes()).unwrap();
        packed.truncate(packed.len() - packed.len() / 8);
        std::fs::write(&path, &packed).unwrap();
        let parsed = read_limited(&path, 1 << 20);
        assert_eq!(texts(&parsed), [(0, "a")]);
        let told: Vec<_> = parsed.skipped.iter().map(|one| (one.row, one.byte.unwrap(), &*one.reason)).collect();
        assert_eq!(told.len(), 2, "{told:?}");
        assert_eq!((told[0].0, told[0].1), (Some(1), 14));
        assert!(told[1].0.is_none() && told[1].1 > 1 << 20, "{told:?}");
        assert!(told[1].2.starts_with("the gzip stream is torn"), "{told:?}");
    }

    #[test]
    fn a_file_that_is_no_text_is_skipped_whole() {
        assert!(read(b"\xff\xfe{\x00").skipped[0].reason.ends_with("found UTF-16"));
        assert!(read(b"\x00\x01\x02").skipped[0].reason.ends_with("found binary data"));
    }
}
