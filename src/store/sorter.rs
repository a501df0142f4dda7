//! The one sorter: records in from many threads, out in order. (Skeleton: memory only; to be filled in.)

use std::sync::Mutex;

use crate::record::Record;
use crate::store::{StoreError, Workspace};

/// Collects records from many threads and sorts them.
#[derive(Debug)]
pub struct Sorter<'w, R> {
    records: Mutex<Vec<R>>,
    workspace: &'w Workspace,
    name: &'static str,
}

impl<'w, R: Record> Sorter<'w, R> {
    /// Makes a sorter; `name` names its scratch files.
    pub fn new(workspace: &'w Workspace, name: &'static str) -> Sorter<'w, R> {
        Sorter { records: Mutex::new(Vec::new()), workspace, name }
    }

    /// Returns a writer for one thread.
    pub fn writer(&self) -> SorterWriter<'_, 'w, R> {
        SorterWriter { sorter: self, buffer: Vec::new() }
    }

    /// Sorts everything written by the writers, which are all finished.
    ///
    /// # Errors
    /// If scratch data cannot be written.
    pub fn finish(self) -> Result<Sorted<'w, R>, StoreError> {
        let mut records = self.records.into_inner().expect("no writer panicked");
        records.sort_unstable();
        let _ = (self.workspace, self.name);
        Ok(Sorted { records, workspace: self.workspace })
    }
}

/// One thread's way into a [`Sorter`].
#[derive(Debug)]
pub struct SorterWriter<'s, 'w, R: Record> {
    sorter: &'s Sorter<'w, R>,
    buffer: Vec<R>,
}

impl<R: Record> SorterWriter<'_, '_, R> {
    /// Adds a record.
    ///
    /// # Errors
    /// If the budget is spent and scratch data cannot be written.
    pub fn push(&mut self, record: R) -> Result<(), StoreError> {
        self.buffer.push(record);
        Ok(())
    }

    /// Hands over what is still buffered. A writer dropped without this loses records.
    ///
    /// # Errors
    /// If scratch data cannot be written.
    pub fn finish(self) -> Result<(), StoreError> {
        self.sorter.records.lock().expect("no writer panicked").extend(self.buffer);
        Ok(())
    }
}

/// Sorted records: can be read any number of times, in parts side by side.
#[derive(Debug)]
pub struct Sorted<'w, R> {
    records: Vec<R>,
    workspace: &'w Workspace,
}

impl<R: Record> Sorted<'_, R> {
    /// Returns how many records there are.
    pub fn len(&self) -> u64 {
        self.records.len() as u64
    }

    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Returns how many parts there are; one group (see [`Record::key`]) never lies in two.
    pub fn parts(&self) -> usize {
        let _ = self.workspace;
        1
    }

    /// Reads one part in order. Several can be read at once, each in its own thread, and one part several times.
    ///
    /// # Errors
    /// If scratch data cannot be opened. The items are errors where it cannot be read.
    pub fn part(&self, part: usize) -> Result<impl Iterator<Item = Result<R, StoreError>> + Send + '_, StoreError> {
        let _ = part;
        Ok(self.records.iter().map(|record| Ok(*record)))
    }

    /// Reads everything in order.
    ///
    /// # Errors
    /// As [`Sorted::part`].
    pub fn iter(&self) -> Result<impl Iterator<Item = Result<R, StoreError>> + Send + '_, StoreError> {
        self.part(0)
    }
}
