//! Rows of a table that the caller holds in memory: nothing is copied but what documents are made of.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use crate::document::{Parsed, Skipped};
use crate::hash::mix64;
use crate::input::fields::Fields;
use crate::input::limits::Limits;
use crate::input::rows::{Column, PIECE_BYTES, PIECE_ROWS, Row, choose};
use crate::input::{Cell, InputFile, parse};

/// A table in memory, such as a data frame or batches of Arrow: a document is a row.
///
/// Every pass asks for the same cells again, from several threads.
pub trait HeldTable: fmt::Debug + Send + Sync {
    /// Returns the names of the columns, in order.
    fn columns(&self) -> Vec<String>;

    /// Returns how many rows there are.
    fn rows(&self) -> u64;

    /// Returns about how many bytes the table takes, for progress alone.
    fn bytes(&self) -> u64;

    /// Returns what stands in a cell; row and column are those of the table.
    fn cell(&self, row: u64, column: usize) -> Cell<'_>;
}

/// A table being read.
pub(super) struct Rows<'a> {
    table: &'a Arc<dyn HeldTable>,
    columns: Arc<[Column]>,
    limits: Limits,
    position: Position,
    given_bytes: u64,
}

/// Where the reading of a table stands.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Position {
    row: u64,
}

/// Some rows of a table, not yet read.
pub(crate) struct Piece {
    table: Arc<dyn HeldTable>,
    columns: Arc<[Column]>,
    limits: Limits,
    rows: Range<u64>,
    bytes: u64,
}

impl<'a> Rows<'a> {
    /// Opens the table of a file.
    ///
    /// # Errors
    /// If it has no column that holds a text.
    pub fn open(
        file: &InputFile,
        table: &'a Arc<dyn HeldTable>,
        fields: &Fields,
        limits: &Limits,
    ) -> Result<Rows<'a>, Skipped> {
        let names = table.columns();
        let columns = choose(file, names.iter().map(|name| (name.as_str(), true)), fields)?.into();
        Ok(Rows { table, columns, limits: *limits, position: Position { row: 0 }, given_bytes: 0 })
    }

    /// Returns where reading stands.
    pub fn position(&self) -> Position {
        self.position
    }

    /// Goes to where reading stood.
    pub fn at(mut self, position: Position) -> Rows<'a> {
        self.position = position;
        self.given_bytes = self.bytes_until(position.row);
        self
    }

    /// Returns the next rows, none at the end.
    pub fn next_piece(&mut self) -> Option<Piece> {
        let first = self.position.row;
        let end = self.table.rows().min(first.saturating_add(PIECE_ROWS as u64));
        if first >= end {
            return None;
        }
        let mut bytes = 0;
        while self.position.row < end && bytes < PIECE_BYTES {
            let texts = self.columns.iter().filter(|column| column.is_text());
            bytes += texts
                .map(|column| match self.table.cell(self.position.row, column.number) {
                    Cell::Text(text) => text.len(),
                    _ => 0,
                })
                .sum::<usize>();
            self.position.row += 1;
        }
        let until = self.bytes_until(self.position.row);
        let piece = Piece {
            table: self.table.clone(),
            columns: self.columns.clone(),
            limits: self.limits,
            rows: first..self.position.row,
            bytes: until.saturating_sub(self.given_bytes),
        };
        self.given_bytes = until;
        Some(piece)
    }

    /// Returns the share of the table that stands before a row, in bytes.
    fn bytes_until(&self, row: u64) -> u64 {
        let rows = self.table.rows().max(1);
        (u128::from(self.table.bytes()) * u128::from(row.min(rows)) / u128::from(rows)) as u64
    }
}

