//! The one sorter: records in from many threads, out in order.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex};

use crate::record::Record;
use crate::store::ledger::{SealedRun, SealedRuns};
use crate::store::merge::Merge;
use crate::store::run::{DiskRun, Run, RunCursor, in_range};
use crate::store::scratch::ScratchFile;
use crate::store::{Charge, StoreError, Workspace, radix};

/// Runs on disk that are merged at once. More are merged into fewer first, so that memory and reads stay bounded.
pub(super) const FAN_IN: usize = 64;

/// Share of the budget from which sorters spill; the rest is for what their writers still buffer.
const SPILL_FROM: f64 = 0.75;

/// A sorter spills only what makes a run of at least this share of the budget, however much the others hold: many
/// small runs would be merged many times over.
const SMALLEST_RUN: f64 = 1.0 / 16.0;

/// Records that a part of a resumable run holds at least: a part is the least that another process repeats.
const SMALLEST_KEPT_PART: u64 = 1 << 8;

/// Parts per thread: enough that an uneven one does not keep the others waiting.
const PARTS_PER_THREAD: usize = 8;

/// Collects records from many threads and sorts them.
///
/// What was pushed stays in memory until the workspace's budget is spent, then goes to disk as sorted runs. O(n) in
/// memory for keys that spread evenly, O(n log n) on disk. Equal input gives equal output at any budget, with any
/// number of threads.
///
/// ```
/// # use retold::record::Record;
/// use retold::similarity::BandEntry;
/// use retold::store::{Sorter, StoreError, Workspace};
///
/// # fn main() -> Result<(), StoreError> {
/// let workspace = Workspace::new(std::env::temp_dir(), 64 << 20, 2);
/// let sorter = Sorter::new(&workspace, "bands");
/// let mut writer = sorter.writer(); // one in every thread
/// for (key, item) in [(7, 2), (3, 0), (7, 1)] {
///     writer.push(BandEntry { key, item })?;
/// }
/// writer.finish()?;
/// let sorted = sorter.finish()?;
///
/// let mut buckets = Vec::new();
/// for part in 0..sorted.parts() { // or side by side
///     sorted.for_each_group(part, |key, group| {
///         buckets.push((key, group.map(|entry| entry.item).collect::<Vec<_>>()));
///         Ok::<(), StoreError>(())
///     })?;
/// }
/// assert_eq!(buckets, [(3, vec![0]), (7, vec![1, 2])]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Sorter<'w, R> {
    workspace: &'w Workspace,
    name: &'static str,
    held: Mutex<Held<'w, R>>,
    spilled: Mutex<Spilled<'w>>,
    kept: Kept<'w>,
}

/// The place of a sorter in the ledger of a resumable workspace: given up with what is sorted.
#[derive(Debug)]
struct Kept<'w> {
    workspace: &'w Workspace,
    name: &'static str,
}

impl Kept<'_> {
    /// Names runs as whole.
    fn set(&self, runs: &[DiskRun<'_>], parts: Option<&[RangeInclusive<u64>]>) -> Result<(), StoreError> {
        let Some(ledger) = &self.workspace.ledger else { return Ok(()) };
        let runs = runs.iter().map(DiskRun::sealed).collect::<Result<Vec<SealedRun>, _>>()?;
        let parts = parts.map(|parts| parts.iter().map(|keys| *keys.start()).collect());
        ledger.set_runs(self.name, SealedRuns { runs, parts });
        Ok(())
    }
}

impl Drop for Kept<'_> {
    fn drop(&mut self) {
        if let Some(ledger) = &self.workspace.ledger {
            ledger.forget_runs(self.name);
        }
    }
}

/// What a sorter holds in memory: chunks in no order.
#[derive(Debug)]
struct Held<'w, R> {
    chunks: Vec<Vec<R>>,
    /// What writers of little left behind, until it makes a chunk.
    remainder: Vec<R>,
    charge: Charge<'w>,
}

/// What a sorter has on disk.
#[derive(Debug, Default)]
struct Spilled<'w> {
    /// The file that is written to.
    file: Option<Arc<ScratchFile<'w>>>,
    /// How many runs there are when that file has enough.
    file_full: usize,
    runs: Vec<DiskRun<'w>>,
}

impl<'w> Spilled<'w> {
    /// Begins the next file.
    fn new_file(&mut self, file: ScratchFile<'w>) -> Arc<ScratchFile<'w>> {
        self.file_full = self.runs.len() + FAN_IN;
        self.file.insert(Arc::new(file)).clone()
    }
}

impl<'w, R: Record> Sorter<'w, R> {
    /// Makes a sorter; `name` names its scratch files, and is no other sorter's of the workspace.
    pub fn new(workspace: &'w Workspace, name: &'static str) -> Sorter<'w, R> {
        let held = Held { chunks: Vec::new(), remainder: Vec::new(), charge: workspace.charge(0) };
        let kept = Kept { workspace, name };
        Sorter { workspace, name, held: Mutex::new(held), spilled: Mutex::default(), kept }
    }

