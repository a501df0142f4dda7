//! `explain`: one document block by block, or two side by side.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use retold::document::{Document, DocumentSource};
use retold::input::{Source, SourceSettings};
use retold::observe::Observer;
use retold::output::{
    BlockRow, DocumentExplanation, DocumentRow, Explained, FinishedScan, PairExplanation, PairRow, explain_document,
    explain_pair, explain_pair_row, explain_rows,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::args::{ExplainArgs, Format, GlobalArgs, JudgingArgs};
use crate::commands::{Status, print, report};
use crate::diagnostics::{Paint, hinted};
use crate::explanation;
use crate::finished;
use crate::progress::{StandardError, Talk};
use crate::run::{self, Means};

/// What is explained: documents, and how they compare when there are two.
pub struct Told {
    /// Each document.
    pub documents: Vec<DocumentExplanation>,
    /// The two beside each other, when there are two.
    pub pair: Option<PairExplanation>,
    /// How far the explanation reaches.
    pub scope: String,
}

impl Told {
    /// Returns it as JSON.
    pub fn json(&self) -> Value {
        json!({ "scope": self.scope, "documents": self.documents, "pair": self.pair })
    }

    /// Returns it as text for people.
    pub fn text(&self, paint: Paint) -> String {
        let text = match &self.pair {
            Some(pair) => explanation::pair(pair, paint),
            None => self.documents.iter().map(|one| explanation::document(one, paint)).collect(),
        };
        format!("{}\n\n{text}", paint.dim(&self.scope))
    }
}

/// Explains.
pub fn run(global: &GlobalArgs, args: &ExplainArgs) -> Result<Status> {
    let means = Means::new(global);
    let talk = Talk::new(StandardError::new(global));
    let told = match &args.from {
        Some(directory) => from_scan(directory, &args.documents, &|scan| report::inputs(scan, &means, &talk), &talk)?,
        None => {
            let settings = run::source_settings(&args.reading, None, &means)?;
            let documents = args.documents.iter().map(|path| only_document(path, &settings, &talk));
            alone(&args.judging, &documents.collect::<Result<Vec<Document>>>()?)?
        }
    };
    match global.format {
        Format::Json => {
            let mut text = serde_json::to_vec_pretty(&told.json())?;
            text.push(b'\n');
            print(&text)?;
        }
        Format::Text => print(told.text(Paint::new(global.color, &std::io::stdout())).as_bytes())?,
    }
    Ok(Status::Done)
}

/// Judges one document or two by themselves.
pub fn alone(judging: &JudgingArgs, documents: &[Document]) -> Result<Told> {
    let config = judging.config(true)?;
    let explained: Vec<DocumentExplanation> =
        documents.iter().map(|document| explain_document(document, &config)).collect::<Result<_, _>>()?;
    let side = |at: usize| Explained { document: &documents[at], explanation: &explained[at] };
    let pair = (documents.len() == 2).then(|| explain_pair(side(0), side(1), &config));
    let scope = match (&config.evidence, documents.len()) {
        (Some(evidence), _) => {
            &*format!("Judged with saved evidence of {}.", crate::render::counted(evidence.documents(), "document"))
        }
        (None, 1) => "Judged alone: what repeats on other pages of its site is not known (`--from` a scan knows it).",
        (None, _) => {
            "Judged alone: what repeats on other pages of their sites is not known (`--from` a scan knows it)."
        }
    };
    Ok(Told { documents: explained, pair, scope: scope.to_owned() })
}

/// Reads the one document of a file.
pub fn only_document(path: &str, settings: &SourceSettings, talk: &Talk) -> Result<Document> {
    let source = run::open(&[PathBuf::from(path)], settings, 1, talk)?;
    let mut documents = Vec::new();
    let mut skipped = Vec::new();
    let mut pass = source.pass()?;
    while let Some(batch) = pass.next_batch()? {
        let parsed = batch.parse();
        documents.extend(parsed.documents);
        skipped.extend(parsed.skipped);
        if documents.len() > 1 {
            let hint = "`retold scan` it with `-o DIR`, then name documents by id: `retold explain --from DIR ID`";
            return Err(hinted(anyhow!("`{path}`: expected one document, found several"), hint));
        }
    }
    match (documents.pop(), skipped.first()) {
        // A file given by itself is known by the path given, not by its place in a crawl.
        (Some(document), _) => Ok(Document { id: path.to_owned(), ..document }),
        (None, Some(skipped)) => {
            let error = anyhow!("{skipped}");
            Err(match &skipped.hint {
                Some(hint) => hinted(error, hint),
                None => error,
            })
        }
        (None, None) => Err(anyhow!("`{path}`: expected a document, found none")),
    }
}

/// Explains what a finished scan said; `open` opens its inputs.
pub fn from_scan(
    directory: &Path,
    ids: &[String],
    open: &dyn Fn(&FinishedScan) -> Result<Source>,
    talk: &Talk,
) -> Result<Told> {
    let scan = finished::open(directory)?;
    let summary = scan.summary();
    let config = finished::config(summary);
    let mut rows = Vec::with_capacity(ids.len());
    for id in ids {
        let table = directory.join("documents.jsonl");
        let start = format!("{{\"id\":{},", json!(id));
        let row: Option<DocumentRow> = find_rows(&table, &[start], true)?.pop();
        rows.push(row.ok_or_else(|| {
            let error = anyhow!("`{}` has no document `{id}`", directory.display());
            hinted(error, format!("ids are the field `id` of `{}`", table.display()))
        })?);
    }
    let texts = match open(&scan).and_then(|source| texts_of(&rows, &source, talk)) {
        Ok(texts) => texts,
        Err(error) => {
            talk.note(&format!("the texts are not at hand, so only what the scan wrote is shown: {error:#}"));
            vec![None; rows.len()]
        }
    };
    let mut documents = Vec::with_capacity(rows.len());
    for (row, text) in rows.iter().zip(&texts) {
        let start = format!("{{\"id\":{},", json!(row.id));
        let blocks: Vec<BlockRow> = find_rows(&directory.join("blocks.jsonl"), &[start], false)?;
        // What saved evidence counted is no part of the run's own documents.
        let counted_here = summary.settings.get("evidence").is_none_or(serde_json::Value::is_null);
        let site = row
            .site
            .as_ref()
            .filter(|_| counted_here)
            .and_then(|name| summary.by_site.iter().find(|site| site.site == *name));
        let text = text.as_ref().map(|document| document.text.as_str());
        documents.push(explain_rows(row, &blocks, site.map(|site| site.documents), text));
    }
    let pair = match (rows.as_slice(), texts.as_slice()) {
        ([a, b], [text_a, text_b]) => {
            let starts = [(a, b), (b, a)].map(|(a, b)| format!("{{\"a\":{},\"b\":{},", json!(a.id), json!(b.id)));
            let listed: Option<PairRow> = find_rows(&directory.join("pairs.jsonl"), &starts, true)?.pop();
            let swapped = listed.as_ref().is_some_and(|pair| pair.a == b.id);
            let (first, second) = if swapped { (1, 0) } else { (0, 1) };
            let sides = match (text_a, text_b) {
                (Some(_), Some(_)) => {
                    let side = |at: usize| Explained {
                        document: texts[at].as_ref().expect("both are there"),
                        explanation: &documents[at],
                    };
                    Some((side(first), side(second)))
                }
                _ => None,
            };
            let mut pair = match (listed, sides) {
                (Some(row), sides) => explain_pair_row(&row, sides),
                (None, Some((a, b))) => explain_pair(a, b, &config),
                (None, None) => {
                    let error = anyhow!("`{}` lists no pair of `{}` and `{}`", directory.display(), a.id, b.id);
                    return Err(hinted(error, "they were not similar enough; their texts are needed to say more"));
                }
            };
            settle(&mut pair, a, b);
            Some(pair)
        }
        _ => None,
    };
    let scope = format!(
        "As judged by the scan in `{}`, of {} documents.",
        directory.display(),
        crate::render::count(summary.documents)
    );
    Ok(Told { documents, pair, scope })
}

/// Says whether the two are one cluster, which the pair alone does not decide.
fn settle(pair: &mut PairExplanation, a: &DocumentRow, b: &DocumentRow) {
    let together = a.cluster_id == b.cluster_id;
    if together && !pair.joined {
        pair.reason = format!(
            "both match `{}`, which holds cluster `{}` together; by themselves: {}",
            a.representative, a.cluster_id, pair.reason
        );
    } else if !together && pair.joined {
        pair.reason = format!(
            "alike ({}), but `{}` matches `{}` and `{}` matches `{}`: every member of a cluster matches its representative",
            pair.reason, a.id, a.representative, b.id, b.representative
        );
    }
    pair.joined = together;
}

/// Returns the rows of a table whose lines begin in one of these ways, in order; only the first if that is enough.
///
/// Rows begin with their ids, so that lines of others need not be parsed.
fn find_rows<T: DeserializeOwned>(table: &Path, starts: &[String], first: bool) -> Result<Vec<T>> {
    let failed = || format!("`{}`: could not be read", table.display());
    let mut reader = BufReader::with_capacity(1 << 20, File::open(table).with_context(failed)?);
    let mut rows = Vec::new();
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line).with_context(failed)? > 0 {
        if starts.iter().any(|start| line.starts_with(start.as_bytes())) {
            let row = serde_json::from_slice(&line);
            rows.push(row.with_context(|| format!("`{}`: expected a row of this table", table.display()))?);
            if first {
                break;
            }
        }
        line.clear();
    }
    Ok(rows)
}

/// Reads the documents of these rows from the scan's inputs, as far as they are there and unchanged.
fn texts_of(rows: &[DocumentRow], source: &Source, talk: &Talk) -> Result<Vec<Option<Document>>> {
    let mut found: Vec<Option<Document>> = vec![None; rows.len()];
    let mut pass = source.pass()?;
    while let Some(batch) = pass.next_batch()? {
        for document in batch.parse().documents {
            let of = |row: &DocumentRow| row.row == document.row && *row.source == *document.source;
            for at in (0..rows.len()).filter(|at| of(&rows[*at])) {
                let hash = format!("{:032x}", retold::hash::hash128(document.text.as_bytes()));
                if hash == rows[at].text_hash {
                    // The scan may have made the id unique.
                    found[at] = Some(Document { id: rows[at].id.clone(), ..document.clone() });
                } else {
                    talk.note(&format!("`{}` has changed since the scan: its text is left out", rows[at].id));
                }
            }
        }
        if found.iter().all(Option::is_some) {
            break;
        }
    }
    Ok(found)
}
