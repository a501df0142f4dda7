//! The normal form that texts are compared in.
//!
//! | rule | as read | compared as |
//! |---|---|---|
//! | compatibility forms (NFKC): full width, ligatures, ellipses, superscripts | `Ｆｕｌｌ ﬁne … ²` | `full fine ... 2` |
//! | composed and decomposed accents are one (NFKC) | `e` + U+0301 | `é` |
//! | lower case, every sigma the same | `ΝΈΟΣ`, `νέος` | `νέοσ` |
//! | quotes and apostrophes, double angle quotes too | `“It’s” «so»` | `"it's" "so"` |
//! | hyphens, dashes and the minus sign | `2019–20 — a` | `2019-20 - a` |
//! | format characters (soft hyphen, zero width, direction marks) are dropped | `co` + U+00AD + `op` | `coop` |
//! | a word broken at a line end by a hyphen is joined | `exam-⏎ple` | `example` |
//! | HTML entities, encoded more than once too | `AT&amp;amp;T&nbsp;&#8217;s` | `at&t 's` |
//! | UTF-8 that was read as Windows-1252, more than once too | `itâ€™s cafÃ©` | `it's café` |
//! | white space and control characters become one space, none at the ends | `a⇥ ⏎b` | `a b` |
//!
//! A hyphen at a line end is undone only between a letter and a lower-case letter. Of misread UTF-8 only sequences are
//! repaired that begin with a letter such texts are full of (`Ã`, `Â`, `â€`, `Ð` …) and that no word holds.
//!
//! The rules are repeated until nothing changes, so that normalizing twice is normalizing once. None of them looks
//! across ASCII white space, except for the hyphen at a line end; so a text is normalized *unit* by unit, a unit being
//! what lies between white space. Most units need no more than a table look-up for each character; the others,
//! a few in a thousand, take the long way, which spells the rules out.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::LazyLock;

use icu_properties::CodePointMapData;
use icu_properties::props::GeneralCategory;
use memchr::memchr3;
use unicode_normalization::char::{canonical_combining_class, decompose_compatible};
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};

/// Returns the normal form of a text, borrowed where it is in it already.
///
/// ```
/// use retold::text::normalize;
/// assert_eq!(normalize("“It’s a  Ｔｅｓｔ”"), normalize("&quot;ITâ€™S a test&quot;"));
/// ```
pub fn normalize(text: &str) -> Cow<'_, str> {
    let plain = |byte: u8| matches!(byte, b'!'..=b'~') && !matches!(byte, b'A'..=b'Z' | b'`' | b'&');
    if text.split(' ').all(|word| !word.is_empty() && word.bytes().all(plain)) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    normalize_into(text, &mut out);
    Cow::Owned(out)
}

/// Appends the normal form of `text` to `out`. Nothing is put between it and what `out` holds.
pub fn normalize_into(text: &str, out: &mut String) {
    let start = out.len();
    let mut at = 0;
    while let Some(unit) = next_unit(text, at) {
        let plain = plain_run(&text.as_bytes()[unit.start..]);
        if plain > 0 {
            at = unit.start + plain;
            if out.len() > start {
                out.push(' ');
            }
            let lowered = out.len();
            out.push_str(&text[unit.start..at]);
            out[lowered..].make_ascii_lowercase();
            continue;
        }
        at = unit.end;
        // A space is put before what follows it, so that none stands at the end.
        let mut blank = out.len() > start;
        if plain_ascii(&text.as_bytes()[unit.clone()]) {
            if blank {
                out.push(' ');
            }
            let lowered = out.len();
            out.push_str(&text[unit]);
            out[lowered..].make_ascii_lowercase();
            continue;
        }
        for_each_char(&text[unit], |char, _, _| {
            if char == ' ' {
                blank = out.len() > start;
            } else {
                if std::mem::take(&mut blank) {
                    out.push(' ');
                }
                out.push(char);
            }
        });
    }
}

/// What a character of the normal form is to words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// Part of a word: a letter, mark or number.
    Word,
    /// The same, in a script that puts no spaces between words.
    Unspaced,
    /// A mark of such a script: it belongs to the character before it.
    UnspacedMark,
    /// Between words.
    Separator,
}

/// Returns whether a byte is ASCII white space or a control character: what units lie between.
#[inline]
pub(super) fn is_blank(byte: u8) -> bool {
    byte <= b' ' || byte == 0x7f
}

/// Returns the next unit at or after a place: what lies between blanks, and more where a word is broken at a line end.
#[inline]
pub(super) fn next_unit(text: &str, from: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let start = from + bytes[from..].iter().position(|byte| !is_blank(*byte))?;
    Some(start..unit_end(text, start))
}

