//! As an editor I know better than any score, and say so once.

use serde_json::Value;

use crate::support::Place;

const HARBOR: &str = "The harbor was closed on Monday after a crane fell into the water near the eastern pier. \
    Nobody was hurt, the port authority said, and divers will look at the wreck on Tuesday. \
    Ships that were due to unload had to wait outside until the evening.\n";
const MARKET: &str = "A night market opened beside the old station this week, with forty stalls and one stage. \
    The council pays for the lights, and traders say that they sold out before ten on the first evening. \
    It stays open every Friday until the end of the summer.\n";

/// Two copies of one story, two of another, and a text alone.
fn place() -> Place {
    let place = Place::new();
    place
        .file("crawl/a.txt", HARBOR)
        .file("crawl/b.txt", HARBOR.replace("on Tuesday", "at the end of the week"))
        .file("crawl/c.txt", MARKET)
        .file("crawl/d.txt", MARKET)
        .file("crawl/e.txt", "Rain is expected in the north from Thursday, and the rivers are already high there.\n");
    place
}

/// Returns the clusters of two or more, as `a b`.
fn clusters(place: &Place, directory: &str) -> Vec<String> {
    let rows = place.rows(&format!("{directory}/clusters.jsonl"));
    let members = |row: &Value| {
        let members = row["members"].as_array().expect("a cluster has members").iter();
        members.map(|id| id.as_str().expect("an id is text").trim_end_matches(".txt")).collect::<Vec<_>>().join(" ")
    };
    rows.iter().map(members).collect()
}

fn row(place: &Place, table: &str, id: &str) -> Value {
    place.rows(table).into_iter().find(|row| row["id"] == id).unwrap_or_else(|| panic!("{id} is not in {table}"))
}

#[test]
fn what_is_the_same_joins_and_what_is_different_parts() {
    let place = place();
    place.run(["scan", "crawl", "-o", "before"]).ends_with(0);
    assert_eq!(clusters(&place, "before"), ["a b", "c d"]);
    place.file("decisions.csv", "a,b,decision\na.txt,b.txt,different\nc.txt,d.txt,different\nd.txt,e.txt,same\n");
    place.run(["scan", "crawl", "-o", "after", "--decisions", "decisions.csv"]).ends_with(0).prints("3 of 3 decisions");
    assert_eq!(clusters(&place, "after"), ["d e"]);
    let pairs = place.rows("after/pairs.jsonl");
    let pair = |a: &str, b: &str| {
        let of = |row: &&Value| row["a"] == a && row["b"] == b;
        pairs.iter().find(of).unwrap_or_else(|| panic!("{a}, {b} is not listed"))
    };
    assert_eq!(pair("a.txt", "b.txt")["reason"], "decision, decisions.csv line 2");
    assert_eq!(pair("a.txt", "b.txt")["joined"], false);
    assert_eq!((&pair("c.txt", "d.txt")["joined"], &pair("c.txt", "d.txt")["jaccard"]), (&false.into(), &1.0.into()));
    let forced = pair("d.txt", "e.txt");
    assert_eq!((&forced["joined"], &forced["relation"]), (&true.into(), &"related".into()));
    assert_eq!(forced["reason"], "decision, decisions.csv line 4");
    assert!(forced["jaccard"].as_f64().is_some_and(|jaccard| jaccard < 0.1), "{forced}");
}

#[test]
fn clusters_tied_together_become_one_and_different_ones_stay_apart_by_way_of_others() {
    let place = place();
    place.file("one.csv", "a.txt,c.txt,same\n");
    place.run(["scan", "crawl", "-o", "one", "--decisions", "one.csv"]).ends_with(0);
    assert_eq!(clusters(&place, "one"), ["a b c d"]);
    place.file("two.csv", "a.txt,c.txt,same\nb.txt,d.txt,different\n");
    place.run(["scan", "crawl", "-o", "two", "--decisions", "two.csv"]).ends_with(0);
    let together = clusters(&place, "two");
    assert!(together.iter().any(|members| members.contains("a") && members.contains('c')), "{together:?}");
    assert!(!together.iter().any(|members| members.contains('b') && members.contains('d')), "{together:?}");
}

