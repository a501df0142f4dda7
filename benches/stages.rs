//! One group per stage, by throughput: bytes of text, or records.

#[path = "support/words.rs"]
mod words;

use std::hint::black_box;
use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use retold::hash::mix64;
use retold::similarity::{
    BandEntry, Banding, CandidatePair, Sampler, ShingleSet, Sketcher, bucket_pairs, hash_shingles,
};
use retold::store::{Sorter, Spool, SpoolWriter, StoreError, Workspace};
use retold::text::{fingerprint, hash_terms, normalize_into};

use words::{Script, text};

/// Bytes of text: what stays in a second-level cache.
const TEXT: usize = 256 << 10;

const SCRIPTS: [(&str, Script); 5] = [
    ("ascii", Script::Ascii),
    ("typeset", Script::Typeset),
    ("cyrillic", Script::Cyrillic),
    ("han", Script::Han),
    ("hostile", Script::Hostile),
];

/// Terms of an article of ordinary length.
fn article(seed: u64) -> Vec<u64> {
    let mut terms = Vec::new();
    hash_terms(&text(Script::Ascii, 4 << 10, seed), &mut terms);
    terms
}

fn normal_form(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("normalize");
    for (name, script) in SCRIPTS {
        let text = text(script, TEXT, 1);
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(name, |bencher| {
            let mut out = String::new();
            bencher.iter(|| {
                out.clear();
                normalize_into(black_box(&text), &mut out);
            });
            assert!(out.len() > text.len() / 2 && !out.contains('\n'));
        });
    }
}

fn terms(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("hash_terms");
    for (name, script) in SCRIPTS {
        let text = text(script, TEXT, 1);
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(name, |bencher| {
            let mut out = Vec::new();
            bencher.iter(|| {
                out.clear();
                hash_terms(black_box(&text), &mut out);
            });
            assert!(out.len() > text.len() / 16);
        });
    }
    let terms = article(1);
    group.throughput(Throughput::Elements(terms.len() as u64));
    group.bench_function("fingerprint", |bencher| {
        bencher.iter(|| fingerprint(black_box(&terms)));
        assert_ne!(fingerprint(&terms), fingerprint(&terms[1..]));
    });
}

fn shingles(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("shingle");
    let terms = article(1);
    group.throughput(Throughput::Elements(terms.len() as u64));
    group.bench_function("hashes", |bencher| {
        let mut out = Vec::new();
        bencher.iter(|| {
            out.clear();
            hash_shingles(black_box(&terms), 3, &mut out);
        });
        assert_eq!(out.len(), terms.len() - 2);
    });
    group.bench_function("set", |bencher| bencher.iter(|| ShingleSet::new(black_box(&terms), 3)));
    group.bench_function("shared", |bencher| {
        let a = ShingleSet::new(&terms, 3);
        let b = ShingleSet::new(&terms[terms.len() / 3..], 3);
        bencher.iter(|| a.shared(black_box(&b)));
        assert_eq!(a.shared(&b), b.len());
    });
}

fn sketches(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("sketch");
    let terms = article(1);
    let mut hashes = Vec::new();
    hash_shingles(&terms, 3, &mut hashes);
    for (name, len) in [("40 shingles", 40), ("an article", hashes.len())] {
        let hashes = &hashes[..len];
        for rows in [128, 244] {
            let sketcher = Sketcher::new(rows);
            group.throughput(Throughput::Elements(len as u64));
            group.bench_function(format!("{name}, {rows} rows"), |bencher| {
                bencher.iter(|| sketcher.sketch(black_box(hashes)));
                assert_eq!(sketcher.sketch(hashes).map(|signature| signature.rows().len()), Some(rows));
            });
        }
    }
    let banding = Banding::for_threshold(0.5, 0.98);
    let signature = Sketcher::new(banding.signature_rows()).sketch(&hashes).expect("there are shingles");
    group.throughput(Throughput::Elements(banding.bands as u64));
    group.bench_function("bands", |bencher| {
        bencher.iter(|| banding.keys(black_box(&signature)).fold(0, |sum, key| sum ^ key));
        assert_eq!(banding.keys(&signature).count(), banding.bands);
    });
    let sampler = Sampler { scale: 8 };
    group.throughput(Throughput::Elements(hashes.len() as u64));
    group.bench_function("sample", |bencher| {
        bencher.iter(|| sampler.keys(black_box(&hashes)).fold(0, |sum, key| sum ^ key));
        assert!((hashes.len() / 16..hashes.len() / 4).contains(&sampler.keys(&hashes).count()));
    });
}