/// Returns where the unit ends that a place lies in.
pub(super) fn unit_end(text: &str, from: usize) -> usize {
    let bytes = text.as_bytes();
    let mut at = from;
    loop {
        at += bytes[at..].iter().position(|byte| is_blank(*byte)).unwrap_or(bytes.len() - at);
        if !matches!(bytes.get(at), Some(b'\n' | b'\r')) {
            return at;
        }
        match broken_word(text, at) {
            Some((_, next)) => at = next,
            None => return at,
        }
    }
}

/// Returns where the hyphen begins and where the word goes on, if a word is broken by a hyphen that ends at `at`.
fn broken_word(text: &str, at: usize) -> Option<(usize, usize)> {
    let rest = &text.as_bytes()[at..];
    let line_end = match rest {
        [b'\n', ..] => 1,
        [b'\r', b'\n', ..] => 2,
        _ => return None,
    };
    let mut before = text[..at].char_indices().rev();
    let (hyphen, _) = before.next().filter(|(_, char)| matches!(char, '-' | '\u{ad}' | '\u{2010}'))?;
    before.next().filter(|(_, char)| char.is_alphabetic())?;
    let blanks = rest[line_end..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let next = at + line_end + blanks;
    text[next..].chars().next().filter(|char| char.is_lowercase())?;
    Some((hyphen, next))
}

/// Returns how many bytes, up to a space or to nothing, need no more than lower case: units of plain ASCII with single
/// spaces between them.
fn plain_run(bytes: &[u8]) -> usize {
    /// Bytes looked at together.
    const STEP: usize = 32;
    let mut len = 0;
    while let Some(window) = bytes[len..].first_chunk::<{ STEP + 1 }>() {
        let plain = |byte: u8| (b' '..0x7f).contains(&byte) & (byte != b'&') & (byte != b'`');
        let pairs = window.iter().zip(&window[1..]);
        // Every byte is looked at, so that they are looked at side by side.
        if !pairs.fold(true, |all, (byte, next)| all & plain(*byte) & !((*byte == b' ') & (*next == b' '))) {
            break;
        }
        len += STEP;
    }
    bytes[..len].iter().rposition(|byte| *byte == b' ').unwrap_or(0)
}

/// Returns whether lower case is all that a unit needs: no entity, no quote to fold, no word broken at a line end.
fn plain_ascii(unit: &[u8]) -> bool {
    unit.is_ascii() && memchr3(b'&', b'`', b'\n', unit).is_none()
}

/// Gives the characters of a unit's normal form, each with its class and the bytes of the unit that it comes from. Spaces
/// may repeat and stand at the ends.
#[inline]
pub(super) fn for_each_char(unit: &str, mut visit: impl FnMut(char, Class, Range<usize>)) {
    let entries = ENTRIES.as_slice();
    let mut start = 0;
    while start < unit.len() {
        let (end, simple) = next_segment(entries, unit, start);
        let segment = &unit[start..end];
        if simple {
            for (at, char) in segment.char_indices() {
                let entry = Entry::get(entries, char);
                if entry.flags & DELETED == 0 {
                    visit(entry.normal, entry.class(), start + at..start + at + char.len_utf8());
                }
            }
        } else {
            for piece in normalize_segment(entries, segment) {
                let class = Entry::get(entries, piece.char).class();
                visit(piece.char, class, start + piece.start..start + piece.end);
            }
        }
        start = end;
    }
}

/// What the table holds for a character.
#[derive(Clone, Copy, Debug)]
struct Entry {
    /// What it becomes, unless it is complex.
    normal: char,
    combining_class: u8,
    flags: u8,
}

/// It becomes not one character, or depends on its neighbors.
const COMPLEX: u8 = 1;
/// It is dropped.
const DELETED: u8 = 2;
/// It is part of a word.
const WORD: u8 = 4;
/// It is of a script without spaces.
const UNSPACED: u8 = 8;
/// It is a mark.
const MARK: u8 = 16;
/// A letter or number of a script without spaces.
const UNSPACED_LETTER: u8 = WORD | UNSPACED;
/// A mark of a script without spaces.
const UNSPACED_MARK: u8 = WORD | UNSPACED | MARK;
/// Misread UTF-8 can begin with it.
const LEADS: u8 = 32;
/// Misread UTF-8 can go on with it.
const CONTINUES: u8 = 64;

/// The characters of alphabets, marks, punctuation and kana, then those of full and half width: a table of 100 KiB.
static ENTRIES: LazyLock<Vec<Entry>> =
    LazyLock::new(|| ('\0'..'\u{3100}').chain(WIDE..=WIDE_END).map(Entry::of).collect());

/// The first of the characters of full and half width.
const WIDE: char = '\u{ff00}';
const WIDE_END: char = '\u{ffef}';

impl Entry {
    const COMPLEX: Entry = Entry { normal: ' ', combining_class: 0, flags: COMPLEX };

    #[inline]
    fn get(entries: &[Entry], char: char) -> Entry {
        match char {
            '\0'..'\u{3100}' => entries[char as usize],
            WIDE..=WIDE_END => entries[0x3100 + (char as usize - WIDE as usize)],
            // The letters that most text beyond the table is made of: none has another normal form.
            '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' => {
                Entry { normal: char, combining_class: 0, flags: WORD | UNSPACED }
            }
            '\u{ac00}'..='\u{d7a3}' => Entry { normal: char, combining_class: 0, flags: WORD },
            _ => Entry::of(char),
        }
    }

    /// Makes the entry of a character from its Unicode properties.
    fn of(char: char) -> Entry {
        let mut flags = 0;
        let mut pieces = vec![Piece { char, start: 0, end: 0 }];
        if begins_with_no_starter(&[], char) && canonical_combining_class(first_of(char)) == 0 {
            flags |= COMPLEX;
        }
        fold_and_compose(&[], &mut pieces);
        let normal = match pieces[..] {
            [] => return Entry { normal: ' ', combining_class: 0, flags: flags | DELETED },
            [Piece { char: normal, .. }] => normal,
            _ => return Entry { flags: flags | COMPLEX, ..Entry::COMPLEX },
        };
        if is_nfkc_quick([char].into_iter()) == IsNormalized::Maybe
            || is_nfkc_quick([normal].into_iter()) != IsNormalized::Yes
            || normal == '&'
        {
            flags |= COMPLEX;
        }
        // What it becomes counts too: the next round must find nothing that this one did not.
        for char in [char, normal] {
            if leads(char) {
                flags |= LEADS;
            }
            if windows_1252(char).is_some_and(|byte| (0x80..0xc0).contains(&byte)) {
                flags |= CONTINUES;
            }
        }
        if is_word(category(normal)) {
            flags |= WORD;
        }
        if is_unspaced(normal) {
            flags |= UNSPACED;
        }
        if unicode_normalization::char::is_combining_mark(normal) {
            flags |= MARK;
        }
        Entry { normal, combining_class: canonical_combining_class(normal), flags }
    }

    /// Returns whether no rule looks from this character to the one before it.
    #[inline]
    fn can_begin_segment(self, char: char) -> bool {
        self.flags & (COMPLEX | DELETED | LEADS | CONTINUES) == 0
            && self.combining_class == 0
            && !matches!(char, '\0'..=' ' | '-' | '\u{2010}')
    }

    /// Returns whether no rule looks from this character to the one after it, but for marks.
    #[inline]
    fn can_end_segment(self, char: char) -> bool {
        self.flags & (COMPLEX | DELETED | LEADS) == 0
            && self.combining_class == 0
            && !matches!(char, '\0'..=' ' | '#' | ';' | '-' | '\u{2010}' | '0'..='9' | 'a'..='z' | 'A'..='Z')
    }

    #[inline]
    fn class(self) -> Class {
        match self.flags & (WORD | UNSPACED | MARK) {
            UNSPACED_LETTER => Class::Unspaced,
            UNSPACED_MARK => Class::UnspacedMark,
            flags if flags & WORD != 0 => Class::Word,
            _ => Class::Separator,
        }
    }
}

/// Returns whether a category belongs to words: letters, marks and numbers.
fn is_word(category: GeneralCategory) -> bool {
    use GeneralCategory as G;
    matches!(
        category,
        G::UppercaseLetter
            | G::LowercaseLetter
            | G::TitlecaseLetter
            | G::ModifierLetter
            | G::OtherLetter
            | G::NonspacingMark
            | G::SpacingMark
            | G::EnclosingMark
            | G::DecimalNumber
            | G::LetterNumber
            | G::OtherNumber
    )
}

/// Returns whether a character is of a script that puts no spaces between words: Han, kana, Thai, Lao, Khmer, Myanmar.
fn is_unspaced(char: char) -> bool {
    matches!(char,
        '\u{e00}'..='\u{eff}'
        | '\u{1000}'..='\u{109f}'
        | '\u{1780}'..='\u{17ff}'
        | '\u{19e0}'..='\u{19ff}'
        | '\u{3005}'..='\u{3007}'
        | '\u{3021}'..='\u{3029}'
        | '\u{3040}'..='\u{30ff}'
        | '\u{31f0}'..='\u{31ff}'
        | '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}'
        | '\u{a9e0}'..='\u{a9ff}'
        | '\u{aa60}'..='\u{aa7f}'
        | '\u{f900}'..='\u{faff}'
        | '\u{1b000}'..='\u{1b16f}'
        | '\u{20000}'..='\u{3ffff}')
}

/// Bytes after which a segment ends where it can, so that one complex character sends no more than a line the long way.
const SEGMENT: usize = 64;

/// Bytes after which a segment ends anywhere. No word and no sequence of marks is as long.
const LONGEST_SEGMENT: usize = 1 << 16;

/// Returns where the segment that begins at `start` ends, and whether it is simple.
///
/// Segments end where no rule looks across, so that a text is the same however it is cut. A segment is simple when its
/// characters can be replaced one by one: when none is complex, when nothing reads as an entity or misread UTF-8, and
/// when marks stand in canonical order. What they become is in NFKC then by Unicode's own quick check (UAX #15,
/// *Detecting Normalization Forms*).
#[inline]
fn next_segment(entries: &[Entry], unit: &str, start: usize) -> (usize, bool) {
    let mut simple = true;
    let mut before = Before::default();
    let mut cut_after = false;
    for (at, char) in unit[start..].char_indices() {
        let entry = Entry::get(entries, char);
        if at >= SEGMENT && (cut_after && entry.can_begin_segment(char) || at >= LONGEST_SEGMENT) {
            return (start + at, simple);
        }
        simple &= before.allows(entry) && char != '\n';
        cut_after = entry.can_end_segment(char);
    }
    (unit.len(), simple)
}

/// What a character must know of those before it to be replaced alone.
#[derive(Clone, Copy, Debug, Default)]
struct Before {
    leads: bool,
    combining_class: u8,
}

impl Before {
    /// Returns whether the next character can be replaced alone too, and goes on to it.
    #[inline]
    fn allows(&mut self, entry: Entry) -> bool {
        let allowed = entry.flags & COMPLEX == 0
            && !(self.leads && entry.flags & (CONTINUES | DELETED) != 0)
            && (entry.combining_class == 0 || entry.combining_class >= self.combining_class)
            && !(entry.flags & DELETED != 0 && self.combining_class != 0);
        *self = Before { leads: entry.flags & LEADS != 0, combining_class: entry.combining_class };
        allowed
    }
}

/// Looks up characters one by one, as long as that gives their normal form: the short way of [`for_each_char`] for who reads
/// whole texts and can go back to where the unit began.
#[derive(Debug)]
pub(crate) struct Lookup {
    entries: &'static [Entry],
    before: Before,
}

impl Lookup {
    /// Begins a unit.
    pub(crate) fn new() -> Lookup {
        Lookup { entries: &ENTRIES, before: Before::default() }
    }

    /// Goes on past an ASCII character, which needs no look-up.
    #[inline]
    pub(crate) fn ascii(&mut self) {
        self.before = Before::default();
    }

    /// Returns the normal form and the class of a character, or none when the unit must be taken the long way.
    #[inline]
    pub(crate) fn next(&mut self, char: char) -> Option<(char, Class)> {
        let entry = Entry::get(self.entries, char);
        (self.before.allows(entry) && entry.flags & DELETED == 0).then_some((entry.normal, entry.class()))
    }
}

/// A character, and the bytes of the segment that it comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Piece {
    char: char,
    start: usize,
    end: usize,
}

