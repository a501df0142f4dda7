//! `scan`: the main job.

use std::cmp::Reverse;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Result;
use retold::document::{DocumentSource, Skipped};
use retold::files::FileError;
use retold::input::{Source, SourceSettings};
use retold::observe::Observer;
use retold::output::{ClusterRow, HeadlineRow, Summary, TableFormat, Tables, export_tables, suggested_rules};
use retold::pipeline::{Clock, Scan, passes};
use retold::{Config, Error};

use crate::args::{Format, GlobalArgs, ScanArgs, TableForm};
use crate::commands::{Status, print, report};
use crate::diagnostics::{Paint, hinted};
use crate::progress::{StandardError, Talk};
use crate::render::{counted, quoted};
use crate::run::{self, Means, References};
use crate::settings::{Parsed, Setting};
use crate::summary::Shown;
use crate::timings;

/// What is kept of a resumable run from when the files beside its tables are put in their places.
const LAST_FILES: &str = "last files";

/// What a scan found, beside the tables.
pub struct Found {
    /// The summary, as it stands in `summary.json`.
    pub summary: Summary,
    clusters: Vec<ClusterRow>,
    headlines: Vec<HeadlineRow>,
    skipped: Vec<Skipped>,
    boilerplate: bool,
    threshold: f64,
    input_bytes: u64,
}

/// Scans, writes tables if a directory was named, and prints the summary.
pub fn run(parsed: &Parsed, args: &ScanArgs) -> Result<Status> {
    let global = &parsed.cli.global;
    let paths = run::inputs(&args.inputs)?;
    let talk = Talk::new(StandardError::new(global)).failing_fast(args.reading.fails_fast());
    let open = |settings: &SourceSettings, passes| run::open(&paths, settings, passes, &talk);
    let found = perform(global, args, &paths, &open, &talk)?;
    match global.format {
        Format::Json => print(&run::summary_json(&found.summary))?,
        Format::Text => {
            let shown = Shown {
                summary: &found.summary,
                clusters: &found.clusters,
                headlines: &found.headlines,
                skipped: &found.skipped,
                boilerplate: found.boilerplate,
                threshold: found.threshold,
                top: args.top,
                next: &next_commands(
                    &found.summary,
                    &paths,
                    // What read a part of the input cannot be applied to it.
                    args.output.as_deref().filter(|_| args.part.flag().is_none()),
                    &parsed.settings(),
                ),
            };
            let mut text = shown.text(Paint::new(global.color, &std::io::stdout()));
            if args.timings {
                text.push_str(&timings::table(&found.summary, found.input_bytes));
            }
            print(text.as_bytes())?;
        }
    }
    let allowed = args.reading.max_skipped.allows(found.summary.skipped, found.summary.documents);
    Ok(if allowed { Status::Done } else { Status::Skipped })
}