fn candidates(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("candidates");
    for items in [2u32, 16, 10_000] {
        group.throughput(Throughput::Elements(u64::from(items)));
        group.bench_function(format!("bucket of {items}"), |bencher| {
            let pairs = || {
                let mut count = 0u64;
                let crowd = bucket_pairs(&mut (0..black_box(items)), &mut |_: CandidatePair| count += 1);
                (count, crowd)
            };
            bencher.iter(pairs);
            let (count, crowd) = pairs();
            assert_eq!(count + crowd.map_or(0, |crowd| crowd.left_out), u64::from(items) * u64::from(items - 1) / 2);
        });
    }
}

/// Entries that a corpus of some thousand documents makes: a third of the keys three times each.
fn entries(count: u64) -> Vec<BandEntry> {
    (0..count).map(|number| BandEntry { key: mix64(number % (count / 3)), item: number as u32 }).collect()
}

/// Sorts entries as two threads write them, and counts the groups.
fn sort(workspace: &Workspace, entries: &[BandEntry]) -> Result<u64, StoreError> {
    let sorter = Sorter::new(workspace, "bench");
    std::thread::scope(|scope| {
        let halves = entries.chunks(entries.len().div_ceil(2)).map(|half| {
            let mut writer = sorter.writer();
            scope.spawn(move || {
                half.iter().try_for_each(|entry| writer.push(*entry))?;
                writer.finish()
            })
        });
        let halves: Vec<_> = halves.collect();
        halves.into_iter().try_for_each(|half| half.join().expect("no writer panics"))
    })?;
    let sorted = sorter.finish()?;
    let mut groups = 0;
    for part in 0..sorted.parts() {
        sorted.for_each_group(part, |_, _| {
            groups += 1;
            Ok::<(), StoreError>(())
        })?;
    }
    Ok(groups)
}

fn sorter(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("sorter");
    let directory = tempfile::tempdir().expect("a temporary directory");
    let entries = entries(1_000_000);
    group.throughput(Throughput::Elements(entries.len() as u64));
    for (name, budget) in [("in memory", u64::MAX), ("spilled", 4 << 20), ("budget 0", 0)] {
        group.bench_function(name, |bencher| {
            let workspace = Workspace::new(directory.path().to_owned(), budget, 2);
            let mut groups = 0;
            bencher.iter(|| groups = sort(&workspace, &entries).expect("the disk has room"));
            assert_eq!(groups, 333_333);
            assert_eq!(workspace.spilled_bytes() == 0, budget == u64::MAX);
        });
    }
}

fn spool(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("spool");
    let directory = tempfile::tempdir().expect("a temporary directory");
    let strings: Vec<(u32, Vec<u8>)> =
        (0..2_000).map(|ordinal| (ordinal, text(Script::Ascii, 4 << 10, ordinal.into()).into_bytes())).collect();
    let bytes: usize = strings.iter().map(|(_, string)| string.len()).sum();
    group.throughput(Throughput::Bytes(bytes as u64));
    for (name, budget) in [("in memory", u64::MAX), ("spilled", 0)] {
        let workspace = Workspace::new(directory.path().to_owned(), budget, 2);
        let write = |strings: Vec<(u32, Vec<u8>)>| -> Result<Spool<'_>, StoreError> {
            let writer = SpoolWriter::new(&workspace, "bench");
            let mut strings = strings.into_iter();
            loop {
                let batch: Vec<_> = strings.by_ref().take(64).collect();
                if batch.is_empty() {
                    return writer.finish();
                }
                writer.put(batch)?;
            }
        };
        group.bench_function(format!("write, {name}"), |bencher| {
            bencher.iter_batched(|| strings.clone(), |strings| write(strings).map(drop), BatchSize::LargeInput);
        });
        let spool = write(strings.clone()).expect("the disk has room");
        group.bench_function(format!("read in order, {name}"), |bencher| {
            let read = || spool.iter().map(|string| string.expect("readable").1.len()).sum::<usize>();
            bencher.iter(read);
            assert_eq!(read(), bytes);
        });
        group.bench_function(format!("read by ordinal, {name}"), |bencher| {
            let get = |ordinal: u32| spool.get(ordinal).expect("readable").expect("every ordinal has one").len();
            bencher.iter(|| (0..2_000).map(|number| get(number * 7 % 2_000)).sum::<usize>());
            assert_eq!(get(7), strings[7].1.len());
        });
    }
}

/// Short runs, for nine groups: throughput is steady to some percent on a quiet machine.
fn short() -> Criterion {
    Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_secs(1))
}

criterion_group! {
    name = stages;
    config = short();
    targets = normal_form, terms, shingles, sketches, candidates, sorter, spool
}
criterion_main!(stages);
