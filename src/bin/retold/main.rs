//! The program `retold`: flags in, exit status out. Everything it knows about documents is in the library.

mod args;
mod commands;
mod diagnostics;
mod explanation;
mod finished;
mod guard;
mod interrupt;
mod log;
mod progress;
mod render;
mod run;
mod settings;
mod summary;
mod teaching;
mod timings;
mod values;

use std::process::ExitCode;

use crate::args::When;
use crate::diagnostics::Paint;
use crate::settings::ParseError;

/// Workers allocate the texts they parse; the system's allocator would have them wait for each other.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Not done.
const FAILED: u8 = 2;

fn main() -> ExitCode {
    let arguments = std::env::args_os().collect();
    let parsed = match settings::parse(arguments) {
        Ok(parsed) => parsed,
        Err(ParseError::Usage(error)) => {
            let status = if error.use_stderr() { FAILED } else { 0 };
            // A closed pipe under `--help` is a clean end.
            let _ = error.print();
            return ExitCode::from(status);
        }
        Err(ParseError::File(error)) => {
            diagnostics::print_error(&error, Paint::new(When::Auto, &std::io::stderr()));
            return ExitCode::from(FAILED);
        }
    };
    let paint = Paint::new(parsed.cli.global.color, &std::io::stderr());
    interrupt::listen();
    match commands::dispatch(&parsed) {
        Ok(status) => ExitCode::from(status as u8),
        Err(error) if diagnostics::is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            if parsed.cli.global.log_json {
                diagnostics::log_error(&error);
            } else {
                diagnostics::print_error(&error, paint);
            }
            ExitCode::from(FAILED)
        }
    }
}
