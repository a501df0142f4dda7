//! A small crawl made from a seed: sites with boilerplate of their own, articles, and copies of known kinds.
//!
//! Shared with the benches, so it depends on nothing but the standard library.

/// A generator of numbers: SplitMix64, the same everywhere.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        value ^ (value >> 31)
    }

    /// Returns a number below `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    pub fn of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len())]
    }
}

/// An article on a page of a site.
#[derive(Clone, Debug)]
pub struct Page {
    pub id: String,
    pub site: String,
    pub url: String,
    pub title: String,
    pub date: String,
    /// The page's text: boilerplate and article.
    pub text: String,
    /// The article alone, one paragraph a line.
    pub article: String,
    /// Number of the story it tells: pages that tell one story are copies of each other.
    pub story: usize,
}

/// How a copy differs from its story.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Copy {
    /// Not a word.
    Exact,
    /// One sentence in eight is another one.
    Edited,
    /// The last quarter is missing.
    Cut,
}

const PEOPLE: [&str; 24] = [
    "Amira Holt",
    "Jonas Pell",
    "Dana Whitcombe",
    "Luis Ferrante",
    "Mei Castell",
    "Tomas Brandt",
    "Ruth Okello",
    "Petra Lindqvist",
    "Omar Saidi",
    "Grace Tillman",
    "Viktor Hale",
    "Nadia Brook",
    "Samuel Reyes",
    "Ines Duarte",
    "Karl Oberlin",
    "Hana Mori",
    "Peter Nyberg",
    "Lucia Varga",
    "Daniel Osei",
    "Clara Finch",
    "Yusuf Demir",
    "Elena Sorin",
    "Marcus Thorne",
    "Olga Petrenko",
];
const PLACES: [&str; 24] = [
    "Harborview",
    "the old town",
    "Millbrook",
    "the northern district",
    "Eastgate",
    "Saltford",
    "the river valley",
    "Kingsmere",
    "Lower Ashby",
    "the port",
    "Fernhill",
    "Westbridge",
    "the university",
    "Stonefield",
    "Greywater",
    "the coast road",
    "Hollin Park",
    "Ravensworth",
    "the market square",
    "Aldercombe",
    "Thornbury",
    "the airport",
    "Birchwood",
    "the lake district",
];
const BODIES: [&str; 20] = [
    "the city council",
    "the regional court",
    "a group of residents",
    "the fire service",
    "the harbor authority",
    "the school board",
    "the national union",
    "the water company",
    "a team of engineers",
    "the transport ministry",
    "the local hospital",
    "the farmers' association",
    "the planning office",
    "the museum",
    "the rail operator",
    "the election commission",
    "a committee of experts",
    "the housing agency",
    "the police",
    "the tourist board",
];
const ACTS: [&str; 24] = [
    "agreed to rebuild",
    "refused to pay for",
    "promised to inspect",
    "voted to close",
    "asked judges to stop",
    "published a long report about",
    "raised the budget for",
    "complained about",
    "found serious faults in",
    "apologized for",
    "delayed the opening of",
    "sold its share of",
    "took charge of",
    "counted the cost of",
    "rejected the plans for",
    "praised the work on",
    "hired new staff for",
    "asked for more time to finish",
    "cut the money for",
    "called a meeting about",
    "won a prize for",
    "warned against",
    "ended its part in",
    "drew a new map of",
];
const THINGS: [&str; 24] = [
    "the swimming hall",
    "a bridge across the river",
    "three hundred new flats",
    "the night bus service",
    "a tunnel under the hill",
    "the town's oldest library",
    "flood walls along the shore",
    "the annual spring fair",
    "a solar power station",
    "the central fish market",
    "two primary schools",
    "the cycling route to the sea",
    "a contested parking garage",
    "the concert hall roof",
    "an archive of old photographs",
    "the public gardens",
    "a waste treatment plant",
    "the ferry terminal",
    "new rules for short rentals",
    "the emergency call center",
    "a monument to the miners",
    "the stadium lights",
    "an early warning system",
    "the community kitchen",
];
const TIMES: [&str; 16] = [
    "on Monday evening",
    "after weeks of talks",
    "earlier this month",
    "before the summer break",
    "late on Thursday",
    "for the second time this year",
    "in a narrow vote",
    "without much debate",
    "despite heavy rain",
    "against the advice of its own lawyers",
    "as costs kept rising",
    "in front of a full gallery",
    "only days after the accident",
    "to the surprise of many",
    "in spite of earlier promises",
    "at short notice",
];
const KINDS: [&str; 32] = [
    "quiet",
    "costly",
    "wooden",
    "forgotten",
    "modern",
    "disputed",
    "yellow",
    "temporary",
    "famous",
    "empty",
    "shared",
    "private",
    "narrow",
    "popular",
    "damaged",
    "unfinished",
    "secret",
    "northern",
    "heavy",
    "ancient",
    "municipal",
    "floating",
    "rented",
    "electric",
    "painted",
    "broken",
    "crowded",
    "remote",
    "planned",
    "borrowed",
    "public",
    "curved",
];
const OBJECTS: [&str; 40] = [
    "staircase",
    "archive",
    "orchard",
    "ferry",
    "chimney",
    "playground",
    "warehouse",
    "lighthouse",
    "fountain",
    "tramway",
    "canal",
    "bakery",
    "cinema",
    "quarry",
    "greenhouse",
    "kiosk",
    "clock tower",
    "boathouse",
    "cellar",
    "railway depot",
    "pavilion",
    "windmill",
    "courtyard",
    "observatory",
    "dockyard",
    "reservoir",
    "workshop",
    "chapel",
    "barracks",
    "market hall",
    "footpath",
    "sawmill",
    "embankment",
    "laboratory",
    "gallery",
    "crossing",
    "harvest store",
    "theater",
    "bell",
    "swimming pool",
];
const LINKS: [&str; 12] =
    ["and", "but", "while", "although", "because", "so that", "even if", "as", "though", "since", "until", "once"];
