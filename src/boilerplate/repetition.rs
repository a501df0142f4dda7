//! What the run counted about a block: in how many documents, sites and near-duplicate clusters it stands.

use crate::boilerplate::shape::{self, FLAGS};
use crate::hash::{hash64, mix64};
use crate::text::{fingerprint, hash_terms, normalize};

/// How often a block occurs in the run. The counts include the block's own document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repetition {
    /// Documents that hold it.
    pub documents: u32,
    /// Sites that hold it; documents without a site count as one site together.
    pub sites: u32,
    /// Near-duplicate clusters that hold it (a document alone is a cluster): what separates boilerplate from syndication.
    pub clusters: u32,
    /// Documents of the block's own site that hold it.
    pub site_documents: u32,
    /// Near-duplicate clusters among those.
    pub site_clusters: u32,
    /// Whether the counts are those of its template (names, dates and numbers masked), since the exact block is rarer.
    pub near: bool,
}

impl Repetition {
    /// Takes what was found where it tells more.
    pub fn or_more(&mut self, found: Repetition) {
        if found.tells_more_than(self) {
            *self = found;
        }
    }

    /// Returns whether these counts of a block tell more than others of it: those of its template more than its own only
    /// where it recurs in more clusters of its site, or nowhere on its site and in more clusters of others.
    pub fn tells_more_than(&self, other: &Repetition) -> bool {
        let told = |one: &Repetition| {
            let own = one.site_clusters >= 2 && !one.near;
            (one.site_clusters, own, one.clusters, one.documents)
        };
        told(self) > told(other)
    }
}

impl Default for Repetition {
    fn default() -> Repetition {
        Repetition { documents: 1, sites: 1, clusters: 1, site_documents: 1, site_clusters: 1, near: false }
    }
}

/// Features that the log odds of repetition are a weighted sum of.
pub(super) const EVIDENCE: usize = 10;

/// Words up to which a block is short: sites share short lines because they are chrome, long ones because they are
/// reprints or quotations.
const SHORT: f32 = 12.0;

/// Returns what the counts of a block say, as features of a weighted sum.
///
/// `words` is the block's length; `site_clusters` the near-duplicate clusters among its site's documents.
pub(super) fn evidence(repetition: &Repetition, site_clusters: u32, words: f32) -> [f32; EVIDENCE] {
    let mut row = [0.0; EVIDENCE];
    let own = repetition.site_clusters;
    let others = repetition.clusters.saturating_sub(own);
    let ln = |count: u32| f64::from(count).ln() as f32;
    if own >= 2 && site_clusters >= 2 {
        let share = own.min(site_clusters) as f32 / site_clusters as f32;
        if repetition.near {
            row[0] = 1.0;
            row[1] = ln(own);
        } else {
            row[2] = 1.0;
            row[3] = ln(own);
            // What a site repeats on few of its pages may be a series' own words; on most of them it is chrome.
            row[4] = if site_clusters >= 3 { share } else { 0.0 };
            row[5] = if words > 25.0 { 1.0 } else { 0.0 };
        }
    } else if site_clusters >= 4 {
        row[6] = 1.0;
        row[7] = (ln(site_clusters) - ln(4)).min(4.0);
    }
    // A long block on many sites is a quotation or a reprint, and says nothing by its repetition.
    if others >= 1 && words <= SHORT {
        let few = if repetition.near { 0.5 } else { 1.0 };
        row[8] = few;
        row[9] = few * ln(others + 1).min(6.0);
    }
    row
}

/// What a block is counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprints {
    /// Hash of the normal form.
    pub exact: u64,
    /// Hash of the normal form with names, dates and numbers masked; none where that would be (nearly) all of it, or
    /// where nothing is masked, or where the block is too long to be a template.
    pub template: Option<u64>,
}

/// Bytes up to which a block may be a template: longer ones repeat as they are or not at all.
const TEMPLATE_BYTES: usize = 400;

/// Returns what a block's text is counted by.
///
/// The template masks numbers, names of months, and words in capitals that do not begin a sentence. O(n); a template is
/// looked for only in blocks of up to 400 bytes. `terms` are those of the block.
pub fn fingerprints(block: &str, terms: &[u64]) -> Fingerprints {
    let template = if block.len() <= TEMPLATE_BYTES { read_template(block, &mut Vec::new()).0 } else { None };
    Fingerprints { exact: exact(block, terms), template }
}

/// Fingerprints of short blocks met lately: chrome comes again and again, and is read once while it does.
#[derive(Debug)]
pub struct Recent {
    /// A block's fingerprints and number of terms, at the place that the hash of its bytes names.
    blocks: Vec<Option<(u64, Fingerprints, u32)>>,
    terms: Vec<u64>,
}

/// Blocks that are remembered, as a power of two: about half a megabyte.
const RECENT: usize = 1 << 13;

