//! The kinds of boilerplate, by their published names.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What a block of boilerplate is.
///
/// Each kind says what it matches, why that is not the article, an example, and look-alikes that stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum BoilerplateKind {
    /// The headline said again, in the same words or nearly: as page title, above the text, in a box below it.
    ///
    /// It adds nothing to the first. Example: `Putin’s Meeting with Trump Marks a Strategic Win for Russia`, a second
    /// time. Stays: the headline itself, the first time; a sentence of the article that uses the same words.
    RepeatedHeadline,
    /// Who wrote it.
    ///
    /// It is about the article, not of it. Example: `• Writer: Armin Sijamić`. Stays: a sentence that says who did
    /// what; a signature under a letter that is the article.
    Byline,
    /// When it was published or changed.
    ///
    /// It is about the article. Example: `• Feb 27`, `Updated at 14:05`. Stays: `MOSCOW, Feb 27 —` at the start of a
    /// paragraph; a date as a subheading of a chronicle.
    Dateline,
    /// How long reading takes.
    ///
    /// It is counted by the site. Example: `• 5 min read`. Stays: a sentence about minutes.
    ReadingTime,
    /// What a picture shows, and whose it is.
    ///
    /// It belongs to a picture that the text has lost. Example: `Photo: Vladimir Putin and Donald Trump`. Stays: a
    /// paragraph that describes a picture.
    Caption,
    /// Keywords, topics and sections.
    ///
    /// They file the article. Example: `Tags`, `Filed under: Politics, Europe`. Stays: a list of the article's own.
    Tags,
    /// Buttons to share, print, save and follow.
    ///
    /// They are controls of the page. Example: `Share on Facebook`, `Copy link`. Stays: a sentence about sharing.
    Share,
    /// Other articles: teasers, lists, links to what comes next.
    ///
    /// They are about other articles. Example: `Read more`, `You may also like`, and the headlines below. Stays: a
    /// reference inside a sentence; a list of sources that the author gives.
    Related,
    /// Asks to sign up for mail or alerts.
    ///
    /// It is the site's own errand. Example: `Sign up for our free weekly newsletter`. Stays: an article about
    /// newsletters.
    Newsletter,
    /// Asks for money, with its buttons.
    ///
    /// It is the site's own errand. Example: `Your support, no matter how small, makes a world of difference.`,
    /// `Once`, `Monthly`. Stays: a report on a fundraiser.
    Donation,
    /// Asks to subscribe, register or log in; says what is reserved to those who did.
    ///
    /// It is the site's own errand. Example: `Already a subscriber? Log in`. Stays: a report on subscriptions.
    Subscription,
    /// The form for comments, and what stands around it.
    ///
    /// It is a control of the page. Example: `Leave a Reply`, `0 Comments`, `Required fields are marked *`. Stays: a
    /// sentence that comments on something.
    CommentFooter,
    /// What readers wrote below the article.
    ///
    /// It is by others, about the article. Example: `Jim says: I remember that winter.`. Stays: an interview; a
    /// letter that the article quotes.
    Comments,
    /// Notices about cookies, consent and personal data.
    ///
    /// The law asks the site for it. Example: `Subscribers agree to the Privacy Policy`. Stays: an article about
    /// privacy.
    CookiePrivacy,
    /// Menus, breadcrumbs, search boxes, links within the page.
    ///
    /// They lead elsewhere. Example: `top of page`, `Home`, `Skip to content`. Stays: a subheading; a table of
    /// contents that the article refers to is taken as navigation.
    Navigation,
    /// Who owns the text and the site, who made it.
    ///
    /// It is about the site. Example: `© 2025 Example Media. All rights reserved.`. Stays: a sentence about
    /// copyright.
    Copyright,
    /// Says what the text is not: the view of the paper, advice, up to date.
    ///
    /// It is said of every article alike. Example: `The views expressed in opinion pieces do not necessarily reflect
    /// the position of The Moscow Times.`. Stays: a reservation that the author makes in a sentence of the article.
    Disclaimer,
    /// Says who the author is.
    ///
    /// It is about the author. Example: `Professor Mark Galeotti is the author of Putin’s Wars`. Stays: a sentence
    /// that introduces a person whom the article quotes.
    AuthorBio,
    /// Says where the text was first published, or whence it came.
    ///
    /// It is about the article. Example: `The article was previously published on nap.ba.`. Stays: a source named
    /// inside a sentence.
    SourceNote,
    /// Advertising and what marks it.
    ///
    /// It is paid for. Example: `Advertisement`, `Story continues below`. Stays: a review; a price in a report.
    Advertisement,
    /// Boilerplate of no kind above, or of one that nothing shows.
    ///
    /// By its place and its looks it is not the article. Example: `Loading…`. Stays: anything that reads like a
    /// sentence of the article.
    Other,
    /// A second, different headline.
    ///
    /// It may be the article's own: told, and by default not removed. Example: `The Putin-Trump Dynamic: A
    /// Double-Edged Sword for Russia` below `The Putin-Trump Dynamic: Opportunities and Risks for Russia`. Stays: a
    /// standfirst, a subheading.
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
