//! Explanations for people: a document block by block, two documents side by side.

use retold::output::{BlockExplanation, DocumentExplanation, PairExplanation, Passage};

use crate::diagnostics::Paint;
use crate::render::{WIDTH, counted, cut, fit, width, wrap};

/// Returns a document as lines: each block with its line, kind, score and beginning, and why it is boilerplate.
pub fn document(explanation: &DocumentExplanation, paint: Paint) -> String {
    let mut out = String::new();
    let title = match &explanation.site {
        Some(site) => format!("{} ({site})", explanation.id),
        None => explanation.id.clone(),
    };
    out.push_str(&format!("{}\n", paint.bold(&title)));
    match (&explanation.headline, explanation.headline_source.as_deref()) {
        (Some(headline), Some("title")) => out.push_str(&headline_lines(headline, "its title")),
        (Some(headline), _) => out.push_str(&headline_lines(headline, "its text")),
        (None, _) => out.push_str("no headline\n"),
    }
    let mut facts = format!(
        "{}, {} without boilerplate",
        counted(explanation.words, "word"),
        counted(explanation.content_words, "word")
    );
    if let Some(lang) = &explanation.lang {
        facts.push_str(&format!(", language {lang}"));
    }
    out.push_str(&format!("{facts}\n"));
    if explanation.withheld {
        out.push_str("nearly everything looked like boilerplate, so nothing is taken out\n");
    }
    out.push('\n');
    let lines = explanation.blocks.last().map_or(1, |block| block.line.to_string().len());
    for block in &explanation.blocks {
        out.push_str(&block_lines(block, lines, paint));
    }
    out
}

