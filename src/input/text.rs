//! One file, one document.

use std::io::Read;

use flate2::Crc;

use crate::document::{Document, Skipped};
use crate::files::{Compression, Nearby};
use crate::input::InputFile;
use crate::input::chunks::open_input;
use crate::input::decode::{decode, decode_page};
use crate::input::limits::{FREE_BYTES, Limits};
use crate::input::{Container, html, xml};

/// A text file as read.
pub(crate) struct TextFile {
    /// Its bytes, unpacked.
    pub bytes: Vec<u8>,
    /// How they were packed.
    pub compression: Compression,
    /// A digest of them, once it was noted.
    pub digest: u64,
    /// What is wrong with what follows them: a tear.
    pub torn: Option<Skipped>,
}

/// Makes the document of a file's bytes, and says what is worth telling about how they were decoded.
pub(crate) fn document(bytes: Vec<u8>, file: &InputFile) -> Result<(Document, Option<String>), Skipped> {
    let no_text = |found: &'static str| file.no_text(found);
    if file.container == Container::Xml {
        let decoded = decode(bytes).map_err(no_text)?;
        let note = decoded.note();
        let hint = "write it again with trafilatura, or leave it out".to_owned();
        let page = xml::read(&decoded.text).map_err(|reason| file.skipped(None, None, reason, Some(hint)))?;
        return Ok((file.page_document(page), note));
    }
    if file.container != Container::Html {
        let decoded = decode(bytes).map_err(no_text)?;
        let note = decoded.note();
        return Ok((file.text_document(decoded.text), note));
    }
    if cfg!(not(feature = "html")) {
        return Err(file.not_built_in("html"));
    }
    let (page, note) = decode_page(&bytes, None).map_err(no_text)?;
    let page = html::read(&page);
    Ok((file.page_document(page), note))
}

/// Reads some text files, in order: members of an archive that stand near each other at once.
pub(crate) fn read_all<'a>(
    files: &'a [InputFile],
    limits: &'a Limits,
) -> impl Iterator<Item = Result<TextFile, Skipped>> + 'a {
    let nearby = Nearby::read(files.iter().map(|file| Some((&file.place, file.part.as_ref()?))));
    files.iter().enumerate().map(move |(number, file)| {
        match nearby.get(number).filter(|bytes| is_sound(file, bytes, limits)) {
            Some(bytes) => {
                Ok(TextFile { bytes: bytes.to_vec(), compression: Compression::Plain, digest: 0, torn: None })
            }
            None => read(file, limits),
        }
    })
}

/// Returns whether the bytes of a member are its text as it stands: of any others [`read`] says what they are.
fn is_sound(file: &InputFile, bytes: &[u8], limits: &Limits) -> bool {
    let is_as_told = |checksum| {
        let mut found = Crc::new();
        found.update(bytes);
        found.sum() == checksum
    };
    bytes.len() as u64 <= limits.record_bytes
        && Compression::of_magic(bytes) == Compression::Plain
        && file.not_packed(Compression::Plain, bytes.is_empty()).is_none()
        && file.part.and_then(|part| part.checksum).is_none_or(is_as_told)
}

/// Reads a text file whole.
///
/// Of a torn one, what stands before the tear is its text. A file whose text is longer than the limits allow is skipped
/// before more than that is read.
fn read(file: &InputFile, limits: &Limits) -> Result<TextFile, Skipped> {
    let mut reader = open_input(file, limits.memory_bytes)?;
    let mut bytes = Vec::with_capacity(usize::try_from(file.bytes.min(limits.record_bytes)).unwrap_or(0) + 1);
    let mut result = reader.by_ref().take(FREE_BYTES.min(limits.record_bytes) + 1).read_to_end(&mut bytes);
    // Of a text that goes on past that, as much again at a time is read, so that one without end is soon known.
    while result.is_ok() && bytes.len() as u64 > FREE_BYTES && bytes.len() as u64 <= limits.record_bytes {
        if limits.is_bomb(reader.is_packed(), bytes.len() as u64, reader.packed_bytes()) {
            return Err(limits.bomb(file, "one text"));
        }
        let before = bytes.len();
        let want = (before as u64).min(limits.record_bytes + 1 - before as u64);
        result = reader.by_ref().take(want).read_to_end(&mut bytes);
        if ((bytes.len() - before) as u64) < want {
            break;
        }
    }
    if bytes.len() as u64 > limits.record_bytes {
        return Err(limits.too_long(file, "one text"));
    }
    let torn = result.err().map(|error| file.torn(reader.compression(), bytes.len() as u64, &error));
    if let Some(torn) = torn.clone().filter(|_| bytes.is_empty()) {
        return Err(torn);
    }
    if let Some(skipped) = file.not_packed(reader.compression(), bytes.is_empty()) {
        return Err(skipped);
    }
    Ok(TextFile { bytes, compression: reader.compression(), digest: 0, torn })
}
