//! One document's text: cut into blocks, compared in a normal form, read as terms.
//!
//! Pure: text in, values out. Knows no files, no other documents, no threads.
//!
//! ```text
//! text ──segment──▶ Block ──terms──▶ Term hashes ──▶ similarity, boilerplate
//!                     └──normalize──▶ normal form (fingerprints, explanations)
//! ```

mod characters;
mod normalize;
mod segment;
mod token;
mod window;

pub use characters::hash_characters;
pub(crate) use characters::{is_alphanumeric, is_lowercase, is_uppercase, lower_by_range};
pub(crate) use normalize::{Class as TermClass, Lookup};
pub use normalize::{normalize, normalize_into};
pub use segment::{Block, Layout, Segments, segment};
pub use token::{Token, fingerprint, hash_terms, tokens};
pub(crate) use token::{hash_ascii_word, read_tokens};
pub(crate) use window::{WINDOW, Window};
