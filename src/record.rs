//! Records: fixed width, ordered, encoding themselves; what is sorted and kept between stages.

/// A fixed-width value that can be sorted in memory and on disk alike.
///
/// The order of `Ord` is the order of sorting, and equal values are interchangeable, so a sort needs no stability to be
/// deterministic. `encode` and `decode` are inverse; the byte order on disk is little endian.
pub trait Record: Copy + Ord + Send + Sync + 'static {
    /// Bytes that one record takes on disk.
    const WIDTH: usize;

    /// Records from which a part is worth a thread of its own: fewer where each takes long.
    const SMALLEST_PART: u64 = 1 << 14;

    /// Writes the record into `out`, which is `WIDTH` bytes long.
    fn encode(&self, out: &mut [u8]);

    /// Reads a record from `bytes`, which are `WIDTH` bytes long.
    fn decode(bytes: &[u8]) -> Self;

    /// Returns the group key: records sort by it first (`a < b` implies `a.key() <= b.key()`), and all records of a group
    /// that is reduced together share it. Sorted records are cut into parts between keys, never inside one.
    fn key(&self) -> u64;
}
