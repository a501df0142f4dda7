//! The trained weights: read from their file, and evaluated.
//!
//! The file is made by `training/train.py` and is part of the program. Byte order is little endian; its parts are, in
//! order: magic and version, the counts of columns it was trained on, parameters, word weights, two forests.

use std::fmt;
use std::sync::{Arc, LazyLock};

use pulp::{Arch, Simd, WithSimd};

use crate::boilerplate::features::{CONTEXT_COLUMNS, LEXICAL_BITS, LOOK_COLUMNS, lexical_buckets};
use crate::boilerplate::repetition::EVIDENCE;
use crate::boilerplate::shape::KINDS;
use crate::boilerplate::versions::{MODEL as BUILT_IN, short};
use crate::hash::hash64;

/// The weights that the program brings.
static MODEL: LazyLock<Arc<Model>> = LazyLock::new(|| {
    Arc::new(Model::read(BUILT_IN).expect("the model of the program fits the program: a test reads it"))
});

const MAGIC: [u8; 4] = *b"rtbm";
/// Version of the file's format and of the features it expects.
const VERSION: u16 = 2;

/// Why weights cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// The bytes are no model.
    #[error("expected a boilerplate model, found something else")]
    NotAModel,
    /// Another version of the format.
    #[error("expected a model of version {VERSION}, found version {found}")]
    Version {
        /// The version found.
        found: u16,
    },
    /// Trained on other features.
    #[error("expected a model of {LOOK_COLUMNS} and {CONTEXT_COLUMNS} features, found one of {look} and {context}")]
    Features {
        /// Columns of its first matrix.
        look: u16,
        /// Columns of its second matrix.
        context: u16,
    },
    /// The bytes end early, or name what is not there.
    #[error("the model is damaged")]
    Damaged,
}

impl ModelError {
    /// Returns what to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            ModelError::NotAModel | ModelError::Damaged => "name a file that `training/train.py` wrote, whole",
            ModelError::Version { .. } | ModelError::Features { .. } => {
                "train it again with `training/train.py` of this version of the program"
            }
        }
    }
}

/// Trained weights other than those of the program, as cross-validation of a whole run needs.
///
/// Two are equal when they were read from the same bytes. Cloning is cheap: the weights are shared.
#[derive(Clone)]
pub struct Weights {
    pub(super) model: Arc<Model>,
    digest: u64,
}

impl Weights {
    /// Reads the bytes of a file that `training/train.py` wrote.
    ///
    /// # Errors
    /// If the bytes are no model, or one of another version or for other features.
    pub fn read(bytes: &[u8]) -> Result<Weights, ModelError> {
        Ok(Weights { model: Arc::new(Model::read(bytes)?), digest: hash64(bytes) })
    }

    /// Returns the version, as [`data_versions`](crate::boilerplate::data_versions) gives that of the built-in weights.
    pub fn version(&self) -> String {
        short(self.digest)
    }
}

impl PartialEq for Weights {
    fn eq(&self, other: &Weights) -> bool {
        self.digest == other.digest
    }
}

impl fmt::Debug for Weights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Weights({:016x})", self.digest)
    }
}

/// Numbers that are no trees.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Parameters {
    /// Log odds that the counts of a block add.
    pub(super) repetition: [f32; EVIDENCE],
    /// Log odds that a block adds whose words are all cue phrases of a kind, by kind.
    pub(super) says: [f32; KINDS],
    /// The judge's way to weigh neighbors and to decide.
    pub(super) usual: Decision,
    /// The careful judge's.
    pub(super) careful: Decision,
    /// Share of a block's own log odds that enters the chain.
    pub(super) own: f32,
    /// Words at which a block's evidence counts in full.
    pub(super) full_words: f32,
    /// Share of the first forest's log odds in the sum of both.
    pub(super) first: f32,
    /// What is taken from the log odds of a block of 25 words and more, and in part from shorter ones: a paragraph of the
    /// article that goes is worse than one of chrome that stays.
    pub(super) long: f32,
}

/// How a chain over the page weighs neighbors, and from which odds a block is flagged.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Decision {
    /// Log odds of staying in a state of the chain, from a block to the next.
    pub(super) stay: f32,
    /// Slope and offset that turn the chain's log odds into calibrated ones.
    pub(super) slope: f32,
    /// See `slope`.
    pub(super) offset: f32,
    /// Calibrated log odds from which a block is flagged.
    pub(super) threshold: f32,
}

