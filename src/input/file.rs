//! A file of the input: what it is called, where its copy goes, and what is said when it cannot be read.

use std::io;
#[cfg(test)]
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use crate::document::{Document, Skipped};
use crate::files::{Compression, FileError, InputReader, Packing, Part, Place};
use crate::input::Container;
use crate::input::held::HeldTable;
use crate::input::html::Page;
use crate::input::metadata;
use crate::input::site;

/// A file to read, as it was when the source was opened.
#[derive(Clone, Debug)]
pub struct InputFile {
    /// Its id path: what its documents name as their source.
    pub source: Arc<str>,
    /// Where its bytes are; of a member of an archive, the archive or the scratch file that stands for it.
    pub place: Place,
    /// The part of that file which it is; none: all of it.
    pub part: Option<Part>,
    /// Where a copy of it stands below an output directory.
    pub relative: PathBuf,
    /// What it holds.
    pub container: Container,
    /// Its size, as packed.
    pub bytes: u64,
    /// When it was last changed, if the file system tells.
    pub modified: Option<SystemTime>,
    pub(super) site: Option<String>,
    pub(super) metadata: metadata::Row,
    /// The table that it is, where it is no file but one in memory.
    pub(super) held: Option<Arc<dyn HeldTable>>,
}

impl InputFile {
    /// Makes what stands for a table in memory.
    pub(super) fn held(name: &str, table: Arc<dyn HeldTable>, site: Option<String>) -> InputFile {
        InputFile {
            source: name.into(),
            place: Place::File(PathBuf::from(name)),
            part: None,
            relative: PathBuf::from(name),
            container: Container::Held,
            bytes: table.bytes(),
            modified: None,
            site,
            metadata: metadata::Row::default(),
            held: Some(table),
        }
    }

    /// Makes a document of this file, filling in what its record does not say.
    #[allow(clippy::too_many_arguments, reason = "the fields of a record, in the order of `Document`")]
    pub(super) fn document(
        &self,
        id: String,
        row: u64,
        url: Option<String>,
        site: Option<String>,
        title: Option<String>,
        date: Option<String>,
        text: String,
    ) -> Document {
        let url = url.or_else(|| self.metadata.url.clone());
        let site = site
            .or_else(|| self.metadata.site.clone())
            .or_else(|| url.as_deref().and_then(site::of_url))
            .or_else(|| self.site.clone());
        Document {
            id,
            source: self.source.clone(),
            row,
            url,
            site,
            title: title.or_else(|| self.metadata.title.clone()),
            date: date.or_else(|| self.metadata.date.clone()),
            within: None,
            text,
        }
    }

    /// Makes the document that a text file is.
    pub(crate) fn text_document(&self, text: String) -> Document {
        self.document(String::from(&*self.source), 0, None, None, None, None, text)
    }

    /// Makes the document that a page is.
    pub(super) fn page_document(&self, page: Page) -> Document {
        self.document(String::from(&*self.source), 0, page.url, None, page.title, page.date, page.text)
    }

    /// Returns whether its copies are files of another form, or written anew, and cannot be made into it again.
    pub(crate) fn is_written_anew(&self) -> bool {
        self.container.is_written_anew()
    }

    /// Returns where its copy stands below an output directory: a page's is its text, an archive's the text of its pages.
    pub(crate) fn copy_path(&self) -> PathBuf {
        let name = self.relative.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let (_, bare) = Compression::of_name(&name);
        let suffix = match self.container {
            Container::Html | Container::Xml => "txt",
            Container::Warc if !bare.to_ascii_lowercase().ends_with(".wet") => "wet",
            _ => return self.relative.clone(),
        };
        self.relative.with_file_name(format!("{bare}.{suffix}{}", &name[bare.len()..]))
    }

    /// Makes the row of `skipped` for a file that is no text.
    pub(crate) fn no_text(&self, found: &str) -> Skipped {
        let hint = "name it in `.retoldignore` if it is no article".to_owned();
        self.skipped(None, None, format!("expected text, found {found}"), Some(hint))
    }

    /// Returns how the file is packed, by its first bytes.
    pub(crate) fn compression(&self) -> Result<Compression, FileError> {
        self.open(0).map(|reader| reader.compression())
    }

    /// Returns what tells this version of it from others, in words: its size, and when it was changed or how its store
    /// marks it; none: it can be read only once.
    pub fn version(&self) -> Option<String> {
        self.place.version(self.bytes, self.modified)
    }

    /// Opens it.
    pub(crate) fn open(&self, memory_bytes: u64) -> Result<InputReader, FileError> {
        match &self.part {
            Some(part) => self.place.open_part(part, memory_bytes),
            None => self.place.open(memory_bytes),
        }
    }

    /// Returns about how many bytes it holds once unpacked: what is packed is taken for four times its size, as news text
    /// packed by gzip or Zstandard mostly is.
    pub(super) fn unpacked_bytes(&self) -> u64 {
        let is_packed = self.named_compression() != Compression::Plain
            || self.part.is_some_and(|part| part.packing != Packing::Stored);
        if is_packed { self.bytes.saturating_mul(4) } else { self.bytes }
    }

    /// Returns how it is packed by its name.
    fn named_compression(&self) -> Compression {
        Compression::of_name(&self.relative.file_name().unwrap_or_default().to_string_lossy()).0
    }

    /// Makes a row of `skipped` for this file or a record of it.
    pub(crate) fn skipped(&self, row: Option<u64>, byte: Option<u64>, reason: String, hint: Option<String>) -> Skipped {
        Skipped { source: self.source.to_string(), row, byte, field: None, reason, hint, raw: None }
    }

    /// Makes the row of `skipped` for a file whose unpacked bytes end at `at` before they should.
    pub(super) fn torn(&self, compression: Compression, at: u64, error: &io::Error) -> Skipped {
        let message = error.to_string();
        let (reason, hint) = if message.contains("requires too much memory") {
            ("a Zstandard frame needs a longer window than fits in the memory given".to_owned(), "raise `--memory`")
        } else {
            let reason = match compression {
                Compression::Plain => format!("reading failed: {message}"),
                packed => format!("the {} stream is torn or damaged here: {message}", packed.name()),
            };
            (reason, "fetch the file again; what stands before this byte was read")
        };
        self.skipped(None, Some(at), reason, Some(hint.to_owned()))
    }

    /// Makes the row of `skipped` for a file that is not packed as its name says.
    pub(super) fn not_packed(&self, found: Compression, empty: bool) -> Option<Skipped> {
        let named = self.named_compression();
        (named != Compression::Plain && found == Compression::Plain).then(|| {
            let found = if empty { "an empty file" } else { "other bytes" };
            let hint = "fetch the file again, or drop the suffix if it is not packed".to_owned();
            self.skipped(None, Some(0), format!("expected a {} stream, found {found}", named.name()), Some(hint))
        })
    }

    /// Makes the row of `skipped` for a file that needs a feature which is not built in.
    #[allow(dead_code, reason = "all features may be built in")]
    pub(crate) fn not_built_in(&self, feature: &str) -> Skipped {
        let reason = format!("this program was built without the feature `{feature}`");
        self.skipped(None, None, reason, Some(format!("build it with `cargo install --features {feature}`")))
    }

    #[cfg(test)]
    pub(crate) fn for_test(source: &str, path: &Path) -> InputFile {
        InputFile {
            source: source.into(),
            place: Place::from(path),
            part: None,
            relative: source.into(),
            container: Container::Jsonl,
            bytes: 0,
            modified: None,
            site: None,
            metadata: metadata::Row::default(),
            held: None,
        }
    }
}
