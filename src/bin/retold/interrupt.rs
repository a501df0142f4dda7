//! Ctrl-C and SIGTERM: the run stops at its next batch and clears up; one that does not in time is ended from here.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use retold::observe::StopFlag;

/// Raised by the first signal.
pub static STOP: StopFlag = StopFlag::new();

/// What must not be left behind when the run cannot clear up by itself.
static UNFINISHED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Where scratch files of this process lie.
static SCRATCH: Mutex<Option<PathBuf>> = Mutex::new(None);

/// How long a stopped run may take to clear up. Readers see the flag between batches, within milliseconds; one that
/// waits for a pipe that says nothing would wait for ever.
const PATIENCE: Duration = Duration::from_millis(1500);

/// Listens for signals. The second one ends the program at once.
pub fn listen() {
    let handler = || {
        if STOP.is_raised() {
            std::process::exit(2);
        }
        STOP.raise();
        std::thread::spawn(|| {
            std::thread::sleep(PATIENCE);
            clear();
            std::process::exit(2);
        });
    };
    // Without a handler the signal ends the program at once, which is worse but no reason not to run.
    let _ = ctrlc::set_handler(handler);
}

/// Remembers a path that is removed if the run is ended from here.
pub fn remember(path: &Path) {
    UNFINISHED.lock().expect("no holder of the list panics").push(path.to_owned());
}

/// Remembers the directory whose scratch files of this process are removed if the run is ended from here.
pub fn remember_scratch(directory: &Path) {
    *SCRATCH.lock().expect("no holder of the path panics") = Some(directory.to_owned());
}

/// Forgets every path: their owners are done with them.
pub fn forget() {
    UNFINISHED.lock().expect("no holder of the list panics").clear();
}

fn clear() {
    for path in UNFINISHED.lock().expect("no holder of the list panics").iter() {
        let _ = std::fs::remove_file(path).or_else(|_| std::fs::remove_dir_all(path));
    }
    let Some(directory) = SCRATCH.lock().expect("no holder of the path panics").take() else { return };
    // The names that the library gives to scratch directories and to copies of standard input.
    let process = std::process::id();
    let ours = [format!("retold-{process}-"), format!("retold-input-{process}-")];
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if ours.iter().any(|prefix| name.starts_with(prefix)) {
            let _ = std::fs::remove_file(entry.path()).or_else(|_| std::fs::remove_dir_all(entry.path()));
        }
    }
}
