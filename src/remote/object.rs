//! One version of an object, and how a block of it comes here.

use std::fmt;
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use futures_util::StreamExt;
use object_store::path::Path;
use object_store::{Error, GetOptions, ObjectMeta, ObjectStore};
use tokio::task::{JoinHandle, spawn_blocking};

use crate::hash::hash128;
use crate::remote::client::{changed, runtime, told};
use crate::remote::stores::{Shared, gone};
use crate::remote::{Address, ObjectRanges, ObjectReader, RemoteError};

/// Bytes that are asked for at once: enough that the wait for an answer costs little (4 MiB take 40 ms at 100 MB/s),
/// few enough that some blocks ahead of every reader fit in memory.
pub(super) const BLOCK_BYTES: u64 = 4 << 20;

/// First blocks that are held for whoever opens an object again at once.
const HEADS: usize = 2;

/// What tells a version of an object from others.
#[derive(Clone, Debug)]
pub(super) struct Version {
    /// The store's own mark, without the quotes that some lists leave out.
    tag: Option<String>,
    /// The mark as it can be asked for: with its quotes. By the rules of the web a weak one matches nothing.
    if_match: Option<String>,
    modified: Option<SystemTime>,
}

impl Version {
    pub(super) fn of(meta: &ObjectMeta) -> Version {
        let seconds = meta.last_modified.timestamp();
        Version {
            tag: meta.e_tag.as_ref().map(|tag| tag.trim_matches('"').to_owned()),
            if_match: meta.e_tag.clone().filter(|tag| tag.starts_with('"')),
            // Where a server does not tell, it is said to be the beginning of all time.
            modified: (seconds > 0).then(|| SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(seconds as u64)),
        }
    }

    fn is(&self, other: &Version) -> bool {
        match (&self.tag, &other.tag) {
            (Some(tag), Some(other)) => tag == other,
            _ => self.modified == other.modified,
        }
    }
}

/// An object, in the version that was found.
pub struct Object {
    shared: Arc<Shared>,
    number: u64,
    address: Address,
    pub(super) store: Arc<dyn ObjectStore>,
    pub(super) path: Path,
    version: Version,
    bytes: u64,
    has_ranges: bool,
    /// What its blocks are kept under.
    name: String,
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Object({}, {})", self.address.shown(), self.version())
    }
}

impl Object {
    #[allow(clippy::too_many_arguments, reason = "what is known of an object, once")]
    pub(super) fn new(
        shared: Arc<Shared>,
        number: u64,
        address: Address,
        store: Arc<dyn ObjectStore>,
        path: Path,
        version: Version,
        bytes: u64,
        has_ranges: bool,
    ) -> Object {
        let mut object =
            Object { shared, number, address, store, path, version, bytes, has_ranges, name: String::new() };
        let query = object.address.query.as_deref().unwrap_or_default();
        let identity = format!("{}\0{query}\0{}\0{BLOCK_BYTES}", object.address.shown(), object.version());
        object.name = format!("{:032x}", hash128(identity.as_bytes()));
        object
    }

    /// Returns its address.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Returns its length.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Returns when it was last changed, if the store tells.
    pub fn modified(&self) -> Option<SystemTime> {
        self.version.modified
    }

    /// Returns what tells this version of it from others, in words.
    pub fn version(&self) -> String {
        let modified = self.version.modified.and_then(|time| jiff::Timestamp::try_from(time).ok());
        match (&self.version.tag, modified) {
            (Some(tag), _) => format!("{} bytes, version {tag}", self.bytes),
            (None, Some(modified)) => format!("{} bytes, changed {modified}", self.bytes),
            (None, None) => format!("{} bytes", self.bytes),
        }
    }

    /// Returns how many bytes of it are kept already.
    pub fn kept_bytes(&self) -> u64 {
        let Some(cache) = &self.shared.cache else { return 0 };
        let kept = (0..self.blocks()).filter(|block| cache.has(&self.name, *block));
        kept.map(|block| self.range_of(block)).map(|range| range.end - range.start).sum()
    }

