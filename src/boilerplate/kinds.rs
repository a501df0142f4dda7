//! Which kind of boilerplate a flagged block is: by its cue phrases, its looks, and the section that it stands in.

use crate::boilerplate::BoilerplateKind as Kind;
use crate::boilerplate::features::Blocks;
use crate::boilerplate::shape::{KINDS, Shape, end};

/// Blocks that a section's first line speaks for, when nothing else does.
const REACH: usize = 24;

/// Decides the kind of every flagged block; a headline said again and a second headline are found here too.
pub(super) fn decide(page: &Blocks, flagged: &[bool], with_model: bool) -> Vec<Option<Kind>> {
    let first_long = (0..page.len()).find(|at| page.is_long(*at) && !flagged[*at]);
    let mut kinds: Vec<Option<Kind>> = vec![None; page.len()];
    let mut section: Option<(Kind, usize)> = None;
    for at in 0..page.len() {
        let shape = &page.shapes[at];
        if page.headline == Some(at) {
            section = None;
        }
        if let Some(kind) = headline_said_again(page, at, flagged[at], first_long, with_model) {
            kinds[at] = Some(kind);
            continue;
        }
        if !flagged[at] {
            if page.is_long(at) {
                section = None;
            }
            continue;
        }
        let own = own_kind(page, at, first_long);
        let inherited = section.filter(|(_, from)| at - from <= REACH).map(|(kind, _)| kind);
        let kind = match (own, inherited) {
            (Some((kind, sure)), Some(section)) if !sure && holds(section, kind) => section,
            (Some((kind, _)), _) => kind,
            (None, Some(section)) => section,
            (None, None) => by_looks(shape, at, first_long, page),
        };
        if let Some((own, _)) = own
            && opens(own)
            && kind == own
        {
            section = Some((own, at));
        } else if kind == Kind::Navigation {
            section = None;
        }
        kinds[at] = Some(kind);
    }
    // What stands above a section's name and says nothing itself goes with what follows it.
    for at in (1..page.len()).rev() {
        if kinds[at - 1] == Some(Kind::Other)
            && let Some(next) = kinds[at].filter(|kind| matches!(kind, Kind::Donation | Kind::Newsletter))
        {
            kinds[at - 1] = Some(next);
        }
    }
    kinds
}

/// Returns whether a block says the headline again, or says another headline.
fn headline_said_again(
    page: &Blocks,
    at: usize,
    flagged: bool,
    first_long: Option<usize>,
    with_model: bool,
) -> Option<Kind> {
    let headline = page.headline?;
    if at == headline || !with_model && !flagged {
        return None;
    }
    let shape = &page.shapes[at];
    let similar = page.headline_similarity(at);
    if shape.words < 3.0 || page.is_long(at) && similar < 0.9 {
        return None;
    }
    let at_the_head = first_long.is_none_or(|first| at < first);
    if similar >= 0.99 && (flagged || at_the_head) || similar >= 0.6 && flagged {
        return Some(Kind::RepeatedHeadline);
    }
    if at_the_head && at > headline && at - headline <= 3 && similar >= 0.25 && shape.words >= 4.0 {
        let plain = shape.end != end::SENTENCE && shape.end != end::COLON && shape.strong * 3 < shape.tokens.max(1);
        let again = (headline..at).any(|other| page.shapes[other].hash == shape.hash);
        if plain && again {
            return Some(Kind::RepeatedHeadline);
        }
        if plain && (at - headline == 1 || flagged) {
            return Some(Kind::HeadlineVariant);
        }
    }
    None
}

/// Returns the kind that a block's own words speak for, and whether they leave no doubt.
fn own_kind(page: &Blocks, at: usize, first_long: Option<usize>) -> Option<(Kind, bool)> {
    let shape = &page.shapes[at];
    let tokens = shape.tokens.max(1) as f32;
    let mut best: Option<(usize, f32)> = None;
    for kind in 0..KINDS {
        let value = f32::from(shape.cues[kind]);
        if value > 0.0 && best.is_none_or(|(_, most)| value > most) {
            best = Some((kind, value));
        }
    }
    if shape.rights > 0 && shape.tokens < 40 {
        return Some((Kind::Copyright, true));
    }
    let dated = (shape.months + shape.numbers + shape.clocks) as f32 / tokens;
    if dated >= 0.6
        && shape.tokens >= 2
        && shape.tokens <= 12
        && (shape.months > 0 || shape.clocks > 0 || shape.numbers > 2)
    {
        let reading = shape.cues[Kind::ReadingTime as usize] > 0;
        return Some((if reading { Kind::ReadingTime } else { Kind::Dateline }, true));
    }
    let (kind, value) = best?;
    let kind = Kind::ALL[kind];
    let share = value / tokens;
    let sure = share >= 0.5 || value >= 4.0 || (shape.cue_first && share >= 0.3);
    if share < 0.12 && value < 3.0 {
        return None;
    }
    let kind = match kind {
        Kind::Comments if shape.tokens <= 3 && first_long.is_some_and(|first| at > first) => Kind::CommentFooter,
        Kind::Byline if shape.tokens > 25 => Kind::AuthorBio,
        kind => kind,
    };
    Some((kind, sure))
}

/// Returns whether a kind opens a section whose lines below belong to it.
fn opens(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Newsletter
            | Kind::Donation
            | Kind::Subscription
            | Kind::Related
            | Kind::CommentFooter
            | Kind::Comments
            | Kind::CookiePrivacy
            | Kind::Tags
            | Kind::Share
            | Kind::AuthorBio
            | Kind::Byline
    )
}

/// Returns whether a section of one kind holds lines that by themselves would be of another.
fn holds(section: Kind, line: Kind) -> bool {
    match section {
        Kind::Donation => matches!(line, Kind::Subscription | Kind::Related | Kind::Newsletter | Kind::Navigation),
        Kind::Newsletter => matches!(line, Kind::Subscription | Kind::Navigation | Kind::Related),
        Kind::Related => matches!(line, Kind::Navigation | Kind::Byline | Kind::Dateline),
        Kind::CommentFooter | Kind::Comments => {
            matches!(line, Kind::Navigation | Kind::Byline | Kind::Dateline | Kind::Related | Kind::Share)
        }
        _ => false,
    }
}

/// Returns the kind of a block that no phrase and no section speaks for.
fn by_looks(shape: &Shape, at: usize, first_long: Option<usize>, page: &Blocks) -> Kind {
    let head = page.headline.is_some_and(|headline| at > headline) && first_long.is_none_or(|first| at < first);
    if head && shape.words >= 2.0
        || shape.words >= 4.0 && shape.words <= 45.0 && first_long.is_some_and(|first| at > first && at < first + 6)
    {
        return if shape.words <= 4.0 && shape.links == 0 && shape.capitalized >= 2 {
            Kind::Byline
        } else {
            Kind::Caption
        };
    }
    if shape.words <= 6.0 && shape.end != end::SENTENCE { Kind::Navigation } else { Kind::Other }
}