impl Default for Recent {
    fn default() -> Recent {
        Recent { blocks: vec![None; RECENT], terms: Vec::new() }
    }
}

impl Recent {
    /// Returns what a block's text is counted by, as [`fingerprints`] does, and how many terms it has.
    pub fn fingerprints(&mut self, block: &str) -> (Fingerprints, usize) {
        let short = block.len() <= TEMPLATE_BYTES;
        let hash = if short { hash64(block.as_bytes()) } else { 0 };
        let slot = hash as usize % RECENT;
        if let Some((known, prints, terms)) = self.blocks[slot]
            && short
            && known == hash
        {
            return (prints, terms as usize);
        }
        self.terms.clear();
        let (mut template, mut found) = (None, false);
        if short {
            (template, found) = read_template(block, &mut self.terms);
        }
        if !found {
            self.terms.clear();
            hash_terms(block, &mut self.terms);
        }
        let prints = Fingerprints { exact: exact(block, &self.terms), template };
        if short {
            self.blocks[slot] = Some((hash, prints, self.terms.len() as u32));
        }
        (prints, self.terms.len())
    }
}

/// Returns the fingerprint of a block by its terms; one without any (`* * *`) is counted by its normal form.
fn exact(block: &str, terms: &[u64]) -> u64 {
    if terms.is_empty() { hash64(normalize(block).as_bytes()) } else { fingerprint(terms) }
}

/// Returns the template of a short block, and appends its words' hashes to `terms`; says whether these are its terms.
fn read_template(block: &str, terms: &mut Vec<u64>) -> (Option<u64>, bool) {
    let mut hash = 0x7e4d_91a3_0c55_2b17;
    let (mut masked, mut kept, mut pending) = (0u32, 0u32, false);
    let found = shape::words_with(block, terms, |word, masks| {
        if masks {
            masked += 1;
            pending = true;
            return;
        }
        // Neighbors that are masked make one gap, so that names of two words and of three are alike.
        if pending {
            hash = mix64(hash ^ 1);
            pending = false;
        }
        hash = mix64(hash.wrapping_add(u64::from(word & !FLAGS)));
        kept += 1;
    });
    if pending {
        hash = mix64(hash ^ 1);
    }
    ((masked > 0 && kept >= 2 && kept >= masked.min(3)).then_some(hash), found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_masks_names_dates_and_numbers() {
        let template = |text| fingerprints(text, &[]).template.expect("something is masked");
        assert_eq!(template("Written by Ada Lindqvist, 5 min read"), template("Written by Bo Holm, 12 min read"));
        assert_ne!(template("Written by Ada Lindqvist, 5 min read"), template("Edited by Ada Lindqvist, 5 min read"));
    }

    #[test]
    fn what_is_nearly_all_name_or_has_none_is_no_template() {
        for text in ["Ada Lindqvist", "3 May 2021", "leave a reply", ""] {
            assert_eq!(fingerprints(text, &[]).template, None, "{text}");
        }
    }

    #[test]
    fn what_is_remembered_is_what_is_read() {
        let mut recent = Recent::default();
        for text in ["Leave a reply", "Written by Ada Lindqvist, 5 min read", "* * *", "Leave a reply", ""].repeat(3) {
            let mut terms = Vec::new();
            hash_terms(text, &mut terms);
            assert_eq!(recent.fingerprints(text), (fingerprints(text, &terms), terms.len()));
        }
    }

    #[test]
    fn a_paragraph_reprinted_by_many_sites_says_nothing() {
        let reprinted = Repetition { documents: 50, sites: 50, clusters: 12, ..Repetition::default() };
        assert_eq!(evidence(&reprinted, 1, 60.0), [0.0; EVIDENCE]);
        let twice = Repetition { documents: 2, site_documents: 2, ..Repetition::default() };
        assert_eq!(evidence(&twice, 2, 60.0), [0.0; EVIDENCE]);
    }

    #[test]
    fn a_line_of_a_site_counts_as_itself_though_other_sites_have_its_template() {
        let own =
            Repetition { documents: 3, clusters: 3, site_documents: 3, site_clusters: 3, ..Repetition::default() };
        let template = Repetition { documents: 9, sites: 3, clusters: 9, near: true, ..own };
        assert!(own.tells_more_than(&template) && !template.tells_more_than(&own));
        assert!(template.tells_more_than(&Repetition::default()));
        assert!(Repetition { site_clusters: 4, ..template }.tells_more_than(&own));
    }

    #[test]
    fn a_short_line_on_many_sites_speaks_for_boilerplate() {
        let shared = Repetition { documents: 50, sites: 50, clusters: 50, ..Repetition::default() };
        assert!(evidence(&shared, 1, 3.0)[9] > 3.0);
    }
}
