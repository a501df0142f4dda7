//! What `scan`, `clean` and `dedup` share: what a run may use, what it reads, where it writes.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, anyhow};
use retold::document::{Against, DocumentSource, Skipped};
use retold::files::{NewFile, OutputDirectory};
use retold::hash::hash64;
use retold::input::{Fetch, PUBLIC_SUFFIX_LIST, ReadError, Source, SourceSettings};
use retold::observe::Observer;
use retold::output::{Input, RunFacts, SkippedRow, StageFacts, Summary, Tables};
use retold::pipeline::{Scan, cpu_seconds, peak_resident};
use retold::remote::{Address, CacheSettings, RemoteSettings, is_address};
use retold::store::Workspace;
use retold::{Config, Error};
use serde_json::json;

use crate::args::{GlobalArgs, InputPaths, PartArgs, ReadingArgs};
use crate::diagnostics::hinted;
use crate::interrupt;
use crate::log;
use crate::progress::Talk;
use crate::render::{counted, size};
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
    /// The same where it was asked for.
    pub chosen_temp_dir: Option<PathBuf>,
    /// How objects in stores are reached.
    pub remote: RemoteSettings,
    /// When the run began.
    pub began: Instant,
    /// The id of the run, in `summary.json`.
    pub id: String,
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
        let remote = RemoteSettings {
            variables: store_variables(),
            cache: global.cache_dir.clone().map(|directory| CacheSettings { directory, most_bytes: global.cache_size }),
        };
        Means {
            threads,
            memory,
            temp_dir,
            chosen_temp_dir: global.temp_dir.clone(),
            remote,
            began: Instant::now(),
            id: log::next_run_id(),
        }
    }

    /// Returns the room for what is sorted and kept between the passes.
    ///
    /// Half of the memory: the rest is for texts being read, for what is known of every document, and for tables.
    pub fn workspace(&self) -> Workspace {
        let budget = self.memory.map_or(u64::MAX, |memory| memory / 2);
        Workspace::new(self.temp_dir.clone(), budget, self.threads)
    }

    /// Returns where a resumable run into this directory keeps what it has finished.
    fn resume_directory(&self, output: &OutputDirectory) -> PathBuf {
        match &self.chosen_temp_dir {
            // The name is the output's own, so that the same command finds it again.
            Some(directory) => {
                let target = place_of(output.target());
                directory.join(format!("retold-resume-{:016x}", hash64(target.as_os_str().as_encoded_bytes())))
            }
            None => output.resume_path(),
        }
    }

    /// Removes what an interrupted run into this directory has kept: this one begins anew.
    pub fn begin_anew(&self, output: &OutputDirectory) {
        // What cannot be removed takes room, and nothing else.
        let _ = std::fs::remove_dir_all(self.resume_directory(output));
    }

    /// Returns the same room, kept for another run of the same command should this one be interrupted.
    pub fn resumable_workspace(
        &self,
        output: &OutputDirectory,
        config: &Config,
        source: &Source,
        references: &References,
        reading: &ReadingArgs,
        part: &PartArgs,
    ) -> Result<Workspace> {
        let sources = || std::iter::once(source).chain(references.0.iter().map(|(_, source)| source));
        if sources().flat_map(Source::files).any(|file| file.version().is_none()) {
            let error = anyhow!("`--resume` needs inputs that can be read again, not standard input");
            return Err(hinted(error, "write it to a file first"));
        }
        let directory = self.resume_directory(output);
        let metadata = reading.metadata.as_deref().map(std::fs::read).transpose().context("`--metadata`")?;
        let known = references.0.iter().map(|(name, source)| (name.clone(), files_of(source).into()));
        let identity = json!({
            "version": env!("CARGO_PKG_VERSION"),
            "data": retold::boilerplate::data_versions(),
            "sketch": retold::similarity::SKETCH_VERSION,
            "settings": config.settings(),
            "reading": reading_settings(reading, part),
            // Rules, evidence and weights stand in the settings by a hash of what they say.
            "contents of": {
                "decisions": format!("{:016x}", hash64(format!("{:?}", config.decisions).as_bytes())),
                "metadata": metadata.map(|bytes| format!("{:016x}", hash64(&bytes))),
            },
            "to save": {"evidence": config.save_evidence, "rules": config.suggest_rules},
            "memory": self.memory,
            "inputs": files_of(source),
            "references": known.collect::<serde_json::Map<_, _>>(),
        });
        let budget = self.memory.map_or(u64::MAX, |memory| memory / 2);
        Ok(Workspace::resumable(&directory, budget, self.threads, &identity).map_err(Error::from)?)
    }

    /// Returns what depends on this machine and this run.
    pub fn facts(&self, paths: &[PathBuf], workspace: Option<&Workspace>, stages: Vec<StageFacts>) -> RunFacts {
        let absolute = |path: &PathBuf| match path.as_os_str() == "-" || is_address(path) {
            true => path.display().to_string(),
            false => std::path::absolute(path).as_deref().unwrap_or(path).display().to_string(),
        };
        RunFacts {
            id: self.id.clone(),
            threads: self.threads as u64,
            memory: self.memory,
            paths: paths.iter().map(absolute).collect(),
            seconds: self.began.elapsed().as_secs_f64(),
            peak_resident: peak_resident(),
            cpu_seconds: cpu_seconds(),
            peak_scratch: workspace.map_or(0, Workspace::peak_scratch_bytes),
            stages,
        }
    }
}

