//! The kinds of boilerplate, by their published names.

use std::fmt;
use std::str::FromStr;

/// What a block of boilerplate is. (To be documented variant by variant.)
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
#[allow(missing_docs)]
pub enum BoilerplateKind {
    RepeatedHeadline,
    Byline,
    Dateline,
    ReadingTime,
    Caption,
    Tags,
    Share,
    Related,
    Newsletter,
    Donation,
    Subscription,
    CommentFooter,
    Comments,
    CookiePrivacy,
    Navigation,
    Copyright,
    Disclaimer,
    AuthorBio,
    SourceNote,
    Advertisement,
    Other,
    HeadlineVariant,
}

impl BoilerplateKind {
    /// Every kind, in the order of the documentation.
    pub const ALL: [BoilerplateKind; 22] = [
        BoilerplateKind::RepeatedHeadline,
        BoilerplateKind::Byline,
        BoilerplateKind::Dateline,
        BoilerplateKind::ReadingTime,
        BoilerplateKind::Caption,
        BoilerplateKind::Tags,
        BoilerplateKind::Share,
        BoilerplateKind::Related,
        BoilerplateKind::Newsletter,
        BoilerplateKind::Donation,
        BoilerplateKind::Subscription,
        BoilerplateKind::CommentFooter,
        BoilerplateKind::Comments,
        BoilerplateKind::CookiePrivacy,
        BoilerplateKind::Navigation,
        BoilerplateKind::Copyright,
        BoilerplateKind::Disclaimer,
        BoilerplateKind::AuthorBio,
        BoilerplateKind::SourceNote,
        BoilerplateKind::Advertisement,
        BoilerplateKind::Other,
        BoilerplateKind::HeadlineVariant,
    ];

    /// Returns the published name.
    pub fn name(self) -> &'static str {
        match self {
            BoilerplateKind::RepeatedHeadline => "repeated_headline",
            BoilerplateKind::Byline => "byline",
            BoilerplateKind::Dateline => "dateline",
            BoilerplateKind::ReadingTime => "reading_time",
            BoilerplateKind::Caption => "caption",
            BoilerplateKind::Tags => "tags",
            BoilerplateKind::Share => "share",
            BoilerplateKind::Related => "related",
            BoilerplateKind::Newsletter => "newsletter",
            BoilerplateKind::Donation => "donation",
            BoilerplateKind::Subscription => "subscription",
            BoilerplateKind::CommentFooter => "comment_footer",
            BoilerplateKind::Comments => "comments",
            BoilerplateKind::CookiePrivacy => "cookie_privacy",
            BoilerplateKind::Navigation => "navigation",
            BoilerplateKind::Copyright => "copyright",
            BoilerplateKind::Disclaimer => "disclaimer",
            BoilerplateKind::AuthorBio => "author_bio",
            BoilerplateKind::SourceNote => "source_note",
            BoilerplateKind::Advertisement => "advertisement",
            BoilerplateKind::Other => "other",
            BoilerplateKind::HeadlineVariant => "headline_variant",
        }
    }
}

impl fmt::Display for BoilerplateKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for BoilerplateKind {
    type Err = String;

    fn from_str(name: &str) -> Result<BoilerplateKind, String> {
        BoilerplateKind::ALL
            .into_iter()
            .find(|kind| kind.name() == name)
            .ok_or_else(|| format!("`{name}` is no kind of boilerplate"))
    }
}

/// A set of kinds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KindSet(u32);

impl KindSet {
    /// Returns the set of all kinds.
    pub fn all() -> KindSet {
        BoilerplateKind::ALL.into_iter().fold(KindSet(0), KindSet::with)
    }

    /// Returns the set of no kind.
    pub fn none() -> KindSet {
        KindSet(0)
    }

    /// Returns the set with `kind`.
    #[must_use]
    pub fn with(self, kind: BoilerplateKind) -> KindSet {
        KindSet(self.0 | 1 << kind as u32)
    }

    /// Returns the set without `kind`.
    #[must_use]
    pub fn without(self, kind: BoilerplateKind) -> KindSet {
        KindSet(self.0 & !(1 << kind as u32))
    }

    /// Returns whether `kind` is in the set.
    pub fn has(self, kind: BoilerplateKind) -> bool {
        self.0 & 1 << kind as u32 != 0
    }

    /// Returns the kinds of the set, in the order of the documentation.
    pub fn kinds(self) -> impl Iterator<Item = BoilerplateKind> {
        BoilerplateKind::ALL.into_iter().filter(move |kind| self.has(*kind))
    }
}