/// Scans what `open` finds to read, which is told how many times it will be, and writes the tables if a directory was named; `paths` is what it reads, as given.
pub fn perform(
    global: &GlobalArgs,
    args: &ScanArgs,
    paths: &[PathBuf],
    open: &dyn Fn(&SourceSettings, u64) -> Result<Source>,
    talk: &Talk,
) -> Result<Found> {
    let means = Means::new(global);
    let config = Config {
        save_evidence: args.save_evidence.is_some(),
        suggest_rules: args.suggest_rules.is_some(),
        ..args.judging.config(args.all_blocks)?
    };
    let settings = run::source_settings(&args.reading, config.within.as_deref(), &means)?;
    let part = SourceSettings { sample: args.part.sample, limit: args.part.limit, ..settings.clone() };
    let read = [paths, &args.reading.against].concat();
    let output =
        args.output.as_deref().map(|target| run::output(target, args.replace.force, args.resume, &read)).transpose()?;
    let tables = output.as_ref().map(|output| Tables::create(output.path())).transpose()?;

    // Texts are kept in a pass of their own, or else the page reads them again when it says what that takes.
    let source = open(&part, passes(&config) + u64::from(args.keep_texts))?;
    let references = References::open(&args.reading.against, &settings, passes(&config), talk)?;
    let workspace = match &output {
        Some(output) if args.resume => {
            means.resumable_workspace(output, &config, &source, &references, &args.reading, &args.part)?
        }
        Some(output) => {
            means.begin_anew(output);
            means.workspace()
        }
        None => means.workspace(),
    };
    run::tell_scratch(&means, &source, &references, &workspace, talk);
    // An interrupted run may have come as far as to write these.
    let replaces = args.replace.force || workspace.kept(LAST_FILES).map_err(Error::from)?.unwrap_or(false);
    let new_file =
        |path: &Option<PathBuf>| path.as_deref().map(|path| run::new_file(path, replaces, &read)).transpose();
    let (evidence, rules) = (new_file(&args.save_evidence)?, new_file(&args.suggest_rules)?);
    let page = new_file(&args.report)?;
    let scan = run::scan(&config, &workspace, &source, &references, talk, tables.as_ref());
    let scan = scan.map_err(|error| match error.downcast_ref() {
        Some(Error::Stopped) if args.resume => hinted(error, "the same command goes on from what is finished"),
        _ => error,
    })?;
    let skipped = run::all_skipped(&source, &references, &scan);
    let mut summary = run::summarize("scan", &scan, &source, &skipped, &args.reading, &args.part);
    let mut clock = Clock::start(&workspace);
    if let Some(tables) = &tables {
        run::write_tables(tables, &scan, &skipped)?;
        if args.keep_texts {
            report::keep_texts(tables, &source)?;
        }
        if let (Some(form), Some(output)) = (args.tables, &output) {
            export(output.path(), form, talk)?;
        }
    }
    workspace.keep(LAST_FILES, &true);
    workspace.commit().map_err(Error::from)?;
    if let Some(mut file) = evidence {
        scan.save_evidence(&mut file)?;
        file.commit()?;
    }
    if let Some(mut file) = rules {
        let text = suggested_rules(scan.suggestions());
        file.write_all(text.as_bytes()).map_err(FileError::write(file.path()))?;
        file.commit()?;
    }
    clock.lap("write", summary.documents);
    let stages = [scan.timings(), &clock.into_stages()].concat();
    summary.run = means.facts(paths, Some(&workspace), stages);
    let clusters = largest_clusters(&scan, args.top)?;
    let listed = output.as_ref().map(|output| output.target().join("skipped.jsonl").display().to_string());
    if let Some(output) = output {
        let directory = output.target().to_owned();
        run::commit(output, &summary)?;
        if let Some(page) = page {
            report::write(&directory, None, page, &|scan| report::inputs(scan, &means, talk), talk)?;
        }
    }
    talk.finish(listed.as_deref());
    let headlines = most_said(&scan, args.top);
    drop(scan);
    workspace.discard().map_err(Error::from)?;
    Ok(Found {
        summary,
        clusters,
        headlines,
        skipped,
        boilerplate: config.boilerplate,
        threshold: config.threshold,
        input_bytes: source.bytes().unwrap_or(0),
    })
}

/// Writes the tables in another form too, and tells what of them did not fit.
fn export(directory: &Path, form: TableForm, talk: &Talk) -> Result<()> {
    let format = match form {
        TableForm::Csv => TableFormat::Csv,
        TableForm::Parquet => TableFormat::Parquet,
    };
    let exported = export_tables(directory, format)?;
    if exported.cut_cells > 0 {
        let cells = counted(exported.cut_cells, "cell");
        talk.note(&format!("`--tables csv`: {cells} cut at 32,767 characters; the tables as JSON lines hold all"));
    }
    Ok(())
}

/// Returns the clusters of most documents, ties in order.
fn largest_clusters(scan: &Scan<'_>, most: usize) -> Result<Vec<ClusterRow>> {
    let mut largest: Vec<ClusterRow> = Vec::new();
    for row in scan.clusters()? {
        largest.push(row?);
        if largest.len() > 2 * most {
            largest.sort_by_key(|row| Reverse(row.cluster_size));
            largest.truncate(most);
        }
    }
    largest.sort_by_key(|row| Reverse(row.cluster_size));
    largest.truncate(most);
    Ok(largest)
}

/// Returns the headlines that most documents carry, ties in order.
fn most_said(scan: &Scan<'_>, most: usize) -> Vec<HeadlineRow> {
    let mut rows = scan.headlines().to_vec();
    rows.sort_by_key(|row| Reverse(row.documents));
    rows.truncate(most);
    rows
}

