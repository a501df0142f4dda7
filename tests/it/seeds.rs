//! As a stranger I run one command on five real articles and see them judged.

use std::collections::BTreeSet;
use std::path::Path;

use crate::support::{Outcome, Place};

/// Runs the program in a copy of the repository's seeds.
fn place() -> Place {
    let place = Place::new();
    for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds")).unwrap() {
        let path = entry.unwrap().path();
        place.file(&format!("seeds/{}", path.file_name().unwrap().display()), std::fs::read(&path).unwrap());
    }
    place
}

fn told(outcome: &Outcome) -> String {
    format!("exit status {}\n--- stdout\n{}--- stderr\n{}", outcome.status, outcome.stdout, outcome.stderr)
}

#[test]
fn the_summary_says_what_a_person_wants_to_see() {
    let outcome = place().run(["scan", "seeds"]).ends_with(0);
    insta::assert_snapshot!("scan_seeds", told(&outcome));
}

#[test]
fn the_headlines_are_named_even_where_they_are_not_the_first_line() {
    let place = place();
    place.run(["scan", "seeds", "-o", "out"]).ends_with(0);
    let rows = place.rows("out/documents.jsonl");
    let headlines: Vec<&str> = rows.iter().map(|row| row["headline"].as_str().unwrap()).collect();
    assert_eq!(headlines.len(), 5);
    let begins = [
        "Putin’s Meeting with Trump Marks a Strategic Win",
        "The Putin-Trump Dynamic: Opportunities and Risks for Russia",
        "Putin Sees Trump Summit as Crucial to Achieving Ukraine Goals",
        "Negotiations With Trump Are a Win-Win for the Kremlin",
        "For Putin, a Deal with Trump Could Yield More Than Land in Ukraine",
    ];
    for (headline, begin) in headlines.iter().zip(begins) {
        assert!(headline.starts_with(begin), "`{headline}` does not begin with `{begin}`");
    }
    assert!(rows.iter().all(|row| row["lang"] == "en" && row["role"] == "unique"));
}

#[test]
fn cleaning_leaves_the_articles_and_can_be_undone() {
    let place = place();
    place.run(["clean", "seeds", "-o", "clean"]).ends_with(0);
    let removed: BTreeSet<String> =
        place.rows("clean/removed.jsonl").iter().map(|row| row["text"].as_str().unwrap().trim().to_owned()).collect();
    for line in ["Leave a Reply", "Back To Top", "top of page", "bottom of page"] {
        assert!(removed.contains(line), "`{line}` stays; removed are {removed:?}");
    }
    let article = place.text("clean/004_a5eb49e10b94d38d.txt");
    assert!(article.starts_with("For Putin, a Deal with Trump Could Yield More Than Land in Ukraine\n"), "{article}");
    assert!(article.contains("Europeans argue that Putin cannot be trusted"));
    place.run(["clean", "--restore", "clean", "-o", "again"]).ends_with(0);
    for name in place.tree("seeds") {
        assert_eq!(place.read(&format!("again/{name}")), place.read(&format!("seeds/{name}")), "{name}");
    }
}

#[test]
fn two_of_them_are_explained_side_by_side() {
    let place = place();
    place
        .run(["explain", "seeds/003_fd83145bf835ab4b.txt"])
        .ends_with(0)
        .prints("headline, from its text: “Negotiations With Trump Are a Win-Win")
        .prints("donation");
    place
        .run(["explain", "seeds/003_fd83145bf835ab4b.txt", "seeds/004_a5eb49e10b94d38d.txt"])
        .ends_with(0)
        .prints("verdict     not one story");
}