/// Count of the parameters in the file.
const PARAMETERS: usize = EVIDENCE + KINDS + 12;

/// An inner node of a tree: asks whether a feature is at most its threshold.
#[derive(Clone, Copy, Debug)]
struct Test {
    threshold: f32,
    feature: u8,
    /// The leaves that can still be reached when it is not: all but those to the left of the node, one bit each.
    kept: u32,
}

/// Leaves that a tree has at most: each is a bit.
const LEAVES: usize = u32::BITS as usize;

#[derive(Clone, Copy, Debug)]
struct Tree {
    /// End of its tests in the forest's list; they begin where those of the tree before end.
    tests: usize,
    /// Values of its leaves, from left to right.
    leaves: [f32; LEAVES],
}

/// Rows that are evaluated side by side at most: four of the widest registers that most machines have, so that what a test
/// costs beside its comparisons is shared by many of them.
pub(super) const LANES: usize = 32;

/// Columns that a test can name, so that none of them checks bounds; those of a forest come first.
pub(super) const WIDTH: usize = 1 << u8::BITS;

/// Rows side by side, column by column.
pub(super) type Columns = [[f32; LANES]; WIDTH];

/// Boosted trees: their sum is a log odds.
#[derive(Clone, Debug, Default)]
pub(super) struct Forest {
    tests: Vec<Test>,
    trees: Vec<Tree>,
    base: f32,
    arch: Arch,
}

impl Forest {
    /// Returns the log odds for the first `SIDE` rows, given column by column. Every row is summed up on its own, tree after
    /// tree, so it does not matter which rows stand beside it.
    ///
    /// No tree is walked: every test of it strikes out the leaves that it rules out, for all rows in the same
    /// instructions, and the first leaf left is the one a walk would end in (Lucchese et al., "QuickScorer", 2015). The
    /// widest instructions of this machine are used; they say the same, since every row has a lane of its own.
    pub(super) fn evaluate<const SIDE: usize>(&self, columns: &Columns) -> [f32; SIDE] {
        self.arch.dispatch(SumUp { forest: self, columns })
    }
}

/// A forest and the rows that it is to sum up, as the dispatch to a machine's instructions takes them.
struct SumUp<'a, const SIDE: usize> {
    forest: &'a Forest,
    columns: &'a Columns,
}

impl<const SIDE: usize> SumUp<'_, SIDE> {
    #[inline(always)]
    fn plainly(self) -> [f32; SIDE] {
        self.tree_by_tree(|tests| {
            let mut left = [u32::MAX; SIDE];
            for test in tests {
                // Bits instead of a choice, and in two loops: so the compiler makes a handful of vector instructions of
                // it. A choice it makes a jump, which costs several times a walk down the tree.
                let mut holds = [0u32; SIDE];
                for (holds, value) in holds.iter_mut().zip(&self.columns[usize::from(test.feature)]) {
                    *holds = u32::from(*value <= test.threshold).wrapping_neg();
                }
                for (left, holds) in left.iter_mut().zip(holds) {
                    *left &= test.kept | holds;
                }
            }
            left
        })
    }

    /// Sums up the leaves of all trees, where `reach` gives those that can be reached after some tests.
    #[inline(always)]
    fn tree_by_tree(&self, reach: impl Fn(&[Test]) -> [u32; SIDE]) -> [f32; SIDE] {
        let mut sums = [self.forest.base; SIDE];
        let mut start = 0;
        for tree in &self.forest.trees {
            for (sum, left) in sums.iter_mut().zip(reach(&self.forest.tests[start..tree.tests])) {
                *sum += tree.leaves[left.trailing_zeros() as usize % LEAVES];
            }
            start = tree.tests;
        }
        sums
    }
}

