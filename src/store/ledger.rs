//! What a run has finished, written down so that another process can go on from there.
//!
//! A resumable [`Workspace`] keeps its scratch files in a directory that outlives it, and beside them `ledger.json`: the
//! runs and strings that are sealed (written, synced, never touched again), and small values such as how far a pass has
//! come. [`Workspace::commit`] replaces that file atomically, so whatever moment a process is killed at, the ledger names
//! only what is whole. What a file holds beyond that is overwritten, and files that the ledger does not name are removed.
//!
//! Nothing is removed before a ledger that no longer names it is on the disk: what sorters and spools drop is only marked.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::store::StoreError;

/// Number of the layout of ledger and scratch files.
const FORMAT: u32 = 1;

/// Name of the file that says which run a directory belongs to.
const IDENTITY: &str = "run.json";

/// Name of the file that says what is sealed.
const LEDGER: &str = "ledger.json";

/// The ledger of a resumable workspace.
#[derive(Debug)]
pub(super) struct Ledger {
    directory: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    sealed: Sealed,
    /// Files to be removed once a ledger without them is written.
    dropped: Vec<PathBuf>,
}

/// What is whole on the disk.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Sealed {
    format: u32,
    values: BTreeMap<String, Value>,
    sorted: BTreeMap<String, SealedRuns>,
    spools: BTreeMap<String, SealedStrings>,
}

/// The runs of a sorter.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct SealedRuns {
    pub runs: Vec<SealedRun>,
    /// Where the parts begin, once all is sorted.
    pub parts: Option<Vec<u64>>,
}

/// A run in a scratch file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct SealedRun {
    pub file: String,
    pub len: u64,
    pub records_per_block: u64,
    /// Where its first keys and sample lie.
    pub index: u64,
    /// Where all of it ends.
    pub end: u64,
}

/// The strings of a spool.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct SealedStrings {
    pub file: String,
    pub base: u64,
    pub len: u64,
    /// Where the entries lie: place and count of each piece.
    pub entries: Vec<(u64, u64)>,
    /// Whether strings are packed.
    pub packs: bool,
}

impl Ledger {
    /// Opens the ledger in `directory`, or begins one there.
    ///
    /// `identity` is what must be the same for a run to go on: an object whose keys a person understands.
    pub(super) fn open(directory: &Path, identity: &Value) -> Result<Ledger, StoreError> {
        let write_failed = |source| StoreError::Write { path: directory.to_owned(), source };
        fs::create_dir_all(directory).map_err(write_failed)?;
        let identity_path = directory.join(IDENTITY);
        let before = fs::read(&identity_path).ok().and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
        let sealed = match before {
            Some(before) => {
                if let Some(what) = difference(&before, identity) {
                    return Err(StoreError::OtherRun { path: directory.to_owned(), what });
                }
                read_sealed(&directory.join(LEDGER))?
            }
            None => {
                // Killed before it could say whose it is: nothing in it counts.
                fs::remove_dir_all(directory).map_err(write_failed)?;
                fs::create_dir_all(directory).map_err(write_failed)?;
                replace(&identity_path, &serde_json::to_vec(identity).expect("an object has string keys"))?;
                Sealed { format: FORMAT, ..Sealed::default() }
            }
        };
        let ledger =
            Ledger { directory: directory.to_owned(), state: Mutex::new(State { sealed, dropped: Vec::new() }) };
        ledger.remove_others()?;
        Ok(ledger)
    }

