//! The page put together: what is readable without a script, and packed data for the script.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::boilerplate::BoilerplateKind;
use crate::error::Error;
use crate::output::{FinishedScan, Summary};
use crate::report::documents::{self, Listed};
use crate::report::gather::{self, Gathered, ShownCluster};
use crate::report::phrases::{self, Blocks};
use crate::report::texts::{self, Packed, Texts, Wanted};
use crate::report::{Comparison, Limits, charts, encode};

const TEMPLATE: &str = include_str!("page/page.html");
const STYLE: &str = include_str!("page/page.css");
const SCRIPT: &str = concat!(
    include_str!("page/basics.js"),
    include_str!("page/corrections.js"),
    include_str!("page/texts.js"),
    include_str!("page/reader.js"),
    include_str!("page/lists.js")
);

/// Clusters and sites that stand in the page for readers without a script.
const STATIC_CLUSTERS: usize = 10;
const STATIC_SITES: usize = 12;

/// A site that would lose more than this share of its words is marked.
const MUCH: f64 = 0.5;

/// A finished page.
#[derive(Debug)]
pub struct Page {
    /// The HTML.
    pub html: String,
    /// Clusters in it.
    pub clusters: usize,
    /// Clusters of the scan.
    pub all_clusters: u64,
    /// Documents whose texts are in it.
    pub texts: usize,
    /// Documents whose texts have changed since the scan.
    pub changed: usize,
    /// Documents that were not found again.
    pub missing: usize,
}

/// Makes the page of a finished scan; `changes` is what a comparison with an earlier one found.
///
/// Reads the tables as streams and keeps what is shown: with the usual limits at most some 250 MB, mostly far less. Equal
/// tables and texts give an equal page.
///
/// # Errors
/// If a table is missing or cannot be understood, or if the input as a whole cannot be read. Single texts that are gone or
/// have changed are no error: the page says so.
pub fn page(
    scan: &FinishedScan,
    from: &Texts<'_>,
    changes: Option<&Comparison>,
    limits: &Limits,
) -> Result<Page, Error> {
    let summary = scan.summary();
    let threshold = summary.settings.get("threshold").and_then(Value::as_f64).unwrap_or(0.5);
    let gathered = gather::gather(scan, threshold, limits)?;
    let mut listed = documents::list(scan, &gathered, limits)?;
    let wanted = Wanted::choose(&gathered, &listed, limits);
    let blocks = phrases::read(scan, &listed, &wanted.documents, limits)?;
    let packed = texts::pack(scan, from, &wanted, &mut listed, &blocks.of_document, limits)?;
    let shown = Shown { summary, threshold, gathered: &gathered, listed: &listed, blocks: &blocks, changes };
    let html = assemble(&shown, &packed);
    Ok(Page {
        html,
        clusters: gathered.clusters.len(),
        all_clusters: gathered.all_clusters,
        texts: packed.texts,
        changed: packed.changed,
        missing: packed.missing,
    })
}

/// What a page shows.
struct Shown<'a> {
    summary: &'a Summary,
    threshold: f64,
    gathered: &'a Gathered,
    listed: &'a Listed,
    blocks: &'a Blocks,
    changes: Option<&'a Comparison>,
}