/// Returns the normal form of a segment the long way.
fn normalize_segment(entries: &[Entry], unit: &str) -> Vec<Piece> {
    let mut pieces = Vec::with_capacity(unit.len());
    let mut at = 0;
    while at < unit.len() {
        if let Some((hyphen, next)) = broken_word(unit, at) {
            while pieces.last().is_some_and(|piece: &Piece| piece.start >= hyphen) {
                pieces.pop();
            }
            at = next;
            continue;
        }
        let char = unit[at..].chars().next().expect("there is more");
        pieces.push(Piece { char, start: at, end: at + char.len_utf8() });
        at += char.len_utf8();
    }
    // Each round undoes one layer; a text with this many is no text, and must not cost more than its length.
    for _ in 0..ROUNDS {
        let before: Vec<char> = pieces.iter().map(|piece| piece.char).collect();
        while repair_entities(&mut pieces) | repair_misread(&mut pieces) {}
        fold_and_compose(entries, &mut pieces);
        if is_normal(entries, &pieces) || pieces.iter().map(|piece| piece.char).eq(before) {
            break;
        }
    }
    pieces
}

/// Rounds after which a unit is taken as it is.
const ROUNDS: usize = 16;

/// Returns whether every character can be looked up alone and is what it becomes, so that another round changes nothing.
fn is_normal(entries: &[Entry], pieces: &[Piece]) -> bool {
    let mut before = Before::default();
    pieces.iter().all(|piece| {
        let entry = Entry::get(entries, piece.char);
        before.allows(entry) && entry.flags & DELETED == 0 && entry.normal == piece.char
    })
}

