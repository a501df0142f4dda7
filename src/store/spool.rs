//! Byte strings by ordinal: written by many threads in any order, read by ordinal or in order.

use std::sync::Mutex;

use crate::store::ledger::SealedStrings;
use crate::store::scratch::{ScratchFile, checksum};
use crate::store::{Charge, StoreError, Workspace, run};

/// Share of the budget from which spools spill: earlier than sorters, for a spool is written once and read once, and a
/// sorter without memory makes many small runs.
const SPILL_FROM: f64 = 0.5;

/// Bytes that [`Spool::iter`] reads at once, within the budget.
const READ_AHEAD: usize = 1 << 20;

/// Collects byte strings. All strings and 24 bytes for each stay in memory until the workspace's budget is spent; then
/// the strings go to one file.
#[derive(Debug)]
pub struct SpoolWriter<'w> {
    workspace: &'w Workspace,
    name: &'static str,
    log: Mutex<Log<'w>>,
}

/// The strings in the order they came in, one after the other.
#[derive(Debug)]
struct Log<'w> {
    entries: Vec<Entry>,
    len: u64,
    place: Place<'w>,
    charge: Charge<'w>,
    /// Whether strings are packed when they go to disk.
    packs: bool,
    /// Pieces of the log that hold entries, and how many entries they hold together.
    sealed: Vec<(u64, u64)>,
    sealed_entries: usize,
    kept: Kept<'w>,
}

/// The place of a spool in the ledger of a resumable workspace: given up with its strings.
#[derive(Debug)]
struct Kept<'w> {
    workspace: &'w Workspace,
    name: &'static str,
}

impl Drop for Kept<'_> {
    fn drop(&mut self) {
        if let Some(ledger) = &self.workspace.ledger {
            ledger.forget_strings(self.name);
        }
    }
}

/// Where the log lies.
#[derive(Debug)]
enum Place<'w> {
    /// In memory: each piece begins where the one before ends.
    Memory(Vec<(u64, Vec<u8>)>),
    /// In a file: string after string, each after 8 bytes of checksum; the log begins there at this byte.
    Disk(ScratchFile<'w>, u64),
}

/// Where a string lies.
#[derive(Clone, Copy, Debug)]
struct Entry {
    ordinal: u32,
    /// The first byte in the log, of the checksum.
    at: u64,
    /// With the checksum.
    len: u64,
}

/// Bytes before every string.
const CHECKSUM: usize = 8;

