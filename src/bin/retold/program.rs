//! Runs a command line, from its words to its exit status.

use std::ffi::OsString;

use crate::args::When;
use crate::diagnostics::{self, Paint};
use crate::settings::{self, ParseError};
use crate::{commands, interrupt};

/// Not done.
const FAILED: u8 = 2;

/// Runs the command that the words name, the first of which is the program; returns the exit status.
pub fn run(arguments: &[OsString]) -> u8 {
    let parsed = match settings::parse(arguments) {
        Ok(parsed) => parsed,
        Err(ParseError::Usage(error)) => {
            let status = if error.use_stderr() { FAILED } else { 0 };
            // A closed pipe under `--help` is a clean end.
            let _ = error.print();
            return status;
        }
        Err(ParseError::File(error)) => {
            diagnostics::print_error(&error, Paint::new(When::Auto, &std::io::stderr()));
            return FAILED;
        }
    };
    let paint = Paint::new(parsed.cli.global.color, &std::io::stderr());
    interrupt::listen();
    match commands::dispatch(&parsed) {
        Ok(status) => status as u8,
        Err(error) if diagnostics::is_closed_pipe(&error) => 0,
        Err(error) => {
            if parsed.cli.global.log_json {
                diagnostics::log_error(&error);
            } else {
                diagnostics::print_error(&error, paint);
            }
            FAILED
        }
    }
}
