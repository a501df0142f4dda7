//! As someone who looks at a scan, I use its page in a browser: with a mouse or by keyboard, on a phone, in the dark, on paper.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::json;

use crate::report::{HARBOR, MARKET, NEWSLETTER, place};
use crate::support::Place;
use crate::support::articles::{crawl, json_lines};

/// The variable that says that a browser must be there.
const REQUIRED: &str = "BROWSER_TESTS";

/// Returns where the browser tests are.
fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser")
}

/// Returns a browser, if Node.js with what drives it is there too; else what is missing.
fn browser() -> Result<PathBuf, &'static str> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let places = std::env::split_paths(&path).flat_map(|directory| names.map(|name| directory.join(name)));
    let browser = places.into_iter().find(|path| path.is_file()).ok_or("no Chromium")?;
    let drives = "require('playwright-core'); require.resolve('axe-core/axe.min.js')";
    let node = Command::new("node").args(["-e", drives]).current_dir(scripts()).output();
    match node {
        Ok(output) if output.status.success() => Ok(browser),
        _ => Err("no Node.js with playwright-core and axe-core"),
    }
}

/// Runs a script of the browser tests on a page; says whether it could.
fn holds(script: &str, page: &Path, more: Option<&Path>) -> bool {
    let browser = match browser() {
        Ok(browser) => browser,
        Err(missing) => {
            assert!(std::env::var_os(REQUIRED).is_none(), "{missing}: the browser tests cannot be run");
            // What a test prints is shown only when it fails, but for what is written past its capture.
            let _ = writeln!(
                std::io::stderr(),
                "browser test skipped: found {missing}. Install Chromium and run `npm ci` in tests/browser; `.ci/run` does."
            );
            return false;
        }
    };
    let output = Command::new("node").arg(scripts().join(script)).arg(page).arg(&browser).args(more).output();
    let output = output.expect("Node.js was found");
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
    true
}

#[test]
fn a_scan_follows_what_a_person_corrects_in_the_page() {
    let place = place();
    place.run(["report", "found", "-o", "page.html"]).ends_with(0);
    if !holds("corrections.cjs", &place.path("page.html"), Some(&place.path(""))) {
        return;
    }
    place
        .run(["scan", "crawl.jsonl", "-o", "after", "--decisions", "decisions.csv", "--rules", "rules.toml"])
        .ends_with(0);
    let row = |id: &str| {
        let rows = place.rows("after/documents.jsonl");
        rows.into_iter().find(|row| row["id"] == id).expect("every document has a row")
    };
    assert_eq!(row("harbor")["cluster_size"], 1);
    assert_ne!(row("harbor")["cluster_id"], row("harbor-copy")["cluster_id"]);
    let kept = place.rows("after/blocks.jsonl");
    assert!(kept.iter().any(|block| block["text"] == NEWSLETTER && block["removed"] == false), "{kept:?}");
}

/// A notice of a template; `facts` are what differs between two of them.
fn notice(facts: [&str; 5]) -> String {
    let [who, cents, pay, record, town] = facts;
    format!(
        "The board of {who} today declared a dividend of {cents} cents per share, payable on {pay} to holders of record on \
         {record} at its office in {town}. The dividend is the third of the year, and the board said that it hopes to pay \
         another in the autumn."
    )
}

