//! A directory of results that appears whole or not at all.

use std::fs::{self, File};
use std::io::{self, BufReader, Write};
use std::path::{Path, PathBuf};

use crate::files::{FileError, READ_BYTES, with_suffix};

/// The file in a scratch output directory that says that we made it.
const MARKER: &str = ".retold-partial";

/// Returns whether a directory is an output of this program: it holds a `summary.json` with the key `retold`.
pub fn is_ours(directory: &Path) -> bool {
    File::open(directory.join("summary.json")).is_ok_and(|file| is_summary(BufReader::new(file)))
}

/// Returns whether a file that is called `summary.json` is one of this program.
pub(crate) fn is_summary(reader: impl io::Read) -> bool {
    #[derive(serde::Deserialize)]
    struct Marker {
        #[serde(rename = "retold")]
        _retold: serde::de::IgnoredAny,
    }
    serde_json::from_reader::<_, Marker>(reader).is_ok()
}

/// A directory of results that appears whole or not at all: filled as `DIR.partial`, and renamed when it is complete.
///
/// Dropped without [`OutputDirectory::commit`], it leaves nothing behind.
#[derive(Debug)]
pub struct OutputDirectory {
    target: PathBuf,
    partial: PathBuf,
    force: bool,
    committed: bool,
    /// Whether what is in it stays for the next run when this one does not come to its end.
    stays: bool,
    /// Locked while the directory is written.
    _marker: File,
}

/// What a marker says of a directory that another run may go on with.
const STAYS: &[u8] = b"resume\n";

/// Where a resumable run keeps what it has finished, below the output directory.
const RESUME: &str = ".retold-resume";

impl OutputDirectory {
    /// Begins the output directory `target`.
    ///
    /// No other run can begin it until this one ends. With `force` an existing one is replaced at the end, if it is ours ([`is_ours`]) or empty. What a killed run left in
    /// `DIR.partial` is removed.
    ///
    /// # Errors
    /// If `target` exists and may not be replaced, if another run is writing it, or if nothing can be written there.
    pub fn create(target: &Path, force: bool) -> Result<OutputDirectory, FileError> {
        OutputDirectory::begin(target, force, false)
    }

    /// Begins the output directory `target`, or goes on with what an interrupted run of this kind left in `DIR.partial`:
    /// unless it comes to its end, this one leaves it there too.
    ///
    /// # Errors
    /// As [`OutputDirectory::create`].
    pub fn resume(target: &Path, force: bool) -> Result<OutputDirectory, FileError> {
        OutputDirectory::begin(target, force, true)
    }

