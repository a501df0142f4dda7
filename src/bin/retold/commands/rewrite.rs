//! What `clean` and `dedup` share: judge anew or read a finished scan, look before anything is written, write.

use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use retold::Error;
use retold::document::Skipped;
use retold::files::OutputDirectory;
use retold::input::{Source, SourceSettings};
use retold::observe::Observer;
use retold::output::{
    Decision, DocumentRow, Mode, RewriteSettings, Rewritten, SkippedRow, Summary, Target, WriteError, rewrite,
};
use retold::pipeline::{Clock, passes};

use crate::args::{Format, InputPaths, JudgingArgs, PartArgs, ReadingArgs};
use crate::commands::{Status, print};
use crate::diagnostics::hinted;
use crate::finished;
use crate::guard::Toll;
use crate::progress::{StandardError, Talk};
use crate::render::{counted, percent, quoted};
use crate::run::{self, Means, References};
use crate::settings::{Parsed, Setting};

/// What is to be written.
#[derive(Debug)]
pub struct Job<'a> {
    /// Name of the command.
    pub command: &'static str,
    /// What is written.
    pub mode: Mode,
    /// Inputs as given.
    pub inputs: &'a InputPaths,
    /// The output directory, or `-`.
    pub output: &'a Path,
    /// Whether an earlier output is replaced.
    pub force: bool,
    /// The finished scan to apply.
    pub from: Option<&'a Path>,
    /// Share that may go.
    pub max_removed: f64,
    /// How documents are judged.
    pub judging: &'a JudgingArgs,
    /// How inputs are read.
    pub reading: &'a ReadingArgs,
}

impl Job<'_> {
    fn cleans(&self) -> bool {
        matches!(self.mode, Mode::Clean | Mode::CleanDedup)
    }

    fn drops(&self) -> bool {
        matches!(self.mode, Mode::Dedup | Mode::CleanDedup)
    }

    /// Returns whether records are printed, not written to a directory.
    fn prints(&self) -> bool {
        self.output.as_os_str() == "-"
    }
}

/// Writes the input again as it is judged now, or as a finished scan has judged it.
pub fn run(parsed: &Parsed, job: &Job<'_>) -> Result<Status> {
    let global = &parsed.cli.global;
    let talk = Talk::new(StandardError::new(global)).failing_fast(job.reading.fails_fast());
    let ends = Ends {
        paths: None,
        open: &|paths, settings, passes| run::open(paths, settings, passes, &talk),
        write: &|source, decisions, settings, output| write(source, decisions, settings, output, &talk),
    };
    let (summary, rewritten, skipped) = perform(parsed, job, &ends, &talk)?;
    let listed = (!job.prints()).then(|| job.output.join("skipped.jsonl").display().to_string());
    talk.finish(listed.as_deref());
    if !job.prints() {
        match global.format {
            Format::Json => print(&run::summary_json(&summary))?,
            Format::Text => print(told(job, &summary, &rewritten).as_bytes())?,
        }
    }
    let count = skipped.len() as u64;
    let allowed = job.reading.max_skipped.allows(count, rewritten.documents);
    Ok(if allowed { Status::Done } else { Status::Skipped })
}

/// What came of it: the summary, what was written, and what could not be read.
pub type Outcome = (Summary, Rewritten, Vec<Skipped>);

/// What is decided for every document, in order.
pub type Decisions<'a> = dyn Iterator<Item = Result<Decision>> + Send + 'a;

/// What writes every document as decided, to a directory if there is one.
pub type Write<'a> =
    dyn Fn(&Source, &mut Decisions<'_>, RewriteSettings, Option<&OutputDirectory>) -> Result<Rewritten> + 'a;

/// What opens inputs, to be read so many times.
pub type Open<'a> = dyn Fn(&[PathBuf], &SourceSettings, u64) -> Result<Source> + 'a;

/// Where documents come from and where they go.
pub struct Ends<'a> {
    /// What is read; none: what the command line names, or the inputs of the scan.
    pub paths: Option<&'a [PathBuf]>,
    /// Opens it, to be read so many times.
    pub open: &'a Open<'a>,
    /// Writes what was read.
    pub write: &'a Write<'a>,
}

/// Does the job, but for what is printed.
pub fn perform(parsed: &Parsed, job: &Job<'_>, ends: &Ends<'_>, talk: &Talk) -> Result<Outcome> {
    let means = Means::new(&parsed.cli.global);
    match job.from {
        Some(directory) => apply(parsed, job, directory, ends, &means, talk),
        None => judge(job, ends, &means, talk),
    }
}

