//! What is told while a run goes on: a progress bar, and warnings above it.

use std::fmt;
use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use retold::document::Skipped;
use retold::observe::{Leg, Observer};

use crate::args::GlobalArgs;
use crate::diagnostics::{FailedFast, Paint};
use crate::interrupt::STOP;
use crate::log::{self, Level};
use crate::render::size;

/// Skipped records and notes that are told one by one; the rest is counted.
const TOLD: u64 = 10;

/// How often a run that nobody watches says how far it is.
const HEARTBEAT: Duration = Duration::from_secs(60);

/// How far a leg of the run is, where no bar shows it.
#[derive(Debug)]
struct Beat {
    leg: &'static str,
    done: u64,
    total: Option<u64>,
    began: Instant,
    told: Instant,
}

impl Beat {
    /// Returns a line about the work done, with what is left of it as it has gone so far.
    fn line(&self, now: Instant) -> String {
        let Some(total) = self.total.filter(|total| *total > 0) else {
            return format!("{}: {}", self.leg, size(self.done));
        };
        let seconds = now.duration_since(self.began).as_secs_f64();
        let left = total.saturating_sub(self.done) as f64 * seconds / self.done.max(1) as f64;
        let percent = 100 * u128::from(self.done.min(total)) / u128::from(total);
        let minutes = (left / 60.0).ceil();
        format!("{}: {percent}% of {}, about {minutes} min left", self.leg, size(total))
    }
}

/// Whom a run talks to: people at a terminal, or a program that this one is a part of.
pub trait Voice: fmt::Debug + Send + Sync {
    /// Says something, which may be about what was skipped.
    fn say(&self, level: Level, text: &str, skipped: Option<&Skipped>);

    /// Returns how many warnings, and how many notes, are said one by one; the rest is counted.
    fn most(&self) -> u64 {
        TOLD
    }

    /// A leg of the run begins; `bytes` is what it will read, when known.
    fn begin(&self, leg: &'static str, bytes: Option<u64>);

    /// It has read so much more.
    fn advance(&self, bytes: u64, documents: u64);

    /// The last leg has ended.
    fn end(&self);

    /// Returns whether the run should stop.
    fn stopped(&self) -> bool;
}

/// Tells a run.
#[derive(Debug)]
pub struct Talk {
    voice: Box<dyn Voice>,
    /// Whether the first thing that cannot be read ends the run.
    fail_fast: bool,
    failed: OnceLock<Skipped>,
    skipped: AtomicU64,
    notes: AtomicU64,
}

impl Talk {
    /// Talks to whom it is given.
    pub fn new(voice: Box<dyn Voice>) -> Talk {
        Talk { voice, fail_fast: false, failed: OnceLock::new(), skipped: AtomicU64::new(0), notes: AtomicU64::new(0) }
    }

    /// Has the first thing that cannot be read end the run, where that is asked for.
    #[must_use]
    pub fn failing_fast(self, fail_fast: bool) -> Talk {
        Talk { fail_fast, ..self }
    }

    /// Ends the run if something could not be read and that is to end it.
    pub fn check(&self) -> anyhow::Result<()> {
        self.failed.get().map_or(Ok(()), |skipped| Err(FailedFast(skipped.clone()).into()))
    }

    /// Tells a warning.
    pub fn warn(&self, text: &str) {
        self.voice.say(Level::Warning, text, None);
    }

    /// Tells what a run will do, before it does.
    pub fn state(&self, text: &str) {
        self.voice.say(Level::Note, text, None);
    }

    /// Ends the progress and tells what was only counted; `listed` says where skipped records stand in full.
    pub fn finish(&self, listed: Option<&str>) {
        self.voice.end();
        let more = |count: &AtomicU64| count.load(Ordering::Relaxed).saturating_sub(self.voice.most());
        let where_listed = listed.map(|path| format!(", all listed in `{path}`")).unwrap_or_default();
        match more(&self.skipped) {
            0 => {}
            count => self.warn(&format!("{count} more skipped{where_listed}")),
        }
        match more(&self.notes) {
            0 => {}
            count => self.voice.say(Level::Note, &format!("{count} more like these"), None),
        }
    }
}

impl Observer for Talk {
    fn begin(&self, leg: Leg, bytes: Option<u64>) {
        let name = match leg {
            Leg::Read => "reading",
            Leg::Judge => "judging",
            Leg::Pair => "comparing",
            Leg::Write => "writing",
        };
        self.voice.begin(name, bytes);
    }

    fn advance(&self, bytes: u64, documents: u64) {
        self.voice.advance(bytes, documents);
    }

