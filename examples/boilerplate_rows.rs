//! Writes what training reads, and judges labelled pages: one program, so that both see the same features.
//!
//! `boilerplate_rows words|look|context|judge DIR [--model FILE] [--careful] [--alone] [--no-model] SET...`, where a SET is JSONL
//! (also gzipped) of pages with labelled lines. Rows of all sets follow each other in order; `training/README.md` shows
//! how the steps fit together.

#![allow(clippy::print_stderr)]

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::path::Path;

use anyhow::{Context, Result, bail};
use flate2::read::MultiGzDecoder;
use rayon::prelude::*;
use retold::boilerplate::training::Rows;
use retold::boilerplate::{Fingerprints, Judge, Page, Repetition, Weights, fingerprints};
use retold::text::{Block, Layout, Segments, hash_terms};
use retold::{Config, Span};
use serde::Deserialize;

#[derive(Deserialize)]
struct Record {
    id: String,
    #[serde(default)]
    site: String,
    lines: Vec<Line>,
}

#[derive(Deserialize)]
struct Line {
    text: String,
    label: String,
    kind: Option<String>,
}

/// A page with its counts.
struct Labelled {
    record: Record,
    text: String,
    segments: Segments,
    repetition: Vec<Repetition>,
    site_documents: u32,
    site_clusters: u32,
}

impl Labelled {
    fn page(&self) -> Page<'_> {
        Page {
            text: &self.text,
            segments: &self.segments,
            title: None,
            repetition: &self.repetition,
            site_documents: self.site_documents,
            site_clusters: self.site_clusters,
        }
    }
}

fn main() -> Result<()> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let model = match arguments.iter().position(|argument| argument == "--model") {
        Some(at) => {
            arguments.remove(at);
            Some(std::fs::read(arguments.remove(at))?)
        }
        None => None,
    };
    let mut flag = |name: &str| {
        let found = arguments.iter().position(|argument| argument == name);
        found.map(|at| arguments.remove(at)).is_some()
    };
    let careful = flag("--careful");
    let alone = flag("--alone");
    let no_model = flag("--no-model");
    let [step, directory, sets @ ..] = &arguments[..] else { bail!("expected a step, a directory and sets") };
    let directory = Path::new(directory);
    let mut pages = Vec::new();
    for set in sets {
        let mut read = read(set)?;
        if !alone {
            count(&mut read);
        }
        pages.extend(read);
    }
    match step.as_str() {
        "words" => words(directory, &pages),
        "look" => look(directory, &pages),
        "context" => context(directory, &pages),
        "judge" => {
            let weights = model.map(|bytes| Weights::read(&bytes)).transpose()?;
            let config = Config { careful, model: !no_model, weights, ..Config::default() };
            judge_all(directory, &pages, &Judge::new(&config))
        }
        _ => bail!("expected words, look, context or judge, found `{step}`"),
    }
}

fn read(path: &str) -> Result<Vec<Labelled>> {
    let file = File::open(path).with_context(|| format!("opening `{path}`"))?;
    let reader: Box<dyn Read> =
        if path.ends_with(".gz") { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) };
    let mut pages = Vec::new();
    for line in BufReader::new(reader).lines() {
        let record: Record = serde_json::from_str(&line?)?;
        let mut text = String::new();
        let mut blocks = Vec::new();
        for (number, line) in record.lines.iter().enumerate() {
            let trimmed = line.text.trim();
            let start = text.len() + (line.text.len() - line.text.trim_start().len());
            blocks.push(Block { span: Span::new(start, start + trimmed.len()), line: number as u32 + 1 });
            text.push_str(&line.text);
            text.push('\n');
        }
        let segments = Segments { layout: Layout::Lines, blocks };
        pages.push(Labelled { record, text, segments, repetition: Vec::new(), site_documents: 0, site_clusters: 0 });
    }
    Ok(pages)
}

fn write(directory: &Path, name: &str, values: impl Iterator<Item = f32>) -> Result<()> {
    let mut out = BufWriter::new(File::create(directory.join(name))?);
    for value in values {
        out.write_all(&value.to_le_bytes())?;
    }
    Ok(out.flush()?)
}

fn read_values(directory: &Path, name: &str) -> Result<Vec<f32>> {
    let bytes = std::fs::read(directory.join(name)).with_context(|| format!("reading `{name}`"))?;
    Ok(bytes.chunks_exact(4).map(|value| f32::from_le_bytes(value.try_into().expect("four bytes"))).collect())
}

/// Cuts one list of a value a line into the pages' parts.
fn parts<'a>(pages: &[Labelled], values: &'a [f32]) -> Vec<&'a [f32]> {
    let mut rest = values;
    pages
        .iter()
        .map(|page| {
            let (part, after) = rest.split_at(page.record.lines.len());
            rest = after;
            part
        })
        .collect()
}

