//! Pairs measured by their signatures alone: estimates, where whoever asks prefers speed.

use crate::config::Config;
use crate::similarity::{Reason, Relation, Signature, VerifiedPair};

/// What an estimate needs of one text, made while it is judged: no text is read again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sketched {
    /// The signature of the text without boilerplate.
    pub content: Signature,
    /// The signature of the text as read.
    pub raw: Signature,
    /// Distinct shingles without boilerplate.
    pub shingles: u32,
    /// Hash of all terms in order: equal for texts of one normal form.
    pub fingerprint: u128,
    /// Hash of the canonical address; none when there is none.
    pub address: Option<u64>,
}

impl Sketched {
    /// Writes the sketch as bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(40 + 8 * self.content.rows().len());
        out.extend_from_slice(&self.shingles.to_le_bytes());
        out.extend_from_slice(&self.fingerprint.to_le_bytes());
        out.push(u8::from(self.address.is_some()));
        out.extend_from_slice(&self.address.unwrap_or(0).to_le_bytes());
        for row in self.content.rows().iter().chain(self.raw.rows()) {
            out.extend_from_slice(&row.to_le_bytes());
        }
        out
    }

    /// Reads a sketch that [`Sketched::encode`] wrote.
    ///
    /// # Panics
    /// If the bytes are others.
    pub fn decode(bytes: &[u8]) -> Sketched {
        let (head, rows) = bytes.split_at(29);
        let rows: Vec<u32> =
            rows.chunks_exact(4).map(|row| u32::from_le_bytes(row.try_into().expect("four bytes"))).collect();
        let (content, raw) = rows.split_at(rows.len() / 2);
        let address = u64::from_le_bytes(head[21..29].try_into().expect("eight bytes"));
        Sketched {
            content: Signature::from_rows(content.to_vec()),
            raw: Signature::from_rows(raw.to_vec()),
            shingles: u32::from_le_bytes(head[..4].try_into().expect("four bytes")),
            fingerprint: u128::from_le_bytes(head[4..20].try_into().expect("sixteen bytes")),
            address: (head[20] == 1).then_some(address),
        }
    }
}

/// Estimates a pair: Jaccard similarity by the share of equal rows, containment by that and the sizes.
///
/// The standard error of a similarity J is `sqrt(J * (1 - J) / n)` for n rows. A pair joins by the threshold alone: facts,
/// quotations and retellings show in the texts only. Texts of one normal form are known to be equal.
pub fn estimate(a: u32, first: &Sketched, b: u32, second: &Sketched, config: &Config) -> VerifiedPair {
    let same_text = first.fingerprint == second.fingerprint;
    let jaccard = if same_text { 1.0 } else { first.content.similarity(&second.content) };
    let (one, other) = (f64::from(first.shingles), f64::from(second.shingles));
    let shared = (jaccard / (1.0 + jaccard) * (one + other)).min(one.min(other));
    let similar = jaccard >= config.threshold;
    let version = first.address.is_some() && first.address == second.address && !same_text;
    VerifiedPair {
        jaccard,
        jaccard_raw: first.raw.similarity(&second.raw),
        a_in_b: shared / one.max(1.0),
        b_in_a: shared / other.max(1.0),
        told: shared / one.min(other).max(1.0),
        joins: similar,
        listed: similar || version,
        relation: match (same_text, version, similar) {
            (true, _, _) => Relation::Identical,
            (_, true, _) => Relation::Version,
            (_, _, true) => Relation::Near,
            _ => Relation::Related,
        },
        reason: match (same_text, similar) {
            (true, _) => Reason::SameText,
            (_, true) => Reason::Jaccard,
            _ => Reason::TooDifferent,
        },
        ..VerifiedPair::apart(a, b)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::mix64;
    use crate::similarity::Sketcher;

    /// Shingles `range`, sketched.
    fn sketched(range: std::ops::Range<u64>) -> Sketched {
        let hashes: Vec<u64> = range.clone().map(mix64).collect();
        let signature = Sketcher::new(256).sketch(&hashes).expect("not empty");
        Sketched {
            content: signature.clone(),
            raw: signature,
            shingles: hashes.len() as u32,
            fingerprint: u128::from(range.start) << 64 | u128::from(range.end),
            address: None,
        }
    }

    #[test]
    fn an_estimate_is_near_and_joins_by_the_threshold() {
        let config = Config::default();
        let pair = estimate(0, &sketched(0..1000), 1, &sketched(250..1000), &config);
        assert!((pair.jaccard - 0.75).abs() < 0.1 && (pair.b_in_a - 1.0).abs() < 0.1, "{pair:?}");
        assert_eq!((pair.joins, pair.relation, pair.reason), (true, Relation::Near, Reason::Jaccard));
        let pair = estimate(0, &sketched(0..1000), 1, &sketched(900..1900), &config);
        assert!(!pair.joins && !pair.listed, "{pair:?}");
        let pair = estimate(0, &sketched(0..10), 1, &sketched(0..10), &config);
        assert_eq!((pair.jaccard, pair.relation, pair.a_in_b), (1.0, Relation::Identical, 1.0));
    }

    #[test]
    fn a_sketch_comes_back_as_it_was_kept() {
        let sketched = Sketched { address: Some(7), ..sketched(3..90) };
        assert_eq!(Sketched::decode(&sketched.encode()), sketched);
    }
}
