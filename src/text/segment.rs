//! Blocks: lines, paragraphs where lines are wrapped, sentences where there are no line breaks.

use crate::document::Span;

/// A part of the text that is judged as a whole: never blank, never overlapping the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// Where it stands, without the white space around it.
    pub span: Span,
    /// The line it begins on, 1 for the first.
    pub line: u32,
}

/// What the blocks of a text are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Every line is a block.
    Lines,
    /// Lines are hard-wrapped: paragraphs are the blocks.
    Wrapped,
    /// (Almost) no line breaks: sentences are the blocks.
    Sentences,
}

/// A text's blocks in order; what lies between them is white space, so that blocks and gaps make the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segments {
    /// What the blocks are.
    pub layout: Layout,
    /// The blocks.
    pub blocks: Vec<Block>,
}

/// Cuts a text into blocks. (Skeleton: lines only; to be filled in.)
pub fn segment(text: &str) -> Segments {
    let mut blocks = Vec::new();
    let mut start = 0;
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let inner = line.trim();
        if !inner.is_empty() {
            let at = start + (line.len() - line.trim_start().len());
            blocks.push(Block { span: Span::new(at, at + inner.len()), line: number as u32 + 1 });
        }
        start += line.len();
    }
    Segments { layout: Layout::Lines, blocks }
}