fn assemble(shown: &Shown<'_>, packed: &Packed) -> String {
    let data = encode::packed(shown.data().to_string().as_bytes());
    let mut parts = String::with_capacity(packed.parts.iter().map(|part| part.len() + 64).sum());
    for (number, part) in packed.parts.iter().enumerate() {
        let _ = writeln!(parts, "<script type=\"application/octet-stream\" id=\"part-{number}\">{part}</script>");
    }
    let recall = shown.summary.expected_recall;
    let fill = |name: &str| match name {
        "policy" => format!(
            "default-src 'none'; script-src '{}'; style-src '{}'; base-uri 'none'; form-action 'none'",
            encode::policy_digest(SCRIPT),
            encode::policy_digest(STYLE)
        ),
        "style" => STYLE.to_owned(),
        "script" => SCRIPT.to_owned(),
        "data" => data.clone(),
        "parts" => std::mem::take(&mut parts),
        "lead" => shown.lead(),
        "figures" => shown.figures(),
        "warnings" => shown.warnings(packed),
        "kinds-chart" => charts::kinds(shown.summary),
        "similarity-chart" => charts::similarities(shown.gathered, shown.threshold, recall, shown.measure()),
        "sizes-chart" => charts::cluster_sizes(shown.gathered),
        "site-rule" => shown.site_rule(),
        "sites" => shown.sites(),
        "cluster-rule" => shown.cluster_rule(),
        "clusters" => shown.static_clusters(),
        _ => unreachable!("the template names nothing else"),
    };
    filled(TEMPLATE, fill)
}

/// Fills the places `{{name}}` of a template, once: what is put in is not looked at again.
fn filled(template: &str, mut fill: impl FnMut(&str) -> String) -> String {
    let mut out = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}").expect("every place of the template is closed");
        out.push_str(before);
        out.push_str(&fill(name));
        rest = after;
    }
    out.push_str(rest);
    out
}