    /// Returns whether parts of it can be read; else it is copied whole.
    pub fn has_ranges(&self) -> bool {
        self.has_ranges
    }

    /// Returns whether reading it may ask for no request that would notice another version.
    pub fn needs_check(&self) -> bool {
        self.bytes == 0 || self.kept_bytes() > 0
    }

    /// Reads a part of it in order, some blocks ahead.
    pub fn read(self: &Arc<Object>, range: Range<u64>) -> ObjectReader {
        ObjectReader::new(self.clone(), range.start.min(self.bytes)..range.end.min(self.bytes))
    }

    /// Reads it back and forth.
    pub fn ranges(self: &Arc<Object>) -> ObjectRanges {
        ObjectRanges::new(self.clone())
    }

    /// Reads it whole, also where parts of it cannot be read; returns its length.
    ///
    /// # Errors
    /// If it cannot be read to its end, or `out` takes no more.
    pub fn copy_to(self: &Arc<Object>, out: &mut dyn io::Write) -> io::Result<u64> {
        if self.has_ranges || self.kept_bytes() == self.bytes {
            return io::copy(&mut self.read(0..self.bytes), out);
        }
        let found = runtime().block_on(self.store.get_opts(&self.path, self.asked(None)));
        let found = found.map_err(|error| self.failed(&error))?;
        if !self.is(&found.meta) {
            return Err(self.fails(changed(&self.address)));
        }
        let mut stream = found.into_stream();
        let (mut copied, mut block) = (0, Vec::new());
        while let Some(next) = runtime().block_on(stream.next()) {
            let bytes = next.map_err(|error| self.failed(&error))?;
            copied += bytes.len() as u64;
            out.write_all(&bytes)?;
            block.extend_from_slice(&bytes);
            while block.len() as u64 >= BLOCK_BYTES {
                let rest = block.split_off(BLOCK_BYTES as usize);
                self.keep((copied - rest.len() as u64 - 1) / BLOCK_BYTES, &block);
                block = rest;
            }
        }
        if copied != self.bytes {
            return Err(self.fails(changed(&self.address)));
        }
        if !block.is_empty() {
            self.keep((copied - 1) / BLOCK_BYTES, &block);
        }
        Ok(copied)
    }

    /// Returns whether an answer is about this version.
    pub(super) fn is(&self, meta: &ObjectMeta) -> bool {
        meta.size == self.bytes && self.version.is(&Version::of(meta))
    }

    pub(super) fn blocks(&self) -> u64 {
        self.bytes.div_ceil(BLOCK_BYTES)
    }

    fn range_of(&self, block: u64) -> Range<u64> {
        block * BLOCK_BYTES..((block + 1) * BLOCK_BYTES).min(self.bytes)
    }

    /// Returns what is asked of the store: this version alone.
    fn asked(&self, range: Option<Range<u64>>) -> GetOptions {
        // Where no mark can be asked for, the answer still says what it is of.
        let if_match = self.version.if_match.clone();
        GetOptions { range: range.map(Into::into), if_match, ..GetOptions::default() }
    }

    /// Begins to fetch its first block, for whoever opens it next, as long as what is returned is held.
    pub fn begin(self: &Arc<Object>) -> Begun {
        if self.has_ranges && self.bytes > 0 {
            let object = self.clone();
            let going = runtime().spawn(async move {
                let _turn = object.shared.beginnings.acquire().await.expect("it is never closed");
                object.block(0).await
            });
            let fetch = Fetch { object: self.clone(), block: 0, state: State::Going(going) };
            self.shared.begun.lock().expect("no holder panics").insert(self.number, fetch);
        }
        Begun { object: self.clone() }
    }

