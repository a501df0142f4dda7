//! What can go wrong with objects.

use std::io;

/// An object, or a place in a store, cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{address}`: {what}")]
pub struct RemoteError {
    /// The address, without what follows a question mark: secrets may stand there.
    pub address: String,
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub hint: String,
    /// How an operating system would call it.
    pub kind: io::ErrorKind,
}

impl From<RemoteError> for io::Error {
    fn from(error: RemoteError) -> io::Error {
        io::Error::new(error.kind, error)
    }
}
