//! What is shown of a list that is too long: the largest, and a sample that is the same in every run.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::hash::{hash64, mix64};

/// What the sample is drawn by, so that it is the same on every machine.
const SEED: u64 = 0x5265_746f_6c64_2137;

/// Returns the place of an item in the order that samples are drawn in.
pub(super) fn draw(key: &str) -> u64 {
    mix64(hash64(key.as_bytes()) ^ SEED)
}

/// The `most` items of the smallest ranks, ties in the order of coming; holds no more than that.
#[derive(Debug)]
pub(super) struct Smallest<R, T> {
    most: usize,
    came: u64,
    heap: BinaryHeap<Ranked<R, T>>,
}

#[derive(Debug)]
struct Ranked<R, T> {
    rank: (R, u64),
    item: T,
}

impl<R: Ord, T> PartialEq for Ranked<R, T> {
    fn eq(&self, other: &Self) -> bool {
        self.rank == other.rank
    }
}

impl<R: Ord, T> Eq for Ranked<R, T> {}

impl<R: Ord, T> PartialOrd for Ranked<R, T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<R: Ord, T> Ord for Ranked<R, T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.rank.cmp(&other.rank)
    }
}

impl<R: Ord, T> Smallest<R, T> {
    /// Begins with none.
    pub(super) fn new(most: usize) -> Smallest<R, T> {
        Smallest { most, came: 0, heap: BinaryHeap::new() }
    }

    /// Takes an item, made only if it is among the smallest so far.
    pub(super) fn offer(&mut self, rank: R, item: impl FnOnce() -> T) {
        let rank = (rank, self.came);
        self.came += 1;
        if self.heap.len() == self.most && self.heap.peek().is_none_or(|last| last.rank <= rank) {
            return;
        }
        self.heap.push(Ranked { rank, item: item() });
        if self.heap.len() > self.most {
            self.heap.pop();
        }
    }

    /// Returns how many were offered.
    pub(super) fn offered(&self) -> u64 {
        self.came
    }

    /// Returns the items in the order of their ranks, each with the number it came as.
    pub(super) fn into_items(self) -> impl Iterator<Item = (u64, T)> {
        self.heap.into_sorted_vec().into_iter().map(|ranked| (ranked.rank.1, ranked.item))
    }
}

/// The largest items and a sample of the others.
#[derive(Debug)]
pub(super) struct LargestAndSample<T> {
    largest: Smallest<Reverse<u64>, T>,
    sample: Smallest<u64, T>,
    sampled: usize,
}

impl<T: Clone> LargestAndSample<T> {
    /// Begins with none: keeps `largest` of the largest and a sample of `sampled`.
    pub(super) fn new(largest: usize, sampled: usize) -> LargestAndSample<T> {
        // All of the largest may be drawn too.
        let sample = Smallest::new(largest + sampled);
        LargestAndSample { largest: Smallest::new(largest), sample, sampled }
    }

    /// Takes an item.
    pub(super) fn offer(&mut self, size: u64, key: &str, item: impl Fn() -> T) {
        self.largest.offer(Reverse(size), &item);
        self.sample.offer(draw(key), &item);
    }

    /// Returns how many were offered.
    pub(super) fn offered(&self) -> u64 {
        self.largest.offered()
    }

    /// Returns the largest, the largest first, then the sample in the order of coming.
    pub(super) fn into_items(self) -> Vec<T> {
        let largest: Vec<(u64, T)> = self.largest.into_items().collect();
        let drawn = self.sample.into_items().filter(|(came, _)| !largest.iter().any(|(taken, _)| taken == came));
        let mut sample: Vec<(u64, T)> = drawn.take(self.sampled).collect();
        sample.sort_by_key(|(came, _)| *came);
        largest.into_iter().chain(sample).map(|(_, item)| item).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_are_kept_and_ties_stay_in_order() {
        let mut smallest = Smallest::new(3);
        for (at, rank) in [5, 1, 4, 1, 3, 1].into_iter().enumerate() {
            smallest.offer(rank, || at);
        }
        assert_eq!(smallest.into_items().map(|(_, item)| item).collect::<Vec<_>>(), [1, 3, 5]);
    }

    #[test]
    fn nothing_is_shown_twice_and_everything_when_there_is_room() {
        let shown = |largest, sampled| {
            let mut all = LargestAndSample::new(largest, sampled);
            for size in 0..20u64 {
                all.offer(size % 7, &size.to_string(), || size);
            }
            all.into_items()
        };
        assert_eq!(shown(3, 2).len(), 5);
        assert_eq!(shown(3, 2)[..2], [6, 13]);
        let mut all = shown(10, 10);
        all.sort_unstable();
        assert_eq!(all, (0..20).collect::<Vec<_>>());
    }
}
