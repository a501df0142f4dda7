//! Stands in for the reader of Parquet files where that is not built in: says how to build it in.

use std::convert::Infallible;

use serde::{Deserialize, Serialize};

use crate::document::Skipped;
use crate::input::InputFile;
use crate::input::fields::{self, Fields};
use crate::input::limits::Limits;

/// Some rows of a row group: there are none.
pub(crate) struct Piece {
    pub group: usize,
    pub first_row: u64,
    pub rows: Vec<Row>,
    pub packed_bytes: u64,
    pub trouble: Option<Skipped>,
}

/// A row.
pub(crate) struct Row {
    pub record: fields::Record,
    pub text_column: Option<usize>,
}

impl Piece {
    pub fn digest(&self) -> u64 {
        0
    }
}

/// Where the reading of a file stands.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Position {}

/// A Parquet file being read: there is none.
pub(crate) struct Rows<'a> {
    never: Infallible,
    _file: &'a InputFile,
}

impl<'a> Rows<'a> {
    pub fn open(file: &'a InputFile, _fields: &Fields, _limits: &Limits) -> Result<Rows<'a>, Skipped> {
        Err(file.not_built_in("parquet"))
    }

    pub fn position(&self) -> Position {
        match self.never {}
    }

    pub fn at(self, _position: Position) -> Result<Rows<'a>, Infallible> {
        match self.never {}
    }

    pub fn next_piece(&mut self) -> Option<Piece> {
        match self.never {}
    }
}
