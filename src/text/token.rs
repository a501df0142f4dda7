//! Terms: the words of a text in normal form, hashed once.

use crate::document::Span;

/// A word: where it stands in the text, and the hash of its normal form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// Bytes of the text given.
    pub span: Span,
    /// Hash of the normal form.
    pub term: u64,
}

/// Appends the hash of every term of `text`, in order. The hot loop. (Skeleton; to be filled in.)
pub fn hash_terms(text: &str, out: &mut Vec<u64>) {
    out.extend(tokens(text).iter().map(|token| token.term));
}

/// Returns the tokens of a text: the same terms as [`hash_terms`], with their spans. (Skeleton; to be filled in.)
pub fn tokens(text: &str) -> Vec<Token> {
    let mut out = Vec::new();
    let mut start = None;
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        match (c.is_alphanumeric(), start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                let span = Span::new(from, at);
                let term = crate::hash::hash64(crate::text::normalize(span.of(text)).as_bytes());
                out.push(Token { span, term });
                start = None;
            }
            _ => {}
        }
    }
    out
}
