//! Where the bytes of an input are: the one place that decides how they come to be read.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use crate::files::part::unpack_part;
use crate::files::{FileError, InputReader, Part, unpack};
use crate::remote::{Object, ObjectRanges};

/// Where the bytes of an input are.
#[derive(Clone, Debug)]
pub enum Place {
    /// In a file.
    File(PathBuf),
    /// In an object, which is read where it is.
    Object(Arc<Object>),
    /// In an object that was copied whole to a scratch file.
    Copy {
        /// The scratch file.
        path: PathBuf,
        /// What it is a copy of.
        of: Arc<Object>,
    },
}

impl Place {
    /// Opens it as [`crate::files::open`] opens a file.
    ///
    /// # Errors
    /// If it cannot be opened or its first bytes cannot be read.
    pub fn open(&self, memory_bytes: u64) -> Result<InputReader, FileError> {
        let packed = self.read(0, u64::MAX).map_err(self.failed())?;
        let reader = unpack(packed, memory_bytes).map_err(self.failed())?;
        Ok(reader.which_is_in(self))
    }

    /// Opens a part of it: what that unpacks to may itself be packed.
    ///
    /// # Errors
    /// If it cannot be opened, or the first bytes of the part cannot be read.
    pub fn open_part(&self, part: &Part, memory_bytes: u64) -> Result<InputReader, FileError> {
        let packed = self.read(part.offset, part.bytes).map_err(self.failed())?;
        unpack_part(packed, part, memory_bytes).map_err(self.failed())
    }

    /// Reads its bytes as they are, from one on, at most so many.
    pub(super) fn read(&self, offset: u64, most_bytes: u64) -> io::Result<Box<dyn Read + Send>> {
        match self {
            Place::File(path) | Place::Copy { path, .. } => {
                let mut file = File::open(path)?;
                if offset > 0 {
                    file.seek(SeekFrom::Start(offset))?;
                }
                Ok(if most_bytes == u64::MAX { Box::new(file) } else { Box::new(file.take(most_bytes)) })
            }
            Place::Object(object) => Ok(Box::new(object.read(offset..offset.saturating_add(most_bytes)))),
        }
    }

    /// Opens it to be read back and forth.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub fn ranges(&self) -> io::Result<Ranges> {
        Ok(match self {
            Place::File(path) | Place::Copy { path, .. } => Ranges::File(Arc::new(File::open(path)?)),
            Place::Object(object) => Ranges::Object(Arc::new(object.ranges())),
        })
    }

    /// Returns its length.
    ///
    /// # Errors
    /// If it is a file that is gone.
    pub fn bytes(&self) -> io::Result<u64> {
        match self {
            Place::File(path) | Place::Copy { path, .. } => Ok(std::fs::metadata(path)?.len()),
            Place::Object(object) => Ok(object.bytes()),
        }
    }

    /// Returns the object whose bytes they are.
    pub fn object(&self) -> Option<&Arc<Object>> {
        match self {
            Place::File(_) => None,
            Place::Object(object) | Place::Copy { of: object, .. } => Some(object),
        }
    }

    /// Returns what tells this version of it from others, in words; none: it can be read only once.
    pub fn version(&self, bytes: u64, modified: Option<SystemTime>) -> Option<String> {
        match self.object() {
            Some(object) => Some(object.version()),
            None => {
                let modified = jiff::Timestamp::try_from(modified?).unwrap_or_default();
                Some(format!("{bytes} bytes, changed {modified}"))
            }
        }
    }

    /// Returns the path of the file, links resolved; none: it is no file of people's, or is gone.
    pub fn canonical(&self) -> Option<PathBuf> {
        match self {
            Place::File(path) => path.canonicalize().ok(),
            Place::Object(_) | Place::Copy { .. } => None,
        }
    }

    /// Returns the path or address that people know it by.
    pub fn shown(&self) -> PathBuf {
        match self {
            Place::File(path) => path.clone(),
            Place::Object(object) | Place::Copy { of: object, .. } => object.address().to_path(),
        }
    }

    fn failed(&self) -> impl FnOnce(io::Error) -> FileError + '_ {
        |source| FileError::Read { path: self.shown(), source }
    }
}

impl From<&Path> for Place {
    fn from(path: &Path) -> Place {
        Place::File(path.to_owned())
    }
}

/// Something that is read back and forth. A clone shares what it holds of it.
#[derive(Clone, Debug)]
pub enum Ranges {
    /// A file.
    File(Arc<File>),
    /// An object.
    Object(Arc<ObjectRanges>),
}

/// [`Ranges`] as one reader with a place in them; reads of some length are cheaper than many short ones.
#[derive(Debug)]
pub struct Seeker {
    ranges: Ranges,
    at: u64,
}

impl Ranges {
    /// Reads it from its beginning, back and forth.
    pub fn seeker(self) -> Seeker {
        Seeker { ranges: self, at: 0 }
    }

    /// Returns its length.
    pub fn bytes(&self) -> u64 {
        match self {
            Ranges::File(file) => file.metadata().map_or(0, |metadata| metadata.len()),
            Ranges::Object(object) => object.bytes(),
        }
    }

    /// Reads from a byte on; of several such readers of a file, only the latest may be used.
    ///
    /// # Errors
    /// If the file cannot be read there.
    pub fn read_from(&self, offset: u64) -> io::Result<Box<dyn Read + Send>> {
        match self {
            Ranges::File(file) => {
                let mut file = file.try_clone()?;
                file.seek(SeekFrom::Start(offset))?;
                Ok(Box::new(BufReader::new(file)))
            }
            Ranges::Object(object) => Ok(Box::new(Onward { object: object.clone(), at: offset })),
        }
    }

    /// Reads some bytes, fewer where it ends before.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn read_at(&self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        match self {
            Ranges::File(file) => {
                let mut file = file.try_clone()?;
                file.seek(SeekFrom::Start(offset))?;
                let mut bytes = Vec::with_capacity(length.min(usize::try_from(self.bytes()).unwrap_or(length)));
                file.take(length as u64).read_to_end(&mut bytes)?;
                Ok(bytes)
            }
            Ranges::Object(object) => object.read_at(offset, length),
        }
    }
}

impl Read for Seeker {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let bytes = self.ranges.read_at(self.at, out.len())?;
        out[..bytes.len()].copy_from_slice(&bytes);
        self.at += bytes.len() as u64;
        Ok(bytes.len())
    }
}

impl Seek for Seeker {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let (from, by) = match to {
            SeekFrom::Start(at) => (at, 0),
            SeekFrom::End(by) => (self.ranges.bytes(), by),
            SeekFrom::Current(by) => (self.at, by),
        };
        self.at = from.checked_add_signed(by).ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

/// An object from a byte on.
struct Onward {
    object: Arc<ObjectRanges>,
    at: u64,
}

impl Read for Onward {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let bytes = self.object.read_at(self.at, out.len())?;
        out[..bytes.len()].copy_from_slice(&bytes);
        self.at += bytes.len() as u64;
        Ok(bytes.len())
    }
}
