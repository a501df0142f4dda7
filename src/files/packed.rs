//! Files that are read, unpacked on the way, and bytes that are packed.

use std::io::{self, BufReader, Cursor, Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::files::{FileError, Place, READ_BYTES};

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
    /// Whether more may be read from it than its packed bytes.
    is_packed: bool,
    /// Where it is, if it is plain: for a jump in it.
    plain: Option<Place>,
}

impl InputReader {
    /// Returns how the file was packed.
    pub fn compression(&self) -> Compression {
        self.compression
    }

    /// Returns whether it was packed at all, by itself or by an archive that it stands in.
    pub fn is_packed(&self) -> bool {
        self.is_packed
    }

    /// Notes where it is.
    pub(super) fn which_is_in(mut self, place: &Place) -> InputReader {
        self.plain = (self.compression == Compression::Plain).then(|| place.clone());
        self
    }

    /// Has the bytes of a part of a file counted as that is packed.
    pub(super) fn counted_by(self, packed_bytes: Arc<AtomicU64>, is_packed: bool) -> InputReader {
        InputReader { is_packed: self.is_packed || is_packed, packed_bytes, ..self }
    }

    /// Goes on by so many unpacked bytes: in a plain file that was just opened by a jump, else by unpacking them.
    ///
    /// # Errors
    /// If the file cannot be read or ends before.
    pub fn skip(&mut self, bytes: u64) -> io::Result<()> {
        if let Some(place) = self.plain.take() {
            if place.bytes()? < bytes {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let reader = place.read(bytes, u64::MAX)?;
            self.packed_bytes.store(bytes, Ordering::Relaxed);
            self.reader = Box::new(Counted { reader, count: self.packed_bytes.clone() });
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
pub(super) struct Counted<R> {
    pub(super) reader: R,
    pub(super) count: Arc<AtomicU64>,
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
    Place::from(path).open(memory_bytes)
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
            decoder.window_log_max(window_log(memory_bytes))?;
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
    Ok(InputReader { reader, compression, packed_bytes, is_packed: compression != Compression::Plain, plain: None })
}

/// Returns the longest window of a Zstandard frame that is read within this memory, as a power of two.
pub(super) fn window_log(memory_bytes: u64) -> u32 {
    memory_bytes.max(1).ilog2().clamp(23, 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

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
}
