//! What Python calls: the program's commands, on files or on tables in memory.

use std::cell::RefCell;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Result, anyhow};
use pyo3::prelude::*;
use retold::document::Document;
use retold::files::{FileError, OutputDirectory};
use retold::input::{Source, SourceSettings};
use retold::output::{FinishedScan, TABLES, apply};

use crate::args::Command;
use crate::arrow::{ArrowTable, Held};
use crate::commands::rewrite::{Ends, Job};
use crate::commands::{
    clean, dedup, explain as explaining, report as reporting, rewrite as rewriting, scan as scanning,
};
use crate::diagnostics::{Paint, hinted};
use crate::edited::{DocumentTable, Edited, Edits, Parts, gone};
use crate::failure::exception;
use crate::job::perform;
use crate::progress::Talk;
use crate::run::{self, Means};
use crate::settings::Parsed;
use crate::words::parse;
use crate::{finished, program, rows};

/// Rows that Python holds, and the name that they go by.
type Named = Option<(Py<ArrowTable>, String)>;

/// The same in a thread that has no Python.
#[derive(Clone)]
struct Table {
    table: ArrowTable,
    name: String,
}

impl Table {
    fn of(named: Named) -> Option<Table> {
        named.map(|(table, name)| Table { table: table.get().clone(), name })
    }

    fn open(&self, settings: &SourceSettings) -> Result<Source> {
        Ok(Source::held(&self.name, Held::shared(self.table.clone()), settings)?)
    }
}

/// Stands for a table in memory among paths: nothing that could be read again.
fn nowhere() -> Vec<PathBuf> {
    vec![PathBuf::from("-")]
}

/// Opens what a finished scan read: the table in memory that it was, or files.
fn inputs(table: Option<&Table>, scan: &FinishedScan, means: &Means, talk: &Talk) -> Result<Source> {
    match table {
        Some(table) => table.open(&finished::source_settings(scan.summary(), means)?),
        None => reporting::inputs(scan, means, talk),
    }
}

/// Runs the program with these words, the first of which is its name; returns the exit status.
#[pyfunction]
pub fn command(py: Python<'_>, words: Vec<OsString>) -> u8 {
    py.detach(|| program::run(&words))
}

/// Scans; returns the summary as JSON, and whether what was skipped is within `max_skipped`.
#[pyfunction]
pub fn scan(py: Python<'_>, words: Vec<OsString>, rows: Named, tell: &Bound<'_, PyAny>) -> PyResult<(String, bool)> {
    let parsed = parse(py, words)?;
    let table = Table::of(rows);
    let fail_fast = matches!(&parsed.cli.command, Command::Scan(args) if args.reading.fails_fast());
    perform(py, tell, fail_fast, move |talk| {
        let Command::Scan(args) = &parsed.cli.command else { return Err(anyhow!("expected the command `scan`")) };
        let paths = if table.is_some() { nowhere() } else { run::inputs(&args.inputs)? };
        let open = |settings: &SourceSettings, passes| match &table {
            Some(table) => table.open(settings),
            None => run::open(&paths, settings, passes, talk),
        };
        let found = scanning::perform(&parsed.cli.global, args, &paths, &open, talk)?;
        let allowed = args.reading.max_skipped.allows(found.summary.skipped, found.summary.documents);
        Ok((String::from_utf8(run::summary_json(&found.summary))?, allowed))
    })
}

/// Cleans, or drops near-duplicates: into the directory that the words name, or with `-o -` into tables.
#[pyfunction]
pub fn rewrite(py: Python<'_>, words: Vec<OsString>, rows: Named, tell: &Bound<'_, PyAny>) -> PyResult<Edited> {
    let parsed = parse(py, words)?;
    let table = Table::of(rows);
    let fail_fast = job_of(&parsed).is_some_and(|job| job.reading.fails_fast());
    let parts = perform(py, tell, fail_fast, move |talk| {
        let job = job_of(&parsed).ok_or_else(|| anyhow!("expected the command `clean` or `dedup`"))?;
        edit(&parsed, &job, table.as_ref(), talk)
    })?;
    Edited::new(py, parts)
}

fn job_of(parsed: &Parsed) -> Option<Job<'_>> {
    match &parsed.cli.command {
        Command::Clean(args) => Some(clean::job(args)),
        Command::Dedup(args) => Some(dedup::job(args)),
        _ => None,
    }
}

/// Does a job of `clean` or `dedup`.
fn edit(parsed: &Parsed, job: &Job<'_>, table: Option<&Table>, talk: &Talk) -> Result<Parts> {
    if table.is_some() && job.output.as_os_str() != "-" {
        let error = anyhow!("a table in memory has no files to copy, so that no directory can be written");
        return Err(hinted(error, "leave `output` out, and write the table that is returned"));
    }
    let nowhere = nowhere();
    let made = RefCell::new(None);
    let removes = matches!(job.mode, retold::output::Mode::Clean | retold::output::Mode::CleanDedup);
    let drops = matches!(job.mode, retold::output::Mode::Dedup | retold::output::Mode::CleanDedup);
    let ends = Ends {
        paths: table.map(|_| nowhere.as_slice()),
        open: &|paths, settings, passes| match table {
            Some(table) => table.open(settings),
            None => run::open(paths, settings, passes, talk),
        },
        write: &|source, decisions, settings, output| {
            if output.is_some() {
                return rewriting::write(source, decisions, settings, output, talk);
            }
            let (tables, edited) = match table {
                Some(table) => {
                    let mut edits = Edits::new(&table.table, source, removes && !drops)?;
                    let tables = apply(source, decisions, &settings, talk, &mut |applied| edits.take(applied))?;
                    (tables, edits.finish()?)
                }
                None => {
                    let mut documents = DocumentTable::default();
                    let tables = apply(source, decisions, &settings, talk, &mut |applied| documents.take(applied))?;
                    (tables, documents.finish()?)
                }
            };
            let (removed, dropped) = gone(&tables)?;
            *made.borrow_mut() = Some((edited, removed, dropped));
            Ok(tables.rewritten)
        },
    };
    let (summary, rewritten, skipped) = rewriting::perform(parsed, job, &ends, talk)?;
    let allowed = job.reading.max_skipped.allows(skipped.len() as u64, rewritten.documents);
    let summary = String::from_utf8(run::summary_json(&summary))?;
    let (table, removed, dropped) = match made.into_inner() {
        Some(made) => made,
        None => {
            let (removed, dropped) = gone(&retold::output::AppliedTables::default())?;
            (DocumentTable::default().finish()?, removed, dropped)
        }
    };
    Ok(Parts { table, removed, dropped, summary, allowed })
}

