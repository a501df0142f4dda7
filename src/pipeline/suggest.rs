//! Rules to suggest: the blocks that repeat most, each with what the judge makes of it now.

use std::cmp::Reverse;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};

use crate::boilerplate::{Action, BoilerplateKind, Match, Recurrence, Rule, fingerprints};
use crate::error::Error;
use crate::output::Suggestion;
use crate::pipeline::read::Census;
use crate::store::Sorted;

/// Stories of a site that must say a block, or sites, before it is suggested: two may be a series or a quotation.
const LEAST: u32 = 3;
/// Blocks that are suggested for a site at most: what a person reads.
const PER_SITE: usize = 50;
/// Blocks that are suggested for all sites together.
const FOR_ALL: usize = 200;
/// Suggestions of a run at most, those of most stories: so memory is bounded however many sites there are.
const MOST: usize = 20_000;
/// Bytes of a block beyond which it is not suggested: nobody edits such a line.
const LONGEST: usize = 2000;

/// Blocks and templates that may be suggested.
#[derive(Debug)]
pub(super) struct Suggesting {
    chosen: Vec<Recurrence>,
    /// The chosen ones by site and fingerprint.
    numbers: HashMap<(Option<u32>, u64), u32>,
}

/// A block that was judged.
#[derive(Clone, Copy, Debug)]
pub(super) struct Block<'a> {
    /// The document and the block's number in it.
    pub place: (u32, u32),
    pub site: u32,
    pub text: &'a str,
    pub terms: &'a [u64],
    /// Its kind, when it goes.
    pub kind: Option<BoilerplateKind>,
}

/// What was seen of the chosen blocks, by their number: sums and first places, so that the order of seeing does not matter.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    blocks: HashMap<u32, SeenBlock>,
}

#[derive(Clone, Debug)]
struct SeenBlock {
    /// Where it stands first, and how it is written there.
    first: (u32, u32),
    text: String,
    /// Whether the fingerprint is that of its template.
    near: bool,
    exact: u64,
    template: Option<u64>,
    kept: u64,
    removed: BTreeMap<BoilerplateKind, u64>,
}

impl Seen {
    /// Takes over what another thread saw.
    pub(super) fn merge(&mut self, other: Seen) {
        for (number, more) in other.blocks {
            match self.blocks.entry(number) {
                Entry::Vacant(slot) => {
                    slot.insert(more);
                }
                Entry::Occupied(mut slot) => {
                    let slot = slot.get_mut();
                    slot.kept += more.kept;
                    for (kind, count) in more.removed {
                        *slot.removed.entry(kind).or_default() += count;
                    }
                    if more.first < slot.first {
                        slot.first = more.first;
                        slot.text = more.text;
                        (slot.exact, slot.template) = (more.exact, more.template);
                    }
                }
            }
        }
    }
}

/// The order of strength: most stories first.
fn by_strength(one: &Recurrence) -> (Reverse<(u32, u32)>, Option<u32>, u64) {
    (Reverse((one.clusters, one.documents)), one.site, one.fingerprint)
}

/// Keeps the strongest.
fn cut(list: &mut Vec<Recurrence>, most: usize) {
    list.sort_unstable_by_key(by_strength);
    list.truncate(most);
}

impl Suggesting {
    /// Chooses among all that recurs.
    pub(super) fn choose(recurrences: &Sorted<'_, Recurrence>) -> Result<Suggesting, Error> {
        let mut lists: HashMap<Option<u32>, Vec<Recurrence>> = HashMap::new();
        for next in recurrences.iter()? {
            let next = next?;
            let least = if next.site.is_none() { next.sites.min(next.clusters) } else { next.clusters };
            if least < LEAST {
                continue;
            }
            let most = if next.site.is_none() { FOR_ALL } else { PER_SITE };
            let list = lists.entry(next.site).or_default();
            list.push(next);
            if list.len() == 2 * most {
                cut(list, most);
            }
        }
        let mut chosen = Vec::new();
        for (site, mut list) in lists {
            cut(&mut list, if site.is_none() { FOR_ALL } else { PER_SITE });
            chosen.append(&mut list);
        }
        cut(&mut chosen, MOST);
        let numbers = (0..).zip(&chosen).map(|(number, one)| ((one.site, one.fingerprint), number)).collect();
        Ok(Suggesting { chosen, numbers })
    }

