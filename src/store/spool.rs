//! Byte strings by ordinal: written by many threads in any order, read by ordinal or in order. (Skeleton: memory only.)

use std::collections::BTreeMap;
use std::sync::Mutex;

use crate::store::{StoreError, Workspace};

/// Collects byte strings.
#[derive(Debug)]
pub struct SpoolWriter<'w> {
    strings: Mutex<BTreeMap<u32, Vec<u8>>>,
    workspace: &'w Workspace,
}

impl<'w> SpoolWriter<'w> {
    /// Makes a spool; `name` names its scratch files.
    pub fn new(workspace: &'w Workspace, name: &'static str) -> SpoolWriter<'w> {
        let _ = name;
        SpoolWriter { strings: Mutex::new(BTreeMap::new()), workspace }
    }

    /// Adds the strings of some ordinals, ascending; each ordinal once in the spool's life. Called from any thread, with
    /// many strings at once, so that a lock is taken per batch and not per string.
    ///
    /// # Errors
    /// If the budget is spent and scratch data cannot be written.
    pub fn put(&self, strings: Vec<(u32, Vec<u8>)>) -> Result<(), StoreError> {
        self.strings.lock().expect("no writer panicked").extend(strings);
        Ok(())
    }

    /// Ends writing.
    ///
    /// # Errors
    /// If scratch data cannot be written.
    pub fn finish(self) -> Result<Spool<'w>, StoreError> {
        Ok(Spool { strings: self.strings.into_inner().expect("no writer panicked"), workspace: self.workspace })
    }
}

/// Byte strings to be read back.
#[derive(Debug)]
pub struct Spool<'w> {
    strings: BTreeMap<u32, Vec<u8>>,
    workspace: &'w Workspace,
}

impl Spool<'_> {
    /// Returns the string of an ordinal, if it has one. From any thread; a read from disk when it was spilled.
    ///
    /// # Errors
    /// If scratch data cannot be read.
    pub fn get(&self, ordinal: u32) -> Result<Option<Vec<u8>>, StoreError> {
        let _ = self.workspace;
        Ok(self.strings.get(&ordinal).cloned())
    }

    /// Reads all strings in order of their ordinals.
    pub fn iter(&self) -> impl Iterator<Item = Result<(u32, Vec<u8>), StoreError>> + '_ {
        self.strings.iter().map(|(ordinal, string)| Ok((*ordinal, string.clone())))
    }
}
