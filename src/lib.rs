//! Finds near-duplicate articles and site boilerplate in scraped text, in one run.
//!
//! ```text
//!            read                          judge                               write
//! Document ───────▶ BlockOccurrence      Verdict, ShingleSet ──▶ BandEntry      Outcome ──▶ Sink
//!                       │ sort · reduce        ▲                    │ sort · reduce    ▲
//!                       └───▶ Repetition ──────┘                    └▶ CandidatePair ─▶ VerifiedPair ─▶ Cluster
//! ```
//!
//! Three passes over documents; between them small fixed-width records. Every question across documents has one shape:
//! *map* (one document → records), *sort* by key, *reduce* (one group → records). [`scan`] is the whole flow; each
//! stage is a function or a type of its own, to be used alone:
//!
//! | room | takes | gives |
//! |---|---|---|
//! | [`remote`] | addresses of objects in stores | their bytes, of one version, fetched ahead and kept |
//! | [`input`] | files, directories, patterns, objects in stores, standard input | [`Document`]s |
//! | [`mod@text`] | one text | its blocks, its terms in normal form |
//! | [`boilerplate`] | blocks of a page and how often they repeat | a verdict for each, with kind, score and evidence |
//! | [`evidence`] | what a corpus repeated | the same, kept in a file for the pages to come |
//! | [`similarity`] | terms | signatures, candidate pairs, verified pairs |
//! | [`cluster`] | verified pairs | clusters, each held together by its representative |
//! | [`store`] | records | the same records sorted, within a memory budget |
//! | [`pipeline`] | documents | a finished [`Scan`] |
//! | [`output`] | a finished scan | tables, a summary, cleaned copies, explanations |
//! | [`report`] | the tables of a finished scan | one HTML page to look at, and what changed between two scans |
//!
//! # Example
//!
//! Two pages of two sites tell one story, and a third page another one:
//!
//! ```
//! use retold::observe::Silent;
//! use retold::store::Workspace;
//! use retold::{Config, Document, Documents, scan};
//!
//! let story = "The harbor was closed on Monday after a crane fell into the water near the eastern pier.";
//! let page = |id: &str, text: &str| Document { id: id.into(), text: text.into(), ..Document::default() };
//! let documents = Documents::new(vec![page("a", story), page("b", "Something else."), page("c", story)]);
//!
//! let workspace = Workspace::new(std::env::temp_dir(), 256 << 20, 2);
//! let scan = scan(&Config::default(), &workspace, &documents, &Silent, None)?;
//! assert_eq!(scan.summary().clusters, 1);
//! let kept: Vec<String> = scan
//!     .documents()?
//!     .filter_map(|row| row.map(|row| row.keep.then_some(row.id)).transpose())
//!     .collect::<Result<_, _>>()?;
//! assert_eq!(kept, ["a", "b"]);
//! # Ok::<(), retold::Error>(())
//! ```

pub mod address;
pub mod boilerplate;
pub mod cluster;
pub mod config;
pub mod corpus;
pub mod date;
pub mod decisions;
pub mod document;
pub mod error;
pub mod evidence;
pub mod files;
pub mod hash;
pub mod headlines;
pub mod input;
pub mod observe;
pub mod output;
pub mod pipeline;
pub mod record;
pub mod remote;
pub mod report;
pub mod similarity;
pub mod store;
pub mod text;

pub use config::Config;
pub use document::{Document, DocumentId, DocumentSource, Documents, Span};
pub use error::Error;
pub use pipeline::{Scan, scan};

/// The README's examples are run as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
