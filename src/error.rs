//! One error for whoever runs the pipeline: one variant a boundary.

use crate::config::ConfigError;
use crate::document::SourceError;
use crate::evidence::EvidenceError;
use crate::output::WriteError;
use crate::store::StoreError;

/// A run could not be done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A setting cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The input as a whole cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// Scratch data cannot be kept.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An output cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// Saved evidence cannot be used.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    /// The input changed between two passes over it.
    #[error("the input changed while it was read: {what}")]
    Changed {
        /// What differs.
        what: String,
    },
    /// The run was asked to stop.
    #[error("stopped")]
    Stopped,
}

impl Error {
    /// Returns what to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Error::Config(_) | Error::Stopped => None,
            Error::Source(error) => error.hint.clone(),
            Error::Store(error) => Some(error.hint()),
            Error::Write(error) => error.hint(),
            Error::Evidence(error) => Some(error.hint()),
            Error::Changed { .. } => Some("run again when nothing writes to it any more".to_owned()),
        }
    }
}
