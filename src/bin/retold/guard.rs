//! The guard against a run that would take nearly everything: a wrong setting, not a crawl of nothing but boilerplate.

use std::collections::BTreeMap;

use anyhow::{Result, anyhow};
use retold::output::{DocumentRow, Summary};

use crate::diagnostics::hinted;
use crate::render::{count, counted, percent};

/// Documents from which a site is looked at by itself: below, a handful of copies would stop a run.
const SITE_DOCUMENTS: u64 = 50;

/// What goes of what there is.
#[derive(Clone, Copy, Debug, Default)]
struct Share {
    documents: u64,
    words: u64,
    gone: u64,
}

impl Share {
    fn add(&mut self, row: &DocumentRow, gone: u64) {
        self.documents += 1;
        self.words += row.words;
        self.gone += gone;
    }

    fn exceeds(self, most: f64) -> bool {
        self.gone > 0 && self.gone as f64 > most * self.words as f64
    }
}

/// What a run would take, counted before it takes it.
#[derive(Debug, Default)]
pub struct Toll {
    all: Share,
    sites: BTreeMap<String, Share>,
}

impl Toll {
    /// Counts the words that go when blocks are taken out (`cleans`), documents are dropped (`drops`), or both.
    pub fn count<E>(rows: impl Iterator<Item = Result<DocumentRow, E>>, cleans: bool, drops: bool) -> Result<Toll, E> {
        let mut toll = Toll::default();
        for row in rows {
            let row = row?;
            // What repeats a reference is not lost: it is kept there.
            let gone = match (drops && !row.keep && !row.known, cleans && !(drops && row.known)) {
                (true, _) => row.words,
                (false, true) => row.words.saturating_sub(row.content_words),
                (false, false) => 0,
            };
            toll.all.add(&row, gone);
            if let Some(site) = &row.site {
                match toll.sites.get_mut(site) {
                    Some(share) => share.add(&row, gone),
                    None => toll.sites.entry(site.clone()).or_default().add(&row, gone),
                }
            }
        }
        Ok(toll)
    }

    /// Refuses to go on when more than `most` of the run's words would go, or of any large site's. `shows` is the command
    /// that shows what and why.
    pub fn check(&self, most: f64, summary: &Summary, shows: &str) -> Result<()> {
        let limit = format!("more than `--max-removed {most}` allows");
        let refuse = |what: String| {
            let message = format!("{what}, {limit}; nothing was written");
            let causes = self.causes(summary);
            let error = if causes.is_empty() { anyhow!(message) } else { anyhow!(causes).context(message) };
            Err(hinted(error, format!("`{shows}` shows what and why; `--max-removed 1` goes ahead")))
        };
        if self.all.exceeds(most) {
            return refuse(format!("{} of all words would go", percent(self.all.gone, self.all.words)));
        }
        let large = self.sites.iter().filter(|(_, share)| share.documents >= SITE_DOCUMENTS);
        for (site, share) in large {
            if share.exceeds(most) {
                let part = percent(share.gone, share.words);
                return refuse(format!(
                    "{part} of the words of `{site}` ({} documents) would go",
                    count(share.documents)
                ));
            }
        }
        Ok(())
    }

    /// Returns what takes most, in words.
    fn causes(&self, summary: &Summary) -> String {
        let mut causes: Vec<(u64, String)> = Vec::new();
        for kind in summary.kinds.iter().filter(|kind| kind.removed && kind.words > 0) {
            causes.push((kind.words, format!("{} of kind `{}`", counted(kind.words, "word"), kind.kind)));
        }
        for (site, share) in self.sites.iter().filter(|(_, share)| share.gone > 0) {
            causes.push((share.gone, format!("{} on `{site}`", counted(share.gone, "word"))));
        }
        let dropped = summary.documents - summary.kept.min(summary.documents);
        causes.sort_by(|a, b| b.cmp(a));
        let mut told: Vec<String> = causes.into_iter().take(3).map(|(_, text)| text).collect();
        if dropped > 0 {
            told.push(format!("{} of one story with another", counted(dropped, "document")));
        }
        match told.is_empty() {
            true => String::new(),
            false => format!("the largest causes are {}", told.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use retold::output::Role;

    use super::*;
    use crate::diagnostics::{Paint, describe};

    fn row(site: &str, words: u64, content_words: u64, keep: bool) -> Result<DocumentRow, ()> {
        Ok(DocumentRow {
            id: "a".into(),
            source: "a".into(),
            row: 0,
            url: None,
            site: Some(site.into()),
            date: None,
            headline: None,
            headline_source: None,
            lang: None,
            words,
            content_words,
            text_hash: String::new(),
            cluster_id: "a".into(),
            cluster_size: 1,
            keep,
            role: Role::Unique,
            representative: "a".into(),
            similarity: None,
            relation: None,
            known: false,
            decision: None,
        })
    }

    #[test]
    fn too_much_of_the_run_is_refused_with_causes_and_the_command_that_shows_them() {
        let toll = Toll::count([row("a.example", 100, 5, true)].into_iter(), true, false).unwrap();
        let error = toll.check(0.9, &Summary::default(), "retold scan crawl").unwrap_err();
        assert_eq!(
            describe(&error, Paint::none()),
            "error: 95% of all words would go, more than `--max-removed 0.9` allows; nothing was written\n\
             caused by: the largest causes are 95 words on `a.example`\n\
             hint: `retold scan crawl` shows what and why; `--max-removed 1` goes ahead\n"
        );
        assert!(toll.check(0.95, &Summary::default(), "").is_ok());
    }

    #[test]
    fn a_large_site_is_looked_at_by_itself_and_a_small_one_is_not() {
        let rows = |pages: usize| {
            let spam = (0..pages).map(|_| row("spam.example", 10, 0, true));
            spam.chain([row("good.example", 100_000, 100_000, true)])
        };
        let refused =
            |pages| Toll::count(rows(pages), true, false).unwrap().check(0.9, &Summary::default(), "").is_err();
        assert!(refused(50));
        assert!(!refused(49));
    }

    #[test]
    fn what_is_known_from_references_is_not_lost() {
        let known = || row("a.example", 100, 5, false).map(|row| DocumentRow { known: true, ..row });
        let refused = |cleans, drops| {
            Toll::count([known()].into_iter(), cleans, drops).unwrap().check(0.9, &Summary::default(), "").is_err()
        };
        assert!(!refused(false, true) && !refused(true, true));
        assert!(refused(true, false));
    }

    #[test]
    fn dropped_documents_count_when_documents_are_dropped() {
        let rows = || [row("a.example", 100, 100, false), row("a.example", 5, 5, true)].into_iter();
        assert!(Toll::count(rows(), false, true).unwrap().check(0.9, &Summary::default(), "").is_err());
        assert!(Toll::count(rows(), true, false).unwrap().check(0.9, &Summary::default(), "").is_ok());
    }
}
