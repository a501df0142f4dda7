//! Sorting in memory: by the high bits of the key first, then by comparison.
//!
//! Most keys are hashes, and ordinals spread evenly over their range too, so 256 buckets cut by value come out about
//! equal; an uneven bucket is cut again by its own range, at most eight times over. Leaves are sorted by comparison,
//! which also orders records of one key.

use std::convert::Infallible;
use std::sync::Mutex;

use crate::record::Record;
use crate::store::Workspace;

/// Buckets a cut makes: as many as a core can write to side by side without missing its caches.
const BUCKETS: usize = 256;

/// Records up to which a comparison sort is as fast as another cut.
const LEAF: usize = 1024;

/// Records up to which threads cost more than they bring.
const SMALL: usize = 1 << 16;

/// How the keys of some records are cut into buckets.
#[derive(Clone, Copy)]
struct Cut {
    min: u64,
    shift: u32,
}

impl Cut {
    /// Cuts a range of keys; none when it is a single key.
    fn new((min, max): (u64, u64)) -> Option<Cut> {
        let bits = u64::BITS - (max - min).leading_zeros();
        (min < max).then(|| Cut { min, shift: bits.saturating_sub(BUCKETS.ilog2()) })
    }

    #[inline]
    fn bucket<R: Record>(self, record: &R) -> usize {
        ((record.key() - self.min) >> self.shift) as usize % BUCKETS
    }
}

/// Returns the smallest and the largest key.
fn key_range<R: Record>(records: &[R]) -> (u64, u64) {
    records.iter().fold((u64::MAX, 0), |(min, max), record| (min.min(record.key()), max.max(record.key())))
}

/// Sorts the records of all chunks into one vector. O(n) for evenly spread keys; takes twice the records' memory.
pub(super) fn sort_chunks<R: Record>(workspace: &Workspace, chunks: Vec<Vec<R>>) -> Vec<R> {
    let len: usize = chunks.iter().map(Vec::len).sum();
    let cut = if len > SMALL { Cut::new(range_of_chunks(workspace, &chunks)) } else { None };
    let Some(cut) = cut else {
        let mut records = chunks.concat();
        sort_slice(&mut records, &mut Vec::new());
        return records;
    };
    // Every thread counts and then scatters its own share of the chunks, into places of its own.
    let mut shares: Vec<Share<R>> = (0..workspace.threads().min(chunks.len())).map(|_| Share::default()).collect();
    for chunk in chunks {
        let share = shares.iter_mut().min_by_key(|share| share.len).expect("there is a thread");
        share.len += chunk.len();
        share.chunks.push(chunk);
    }
    let shares: Vec<Mutex<Share<R>>> = shares.into_iter().map(Mutex::new).collect();
    run(workspace, shares.len(), |number| {
        let mut share = shares[number].lock().expect("no holder panics");
        let Share { chunks, counts, .. } = &mut *share;
        for record in chunks.iter().flatten() {
            counts[cut.bucket(record)] += 1;
        }
    });
    let mut shares: Vec<Share<R>> =
        shares.into_iter().map(|share| share.into_inner().expect("no holder panicked")).collect();
    let filler = shares.iter().flat_map(|share| &share.chunks).flatten().next().copied().expect("there are records");
    let mut records = vec![filler; len];
    scatter(workspace, cut, &mut shares, &mut records);

    let mut buckets = Vec::with_capacity(BUCKETS);
    let mut rest = records.as_mut_slice();
    for bucket in 0..BUCKETS {
        let (now, later) = rest.split_at_mut(shares.iter().map(|share| share.counts[bucket]).sum());
        buckets.push(Mutex::new(now));
        rest = later;
    }
    drop(shares);
    run(workspace, buckets.len(), |bucket| {
        sort_slice(&mut buckets[bucket].lock().expect("no holder panics"), &mut Vec::new());
    });
    records
}

/// The chunks that one thread scatters, and how many of their records go to each bucket.
struct Share<R> {
    len: usize,
    chunks: Vec<Vec<R>>,
    counts: [usize; BUCKETS],
}

