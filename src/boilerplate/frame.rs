//! Judging by repetition alone: a site repeats what stands around its articles, and so frames them.
//!
//! What a site repeats is chrome wherever it stands. Much chrome is not repeated, though: lists of other articles change
//! from page to page. These stand outside the frame: above or below the one stretch of the page in which text that is
//! not repeated outweighs text that is.

/// What is taken from the worth of every block, and all that one of a few words is worth, where at least half of the
/// page's blocks are repeated. Measured on the development sites: without it lists of links join the article.
const TOLL: f32 = 2.0;

/// Words from which a block speaks for the article at all.
const SHORT: f32 = 10.0;

/// How often a repeated block's worth is taken from the article, so that one which stands inside it parts it only when it
/// outweighs half of what stands beyond.
const REPEATED: f32 = 2.0;

/// Log odds of standing outside the frame, and, taken away, of standing inside: where half of the blocks are repeated.
const OUTSIDE: f32 = 2.0;

/// Returns log odds of boilerplate for every block of a page: by what the counts of its repetition add, its place in the
/// frame, and its length.
///
/// `counts` above 0 say that a block is repeated; where none is, nothing is known and every block is kept. O(blocks).
pub(super) fn log_odds(counts: &[f32], words: impl Fn(usize) -> f32) -> Vec<f32> {
    let repeated = counts.iter().filter(|counts| **counts > 0.0).count();
    // A page of which little is repeated is hardly framed.
    let known = (2.0 * repeated as f32 / counts.len().max(1) as f32).min(1.0);
    let (start, stop) = article(counts, &words, known);
    (0..counts.len())
        .map(|at| {
            let side = match known {
                0.0 => -0.5,
                known if (start..stop).contains(&at) => -OUTSIDE * known,
                known => OUTSIDE * known,
            };
            // The counts' weights are learned beside the model, which already knows much of what they say; without it
            // they say more. A paragraph that goes by mistake is worse than one that stays.
            2.0 * counts[at] + side - 0.7 * (words(at) / 25.0).min(1.0)
        })
        .collect()
}

/// Returns the stretch of blocks whose worth is greatest; of equals the first.
fn article(counts: &[f32], words: impl Fn(usize) -> f32, known: f32) -> (usize, usize) {
    let mut best = (0.0, 0, 0);
    let (mut sum, mut start) = (0.0, 0);
    for (at, counts) in counts.iter().enumerate() {
        if sum <= 0.0 {
            (sum, start) = (0.0, at);
        }
        let words = words(at);
        let weight = words.clamp(1.0, 60.0).sqrt();
        sum += match *counts > 0.0 {
            true => -REPEATED * weight,
            false if words >= SHORT => weight - TOLL * known,
            false => -TOLL * known,
        };
        if sum > best.0 {
            best = (sum, start, at + 1);
        }
    }
    (best.1, best.2)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether blocks of a page go, given words and counts.
    fn gone(blocks: &[(f32, f32)]) -> Vec<bool> {
        let counts: Vec<f32> = blocks.iter().map(|(_, counts)| *counts).collect();
        log_odds(&counts, |at| blocks[at].0).iter().map(|odds| *odds > 0.0).collect()
    }

    #[test]
    fn what_stands_between_repeated_blocks_at_the_ends_goes_with_them() {
        let page = [
            (2.0, 1.8),
            (9.0, -0.4),
            (3.0, 1.8),
            (40.0, -0.4),
            (2.0, -0.4),
            (60.0, -0.4),
            (4.0, 1.8),
            (8.0, -0.4),
            (5.0, 1.8),
        ];
        assert_eq!(gone(&page), [true, true, true, false, false, false, true, true, true]);
    }

    #[test]
    fn a_repeated_block_inside_the_article_goes_alone() {
        let page =
            [(3.0, 1.8), (3.0, 1.8), (50.0, -0.4), (50.0, -0.4), (4.0, 1.8), (50.0, -0.4), (3.0, 1.8), (3.0, 1.8)];
        assert_eq!(gone(&page), [true, true, false, false, true, false, true, true]);
    }

    #[test]
    fn where_nothing_is_repeated_nothing_goes() {
        assert_eq!(gone(&[(3.0, 0.0), (40.0, 0.0), (2.0, -0.4)]), [false; 3]);
        assert!(gone(&[]).is_empty());
    }
}