impl<'w> SpoolWriter<'w> {
    /// Makes a spool; `name` names its scratch file, and is no other spool's of the workspace.
    pub fn new(workspace: &'w Workspace, name: &'static str) -> SpoolWriter<'w> {
        SpoolWriter { workspace, name, log: Mutex::new(Log::new(workspace, name)) }
    }

    /// Makes a spool of long strings, which are packed where they go to disk.
    pub fn packing(workspace: &'w Workspace, name: &'static str) -> SpoolWriter<'w> {
        SpoolWriter { workspace, name, log: Mutex::new(Log { packs: true, ..Log::new(workspace, name) }) }
    }

    /// Makes a spool that holds what an earlier process sealed of the one of this name; an empty one if there was none.
    ///
    /// # Errors
    /// If scratch data cannot be read back.
    pub fn resume(workspace: &'w Workspace, name: &'static str) -> Result<SpoolWriter<'w>, StoreError> {
        Ok(SpoolWriter { workspace, name, log: Mutex::new(Log::resume(workspace, name)?) })
    }

    /// In a resumable workspace, writes all that is held to disk, so that it lasts with the next [`Workspace::commit`].
    ///
    /// # Errors
    /// If scratch data cannot be written.
    pub fn seal(&self) -> Result<(), StoreError> {
        if self.workspace.is_resumable() {
            self.log.lock().expect("no writer panics").seal(self.workspace, self.name)?;
        }
        Ok(())
    }

    /// Adds the strings of some ordinals, in any order; each ordinal once in the spool's life. Called from any thread,
    /// with many strings at once, so that a lock is taken per batch and not per string.
    ///
    /// # Errors
    /// If the budget is spent and scratch data cannot be written.
    pub fn put(&self, strings: Vec<(u32, Vec<u8>)>) -> Result<(), StoreError> {
        let mut piece = Vec::with_capacity(strings.iter().map(|(_, string)| CHECKSUM + string.len()).sum());
        let mut entries = Vec::with_capacity(strings.len());
        for (ordinal, string) in strings {
            let at = piece.len() as u64;
            piece.extend(checksum(u64::from(ordinal), &string).to_le_bytes());
            piece.extend(string);
            entries.push(Entry { ordinal, at, len: piece.len() as u64 - at });
        }
        let mut log = self.log.lock().expect("no writer panics");
        if log.packs && matches!(log.place, Place::Disk(..)) {
            // Packing takes long enough to let others go on meanwhile; what lies on disk stays there.
            drop(log);
            piece = pack(&piece, &mut entries);
            log = self.log.lock().expect("no writer panics");
        }
        let start = log.len;
        log.len += piece.len() as u64;
        log.entries.extend(entries.iter().map(|entry| Entry { at: start + entry.at, ..*entry }));
        log.charge.absorb(self.workspace.charge((entries.len() * size_of::<Entry>()) as u64));
        match &mut log.place {
            Place::Disk(file, base) => file.write(*base + start, &piece),
            Place::Memory(pieces) => {
                let bytes = piece.len() as u64;
                pieces.push((start, piece));
                log.charge.absorb(self.workspace.charge(bytes));
                if self.workspace.holds_more_than(SPILL_FROM) { log.spill(self.workspace, self.name) } else { Ok(()) }
            }
        }
    }

    /// Reads all strings in the order they were put.
    ///
    /// # Errors
    /// If scratch data cannot be read back.
    pub fn strings(&self) -> Result<Vec<(u32, Vec<u8>)>, StoreError> {
        let log = self.log.lock().expect("no writer panics");
        let read = |entry: &Entry| {
            let mut bytes = vec![0; entry.len as usize];
            log.read(entry.at, &mut bytes)?;
            Ok((entry.ordinal, log.checked(entry, bytes)?))
        };
        log.entries.iter().map(read).collect()
    }

    /// Ends writing. O(n log n) for n strings that came in any order, O(n) if in order.
    ///
    /// # Errors
    /// If scratch data cannot be read back.
    pub fn finish(self) -> Result<Spool<'w>, StoreError> {
        self.seal()?;
        let mut log = self.log.into_inner().expect("no writer panicked");
        log.entries.sort_by_key(|entry| entry.ordinal);
        if let Place::Disk(file, _) = &log.place {
            file.check_magic()?;
        }
        Ok(Spool { log, workspace: self.workspace })
    }
}

/// Packs the strings of a piece, whose entries are given; returns the piece that they are then.
fn pack(piece: &[u8], entries: &mut [Entry]) -> Vec<u8> {
    // The fastest level: a third to a half of a text stays, at several times the speed of making its profile.
    let mut packer = zstd::bulk::Compressor::new(1).expect("level 1 exists");
    let mut out = Vec::with_capacity(piece.len() / 2);
    for entry in entries {
        let string = &piece[entry.at as usize + CHECKSUM..(entry.at + entry.len) as usize];
        let at = out.len();
        out.extend([0; CHECKSUM]);
        out.extend((string.len() as u32).to_le_bytes());
        out.extend(packer.compress(string).expect("a string of less than 4 GiB can be packed"));
        let sum = checksum(u64::from(entry.ordinal), &out[at + CHECKSUM..]);
        out[at..at + CHECKSUM].copy_from_slice(&sum.to_le_bytes());
        (entry.at, entry.len) = (at as u64, (out.len() - at) as u64);
    }
    out
}

/// Returns a string that [`pack`] packed.
fn unpack(packed: &[u8]) -> Option<Vec<u8>> {
    let (len, packed) = packed.split_first_chunk::<4>()?;
    let mut string = vec![0; u32::from_le_bytes(*len) as usize];
    run::unpack(packed, &mut string).then_some(string)
}

/// Bytes of an entry as written.
const ENTRY: usize = 20;

