//! What users teach the judge: files with other weights, and with rules of their own.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use retold::boilerplate::{Rules, Weights};
use retold::files::FileError;

/// Reads the weights that judge in place of those of the program.
pub fn weights(path: &Path) -> Result<Weights> {
    let bytes = std::fs::read(path).map_err(FileError::read(path))?;
    Weights::read(&bytes).with_context(|| format!("`{}`: weights that cannot be used", path.display()))
}

/// Reads the user's rules.
pub fn rules(path: &Path) -> Result<Arc<Rules>> {
    let text = std::fs::read_to_string(path).map_err(FileError::read(path))?;
    Ok(Arc::new(Rules::read(&path.display().to_string(), &text)?))
}
