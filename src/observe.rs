//! Who is told what happens during a run: progress, skipped records, things worth knowing.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::document::Skipped;

/// A leg of the run, for progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leg {
    /// First pass: blocks and what repeats.
    Read,
    /// Second pass: boilerplate judged, signatures made.
    Judge,
    /// Third pass: candidates read again and verified.
    Pair,
    /// Tables or cleaned copies written.
    Write,
}

/// Told about a run while it runs. Every method has an empty default; calls come from several threads.
pub trait Observer: Sync {
    /// A leg begins; `bytes` is what it will read, when known.
    fn begin(&self, leg: Leg, bytes: Option<u64>) {
        let _ = (leg, bytes);
    }

    /// A leg has read `bytes` more, with `documents` more documents in them.
    fn advance(&self, bytes: u64, documents: u64) {
        let _ = (bytes, documents);
    }

    /// Something could not be read.
    fn skipped(&self, skipped: &Skipped) {
        let _ = skipped;
    }

    /// Something worth telling that costs nothing.
    fn note(&self, note: &str) {
        let _ = note;
    }

    /// Returns whether the run should stop as soon as it can.
    fn stopped(&self) -> bool {
        false
    }
}

/// An observer that looks away.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Observer for Silent {}

/// A flag that a signal handler or another thread can raise to end a run.
#[derive(Debug, Default)]
pub struct StopFlag(AtomicBool);

impl StopFlag {
    /// Returns a lowered flag.
    pub const fn new() -> StopFlag {
        StopFlag(AtomicBool::new(false))
    }

    /// Raises the flag.
    pub fn raise(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Returns whether it is raised.
    pub fn is_raised(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