impl<'w> Log<'w> {
    fn new(workspace: &'w Workspace, name: &'static str) -> Log<'w> {
        Log {
            entries: Vec::new(),
            len: 0,
            place: Place::Memory(Vec::new()),
            charge: workspace.charge(0),
            packs: false,
            sealed: Vec::new(),
            sealed_entries: 0,
            kept: Kept { workspace, name },
        }
    }

    fn resume(workspace: &'w Workspace, name: &'static str) -> Result<Log<'w>, StoreError> {
        let mut log = Log::new(workspace, name);
        let Some(sealed) = workspace.ledger.as_ref().and_then(|ledger| ledger.strings(name)) else { return Ok(log) };
        let file = workspace.open_scratch(&sealed.file, sealed.base + sealed.len)?;
        for (at, count) in &sealed.entries {
            let mut bytes = vec![0; *count as usize * ENTRY + CHECKSUM];
            file.read(sealed.base + at, &mut bytes)?;
            let (entries, sum) = bytes.split_at(bytes.len() - CHECKSUM);
            if sum != checksum(*at, entries).to_le_bytes() {
                return Err(file.damaged(format!("the entries at byte {} have another checksum", sealed.base + at)));
            }
            log.entries.extend(entries.chunks_exact(ENTRY).map(|entry| {
                let number = |at: usize| u64::from_le_bytes(entry[at..at + 8].try_into().expect("eight bytes"));
                let ordinal = u32::from_le_bytes(entry[..4].try_into().expect("four bytes"));
                Entry { ordinal, at: number(4), len: number(12) }
            }));
        }
        log.charge.absorb(workspace.charge((log.entries.len() * size_of::<Entry>()) as u64));
        log.sealed_entries = log.entries.len();
        log.sealed = sealed.entries;
        log.packs = sealed.packs;
        log.len = sealed.len;
        log.place = Place::Disk(file, sealed.base);
        Ok(log)
    }

    /// Writes what is not yet on disk, strings and entries, and names it in the ledger.
    fn seal(&mut self, workspace: &'w Workspace, name: &str) -> Result<(), StoreError> {
        self.spill(workspace, name)?;
        let Place::Disk(file, base) = &self.place else { return Ok(()) };
        let new = &self.entries[self.sealed_entries..];
        if !new.is_empty() {
            let mut bytes = Vec::with_capacity(new.len() * ENTRY + CHECKSUM);
            for entry in new {
                bytes.extend(entry.ordinal.to_le_bytes());
                bytes.extend(entry.at.to_le_bytes());
                bytes.extend(entry.len.to_le_bytes());
            }
            bytes.extend(checksum(self.len, &bytes).to_le_bytes());
            file.write(base + self.len, &bytes)?;
            self.sealed.push((self.len, new.len() as u64));
            self.sealed_entries = self.entries.len();
            self.len += bytes.len() as u64;
        }
        file.sync()?;
        if let Some(ledger) = &workspace.ledger {
            let sealed = SealedStrings {
                file: file.name(),
                base: *base,
                len: self.len,
                entries: self.sealed.clone(),
                packs: self.packs,
            };
            ledger.set_strings(self.kept.name, sealed);
        }
        Ok(())
    }

    /// Moves what lies in memory to a file.
    fn spill(&mut self, workspace: &'w Workspace, name: &str) -> Result<(), StoreError> {
        let Place::Memory(pieces) = &mut self.place else { return Ok(()) };
        let pieces = std::mem::take(pieces);
        let file = workspace.scratch_file(name)?;
        let base = file.reserve(0);
        let mut entries = self.entries.as_mut_slice();
        self.len = 0;
        for (start, mut piece) in pieces {
            let held = piece.len() as u64;
            // Entries lie in the order of the log until it is finished.
            let here = entries.partition_point(|entry| entry.at < start + held);
            let (own, rest) = entries.split_at_mut(here);
            entries = rest;
            own.iter_mut().for_each(|entry| entry.at -= start);
            if self.packs {
                piece = pack(&piece, own);
            }
            own.iter_mut().for_each(|entry| entry.at += self.len);
            file.write(base + self.len, &piece)?;
            self.len += piece.len() as u64;
            drop(self.charge.split(held));
        }
        self.place = Place::Disk(file, base);
        Ok(())
    }
}

impl Log<'_> {
    /// Fills `bytes` from a place in the log.
    fn read(&self, at: u64, bytes: &mut [u8]) -> Result<(), StoreError> {
        match &self.place {
            Place::Disk(file, base) => file.read(base + at, bytes),
            Place::Memory(_) => {
                bytes.copy_from_slice(self.held(at, bytes.len()));
                Ok(())
            }
        }
    }

    /// Returns bytes of one string from memory; none if the log lies on disk.
    fn held(&self, at: u64, len: usize) -> &[u8] {
        let Place::Memory(pieces) = &self.place else { return &[] };
        let (start, piece) = &pieces[pieces.partition_point(|(start, _)| *start <= at) - 1];
        let from = (at - start) as usize;
        &piece[from..from + len]
    }

    /// Takes the checksum off a string that was read.
    fn checked(&self, entry: &Entry, mut bytes: Vec<u8>) -> Result<Vec<u8>, StoreError> {
        let expected = checksum(u64::from(entry.ordinal), &bytes[CHECKSUM..]).to_le_bytes();
        if let Place::Disk(file, base) = &self.place
            && bytes[..CHECKSUM] != expected
        {
            return Err(file.damaged(format!("the string at byte {} has another checksum", base + entry.at)));
        }
        if let Place::Disk(file, base) = &self.place
            && self.packs
        {
            return unpack(&bytes[CHECKSUM..])
                .ok_or_else(|| file.damaged(format!("the string at byte {} cannot be unpacked", base + entry.at)));
        }
        bytes.drain(..CHECKSUM);
        Ok(bytes)
    }
}

