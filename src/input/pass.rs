//! Passes over the input: pieces of files in order, each parsed by whoever takes it.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use crate::document::{Batch, DocumentPass, DocumentSource, Parsed, Skipped, SourceError};
use crate::files::Place;
use crate::hash::{hash64, mix64};
use crate::input::source::Shared;
use crate::input::{InputFile, Source, chunk, chunks, held, parse, rows, text};
use crate::remote::Begun;

/// Bytes and files up to which text files are read together: opening a small file costs about as much as judging it.
const BATCH_BYTES: u64 = 1 << 20;
const BATCH_FILES: usize = 256;

/// Objects that are begun before their turn to be cut: small ones would wait for the network one after another.
const AHEAD: usize = 3;

pub(super) fn zeros(count: usize) -> Arc<[AtomicU64]> {
    (0..count).map(|_| AtomicU64::new(0)).collect()
}

/// Adds a part of a file to its digest. Sums do not depend on the order in which workers come to their parts.
pub(super) fn add_digest(digest: &AtomicU64, bytes: &[u8], offset: u64) -> u64 {
    let part = mix64(hash64(bytes) ^ mix64(offset));
    digest.fetch_add(part, Ordering::Relaxed);
    part
}

/// A piece of the input, not yet parsed.
pub(crate) enum Cut {
    /// The text files of these numbers.
    Texts(Range<usize>),
    /// Some records of the file of this number.
    Records(usize, chunk::Chunk),
    /// Some rows of the file of this number.
    Rows(usize, rows::Piece),
    /// Some rows of the table in memory of this number.
    Held(usize, held::Piece),
    /// A file cannot be read.
    Unreadable(Skipped),
}

/// Where a pass stands.
#[derive(Serialize, Deserialize)]
pub(super) struct Mark {
    pub(super) next_file: usize,
    /// The file that is being cut, and where.
    pub(super) open: Option<(usize, Position)>,
    /// The digests of files so far.
    pub(super) digests: Vec<(usize, u64)>,
    /// Documents that were taken, where only so many are.
    #[serde(default)]
    taken: u64,
}

/// The pieces of the input, in order.
pub(crate) struct Cuts<'a> {
    pub(super) shared: &'a Arc<Shared>,
    pub digests: Arc<[AtomicU64]>,
    pub(super) next_file: usize,
    pub(super) open: Option<(usize, Open<'a>)>,
    /// Objects after the file that is being cut, whose first bytes are on their way.
    pub(super) ahead: VecDeque<(usize, Begun)>,
}

impl Cuts<'_> {
    /// Has what follows a file come while that is worked on, up to what is read otherwise than from its beginning.
    fn begin_after(&mut self, file: usize) {
        self.ahead.retain(|(number, _)| *number >= file);
        let next = self.ahead.back().map_or(file, |(number, _)| *number) + 1;
        let is_cut = |file: &&InputFile| !file.container.is_file() && !file.container.has_columns();
        let files = self.shared.files.iter().enumerate().take(file + 1 + AHEAD).skip(next);
        for (number, file) in files.take_while(|(_, file)| is_cut(file)) {
            if let (Place::Object(object), None) = (&file.place, &file.part) {
                self.ahead.push_back((number, object.begin()));
            }
        }
    }
}

