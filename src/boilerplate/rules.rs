//! Rules: phrases that users know to be boilerplate, or not, and that win over what the judge would say.

use std::collections::HashMap;
use std::fmt;

use aho_corasick::AhoCorasick;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::boilerplate::{BoilerplateKind, Judged, fingerprints};
use crate::hash::hash64;
use crate::text::{Block, hash_terms, normalize};

/// What a rule does with a block that it matches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Action {
    /// It is taken out.
    #[default]
    Remove,
    /// It stays.
    Keep,
}

impl Action {
    const ALL: [(Action, &'static str); 2] = [(Action::Remove, "remove"), (Action::Keep, "keep")];

    /// Returns the name that stands in a file.
    pub fn name(self) -> &'static str {
        Action::ALL.iter().find(|(action, _)| *action == self).expect("every action is listed").1
    }
}

/// How the text of a rule is compared with that of a block, both in normal form and word by word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Match {
    /// The block says this and nothing else.
    #[default]
    Line,
    /// The block begins with it.
    Starts,
    /// The block says it somewhere.
    Contains,
    /// The block says the same but for names, dates and numbers.
    Template,
}

impl Match {
    const ALL: [(Match, &'static str); 4] = [
        (Match::Line, "line"),
        (Match::Starts, "starts"),
        (Match::Contains, "contains"),
        (Match::Template, "template"),
    ];

    /// Returns the name that stands in a file.
    pub fn name(self) -> &'static str {
        Match::ALL.iter().find(|(how, _)| *how == self).expect("every way is listed").1
    }
}

/// A rule of a user's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// The text that it is about, as it was written.
    pub text: String,
    /// How it is compared.
    pub how: Match,
    /// The site that it holds for; none: all.
    pub site: Option<String>,
    /// What it does.
    pub action: Action,
    /// The kind that a block is told to be when it goes; none: the judge's, or `other`.
    pub kind: Option<BoilerplateKind>,
    /// The line of the file that it begins on, 1 for the first.
    pub line: u32,
}

/// The rule that decided about a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RuleMatch {
    /// The line of the rules file that it begins on, 1 for the first.
    pub line: u32,
    /// Whether it takes the block out.
    pub removes: bool,
}

/// A rules file cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{file}`, line {line}: {message}")]
pub struct RuleError {
    /// The file as it was named.
    pub file: String,
    /// The line, 1 for the first.
    pub line: u32,
    /// What is wrong there.
    pub message: String,
    /// What to do about it.
    pub hint: String,
}

/// Rules of a user's, ready to be matched.
///
/// The file is TOML, a table `[[rule]]` for every rule:
///
/// | field | is | default |
/// |---|---|---|
/// | `text` | what the block says; case, quotes, blanks and punctuation do not matter | |
/// | `match` | `line`: the whole block; `starts`: its beginning; `contains`: words anywhere in it; `template`: the whole block but for names, dates and numbers | `line` |
/// | `site` | the site that the rule holds for, as in `documents` | all |
/// | `action` | `remove` or `keep` | `remove` |
/// | `kind` | what a removed block is called | the judge's word, or `other` |
///
/// Where several rules match, one for the site wins over one for all sites, and among those the first in the file.
/// A rule wins over model, repetition, `--remove` and `--spare`.
///
/// Lines and templates are looked up by hash, the others all at once by one automaton over the words of a block: the
/// number of rules does not matter. About 100 bytes a rule, and 10 to 100 more a word for `starts` and `contains`.
///
/// ```
/// use retold::boilerplate::Rules;
/// let rules = Rules::read("rules.toml", "[[rule]]\ntext = 'Listen to our podcast'\nmatch = 'starts'")?;
/// assert!(rules.find("LISTEN to our “podcast” every Monday", None).is_some());
/// let error = Rules::read("rules.toml", "[[rule]]\ntext = 'Listen'\nmatch = 'start'").unwrap_err();
/// assert_eq!(error.to_string(), "`rules.toml`, line 3: field `match`: expected one of line, starts, contains, template, found `start`");
/// # Ok::<(), retold::boilerplate::RuleError>(())
/// ```
pub struct Rules {
    rules: Vec<Rule>,
    digest: u64,
    /// Rules by the fingerprint of the whole block.
    lines: HashMap<u64, Vec<u32>>,
    /// Rules by the fingerprint of the template.
    templates: HashMap<u64, Vec<u32>>,
    /// Finds the words of all other rules.
    phrases: AhoCorasick,
    /// Rules of every phrase of the automaton.
    of_phrase: Vec<Vec<u32>>,
}

