//! Addresses of objects as inputs. Against servers they are tested by `tests/roundtrip/store.py`.

use crate::support::Place;

#[test]
fn outputs_are_written_on_this_machine() {
    let place = Place::new();
    place.file("a.txt", "The board met on Monday.\n");
    for arguments in [
        &["scan", "a.txt", "-o", "s3://bucket/found"][..],
        &["clean", "a.txt", "-o", "https://example.org/clean"],
        &["scan", "a.txt", "--save-evidence", "gs://bucket/seen.evidence"],
    ] {
        let outcome = place.run(arguments).ends_with(2);
        outcome.tells("objects in stores are read, and never written").tells("hint: name a place on this machine");
    }
    assert_eq!(place.tree(""), ["a.txt"]);
}

#[cfg(not(feature = "object-store"))]
#[test]
fn a_program_without_the_feature_names_it() {
    let place = Place::new();
    place.file("a.txt", "The board met on Monday.\n");
    for address in
        ["s3://bucket/a.txt", "gs://bucket/", "az://bucket/*.txt", "http://localhost/a", "https://localhost/a"]
    {
        let outcome = place.run(["scan", address]).ends_with(2);
        outcome.tells("this program was built without the feature `object-store`").tells("--features object-store`");
    }
    let outcome = place.run(["scan", "a.txt", "s3://bucket/b.txt", "-o", "found"]).ends_with(1);
    outcome.tells("skipped `s3://bucket/b.txt`: this program was built without the feature `object-store`");
    assert_eq!(place.rows("found/documents.jsonl").len(), 1);
}

#[cfg(feature = "object-store")]
#[test]
fn what_cannot_be_reached_is_named_with_what_to_do() {
    let place = Place::new();
    place.file("a.txt", "The board met on Monday.\n");
    // A port that was free a moment ago: nobody listens there.
    let held = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let port = held.local_addr().expect("it is bound").port();
    drop(held);
    let address = format!("http://127.0.0.1:{port}/crawl.jsonl");
    place.run(["scan", &address]).ends_with(2).tells(&format!("error: `{address}`: the server does not answer"));
    let outcome = place.run(["scan", "a.txt", &address, "-o", "found"]).ends_with(1);
    outcome.tells("hint: check the network");
    assert_eq!(place.rows("found/skipped.jsonl")[0]["source"], address.as_str());
    place.run(["scan", "http://127.0.0.1/crawl/"]).ends_with(2).tells("web servers do not list what they have");
    place.run(["scan", "s3://"]).ends_with(2).tells("`s3:///`: expected a bucket or a server after `://`, found none");
}