impl Shown<'_> {
    fn lead(&self) -> String {
        let summary = self.summary;
        format!(
            "{} of {}, scanned by retold {} with threshold {}.",
            counted(summary.documents, "document"),
            if summary.sites == 0 { "unknown sites".to_owned() } else { counted(summary.sites, "site") },
            escape(&summary.version),
            self.threshold
        )
    }

    fn figures(&self) -> String {
        let summary = self.summary;
        let figure = |value: String, name: &str| format!("<div><dt>{name}</dt><dd>{value}</dd></div>");
        let dropped = summary.documents - summary.kept.min(summary.documents);
        [
            figure(count(summary.documents), "documents"),
            figure(count(summary.sites), "sites"),
            figure(percent(share(summary.removed_words, summary.words)), "of the words are boilerplate"),
            figure(count(summary.clusters), "stories told more than once"),
            figure(count(summary.kept), "documents that <code>dedup</code> keeps"),
            figure(count(dropped), "documents that it drops"),
        ]
        .concat()
    }

    fn warnings(&self, packed: &Packed) -> String {
        let mut lines: Vec<String> = self.summary.warnings.iter().map(|warning| escape(warning)).collect();
        if packed.changed > 0 {
            lines.push(format!(
                "{} changed since the scan: their texts are not shown.",
                counted(packed.changed as u64, "document")
            ));
        }
        if packed.missing > 0 {
            lines.push(format!(
                "{} of those shown could not be found in the inputs: what the scan wrote of them is shown without their texts.",
                counted(packed.missing as u64, "document")
            ));
        }
        if self.listed.documents.iter().any(|document| document.absent == Some("unavailable")) {
            lines.push(
                "The texts are not at hand, so documents are shown by their boilerplate alone. <code>scan --keep-texts</code> \
                 stores them."
                    .to_owned(),
            );
        }
        if packed.without_room > 0 {
            lines.push(format!("The page has no room for {} of the texts chosen.", count(packed.without_room as u64)));
        }
        if self.summary.skipped > 0 {
            lines.push(format!("{} could not be read.", counted(self.summary.skipped, "input or record")));
        }
        let items: String = lines.iter().map(|line| format!("<li>{line}</li>")).collect();
        if items.is_empty() { items } else { format!("<ul class=\"warnings\">{items}</ul>") }
    }

    /// Returns what the histogram shows.
    fn measure(&self) -> &'static str {
        match self.summary.settings.get("verify").and_then(Value::as_str) {
            Some("sketch") => "Jaccard similarity, estimated from sketches",
            _ => "Jaccard similarity",
        }
    }

    fn site_rule(&self) -> String {
        let (here, all) = (self.summary.by_site.len() as u64, self.summary.sites);
        if all == 0 {
            return "Of no document a site is known.".to_owned();
        }
        let mut rule = format!("A site is marked where more than {:.0}% of its words would go.", MUCH * 100.0);
        if here < all {
            let _ = write!(rule, " The {} of most documents of {} sites are listed.", count(here), count(all));
        }
        rule
    }

    fn sites(&self) -> String {
        let mut rows = String::new();
        for site in self.summary.by_site.iter().take(STATIC_SITES) {
            let removed = share(site.removed_words, site.words);
            let mark = if removed > MUCH { " <span class=\"warn\">loses much</span>" } else { "" };
            let _ = write!(
                rows,
                "<tr><th scope=\"row\"><bdi>{}</bdi>{mark}</th><td>{}</td><td>{}</td><td>{}</td></tr>",
                escape(&site.site),
                count(site.documents),
                percent(removed),
                count(site.dropped)
            );
        }
        let more = self.summary.by_site.len().saturating_sub(STATIC_SITES);
        let more =
            if more > 0 { format!("<p class=\"quiet\">and {} more</p>", count(more as u64)) } else { String::new() };
        format!(
            "<div class=\"wide\"><table><thead><tr><th scope=\"col\">Site</th><th scope=\"col\">Documents</th><th \
             scope=\"col\">Boilerplate</th><th scope=\"col\">Dropped</th></tr></thead><tbody>{rows}</tbody></table></div>{more}"
        )
    }

    fn cluster_rule(&self) -> String {
        let (here, all) = (self.gathered.clusters.len() as u64, self.gathered.all_clusters);
        match here == all {
            true if all == 0 => "No story is told by two documents.".to_owned(),
            true => format!("All {} of two documents or more.", counted(all, "cluster")),
            false => format!(
                "Showing {} of {} clusters: the largest, and a seeded sample of the others that is the same in every run.",
                count(here),
                count(all)
            ),
        }
    }

    fn static_clusters(&self) -> String {
        let mut out = String::from("<ol class=\"static\">");
        for cluster in self.gathered.clusters.iter().take(STATIC_CLUSTERS) {
            self.static_cluster(cluster, &mut out);
        }
        out.push_str("</ol>");
        out
    }

    fn static_cluster(&self, cluster: &ShownCluster, out: &mut String) {
        let headline = cluster.headlines.first().map_or(cluster.id.as_str(), String::as_str);
        let _ = write!(
            out,
            "<li><details><summary><bdi>{}</bdi> <span class=\"quiet\">{}, {}</span></summary><p>Kept: \
             <bdi>{}</bdi>, {}.</p><ul>",
            escape(headline),
            counted(cluster.size, "document"),
            counted(cluster.site_count as u64, "site"),
            escape(&cluster.representative),
            escape(&cluster.reason)
        );
        for id in &cluster.members {
            let document = self.listed.by_id.get(id).map(|at| &self.listed.documents[*at]);
            let told = document.and_then(|document| document.similarity);
            let told =
                told.map_or_else(String::new, |similarity| format!(" <span class=\"quiet\">{similarity:.2}</span>"));
            let _ = write!(out, "<li><bdi>{}</bdi>{told}</li>", escape(id));
        }
        let more = cluster.size.saturating_sub(cluster.members.len() as u64);
        if more > 0 {
            let _ = write!(out, "<li class=\"quiet\">and {} more</li>", count(more));
        }
        out.push_str("</ul></details></li>");
    }

    /// Returns what the script reads.
    fn data(&self) -> Value {
        let summary = self.summary;
        let at = |id: &String| self.listed.by_id.get(id).copied();
        let clusters: Vec<Value> = self
            .gathered
            .clusters
            .iter()
            .zip(&self.listed.ranges)
            .map(|(cluster, range)| {
                let members = cluster.members.iter().skip(1).filter_map(|id| {
                    let pair = self.gathered.with_representative.get(&gather::pair_key(&cluster.representative, id));
                    Some(json!({ "at": at(id)?, "pair": pair.map(|pair| measures(pair, &cluster.representative)) }))
                });
                json!({
                    "id": cluster.id,
                    "size": cluster.size,
                    "representative": at(&cluster.representative),
                    "reason": cluster.reason,
                    "sites": cluster.sites,
                    "site_count": cluster.site_count,
                    "headlines": cluster.headlines,
                    "headline_count": cluster.headline_count,
                    "range": range,
                    "members": members.collect::<Vec<_>>(),
                })
            })
            .collect();
        let pairs = self.gathered.pairs.iter().filter_map(|pair| {
            let (a, b) = (at(&pair.row.a)?, at(&pair.row.b)?);
            let mut value = measures(&pair.row, &pair.row.a);
            value["group"] = json!(pair.group);
            value["a"] = a.into();
            value["b"] = b.into();
            Some(value)
        });
        let versions = self
            .gathered
            .versions
            .iter()
            .map(|row| json!({ "row": row, "at": at(&row.id), "previous": at(&row.previous_id) }));
        json!({
            "threshold": self.threshold,
            "much": MUCH,
            "kinds": BoilerplateKind::ALL.map(BoilerplateKind::name),
            "documents": self.listed.documents,
            "all_documents": summary.documents,
            "clusters": clusters,
            "pairs": pairs.collect::<Vec<_>>(),
            "phrases": self.blocks.phrases,
            "all_phrases": self.blocks.repeated,
            "phrases_lost": self.blocks.lost,
            "headlines": self.gathered.headlines,
            "all_headlines": self.gathered.all_headlines,
            "versions": versions.collect::<Vec<_>>(),
            "all_versions": self.gathered.all_versions,
            "sites": summary.by_site,
            "all_sites": summary.sites,
            "settings": summary.settings,
            "data_versions": summary.data_versions,
            "changes": self.changes,
        })
    }
}

