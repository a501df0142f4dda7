//! Which blocks of a page are not its article: a block and its evidence in, a verdict out.
//!
//! Pure: knows one page and what the run counted about its blocks; no files, no other documents, no threads.
//!
//! ```text
//! Block ──features──▶ ┐
//! cues ──────────────▶ ├─judge─▶ Verdict (kind, score, evidence)
//! Repetition ────────▶ ┘
//! ```

mod judge;
mod kind;
mod occurrence;
mod repetition;

pub use judge::{Evidence, Headline, HeadlineSource, Judge, Judged, Page, Place, Verdict};
pub use kind::{BoilerplateKind, KindSet};
pub use occurrence::{Counted, Link, Occurrence, Tally};
pub use repetition::{Fingerprints, Repetition, fingerprints};
