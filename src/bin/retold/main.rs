//! The program `retold`: flags in, exit status out. Everything it knows about documents is in the library.

mod args;
mod commands;
mod diagnostics;
mod explanation;
mod finished;
mod guard;
mod interrupt;
mod log;
mod program;
mod progress;
mod render;
mod run;
mod settings;
mod summary;
mod teaching;
mod timings;
mod values;

use std::process::ExitCode;

/// Workers allocate the texts they parse; the system's allocator would have them wait for each other.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().collect();
    ExitCode::from(program::run(&arguments))
}