/// Byte strings to be read back.
#[derive(Debug)]
pub struct Spool<'w> {
    log: Log<'w>,
    workspace: &'w Workspace,
}

impl<'w> Spool<'w> {
    /// Opens what an earlier process has sealed under this name; an empty spool if there was no string.
    ///
    /// # Errors
    /// If scratch data cannot be read back.
    pub fn resume(workspace: &'w Workspace, name: &'static str) -> Result<Spool<'w>, StoreError> {
        SpoolWriter::resume(workspace, name)?.finish()
    }

    /// Returns how many strings there are.
    pub fn len(&self) -> usize {
        self.log.entries.len()
    }

    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.log.entries.is_empty()
    }

    /// Returns the string of an ordinal, if it has one. From any thread; a read from disk when it was spilled.
    ///
    /// # Errors
    /// If scratch data cannot be read.
    pub fn get(&self, ordinal: u32) -> Result<Option<Vec<u8>>, StoreError> {
        let entries = &self.log.entries;
        // Where every ordinal from 0 has a string, its entry lies at its own index.
        let entry = match entries.get(ordinal as usize) {
            Some(entry) if entry.ordinal == ordinal => entry,
            _ => match entries.binary_search_by_key(&ordinal, |entry| entry.ordinal) {
                Ok(index) => &entries[index],
                Err(_) => return Ok(None),
            },
        };
        let mut bytes = vec![0; entry.len as usize];
        self.log.read(entry.at, &mut bytes)?;
        self.log.checked(entry, bytes).map(Some)
    }

    /// Reads all strings in order of their ordinals: in large pieces, where they were put about in order.
    pub fn iter(&self) -> Strings<'_> {
        Strings { spool: self, next: 0, start: 0, window: Vec::new() }
    }
}

/// The strings of a [`Spool`] in order of their ordinals.
#[derive(Debug)]
pub struct Strings<'a> {
    spool: &'a Spool<'a>,
    next: usize,
    /// Bytes of the log that were read ahead, and where they begin in it.
    start: u64,
    window: Vec<u8>,
}

impl Strings<'_> {
    fn read(&mut self, entry: &Entry) -> Result<Vec<u8>, StoreError> {
        if let Place::Memory(_) = self.spool.log.place {
            return self.spool.log.checked(entry, self.spool.log.held(entry.at, entry.len as usize).to_vec());
        }
        let end = self.start + self.window.len() as u64;
        if entry.at < self.start || entry.at + entry.len > end {
            let ahead = (self.spool.workspace.budget_bytes() / 64).clamp(4 << 10, READ_AHEAD as u64);
            let len = (self.spool.log.len - entry.at).min(entry.len.max(ahead));
            self.window.resize(len as usize, 0);
            self.start = entry.at;
            self.spool.log.read(entry.at, &mut self.window)?;
        }
        let from = (entry.at - self.start) as usize;
        self.spool.log.checked(entry, self.window[from..from + entry.len as usize].to_vec())
    }
}