    /// Makes a sorter that holds what an earlier process sealed of the one of this name; an empty one if there was none.
    ///
    /// # Errors
    /// If scratch data cannot be read back.
    pub fn resume(workspace: &'w Workspace, name: &'static str) -> Result<Sorter<'w, R>, StoreError> {
        let sorter = Sorter::new(workspace, name);
        if let Some(sealed) = workspace.ledger.as_ref().and_then(|ledger| ledger.runs(name)) {
            sorter.spilled.lock().expect("no writer panics").runs = open_runs(workspace, &sealed.runs)?;
        }
        Ok(sorter)
    }

    /// In a resumable workspace, writes all that is held to disk, so that it lasts with the next [`Workspace::commit`].
    /// There is no writer meanwhile.
    ///
    /// # Errors
    /// If scratch data cannot be written.
    pub fn seal(&self) -> Result<(), StoreError> {
        if !self.workspace.is_resumable() {
            return Ok(());
        }
        let (chunks, charge) = {
            let mut held = self.held.lock().expect("no writer panics");
            let mut chunks = std::mem::take(&mut held.chunks);
            let remainder = std::mem::take(&mut held.remainder);
            chunks.extend(Some(remainder).filter(|remainder| !remainder.is_empty()));
            let bytes = held.charge.bytes;
            (chunks, held.charge.split(bytes))
        };
        if !chunks.is_empty() {
            self.spill(chunks)?;
        }
        drop(charge);
        let spilled = self.spilled.lock().expect("no writer panics");
        sync(&spilled.runs)?;
        self.kept.set(&spilled.runs, None)
    }

    /// Returns a writer for one thread. Cheap, so that a batch may have one of its own too.
    pub fn writer(&self) -> SorterWriter<'_, 'w, R> {
        SorterWriter { sorter: self, buffer: Vec::new(), full: self.records_per_chunk() }
    }

    /// Sorts everything written by the writers, which are all finished. Runs on the workspace's threads.
    ///
    /// # Errors
    /// If scratch data cannot be written.
    pub fn finish(self) -> Result<Sorted<'w, R>, StoreError> {
        self.seal()?;
        let Sorter { workspace, name, held, spilled, kept } = self;
        let Held { mut chunks, remainder, mut charge } = held.into_inner().expect("no writer panicked");
        let Spilled { runs: mut disk_runs, .. } = spilled.into_inner().expect("no writer panicked");
        if !remainder.is_empty() {
            chunks.push(remainder);
        }
        if disk_runs.len() > FAN_IN {
            while disk_runs.len() > FAN_IN {
                disk_runs = merge_level::<R>(workspace, name, disk_runs)?;
            }
            if workspace.is_resumable() {
                sync(&disk_runs)?;
            }
        }
        let len: usize = chunks.iter().map(Vec::len).sum();
        let mut runs: Vec<Run<'w, R>> = disk_runs.into_iter().map(Run::Disk).collect();
        // Sorting into one vector takes the same memory again; where that is not left, the chunks are sorted where they
        // lie and merged by the reader.
        if let Some(twice) = workspace.try_charge(bytes_of::<R>(len)) {
            if len > 0 {
                runs.push(Run::Memory(radix::sort_chunks(workspace, chunks)));
            }
            charge = twice;
        } else {
            let chunks: Vec<Mutex<Vec<R>>> = chunks.into_iter().map(Mutex::new).collect();
            workspace.side_by_side(chunks.len(), |chunk| {
                radix::sort_slice(&mut chunks[chunk].lock().expect("no holder panics"), &mut Vec::new());
                Ok::<(), StoreError>(())
            })?;
            runs.extend(chunks.into_iter().map(|chunk| Run::Memory(chunk.into_inner().expect("no holder panicked"))));
        }
        for run in &runs {
            if let Run::Disk(run) = run {
                run.file().check_magic()?;
            }
        }
        let parts = cut_into_parts(workspace, &runs);
        if workspace.is_resumable() {
            // Sealed before, so nothing lies in memory.
            let on_disk = runs.into_iter().filter_map(Run::into_disk).collect::<Vec<_>>();
            kept.set(&on_disk, Some(&parts))?;
            runs = on_disk.into_iter().map(Run::Disk).collect();
        }
        Ok(Sorted { len: runs.iter().map(Run::len).sum(), parts, runs, _charge: charge, _kept: kept })
    }

    /// Returns how many records a writer buffers: a share of the budget, within 4 KiB and 1 MiB.
    fn records_per_chunk(&self) -> usize {
        let bytes = self.workspace.budget_bytes / (64 * self.workspace.threads) as u64;
        (bytes.clamp(4 << 10, 1 << 20) as usize / size_of::<R>()).max(1)
    }

    /// Takes a writer's records, and spills when the budget is spent.
    fn take(&self, mut records: Vec<R>) -> Result<(), StoreError> {
        let full = self.records_per_chunk();
        let mut held = self.held.lock().expect("no writer panics");
        held.charge.absorb(self.workspace.charge(bytes_of::<R>(records.len())));
        if records.len() < full / 2 {
            held.remainder.append(&mut records);
            if held.remainder.len() >= full {
                let chunk = std::mem::take(&mut held.remainder);
                held.chunks.push(chunk);
            }
        } else {
            held.chunks.push(records);
        }
        let smallest = self.workspace.budget_bytes as f64 * SMALLEST_RUN;
        if !self.workspace.holds_more_than(SPILL_FROM)
            || (held.charge.bytes as f64) < smallest
            || held.chunks.is_empty()
        {
            return Ok(());
        }
        let chunks = std::mem::take(&mut held.chunks);
        let len: usize = chunks.iter().map(Vec::len).sum();
        // The bytes stay counted until they are written, so that other threads do not take their place meanwhile.
        let charge = held.charge.split(bytes_of::<R>(len));
        drop(held);
        self.spill(chunks)?;
        drop(charge);
        Ok(())
    }

    /// Writes chunks to disk as one run.
    fn spill(&self, mut chunks: Vec<Vec<R>>) -> Result<(), StoreError> {
        let mut scratch = Vec::new();
        for chunk in &mut chunks {
            radix::sort_slice(chunk, &mut scratch);
        }
        let file = {
            let mut spilled = self.spilled.lock().expect("no writer panics");
            let full = spilled.runs.len() >= spilled.file_full;
            // A file for every so many runs, so that merging them frees it.
            match spilled.file.as_ref().filter(|_| !full) {
                Some(file) => file.clone(),
                None => spilled.new_file(self.workspace.scratch_file(self.name)?),
            }
        };
        let len = chunks.iter().map(|chunk| chunk.len() as u64).sum();
        let cursors = chunks.iter().map(|chunk| RunCursor::Memory(chunk.iter())).collect();
        let run = DiskRun::write(self.workspace, &file, len, Merge::new(cursors)?)?;
        self.spilled.lock().expect("no writer panics").runs.push(run);
        Ok(())
    }
}