/// Returns what the environment says of object stores.
fn store_variables() -> Vec<(String, String)> {
    let all =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    all.filter(|(name, _)| ["AWS_", "GOOGLE_", "AZURE_"].iter().any(|prefix| name.starts_with(prefix))).collect()
}

/// Returns the inputs to read: those named, else standard input when something is piped into it.
pub fn inputs(inputs: &InputPaths) -> Result<Vec<PathBuf>> {
    if let Some(list) = &inputs.files_from {
        return Ok([inputs.paths.as_slice(), &listed(list)?].concat());
    }
    if !inputs.paths.is_empty() {
        return Ok(inputs.paths.clone());
    }
    if is_piped() {
        return Ok(vec![PathBuf::from("-")]);
    }
    Err(hinted(anyhow!("no input was given"), "name files or directories, or `-` for standard input"))
}

/// Reads a list of inputs, one a line; empty lines are none.
fn listed(list: &Path) -> Result<Vec<PathBuf>> {
    let text = match list.as_os_str() == "-" {
        true => std::io::read_to_string(std::io::stdin()),
        false => std::fs::read_to_string(list),
    };
    let text = text.with_context(|| format!("`--files-from`: `{}` could not be read", list.display()))?;
    let paths: Vec<PathBuf> = text.lines().filter(|line| !line.trim().is_empty()).map(PathBuf::from).collect();
    if paths.is_empty() {
        let error = anyhow!("`--files-from`: `{}` lists no input", list.display());
        return Err(hinted(error, "expected are paths, one a line"));
    }
    Ok(paths)
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

/// Returns of every file of a source what tells its version from others, as words.
fn files_of(source: &Source) -> serde_json::Map<String, serde_json::Value> {
    let files = source.files().iter().map(|file| {
        let version = file.version().unwrap_or_else(|| format!("{} bytes", file.bytes));
        (file.source.to_string(), json!(version))
    });
    files.collect()
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
        remote: means.remote.clone(),
        memory_bytes: means.memory.unwrap_or(u64::MAX),
        max_record_bytes: reading.max_record,
        max_ratio: reading.max_ratio,
        sample: None,
        limit: None,
    })
}

/// Finds the files to read, and tells what will be fetched, what is left out and what cannot be opened; `passes`: how often
/// they are read.
pub fn open(paths: &[PathBuf], settings: &SourceSettings, passes: u64, talk: &Talk) -> Result<Source> {
    let source = find(paths, settings, passes, talk)?;
    for told in source.told() {
        talk.note(told);
    }
    for skipped in source.skipped() {
        talk.skipped(skipped);
    }
    talk.check()?;
    Ok(source)
}

