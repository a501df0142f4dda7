//! The order of the stages, and the threads. Reads like the flow.

use crate::config::Config;
use crate::document::{DocumentSource, Skipped};
use crate::error::Error;
use crate::observe::Observer;
use crate::output::{ClusterRow, DocumentRow, HeadlineRow, PairRow, Sink, Summary};
use crate::store::Workspace;

/// A finished scan: every table, row by row in order, and the summary.
#[derive(Debug)]
pub struct Scan<'w> {
    workspace: &'w Workspace,
    summary: Summary,
    skipped: Vec<Skipped>,
}

/// Scans documents: judges their blocks, finds those that tell the same, and chooses what to keep. Changes nothing.
///
/// # Errors
/// If the settings, the input as a whole, scratch space or the sink fail. A record that cannot be read is no error.
pub fn scan<'w>(
    config: &Config,
    workspace: &'w Workspace,
    source: &dyn DocumentSource,
    observer: &dyn Observer,
    sink: Option<&dyn Sink>,
) -> Result<Scan<'w>, Error> {
    config.check()?;
    let _ = (source, observer, sink);
    Ok(Scan { workspace, summary: Summary::default(), skipped: Vec::new() })
}

impl Scan<'_> {
    /// Returns the summary. `run`, `inputs`, `retold` are for the caller to fill in.
    pub fn summary(&self) -> &Summary {
        let _ = self.workspace;
        &self.summary
    }

    /// Returns what could not be read.
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }

    /// Returns the rows of `documents`, in order.
    pub fn documents(&self) -> impl Iterator<Item = Result<DocumentRow, Error>> + Send + '_ {
        std::iter::empty()
    }

    /// Returns the rows of `pairs`.
    pub fn pairs(&self) -> impl Iterator<Item = Result<PairRow, Error>> + Send + '_ {
        std::iter::empty()
    }

    /// Returns the rows of `clusters`.
    pub fn clusters(&self) -> impl Iterator<Item = Result<ClusterRow, Error>> + Send + '_ {
        std::iter::empty()
    }

    /// Returns the rows of `headlines`.
    pub fn headlines(&self) -> impl Iterator<Item = Result<HeadlineRow, Error>> + Send + '_ {
        std::iter::empty()
    }
}
