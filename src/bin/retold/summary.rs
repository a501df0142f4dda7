//! The summary of a scan for people: 80 columns, the most telling first, the next commands last.

use retold::document::Skipped;
use retold::output::{ClusterRow, HeadlineRow, KindCount, Summary};

use crate::diagnostics::Paint;
use crate::render::{WIDTH, count, counted, cut, fit, percent, width, wrap};

/// What a summary shows.
#[derive(Debug)]
pub struct Shown<'a> {
    /// The figures.
    pub summary: &'a Summary,
    /// The largest clusters.
    pub clusters: &'a [ClusterRow],
    /// The headlines that most documents carry.
    pub headlines: &'a [HeadlineRow],
    /// What could not be read.
    pub skipped: &'a [Skipped],
    /// Whether boilerplate was judged.
    pub boilerplate: bool,
    /// Similarity from which documents are near-duplicates.
    pub threshold: f64,
    /// How many of a kind are shown.
    pub top: usize,
    /// Commands that a person wants next.
    pub next: &'a [String],
}

impl Shown<'_> {
    /// Returns the summary as lines.
    pub fn text(&self, paint: Paint) -> String {
        let mut out = String::new();
        self.totals(&mut out, paint);
        if self.boilerplate {
            self.kinds(&mut out, paint);
            self.sites(&mut out, paint);
        }
        self.stories(&mut out, paint);
        self.repeated_headlines(&mut out, paint);
        self.versions(&mut out, paint);
        self.trouble(&mut out, paint);
        out.push_str(&format!("\n{}\n", paint.bold("Next:")));
        for command in self.next {
            out.push_str(&format!("  {command}\n"));
        }
        out
    }

    fn totals(&self, out: &mut String, paint: Paint) {
        let summary = self.summary;
        let mut line = counted(summary.documents, "document");
        if summary.sites > 0 {
            line.push_str(&format!(" from {}", counted(summary.sites, "site")));
        }
        line.push_str(&format!(", {}", counted(summary.words, "word")));
        if summary.empty > 0 {
            line.push_str(&format!("; {} without a word", count(summary.empty)));
        }
        out.push_str(&format!("{}\n", paint.bold(&line)));
        let mut lacks = Vec::new();
        if summary.documents > 0 && summary.without_site > 0 {
            let who = share_of(summary.without_site, summary.documents);
            lacks.push(format!("No site is known for {who}: what repeats there is counted as if on one site."));
        }
        if summary.documents > 0 && summary.without_date > 0 && summary.without_date < summary.documents {
            let who = share_of(summary.without_date, summary.documents);
            lacks.push(format!("No date is known for {who}: they are the last to be kept by date."));
        }
        if let Some(within) = &summary.within {
            let mut line =
                format!("Compared inside each of {} of `{}` alone", counted(within.values, "value"), within.field);
            if within.without > 0 {
                line.push_str(&format!("; {} without one, inside those", counted(within.without, "document")));
            }
            lacks.push(format!("{line}."));
        }
        if let Some(decisions) = &summary.decisions {
            let of = counted(decisions.lines, "decision");
            lacks.push(format!("{} of {of} of `{}` followed.", count(decisions.followed), decisions.file));
        }
        for lack in lacks {
            for line in wrap(&lack, WIDTH) {
                out.push_str(&format!("{}\n", paint.dim(&line)));
            }
        }
    }

    fn kinds(&self, out: &mut String, paint: Paint) {
        let summary = self.summary;
        let blocks = summary.kinds.iter().filter(|kind| kind.removed).map(|kind| kind.blocks).sum();
        let line = format!("Boilerplate: {} of the words", percent(summary.removed_words, summary.words));
        out.push_str(&format!("\n{}, {}\n", paint.bold(&line), counted(blocks, "block")));
        let numbers = summary.kinds.iter().map(|kind| count(kind.blocks).len()).max().unwrap_or(0);
        for kind in &summary.kinds {
            out.push_str(&kind_line(kind, numbers, paint));
        }
        if summary.withheld > 0 {
            let text = format!(
                "In {} nearly everything looked like boilerplate: nothing is taken out there.",
                counted(summary.withheld, "document")
            );
            for line in wrap(&text, WIDTH - 2) {
                out.push_str(&format!("  {line}\n"));
            }
        }
    }

    fn sites(&self, out: &mut String, paint: Paint) {
        let mut sites: Vec<_> = self.summary.by_site.iter().filter(|site| site.removed_words > 0).collect();
        // One site alone is what the line above says; a site that is nearly all boilerplate comes before a large one.
        if sites.len() < 2 {
            return;
        }
        let share = |site: &retold::output::SiteCount| site.removed_words as f64 / site.words.max(1) as f64;
        sites.sort_by(|a, b| share(b).total_cmp(&share(a)).then_with(|| a.site.cmp(&b.site)));
        sites.truncate(self.top);
        out.push_str(&format!("\n{}\n", paint.bold("Sites with most boilerplate:")));
        let names = sites.iter().map(|site| width(&site.site)).max().unwrap_or(0).min(40);
        for site in sites {
            let name = fit(if site.site.is_empty() { "(no site)" } else { &site.site }, names.max(9));
            let share = percent(site.removed_words, site.words);
            out.push_str(&format!(
                "  {name}  {share:>4} of {}, {}\n",
                counted(site.words, "word"),
                counted(site.documents, "document")
            ));
        }
    }

    fn stories(&self, out: &mut String, paint: Paint) {
        let summary = self.summary;
        if summary.references > 0 {
            let line = format!("Known: {} of {}", count(summary.known), counted(summary.documents, "document"));
            let whence = format!("each repeats one of {}", counted(summary.references, "reference"));
            out.push_str(&format!("\n{}; {whence}\n", paint.bold(&line)));
        }
        if summary.clusters == 0 {
            out.push_str(&format!("\n{}", paint.bold("Near-duplicates: none")));
            out.push_str(&format!(" at {}.", self.threshold));
            let Some(closest) = &summary.closest else {
                out.push('\n');
                return;
            };
            out.push_str(&format!(" The closest pair: {:.2}", closest.jaccard));
            // Pairs far below the threshold are measured without boilerplate only.
            if closest.jaccard_raw > 0.0 {
                out.push_str(&format!(" ({:.2} with boilerplate)", closest.jaccard_raw));
            }
            out.push('\n');
            for id in [&closest.a, &closest.b] {
                out.push_str(&format!("  {}\n", cut(id, WIDTH - 2)));
            }
            return;
        }
        let line = format!("Near-duplicates: {}", counted(summary.clusters, "story"));
        out.push_str(&format!(
            "\n{} told by {}; {} can go\n",
            paint.bold(&line),
            counted(summary.clustered, "document"),
            count(summary.documents - summary.kept)
        ));
        for cluster in self.clusters {
            let headline = cluster.headlines.first().map_or(cluster.representative.as_str(), String::as_str);
            let sites = match cluster.sites.as_slice() {
                [] => String::new(),
                [site] => format!(", {site}"),
                sites => format!(", {} sites", sites.len()),
            };
            let size = format!("{} ×", count(cluster.cluster_size));
            let room = WIDTH.saturating_sub(4 + width(&size) + width(&sites)).max(20);
            out.push_str(&format!("  {size} “{}”{sites}\n", cut(headline, room - 3)));
            let mut members = String::new();
            for (position, member) in cluster.members.iter().enumerate() {
                if position > 0 && width(&members) + width(member) + 2 > WIDTH - 12 {
                    members.push_str(", …");
                    break;
                }
                members.push_str(if position > 0 { ", " } else { "" });
                members.push_str(member);
            }
            out.push_str(&format!("      {}\n", paint.dim(&cut(&members, WIDTH - 6))));
        }
        self.more(out, summary.clusters, self.clusters.len());
        let mut facts = vec![format!(
            "Of the pairs at similarity {} an expected {} are met and compared.",
            self.threshold,
            share(summary.expected_recall)
        )];
        if summary.copies_listed_with_leader > 0 {
            facts.push(format!(
                "Groups of more than 64 copies are listed in `pairs` with their first member only: {}.",
                counted(summary.copies_listed_with_leader, "document")
            ));
        }
        if let Some(largest) = summary.crowds.first() {
            let more = match summary.crowds.len() - 1 {
                0 => String::new(),
                more => format!(", and {}", counted(more as u64, "more group")),
            };
            facts.push(format!(
                "Of large groups of look-alikes not all pairs were tried, each met those that it shares most with: {} like \
                 `{}`{more} (`crowds` in summary.json).",
                counted(largest.documents, "document"),
                largest.example,
            ));
        }
        for line in facts.iter().flat_map(|fact| wrap(fact, WIDTH - 2)) {
            out.push_str(&format!("  {}\n", paint.dim(&line)));
        }
    }

    fn repeated_headlines(&self, out: &mut String, paint: Paint) {
        let summary = self.summary;
        if summary.headlines == 0 {
            out.push_str(&format!("\n{}\n", paint.bold("Headlines said by several documents: none")));
            return;
        }
        let line = format!("Headlines said by several documents: {}", count(summary.headlines));
        out.push_str(&format!("\n{}\n", paint.bold(&line)));
        for row in self.headlines {
            let relation = row.relation.replace('_', " ");
            let told = format!("{}, {relation}", counted(row.documents, "document"));
            let room = WIDTH - 7 - width(&told);
            out.push_str(&format!("  “{}”  {}\n", cut(&row.headline, room), paint.dim(&told)));
        }
        self.more(out, summary.headlines, self.headlines.len());
    }

    fn versions(&self, out: &mut String, paint: Paint) {
        if self.summary.versions > 0 {
            let line = format!("Versions: {}", count(self.summary.versions));
            out.push_str(&format!("\n{} that follow another text of one address\n", paint.bold(&line)));
        }
    }

    fn more(&self, out: &mut String, all: u64, shown: usize) {
        if all > shown as u64 {
            out.push_str(&format!("  … and {} more\n", count(all - shown as u64)));
        }
    }

    fn trouble(&self, out: &mut String, paint: Paint) {
        if self.summary.skipped > 0 {
            let line = format!("Skipped: {}", count(self.summary.skipped));
            out.push_str(&format!("\n{}\n", paint.bold(&paint.yellow(&line))));
            for skipped in self.skipped.iter().take(self.top) {
                out.push_str(&format!("  {}\n", cut(&skipped.to_string(), WIDTH - 2)));
            }
            self.more(out, self.summary.skipped, self.skipped.len().min(self.top));
        }
        if !self.summary.warnings.is_empty() {
            out.push_str(&format!("\n{}\n", paint.bold(&paint.yellow("Worth knowing:"))));
            for warning in &self.summary.warnings {
                for (position, line) in wrap(warning, WIDTH - 4).iter().enumerate() {
                    out.push_str(&format!("  {} {line}\n", if position == 0 { "-" } else { " " }));
                }
            }
        }
    }
}

