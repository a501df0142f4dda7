//! Bytes → UTF-8: byte order mark, UTF-8, else a guess; and from places in the text back to the bytes.

use std::borrow::Cow;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::Encoding;

/// Bytes that a guess is made from. Ten encodings were told right from 200 bytes on.
const GUESS_BYTES: usize = 64 << 10;

/// How a text's bytes were turned into UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Charset {
    /// They were UTF-8.
    Utf8,
    /// They were UTF-8 but for some, which became U+FFFD.
    BrokenUtf8,
    /// They were in another encoding.
    Other(&'static Encoding),
}

/// A decoded text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Decoded {
    /// The text, without its byte order mark.
    pub text: String,
    /// How it was decoded.
    pub charset: Charset,
    /// Bytes that its byte order mark takes.
    pub mark: usize,
}

impl Charset {
    /// Returns what is worth telling about the encoding, if anything.
    pub fn note(self) -> Option<String> {
        match self {
            Charset::Utf8 => None,
            Charset::BrokenUtf8 => Some("some bytes are no UTF-8 and were read as U+FFFD".to_owned()),
            Charset::Other(encoding) => Some(format!("read as {}", encoding.name())),
        }
    }
}

impl Decoded {
    /// Returns what is worth telling about the encoding, if anything.
    pub fn note(&self) -> Option<String> {
        self.charset.note()
    }
}

/// Decodes a whole file or line.
///
/// A byte order mark decides; else bytes that are UTF-8, wholly or in nearly all of their non-ASCII characters, are; else
/// the encoding is guessed. Linear; text that is UTF-8 already is not copied.
///
/// # Errors
/// If the bytes are no text: says what they look like.
pub(crate) fn decode(bytes: Vec<u8>) -> Result<Decoded, &'static str> {
    let bytes = match String::from_utf8(bytes) {
        Ok(mut text) => {
            let (charset, mark) = of_utf8(text.as_bytes())?;
            text.drain(..mark);
            return Ok(Decoded { text, charset, mark });
        }
        Err(error) => error.into_bytes(),
    };
    let (charset, mark) = detect(&bytes)?;
    Ok(Decoded { text: decode_as(&bytes[mark..], charset).into_owned(), charset, mark })
}

/// Decodes some bytes of a file as [`decode`] decodes a whole one.
///
/// # Errors
/// As [`decode`].
pub(crate) fn decode_part(bytes: &[u8]) -> Result<Decoded, &'static str> {
    let (charset, text) = detected(bytes)?;
    match text {
        Some(text) => {
            let mark = mark_of_utf8(bytes);
            Ok(Decoded { text: text[mark..].to_owned(), charset, mark })
        }
        None => decode(bytes.to_vec()),
    }
}

/// Bytes whose control characters tell a text from something else: what is no text shows it from the first.
const HEAD_BYTES: usize = 512;

/// Bytes in which a page says what it is written in.
const DECLARED_BYTES: usize = 4096;

/// Decodes a web page, whose server or first lines may say what it is written in; returns what is worth telling about it.
///
/// Bytes that are UTF-8 are read as that whatever is said; what is said wins over a guess.
///
/// # Errors
/// If the bytes are no text: says what they look like.
pub(crate) fn decode_page(bytes: &[u8], said: Option<&str>) -> Result<(String, Option<String>), &'static str> {
    let has_mark = Encoding::for_bom(bytes).is_some();
    if !has_mark && std::str::from_utf8(bytes).is_err() {
        let head = &bytes[..bytes.len().min(DECLARED_BYTES)];
        let labels = [said.map(|label| label.as_bytes().to_vec()), declared(head)];
        let named = labels.into_iter().flatten().find_map(|label| Encoding::for_label(&label));
        let named = named.filter(|encoding| encoding.is_ascii_compatible() && *encoding != encoding_rs::UTF_8);
        if let Some(encoding) = named {
            return Ok((encoding.decode_without_bom_handling(bytes).0.into_owned(), None));
        }
    }
    decode_part(bytes).map(|decoded| {
        let note = decoded.note();
        (decoded.text, note)
    })
}