impl Piece {
    /// Reads the rows, adding what they say to the digest of their table.
    pub fn parse(self, file: &InputFile, fields: &Fields, digest: &AtomicU64) -> Parsed {
        let mut parsed = Parsed { bytes: self.bytes, digest: mix64(self.rows.start), ..Parsed::default() };
        let mut notes = parse::Notes::default();
        for number in self.rows {
            let mut row = Row::default();
            for column in &*self.columns {
                column.offer(self.table.cell(number, column.number), &self.limits, &mut row);
            }
            parsed.digest = row.digest(parsed.digest);
            match parse::read_cells(row.record, number, file, fields, &mut notes) {
                Ok(document) => parsed.documents.push(document),
                Err(skipped) => parsed.skipped.push(skipped),
            }
        }
        parsed.notes = notes.told(file);
        // Sums do not depend on the order in which workers come to their parts.
        digest.fetch_add(parsed.digest, Ordering::Relaxed);
        parsed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::DocumentSource;
    use crate::input::{Source, SourceSettings};

    #[derive(Debug)]
    struct Table {
        columns: Vec<&'static str>,
        rows: Vec<Vec<Cell<'static>>>,
    }

    impl HeldTable for Table {
        fn columns(&self) -> Vec<String> {
            self.columns.iter().map(|name| (*name).to_owned()).collect()
        }

        fn rows(&self) -> u64 {
            self.rows.len() as u64
        }

        fn bytes(&self) -> u64 {
            1000
        }

        fn cell(&self, row: u64, column: usize) -> Cell<'_> {
            self.rows[row as usize][column].clone()
        }
    }

    fn open(columns: &[&'static str], rows: Vec<Vec<Cell<'static>>>) -> Source {
        let table = Arc::new(Table { columns: columns.to_vec(), rows });
        Source::held("data.arrow", table, &SourceSettings::default()).unwrap()
    }

    fn read(source: &Source) -> Parsed {
        let mut all = Parsed::default();
        let mut pass = source.pass().unwrap();
        while let Some(batch) = pass.next_batch().unwrap() {
            let parsed = batch.parse();
            all.documents.extend(parsed.documents);
            all.skipped.extend(parsed.skipped);
            all.bytes += parsed.bytes;
        }
        all
    }

    #[test]
    fn a_row_is_a_document_and_one_without_a_text_is_skipped() {
        let rows = vec![
            vec![Cell::Word("7".into()), Cell::Text("one".into()), Cell::Text("https://www.a.example/x".into())],
            vec![Cell::Null, Cell::Null, Cell::Null],
            vec![Cell::Text("c".into()), Cell::Other("a list"), Cell::Null],
            vec![Cell::Text("d".into()), Cell::Word("12".into()), Cell::Null],
        ];
        let source = open(&["id", "text", "url"], rows);
        let parsed = read(&source);
        let ids: Vec<&str> = parsed.documents.iter().map(|document| document.id.as_str()).collect();
        assert_eq!(ids, ["7", "data.arrow:1"]);
        assert_eq!(parsed.documents[0].site.as_deref(), Some("a.example"));
        assert_eq!((parsed.documents[1].text.as_str(), parsed.bytes), ("", 1000));
        let told: Vec<String> = parsed.skipped.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "`data.arrow`, record 3: expected a string in column `text`, found a list",
                "`data.arrow`, record 4: expected a string in column `text`, found a number"
            ]
        );
    }

    #[test]
    fn every_pass_gives_the_same_and_another_text_another_digest() {
        let text = |text: &'static str| vec![vec![Cell::Text(text.into())]; 3 * PIECE_ROWS];
        let source = open(&["text"], text("one"));
        let first = read(&source);
        let digests = source.digests();
        assert_eq!(first.documents.len(), 3 * PIECE_ROWS);
        let second = read(&source);
        assert_eq!((first.documents, digests.clone()), (second.documents, source.digests()));
        let other = open(&["text"], text("two"));
        read(&other);
        assert_ne!(other.digests(), digests);
    }

    #[test]
    fn a_table_without_a_column_of_texts_is_refused_by_name() {
        let table = Arc::new(Table { columns: vec!["a", "b"], rows: Vec::new() });
        let error = Source::held("data.arrow", table, &SourceSettings::default()).unwrap_err();
        assert_eq!(error.to_string(), "`data.arrow`: expected a column `text`, found `a`, `b`");
        assert_eq!(error.hint().as_deref(), Some("name the column of the text with `--text-field`"));
    }
}
