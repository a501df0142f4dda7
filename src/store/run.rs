//! Sorted runs, in memory or on disk, and reading the keys of a range from one.
//!
//! A run on disk is a row of blocks, all of so many records but the last: 4 bytes count, 4 bytes record width, 8 bytes
//! checksum (of what follows, mixed with the block's place), then the records: byte by byte, the first byte of all, the
//! second of all and so on, packed (in sorted records most high bytes are alike), or as they are where that is no
//! smaller. Numbers are little endian. The first key of every block stays in memory, so that a range is found without
//! reading.

use std::cell::RefCell;
use std::ops::RangeInclusive;
use std::sync::{Arc, OnceLock};

use zstd::bulk::{Compressor, Decompressor};

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
    len: u64,
    records_per_block: usize,
    blocks: Vec<Block>,
    sample: Vec<u64>,
    /// Where all of it lies, once that was asked for.
    sealed: OnceLock<SealedRun>,
}

/// A block of a run.
#[derive(Clone, Copy, Debug)]
struct Block {
    first_key: u64,
    /// Where it begins in the file.
    place: u64,
    /// Bytes that it takes there.
    bytes: u64,
}

thread_local! {
    /// What unpacks blocks and strings: a thread reads one at a time, and to make it takes longer than to use it.
    static UNPACKER: RefCell<Decompressor<'static>> =
        RefCell::new(Decompressor::new().expect("there is memory to unpack with"));
    /// What blocks are read into, one at a time.
    static BUFFERS: RefCell<Buffers> = RefCell::default();
}

/// Memory to read blocks into.
#[derive(Debug, Default)]
struct Buffers {
    bytes: Vec<u8>,
    columns: Vec<u8>,
    rows: Vec<u8>,
}

/// Unpacks bytes that were packed; `out` is as long as they were.
pub(super) fn unpack(packed: &[u8], out: &mut [u8]) -> bool {
    let len = out.len();
    UNPACKER.with_borrow_mut(|unpacker| unpacker.decompress_to_buffer(packed, out)).is_ok_and(|filled| filled == len)
}

/// Puts records of `width` bytes byte by byte: the first byte of all, then the second of all, and so on.
fn by_column(rows: &[u8], width: usize, out: &mut Vec<u8>) {
    out.clear();
    for column in 0..width {
        out.extend(rows[column..].iter().step_by(width));
    }
}

/// Undoes [`by_column`].
fn by_row(columns: &[u8], width: usize, out: &mut [u8]) {
    let count = columns.len() / width;
    for (column, bytes) in columns.chunks_exact(count.max(1)).enumerate() {
        out[column..].iter_mut().step_by(width).zip(bytes).for_each(|(out, byte)| *out = *byte);
    }
}