/// Returns the bytes that records take in memory.
fn bytes_of<R>(records: usize) -> u64 {
    (records * size_of::<R>()) as u64
}

/// Makes sure that runs are on the disk.
fn sync(runs: &[DiskRun<'_>]) -> Result<(), StoreError> {
    let mut last: Option<&Arc<ScratchFile<'_>>> = None;
    for run in runs {
        if !last.is_some_and(|last| Arc::ptr_eq(last, run.file())) {
            run.file().sync()?;
            last = Some(run.file());
        }
    }
    Ok(())
}

/// Opens runs that an earlier process sealed, each file once.
fn open_runs<'w>(workspace: &'w Workspace, sealed: &[SealedRun]) -> Result<Vec<DiskRun<'w>>, StoreError> {
    let mut files: HashMap<&str, Arc<ScratchFile<'w>>> = HashMap::new();
    let mut runs = Vec::with_capacity(sealed.len());
    for run in sealed {
        let file = match files.get(run.file.as_str()) {
            Some(file) => file.clone(),
            None => {
                // What an earlier process reserved beyond its sealed runs is written over.
                let end = sealed.iter().filter(|other| other.file == run.file).map(|other| other.end).max();
                let file = Arc::new(workspace.open_scratch(&run.file, end.unwrap_or(0))?);
                files.entry(&run.file).or_insert(file).clone()
            }
        };
        runs.push(DiskRun::open(&file, run)?);
    }
    Ok(runs)
}

