//! What is said on standard error: `error:`, `caused by:`, `hint:` and `warning:` lines.

use std::fmt;
use std::io::{IsTerminal, Write};

use retold::document::Skipped;

use crate::args::When;
use crate::log::{self, Level};

/// An error that says what to do about it.
#[derive(Debug)]
pub struct Hinted {
    error: anyhow::Error,
    hint: String,
}

impl fmt::Display for Hinted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for Hinted {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.error.chain().nth(1)
    }
}

/// Adds what to do about it to an error.
pub fn hinted(error: anyhow::Error, hint: impl Into<String>) -> anyhow::Error {
    anyhow::Error::new(Hinted { error, hint: hint.into() })
}

/// Colors of a stream, or none.
#[derive(Clone, Copy, Debug)]
pub struct Paint {
    on: bool,
}

impl Paint {
    /// Decides for a stream: `NO_COLOR` and `CLICOLOR_FORCE` are obeyed unless a flag says otherwise.
    pub fn new(when: When, stream: &impl IsTerminal) -> Paint {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty() && value != "0");
        let on = match when {
            When::Always => true,
            When::Never => false,
            When::Auto if std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()) => false,
            When::Auto => set("CLICOLOR_FORCE") || stream.is_terminal(),
        };
        Paint { on }
    }

    /// Returns no colors at all.
    #[cfg(test)]
    pub fn none() -> Paint {
        Paint { on: false }
    }

    fn wrap(self, code: &str, text: &str) -> String {
        if self.on && !text.is_empty() { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// Returns a heading.
    pub fn bold(self, text: &str) -> String {
        self.wrap("1", text)
    }

    /// Returns what matters less.
    pub fn dim(self, text: &str) -> String {
        self.wrap("2", text)
    }

    /// Returns what goes.
    pub fn red(self, text: &str) -> String {
        self.wrap("31", text)
    }

    /// Returns what stays, or a good end.
    pub fn green(self, text: &str) -> String {
        self.wrap("32", text)
    }

    /// Returns a warning.
    pub fn yellow(self, text: &str) -> String {
        self.wrap("33", text)
    }
}

/// Returns what an error and its causes say, and what to do.
pub fn links(error: &anyhow::Error) -> (Vec<String>, Vec<String>) {
    let mut hints: Vec<String> = Vec::new();
    let mut lines: Vec<String> = Vec::new();
    for link in error.chain() {
        // An error that wraps another one transparently says the same and advises the same: once is enough.
        let text = link.to_string();
        if lines.last() != Some(&text) {
            lines.push(text);
        }
        hints.extend(hint_of(link).filter(|hint| !hints.contains(hint)));
    }
    (lines, hints)
}

/// Returns the lines that tell an error, its causes and what to do.
pub fn describe(error: &anyhow::Error, paint: Paint) -> String {
    let (lines, hints) = links(error);
    let mut out = String::new();
    for (position, line) in lines.iter().enumerate() {
        let label = if position == 0 { paint.bold(&paint.red("error:")) } else { paint.bold("caused by:") };
        out.push_str(&format!("{label} {line}\n"));
    }
    for hint in hints {
        out.push_str(&format!("{} {hint}\n", paint.bold("hint:")));
    }
    out
}

/// Returns what a link of the chain says to do.
fn hint_of(link: &(dyn std::error::Error + 'static)) -> Option<String> {
    if let Some(error) = link.downcast_ref::<Hinted>() {
        return Some(error.hint.clone());
    }
    if let Some(FailedFast(skipped)) = link.downcast_ref::<FailedFast>() {
        return skipped.hint.clone();
    }
    if let Some(error) = link.downcast_ref::<retold::Error>() {
        return error.hint();
    }
    if let Some(error) = link.downcast_ref::<retold::decisions::DecisionError>() {
        return Some(error.hint());
    }
    if let Some(error) = link.downcast_ref::<retold::input::ReadError>() {
        return error.hint();
    }
    if let Some(error) = link.downcast_ref::<retold::files::FileError>() {
        return Some(error.hint());
    }
    if let Some(error) = link.downcast_ref::<retold::output::WriteError>() {
        return error.hint();
    }
    if let Some(error) = link.downcast_ref::<retold::evidence::EvidenceError>() {
        return Some(error.hint());
    }
    if let Some(error) = link.downcast_ref::<retold::boilerplate::ModelError>() {
        return Some(error.hint().to_owned());
    }
    if let Some(error) = link.downcast_ref::<retold::boilerplate::RuleError>() {
        return Some(error.hint.clone());
    }
    if let Some(error) = link.downcast_ref::<retold::document::SourceError>() {
        return error.hint.clone();
    }
    None
}

/// Prints an error on standard error. A standard error that is closed is no reason to fail anew.
pub fn print_error(error: &anyhow::Error, paint: Paint) {
    let _ = std::io::stderr().write_all(describe(error, paint).as_bytes());
}

/// Tells an error on standard error as a line of the log.
pub fn log_error(error: &anyhow::Error) {
    let (lines, hints) = links(error);
    let hint = (!hints.is_empty()).then(|| hints.join("; "));
    let about = error.chain().find_map(|link| link.downcast_ref::<FailedFast>()).map(|failed| &failed.0);
    let line = log::line(Level::Error, &lines.join(": "), about, hint.as_deref());
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// What `--fail-fast` ended a run for.
#[derive(Debug)]
pub struct FailedFast(pub Skipped);

impl fmt::Display for FailedFast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, and `--fail-fast` ends the run there", self.0)
    }
}

impl std::error::Error for FailedFast {}

/// Returns whether an error is nothing but a reader of standard output that has gone: `retold … | head`.
pub fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|link| {
        link.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
    })
}

#[cfg(test)]
mod tests {
    use anyhow::{Context, anyhow};

    use super::*;

    #[test]
    fn an_error_is_told_with_its_causes_and_what_to_do() {
        let error = Err::<(), _>(std::io::Error::other("the disk is on fire"))
            .context("`out`: could not be written")
            .map_err(|error| hinted(error, "call someone"))
            .unwrap_err();
        let text = describe(&error, Paint::none());
        assert_eq!(text, "error: `out`: could not be written\ncaused by: the disk is on fire\nhint: call someone\n");
    }

    #[test]
    fn a_transparent_error_is_said_once() {
        let error = anyhow::Error::from(retold::Error::from(retold::config::ConfigError::OutOfRange {
            setting: "threshold",
            found: "2".into(),
            range: "0.3 to 1.0",
        }));
        assert_eq!(describe(&error, Paint::none()), "error: `--threshold`: expected 0.3 to 1.0, found `2`\n");
    }

    #[test]
    fn a_closed_pipe_is_known_anywhere_in_the_chain() {
        let closed = std::io::Error::from(std::io::ErrorKind::BrokenPipe);
        assert!(is_closed_pipe(&anyhow::Error::from(closed).context("could not write to standard output")));
        assert!(!is_closed_pipe(&anyhow!("something else")));
    }
}
