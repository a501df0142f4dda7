//! The near-duplicate join, over items of any kind: terms in, verified pairs and groups out.
//!
//! Pure. Knows no documents and no files: an item is a number, so that blocks and documents share it.
//!
//! ```text
//! terms ──shingle──▶ ShingleSet ──minhash──▶ Signature ──lsh──▶ BandEntry ─┐ sort · reduce
//!                        └──────sample──▶ SampleEntry ────────────────────┴──▶ CandidatePair ──verify──▶ VerifiedPair
//! ```

mod candidates;
mod components;
mod facts;
mod identity;
mod lsh;
mod minhash;
mod prefix;
mod quotation;
mod sample;
mod shingle;
mod sketched;
mod verify;

pub use candidates::{CandidatePair, Crowd, CrowdedPair, bucket_pairs, posting_pairs};
pub use components::Components;
pub use identity::{IdentityEntry, identity};
pub use lsh::{BandEntry, Banding};
pub use minhash::{MOST_ROWS, SKETCH_VERSION, Signature, Sketcher};
pub use prefix::{PrefixEntry, RankedShingle, prefix_length, prefix_pairs};
pub use sample::{SampleEntry, Sampler};
pub use shingle::{ShingleSet, hash_shingles};
pub use sketched::{Sketched, estimate};
pub use verify::{Article, Profile, Reason, Relation, VerifiedPair, compare, is_remnant, jaccard_raw, verify};
