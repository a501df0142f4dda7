//! Every setting of a run that changes its answers, with default, unit, range and source.
//!
//! Threads, memory and paths change no answer and live in `store::Workspace` and the program.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::boilerplate::{BoilerplateKind, KindSet, Rules, Weights};
use crate::decisions::Decisions;
use crate::evidence::SavedEvidence;
use crate::hash::hash64;

/// The settings of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Jaccard similarity from which two documents are `near`: 0.3..=1.0, default 0.5.
    pub threshold: f64,
    /// What is compared, default words:3.
    pub shingle: Shingle,
    /// Whether boilerplate is judged at all; off: near-duplicates only, on the text as it is. Default true.
    pub boilerplate: bool,
    /// Whether the content model takes part; off: repetition only. Default true.
    pub model: bool,
    /// Weights of the content model other than those of the program. Default none.
    pub weights: Option<Weights>,
    /// The user's own phrases, which win over model and repetition. Default none.
    pub rules: Option<Arc<Rules>>,
    /// What another corpus taught, looked up instead of counting what repeats in this one. Default none.
    pub evidence: Option<SavedEvidence>,
    /// Whether a sterner judge is used, that flags only what it is nearly sure of. Default false.
    pub careful: bool,
    /// Whether the retelling rule (share of the shorter text, with facts) joins on top of the threshold. Default true.
    pub retellings: bool,
    /// Whether candidates come from an exact prefix-filter join instead of bands. Default false.
    pub exact: bool,
    /// How pairs are measured. Default exact.
    pub verify: Verify,
    /// Which pairs are compared, by their sites. Default all.
    pub sites: Sites,
    /// How many days apart two documents may be to be compared; documents without a date are compared with all.
    /// Default: no bound.
    pub date_window: Option<u32>,
    /// The field of the records inside whose values alone documents are compared; its values stand in
    /// [`Document::within`](crate::Document). Default: none, all are compared.
    pub within: Option<String>,
    /// What people decided, which wins over every score. Default: nothing.
    pub decisions: Decisions,
    /// Which copy of a cluster `keep` marks. Default longest.
    pub keep: Keep,
    /// The kinds that `clean` takes and that similarity leaves out. Default all but `headline_variant`.
    pub remove: KindSet,
    /// Whether `blocks` lists content blocks too. Default false.
    pub all_blocks: bool,
    /// Whether what repeats is kept to be saved, see [`Scan::save_evidence`](crate::Scan::save_evidence). Changes no
    /// answer. Default false.
    pub save_evidence: bool,
    /// Whether rules are suggested, see [`Scan::suggestions`](crate::Scan::suggestions). Changes no answer. Default false.
    pub suggest_rules: bool,
    /// Sites in falling order of preference, for `Keep::SitePriority`.
    pub site_priority: Vec<String>,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            threshold: 0.5,
            shingle: Shingle::Words(3),
            boilerplate: true,
            model: true,
            weights: None,
            rules: None,
            evidence: None,
            careful: false,
            retellings: true,
            exact: false,
            verify: Verify::Exact,
            sites: Sites::All,
            date_window: None,
            within: None,
            decisions: Decisions::default(),
            keep: Keep::Longest,
            remove: KindSet::all().without(BoilerplateKind::HeadlineVariant),
            all_blocks: false,
            save_evidence: false,
            suggest_rules: false,
            site_priority: Vec::new(),
        }
    }
}

impl Config {
    /// Returns whether some pairs are not compared whatever they say.
    pub fn restricts_pairs(&self) -> bool {
        self.sites != Sites::All || self.date_window.is_some()
    }

    /// Returns whether what repeats is wanted beyond judging.
    pub(crate) fn saves_repeats(&self) -> bool {
        self.save_evidence || self.suggest_rules
    }

    /// Checks ranges.
    ///
    /// # Errors
    /// Names the setting that is out of range and the range.
    pub fn check(&self) -> Result<(), ConfigError> {
        if !(0.3..=1.0).contains(&self.threshold) {
            return Err(ConfigError::OutOfRange {
                setting: "threshold",
                found: self.threshold.to_string(),
                range: "0.3 to 1.0",
            });
        }
        if self.keep == Keep::SitePriority && self.site_priority.is_empty() {
            return Err(ConfigError::Missing { setting: "site-priority", needed_by: "`--keep site-priority`" });
        }
        Ok(())
    }

