//! Stands in for objects where they are not built in: says how to build them in.

use std::convert::Infallible;
use std::io::{self, Read};
use std::ops::Range;
use std::sync::Arc;
use std::time::SystemTime;

use crate::remote::{Address, Found, RemoteError, RemoteSettings};

/// All stores of a source: there are none.
#[derive(Clone, Debug)]
pub struct Remote {}

impl Remote {
    /// Returns it.
    ///
    /// # Errors
    /// None; with the feature, if copies cannot be kept where they are to be.
    pub fn open(_settings: &RemoteSettings) -> Result<Remote, RemoteError> {
        Ok(Remote {})
    }

    /// Finds what addresses lead to.
    ///
    /// # Errors
    /// As items: the feature is missing.
    pub fn find(&self, addresses: &[Address]) -> Vec<Result<Found, RemoteError>> {
        let missing = |address: &Address| RemoteError {
            address: address.shown(),
            what: "this program was built without the feature `object-store`".to_owned(),
            hint: "build it with `cargo install --features object-store`, or copy the file here first".to_owned(),
            kind: io::ErrorKind::Unsupported,
        };
        addresses.iter().map(|address| Err(missing(address))).collect()
    }

    /// Begins a pass.
    pub fn begin_pass(&self, objects: &[Arc<Object>]) {
        debug_assert!(objects.is_empty(), "nothing was found");
    }

    /// Returns why objects can no longer be read.
    pub fn failure(&self) -> Option<RemoteError> {
        None
    }
}

/// An object: there is none.
#[derive(Debug)]
pub struct Object {
    never: Infallible,
}

impl Object {
    /// Returns its address.
    pub fn address(&self) -> &Address {
        match self.never {}
    }

    /// Returns its length.
    pub fn bytes(&self) -> u64 {
        match self.never {}
    }

    /// Returns when it was last changed.
    pub fn modified(&self) -> Option<SystemTime> {
        match self.never {}
    }

    /// Returns what tells this version of it from others.
    pub fn version(&self) -> String {
        match self.never {}
    }

    /// Returns how many bytes of it are kept already.
    pub fn kept_bytes(&self) -> u64 {
        match self.never {}
    }

    /// Returns whether parts of it can be read.
    pub fn has_ranges(&self) -> bool {
        match self.never {}
    }

    /// Returns whether reading it asks for no request that would notice another version.
    pub fn needs_check(&self) -> bool {
        match self.never {}
    }

    /// Begins to fetch its first block.
    pub fn begin(self: &Arc<Object>) -> Begun {
        match self.never {}
    }

    /// Reads a part of it in order.
    pub fn read(self: &Arc<Object>, _range: Range<u64>) -> ObjectReader {
        match self.never {}
    }

    /// Reads it back and forth.
    pub fn ranges(self: &Arc<Object>) -> ObjectRanges {
        match self.never {}
    }

    /// Reads it whole, also where parts of it cannot be read.
    ///
    /// # Errors
    /// None: there is no object.
    pub fn copy_to(self: &Arc<Object>, _out: &mut dyn io::Write) -> io::Result<u64> {
        match self.never {}
    }
}

/// An object whose first block is on its way here: there is none.
#[derive(Debug)]
pub struct Begun {}

/// A part of an object: there is none.
#[derive(Debug)]
pub struct ObjectReader {
    never: Infallible,
}

impl Read for ObjectReader {
    fn read(&mut self, _out: &mut [u8]) -> io::Result<usize> {
        match self.never {}
    }
}

/// An object that is read back and forth: there is none.
#[derive(Debug)]
pub struct ObjectRanges {
    never: Infallible,
}

impl ObjectRanges {
    /// Returns its length.
    pub fn bytes(&self) -> u64 {
        match self.never {}
    }

    /// Reads some bytes.
    ///
    /// # Errors
    /// None: there is no object.
    pub fn read_at(&self, _offset: u64, _length: usize) -> io::Result<Vec<u8>> {
        match self.never {}
    }
}
