//! Threads: a pass over the documents in parallel, with numbers given in order.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex};
use std::time::Instant;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

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
    checkpoints: Checkpoints,
}

/// When to write down what is finished, in a resumable run.
struct Checkpoints {
    began: Instant,
    /// Seconds that earlier processes worked, up to what they wrote down last.
    before: f64,
    last: Mutex<Checkpoint>,
}

#[derive(Clone, Copy)]
struct Checkpoint {
    at: Instant,
    /// Seconds that it took.
    cost: f64,
}

/// A process that is killed has lost at most about this share of the work done: checkpoints become rarer as a run goes on.
const LOST: f64 = 1.0 / 20.0;

/// Between checkpoints lies at least this many times what one takes: early in a run they cost up to a tenth, later next to
/// nothing.
const WORK_PER_COST: f64 = 10.0;

/// Seconds between checkpoints at least.
const LEAST_SECONDS: f64 = 0.02;

/// Where a pass stands.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Position {
    batches: u64,
    documents: u32,
    mark: String,
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
        let now = Instant::now();
        let checkpoints = Checkpoints {
            began: now,
            before: workspace.kept("seconds").ok().flatten().unwrap_or(0.0),
            last: Mutex::new(Checkpoint { at: now, cost: 0.0 }),
        };
        Run { config, workspace, source, observer, pool, checkpoints }
    }

    /// Returns whether an earlier process has finished a stage.
    pub(super) fn is_done(&self, stage: &str) -> Result<bool, StoreError> {
        Ok(self.workspace.kept(&format!("{stage} done"))?.unwrap_or(false))
    }

    /// Returns how many batches of a pass an earlier process has done.
    pub(super) fn batches_done(&self, leg: Leg) -> Result<usize, StoreError> {
        let position: Option<Position> = self.workspace.kept(&name_of(leg))?;
        Ok(position.map_or(0, |position| position.batches as usize))
    }

    /// Has the source know what it would know had this process read that pass, which another one has.
    pub(super) fn recall_pass(&self, leg: Leg) -> Result<(), Error> {
        let position: Option<Position> = self.workspace.kept(&name_of(leg))?;
        if let Some(position) = position {
            drop(self.source.pass_from(position.batches, &position.mark)?);
        }
        Ok(())
    }

    /// Writes down that a stage is finished; all that it leaves is sealed.
    pub(super) fn done(&self, stage: &str) -> Result<(), Error> {
        self.workspace.keep(&format!("{stage} done"), &true);
        self.checkpoint(&|| Ok(()))
    }

    /// Writes down what is finished, which `seal` makes last first. No thread works meanwhile.
    fn checkpoint(&self, seal: &dyn Fn() -> Result<(), Error>) -> Result<(), Error> {
        if !self.workspace.is_resumable() {
            return Ok(());
        }
        let began = Instant::now();
        seal()?;
        let seconds = self.checkpoints.before + self.checkpoints.began.elapsed().as_secs_f64();
        self.workspace.keep("seconds", &seconds);
        self.workspace.commit()?;
        let now = Instant::now();
        let last = Checkpoint { at: now, cost: (now - began).as_secs_f64() };
        *self.checkpoints.last.lock().expect("no holder panics") = last;
        Ok(())
    }

    /// Returns whether enough was done since the last checkpoint for another one.
    fn is_checkpoint_due(&self) -> bool {
        if !self.workspace.is_resumable() {
            return false;
        }
        let last = *self.checkpoints.last.lock().expect("no holder panics");
        let since = last.at.elapsed().as_secs_f64();
        let all = self.checkpoints.before + self.checkpoints.began.elapsed().as_secs_f64();
        since >= LEAST_SECONDS.max(LOST * all).max(WORK_PER_COST * last.cost)
    }

    /// As [`Run::each`], in order and so that another process goes on where this one stood; `name` is what is counted,
    /// `seal` makes last what was made of the numbers so far.
    pub(super) fn each_kept<W>(
        &self,
        name: &str,
        count: usize,
        worker: impl Fn() -> W + Sync,
        work: impl Fn(&mut W, usize) -> Result<(), Error> + Sync,
        seal: &dyn Fn() -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut done = self.workspace.kept(name)?.unwrap_or(0);
        while done < count {
            let next = AtomicUsize::new(done);
            let failure = Mutex::new(None);
            self.pool.broadcast(|_| {
                let mut own = worker();
                while next.load(Ordering::Relaxed) == done || !self.is_checkpoint_due() {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        return;
                    }
                    if let Err(error) = work(&mut own, number) {
                        next.store(count, Ordering::Relaxed);
                        failure.lock().expect("no thread panicked here").get_or_insert(error);
                        return;
                    }
                }
            });
            if let Some(error) = failure.into_inner().expect("no thread panicked here") {
                return Err(error);
            }
            done = next.into_inner().min(count);
            self.checkpoint(&|| {
                self.workspace.keep(name, &done);
                seal()
            })?;
        }
        Ok(())
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
    ///
    /// In a resumable run, `keep` makes last what came of the batches so far, all threads at rest, so that another process
    /// goes on after them; none: it begins the pass anew.
    pub(super) fn pass<T, W: Send>(
        &self,
        leg: Leg,
        keep: Option<&dyn Fn() -> Result<(), Error>>,
        turn: impl FnMut(DocumentId, &mut Parsed) -> Result<T, Error> + Send,
        start: impl Fn() -> W + Sync,
        work: impl Fn(&mut W, DocumentId, Parsed, T) -> Result<(), Error> + Sync,
        end: impl Fn(W) -> Result<(), Error> + Sync,
    ) -> Result<(), Error> {
        self.observer.begin(leg, self.source.bytes());
        let name = name_of(leg);
        let position: Option<Position> = if keep.is_some() { self.workspace.kept(&name)? } else { None };
        let pass = match &position {
            Some(position) => self.source.pass_from(position.batches, &position.mark)?,
            None => self.source.pass()?,
        };
        let Position { batches, documents, .. } = position.unwrap_or_default();
        let reader = Mutex::new(Reader { pass, taken: batches, ended: false });
        let state = TurnState { next: batches, base: documents, turn, failed: false };
        let turns = Turns { state: Mutex::new(state), moved: Condvar::new() };
        loop {
            self.segment(&reader, &turns, keep.is_some(), &start, &work, &end)?;
            let reader = reader.lock().expect("no reader panicked");
            if let Some(keep) = keep.filter(|_| self.workspace.is_resumable()) {
                let documents = turns.state.lock().expect("turns are short and do not panic").base;
                let position = Position { batches: reader.taken, documents, mark: reader.pass.mark() };
                self.checkpoint(&|| {
                    self.workspace.keep(&name, &position);
                    keep()
                })?;
            }
            if reader.ended {
                return Ok(());
            }
        }
    }

    /// Reads documents up to the next checkpoint or the end.
    fn segment<T, W: Send, F>(
        &self,
        reader: &Mutex<Reader<'_>>,
        turns: &Turns<F>,
        ends_early: bool,
        start: &(impl Fn() -> W + Sync),
        work: &(impl Fn(&mut W, DocumentId, Parsed, T) -> Result<(), Error> + Sync),
        end: &(impl Fn(W) -> Result<(), Error> + Sync),
    ) -> Result<(), Error>
    where
        F: FnMut(DocumentId, &mut Parsed) -> Result<T, Error> + Send,
    {
        let failure: Mutex<Option<(u64, Error)>> = Mutex::new(None);
        self.pool.broadcast(|_| {
            let mut state = start();
            let mut at = u64::MAX;
            let mut guard = Unwinding { turns, armed: true };
            let mut run = || -> Result<(), Error> {
                loop {
                    if self.observer.stopped() {
                        return Err(Error::Stopped);
                    }
                    // The first batch after a checkpoint is always read, so that every segment gets on.
                    if ends_early && at != u64::MAX && self.is_checkpoint_due() {
                        return Ok(());
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
        let failure = failure.into_inner().expect("no thread panicked here");
        // What the source says of itself is the cause of whatever came of it.
        match (self.source.failure(), failure) {
            (Some(error), _) => Err(error.into()),
            (None, Some((_, error))) => Err(error),
            (None, None) => Ok(()),
        }
    }
}

/// Returns the name under which the position of a pass is kept.
fn name_of(leg: Leg) -> String {
    format!("pass {leg:?}")
}

/// A batch and its number in the pass.
type Numbered = (u64, Box<dyn Batch + Send>);

struct Reader<'a> {
    pass: Box<dyn DocumentPass + Send + 'a>,
    taken: u64,
    ended: bool,
}

impl Reader<'_> {
    fn take(&mut self) -> Result<Option<Numbered>, SourceError> {
        let Some(batch) = self.pass.next_batch()? else {
            self.ended = true;
            return Ok(None);
        };
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
