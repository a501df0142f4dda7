//! Messages as lines of JSON, for whoever gathers logs: `--log-json`.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use retold::document::Skipped;
use retold::hash::{hash64, mix64};
use serde::Serialize;

/// How much a message matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// How far the run is.
    Progress,
    /// Worth knowing, and costs nothing.
    Note,
    /// Something was skipped, or may go wrong.
    Warning,
    /// The run is not done.
    Error,
}

/// A line of the log.
#[derive(Debug, Serialize)]
struct Line<'a> {
    time: String,
    level: Level,
    run: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    byte: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'a str>,
}

/// Returns the id of this run: in every line of the log, and in `summary.json`.
pub fn run_id() -> &'static str {
    static ID: LazyLock<String> = LazyLock::new(|| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64);
        format!("{:016x}", mix64(now ^ u64::from(std::process::id()) << 32))
    });
    &ID
}

/// Returns the id of the next run of this process: that of the program for the first, which is its only one; a program
/// that this one is a part of has several.
pub fn next_run_id() -> String {
    static RUNS: AtomicU64 = AtomicU64::new(0);
    match RUNS.fetch_add(1, Ordering::Relaxed) {
        0 => run_id().to_owned(),
        run => format!("{:016x}", mix64(hash64(run_id().as_bytes()) ^ run)),
    }
}

/// Returns a message as a line of the log, without its line end; `skipped` is what it is about.
pub fn line(level: Level, message: &str, skipped: Option<&Skipped>, hint: Option<&str>) -> String {
    let line = Line {
        time: jiff::Timestamp::now().to_string(),
        level,
        run: run_id(),
        message,
        file: skipped.map(|skipped| skipped.source.as_str()),
        line: skipped.and_then(|skipped| skipped.row).map(|row| row + 1),
        byte: skipped.and_then(|skipped| skipped.byte),
        field: skipped.and_then(|skipped| skipped.field.as_deref()),
        hint: hint.or(skipped.and_then(|skipped| skipped.hint.as_deref())),
    };
    serde_json::to_string(&line).expect("texts and numbers are JSON")
}
