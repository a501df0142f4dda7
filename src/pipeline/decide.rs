//! What people decided, by the numbers of the documents that they named.

use std::collections::{BTreeMap, HashMap};

use crate::config::Config;
use crate::corpus::Facts;
use crate::error::Error;
use crate::output::DecisionCount;
use crate::pipeline::judge::Judgment;

/// Decisions about documents of this run.
#[derive(Debug, Default)]
pub(super) struct Decided {
    /// Whether two documents are one story, and the line that says so; the smaller number first.
    pub pairs: BTreeMap<(u32, u32), (bool, u32)>,
    /// Whether a document is kept, and the line.
    pub copies: BTreeMap<u32, (bool, u32)>,
    /// What became of the lines; none when there is no file.
    pub count: Option<DecisionCount>,
}

impl Decided {
    /// Returns what was decided about a pair, and the line.
    pub(super) fn pair(&self, a: u32, b: u32) -> Option<(bool, u32)> {
        if self.pairs.is_empty() {
            return None;
        }
        self.pairs.get(&(a.min(b), a.max(b))).copied()
    }

    /// Returns whether a document was decided to be kept, or to be dropped.
    pub(super) fn copy(&self, document: u32) -> Option<(bool, u32)> {
        self.copies.get(&document).copied()
    }

    /// Returns the pairs that are, or are not, one story.
    pub(super) fn of(&self, same: bool) -> impl Iterator<Item = (u32, u32)> + '_ {
        self.pairs.iter().filter(move |(_, (said, _))| *said == same).map(|(pair, _)| *pair)
    }
}

/// Finds the documents that decisions name.
pub(super) fn decide(config: &Config, judgment: &Judgment<'_>) -> Result<Decided, Error> {
    let decisions = &config.decisions;
    let mut decided = Decided::default();
    if decisions.file().is_empty() && decisions.is_empty() {
        return Ok(decided);
    }
    let mut numbers: HashMap<&str, Option<u32>> = HashMap::new();
    for pair in decisions.pairs() {
        numbers.extend([(pair.a.as_str(), None), (pair.b.as_str(), None)]);
    }
    numbers.extend(decisions.copies().iter().map(|copy| (copy.id.as_str(), None)));
    for next in judgment.facts.iter() {
        let (document, bytes) = next?;
        if let Some(slot) = numbers.get_mut(Facts::decode(&bytes).id.as_str()) {
            *slot = Some(document);
        }
    }
    let mut count = DecisionCount { file: decisions.file().to_owned(), ..DecisionCount::default() };
    let mut gone: Vec<(u32, &str)> = Vec::new();
    let mut number = |id, line| {
        let found = numbers[id];
        if found.is_none() {
            gone.push((line, id));
        }
        found
    };
    for pair in decisions.pairs() {
        if let (Some(a), Some(b)) = (number(&pair.a, pair.line), number(&pair.b, pair.line)) {
            decided.pairs.entry((a.min(b), a.max(b))).or_insert((pair.same, pair.line));
            count.followed += 1;
        }
    }
    for copy in decisions.copies() {
        if let Some(document) = number(&copy.id, copy.line) {
            decided.copies.entry(document).or_insert((copy.keep, copy.line));
            count.followed += 1;
        }
    }
    count.lines = (decisions.pairs().len() + decisions.copies().len()) as u64;
    gone.sort_unstable();
    for (_, id) in gone {
        if !count.gone.iter().any(|known| known == id) {
            count.gone.push(id.to_owned());
        }
    }
    decided.count = Some(count);
    Ok(decided)
}