fn words(directory: &Path, pages: &[Labelled]) -> Result<()> {
    let mut pointers = vec![0f32];
    let mut out = BufWriter::new(File::create(directory.join("buckets.u32"))?);
    let mut lines = BufWriter::new(File::create(directory.join("lines.tsv"))?);
    for (number, page) in pages.iter().enumerate() {
        let rows = Rows::new(&page.page(), &[]);
        for (at, line) in page.record.lines.iter().enumerate() {
            let buckets = rows.lexical(at);
            pointers.push(buckets.len() as f32);
            for bucket in buckets {
                out.write_all(&bucket.to_le_bytes())?;
            }
            let headline = u8::from(rows.headline() == Some(at));
            let kind = line.kind.as_deref().unwrap_or("-");
            writeln!(
                lines,
                "{number}\t{}\t{}\t{}\t{kind}\t{}\t{headline}",
                page.record.id,
                page.record.site,
                line.label,
                rows.words(at)
            )?;
        }
    }
    out.flush()?;
    lines.flush()?;
    write(directory, "counts.f32", pointers.into_iter().skip(1))
}

fn look(directory: &Path, pages: &[Labelled]) -> Result<()> {
    let lexical = read_values(directory, "lexical.f32")?;
    let parts = parts(pages, &lexical);
    let rows: Vec<_> = pages
        .par_iter()
        .zip(&parts)
        .map(|(page, lexical)| {
            let rows = Rows::new(&page.page(), lexical);
            let counts: Vec<f32> = (0..lexical.len()).flat_map(|at| rows.repetition(&page.page(), at)).collect();
            let says: Vec<f32> = (0..lexical.len()).flat_map(|at| rows.says(at)).collect();
            (rows.look().into_iter().flatten().collect::<Vec<f32>>(), counts, says)
        })
        .collect();
    write(directory, "look.f32", rows.iter().flat_map(|(rows, _, _)| rows.iter().copied()))?;
    write(directory, "says.f32", rows.iter().flat_map(|(_, _, rows)| rows.iter().copied()))?;
    write(directory, "repetition.f32", rows.iter().flat_map(|(_, rows, _)| rows.iter().copied()))
}

fn context(directory: &Path, pages: &[Labelled]) -> Result<()> {
    let lexical = read_values(directory, "lexical.f32")?;
    let first = read_values(directory, "first.f32")?;
    let added = read_values(directory, "added.f32")?;
    let (lexical, first, added) = (parts(pages, &lexical), parts(pages, &first), parts(pages, &added));
    let rows: Vec<Vec<f32>> = (0..pages.len())
        .into_par_iter()
        .map(|at| {
            let rows = Rows::new(&pages[at].page(), lexical[at]);
            rows.context(first[at].to_vec(), added[at]).into_iter().flatten().collect()
        })
        .collect();
    write(directory, "context.f32", rows.into_iter().flatten())
}

fn judge_all(directory: &Path, pages: &[Labelled], judge: &Judge) -> Result<()> {
    let began = std::time::Instant::now();
    let judged: Vec<String> = pages
        .par_iter()
        .map(|page| {
            let judged = judge.judge(&page.page());
            let keep: Vec<bool> = judged
                .verdicts
                .iter()
                .map(|verdict| verdict.kind.is_none_or(|kind| kind.name() == "headline_variant"))
                .collect();
            let kinds: Vec<Option<&str>> =
                judged.verdicts.iter().map(|verdict| verdict.kind.map(|kind| kind.name())).collect();
            let scores: Vec<f64> = judged.verdicts.iter().map(|verdict| verdict.score).collect();
            serde_json::json!({
                "id": page.record.id, "lines": keep, "kinds": kinds, "scores": scores, "withheld": judged.withheld,
                "headline": judged.headline.and_then(|headline| headline.block), "lang": judged.lang,
            })
            .to_string()
        })
        .collect();
    let (bytes, lines) =
        pages.iter().fold((0, 0), |(bytes, lines), page| (bytes + page.text.len(), lines + page.segments.blocks.len()));
    eprintln!(
        "{lines} blocks, {bytes} bytes, {:.3} s on {} threads",
        began.elapsed().as_secs_f64(),
        rayon::current_num_threads()
    );
    let mut out = BufWriter::new(File::create(directory.join("judged.jsonl"))?);
    for line in judged {
        writeln!(out, "{line}")?;
    }
    Ok(out.flush()?)
}

