//! Scratch files: written and read at given places from many threads at once.

use std::fs::{File, OpenOptions};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::hash::hash64;
use crate::store::{StoreError, Workspace};

/// What every scratch file begins with: the format, and the version of it in the last two bytes.
const MAGIC: [u8; 8] = *b"retold\x00\x01";

/// A file that lives as long as this value.
#[derive(Debug)]
pub(super) struct ScratchFile<'w> {
    workspace: &'w Workspace,
    path: PathBuf,
    file: PositionedFile,
    /// Where free space begins.
    end: AtomicU64,
    /// Bytes written.
    written: AtomicU64,
}

impl<'w> ScratchFile<'w> {
    /// Creates the file, which must not exist.
    pub(super) fn create(workspace: &'w Workspace, path: PathBuf) -> Result<ScratchFile<'w>, StoreError> {
        match OpenOptions::new().read(true).write(true).create_new(true).open(&path) {
            Err(source) => Err(StoreError::Write { path, source }),
            Ok(file) => {
                let file = ScratchFile {
                    workspace,
                    path,
                    file: PositionedFile::new(file),
                    end: AtomicU64::new(0),
                    written: AtomicU64::new(0),
                };
                let start = file.reserve(MAGIC.len() as u64);
                file.write(start, &MAGIC)?;
                Ok(file)
            }
        }
    }

    /// Opens a file of an earlier process; free space begins at `end`.
    pub(super) fn open(workspace: &'w Workspace, path: PathBuf, end: u64) -> Result<ScratchFile<'w>, StoreError> {
        match OpenOptions::new().read(true).write(true).open(&path) {
            Err(source) => Err(StoreError::Read { path, source }),
            Ok(file) => {
                let file = PositionedFile::new(file);
                let file = ScratchFile { workspace, path, file, end: AtomicU64::new(end), written: AtomicU64::new(0) };
                file.check_magic()?;
                file.count(end);
                Ok(file)
            }
        }
    }

    /// Makes sure that all that was written is on the disk.
    pub(super) fn sync(&self) -> Result<(), StoreError> {
        self.file.sync().map_err(|source| StoreError::Write { path: self.path.clone(), source })
    }

    /// Returns the name of the file in its directory.
    pub(super) fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Counts bytes as lying on the disk.
    fn count(&self, len: u64) {
        self.written.fetch_add(len, Ordering::Relaxed);
        let on_disk = self.workspace.on_disk.fetch_add(len, Ordering::Relaxed) + len;
        self.workspace.most_on_disk.fetch_max(on_disk, Ordering::Relaxed);
    }

    /// Returns the workspace that the file belongs to.
    pub(super) fn workspace(&self) -> &'w Workspace {
        self.workspace
    }

    /// Sets `bytes` of the file aside and returns where they begin.
    pub(super) fn reserve(&self, bytes: u64) -> u64 {
        self.end.fetch_add(bytes, Ordering::Relaxed)
    }

    /// Writes at a place that was reserved.
    pub(super) fn write(&self, at: u64, bytes: &[u8]) -> Result<(), StoreError> {
        self.count(bytes.len() as u64);
        self.workspace.spilled.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        self.file.write_all_at(bytes, at).map_err(|source| StoreError::Write { path: self.path.clone(), source })
    }

    /// Fills `bytes` from a place that was written.
    pub(super) fn read(&self, at: u64, bytes: &mut [u8]) -> Result<(), StoreError> {
        self.file.read_exact_at(bytes, at).map_err(|source| StoreError::Read { path: self.path.clone(), source })
    }

    /// Checks that the file is one of ours and of this version.
    pub(super) fn check_magic(&self) -> Result<(), StoreError> {
        let mut found = MAGIC;
        self.read(0, &mut found)?;
        if found == MAGIC {
            Ok(())
        } else {
            Err(self.damaged(format!("expected to begin with {MAGIC:?}, found {found:?}")))
        }
    }

    /// Returns the error that the file does not hold what was written to it.
    pub(super) fn damaged(&self, what: String) -> StoreError {
        StoreError::Damaged { path: self.path.clone(), what }
    }
}

impl Drop for ScratchFile<'_> {
    fn drop(&mut self) {
        self.workspace.on_disk.fetch_sub(*self.written.get_mut(), Ordering::Relaxed);
        if let Some(ledger) = &self.workspace.ledger {
            return ledger.drop_file(std::mem::take(&mut self.path));
        }
        // What cannot be removed here goes with the workspace's directory.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Returns the checksum of bytes written at a place, so that bytes of another place do not pass for them.
pub(super) fn checksum(at: u64, bytes: &[u8]) -> u64 {
    hash64(bytes) ^ crate::hash::mix64(at)
}

/// A file that is read and written at positions.
#[cfg(unix)]
#[derive(Debug)]
struct PositionedFile(File);

#[cfg(unix)]
impl PositionedFile {
    fn new(file: File) -> PositionedFile {
        PositionedFile(file)
    }

    fn write_all_at(&self, bytes: &[u8], at: u64) -> std::io::Result<()> {
        std::os::unix::fs::FileExt::write_all_at(&self.0, bytes, at)
    }

    fn read_exact_at(&self, bytes: &mut [u8], at: u64) -> std::io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(&self.0, bytes, at)
    }

    fn sync(&self) -> std::io::Result<()> {
        self.0.sync_data()
    }
}

/// A file that is read and written at positions, one call at a time.
#[cfg(not(unix))]
#[derive(Debug)]
struct PositionedFile(std::sync::Mutex<File>);

#[cfg(not(unix))]
impl PositionedFile {
    fn new(file: File) -> PositionedFile {
        PositionedFile(std::sync::Mutex::new(file))
    }

    fn write_all_at(&self, bytes: &[u8], at: u64) -> std::io::Result<()> {
        use std::io::{Seek, SeekFrom, Write};
        let mut file = self.0.lock().expect("no holder panics");
        file.seek(SeekFrom::Start(at))?;
        file.write_all(bytes)
    }

    fn read_exact_at(&self, bytes: &mut [u8], at: u64) -> std::io::Result<()> {
        use std::io::{Read, Seek, SeekFrom};
        let mut file = self.0.lock().expect("no holder panics");
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(bytes)
    }

    fn sync(&self) -> std::io::Result<()> {
        self.0.lock().expect("no holder panics").sync_data()
    }
}
