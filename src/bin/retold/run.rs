//! What `scan`, `clean` and `dedup` share: what a run may use, what it reads, where it writes.

use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, anyhow};
use retold::document::{Against, DocumentSource, Skipped};
use retold::files::{NewFile, OutputDirectory};
use retold::input::{PUBLIC_SUFFIX_LIST, Source, SourceSettings};
use retold::observe::Observer;
use retold::output::{Input, RunFacts, SkippedRow, Summary, Tables};
use retold::pipeline::Scan;
use retold::store::Workspace;
use retold::{Config, Error};

use crate::args::{GlobalArgs, ReadingArgs};
use crate::diagnostics::hinted;
use crate::interrupt;
use crate::progress::Talk;
use crate::values::Memory;

/// What a run may use.
#[derive(Clone, Debug)]
pub struct Means {
    /// Threads that may be busy at once.
    pub threads: usize,
    /// Memory to stay within; none: unlimited.
    pub memory: Option<u64>,
    /// Where scratch files go.
    pub temp_dir: PathBuf,
    /// When the run began.
    pub began: Instant,
}

/// Memory taken for granted where the system does not tell how much it has.
const UNKNOWN_MEMORY: u64 = 2 << 30;

impl Means {
    /// Returns what the flags grant, or else what this machine has.
    pub fn new(global: &GlobalArgs) -> Means {
        let threads = match global.threads {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            threads => threads,
        };
        let memory = match global.memory {
            Some(Memory::Bytes(bytes)) => Some(bytes),
            Some(Memory::Unlimited) => None,
            None => Some((physical_memory().unwrap_or(UNKNOWN_MEMORY) / 2).max(64 << 20)),
        };
        let temp_dir = global.temp_dir.clone().unwrap_or_else(std::env::temp_dir);
        interrupt::remember_scratch(&temp_dir);
        Means { threads, memory, temp_dir, began: Instant::now() }
    }

    /// Returns the room for what is sorted and kept between the passes.
    ///
    /// Half of the memory: the rest is for texts being read, for what is known of every document, and for tables.
    pub fn workspace(&self) -> Workspace {
        let budget = self.memory.map_or(u64::MAX, |memory| memory / 2);
        Workspace::new(self.temp_dir.clone(), budget, self.threads)
    }

    /// Returns what depends on this machine and this run.
    pub fn facts(&self, paths: &[PathBuf]) -> RunFacts {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64);
        let absolute = |path: &PathBuf| match path.as_os_str() == "-" {
            true => "-".to_owned(),
            false => std::path::absolute(path).as_deref().unwrap_or(path).display().to_string(),
        };
        RunFacts {
            id: format!("{:016x}", retold::hash::mix64(now ^ u64::from(std::process::id()) << 32)),
            threads: self.threads as u64,
            memory: self.memory,
            paths: paths.iter().map(absolute).collect(),
            seconds: self.began.elapsed().as_secs_f64(),
            peak_resident: peak_resident(),
        }
    }
}

/// Returns the inputs to read: those named, else standard input when something is piped into it.
pub fn inputs(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    if !paths.is_empty() {
        return Ok(paths.to_vec());
    }
    if is_piped() {
        return Ok(vec![PathBuf::from("-")]);
    }
    Err(hinted(anyhow!("no input was given"), "name files or directories, or `-` for standard input"))
}

/// Returns whether standard input is a pipe or a file, not a terminal, nothing, or the null device.
fn is_piped() -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        let kind = std::fs::metadata("/dev/stdin").map(|metadata| metadata.file_type());
        kind.is_ok_and(|kind| kind.is_fifo() || kind.is_file() || kind.is_socket())
    }
    #[cfg(not(unix))]
    {
        !std::io::IsTerminal::is_terminal(&std::io::stdin())
    }
}

/// How inputs are read.
///
/// `within` is the field inside whose values documents are compared.
pub fn source_settings(reading: &ReadingArgs, within: Option<&str>, means: &Means) -> Result<SourceSettings> {
    let site_from = reading.site_from.as_deref().map(regex::Regex::new).transpose();
    Ok(SourceSettings {
        text_field: reading.text_field.clone(),
        id_field: reading.id_field.clone(),
        url_field: reading.url_field.clone(),
        site_field: reading.site_field.clone(),
        title_field: reading.title_field.clone(),
        date_field: reading.date_field.clone(),
        within_field: within.map(str::to_owned),
        globs: reading.glob.clone(),
        site_from: site_from.context("`--site-from`: expected a regular expression")?,
        site_from_dir: reading.site_from_dir,
        metadata: reading.metadata.clone(),
        temp_dir: means.temp_dir.clone(),
        memory_bytes: means.memory.unwrap_or(u64::MAX),
    })
}