/// Returns the encoding that the first lines of a page name: `<meta charset=…>` or `<?xml … encoding=…?>`.
fn declared(head: &[u8]) -> Option<Vec<u8>> {
    let head = head.to_ascii_lowercase();
    let after = [&b"charset"[..], b"encoding"].into_iter().find_map(|name| {
        memchr::memmem::find_iter(&head, name)
            .find_map(|at| head[at + name.len()..].trim_ascii_start().strip_prefix(b"="))
    })?;
    let after = after.trim_ascii_start();
    let after = after.strip_prefix(b"\"").or_else(|| after.strip_prefix(b"'")).unwrap_or(after);
    let is_label = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b':' | b'.');
    let end = after.iter().position(|byte| !is_label(byte)).unwrap_or(after.len());
    (end > 0).then(|| after[..end].to_vec())
}

/// Tells how bytes are to be decoded, and how long their byte order mark is: what [`decode`] does.
///
/// # Errors
/// If the bytes are no text: says what they look like.
pub(crate) fn detect(bytes: &[u8]) -> Result<(Charset, usize), &'static str> {
    let Err(invalid) = std::str::from_utf8(bytes) else { return of_utf8(bytes) };
    if let Some((encoding, mark)) = Encoding::for_bom(bytes).filter(|(encoding, _)| *encoding != encoding_rs::UTF_8) {
        return Ok((Charset::Other(encoding), mark));
    }
    if let Some(what) = binary(bytes, false) {
        return Err(what);
    }
    let mark = mark_of_utf8(bytes);
    if mark > 0 || is_nearly_utf8(bytes) {
        return Ok((Charset::BrokenUtf8, mark));
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    let from = invalid.valid_up_to().saturating_sub(GUESS_BYTES / 4);
    let sample = &bytes[from..bytes.len().min(from + GUESS_BYTES)];
    // A sample may end inside a character: said to be whole, GBK and EUC-KR were taken for windows-1252.
    detector.feed(sample, from + sample.len() == bytes.len());
    Ok((Charset::Other(detector.guess(None, Utf8Detection::Deny)), 0))
}

/// Tells how bytes are to be decoded, as [`detect`] does; those that are UTF-8 as text, their byte order mark included.
///
/// # Errors
/// As [`detect`].
pub(crate) fn detected(bytes: &[u8]) -> Result<(Charset, Option<&str>), &'static str> {
    match simdutf8::basic::from_utf8(bytes) {
        Ok(text) => Ok((of_utf8(bytes)?.0, Some(text))),
        Err(_) => Ok((detect(bytes)?.0, None)),
    }
}

/// What [`detect`] says of bytes that are UTF-8. No byte order mark of another encoding is UTF-8.
fn of_utf8(bytes: &[u8]) -> Result<(Charset, usize), &'static str> {
    binary(bytes, true).map_or(Ok((Charset::Utf8, mark_of_utf8(bytes))), Err)
}

fn mark_of_utf8(bytes: &[u8]) -> usize {
    if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 }
}

/// Decodes bytes whose encoding is known, without their byte order mark.
pub(crate) fn decode_as(bytes: &[u8], charset: Charset) -> Cow<'_, str> {
    match charset {
        Charset::Utf8 | Charset::BrokenUtf8 => String::from_utf8_lossy(bytes),
        Charset::Other(encoding) => encoding.decode_without_bom_handling(bytes).0,
    }
}

/// Returns whether broken bytes are rare among the characters outside ASCII, as in a text that was cut or joined inside
/// one: every other encoding makes hardly any valid UTF-8 sequences by chance.
fn is_nearly_utf8(bytes: &[u8]) -> bool {
    let (mut good, mut bad) = (0_usize, 0_usize);
    for chunk in bytes.utf8_chunks() {
        good += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        bad += usize::from(!chunk.invalid().is_empty());
    }
    let cut_at_end = bad == 1 && bytes.utf8_chunks().last().is_some_and(|chunk| chunk.invalid().len() > 1);
    good >= 4 * bad || cut_at_end
}

