//! Features and repetition → verdicts.

use crate::boilerplate::{BoilerplateKind, Repetition};
use crate::config::Config;
use crate::document::Span;
use crate::text::Segments;

/// One page to judge.
#[derive(Clone, Copy, Debug)]
pub struct Page<'a> {
    /// The document's text.
    pub text: &'a str,
    /// Its blocks.
    pub segments: &'a Segments,
    /// The title its record gave, not a line of the text.
    pub title: Option<&'a str>,
    /// What the run counted about each block, in order; empty: nothing was counted, as for a page alone.
    pub repetition: &'a [Repetition],
    /// Documents of its site in the run, itself included; 0 when its site is not known.
    pub site_documents: u32,
    /// Near-duplicate clusters among those.
    pub site_clusters: u32,
}

/// What the judge says of a page.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// The headline, when there is one.
    pub headline: Option<Headline>,
    /// The language, as an ISO 639-1 code where there is one, else 639-3.
    pub lang: Option<&'static str>,
    /// One verdict a block, in order.
    pub verdicts: Vec<Verdict>,
    /// Set when the judge would have dropped nearly everything and therefore kept it: worth a warning.
    pub withheld: bool,
}

/// A page's headline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Headline {
    /// The text.
    pub text: String,
    /// Whence it was taken.
    pub source: HeadlineSource,
    /// The block that says it, when one does.
    pub block: Option<usize>,
}

/// Whence a headline was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadlineSource {
    /// The record's title field.
    Title,
    /// The first line of the text that reads like one.
    Text,
}

impl HeadlineSource {
    /// Returns the published name.
    pub fn name(self) -> &'static str {
        match self {
            HeadlineSource::Title => "title",
            HeadlineSource::Text => "text",
        }
    }
}

/// What a block is, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// Its kind; none: content.
    pub kind: Option<BoilerplateKind>,
    /// Calibrated probability that it is boilerplate, in 0..=1.
    pub score: f64,
    /// What speaks for it.
    pub evidence: Evidence,
}

/// What speaks for a verdict, beside the repetition that the caller knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// The cue phrase found in it, if any.
    pub cue: Option<String>,
    /// Where in the page it stands.
    pub place: Place,
}

/// Where in the page a block stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// Before the article's first paragraph.
    Head,
    /// Inside it.
    #[default]
    Middle,
    /// After its last paragraph.
    Tail,
}

impl Place {
    /// Returns the published name.
    pub fn name(self) -> &'static str {
        match self {
            Place::Head => "head",
            Place::Middle => "middle",
            Place::Tail => "tail",
        }
    }
}

/// The judge: weights and settings, made once, used from every thread.
#[derive(Debug)]
pub struct Judge {
    careful: bool,
}

impl Judge {
    /// Makes the judge that the settings ask for.
    pub fn new(config: &Config) -> Judge {
        Judge { careful: config.careful }
    }

    /// Judges one page. (Skeleton; to be filled in.)
    pub fn judge(&self, page: &Page<'_>) -> Judged {
        let _ = (self.careful, Span::default());
        let verdicts = page
            .segments
            .blocks
            .iter()
            .map(|_| Verdict { kind: None, score: 0.0, evidence: Evidence::default() })
            .collect();
        Judged { headline: None, lang: None, verdicts, withheld: false }
    }
}