/// Returns how many records a block holds: what makes reading 64 runs at once in every thread take about a sixteenth of
/// the budget, within 4 KiB (a page) and 256 KiB (beyond which larger reads gain nothing).
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
        let mut run = DiskRun {
            file: file.clone(),
            len,
            records_per_block,
            blocks: Vec::new(),
            sample: Vec::new(),
            sealed: OnceLock::new(),
        };
        let stride = sample_stride(len);
        let mut packer = Compressor::new(1).expect("level 1 exists");
        let mut rows = vec![0; records_per_block.min(len as usize) * R::WIDTH];
        let (mut columns, mut block) =
            (Vec::new(), vec![0; BLOCK_HEADER + zstd::zstd_safe::compress_bound(rows.len())]);
        let (mut filled, mut first_key) = (0, 0);
        let mut written = 0;
        for record in records {
            let record = record?;
            if filled == 0 {
                first_key = record.key();
            }
            if written % stride == stride / 2 {
                run.sample.push(record.key());
            }
            record.encode(&mut rows[filled..filled + R::WIDTH]);
            filled += R::WIDTH;
            written += 1;
            if filled == rows.len() || written == len {
                let rows = &rows[..filled];
                by_column(rows, R::WIDTH, &mut columns);
                let packed = packer.compress_to_buffer(&columns, &mut block[BLOCK_HEADER..]);
                let bytes = match packed {
                    Ok(packed) if packed < filled => BLOCK_HEADER + packed,
                    _ => {
                        block[BLOCK_HEADER..BLOCK_HEADER + filled].copy_from_slice(rows);
                        BLOCK_HEADER + filled
                    }
                };
                let block = &mut block[..bytes];
                let place = file.reserve(bytes as u64);
                block[..4].copy_from_slice(&((filled / R::WIDTH) as u32).to_le_bytes());
                block[4..8].copy_from_slice(&(R::WIDTH as u32).to_le_bytes());
                let sum = checksum(place, &block[BLOCK_HEADER..]);
                block[8..BLOCK_HEADER].copy_from_slice(&sum.to_le_bytes());
                file.write(place, block)?;
                run.blocks.push(Block { first_key, place, bytes: bytes as u64 });
                filled = 0;
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
        let counts = [self.blocks.len() as u64, self.sample.len() as u64];
        let blocks = self.blocks.iter().flat_map(|block| [block.first_key, block.place, block.bytes]);
        let numbers = counts.into_iter().chain(blocks).chain(self.sample.iter().copied());
        let mut bytes: Vec<u8> = numbers.flat_map(u64::to_le_bytes).collect();
        let index = self.file.reserve((bytes.len() + 8) as u64);
        bytes.extend(checksum(index, &bytes).to_le_bytes());
        self.file.write(index, &bytes)?;
        let sealed = SealedRun {
            file: self.file.name(),
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
        let mut bytes = vec![0; 16 + 8 * (3 * blocks + sampled as usize) + 8];
        file.read(sealed.index, &mut bytes)?;
        let (index, sum) = bytes.split_at(bytes.len() - 8);
        if sum != checksum(sealed.index, index).to_le_bytes() {
            return Err(damaged());
        }
        let (blocks, sample) = index[16..].split_at(24 * blocks);
        let block = |block: &[u8]| match numbers(block)[..] {
            [first_key, place, bytes] => Block { first_key, place, bytes },
            _ => unreachable!("three numbers are a block"),
        };
        Ok(DiskRun {
            file: file.clone(),
            len: sealed.len,
            records_per_block: sealed.records_per_block as usize,
            blocks: blocks.chunks_exact(24).map(block).collect(),
            sample: numbers(sample),
            sealed: OnceLock::from(sealed.clone()),
        })
    }

    /// Returns the file that the run lies in.
    pub(super) fn file(&self) -> &Arc<ScratchFile<'w>> {
        &self.file
    }

    /// Reads the records of a block into `out`, which is emptied first.
    fn read_block<R: Record>(&self, block: usize, buffers: &mut Buffers, out: &mut Vec<R>) -> Result<(), StoreError> {
        let Buffers { bytes, columns, rows } = buffers;
        let before = block as u64 * self.records_per_block as u64;
        let count = (self.len - before).min(self.records_per_block as u64) as usize;
        let Block { place, bytes: len, .. } = self.blocks[block];
        bytes.resize(len as usize, 0);
        self.file.read(place, bytes)?;
        let (header, records) = bytes.split_at(BLOCK_HEADER);
        let mut expected = [0; BLOCK_HEADER];
        expected[..4].copy_from_slice(&(count as u32).to_le_bytes());
        expected[4..8].copy_from_slice(&(R::WIDTH as u32).to_le_bytes());
        expected[8..].copy_from_slice(&checksum(place, records).to_le_bytes());
        if header != expected {
            return Err(self.file.damaged(format!("the block at byte {place} has another checksum")));
        }
        let records = if records.len() == count * R::WIDTH {
            records
        } else {
            columns.resize(count * R::WIDTH, 0);
            rows.resize(count * R::WIDTH, 0);
            if !unpack(records, columns) {
                return Err(self.file.damaged(format!("the block at byte {place} cannot be unpacked")));
            }
            by_row(columns, R::WIDTH, rows);
            rows
        };
        out.clear();
        out.extend(records.chunks_exact(R::WIDTH).map(R::decode));
        Ok(())
    }

    fn cursor<R: Record>(&self, keys: RangeInclusive<u64>) -> DiskCursor<'_, 'w, R> {
        // The block before the first that begins at or after the range may reach into it.
        let block = self.blocks.partition_point(|block| block.first_key < *keys.start()).saturating_sub(1);
        let records = self.records_per_block.min(self.len as usize);
        let charge = self.file.workspace().charge((records * size_of::<R>()) as u64);
        DiskCursor { run: self, keys, block, records: Vec::new(), at: 0, _charge: charge }
    }
}

/// Reads a range of keys from a run on disk.
#[derive(Debug)]
pub(super) struct DiskCursor<'a, 'w, R> {
    run: &'a DiskRun<'w>,
    keys: RangeInclusive<u64>,
    /// The block to be read next.
    block: usize,
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
            if self.run.blocks.get(self.block).is_none_or(|block| block.first_key > *self.keys.end()) {
                return Ok(None);
            }
            let records = &mut self.records;
            BUFFERS.with_borrow_mut(|buffers| self.run.read_block(self.block, buffers, records))?;
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