/// Finds the files to read, and tells what will be fetched from object stores, if anything will.
pub fn find(paths: &[PathBuf], settings: &SourceSettings, passes: u64, talk: &Talk) -> Result<Source, ReadError> {
    Source::open_telling(paths, settings, &mut |fetch| {
        talk.state(&fetched(fetch, passes, settings));
        let free = free_bytes(&settings.temp_dir).unwrap_or(u64::MAX);
        if free < fetch.copied_bytes {
            talk.warn(&format!(
                "archives and objects of which no parts can be read are copied to `{}`, where {} are free for {}: name a \
                 larger place with `--temp-dir`",
                settings.temp_dir.display(),
                size(free),
                size(fetch.copied_bytes)
            ));
        }
    })
}

/// Returns a line about what will be fetched.
fn fetched(fetch: &Fetch, passes: u64, settings: &SourceSettings) -> String {
    let mut parts = Vec::new();
    if fetch.pass_bytes > 0 || fetch.copied_bytes == 0 {
        parts.push(format!("{} x {}", size(fetch.pass_bytes), counted_passes(passes)));
    }
    if fetch.copied_bytes > 0 {
        let directory = settings.temp_dir.display();
        parts.push(format!("{} once, into scratch files in `{directory}`", size(fetch.copied_bytes)));
    }
    let all = format!("{}: {}", counted(fetch.objects, "object"), parts.join(", and "));
    let once = fetch.pass_bytes + fetch.copied_bytes;
    let every = fetch.pass_bytes * passes + fetch.copied_bytes;
    match &settings.remote.cache {
        None if passes == 1 || fetch.pass_bytes == 0 => format!("{all}; up to {} are fetched", size(every)),
        None => {
            format!("{all}; up to {} are fetched (`--cache-dir DIR` keeps a copy, so that it is less)", size(every))
        }
        Some(cache) => {
            let directory = cache.directory.display();
            let kept = match fetch.kept_bytes {
                0 => String::new(),
                bytes => format!("{} are kept in `{directory}` already, ", size(bytes)),
            };
            let left = once - fetch.kept_bytes;
            if left == 0 {
                return format!("{all}; all of it is kept in `{directory}`, nothing is fetched");
            }
            let room = format!("what finds no room in its {} is fetched in every pass", size(cache.most_bytes));
            format!("{all}; {kept}up to {} are fetched, and {room}", size(left))
        }
    }
}

fn counted_passes(passes: u64) -> String {
    if passes == 1 { "1 pass".to_owned() } else { format!("{passes} passes") }
}

/// References, by the names that their ids begin with.
#[derive(Debug)]
pub struct References(Vec<(String, Source)>);

