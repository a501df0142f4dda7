//! Bytes → documents: files, directories and standard input, as [`Source`].
//!
//! Does not know what documents are for: no blocks, no boilerplate, no similarity; and does not see that an id occurs
//! again, which takes the whole run.
//!
//! ```text
//! paths ──walk──▶ files in order ──cut──▶ whole lines of JSONL ──parse──▶ Document
//!                                    └──▶ some text files ─────decode──┘
//! table in memory ───────────────────────────▶ some rows ──────cells───┘
//! ```
//!
//! Cutting is sequential and cheap (one read, one search for the last line end); parsing is the worker's job.

#![allow(
    clippy::result_large_err,
    reason = "an error is a row of `skipped`, no larger than the document it stands for"
)]

mod error;
mod settings;
mod source;

mod archive;
mod cell;
mod container;
mod file;
mod left_out;
mod members;
mod objects;
mod roots;
mod stream;
mod walk;

mod buffers;
pub(crate) mod chunk;
mod chunks;
pub(crate) mod decode;
pub(crate) mod fields;
mod limits;
pub(crate) mod parse;
pub(crate) mod pass;
pub(crate) mod ranges;
mod sample;
pub(crate) mod text;

pub(crate) mod rows;

#[cfg_attr(not(feature = "html"), path = "html_disabled.rs")]
mod html;

mod csv;
mod held;
mod json;
mod jsonl;
pub(crate) mod warc;
mod xml;

mod metadata;
mod site;

pub(crate) use archive::copy_of_member;
pub use cell::Cell;
pub use container::Container;
pub(crate) use container::is_written_anew;
pub use error::ReadError;
pub use file::InputFile;
pub use held::HeldTable;
pub use left_out::LeftOut;
pub use objects::Fetch;
pub(crate) use pass::Cut;
#[cfg(feature = "arrow")]
pub use rows::arrow::cell as cell_of_arrow;
pub use sample::Sample;
pub use settings::SourceSettings;
pub use site::{PUBLIC_SUFFIX_LIST, of_url as site_of_url};
pub use source::Source;
pub(crate) use stream::stream_of;
pub(crate) use walk::id_path;
