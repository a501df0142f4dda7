//! The Python module `retold`: Arrow in, Arrow out, and the program itself as the command `retold`.
//!
//! ```text
//! Python data ──__arrow_c_stream__──▶ ArrowTable ──HeldTable──▶ retold::input::Source ──▶ the program's own commands
//! Python data ◀─__arrow_c_stream__── ArrowTable ◀── tables of JSON lines ◀──────────────────────────┘
//! ```
//!
//! The program is compiled into the module as it stands: settings are words of its command line, so that names, ranges,
//! defaults and messages cannot differ from it. This crate converts and calls; it judges nothing, and the library knows
//! nothing of Python.

#[path = "../../src/bin/retold/args.rs"]
mod args;
#[path = "../../src/bin/retold/commands/mod.rs"]
mod commands;
#[path = "../../src/bin/retold/diagnostics.rs"]
mod diagnostics;
#[path = "../../src/bin/retold/explanation.rs"]
mod explanation;
#[path = "../../src/bin/retold/finished.rs"]
mod finished;
#[path = "../../src/bin/retold/guard.rs"]
mod guard;
#[path = "../../src/bin/retold/interrupt.rs"]
mod interrupt;
#[path = "../../src/bin/retold/log.rs"]
mod log;
#[path = "../../src/bin/retold/program.rs"]
mod program;
#[path = "../../src/bin/retold/progress.rs"]
mod progress;
#[path = "../../src/bin/retold/render.rs"]
mod render;
#[path = "../../src/bin/retold/run.rs"]
mod run;
#[path = "../../src/bin/retold/settings.rs"]
mod settings;
#[path = "../../src/bin/retold/summary.rs"]
mod summary;
#[path = "../../src/bin/retold/teaching.rs"]
mod teaching;
#[path = "../../src/bin/retold/timings.rs"]
mod timings;
#[path = "../../src/bin/retold/values.rs"]
mod values;

mod arrow;

mod rows;

mod edited;

mod failure;

mod job;

mod words;

mod calls;

use pyo3::prelude::*;

/// Workers allocate the texts they parse; the system's allocator would have them wait for each other.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What the package `retold` is made of: see its own modules.
#[pymodule]
mod _retold {
    #[pymodule_export]
    use crate::arrow::ArrowTable;
    #[pymodule_export]
    use crate::calls::{command, explain, read_table, report, rewrite, save, scan};
    #[pymodule_export]
    use crate::edited::Edited;
    #[pymodule_export]
    use crate::failure::{Error, InputError, SettingError};
    #[pymodule_export]
    use crate::words::{settings, unknown_setting};
    use pyo3::prelude::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        // What is not known of an error is none.
        for (exception, names) in
            [("Error", &["hint"][..]), ("InputError", &["path", "row", "field"]), ("SettingError", &["setting"])]
        {
            let exception = module.getattr(exception)?;
            for name in names {
                exception.setattr(name, module.py().None())?;
            }
        }
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
