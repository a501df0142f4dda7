//! What of an input is left out by rule.

use std::collections::BTreeMap;

use crate::files::Compression;
use crate::input::container::suffix;

/// What was left out by rule: no error, but counted and told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Hidden files and directories.
    pub hidden: u64,
    /// Files and directories that a `.retoldignore` names.
    pub ignored: u64,
    /// Files and directories that the glob patterns do not take.
    pub globbed: u64,
    /// Files of a kind that is not read, by suffix.
    pub suffixes: BTreeMap<String, u64>,
    /// Archives that hold no file.
    pub empty_archives: u64,
    /// Files that were given twice.
    pub repeated: u64,
    /// Directories and tables that this program wrote, by path.
    pub outputs: Vec<String>,
}

impl LeftOut {
    /// Counts a file of a kind that is not read.
    pub(super) fn count_suffix(&mut self, name: &str) {
        let (_, bare) = Compression::of_name(name);
        *self.suffixes.entry(suffix(bare).unwrap_or_default().to_ascii_lowercase()).or_default() += 1;
    }

    /// Returns a line for people for every rule that left something out.
    pub fn told(&self) -> Vec<String> {
        let count = |count: u64, one: &str, many: &str| format!("{count} {}", if count == 1 { one } else { many });
        let mut lines = Vec::new();
        for (number, of_what) in
            [(self.hidden, "hidden "), (self.ignored, "`.retoldignore` names "), (self.globbed, "`--glob` leaves out ")]
        {
            if number > 0 {
                lines.push(if of_what == "hidden " {
                    format!("left out {}", count(number, "hidden file or directory", "hidden files and directories"))
                } else {
                    format!(
                        "left out {} that {}",
                        count(number, "file or directory", "files and directories"),
                        of_what.trim()
                    )
                });
            }
        }
        if !self.suffixes.is_empty() {
            let total: u64 = self.suffixes.values().sum();
            let kinds: Vec<String> = self
                .suffixes
                .iter()
                .map(|(suffix, number)| match suffix.as_str() {
                    "" => format!("{number} without a suffix"),
                    suffix => format!("{number} `.{suffix}`"),
                })
                .collect();
            lines.push(format!("left out {} of other kinds: {}", count(total, "file", "files"), kinds.join(", ")));
        }
        if self.empty_archives > 0 {
            lines.push(format!("left out {} without a file", count(self.empty_archives, "archive", "archives")));
        }
        if self.repeated > 0 {
            lines.push(format!("left out {} given twice", count(self.repeated, "file", "files")));
        }
        for path in &self.outputs {
            lines.push(format!("left out `{path}`: an output of this program"));
        }
        lines
    }
}