impl Iterator for Strings<'_> {
    type Item = Result<(u32, Vec<u8>), StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        let entry = *self.spool.log.entries.get(self.next)?;
        self.next += 1;
        let string = self.read(&entry);
        if string.is_err() {
            self.next = self.spool.log.entries.len();
        }
        Some(string.map(|string| (entry.ordinal, string)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::mix64;

    fn string_of(ordinal: u32) -> Vec<u8> {
        let len = match ordinal % 100 {
            0 => 0,
            1 => 30_000,
            _ => mix64(u64::from(ordinal)) as usize % 100,
        };
        (0..len).map(|n| mix64(u64::from(ordinal) << 32 | n as u64) as u8).collect()
    }

    /// Spools strings in batches that come in disorder, from two threads.
    fn with_spool<T>(ordinals: &[u32], budget: u64, check: impl FnOnce(&Workspace, Spool<'_>) -> T) -> T {
        let parent = tempfile::tempdir().expect("a temporary directory");
        let workspace = Workspace::new(parent.path().to_owned(), budget, 2);
        let writer = SpoolWriter::new(&workspace, "strings");
        std::thread::scope(|scope| {
            for odd in [false, true] {
                let writer = &writer;
                scope.spawn(move || {
                    for (number, batch) in ordinals.chunks(16).enumerate() {
                        if (number % 2 == 1) == odd {
                            let strings = batch.iter().map(|ordinal| (*ordinal, string_of(*ordinal))).collect();
                            writer.put(strings).expect("the disk has room");
                        }
                    }
                });
            }
        });
        let result = check(&workspace, writer.finish().expect("readable"));
        assert_eq!(workspace.in_use_bytes(), 0, "everything is given back");
        result
    }

    #[test]
    fn strings_come_back_at_any_budget() {
        let dense: Vec<u32> = (0..1000).collect();
        let sparse: Vec<u32> = (0..1000).map(|n| n * 7 + 3).collect();
        let backwards: Vec<u32> = (0..1000).rev().collect();
        for ordinals in [dense, sparse, backwards, Vec::new()] {
            for budget in [0, 4 << 10, 1 << 20, u64::MAX] {
                with_spool(&ordinals, budget, |_, spool| {
                    assert_eq!(spool.len(), ordinals.len());
                    let mut sorted = ordinals.clone();
                    sorted.sort_unstable();
                    let all: Result<Vec<_>, _> = spool.iter().collect();
                    let expected: Vec<_> = sorted.iter().map(|ordinal| (*ordinal, string_of(*ordinal))).collect();
                    assert!(all.expect("readable") == expected, "budget {budget}");
                    for ordinal in 0..8000 {
                        let expected = sorted.binary_search(&ordinal).ok().map(|_| string_of(ordinal));
                        assert_eq!(spool.get(ordinal).expect("readable"), expected);
                    }
                });
            }
        }
    }

    #[test]
    fn packed_strings_come_back_and_take_less_disk() {
        let text = |ordinal: u32| format!("The {ordinal} boats came back to the harbor. ").repeat(50).into_bytes();
        for budget in [0, 100 << 10, u64::MAX] {
            let parent = tempfile::tempdir().expect("a temporary directory");
            let workspace = Workspace::new(parent.path().to_owned(), budget, 2);
            let writer = SpoolWriter::packing(&workspace, "texts");
            for batch in (0..200).collect::<Vec<u32>>().chunks(10).rev() {
                writer.put(batch.iter().map(|ordinal| (*ordinal, text(*ordinal))).collect()).expect("there is room");
            }
            let spool = writer.finish().expect("readable");
            assert!((0..200).all(|ordinal| spool.get(ordinal).expect("readable") == Some(text(ordinal))));
            assert!(spool.iter().enumerate().all(|(at, next)| next.expect("readable") == (at as u32, text(at as u32))));
            assert!(workspace.spilled_bytes() < 200 * 2000 / 4, "budget {budget}");
        }
    }

    #[test]
    fn another_process_goes_on_from_what_was_sealed() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let identity = serde_json::json!({});
        for (budget, from) in [(0, 0), (u64::MAX, 100), (1 << 20, 200)] {
            let workspace = Workspace::resumable(directory.path(), budget, 1, &identity).expect("the same run");
            let writer = SpoolWriter::resume(&workspace, "strings").expect("readable");
            let put = |ordinals: std::ops::Range<u32>| {
                writer.put(ordinals.map(|ordinal| (ordinal, string_of(ordinal))).collect()).expect("there is room");
            };
            put(from..from + 50);
            put(from + 50..from + 100);
            writer.seal().expect("there is room");
            workspace.commit().expect("there is room");
            // Lost, as by a kill.
            put(900..950);
            writer.seal().expect("there is room");
        }
        let workspace = Workspace::resumable(directory.path(), 0, 1, &identity).expect("the same run");
        let spool = Spool::resume(&workspace, "strings").expect("readable");
        let all: Vec<_> = spool.iter().map(|next| next.expect("readable")).collect();
        assert!(all == (0..300).map(|ordinal| (ordinal, string_of(ordinal))).collect::<Vec<_>>());
        assert!(Spool::resume(&workspace, "others").expect("readable").is_empty());
    }

    #[test]
    fn a_damaged_string_is_told() {
        with_spool(&[0, 2, 4], 0, |workspace, spool| {
            let directory = workspace.scratch_directory().expect("it spilled");
            let path =
                std::fs::read_dir(directory).expect("readable").next().expect("a file").expect("readable").path();
            let mut bytes = std::fs::read(&path).expect("readable");
            *bytes.last_mut().expect("not empty") ^= 1;
            std::fs::write(&path, bytes).expect("writable");
            assert!(matches!(spool.get(4), Err(StoreError::Damaged { .. })));
            assert!(spool.get(2).expect("readable").is_some());
            assert_eq!(spool.iter().filter(Result::is_err).count(), 1);
        });
    }
}
