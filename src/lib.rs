//! Finds near-duplicate articles and site boilerplate in scraped text, in one run.

pub mod boilerplate;
pub mod cluster;
pub mod config;
pub mod corpus;
pub mod date;
pub mod document;
pub mod error;
pub mod files;
pub mod hash;
pub mod headlines;
pub mod input;
pub mod observe;
pub mod output;
pub mod pipeline;
pub mod record;
pub mod similarity;
pub mod store;
pub mod text;

pub use config::Config;
pub use document::{Document, DocumentId, DocumentSource, Documents, Span};
pub use error::Error;
pub use pipeline::{Scan, scan};
