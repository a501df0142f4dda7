//! The texts that a page shows: read again, checked, cut into pieces, compared, packed.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use similar::{Algorithm, DiffOp, capture_diff_slices};

use crate::boilerplate::BoilerplateKind;
use crate::document::DocumentSource;
use crate::error::Error;
use crate::hash::{hash128, mix64};
use crate::output::{BlockRow, FinishedScan};
use crate::report::documents::Listed;
use crate::report::gather::Gathered;
use crate::report::phrases::OF_DOCUMENT;
use crate::report::{Limits, encode};
use crate::text::hash_terms;

/// Texts packed together: what is opened at once when one of them is looked at.
const TEXTS_OF_PART: usize = 32;

/// Words of a text that are compared with those of another.
const COMPARED: usize = 3000;

/// Documents of the sample whose texts are shown.
const DRAWN: usize = 500;

/// A text that `scan --keep-texts` stored: a row of the table `texts`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TextRow {
    /// The id path of its file.
    pub source: String,
    /// Its number in that file, 0 for the first.
    pub row: u64,
    /// The text as decoded.
    pub text: String,
}

/// Where texts are read from.
pub enum Texts<'a> {
    /// The inputs of the scan.
    Inputs(&'a dyn DocumentSource),
    /// The table `texts` of the scan.
    Kept,
    /// They are not at hand.
    Nowhere,
}

/// Texts in their place in the page.
#[derive(Debug, Default)]
pub(super) struct Packed {
    /// Parts in Base64, each a packed list of texts.
    pub parts: Vec<String>,
    /// Texts in them.
    pub texts: usize,
    /// Texts that were asked for and found, but for which the page had no room.
    pub without_room: usize,
    pub changed: usize,
    pub missing: usize,
}

/// Two documents whose differing words are marked: the first is shown to the left.
type Comparison = (usize, usize);

/// What is read and compared, the most important first.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    pub documents: Vec<usize>,
    comparisons: Vec<Comparison>,
}

impl Wanted {
    /// Chooses documents whose texts are shown: a representative and a member of every cluster, the borderline pairs, a
    /// sample of all documents, then the other members, one of each cluster at a time, as long as there is room.
    pub(super) fn choose(gathered: &Gathered, listed: &Listed, limits: &Limits) -> Wanted {
        let at = |id: &String| listed.by_id.get(id).copied();
        let mut wanted = Wanted::default();
        let mut taken = vec![false; listed.documents.len()];
        let mut order: Vec<usize> = Vec::new();
        for cluster in &gathered.clusters {
            order.extend(cluster.members.iter().take(2).filter_map(at));
        }
        for pair in &gathered.pairs {
            order.extend([&pair.row.a, &pair.row.b].into_iter().filter_map(at));
            if let (Some(a), Some(b)) = (at(&pair.row.a), at(&pair.row.b)) {
                wanted.comparisons.push((a, b));
            }
        }
        for version in &gathered.versions {
            if let (Some(old), Some(new)) = (at(&version.previous_id), at(&version.id)) {
                order.extend([old, new]);
                wanted.comparisons.push((old, new));
            }
        }
        order.extend(listed.drawn.iter().take(DRAWN));
        for place in 2..limits.members {
            order.extend(gathered.clusters.iter().filter_map(|cluster| at(cluster.members.get(place)?)));
        }
        for cluster in &gathered.clusters {
            let Some(representative) = at(&cluster.representative) else { continue };
            let members = cluster.members.iter().skip(1).filter_map(at);
            wanted.comparisons.extend(members.map(|member| (representative, member)));
        }
        wanted.comparisons.sort_unstable();
        wanted.comparisons.dedup();
        order.retain(|at| !std::mem::replace(&mut taken[*at], true));
        order.truncate(limits.texts);
        wanted.documents = order;
        wanted
    }
}

