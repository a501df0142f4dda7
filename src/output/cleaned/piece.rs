//! Pieces of the input, read.

use std::sync::atomic::AtomicU64;

use crate::document::{Document, Skipped};
use crate::files::Compression;
use crate::input::chunk::{self, Chunk};
use crate::input::decode::{Charset, decode_as, detect};
use crate::input::{Cut, InputFile, Source, parse, rows as stored, text};

/// A piece of the input, read.
pub(super) enum Piece {
    Records { file: usize, chunk: Chunk, records: Vec<Record> },
    Rows { file: usize, group: usize, rows: Vec<Row>, packed_bytes: u64, trouble: Option<Skipped> },
    Texts(Vec<TextPiece>),
    Unreadable(Skipped),
}

/// A row of typed cells.
pub(super) struct Row {
    pub(super) text_column: Option<usize>,
    pub(super) read: Result<Document, Skipped>,
}

/// A record that holds something.
pub(super) struct Record {
    pub(super) place: chunk::Record,
    pub(super) read: Result<Document, Skipped>,
}

/// A text file.
pub(super) struct TextPiece {
    pub(super) file: usize,
    pub(super) read: Result<TextDocument, Skipped>,
}

pub(super) struct TextDocument {
    pub(super) document: Document,
    pub(super) bytes: Vec<u8>,
    pub(super) charset: Charset,
    pub(super) mark: usize,
    pub(super) compression: Compression,
    pub(super) torn: Option<Skipped>,
}

impl Piece {
    pub(super) fn read(source: &Source, cut: Cut, digests: &[AtomicU64]) -> Piece {
        match cut {
            Cut::Unreadable(skipped) => Piece::Unreadable(skipped),
            Cut::Records(file, chunk) => {
                source.note_records(file, &chunk, digests);
                let mut notes = parse::Notes::default();
                let mut read = |place: chunk::Record| {
                    let read = parse::read_record(&chunk, &place, &source.files()[file], source.fields(), &mut notes);
                    Some(Record { read: read.transpose()?, place })
                };
                let records = chunk.records().into_iter().filter_map(&mut read).collect();
                Piece::Records { file, chunk, records }
            }
            Cut::Rows(file, piece) => {
                source.note_rows(file, &piece, digests);
                let mut notes = parse::Notes::default();
                let stored::Piece { group, first_row, rows, packed_bytes, trouble } = piece;
                let mut read = |row: u64, cells: stored::Row| Row {
                    text_column: cells.text_column,
                    read: parse::read_cells(cells.record, row, &source.files()[file], source.fields(), &mut notes),
                };
                let rows = (first_row..).zip(rows).map(|(row, cells)| read(row, cells)).collect();
                Piece::Rows { file, group, rows, packed_bytes, trouble }
            }
            Cut::Held(..) => unreachable!("`rewrite` takes no table in memory"),
            Cut::Texts(files) => {
                let texts = source.read_texts(files, digests);
                let piece = |(file, read): (usize, Result<text::TextFile, Skipped>)| TextPiece {
                    file,
                    read: read.and_then(|read| text_document(read, &source.files()[file])),
                };
                Piece::Texts(texts.map(piece).collect())
            }
        }
    }

    pub(super) fn documents(&self) -> impl Iterator<Item = &Document> {
        let documents: Box<dyn Iterator<Item = &Document>> = match self {
            Piece::Records { records, .. } => Box::new(records.iter().filter_map(|record| record.read.as_ref().ok())),
            Piece::Rows { rows, .. } => Box::new(rows.iter().filter_map(|row| row.read.as_ref().ok())),
            Piece::Texts(texts) => {
                Box::new(texts.iter().filter_map(|text| text.read.as_ref().ok().map(|text| &text.document)))
            }
            Piece::Unreadable(_) => Box::new(std::iter::empty()),
        };
        documents
    }
}

fn text_document(read: text::TextFile, of: &InputFile) -> Result<TextDocument, Skipped> {
    if of.is_written_anew() {
        let (document, _) = text::document(read.bytes, of)?;
        let bytes = document.text.clone().into_bytes();
        let (compression, torn) = (read.compression, read.torn);
        return Ok(TextDocument { document, bytes, charset: Charset::Utf8, mark: 0, compression, torn });
    }
    let (charset, mark) = detect(&read.bytes).map_err(|found| of.no_text(found))?;
    let text = decode_as(&read.bytes[mark..], charset).into_owned();
    let document = of.text_document(text);
    Ok(TextDocument { document, bytes: read.bytes, charset, mark, compression: read.compression, torn: read.torn })
}
