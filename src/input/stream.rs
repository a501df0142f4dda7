//! Inputs that can be read only once: standard input, pipes, devices. They are copied to a scratch file first, as are
//! members of packed archives.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::input::Container;

/// The argument that names standard input, and the id path of what was read from it.
pub(super) const STANDARD_INPUT: &str = "-";

/// Returns whether a path can be read only once: standard input, a pipe, a device.
pub(super) fn is_stream(path: &Path) -> bool {
    path.as_os_str() == STANDARD_INPUT
        || fs::metadata(path).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir())
}

/// Returns the name of a copy of a stream, whose id path is `-`, `-2` and so on: `stdin.jsonl`, `stdin-2.txt`.
pub(super) fn stream_name(id_path: &str, container: Container) -> PathBuf {
    let suffix = container.suffix();
    PathBuf::from(format!("stdin{}.{suffix}", if id_path == STANDARD_INPUT { "" } else { id_path }))
}

/// Returns the id path of the stream that a copy of this name is of.
pub(crate) fn stream_of(name: &str) -> Option<&str> {
    let (number, _) = name.strip_prefix("stdin")?.split_once('.')?;
    Some(if number.is_empty() { STANDARD_INPUT } else { number })
}

/// A copy of what can be read only once, or only in order, removed when it is dropped.
#[derive(Debug)]
pub(super) struct ScratchFile {
    pub(super) path: PathBuf,
    pub(super) bytes: u64,
}

impl ScratchFile {
    pub(super) fn copy_of(stream: &Path, directory: &Path) -> io::Result<ScratchFile> {
        if stream.as_os_str() == STANDARD_INPUT {
            ScratchFile::filled(directory, &mut io::stdin().lock())
        } else {
            ScratchFile::filled(directory, &mut File::open(stream)?)
        }
    }

    /// Copies what is read.
    pub(super) fn filled(directory: &Path, reader: &mut impl io::Read) -> io::Result<ScratchFile> {
        let (mut scratch, mut file) = ScratchFile::create(directory)?;
        scratch.bytes = io::copy(reader, &mut file)?;
        Ok(scratch)
    }

    /// Begins an empty one.
    pub(super) fn create(directory: &Path) -> io::Result<(ScratchFile, File)> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        fs::create_dir_all(directory)?;
        let name = format!("retold-input-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let scratch = ScratchFile { path: directory.join(name), bytes: 0 };
        let file = File::create_new(&scratch.path)?;
        Ok((scratch, file))
    }
}

impl Drop for ScratchFile {
    fn drop(&mut self) {
        // A scratch file that cannot be removed harms no result.
        let _ = fs::remove_file(&self.path);
    }
}
