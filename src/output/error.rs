//! What can go wrong with outputs.

use std::path::PathBuf;

use crate::document::SourceError;
use crate::files::FileError;

/// An output could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// Writing a file failed, as on a full disk.
    #[error("`{path}`: could not be written")]
    File {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file or directory of the output could not be used.
    #[error(transparent)]
    Output(#[from] FileError),
    /// The stream that records are written to failed.
    #[error("records could not be written")]
    Stream {
        /// Why.
        source: std::io::Error,
    },
    /// The output would replace what is read.
    #[error("`{path}`: holds the input `{input}`")]
    OverInput {
        /// The output directory.
        path: PathBuf,
        /// A file in it that is read.
        input: String,
    },
    /// A file of the input has the name of one of our tables.
    #[error("an input file is called `{name}`, as a table that is written beside the copies")]
    Collision {
        /// The name.
        name: &'static str,
    },
    /// A copy could not be made in the form of its original.
    #[error("`{input}`: its copy could not be written: {what}")]
    Copy {
        /// The file that is copied.
        input: String,
        /// Why.
        what: String,
    },
    /// Attributes stand beside JSON lines alone.
    #[error("`{input}`: attributes are lines beside the lines of JSON that they are about, and this file has none")]
    NoLines {
        /// The file.
        input: String,
    },
    /// A table in memory has no file to copy.
    #[error("`{input}`: is a table in memory, of which there is no copy")]
    Held {
        /// Its name.
        input: String,
    },
    /// Documents and decisions do not belong together.
    #[error("documents and decisions do not fit together: found {what}")]
    Decisions {
        /// What was found where.
        what: String,
    },
    /// The input is not what was judged.
    #[error("`{input}`: has changed since it was judged")]
    Changed {
        /// The file.
        input: String,
    },
    /// The input can no longer be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A table of a finished run cannot be understood.
    #[error("`{path}`, line {line}: expected a row of that table", path = path.display())]
    Table {
        /// The table.
        path: PathBuf,
        /// The line, 1 for the first.
        line: u64,
        /// Why.
        source: serde_json::Error,
    },
    /// A finished run is not the one that is needed.
    #[error("`{path}`: expected {expected}, found {found}", path = path.display())]
    OtherRun {
        /// The directory.
        path: PathBuf,
        /// What it should be.
        expected: &'static str,
        /// What it is.
        found: String,
    },
    /// A finished run has another layout than this version reads.
    #[error("`{path}`: expected tables of layout {expected}, found {found}", path = path.display())]
    OtherSchema {
        /// The directory.
        path: PathBuf,
        /// The layout that this version writes.
        expected: u32,
        /// The layout of the run.
        found: u32,
    },
    /// Copies and the table of what was cut out of them do not fit together.
    #[error("`{file}`: does not fit the table `removed`: {what}")]
    Restore {
        /// The copy.
        file: String,
        /// What was found.
        what: String,
    },
    /// The system gives no threads.
    #[error("could not start threads")]
    Threads {
        /// Why.
        source: std::io::Error,
    },
    /// The run was asked to stop.
    #[error("stopped")]
    Stopped,
}

impl WriteError {
    /// Returns what to do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            WriteError::File { source, .. } if source.kind() == std::io::ErrorKind::StorageFull => {
                "make room on that disk, or name another directory with `-o`".to_owned()
            }
            WriteError::File { .. } => "name a directory that can be written with `-o`".to_owned(),
            WriteError::Output(error) => error.hint(),
            WriteError::Copy { .. } => "check that the input can be read to its end, and scan again".to_owned(),
            WriteError::OverInput { .. } => "name a directory outside the input with `-o`".to_owned(),
            WriteError::NoLines { .. } => {
                "leave it out with `--glob`, or write copies without `--attributes`".to_owned()
            }
            WriteError::Held { .. } => {
                "apply the decisions to the table itself, or write it to a file first".to_owned()
            }
            WriteError::Collision { .. } => "rename that file, or leave it out with `--glob`".to_owned(),
            WriteError::Decisions { .. } => {
                "run with the settings of the scan, or scan again: the input or the fields differ".to_owned()
            }
            WriteError::Changed { .. } => "scan again, and let nothing write to the input meanwhile".to_owned(),
            WriteError::Source(error) => return error.hint.clone(),
            WriteError::Table { .. } | WriteError::OtherRun { .. } => {
                "name a directory that a run of this version has written".to_owned()
            }
            WriteError::OtherSchema { .. } => "scan again, or use the version that wrote it".to_owned(),
            WriteError::Restore { .. } => "restore works on the copies as `clean` wrote them".to_owned(),
            WriteError::Threads { .. } => "ask for fewer with `--threads`".to_owned(),
            WriteError::Stream { .. } | WriteError::Stopped => return None,
        })
    }
}