/// A scan that has something of everything that a page shows, and an earlier one that it is compared with.
fn of_everything() -> Place {
    let place = Place::new();
    let letter =
        |id: &str, site: &str, title: &str, text: &str| json!({"id": id, "site": site, "title": title, "text": text});
    let cut =
        HARBOR.split(" Ships").next().expect("it has a beginning").replace("the port authority", "THE PORT AUTHORITY");
    let signed = |who: &str, minutes: u32, story: &str| {
        format!(
            "Written by {who}, {minutes} min read\n\n{story}\n\nSubscribe to the newsletter of {who} and get the best stories."
        )
    };
    let rows = [
        json!({"id": "harbor", "site": "a.example", "date": "2024-03-01", "title": "Crane closes the harbor", "text": HARBOR}),
        json!({"id": "harbor-copy", "site": "b.example", "date": "2024-03-02", "title": "Crane closes the harbor",
            "text": HARBOR.replace("Tuesday", "Sunday")}),
        json!({"id": "harbor-cut", "site": "c.example", "date": "2024-03-09", "title": "Harbor shut after accident", "text": cut}),
        letter(
            "notice-1",
            "d.example",
            "Dividend of Lumen Works",
            &notice(["Lumen Works", "98", "May 21", "April 23", "Trenton"]),
        ),
        letter(
            "notice-2",
            "e.example",
            "Dividend of Everline",
            &notice(["Everline Group", "31", "June 26", "May 17", "Salida"]),
        ),
        letter(
            "letters-1",
            "f.example",
            "Letters to the editor",
            "Why are there no benches in the new park, asks a reader who walks there with her dog on every day that is dry.",
        ),
        letter(
            "letters-2",
            "f.example",
            "Letters to the editor",
            "The trams ring their bells too early, writes a man of the old town, and nobody at the town hall answers when he calls.",
        ),
        letter(
            "day-1",
            "g.example",
            "Page of the day",
            "Snow fell on the passes in the night, and the plows were out before five to clear the road for the milk trucks.",
        ),
        letter(
            "day-2",
            "h.example",
            "Page of the day",
            "An owl has moved into the belfry of the church, and the sexton will not have the bells rung until her young can fly.",
        ),
        json!({"id": "council-1", "url": "https://i.example/council", "date": "2024-04-01", "title": "Council meets", "text": MARKET}),
        json!({"id": "council-2", "url": "https://i.example/council", "date": "2024-04-02", "title": "Council meets",
            "text": format!("{MARKET} The council will vote again in May.")}),
        letter(
            "thin-1",
            "thin.example",
            "Mayor speaks",
            &format!(
                "The mayor spoke for a minute, and went.\n\n{NEWSLETTER}\n\nLeave a Reply\n\nYour email address will not be published. Required fields are marked *\n\nShare this article on Facebook"
            ),
        ),
        letter(
            "read-1",
            "j.example",
            "A quiet day on the river",
            &signed(
                "Anna Novak",
                5,
                "The ferry ran on time for once, and the ferryman sang until the last passenger had left the landing.",
            ),
        ),
        letter(
            "read-2",
            "j.example",
            "Bees on the roof",
            &signed(
                "Carl Zeller",
                7,
                "A hotel keeps bees on its roof and sells the honey at the desk, where a jar costs as much as a cup of coffee.",
            ),
        ),
        letter(
            "read-3",
            "j.example",
            "The last cinema",
            &signed(
                "Ines Moreau",
                4,
                "The last cinema of the valley shows its last film on Friday, and an old ticket is good for two seats.",
            ),
        ),
    ];
    let pages = json_lines(&crawl(7, 160, 5));
    place.file("crawl.jsonl", pages + &rows.map(|row| format!("{row}\n")).concat());
    let broken = b"A page \xff\xfe that \x80 is no UTF-8\n\n<script>window.ran = 5</script> and \xf0\x28 the rest of it, which is quite long.\n";
    place.file("pages/<svg onload='window.ran=6'>.txt", broken);
    place.run(["scan", "crawl.jsonl", "pages", "-o", "before", "--threshold", "0.95", "--no-retellings"]).ends_with(0);
    place.run(["scan", "crawl.jsonl", "pages", "-o", "found"]).ends_with(0);
    place.run(["report", "found", "-o", "page.html", "--since", "before"]).ends_with(0);
    place
}

#[test]
fn a_page_shows_all_that_it_promises() {
    holds("contents.cjs", &of_everything().path("page.html"), None);
}

#[test]
fn a_page_is_read_in_the_dark_on_a_phone_by_keyboard_and_on_paper() {
    holds("ways.cjs", &of_everything().path("page.html"), None);
}

/// Runs one of the browser tests where no browser is found.
fn without_a_browser(required: bool) -> Output {
    let mut tests = Command::new(std::env::current_exe().expect("this program is a file"));
    tests.args(["--exact", "browser::a_page_shows_all_that_it_promises"]).env("PATH", "").env_remove(REQUIRED);
    if required {
        tests.env(REQUIRED, "required");
    }
    tests.output().expect("this program runs")
}

#[test]
fn without_a_browser_a_test_says_that_it_is_skipped_or_fails_where_it_may_not_be() {
    let skipped = without_a_browser(false);
    let told = String::from_utf8_lossy(&skipped.stderr);
    assert!(skipped.status.success(), "{told}");
    assert!(told.contains("browser test skipped: found no Chromium. Install Chromium and run `npm ci`"), "{told}");
    assert!(!without_a_browser(true).status.success());
}
