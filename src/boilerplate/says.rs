//! What a block says it is: cue phrases as evidence of their own.
//!
//! The forests see the phrases too, by groups of kinds, but the pages that they learn from hold few lines of many a kind: a
//! dozen biographies, a handful of pleas for donations. What a phrase was chosen for is known beforehand; so each kind has
//! a weight that begins at that and moves as far as the pages speak against it.

use crate::boilerplate::shape::{KINDS, Shape};

/// Returns, for every kind, how much of a block its cue phrases speak for.
///
/// All of it where they take half of its words, or where one is a label at its start, as "Photo:" and "Tags:" are; else
/// twice the share that they take.
pub(super) fn shares(shape: &Shape) -> [f32; KINDS] {
    let mut shares = [0.0; KINDS];
    if shape.cue > 0 {
        let tokens = shape.tokens.max(1) as f32;
        for (share, words) in shares.iter_mut().zip(shape.cues) {
            *share = (2.0 * f32::from(words) / tokens).min(1.0);
        }
    }
    if let Some(kind) = shape.label_kind {
        shares[usize::from(kind)] = 1.0;
    }
    shares
}

/// Returns what a block's cue phrases add to its log odds.
pub(super) fn log_odds(shape: &Shape, weights: &[f32; KINDS]) -> f32 {
    if shape.cue == 0 && shape.label_kind.is_none() {
        return 0.0;
    }
    shares(shape).iter().zip(weights).map(|(share, weight)| share * weight).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::boilerplate::BoilerplateKind as Kind;
    use crate::boilerplate::shape::{Words, look_up, read};

    fn share(text: &str, kind: Kind) -> f32 {
        let mut words = Words::default();
        let mut shape = read(text, &mut words);
        look_up(&mut shape, 0, &mut words.hashes);
        shares(&shape)[kind as usize]
    }

    #[test]
    fn a_label_speaks_for_all_that_follows_it() {
        assert_eq!(share("Photo: the mayor opens a bridge across the river", Kind::Caption), 1.0);
        assert_eq!(share("She took her photo while the mayor opened it", Kind::Caption), 0.0);
    }

    #[test]
    fn a_phrase_counts_by_its_share_of_the_block() {
        let (short, long) =
            ("Ada Lindqvist is the author of Rivers.", "In 1923 Lindqvist, who is the author of nine books, moved.");
        assert!(share(short, Kind::AuthorBio) > share(long, Kind::AuthorBio));
    }
}