/// Returns the two commands that a person wants next, filled in: cleaned copies, and either one copy of each story or,
/// where no story is told twice, a look at the two documents that are most alike.
fn next_commands(summary: &Summary, paths: &[PathBuf], output: Option<&Path>, settings: &[Setting]) -> Vec<String> {
    let given: Vec<&PathBuf> = paths.iter().filter(|path| path.as_os_str() != "-").collect();
    let what = match output {
        Some(directory) => format!("--from {}", quoted(&directory.to_string_lossy())),
        None if given.len() < paths.len() => "-".to_owned(),
        None => given.iter().map(|path| quoted(&path.to_string_lossy())).collect::<Vec<_>>().join(" "),
    };
    let flags = if output.is_some() { String::new() } else { repeated_flags(settings) };
    let clean = format!("retold clean {what}{flags} -o {}", free_name("clean", paths));
    let second = if summary.clusters > 0 {
        format!("retold dedup {what}{flags} -o {}", free_name("unique", paths))
    } else if let Some(closest) = &summary.closest {
        match output {
            Some(_) => format!("retold explain {what} {} {}", quoted(&closest.a), quoted(&closest.b)),
            None => match (file_of(&closest.a, paths), file_of(&closest.b, paths)) {
                (Some(a), Some(b)) => format!("retold explain{flags} {a} {b}"),
                _ => format!("retold scan {what}{flags} -o {}", free_name("found", paths)),
            },
        }
    } else if output.is_none() {
        format!("retold scan {what}{flags} -o {}", free_name("found", paths))
    } else {
        format!("retold dedup {what} -o {}", free_name("unique", paths))
    };
    vec![clean, second]
}

/// Settings that say what to print or where, not how to judge.
const NOT_REPEATED: [&str; 18] = [
    "top",
    "tables",
    "timings",
    "keep-texts",
    "all-blocks",
    "resume",
    "threads",
    "memory",
    "temp-dir",
    "quiet",
    "no-progress",
    "color",
    "format",
    "log-json",
    "fail-fast",
    "keep-going",
    "limit",
    "sample",
];

/// Returns the flags of this command line that the next one needs too.
fn repeated_flags(settings: &[Setting]) -> String {
    let mut flags = String::new();
    let repeated = settings.iter().filter(|setting| setting.origin == "flag");
    for setting in repeated.filter(|setting| !NOT_REPEATED.contains(&setting.name.as_str())) {
        let name = &setting.name;
        match setting.values.as_slice() {
            [value] if setting.switch && value == "true" => flags.push_str(&format!(" --{name}")),
            values => values.iter().for_each(|value| flags.push_str(&format!(" --{name} {}", quoted(value)))),
        }
    }
    flags
}

/// Returns the path of a document that is a file, when it is there.
fn file_of(id: &str, paths: &[PathBuf]) -> Option<String> {
    let found = paths.iter().find_map(|path| {
        let candidates = [path.join(id), path.with_file_name(id), path.parent()?.join(id)];
        candidates.into_iter().find(|candidate| candidate.is_file())
    });
    found.map(|path| quoted(&path.to_string_lossy()))
}

/// Returns a name for an output directory that is not taken and does not lie in an input.
fn free_name(name: &str, paths: &[PathBuf]) -> String {
    let here = std::env::current_dir().and_then(|directory| directory.canonicalize()).unwrap_or_default();
    let inside = paths.iter().filter_map(|path| path.canonicalize().ok()).any(|input| here.starts_with(input));
    let base = if inside { format!("../{name}") } else { name.to_owned() };
    let numbered = (2..).map(|number| format!("{base}-{number}"));
    std::iter::once(base.clone()).chain(numbered).find(|name| !Path::new(name).exists()).unwrap_or(base)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_that_change_answers_are_repeated() {
        let setting = |name: &str, values: &[&str], origin: &str, switch: bool| Setting {
            name: name.into(),
            values: values.iter().map(|value| (*value).to_owned()).collect(),
            unset: None,
            several: values.len() > 1,
            bare: switch,
            switch,
            origin: origin.into(),
            help: String::new(),
        };
        let settings = [
            setting("threshold", &["0.7"], "flag", false),
            setting("no-model", &["true"], "flag", true),
            setting("spare", &["byline", "tags"], "flag", false),
            setting("glob", &["*.txt"], "flag", false),
            setting("threads", &["4"], "flag", false),
            setting("keep", &["first"], "default", false),
        ];
        assert_eq!(repeated_flags(&settings), " --threshold 0.7 --no-model --spare byline --spare tags --glob '*.txt'");
    }
}
