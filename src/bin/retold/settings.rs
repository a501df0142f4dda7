//! Layers of settings: a flag wins over the environment, that over the settings file, that over the default.
//!
//! The file's values become defaults of the command line before it is parsed, and every flag has its `RETOLD_*`
//! variable, so that the parser itself does the layering and checks a value the same way wherever it comes from.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, CommandFactory, FromArgMatches};

use crate::args::Cli;
use crate::diagnostics::hinted;
use crate::values::nearest;

/// Name of the settings file that is looked for.
const FILE_NAME: &str = "retold.toml";

/// Flags that say which file to read, or mean one run only: no keys of that file.
const NOT_IN_FILE: [&str; 15] = [
    "files-from",
    "config",
    "no-config",
    "output",
    "save-evidence",
    "suggest-rules",
    "report",
    "since",
    "from",
    "restore",
    "force",
    "resume",
    "print",
    "help",
    "version",
];

/// A parsed command line, and where each of its values comes from.
#[derive(Debug)]
pub struct Parsed {
    /// The flags.
    pub cli: Cli,
    matches: ArgMatches,
    file: Option<SettingsFile>,
}

/// Why a command line cannot be run.
#[derive(Debug)]
pub enum ParseError {
    /// The parser's own word: help, version or a usage error.
    Usage(clap::Error),
    /// The settings file.
    File(anyhow::Error),
}

/// Parses a command line with its environment and settings file.
pub fn parse(arguments: &[OsString]) -> Result<Parsed, ParseError> {
    let nearest = || std::env::current_dir().ok().and_then(|directory| nearest_file(&directory));
    parse_as(with_environment(Cli::command()), arguments, &nearest)
}

/// Parses a command line as `command` says; `nearest` finds the settings file where none is named.
pub fn parse_as(
    command: Command,
    arguments: &[OsString],
    nearest: &dyn Fn() -> Option<PathBuf>,
) -> Result<Parsed, ParseError> {
    // The file can change defaults but not what is required, so a command line is sound with it or without.
    let alone = command.clone().try_get_matches_from(arguments).map_err(ParseError::Usage)?;
    let global = Cli::from_arg_matches(&alone).map_err(ParseError::Usage)?.global;
    let path = match (global.no_config, global.config) {
        (true, _) => None,
        (false, Some(path)) => Some(path),
        (false, None) => nearest(),
    };
    let Some(path) = path else {
        let cli = Cli::from_arg_matches(&alone).map_err(ParseError::Usage)?;
        return Ok(Parsed { cli, matches: alone, file: None });
    };
    let file = SettingsFile::read(&path, &command).map_err(ParseError::File)?;
    let matches = file.apply(command).try_get_matches_from(arguments).map_err(ParseError::Usage)?;
    let cli = Cli::from_arg_matches(&matches).map_err(ParseError::Usage)?;
    Ok(Parsed { cli, matches, file: Some(file) })
}

/// Returns the command with the variable of every flag.
pub fn with_environment(command: Command) -> Command {
    each_flag(command, |arg, name| {
        // Which file to read can be said there, but not in the file itself.
        if NOT_IN_FILE.contains(&name) && !matches!(name, "config" | "no-config") {
            return arg;
        }
        // Names live as long as the program does: a few dozen short strings.
        let variable: &'static str = variable(name).leak();
        arg.env(variable).hide_env(true)
    })
}

fn variable(name: &str) -> String {
    format!("RETOLD_{}", name.to_ascii_uppercase().replace('-', "_"))
}

/// Applies a change to every flag of the command and of its subcommands.
fn each_flag(command: Command, mut change: impl FnMut(Arg, &str) -> Arg) -> Command {
    let mut apply = |arg: Arg| match arg.get_long().map(str::to_owned) {
        Some(name) => change(arg, &name),
        None => arg,
    };
    let mut command = command.mut_args(&mut apply);
    let names: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    for name in names {
        command = command.mut_subcommand(name, |sub| sub.mut_args(&mut apply));
    }
    command
}

fn nearest_file(from: &Path) -> Option<PathBuf> {
    from.ancestors().map(|directory| directory.join(FILE_NAME)).find(|path| path.is_file())
}

/// A settings file that was read and checked.
#[derive(Debug)]
struct SettingsFile {
    path: PathBuf,
    values: BTreeMap<String, Vec<String>>,
}

