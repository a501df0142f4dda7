//! The normal form that texts are compared in.

use std::borrow::Cow;

/// Returns the normal form of a text. (Skeleton: NFKC and lower case; to be filled in.)
pub fn normalize(text: &str) -> Cow<'_, str> {
    let mut out = String::with_capacity(text.len());
    normalize_into(text, &mut out);
    Cow::Owned(out)
}

/// Appends the normal form of `text` to `out`.
pub fn normalize_into(text: &str, out: &mut String) {
    use unicode_normalization::UnicodeNormalization;
    out.extend(text.nfkc().flat_map(char::to_lowercase));
}