/// A record to explain: id, text, url, site, title, date.
type Record = (String, String, Option<String>, Option<String>, Option<String>, Option<String>);

/// Explains files and records, or documents of a finished scan by id; returns JSON and text for people.
#[pyfunction]
pub fn explain(
    py: Python<'_>,
    words: Vec<OsString>,
    records: Vec<Option<Record>>,
    rows: Named,
    tell: &Bound<'_, PyAny>,
) -> PyResult<(String, String)> {
    let parsed = parse(py, words)?;
    let table = Table::of(rows);
    perform(py, tell, false, move |talk| {
        let Command::Explain(args) = &parsed.cli.command else { return Err(anyhow!("expected the command `explain`")) };
        let means = Means::new(&parsed.cli.global);
        let told = match &args.from {
            Some(directory) => {
                let open = |scan: &FinishedScan| inputs(table.as_ref(), scan, &means, talk);
                explaining::from_scan(directory, &args.documents, &open, talk)?
            }
            None => {
                let settings = run::source_settings(&args.reading, None, &means)?;
                let documents = args.documents.iter().zip(&records).map(|(path, record)| match record {
                    Some(record) => Ok(document(record)),
                    None => explaining::only_document(path, &settings, talk),
                });
                explaining::alone(&args.judging, &documents.collect::<Result<Vec<Document>>>()?)?
            }
        };
        let paint = Paint::new(crate::args::When::Never, &std::io::stdout());
        Ok((told.json().to_string(), told.text(paint)))
    })
}

fn document((id, text, url, site, title, date): &Record) -> Document {
    let site = site.clone().or_else(|| url.as_deref().and_then(retold::input::site_of_url));
    Document {
        id: id.clone(),
        source: Arc::from(id.as_str()),
        row: 0,
        url: url.clone(),
        site,
        title: title.clone(),
        date: date.clone(),
        within: None,
        text: text.clone(),
    }
}

/// Writes the report page of a finished scan.
#[pyfunction]
pub fn report(py: Python<'_>, words: Vec<OsString>, rows: Named, tell: &Bound<'_, PyAny>) -> PyResult<()> {
    let parsed = parse(py, words)?;
    let table = Table::of(rows);
    perform(py, tell, false, move |talk| {
        let Command::Report(args) = &parsed.cli.command else { return Err(anyhow!("expected the command `report`")) };
        let means = Means::new(&parsed.cli.global);
        let scan = finished::open(&args.scan)?;
        let read = finished::paths(scan.summary()).unwrap_or_default();
        let file = run::new_file(&args.output, args.replace.force, &read)?;
        let open = |scan: &FinishedScan| inputs(table.as_ref(), scan, &means, talk);
        reporting::write(&args.scan, args.since.as_deref(), file, &open, talk)
    })
}

/// Reads a table of a finished scan.
#[pyfunction]
pub fn read_table(py: Python<'_>, directory: PathBuf, name: &str) -> PyResult<ArrowTable> {
    let read = || {
        let columns = TABLES.iter().find(|(known, _)| *known == name).map(|(_, columns)| *columns);
        let columns = columns.ok_or_else(|| anyhow!("there is no table `{name}`"))?;
        finished::open(&directory)?;
        rows::read(&directory.join(format!("{name}.jsonl")), columns)
    };
    py.detach(read).map_err(|error| exception(py, &error))
}

/// Copies a finished scan to a new directory, which appears whole or not at all.
#[pyfunction]
pub fn save(py: Python<'_>, directory: PathBuf, target: PathBuf, force: bool) -> PyResult<()> {
    let copy = || -> Result<()> {
        let scan = finished::open(&directory)?;
        let output = OutputDirectory::create(&target, force)?;
        let mut names: Vec<OsString> = std::fs::read_dir(scan.directory())
            .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.file_name())).collect())
            .map_err(FileError::read(scan.directory()))?;
        names.sort();
        for name in names {
            copy_file(&scan.directory().join(&name), Path::new(&name), &output)?;
        }
        output.commit()?;
        Ok(())
    };
    py.detach(copy).map_err(|error| exception(py, &error))
}

fn copy_file(from: &Path, name: &Path, output: &OutputDirectory) -> Result<()> {
    use std::io::Read;
    let mut read = std::fs::File::open(from).map_err(FileError::read(from))?;
    let mut file = output.create_file(name)?;
    let mut buffer = vec![0; 1 << 20];
    loop {
        match read.read(&mut buffer).map_err(FileError::read(from))? {
            0 => break,
            bytes => file.put(&buffer[..bytes])?,
        }
    }
    file.finish()?;
    Ok(())
}
