//! One file, one document.

use std::io::Read;

use crate::document::{Document, Skipped};
use crate::files;
use crate::input::InputFile;
use crate::input::chunks::open_input;
use crate::input::decode::{decode, decode_page};
use crate::input::{Container, html};

/// A text file as read.
pub(crate) struct TextFile {
    /// Its bytes, unpacked.
    pub bytes: Vec<u8>,
    /// How they were packed.
    pub compression: files::Compression,
    /// What is wrong with what follows them: a tear.
    pub torn: Option<Skipped>,
}

/// Makes the document of a file's bytes, and says what is worth telling about how they were decoded.
pub(crate) fn document(bytes: Vec<u8>, file: &InputFile) -> Result<(Document, Option<String>), Skipped> {
    let no_text = |found: &'static str| file.no_text(found);
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
    Ok((file.document(file.source.to_string(), 0, page.url, None, page.title, page.date, page.text), note))
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
