//! Texts read again → their profiles, the latest of which are kept.

use std::collections::HashMap;
use std::sync::Arc;

use crate::config::Config;
use crate::corpus::Told;
use crate::pipeline::crew::Run;
use crate::pipeline::pair::Texts;
use crate::similarity::{Article, Profile, Sketched, VerifiedPair, compare, estimate, jaccard_raw, verify};
use crate::store::StoreError;

/// Profiles of texts, made when asked for. As many are kept as an eighth of the memory holds, a thread's share of it each.
pub(super) struct Profiles<'a> {
    texts: &'a Texts<'a>,
    config: &'a Config,
    kept: Kept,
}

/// Bytes that a profile takes, about, with its text: what the number of profiles kept is reckoned by.
const PROFILE_BYTES: u64 = 24 << 10;
/// Profiles that a thread keeps at most, however much memory there is.
const PROFILES_MOST: u64 = 4096;
/// Profiles that a thread keeps at least: the members of a small cluster.
const PROFILES_LEAST: u64 = 64;

impl<'a> Profiles<'a> {
    pub(super) fn new(run: &'a Run<'_, '_>, texts: &'a Texts<'a>) -> Profiles<'a> {
        let share = run.workspace.budget_bytes() / 8 / run.workspace.threads() as u64;
        let most = (share / PROFILE_BYTES).clamp(PROFILES_LEAST, PROFILES_MOST);
        Profiles { texts, config: run.config, kept: Kept::new(most as usize) }
    }

    pub(super) fn get(&mut self, document: u32) -> Result<Arc<Profile>, StoreError> {
        if let Some(profile) = self.kept.get(document) {
            return Ok(profile);
        }
        let bytes = self.texts.told.get(document)?.expect("texts of all documents that are compared were kept");
        let told = Told::decode(&bytes);
        let profile = Arc::new(Profile::new(
            &Article {
                text: &told.text,
                content: &told.content,
                headline: told.headline.as_deref(),
                site: told.site.as_deref(),
                date: told.date.as_deref(),
                url: told.url.as_deref(),
            },
            self.config,
        ));
        self.kept.put(document, Arc::clone(&profile));
        Ok(profile)
    }

    pub(super) fn verify(&mut self, a: u32, b: u32) -> Result<VerifiedPair, StoreError> {
        self.measure(a, b, true)
    }

    /// Measures two texts as [`Profiles::verify`] does, wherever they stood.
    pub(super) fn compare(&mut self, a: u32, b: u32) -> Result<VerifiedPair, StoreError> {
        self.measure(a, b, false)
    }

    /// Measures two texts, as versions of one page where they have one address and that is asked for.
    fn measure(&mut self, a: u32, b: u32, versions: bool) -> Result<VerifiedPair, StoreError> {
        let (a, b) = (a.min(b), a.max(b));
        if let Some(sketches) = &self.texts.sketches {
            let of = |document: u32| -> Result<Option<Sketched>, StoreError> {
                let sketched = sketches.get(document)?.map(|bytes| Sketched::decode(&bytes));
                Ok(sketched.map(|one| Sketched { address: one.address.filter(|_| versions), ..one }))
            };
            return Ok(match (of(a)?, of(b)?) {
                (Some(first), Some(second)) => estimate(a, &first, b, &second, self.config),
                _ => VerifiedPair::apart(a, b),
            });
        }
        let (first, second) = (self.get(a)?, self.get(b)?);
        let measure = if versions { verify } else { compare };
        Ok(measure(a, &first, b, &second, self.config))
    }

    /// Measures what verification leaves out of a pair that it does not list.
    pub(super) fn complete(&mut self, a: u32, b: u32, pair: &mut VerifiedPair) -> Result<(), StoreError> {
        if !pair.listed && self.texts.sketches.is_none() {
            pair.jaccard_raw = jaccard_raw(&*self.get(a)?, &*self.get(b)?);
        }
        Ok(())
    }
}

/// Profiles by document. When it is full, one goes that was not asked for since the hand came by last (the clock, or
/// second chance: Corbató 1968): pairs of one company come in a row, and those of a large one come back.
struct Kept {
    slots: Vec<Slot>,
    slot_of: HashMap<u32, usize>,
    hand: usize,
    most: usize,
}

struct Slot {
    document: u32,
    asked: bool,
    profile: Arc<Profile>,
}

impl Kept {
    fn new(most: usize) -> Kept {
        Kept { slots: Vec::new(), slot_of: HashMap::new(), hand: 0, most }
    }

    fn get(&mut self, document: u32) -> Option<Arc<Profile>> {
        let slot = &mut self.slots[*self.slot_of.get(&document)?];
        slot.asked = true;
        Some(Arc::clone(&slot.profile))
    }

    /// Keeps the profile of a document that has none here.
    fn put(&mut self, document: u32, profile: Arc<Profile>) {
        let slot = Slot { document, asked: false, profile };
        if self.slots.len() < self.most {
            self.slot_of.insert(document, self.slots.len());
            self.slots.push(slot);
            return;
        }
        while std::mem::take(&mut self.slots[self.hand].asked) {
            self.hand = (self.hand + 1) % self.most;
        }
        self.slot_of.remove(&self.slots[self.hand].document);
        self.slot_of.insert(document, self.hand);
        self.slots[self.hand] = slot;
        self.hand = (self.hand + 1) % self.most;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile() -> Arc<Profile> {
        let article = Article { text: "", content: &[], headline: None, site: None, date: None, url: None };
        Arc::new(Profile::new(&article, &Config::default()))
    }

    #[test]
    fn the_profile_that_nobody_asked_for_again_goes_first() {
        let mut kept = Kept::new(3);
        (0..3).for_each(|document| kept.put(document, profile()));
        assert!(kept.get(0).is_some());
        kept.put(3, profile());
        kept.put(4, profile());
        assert_eq!([0, 1, 2, 3, 4].map(|document| kept.get(document).is_some()), [true, false, false, true, true]);
    }
}