impl<const SIDE: usize> WithSimd for SumUp<'_, SIDE> {
    type Output = [f32; SIDE];

    // What is not inlined is not compiled for the instructions that were chosen.
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> [f32; SIDE] {
        if S::F32_LANES == 1 || !SIDE.is_multiple_of(S::F32_LANES) {
            return self.plainly();
        }
        self.tree_by_tree(|tests| {
            let mut left = [simd.splat_u32s(u32::MAX); LANES];
            for test in tests {
                let (values, _) = S::as_simd_f32s(&self.columns[usize::from(test.feature)]);
                let (threshold, kept) = (simd.splat_f32s(test.threshold), simd.splat_u32s(test.kept));
                for (left, values) in left.iter_mut().zip(&values[..SIDE / S::F32_LANES]) {
                    let holds = simd.less_than_or_equal_f32s(*values, threshold);
                    *left = simd.select_u32s(holds, *left, simd.and_u32s(*left, kept));
                }
            }
            let mut lanes = [0; SIDE];
            S::as_mut_simd_u32s(&mut lanes).0.copy_from_slice(&left[..SIDE / S::F32_LANES]);
            lanes
        })
    }
}

/// Trained weights.
#[derive(Clone, Debug)]
pub(super) struct Model {
    pub(super) parameters: Parameters,
    lexical: Vec<i8>,
    lexical_scale: f32,
    pub(super) look: Forest,
    pub(super) context: Forest,
}

impl Model {
    /// Returns the weights that the program brings.
    pub(super) fn built_in() -> Arc<Model> {
        Arc::clone(&MODEL)
    }

    /// Returns the words' own score: the sum of their weights over the root of their number.
    pub(super) fn lexical(&self, words: &[u32]) -> f32 {
        let (mut sum, mut count) = (0i32, 0u32);
        lexical_buckets(words, |bucket| {
            sum += i32::from(self.lexical[bucket as usize]);
            count += 1;
        });
        if count == 0 { 0.0 } else { sum as f32 * self.lexical_scale / (count as f32).sqrt() }
    }

    /// Reads weights from their file.
    pub(super) fn read(bytes: &[u8]) -> Result<Model, ModelError> {
        let mut bytes = Bytes { rest: bytes };
        if bytes.take(4).ok() != Some(&MAGIC[..]) {
            return Err(ModelError::NotAModel);
        }
        let version = bytes.u16()?;
        if version != VERSION {
            return Err(ModelError::Version { found: version });
        }
        let (look, context) = (bytes.u16()?, bytes.u16()?);
        if (usize::from(look), usize::from(context)) != (LOOK_COLUMNS, CONTEXT_COLUMNS) {
            return Err(ModelError::Features { look, context });
        }
        if usize::from(bytes.u16()?) != PARAMETERS {
            return Err(ModelError::Damaged);
        }
        let mut parameters = Parameters::default();
        let Parameters { repetition, says, usual, careful, own, full_words, first, long } = &mut parameters;
        for parameter in repetition.iter_mut().chain(says).chain([own, full_words, first, long]) {
            *parameter = bytes.f32()?;
        }
        for Decision { stay, slope, offset, threshold } in [usual, careful] {
            for parameter in [stay, slope, offset, threshold] {
                *parameter = bytes.f32()?;
            }
        }
        let lexical_scale = bytes.f32()?;
        let lexical = bytes.take(1 << LEXICAL_BITS)?.iter().map(|byte| *byte as i8).collect();
        let look = bytes.forest(LOOK_COLUMNS)?;
        let context = bytes.forest(CONTEXT_COLUMNS)?;
        if bytes.rest.is_empty() {
            Ok(Model { parameters, lexical, lexical_scale, look, context })
        } else {
            Err(ModelError::Damaged)
        }
    }
}

