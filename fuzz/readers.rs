//! Whatever bytes lie in a file of a container: it is read, or it is told what is wrong with it, and nothing goes down.
//!
//! `FUZZ_CONTAINER` is the name of the file that the bytes are read as, such as `pages.jsonl`. `fuzz/run` builds it so that
//! the fuzzer sees which branches an input takes, and runs it on every container.

#![no_main]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use retold::DocumentSource;
use retold::input::{Source, SourceSettings};

struct Place {
    directory: tempfile::TempDir,
    file: PathBuf,
}

static PLACE: LazyLock<Place> = LazyLock::new(|| {
    // A decoder that goes down on a damaged file is caught by the reader, and told: that is no finding.
    std::panic::set_hook(Box::new(|_| ()));
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let name = std::env::var("FUZZ_CONTAINER").expect("FUZZ_CONTAINER names a file");
    Place { file: directory.path().join(name), directory }
});

fn read() {
    let settings = SourceSettings {
        memory_bytes: 128 << 20,
        temp_dir: PLACE.directory.path().join("scratch"),
        ..SourceSettings::default()
    };
    let Ok(source) = Source::open(std::slice::from_ref(&PLACE.file), &settings) else { return };
    let mut pass = source.pass().expect("a pass can begin");
    while let Some(batch) = pass.next_batch().expect("a damaged file is no end of the input") {
        let parsed = batch.parse();
        assert!(parsed.documents.iter().all(|document| !document.id.is_empty()), "a document without an id");
        assert!(parsed.skipped.iter().all(|skipped| !skipped.reason.is_empty()), "a skip without a reason");
    }
}

fuzz_target!(|bytes: &[u8]| {
    std::fs::write(&PLACE.file, bytes).expect("the directory can be written");
    if let Err(what) = catch_unwind(AssertUnwindSafe(read)) {
        let what = what.downcast_ref::<String>().map(String::as_str).or(what.downcast_ref::<&str>().copied());
        eprintln!("the reader went down: {}", what.unwrap_or("a panic"));
        std::process::abort();
    }
});
