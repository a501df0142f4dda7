//! A seeded crawl of invented articles: sites with boilerplate of their own, exact copies, and near copies at a known
//! similarity. The same seed gives the same bytes on every machine. Used by benches and tests.

use std::fmt::Write as _;

/// A pseudo-random sequence (SplitMix64): small, seeded, the same everywhere.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// Begins the sequence of a seed.
    pub fn new(seed: u64) -> Dice {
        Dice(seed)
    }

    /// Returns the next 64 bits.
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        value ^ (value >> 31)
    }

    /// Returns a number in 0..`end`.
    pub fn below(&mut self, end: usize) -> usize {
        (self.roll() % end as u64) as usize
    }

    /// Returns whether an event of this probability happens.
    pub fn chance(&mut self, probability: f64) -> bool {
        (self.roll() >> 11) as f64 / (1_u64 << 53) as f64 <= probability
    }
}

/// What a document is to the one it was made from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Made {
    /// New.
    Fresh,
    /// The article of document `of`, word for word, on another site.
    Copied {
        /// Its number.
        of: usize,
    },
    /// The article of document `of` with words replaced, on another site.
    Edited {
        /// Its number.
        of: usize,
        /// Share of words that were kept.
        kept: f64,
    },
}

/// An invented article on an invented site.
#[derive(Clone, Debug)]
pub struct Article {
    /// `d0`, `d1`, …
    pub id: String,
    /// `site7.example`.
    pub site: String,
    /// The lines of the article alone.
    pub body: Vec<String>,
    /// The page: chrome, headline, body, chrome.
    pub text: String,
    /// Where it comes from.
    pub made: Made,
}

/// Words of one script: invented from syllables, the first ones frequent as in any language.
#[derive(Clone, Debug)]
struct Vocabulary {
    words: Vec<String>,
    gap: &'static str,
    stop: &'static str,
}

impl Vocabulary {
    fn new(dice: &mut Dice, syllables: &[&str], gap: &'static str, stop: &'static str) -> Vocabulary {
        let words = (0..4000)
            .map(|rank| {
                // Frequent words are short.
                let length = 1 + dice.below(if rank < 100 { 2 } else { 4 });
                (0..length).map(|_| syllables[dice.below(syllables.len())]).collect()
            })
            .collect();
        Vocabulary { words, gap, stop }
    }

    fn word(&self, dice: &mut Dice) -> &str {
        // The product of two uniform numbers favors low ranks.
        let rank = dice.below(self.words.len()) * dice.below(self.words.len()) / self.words.len();
        &self.words[rank]
    }

    fn sentence(&self, dice: &mut Dice) -> String {
        let words: Vec<&str> = (0..8 + dice.below(18)).map(|_| self.word(dice)).collect();
        let mut sentence = words.join(self.gap);
        if let Some(first) = sentence.chars().next() {
            let upper: String = first.to_uppercase().collect();
            sentence.replace_range(..first.len_utf8(), &upper);
        }
        sentence + self.stop
    }

    fn paragraph(&self, dice: &mut Dice) -> String {
        let sentences: Vec<String> = (0..2 + dice.below(4)).map(|_| self.sentence(dice)).collect();
        sentences.join(if self.gap.is_empty() { "" } else { " " })
    }
}

const LATIN: [&str; 40] = [
    "ba", "ke", "lo", "mi", "ru", "ta", "ne", "si", "po", "da", "fe", "gu", "hi", "jo", "la", "ma", "no", "pe", "ra",
    "so", "tu", "ve", "wi", "za", "chi", "sha", "tro", "bre", "kla", "ster", "ing", "on", "er", "al", "is", "um",
    "ent", "or", "an", "en",
];
const CYRILLIC: [&str; 20] = [
    "ко", "на", "ти", "ре", "вы", "до", "по", "ли", "ста", "ни", "ла", "го", "же", "ми", "ру", "че", "ша", "ен", "ов",
    "ик",
];
const HAN: [&str; 30] = [
    "国", "人", "年", "大", "会", "中", "在", "有", "上", "市", "报", "道", "新", "时", "政", "府", "经", "济", "发",
    "展", "公", "司", "学", "生", "水", "路", "东", "西", "南", "北",
];

/// Makes the articles of a crawl: `count` documents, of which about 5% are exact and 15% near copies.
pub fn articles(seed: u64, count: usize) -> Vec<Article> {
    let mut dice = Dice::new(seed);
    let vocabularies = [
        Vocabulary::new(&mut dice, &LATIN, " ", "."),
        Vocabulary::new(&mut dice, &CYRILLIC, " ", "."),
        Vocabulary::new(&mut dice, &HAN, "", "。"),
    ];
    let sites = (count / 40).clamp(3, 200);
    let chrome: Vec<(Vec<String>, Vec<String>)> = (0..sites)
        .map(|_| {
            let latin = &vocabularies[0];
            let top = (0..3).map(|_| latin.word(&mut dice).to_owned()).collect();
            let bottom = vec![
                latin.sentence(&mut dice),
                format!("Subscribe to our newsletter: {}", latin.sentence(&mut dice)),
                "Leave a reply".to_owned(),
                format!("© 2026 {}", latin.word(&mut dice)),
            ];
            (top, bottom)
        })
        .collect();
    let mut made: Vec<Article> = Vec::with_capacity(count);
    for number in 0..count {
        let vocabulary = &vocabularies[[0, 0, 0, 1, 2][dice.below(5)]];
        let site = dice.below(sites);
        let of = (number > 0).then(|| dice.below(number.max(1)));
        let (body, how) = match of {
            Some(of) if dice.chance(0.05) => (made[of].body.clone(), Made::Copied { of }),
            Some(of) if dice.chance(0.16) => {
                let kept = 0.9 + 0.09 * dice.below(10) as f64 / 9.0;
                (edited(&mut dice, &made[of].body, kept), Made::Edited { of, kept })
            }
            _ => {
                let mut body = vec![vocabulary.sentence(&mut dice)];
                body.extend((0..3 + dice.below(8)).map(|_| vocabulary.paragraph(&mut dice)));
                (body, Made::Fresh)
            }
        };
        let (top, bottom) = &chrome[site];
        let text = [top.as_slice(), &body, bottom].concat().join("\n\n");
        made.push(Article { id: format!("d{number}"), site: format!("site{site}.example"), body, text, made: how });
    }
    made
}

/// Replaces words, so that about this share is kept; texts without spaces lose characters instead.
fn edited(dice: &mut Dice, body: &[String], kept: f64) -> Vec<String> {
    body.iter()
        .map(|line| {
            if line.contains(' ') {
                let words: Vec<&str> =
                    line.split(' ').map(|word| if dice.chance(kept) { word } else { "edited" }).collect();
                words.join(" ")
            } else {
                line.chars().map(|c| if dice.chance(kept) { c } else { '改' }).collect()
            }
        })
        .collect()
}

/// Writes articles as JSON lines with `id`, `site` and `text`.
pub fn jsonl(articles: &[Article]) -> String {
    let mut out = String::new();
    for article in articles {
        let text = serde_json::to_string(&article.text).expect("a string is JSON");
        writeln!(out, r#"{{"id":"{}","site":"{}","text":{text}}}"#, article.id, article.site)
            .expect("a String takes any text");
    }
    out
}