impl<R> Default for Share<R> {
    fn default() -> Share<R> {
        Share { len: 0, chunks: Vec::new(), counts: [0; BUCKETS] }
    }
}

/// Moves the records of all shares to their buckets in `records`; the chunks are freed.
fn scatter<R: Record>(workspace: &Workspace, cut: Cut, shares: &mut [Share<R>], records: &mut [R]) {
    let mut places: Vec<Vec<&mut [R]>> = shares.iter().map(|_| Vec::with_capacity(BUCKETS)).collect();
    let mut rest = records;
    for bucket in 0..BUCKETS {
        for (share, places) in shares.iter().zip(&mut places) {
            let (now, later) = rest.split_at_mut(share.counts[bucket]);
            places.push(now);
            rest = later;
        }
    }
    let work: Vec<_> =
        shares.iter_mut().zip(places).map(|(share, places)| Mutex::new((&mut share.chunks, places))).collect();
    run(workspace, work.len(), |number| {
        let mut work = work[number].lock().expect("no holder panics");
        let (chunks, places) = &mut *work;
        let mut filled = [0; BUCKETS];
        for chunk in chunks.drain(..) {
            for record in chunk {
                let bucket = cut.bucket(&record);
                places[bucket][filled[bucket]] = record;
                filled[bucket] += 1;
            }
        }
    });
}

/// Sorts records; `scratch` is memory to be used again.
pub(super) fn sort_slice<R: Record>(records: &mut [R], scratch: &mut Vec<R>) {
    if records.len() <= LEAF {
        return records.sort_unstable();
    }
    let Some(cut) = Cut::new(key_range(records)) else { return records.sort_unstable() };
    let mut counts = [0; BUCKETS];
    for record in &*records {
        counts[cut.bucket(record)] += 1;
    }
    let mut places = [0; BUCKETS];
    let mut start = 0;
    for (place, count) in places.iter_mut().zip(counts) {
        *place = start;
        start += count;
    }
    scratch.clear();
    scratch.extend_from_slice(records);
    for record in &*scratch {
        let place = &mut places[cut.bucket(record)];
        records[*place] = *record;
        *place += 1;
    }
    let mut rest = records;
    for count in counts {
        let (now, later) = rest.split_at_mut(count);
        sort_slice(now, scratch);
        rest = later;
    }
}

/// Returns the smallest and the largest key of all chunks.
fn range_of_chunks<R: Record>(workspace: &Workspace, chunks: &[Vec<R>]) -> (u64, u64) {
    let range = Mutex::new((u64::MAX, 0));
    run(workspace, chunks.len(), |number| {
        let (min, max) = key_range(&chunks[number]);
        let mut range = range.lock().expect("no holder panics");
        *range = (range.0.min(min), range.1.max(max));
    });
    range.into_inner().expect("no holder panicked")
}

/// Runs work that cannot fail.
fn run(workspace: &Workspace, count: usize, work: impl Fn(usize) + Sync) {
    let result = workspace.side_by_side(count, |number| {
        work(number);
        Ok::<(), Infallible>(())
    });
    match result {
        Ok(()) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::mix64;
    use crate::store::sorter::tests::Number;

    fn check(keys: impl Iterator<Item = u64>, threads: usize) {
        let workspace = Workspace::new(std::path::PathBuf::new(), u64::MAX, threads);
        let records: Vec<Number> = keys.map(Number::of).collect();
        let mut expected = records.clone();
        expected.sort_unstable();
        let chunks = records.chunks(10_000).map(<[Number]>::to_vec).collect();
        assert_eq!(sort_chunks(&workspace, chunks), expected);
    }

    #[test]
    fn spread_and_uneven_keys_are_sorted() {
        for threads in [1, 3] {
            check((0..200_000).map(mix64), threads);
            check((0..200_000).map(|n| mix64(n) % 1000), threads);
            check((0..200_000).map(|n| u64::MAX >> (mix64(n) % 64)), threads);
            check((0..200_000).map(|_| 7), threads);
            check((0..200_000).map(|n| if n == 0 { u64::MAX } else { n % 5 }), threads);
            check(0..0, threads);
        }
    }
}
