//! The documents of this run, by number: what is known of each, kept between passes without its text.

use std::borrow::Cow;

use crate::document::Span;

/// What is known of one document once it is judged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The id, unique in the run.
    pub id: String,
    /// The id path of its file.
    pub source: String,
    /// Its number in that file.
    pub row: u64,
    /// Its address.
    pub url: Option<String>,
    /// Its site.
    pub site: Option<String>,
    /// Its date as given.
    pub date: Option<String>,
    /// Its headline.
    pub headline: Option<String>,
    /// Whence the headline was taken.
    pub headline_source: Option<String>,
    /// Its language.
    pub lang: Option<String>,
    /// Words of the text.
    pub words: u64,
    /// Words without what `clean` removes.
    pub content_words: u64,
    /// XXH3-128 of the text.
    pub text_hash: u128,
}

impl Facts {
    /// Writes the facts as bytes: lengths and numbers as LEB128, strings as they are.
    pub fn encode(&self) -> Vec<u8> {
        let mut out =
            Vec::with_capacity(64 + self.id.len() + self.source.len() + self.url.as_ref().map_or(0, String::len));
        put_string(&mut out, Some(&self.id));
        put_string(&mut out, Some(&self.source));
        put_number(&mut out, self.row);
        let optional = [&self.url, &self.site, &self.date, &self.headline, &self.headline_source, &self.lang];
        for field in optional {
            put_string(&mut out, field.as_deref());
        }
        put_number(&mut out, self.words);
        put_number(&mut out, self.content_words);
        out.extend_from_slice(&self.text_hash.to_le_bytes());
        out
    }

    /// Reads facts that [`Facts::encode`] wrote.
    ///
    /// # Panics
    /// If the bytes are others: the store checks what it gives back.
    pub fn decode(mut bytes: &[u8]) -> Facts {
        let from = &mut bytes;
        let id = take_string(from).expect("an id is never missing");
        let source = take_string(from).expect("a source is never missing");
        let row = take_number(from);
        let [url, site, date, headline, headline_source, lang] = std::array::from_fn(|_| take_string(from));
        let words = take_number(from);
        let content_words = take_number(from);
        let text_hash = u128::from_le_bytes(bytes.try_into().expect("a hash of sixteen bytes comes last"));
        Facts { id, source, row, url, site, date, headline, headline_source, lang, words, content_words, text_hash }
    }
}

/// A verdict as kept between passes: content blocks are not kept.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KeptVerdict {
    /// Where the block stands.
    pub span: Span,
    /// The number of its kind in `BoilerplateKind::ALL`.
    pub kind: u8,
    /// Whether `clean` takes it.
    pub removed: bool,
    /// Its score, in 1/65,535.
    pub score: u16,
}

/// Writes a document's verdicts as bytes.
pub fn encode_verdicts(verdicts: &[KeptVerdict]) -> Vec<u8> {
    let mut out = Vec::with_capacity(verdicts.len() * 8);
    let mut last = 0;
    for verdict in verdicts {
        put_number(&mut out, (verdict.span.start - last) as u64);
        put_number(&mut out, verdict.span.len() as u64);
        out.push(verdict.kind << 1 | u8::from(verdict.removed));
        out.extend_from_slice(&verdict.score.to_le_bytes());
        last = verdict.span.end;
    }
    out
}

/// Reads verdicts that [`encode_verdicts`] wrote.
///
/// # Panics
/// If the bytes are others.
pub fn decode_verdicts(mut bytes: &[u8]) -> Vec<KeptVerdict> {
    let mut out = Vec::new();
    let mut last = 0;
    while !bytes.is_empty() {
        let start = last + take_number(&mut bytes) as usize;
        let end = start + take_number(&mut bytes) as usize;
        let (head, rest) = bytes.split_at(3);
        bytes = rest;
        let score = u16::from_le_bytes([head[1], head[2]]);
        out.push(KeptVerdict { span: Span::new(start, end), kind: head[0] >> 1, removed: head[0] & 1 == 1, score });
        last = end;
    }
    out
}

