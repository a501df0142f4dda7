//! Sorted records and byte strings within a memory budget: in memory until it is spent, then on disk.
//!
//! Knows no documents: records and bytes alone. In memory is the run that never spilled.

mod error;
mod sorter;
mod spool;

pub use error::StoreError;
pub use sorter::{Sorted, Sorter, SorterWriter};
pub use spool::{Spool, SpoolWriter};

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

/// Where a run keeps what does not fit in memory, and how much does fit.
#[derive(Debug)]
pub struct Workspace {
    directory: PathBuf,
    budget_bytes: u64,
    threads: usize,
    next_file: AtomicU64,
}

impl Workspace {
    /// Makes a workspace. The directory `directory` is made when the first run spills and removed with the workspace.
    /// `budget_bytes` bounds what all sorters and spools together hold in memory; `u64::MAX`: no bound.
    pub fn new(directory: PathBuf, budget_bytes: u64, threads: usize) -> Workspace {
        Workspace { directory, budget_bytes, threads: threads.max(1), next_file: AtomicU64::new(0) }
    }

    /// Returns the number of threads that a stage may use.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Returns the memory budget in bytes.
    pub fn budget_bytes(&self) -> u64 {
        self.budget_bytes
    }

    /// Returns a path in the scratch directory that no other call returned. (Skeleton.)
    pub(crate) fn scratch_file(&self, name: &str) -> PathBuf {
        self.directory.join(format!("{name}-{}", self.next_file.fetch_add(1, Ordering::Relaxed)))
    }
}