    fn begin(target: &Path, force: bool, stays: bool) -> Result<OutputDirectory, FileError> {
        let target = match target.components().next_back() {
            Some(std::path::Component::Normal(_)) => target.components().collect::<PathBuf>(),
            // `.`, `..` and a trailing `/..` have no name to add `.partial` to.
            _ => target.canonicalize().map_err(FileError::write(target))?,
        };
        if fs::symlink_metadata(&target).is_ok() {
            let empty = fs::read_dir(&target).is_ok_and(|mut entries| entries.next().is_none());
            if stays && is_ours(&target) {
                // Killed when all was done but this.
                let _ = fs::remove_dir_all(target.join(RESUME));
            }
            if !force && !empty {
                return Err(FileError::Exists { path: target });
            }
            if !empty && !is_ours(&target) {
                return Err(FileError::NotOurs { path: target });
            }
        }
        let partial = with_suffix(&target, ".partial");
        if fs::symlink_metadata(&partial).is_ok() {
            if !partial.join(MARKER).is_file() {
                return Err(FileError::NotOurs { path: partial });
            }
            let marker = lock(&partial, &target)?;
            if stays && fs::read(partial.join(MARKER)).is_ok_and(|said| said == STAYS) {
                return Ok(OutputDirectory { target, partial, force, committed: false, stays, _marker: marker });
            }
            fs::remove_dir_all(&partial).map_err(FileError::write(&partial))?;
        }
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent).map_err(FileError::write(parent))?;
        }
        fs::create_dir(&partial).map_err(FileError::write(&partial))?;
        let marker = match lock(&partial, &target) {
            Ok(marker) => marker,
            Err(error) => {
                // Nobody else was here a moment ago, so what is here is ours.
                let _ = fs::remove_dir(&partial);
                return Err(error);
            }
        };
        if stays {
            (&marker).write_all(STAYS).map_err(FileError::write(&partial))?;
        }
        Ok(OutputDirectory { target, partial, force, committed: false, stays, _marker: marker })
    }

    /// Returns whether there is anything in it that another run could go on with.
    fn holds_something(&self) -> bool {
        let mut entries = fs::read_dir(&self.partial).into_iter().flatten().flatten();
        let is_something = |entry: fs::DirEntry| {
            entry.file_name() != MARKER && entry.metadata().is_ok_and(|entry| entry.is_dir() || entry.len() > 0)
        };
        entries.any(is_something)
    }

    /// Returns where a resumable run keeps what it has finished; it goes when the directory appears.
    pub fn resume_path(&self) -> PathBuf {
        self.partial.join(RESUME)
    }

    /// Returns the directory's path while it is being filled.
    pub fn path(&self) -> &Path {
        &self.partial
    }

    /// Returns the path that it will have.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// Creates a file in it, with the directories that `relative` names.
    ///
    /// # Errors
    /// If it cannot be created, or is there already.
    pub fn create_file(&self, relative: &Path) -> Result<OutputFile, FileError> {
        let path = self.partial.join(relative);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(FileError::write(parent))?;
        }
        // What an interrupted run left of it is written anew.
        let file = if self.stays { File::create(&path) } else { File::create_new(&path) };
        let file = file.map_err(FileError::write(&path))?;
        Ok(OutputFile { writer: io::BufWriter::with_capacity(READ_BYTES, file), path })
    }

    /// Makes sure that everything in the directory is on the disk, and makes it appear under its name.
    ///
    /// # Errors
    /// If the directory cannot be renamed. Then what was at its place before is still there.
    pub fn commit(mut self) -> Result<(), FileError> {
        let marker = self.partial.join(MARKER);
        fs::remove_file(&marker).map_err(FileError::write(&marker))?;
        sync_tree(&self.partial)?;
        let old = with_suffix(&self.target, ".replaced.partial");
        let replaces = self.force && fs::symlink_metadata(&self.target).is_ok();
        if replaces {
            if fs::symlink_metadata(&old).is_ok() {
                fs::remove_dir_all(&old).map_err(FileError::write(&old))?;
            }
            fs::rename(&self.target, &old).map_err(FileError::write(&self.target))?;
        }
        if let Err(source) = fs::rename(&self.partial, &self.target) {
            if replaces {
                // The first failure is the one to tell; this only undoes what went before it.
                let _ = fs::rename(&old, &self.target);
            }
            return Err(FileError::Write { path: self.target.clone(), source });
        }
        self.committed = true;
        let resume = self.target.join(RESUME);
        if self.stays && resume.is_dir() {
            fs::remove_dir_all(&resume).map_err(FileError::write(&resume))?;
        }
        if let Some(parent) = self.target.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            sync_directory(parent)?;
        }
        if replaces {
            fs::remove_dir_all(&old).map_err(FileError::write(&old))?;
        }
        Ok(())
    }
}

impl Drop for OutputDirectory {
    fn drop(&mut self) {
        let is_wanted = self.committed || (self.stays && self.holds_something());
        if !is_wanted {
            // Nobody is left to tell; the next run removes what stays.
            let _ = fs::remove_dir_all(&self.partial);
        }
    }
}

/// A file of an [`OutputDirectory`], written through a large buffer.
#[derive(Debug)]
pub struct OutputFile {
    writer: io::BufWriter<File>,
    path: PathBuf,
}

impl OutputFile {
    /// Writes `bytes`.
    ///
    /// # Errors
    /// If they cannot be written, as on a full disk.
    pub fn put(&mut self, bytes: &[u8]) -> Result<(), FileError> {
        self.writer.write_all(bytes).map_err(FileError::write(&self.path))
    }

    /// Ends the file. [`OutputDirectory::commit`] makes sure that it is on the disk.
    ///
    /// # Errors
    /// If the rest cannot be written.
    pub fn finish(mut self) -> Result<(), FileError> {
        self.writer.flush().map_err(FileError::write(&self.path))
    }
}

impl Write for OutputFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// Locks the marker of a directory that is being filled, creating it when it is not there.
fn lock(partial: &Path, target: &Path) -> Result<File, FileError> {
    let path = partial.join(MARKER);
    let marker = File::options().create(true).truncate(false).read(true).write(true).open(&path);
    let marker = marker.map_err(FileError::write(&path))?;
    match marker.try_lock() {
        Err(fs::TryLockError::WouldBlock) => Err(FileError::InUse { path: target.to_owned() }),
        // Where files cannot be locked, people see to it that two runs do not meet.
        Ok(()) | Err(fs::TryLockError::Error(_)) => Ok(marker),
    }
}

/// Syncs waited for at once. They wait for the disk and not for a processor, and the file system joins their commits.
const SYNCS: usize = 16;

