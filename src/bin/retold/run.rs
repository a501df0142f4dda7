//! What `scan`, `clean` and `dedup` share: threads, memory and scratch space of this machine.

use std::path::PathBuf;
use std::time::Instant;

use crate::args::GlobalArgs;
use crate::values::Memory;

/// What a run may use.
#[derive(Clone, Debug)]
pub struct Means {
    /// Threads that may be busy at once.
    pub threads: usize,
    /// Memory to stay within; none: unlimited.
    pub memory: Option<u64>,
    /// Where scratch files go.
    pub temp_dir: PathBuf,
    /// When the run began.
    pub began: Instant,
}

/// Memory taken for granted where the system does not tell how much it has.
const UNKNOWN_MEMORY: u64 = 2 << 30;

impl Means {
    /// Returns what the flags grant, or else what this machine has.
    pub fn new(global: &GlobalArgs) -> Means {
        let threads = match global.threads {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            threads => threads,
        };
        let memory = match global.memory {
            Some(Memory::Bytes(bytes)) => Some(bytes),
            Some(Memory::Unlimited) => None,
            None => Some((physical_memory().unwrap_or(UNKNOWN_MEMORY) / 2).max(64 << 20)),
        };
        let temp_dir = global.temp_dir.clone().unwrap_or_else(std::env::temp_dir);
        Means { threads, memory, temp_dir, began: Instant::now() }
    }
}

/// Returns the bytes of memory that this process may use: the machine's, or its control group's when that is less.
fn physical_memory() -> Option<u64> {
    let machine = kibibytes_of("/proc/meminfo", "MemTotal:")?;
    let group = std::fs::read_to_string("/sys/fs/cgroup/memory.max").ok();
    let group = group.and_then(|text| text.trim().parse().ok());
    Some(group.map_or(machine, |group: u64| group.min(machine)))
}

/// Returns the most memory that this process held so far, in bytes.
pub fn peak_resident() -> Option<u64> {
    kibibytes_of("/proc/self/status", "VmHWM:")
}

/// Reads a line such as `VmHWM:  1234 kB` as bytes.
fn kibibytes_of(path: &str, label: &str) -> Option<u64> {
    let text = std::fs::read_to_string(path).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(label))?;
    line.split_whitespace().next()?.parse::<u64>().ok().map(|kibibytes| kibibytes << 10)
}
