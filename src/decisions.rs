//! What people decided about documents, which wins over every score: which are one story, which copy stays.
//!
//! A file of CSV lines, kept beside the data and given to every run:
//!
//! ```text
//! a.txt,b.txt,same            one story, whatever their similarity
//! a.txt,c.txt,different       two stories: never in one cluster, not by way of others either
//! b.txt,keep                  `dedup` keeps it
//! d.txt,drop                  `dedup` drops it
//! ```
//!
//! Knows ids and lines of the file alone: no document, no score.

use std::collections::{BTreeMap, HashMap, VecDeque};

use crate::hash::hash64;

/// The decisions of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decisions {
    file: String,
    pairs: Vec<PairDecision>,
    copies: Vec<CopyDecision>,
}

/// Whether two documents are one story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PairDecision {
    /// Id of the one.
    pub a: String,
    /// Id of the other.
    pub b: String,
    /// Whether they are one story.
    pub same: bool,
    /// The line of the file, 1 for the first.
    pub line: u32,
}

/// Whether a document stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyDecision {
    /// Its id.
    pub id: String,
    /// Whether `dedup` keeps it.
    pub keep: bool,
    /// The line of the file, 1 for the first.
    pub line: u32,
}

/// Decisions that cannot be followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecisionError {
    /// A line that says nothing known.
    #[error("`{file}`, line {line}: expected a decision, found `{found}`")]
    Unknown {
        /// The file.
        file: String,
        /// The line.
        line: u32,
        /// What stands there.
        found: String,
    },
    /// Two lines, or several taken together, that cannot both be followed.
    #[error("`{file}`, line {line}: {says}, but {others}")]
    Contradiction {
        /// The file.
        file: String,
        /// The line.
        line: u32,
        /// What it says.
        says: String,
        /// What the other lines say, with their numbers.
        others: String,
    },
}

impl DecisionError {
    /// Returns what to do about it.
    pub fn hint(&self) -> String {
        match self {
            DecisionError::Unknown { .. } => {
                "a line is `ID,ID,same`, `ID,ID,different`, `ID,keep` or `ID,drop`".to_owned()
            }
            DecisionError::Contradiction { .. } => "take one of the lines out".to_owned(),
        }
    }
}

impl Decisions {
    /// Reads the text of a file of decisions; `file` names it in messages and reasons.
    ///
    /// A field with a comma stands in quotation marks, as in every CSV file. A first line that names the columns is passed
    /// over, and so are blank lines, lines that begin with `#`, and columns after the decision.
    ///
    /// # Errors
    /// Names the first line that is no decision, or the lines that contradict each other: one id kept and dropped, one pair
    /// the same and different, also by way of other pairs.
    ///
    /// ```
    /// use retold::decisions::Decisions;
    /// let decisions = Decisions::parse("decisions.csv", "a,b,same\nb,c,same\n")?;
    /// assert_eq!(decisions.pairs().len(), 2);
    /// let error = Decisions::parse("decisions.csv", "a,b,same\nb,c,same\na,c,different\n").unwrap_err();
    /// assert!(error.to_string().contains("line 3: `a` and `c` are different, but lines 1, 2 say that they are the same"));
    /// # Ok::<(), retold::decisions::DecisionError>(())
    /// ```
    pub fn parse(file: &str, text: &str) -> Result<Decisions, DecisionError> {
        let mut decisions = Decisions { file: file.to_owned(), ..Decisions::default() };
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut first = true;
        for (line, written) in (1..).zip(text.lines()) {
            if written.trim().is_empty() || written.starts_with('#') {
                continue;
            }
            let fields = fields(written);
            let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
            match fields.as_slice() {
                [a, b, verdict @ ("same" | "different"), ..] if !a.is_empty() && !b.is_empty() && a != b => {
                    let (a, b) = ((*a).to_owned(), (*b).to_owned());
                    decisions.pairs.push(PairDecision { a, b, same: *verdict == "same", line });
                }
                [id, verdict @ ("keep" | "drop"), ..] if !id.is_empty() => {
                    decisions.copies.push(CopyDecision { id: (*id).to_owned(), keep: *verdict == "keep", line });
                }
                // A line of column names.
                _ if first && names_columns(&fields) => {}
                _ => {
                    let found = fields.join(",");
                    return Err(DecisionError::Unknown { file: file.to_owned(), line, found });
                }
            }
            first = false;
        }
        decisions.check()?;
        Ok(decisions)
    }

    /// Returns the name of the file, empty when there is none.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Returns a version of what is decided: 16 digits of a hash; none when there is no file.
    pub fn version(&self) -> Option<String> {
        let decided = format!("{:?}{:?}", self.pairs, self.copies);
        (!self.file.is_empty()).then(|| format!("{:016x}", hash64(decided.as_bytes())))
    }

    /// Returns what is decided about pairs, in the order of the lines.
    pub fn pairs(&self) -> &[PairDecision] {
        &self.pairs
    }

    /// Returns what is decided about single documents, in the order of the lines.
    pub fn copies(&self) -> &[CopyDecision] {
        &self.copies
    }