/// Drops format characters, folds, composes and lowers: everything but repairs. NFKC stands before and after lowering,
/// since some capitals become a letter with a mark. `entries` is empty while the table is made.
fn fold_and_compose(entries: &[Entry], pieces: &mut Vec<Piece>) {
    let fold_all = |pieces: &mut Vec<Piece>| {
        pieces.retain(|piece| category(piece.char) != GeneralCategory::Format);
        pieces.iter_mut().for_each(|piece| piece.char = fold(piece.char));
    };
    fold_all(pieces);
    compose(entries, pieces);
    let mut lowered = Vec::with_capacity(pieces.len());
    for piece in &*pieces {
        lowered.extend(piece.char.to_lowercase().map(|char| Piece { char, ..*piece }));
    }
    *pieces = lowered;
    compose(entries, pieces);
    fold_all(pieces);
}

fn category(char: char) -> GeneralCategory {
    CodePointMapData::<GeneralCategory>::new().get(char)
}

/// Folds what NFKC keeps apart and readers do not.
fn fold(char: char) -> char {
    match char {
        '`' | '\u{b4}' | '\u{2018}'..='\u{201b}' | '\u{2032}' | '\u{2035}' | '\u{2039}' | '\u{203a}' => '\'',
        // Letters by category, and apostrophes where they are written: Ukrainian, Breton, Navajo.
        '\u{2bb}' | '\u{2bc}' | '\u{2b9}' | '\u{2c8}' => '\'',
        '\u{ab}' | '\u{bb}' | '\u{201c}'..='\u{201f}' | '\u{2033}' | '\u{2036}' | '\u{301d}'..='\u{301f}' => '"',
        '\u{2010}'..='\u{2015}' | '\u{2043}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' => '-',
        'ς' => 'σ',
        char if char.is_whitespace() || char.is_control() => ' ',
        char => char,
    }
}

