//! Sorted records and byte strings within a memory budget: in memory until it is spent, then on disk.
//!
//! Knows no documents: records and bytes alone. In memory is the run that never spilled: a [`Sorted`] merges its runs
//! in the same way whether they lie in memory or in a scratch file, and gives the same records in the same order.
//!
//! ```text
//! many threads ──SorterWriter──▶ chunks ──budget left──▶ one sorted run in memory ──┐
//!                                   └────budget spent──▶ sorted runs on disk ───────┴─merge─▶ parts, side by side
//! many threads ──SpoolWriter───▶ strings ─▶ memory, then one file ──────────────────────────▶ by ordinal, or in order
//! ```

mod error;
mod ledger;
mod scratch;

mod run;

mod merge;

mod radix;

mod sorter;
mod spool;

pub use error::StoreError;
pub use sorter::{Group, Records, Sorted, Sorter, SorterWriter};
pub use spool::{Spool, SpoolWriter, Strings};

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use ledger::Ledger;
use scratch::ScratchFile;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Where a run keeps what does not fit in memory, and how much does fit.
///
/// Several runs can share one directory: each makes a directory of its own in it, named after the process.
#[derive(Debug)]
pub struct Workspace {
    directory: PathBuf,
    budget_bytes: u64,
    threads: usize,
    in_use: AtomicU64,
    spilled: AtomicU64,
    on_disk: AtomicU64,
    most_on_disk: AtomicU64,
    next_file: AtomicU64,
    /// The directory that this workspace made in `directory`, once something spilled.
    scratch: Mutex<Option<PathBuf>>,
    /// What is finished, when the run can be gone on with.
    ledger: Option<Ledger>,
}

/// Tells the scratch directories of one process apart.
static NEXT_WORKSPACE: AtomicU64 = AtomicU64::new(0);

impl Workspace {
    /// Makes a workspace. Scratch files lie in a directory `retold-<process>-<number>` inside `directory`, made when
    /// the first run spills and removed with the workspace.
    ///
    /// `budget_bytes` bounds what all sorters and spools together hold in memory, but for what they need to work at
    /// all (a few kilobytes a thread when the budget is 0); `u64::MAX`: no bound.
    pub fn new(directory: PathBuf, budget_bytes: u64, threads: usize) -> Workspace {
        Workspace {
            directory,
            budget_bytes,
            threads: threads.max(1),
            in_use: AtomicU64::new(0),
            spilled: AtomicU64::new(0),
            on_disk: AtomicU64::new(0),
            most_on_disk: AtomicU64::new(0),
            next_file: AtomicU64::new(0),
            scratch: Mutex::new(None),
            ledger: None,
        }
    }

    /// Makes a workspace whose scratch files outlive it, in `directory` itself, so that another process can go on; or
    /// opens what such a process left there.
    ///
    /// `identity` is an object that says what must be the same for that: version, settings, inputs.
    ///
    /// # Errors
    /// If the directory cannot be written, or holds what a run of another identity left.
    pub fn resumable(
        directory: &Path,
        budget_bytes: u64,
        threads: usize,
        identity: &serde_json::Value,
    ) -> Result<Workspace, StoreError> {
        let ledger = Ledger::open(directory, identity)?;
        let mut workspace = Workspace::new(directory.to_owned(), budget_bytes, threads);
        workspace.next_file.store(ledger.next_file(), Ordering::Relaxed);
        workspace.ledger = Some(ledger);
        *workspace.scratch.get_mut().expect("no holder panics") = Some(directory.to_owned());
        Ok(workspace)
    }

    /// Returns whether another process can go on with what is committed here.
    pub fn is_resumable(&self) -> bool {
        self.ledger.is_some()
    }

