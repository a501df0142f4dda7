//! Buffers that chunks are read into, used again.

use std::io::{self, Read};
use std::sync::Mutex;

/// Buffers of chunks that were parsed, for those to come: at most one for every worker and one more.
///
/// Memory that is given back and taken anew for every chunk is cleared by the system every time.
#[derive(Debug, Default)]
pub(crate) struct Buffers(Mutex<Vec<Vec<u8>>>);

/// Bytes of a buffer that is kept at most: records that are far longer than a chunk are rare.
const KEPT_BYTES: usize = 4 << 20;

impl Buffers {
    /// Returns a buffer that holds whatever it held before.
    pub(super) fn take(&self) -> Vec<u8> {
        self.0.lock().expect("no holder panics").pop().unwrap_or_default()
    }

    /// Takes back a buffer that nobody reads any more.
    pub(super) fn give(&self, buffer: Vec<u8>) {
        if buffer.capacity() <= KEPT_BYTES {
            self.0.lock().expect("no holder panics").push(buffer);
        }
    }
}

/// Reads up to `want` bytes behind the first `filled` bytes of a buffer, and cuts it behind what was read; what stood there
/// before does not matter. Fewer bytes are the last.
pub(super) fn fill(reader: &mut impl Read, buffer: &mut Vec<u8>, filled: usize, want: usize) -> io::Result<()> {
    buffer.resize(filled + want, 0);
    let mut end = filled;
    let read = loop {
        match reader.read(&mut buffer[end..]) {
            Ok(0) => break Ok(()),
            Ok(count) => end += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => break Err(error),
        }
        if end == buffer.len() {
            break Ok(());
        }
    };
    buffer.truncate(end);
    read
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_stands_behind_what_is_kept_whatever_stood_there() {
        let mut buffer = b"kept, and something else".to_vec();
        let mut text: &[u8] = b" what is read";
        fill(&mut text, &mut buffer, 4, 5).unwrap();
        assert_eq!(buffer, b"kept what");
        fill(&mut text, &mut buffer, 9, 100).unwrap();
        assert_eq!(buffer, b"kept what is read");
    }

    #[test]
    fn what_stands_before_an_error_is_read() {
        struct Torn;
        impl Read for Torn {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::ErrorKind::UnexpectedEof.into())
            }
        }
        let mut buffer = Vec::new();
        assert!(fill(&mut b"before".chain(Torn), &mut buffer, 0, 100).is_err());
        assert_eq!(buffer, b"before");
    }

    #[test]
    fn a_buffer_is_used_again_unless_it_is_very_long() {
        let buffers = Buffers::default();
        buffers.give(b"old".to_vec());
        buffers.give(Vec::with_capacity(KEPT_BYTES + 1));
        assert_eq!(buffers.take(), b"old");
        assert!(buffers.take().is_empty());
    }
}
