//! Neighbors speak for each other: a two-state chain over the blocks of a page.

use crate::boilerplate::model::{Decision, Parameters};

/// Returns calibrated log odds of boilerplate for every block, given its own log odds and the weight of its evidence.
///
/// The chain stays in its state from block to block with log odds `stay`; a block's own evidence enters scaled by `own`
/// and by its weight, so that a line of one word follows its surroundings and a paragraph stands for itself. Forward and
/// backward sums in log space: O(blocks), in a fixed order.
pub(super) fn smooth(log_odds: &[f32], weights: &[f32], parameters: &Parameters, decision: &Decision) -> Vec<f32> {
    let own = |at: usize| f64::from(parameters.own * weights[at] * log_odds[at]);
    let stay = f64::from(decision.stay);
    // The log odds that a state of log odds `x` hands on across one step.
    let step = |x: f64| ((x + stay).exp() + 1.0).ln() - (x.exp() + stay.exp()).ln();
    let count = log_odds.len();
    let mut forward = vec![0f64; count];
    let mut message = 0.0;
    for (at, forward) in forward.iter_mut().enumerate() {
        *forward = message;
        message = step((message + own(at)).clamp(-30.0, 30.0));
    }
    let mut out = vec![0f32; count];
    message = 0.0;
    for at in (0..count).rev() {
        // What surrounds a block is added to all of its own evidence, not to the scaled part that it lends its neighbors.
        let sum = forward[at] + message + f64::from(log_odds[at]);
        out[at] = decision.slope * sum as f32 + decision.offset;
        message = step((message + own(at)).clamp(-30.0, 30.0));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn smooth(log_odds: &[f32], weights: &[f32]) -> Vec<f32> {
        let parameters = Parameters { own: 0.7, full_words: 20.0, ..Parameters::default() };
        super::smooth(log_odds, weights, &parameters, &Decision { stay: 1.5, slope: 1.0, ..Decision::default() })
    }

    #[test]
    fn a_short_line_follows_its_surroundings() {
        let out = smooth(&[-4.0, -4.0, 0.4, -4.0, -4.0], &[1.0, 1.0, 0.2, 1.0, 1.0]);
        assert!(out[2] < 0.0, "{out:?}");
    }

    #[test]
    fn strong_evidence_stands_against_its_surroundings() {
        let out = smooth(&[-4.0, -4.0, 6.0, -4.0, -4.0], &[1.0; 5]);
        assert!(out[2] > 0.0, "{out:?}");
    }

    #[test]
    fn a_block_alone_keeps_its_odds() {
        assert_eq!(smooth(&[1.25], &[1.0]), [1.25]);
    }
}