impl SettingsFile {
    fn read(path: &Path, command: &Command) -> Result<SettingsFile> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("`{}`: could not read settings", path.display()))
            .map_err(|error| hinted(error, "name another file with `--config`, or pass `--no-config`"))?;
        let table: toml::Table =
            text.parse().with_context(|| format!("`{}`: expected settings in TOML", path.display()))?;
        let flags = flags(command);
        let mut values = BTreeMap::new();
        for (key, value) in table {
            let Some(arg) = flags.get(&key) else {
                let known: Vec<&str> = flags.keys().map(String::as_str).collect();
                let error = anyhow!("`{}`: there is no setting `{key}`", path.display());
                return Err(match nearest(&key, &known) {
                    Some(near) => hinted(error, format!("did you mean `{near}`?")),
                    None => hinted(error, "`retold config` lists every setting"),
                });
            };
            let texts = texts(&value)
                .ok_or_else(|| anyhow!("`{}`, key `{key}`: expected a value or a list of them", path.display()))?;
            check(arg, &texts).with_context(|| format!("`{}`, key `{key}`", path.display()))?;
            values.insert(key, texts);
        }
        Ok(SettingsFile { path: path.to_owned(), values })
    }

    /// Makes the file's values the defaults.
    fn apply(&self, command: Command) -> Command {
        each_flag(command, |arg, name| match self.values.get(name) {
            Some(texts) => {
                let texts: Vec<&'static str> = texts.iter().map(|text| &*text.clone().leak()).collect();
                arg.default_values(texts)
            }
            None => arg,
        })
    }
}

/// Returns the flags that a file may set, by name.
fn flags(command: &Command) -> BTreeMap<String, Arg> {
    let all = command.get_subcommands().chain([command]).flat_map(Command::get_arguments);
    all.filter_map(|arg| arg.get_long().map(|name| (name.to_owned(), arg.clone())))
        .filter(|(name, _)| !NOT_IN_FILE.contains(&name.as_str()))
        .collect()
}

fn texts(value: &toml::Value) -> Option<Vec<String>> {
    Some(match value {
        toml::Value::String(text) => vec![text.clone()],
        toml::Value::Integer(number) => vec![number.to_string()],
        toml::Value::Float(number) => vec![number.to_string()],
        toml::Value::Boolean(flag) => vec![flag.to_string()],
        toml::Value::Array(items) => items.iter().map(texts).collect::<Option<Vec<_>>>()?.concat(),
        toml::Value::Datetime(_) | toml::Value::Table(_) => return None,
    })
}

/// Parses the values of one flag on their own, so that a wrong one is told with its file and key.
fn check(arg: &Arg, texts: &[String]) -> Result<()> {
    let (name, parser) = (arg.get_long().expect("only flags are checked"), arg.get_value_parser().clone());
    let single = !matches!(arg.get_action(), ArgAction::Append) && arg.get_value_delimiter().is_none();
    if single && texts.len() != 1 {
        return Err(anyhow!("expected one value, found {}", texts.len()));
    }
    // An argument of its own: no conflicts with others, and a switch takes a value here.
    let arg = Arg::new("value").long(&*name.to_owned().leak()).action(ArgAction::Append);
    let arg = arg.num_args(1).value_parser(parser);
    let words = texts.iter().map(|text| format!("--{name}={text}"));
    Command::new("retold").no_binary_name(true).arg(arg).try_get_matches_from(words).map_err(|error| {
        let text = error.to_string();
        let first = text.lines().next().unwrap_or_default();
        anyhow!("{}", first.trim_start_matches("error: "))
    })?;
    Ok(())
}

/// A setting with its value and where that comes from.
#[derive(Debug)]
pub struct Setting {
    /// Name of the flag.
    pub name: String,
    /// Values as text; none: not set.
    pub values: Vec<String>,
    /// What holds when it is not set, in words.
    pub unset: Option<String>,
    /// Whether it may have several values.
    pub several: bool,
    /// Whether its value is a number or a switch, which TOML writes without quotes.
    pub bare: bool,
    /// Whether it is a switch: on or off.
    pub switch: bool,
    /// `flag`, `environment RETOLD_…`, the file's path, or `default`.
    pub origin: String,
    /// Its help.
    pub help: String,
}