/// Brings pieces into NFKC. Every character keeps the bytes of the sequence that it was composed from.
fn compose(entries: &[Entry], pieces: &mut Vec<Piece>) {
    let mut composed = Vec::with_capacity(pieces.len());
    let mut rest = pieces.as_slice();
    while let [first, later @ ..] = rest {
        // Normalizing does not look beyond a starter that composes with nothing before it.
        let len = 1 + later.iter().take_while(|piece| begins_with_no_starter(entries, piece.char)).count();
        let (sequence, after) = rest.split_at(len);
        if len == 1 && is_nfkc_quick([first.char].into_iter()) == IsNormalized::Yes {
            composed.push(*first);
        } else {
            let end = sequence[len - 1].end;
            let chars = sequence.iter().map(|piece| piece.char);
            composed.extend(chars.nfkc().map(|char| Piece { char, start: first.start, end }));
        }
        rest = after;
    }
    *pieces = composed;
}

/// Returns the first character of the full decomposition.
fn first_of(char: char) -> char {
    let mut first = None;
    decompose_compatible(char, |char| {
        first.get_or_insert(char);
    });
    first.unwrap_or(char)
}

/// Returns whether a character can change with the one before it: a mark, or a second part of a composition.
fn begins_with_no_starter(entries: &[Entry], char: char) -> bool {
    if char.is_ascii() {
        return false;
    }
    if !entries.is_empty() {
        let entry = Entry::get(entries, char);
        if entry.flags & COMPLEX == 0 {
            return entry.combining_class != 0;
        }
    }
    let first = first_of(char);
    canonical_combining_class(first) != 0 || is_nfkc_quick([first].into_iter()) == IsNormalized::Maybe
}

/// Replaces HTML entities; returns whether there were any.
fn repair_entities(pieces: &mut Vec<Piece>) -> bool {
    let before = pieces.len();
    let mut out = 0;
    let mut at = 0;
    while at < pieces.len() {
        let start = pieces[at].start;
        // What an entity stands for can begin the next one: `&amp;lt;`.
        while let Some((char, len)) = entity(&pieces[at..]) {
            at += len - 1;
            pieces[at] = Piece { char, start, end: pieces[at].end };
        }
        pieces[out] = pieces[at];
        out += 1;
        at += 1;
    }
    pieces.truncate(out);
    out < before
}