/// Reads the texts wanted, notes in `listed` where each is or why it is not, and packs them.
pub(super) fn pack(
    scan: &FinishedScan,
    origin: &Texts<'_>,
    wanted: &Wanted,
    listed: &mut Listed,
    blocks: &HashMap<usize, Vec<BlockRow>>,
    limits: &Limits,
) -> Result<Packed, Error> {
    let mut found = HashMap::new();
    let (mut changed, mut missing) = (0, 0);
    let mut places: HashMap<(&str, u64), usize> = HashMap::new();
    for at in &wanted.documents {
        let document = &listed.documents[*at];
        places.insert((&document.source, document.row), *at);
    }
    let mut absent = HashMap::new();
    let mut take = |source: &str, row: u64, text: &str| {
        let Some(at) = places.get(&(source, row)) else { return };
        let document = &listed.documents[*at];
        if format!("{:032x}", hash128(text.as_bytes())) == document.text_hash {
            let empty = Vec::new();
            let pieces = Pieces::of(text, blocks.get(at).unwrap_or(&empty), limits.text_bytes);
            found.insert(*at, pieces);
        } else {
            absent.insert(*at, "changed");
        }
    };
    match origin {
        Texts::Inputs(source) => {
            let mut pass = source.pass()?;
            let mut left = wanted.documents.len();
            while left > 0
                && let Some(batch) = pass.next_batch()?
            {
                for document in batch.parse().documents {
                    take(&document.source, document.row, &document.text);
                    left -= usize::from(places.contains_key(&(&*document.source, document.row)));
                }
            }
        }
        Texts::Kept => {
            for row in scan.rows::<TextRow>("texts")? {
                let row = row?;
                take(&row.source, row.row, &row.text);
            }
        }
        Texts::Nowhere => {}
    }
    for at in &wanted.documents {
        if found.contains_key(at) {
            continue;
        }
        let why = match origin {
            Texts::Nowhere => "unavailable",
            _ => absent.get(at).copied().unwrap_or("missing"),
        };
        changed += usize::from(why == "changed");
        missing += usize::from(why == "missing");
        listed.documents[*at].absent = Some(why);
        // What the table tells of it is shown all the same.
        let empty = Vec::new();
        found.insert(*at, Pieces::of_blocks(blocks.get(at).unwrap_or(&empty)));
    }
    let mut packed = Packed { changed, missing, ..Packed::default() };
    let mut room = limits.packed_bytes;
    for part in wanted.documents.chunks(TEXTS_OF_PART) {
        let texts: Vec<Value> = part.iter().map(|at| text_value(*at, wanted, &found)).collect();
        let text = encode::packed(Value::from(texts).to_string().as_bytes());
        if text.len() > room {
            packed.without_room += part.len();
            for at in part {
                listed.documents[*at].absent.get_or_insert("no_room");
            }
            continue;
        }
        room -= text.len();
        for (place, at) in part.iter().enumerate() {
            let document = &mut listed.documents[*at];
            packed.texts += usize::from(document.absent.is_none());
            document.text = Some((packed.parts.len(), place));
        }
        packed.parts.push(text);
    }
    Ok(packed)
}

/// Returns a text as the page's script reads it, with what differs from the texts that it is shown beside.
fn text_value(at: usize, wanted: &Wanted, found: &HashMap<usize, Pieces>) -> Value {
    let pieces = &found[&at];
    let mut differences = serde_json::Map::new();
    if !pieces.absent {
        for (left, _) in wanted.comparisons.iter().filter(|(_, right)| *right == at) {
            if let Some(other) = found.get(left).filter(|other| !other.absent) {
                differences.insert(left.to_string(), differing(other, pieces).into());
            }
        }
    }
    json!({ "pieces": pieces.pieces, "cut": pieces.cut, "differences": differences })
}

/// A text in pieces: content as text, blocks as lists of text, kind, score, whether removed, line, documents, sites,
/// clusters, cue, rule, place, whether shown whole.
#[derive(Debug, Default)]
struct Pieces {
    pieces: Vec<Value>,
    /// Hashes of the words that are compared.
    words: Vec<u64>,
    /// Bytes that are not shown.
    cut: usize,
    /// Whether only its blocks are known.
    absent: bool,
}

impl Pieces {
    fn of(text: &str, blocks: &[BlockRow], most: usize) -> Pieces {
        // Blocks beyond those that were kept would look like content.
        let known =
            if blocks.len() < OF_DOCUMENT { usize::MAX } else { blocks.last().map_or(0, |last| last.end as usize) };
        let end = (0..=most.min(text.len()).min(known)).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let shown = &text[..end];
        let mut pieces = Pieces { cut: text.len() - shown.len(), ..Pieces::default() };
        let mut at = 0;
        for block in blocks {
            let (start, end) = (block.start as usize, (block.end as usize).min(shown.len()));
            // Blocks stand in order and do not overlap; a row that says otherwise is passed over.
            let (Some(before), Some(inside)) = (shown.get(at..start), shown.get(start..end)) else { continue };
            pieces.content(before);
            pieces.block(block, inside);
            at = end;
        }
        pieces.content(&shown[at..]);
        pieces.words.truncate(COMPARED);
        pieces
    }