/// A file being cut.
pub(super) enum Open<'a> {
    Chunks(Box<chunks::Chunks<'a>>),
    Rows(Box<dyn rows::Rows + 'a>),
    Held(Box<held::Rows<'a>>),
}

/// Where the cutting of a file stands.
#[derive(Serialize, Deserialize)]
pub(super) enum Position {
    Chunks(chunks::Position),
    Rows(rows::Position),
    Held(held::Position),
}

impl<'a> Open<'a> {
    fn next(&mut self, file: usize) -> Option<Cut> {
        match self {
            Open::Chunks(chunks) => chunks.next_chunk().map(|chunk| Cut::Records(file, chunk)),
            Open::Rows(rows) => rows.next_piece().map(|piece| Cut::Rows(file, piece)),
            Open::Held(rows) => rows.next_piece().map(|piece| Cut::Held(file, piece)),
        }
    }

    fn position(&self) -> Position {
        match self {
            Open::Chunks(chunks) => Position::Chunks(chunks.position()),
            Open::Rows(rows) => Position::Rows(rows.position()),
            Open::Held(rows) => Position::Held(rows.position()),
        }
    }

    /// Goes to where cutting stood; none if it cannot.
    pub(super) fn at(self, position: Position) -> Option<Open<'a>> {
        match (self, position) {
            (Open::Chunks(chunks), Position::Chunks(position)) => {
                Some(Open::Chunks(Box::new(chunks.at(position).ok()?)))
            }
            (Open::Rows(mut rows), Position::Rows(position)) => {
                rows.go_to(position).ok()?;
                Some(Open::Rows(rows))
            }
            (Open::Held(rows), Position::Held(position)) => Some(Open::Held(Box::new(rows.at(position)))),
            _ => None,
        }
    }
}

impl Iterator for Cuts<'_> {
    type Item = Cut;

    fn next(&mut self) -> Option<Cut> {
        loop {
            if let Some((file, open)) = &mut self.open {
                if let Some(cut) = open.next(*file) {
                    return Some(cut);
                }
                self.open = None;
            }
            let files = &self.shared.files;
            let first = self.next_file;
            let file = files.get(first)?;
            if !file.container.is_file() {
                self.next_file += 1;
                self.begin_after(first);
                match self.shared.open(first).expect("the file is there") {
                    Ok(open) => self.open = Some((first, open)),
                    Err(skipped) => return Some(Cut::Unreadable(skipped)),
                }
                continue;
            }
            let mut bytes = 0;
            while let Some(file) = files.get(self.next_file) {
                if !file.container.is_file() || self.next_file - first == BATCH_FILES || bytes >= BATCH_BYTES {
                    break;
                }
                bytes += file.bytes;
                self.next_file += 1;
            }
            return Some(Cut::Texts(first..self.next_file));
        }
    }
}

impl DocumentSource for Source {
    fn pass(&self) -> Result<Box<dyn DocumentPass + Send + '_>, SourceError> {
        Ok(Box::new(SourcePass { cuts: self.cuts(), taken: 0 }))
    }

    fn pass_from(&self, _batches: u64, mark: &str) -> Result<Box<dyn DocumentPass + Send + '_>, SourceError> {
        let mark: Option<Mark> = serde_json::from_str(mark).ok();
        let taken = mark.as_ref().map_or(0, |mark| mark.taken);
        let cuts = mark.and_then(|mark| self.cuts_from(mark)).ok_or_else(|| SourceError {
            message: "the input cannot be read on from where an interrupted run stood".to_owned(),
            hint: Some("a file is gone or shorter than it was: run once without `--resume` to begin anew".to_owned()),
            cause: None,
        })?;
        Ok(Box::new(SourcePass { cuts, taken }))
    }

    fn failure(&self) -> Option<SourceError> {
        self.shared.failure()
    }

    fn bytes(&self) -> Option<u64> {
        Some(self.shared.files.iter().map(|file| file.bytes).sum())
    }
}

struct SourcePass<'a> {
    cuts: Cuts<'a>,
    /// Documents that were taken, where only so many are.
    taken: u64,
}

