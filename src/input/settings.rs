//! How documents are read.

use std::path::PathBuf;

use regex::Regex;

use crate::input::{Sample, limits};
use crate::remote::RemoteSettings;

/// How documents are read.
#[derive(Clone, Debug)]
pub struct SourceSettings {
    /// The field that holds the text; none: the first of the published names that a record has.
    pub text_field: Option<String>,
    /// The field that holds the id.
    pub id_field: Option<String>,
    /// The field that holds the address.
    pub url_field: Option<String>,
    /// The field that holds the site.
    pub site_field: Option<String>,
    /// The field that holds the title.
    pub title_field: Option<String>,
    /// The field that holds the date.
    pub date_field: Option<String>,
    /// The field inside whose values documents are compared: [`Document::within`](crate::document::Document::within).
    pub within_field: Option<String>,
    /// Patterns, as in `.gitignore` files, of what is read below a directory (`*.txt`) and what is not (`!drafts/`).
    pub globs: Vec<String>,
    /// Reads the site from the id path: the group `site`, else the first group, else the match.
    pub site_from: Option<Regex>,
    /// Takes as the site the first directory of a file's path below the input given (else that input's name).
    pub site_from_dir: bool,
    /// A CSV file that says url, site, date and title of files.
    pub metadata: Option<PathBuf>,
    /// Where standard input is copied to, and objects that must be read whole.
    pub temp_dir: PathBuf,
    /// How objects in stores are reached.
    pub remote: RemoteSettings,
    /// The memory of the run, in bytes: bounds the window of Zstandard frames, and an eighth of it the length of one
    /// document, which takes six times its length while it is judged (at least 16 MiB, at most 1 GiB).
    pub memory_bytes: u64,
    /// The length of one record or text, unpacked; at most 1 GiB counts.
    pub max_record_bytes: u64,
    /// How many times as long as it was packed a record may be, past its first 64 MiB.
    pub max_ratio: u64,
    /// Reads a part of the documents alone.
    pub sample: Option<Sample>,
    /// Reads the first so many documents, of the sample where there is one.
    pub limit: Option<u64>,
}

impl Default for SourceSettings {
    fn default() -> SourceSettings {
        SourceSettings {
            text_field: None,
            id_field: None,
            url_field: None,
            site_field: None,
            title_field: None,
            date_field: None,
            within_field: None,
            globs: Vec::new(),
            site_from: None,
            site_from_dir: false,
            metadata: None,
            temp_dir: std::env::temp_dir(),
            remote: RemoteSettings::default(),
            memory_bytes: u64::MAX,
            max_record_bytes: limits::MOST_BYTES,
            max_ratio: 200,
            sample: None,
            limit: None,
        }
    }
}
