//! Whether the words that a scan tells of are the terms of the text.
//!
//! A scan folds characters one by one, by rules of its own; terms are those of the normal form, which looks at neighbors
//! too. For nearly all text both come to the same, so that a block that is scanned anyway need not be read again for its
//! terms. This follows a scan and says so.

use crate::boilerplate::scan::Class;
use crate::text::{Lookup, TermClass};

/// Follows a scan, from the first character of a block to its last.
#[derive(Debug)]
pub(super) struct Plain {
    lookup: Lookup,
    holds: bool,
}

impl Plain {
    /// Begins a block.
    pub(super) fn new() -> Plain {
        Plain { lookup: Lookup::new(), holds: true }
    }

    /// Returns whether all that has been read so far is plain.
    pub(super) fn holds(&self) -> bool {
        self.holds
    }

    /// Follows a character beyond ASCII at byte `at`, which was read as `folded`.
    #[inline]
    pub(super) fn other(&mut self, text: &str, at: usize, character: char, class: Class, folded: char) {
        if at.checked_sub(1).is_none_or(|before| text.as_bytes()[before].is_ascii()) {
            self.lookup.ascii();
            // Three points, unless it is a misread byte behind a letter that such begin with.
            if character == '…' {
                return;
            }
        }
        self.holds &= match self.lookup.next(character) {
            Some((normal, TermClass::Word)) => class.is_of_word() && folded == normal,
            Some((normal, TermClass::Unspaced)) => class == Class::Unspaced && folded == normal,
            // A hyphen may break a word at a line's end.
            Some((_, TermClass::Separator)) => matches!(class, Class::Mark | Class::Space) && character != '\u{2010}',
            Some((_, TermClass::UnspacedMark)) | None => false,
        };
    }

    /// Follows a mark; `rest` is what stands behind it.
    #[inline]
    pub(super) fn mark(&mut self, mark: char, rest: &str) {
        match mark {
            // What may be an entity, or a word cut by a line's end, is normalized before it is a term.
            '&' => self.holds = false,
            '-' => self.holds &= !rest.starts_with(['\n', '\r']),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::boilerplate::shape::words_with;
    use crate::text::hash_terms;
    use proptest::prelude::*;

    /// Returns the words of a scan, if they are said to be the terms.
    fn scanned(text: &str) -> Option<Vec<u64>> {
        let mut terms = Vec::new();
        words_with(text, &mut terms, |_, _| {}).then_some(terms)
    }

    fn terms(text: &str) -> Vec<u64> {
        let mut terms = Vec::new();
        hash_terms(text, &mut terms);
        terms
    }

    #[test]
    fn what_most_texts_are_made_of_is_plain() {
        for text in [
            "It’s “said” — the café’s 25 % of 1–2 £ now…",
            "Der Weißstorch übt, dass ÄRGER naht",
            "Ёлка и съезд: «Правда» 5",
            "官劳坄 NATO—東京、カタカナ。",
            "Příliš žluťoučký kůň – Łódź",
        ] {
            assert_eq!(scanned(text), Some(terms(text)), "{text}");
        }
    }

    #[test]
    fn what_must_be_normalized_is_not_plain() {
        for text in
            ["AT&amp;T", "exam-\nple", "exam\u{2010}\nple", "cafe\u{301}", "co\u{ad}op", "ﬁne", "cafÃ©", "Ã…", "x²"]
        {
            assert_eq!(scanned(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn words_that_are_said_to_be_terms_are(
            parts in prop::collection::vec(
                prop_oneof![
                    "[a-zA-Z0-9]{1,20}", "[ -~]{0,70}", "[à-ÿА-яÀ-ß]{1,9}", "[’“”–—…« »]{1,3}", "[a-z]…", "[α-ωά-ώ]{1,6}",
                    "[一-龥ァ-ヶ]{1,5}", "[ก-๛]{1,5}", "[\u{300}-\u{30f}]", "[â€™Ã©Ð\u{80}-\u{bf}]{1,4}",
                    Just("-\n".to_owned()), Just("\u{2010}\n".to_owned()), Just("\u{ad}".to_owned()),
                    Just("&eacute;".to_owned()), "[Ａ-ｚ＆]{1,4}", "[가-힣ᄀ-ᇿ]{1,3}", "[أ-ي\u{64b}-\u{652}]{1,5}",
                    "[अ-ह\u{93c}-\u{94d}]{1,4}", any::<String>(),
                ],
                0..12,
            )
        ) {
            let text = parts.concat();
            if let Some(scanned) = scanned(&text) {
                prop_assert_eq!(scanned, terms(&text));
            }
        }
    }
}