impl Parsed {
    /// Returns every setting of the subcommand given, in the order of its help.
    pub fn settings(&self) -> Vec<Setting> {
        let mut command = with_environment(Cli::command());
        if let Some(file) = &self.file {
            command = file.apply(command);
        }
        command.build();
        let (name, matches) = self.matches.subcommand().expect("a subcommand is required");
        let command = command.find_subcommand(name).expect("it was parsed");
        let mut settings = Vec::new();
        for arg in command.get_arguments() {
            let Some(name) = arg.get_long() else { continue };
            if NOT_IN_FILE.contains(&name) {
                continue;
            }
            let id = arg.get_id().as_str();
            let values = matches.try_get_raw(id).ok().flatten();
            let mut values: Vec<String> = values
                .map(|values| values.map(|value| value.to_string_lossy().into_owned()).collect())
                .unwrap_or_default();
            let switch = matches!(arg.get_action(), ArgAction::SetTrue);
            if switch {
                values = vec![matches.get_flag(id).to_string()];
            }
            let several = matches!(arg.get_action(), ArgAction::Append) || arg.get_value_delimiter().is_some();
            let in_file = self.file.as_ref().filter(|file| file.values.contains_key(name));
            let origin = match (matches.value_source(id), in_file) {
                (Some(ValueSource::CommandLine), _) => "flag".to_owned(),
                (Some(ValueSource::EnvVariable), _) => format!("environment {}", variable(name)),
                (_, Some(file)) => format!("`{}`", file.path.display()),
                _ => "default".to_owned(),
            };
            let bare = switch || values.first().is_some_and(|value| value.parse::<f64>().is_ok_and(f64::is_finite));
            let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
            // What is worked out when the run begins has no default value, but words in its help.
            let unset = help.split_once("[default: ").and_then(|(_, rest)| rest.strip_suffix(']')).map(str::to_owned);
            settings.push(Setting { name: name.to_owned(), values, unset, several, bare, switch, origin, help });
        }
        settings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        let path = directory.path().join(FILE_NAME);
        std::fs::write(&path, text).expect("it can be written to");
        (directory, path)
    }

    fn read(text: &str) -> Result<SettingsFile> {
        let (_directory, path) = file(text);
        SettingsFile::read(&path, &with_environment(Cli::command()))
    }

    #[test]
    fn the_command_line_is_sound() {
        with_environment(Cli::command()).debug_assert();
    }

    #[test]
    fn config_shows_every_setting_of_every_command() {
        let command = with_environment(Cli::command());
        let names = |command: &Command| -> std::collections::BTreeSet<String> {
            let flags = command.get_arguments().filter_map(Arg::get_long).map(str::to_owned);
            flags.filter(|name| !NOT_IN_FILE.contains(&&**name)).collect()
        };
        let shown = names(command.find_subcommand("config").unwrap());
        for subcommand in command.get_subcommands() {
            let missing: Vec<String> = names(subcommand).difference(&shown).cloned().collect();
            assert!(missing.is_empty(), "{}: {missing:?}", subcommand.get_name());
        }
    }

    #[test]
    fn an_unknown_key_is_refused_with_the_nearest_name() {
        let error = read("treshold = 0.7").unwrap_err();
        let text = crate::diagnostics::describe(&error, crate::diagnostics::Paint::none());
        assert!(text.contains("retold.toml`: there is no setting `treshold`"), "{text}");
        assert!(text.contains("hint: did you mean `threshold`?"), "{text}");
    }

    #[test]
    fn a_wrong_value_names_file_and_key() {
        let text = format!("{:#}", read("max-removed = 7").unwrap_err());
        assert!(text.contains("retold.toml`, key `max-removed`"), "{text}");
        assert!(text.contains("expected a share from 0 to 1"), "{text}");
        assert!(read("threshold = [0.5, 0.6]").is_err());
        assert!(read("[threshold]\na = 1").is_err());
        assert!(read("threshold = ").is_err());
    }

    #[test]
    fn the_file_is_weaker_than_a_flag() {
        let (_directory, path) = file("threshold = 0.7\nspare = [\"byline\", \"tags\"]\nno-model = true\nthreads = 3");
        let words = |more: &[&str]| {
            let all = ["retold", "scan", "crawl", "--config", path.to_str().unwrap()].into_iter();
            all.chain(more.iter().copied()).map(OsString::from).collect::<Vec<_>>()
        };
        let scan = |parsed: &Parsed| match &parsed.cli.command {
            crate::args::Command::Scan(scan) => {
                (scan.judging.threshold, scan.judging.spare.len(), scan.judging.no_model)
            }
            _ => panic!("a scan was asked for"),
        };
        let parsed = parse(&words(&[])).unwrap();
        assert_eq!(scan(&parsed), (0.7, 2, true));
        assert_eq!(parsed.cli.global.threads, 3);
        let parsed = parse(&words(&["--threshold", "0.9", "--spare", "share", "-j2"])).unwrap();
        assert_eq!(scan(&parsed), (0.9, 1, true));
        assert_eq!(parsed.cli.global.threads, 2);
    }

    #[test]
    fn every_setting_says_where_it_comes_from() {
        let (_directory, path) = file("threshold = 0.7");
        let words = ["retold", "config", "--print", "--keep", "first", "--config", path.to_str().unwrap()];
        let settings = parse(&words.map(OsString::from)).unwrap().settings();
        let of = |name: &str| settings.iter().find(|setting| setting.name == name).unwrap();
        assert_eq!((of("keep").values.join(","), of("keep").origin.as_str()), ("first".into(), "flag"));
        assert_eq!(of("threshold").values, ["0.7"]);
        assert!(of("threshold").origin.ends_with("retold.toml`"));
        assert_eq!(of("shingle").origin, "default");
        assert!(of("memory").values.is_empty());
    }
}
