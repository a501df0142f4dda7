//! A file of results that appears whole or not at all.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::files::{FileError, READ_BYTES, with_suffix};

/// A file of results that appears whole or not at all: written as `FILE.partial`, and renamed when it is complete.
///
/// Dropped without [`NewFile::commit`], it leaves nothing behind.
#[derive(Debug)]
pub struct NewFile {
    target: PathBuf,
    partial: PathBuf,
    /// Taken when the file is complete.
    writer: Option<io::BufWriter<File>>,
}

impl NewFile {
    /// Begins the file `target`. With `force` an existing one is replaced at the end.
    ///
    /// # Errors
    /// If it exists and may not be replaced, is no file, or cannot be written to.
    pub fn create(target: &Path, force: bool) -> Result<NewFile, FileError> {
        if let Ok(found) = fs::symlink_metadata(target)
            && (!force || found.is_dir())
        {
            return Err(FileError::FileExists { path: target.to_owned() });
        }
        let partial = with_suffix(target, ".partial");
        let file = File::create(&partial).map_err(FileError::write(&partial))?;
        let writer = Some(io::BufWriter::with_capacity(READ_BYTES, file));
        Ok(NewFile { target: target.to_owned(), partial, writer })
    }

    /// Returns the file's path while it is being written.
    pub fn path(&self) -> &Path {
        &self.partial
    }

    /// Makes sure that everything is on the disk, and makes the file appear under its name.
    ///
    /// # Errors
    /// If it cannot be written to the end or renamed. Then what was at its place before is still there.
    pub fn commit(mut self) -> Result<(), FileError> {
        let mut writer = self.writer.take().expect("only this takes it");
        let written = writer.flush().and_then(|()| writer.get_ref().sync_data());
        let done = written.and_then(|()| fs::rename(&self.partial, &self.target));
        if done.is_err() {
            // The failure is the one to tell; nobody needs what was half written.
            let _ = fs::remove_file(&self.partial);
        }
        done.map_err(FileError::write(&self.target))
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.as_mut().expect("it is taken at the end").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.as_mut().expect("it is taken at the end").flush()
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if self.writer.is_some() {
            // Nobody is left to tell; the next run replaces what stays.
            let _ = fs::remove_file(&self.partial);
        }
    }
}
