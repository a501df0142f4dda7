//! `scan`: the main job.

use anyhow::Result;

use crate::args::{GlobalArgs, ScanArgs};
use crate::commands::Status;

/// Scans.
pub fn run(_global: &GlobalArgs, _args: &ScanArgs) -> Result<Status> {
    anyhow::bail!("not yet")
}