    fn of_blocks(blocks: &[BlockRow]) -> Pieces {
        let mut pieces = Pieces { absent: true, ..Pieces::default() };
        for block in blocks {
            pieces.block(block, &block.text);
        }
        pieces
    }

    fn content(&mut self, text: &str) {
        if !text.is_empty() {
            self.pieces.push(text.into());
            self.compare(text);
        }
    }

    /// Takes the words of a text for comparing: by their normal form, so that what is no difference to a similarity is none
    /// here.
    fn compare(&mut self, text: &str) {
        let mut terms = Vec::new();
        self.words.extend(words(text).map(|word| {
            terms.clear();
            hash_terms(word, &mut terms);
            terms.iter().fold(0, |all, term| mix64(all ^ term))
        }));
    }

    fn block(&mut self, block: &BlockRow, text: &str) {
        let kind = block.kind.as_deref().and_then(|kind| kind.parse::<BoilerplateKind>().ok()).map(|kind| kind as u8);
        // A block that stays is part of what is compared.
        if !block.removed {
            self.compare(text);
        }
        self.pieces.push(json!([
            text,
            kind,
            block.score,
            u8::from(block.removed),
            block.line,
            block.evidence_documents,
            block.evidence_sites,
            block.evidence_clusters,
            block.evidence_cue,
            block.evidence_rule,
            block.evidence_place,
            u8::from(text.len() as u64 == block.end - block.start),
        ]));
    }
}

/// Returns whether a character is a word of its own: scripts without blanks between words.
fn is_alone(c: char) -> bool {
    matches!(c, '\u{e00}'..='\u{eff}' | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}')
}

/// Returns what is compared of a text, as the page's script finds it too: runs of anything but space, tab and line end, and
/// single characters of scripts without blanks.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let is_blank = |c: char| matches!(c, ' ' | '\t' | '\n' | '\r');
    let mut rest = text;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(is_blank);
        let first = rest.chars().next()?;
        let end = match is_alone(first) {
            true => first.len_utf8(),
            false => rest.find(|c| is_blank(c) || is_alone(c)).unwrap_or(rest.len()),
        };
        let (word, after) = rest.split_at(end);
        rest = after;
        Some(word)
    })
}

/// Returns how two texts differ, as counts of words in threes: in both, in the first alone, in the second alone.
fn differing(a: &Pieces, b: &Pieces) -> Vec<usize> {
    let mut counts: Vec<[usize; 3]> = Vec::new();
    for operation in capture_diff_slices(Algorithm::Myers, &a.words, &b.words) {
        let (equal, old, new) = match operation {
            DiffOp::Equal { len, .. } => (len, 0, 0),
            DiffOp::Delete { old_len, .. } => (0, old_len, 0),
            DiffOp::Insert { new_len, .. } => (0, 0, new_len),
            DiffOp::Replace { old_len, new_len, .. } => (0, old_len, new_len),
        };
        match counts.last_mut() {
            Some([_, last_old, last_new]) if equal == 0 => {
                *last_old += old;
                *last_new += new;
            }
            _ => counts.push([equal, old, new]),
        }
    }
    counts.concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_runs_and_single_characters_of_scripts_without_blanks() {
        assert_eq!(words(" one,\ttwo\u{a0}three \r\n").collect::<Vec<_>>(), ["one,", "two\u{a0}three"]);
        assert_eq!(words("5G手机 ok").collect::<Vec<_>>(), ["5G", "手", "机", "ok"]);
        assert_eq!(words("").count(), 0);
    }

    #[test]
    fn differences_are_counted_in_threes() {
        let pieces = |text: &str| Pieces::of(text, &[], 100);
        assert_eq!(differing(&pieces("a b c d"), &pieces("a x c d e")), [1, 1, 1, 2, 0, 1]);
        assert_eq!(differing(&pieces(""), &pieces("")), [] as [usize; 0]);
        assert_eq!(differing(&pieces("a"), &pieces("b")), [0, 1, 1]);
    }

    #[test]
    fn what_normalizing_undoes_is_no_difference() {
        let pieces = |text: &str| Pieces::of(text, &[], 100);
        let (a, b) = (pieces("the port\u{2019}s OLD pier \u{2014} again"), pieces("The port's old pi\u{ad}er - again"));
        assert_eq!(differing(&a, &b), [6, 0, 0]);
    }

    #[test]
    fn a_text_is_cut_between_characters_and_its_pieces_are_the_text() {
        let pieces = Pieces::of("aé\u{0}日本", &[], 6);
        assert_eq!((pieces.pieces, pieces.cut), (vec![Value::from("aé\u{0}")], 6));
    }
}