/// Judges the inputs, then writes them.
fn judge(job: &Job<'_>, ends: &Ends<'_>, means: &Means, talk: &Talk) -> Result<Outcome> {
    let config = job.judging.config(false)?;
    let settings = run::source_settings(job.reading, config.within.as_deref(), means)?;
    let paths = ends.paths.map_or_else(|| run::inputs(job.inputs), |paths| Ok(paths.to_vec()))?;
    let output = output(job, &[paths.as_slice(), &job.reading.against].concat())?;
    let source = (ends.open)(&paths, &settings, passes(&config) + 1)?;
    let references = References::open(&job.reading.against, &settings, passes(&config), talk)?;
    let workspace = means.workspace();
    run::tell_scratch(means, &source, &references, &workspace, talk);
    let scan = run::scan(&config, &workspace, &source, &references, talk, None)?;
    let digests = source.digests();
    let skipped = run::all_skipped(&source, &references, &scan);
    let mut summary = run::summarize(job.command, &scan, &source, &skipped, job.reading, &PartArgs::default());
    let inputs: Vec<String> = paths.iter().map(|path| quoted(&path.to_string_lossy())).collect();
    let shows = format!("retold scan {}", inputs.join(" "));
    Toll::count(scan.documents()?, job.cleans(), job.drops())?.check(job.max_removed, &summary, &shows)?;
    let mut decisions = scan.decisions()?.map(|next| next.map_err(anyhow::Error::from));
    let mut clock = Clock::start(&workspace);
    let settings = RewriteSettings { mode: job.mode, digests: Some(digests), threads: means.threads };
    let rewritten = (ends.write)(&source, &mut decisions, settings, output.as_ref())?;
    clock.lap("write", rewritten.documents);
    let stages = [scan.timings(), &clock.into_stages()].concat();
    summary.run = means.facts(&paths, Some(&workspace), stages);
    finish(output, &summary, &skipped)?;
    Ok((summary, rewritten, skipped))
}

/// Writes the inputs of a finished scan as it has judged them.
fn apply(
    parsed: &Parsed,
    job: &Job<'_>,
    directory: &Path,
    ends: &Ends<'_>,
    means: &Means,
    talk: &Talk,
) -> Result<Outcome> {
    let scan = finished::open(directory)?;
    finished::is_whole(scan.summary(), directory)?;
    let higher = higher_threshold(parsed, job, scan.summary(), directory)?;
    refuse_settings(parsed, job, directory)?;
    finished::same_teaching(scan.summary(), job.judging, directory)?;
    let paths = ends.paths.map_or_else(|| finished::paths(scan.summary()), |paths| Ok(paths.to_vec()))?;
    let output = output(job, &paths)?;
    let source = (ends.open)(&paths, &finished::source_settings(scan.summary(), means)?, 1)?;
    let digests = scan.check(&source)?;
    let mut summary = scan.summary().clone();
    job.command.clone_into(&mut summary.retold);
    let shows = format!("retold explain --from {} ID", quoted(&directory.to_string_lossy()));
    let write_rows = |rows: &dyn Fn() -> Result<Rows, WriteError>, summary: &Summary| -> Result<Rewritten> {
        Toll::count(rows()?, job.cleans(), job.drops())?.check(job.max_removed, summary, &shows)?;
        let mut decisions = scan.decisions(rows)?.map(|next| next.map_err(anyhow::Error::from));
        let settings = RewriteSettings { mode: job.mode, digests: Some(digests.clone()), threads: means.threads };
        (ends.write)(&source, &mut decisions, settings, output.as_ref())
    };
    let rewritten = match higher {
        Some(config) => {
            let again = scan.recluster(&config)?;
            summary.settings.insert("threshold".to_owned(), config.threshold.into());
            (summary.clusters, summary.clustered) = (again.clusters, again.clustered);
            (summary.kept, summary.known) = (again.kept, again.known);
            write_rows(&|| Ok(Box::new(again.documents()?)), &summary)?
        }
        None => write_rows(&|| Ok(Box::new(scan.documents()?)), &summary)?,
    };
    for skipped in &rewritten.skipped {
        talk.skipped(skipped);
    }
    talk.check()?;
    let mut skipped = source.skipped().to_vec();
    skipped.extend(rewritten.skipped.iter().cloned());
    skipped.sort_by(|a, b| (&a.source, a.row).cmp(&(&b.source, b.row)));
    summary.skipped = skipped.len() as u64;
    summary.run = means.facts(&paths, None, Vec::new());
    finish(output, &summary, &skipped)?;
    Ok((summary, rewritten, skipped))
}

/// Rows of the table `documents`.
type Rows = Box<dyn Iterator<Item = Result<DocumentRow, WriteError>> + Send>;

/// Returns the settings of a scan with the threshold of the command line, when one is given that is higher.
fn higher_threshold(
    parsed: &Parsed,
    job: &Job<'_>,
    summary: &Summary,
    directory: &Path,
) -> Result<Option<retold::Config>> {
    let settings = parsed.settings();
    let is_given = |setting: &Setting| setting.name == "threshold" && setting.origin == "flag";
    if !job.drops() || !settings.iter().any(is_given) {
        return Ok(None);
    }
    let scanned = finished::config(summary);
    let config = retold::Config { threshold: job.judging.threshold, ..scanned.clone() };
    config.check().map_err(Error::from)?;
    if config.threshold < scanned.threshold {
        let (asked, found) = (config.threshold, scanned.threshold);
        let directory = directory.display();
        let error =
            anyhow!("`--threshold {asked}` is below the {found} of the scan in `{directory}`, whose pairs end there");
        return Err(hinted(error, format!("scan again with `--threshold {asked}`, or give one from {found} to 1")));
    }
    Ok((config.threshold > scanned.threshold).then_some(config))
}

