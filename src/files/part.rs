//! Parts of files: members of archives, each packed by itself.

use std::io::{self, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use crate::files::packed::{Counted, window_log};
use crate::files::{InputReader, READ_BYTES, unpack};

/// How a part is packed by the archive it stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// Not at all.
    Stored,
    /// By deflate, without a header.
    Deflated,
    /// As Zstandard frames.
    Zstd,
}

/// A part of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its first byte.
    pub offset: u64,
    /// Its length as packed.
    pub bytes: u64,
    /// How it is packed.
    pub packing: Packing,
    /// The CRC-32 of what it unpacks to, when that is known: another one is an error at the end.
    pub checksum: Option<u32>,
}

/// Reads the bytes of a part as [`crate::files::open`] reads a file: what they unpack to may itself be packed.
pub(super) fn unpack_part(
    packed: impl Read + Send + 'static,
    part: &Part,
    memory_bytes: u64,
) -> io::Result<InputReader> {
    let count = Arc::new(AtomicU64::new(0));
    let packed = Counted { reader: packed, count: count.clone() };
    let packed = BufReader::with_capacity(READ_BYTES, packed);
    let reader: Box<dyn Read + Send> = match part.packing {
        Packing::Stored => Box::new(packed),
        Packing::Deflated => Box::new(flate2::bufread::DeflateDecoder::new(packed)),
        Packing::Zstd => {
            let mut decoder = zstd::Decoder::with_buffer(packed)?;
            decoder.window_log_max(window_log(memory_bytes))?;
            Box::new(decoder)
        }
    };
    let is_stored = part.packing == Packing::Stored;
    let checked =
        Checked { reader, found: flate2::Crc::new(), checksum: part.checksum, bytes: is_stored.then_some(part.bytes) };
    Ok(unpack(checked, memory_bytes)?.counted_by(count, !is_stored))
}

/// Compares checksum and length of what is read through it with those that are known.
struct Checked<R> {
    reader: R,
    found: flate2::Crc,
    checksum: Option<u32>,
    /// Bytes that are still to come, where that is known.
    bytes: Option<u64>,
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(out)?;
        if self.checksum.is_some() {
            self.found.update(&out[..read]);
        }
        self.bytes = self.bytes.map(|left| left.saturating_sub(read as u64));
        if read > 0 || out.is_empty() {
            return Ok(read);
        }
        if self.bytes.is_some_and(|left| left > 0) {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "its archive ends before it does"));
        }
        if self.checksum.is_some_and(|expected| expected != self.found.sum()) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "its checksum is another than its archive says"));
        }
        Ok(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::{FileError, Place};
    use std::io::Write;

    #[test]
    fn a_part_is_read_as_a_file_is_and_checked() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("archive");
        let place = Place::File(path.clone());
        let mut deflate = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
        deflate.write_all(b"what is said").unwrap();
        let packings = [
            (Packing::Stored, b"what is said".to_vec()),
            (Packing::Deflated, deflate.finish().unwrap()),
            (Packing::Zstd, zstd::encode_all(&b"what is said"[..], 1).unwrap()),
        ];
        let mut crc = flate2::Crc::new();
        crc.update(b"what is said");
        for (packing, bytes) in packings {
            std::fs::write(&path, [b"before", &bytes[..], b"after"].concat()).unwrap();
            let read = |checksum| {
                let part = Part { offset: 6, bytes: bytes.len() as u64, packing, checksum };
                let mut reader = place.open_part(&part, 1 << 20).unwrap();
                let mut read = Vec::new();
                let result = reader.read_to_end(&mut read).map(|_| read);
                assert_eq!(reader.packed_bytes(), part.bytes);
                result
            };
            assert_eq!(read(None).unwrap(), b"what is said");
            assert_eq!(read(Some(crc.sum())).unwrap(), b"what is said");
            assert!(read(Some(crc.sum() ^ 1)).unwrap_err().to_string().contains("checksum"));
            std::fs::write(&path, [b"before", &bytes[..bytes.len() / 2]].concat()).unwrap();
            let part = Part { offset: 6, bytes: bytes.len() as u64, packing, checksum: None };
            assert!(
                place
                    .open_part(&part, 1 << 20)
                    .and_then(|mut reader| { reader.read_to_end(&mut Vec::new()).map_err(FileError::read(&path)) })
                    .is_err()
            );
        }
    }
}
