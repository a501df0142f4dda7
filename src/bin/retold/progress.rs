//! What is told while a run goes on: a progress bar, and warnings above it.

use std::io::{IsTerminal, Write};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use retold::document::Skipped;
use retold::observe::{Leg, Observer};

use crate::args::GlobalArgs;
use crate::diagnostics::Paint;
use crate::interrupt::STOP;

/// Skipped records and notes that are told one by one; the rest is counted.
const TOLD: u64 = 10;

/// Tells a run on standard error.
#[derive(Debug)]
pub struct Talk {
    quiet: bool,
    bars: bool,
    paint: Paint,
    bar: Mutex<Option<ProgressBar>>,
    skipped: AtomicU64,
    notes: AtomicU64,
}

impl Talk {
    /// Makes it as the flags say: no bar when standard error is no terminal, nothing at all when quiet.
    pub fn new(global: &GlobalArgs, paint: Paint) -> Talk {
        let bars = !global.quiet && !global.no_progress && std::io::stderr().is_terminal();
        Talk {
            quiet: global.quiet,
            bars,
            paint,
            bar: Mutex::new(None),
            skipped: AtomicU64::new(0),
            notes: AtomicU64::new(0),
        }
    }

    /// Tells a warning.
    pub fn warn(&self, text: &str) {
        self.line(&format!("{} {text}", self.paint.bold(&self.paint.yellow("warning:"))));
    }

    /// Takes the bar away and tells what was only counted; `listed` says where skipped records stand in full.
    pub fn finish(&self, listed: Option<&str>) {
        if let Some(bar) = self.bar.lock().expect("no holder of the bar panics").take() {
            bar.finish_and_clear();
        }
        let more = |count: &AtomicU64| count.load(Ordering::Relaxed).saturating_sub(TOLD);
        let where_listed = listed.map(|path| format!(", all listed in `{path}`")).unwrap_or_default();
        match more(&self.skipped) {
            0 => {}
            count => self.warn(&format!("{count} more skipped{where_listed}")),
        }
        match more(&self.notes) {
            0 => {}
            count => self.line(&format!("{} {count} more like these", self.paint.bold("note:"))),
        }
    }

    fn line(&self, line: &str) {
        if self.quiet {
            return;
        }
        let print = || {
            // A standard error that cannot be written to is no reason to end a run.
            let _ = writeln!(std::io::stderr(), "{line}");
        };
        match &*self.bar.lock().expect("no holder of the bar panics") {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }
}

impl Observer for Talk {
    fn begin(&self, leg: Leg, bytes: Option<u64>) {
        if !self.bars {
            return;
        }
        let bar = match bytes {
            Some(bytes) => ProgressBar::new(bytes)
                .with_style(style("{prefix:<9} {wide_bar} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left")),
            None => ProgressBar::no_length().with_style(style("{prefix:<9} {spinner} {bytes}, {bytes_per_sec}")),
        };
        bar.set_draw_target(ProgressDrawTarget::stderr());
        bar.set_prefix(match leg {
            Leg::Read => "reading",
            Leg::Judge => "judging",
            Leg::Pair => "comparing",
            Leg::Write => "writing",
        });
        let before = self.bar.lock().expect("no holder of the bar panics").replace(bar);
        if let Some(before) = before {
            before.finish_and_clear();
        }
    }

    fn advance(&self, bytes: u64, _documents: u64) {
        if !self.bars {
            return;
        }
        if let Some(bar) = &*self.bar.lock().expect("no holder of the bar panics") {
            bar.inc(bytes);
        }
    }

    fn skipped(&self, skipped: &Skipped) {
        if self.skipped.fetch_add(1, Ordering::Relaxed) >= TOLD {
            return;
        }
        match &skipped.hint {
            Some(hint) => {
                self.warn(&format!("skipped {skipped}\n{} {hint}", self.paint.bold("hint:")));
            }
            None => self.warn(&format!("skipped {skipped}")),
        }
    }

    fn note(&self, note: &str) {
        if self.notes.fetch_add(1, Ordering::Relaxed) < TOLD {
            self.line(&format!("{} {note}", self.paint.bold("note:")));
        }
    }

    fn stopped(&self) -> bool {
        STOP.is_raised()
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the template is one of ours").progress_chars("=> ")
}
