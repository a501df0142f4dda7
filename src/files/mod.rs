//! Files at the edge: opened through their compression, written so that a result appears whole or not at all.
//!
//! Knows no documents and no containers: bytes, names and directories alone. What is read may also be an object in a
//! store: [`Place`] decides.

mod nearby;
mod packed;
mod part;
mod place;

mod directory;
mod new_file;

pub(crate) use directory::is_summary;
pub use directory::{OutputDirectory, OutputFile, is_ours};
pub use nearby::Nearby;
pub use new_file::NewFile;
pub use packed::{Compression, InputReader, open, unpack};
pub use part::{Packing, Part};
pub use place::{Place, Ranges, Seeker};

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

/// Bytes read from a file at once: past this size a system call costs nothing beside the copy.
pub(crate) const READ_BYTES: usize = 256 << 10;

/// A file or directory could not be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// Reading failed.
    #[error("`{}`: could not be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Writing failed.
    #[error("`{}`: could not be written", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The output directory is there already.
    #[error("`{}`: exists already", path.display())]
    Exists {
        /// The directory.
        path: PathBuf,
    },
    /// The output file is there already.
    #[error("`{}`: exists already", path.display())]
    FileExists {
        /// The file.
        path: PathBuf,
    },
    /// The output directory is to be replaced, but does not look like one of ours.
    #[error("`{}`: holds no `summary.json` of this program, and is not replaced", path.display())]
    NotOurs {
        /// The directory.
        path: PathBuf,
    },
    /// Another run is writing the same output directory.
    #[error("`{}`: another run is writing there now", path.display())]
    InUse {
        /// The directory.
        path: PathBuf,
    },
}

impl FileError {
    /// Returns what to do about it.
    pub fn hint(&self) -> String {
        match self {
            FileError::Read { source, .. } => match source.kind() {
                io::ErrorKind::NotFound => "check the spelling of the path".to_owned(),
                io::ErrorKind::PermissionDenied => "check the permissions of the file".to_owned(),
                _ => "check that the file can be read".to_owned(),
            },
            FileError::Write { source, .. } => match source.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                    "make room there, or choose another place with `-o`".to_owned()
                }
                io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                    "choose a directory that can be written to with `-o`".to_owned()
                }
                _ => "choose another place with `-o`".to_owned(),
            },
            FileError::Exists { .. } => {
                "choose another directory with `-o`, or pass `--force` to replace it".to_owned()
            }
            FileError::FileExists { .. } => "name another file, or pass `--force` to replace it".to_owned(),
            FileError::InUse { .. } => "wait for it to end, or choose another directory with `-o`".to_owned(),
            FileError::NotOurs { .. } => "choose another directory with `-o`, or remove this one yourself".to_owned(),
        }
    }

    /// Makes the error of a failed read of `path`.
    pub fn read(path: &Path) -> impl FnOnce(io::Error) -> FileError + '_ {
        move |source| FileError::Read { path: path.to_owned(), source }
    }

    /// Makes the error of a failed write of `path`.
    pub fn write(path: &Path) -> impl FnOnce(io::Error) -> FileError + '_ {
        move |source| FileError::Write { path: path.to_owned(), source }
    }
}

/// Returns `path` with `suffix` added to its name.
fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}
