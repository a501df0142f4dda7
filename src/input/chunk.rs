//! Whole records of a file, as they were cut out of it.

use std::ops::Range;
use std::sync::Arc;

use crate::document::{Skipped, Span};
use crate::files::Compression;
use crate::input::fields::Fields;
use crate::input::limits::Limits;
use crate::input::{Container, InputFile, csv, json, jsonl, warc};

/// How a file's records follow each other.
#[derive(Clone, Debug)]
pub(crate) enum Format {
    /// A record a line.
    Lines,
    /// The rows of a table.
    Rows(Arc<csv::Layout>),
    /// The objects of one JSON value: the file is one chunk.
    Json,
    /// The records of a web archive.
    Archive,
}

impl Format {
    pub(super) fn of(file: &InputFile, fields: &Fields, limits: &Limits) -> Result<Format, Skipped> {
        Ok(match file.container {
            Container::Csv => Format::Rows(Arc::new(csv::Layout::read(file, fields, limits.memory_bytes)?)),
            Container::Json => Format::Json,
            Container::Warc => Format::Archive,
            _ => Format::Lines,
        })
    }

    /// Returns where the last whole record of `bytes` ends, 0 if none does, and how many rows stand before that.
    ///
    /// What stands before `from` is known to hold no end.
    pub(super) fn whole(&self, bytes: &[u8], from: usize, has_header: bool) -> (usize, u64) {
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
            Format::Archive => warc::whole(bytes),
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
    /// What may be held of one record.
    pub limits: Limits,
    /// How the file is packed.
    pub compression: Compression,
    /// Bytes of the file as packed that were read for it.
    pub packed_bytes: u64,
    /// What is wrong after these records: a tear, or a record too long for the memory given.
    pub trouble: Option<Skipped>,
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
            Format::Archive => (self.first_row..)
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
            Format::Archive => return None,
        };
        let start = record.range.start;
        Some(ranges.into_iter().map(|range| start + range.start..start + range.end).collect())
    }
}