#[test]
fn what_is_kept_and_dropped_is_as_people_say() {
    let place = place();
    place.file("decisions.csv", "# Ada, in March\nb.txt,keep,the better text\nc.txt,drop\ne.txt,drop\n");
    place.run(["dedup", "crawl", "-o", "unique", "--decisions", "decisions.csv"]).ends_with(0);
    assert_eq!(place.tree("unique"), ["b.txt", "d.txt", "dropped.jsonl", "skipped.jsonl", "summary.json"]);
    let dropped = row(&place, "unique/dropped.jsonl", "c.txt");
    assert_eq!((&dropped["kept_id"], &dropped["reason"]), (&"d.txt".into(), &"decision, decisions.csv line 3".into()));
    assert_eq!(row(&place, "unique/dropped.jsonl", "a.txt")["kept_id"], "b.txt");
    assert_eq!(row(&place, "unique/dropped.jsonl", "e.txt")["kept_id"], Value::Null);
    // A finished scan applies what it was told.
    place.run(["scan", "crawl", "-o", "found", "--decisions", "decisions.csv"]).ends_with(0);
    assert_eq!(row(&place, "found/documents.jsonl", "e.txt")["decision"], "decision, decisions.csv line 4");
    place.run(["dedup", "--from", "found", "-o", "again"]).ends_with(0);
    assert_eq!(place.text("again/dropped.jsonl"), place.text("unique/dropped.jsonl"));
    place.run(["dedup", "--from", "found", "-o", "other", "--decisions", "decisions.csv"]).ends_with(2);
}

#[test]
fn ids_that_are_gone_are_named_and_counted() {
    let place = place();
    place.file("decisions.csv", "a.txt,gone.txt,same\nb.txt,keep\nlost.txt,drop\n");
    place
        .run(["scan", "crawl", "-o", "found", "--decisions", "decisions.csv"])
        .ends_with(0)
        .prints("2 decisions of `decisions.csv` not followed, no document is called:")
        .prints("`gone.txt`, `lost.txt`");
    let told = &place.json("found/summary.json")["decisions"];
    assert_eq!((&told["lines"], &told["followed"]), (&3.into(), &1.into()));
    assert_eq!(told["gone"], serde_json::json!(["gone.txt", "lost.txt"]));
}

#[test]
fn decisions_that_cannot_be_followed_are_refused_with_their_lines() {
    let place = place();
    place.file("decisions.csv", "a.txt,b.txt,same\nb.txt,c.txt,same\nc.txt,a.txt,different\n");
    place
        .run(["scan", "crawl", "--decisions", "decisions.csv"])
        .ends_with(2)
        .tells("`decisions.csv`, line 3: `c.txt` and `a.txt` are different, but lines 1, 2 say that they are the same")
        .tells("hint: take one of the lines out");
    place.file("decisions.csv", "a.txt,b.txt,maybe\n");
    place
        .run(["dedup", "crawl", "-o", "out", "--decisions", "decisions.csv"])
        .ends_with(2)
        .tells("line 1: expected a decision, found `a.txt,b.txt,maybe`")
        .tells("`ID,ID,different`");
    place.run(["scan", "crawl", "--decisions", "none.csv"]).ends_with(2).tells("`none.csv` could not be read");
}

#[test]
fn decided_pairs_stand_with_exact_measures_whether_they_are_alike_or_not() {
    let place = Place::new();
    let chrome = "Follow us for more from the harbor desk, every morning before the first ferry leaves the pier.\n";
    place.file("crawl/a.txt", format!("{HARBOR}{chrome}")).file("crawl/b.txt", format!("{MARKET}{chrome}"));
    place.file("decisions.csv", "b.txt,a.txt,same\n");
    place.run(["scan", "crawl", "-o", "found", "--decisions", "decisions.csv", "--no-boilerplate"]).ends_with(0);
    let pairs = place.rows("found/pairs.jsonl");
    assert_eq!(pairs.len(), 1);
    let measure = |name: &str| pairs[0][name].as_f64().expect("a measure is never null");
    assert!(measure("jaccard") > 0.0, "{}", pairs[0]);
    assert_eq!(measure("jaccard"), measure("jaccard_raw"));
}