impl References {
    /// Finds what the documents are matched with, and tells what its ids begin with.
    pub fn open(paths: &[PathBuf], settings: &SourceSettings, passes: u64, talk: &Talk) -> Result<References> {
        let mut references: Vec<(String, Source)> = Vec::with_capacity(paths.len());
        for path in paths {
            if path.as_os_str() == "-" {
                return Err(hinted(anyhow!("`--against`: expected a file or a directory, found `-`"), "save it first"));
            }
            let address = path.to_str().and_then(Address::parse).map(|address| address.to_path());
            let whole = address.unwrap_or_else(|| path.canonicalize().unwrap_or_else(|_| path.clone()));
            let name = whole.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
            let taken = references.iter().any(|(known, _)| *known == name);
            let name = if taken { path.display().to_string() } else { name };
            let source = open(std::slice::from_ref(path), settings, passes, talk).context("`--against`")?;
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

/// Scratch files take about this share of the unpacked input at most (measured on pages of 5 KB: 0.25 to 0.37), more where
/// documents are shorter than a kilobyte.
const SCRATCH_SHARE: f64 = 0.4;

/// Tells how much scratch space the run will need, when it will need any, and warns when less is free.
pub fn tell_scratch(means: &Means, source: &Source, references: &References, workspace: &Workspace, talk: &Talk) {
    let known = references.0.iter().map(|(_, source)| source.unpacked_bytes()).sum::<u64>();
    let expected = ((source.unpacked_bytes() + known) as f64 * SCRATCH_SHARE) as u64;
    // The workspace spills from half of its budget on; one that is kept for another run keeps all on disk.
    if !workspace.is_resumable() && expected <= workspace.budget_bytes() / 2 {
        return;
    }
    let directory = workspace.scratch_directory().unwrap_or_else(|| means.temp_dir.clone());
    let shown = directory.display();
    match free_bytes(&directory) {
        Some(free) if free < expected => talk.warn(&format!(
            "scratch files may need {} in `{shown}`, where {} are free: name a larger place with `--temp-dir`, or raise \
             `--memory`",
            size(expected),
            size(free)
        )),
        _ if expected >= TOLD_FROM => talk.note(&format!("scratch files may take up to {} in `{shown}`", size(expected))),
        _ => {}
    }
}

/// Scratch files of less than this are not worth a line.
const TOLD_FROM: u64 = 64 << 20;

/// Returns the bytes that are free where a directory lies, or will lie.
fn free_bytes(directory: &Path) -> Option<u64> {
    #[cfg(unix)]
    {
        let exists = directory.ancestors().find(|above| above.is_dir())?;
        let exists = if exists.as_os_str().is_empty() { Path::new(".") } else { exists };
        let disk = rustix::fs::statvfs(exists).ok()?;
        Some(disk.f_bavail.saturating_mul(disk.f_frsize))
    }
    #[cfg(not(unix))]
    {
        let _ = directory;
        None
    }
}

/// Begins the output directory, unless it would lie over an input or inside one; with `resume` so that another run can go
/// on with it.
pub fn output(target: &Path, force: bool, resume: bool, inputs: &[PathBuf]) -> Result<OutputDirectory> {
    refuse_address(target)?;
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
    if resume {
        return Ok(OutputDirectory::resume(target, force)?);
    }
    let output = OutputDirectory::create(target, force)?;
    interrupt::remember(output.path());
    Ok(output)
}

/// Refuses an output that is not on this machine.
fn refuse_address(target: &Path) -> Result<()> {
    if !is_address(target) {
        return Ok(());
    }
    let error = anyhow!("output `{}`: objects in stores are read, and never written", target.display());
    Err(hinted(error, "name a place on this machine, and upload it from there"))
}

/// Begins an output file, unless it is one of the inputs.
pub fn new_file(target: &Path, force: bool, inputs: &[PathBuf]) -> Result<NewFile> {
    refuse_address(target)?;
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
///
/// # Errors
/// The scan's own, and if something could not be read that is to end the run.
pub fn scan<'w>(
    config: &Config,
    workspace: &'w Workspace,
    source: &Source,
    references: &References,
    talk: &Talk,
    tables: Option<&Tables>,
) -> Result<Scan<'w>> {
    let sink = tables.map(|tables| tables as &dyn retold::output::Sink);
    let scan = retold::scan(config, workspace, &references.after(source), talk, sink);
    talk.check()?;
    Ok(scan?)
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
    part: &PartArgs,
) -> Summary {
    let mut summary = scan.summary().clone();
    command.clone_into(&mut summary.retold);
    summary.data_versions.push(("public_suffix_list".to_owned(), PUBLIC_SUFFIX_LIST.to_owned()));
    summary.settings.append(&mut reading_settings(reading, part));
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
    summary.warnings.extend(part.flag().map(|flag| format!("`{flag}`: only a part of the input was read")));
    summary
}

/// Returns the settings of reading, which change answers too.
fn reading_settings(reading: &ReadingArgs, part: &PartArgs) -> serde_json::Map<String, serde_json::Value> {
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
        "max_record": reading.max_record,
        "max_ratio": reading.max_ratio,
        "sample": part.sample.map(|sample| sample.to_string()),
        "limit": part.limit,
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

/// Reads a line such as `MemTotal:  1234 kB` as bytes.
fn kibibytes_of(path: &str, label: &str) -> Option<u64> {
    let text = std::fs::read_to_string(path).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(label))?;
    line.split_whitespace().next()?.parse::<u64>().ok().map(|kibibytes| kibibytes << 10)
}
