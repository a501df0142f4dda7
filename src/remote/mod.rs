//! Objects that are read over the network: found, checked, fetched in blocks, and kept.
//!
//! Knows addresses, stores and their objects as bytes: no containers, no documents; and writes no object. With the
//! feature `object-store`; without it every address is answered by an error that names the feature.
//!
//! ```text
//! Address ──find──▶ Object, with its version ──read──▶ blocks ahead of the reader ──▶ bytes in order
//!                        │ check, once a pass            ▲ ▼
//!                        └──▶ failure                   cache
//! ```
//!
//! An object is the version that was found: every request names it, so that bytes of two versions never meet. Whatever
//! makes an object unreadable later than that (another version, none, no network) fails the source as a whole
//! ([`Remote::failure`]): what is judged in several passes must be there in all of them. Requests are tried again by
//! the client, for a few seconds. The network has a thread of its own, beside those that the run was given.

mod address;
mod error;

#[cfg(feature = "object-store")]
mod cache;
#[cfg(feature = "object-store")]
mod client;
#[cfg(feature = "object-store")]
mod object;
#[cfg(feature = "object-store")]
mod reader;
#[cfg(feature = "object-store")]
mod stores;

#[cfg(not(feature = "object-store"))]
mod disabled;

pub use address::{Address, Scheme, is_address};
#[cfg(not(feature = "object-store"))]
pub use disabled::{Begun, Object, ObjectRanges, ObjectReader, Remote};
pub use error::RemoteError;
#[cfg(feature = "object-store")]
pub use object::{Begun, Object};
#[cfg(feature = "object-store")]
pub use reader::{ObjectRanges, ObjectReader};
#[cfg(feature = "object-store")]
pub use stores::Remote;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

/// How objects are reached, and where copies of them are kept.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct RemoteSettings {
    /// Names and values as they stand in the environment, of which those that begin with `AWS_`, `GOOGLE_` and `AZURE_`
    /// are used: credentials, regions, addresses of own servers.
    pub variables: Vec<(String, String)>,
    /// Where a packed copy is kept; none: nowhere, every pass fetches anew.
    pub cache: Option<CacheSettings>,
}

/// A directory for packed copies of objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheSettings {
    /// The directory, which is made where it is missing.
    pub directory: PathBuf,
    /// Bytes that the files in it may take together.
    pub most_bytes: u64,
}

impl fmt::Debug for RemoteSettings {
    /// Shows no values: secrets are among them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.variables.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("RemoteSettings").field("variables", &names).field("cache", &self.cache).finish()
    }
}

/// What an address leads to.
#[derive(Debug)]
pub enum Found {
    /// One object.
    Object(Arc<Object>),
    /// The objects below it, or those that its pattern may mean, by the bytes of their keys.
    Below(Vec<Arc<Object>>),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_shown() {
        let variables = vec![("AWS_SECRET_ACCESS_KEY".to_owned(), "hush".to_owned())];
        let shown = format!("{:?}", RemoteSettings { variables, cache: None });
        assert!(shown.contains("AWS_SECRET_ACCESS_KEY") && !shown.contains("hush"), "{shown}");
    }
}