/// Returns the measures of a pair, as seen from `first`.
fn measures(pair: &crate::output::PairRow, first: &str) -> Value {
    let swapped = pair.a != first;
    let relation = match pair.relation.as_str() {
        "contains" if swapped => "contained",
        "contained" if swapped => "contains",
        relation => relation,
    };
    let (in_second, in_first) = if swapped { (pair.b_in_a, pair.a_in_b) } else { (pair.a_in_b, pair.b_in_a) };
    json!({
        "jaccard": pair.jaccard,
        "jaccard_raw": pair.jaccard_raw,
        "first_in_second": in_second,
        "second_in_first": in_first,
        "relation": relation,
        "joined": pair.joined,
        "reason": pair.reason,
    })
}

/// Returns a text as HTML shows it: no character of it is markup, no control is unseen, and none turns the line around.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(c),
            '\0'..='\u{1f}' => {
                out.push(char::from_u32(0x2400 + u32::from(c)).expect("there is a picture of every control"))
            }
            '\u{7f}'..='\u{9f}'
            | '\u{61c}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}' => {
                let _ = write!(out, "⟨U+{:04X}⟩", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// Returns a number with commas.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Returns a number of things.
fn counted(number: u64, noun: &str) -> String {
    format!("{} {noun}{}", count(number), if number == 1 { "" } else { "s" })
}

/// Returns a share in percent.
pub(super) fn percent(share: f64) -> String {
    format!("{:.1}%", share * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_is_markup_and_nothing_is_unseen() {
        assert_eq!(
            escape("</script><img onerror='x'>\"&\0\u{202e}a\u{85}"),
            "&lt;/script&gt;&lt;img onerror=&#39;x&#39;&gt;&quot;&amp;␀⟨U+202E⟩a⟨U+0085⟩"
        );
    }

    #[test]
    fn what_fills_a_template_is_not_filled_again() {
        assert_eq!(filled("a{{b}}c{{d}}", |name| format!("[{name}{{{{x}}}}]")), "a[b{{x}}]c[d{{x}}]");
    }

    #[test]
    fn numbers_are_read_in_threes() {
        assert_eq!([0, 999, 1000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!((counted(1, "site"), counted(0, "site")), ("1 site".into(), "0 sites".into()));
    }
}
