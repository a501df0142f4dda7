//! Sorted runs, in memory or on disk, and reading the keys of a range from one.
//!
//! A run on disk is a row of blocks, all of one size but the last: 4 bytes count, 4 bytes record width, 8 bytes
//! checksum (of the records, mixed with the block's place), then the records. Numbers are little endian. The first key
//! of every block stays in memory, so that a range is found without reading.

use std::ops::RangeInclusive;
use std::sync::{Arc, OnceLock};

use crate::record::Record;
use crate::store::ledger::SealedRun;
use crate::store::scratch::{ScratchFile, checksum};
use crate::store::{Charge, StoreError, Workspace};

/// Bytes before the records of a block.
const BLOCK_HEADER: usize = 16;

/// A sorted run.
#[derive(Debug)]
pub(super) enum Run<'w, R> {
    /// In memory.
    Memory(Vec<R>),
    /// On disk.
    Disk(DiskRun<'w>),
}

impl<'w, R: Record> Run<'w, R> {
    /// Returns how many records the run holds.
    pub(super) fn len(&self) -> u64 {
        match self {
            Run::Memory(records) => records.len() as u64,
            Run::Disk(run) => run.len,
        }
    }

    /// Returns the run if it lies on disk.
    pub(super) fn into_disk(self) -> Option<DiskRun<'w>> {
        match self {
            Run::Memory(_) => None,
            Run::Disk(run) => Some(run),
        }
    }

    /// Reads the records whose keys lie in a range, in order.
    pub(super) fn cursor(&self, keys: &RangeInclusive<u64>) -> RunCursor<'_, 'w, R> {
        match self {
            Run::Memory(records) => RunCursor::Memory(in_range(records, keys).iter()),
            Run::Disk(run) => RunCursor::Disk(run.cursor(keys.clone())),
        }
    }

    /// Appends up to [`SAMPLES`] keys at even distances, each with the number of records that it stands for.
    pub(super) fn sample_keys(&self, out: &mut Vec<(u64, u64)>) {
        let stride = sample_stride(self.len());
        match self {
            Run::Memory(records) => {
                let sample = records.iter().skip(stride as usize / 2).step_by(stride as usize);
                out.extend(sample.map(|record| (record.key(), stride)));
            }
            Run::Disk(run) => out.extend(run.sample.iter().map(|key| (*key, stride))),
        }
    }
}

/// Keys of a run that are kept to cut it into parts: 2 KiB, and parts even to within some percent.
const SAMPLES: u64 = 256;

/// Returns the distance between sampled keys.
fn sample_stride(len: u64) -> u64 {
    len.div_ceil(SAMPLES).max(1)
}

/// Returns the part of sorted records whose keys lie in a range.
pub(super) fn in_range<'a, R: Record>(records: &'a [R], keys: &RangeInclusive<u64>) -> &'a [R] {
    let start = records.partition_point(|record| record.key() < *keys.start());
    let end = records.partition_point(|record| record.key() <= *keys.end());
    &records[start..end.max(start)]
}

/// A run on disk.
#[derive(Debug)]
pub(super) struct DiskRun<'w> {
    file: Arc<ScratchFile<'w>>,
    start: u64,
    len: u64,
    records_per_block: usize,
    first_keys: Vec<u64>,
    sample: Vec<u64>,
    /// Where all of it lies, once that was asked for.
    sealed: OnceLock<SealedRun>,
}

/// Returns how many records a block holds: what makes reading 64 runs at once in every thread, as bytes and as records,
/// take about an eighth of the budget, within 4 KiB (a page) and 256 KiB (beyond which larger reads gain nothing).
fn records_per_block<R: Record>(workspace: &Workspace) -> usize {
    let bytes = workspace.budget_bytes() / (16 * super::sorter::FAN_IN * workspace.threads()) as u64;
    (bytes.clamp(4 << 10, 256 << 10) as usize / R::WIDTH).max(1)
}

