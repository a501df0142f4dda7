//! Merging sorted runs with a tree of losers.

use crate::record::Record;
use crate::store::StoreError;
use crate::store::run::RunCursor;

/// Merges any number of cursors: log2(n) comparisons a record.
///
/// # Source
/// D. Knuth, *The Art of Computer Programming*, volume 3, 5.4.1, tree of losers.
#[derive(Debug)]
pub(super) struct Merge<'a, 'w, R> {
    cursors: Vec<RunCursor<'a, 'w, R>>,
    heads: Vec<Option<R>>,
    /// The winner at 0; at every inner node of the tournament (1 and up) the cursor that lost there.
    tree: Vec<usize>,
    failed: bool,
}

impl<'a, 'w, R: Record> Merge<'a, 'w, R> {
    /// Begins a merge by reading the first record of every cursor.
    pub(super) fn new(mut cursors: Vec<RunCursor<'a, 'w, R>>) -> Result<Merge<'a, 'w, R>, StoreError> {
        let heads = cursors.iter_mut().map(RunCursor::next).collect::<Result<Vec<_>, _>>()?;
        let count = cursors.len();
        let mut merge = Merge { cursors, heads, tree: vec![0; count.max(1)], failed: false };
        let mut winners: Vec<usize> = std::iter::repeat_n(0, count).chain(0..count).collect();
        for node in (1..count).rev() {
            let (left, right) = (winners[2 * node], winners[2 * node + 1]);
            let (winner, loser) = if merge.beats(right, left) { (right, left) } else { (left, right) };
            winners[node] = winner;
            merge.tree[node] = loser;
        }
        if count > 1 {
            merge.tree[0] = winners[1];
        }
        Ok(merge)
    }

    /// Returns whether the head of one cursor comes before that of another; a cursor at its end comes last.
    #[inline]
    fn beats(&self, one: usize, other: usize) -> bool {
        match (&self.heads[one], &self.heads[other]) {
            (Some(one), Some(other)) => one < other,
            (one, _) => one.is_some(),
        }
    }
}

impl<R: Record> Iterator for Merge<'_, '_, R> {
    type Item = Result<R, StoreError>;

    #[inline]
    fn next(&mut self) -> Option<Result<R, StoreError>> {
        if self.failed || self.cursors.is_empty() {
            return None;
        }
        let mut winner = self.tree[0];
        let record = self.heads[winner]?;
        match self.cursors[winner].next() {
            Ok(head) => self.heads[winner] = head,
            Err(error) => {
                self.failed = true;
                return Some(Err(error));
            }
        }
        let mut node = (self.cursors.len() + winner) / 2;
        while node > 0 {
            if self.beats(self.tree[node], winner) {
                std::mem::swap(&mut self.tree[node], &mut winner);
            }
            node /= 2;
        }
        self.tree[0] = winner;
        Some(Ok(record))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sorter::tests::Number;

    fn merged(runs: &[Vec<Number>]) -> Vec<Number> {
        let cursors = runs.iter().map(|run| RunCursor::Memory(run.iter())).collect();
        Merge::new(cursors).expect("memory does not fail").map(|record| record.expect("nor here")).collect()
    }

    proptest::proptest! {
        #[test]
        fn a_merge_is_a_sort(runs in proptest::collection::vec(proptest::collection::vec(0u64..50, 0..20), 0..9)) {
            let runs: Vec<Vec<Number>> = runs
                .into_iter()
                .map(|mut run| {
                    run.sort_unstable();
                    run.into_iter().map(Number::of).collect()
                })
                .collect();
            let mut expected = runs.concat();
            expected.sort_unstable();
            proptest::prop_assert_eq!(merged(&runs), expected);
        }
    }
}