/// Merges runs on disk by [`FAN_IN`] each into a new file; the old ones go, each with the last of its runs.
fn merge_level<'w, R: Record>(
    workspace: &'w Workspace,
    name: &'static str,
    runs: Vec<DiskRun<'w>>,
) -> Result<Vec<DiskRun<'w>>, StoreError> {
    let file = Arc::new(workspace.scratch_file(name)?);
    let mut runs = runs.into_iter().map(Run::<R>::Disk);
    let groups: Vec<Mutex<Vec<Run<'w, R>>>> =
        std::iter::from_fn(|| Some(runs.by_ref().take(FAN_IN).collect()).filter(|group: &Vec<_>| !group.is_empty()))
            .map(Mutex::new)
            .collect();
    let merged: Vec<Mutex<Option<DiskRun<'w>>>> = groups.iter().map(|_| Mutex::new(None)).collect();
    workspace.side_by_side(groups.len(), |number| {
        let group = std::mem::take(&mut *groups[number].lock().expect("no holder panics"));
        let cursors = group.iter().map(|run| run.cursor(&ALL_KEYS)).collect();
        let run = DiskRun::write(workspace, &file, group.iter().map(Run::len).sum(), Merge::new(cursors)?)?;
        *merged[number].lock().expect("no holder panics") = Some(run);
        Ok(())
    })?;
    Ok(merged
        .into_iter()
        .map(|run| run.into_inner().expect("no holder panicked").expect("every group is merged"))
        .collect())
}

/// One thread's way into a [`Sorter`].
#[derive(Debug)]
pub struct SorterWriter<'s, 'w, R: Record> {
    sorter: &'s Sorter<'w, R>,
    buffer: Vec<R>,
    full: usize,
}

impl<R: Record> SorterWriter<'_, '_, R> {
    /// Adds a record.
    ///
    /// # Errors
    /// If the budget is spent and scratch data cannot be written.
    #[inline]
    pub fn push(&mut self, record: R) -> Result<(), StoreError> {
        if self.buffer.len() == self.full {
            self.sorter.take(std::mem::take(&mut self.buffer))?;
        }
        self.buffer.push(record);
        Ok(())
    }

    /// Hands over what is still buffered. A writer dropped without this loses records.
    ///
    /// # Errors
    /// If scratch data cannot be written.
    pub fn finish(self) -> Result<(), StoreError> {
        self.sorter.take(self.buffer)
    }
}

/// The range of all keys.
const ALL_KEYS: RangeInclusive<u64> = 0..=u64::MAX;

/// Sorted records: can be read any number of times, in parts side by side.
#[derive(Debug)]
pub struct Sorted<'w, R> {
    runs: Vec<Run<'w, R>>,
    len: u64,
    /// The keys of every part, without a gap between them.
    parts: Vec<RangeInclusive<u64>>,
    _charge: Charge<'w>,
    _kept: Kept<'w>,
}

/// Returns the ranges that begin at these keys, without a gap between them.
fn ranges(starts: impl Iterator<Item = u64> + Clone) -> Vec<RangeInclusive<u64>> {
    let ends = starts.clone().skip(1).map(|start| start - 1).chain([u64::MAX]);
    starts.zip(ends).map(|(start, end)| start..=end).collect()
}

