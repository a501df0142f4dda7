//! Settings by name, as words of the command line.

use std::ffi::OsString;

use clap::{Arg, ArgAction, Command, CommandFactory};
use pyo3::prelude::*;

use crate::args::Cli;
use crate::failure;
use crate::settings::{Parsed, parse_as};
use crate::values::nearest;

/// A setting: name, whether it is a switch, whether it takes several values, help, default values.
type Setting = (String, bool, bool, String, Vec<String>);

/// Returns every setting of a command, in the order of its help: those that the command line knows as `--name`.
#[pyfunction]
pub fn settings(command: &str) -> Vec<Setting> {
    flags(command).iter().map(setting).collect()
}

fn flags(command: &str) -> Vec<Arg> {
    let mut program = Cli::command();
    program.build();
    let found: Option<&Command> = program.find_subcommand(command);
    let flags = found.into_iter().flat_map(Command::get_arguments);
    flags.filter(|arg| arg.get_long().is_some_and(|name| !matches!(name, "help" | "version"))).cloned().collect()
}

fn setting(arg: &Arg) -> Setting {
    let name = arg.get_long().unwrap_or_default().to_owned();
    let switch = matches!(arg.get_action(), ArgAction::SetTrue);
    let several = matches!(arg.get_action(), ArgAction::Append) || arg.get_value_delimiter().is_some();
    let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let defaults = arg.get_default_values().iter().map(|value| value.to_string_lossy().into_owned()).collect();
    (name, switch, several, help, if switch { Vec::new() } else { defaults })
}

/// Parses the words of a command line: neither the environment nor a settings file that is not named has a say.
pub fn parse(py: Python<'_>, words: Vec<OsString>) -> PyResult<Parsed> {
    parse_as(Cli::command(), &words, &|| None).map_err(|error| failure::of_settings(py, &error))
}

/// Returns the error of a setting that a command does not have.
#[pyfunction]
pub fn unknown_setting(py: Python<'_>, command: &str, name: &str) -> PyErr {
    let known: Vec<String> =
        flags(command).iter().filter_map(Arg::get_long).map(|name| name.replace('-', "_")).collect();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let hint = match nearest(name, &known) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("`retold {command} --help` lists every setting"),
    };
    failure::unusable(py, name, &format!("`{command}` has no setting `{name}`"), Some(hint))
}
