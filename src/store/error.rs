//! What can go wrong with scratch files.

use std::path::PathBuf;

/// A scratch file could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Writing failed, as on a full disk.
    #[error("`{path}`: could not write scratch data")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Reading back failed.
    #[error("`{path}`: could not read scratch data back")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A scratch file does not hold what was written to it.
    #[error("`{path}`: scratch data is damaged: {what}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was expected and found.
        what: String,
    },
    /// What an interrupted run left cannot be gone on from: something is not as it was.
    #[error("`{path}`: an interrupted run cannot go on: {what}")]
    OtherRun {
        /// Where the interrupted run keeps what it has finished.
        path: PathBuf,
        /// What has changed.
        what: String,
    },
}

impl StoreError {
    /// Returns what to do about it.
    pub fn hint(&self) -> String {
        if let StoreError::OtherRun { .. } = self {
            return "undo the change to go on, or run once without `--resume` to begin anew".to_owned();
        }
        "make room there, or choose another place with `--temp-dir`".to_owned()
    }
}