/// Finds the files to read, and tells what is left out and what cannot be opened.
pub fn open(paths: &[PathBuf], settings: &SourceSettings, talk: &Talk) -> Result<Source> {
    let source = Source::open(paths, settings)?;
    for told in source.told() {
        talk.note(told);
    }
    for skipped in source.skipped() {
        talk.skipped(skipped);
    }
    Ok(source)
}

/// References, by the names that their ids begin with.
#[derive(Debug)]
pub struct References(Vec<(String, Source)>);

impl References {
    /// Finds what the documents are matched with, and tells what its ids begin with.
    pub fn open(paths: &[PathBuf], settings: &SourceSettings, talk: &Talk) -> Result<References> {
        let mut references: Vec<(String, Source)> = Vec::with_capacity(paths.len());
        for path in paths {
            if path.as_os_str() == "-" {
                return Err(hinted(anyhow!("`--against`: expected a file or a directory, found `-`"), "save it first"));
            }
            let whole = path.canonicalize().unwrap_or_else(|_| path.clone());
            let name = whole.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
            let taken = references.iter().any(|(known, _)| *known == name);
            let name = if taken { path.display().to_string() } else { name };
            let source = open(std::slice::from_ref(path), settings, talk).context("`--against`")?;
            talk.note(&format!("the references in `{}` are known as `{name}:ID`", path.display()));
            references.push((name, source));
        }
        Ok(References(references))
    }

    /// Returns `documents` with the references after them.
    pub fn after<'a>(&'a self, documents: &'a Source) -> Against<'a> {
        let sources = self.0.iter().map(|(name, source)| (name.clone(), source as &dyn DocumentSource));
        Against { documents, references: sources.collect() }
    }
}

/// Begins the output directory, unless it would lie over an input or inside one.
pub fn output(target: &Path, force: bool, inputs: &[PathBuf]) -> Result<OutputDirectory> {
    let place = place_of(target);
    for input in inputs.iter().filter(|input| input.as_os_str() != "-") {
        let Ok(read) = input.canonicalize() else { continue };
        let relation = if place == read {
            "is the input"
        } else if place.starts_with(&read) {
            "lies inside the input"
        } else if read.starts_with(&place) {
            "holds the input"
        } else {
            continue;
        };
        let message = format!("output `{}` {relation} `{}`", target.display(), input.display());
        return Err(hinted(anyhow!(message), "name a directory outside of what is read with `-o`"));
    }
    let output = OutputDirectory::create(target, force)?;
    interrupt::remember(output.path());
    Ok(output)
}

/// Begins an output file, unless it is one of the inputs.
pub fn new_file(target: &Path, force: bool, inputs: &[PathBuf]) -> Result<NewFile> {
    let place = place_of(target);
    if let Some(input) = inputs.iter().find(|input| input.canonicalize().is_ok_and(|read| read == place)) {
        let message = format!("output `{}` is the input `{}`", target.display(), input.display());
        return Err(hinted(anyhow!(message), "name another file"));
    }
    let file = NewFile::create(target, force)?;
    interrupt::remember(file.path());
    Ok(file)
}

/// Returns where a path that may not exist yet would lie, symbolic links resolved.
fn place_of(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let exists = path.ancestors().find_map(|above| above.canonicalize().ok().map(|real| (above, real)));
    match exists {
        Some((above, real)) => real.join(path.strip_prefix(above).unwrap_or(Path::new(""))),
        None => path,
    }
}

/// Judges documents and finds what is said twice.
pub fn scan<'w>(
    config: &Config,
    workspace: &'w Workspace,
    source: &Source,
    references: &References,
    talk: &Talk,
    tables: Option<&Tables>,
) -> Result<Scan<'w>, Error> {
    let sink = tables.map(|tables| tables as &dyn retold::output::Sink);
    retold::scan(config, workspace, &references.after(source), talk, sink)
}

