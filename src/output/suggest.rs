//! Suggested rules: a rules file to edit.

use crate::boilerplate::{Rule, write_rule};

/// A block that repeats, as a rule that says what is done with it now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// The rule; its line is not known yet.
    pub rule: Rule,
    /// Documents of the site, or of all sites, that hold the block.
    pub documents: u32,
    /// Sites that hold it.
    pub sites: u32,
    /// Near-duplicate clusters that hold it.
    pub clusters: u32,
    /// Documents of the site; none: all sites are counted.
    pub site_documents: Option<u32>,
    /// How often the block was removed.
    pub removed: u64,
    /// How often it was kept.
    pub kept: u64,
}

/// What stands at the top.
const HEAD: &str = "\
# Rules that `retold scan --suggest-rules` wrote: what repeats most, for all sites and then site by site.
#
# Each says what is done with the block now. Where that is wrong, change `action` (\"remove\" or \"keep\"); delete the rules
# that you do not want to settle; then pass this file with `--rules`. A rule wins over everything else.
# `match` is \"line\" (the whole block), \"template\" (but for names, dates and numbers), \"starts\" or \"contains\".
";

/// Returns a rules file that suggests: it is read by [`Rules::read`](crate::boilerplate::Rules::read) as it is.
pub fn suggested_rules(suggestions: &[Suggestion]) -> String {
    let mut out = HEAD.to_owned();
    let mut section = None;
    for one in suggestions {
        let here = (one.site_documents, &one.rule.site);
        if section != Some(here) {
            section = Some(here);
            out.push_str(&match here {
                (None, _) => "\n# On several sites.\n".to_owned(),
                (Some(documents), Some(site)) => format!("\n# {site}, {}.\n", counted(documents, "document")),
                (Some(documents), None) => {
                    format!("\n# Without a site, {}: rules for all sites.\n", counted(documents, "document"))
                }
            });
        }
        let sites =
            if one.site_documents.is_none() { format!(" of {}", counted(one.sites, "site")) } else { String::new() };
        let done = match (one.removed, one.kept) {
            (_, 0) => "removed".to_owned(),
            (0, _) => "kept".to_owned(),
            (removed, kept) => format!("removed {removed} ×, kept {kept} ×"),
        };
        out.push_str(&format!(
            "\n# In {}{sites}, {} stories; {done}.\n[[rule]]\n",
            counted(one.documents, "document"),
            one.clusters
        ));
        write_rule(&one.rule, &mut out);
    }
    out
}

fn counted(count: u32, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::boilerplate::{Action, BoilerplateKind, Match, Rules};

    #[test]
    fn suggestions_are_read_as_the_rules_that_they_are() {
        let rule = |text: &str, site: Option<&str>| Rule {
            text: text.into(),
            site: site.map(str::to_owned),
            ..Rule::default()
        };
        let suggestion = |rule: Rule, site_documents| Suggestion {
            rule,
            documents: 40,
            sites: 3,
            clusters: 38,
            site_documents,
            removed: 1,
            kept: 2,
        };
        let suggestions = [
            suggestion(Rule { kind: Some(BoilerplateKind::Share), ..rule("Say \"it\"\nagain", None) }, None),
            suggestion(Rule { action: Action::Keep, ..rule("* * *", None) }, Some(44)),
            suggestion(Rule { how: Match::Template, ..rule("By Ada Holm, 5 min read", Some("a.example")) }, Some(1)),
        ];
        let text = suggested_rules(&suggestions);
        assert!(text.contains("\n# a.example, 1 document.\n"), "{text}");
        assert!(text.contains("# In 40 documents of 3 sites, 38 stories; removed 1 ×, kept 2 ×.\n"), "{text}");
        let read = Rules::read("rules.toml", &text).unwrap();
        for (read, suggestion) in read.rules().iter().zip(&suggestions) {
            assert_eq!(Rule { line: 0, ..read.clone() }, suggestion.rule);
        }
        assert_eq!(read.rules().len(), 3);
    }
}