    /// Returns every setting with its value, by its published name.
    pub fn settings(&self) -> serde_json::Map<String, serde_json::Value> {
        let remove: Vec<&str> = self.remove.kinds().map(BoilerplateKind::name).collect();
        let all = serde_json::json!({
            "threshold": self.threshold,
            "shingle": self.shingle.to_string(),
            "boilerplate": self.boilerplate,
            "model": self.model,
            "weights": self.weights.as_ref().map(Weights::version),
            "rules": self.rules.as_ref().map(|rules| rules.version()),
            "evidence": self.evidence.as_ref().map(SavedEvidence::version),
            "careful": self.careful,
            "retellings": self.retellings,
            "exact": self.exact,
            "verify": self.verify.name(),
            "sites": self.sites.name(),
            "date_window": self.date_window,
            "within": self.within,
            "decisions": Some(self.decisions.file()).filter(|file| !file.is_empty()),
            "decisions_version": self.decisions.version(),
            "keep": self.keep.name(),
            "remove": remove,
            "all_blocks": self.all_blocks,
            "site_priority": self.site_priority,
        });
        match all {
            serde_json::Value::Object(settings) => settings,
            _ => unreachable!("an object was written"),
        }
    }

    /// Returns a digest of all settings: equal settings, equal digest, on every machine.
    pub fn digest(&self) -> u64 {
        hash64(format!("{self:?}").as_bytes())
    }
}

/// What a shingle is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shingle {
    /// This many consecutive words (terms).
    Words(usize),
    /// This many consecutive characters of the normal form.
    Chars(usize),
}

impl fmt::Display for Shingle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Shingle::Words(n) => write!(f, "words:{n}"),
            Shingle::Chars(n) => write!(f, "chars:{n}"),
        }
    }
}

impl FromStr for Shingle {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Shingle, ConfigError> {
        let wrong = || ConfigError::OutOfRange {
            setting: "shingle",
            found: text.to_owned(),
            range: "words:1 to words:64, or chars:1 to chars:64",
        };
        let (unit, count) = text.split_once(':').ok_or_else(wrong)?;
        let count: usize = count.parse().ok().filter(|count| (1..=64).contains(count)).ok_or_else(wrong)?;
        match unit {
            "words" => Ok(Shingle::Words(count)),
            "chars" => Ok(Shingle::Chars(count)),
            _ => Err(wrong()),
        }
    }
}

/// How pairs are measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verify {
    /// By their texts: every similarity is exact, and facts and retellings are looked at.
    Exact,
    /// By their signatures: similarities are estimates, and the threshold alone decides.
    Sketch,
}

impl Verify {
    /// Every way with its published name.
    pub const ALL: [(Verify, &'static str); 2] = [(Verify::Exact, "exact"), (Verify::Sketch, "sketch")];

    /// Returns the published name.
    pub fn name(self) -> &'static str {
        Verify::ALL.iter().find(|(verify, _)| *verify == self).expect("every way is listed").1
    }

    /// Returns what stands before a measure in words.
    pub(crate) fn prefix(self) -> &'static str {
        match self {
            Verify::Exact => "",
            Verify::Sketch => "estimated ",
        }
    }
}

/// Which pairs of documents are compared, by their sites. A document without a site is on a site of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sites {
    /// All.
    All,
    /// Those of two sites.
    Across,
    /// Those of one site.
    Same,
}

impl Sites {
    /// Returns the published name.
    pub fn name(self) -> &'static str {
        match self {
            Sites::All => "all",
            Sites::Across => "across",
            Sites::Same => "same",
        }
    }
}

/// Which copy of a cluster is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// The most complete text; ties by order.
    Longest,
    /// The earliest date; documents without a date come last.
    Earliest,
    /// The latest date.
    Latest,
    /// The first in order.
    First,
    /// None: every member of a cluster of two or more is dropped.
    None,
    /// The site that stands first in `site_priority`.
    SitePriority,
}

impl Keep {
    /// Every policy with its published name.
    pub const ALL: [(Keep, &'static str); 6] = [
        (Keep::Longest, "longest"),
        (Keep::Earliest, "earliest"),
        (Keep::Latest, "latest"),
        (Keep::First, "first"),
        (Keep::None, "none"),
        (Keep::SitePriority, "site-priority"),
    ];

    /// Returns the published name.
    pub fn name(self) -> &'static str {
        Keep::ALL.iter().find(|(keep, _)| *keep == self).expect("every policy is listed").1
    }
}

/// A setting that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A value outside its range.
    #[error("`--{setting}`: expected {range}, found `{found}`")]
    OutOfRange {
        /// The setting.
        setting: &'static str,
        /// What was given.
        found: String,
        /// What may be given.
        range: &'static str,
    },
    /// A setting that another one needs.
    #[error("`--{setting}` is missing, needed by {needed_by}")]
    Missing {
        /// The setting.
        setting: &'static str,
        /// What needs it.
        needed_by: &'static str,
    },
}