    /// Makes what was sealed and kept since the last time last: from here another process goes on.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn commit(&self) -> Result<(), StoreError> {
        self.ledger.as_ref().map_or(Ok(()), Ledger::commit)
    }

    /// Keeps a small value with the next [`Workspace::commit`].
    pub fn keep(&self, name: &str, value: &impl Serialize) {
        if let Some(ledger) = &self.ledger {
            ledger.set_value(name, serde_json::to_value(value).expect("what is kept has string keys"));
        }
    }

    /// Returns a value that was kept, by this process or the one before.
    ///
    /// # Errors
    /// If it is another kind of value.
    pub fn kept<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, StoreError> {
        let Some((ledger, value)) = self.ledger.as_ref().and_then(|ledger| Some((ledger, ledger.value(name)?))) else {
            return Ok(None);
        };
        serde_json::from_value(value).map(Some).map_err(|error| StoreError::Damaged {
            path: ledger.directory().to_owned(),
            what: format!("value `{name}`: {error}"),
        })
    }

    /// Gives up what an earlier process sealed under these names and nobody has opened.
    pub fn forget(&self, names: &[&str]) {
        if let Some(ledger) = &self.ledger {
            names.iter().for_each(|name| ledger.forget(name));
        }
    }

    /// Removes all that was kept for another process: the run is over.
    ///
    /// # Errors
    /// If it cannot be removed.
    pub fn discard(self) -> Result<(), StoreError> {
        let Some(ledger) = &self.ledger else { return Ok(()) };
        let path = ledger.directory().to_owned();
        match std::fs::remove_dir_all(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(StoreError::Write { path, source: error })
            }
            _ => Ok(()),
        }
    }

    /// Returns the number of threads that a stage may use.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Returns the memory budget in bytes.
    pub fn budget_bytes(&self) -> u64 {
        self.budget_bytes
    }

    /// Returns the bytes that sorters and spools hold in memory now.
    pub fn in_use_bytes(&self) -> u64 {
        self.in_use.load(Ordering::Relaxed)
    }

    /// Returns the bytes written to scratch files so far: 0 when everything fitted in memory.
    pub fn spilled_bytes(&self) -> u64 {
        self.spilled.load(Ordering::Relaxed)
    }

    /// Returns the most bytes of scratch files that lay on disk at once.
    pub fn peak_scratch_bytes(&self) -> u64 {
        self.most_on_disk.load(Ordering::Relaxed)
    }

    /// Returns the scratch directory, when one was made: for a signal handler that must remove it.
    pub fn scratch_directory(&self) -> Option<PathBuf> {
        self.scratch.lock().expect("no holder panics").clone()
    }

    /// Creates a scratch file that no other call returned.
    fn scratch_file(&self, name: &str) -> Result<ScratchFile<'_>, StoreError> {
        let mut scratch = self.scratch.lock().expect("no holder panics");
        let directory = match &*scratch {
            Some(directory) => directory,
            None => scratch.insert(make_scratch_directory(&self.directory)?),
        };
        ScratchFile::create(self, directory.join(format!("{name}-{}", self.next_file.fetch_add(1, Ordering::Relaxed))))
    }

    /// Opens the scratch file of this name that an earlier process wrote.
    fn open_scratch(&self, name: &str, end: u64) -> Result<ScratchFile<'_>, StoreError> {
        let scratch = self.scratch.lock().expect("no holder panics").clone();
        ScratchFile::open(self, scratch.unwrap_or_default().join(name), end)
    }

    /// Counts bytes as held, whether or not they are within the budget.
    fn charge(&self, bytes: u64) -> Charge<'_> {
        self.in_use.fetch_add(bytes, Ordering::Relaxed);
        Charge { workspace: self, bytes }
    }

    /// Counts bytes as held if they are within the budget.
    fn try_charge(&self, bytes: u64) -> Option<Charge<'_>> {
        let charge = self.charge(bytes);
        (self.in_use_bytes() <= self.budget_bytes).then_some(charge)
    }

    /// Returns whether more than `share` of the budget is held.
    fn holds_more_than(&self, share: f64) -> bool {
        self.budget_bytes != u64::MAX && self.in_use_bytes() as f64 > self.budget_bytes as f64 * share
    }

    /// Runs `work` for every number below `count`, on up to `threads` threads, the calling one among them.
    ///
    /// Threads of its own and not a pool's, so that a stage is bounded by its workspace wherever it is called from.
    fn side_by_side<E: Send>(&self, count: usize, work: impl Fn(usize) -> Result<(), E> + Sync) -> Result<(), E> {
        let next = AtomicUsize::new(0);
        let turn = || {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= count {
                    return Ok(());
                }
                work(number)?;
            }
        };
        std::thread::scope(|scope| {
            let others: Vec<_> = (1..self.threads.min(count)).map(|_| scope.spawn(turn)).collect();
            let mine = turn();
            others.into_iter().fold(mine, |result, other| {
                let other = other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                result.and(other)
            })
        })
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        if self.ledger.is_some() {
            return;
        }
        if let Some(directory) = self.scratch.get_mut().expect("no holder panics").take() {
            // A directory that cannot be removed is left for the system to clear: there is no one to tell here.
            let _ = std::fs::remove_dir_all(directory);
        }
    }
}