/// Reads an entity: the character it stands for, and how many characters it takes.
fn entity(pieces: &[Piece]) -> Option<(char, usize)> {
    if pieces.first()?.char != '&' {
        return None;
    }
    let mut name = [0; 10];
    let mut len = 0;
    for piece in &pieces[1..] {
        match piece.char {
            ';' => {
                let name = std::str::from_utf8(&name[..len]).expect("ASCII");
                return Some((named(name).or_else(|| numbered(name))?, len + 2));
            }
            char if (char.is_ascii_alphanumeric() || char == '#') && len < name.len() => {
                name[len] = char as u8;
                len += 1;
            }
            _ => return None,
        }
    }
    None
}

fn named(name: &str) -> Option<char> {
    if let Some(index) = LATIN_1_ENTITIES.iter().position(|entity| *entity == name) {
        return char::from_u32(0xa0 + index as u32);
    }
    OTHER_ENTITIES.iter().find(|(entity, _)| *entity == name).map(|(_, char)| *char)
}

fn numbered(name: &str) -> Option<char> {
    let digits = name.strip_prefix('#')?;
    let code = match digits.strip_prefix(['x', 'X']) {
        Some(digits) => u32::from_str_radix(digits, 16).ok()?,
        None => digits.parse().ok()?,
    };
    // Numbers 128 to 159 mean Windows-1252, as browsers read them.
    match code {
        0x80..0xa0 => Some(WINDOWS_1252[code as usize - 0x80]),
        code => char::from_u32(code).filter(|char| *char != '\0'),
    }
}

/// The entities of HTML for U+00A0 to U+00FF, in order.
const LATIN_1_ENTITIES: [&str; 96] = [
    "nbsp", "iexcl", "cent", "pound", "curren", "yen", "brvbar", "sect", "uml", "copy", "ordf", "laquo", "not", "shy",
    "reg", "macr", "deg", "plusmn", "sup2", "sup3", "acute", "micro", "para", "middot", "cedil", "sup1", "ordm",
    "raquo", "frac14", "frac12", "frac34", "iquest", "Agrave", "Aacute", "Acirc", "Atilde", "Auml", "Aring", "AElig",
    "Ccedil", "Egrave", "Eacute", "Ecirc", "Euml", "Igrave", "Iacute", "Icirc", "Iuml", "ETH", "Ntilde", "Ograve",
    "Oacute", "Ocirc", "Otilde", "Ouml", "times", "Oslash", "Ugrave", "Uacute", "Ucirc", "Uuml", "Yacute", "THORN",
    "szlig", "agrave", "aacute", "acirc", "atilde", "auml", "aring", "aelig", "ccedil", "egrave", "eacute", "ecirc",
    "euml", "igrave", "iacute", "icirc", "iuml", "eth", "ntilde", "ograve", "oacute", "ocirc", "otilde", "ouml",
    "divide", "oslash", "ugrave", "uacute", "ucirc", "uuml", "yacute", "thorn", "yuml",
];

/// The other entities that texts are left with.
const OTHER_ENTITIES: [(&str, char); 44] = [
    ("amp", '&'),
    ("AMP", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("QUOT", '"'),
    ("apos", '\''),
    ("lsquo", '\u{2018}'),
    ("rsquo", '\u{2019}'),
    ("sbquo", '\u{201a}'),
    ("ldquo", '\u{201c}'),
    ("rdquo", '\u{201d}'),
    ("bdquo", '\u{201e}'),
    ("lsaquo", '\u{2039}'),
    ("rsaquo", '\u{203a}'),
    ("ndash", '\u{2013}'),
    ("mdash", '\u{2014}'),
    ("minus", '\u{2212}'),
    ("hellip", '\u{2026}'),
    ("bull", '\u{2022}'),
    ("prime", '\u{2032}'),
    ("Prime", '\u{2033}'),
    ("euro", '\u{20ac}'),
    ("trade", '\u{2122}'),
    ("ensp", '\u{2002}'),
    ("emsp", '\u{2003}'),
    ("thinsp", '\u{2009}'),
    ("zwnj", '\u{200c}'),
    ("zwj", '\u{200d}'),
    ("lrm", '\u{200e}'),
    ("rlm", '\u{200f}'),
    ("OElig", 'Œ'),
    ("oelig", 'œ'),
    ("Scaron", 'Š'),
    ("scaron", 'š'),
    ("Yuml", 'Ÿ'),
    ("fnof", 'ƒ'),
    ("circ", '\u{2c6}'),
    ("tilde", '\u{2dc}'),
    ("larr", '←'),
    ("uarr", '↑'),
    ("rarr", '→'),
    ("darr", '↓'),
    ("dagger", '†'),
];

/// What Windows-1252 reads the bytes 0x80 to 0x9F as; the five that it leaves out stay control characters.
const WINDOWS_1252: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}', '‘', '’',
    '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// Returns the byte that Windows-1252 reads as this character, 0x80 and above; Latin-1 reads its controls so too.