/// Refuses flags that a finished scan has settled: ignoring them in silence would look like obeying them.
fn refuse_settings(parsed: &Parsed, job: &Job<'_>, directory: &Path) -> Result<()> {
    const FREE: [&str; 17] = [
        "cache-dir",
        "cache-size",
        "max-removed",
        "max-skipped",
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
        "dedup",
        "attributes",
        "top",
    ];
    let settings = parsed.settings();
    // Clusters follow a threshold, boilerplate does not.
    let is_free = |name: &str| FREE.contains(&name) || name == "threshold" && job.drops();
    let given = settings.iter().find(|setting| setting.origin == "flag" && !is_free(&setting.name));
    match given {
        None => Ok(()),
        Some(setting) => {
            let error = anyhow!("`--{}` has no effect with `--from {}`", setting.name, directory.display());
            let hint = format!("scan again with it, or run `retold {}` on the input itself", job.command);
            Err(hinted(error, hint))
        }
    }
}

/// Begins the output directory, if there is to be one, before any work.
fn output(job: &Job<'_>, paths: &[PathBuf]) -> Result<Option<OutputDirectory>> {
    if job.prints() { Ok(None) } else { run::output(job.output, job.force, false, paths).map(Some) }
}

/// Writes every document as decided, to a directory or else to standard output.
pub fn write(
    source: &Source,
    decisions: &mut Decisions<'_>,
    settings: RewriteSettings,
    output: Option<&OutputDirectory>,
    talk: &Talk,
) -> Result<Rewritten> {
    match output {
        Some(directory) => rewrite(source, decisions, &settings, Target::Directory(directory), talk),
        None => {
            // Other threads write too, so the lock of standard output cannot be held: the buffer makes up for it.
            let mut stdout = BufWriter::with_capacity(1 << 20, io::stdout());
            let rewritten = rewrite(source, decisions, &settings, Target::Stream(&mut stdout), talk)?;
            stdout.flush().context("could not write to standard output")?;
            Ok(rewritten)
        }
    }
}

/// Writes what is said beside the copies, and makes the directory appear.
fn finish(output: Option<OutputDirectory>, summary: &Summary, skipped: &[Skipped]) -> Result<()> {
    let Some(output) = output else { return Ok(()) };
    let mut file = output.create_file(Path::new("skipped.jsonl"))?;
    for row in skipped.iter().map(SkippedRow::from) {
        let mut line = serde_json::to_vec(&row)?;
        line.push(b'\n');
        file.put(&line)?;
    }
    file.finish()?;
    run::commit(output, summary)
}

/// Returns what was done, in a few lines.
fn told(job: &Job<'_>, summary: &Summary, rewritten: &Rewritten) -> String {
    let output = quoted(&job.output.to_string_lossy());
    if job.mode == Mode::Attributes {
        return told_attributes(&output, summary, rewritten);
    }
    let mut text = format!(
        "{} of {} written to {output}\n",
        crate::render::count(rewritten.kept),
        counted(rewritten.documents, "document")
    );
    if job.cleans() {
        text.push_str(&format!(
            "  {} of boilerplate taken out, {} of the text (`removed.jsonl`)\n",
            counted(rewritten.removed, "block"),
            percent(rewritten.removed_bytes, rewritten.text_bytes)
        ));
    }
    if job.drops() {
        let why = if rewritten.dropped == 0 { "" } else { ", each with the one kept in its place (`dropped.jsonl`)" };
        text.push_str(&format!("  {} dropped{why}\n", counted(rewritten.dropped, "document")));
        if summary.references > 0 {
            let references = counted(summary.references, "reference");
            text.push_str(&format!("  {} known from {references}\n", crate::render::count(summary.known)));
        }
    }
    if summary.skipped > 0 {
        text.push_str(&format!("  {} skipped (`skipped.jsonl`)\n", counted(summary.skipped, "record")));
    }
    if job.mode == Mode::Clean {
        text.push_str(&format!("\n`retold clean --restore {output} -o DIR` puts everything back\n"));
    }
    text
}

/// Returns what attributes were written, in a few lines.
fn told_attributes(output: &str, summary: &Summary, rewritten: &Rewritten) -> String {
    let mut text = format!(
        "Attributes of {} written to {output}\n  {} of boilerplate, {} of the text (`retold__boilerplate`)\n  {} \
         (`retold__duplicate`)\n",
        counted(rewritten.documents, "document"),
        counted(rewritten.removed, "block"),
        percent(rewritten.removed_bytes, rewritten.text_bytes),
        counted(rewritten.dropped, "near-duplicate"),
    );
    if summary.skipped > 0 {
        text.push_str(&format!("  {} skipped (`skipped.jsonl`)\n", counted(summary.skipped, "record")));
    }
    text
}
