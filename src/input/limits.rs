//! What may be held of one record, so that a file made to mislead costs itself alone.

use crate::document::Skipped;
use crate::input::{InputFile, SourceSettings};

/// The longest record that is read, whatever the memory.
pub(super) const MOST_BYTES: u64 = 1 << 30;

/// The record length that any memory allows.
const LEAST_BYTES: u64 = 16 << 20;

/// Bytes of a record that may unpack from however few: repeated text is legal.
pub(super) const FREE_BYTES: u64 = 64 << 20;

/// Bytes of a packed file that a decoder may have read ahead: so much less certain it is how long a record was packed.
const AHEAD_BYTES: u64 = 256 << 10;

/// What may be held of one record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// The memory of the run: bounds the windows of packed files.
    pub memory_bytes: u64,
    /// The length of a record, unpacked.
    pub record_bytes: u64,
    /// How many times as long as it was packed a record may be, past its first 64 MiB.
    pub ratio: u64,
    /// The flag that gives room for longer records.
    raises: &'static str,
}

impl Limits {
    /// Returns those of a run: a document takes six times its length while it is judged.
    pub fn new(settings: &SourceSettings) -> Limits {
        let of_memory = (settings.memory_bytes / 8).clamp(LEAST_BYTES, MOST_BYTES);
        let raises = if of_memory < settings.max_record_bytes { "--memory" } else { "--max-record" };
        Limits {
            memory_bytes: settings.memory_bytes,
            record_bytes: of_memory.min(settings.max_record_bytes).max(1),
            ratio: settings.max_ratio.max(1),
            raises,
        }
    }

    /// Returns whether a record that has come to so many bytes, from so many of the packed file, unpacks without end.
    pub fn is_bomb(&self, is_packed: bool, bytes: u64, packed_bytes: u64) -> bool {
        let most = self.ratio.saturating_mul(packed_bytes.saturating_add(AHEAD_BYTES));
        is_packed && bytes >= FREE_BYTES && bytes > most
    }

    /// Returns the bytes that a body of so many packed bytes may unpack to.
    pub fn most_of_body(&self, packed_bytes: u64) -> u64 {
        self.record_bytes.min(packed_bytes.saturating_mul(self.ratio).max(FREE_BYTES))
    }

    /// Says that `what` is longer than a record may be.
    pub fn too_long(&self, file: &InputFile, what: &str) -> Skipped {
        let reason = match self.raises {
            "--memory" => {
                format!("{what} of more than {} MiB does not fit in the memory given", self.record_bytes >> 20)
            }
            _ => format!("{what} of more than {} is longer than `--max-record` allows", size(self.record_bytes)),
        };
        file.skipped(None, None, reason, Some(format!("raise `{}`, or cut it into documents", self.raises)))
    }

    /// Says that `what` unpacks without end.
    pub fn bomb(&self, file: &InputFile, what: &str) -> Skipped {
        let reason = format!(
            "{what} unpacks to more than {} MiB, over {} times what it was packed to",
            FREE_BYTES >> 20,
            self.ratio
        );
        file.skipped(None, None, reason, Some("raise `--max-ratio` if it is what it should be".to_owned()))
    }

    /// Says, in place of a value, that it is longer than a record may be.
    pub fn too_long_value(&self) -> &'static str {
        match self.raises {
            "--memory" => "one that does not fit in the memory given",
            _ => "one that is longer than `--max-record` allows",
        }
    }

    #[cfg(test)]
    pub fn of_records(record_bytes: u64) -> Limits {
        Limits { memory_bytes: 1 << 30, record_bytes, ratio: 200, raises: "--memory" }
    }
}

/// Returns a length for people.
fn size(bytes: u64) -> String {
    if bytes >= 1 << 20 { format!("{} MiB", bytes >> 20) } else { format!("{bytes} bytes") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smaller_of_memory_and_flag_bounds_a_record() {
        let limits = |memory_bytes, max_record_bytes| {
            let limits = Limits::new(&SourceSettings { memory_bytes, max_record_bytes, ..SourceSettings::default() });
            (limits.record_bytes, limits.raises)
        };
        assert_eq!(limits(u64::MAX, 1 << 30), (1 << 30, "--max-record"));
        assert_eq!(limits(1 << 30, 1 << 30), (128 << 20, "--memory"));
        assert_eq!(limits(1 << 30, 1 << 20), (1 << 20, "--max-record"));
        assert_eq!(limits(0, 1 << 30), (16 << 20, "--memory"));
    }

    #[test]
    fn what_repeats_is_no_bomb_until_a_record_is_long() {
        let limits = Limits::of_records(1 << 30);
        assert!(!limits.is_bomb(true, FREE_BYTES - 1, 0));
        assert!(limits.is_bomb(true, FREE_BYTES, 0));
        assert!(!limits.is_bomb(true, FREE_BYTES, 1 << 20));
        assert!(!limits.is_bomb(false, FREE_BYTES, 0));
    }
}
