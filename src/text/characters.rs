//! Characters as terms, for shingles of characters.

use crate::hash::mix64;
use crate::text::normalize;

/// Appends the hash of every character of a text's normal form, in order: what `--shingle chars:N` compares. Texts that
/// follow each other are kept apart by a space.
pub fn hash_characters(text: &str, out: &mut Vec<u64>) {
    if !out.is_empty() {
        out.push(mix64(u64::from(u32::from(' '))));
    }
    out.extend(normalize(text).chars().map(|c| mix64(u64::from(u32::from(c)))));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_those_of_the_normal_form() {
        let hashes = |text: &str| {
            let mut out = Vec::new();
            hash_characters(text, &mut out);
            out
        };
        assert_eq!(hashes("Ab"), hashes("aB"));
        assert_ne!(hashes("ab"), hashes("ba"));
    }
}