impl<'w> DiskRun<'w> {
    /// Writes sorted records as a run.
    pub(super) fn write<R: Record>(
        workspace: &Workspace,
        file: &Arc<ScratchFile<'w>>,
        len: u64,
        records: impl Iterator<Item = Result<R, StoreError>>,
    ) -> Result<DiskRun<'w>, StoreError> {
        let records_per_block = records_per_block::<R>(workspace);
        let blocks = len.div_ceil(records_per_block as u64);
        let start = file.reserve(blocks * BLOCK_HEADER as u64 + len * R::WIDTH as u64);
        let mut run = DiskRun {
            file: file.clone(),
            start,
            len,
            records_per_block,
            first_keys: Vec::new(),
            sample: Vec::new(),
            sealed: OnceLock::new(),
        };
        let stride = sample_stride(len);
        let mut bytes = vec![0; BLOCK_HEADER + records_per_block.min(len as usize) * R::WIDTH];
        let mut filled = BLOCK_HEADER;
        let mut written = 0;
        for record in records {
            let record = record?;
            if filled == BLOCK_HEADER {
                run.first_keys.push(record.key());
            }
            if written % stride == stride / 2 {
                run.sample.push(record.key());
            }
            record.encode(&mut bytes[filled..filled + R::WIDTH]);
            filled += R::WIDTH;
            written += 1;
            if filled == bytes.len() || written == len {
                let place = run.block_place::<R>(run.first_keys.len() - 1);
                let count = (filled - BLOCK_HEADER) / R::WIDTH;
                bytes[..4].copy_from_slice(&(count as u32).to_le_bytes());
                bytes[4..8].copy_from_slice(&(R::WIDTH as u32).to_le_bytes());
                let sum = checksum(place, &bytes[BLOCK_HEADER..filled]);
                bytes[8..BLOCK_HEADER].copy_from_slice(&sum.to_le_bytes());
                file.write(place, &bytes[..filled])?;
                filled = BLOCK_HEADER;
            }
        }
        assert_eq!(written, len, "a run is as long as was said");
        Ok(run)
    }

    /// Says where all of it lies, for [`DiskRun::open`]; its keys are written to the file too, the first time.
    pub(super) fn sealed(&self) -> Result<SealedRun, StoreError> {
        if let Some(sealed) = self.sealed.get() {
            return Ok(sealed.clone());
        }
        let counts = [self.first_keys.len() as u64, self.sample.len() as u64];
        let numbers = counts.iter().chain(&self.first_keys).chain(&self.sample);
        let mut bytes: Vec<u8> = numbers.flat_map(|number| number.to_le_bytes()).collect();
        let index = self.file.reserve((bytes.len() + 8) as u64);
        bytes.extend(checksum(index, &bytes).to_le_bytes());
        self.file.write(index, &bytes)?;
        let sealed = SealedRun {
            file: self.file.name(),
            start: self.start,
            len: self.len,
            records_per_block: self.records_per_block as u64,
            index,
            // The keys were written last.
            end: index + bytes.len() as u64,
        };
        Ok(self.sealed.get_or_init(|| sealed).clone())
    }

    /// Opens a run that an earlier process sealed in `file`.
    pub(super) fn open(file: &Arc<ScratchFile<'w>>, sealed: &SealedRun) -> Result<DiskRun<'w>, StoreError> {
        let damaged = || file.damaged(format!("the keys at byte {} have another checksum", sealed.index));
        let numbers = |bytes: &[u8]| -> Vec<u64> {
            bytes.chunks_exact(8).map(|number| u64::from_le_bytes(number.try_into().expect("eight bytes"))).collect()
        };
        let mut counts = [0; 16];
        file.read(sealed.index, &mut counts)?;
        let blocks = sealed.len.div_ceil(sealed.records_per_block.max(1)) as usize;
        let sampled = numbers(&counts)[1];
        if numbers(&counts)[0] != blocks as u64 || sampled > SAMPLES + 1 {
            return Err(damaged());
        }
        let mut bytes = vec![0; 16 + 8 * (blocks + sampled as usize) + 8];
        file.read(sealed.index, &mut bytes)?;
        let (index, sum) = bytes.split_at(bytes.len() - 8);
        if sum != checksum(sealed.index, index).to_le_bytes() {
            return Err(damaged());
        }
        let mut first_keys = numbers(&index[16..]);
        let sample = first_keys.split_off(blocks);
        Ok(DiskRun {
            file: file.clone(),
            start: sealed.start,
            len: sealed.len,
            records_per_block: sealed.records_per_block as usize,
            first_keys,
            sample,
            sealed: OnceLock::from(sealed.clone()),
        })
    }

    /// Returns the file that the run lies in.
    pub(super) fn file(&self) -> &Arc<ScratchFile<'w>> {
        &self.file
    }

    /// Returns where a block begins in the file.
    fn block_place<R: Record>(&self, block: usize) -> u64 {
        self.start + block as u64 * (BLOCK_HEADER + self.records_per_block * R::WIDTH) as u64
    }

    /// Reads the records of a block into `out`, which is emptied first.
    fn read_block<R: Record>(&self, block: usize, bytes: &mut Vec<u8>, out: &mut Vec<R>) -> Result<(), StoreError> {
        let before = block as u64 * self.records_per_block as u64;
        let count = (self.len - before).min(self.records_per_block as u64) as usize;
        bytes.resize(BLOCK_HEADER + count * R::WIDTH, 0);
        let place = self.block_place::<R>(block);
        self.file.read(place, bytes)?;
        let (header, records) = bytes.split_at(BLOCK_HEADER);
        let mut expected = [0; BLOCK_HEADER];
        expected[..4].copy_from_slice(&(count as u32).to_le_bytes());
        expected[4..8].copy_from_slice(&(R::WIDTH as u32).to_le_bytes());
        expected[8..].copy_from_slice(&checksum(place, records).to_le_bytes());
        if header != expected {
            return Err(self.file.damaged(format!("the block at byte {place} has another checksum")));
        }
        out.clear();
        out.extend(records.chunks_exact(R::WIDTH).map(R::decode));
        Ok(())
    }

    fn cursor<R: Record>(&self, keys: RangeInclusive<u64>) -> DiskCursor<'_, 'w, R> {
        // The block before the first that begins at or after the range may reach into it.
        let block = self.first_keys.partition_point(|first| first < keys.start()).saturating_sub(1);
        let records = self.records_per_block.min(self.len as usize);
        let charge = self.file.workspace().charge((records * (R::WIDTH + size_of::<R>())) as u64);
        DiskCursor { run: self, keys, block, bytes: Vec::new(), records: Vec::new(), at: 0, _charge: charge }
    }
}

