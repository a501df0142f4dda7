//! What the judge was taught by, so that a run can say it.

use crate::hash::hash64;

/// The trained weights.
pub(super) const MODEL: &[u8] = include_bytes!("data/model.bin");
/// Cue phrases by kind and language.
pub(super) const CUES: &str = include_str!("data/cues.txt");
/// Small words by language.
pub(super) const WORDS: &str = include_str!("data/words.txt");

/// Returns the versions of the data that the judge brings, each with its name: eight digits of the hash of its bytes, which
/// change whenever a verdict may.
pub fn data_versions() -> Vec<(String, String)> {
    vec![
        ("model".to_owned(), short(hash64(MODEL))),
        ("cues".to_owned(), short(hash64(CUES.as_bytes()))),
        ("small_words".to_owned(), short(hash64(WORDS.as_bytes()))),
    ]
}

/// Returns the version that stands for a hash of data: its upper half.
pub(super) fn short(digest: u64) -> String {
    format!("{:08x}", digest >> 32)
}
