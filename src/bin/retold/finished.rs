//! A finished scan, read back: its settings, its inputs, and what it decided.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use retold::Config;
use retold::boilerplate::{BoilerplateKind, KindSet};
use retold::config::Keep;
use retold::evidence::SavedEvidence;
use retold::input::SourceSettings;
use retold::output::{FinishedScan, Summary};

use crate::args::JudgingArgs;
use crate::diagnostics::hinted;
use crate::run::Means;
use crate::teaching;

/// Opens the directory that `scan -o` wrote.
pub fn open(directory: &Path) -> Result<FinishedScan> {
    FinishedScan::open(directory)
        .with_context(|| format!("`{}`: expected a finished scan", directory.display()))
        .map_err(|error| hinted(error, "name the directory that `retold scan -o DIR` wrote"))
}

/// Returns the inputs of a scan, which are read again.
pub fn paths(summary: &Summary) -> Result<Vec<PathBuf>> {
    let paths: Vec<PathBuf> = summary.run.paths.iter().map(PathBuf::from).collect();
    if paths.iter().any(|path| path.as_os_str() == "-") {
        return Err(anyhow!("the scan read standard input, or a table in memory, which cannot be read again"));
    }
    Ok(paths)
}

/// Refuses to apply a scan that was made with other rules or weights than those that the environment or the settings file
/// name now: their author would wait in vain for what changed.
pub fn same_teaching(summary: &Summary, judging: &JudgingArgs, directory: &Path) -> Result<()> {
    let mut taught = Vec::new();
    if let Some(path) = &judging.rules {
        taught.push(("rules", path, teaching::rules(path)?.version()));
    }
    if let Some(path) = &judging.model {
        taught.push(("weights", path, teaching::weights(path)?.version()));
    }
    if let Some(path) = &judging.evidence {
        taught.push(("evidence", path, SavedEvidence::open(path)?.version()));
    }
    for (name, path, version) in taught {
        if text(summary, name) != Some(version) {
            let error =
                anyhow!("the scan in `{}` was made without `{}` as it is now", directory.display(), path.display());
            return Err(hinted(error, "scan again, or pass `--no-config` to apply the scan as it is"));
        }
    }
    Ok(())
}

/// Refuses to apply a scan that read a part of its inputs: of the rest it says nothing.
pub fn is_whole(summary: &Summary, directory: &Path) -> Result<()> {
    let part =
        ["sample", "limit"].into_iter().find(|name| summary.settings.get(*name).is_some_and(|set| !set.is_null()));
    let Some(part) = part else { return Ok(()) };
    let error = anyhow!("the scan in `{}` read only a part of its input (`--{part}`)", directory.display());
    Err(hinted(error, "scan all of it, or judge it anew by naming the input instead of `--from`"))
}

/// Returns the settings that a scan was made with.
pub fn config(summary: &Summary) -> Config {
    let default = Config::default();
    let settings = &summary.settings;
    let flag = |name: &str, default: bool| settings.get(name).and_then(|value| value.as_bool()).unwrap_or(default);
    let keep = text(summary, "keep").and_then(|text| Keep::ALL.into_iter().find(|(_, name)| *name == text));
    let kinds = list(summary, "remove").into_iter().filter_map(|name| name.parse::<BoilerplateKind>().ok());
    Config {
        threshold: settings.get("threshold").and_then(|value| value.as_f64()).unwrap_or(default.threshold),
        shingle: text(summary, "shingle").and_then(|text| text.parse().ok()).unwrap_or(default.shingle),
        boilerplate: flag("boilerplate", default.boilerplate),
        model: flag("model", default.model),
        // What the scan decided is read back, so that nothing is judged again.
        weights: None,
        rules: None,
        evidence: None,
        careful: flag("careful", default.careful),
        retellings: flag("retellings", default.retellings),
        exact: flag("exact", default.exact),
        // Two documents that are asked for are measured by their texts.
        verify: default.verify,
        // Two documents that are asked for are compared wherever and whenever they are from.
        sites: default.sites,
        date_window: default.date_window,
        within: None,
        decisions: default.decisions,
        keep: keep.map_or(default.keep, |(keep, _)| keep),
        remove: kinds.fold(KindSet::none(), KindSet::with),
        all_blocks: true,
        save_evidence: false,
        suggest_rules: false,
        site_priority: list(summary, "site_priority"),
    }
}

/// Returns how a scan read its inputs.
///
/// The table of metadata is left out: it says nothing of texts, which are all that is read again.
pub fn source_settings(summary: &Summary, means: &Means) -> Result<SourceSettings> {
    let default = SourceSettings::default();
    Ok(SourceSettings {
        text_field: text(summary, "text_field"),
        id_field: text(summary, "id_field"),
        url_field: text(summary, "url_field"),
        site_field: text(summary, "site_field"),
        title_field: text(summary, "title_field"),
        date_field: text(summary, "date_field"),
        within_field: None,
        globs: list(summary, "glob"),
        site_from: None,
        site_from_dir: false,
        metadata: None,
        temp_dir: means.temp_dir.clone(),
        remote: means.remote.clone(),
        memory_bytes: means.memory.unwrap_or(u64::MAX),
        max_record_bytes: number(summary, "max_record").unwrap_or(default.max_record_bytes),
        max_ratio: number(summary, "max_ratio").unwrap_or(default.max_ratio),
        sample: text(summary, "sample").and_then(|text| text.parse().ok()),
        limit: number(summary, "limit"),
    })
}

fn text(summary: &Summary, name: &str) -> Option<String> {
    summary.settings.get(name).and_then(|value| value.as_str()).map(str::to_owned)
}

fn number(summary: &Summary, name: &str) -> Option<u64> {
    summary.settings.get(name).and_then(|value| value.as_u64())
}

fn list(summary: &Summary, name: &str) -> Vec<String> {
    let list = summary.settings.get(name).and_then(|value| value.as_array()).into_iter().flatten();
    list.filter_map(|value| value.as_str().map(str::to_owned)).collect()
}