/// Makes a directory of our own in `parent`: never one that exists, so that nobody else's files are read or removed.
fn make_scratch_directory(parent: &Path) -> Result<PathBuf, StoreError> {
    std::fs::create_dir_all(parent).map_err(|source| StoreError::Write { path: parent.to_owned(), source })?;
    loop {
        let number = NEXT_WORKSPACE.fetch_add(1, Ordering::Relaxed);
        let path = parent.join(format!("retold-{}-{number}", std::process::id()));
        let mut builder = std::fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        match builder.create(&path) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(source) => return Err(StoreError::Write { path, source }),
        }
    }
}

/// Bytes counted as held; dropping it gives them back.
#[derive(Debug)]
struct Charge<'w> {
    workspace: &'w Workspace,
    bytes: u64,
}

impl<'w> Charge<'w> {
    /// Takes over what another charge counts.
    fn absorb(&mut self, mut other: Charge<'w>) {
        self.bytes += std::mem::take(&mut other.bytes);
    }

    /// Parts with some of what it counts, into a charge of its own.
    fn split(&mut self, bytes: u64) -> Charge<'w> {
        self.bytes -= bytes;
        Charge { workspace: self.workspace, bytes }
    }
}

impl Drop for Charge<'_> {
    fn drop(&mut self) {
        self.workspace.in_use.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workspace_makes_its_directory_late_and_removes_it() {
        let parent = tempfile::tempdir().expect("a temporary directory");
        let workspace = Workspace::new(parent.path().to_owned(), 0, 1);
        assert_eq!(workspace.scratch_directory(), None);
        let file = workspace.scratch_file("test").expect("a scratch file");
        let directory = workspace.scratch_directory().expect("a directory");
        assert!(directory.starts_with(parent.path()) && directory.is_dir());
        drop(file);
        drop(workspace);
        assert!(!directory.exists());
        assert_eq!(std::fs::read_dir(parent.path()).expect("readable").count(), 0);
    }

    #[test]
    fn two_workspaces_share_a_directory() {
        let parent = tempfile::tempdir().expect("a temporary directory");
        let [one, two] = [0, 1].map(|_| Workspace::new(parent.path().to_owned(), 0, 1));
        let _files = [&one, &two].map(|workspace| workspace.scratch_file("same").expect("a scratch file"));
        assert_ne!(one.scratch_directory(), two.scratch_directory());
    }

    #[test]
    fn a_directory_that_cannot_be_made_is_named() {
        let parent = tempfile::NamedTempFile::new().expect("a temporary file");
        let workspace = Workspace::new(parent.path().join("below"), 0, 1);
        let error = workspace.scratch_file("test").expect_err("a file holds no directory");
        assert!(error.to_string().contains(&parent.path().display().to_string()), "{error}");
    }

    #[test]
    fn charges_are_given_back() {
        let workspace = Workspace::new(PathBuf::new(), 100, 1);
        let mut charge = workspace.charge(60);
        assert!(workspace.try_charge(50).is_none());
        charge.absorb(workspace.try_charge(40).expect("within the budget"));
        assert_eq!(workspace.in_use_bytes(), 100);
        drop(charge);
        assert_eq!(workspace.in_use_bytes(), 0);
    }

    #[test]
    fn side_by_side_does_every_number_once_and_reports_an_error() {
        let workspace = Workspace::new(PathBuf::new(), 0, 3);
        let sum = AtomicUsize::new(0);
        let add = |number| {
            sum.fetch_add(number, Ordering::Relaxed);
            if number == 99 { Err(number) } else { Ok(()) }
        };
        assert_eq!(workspace.side_by_side(99, add), Ok(()));
        assert_eq!(sum.load(Ordering::Relaxed), 98 * 99 / 2);
        assert_eq!(workspace.side_by_side(100, add), Err(99));
    }
}