/// Returns everything that could not be read, in order.
pub fn all_skipped(source: &Source, references: &References, scan: &Scan<'_>) -> Vec<Skipped> {
    let mut all: Vec<Skipped> = source.skipped().iter().chain(scan.skipped()).cloned().collect();
    for (name, source) in &references.0 {
        let named = |one: &Skipped| Skipped { source: format!("{name}:{}", one.source), ..one.clone() };
        all.extend(source.skipped().iter().map(named));
    }
    all.sort_by(|a, b| (&a.source, a.row).cmp(&(&b.source, b.row)));
    all
}

/// Completes the summary with what the program alone knows.
pub fn summarize(
    command: &str,
    scan: &Scan<'_>,
    source: &Source,
    skipped: &[Skipped],
    reading: &ReadingArgs,
) -> Summary {
    let mut summary = scan.summary().clone();
    command.clone_into(&mut summary.retold);
    summary.data_versions.push(("public_suffix_list".to_owned(), PUBLIC_SUFFIX_LIST.to_owned()));
    summary.settings.append(&mut reading_settings(reading));
    let files = source.files().iter().zip(source.digests());
    summary.inputs = files
        .map(|(file, digest)| Input {
            source: file.source.to_string(),
            bytes: file.bytes,
            digest: format!("{digest:016x}"),
        })
        .collect();
    summary.skipped = skipped.len() as u64;
    summary.warnings.extend(source.told().iter().cloned());
    summary
}

/// Returns the settings of reading, which change answers too.
fn reading_settings(reading: &ReadingArgs) -> serde_json::Map<String, serde_json::Value> {
    let all = serde_json::json!({
        "text_field": reading.text_field,
        "id_field": reading.id_field,
        "url_field": reading.url_field,
        "site_field": reading.site_field,
        "title_field": reading.title_field,
        "date_field": reading.date_field,
        "against": reading.against,
        "glob": reading.glob,
        "metadata": reading.metadata,
        "site_from": reading.site_from,
        "site_from_dir": reading.site_from_dir,
    });
    match all {
        serde_json::Value::Object(settings) => settings,
        _ => unreachable!("an object was written"),
    }
}

/// Writes every table but `blocks`, which was written on the way.
pub fn write_tables(tables: &Tables, scan: &Scan<'_>, skipped: &[Skipped]) -> Result<(), Error> {
    tables.finish_blocks()?;
    tables.write_table("documents", scan.documents()?)?;
    tables.write_table("pairs", scan.pairs()?)?;
    tables.write_table("clusters", scan.clusters()?)?;
    tables.write_table("versions", scan.versions()?)?;
    tables.write_table("references", scan.references()?)?;
    tables.write_table("headlines", scan.headlines().iter().map(Ok::<_, Error>))?;
    tables.write_table("skipped", skipped.iter().map(SkippedRow::from).map(Ok::<_, Error>))?;
    Ok(())
}

/// Writes `summary.json` and makes the directory appear.
pub fn commit(output: OutputDirectory, summary: &Summary) -> Result<()> {
    let mut file = output.create_file(Path::new("summary.json"))?;
    file.put(&summary_json(summary))?;
    file.finish()?;
    output.commit()?;
    interrupt::forget();
    Ok(())
}

/// Returns a summary as it stands in `summary.json`.
pub fn summary_json(summary: &Summary) -> Vec<u8> {
    let mut text = serde_json::to_vec_pretty(summary).expect("a summary has string keys");
    text.push(b'\n');
    text
}

/// Returns the bytes of memory that this process may use: the machine's, or its control group's when that is less.
fn physical_memory() -> Option<u64> {
    let machine = kibibytes_of("/proc/meminfo", "MemTotal:")?;
    let group = std::fs::read_to_string("/sys/fs/cgroup/memory.max").ok();
    let group = group.and_then(|text| text.trim().parse().ok());
    Some(group.map_or(machine, |group: u64| group.min(machine)))
}

/// Returns the most memory that this process held so far, in bytes.
pub fn peak_resident() -> Option<u64> {
    kibibytes_of("/proc/self/status", "VmHWM:")
}

/// Reads a line such as `VmHWM:  1234 kB` as bytes.
fn kibibytes_of(path: &str, label: &str) -> Option<u64> {
    let text = std::fs::read_to_string(path).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(label))?;
    line.split_whitespace().next()?.parse::<u64>().ok().map(|kibibytes| kibibytes << 10)
}