/// Reads a range of keys from a run on disk.
#[derive(Debug)]
pub(super) struct DiskCursor<'a, 'w, R> {
    run: &'a DiskRun<'w>,
    keys: RangeInclusive<u64>,
    /// The block to be read next.
    block: usize,
    bytes: Vec<u8>,
    records: Vec<R>,
    at: usize,
    _charge: Charge<'w>,
}

impl<R: Record> DiskCursor<'_, '_, R> {
    fn next(&mut self) -> Result<Option<R>, StoreError> {
        loop {
            if let Some(record) = self.records.get(self.at) {
                self.at += 1;
                return Ok((record.key() <= *self.keys.end()).then_some(*record));
            }
            if self.run.first_keys.get(self.block).is_none_or(|first| first > self.keys.end()) {
                return Ok(None);
            }
            self.run.read_block(self.block, &mut self.bytes, &mut self.records)?;
            self.block += 1;
            self.at = self.records.partition_point(|record| record.key() < *self.keys.start());
        }
    }
}

/// Reads a range of keys from a run.
#[derive(Debug)]
pub(super) enum RunCursor<'a, 'w, R> {
    /// In memory.
    Memory(std::slice::Iter<'a, R>),
    /// On disk.
    Disk(DiskCursor<'a, 'w, R>),
}

impl<R: Record> RunCursor<'_, '_, R> {
    /// Returns the next record, or none at the end of the range.
    #[inline]
    pub(super) fn next(&mut self) -> Result<Option<R>, StoreError> {
        match self {
            RunCursor::Memory(records) => Ok(records.next().copied()),
            RunCursor::Disk(cursor) => cursor.next(),
        }
    }
}