impl PartialEq for Rules {
    fn eq(&self, other: &Rules) -> bool {
        self.digest == other.digest
    }
}

impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rules({:016x})", self.digest)
    }
}

impl Rules {
    /// Reads a rules file; `file` names it in messages.
    ///
    /// # Errors
    /// Names the line and the field that cannot be understood.
    pub fn read(file: &str, text: &str) -> Result<Rules, RuleError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let reader = Reader { file, text };
        let mut rules = Rules {
            rules: reader.rules()?,
            digest: hash64(text.as_bytes()),
            lines: HashMap::new(),
            templates: HashMap::new(),
            phrases: AhoCorasick::new([] as [&[u8]; 0]).expect("no pattern is too large"),
            of_phrase: Vec::new(),
        };
        let mut phrases: Vec<Vec<u8>> = Vec::new();
        let mut numbers: HashMap<Vec<u8>, usize> = HashMap::new();
        for (number, rule) in (0..).zip(&rules.rules) {
            let mut terms = Vec::new();
            hash_terms(&rule.text, &mut terms);
            let prints = fingerprints(&rule.text, &terms);
            match rule.how {
                Match::Line => rules.lines.entry(prints.exact).or_default().push(number),
                Match::Template => {
                    let template = prints.template.ok_or_else(|| reader.no_template(rule))?;
                    rules.templates.entry(template).or_default().push(number);
                }
                Match::Starts | Match::Contains if terms.is_empty() => return Err(reader.no_words(rule)),
                Match::Starts | Match::Contains => {
                    let phrase = bytes(&terms);
                    let at = *numbers.entry(phrase.clone()).or_insert_with(|| {
                        phrases.push(phrase);
                        rules.of_phrase.push(Vec::new());
                        phrases.len() - 1
                    });
                    rules.of_phrase[at].push(number);
                }
            }
        }
        rules.phrases = AhoCorasick::new(&phrases).map_err(|error| RuleError {
            file: file.to_owned(),
            line: 1,
            message: format!("too many words in rules that match `starts` or `contains`: {error}"),
            hint: "use `match = \"line\"` where the whole line is known".to_owned(),
        })?;
        Ok(rules)
    }

    /// Returns every rule, in the order of the file.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Returns a version of the file: 16 digits of the hash of its bytes.
    pub fn version(&self) -> String {
        format!("{:016x}", self.digest)
    }

    /// Returns the rule that decides about a block of a page of `site`, if one does.
    pub fn find(&self, block: &str, site: Option<&str>) -> Option<&Rule> {
        let mut terms = Vec::new();
        hash_terms(block, &mut terms);
        let mut best: Option<(bool, u32)> = None;
        let mut meet = |numbers: &[u32], meets: &dyn Fn(Match) -> bool| {
            for number in numbers {
                let rule = &self.rules[*number as usize];
                let here = match (&rule.site, site) {
                    (None, _) => true,
                    (Some(rule), Some(site)) => rule.eq_ignore_ascii_case(site),
                    (Some(_), None) => false,
                };
                let rank = (rule.site.is_none(), *number);
                if here && meets(rule.how) && best.is_none_or(|best| rank < best) {
                    best = Some(rank);
                }
            }
        };
        if !self.lines.is_empty() || !self.templates.is_empty() {
            let prints = fingerprints(block, &terms);
            if let Some(numbers) = self.lines.get(&prints.exact) {
                meet(numbers, &|_| true);
            }
            if let Some(numbers) = prints.template.and_then(|template| self.templates.get(&template)) {
                meet(numbers, &|_| true);
            }
        }
        if !self.of_phrase.is_empty() {
            for found in self.phrases.find_overlapping_iter(&bytes(&terms)) {
                // A phrase of words begins where a word does.
                if found.start() % TERM == 0 {
                    let begins = found.start() == 0;
                    meet(&self.of_phrase[found.pattern().as_usize()], &|how| begins || how == Match::Contains);
                }
            }
        }
        best.map(|(_, number)| &self.rules[number as usize])
    }

    /// Puts the word of the rules in place of the judge's, for every block of a page that one of them matches.
    pub fn overrule(&self, text: &str, site: Option<&str>, blocks: &[Block], judged: &mut Judged) {
        for (block, verdict) in blocks.iter().zip(&mut judged.verdicts) {
            let Some(rule) = self.find(block.span.of(text), site) else { continue };
            let removes = rule.action == Action::Remove;
            verdict.kind = removes.then(|| rule.kind.or(verdict.kind).unwrap_or(BoilerplateKind::Other));
            verdict.score = if removes { 1.0 } else { 0.0 };
            verdict.evidence.rule = Some(RuleMatch { line: rule.line, removes });
        }
    }
}