const LATER: [&str; 24] = [
    "wants to keep",
    "has no use for",
    "cannot pay for",
    "still owns",
    "would rather see",
    "keeps asking about",
    "never counted",
    "insured",
    "once lost",
    "is proud of",
    "lent out",
    "measured again",
    "hid from view",
    "repainted",
    "gave away",
    "must now repair",
    "expects to inherit",
    "photographed",
    "guards day and night",
    "opened to visitors",
    "hopes to move",
    "fenced in",
    "forgot to mention",
    "borrowed against",
];

/// Returns a thing with a property: two articles seldom speak of the same one.
fn object(random: &mut Random) -> String {
    format!("the {} {}", random.of(&KINDS), random.of(&OBJECTS))
}

/// Returns a sentence about nothing in particular, of about 25 words.
fn sentence(random: &mut Random) -> String {
    let number = 2 + random.below(900);
    let (body, act, thing) = (random.of(&BODIES), random.of(&ACTS), object(random));
    let (place, time) = (random.of(&PLACES), random.of(&TIMES));
    let after = format!("{} {} {} {}", random.of(&LINKS), random.of(&BODIES), random.of(&LATER), object(random));
    let person = random.of(&PEOPLE);
    let text = match random.below(5) {
        0 => format!("{body} in {place} {act} {thing} {time}, {after}."),
        1 => format!("“We have waited {number} days,” said {person}, who lives near {thing} in {place}, {after}."),
        2 => format!(
            "{time}, {body} {act} {thing}, and {person} told {number} people in {place} about {}.",
            object(random)
        ),
        3 => format!("according to {person}, {body} {act} {thing} near {place} {time}, {after}."),
        _ => format!("some {number} visitors of {place} watched when {body} {act} {thing}, {after}."),
    };
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// Returns a story: paragraphs of sentences.
fn story(random: &mut Random) -> Vec<Vec<String>> {
    let paragraphs = 5 + random.below(5);
    (0..paragraphs).map(|_| (0..2 + random.below(3)).map(|_| sentence(random)).collect()).collect()
}

fn title(random: &mut Random) -> String {
    let (body, act, thing) = (random.of(&BODIES), random.of(&ACTS), random.of(&THINGS));
    let (place, body) = (random.of(&PLACES), body.trim_start_matches("the ").trim_start_matches("a "));
    let mut letters = body.chars();
    let body: String = letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default();
    format!("{body} in {place} {act} {thing}")
}

/// Name of a site.
pub fn site(number: usize) -> String {
    const NAMES: [&str; 8] =
        ["courier", "herald", "observer", "gazette", "tribune", "mirror-post", "daily-echo", "chronicle"];
    format!("{}{}.example", NAMES[number % NAMES.len()], number / NAMES.len() + 1)
}

/// Lines that every page of a site begins with.
pub fn head(site: &str) -> Vec<String> {
    vec![format!("Home | News | Sport | Opinion | {site}"), "Skip to main content".to_owned()]
}

/// Lines that every page of a site ends with.
pub fn tail(site: &str) -> Vec<String> {
    vec![
        "Share this article on Facebook".to_owned(),
        format!("Sign up for the {site} newsletter and get the day's stories in your inbox every morning."),
        format!("Support independent journalism: donate to {site} today."),
        "Leave a Reply".to_owned(),
        "Your email address will not be published. Required fields are marked *".to_owned(),
        format!("Copyright © 2024 {site}. All rights reserved."),
    ]
}

/// Makes `pages` pages on `sites` sites. Every eighth page is a copy of an earlier page, on another site.
pub fn crawl(seed: u64, pages: usize, sites: usize) -> Vec<Page> {
    let mut random = Random::new(seed);
    let mut stories: Vec<(String, Vec<Vec<String>>)> = Vec::new();
    let mut made = Vec::with_capacity(pages);
    for number in 0..pages {
        let copied = number % 8 == 7;
        let story_number = if copied { random.below(stories.len()) } else { stories.len() };
        if !copied {
            let title = title(&mut random);
            stories.push((title, story(&mut random)));
        }
        let (title, paragraphs) = stories[story_number].clone();
        let kind = [Copy::Exact, Copy::Edited, Copy::Cut][number / 8 % 3];
        let paragraphs = if copied { copy(&paragraphs, kind, &mut random) } else { paragraphs };
        let site = site(number % sites);
        let article: Vec<String> = paragraphs.iter().map(|sentences| sentences.join(" ")).collect();
        let mut lines = head(&site);
        lines.push(title.clone());
        lines.push(format!("By {}", random.of(&PEOPLE)));
        lines.extend(article.iter().cloned());
        lines.extend(tail(&site));
        made.push(Page {
            id: format!("{site}/{number:06}"),
            url: format!("https://www.{site}/news/{number:06}.html"),
            date: format!("2024-{:02}-{:02}", 1 + number / 28 % 12, 1 + number % 28),
            site,
            title,
            text: lines.join("\n\n") + "\n",
            article: article.join("\n"),
            story: story_number,
        });
    }
    made
}

/// Copies a story.
pub fn copy(paragraphs: &[Vec<String>], kind: Copy, random: &mut Random) -> Vec<Vec<String>> {
    let mut paragraphs = paragraphs.to_vec();
    match kind {
        Copy::Exact => {}
        Copy::Edited => {
            for (position, text) in paragraphs.iter_mut().flatten().enumerate() {
                if position % 8 == 5 {
                    *text = sentence(random);
                }
            }
        }
        Copy::Cut => paragraphs.truncate((paragraphs.len() * 3).div_ceil(4)),
    }
    paragraphs
}

/// Returns pages as JSON lines.
pub fn json_lines(pages: &[Page]) -> String {
    let mut out = String::new();
    for page in pages {
        let fields =
            [("id", &page.id), ("url", &page.url), ("title", &page.title), ("date", &page.date), ("text", &page.text)];
        let fields: Vec<String> =
            fields.iter().map(|(name, value)| format!("\"{name}\":\"{}\"", escape(value))).collect();
        out.push_str(&format!("{{{}}}\n", fields.join(",")));
    }
    out
}

fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
