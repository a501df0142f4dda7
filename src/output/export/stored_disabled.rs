//! Stands in for the writer of Parquet tables where that is not built in: says how to build it in.

use std::fs::File;
use std::io;

use serde_json::{Map, Value};

use crate::output::export::{Column, Exported};

/// Writes nothing, and says why.
pub(super) fn write(
    _rows: impl Iterator<Item = io::Result<Map<String, Value>>>,
    _columns: &[Column],
    _out: File,
) -> io::Result<Exported> {
    let reason = "this program was built without the feature `parquet`: build it with `--features parquet`";
    Err(io::Error::new(io::ErrorKind::Unsupported, reason))
}
