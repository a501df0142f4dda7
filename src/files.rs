//! Files at the edge: opened through their compression, written so that a result appears whole or not at all.
//!
//! Knows no documents and no containers: bytes, names and directories alone.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufReader, Cursor, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes read from a file at once: past this size a system call costs nothing beside the copy.
const READ_BYTES: usize = 256 << 10;

/// The file in a scratch output directory that says that we made it.
const MARKER: &str = ".retold-partial";

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

/// Suffixes of packed files.
const SUFFIXES: [(&str, Compression); 4] =
    [(".gz", Compression::Gzip), (".zst", Compression::Zstd), (".bz2", Compression::Bzip2), (".xz", Compression::Xz)];

/// What follows the four bytes that a bzip2 stream begins with: a block, or the end. A text may begin with those four.
const BZIP2_BLOCKS: [[u8; 6]; 2] = [[0x31, 0x41, 0x59, 0x26, 0x53, 0x59], [0x17, 0x72, 0x45, 0x38, 0x50, 0x90]];

/// Memory that unpacking xz may take whatever the bound: what its default settings need.
const XZ_BYTES: u64 = 16 << 20;

/// How a file's bytes are packed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    #[default]
    Plain,
    /// One or more gzip members.
    Gzip,
    /// One or more Zstandard frames.
    Zstd,
    /// One or more bzip2 streams.
    Bzip2,
    /// One or more xz streams.
    Xz,
}

impl Compression {
    /// Bytes that are enough for [`Compression::of_magic`].
    pub const MAGIC_BYTES: usize = 10;

    /// Returns what a file's first bytes say.
    ///
    /// # Source
    /// RFC 1952 (gzip); RFC 8878 (Zstandard), whose skippable frames may stand before the first frame with data; the
    /// descriptions of bzip2 and xz.
    pub fn of_magic(head: &[u8]) -> Compression {
        match head {
            [0x1f, 0x8b, ..] => Compression::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Compression::Zstd,
            [b'B', b'Z', b'h', b'1'..=b'9', block @ ..]
                if BZIP2_BLOCKS.iter().any(|magic| block.starts_with(magic)) =>
            {
                Compression::Bzip2
            }
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Compression::Xz,
            _ => Compression::Plain,
        }
    }

    /// Returns what a file's name says, and the name without the suffix that says it.
    pub fn of_name(name: &str) -> (Compression, &str) {
        for (suffix, compression) in SUFFIXES {
            let cut = name.len().saturating_sub(suffix.len());
            if name.is_char_boundary(cut) && cut > 0 && name[cut..].eq_ignore_ascii_case(suffix) {
                return (compression, &name[..cut]);
            }
        }
        (Compression::Plain, name)
    }

    /// Returns the format's name, for messages.
    pub fn name(self) -> &'static str {
        match self {
            Compression::Plain => "plain",
            Compression::Gzip => "gzip",
            Compression::Zstd => "Zstandard",
            Compression::Bzip2 => "bzip2",
            Compression::Xz => "xz",
        }
    }

    /// Packs `bytes` as one member or frame, at the format's usual level. Members of one file can be packed in parallel
    /// and written one after another.
    pub fn pack(self, bytes: Vec<u8>) -> io::Result<Vec<u8>> {
        match self {
            Compression::Plain => Ok(bytes),
            Compression::Gzip => {
                let room = Vec::with_capacity(bytes.len() / 2);
                let mut encoder = flate2::write::GzEncoder::new(room, flate2::Compression::default());
                encoder.write_all(&bytes)?;
                encoder.finish()
            }
            Compression::Zstd => zstd::stream::encode_all(&bytes[..], zstd::DEFAULT_COMPRESSION_LEVEL),
            Compression::Bzip2 => {
                let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::best());
                encoder.write_all(&bytes)?;
                encoder.finish()
            }
            Compression::Xz => {
                let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 6);
                encoder.write_all(&bytes)?;
                encoder.finish()
            }
        }
    }
}

/// A file being read, unpacked on the way.
pub struct InputReader {
    reader: Box<dyn Read + Send>,
    compression: Compression,
    packed_bytes: Arc<AtomicU64>,
    /// The path of a plain file, for a jump in it.
    plain: Option<PathBuf>,
}

impl InputReader {
    /// Returns how the file was packed.
    pub fn compression(&self) -> Compression {
        self.compression
    }

