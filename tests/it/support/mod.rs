//! A place to run the program in, and what came of a run.

pub mod articles;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

/// A directory of its own for a test.
#[derive(Debug)]
pub struct Place {
    directory: TempDir,
}

/// What came of a run.
#[derive(Debug)]
pub struct Outcome {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Place {
    /// Returns an empty one.
    pub fn new() -> Place {
        Place { directory: tempfile::tempdir().expect("a temporary directory can be made") }
    }

    /// Returns the path of something in it.
    pub fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.directory.path().join(relative)
    }

    /// Writes a file, and the directories above it.
    pub fn file(&self, relative: &str, bytes: impl AsRef<[u8]>) -> &Place {
        let path = self.path(relative);
        std::fs::create_dir_all(path.parent().expect("it lies in the directory")).expect("directories can be made");
        std::fs::write(path, bytes).expect("a file can be written");
        self
    }

    /// Returns a file's bytes.
    pub fn read(&self, relative: &str) -> Vec<u8> {
        std::fs::read(self.path(relative)).unwrap_or_else(|error| panic!("{relative}: {error}"))
    }

    /// Returns a file's text.
    pub fn text(&self, relative: &str) -> String {
        String::from_utf8(self.read(relative)).expect("it is UTF-8")
    }

    /// Returns the rows of a table.
    pub fn rows(&self, relative: &str) -> Vec<serde_json::Value> {
        let text = self.text(relative);
        text.lines().map(|line| serde_json::from_str(line).expect("a row is JSON")).collect()
    }

    /// Returns the JSON in a file.
    pub fn json(&self, relative: &str) -> serde_json::Value {
        serde_json::from_slice(&self.read(relative)).expect("it is JSON")
    }

    /// Returns the paths of all files below a directory, sorted, relative to it.
    pub fn tree(&self, relative: &str) -> Vec<String> {
        fn walk(directory: &Path, base: &Path, out: &mut Vec<String>) {
            let Ok(entries) = std::fs::read_dir(directory) else { return };
            for entry in entries.map(|entry| entry.expect("an entry can be read")) {
                let path = entry.path();
                if entry.file_type().expect("a type is known").is_dir() {
                    walk(&path, base, out);
                } else {
                    out.push(path.strip_prefix(base).expect("it lies below").to_string_lossy().into_owned());
                }
            }
        }
        let base = self.path(relative);
        let mut out = Vec::new();
        walk(&base, &base, &mut out);
        out.sort();
        out
    }

    /// Returns the program, to be run here: no settings of the caller's reach it.
    pub fn command(&self) -> assert_cmd::Command {
        let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_retold"));
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy().into_owned();
            if name.starts_with("RETOLD_") || matches!(name.as_str(), "NO_COLOR" | "CLICOLOR_FORCE") {
                command.env_remove(name);
            }
        }
        command.current_dir(self.directory.path()).timeout(Duration::from_secs(120));
        command
    }

    /// Runs the program here with these arguments.
    pub fn run<I: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = I>) -> Outcome {
        Outcome::of(self.command().args(arguments))
    }

    /// Runs a line of shell here, with the program on the path.
    pub fn shell(&self, line: &str) -> Outcome {
        let program = Path::new(env!("CARGO_BIN_EXE_retold")).parent().expect("it lies in a directory");
        let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap_or_default());
        let mut command = assert_cmd::Command::new("bash");
        command.args(["-c", line]).env("PATH", path).current_dir(self.directory.path());
        Outcome::of(command.timeout(Duration::from_secs(120)))
    }
}

impl Outcome {
    pub fn of(command: &mut assert_cmd::Command) -> Outcome {
        let output = command.output().expect("the program can be started");
        Outcome {
            status: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).expect("what is printed is UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("what is told is UTF-8"),
        }
    }

    /// Asserts the exit status.
    #[track_caller]
    pub fn ends_with(self, status: i32) -> Outcome {
        assert_eq!(self.status, status, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// Asserts that standard output holds a text.
    #[track_caller]
    pub fn prints(self, text: &str) -> Outcome {
        assert!(self.stdout.contains(text), "`{text}` is not in stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// Asserts that standard error holds a text.
    #[track_caller]
    pub fn tells(self, text: &str) -> Outcome {
        assert!(self.stderr.contains(text), "`{text}` is not in stderr:\n{}\nstdout:\n{}", self.stderr, self.stdout);
        self
    }

    /// Asserts that standard error is empty.
    #[track_caller]
    pub fn says_nothing(self) -> Outcome {
        assert_eq!(self.stderr, "");
        self
    }
}
