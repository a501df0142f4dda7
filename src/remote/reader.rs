//! Objects as bytes: in order with some blocks ahead, or back and forth.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::ops::Range;
use std::sync::{Arc, Mutex};

use bytes::Bytes;

use crate::remote::Object;
use crate::remote::object::{BLOCK_BYTES, Fetch};

/// Blocks that are fetched ahead of a reader that goes on past its first: 12 MiB for each file that is open.
const AHEAD: u64 = 3;

/// Blocks that are held of an object that is read back and forth, 48 MiB: one or two for each column of a table that
/// means something.
const HELD: usize = 12;

/// A part of an object, read in order.
#[derive(Debug)]
pub struct ObjectReader {
    object: Arc<Object>,
    at: u64,
    end: u64,
    now: Option<(u64, Bytes)>,
    ahead: VecDeque<Fetch>,
    taken: u64,
}

impl ObjectReader {
    pub(super) fn new(object: Arc<Object>, range: Range<u64>) -> ObjectReader {
        ObjectReader { object, at: range.start, end: range.end, now: None, ahead: VecDeque::new(), taken: 0 }
    }

    fn block(&mut self, block: u64) -> io::Result<Bytes> {
        if let Some((_, bytes)) = self.now.as_ref().filter(|(held, _)| *held == block) {
            return Ok(bytes.clone());
        }
        let mut fetch = match self.ahead.pop_front() {
            Some(fetch) if fetch.block() == block => fetch,
            _ => {
                self.ahead.clear();
                self.object.fetch(block)
            }
        };
        self.taken += 1;
        // Whoever looks at the first bytes alone asks for no more than the first block.
        if self.taken > 1 {
            let last = (self.end - 1) / BLOCK_BYTES;
            let next = self.ahead.back().map_or(block, Fetch::block) + 1;
            self.ahead.extend((next..=last.min(block + AHEAD)).map(|block| self.object.fetch(block)));
        }
        let bytes = fetch.wait()?;
        self.now = Some((block, bytes.clone()));
        Ok(bytes)
    }
}

impl Read for ObjectReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.end || out.is_empty() {
            return Ok(0);
        }
        let bytes = self.block(self.at / BLOCK_BYTES)?;
        let from = (self.at % BLOCK_BYTES) as usize;
        let left = usize::try_from(self.end - self.at).unwrap_or(usize::MAX);
        let count = out.len().min(bytes.len() - from).min(left);
        out[..count].copy_from_slice(&bytes[from..from + count]);
        self.at += count as u64;
        Ok(count)
    }
}

/// An object that is read back and forth.
#[derive(Debug)]
pub struct ObjectRanges {
    object: Arc<Object>,
    /// The blocks that were used last, the latest at the end.
    held: Mutex<VecDeque<Fetch>>,
}

impl ObjectRanges {
    pub(super) fn new(object: Arc<Object>) -> ObjectRanges {
        ObjectRanges { object, held: Mutex::default() }
    }

    /// Returns its length.
    pub fn bytes(&self) -> u64 {
        self.object.bytes()
    }

    /// Reads some bytes, fewer where it ends before.
    ///
    /// # Errors
    /// If they cannot be fetched.
    pub fn read_at(&self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let end = offset.saturating_add(length as u64).min(self.bytes());
        let mut out = Vec::with_capacity(usize::try_from(end.saturating_sub(offset)).unwrap_or(0));
        let mut at = offset;
        while at < end {
            let bytes = self.block(at / BLOCK_BYTES)?;
            let from = (at % BLOCK_BYTES) as usize;
            let count = (bytes.len() - from).min((end - at) as usize);
            out.extend_from_slice(&bytes[from..from + count]);
            at += count as u64;
        }
        Ok(out)
    }