    /// Goes on by so many unpacked bytes: in a plain file that was just opened by a jump, else by unpacking them.
    ///
    /// # Errors
    /// If the file cannot be read or ends before.
    pub fn skip(&mut self, bytes: u64) -> io::Result<()> {
        if let Some(path) = self.plain.take() {
            let mut file = File::open(path)?;
            if file.metadata()?.len() < bytes {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            file.seek(io::SeekFrom::Start(bytes))?;
            self.packed_bytes.store(bytes, Ordering::Relaxed);
            self.reader = Box::new(Counted { reader: file, count: self.packed_bytes.clone() });
            return Ok(());
        }
        let skipped = io::copy(&mut self.reader.by_ref().take(bytes), &mut io::sink())?;
        if skipped == bytes { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }

    /// Returns how many bytes of the file, as it is packed, were read so far.
    pub fn packed_bytes(&self) -> u64 {
        self.packed_bytes.load(Ordering::Relaxed)
    }
}

/// Counts what is read through it.
struct Counted<R> {
    reader: R,
    count: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(out)?;
        self.count.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

impl Read for InputReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.reader.read(out)
    }
}

/// Opens a file, unpacking gzip, Zstandard, bzip2 and xz (any number of members, frames or streams) as its first bytes
/// say.
///
/// `memory_bytes` bounds the window of a Zstandard frame, up to the format's 2³¹ bytes: a frame that needs more fails to
/// read. Windows up to 8 MiB, which every decoder must support, are read whatever the bound.
///
/// # Errors
/// If the file cannot be opened or its first bytes cannot be read.
pub fn open(path: &Path, memory_bytes: u64) -> Result<InputReader, FileError> {
    let file = File::open(path).map_err(FileError::read(path))?;
    let mut reader = unpack(file, memory_bytes).map_err(FileError::read(path))?;
    reader.plain = (reader.compression == Compression::Plain).then(|| path.to_owned());
    Ok(reader)
}

/// Reads any stream as [`open`] reads a file.
///
/// # Errors
/// If its first bytes cannot be read.
pub fn unpack(packed: impl Read + Send + 'static, memory_bytes: u64) -> io::Result<InputReader> {
    let packed_bytes = Arc::new(AtomicU64::new(0));
    let mut packed = Counted { reader: packed, count: packed_bytes.clone() };
    let mut head = [0; Compression::MAGIC_BYTES];
    let mut filled = 0;
    while filled < head.len() {
        match packed.read(&mut head[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let compression = Compression::of_magic(&head[..filled]);
    let whole = Cursor::new(head).take(filled as u64).chain(packed);
    let reader: Box<dyn Read + Send> = match compression {
        Compression::Plain => Box::new(whole),
        Compression::Gzip => {
            Box::new(flate2::bufread::MultiGzDecoder::new(BufReader::with_capacity(READ_BYTES, whole)))
        }
        Compression::Zstd => {
            let mut decoder = zstd::Decoder::with_buffer(BufReader::with_capacity(READ_BYTES, whole))?;
            decoder.window_log_max(memory_bytes.max(1).ilog2().clamp(23, 31))?;
            Box::new(decoder)
        }
        Compression::Bzip2 => {
            Box::new(bzip2::bufread::MultiBzDecoder::new(BufReader::with_capacity(READ_BYTES, whole)))
        }
        Compression::Xz => {
            let stream =
                liblzma::stream::Stream::new_stream_decoder(memory_bytes.max(XZ_BYTES), liblzma::stream::CONCATENATED)?;
            Box::new(liblzma::bufread::XzDecoder::new_stream(BufReader::with_capacity(READ_BYTES, whole), stream))
        }
    };
    Ok(InputReader { reader, compression, packed_bytes, plain: None })
}

/// Returns whether a directory is an output of this program: it holds a `summary.json` with the key `retold`.
pub fn is_ours(directory: &Path) -> bool {
    let Ok(file) = File::open(directory.join("summary.json")) else { return false };
    #[derive(serde::Deserialize)]
    struct Marker {
        #[serde(rename = "retold")]
        _retold: serde::de::IgnoredAny,
    }
    serde_json::from_reader::<_, Marker>(BufReader::new(file)).is_ok()
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

/// Returns `path` with `suffix` added to its name.
fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
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

    fn read(path: &Path) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        open(path, 64 << 20).expect("the test wrote it").read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    #[test]
    fn joined_members_and_frames_are_read_to_the_end() {
        let directory = tempfile::tempdir().unwrap();
        for (_, compression) in SUFFIXES.into_iter().chain([("", Compression::Plain)]) {
            let path = directory.path().join(compression.name());
            let mut bytes = compression.pack(b"one ".to_vec()).unwrap();
            bytes.extend(compression.pack(b"two".to_vec()).unwrap());
            fs::write(&path, bytes).unwrap();
            assert_eq!(read(&path).unwrap(), b"one two");
            assert_eq!(open(&path, 0).unwrap().compression(), compression);
        }
    }

    #[test]
    fn long_zstandard_windows_are_read_within_the_memory_given() {
        let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
        encoder.window_log(27).unwrap();
        encoder.write_all(b"a long window").unwrap();
        let packed = encoder.finish().unwrap();
        let unpacked = |memory| {
            let mut bytes = Vec::new();
            unpack(Cursor::new(packed.clone()), memory).unwrap().read_to_end(&mut bytes).map(|_| bytes)
        };
        assert_eq!(unpacked(1 << 27).unwrap(), b"a long window");
        assert!(unpacked(1 << 26).is_err());
    }

    #[test]
    fn a_torn_file_gives_what_stands_before_the_tear_and_then_an_error() {
        let text: Vec<u8> = (0..200_000_u32).flat_map(|n| (n.wrapping_mul(0x9e37_79b9) >> 8).to_le_bytes()).collect();
        for (_, compression) in SUFFIXES {
            let mut packed = compression.pack(text.clone()).unwrap();
            packed.truncate(packed.len() / 2);
            let mut bytes = Vec::new();
            assert!(unpack(Cursor::new(packed), 0).unwrap().read_to_end(&mut bytes).is_err());
            // A stream of bzip2 comes in blocks of 900 KB, all or nothing.
            assert!(text.starts_with(&bytes) && (!bytes.is_empty() || compression == Compression::Bzip2));
        }
    }

    #[test]
    fn suffixes_are_told_from_names() {
        assert_eq!(Compression::of_name("a.jsonl.GZ"), (Compression::Gzip, "a.jsonl"));
        assert_eq!(Compression::of_name("a.zst"), (Compression::Zstd, "a"));
        assert_eq!(Compression::of_name("é"), (Compression::Plain, "é"));
        assert_eq!(Compression::of_name(".gz"), (Compression::Plain, ".gz"));
    }

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
