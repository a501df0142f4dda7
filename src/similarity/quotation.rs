//! Quotation: which words of a post are its own, and which stand in lines that it quotes.

use crate::document::Span;

/// Returns whether a part may hold a quoted line: a cheap look before the exact one.
pub(crate) fn may_quote(part: &str) -> bool {
    part.contains('>') || part.contains("&gt;")
}

/// Returns, for each token span of `part`, whether it stands outside quoted lines.
pub(crate) fn outside<'a>(part: &'a str, spans: &'a [Span]) -> impl Iterator<Item = bool> + 'a {
    let mut lines = part.split_inclusive('\n');
    let (mut end, mut quoted) = (0, false);
    spans.iter().map(move |span| {
        while span.start >= end {
            let Some(line) = lines.next() else { break };
            end += line.len();
            quoted = is_quoted(line);
        }
        !quoted
    })
}

/// Returns whether a line is marked as quoted, as mail, newsgroups and Markdown do.
fn is_quoted(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with('>') || line.starts_with("&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_quoted_lines_are_not_the_posts_own() {
        let post = "Anna wrote:\n> rates\n  > rise\n&gt; again\nI doubt it.";
        let spans: Vec<Span> = crate::text::tokens(post).iter().map(|token| token.span).collect();
        let own: Vec<&str> =
            spans.iter().zip(outside(post, &spans)).filter(|(_, own)| *own).map(|(span, _)| span.of(post)).collect();
        assert!(own.starts_with(&["Anna", "wrote"]) && own.ends_with(&["I", "doubt", "it"]), "{own:?}");
        assert!(!own.contains(&"rates") && !own.contains(&"rise") && !own.contains(&"again"), "{own:?}");
    }

    #[test]
    fn a_text_without_marks_quotes_nothing() {
        assert!(!may_quote("Rates rise again."));
    }
}
