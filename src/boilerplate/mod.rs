//! Which blocks of a page are not its article: a block and its evidence in, a verdict out.
//!
//! Pure: knows one page and what the run counted about its blocks; no files, no other documents, no threads.
//!
//! ```text
//! Block ──shape──▶ features ──model──▶ first score ─┐
//!         cues ───▶ ┘                               ├─▶ features of context ──model──▶ ┐
//! Repetition ───────────────────▶ log odds ─────────┴──────────────────────────────────┴─chain─▶ Verdict
//! ```
//!
//! The user has the last word: [`Rules`] put theirs in place of any verdict.

mod chain;
mod cues;
mod features;
mod frame;
mod headline;
mod judge;
mod kind;
mod kinds;
mod matrix;
mod model;
mod occurrence;
mod plain;
mod repetition;
mod rules;
mod says;
mod scan;
mod shape;
mod thread;
pub mod training;
mod versions;

pub use judge::{BlockTerms, Evidence, Headline, HeadlineSource, Judge, Judged, Page, Place, Verdict};
pub use kind::{BoilerplateKind, KindSet};
pub use model::{ModelError, Weights};
pub use occurrence::{Counted, Link, Occurrence, Recurrence, Tally};
pub use repetition::{Fingerprints, Recent, Repetition, fingerprints};
pub use rules::{Action, Match, Rule, RuleError, RuleMatch, Rules, write_rule};
pub use versions::data_versions;