/// Cuts the keys into ranges that hold about as many records each.
fn cut_into_parts<R: Record>(workspace: &Workspace, runs: &[Run<'_, R>]) -> Vec<RangeInclusive<u64>> {
    let len: u64 = runs.iter().map(Run::len).sum();
    let (per_thread, smallest) = match workspace.is_resumable() {
        true => (4 * PARTS_PER_THREAD, R::SMALLEST_PART.min(SMALLEST_KEPT_PART)),
        false => (PARTS_PER_THREAD, R::SMALLEST_PART),
    };
    let parts = (len / smallest).clamp(1, (workspace.threads() * per_thread) as u64) as usize;
    let mut sample = Vec::new();
    for run in runs {
        run.sample_keys(&mut sample);
    }
    sample.sort_unstable();
    let mut starts = Vec::new();
    let mut before = 0;
    for (key, records) in sample {
        before += records;
        if starts.len() + 1 < parts && before * parts as u64 > (starts.len() as u64 + 1) * len {
            starts.push(key);
        }
    }
    starts.dedup();
    starts.retain(|start| *start > 0);
    ranges([0].into_iter().chain(starts))
}

impl<'w, R: Record> Sorted<'w, R> {
    /// Opens what an earlier process has sorted under this name.
    ///
    /// # Errors
    /// If there is no such thing, or it cannot be read back.
    pub fn resume(workspace: &'w Workspace, name: &'static str) -> Result<Sorted<'w, R>, StoreError> {
        let missing = || StoreError::Damaged {
            path: workspace.directory.clone(),
            what: format!("expected sorted `{name}` in the ledger, found none"),
        };
        let sealed = workspace.ledger.as_ref().and_then(|ledger| ledger.runs(name)).ok_or_else(missing)?;
        let starts = sealed.parts.ok_or_else(missing)?;
        let runs: Vec<Run<'w, R>> = open_runs(workspace, &sealed.runs)?.into_iter().map(Run::Disk).collect();
        Ok(Sorted {
            len: runs.iter().map(Run::len).sum(),
            parts: ranges(starts.into_iter()),
            runs,
            _charge: workspace.charge(0),
            _kept: Kept { workspace, name },
        })
    }

    /// Returns how many records there are.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Returns how many parts there are, at least one; the records of a key (see [`Record::key`]) never lie in two.
    ///
    /// Depends on threads and budget: what is made of the parts must not.
    pub fn parts(&self) -> usize {
        self.parts.len()
    }

    /// Reads one part in order. Several can be read at once, each in its own thread, and one part several times. Parts
    /// one after the other are the whole in order.
    ///
    /// # Errors
    /// If scratch data cannot be read. The items are errors where it cannot be read later.
    pub fn part(&self, part: usize) -> Result<Records<'_, 'w, R>, StoreError> {
        self.range(&self.parts[part])
    }

    /// Reads everything in order.
    ///
    /// # Errors
    /// As [`Sorted::part`].
    pub fn iter(&self) -> Result<Records<'_, 'w, R>, StoreError> {
        self.range(&ALL_KEYS)
    }

    /// Reads the records whose keys lie in a range, in order: a look-up of O(log n) and the records read.
    ///
    /// # Errors
    /// As [`Sorted::part`].
    pub fn range(&self, keys: &RangeInclusive<u64>) -> Result<Records<'_, 'w, R>, StoreError> {
        Ok(match self.runs.as_slice() {
            [Run::Memory(records)] => Records { inner: Inner::Slice(in_range(records, keys).iter()) },
            runs => {
                let merge = Merge::new(runs.iter().map(|run| run.cursor(keys)).collect())?;
                Records { inner: Inner::Merge(Box::new(merge)) }
            }
        })
    }

    /// Returns the records of a key where all records lie in memory, so that a look-up costs next to nothing; none if they
    /// lie on disk, where a whole block is unpacked for each.
    pub fn held(&self, key: u64) -> Option<&[R]> {
        match self.runs.as_slice() {
            [Run::Memory(records)] => Some(in_range(records, &(key..=key))),
            _ => None,
        }
    }

    /// Gives every group of a part, in order of the keys: the key, and its records in order.
    ///
    /// A group is streamed: memory is bounded however large it is. One that `visit` does not read to the end is skipped.
    /// A group can be read twice, see [`Group::rewind`].
    ///
    /// # Errors
    /// What `visit` returns, and if scratch data cannot be read.
    pub fn for_each_group<E: From<StoreError>>(
        &self,
        part: usize,
        mut visit: impl FnMut(u64, &mut Group<'_, R>) -> Result<(), E>,
    ) -> Result<(), E> {
        let keys = &self.parts[part];
        if let [Run::Memory(records)] = self.runs.as_slice() {
            for records in in_range(records, keys).chunk_by(|a, b| a.key() == b.key()) {
                visit(records[0].key(), &mut Group { records, at: 0, large: None, error: None })?;
            }
            return Ok(());
        }
        let mut records = self.range(keys)?;
        let mut first = records.next().transpose()?;
        let mut buffer = Vec::new();
        while let Some(record) = first {
            let key = record.key();
            buffer.clear();
            buffer.push(record);
            first = None;
            while buffer.len() < GROUP_BUFFER {
                match records.next().transpose()? {
                    Some(record) if record.key() == key => buffer.push(record),
                    other => {
                        first = other;
                        break;
                    }
                }
            }
            if buffer.len() < GROUP_BUFFER {
                visit(key, &mut Group { records: &buffer, at: 0, large: None, error: None })?;
                continue;
            }
            let reopen = || Ok(Box::new(self.range(&(key..=key))?) as Box<dyn Iterator<Item = _> + '_>);
            let large = Large { key, rest: &mut records, next: None, ended: false, again: None, reopen: &reopen };
            let mut group = Group { records: &buffer, at: 0, large: Some(large), error: None };
            visit(key, &mut group)?;
            first = group.skip_to_next()?;
        }
        Ok(())
    }
}

/// Records of a group that are buffered, so that reading a common group twice costs nothing.
const GROUP_BUFFER: usize = 1024;

/// The records of one key, in order: an iterator that can begin again.
///
/// Where scratch data cannot be read it ends early, and [`Sorted::for_each_group`] returns the error.
pub struct Group<'g, R> {
    /// The first records of the group: all of them unless it is large.
    records: &'g [R],
    at: usize,
    large: Option<Large<'g, R>>,
    error: Option<StoreError>,
}

/// What is not buffered of a large group.
struct Large<'g, R> {
    key: u64,
    /// The records of the part, from the first that is not buffered.
    rest: &'g mut dyn Iterator<Item = Result<R, StoreError>>,
    /// Whether the end of the group was met in `rest`, and the record after it.
    ended: bool,
    next: Option<R>,
    /// The group read once more, after a rewind.
    again: Option<Box<dyn Iterator<Item = Result<R, StoreError>> + 'g>>,
    #[expect(clippy::type_complexity, reason = "named nowhere else")]
    reopen: &'g dyn Fn() -> Result<Box<dyn Iterator<Item = Result<R, StoreError>> + 'g>, StoreError>,
}

