//! Where the article ends and something else begins: comment threads, teasers, further articles.
//!
//! Two signs, both of the page alone. Threads and lists are regular: a short line that comes again and again ("Reply",
//! a date and a time) stands between their parts. And a text holds together: its words bridge its paragraphs, and where
//! few words bridge, another text begins (Hearst, *TextTiling*, 1997).

use crate::boilerplate::shape::Shape;

/// Columns of the features.
pub(super) const COLUMNS: usize = 14;

/// Blocks looked at on each side.
const WINDOW: usize = 8;

/// What a block shares with the paragraphs of its page: shares of its words that carry meaning.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Shared {
    /// With any other paragraph; below 0 where the block has no such word.
    pub(super) any: f32,
    /// With one above it.
    pub(super) above: f32,
    /// With one below it.
    pub(super) below: f32,
}

/// Features of the stretch that a block stands in, as running sums and one value a block.
#[derive(Debug, Default)]
pub(super) struct Thread {
    shared: Vec<Shared>,
    /// Words that bridge the gap above a block, as a share of those that bridge the best bridged gap.
    bridged: Vec<f32>,
    /// The least of `bridged` between a block and the best bridged gap.
    least: Vec<f32>,
    best: usize,
    markers: Vec<u32>,
    /// Repeats of the nearest marker above, and below; 0 where there is none.
    marked: [Vec<f32>; 2],
    persons: Vec<f32>,
    above: Vec<f32>,
    mass: Vec<f32>,
}

/// Returns whether a block is a mark between the parts of a list or thread: short, and there again and again or a time.
fn is_marker(shape: &Shape, repeats: f32) -> bool {
    let dated = shape.months + shape.clocks;
    shape.words < 10.0 && (repeats >= 3.0 || dated > 0 && 2 * (dated + shape.numbers) >= shape.tokens)
}

impl Thread {
    /// Reads a page. `bridges` holds, for every gap above a block, how many words that carry meaning stand in paragraphs
    /// on both sides of it; `repeats` how often a block's words occur on the page.
    pub(super) fn read(shapes: &[Shape], shared: Vec<Shared>, bridges: &[u32], repeats: &[f32]) -> Thread {
        let count = shapes.len();
        let best = (0..count).max_by_key(|at| (bridges[*at], std::cmp::Reverse(*at))).unwrap_or(0);
        let most = bridges.get(best).map_or(1.0, |most| (*most).max(1) as f32);
        let bridged: Vec<f32> = bridges.iter().take(count).map(|bridges| *bridges as f32 / most).collect();
        let mut least = bridged.clone();
        for at in best + 1..count {
            least[at] = least[at].min(least[at - 1]);
        }
        for at in (0..best).rev() {
            least[at] = least[at].min(least[at + 1]);
        }
        let (mut markers, mut persons) = (Vec::with_capacity(count + 1), Vec::with_capacity(count + 1));
        let (mut above, mut mass) = (Vec::with_capacity(count + 1), Vec::with_capacity(count + 1));
        let (mut marker_sum, mut person_sum, mut above_sum, mut mass_sum) = (0, 0f64, 0f64, 0f64);
        for at in 0..count {
            markers.push(marker_sum);
            persons.push(person_sum as f32);
            above.push(above_sum as f32);
            mass.push(mass_sum as f32);
            let shape = &shapes[at];
            let weight = f64::from(shape.words.min(40.0).sqrt());
            marker_sum += u32::from(is_marker(shape, repeats[at]));
            person_sum += f64::from(shape.first + shape.second) / f64::from(shape.tokens.max(1)) * weight;
            above_sum += f64::from(shared[at].above) * weight;
            mass_sum += weight;
        }
        markers.push(marker_sum);
        persons.push(person_sum as f32);
        above.push(above_sum as f32);
        mass.push(mass_sum as f32);
        let mut marked = [vec![0f32; count], vec![0f32; count]];
        let near = |from: usize, at: usize| from.abs_diff(at) <= WINDOW;
        let mut last: Option<usize> = None;
        for at in 0..count {
            marked[0][at] = last.filter(|last| near(*last, at)).map_or(0.0, |last| repeats[last].min(100.0));
            if is_marker(&shapes[at], repeats[at]) {
                last = Some(at);
            }
        }
        last = None;
        for at in (0..count).rev() {
            marked[1][at] = last.filter(|last| near(*last, at)).map_or(0.0, |last| repeats[last].min(100.0));
            if is_marker(&shapes[at], repeats[at]) {
                last = Some(at);
            }
        }
        Thread { shared, bridged, least, best, markers, marked, persons, above, mass }
    }

    /// Writes a block's features.
    pub(super) fn features(&self, at: usize, row: &mut [f32]) {
        let count = self.shared.len();
        let before = (at.saturating_sub(WINDOW), at);
        let after = (at + 1, (at + 1 + WINDOW).min(count));
        let mean = |sums: &[f32], (from, to): (usize, usize)| {
            let mass = self.mass[to] - self.mass[from];
            (sums[to] - sums[from]) / mass.max(0.5)
        };
        let shared = self.shared[at];
        row[0] = shared.above;
        row[1] = shared.below;
        row[2] = mean(&self.above, before);
        row[3] = mean(&self.above, after);
        row[4] = self.bridged[at];
        row[5] = self.least[at];
        row[6] = self.bridged.get(at + 1).copied().unwrap_or(0.0);
        row[7] = (at as f32 - self.best as f32).clamp(-60.0, 60.0);
        row[8] = (self.markers[before.1] - self.markers[before.0]) as f32;
        row[9] = (self.markers[after.1] - self.markers[after.0]) as f32;
        row[10] = self.marked[0][at];
        row[11] = self.marked[1][at];
        row[12] = mean(&self.persons, before);
        row[13] = mean(&self.persons, after);
    }
}