/// Bytes of a term in the automaton.
const TERM: usize = size_of::<u64>();

fn bytes(terms: &[u64]) -> Vec<u8> {
    terms.iter().flat_map(|term| term.to_le_bytes()).collect()
}

/// Reads TOML by hand, so that every message names line and field.
struct Reader<'a> {
    file: &'a str,
    text: &'a str,
}

/// The fields of a rule.
const FIELDS: &str = "text, match, site, action, kind";

impl Reader<'_> {
    fn error(&self, at: usize, message: String, hint: impl Into<String>) -> RuleError {
        RuleError { file: self.file.to_owned(), line: self.line(at), message, hint: hint.into() }
    }

    fn line(&self, at: usize) -> u32 {
        let before = &self.text.as_bytes()[..at.min(self.text.len())];
        u32::try_from(1 + memchr::memchr_iter(b'\n', before).count()).unwrap_or(u32::MAX)
    }

    fn rules(&self) -> Result<Vec<Rule>, RuleError> {
        let table = DeTable::parse(self.text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            let hint = "a rule begins with [[rule]], and its text stands in quotes: text = \"Sign up\"";
            self.error(at, format!("expected TOML, found {}", error.message()), hint)
        })?;
        let mut rules = Vec::new();
        for (key, value) in table.get_ref() {
            let hint = "every rule begins with a line `[[rule]]`";
            if key.get_ref() != "rule" {
                return Err(self.error(
                    key.span().start,
                    format!("expected [[rule]], found `{}`", key.get_ref()),
                    hint,
                ));
            }
            let wrong = |at: usize| self.error(at, "expected [[rule]], found another `rule`".to_owned(), hint);
            let DeValue::Array(items) = value.get_ref() else { return Err(wrong(value.span().start)) };
            for item in items.iter() {
                let DeValue::Table(fields) = item.get_ref() else { return Err(wrong(item.span().start)) };
                rules.push(self.rule(item.span().start, fields)?);
            }
        }
        Ok(rules)
    }

    fn rule(&self, start: usize, fields: &DeTable<'_>) -> Result<Rule, RuleError> {
        let mut rule = Rule { line: self.line(start), ..Rule::default() };
        let mut kind_at = None;
        for (key, value) in fields {
            let name = key.get_ref().as_ref();
            match name {
                "text" => rule.text = self.string(name, value)?.to_owned(),
                "site" => rule.site = Some(self.string(name, value)?.to_lowercase()),
                "match" => rule.how = self.one_of(name, value, &Match::ALL)?,
                "action" => rule.action = self.one_of(name, value, &Action::ALL)?,
                "kind" => {
                    let kinds = BoilerplateKind::ALL.map(|kind| (kind, kind.name()));
                    rule.kind = Some(self.one_of(name, value, &kinds)?);
                    kind_at = Some(key.span().start);
                }
                _ => {
                    let hint = match similar::get_close_matches(name, &FIELDS.split(", ").collect::<Vec<_>>(), 1, 0.6)[..]
                    {
                        [near] => format!("did you mean `{near}`?"),
                        _ => format!("a rule has the fields {FIELDS}"),
                    };
                    return Err(self.error(key.span().start, format!("a rule has no field `{name}`"), hint));
                }
            }
        }
        if normalize(&rule.text).is_empty() {
            let hint = "say what the block says: text = \"Sign up for our newsletter\"";
            return Err(self.error(start, "field `text`: expected words, found none".to_owned(), hint));
        }
        match kind_at.filter(|_| rule.action == Action::Keep) {
            Some(at) => {
                let message =
                    "field `kind`: expected none beside `action = \"keep\"`, since what stays is no boilerplate";
                Err(self.error(at, message.to_owned(), "remove this line"))
            }
            None => Ok(rule),
        }
    }

    fn string<'v>(&self, field: &str, value: &'v Spanned<DeValue<'_>>) -> Result<&'v str, RuleError> {
        value.get_ref().as_str().ok_or_else(|| {
            let message = format!("field `{field}`: expected text, found {}", value.get_ref().type_str());
            self.error(value.span().start, message, format!("put it in quotes: {field} = \"…\""))
        })
    }

    fn one_of<T: Copy>(
        &self,
        field: &str,
        value: &Spanned<DeValue<'_>>,
        known: &[(T, &'static str)],
    ) -> Result<T, RuleError> {
        let found = self.string(field, value)?;
        known.iter().find(|(_, name)| *name == found).map(|(value, _)| *value).ok_or_else(|| {
            let names: Vec<&str> = known.iter().map(|(_, name)| *name).collect();
            let message = format!("field `{field}`: expected one of {}, found `{found}`", names.join(", "));
            let hint = match similar::get_close_matches(found, &names, 1, 0.6)[..] {
                [near] => format!("did you mean `{near}`?"),
                _ => format!("leave the line out for the default, or write {field} = \"{}\"", names[0]),
            };
            self.error(value.span().start, message, hint)
        })
    }

    fn no_template(&self, rule: &Rule) -> RuleError {
        RuleError {
            file: self.file.to_owned(),
            line: rule.line,
            message: "field `text`: expected words and a name, date or number that varies, to match as template"
                .to_owned(),
            hint: "use `match = \"line\"`, or `match = \"starts\"` for what a line begins with".to_owned(),
        }
    }

    fn no_words(&self, rule: &Rule) -> RuleError {
        RuleError {
            file: self.file.to_owned(),
            line: rule.line,
            message: format!("field `text`: expected words to match `{}`, found marks alone", rule.how.name()),
            hint: "use `match = \"line\"`".to_owned(),
        }
    }
}

/// Appends a rule as it stands in a file. What is read from it is the same rule.
pub fn write_rule(rule: &Rule, out: &mut String) {
    let mut field = |name: &str, value: &str| {
        out.push_str(name);
        out.push_str(" = \"");
        for c in value.chars() {
            match c {
                '"' | '\\' => out.extend(['\\', c]),
                '\n' => out.push_str("\\n"),
                '\t' => out.push_str("\\t"),
                c if c.is_control() => out.push_str(&format!("\\u{:04X}", u32::from(c))),
                c => out.push(c),
            }
        }
        out.push_str("\"\n");
    };
    field("text", &rule.text);
    field("match", rule.how.name());
    if let Some(site) = &rule.site {
        field("site", site);
    }
    field("action", rule.action.name());
    if let Some(kind) = rule.kind {
        field("kind", kind.name());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rules(text: &str) -> Rules {
        Rules::read("rules.toml", text).unwrap()
    }

    fn error(text: &str) -> (String, String) {
        let error = Rules::read("rules.toml", text).unwrap_err();
        (error.to_string(), error.hint)
    }

    #[test]
    fn case_quotes_and_blanks_do_not_matter() {
        let rules = rules("[[rule]]\ntext = \"It's our  “Weekly”\"");
        assert!(rules.find("IT’S OUR \"weekly\"!", None).is_some());
        assert!(rules.find("It's our weekly letter", None).is_none());
    }

    #[test]
    fn every_way_of_matching_matches_what_it_says() {
        let rules = rules(
            "[[rule]]\ntext = 'leave a reply'\n\
             [[rule]]\ntext = 'More on'\nmatch = 'starts'\n\
             [[rule]]\ntext = 'our app'\nmatch = 'contains'\n\
             [[rule]]\ntext = 'Written by Ada Lindqvist, 5 min read'\nmatch = 'template'\n",
        );
        let line = |block: &str| rules.find(block, None).map(|rule| rule.line);
        assert_eq!(line("Leave a reply"), Some(1));
        assert_eq!(line("Leave a reply here"), None);
        assert_eq!(line("More on harbors"), Some(3));
        assert_eq!(line("Read more on harbors"), None);
        assert_eq!(line("Get OUR APP today"), Some(6));
        assert_eq!(line("Get your apples"), None, "words are compared, not letters");
        assert_eq!(line("Written by Bo Holm, 12 min read"), Some(9));
    }

    #[test]
    fn a_rule_for_the_site_wins_and_then_the_first() {
        let rules = rules(
            "[[rule]]\ntext = 'Yes.'\n[[rule]]\ntext = 'Yes.'\naction = 'keep'\n\
             [[rule]]\ntext = 'yes'\nmatch = 'contains'\nsite = 'Verse.example'\naction = 'keep'",
        );
        assert_eq!(rules.find("Yes.", None).map(|rule| rule.line), Some(1));
        assert_eq!(rules.find("Yes.", Some("other.example")).map(|rule| rule.line), Some(1));
        assert_eq!(rules.find("Yes.", Some("verse.example")).map(|rule| rule.line), Some(6));
    }

    #[test]
    fn a_line_of_marks_alone_is_compared_by_its_marks() {
        let rules = rules("[[rule]]\ntext = '* * *'");
        assert!(rules.find("*  *  *", None).is_some());
        assert!(rules.find("- - -", None).is_none());
        assert!(error("[[rule]]\ntext = '***'\nmatch = 'contains'").0.contains("expected words to match `contains`"));
    }

    #[test]
    fn what_is_wrong_is_told_with_line_and_field_and_remedy() {
        for (text, line, message, hint) in [
            ("[[rule]]\ntext = 'a'\n\n[[rule]]\ntxt = 'b'", 5, "a rule has no field `txt`", "did you mean `text`?"),
            ("[[rule]]\ntext = 3", 2, "field `text`: expected text, found integer", "put it in quotes"),
            (
                "[[rule]]\ntext = 'a'\nkind = 'newsletters'",
                3,
                "field `kind`: expected one of",
                "did you mean `newsletter`?",
            ),
            ("[[rule]]\nsite = 'a.example'", 1, "field `text`: expected words", "say what the block says"),
            (
                "[[rule]]\ntext = 'a'\naction = 'keep'\nkind = 'tags'",
                4,
                "field `kind`: expected none",
                "remove this line",
            ),
            (
                "[[rule]]\ntext = 'the end'\nmatch = 'template'",
                1,
                "a name, date or number that varies",
                "match = \"line\"",
            ),
            ("[[rule]]\ntext = 'a\n", 2, "expected TOML", "its text stands in quotes"),
            ("[rule]\ntext = 'a'", 1, "expected [[rule]]", "begins with a line `[[rule]]`"),
            ("[[rules]]\ntext = 'a'", 1, "expected [[rule]], found `rules`", "begins with a line `[[rule]]`"),
        ] {
            let (told, advice) = error(text);
            assert!(told.starts_with(&format!("`rules.toml`, line {line}: ")), "{told}");
            assert!(told.contains(message), "{told}");
            assert!(advice.contains(hint), "{advice}");
        }
    }

    #[test]
    fn a_file_without_rules_says_nothing() {
        assert!(rules("# nothing yet\n").find("Leave a reply", None).is_none());
    }

    proptest! {
        #[test]
        fn a_rule_that_is_written_is_read_again(text in "[ -~\\n\\t“é中\u{7f}]{0,40}x", site in proptest::option::of("[a-z.]{1,12}")) {
            let rule = Rule { text, site, action: Action::Keep, line: 1, ..Rule::default() };
            let mut file = "[[rule]]\n".to_owned();
            write_rule(&rule, &mut file);
            let read = rules(&file);
            prop_assert_eq!(read.rules(), [rule]);
        }

        #[test]
        fn any_file_is_read_or_refused(text in "(\\[\\[rule\\]\\]\n|text = |'[a-z ]*'|\n|kind|[\\[\\]\"'=]){0,12}") {
            let _ = Rules::read("rules.toml", &text);
        }
    }
}
