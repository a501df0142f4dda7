//! Tables for other programs, made of those that stand in a directory: CSV for spreadsheets, Parquet for databases.
//!
//! The tables as JSON lines stay beside them: they are what this program reads back.

mod columns;

mod sheet;

#[cfg_attr(not(feature = "parquet"), path = "stored_disabled.rs")]
mod stored;

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use serde_json::{Map, Value};

use crate::output::WriteError;
pub use columns::{Column, ColumnKind, DROPPED, REMOVED, TABLES};

/// A form of tables beside JSON lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableFormat {
    /// For spreadsheets: UTF-8 with a byte order mark, cells that would be formulas made harmless.
    Csv,
    /// For databases: a column for every field, typed.
    Parquet,
}

impl TableFormat {
    /// Returns the suffix of such a file.
    pub fn suffix(self) -> &'static str {
        match self {
            TableFormat::Csv => "csv",
            TableFormat::Parquet => "parquet",
        }
    }
}

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// Rows of all tables.
    pub rows: u64,
    /// Cells that were cut, since a spreadsheet holds no more than 32,767 characters in one.
    pub cut_cells: u64,
}

/// Writes every table of a directory, which are JSON lines, in another form too, beside it.
///
/// Holds some thousand rows at a time.
///
/// # Errors
/// If a table cannot be read or written, or the form needs a feature that is not built in.
pub fn export_tables(directory: &Path, format: TableFormat) -> Result<Exported, WriteError> {
    let mut exported = Exported::default();
    for (name, columns) in TABLES {
        let rows = Rows::open(&directory.join(format!("{name}.jsonl")))?;
        let path = directory.join(format!("{name}.{}", format.suffix()));
        let failed = |source: io::Error| WriteError::File { path: path.clone(), source };
        let out = File::create(&path).map_err(failed)?;
        let written = match format {
            TableFormat::Csv => sheet::write(rows, columns, out).map_err(failed)?,
            TableFormat::Parquet => stored::write(rows, columns, out).map_err(failed)?,
        };
        exported.rows += written.rows;
        exported.cut_cells += written.cut_cells;
    }
    Ok(exported)
}

/// Rows of a table of JSON lines.
struct Rows {
    lines: io::Lines<BufReader<File>>,
}

impl Rows {
    fn open(path: &Path) -> Result<Rows, WriteError> {
        let file = File::open(path).map_err(|source| WriteError::File { path: path.to_owned(), source })?;
        Ok(Rows { lines: BufReader::with_capacity(1 << 20, file).lines() })
    }
}

impl Iterator for Rows {
    type Item = io::Result<Map<String, Value>>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.lines.next()?.and_then(|line| serde_json::from_str(&line).map_err(io::Error::from)))
    }
}

/// Returns a cell of a row.
fn cell<'r>(row: &'r Map<String, Value>, column: &Column) -> &'r Value {
    row.get(column.name).unwrap_or(&Value::Null)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::schema::*;

    /// Returns the names of a row's fields.
    fn names<T: serde::Serialize>(row: &T) -> Vec<String> {
        serde_json::to_value(row).unwrap().as_object().unwrap().keys().cloned().collect()
    }

    #[test]
    fn columns_are_the_fields_of_the_rows() {
        let columns = |name: &str| -> Vec<String> {
            let (_, columns) = TABLES.iter().find(|(known, _)| *known == name).unwrap();
            let mut names: Vec<String> = columns.iter().map(|column| column.name.to_owned()).collect();
            names.sort();
            names
        };
        let skipped = SkippedRow { source: "a".into(), row: None, byte: None, reason: "b".into(), raw: None };
        assert_eq!(columns("skipped"), names(&skipped));
        let headline = HeadlineRow { headline: "a".into(), documents: 1, sites: 1, relation: "generic".into() };
        assert_eq!(columns("headlines"), names(&headline));
        let pair = PairRow {
            a: "a".into(),
            b: "b".into(),
            jaccard: 0.5,
            jaccard_raw: 0.5,
            a_in_b: 0.5,
            b_in_a: 0.5,
            relation: "near".into(),
            retelling: false,
            joined: true,
            reason: "jaccard".into(),
        };
        assert_eq!(columns("pairs"), names(&pair));
        let sorted = |columns: &[Column]| {
            let mut names: Vec<String> = columns.iter().map(|column| column.name.to_owned()).collect();
            names.sort();
            names
        };
        let removed = RemovedRow {
            id: "a".into(),
            source: "a".into(),
            row: 0,
            start: 0,
            end: 1,
            kind: "byline".into(),
            score: 0.9,
            text: "b".into(),
            byte: None,
            raw: None,
            raw_hex: None,
        };
        assert_eq!(sorted(&REMOVED), names(&removed));
        let dropped = DroppedRow {
            id: "a".into(),
            source: "a".into(),
            row: 0,
            kept_id: None,
            similarity: None,
            relation: None,
            reason: None,
        };
        assert_eq!(sorted(&DROPPED), names(&dropped));
    }
}