impl<R: Record> Large<'_, R> {
    fn next(&mut self) -> Result<Option<R>, StoreError> {
        if let Some(again) = &mut self.again {
            return again.next().transpose();
        }
        if self.ended {
            return Ok(None);
        }
        self.next = self.rest.next().transpose()?;
        self.ended = self.next.is_none_or(|record| record.key() != self.key);
        Ok(if self.ended { None } else { self.next })
    }
}

impl<R: Record> Group<'_, R> {
    /// Begins again at the group's first record: for a reduce that counts first and acts then, without holding the group.
    ///
    /// O(1) for groups of up to 1024 records and for whatever lies in memory as a whole; else a look-up.
    pub fn rewind(&mut self) {
        self.at = 0;
        if let Some(large) = &mut self.large {
            self.at = self.records.len();
            match (large.reopen)() {
                Ok(again) => large.again = Some(again),
                Err(error) => self.error = Some(error),
            }
        }
    }

    /// Returns the whole group as a slice, if it is small enough to be buffered or lies in memory anyway.
    pub fn as_slice(&self) -> Option<&[R]> {
        self.large.is_none().then_some(self.records)
    }

    /// Ends the group and returns the first record after it.
    fn skip_to_next(mut self) -> Result<Option<R>, StoreError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        let Some(large) = &mut self.large else { return Ok(None) };
        large.again = None;
        while large.next()?.is_some() {}
        Ok(large.next)
    }
}

impl<R: Record> Iterator for Group<'_, R> {
    type Item = R;

    #[inline]
    fn next(&mut self) -> Option<R> {
        if let Some(record) = self.records.get(self.at) {
            self.at += 1;
            return Some(*record);
        }
        if self.error.is_some() {
            return None;
        }
        self.large.as_mut()?.next().unwrap_or_else(|error| {
            self.error = Some(error);
            None
        })
    }
}

/// Records in order.
#[derive(Debug)]
pub struct Records<'a, 'w, R> {
    inner: Inner<'a, 'w, R>,
}

#[derive(Debug)]
enum Inner<'a, 'w, R> {
    /// One run in memory.
    Slice(std::slice::Iter<'a, R>),
    /// Several runs, or one on disk.
    Merge(Box<Merge<'a, 'w, R>>),
}

impl<R: Record> Iterator for Records<'_, '_, R> {
    type Item = Result<R, StoreError>;