    fn block(&self, block: u64) -> io::Result<Bytes> {
        let mut held = self.held.lock().expect("no holder panics");
        let before = held.iter().position(|fetch| fetch.block() == block);
        let mut fetch = before.and_then(|at| held.remove(at)).unwrap_or_else(|| self.object.fetch(block));
        // A column that goes on from one block to the next will go on.
        let next = block + 1;
        let holds = |wanted: u64| held.iter().any(|fetch| fetch.block() == wanted);
        let goes_on = block > 0 && holds(block - 1);
        if goes_on && next < self.object.blocks() && !holds(next) {
            held.push_back(self.object.fetch(next));
        }
        let bytes = fetch.wait();
        held.push_back(fetch);
        while held.len() > HELD {
            held.pop_front();
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remote::client::runtime;
    use crate::remote::{CacheSettings, Remote, RemoteSettings};
    use object_store::ObjectStoreExt;
    use object_store::memory::InMemory;
    use object_store::path::Path;

    fn put(store: &InMemory, key: &str, bytes: &[u8]) {
        runtime().block_on(store.put(&Path::from(key), bytes.to_vec().into())).unwrap();
    }

    /// Three blocks and a bit.
    fn long() -> Vec<u8> {
        (0..3 * BLOCK_BYTES + 77).map(|at| (crate::hash::mix64(at / 8) >> (at % 8 * 8)) as u8).collect()
    }

    fn read(object: &Arc<Object>, range: Range<u64>) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        object.read(range).read_to_end(&mut bytes).map(|_| bytes)
    }

    #[test]
    fn an_object_is_read_in_order_from_anywhere_and_back_and_forth() {
        let (store, bytes) = (Arc::new(InMemory::new()), long());
        put(&store, "a", &bytes);
        let object = Remote::in_memory(&RemoteSettings::default(), store).only("a");
        let end = bytes.len() as u64;
        assert!(read(&object, 0..u64::MAX).unwrap() == bytes);
        let ranges = object.ranges();
        assert_eq!(ranges.bytes(), end);
        for (from, to) in [(0, 10), (BLOCK_BYTES - 3, BLOCK_BYTES + 3), (5, end - 5), (end - 1, end), (end, end)] {
            let expected = &bytes[from as usize..to as usize];
            assert!(read(&object, from..to).unwrap() == expected, "{from}..{to}");
            assert!(ranges.read_at(from, (to - from) as usize).unwrap() == expected, "{from}..{to}");
        }
        assert_eq!(ranges.read_at(end - 2, 10).unwrap(), bytes[bytes.len() - 2..]);
        assert_eq!(ranges.read_at(end + 9, 10).unwrap(), b"");
        let mut copy = Vec::new();
        assert_eq!(object.copy_to(&mut copy).unwrap(), end);
        assert!(copy == bytes);
    }

    #[test]
    fn bytes_of_two_versions_never_meet() {
        let (store, bytes) = (Arc::new(InMemory::new()), long());
        put(&store, "a", &bytes);
        let remote = Remote::in_memory(&RemoteSettings::default(), store.clone());
        let object = remote.only("a");
        let mut reader = object.read(0..u64::MAX);
        let mut first = vec![0; 100];
        reader.read_exact(&mut first).unwrap();
        assert_eq!(remote.failure(), None);
        put(&store, "a", &bytes);
        let error = reader.read_to_end(&mut first).unwrap_err();
        assert_eq!(error.to_string(), "`s3://b/a`: has changed since this run began");
        assert_eq!(
            remote.failure().map(|error| error.hint).as_deref(),
            Some("run again when nothing writes to it any more")
        );
        assert!(first.len() as u64 <= BLOCK_BYTES, "what came before is of the first block");
    }

    #[test]
    fn what_is_kept_is_read_when_the_store_has_it_no_more() {
        let root = tempfile::tempdir().unwrap();
        let cache = CacheSettings { directory: root.path().to_owned(), most_bytes: 1 << 30 };
        let settings = RemoteSettings { cache: Some(cache), ..RemoteSettings::default() };
        let (store, bytes) = (Arc::new(InMemory::new()), long());
        put(&store, "a", &bytes);
        let remote = Remote::in_memory(&settings, store.clone());
        let object = remote.only("a");
        assert_eq!((object.kept_bytes(), object.needs_check()), (0, false));
        assert!(read(&object, 0..u64::MAX).unwrap() == bytes);
        assert_eq!((object.kept_bytes(), object.needs_check()), (bytes.len() as u64, true));
        runtime().block_on(store.delete(&Path::from("a"))).unwrap();
        assert!(read(&object, 0..u64::MAX).unwrap() == bytes);
        assert!(object.ranges().read_at(BLOCK_BYTES, 99).unwrap() == bytes[BLOCK_BYTES as usize..][..99]);
    }
}