/// Returns what bytes are that are no text in any encoding without a byte order mark.
fn binary(bytes: &[u8], is_utf8: bool) -> Option<&'static str> {
    const MAGIC: [(&[u8], &str); 10] = [
        (b"%PDF-", "a PDF file"),
        (b"PK\x03\x04", "a ZIP archive"),
        (b"PAR1", "a Parquet file"),
        (b"ARROW1", "an Arrow file"),
        (b"\x7fELF", "a program"),
        (b"\x89PNG", "an image"),
        (b"\xff\xd8\xff", "an image"),
        (b"GIF8", "an image"),
        (b"BZh", "a bzip2 file"),
        (b"\xfd7zXZ", "an xz file"),
    ];
    if let Some((_, what)) = MAGIC.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return Some(what);
    }
    // A stray NUL in a long scraped text is an accident; one in every hundred bytes is no text.
    let zeros = memchr::memchr_iter(0, bytes).count();
    if zeros > 0 && (zeros > bytes.len() / 100 || !is_utf8) {
        return Some("binary data");
    }
    let head = &bytes[..bytes.len().min(HEAD_BYTES)];
    (controls(head) > head.len() / 10).then_some("binary data")
}

/// Counts control characters that texts have no use for.
fn controls(bytes: &[u8]) -> usize {
    // Without branches, and added up as bytes, so that the compiler does many at once.
    let is_control = |byte: u8| {
        (byte < 0x20) & (byte != b'\t') & (byte != b'\n') & (byte != b'\r') & (byte != 0x0c) & (byte != 0x1b)
    };
    let count = |bytes: &[u8]| bytes.iter().map(|byte| u8::from(is_control(*byte))).sum::<u8>();
    bytes.chunks(usize::from(u8::MAX)).map(|bytes| usize::from(count(bytes))).sum()
}