    /// Begins to fetch a block.
    pub(super) fn fetch(self: &Arc<Object>, block: u64) -> Fetch {
        if block == 0 {
            if let Some(fetch) = self.shared.begun.lock().expect("no holder panics").remove(&self.number) {
                return fetch;
            }
            let heads = self.shared.heads.lock().expect("no holder panics");
            if let Some((_, bytes)) = heads.iter().find(|(number, _)| *number == self.number) {
                return Fetch { object: self.clone(), block, state: State::Here(bytes.clone()) };
            }
        }
        let object = self.clone();
        let going = runtime().spawn(async move { object.block(block).await });
        Fetch { object: self.clone(), block, state: State::Going(going) }
    }

    async fn block(self: &Arc<Object>, block: u64) -> Result<Bytes, RemoteError> {
        let range = self.range_of(block);
        let length = (range.end - range.start) as usize;
        if let Some(cache) = self.shared.cache.clone() {
            let name = self.name.clone();
            let kept = spawn_blocking(move || cache.get(&name, block, length)).await;
            if let Some(bytes) = kept.expect("unpacking does not panic") {
                return Ok(bytes.into());
            }
        }
        let told = |error: Error| self.told(&error);
        let found = self.store.get_opts(&self.path, self.asked(Some(range))).await.map_err(told)?;
        if !self.is(&found.meta) {
            return Err(changed(&self.address));
        }
        let bytes = found.bytes().await.map_err(told)?;
        if bytes.len() != length {
            return Err(changed(&self.address));
        }
        if self.shared.cache.is_some() {
            let (object, bytes) = (self.clone(), bytes.clone());
            spawn_blocking(move || object.keep(block, &bytes)).await.expect("packing does not panic");
        }
        Ok(bytes)
    }

    /// Keeps a block, where that is asked for.
    fn keep(&self, block: u64, bytes: &[u8]) {
        if let Some(cache) = &self.shared.cache {
            // What cannot be kept is fetched again: slower, and no less right.
            let _ = cache.put(&self.name, block, bytes);
        }
    }

    /// Says what went wrong with it after it was found.
    fn told(&self, error: &Error) -> RemoteError {
        match error {
            Error::NotFound { .. } => gone(&self.address),
            other => told(other, &self.address),
        }
    }

    fn failed(&self, error: &Error) -> io::Error {
        self.fails(self.told(error))
    }

    /// Ends the source, unless it is this object alone that may not be read.
    fn fails(&self, error: RemoteError) -> io::Error {
        if error.kind != io::ErrorKind::PermissionDenied {
            let _ = self.shared.failure.set(error.clone());
        }
        error.into()
    }
}

/// An object whose first block is on its way here. Dropped, it is fetched no further, unless somebody has opened it.
#[derive(Debug)]
pub struct Begun {
    object: Arc<Object>,
}

impl Drop for Begun {
    fn drop(&mut self) {
        self.object.shared.begun.lock().expect("no holder panics").remove(&self.object.number);
    }
}

/// A block on its way here. Dropped, it is fetched no further.
#[derive(Debug)]
pub(super) struct Fetch {
    object: Arc<Object>,
    block: u64,
    state: State,
}

#[derive(Debug)]
enum State {
    Here(Bytes),
    Going(JoinHandle<Result<Bytes, RemoteError>>),
}

impl Fetch {
    /// Returns which block it is.
    pub fn block(&self) -> u64 {
        self.block
    }

    /// Waits for it.
    pub fn wait(&mut self) -> io::Result<Bytes> {
        let going = match &mut self.state {
            State::Here(bytes) => return Ok(bytes.clone()),
            State::Going(going) => going,
        };
        let fetched = runtime().block_on(going).expect("fetching does not panic");
        let bytes = fetched.map_err(|error| self.object.fails(error))?;
        self.state = State::Here(bytes.clone());
        if self.block == 0 {
            let mut heads = self.object.shared.heads.lock().expect("no holder panics");
            heads.truncate(HEADS - 1);
            heads.push_front((self.object.number, bytes.clone()));
        }
        Ok(bytes)
    }
}

impl Drop for Fetch {
    fn drop(&mut self) {
        if let State::Going(going) = &self.state {
            going.abort();
        }
    }
}