    /// Removes files that the ledger does not name: written after it, or dropped before it.
    fn remove_others(&self) -> Result<(), StoreError> {
        let state = self.state.lock().expect("no holder panics");
        let runs = state.sealed.sorted.values().flat_map(|sorted| &sorted.runs).map(|run| run.file.as_str());
        let named: BTreeSet<&str> = runs
            .chain(state.sealed.spools.values().map(|spool| spool.file.as_str()))
            .chain([IDENTITY, LEDGER])
            .collect();
        let failed = |source| StoreError::Write { path: self.directory.clone(), source };
        for entry in fs::read_dir(&self.directory).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if !named.contains(entry.file_name().to_string_lossy().as_ref()) {
                fs::remove_file(entry.path()).map_err(failed)?;
            }
        }
        Ok(())
    }

    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Returns a number above those of all files named.
    pub(super) fn next_file(&self) -> u64 {
        let state = self.state.lock().expect("no holder panics");
        let runs = state.sealed.sorted.values().flat_map(|sorted| &sorted.runs).map(|run| &run.file);
        let files = runs.chain(state.sealed.spools.values().map(|spool| &spool.file));
        let numbers = files.filter_map(|file| file.rsplit_once('-')?.1.parse::<u64>().ok());
        numbers.max().map_or(0, |number| number + 1)
    }

    pub(super) fn value(&self, name: &str) -> Option<Value> {
        self.state.lock().expect("no holder panics").sealed.values.get(name).cloned()
    }

    pub(super) fn set_value(&self, name: &str, value: Value) {
        self.state.lock().expect("no holder panics").sealed.values.insert(name.to_owned(), value);
    }

    pub(super) fn runs(&self, name: &str) -> Option<SealedRuns> {
        self.state.lock().expect("no holder panics").sealed.sorted.get(name).cloned()
    }

    pub(super) fn set_runs(&self, name: &str, runs: SealedRuns) {
        self.state.lock().expect("no holder panics").sealed.sorted.insert(name.to_owned(), runs);
    }

    pub(super) fn forget_runs(&self, name: &str) {
        self.state.lock().expect("no holder panics").sealed.sorted.remove(name);
    }

    pub(super) fn strings(&self, name: &str) -> Option<SealedStrings> {
        self.state.lock().expect("no holder panics").sealed.spools.get(name).cloned()
    }

    pub(super) fn set_strings(&self, name: &str, strings: SealedStrings) {
        self.state.lock().expect("no holder panics").sealed.spools.insert(name.to_owned(), strings);
    }

    pub(super) fn forget_strings(&self, name: &str) {
        self.state.lock().expect("no holder panics").sealed.spools.remove(name);
    }

    /// Gives up runs and strings that nobody has opened, and their files.
    pub(super) fn forget(&self, name: &str) {
        let mut state = self.state.lock().expect("no holder panics");
        let runs = state.sealed.sorted.remove(name).map_or_else(Vec::new, |sorted| sorted.runs);
        let strings = state.sealed.spools.remove(name).map(|spool| spool.file);
        let files: BTreeSet<String> = runs.into_iter().map(|run| run.file).chain(strings).collect();
        state.dropped.extend(files.into_iter().map(|file| self.directory.join(file)));
    }

    /// Marks a file that nothing in this process reads any more.
    pub(super) fn drop_file(&self, path: PathBuf) {
        self.state.lock().expect("no holder panics").dropped.push(path);
    }

    /// Writes the ledger, then removes what it no longer names.
    pub(super) fn commit(&self) -> Result<(), StoreError> {
        let mut state = self.state.lock().expect("no holder panics");
        let bytes = serde_json::to_vec(&state.sealed).expect("a ledger has string keys");
        replace(&self.directory.join(LEDGER), &bytes)?;
        for path in std::mem::take(&mut state.dropped) {
            // What cannot be removed now is removed by whoever opens the ledger next.
            let _ = fs::remove_file(path);
        }
        Ok(())
    }
}

fn read_sealed(path: &Path) -> Result<Sealed, StoreError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Ok(Sealed { format: FORMAT, ..Sealed::default() });
        }
        Err(source) => return Err(StoreError::Read { path: path.to_owned(), source }),
    };
    let damaged = |what: String| StoreError::Damaged { path: path.to_owned(), what };
    let sealed: Sealed = serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
    if sealed.format == FORMAT {
        Ok(sealed)
    } else {
        Err(damaged(format!("expected format {FORMAT}, found {}", sealed.format)))
    }
}

