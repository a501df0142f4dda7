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

/// Bits by which hashes are cut into buckets at most: as many places as are filled side by side in the nearest cache.
const CUT_BITS: u32 = 11;

/// Items up to which comparing is as fast as counting.
const FEW: usize = 48;

/// Items of a bucket that are put in order one by one.
const IN_PLACE: usize = 24;

/// Sorts items by the hash in them; those of equal hashes stay in the order they had.
///
/// O(n) where the hashes' high bits are spread evenly, as good hashes are: they are counted into about as many buckets as
/// there are items, and each bucket is put in order. Where they are not, O(n log n).
pub(crate) fn sort_by_hash<T: Copy>(items: &mut Vec<T>, hash: impl Fn(&T) -> u64) {
    let len = items.len();
    if len <= FEW || u32::try_from(len).is_err() {
        items.sort_by_key(hash);
        return;
    }
    let bits = (len.ilog2() - 1).min(CUT_BITS);
    let shift = u64::BITS - bits;
    let mut ends = [0u32; 1 << CUT_BITS];
    let ends = &mut ends[..1 << bits];
    for item in items.iter() {
        ends[(hash(item) >> shift) as usize] += 1;
    }
    let mut sum = 0;
    for end in ends.iter_mut() {
        sum += std::mem::replace(end, sum);
    }
    let mut sorted = vec![items[0]; len];
    for item in items.iter() {
        let end = &mut ends[(hash(item) >> shift) as usize];
        sorted[*end as usize] = *item;
        *end += 1;
    }
    let mut start = 0;
    for end in ends {
        let bucket = &mut sorted[start..*end as usize];
        start = *end as usize;
        if bucket.len() > IN_PLACE {
            bucket.sort_by_key(&hash);
            continue;
        }
        for at in 1..bucket.len() {
            let item = bucket[at];
            let mut place = at;
            while place > 0 && hash(&bucket[place - 1]) > hash(&item) {
                bucket[place] = bucket[place - 1];
                place -= 1;
            }
            bucket[place] = item;
        }
    }
    *items = sorted;
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn sorting_by_hash_is_a_stable_sort(
            keys in prop::collection::vec(prop_oneof![any::<u64>(), 0u64..3, Just(u64::MAX)], 0..600)
        ) {
            let mut items: Vec<(u64, usize)> = keys.into_iter().zip(0..).collect();
            let mut expected = items.clone();
            expected.sort();
            sort_by_hash(&mut items, |item| item.0);
            prop_assert_eq!(items, expected);
        }
    }

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