/// Returns a share as a percentage with a decimal, never rounded up to a whole that it is not.
fn share(value: f64) -> String {
    format!("{:.1}%", (value * 1000.0).floor() / 10.0)
}

/// Returns `all documents` or `12 of 40 documents`.
fn share_of(part: u64, whole: u64) -> String {
    if part == whole && whole == 1 {
        "it".to_owned()
    } else if part == whole {
        "any document".to_owned()
    } else {
        format!("{} of {}", count(part), counted(whole, "document"))
    }
}

/// The width of the longest name of a kind.
const KIND: usize = 17;

fn kind_line(kind: &KindCount, numbers: usize, paint: Paint) -> String {
    let number = format!("{:>numbers$}", count(kind.blocks));
    let told = if kind.removed { "" } else { " (stays)" };
    let room = WIDTH.saturating_sub(2 + KIND + 2 + numbers + 2 + 2 + told.len());
    let example = match &kind.example {
        Some(example) => format!("  “{}”", cut(&example.text, room)),
        None => String::new(),
    };
    format!("  {}  {number}{}{told}\n", fit(&kind.kind, KIND), paint.dim(&example))
}

#[cfg(test)]
mod tests {
    use retold::output::{Example, PairRow, SiteCount};

    use super::*;

    fn shown<'a>(summary: &'a Summary, clusters: &'a [ClusterRow], headlines: &'a [HeadlineRow]) -> Shown<'a> {
        Shown { summary, clusters, headlines, skipped: &[], boilerplate: true, threshold: 0.5, top: 2, next: &[] }
    }

    fn summary() -> Summary {
        let example = |text: &str| Some(Example { id: "a.txt".into(), line: 3, text: text.into() });
        let kind = |kind: &str, blocks, removed, text: &str| KindCount {
            kind: kind.into(),
            blocks,
            removed,
            example: example(text),
            ..KindCount::default()
        };
        let site = |site: &str, words, removed_words| SiteCount {
            site: site.into(),
            documents: 3,
            words,
            removed_words,
            ..SiteCount::default()
        };
        Summary {
            documents: 12,
            sites: 3,
            words: 4321,
            removed_words: 400,
            kept: 11,
            kinds: vec![
                kind("newsletter", 1200, true, &"日本語のニュースレターに登録してください。".repeat(4)),
                kind("headline_variant", 3, false, "Bridge to close: council"),
            ],
            by_site: vec![site("a.example", 1000, 10), site("b.example", 2000, 390), site("c.example", 10, 0)],
            ..Summary::default()
        }
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        let long = "A very long headline about the old bridge that the council wants to close until spring".to_owned();
        let summary = Summary {
            clusters: 3,
            clustered: 9,
            headlines: 9,
            without_site: 3,
            withheld: 2,
            warnings: vec![long.repeat(3)],
            ..summary()
        };
        let cluster = ClusterRow {
            cluster_id: "a".into(),
            cluster_size: 123,
            representative: "a".into(),
            reason: String::new(),
            sites: vec!["a.example".into(), "b.example".into()],
            members: (0..40).map(|member| format!("member-{member}.txt")).collect(),
            headlines: vec![long.clone()],
        };
        let headline = HeadlineRow { headline: long, documents: 12, sites: 2, relation: "same_story".into() };
        let text = shown(&summary, &[cluster], &[headline]).text(Paint::none());
        for line in text.lines() {
            assert!(width(line) <= WIDTH, "{} columns: {line}", width(line));
        }
        assert!(text.contains("… and 2 more"), "{text}");
        assert!(text.contains("3 of 12 documents"), "{text}");
    }

    #[test]
    fn without_a_near_duplicate_the_closest_pair_is_named() {
        let closest = PairRow {
            a: "a.txt".into(),
            b: "b.txt".into(),
            jaccard: 0.031,
            jaccard_raw: 0.052,
            a_in_b: 0.1,
            b_in_a: 0.1,
            relation: "related".into(),
            retelling: false,
            joined: false,
            reason: String::new(),
        };
        let summary = Summary { closest: Some(closest), ..summary() };
        let text = shown(&summary, &[], &[]).text(Paint::none());
        assert!(
            text.contains("Near-duplicates: none at 0.5. The closest pair: 0.03 (0.05 with boilerplate)"),
            "{text}"
        );
    }

    #[test]
    fn sites_stand_in_the_order_of_their_boilerplate() {
        let text = shown(&summary(), &[], &[]).text(Paint::none());
        let at = |name: &str| text.find(name).unwrap_or_else(|| panic!("{name} is missing in {text}"));
        assert!(at("b.example") < at("a.example"));
        assert!(!text.contains("c.example"));
    }

    #[test]
    fn an_empty_run_divides_by_nothing() {
        let text = shown(&Summary::default(), &[], &[]).text(Paint::none());
        assert!(text.starts_with("0 documents, 0 words\n"), "{text}");
    }
}
