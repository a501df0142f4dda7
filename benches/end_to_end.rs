//! The whole scan, from JSON lines to tables: bytes per second at several sizes, in memory and spilled. Time a byte should
//! stay about the same from one size to the next.
//!
//! `cargo bench --bench end_to_end`; with `-- --test` every case runs once. `BENCH_DOCUMENTS=100000,1000000` names other
//! sizes.

#[path = "../tests/it/support/articles.rs"]
#[allow(dead_code, reason = "tests look at how a page was made")]
mod articles;

use std::fs;
use std::path::Path;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use retold::input::{Source, SourceSettings};
use retold::observe::Silent;
use retold::output::Tables;
use retold::store::Workspace;
use retold::{Config, scan};

/// Scans a file into tables, and returns how many documents and clusters there are.
fn scan_to_tables(input: &Path, directory: &Path, budget_bytes: u64) -> (u64, u64) {
    let settings = SourceSettings { temp_dir: directory.to_owned(), ..SourceSettings::default() };
    let source = Source::open(&[input.to_owned()], &settings).expect("the file was just written");
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let workspace = Workspace::new(directory.to_owned(), budget_bytes, threads);
    let tables = Tables::create(directory).expect("the directory can be written");
    let scan = scan(&Config::default(), &workspace, &source, &Silent, Some(&tables)).expect("the input is sound");
    tables.finish_blocks().expect("the directory can be written");
    tables.write_table("documents", scan.documents().expect("scratch is there")).expect("rows are written");
    tables.write_table("pairs", scan.pairs().expect("scratch is there")).expect("rows are written");
    tables.write_table("clusters", scan.clusters().expect("scratch is there")).expect("rows are written");
    (scan.summary().documents, scan.summary().clusters)
}

fn end_to_end(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("end_to_end");
    group.sample_size(10);
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let sizes = std::env::var("BENCH_DOCUMENTS").unwrap_or_else(|_| "1000,10000".to_owned());
    for count in sizes.split(',').map(|size| size.trim().parse().expect("sizes are numbers")) {
        let input = directory.path().join(format!("{count}.jsonl"));
        let text = articles::json_lines(&articles::crawl(7, count, (count / 40).clamp(3, 200)));
        fs::write(&input, &text).expect("the directory can be written");
        group.throughput(Throughput::Bytes(text.len() as u64));
        for (name, budget_bytes) in [("memory", u64::MAX), ("spilled", 1 << 20)] {
            group.bench_with_input(BenchmarkId::new(name, count), &input, |bencher, input| {
                bencher.iter_batched(
                    || tempfile::tempdir_in(directory.path()).expect("a temporary directory can be made"),
                    |out| {
                        let (documents, clusters) = scan_to_tables(input, out.path(), budget_bytes);
                        assert_eq!(documents, count as u64);
                        assert!(clusters > count as u64 / 50, "planted copies are found");
                    },
                    BatchSize::PerIteration,
                );
            });
        }
    }
    group.finish();
}

criterion_group!(benches, end_to_end);
criterion_main!(benches);
