//! Attributes for the dolma toolkit: what would go, said beside the documents instead of taken out of them.
//!
//! A line for every record, in order: `{"id": …, "attributes": {name: [[start, end, score], …]}}`. Places are counted in
//! characters (Unicode code points), as the toolkit's mixer counts them, and end after what goes with a block, so that a
//! mixer that takes them out leaves what `clean` leaves.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::document::Document;
use crate::output::cleaned::{Decision, widened};
use crate::output::tables::append_row;

/// What every attribute's name begins with: the name of the program, as the toolkit puts a tagger's there.
const TAGGER: &str = "retold__";

/// The attribute that holds all blocks that would be taken out.
const BOILERPLATE: &str = "boilerplate";

/// The attribute that holds the whole text of a document that would be dropped.
const DUPLICATE: &str = "duplicate";

/// What names a record, as it stands there.
#[derive(Default, Deserialize)]
struct Known<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    source: Option<&'a RawValue>,
}

#[derive(Serialize)]
struct Line<'a> {
    id: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'a RawValue>,
    attributes: BTreeMap<String, Vec<(usize, usize, f64)>>,
}

/// Appends the line of a record; of one that is no document, and has no decision, a line without attributes.
pub(super) fn append(record: &[u8], judged: Option<(&Document, &Decision)>, out: &mut Vec<u8>) {
    let known: Known<'_> = serde_json::from_slice(record).unwrap_or_default();
    let attributes = judged.map_or_else(BTreeMap::new, |(document, decision)| attributes(document, decision));
    append_row(&Line { id: known.id, source: known.source, attributes }, out);
}

/// Returns what would go of a document, by name.
fn attributes(document: &Document, decision: &Decision) -> BTreeMap<String, Vec<(usize, usize, f64)>> {
    let mut attributes: BTreeMap<String, Vec<(usize, usize, f64)>> = BTreeMap::new();
    let mut add = |name: &str, place: (usize, usize, f64)| {
        attributes.entry(format!("{TAGGER}{name}")).or_default().push(place);
    };
    let (mut byte, mut chars) = (0, 0);
    let mut place_of = |to: usize| {
        chars += document.text[byte..to].chars().count();
        byte = to;
        chars
    };
    for (span, block) in widened(&document.text, &decision.removed).into_iter().zip(&decision.removed) {
        let place = (place_of(span.start), place_of(span.end), block.score);
        // What the block before it took along is nothing to take out.
        if place.0 < place.1 {
            add(BOILERPLATE, place);
            add(block.kind.name(), place);
        }
    }
    if !decision.keep {
        let similarity = decision.dropped.as_ref().and_then(|dropped| dropped.similarity).unwrap_or(1.0);
        add(DUPLICATE, (0, place_of(document.text.len()), similarity));
    }
    attributes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::boilerplate::BoilerplateKind;
    use crate::document::Span;
    use crate::output::{DroppedDocument, RemovedBlock};

    #[test]
    fn places_are_counted_in_characters_and_names_are_those_of_the_record() {
        let text = "Müller sagt «东京».\n\nAbonnieren Sie!\n\n€ 5";
        let start = text.find("Abonnieren").unwrap();
        let block = Span::new(start, start + "Abonnieren Sie!".len());
        let mut decision = Decision {
            id: "7#2".to_owned(),
            keep: true,
            removed: vec![RemovedBlock { span: block, kind: BoilerplateKind::Newsletter, score: 0.75 }],
            dropped: None,
        };
        let document = Document { id: "7".to_owned(), text: text.to_owned(), ..Document::default() };
        let line = |decision: &Decision| {
            let mut out = Vec::new();
            append(br#"{"text": "", "id": 7, "source": "a"}"#, Some((&document, decision)), &mut out);
            String::from_utf8(out).unwrap()
        };
        let span = "[[19,36,0.75]]";
        let expected = format!("\"retold__boilerplate\":{span},\"retold__newsletter\":{span}}}}}\n");
        assert_eq!(line(&decision), format!("{{\"id\":7,\"source\":\"a\",\"attributes\":{{{expected}"));
        decision.removed.clear();
        decision.keep = false;
        decision.dropped = Some(DroppedDocument {
            kept_id: None,
            similarity: Some(0.5),
            relation: "near".to_owned(),
            reason: String::new(),
        });
        assert!(
            line(&decision).ends_with("\"attributes\":{\"retold__duplicate\":[[0,39,0.5]]}}\n"),
            "{}",
            line(&decision)
        );
    }

    #[test]
    fn a_record_that_is_no_document_has_a_line_too() {
        for (record, line) in [
            (&br#"{"id": "x"}"#[..], "{\"id\":\"x\",\"attributes\":{}}\n"),
            (b"{broken", "{\"id\":null,\"attributes\":{}}\n"),
        ] {
            let mut out = Vec::new();
            append(record, None, &mut out);
            assert_eq!(out, line.as_bytes());
        }
    }
}