struct Bytes<'a> {
    rest: &'a [u8],
}

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], ModelError> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(ModelError::Damaged)?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], ModelError> {
        Ok(self.take(N)?.try_into().expect("as many bytes were taken"))
    }

    fn u16(&mut self) -> Result<u16, ModelError> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    fn f32(&mut self) -> Result<f32, ModelError> {
        let value = f32::from_le_bytes(self.array()?);
        if value.is_finite() { Ok(value) } else { Err(ModelError::Damaged) }
    }

    fn forest(&mut self, columns: usize) -> Result<Forest, ModelError> {
        let mut forest = Forest { base: self.f32()?, ..Forest::default() };
        let scale = self.f32()?;
        for _ in 0..self.u16()? {
            let inner = usize::from(self.take(1)?[0]);
            if !(1..LEAVES).contains(&inner) {
                return Err(ModelError::Damaged);
            }
            let start = forest.tests.len();
            let mut children = [[0usize; 2]; LEAVES];
            let mut has_parent = [false; 2 * LEAVES];
            for (number, children) in children.iter_mut().enumerate().take(inner) {
                let [feature, left, right] = self.array()?;
                let threshold = self.f32()?;
                if usize::from(feature) >= columns {
                    return Err(ModelError::Damaged);
                }
                for (child, code) in children.iter_mut().zip([left as i8, right as i8]) {
                    // A child comes after its parent and has no other; a negative one is the complement of a leaf.
                    let at = if code >= 0 { code as usize } else { inner + !code as usize };
                    if at <= number || at > 2 * inner || code >= 0 && at >= inner || has_parent[at] {
                        return Err(ModelError::Damaged);
                    }
                    has_parent[at] = true;
                    *child = at;
                }
                forest.tests.push(Test { threshold, feature, kept: u32::MAX });
            }
            let mut values = [0.0; LEAVES];
            for value in &mut values[..=inner] {
                *value = f32::from(i16::from_le_bytes(self.array()?)) * scale;
            }
            // Every node but the root has one parent, so what hangs below the root is the whole tree. Leaves are
            // numbered from left to right: below each node, first come those to its left.
            let mut below = [1u32; 2 * LEAVES];
            for number in (0..inner).rev() {
                below[number] = children[number].iter().map(|child| below[*child]).sum();
            }
            let mut first = [0u32; 2 * LEAVES];
            for number in 0..inner {
                let [left, right] = children[number];
                first[left] = first[number];
                first[right] = first[number] + below[left];
                let struck = ((1u64 << below[left]) - 1) << first[number];
                forest.tests[start + number].kept = !(struck as u32);
            }
            let mut leaves = [0.0; LEAVES];
            for leaf in 0..=inner {
                leaves[first[inner + leaf] as usize] = values[leaf];
            }
            forest.trees.push(Tree { tests: forest.tests.len(), leaves });
        }
        Ok(forest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::mix64;

    const BYTES: &[u8] = BUILT_IN;

    #[test]
    fn the_weights_of_the_program_are_read() {
        let model = Model::read(BYTES).expect("the committed weights fit");
        assert!(model.parameters.careful.threshold > model.parameters.usual.threshold);
    }

    #[test]
    fn damaged_weights_are_refused_and_never_panic() {
        assert_eq!(Model::read(b"rt").unwrap_err(), ModelError::NotAModel);
        for cut in (0..BYTES.len()).step_by(97) {
            assert!(Model::read(&BYTES[..cut]).is_err(), "{cut} bytes");
        }
        let mut other = BYTES.to_vec();
        other[4] = 9;
        assert_eq!(Model::read(&other).unwrap_err(), ModelError::Version { found: 9 });
    }

    #[test]
    fn a_row_is_summed_up_alike_whatever_stands_beside_it() {
        let model = Model::built_in();
        let [alone] = model.look.evaluate(&[[0.5; LANES]; WIDTH]);
        let mut columns = [[0.5; LANES]; WIDTH];
        for column in &mut columns {
            column[2] = 9.0;
        }
        assert_eq!(model.look.evaluate::<LANES>(&columns)[3], alone);
    }

    #[test]
    fn wide_instructions_sum_up_what_plain_ones_do() {
        let model = Model::built_in();
        for forest in [&model.look, &model.context] {
            // Values on thresholds, just below and just above: where a test that is off by one would show.
            let mut thresholds: Vec<Vec<f32>> = vec![vec![0.0]; WIDTH];
            for test in &forest.tests {
                let value = test.threshold;
                thresholds[usize::from(test.feature)].extend([value.next_down(), value, value.next_up()]);
            }
            for round in 0..64 {
                let mut columns = [[0.0; LANES]; WIDTH];
                for (feature, column) in columns.iter_mut().enumerate() {
                    for (lane, value) in column.iter_mut().enumerate() {
                        let place = mix64((round * WIDTH + feature) as u64 * LANES as u64 + lane as u64);
                        *value = thresholds[feature][place as usize % thresholds[feature].len()];
                    }
                }
                let plain: [f32; LANES] = SumUp { forest, columns: &columns }.plainly();
                assert_eq!(forest.evaluate(&columns), plain);
                assert_eq!(forest.evaluate::<24>(&columns), plain[..24]);
                assert_eq!(forest.evaluate::<8>(&columns), plain[..8]);
                assert_eq!(forest.evaluate::<4>(&columns), plain[..4]);
            }
        }
    }
}
