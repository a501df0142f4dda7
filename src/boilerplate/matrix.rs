//! The rows of a page for both forests, column by column.
//!
//! Forests look at many rows at once, so a column of neighboring rows lies side by side. Most columns are the same for both
//! forests and are written once.

use std::cell::Cell;

use crate::boilerplate::model::{Columns, Forest, LANES, WIDTH};

/// The rows of a page.
#[derive(Debug, Default)]
pub(super) struct Matrix {
    rows: usize,
    /// [`LANES`] rows each; the last of them may hold fewer, and what stands beside those means nothing.
    groups: Vec<Columns>,
}

/// Groups of rows that are kept for the next page: half a megabyte, enough for all but the longest pages.
const KEPT: usize = 16;

thread_local! {
    /// Room for the next page: to clear new room for each costs about a hundredth of judging it.
    static ROOM: Cell<Vec<Columns>> = const { Cell::new(Vec::new()) };
}

impl Matrix {
    /// Makes room for so many rows, none of which is written yet.
    pub(super) fn with_rows(rows: usize) -> Matrix {
        let mut groups = ROOM.take();
        groups.resize(groups.len().max(rows.div_ceil(LANES)), [[0.0; LANES]; WIDTH]);
        Matrix { rows, groups }
    }

    /// Writes the columns from `first` on that `write` gives for every row.
    pub(super) fn write<const COLUMNS: usize>(&mut self, first: usize, write: impl Fn(usize, &mut [f32; COLUMNS])) {
        let mut row = [0.0; COLUMNS];
        for at in 0..self.rows {
            write(at, &mut row);
            let columns = &mut self.groups[at / LANES][first..first + COLUMNS];
            for (column, value) in columns.iter_mut().zip(&row) {
                column[at % LANES] = *value;
            }
        }
    }

    /// Returns a forest's log odds for every row.
    pub(super) fn evaluate(&self, forest: &Forest) -> Vec<f32> {
        let mut out = Vec::with_capacity(self.rows.next_multiple_of(LANES));
        for group in &self.groups[..self.rows.div_ceil(LANES)] {
            // Most pages are short, so that the rows at their end are worth narrower passes.
            match self.rows - out.len() {
                0..=4 => out.extend(forest.evaluate::<4>(group)),
                5..=8 => out.extend(forest.evaluate::<8>(group)),
                9..=16 => out.extend(forest.evaluate::<16>(group)),
                17..=24 => out.extend(forest.evaluate::<24>(group)),
                _ => out.extend(forest.evaluate::<LANES>(group)),
            }
        }
        out.truncate(self.rows);
        out
    }
}

impl Drop for Matrix {
    fn drop(&mut self) {
        let mut groups = std::mem::take(&mut self.groups);
        groups.truncate(KEPT);
        groups.shrink_to(KEPT);
        ROOM.set(groups);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::boilerplate::model::Model;

    #[test]
    fn a_row_says_the_same_in_every_matrix() {
        let model = Model::built_in();
        let value = |at: usize, column: usize| (at * 7 % 5) as f32 + column as f32 / 64.0;
        let read = |from: usize, to: usize| {
            let mut matrix = Matrix::with_rows(to - from);
            matrix.write::<100>(0, |at, row| *row = std::array::from_fn(|column| value(from + at, column)));
            matrix.write::<50>(100, |at, row| *row = std::array::from_fn(|column| value(from + at, 100 + column)));
            matrix.evaluate(&model.look)
        };
        let all = read(0, 700);
        assert_eq!(all.len(), 700);
        assert!(all[..5].windows(2).all(|pair| pair[0] != pair[1]), "rows differ: {:?}", &all[..5]);
        for rows in [1, 4, 5, 8, 9, 16, 17, 24, 25, 32, 33, 100] {
            assert_eq!(read(3, 3 + rows), all[3..3 + rows], "{rows} rows");
        }
    }
}