    /// Looks whether a block is one of the chosen, and notes what became of it.
    pub(super) fn meet(&self, block: &Block<'_>, seen: &mut Seen) {
        if block.text.len() > LONGEST {
            return;
        }
        let prints = fingerprints(block.text, block.terms);
        let both = [(Some(prints.exact), false), (prints.template, true)];
        for (print, near) in both.into_iter().filter_map(|(print, near)| Some((print?, near))) {
            for site in [None, Some(block.site)] {
                let Some(number) = self.numbers.get(&(site, print)) else { continue };
                let slot = seen.blocks.entry(*number).or_insert_with(|| SeenBlock {
                    first: block.place,
                    text: block.text.to_owned(),
                    near,
                    exact: prints.exact,
                    template: prints.template,
                    kept: 0,
                    removed: BTreeMap::new(),
                });
                if block.place < slot.first {
                    slot.first = block.place;
                    block.text.clone_into(&mut slot.text);
                    (slot.exact, slot.template) = (prints.exact, prints.template);
                }
                match block.kind {
                    Some(kind) => *slot.removed.entry(kind).or_default() += 1,
                    None => slot.kept += 1,
                }
            }
        }
    }

    /// Returns the suggestions in the order of a rules file: those for all sites, then site by site in order of name, the
    /// strongest first.
    ///
    /// A template is suggested where it stands in more stories than the line that it was first seen as; then that line is not.
    pub(super) fn finish(self, census: &Census<'_>, seen: &Seen) -> Vec<Suggestion> {
        let clusters = |site: Option<u32>, print: u64| {
            self.numbers.get(&(site, print)).map_or(0, |number| self.chosen[*number as usize].clusters)
        };
        let mut suggestions = Vec::new();
        for (number, one) in (0..).zip(&self.chosen) {
            let Some(block) = seen.blocks.get(&number) else { continue };
            let covered = match (block.near, block.template) {
                (true, _) => clusters(one.site, block.exact) >= one.clusters,
                (false, Some(template)) => clusters(one.site, template) > one.clusters,
                (false, None) => false,
            };
            // What is suggested for all sites need not be said again for each.
            let said_for_all = one.site.is_some() && self.numbers.contains_key(&(None, one.fingerprint));
            if covered || said_for_all {
                continue;
            }
            let removed: u64 = block.removed.values().sum();
            let most = block.removed.iter().max_by_key(|(kind, count)| (**count, Reverse(**kind)));
            let kind = most.map(|(kind, _)| *kind).filter(|_| removed > block.kept);
            let site = one.site.map(|site| &census.sites[site as usize]);
            suggestions.push(Suggestion {
                rule: Rule {
                    text: block.text.clone(),
                    how: if block.near { Match::Template } else { Match::Line },
                    site: site.map(|site| site.name.clone()).filter(|name| !name.is_empty()),
                    action: if kind.is_some() { Action::Remove } else { Action::Keep },
                    kind,
                    line: 0,
                },
                documents: one.documents,
                sites: one.sites,
                clusters: one.clusters,
                site_documents: site.map(|site| site.documents),
                removed,
                kept: block.kept,
            });
        }
        suggestions.sort_by(|a, b| {
            let key = |one: &Suggestion| (one.site_documents.is_some(), Reverse((one.clusters, one.documents)));
            let ((all_a, strength_a), (all_b, strength_b)) = (key(a), key(b));
            (all_a, &a.rule.site, strength_a, &a.rule.text).cmp(&(all_b, &b.rule.site, strength_b, &b.rule.text))
        });
        suggestions
    }
}