    #[inline]
    fn next(&mut self) -> Option<Result<R, StoreError>> {
        match &mut self.inner {
            Inner::Slice(records) => records.next().map(|record| Ok(*record)),
            Inner::Merge(merge) => merge.next(),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::hash::mix64;
    use proptest::prelude::*;

    /// A record whose key is not all of it.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
    pub(in crate::store) struct Number {
        key: u64,
        tail: u16,
    }

    impl Number {
        pub(in crate::store) fn of(key: u64) -> Number {
            Number { key, tail: mix64(key) as u16 % 3 }
        }
    }

    impl Record for Number {
        const WIDTH: usize = 10;

        fn encode(&self, out: &mut [u8]) {
            out[..8].copy_from_slice(&self.key.to_le_bytes());
            out[8..].copy_from_slice(&self.tail.to_le_bytes());
        }

        fn decode(bytes: &[u8]) -> Number {
            Number {
                key: u64::from_le_bytes(bytes[..8].try_into().expect("eight bytes")),
                tail: u16::from_le_bytes(bytes[8..].try_into().expect("two bytes")),
            }
        }

        fn key(&self) -> u64 {
            self.key
        }
    }

    const BUDGETS: [u64; 4] = [0, 4 << 10, 1 << 20, u64::MAX];

    /// Sorts through writers in several threads and gives `check` the result.
    fn with_sorted<T>(
        records: &[Number],
        budget: u64,
        threads: usize,
        check: impl FnOnce(&Workspace, Sorted<'_, Number>) -> T,
    ) -> T {
        let parent = tempfile::tempdir().expect("a temporary directory");
        let workspace = Workspace::new(parent.path().to_owned(), budget, threads);
        let sorter = Sorter::new(&workspace, "numbers");
        std::thread::scope(|scope| {
            for share in records.chunks(records.len().div_ceil(threads).max(1)) {
                let mut writer = sorter.writer();
                scope.spawn(move || {
                    for record in share {
                        writer.push(*record).expect("the disk has room");
                    }
                    writer.finish().expect("the disk has room");
                });
            }
        });
        let sorted = sorter.finish().expect("the disk has room");
        let result = check(&workspace, sorted);
        assert_eq!(workspace.in_use_bytes(), 0, "everything is given back");
        result
    }

    fn numbers(count: u64, distinct: u64) -> Vec<Number> {
        (0..count).map(|n| Number { key: mix64(mix64(n) % distinct), tail: n as u16 % 7 }).collect()
    }

    #[test]
    fn sorting_is_the_same_at_any_budget_and_thread_count() {
        for records in
            [numbers(0, 1), numbers(1, 1), numbers(100_000, u64::MAX), numbers(100_000, 50), numbers(70_000, 1)]
        {
            let mut expected = records.clone();
            expected.sort_unstable();
            for budget in BUDGETS {
                for threads in [1, 3] {
                    with_sorted(&records, budget, threads, |_, sorted| {
                        assert_eq!(sorted.len(), expected.len() as u64);
                        let all: Result<Vec<_>, _> = sorted.iter().expect("readable").collect();
                        assert!(all.expect("readable") == expected, "budget {budget}, {threads} threads");
                        let mut parts = Vec::new();
                        for part in 0..sorted.parts() {
                            let records: Result<Vec<_>, _> = sorted.part(part).expect("readable").collect();
                            let records = records.expect("readable");
                            if let (Some(last), Some(first)) = (parts.last(), records.first()) {
                                assert_ne!(Number::key(last), Number::key(first), "no key lies in two parts");
                            }
                            parts.extend(records);
                        }
                        assert!(parts == expected, "parts, budget {budget}, {threads} threads");
                    });
                }
            }
        }
    }

    #[test]
    fn parts_are_about_equal() {
        for budget in BUDGETS {
            with_sorted(&numbers(400_000, u64::MAX), budget, 2, |_, sorted| {
                assert_eq!(sorted.parts(), 16);
                for part in 0..sorted.parts() {
                    let count = sorted.part(part).expect("readable").count();
                    assert!((400_000 / 16 / 2..400_000 / 16 * 2).contains(&count), "{count}");
                }
            });
        }
    }

    #[test]
    fn groups_are_whole_and_can_be_read_twice() {
        for records in [numbers(30_000, 5_000), numbers(30_000, 3), numbers(5, 1)] {
            let mut expected = records.clone();
            expected.sort_unstable();
            let expected: Vec<Vec<Number>> = expected.chunk_by(|a, b| a.key == b.key).map(<[Number]>::to_vec).collect();
            for budget in BUDGETS {
                with_sorted(&records, budget, 2, |_, sorted| {
                    let mut groups = Vec::new();
                    for part in 0..sorted.parts() {
                        let visit = |key, group: &mut Group<'_, Number>| {
                            // Some groups are read in part, some not at all, before they are read as a whole.
                            let begun = group.take(groups.len() % 3 * 700).count();
                            group.rewind();
                            let whole: Vec<Number> = group.collect();
                            assert!(begun <= whole.len());
                            assert!(whole.iter().all(|record| record.key == key));
                            group.rewind();
                            assert_eq!(group.count(), whole.len());
                            groups.push(whole);
                            Ok::<(), StoreError>(())
                        };
                        sorted.for_each_group(part, visit).expect("readable");
                    }
                    assert!(groups == expected, "budget {budget}");
                });
            }
        }
    }

    #[test]
    fn groups_that_are_not_read_are_skipped() {
        for budget in BUDGETS {
            with_sorted(&numbers(30_000, 3), budget, 1, |_, sorted| {
                let mut keys = Vec::new();
                for part in 0..sorted.parts() {
                    let visit = |key, _: &mut Group<'_, Number>| {
                        keys.push(key);
                        Ok::<(), StoreError>(())
                    };
                    sorted.for_each_group(part, visit).expect("readable");
                }
                assert_eq!(keys.len(), 3);
                assert!(keys.is_sorted());
            });
        }
    }

    #[test]
    fn many_runs_are_merged_in_levels() {
        // 4 KiB make a run of 256 records: 400 runs, more than are merged at once.
        let records = numbers(100_000, u64::MAX);
        with_sorted(&records, 0, 1, |workspace, sorted| {
            assert!(sorted.runs.len() <= FAN_IN);
            // Written twice, each time packed to more than half.
            assert!(workspace.spilled_bytes() > 100_000 * Number::WIDTH as u64);
            let files =
                std::fs::read_dir(workspace.scratch_directory().expect("it spilled")).expect("readable").count();
            assert_eq!(files, 1, "the first level is gone");
        });
    }

    #[test]
    fn nothing_is_written_while_the_budget_lasts() {
        with_sorted(&numbers(100_000, 50), 64 << 20, 2, |workspace, _| {
            assert_eq!((workspace.spilled_bytes(), workspace.scratch_directory()), (0, None));
        });
    }

    #[test]
    fn damaged_scratch_data_is_told() {
        with_sorted(&numbers(10_000, u64::MAX), 0, 1, |workspace, sorted| {
            let directory = workspace.scratch_directory().expect("it spilled");
            let path =
                std::fs::read_dir(directory).expect("readable").next().expect("a file").expect("readable").path();
            let mut bytes = std::fs::read(&path).expect("readable");
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            std::fs::write(&path, bytes).expect("writable");
            let error = match sorted.iter() {
                Ok(mut records) => records.find_map(Result::err).expect("a damaged block"),
                Err(error) => error,
            };
            assert!(matches!(&error, StoreError::Damaged { path: named, .. } if *named == path), "{error}");
            let mut failures = 0;
            for part in 0..sorted.parts() {
                let read = sorted.for_each_group(part, |_, group| {
                    group.for_each(drop);
                    Ok::<(), StoreError>(())
                });
                failures += usize::from(read.is_err());
            }
            assert_eq!(failures, 1);
            std::fs::write(&path, []).expect("writable");
            assert!(matches!(sorted.iter(), Err(StoreError::Read { .. })));
        });
    }

    #[test]
    fn another_process_goes_on_from_what_was_sealed() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let identity = serde_json::json!({});
        let open = |budget| Workspace::resumable(directory.path(), budget, 2, &identity).expect("the same run");
        let push = |sorter: &Sorter<'_, Number>, records: &[Number]| {
            let mut writer = sorter.writer();
            records.iter().for_each(|record| writer.push(*record).expect("the disk has room"));
            writer.finish().expect("the disk has room");
        };
        let records = numbers(60_000, 500);
        // Each process adds a share, seals and commits it, adds more that is lost, and is killed.
        for (share, budget) in records.chunks(20_000).zip([u64::MAX, 0, 1 << 20]) {
            let workspace = open(budget);
            let sorter = Sorter::resume(&workspace, "numbers").expect("readable");
            push(&sorter, share);
            sorter.seal().expect("the disk has room");
            workspace.commit().expect("the disk has room");
            push(&sorter, &records[..5000]);
            sorter.seal().expect("the disk has room");
        }
        let mut expected = records.clone();
        expected.sort_unstable();
        let all = |sorted: &Sorted<'_, Number>| {
            sorted.iter().expect("readable").collect::<Result<Vec<_>, _>>().expect("readable")
        };
        let parts = {
            let workspace = open(4 << 10);
            let sorted = Sorter::resume(&workspace, "numbers").expect("readable").finish().expect("the disk has room");
            assert!(all(&sorted) == expected);
            workspace.commit().expect("the disk has room");
            sorted.parts()
        };
        let workspace = open(u64::MAX);
        let sorted = Sorted::<Number>::resume(&workspace, "numbers").expect("readable");
        assert!(all(&sorted) == expected);
        assert_eq!(sorted.parts(), parts, "work by parts goes on where it stood");
        drop(sorted);
        workspace.commit().expect("the disk has room");
        let left: Vec<_> = std::fs::read_dir(directory.path()).expect("readable").collect();
        assert_eq!(left.len(), 2, "the ledger and what run it is of are left: {left:?}");
        workspace.discard().expect("it can be removed");
        assert!(!directory.path().exists());
    }

    #[test]
    fn writers_of_little_leave_no_little_chunks() {
        let workspace = Workspace::new(std::path::PathBuf::new(), u64::MAX, 2);
        let sorter = Sorter::new(&workspace, "numbers");
        for record in numbers(10_000, 50) {
            let mut writer = sorter.writer();
            writer.push(record).expect("memory does not fail");
            writer.finish().expect("memory does not fail");
        }
        assert!(sorter.held.lock().expect("no holder panicked").chunks.is_empty());
        assert_eq!(sorter.finish().expect("memory does not fail").len(), 10_000);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn a_range_holds_its_keys(keys in prop::collection::vec(0u64..200, 0..3000), start in 0u64..200, end in 0u64..200) {
            let records: Vec<Number> = keys.into_iter().map(Number::of).collect();
            let mut expected = records.clone();
            expected.retain(|record| (start..=end).contains(&record.key));
            expected.sort_unstable();
            for budget in [0, u64::MAX] {
                with_sorted(&records, budget, 1, |_, sorted| {
                    let found: Result<Vec<_>, _> = sorted.range(&(start..=end)).expect("readable").collect();
                    prop_assert_eq!(found.expect("readable"), expected.clone());
                    Ok(())
                })?;
            }
        }
    }
}
