//! What can go wrong before the first document is read.

use std::path::PathBuf;

use crate::document::{Skipped, SourceError};
use crate::files::FileError;
use crate::remote::RemoteError;

/// Suffixes of what is read, for people.
const READ: &str = "`.txt`, `.md`, `.html`, `.xml`, `.jsonl`, `.json`, `.csv`, `.tsv`, `.parquet`, `.arrow`, `.feather`, \
     `.warc`, `.wet`, `.zip` and `.tar`";

/// The input as a whole cannot be read. What concerns one input among others is [`crate::document::Skipped`].
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Nothing was given.
    #[error("no input was given")]
    NoInput,
    /// None of the inputs can be read; the first one's reason stands for all.
    #[error("{first}")]
    NothingReadable {
        /// What is wrong with the first input.
        first: Box<Skipped>,
    },
    /// The inputs hold no file of a kind that is read.
    #[error("found nothing to read in {inputs}")]
    NothingFound {
        /// The inputs, in backticks.
        inputs: String,
        /// What was left out, and why.
        left_out: Vec<String>,
    },
    /// A `--glob` pattern cannot be understood.
    #[error("`--glob`: `{pattern}` is no pattern")]
    Glob {
        /// The pattern.
        pattern: String,
        /// Why.
        source: ignore::Error,
    },
    /// The metadata file lacks a column.
    #[error("`{}`: expected a column {expected}, found {found}", path.display())]
    MetadataColumn {
        /// The file.
        path: PathBuf,
        /// The names that would do.
        expected: String,
        /// The header's names.
        found: String,
    },
    /// The metadata file cannot be understood.
    #[error("`{}`: expected a CSV file", path.display())]
    Metadata {
        /// The file.
        path: PathBuf,
        /// Why.
        source: csv::Error,
    },
    /// The metadata file is no text.
    #[error("`{}`: expected a CSV file, found {found}", path.display())]
    MetadataText {
        /// The file.
        path: PathBuf,
        /// What it is.
        found: &'static str,
    },
    /// Standard input could not be copied to scratch.
    #[error("`-`: standard input could not be read")]
    StandardInput {
        /// Why.
        source: std::io::Error,
    },
    /// Objects cannot be read at all as was asked.
    #[error(transparent)]
    Remote(#[from] RemoteError),
    /// A file that the whole run needs.
    #[error(transparent)]
    File(#[from] FileError),
}

impl ReadError {
    /// Returns what to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            ReadError::NoInput => Some("name files or directories, or `-` for standard input".to_owned()),
            ReadError::NothingReadable { first } => first.hint.clone(),
            ReadError::NothingFound { left_out, .. } => Some(if left_out.is_empty() {
                format!("{READ} files are read, each also packed")
            } else {
                format!("{}; {READ} files are read", left_out.join("; "))
            }),
            ReadError::Glob { .. } => {
                Some("patterns are those of `.gitignore` files, as `*.txt` or `!drafts/`".to_owned())
            }
            ReadError::MetadataColumn { .. } => Some("name the column in the first line of the file".to_owned()),
            ReadError::Metadata { .. } | ReadError::MetadataText { .. } => {
                Some("expected are a line of column names and a line per file, separated by commas".to_owned())
            }
            ReadError::StandardInput { .. } => Some("check `--temp-dir`: standard input is copied there".to_owned()),
            ReadError::Remote(error) => Some(error.hint.clone()),
            ReadError::File(error) => Some(error.hint()),
        }
    }
}

impl From<ReadError> for SourceError {
    fn from(error: ReadError) -> SourceError {
        let hint = error.hint();
        let message = error.to_string();
        let cause = match error {
            ReadError::StandardInput { source }
            | ReadError::File(FileError::Read { source, .. } | FileError::Write { source, .. }) => Some(source),
            _ => None,
        };
        SourceError { message, hint, cause }
    }
}
