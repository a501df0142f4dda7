//! Threads: a pass over the documents in parallel, with numbers given in order.

use std::sync::{Condvar, Mutex};

use rayon::prelude::*;

use crate::config::Config;
use crate::document::{Batch, DocumentId, DocumentPass, DocumentSource, Parsed, SourceError};
use crate::error::Error;
use crate::observe::{Leg, Observer};
use crate::record::Record;
use crate::store::{Sorted, Sorter, StoreError, Workspace};

/// What every leg of a run works with, and its threads: exactly as many as were asked for, readers included.
pub(super) struct Run<'a, 'w> {
    pub config: &'a Config,
    pub workspace: &'w Workspace,
    pub source: &'a dyn DocumentSource,
    pub observer: &'a dyn Observer,
    pool: rayon::ThreadPool,
}

impl<'a, 'w> Run<'a, 'w> {
    /// Gathers the threads that the workspace allows.
    pub(super) fn new(
        config: &'a Config,
        workspace: &'w Workspace,
        source: &'a dyn DocumentSource,
        observer: &'a dyn Observer,
    ) -> Run<'a, 'w> {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(workspace.threads())
            .thread_name(|number| format!("retold-{number}"))
            .build()
            .expect("the system gives threads");
        Run { config, workspace, source, observer, pool }
    }

    /// Returns an empty sorter; `name` names its scratch files.
    pub(super) fn sorter<R: Record>(&self, name: &'static str) -> Sorter<'w, R> {
        Sorter::new(self.workspace, name)
    }

    /// Sorts what was written, with all threads.
    pub(super) fn sort<R: Record>(&self, sorter: Sorter<'w, R>) -> Result<Sorted<'w, R>, StoreError> {
        self.pool.install(|| sorter.finish())
    }

    /// Runs `work` for every number in 0..`count`, side by side; the first error ends it.
    pub(super) fn each<E: Send>(&self, count: usize, work: impl Fn(usize) -> Result<(), E> + Sync) -> Result<(), E> {
        self.pool.install(|| (0..count).into_par_iter().try_for_each(&work))
    }

    /// Reads all documents once.
    ///
    /// Every thread takes a batch under a lock, parses it, waits for its turn, and works. `turn` is called in batch
    /// order with the number of the batch's first document, while no other turn is taken: it must be short. What it
    /// returns goes to `work`, which runs side by side; `start` makes each thread's own state, `end` takes it back.
    ///
    /// The thread with the earliest batch never waits, so the crew never stands still.
    pub(super) fn pass<T, W: Send>(
        &self,
        leg: Leg,
        turn: impl FnMut(DocumentId, &mut Parsed) -> Result<T, Error> + Send,
        start: impl Fn() -> W + Sync,
        work: impl Fn(&mut W, DocumentId, Parsed, T) -> Result<(), Error> + Sync,
        end: impl Fn(W) -> Result<(), Error> + Sync,
    ) -> Result<(), Error> {
        self.observer.begin(leg, self.source.bytes());
        let reader = Mutex::new(Reader { pass: self.source.pass()?, taken: 0 });
        let turns =
            Turns { state: Mutex::new(TurnState { next: 0, base: 0, turn, failed: false }), moved: Condvar::new() };
        let failure: Mutex<Option<(u64, Error)>> = Mutex::new(None);
        self.pool.broadcast(|_| {
            let mut state = start();
            let mut at = u64::MAX;
            let mut guard = Unwinding { turns: &turns, armed: true };
            let mut run = || -> Result<(), Error> {
                loop {
                    if self.observer.stopped() {
                        return Err(Error::Stopped);
                    }
                    let Some((number, batch)) = reader.lock().expect("no reader panicked").take()? else {
                        return Ok(());
                    };
                    at = number;
                    let mut parsed = batch.parse();
                    let Some((base, ticket)) = turns.take(number, &mut parsed)? else { return Ok(()) };
                    let (bytes, documents) = (parsed.bytes, parsed.documents.len() as u64);
                    work(&mut state, base, parsed, ticket)?;
                    self.observer.advance(bytes, documents);
                }
            };
            let done = run().and_then(|()| end(state));
            if let Err(error) = done {
                turns.fail();
                let mut failure = failure.lock().expect("no thread panicked here");
                // The earliest batch's error is told, so that the message does not depend on the threads.
                if failure.as_ref().is_none_or(|(earlier, _)| at < *earlier) {
                    *failure = Some((at, error));
                }
            }
            guard.armed = false;
        });
        match failure.into_inner().expect("no thread panicked here") {
            Some((_, error)) => Err(error),
            None => Ok(()),
        }
    }
}

/// A batch and its number in the pass.
type Numbered = (u64, Box<dyn Batch + Send>);

struct Reader<'a> {
    pass: Box<dyn DocumentPass + Send + 'a>,
    taken: u64,
}

impl Reader<'_> {
    fn take(&mut self) -> Result<Option<Numbered>, SourceError> {
        let Some(batch) = self.pass.next_batch()? else { return Ok(None) };
        self.taken += 1;
        Ok(Some((self.taken - 1, batch)))
    }
}

struct TurnState<F> {
    next: u64,
    base: u32,
    turn: F,
    failed: bool,
}

struct Turns<F> {
    state: Mutex<TurnState<F>>,
    moved: Condvar,
}

impl<F> Turns<F> {
    /// Waits until all earlier batches had their turn, then takes it; none when another thread failed.
    fn take<T>(&self, number: u64, parsed: &mut Parsed) -> Result<Option<(DocumentId, T)>, Error>
    where
        F: FnMut(DocumentId, &mut Parsed) -> Result<T, Error>,
    {
        let mut state = self.state.lock().expect("turns are short and do not panic");
        while state.next != number && !state.failed {
            state = self.moved.wait(state).expect("turns are short and do not panic");
        }
        if state.failed {
            return Ok(None);
        }
        let base = state.base;
        let ticket = (state.turn)(DocumentId(base), parsed);
        state.base += u32::try_from(parsed.documents.len()).expect("a batch holds fewer than 2^32 documents");
        state.next += 1;
        self.moved.notify_all();
        Ok(Some((DocumentId(base), ticket?)))
    }

    fn fail(&self) {
        if let Ok(mut state) = self.state.lock() {
            state.failed = true;
        }
        self.moved.notify_all();
    }
}

/// Lets the others go when a thread panics, so that the panic is seen and nobody waits for ever.
struct Unwinding<'a, F> {
    turns: &'a Turns<F>,
    armed: bool,
}

impl<F> Drop for Unwinding<'_, F> {
    fn drop(&mut self) {
        if self.armed {
            self.turns.fail();
        }
    }
}
