//! Characters: what each is, and as terms for shingles of characters.

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

/// Returns whether a character is in capitals, as [`char::is_uppercase`] does: the common scripts are told by their
/// ranges, which is several times as fast as a look into its tables.
#[inline]
pub(crate) fn is_uppercase(c: char) -> bool {
    match c {
        '\0'..='\x7f' => c.is_ascii_uppercase(),
        'а'..='я' | '\u{3041}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' => false,
        'А'..='Я' => true,
        _ => c.is_uppercase(),
    }
}

/// Returns whether a character is a small letter, as [`char::is_lowercase`] does, by ranges first.
#[inline]
pub(crate) fn is_lowercase(c: char) -> bool {
    match c {
        '\0'..='\x7f' => c.is_ascii_lowercase(),
        'а'..='я' => true,
        'А'..='Я' | '\u{3041}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' => false,
        _ => c.is_lowercase(),
    }
}

/// Returns whether a character is a letter or a number, as [`char::is_alphanumeric`] does, by ranges first.
#[inline]
pub(crate) fn is_alphanumeric(c: char) -> bool {
    match c {
        '\0'..='\x7f' => c.is_ascii_alphanumeric(),
        'ß'..='ö' | 'ø'..='ÿ' | 'α'..='ω' | 'А'..='я' | '\u{620}'..='\u{64a}' => true,
        '\u{3041}'..='\u{3096}' | '\u{30a1}'..='\u{30fa}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' => true,
        _ => c.is_alphanumeric(),
    }
}

/// Returns the small letter of a character that has one of its own and is told by its range; others have to be looked up.
#[inline]
pub(crate) fn lower_by_range(c: char) -> Option<char> {
    match c {
        '\0'..='\x7f' => Some(c.to_ascii_lowercase()),
        'ß'..='ö' | 'ø'..='ÿ' | 'α'..='ω' | 'а'..='я' | '\u{620}'..='\u{64a}' => Some(c),
        'А'..='Я' => char::from_u32(u32::from(c) + 0x20),
        '\u{3041}'..='\u{3096}' | '\u{30a1}'..='\u{30fa}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' => {
            Some(c)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_say_what_the_tables_of_unicode_say() {
        for c in '\0'..=char::MAX {
            assert_eq!(is_uppercase(c), c.is_uppercase(), "{c:?}");
            assert_eq!(is_lowercase(c), c.is_lowercase(), "{c:?}");
            assert_eq!(is_alphanumeric(c), c.is_alphanumeric(), "{c:?}");
            if let Some(lower) = lower_by_range(c) {
                assert!(c.to_lowercase().eq([lower]), "{c:?}");
                assert!(c.is_ascii() || !c.is_numeric(), "{c:?}");
            }
        }
    }

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