/// A text kept for comparing: the document's text and the parts of it that count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told<'a> {
    /// The text as read.
    pub text: Cow<'a, str>,
    /// Blocks that were kept, in order.
    pub content: Vec<Span>,
    /// Its headline.
    pub headline: Option<String>,
    /// Its site.
    pub site: Option<String>,
    /// Its date.
    pub date: Option<String>,
    /// Its address.
    pub url: Option<String>,
}

impl Told<'_> {
    /// Writes the text and its parts as bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.text.len() + 4 * self.content.len() + 64);
        for field in [&self.headline, &self.site, &self.date, &self.url] {
            put_string(&mut out, field.as_deref());
        }
        put_number(&mut out, self.content.len() as u64);
        let mut last = 0;
        for span in &self.content {
            put_number(&mut out, (span.start - last) as u64);
            put_number(&mut out, span.len() as u64);
            last = span.end;
        }
        out.extend_from_slice(self.text.as_bytes());
        out
    }

    /// Reads a text that [`Told::encode`] wrote.
    ///
    /// # Panics
    /// If the bytes are others.
    pub fn decode(mut bytes: &[u8]) -> Told<'_> {
        let from = &mut bytes;
        let [headline, site, date, url] = std::array::from_fn(|_| take_string(from));
        let count = take_number(from) as usize;
        let mut content = Vec::with_capacity(count);
        let mut last = 0;
        for _ in 0..count {
            let start = last + take_number(from) as usize;
            let end = start + take_number(from) as usize;
            content.push(Span::new(start, end));
            last = end;
        }
        let text = Cow::Borrowed(simdutf8::basic::from_utf8(bytes).expect("texts are kept as they were"));
        Told { text, content, headline, site, date, url }
    }
}

/// Appends a number as LEB128: seven bits a byte, the low ones first.
fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn take_number(bytes: &mut &[u8]) -> u64 {
    let (mut number, mut shift) = (0, 0);
    loop {
        let (first, rest) = bytes.split_first().expect("numbers are kept whole");
        *bytes = rest;
        number |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return number;
        }
        shift += 7;
    }
}

/// Appends a string with its length plus one, so that 0 says that it is missing.
fn put_string(out: &mut Vec<u8>, string: Option<&str>) {
    match string {
        None => put_number(out, 0),
        Some(string) => {
            put_number(out, string.len() as u64 + 1);
            out.extend_from_slice(string.as_bytes());
        }
    }
}

fn take_string(bytes: &mut &[u8]) -> Option<String> {
    let length = take_number(bytes).checked_sub(1)? as usize;
    let (string, rest) = bytes.split_at(length);
    *bytes = rest;
    Some(String::from_utf8(string.to_vec()).expect("strings are kept as they were"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_come_back_as_they_were_kept() {
        let facts = Facts {
            id: "a".into(),
            source: "b/c.jsonl".into(),
            row: 300,
            url: Some(String::new()),
            lang: Some("en".into()),
            words: 1 << 40,
            text_hash: 7,
            ..Facts::default()
        };
        assert_eq!(Facts::decode(&facts.encode()), facts);
    }

    #[test]
    fn verdicts_come_back_as_they_were_kept() {
        let verdicts = [
            KeptVerdict { span: Span::new(0, 9), kind: 21, removed: false, score: 65_535 },
            KeptVerdict { span: Span::new(10, 1_000_000), kind: 0, removed: true, score: 0 },
        ];
        assert_eq!(decode_verdicts(&encode_verdicts(&verdicts)), verdicts);
    }

    #[test]
    fn texts_come_back_as_they_were_kept() {
        let told = Told {
            text: "Zwei Zeilen.\n\nEnde.".into(),
            content: vec![Span::new(0, 12), Span::new(14, 19)],
            site: Some("example.com".into()),
            ..Told::default()
        };
        assert_eq!(Told::decode(&told.encode()), told);
    }
}
