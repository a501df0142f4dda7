//! What training needs: the same rows that the judge reads.
//!
//! Used by `examples/boilerplate_rows.rs`; `training/README.md` shows the one command that runs it.

use std::cell::Cell;

use crate::boilerplate::Page;
use crate::boilerplate::features::{Blocks, Scores, lexical_buckets};
use crate::boilerplate::repetition::{self, EVIDENCE};
use crate::boilerplate::says;
use crate::boilerplate::shape::KINDS;

pub use crate::boilerplate::features::{CONTEXT_COLUMNS, LEXICAL_BITS, LOOK_COLUMNS};

/// Features of the counts of a block.
pub const REPETITION_COLUMNS: usize = EVIDENCE;

/// Kinds that cue phrases speak for.
pub const SAYS_COLUMNS: usize = KINDS;

/// A page with its rows.
#[derive(Debug)]
pub struct Rows {
    blocks: Blocks,
}

impl Rows {
    /// Looks at a page. `lexical` holds the words' own score of every block, or nothing before there is one.
    pub fn new(page: &Page<'_>, lexical: &[f32]) -> Rows {
        let next = Cell::new(0);
        let score = |_: &[u32]| {
            let at = next.replace(next.get() + 1);
            lexical.get(at).copied().unwrap_or(0.0)
        };
        Rows { blocks: Blocks::look(page.text, &page.segments.blocks, page.title, score) }
    }

    /// Returns the buckets of a block's word n-grams.
    pub fn lexical(&self, block: usize) -> Vec<u32> {
        let mut buckets = Vec::new();
        lexical_buckets(self.blocks.words_of(block), |bucket| buckets.push(bucket));
        buckets
    }

    /// Returns a block's words, as the judge counts them.
    pub fn words(&self, block: usize) -> f32 {
        self.blocks.shapes[block].words
    }

    /// Returns the block of the headline.
    pub fn headline(&self) -> Option<usize> {
        self.blocks.headline
    }

    /// Returns the first matrix.
    pub fn look(&self) -> Vec<[f32; LOOK_COLUMNS]> {
        let mut rows = vec![[0.0; LOOK_COLUMNS]; self.blocks.len()];
        for (at, row) in rows.iter_mut().enumerate() {
            self.blocks.look_row(at, row);
        }
        rows
    }

    /// Returns the second matrix, given first scores and what repetition adds to them.
    pub fn context(&self, scores: Vec<f32>, repetition: &[f32]) -> Vec<[f32; CONTEXT_COLUMNS]> {
        let scores = Scores::new(&self.blocks, scores, repetition);
        let mut rows = vec![[0.0; CONTEXT_COLUMNS]; self.blocks.len()];
        for (at, row) in rows.iter_mut().enumerate() {
            self.blocks.context_row(at, &scores, row);
        }
        rows
    }

    /// Returns the share of a block's words that the cue phrases of every kind take.
    pub fn says(&self, block: usize) -> [f32; SAYS_COLUMNS] {
        says::shares(&self.blocks.shapes[block])
    }

    /// Returns the features of the counts of a block.
    pub fn repetition(&self, page: &Page<'_>, block: usize) -> [f32; REPETITION_COLUMNS] {
        match page.repetition.get(block) {
            Some(counts) => repetition::evidence(counts, page.site_clusters, self.blocks.shapes[block].words),
            None => [0.0; REPETITION_COLUMNS],
        }
    }
}
