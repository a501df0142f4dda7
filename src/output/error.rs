//! What can go wrong with outputs.

use std::path::PathBuf;

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
}

impl WriteError {
    /// Returns what to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            WriteError::File { source, .. } if source.kind() == std::io::ErrorKind::StorageFull => {
                Some("make room on that disk, or name another directory with `-o`".to_owned())
            }
            WriteError::File { .. } => Some("name a directory that can be written with `-o`".to_owned()),
        }
    }
}