fn windows_1252(char: char) -> Option<u8> {
    match char {
        '\u{80}'..='\u{ff}' => Some(char as u32 as u8),
        _ => WINDOWS_1252.iter().position(|other| *other == char).map(|index| 0x80 + index as u8),
    }
}

/// Returns whether misread UTF-8 that is repaired can begin with a character.
///
/// All begin with letters, of alphabets that write them seldom or before no symbol. Of the three-byte sequences only those
/// that begin with `â` are: `é»…` might well end a French quotation.
fn leads(char: char) -> bool {
    matches!(char, 'Â' | 'Ã' | 'Ä' | 'Å' | 'Î' | 'Ï' | 'Ð' | 'Ñ' | 'â' | 'ð')
}

/// Repairs UTF-8 that was read as Windows-1252; returns whether there was any.
fn repair_misread(pieces: &mut Vec<Piece>) -> bool {
    let before = pieces.len();
    let mut out = 0;
    let mut at = 0;
    while at < pieces.len() {
        let start = pieces[at].start;
        if let Some((char, len)) = misread(&pieces[at..]) {
            at += len - 1;
            pieces[at] = Piece { char, start, end: pieces[at].end };
        }
        pieces[out] = pieces[at];
        out += 1;
        at += 1;
    }
    pieces.truncate(out);
    out < before
}