fn headline_lines(headline: &str, source: &str) -> String {
    let lines = wrap(&format!("headline, from {source}: “{headline}”"), WIDTH);
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// The width of the longest name of a kind.
const KIND: usize = 17;

fn block_lines(block: &BlockExplanation, lines: usize, paint: Paint) -> String {
    let start = format!("{:>lines$}  ", block.line);
    let Some(kind) = &block.kind else {
        let indent = " ".repeat(KIND + 8);
        let text = cut(&block.text, WIDTH - width(&start) - KIND - 8);
        let mut out = format!("{}{indent}{text}\n", paint.dim(&start));
        // Content is shown without its evidence, unless the user has said that it is content.
        if block.rule.is_some() {
            let margin = width(&start) + KIND + 8;
            for line in wrap(&block.reason, WIDTH - margin) {
                out.push_str(&format!("{}{}\n", " ".repeat(margin), paint.dim(&line)));
            }
        }
        return out;
    };
    let score = format!("{:.2}", block.score);
    let text = cut(&block.text, WIDTH - width(&start) - KIND - 8);
    let text = if block.removed { paint.red(&text) } else { paint.yellow(&text) };
    let mut out = format!("{}{}  {score}  {text}\n", paint.dim(&start), paint.bold(&fit(kind, KIND)));
    let stays = if block.removed { "" } else { "; stays" };
    let indent = width(&start) + KIND + 8;
    for line in wrap(&format!("{}{stays}", block.reason), WIDTH - indent) {
        out.push_str(&format!("{}{}\n", " ".repeat(indent), paint.dim(&line)));
    }
    out
}

/// Returns a pair as lines: figures, verdict, then what both say and what differs, side by side.
pub fn pair(explanation: &PairExplanation, paint: Paint) -> String {
    let mut out = String::new();
    out.push_str(&format!("{}  {}\n", paint.bold("a"), cut(&explanation.a, WIDTH - 3)));
    out.push_str(&format!("{}  {}\n\n", paint.bold("b"), cut(&explanation.b, WIDTH - 3)));
    out.push_str(&format!(
        "similarity  {:.3} without boilerplate, {:.3} with it\n",
        explanation.jaccard, explanation.jaccard_raw
    ));
    out.push_str(&format!(
        "contained   {:.3} of a is in b, {:.3} of b is in a\n",
        explanation.a_in_b, explanation.b_in_a
    ));
    let verdict = if explanation.joined { paint.green("one story") } else { paint.yellow("not one story") };
    out.push_str(&format!("verdict     {verdict} ({})\n", explanation.relation));
    for (position, line) in wrap(&explanation.reason, WIDTH - 12).iter().enumerate() {
        out.push_str(&format!("{}{line}\n", if position == 0 { "because     " } else { "            " }));
    }
    if explanation.passages.is_empty() {
        return out;
    }
    let (mut shared, mut only_a, mut only_b) = (0, 0, 0);
    for passage in &explanation.passages {
        if passage.shared {
            shared += passage.words_a;
        } else {
            only_a += passage.words_a;
            only_b += passage.words_b;
        }
    }
    out.push_str(&format!(
        "\n{} in passages that both have; {} in a alone, {} in b alone\n",
        counted(shared, "word"),
        counted(only_a, "word"),
        counted(only_b, "word")
    ));
    for passage in &explanation.passages {
        out.push('\n');
        out.push_str(&passage_lines(passage, paint));
    }
    out
}

/// Lines of a differing passage that are shown on either side; the rest is counted.
const MOST_LINES: usize = 12;

fn passage_lines(passage: &Passage, paint: Paint) -> String {
    if passage.shared {
        let label = format!("= {} in both: ", counted(passage.words_a, "word"));
        let room = WIDTH - width(&label) - 2;
        return format!("{}“{}”\n", paint.green(&label), ends(&passage.a, room));
    }
    let side = (WIDTH - 3) / 2;
    let column = |text: &str, words: u64| {
        if words == 0 {
            return vec!["(nothing)".to_owned()];
        }
        let mut lines = wrap(text, side);
        if lines.len() > MOST_LINES {
            let more = lines.len() - MOST_LINES + 1;
            lines.truncate(MOST_LINES - 1);
            lines.push(format!("… {more} more lines"));
        }
        lines
    };
    let (left, right) = (column(&passage.a, passage.words_a), column(&passage.b, passage.words_b));
    let mut out = String::new();
    for row in 0..left.len().max(right.len()) {
        let of = |lines: &[String]| lines.get(row).cloned().unwrap_or_default();
        let line = format!("{} │ {}", fit(&of(&left), side), of(&right));
        out.push_str(&format!("{}\n", line.trim_end()));
    }
    out
}

/// Returns the beginning and the end of a text, within `columns`.
fn ends(text: &str, columns: usize) -> String {
    let whole = cut(text, usize::MAX);
    if width(&whole) <= columns {
        return whole;
    }
    let half = columns.saturating_sub(3) / 2;
    let head = cut(&whole, half + 1);
    let reversed: String = whole.chars().rev().collect();
    let tail: String = cut(&reversed, half + 1).trim_end_matches('…').chars().rev().collect();
    format!("{} … {}", head.trim_end_matches('…').trim_end(), tail.trim_start())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_of_a_long_passage_are_shown() {
        assert_eq!(ends("one two", 20), "one two");
        let told = ends("The council voted on Monday to close the old bridge until the spring", 30);
        assert!(told.starts_with("The council"), "{told}");
        assert!(told.ends_with("the spring"), "{told}");
        assert!(width(&told) <= 30, "{told}");
    }

    #[test]
    fn what_differs_stands_side_by_side() {
        let passage = Passage { shared: false, words_a: 3, words_b: 0, a: "the old bridge".into(), b: String::new() };
        let text = passage_lines(&passage, Paint::none());
        assert_eq!(text, format!("{} │ (nothing)\n", fit("the old bridge", 38)));
    }

    #[test]
    fn a_block_says_what_it_is_and_why() {
        let block = BlockExplanation {
            start: 0,
            end: 11,
            line: 7,
            kind: Some("newsletter".into()),
            score: 0.987,
            removed: true,
            rule: None,
            reason: "after the article, says “sign up”".into(),
            text: "Sign up now".into(),
        };
        let text = block_lines(&block, 2, Paint::none());
        let indent = " ".repeat(4 + KIND + 8);
        assert_eq!(
            text,
            format!(" 7  newsletter         0.99  Sign up now\n{indent}after the article, says “sign up”\n")
        );
    }
}
