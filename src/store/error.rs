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
}

impl StoreError {
    /// Returns what to do about it.
    pub fn hint(&self) -> String {
        "make room there, or choose another place with `--temp-dir`".to_owned()
    }
}
