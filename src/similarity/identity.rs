//! Equal texts: groups that collapse before anything is compared.

use crate::record::Record;

/// Hashes a sequence of terms to 128 bits: equal for texts of one normal form.
///
/// Two multiply-and-fold chains with different constants; a collision of two different texts needs both to collide.
pub fn identity(terms: &[u64]) -> u128 {
    let fold = |value: u64, factor: u64| {
        let product = u128::from(value) * u128::from(factor);
        (product as u64) ^ (product >> 64) as u64
    };
    let (mut low, mut high) = (terms.len() as u64, !(terms.len() as u64));
    for term in terms {
        low = fold(low ^ term, 0x9e37_79b9_7f4a_7c15).wrapping_add(*term);
        high = fold(high ^ term, 0xd6e8_feb8_6659_fd93).rotate_left(29).wrapping_add(*term);
    }
    u128::from(crate::hash::mix64(low)) << 64 | u128::from(crate::hash::mix64(high))
}

/// An item by the identity of its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct IdentityEntry {
    /// Identity of the text without boilerplate.
    pub content: u128,
    /// The item.
    pub item: u32,
    /// Identity of the text as read.
    pub raw: u64,
}

impl Record for IdentityEntry {
    const WIDTH: usize = 28;

    fn encode(&self, out: &mut [u8]) {
        out[..16].copy_from_slice(&self.content.to_le_bytes());
        out[16..20].copy_from_slice(&self.item.to_le_bytes());
        out[20..28].copy_from_slice(&self.raw.to_le_bytes());
    }

    fn decode(bytes: &[u8]) -> IdentityEntry {
        IdentityEntry {
            content: u128::from_le_bytes(bytes[..16].try_into().expect("sixteen bytes")),
            item: u32::from_le_bytes(bytes[16..20].try_into().expect("four bytes")),
            raw: u64::from_le_bytes(bytes[20..28].try_into().expect("eight bytes")),
        }
    }

    fn key(&self) -> u64 {
        (self.content >> 64) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_length_make_a_difference() {
        let texts: [&[u64]; 6] = [&[], &[0], &[0, 0], &[1, 2], &[2, 1], &[1, 2, 0]];
        let mut seen: Vec<u128> = texts.iter().map(|terms| identity(terms)).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), texts.len());
        assert_eq!(identity(&[7, 8, 9]), identity(&[7, 8, 9]));
    }
}
