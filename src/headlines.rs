//! Headlines: what is left of one without the outlet's additions, and what it means that several documents carry it.
//!
//! Pure. Knows no documents: strings and counts in, values out.

use crate::text::hash_terms;

/// Labels that desks put before a headline, in lower case; a number may follow, and a mark must.
const LABELS: [&str; 24] = [
    "alert",
    "analysis",
    "audio",
    "breaking",
    "breaking news",
    "corrected",
    "correction",
    "developing",
    "exclusive",
    "fact check",
    "factbox",
    "just in",
    "live",
    "live updates",
    "opinion",
    "photos",
    "refile",
    "report",
    "update",
    "updated",
    "urgent",
    "video",
    "watch",
    "wrapup",
];

/// Remarks in brackets at the end of a headline, in lower case.
const REMARKS: [&str; 8] = ["updated", "update", "corrected", "video", "photos", "live", "exclusive", "audio"];

/// Words that the name of an outlet has at most, where a bar sets it off.
const OUTLET_WORDS: usize = 4;

/// Returns the headline without the desk's label before it, the remark in brackets and the outlet's name behind it.
///
/// An outlet is cut where a bar sets it off (` | The Example`), or a dash does and the name is the site's. What would
/// leave nothing is left.
///
/// ```
/// use retold::headlines::core;
/// assert_eq!(core("UPDATE 1-Corn growers blast ruling | The Example", None), "Corn growers blast ruling");
/// assert_eq!(core("LIVE: Storm nears the coast - Harbor Ledger", Some("harborledger.example")), "Storm nears the coast");
/// assert_eq!(core("Storm nears the coast - again", Some("harborledger.example")), "Storm nears the coast - again");
/// ```
pub fn core<'a>(headline: &'a str, site: Option<&str>) -> &'a str {
    let mut rest = headline.trim();
    loop {
        let shorter = without_remark(without_outlet(without_label(rest), site));
        if shorter == rest || shorter.is_empty() {
            return rest;
        }
        rest = shorter;
    }
}

/// Returns the terms that a headline is compared by: those of its [`core()`].
pub fn terms(headline: &str, site: Option<&str>) -> Vec<u64> {
    let mut terms = Vec::new();
    hash_terms(core(headline, site), &mut terms);
    terms
}

fn without_label(headline: &str) -> &str {
    let Some((before, mark)) = headline.char_indices().find(|(_, c)| matches!(c, ':' | '-' | '–' | '—' | '|'))
    else {
        return headline;
    };
    let label = headline[..before].trim();
    let label = label.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end().to_lowercase();
    let rest = headline[before + mark.len_utf8()..].trim_start();
    if LABELS.contains(&label.as_str()) && !rest.is_empty() { rest } else { headline }
}

fn without_remark(headline: &str) -> &str {
    let Some(open) = headline.rfind(['(', '[']) else { return headline };
    let remark = headline[open + 1..].trim_end_matches([')', ']']).to_lowercase();
    let rest = headline[..open].trim_end();
    if REMARKS.contains(&remark.as_str()) && !rest.is_empty() { rest } else { headline }
}

fn without_outlet<'a>(headline: &'a str, site: Option<&str>) -> &'a str {
    for separator in [" | ", " – ", " — ", " - "] {
        let Some(at) = headline.rfind(separator) else { continue };
        let (rest, outlet) = (headline[..at].trim_end(), headline[at + separator.len()..].trim());
        let count = |text: &str| text.split_whitespace().count();
        let set_off = separator == " | " && count(outlet) <= OUTLET_WORDS && count(rest) > count(outlet);
        if !rest.is_empty() && (set_off || site.is_some_and(|site| names(outlet, site))) {
            return rest;
        }
    }
    headline
}

/// Returns whether a name is that of a site: `The Harbor Ledger` and `harborledger.example.com`.
fn names(outlet: &str, site: &str) -> bool {
    let letters =
        |text: &str| text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>();
    let outlet = letters(outlet);
    let outlet = outlet.strip_prefix("the").unwrap_or(&outlet);
    outlet.chars().count() >= 3
        && site.split('.').any(|label| {
            let label = letters(label);
            label.strip_prefix("the").unwrap_or(&label) == outlet
        })
}

/// What it means that several documents carry one headline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadlineRelation {
    /// They tell one story.
    SameStory,
    /// A column of one site, each time with another story.
    Recurring,
    /// Words that several sites put over stories of their own.
    Generic,
}

impl HeadlineRelation {
    /// Returns the relation of the documents that carry a headline, from how many clusters and sites they belong to.
    pub fn of(clusters: usize, sites: usize) -> HeadlineRelation {
        match (clusters, sites) {
            (0 | 1, _) => HeadlineRelation::SameStory,
            (_, 0 | 1) => HeadlineRelation::Recurring,
            _ => HeadlineRelation::Generic,
        }
    }

    /// Returns the published name.
    pub fn name(self) -> &'static str {
        match self {
            HeadlineRelation::SameStory => "same_story",
            HeadlineRelation::Recurring => "recurring",
            HeadlineRelation::Generic => "generic",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn labels_of_desks_are_no_part_of_a_headline() {
        for headline in
            ["UPDATE 1-Duties rise", "LIVE: Duties rise", "BREAKING – Duties rise", "Update 12 - Duties rise (updated)"]
        {
            assert_eq!(core(headline, None), "Duties rise", "{headline}");
        }
    }

    #[test]
    fn a_name_before_a_colon_stays() {
        for headline in ["Smith: duties must rise", "Duties - a history", "Live music returns", "LIVE:", ""] {
            assert_eq!(core(headline, None), headline);
        }
    }

    #[test]
    fn the_outlet_behind_a_dash_goes_only_where_it_is_the_site() {
        let headline = "Duties rise again - The Patriot Bell";
        assert_eq!(core(headline, Some("thepatriotbell.example.net")), "Duties rise again");
        assert_eq!(core(headline, Some("other.example.net")), headline);
        assert_eq!(core(headline, None), headline);
    }

    #[test]
    fn headlines_of_one_core_have_the_same_terms() {
        assert_eq!(terms("UPDATE 2-Duties Rise Again | The Example", None), terms("duties rise again", None));
    }

    #[test]
    fn a_relation_follows_from_clusters_and_sites() {
        assert_eq!(HeadlineRelation::of(1, 5).name(), "same_story");
        assert_eq!(HeadlineRelation::of(7, 1).name(), "recurring");
        assert_eq!(HeadlineRelation::of(7, 3).name(), "generic");
    }

    proptest! {
        #[test]
        fn the_core_of_a_core_is_itself(headline in "(LIVE: |UPDATE 1-|)[a-z |:()–-]{0,30}( \\| [A-Z][a-z]{1,8})?") {
            let once = core(&headline, Some("example.com"));
            prop_assert_eq!(core(once, Some("example.com")), once);
            prop_assert!(headline.contains(once));
        }
    }
}