impl DocumentPass for SourcePass<'_> {
    fn next_batch(&mut self) -> Result<Option<Box<dyn Batch + Send>>, SourceError> {
        if let Some(error) = self.cuts.shared.failure() {
            return Err(error);
        }
        let left = self.cuts.shared.limit.map(|limit| limit.saturating_sub(self.taken));
        if left == Some(0) {
            return Ok(None);
        }
        let Some(cut) = self.cuts.next() else { return Ok(None) };
        let batch = SourceBatch { shared: self.cuts.shared.clone(), digests: self.cuts.digests.clone(), cut };
        let Some(left) = left else { return Ok(Some(Box::new(batch))) };
        // Which documents are the first so many is known only once those before them are.
        let mut parsed = Box::new(batch).parse();
        parsed.documents.truncate(usize::try_from(left).unwrap_or(usize::MAX));
        if let Some(last) = parsed.documents.last().filter(|_| parsed.documents.len() as u64 == left) {
            // What stands after the last of them is not read.
            let end = (&*last.source, last.row);
            parsed.skipped.retain(|skipped| (&*skipped.source, skipped.row.unwrap_or(u64::MAX)) < end);
        }
        self.taken += parsed.documents.len() as u64;
        Ok(Some(Box::new(Ready(parsed))))
    }

    fn mark(&self) -> String {
        let digests = self.cuts.digests.iter().map(|digest| digest.load(Ordering::Relaxed)).enumerate();
        let mark = Mark {
            next_file: self.cuts.next_file,
            open: self.cuts.open.as_ref().map(|(file, open)| (*file, open.position())),
            digests: digests.filter(|(_, digest)| *digest != 0).collect(),
            taken: self.taken,
        };
        serde_json::to_string(&mark).expect("a mark is numbers")
    }
}

struct SourceBatch {
    shared: Arc<Shared>,
    digests: Arc<[AtomicU64]>,
    cut: Cut,
}

/// A batch that was parsed when it was taken.
struct Ready(Parsed);

impl Batch for Ready {
    fn parse(self: Box<Self>) -> Parsed {
        self.0
    }
}

impl Batch for SourceBatch {
    fn parse(self: Box<Self>) -> Parsed {
        let sample = self.shared.sample;
        let mut parsed = self.read();
        if let Some(sample) = sample {
            parsed.documents.retain(|document| sample.takes(&document.source, document.row));
        }
        parsed
    }
}

impl SourceBatch {
    /// Reads every document of the batch.
    fn read(self) -> Parsed {
        match self.cut {
            Cut::Unreadable(skipped) => Parsed { skipped: vec![skipped], ..Parsed::default() },
            Cut::Records(number, mut chunk) => {
                let digest = add_digest(&self.digests[number], &chunk.bytes, chunk.offset);
                let parsed = parse::parse(&mut chunk, &self.shared.files[number], &self.shared.fields);
                self.shared.buffers.give(chunk.bytes);
                Parsed { digest, ..parsed }
            }
            Cut::Rows(number, piece) => {
                let digest = piece.digest();
                self.digests[number].fetch_add(digest, Ordering::Relaxed);
                let file = &self.shared.files[number];
                let mut parsed = Parsed { bytes: piece.packed_bytes, digest, ..Parsed::default() };
                let mut notes = parse::Notes::default();
                for (row, cells) in (piece.first_row..).zip(piece.rows) {
                    match parse::read_cells(cells.record, row, file, &self.shared.fields, &mut notes) {
                        Ok(document) => parsed.documents.push(document),
                        Err(skipped) => parsed.skipped.push(skipped),
                    }
                }
                parsed.notes = notes.told(file);
                parsed.skipped.extend(piece.trouble);
                parsed
            }
            Cut::Held(number, piece) => {
                piece.parse(&self.shared.files[number], &self.shared.fields, &self.digests[number])
            }
            Cut::Texts(numbers) => {
                let mut parsed = Parsed::default();
                for (number, read) in self.shared.read_texts(numbers, &self.digests) {
                    let file = &self.shared.files[number];
                    parsed.bytes += file.bytes;
                    let result = read.and_then(|read| {
                        parsed.digest = mix64(parsed.digest ^ read.digest);
                        parsed.skipped.extend(read.torn);
                        text::document(read.bytes, file)
                    });
                    match result {
                        Ok((document, note)) => {
                            parsed.notes.extend(note.map(|note| format!("`{}`: {note}", file.source)));
                            parsed.documents.push(document);
                        }
                        Err(skipped) => parsed.skipped.push(skipped),
                    }
                }
                parsed
            }
        }
    }
}