/// Counts repetition over one set the way the pipeline does over a run.
fn count(pages: &mut [Labelled]) {
    let prints: Vec<Vec<Fingerprints>> = pages
        .par_iter()
        .map(|page| {
            let mut terms = Vec::new();
            let mut count = |block: &Block| {
                let text = block.span.of(&page.text);
                terms.clear();
                hash_terms(text, &mut terms);
                fingerprints(text, &terms)
            };
            page.segments.blocks.iter().map(&mut count).collect()
        })
        .collect();
    let mut sites: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, page) in pages.iter().enumerate() {
        sites.entry(&page.record.site).or_default().push(at);
    }
    let site_sizes: Vec<usize> = pages.iter().map(|page| sites[page.record.site.as_str()].len()).collect();
    let words: Vec<Vec<f32>> = pages
        .par_iter()
        .map(|page| {
            let rows = Rows::new(&page.page(), &[]);
            (0..page.record.lines.len()).map(|at| rows.words(at)).collect()
        })
        .collect();
    // Documents that hold a fingerprint, each once.
    let mut exact: HashMap<u64, Vec<usize>> = HashMap::new();
    let mut template: HashMap<u64, Vec<usize>> = HashMap::new();
    for (at, prints) in prints.iter().enumerate() {
        for print in prints {
            for (map, key) in [(&mut exact, Some(print.exact)), (&mut template, print.template)] {
                if let Some(key) = key {
                    let holders = map.entry(key).or_default();
                    if holders.last() != Some(&at) {
                        holders.push(at);
                    }
                }
            }
        }
    }
    // Clusters on lines that are rare on their site: chrome joins pages, rare lines join stories.
    let rare = |holders: &[usize], at: usize| {
        let site = &pages[at].record.site;
        let here = holders.iter().filter(|other| &pages[**other].record.site == site).count();
        here <= 2 || here as f64 <= 0.15 * site_sizes[at] as f64
    };
    let mut rare_words = vec![0f32; pages.len()];
    let mut shared: HashMap<(usize, usize), f32> = HashMap::new();
    for (at, prints) in prints.iter().enumerate() {
        for (block, print) in prints.iter().enumerate() {
            if words[at][block] < 8.0 {
                continue;
            }
            let holders = &exact[&print.exact];
            if !rare(holders, at) {
                continue;
            }
            rare_words[at] += words[at][block];
            for other in holders.iter().take(64) {
                if *other > at && rare(holders, *other) {
                    *shared.entry((at, *other)).or_default() += words[at][block];
                }
            }
        }
    }
    let mut root: Vec<usize> = (0..pages.len()).collect();
    fn find(root: &mut [usize], mut at: usize) -> usize {
        while root[at] != at {
            root[at] = root[root[at]];
            at = root[at];
        }
        at
    }
    let mut shared: Vec<_> = shared.into_iter().collect();
    shared.sort_by_key(|(pair, _)| *pair);
    for ((a, b), words) in shared {
        if words >= 0.3 * rare_words[a].min(rare_words[b]).max(1.0) {
            let (a, b) = (find(&mut root, a), find(&mut root, b));
            root[a.max(b)] = a.min(b);
        }
    }
    let cluster: Vec<usize> = (0..pages.len()).map(|at| find(&mut root, at)).collect();
    let distinct = |mut values: Vec<usize>| {
        values.sort_unstable();
        values.dedup();
        values.len() as u32
    };
    let site_number: HashMap<&str, usize> = sites.keys().enumerate().map(|(at, site)| (*site, at)).collect();
    let counts = |holders: &[usize], at: usize, near: bool| {
        let here: Vec<usize> =
            holders.iter().copied().filter(|other| pages[*other].record.site == pages[at].record.site).collect();
        Repetition {
            documents: holders.len() as u32,
            sites: distinct(holders.iter().map(|other| site_number[pages[*other].record.site.as_str()]).collect()),
            clusters: distinct(holders.iter().map(|other| cluster[*other]).collect()),
            site_documents: here.len() as u32,
            site_clusters: distinct(here.iter().map(|other| cluster[*other]).collect()),
            near,
        }
    };
    let repetition: Vec<Vec<Repetition>> = (0..pages.len())
        .into_par_iter()
        .map(|at| {
            prints[at]
                .iter()
                .map(|print| {
                    let exact = counts(&exact[&print.exact], at, false);
                    match print.template.map(|key| counts(&template[&key], at, true)) {
                        Some(near) if near.tells_more_than(&exact) => near,
                        _ => exact,
                    }
                })
                .collect()
        })
        .collect();
    let site_clusters: Vec<u32> = (0..pages.len())
        .map(|at| distinct(sites[pages[at].record.site.as_str()].iter().map(|other| cluster[*other]).collect()))
        .collect();
    for (at, repetition) in repetition.into_iter().enumerate() {
        pages[at].repetition = repetition;
        pages[at].site_documents = site_sizes[at] as u32;
        pages[at].site_clusters = site_clusters[at];
    }
}
