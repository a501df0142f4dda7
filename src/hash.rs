//! The one hash: XXH3-64, a published format, the same on every machine and in every version.

use xxhash_rust::xxh3;

/// Hashes bytes.
pub fn hash64(bytes: &[u8]) -> u64 {
    xxh3::xxh3_64(bytes)
}

/// Hashes a word: bytes that hold no NUL, mostly few.
///
/// Words of up to 8 bytes never collide with one another. In the hot loop twice as fast as [`hash64`], which takes over
/// from 17 bytes on.
#[inline]
pub fn hash_word(word: &[u8]) -> u64 {
    let tail = |bytes: &[u8]| bytes.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
    match (word.first_chunk(), word.last_chunk()) {
        _ if word.len() > 16 => hash64(word),
        (Some(first), Some(last)) if word.len() > 8 => {
            hash_two(u64::from_le_bytes(*first), u64::from_le_bytes(*last), word.len())
        }
        _ => mix64(tail(word)),
    }
}

/// Hashes a word of 9 to 16 bytes, given as its first and its last eight.
#[inline]
pub(crate) fn hash_two(first: u64, last: u64, len: usize) -> u64 {
    // Fractions of the square roots of 2 and 3, as in SHA-512.
    let product = u128::from(first ^ 0x6a09_e667_f3bc_c908) * u128::from(last ^ 0xbb67_ae85_84ca_a73b);
    mix64(product as u64 ^ (product >> 64) as u64 ^ len as u64)
}

/// Hashes bytes to 128 bits, for texts whose equality decides without another look.
pub fn hash128(bytes: &[u8]) -> u128 {
    xxh3::xxh3_128(bytes)
}

/// Mixes a 64-bit value so that every bit depends on every other.
///
/// # Source
/// Stafford's variant 13 of the MurmurHash3 finalizer, as used in SplitMix64.
#[inline]
pub fn mix64(mut value: u64) -> u64 {
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_the_published_ones() {
        assert_eq!(hash64(b""), 0x2d06_8005_38d3_94c2);
    }

    #[test]
    fn mixing_is_a_bijection_on_samples() {
        let mut seen: Vec<u64> = (0..10_000).map(mix64).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 10_000);
    }
}