/// Returns where the characters at ascending `offsets` of the decoded text begin in `bytes`, which were decoded to it.
///
/// Bytes that mean no character of their own (a shift sequence) belong to the character after them.
pub(crate) fn raw_offsets(bytes: &[u8], charset: Charset, mark: usize, offsets: &[usize]) -> Vec<usize> {
    match charset {
        Charset::Utf8 => offsets.iter().map(|offset| offset + mark).collect(),
        Charset::BrokenUtf8 => {
            let mut raw = Vec::with_capacity(offsets.len());
            let (mut decoded, mut read) = (0, mark);
            let mut wanted = offsets.iter().copied().peekable();
            for chunk in bytes[mark..].utf8_chunks() {
                while let Some(offset) = wanted.next_if(|offset| *offset <= decoded + chunk.valid().len()) {
                    raw.push(read + offset.saturating_sub(decoded));
                }
                decoded += chunk.valid().len() + if chunk.invalid().is_empty() { 0 } else { '\u{fffd}'.len_utf8() };
                read += chunk.valid().len() + chunk.invalid().len();
            }
            raw.resize(offsets.len(), read);
            raw
        }
        Charset::Other(encoding) => {
            let mut raw = Vec::with_capacity(offsets.len());
            let mut decoder = encoding.new_decoder_without_bom_handling();
            let mut decoded = 0;
            let mut wanted = offsets.iter().copied().peekable();
            let mut room = [0; 64];
            for (position, byte) in bytes[mark..].iter().enumerate() {
                while wanted.next_if(|offset| *offset <= decoded).is_some() {
                    raw.push(mark + position);
                }
                let (_, _, written, _) = decoder.decode_to_utf8(std::slice::from_ref(byte), &mut room, false);
                decoded += written;
            }
            raw.resize(offsets.len(), bytes.len());
            raw
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RUSSIAN: &str = "Городской совет утвердил бюджет на следующий год, сообщили в среду. Депутаты спорили.";

    #[test]
    fn a_byte_order_mark_decides() {
        let utf8 = decode(b"\xef\xbb\xbfabc".to_vec()).unwrap();
        assert_eq!((utf8.text.as_str(), utf8.charset, utf8.mark), ("abc", Charset::Utf8, 3));
        for (encoding, mark) in [(encoding_rs::UTF_16LE, b"\xff\xfe"), (encoding_rs::UTF_16BE, b"\xfe\xff")] {
            let mut bytes = mark.to_vec();
            bytes.extend(RUSSIAN.encode_utf16().flat_map(|unit| {
                if encoding == encoding_rs::UTF_16LE { unit.to_le_bytes() } else { unit.to_be_bytes() }
            }));
            let decoded = decode(bytes).unwrap();
            assert_eq!((decoded.text.as_str(), decoded.charset, decoded.mark), (RUSSIAN, Charset::Other(encoding), 2));
        }
    }

    #[test]
    fn other_encodings_are_guessed_and_told() {
        let (bytes, _, _) = encoding_rs::WINDOWS_1251.encode(RUSSIAN);
        let decoded = decode(bytes.into_owned()).unwrap();
        assert_eq!(decoded.text, RUSSIAN);
        assert_eq!(decoded.note().unwrap(), "read as windows-1251");
        let latin = "Le maire a annonc\u{e9} la fermeture de l'\u{e9}cole apr\u{e8}s l'\u{e9}t\u{e9}.";
        let (bytes, _, _) = encoding_rs::WINDOWS_1252.encode(latin);
        assert_eq!(decode(bytes.into_owned()).unwrap().text, latin);
    }

    #[test]
    fn a_few_broken_bytes_do_not_turn_utf8_into_something_else() {
        let mut bytes = RUSSIAN.as_bytes().to_vec();
        bytes.truncate(bytes.len() - 2);
        let decoded = decode(bytes).unwrap();
        assert_eq!(decoded.charset, Charset::BrokenUtf8);
        assert!(decoded.text.starts_with("Городской"));
    }

    #[test]
    fn binary_data_is_no_text_and_a_stray_nul_is() {
        assert_eq!(decode(b"\x7fELF\x02\x01".to_vec()), Err("a program"));
        assert_eq!(decode(vec![0; 100]), Err("binary data"));
        assert_eq!(decode(b"\xff\x00\x12abc".to_vec()), Err("binary data"));
        let long = format!("{}\0{}", "A sentence of a story. ".repeat(20), "The end.");
        assert_eq!(decode(long.clone().into_bytes()).unwrap().text, long);
        assert_eq!(decode(Vec::new()).unwrap().text, "");
    }

    #[test]
    fn offsets_of_the_text_lead_back_to_the_bytes() {
        let (bytes, _, _) = encoding_rs::WINDOWS_1251.encode(RUSSIAN);
        let charset = Charset::Other(encoding_rs::WINDOWS_1251);
        let offsets: Vec<usize> = RUSSIAN.char_indices().map(|(at, _)| at).collect();
        let expected: Vec<usize> = (0..offsets.len()).collect();
        assert_eq!(raw_offsets(&bytes, charset, 0, &offsets), expected);
        assert_eq!(raw_offsets(b"a\xffb\xc3", Charset::BrokenUtf8, 0, &[0, 1, 4, 5, 8]), [0, 1, 2, 3, 4]);
        assert_eq!(raw_offsets(b"\xef\xbb\xbfab", Charset::Utf8, 3, &[1, 2]), [4, 5]);
    }

    proptest! {
        #[test]
        fn any_bytes_decode_or_are_no_text(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(decoded) = decode(bytes.clone()) {
                let mut offsets: Vec<usize> = decoded.text.char_indices().map(|(at, _)| at).collect();
                offsets.push(decoded.text.len());
                let raw = raw_offsets(&bytes, decoded.charset, decoded.mark, &offsets);
                prop_assert!(raw.is_sorted());
                prop_assert!(raw.iter().all(|offset| *offset <= bytes.len()));
            }
        }
    }
}