/// Puts a file in the place of another, so that either the old bytes are there or the new ones.
fn replace(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let partial = path.with_extension("partial");
    let write = || {
        fs::write(&partial, bytes)?;
        File::open(&partial)?.sync_all()?;
        fs::rename(&partial, path)?;
        // Where directories cannot be opened (Windows), renames last by themselves.
        if cfg!(unix) { File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all() } else { Ok(()) }
    };
    write().map_err(|source| StoreError::Write { path: path.to_owned(), source })
}

/// Says what the first difference between two identities is, in words.
fn difference(before: &Value, now: &Value) -> Option<String> {
    fn text(value: Option<&Value>) -> String {
        value.map_or_else(|| "nothing".to_owned(), |value| format!("`{value}`"))
    }
    fn walk(path: &str, before: &Value, now: &Value) -> Option<String> {
        match (before, now) {
            (Value::Object(before), Value::Object(now)) => {
                let keys: BTreeSet<&String> = before.keys().chain(now.keys()).collect();
                keys.into_iter().find_map(|key| {
                    let path = if path.is_empty() { key.clone() } else { format!("{path} {key}") };
                    match (before.get(key), now.get(key)) {
                        (Some(before), Some(now)) => walk(&path, before, now),
                        (before, now) => Some(format!("{path} was {}, is {}", text(before), text(now))),
                    }
                })
            }
            (before, now) if before == now => None,
            (before, now) => Some(format!("{path} was {}, is {}", text(Some(before)), text(Some(now)))),
        }
    }
    walk("", before, now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_first_difference_is_told_in_words() {
        let run = json!({"version": "1", "settings": {"threshold": 0.5}, "inputs": {"a.jsonl": [1, 2]}});
        assert_eq!(difference(&run, &run), None);
        let told = |change: &dyn Fn(&mut Value)| {
            let mut other = run.clone();
            change(&mut other);
            difference(&run, &other).unwrap()
        };
        assert_eq!(told(&|run| run["settings"]["threshold"] = json!(0.7)), "settings threshold was `0.5`, is `0.7`");
        assert_eq!(told(&|run| run["inputs"]["b"] = json!([1])), "inputs b was nothing, is `[1]`");
    }

    #[test]
    fn a_directory_that_was_killed_before_it_had_a_name_begins_anew() {
        let parent = tempfile::tempdir().unwrap();
        let directory = parent.path().join("resume");
        fs::create_dir(&directory).unwrap();
        fs::write(directory.join("bands-0"), "torn").unwrap();
        let ledger = Ledger::open(&directory, &json!({"run": 1})).unwrap();
        assert!(!directory.join("bands-0").exists());
        assert_eq!(ledger.next_file(), 0);
        assert!(matches!(Ledger::open(&directory, &json!({"run": 2})), Err(StoreError::OtherRun { .. })));
    }

    #[test]
    fn what_was_not_committed_is_forgotten() {
        let directory = tempfile::tempdir().unwrap();
        let run = |file: &str| SealedRun { file: file.into(), len: 1, records_per_block: 1, index: 40, end: 64 };
        let ledger = Ledger::open(directory.path(), &json!({})).unwrap();
        fs::write(directory.path().join("a-3"), "").unwrap();
        fs::write(directory.path().join("b-4"), "").unwrap();
        ledger.set_value("pass", json!(7));
        ledger.set_runs("a", SealedRuns { runs: vec![run("a-3")], parts: None });
        ledger.commit().unwrap();
        ledger.set_value("pass", json!(8));
        ledger.forget_runs("a");
        drop(ledger);
        let ledger = Ledger::open(directory.path(), &json!({})).unwrap();
        assert_eq!(ledger.value("pass"), Some(json!(7)));
        assert_eq!(ledger.runs("a").unwrap().runs[0].file, "a-3");
        assert_eq!(ledger.next_file(), 4);
        assert!(directory.path().join("a-3").exists() && !directory.path().join("b-4").exists());
    }
}
