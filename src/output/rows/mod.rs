//! Files of typed columns again: the rows that are kept, their texts without what was cut out of them.

#![cfg_attr(
    not(any(feature = "arrow", feature = "parquet")),
    allow(dead_code, unused_imports, reason = "neither form is built in")
)]

#[cfg(feature = "arrow")]
mod arrow;
#[cfg(feature = "parquet")]
mod parquet;

use std::ops::Range;

use crate::files::OutputFile;
use crate::input::{Container, InputFile};

/// What becomes of a row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Edit {
    /// Whether it is left out.
    pub drops: bool,
    /// The column that its text is in, and what is cut out of that, in bytes.
    pub cuts: Option<(usize, Vec<Range<usize>>)>,
}

/// A copy of a file of typed columns, written group by group.
pub(super) trait Copy: Send {
    /// Takes what becomes of the next rows of a group; groups come in order.
    fn put(&mut self, group: usize, edits: Vec<Edit>) -> Result<(), String>;

    /// Ends the file. Rows of which nothing was said could not be read, and are left out.
    fn finish(self: Box<Self>) -> Result<OutputFile, String>;
}

/// Begins the copy of a file.
#[cfg_attr(not(any(feature = "arrow", feature = "parquet")), allow(unused_variables, reason = "no form is built in"))]
pub(super) fn copy(file: &InputFile, out: OutputFile) -> Result<Box<dyn Copy>, String> {
    match file.container {
        #[cfg(feature = "arrow")]
        Container::Arrow => Ok(Box::new(arrow::copy(file, out)?)),
        #[cfg(feature = "parquet")]
        Container::Parquet => Ok(Box::new(parquet::copy(file, out).map_err(|error| error.to_string())?)),
        _ => Err("it is no file of typed columns".to_owned()),
    }
}
