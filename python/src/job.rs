//! Work in a thread of its own, while the caller's thread listens: to signals, and to what is told.
//!
//! The caller's thread holds the interpreter only to look for signals and to hand on what was told, ten times a second;
//! so Python goes on meanwhile, and Ctrl-C reaches the work as it does in the program: at its next batch.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Result;
use pyo3::prelude::*;
use retold::document::Skipped;
use retold::observe::StopFlag;

use crate::failure::{Error, exception};
use crate::log::Level;
use crate::progress::{Talk, Voice};

/// How often the caller's thread looks.
const LOOK: Duration = Duration::from_millis(100);

/// How long work that was stopped may take to clear up before it is left to itself; the program waits as long.
const PATIENCE: Duration = Duration::from_millis(1500);

/// Something that was said.
#[derive(Debug)]
struct Said {
    level: Level,
    text: String,
    about: Option<Skipped>,
}

/// What work tells, until the caller's thread takes it.
#[derive(Debug, Default)]
struct Told {
    stop: StopFlag,
    said: Mutex<Vec<Said>>,
    leg: Mutex<Option<(&'static str, Option<u64>)>>,
    bytes: AtomicU64,
    documents: AtomicU64,
}

/// The voice of work: keeps what it says.
#[derive(Debug)]
struct Kept(Arc<Told>);

impl Voice for Kept {
    fn say(&self, level: Level, text: &str, skipped: Option<&Skipped>) {
        let said = Said { level, text: text.to_owned(), about: skipped.cloned() };
        self.0.said.lock().expect("no holder of the list panics").push(said);
    }

    fn begin(&self, leg: &'static str, bytes: Option<u64>) {
        *self.0.leg.lock().expect("no holder of the leg panics") = Some((leg, bytes));
        self.0.bytes.store(0, Ordering::Relaxed);
        self.0.documents.store(0, Ordering::Relaxed);
    }

    fn advance(&self, bytes: u64, documents: u64) {
        self.0.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.0.documents.fetch_add(documents, Ordering::Relaxed);
    }

    fn end(&self) {}

    fn stopped(&self) -> bool {
        self.0.stop.is_raised()
    }
}

impl Told {
    /// Hands on what was told: `tell("said", level, text, (path, row, byte, field, hint))` for messages, and
    /// `tell("progress", leg, bytes, all_bytes, documents)`.
    fn hand_on(&self, py: Python<'_>, tell: &Bound<'_, PyAny>) -> PyResult<()> {
        let said = std::mem::take(&mut *self.said.lock().expect("no holder of the list panics"));
        for said in said {
            let level = match said.level {
                Level::Progress => "progress",
                Level::Note => "note",
                Level::Warning => "warning",
                Level::Error => "error",
            };
            let about = said.about.map(|about| (about.source, about.row, about.byte, about.field, about.hint));
            tell.call1(("said", level, said.text, about))?;
        }
        let leg = *self.leg.lock().expect("no holder of the leg panics");
        if let Some((leg, all)) = leg {
            let (bytes, documents) = (self.bytes.load(Ordering::Relaxed), self.documents.load(Ordering::Relaxed));
            tell.call1(("progress", leg, all.map_or(bytes, |all| bytes.min(all)), all, documents))?;
        }
        // A caller that says nothing gives way to signals all the same.
        py.check_signals()
    }
}

/// Does work in another thread; `tell` is called with what it tells.
///
/// # Errors
/// The work's own as an exception; a signal's or that of `tell`, once the work has stopped.
pub fn perform<T: Send + 'static>(
    py: Python<'_>,
    tell: &Bound<'_, PyAny>,
    fail_fast: bool,
    work: impl FnOnce(&Talk) -> Result<T> + Send + 'static,
) -> PyResult<T> {
    let told = Arc::new(Told::default());
    let (give, take) = channel();
    // A receiver belongs to one thread, and the lock says that this one keeps it.
    let take = Mutex::new(take);
    let of_work = told.clone();
    let run = move || {
        let talk = Talk::new(Box::new(Kept(of_work))).failing_fast(fail_fast);
        let done = catch_unwind(AssertUnwindSafe(|| work(&talk)));
        // Whoever has given up waiting does not take it.
        let _ = give.send(done);
    };
    let thread = std::thread::Builder::new().name("retold".to_owned()).spawn(run);
    thread.map_err(|error| exception(py, &anyhow::Error::new(error).context("could not start a thread")))?;
    let done = loop {
        match wait(py, &take, LOOK) {
            Ok(done) => break done,
            Err(RecvTimeoutError::Disconnected) => return Err(Error::new_err("the work has ended without a word")),
            Err(RecvTimeoutError::Timeout) => {}
        }
        if let Err(interrupted) = told.hand_on(py, tell) {
            told.stop.raise();
            let _ = wait(py, &take, PATIENCE);
            return Err(interrupted);
        }
    };
    match done {
        Ok(Ok(value)) => {
            told.hand_on(py, tell)?;
            Ok(value)
        }
        Ok(Err(error)) => Err(exception(py, &error)),
        Err(panic) => {
            let said = panic.downcast_ref::<String>().map(String::as_str);
            let said = said.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no reason given");
            Err(Error::new_err(format!("a promise of the program was broken, which is an error in it: {said}")))
        }
    }
}

/// Waits while others use the interpreter.
fn wait<T: Send>(py: Python<'_>, take: &Mutex<Receiver<T>>, time: Duration) -> Result<T, RecvTimeoutError> {
    py.detach(|| take.lock().expect("nobody else holds it").recv_timeout(time))
}
