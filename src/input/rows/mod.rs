//! Rows of files of typed columns: Parquet, and Arrow IPC (Feather).
//!
//! Columns are read by the types that they are stored in: those that mean something, and none of the others.

#![cfg_attr(
    not(any(feature = "arrow", feature = "parquet")),
    allow(dead_code, unused_imports, reason = "neither form is built in")
)]

#[cfg(feature = "arrow")]
pub(crate) mod arrow;
#[cfg(feature = "arrow")]
pub(crate) mod messages;
#[cfg(feature = "parquet")]
pub(crate) mod parquet;

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::{Deserialize, Serialize};

use crate::document::Skipped;
use crate::hash::{hash64, mix64};
use crate::input::fields::{self, Field, Fields, Meaning, Value};
use crate::input::limits::Limits;
use crate::input::{Cell, Container, InputFile};

/// Bytes of text that a piece ends after.
pub(super) const PIECE_BYTES: usize = 1 << 20;
/// Rows that a piece has at most.
pub(super) const PIECE_ROWS: usize = 4096;
/// Columns that a message names.
const NAMED: usize = 30;

/// Some rows of a group: a row group of Parquet, a record batch of Arrow.
pub(crate) struct Piece {
    /// The group.
    pub group: usize,
    /// The number of the first row in the file.
    pub first_row: u64,
    /// What each row says, or why it cannot be taken.
    pub rows: Vec<Row>,
    /// Bytes of the file that were read for it, about.
    pub packed_bytes: u64,
    /// What is wrong after these rows.
    pub trouble: Option<Skipped>,
}

/// A row.
#[derive(Default)]
pub(crate) struct Row {
    /// What it says.
    pub record: fields::Record,
    /// The column that its text is in.
    pub text_column: Option<usize>,
}

impl Piece {
    /// Returns a digest of what the rows say.
    pub fn digest(&self) -> u64 {
        let seed = mix64(self.first_row ^ (self.group as u64) << 40);
        self.rows.iter().fold(seed, |digest, row| row.digest(digest))
    }
}

impl Row {
    /// Returns a digest of what rows say, this one after those whose digest is given.
    pub fn digest(&self, before: u64) -> u64 {
        self.record.values().fold(mix64(before), |digest, value| match value {
            Value::Given(text) => mix64(digest ^ hash64(text.as_bytes())),
            _ => mix64(digest),
        })
    }
}

/// Where the reading of a file stands.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Position {
    group: usize,
    in_group: u64,
    row: u64,
    is_begun: bool,
}

/// A file of typed columns, being read.
pub(crate) trait Rows: Send {
    /// Returns where reading stands.
    fn position(&self) -> Position;

    /// Goes to where reading stood.
    ///
    /// # Errors
    /// If the file is not what it was.
    fn go_to(&mut self, position: Position) -> Result<(), String>;

    /// Returns the next rows, none at the end. A file without rows is one piece, so that it has a copy.
    fn next_piece(&mut self) -> Option<Piece>;
}

/// Opens a file of typed columns.
///
/// # Errors
/// If it is no such file, has no column that holds a text, or if its form is not built in.
#[cfg_attr(not(any(feature = "arrow", feature = "parquet")), allow(unused_variables, reason = "no form is built in"))]
pub(crate) fn open<'a>(file: &'a InputFile, fields: &Fields, limits: &Limits) -> Result<Box<dyn Rows + 'a>, Skipped> {
    match file.container {
        #[cfg(feature = "arrow")]
        Container::Arrow => Ok(Box::new(arrow::Batches::open(file, fields, limits)?)),
        #[cfg(feature = "parquet")]
        Container::Parquet => Ok(Box::new(parquet::Groups::open(file, fields, limits)?)),
        other => Err(file.not_built_in(other.suffix())),
    }
}

/// A column that means something.
#[derive(Debug)]
pub(in crate::input) struct Column {
    pub number: usize,
    pub meanings: Vec<Meaning>,
}

impl Column {
    pub fn is_text(&self) -> bool {
        self.meanings.iter().any(|meaning| meaning.field == Field::Text)
    }

    /// Gives a row the value that it has in this column; returns the bytes of text in it.
    pub fn offer(&self, cell: Cell<'_>, limits: &Limits, row: &mut Row) -> usize {
        let bytes = if let Cell::Text(text) = &cell { text.len() } else { 0 };
        let (last, others) = self.meanings.split_last().expect("a column that is read means something");
        for meaning in others {
            self.offer_as(*meaning, cell.clone(), limits, row);
        }
        self.offer_as(*last, cell, limits, row);
        bytes
    }

    fn offer_as(&self, meaning: Meaning, cell: Cell<'_>, limits: &Limits, row: &mut Row) {
        let is_text = meaning.field == Field::Text;
        let value = match cell {
            Cell::Text(text) if text.len() as u64 > limits.record_bytes => Value::Wrong(limits.too_long_value()),
            Cell::Text(text) if text.is_empty() => Value::Missing,
            Cell::Text(text) => Value::Given(text.into_owned()),
            Cell::Word(word) if !is_text => Value::Given(word),
            Cell::Word(_) => Value::Wrong("a number"),
            Cell::Null => Value::Missing,
            Cell::Other(what) => Value::Wrong(what),
        };
        if row.record.offer(meaning, value) && is_text {
            row.text_column = Some(self.number);
        }
    }
}

/// Chooses the columns that mean something, of those of these names; none where a column holds no single values.
pub(in crate::input) fn choose<'n>(
    file: &InputFile,
    names: impl Iterator<Item = (&'n str, bool)> + Clone,
    fields: &Fields,
) -> Result<Vec<Column>, Skipped> {
    let chosen =
        names.clone().enumerate().filter(|(_, (_, is_single))| *is_single).filter_map(|(number, (name, _))| {
            let meanings = fields.meanings(name).to_vec();
            (!meanings.is_empty()).then_some(Column { number, meanings })
        });
    let columns: Vec<Column> = chosen.collect();
    if columns.iter().any(Column::is_text) {
        return Ok(columns);
    }
    let more = names.clone().count().saturating_sub(NAMED);
    let seen: Vec<String> = names.take(NAMED).map(|(name, _)| format!("`{name}`")).collect();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let seen = if seen.is_empty() { "none".to_owned() } else { seen.join(", ") };
    let reason = format!("expected a column `{}`, found {seen}{more}", fields.text_names()[0]);
    let hint = "name the column of the text with `--text-field`".to_owned();
    Err(Skipped { field: Some(fields.text_names()[0].clone()), ..file.skipped(None, None, reason, Some(hint)) })
}

/// Runs what decodes bytes from outside: files made to mislead can bring a decoder down.
///
/// # Errors
/// What the decoder says, or that it went down.
pub(crate) fn guarded<T, E>(work: impl FnOnce() -> Result<T, E>, went_down: fn(String) -> E) -> Result<T, E> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(went_down("the decoder cannot make sense of it".to_owned())))
}
