//! Errors as exceptions that say the same in the same words.

use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::{create_exception, types::PyString};
use retold::boilerplate::{ModelError, RuleError};
use retold::config::ConfigError;
use retold::decisions::DecisionError;
use retold::document::{Skipped, SourceError};
use retold::evidence::EvidenceError;
use retold::input::ReadError;

use crate::diagnostics::{FailedFast, links};
use crate::settings::ParseError;

create_exception!(
    retold,
    Error,
    PyException,
    "A run could not be done: `hint` says what to do about it, as the message does."
);
create_exception!(
    retold,
    InputError,
    Error,
    "An input, or with `fail_fast` a record, cannot be read: `path`, `row` (0 for the first) and `field` say where."
);
create_exception!(retold, SettingError, Error, "A setting cannot be used: `setting` names it, where it is one.");

/// What kind of error it is.
enum Kind {
    Input(Option<Box<Skipped>>),
    Setting(Option<String>),
    Other,
}

fn kind(error: &anyhow::Error) -> Kind {
    for link in error.chain() {
        let of_library = link.downcast_ref::<retold::Error>();
        if let Some(FailedFast(skipped)) = link.downcast_ref::<FailedFast>() {
            return Kind::Input(Some(Box::new(skipped.clone())));
        }
        if let Some(ReadError::NothingReadable { first }) = link.downcast_ref::<ReadError>() {
            return Kind::Input(Some(first.clone()));
        }
        if link.is::<ReadError>() || link.is::<SourceError>() || matches!(of_library, Some(retold::Error::Source(_))) {
            return Kind::Input(None);
        }
        if let Some(retold::Error::Config(ConfigError::OutOfRange { setting, .. })) = of_library {
            return Kind::Setting(Some((*setting).to_owned()));
        }
        if matches!(of_library, Some(retold::Error::Config(_) | retold::Error::Evidence(_)))
            || link.is::<DecisionError>()
            || link.is::<RuleError>()
            || link.is::<ModelError>()
            || link.is::<EvidenceError>()
        {
            return Kind::Setting(None);
        }
    }
    Kind::Other
}

/// Returns an error with its causes and its hints as an exception.
pub fn exception(py: Python<'_>, error: &anyhow::Error) -> PyErr {
    let (lines, hints) = links(error);
    let hint = (!hints.is_empty()).then(|| hints.join("; "));
    let message = told(&lines.join("\ncaused by: "), hint.as_deref());
    let kind = kind(error);
    let raised = match &kind {
        Kind::Input(_) => InputError::new_err(message),
        Kind::Setting(_) => SettingError::new_err(message),
        Kind::Other => Error::new_err(message),
    };
    match kind {
        Kind::Input(about) => {
            set(py, &raised, "path", about.as_ref().map(|about| about.source.clone()));
            set(py, &raised, "row", about.as_ref().and_then(|about| about.row));
            set(py, &raised, "field", about.and_then(|about| about.field));
        }
        Kind::Setting(setting) => set(py, &raised, "setting", setting.map(|name| name.replace('-', "_"))),
        Kind::Other => {}
    }
    set(py, &raised, "hint", hint);
    raised
}

/// Returns why settings cannot be used as an exception.
pub fn of_settings(py: Python<'_>, error: &ParseError) -> PyErr {
    let error = match error {
        ParseError::Usage(error) => error,
        ParseError::File(error) => return exception(py, error),
    };
    let text = error.to_string();
    let message = text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
    let setting = error.get(clap::error::ContextKind::InvalidArg).map(|arg| {
        let words = arg.to_string();
        let name = words.split_whitespace().find_map(|word| word.strip_prefix("--")).unwrap_or_default();
        name.split('=').next().unwrap_or_default().replace('-', "_")
    });
    let hint = text.lines().find_map(|line| line.trim().strip_prefix("tip: ")).map(str::to_owned);
    let raised = SettingError::new_err(told(&message, hint.as_deref()));
    set(py, &raised, "setting", setting.filter(|name| !name.is_empty()));
    set(py, &raised, "hint", hint);
    raised
}

/// Returns an error of settings that this module itself has found.
pub fn unusable(py: Python<'_>, setting: &str, message: &str, hint: Option<String>) -> PyErr {
    let raised = SettingError::new_err(told(message, hint.as_deref()));
    set(py, &raised, "setting", Some(PyString::new(py, setting)));
    set(py, &raised, "hint", hint);
    raised
}

fn told(message: &str, hint: Option<&str>) -> String {
    hint.map_or_else(|| message.to_owned(), |hint| format!("{message}\nhint: {hint}"))
}

fn set<'py>(py: Python<'py>, raised: &PyErr, name: &str, value: impl IntoPyObject<'py>) {
    // An exception of ours takes attributes.
    let _ = raised.value(py).setattr(name, value);
}