    /// Returns whether nothing is decided.
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty() && self.copies.is_empty()
    }

    /// Returns the name of a line, as reasons give it.
    pub fn line(&self, line: u32) -> String {
        format!("decision, {} line {line}", self.file)
    }

    fn check(&self) -> Result<(), DecisionError> {
        let contradiction =
            |line, says, others| DecisionError::Contradiction { file: self.file.clone(), line, says, others };
        let mut copies: HashMap<&str, &CopyDecision> = HashMap::new();
        for copy in &self.copies {
            let first = *copies.entry(&copy.id).or_insert(copy);
            if first.keep != copy.keep {
                let verb = |keep| if keep { "kept" } else { "dropped" };
                let says = format!("`{}` is {}", copy.id, verb(copy.keep));
                return Err(contradiction(
                    copy.line,
                    says,
                    format!("line {} says that it is {}", first.line, verb(first.keep)),
                ));
            }
        }
        let mut same: BTreeMap<&str, Vec<(&str, u32)>> = BTreeMap::new();
        for pair in self.pairs.iter().filter(|pair| pair.same) {
            same.entry(&pair.a).or_default().push((&pair.b, pair.line));
            same.entry(&pair.b).or_default().push((&pair.a, pair.line));
        }
        for pair in self.pairs.iter().filter(|pair| !pair.same) {
            if let Some(mut lines) = way(&same, &pair.a, &pair.b) {
                lines.sort_unstable();
                let lines: Vec<String> = lines.iter().map(u32::to_string).collect();
                let others = match lines.as_slice() {
                    [line] => format!("line {line} says that they are the same"),
                    lines => format!("lines {} say that they are the same", lines.join(", ")),
                };
                return Err(contradiction(pair.line, format!("`{}` and `{}` are different", pair.a, pair.b), others));
            }
        }
        Ok(())
    }
}

/// Returns the fields of a line.
fn fields(line: &str) -> Vec<String> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).trim(csv::Trim::All).from_reader(line.as_bytes());
    let mut record = csv::StringRecord::new();
    reader.read_record(&mut record).expect("text is UTF-8, and one record has as many fields as it has");
    record.iter().map(str::to_owned).collect()
}

/// Returns whether these are the names of columns, not a decision with a typing error.
fn names_columns(fields: &[&str]) -> bool {
    fields.iter().all(|field| matches!(field.to_ascii_lowercase().as_str(), "a" | "b" | "id" | "decision" | "verdict"))
}

/// Returns the lines of the shortest way from one id to another over those that are the same.
fn way(same: &BTreeMap<&str, Vec<(&str, u32)>>, from: &str, to: &str) -> Option<Vec<u32>> {
    let mut came: HashMap<&str, (&str, u32)> = HashMap::new();
    let mut queue = VecDeque::from([from]);
    while let Some(at) = queue.pop_front() {
        if at == to {
            let mut lines = Vec::new();
            let mut back = at;
            while back != from {
                let (before, line) = came[back];
                lines.push(line);
                back = before;
            }
            return Some(lines);
        }
        for (next, line) in same.get(at).into_iter().flatten() {
            if *next != from && !came.contains_key(next) {
                came.insert(next, (at, *line));
                queue.push_back(next);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Decisions, String> {
        Decisions::parse("d.csv", text).map_err(|error| error.to_string())
    }

    #[test]
    fn names_of_columns_comments_blank_lines_and_notes_are_passed_over() {
        let decisions = parse("\u{feff}a,b,decision\n# seen on Monday\n\n\"x, y\" , b,same,by Ada\nc,drop\n").unwrap();
        assert_eq!(decisions.pairs(), [PairDecision { a: "x, y".into(), b: "b".into(), same: true, line: 4 }]);
        assert_eq!(decisions.copies(), [CopyDecision { id: "c".into(), keep: false, line: 5 }]);
        assert!(parse("").unwrap().is_empty());
    }

    #[test]
    fn a_line_that_decides_nothing_is_named() {
        for (text, line) in [("a,b,same\na,b,sane\n", 2), ("a,b\n", 1), ("a,a,same", 1), (",drop", 1), ("a,keeps", 1)] {
            if text == "a,b\n" {
                // Two names of columns and nothing else.
                assert!(parse(text).unwrap().is_empty());
                continue;
            }
            assert!(parse(text).unwrap_err().contains(&format!("line {line}: expected a decision")), "{text}");
        }
    }

    #[test]
    fn lines_that_contradict_each_other_are_both_named() {
        let error = parse("a,keep\nb,drop\na,drop\n").unwrap_err();
        assert_eq!(error, "`d.csv`, line 3: `a` is dropped, but line 1 says that it is kept");
        let error = parse("b,a,same\na,b,different\n").unwrap_err();
        assert_eq!(error, "`d.csv`, line 2: `a` and `b` are different, but line 1 says that they are the same");
        let error = parse("a,d,different\na,b,same\nd,c,same\nc,b,same\n").unwrap_err();
        assert!(error.ends_with("line 1: `a` and `d` are different, but lines 2, 3, 4 say that they are the same"));
        assert!(parse("a,b,same\na,b,same\nb,c,different\na,keep\na,keep\n").is_ok());
    }
}
