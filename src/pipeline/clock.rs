//! What every stage of a run took: on the clock, of the processors, in memory and on disk.

use std::time::Instant;

use crate::output::StageFacts;
use crate::store::Workspace;

/// Takes the time of one stage after the other.
#[derive(Debug)]
pub struct Clock<'w> {
    workspace: &'w Workspace,
    last: Moment,
    stages: Vec<StageFacts>,
}

/// Totals of the process at some moment.
#[derive(Clone, Copy, Debug)]
struct Moment {
    at: Instant,
    cpu_seconds: Option<f64>,
    scratch_bytes: u64,
}

impl Moment {
    fn now(workspace: &Workspace) -> Moment {
        Moment { at: Instant::now(), cpu_seconds: cpu_seconds(), scratch_bytes: workspace.spilled_bytes() }
    }
}

impl<'w> Clock<'w> {
    /// Starts the clock of the first stage.
    pub fn start(workspace: &'w Workspace) -> Clock<'w> {
        Clock { workspace, last: Moment::now(workspace), stages: Vec::new() }
    }

    /// Ends a stage that handled so many records; the next one begins.
    pub fn lap(&mut self, stage: &str, records: u64) {
        let now = Moment::now(self.workspace);
        self.stages.push(StageFacts {
            stage: stage.to_owned(),
            seconds: (now.at - self.last.at).as_secs_f64(),
            cpu_seconds: now.cpu_seconds.zip(self.last.cpu_seconds).map(|(now, before)| now - before),
            records,
            peak_resident: peak_resident(),
            scratch_bytes: now.scratch_bytes - self.last.scratch_bytes,
        });
        self.last = now;
    }

    /// Returns the stages in order.
    pub fn into_stages(self) -> Vec<StageFacts> {
        self.stages
    }
}

/// Returns the most memory that this process held so far, in bytes, where the system tells it.
pub fn peak_resident() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok().map(|kibibytes| kibibytes << 10)
}

/// Ticks a second in which Linux tells processor time to programs, on every architecture that it has.
const TICKS: f64 = 100.0;

/// Returns the processor time of all threads so far, in seconds, where the system tells it.
pub fn cpu_seconds() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The program's name stands in parentheses and may hold blanks; 12th and 13th after it are user and system time.
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at)?.parse::<f64>().ok();
    Some((ticks(11)? + ticks(12)?) / TICKS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_are_told_in_order_with_what_they_took() {
        let workspace = Workspace::new(std::env::temp_dir(), u64::MAX, 1);
        let mut clock = Clock::start(&workspace);
        clock.lap("one", 3);
        std::thread::sleep(std::time::Duration::from_millis(2));
        clock.lap("two", 5);
        let stages = clock.into_stages();
        let seen: Vec<_> = stages.iter().map(|stage| (stage.stage.as_str(), stage.records)).collect();
        assert_eq!(seen, [("one", 3), ("two", 5)]);
        assert!(stages[1].seconds >= 0.002 && stages[0].seconds < stages[1].seconds);
    }
}