/// Reads a misread character: what it was, and how many characters it takes.
fn misread(pieces: &[Piece]) -> Option<(char, usize)> {
    let first = pieces.first()?.char;
    if !leads(first) {
        return None;
    }
    let mut bytes = [windows_1252(first)?, 0, 0, 0];
    let len = match first {
        'ð' => 4,
        'â' => 3,
        _ => 2,
    };
    let continued = |piece: &Piece| windows_1252(piece.char).filter(|byte| (0x80..0xc0).contains(byte));
    for (index, byte) in bytes.iter_mut().enumerate().take(len).skip(1) {
        match pieces.get(index).and_then(continued) {
            Some(found) => *byte = found,
            // A closing quote loses its last byte, which Windows-1252 does not have.
            None if first == 'â' && index == 2 && pieces[1].char == '€' => return Some(('\u{201d}', 2)),
            None => return None,
        }
    }
    let char = std::str::from_utf8(&bytes[..len]).ok()?.chars().next()?;
    (!char.is_control()).then_some((char, len))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Characters that the rules are about, and some that they are not.
    const INTERESTING: &str = "aeÉßſſiİıIΣςσ zé\u{301}\u{323}\u{345}\u{308}\u{344}ﬁ…½²ＡｆﾊﾞｶﾞがガーÅ\u{212b}Ω안녕\u{1112}\u{1161}\u{11ab}ﾡￂ\
        नमस्ते\u{93c}क़ภาษา\u{e38}\u{e48}ກຳ\u{e33}漢字𠮷دِّ\u{640}\u{653}\u{654}אָ„“”‘’‚«»´`¨‐‑–—−-\u{ad}\u{200b}\u{200d}\u{200e}\u{feff}\u{a0}\u{3000}\u{2028}\
        \u{85}\u{0}\t\n\r ÂÃÄÅÐÑâð€™œ©¿Ÿ\u{98}€\u{9d}\u{80}1٣①Ⅷʼʹ_.,;#&a<🦀🏽\u{fe0f}ᾳ\u{1f80}\u{1e9e}\u{fb1d}\u{9be}\u{9c7}";

    /// Texts made of what the rules are about.
    pub(in crate::text) fn texts() -> impl Strategy<Value = String> {
        let chars: Vec<char> = INTERESTING.chars().collect();
        let pieces = [
            "-\n",
            "-\r\n  ",
            "&amp;",
            "&lt;",
            "&#8217;",
            "&#x41;",
            "&eacute;",
            "&nbsp;",
            "&shy;",
            "â€™",
            "â€",
            "Ã©",
            "Â ",
            "ðŸ˜€",
            "Ã¢â‚¬â„¢",
            "the",
            "News-",
            "word word",
            "ПРИВЕТ",
            "\u{ad}\n",
        ];
        let piece = prop_oneof![
            6 => prop::sample::select(chars).prop_map(String::from),
            2 => prop::sample::select(pieces.to_vec()).prop_map(String::from),
            2 => "[a-zA-Z0-9]{1,20}",
            1 => any::<char>().prop_map(String::from),
        ];
        prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
    }

    /// The rules but for repairs, over the whole text at once.
    pub(in crate::text) fn by_definition(text: &str) -> String {
        let fold_all = |text: &str| -> String {
            text.chars().filter(|char| category(*char) != GeneralCategory::Format).map(fold).collect()
        };
        let mut now = text.to_owned();
        loop {
            let composed: String = fold_all(&now).nfkc().collect();
            let lowered: String = composed.chars().flat_map(char::to_lowercase).collect();
            let next = fold_all(&lowered.nfkc().collect::<String>());
            if next == now {
                return now.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
            }
            now = next;
        }
    }

    #[test]
    fn every_rule_holds_its_example() {
        for (text, normal) in [
            ("Ｆｕｌｌ ﬁne … ²", "full fine ... 2"),
            ("caf\u{65}\u{301}", "café"),
            ("ΝΈΟΣ νέος", "νέοσ νέοσ"),
            ("“It’s” «so» ‚a‛ ``b´", "\"it's\" \"so\" 'a' ''b'"),
            ("2019–20 — a − b", "2019-20 - a - b"),
            ("co\u{ad}op z\u{200b}w\u{200e}j", "coop zwj"),
            ("exam-\nple, re\u{2010}\r\n  print, co\u{ad}\nop", "example, reprint, coop"),
            ("AT&amp;amp;T&nbsp;&#8217;s &#x41; &Eacute;t&eacute; &#146;", "at&t 's a été '"),
            ("itâ€™s cafÃ©, â€œsoâ€\u{9d} â€œyesâ€ Â£5 naÃ¯ve Ð¿Ñ€Ð¸", "it's café, \"so\" \"yes\" £5 naïve при"),
            ("itÃ¢â‚¬â„¢s", "it's"),
            ("a\t \nb\u{a0}c\u{3000}d \u{7}", "a b c d"),
            ("п\u{2bc}ять", "п'ять"),
        ] {
            assert_eq!(normalize(text), normal, "{text}");
        }
    }

    #[test]
    fn look_alikes_stay() {
        for (text, normal) in [
            // A hyphen before a capital, after a space or a digit is no broken word.
            ("Anglo-\nAmerican", "anglo- american"),
            ("so -\nhe said", "so - he said"),
            ("1998-\nlater", "1998- later"),
            ("AT&T; R&D &unknown; &#xffffffff; & &;", "at&t; r&d &unknown; &#xffffffff; & &;"),
            ("café»…", "café\"..."),
            ("ESPAÑA Ämne Ça", "españa ämne ça"),
            ("Ã la", "ã la"),
        ] {
            assert_eq!(normalize(text), normal, "{text}");
        }
    }

    #[test]
    fn a_text_in_normal_form_is_borrowed() {
        assert!(matches!(normalize("plain text, in 3 words-or-so."), Cow::Borrowed(_)));
        for text in ["Plain", " a", "a ", "a  b", "a\nb", "&amp;", "`a", "é"] {
            assert!(matches!(normalize(text), Cow::Owned(_)), "{text}");
        }
    }

    #[test]
    fn the_table_says_what_the_long_way_does() {
        let odd = |char: char| -> Option<String> {
            let entry = Entry::get(&ENTRIES, char);
            let long: String =
                normalize_segment(&ENTRIES, char.encode_utf8(&mut [0; 4])).iter().map(|piece| piece.char).collect();
            let short = match entry.flags & (COMPLEX | DELETED) {
                0 => String::from(entry.normal),
                DELETED => String::new(),
                _ => return None,
            };
            (long != short).then_some(long)
        };
        let differing: Vec<(char, String)> =
            ('\0'..=char::MAX).filter_map(|char| odd(char).map(|long| (char, long))).collect();
        assert_eq!(differing, []);
    }

    #[test]
    fn a_long_unit_is_cut_without_a_trace() {
        let unit = "ﬁ,漢é\u{301}字&amp;lt;x".repeat(20_000);
        let normal = normalize(&unit);
        assert_eq!(normal, "fi,漢é\u{301}字<x".repeat(20_000));
        let word = "é".repeat(100_000) + "\u{301}";
        assert_eq!(normalize(&word), word);
    }

    proptest! {
        #[test]
        fn normalizing_twice_is_normalizing_once(text in texts()) {
            let once = normalize(&text).into_owned();
            let twice = normalize(&once);
            prop_assert_eq!(&twice, &once);
        }

        #[test]
        fn any_text_has_a_normal_form(text in any::<String>()) {
            let once = normalize(&text).into_owned();
            let twice = normalize(&once);
            prop_assert_eq!(&twice, &once);
        }

        #[test]
        fn without_repairs_the_normal_form_is_the_definition(text in texts()) {
            let text: String = text
                .chars()
                .filter(|char| !leads(*char) && fold(*char) != '-' && !matches!(char, '&' | '＆' | '\u{ad}' | 'ￂ'))
                .collect();
            prop_assert_eq!(normalize(&text), by_definition(&text));
        }
    }
}