    fn skipped(&self, skipped: &Skipped) {
        if self.fail_fast {
            // The error that ends the run tells it.
            let _ = self.failed.set(skipped.clone());
            return;
        }
        if self.skipped.fetch_add(1, Ordering::Relaxed) < self.voice.most() {
            self.voice.say(Level::Warning, &format!("skipped {skipped}"), Some(skipped));
        }
    }

    fn note(&self, note: &str) {
        if self.notes.fetch_add(1, Ordering::Relaxed) < self.voice.most() {
            self.voice.say(Level::Note, note, None);
        }
    }

    fn stopped(&self) -> bool {
        self.voice.stopped() || self.failed.get().is_some()
    }
}

/// Standard error: a progress bar where it is a terminal, and messages above it.
#[derive(Debug)]
pub struct StandardError {
    quiet: bool,
    bars: bool,
    paint: Paint,
    bar: Mutex<Option<ProgressBar>>,
    beat: Mutex<Option<Beat>>,
    beats: bool,
    /// Whether messages are lines of JSON.
    log_json: bool,
}

impl StandardError {
    /// Makes it as the flags say: no bar when standard error is no terminal, nothing at all when quiet.
    pub fn new(global: &GlobalArgs) -> Box<StandardError> {
        let bars = !global.quiet && !global.no_progress && !global.log_json && std::io::stderr().is_terminal();
        Box::new(StandardError {
            quiet: global.quiet,
            bars,
            paint: Paint::new(global.color, &std::io::stderr()),
            bar: Mutex::new(None),
            beat: Mutex::new(None),
            beats: !global.quiet && !global.no_progress && !bars,
            log_json: global.log_json,
        })
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

impl Voice for StandardError {
    fn say(&self, level: Level, text: &str, skipped: Option<&Skipped>) {
        if self.log_json {
            return self.line(&log::line(level, text, skipped, None));
        }
        let label = match level {
            Level::Progress => return self.line(text),
            Level::Note => self.paint.bold("note:"),
            Level::Warning => self.paint.bold(&self.paint.yellow("warning:")),
            Level::Error => self.paint.bold(&self.paint.red("error:")),
        };
        let hint = skipped.and_then(|skipped| skipped.hint.as_ref());
        let hint = hint.map(|hint| format!("\n{} {hint}", self.paint.bold("hint:"))).unwrap_or_default();
        self.line(&format!("{label} {text}{hint}"));
    }

    /// A log takes all.
    fn most(&self) -> u64 {
        if self.log_json { u64::MAX } else { TOLD }
    }

    fn begin(&self, leg: &'static str, bytes: Option<u64>) {
        if self.beats {
            let now = Instant::now();
            let told = self.beat.lock().expect("no holder of the beat panics").take().map_or(now, |beat| beat.told);
            let beat = Beat { leg, done: 0, total: bytes, began: now, told };
            *self.beat.lock().expect("no holder of the beat panics") = Some(beat);
        }
        if !self.bars {
            return;
        }
        let bar = match bytes {
            Some(bytes) => ProgressBar::new(bytes)
                .with_style(style("{prefix:<9} {wide_bar} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left")),
            None => ProgressBar::no_length().with_style(style("{prefix:<9} {spinner} {bytes}, {bytes_per_sec}")),
        };
        bar.set_draw_target(ProgressDrawTarget::stderr());
        bar.set_prefix(leg);
        let before = self.bar.lock().expect("no holder of the bar panics").replace(bar);
        if let Some(before) = before {
            before.finish_and_clear();
        }
    }

    fn advance(&self, bytes: u64, _documents: u64) {
        if self.beats
            && let Some(beat) = &mut *self.beat.lock().expect("no holder of the beat panics")
        {
            beat.done += bytes;
            let now = Instant::now();
            if now.duration_since(beat.told) >= HEARTBEAT {
                beat.told = now;
                self.say(Level::Progress, &beat.line(now), None);
            }
        }
        if !self.bars {
            return;
        }
        if let Some(bar) = &*self.bar.lock().expect("no holder of the bar panics") {
            bar.inc(bytes);
        }
    }

    fn end(&self) {
        if let Some(bar) = self.bar.lock().expect("no holder of the bar panics").take() {
            bar.finish_and_clear();
        }
    }

    fn stopped(&self) -> bool {
        STOP.is_raised()
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the template is one of ours").progress_chars("=> ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_far_the_work_is() {
        let began = Instant::now();
        let beat = |done, total| Beat { leg: "reading", done, total, began, told: began };
        let now = began + Duration::from_secs(120);
        assert_eq!(
            beat(1 << 20, Some(4 << 20)).line(now),
            format!("reading: 25% of {}, about 6 min left", size(4 << 20))
        );
        assert_eq!(beat(1 << 20, None).line(now), format!("reading: {}", size(1 << 20)));
    }
}