/// Makes sure that a directory and all in it are on the disk.
fn sync_tree(root: &Path) -> Result<(), FileError> {
    let mut directories = vec![root.to_owned()];
    let mut files = Vec::new();
    let mut next = 0;
    while let Some(directory) = directories.get(next).cloned() {
        for entry in fs::read_dir(&directory).map_err(FileError::write(&directory))? {
            let entry = entry.map_err(FileError::write(&directory))?;
            let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if entry.file_name() == RESUME {
                continue;
            }
            if is_directory { directories.push(entry.path()) } else { files.push(entry.path()) }
        }
        next += 1;
    }
    let sync = |path: &PathBuf| {
        File::options().append(true).open(path).and_then(|file| file.sync_data()).map_err(FileError::write(path))
    };
    std::thread::scope(|scope| {
        let parts: Vec<_> = files
            .chunks(files.len().div_ceil(SYNCS).max(1))
            .map(|part| scope.spawn(move || part.iter().try_for_each(sync)))
            .collect();
        parts.into_iter().try_for_each(|part| part.join().expect("syncing does not panic"))
    })?;
    directories.iter().try_for_each(|directory| sync_directory(directory))
}

/// Makes a directory's entries last. Where directories cannot be opened (Windows), renames last by themselves.
fn sync_directory(path: &Path) -> Result<(), FileError> {
    if cfg!(unix) { File::open(path).and_then(|file| file.sync_all()).map_err(FileError::write(path)) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_output_directory_appears_whole_or_not_at_all() {
        let root = tempfile::tempdir().unwrap();
        let target = root.path().join("deep/out");
        let directory = OutputDirectory::create(&target, false).unwrap();
        let mut file = directory.create_file(Path::new("sub/a.txt")).unwrap();
        file.put(b"a").unwrap();
        file.finish().unwrap();
        assert!(!target.exists());
        drop(directory);
        assert_eq!(fs::read_dir(root.path().join("deep")).unwrap().count(), 0);

        let directory = OutputDirectory::create(&target, false).unwrap();
        directory.create_file(Path::new("summary.json")).unwrap().put(b"{\"retold\":{}}").unwrap();
        directory.commit().unwrap();
        let names: Vec<_> = fs::read_dir(&target).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["summary.json"]);
    }

    #[test]
    fn only_our_own_directories_are_replaced() {
        let root = tempfile::tempdir().unwrap();
        let target = root.path().join("out");
        fs::create_dir(&target).unwrap();
        fs::write(target.join("thesis.txt"), "years of work").unwrap();
        assert!(matches!(OutputDirectory::create(&target, false), Err(FileError::Exists { .. })));
        assert!(matches!(OutputDirectory::create(&target, true), Err(FileError::NotOurs { .. })));
        fs::write(target.join("summary.json"), "{\"other\": 1}").unwrap();
        assert!(matches!(OutputDirectory::create(&target, true), Err(FileError::NotOurs { .. })));
        fs::write(target.join("summary.json"), "{\"retold\": \"0.1.0\"}").unwrap();
        OutputDirectory::create(&target, true).unwrap().commit().unwrap();
        assert!(!target.join("thesis.txt").exists());
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_directory_is_written_by_one_run_at_a_time() {
        let root = tempfile::tempdir().unwrap();
        let target = root.path().join("out");
        let first = OutputDirectory::create(&target, false).unwrap();
        assert!(matches!(OutputDirectory::create(&target, false), Err(FileError::InUse { .. })));
        assert!(matches!(OutputDirectory::resume(&target, true), Err(FileError::InUse { .. })));
        assert!(first.path().exists());
        drop(first);
        OutputDirectory::create(&target, false).unwrap();
    }

    #[test]
    fn what_can_be_gone_on_with_stays_until_the_end() {
        let root = tempfile::tempdir().unwrap();
        let target = root.path().join("out");
        let first = OutputDirectory::resume(&target, false).unwrap();
        fs::create_dir(first.resume_path()).unwrap();
        fs::write(first.resume_path().join("bands-0"), "sealed").unwrap();
        drop(first);
        let second = OutputDirectory::resume(&target, false).unwrap();
        assert!(second.resume_path().join("bands-0").is_file());
        second.create_file(Path::new("summary.json")).unwrap().put(b"{\"retold\":{}}").unwrap();
        second.commit().unwrap();
        let names: Vec<_> = fs::read_dir(&target).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["summary.json"]);

        // A run that is not to be gone on with leaves nothing to one that is.
        let other = root.path().join("other");
        let partial = root.path().join("other.partial");
        fs::create_dir(&partial).unwrap();
        fs::write(partial.join(MARKER), "").unwrap();
        fs::write(partial.join("half.jsonl"), "half a table").unwrap();
        let resumed = OutputDirectory::resume(&other, false).unwrap();
        assert!(!resumed.path().join("half.jsonl").exists());
    }

    #[test]
    fn what_a_killed_run_left_is_removed_and_what_others_left_is_not() {
        let root = tempfile::tempdir().unwrap();
        let target = root.path().join("out");
        fs::create_dir(root.path().join("out.partial")).unwrap();
        fs::write(root.path().join("out.partial").join(MARKER), "").unwrap();
        OutputDirectory::create(&target, false).unwrap();
        fs::create_dir(root.path().join("out.partial")).unwrap();
        assert!(matches!(OutputDirectory::create(&target, false), Err(FileError::NotOurs { .. })));
    }
}
