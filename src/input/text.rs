//! One file, one document.

use std::io::Read;

use crate::document::Skipped;
use crate::files;
use crate::input::InputFile;
use crate::input::chunk::open_input;

/// A text file as read.
pub(crate) struct TextFile {
    /// Its bytes, unpacked.
    pub bytes: Vec<u8>,
    /// How they were packed.
    pub compression: files::Compression,
    /// What is wrong with what follows them: a tear.
    pub torn: Option<Skipped>,
}

/// Reads a text file whole.
///
/// Of a torn one, what stands before the tear is its text. A file whose text would not fit in memory (`limit_bytes`) is
/// skipped before more than that is read.
pub(crate) fn read(file: &InputFile, memory_bytes: u64, limit_bytes: u64) -> Result<TextFile, Skipped> {
    let mut reader = open_input(file, memory_bytes)?;
    let mut bytes = Vec::with_capacity(usize::try_from(file.bytes.min(limit_bytes)).unwrap_or(0) + 1);
    let result = reader.by_ref().take(limit_bytes + 1).read_to_end(&mut bytes);
    if bytes.len() as u64 > limit_bytes {
        return Err(file.skipped(
            None,
            None,
            format!("one text of more than {} MiB does not fit in the memory given", limit_bytes >> 20),
            Some("raise `--memory`, or cut the file into documents".to_owned()),
        ));
    }
    let torn = result.err().map(|error| file.torn(reader.compression(), bytes.len() as u64, &error));
    if let Some(torn) = torn.clone().filter(|_| bytes.is_empty()) {
        return Err(torn);
    }
    if let Some(skipped) = file.not_packed(reader.compression(), bytes.is_empty()) {
        return Err(skipped);
    }
    Ok(TextFile { bytes, compression: reader.compression(), torn })
}
