//! Text for benches: made by rule from a seed, so that every machine measures the same bytes.

use retold::hash::mix64;

/// A script that words are drawn from.
#[derive(Clone, Copy, Debug)]
pub enum Script {
    /// Lower-case letters, with a capital and a mark now and then: all ASCII.
    Ascii,
    /// ASCII with the quotes, dashes and accents of an edited English text: one word in twenty.
    Typeset,
    /// Cyrillic letters.
    Cyrillic,
    /// Han characters, without spaces.
    Han,
    /// Decomposed accents and entities in every word, so that no word takes a short way.
    Hostile,
}

/// Makes about `bytes` bytes of text: words drawn from a vocabulary of 20,000, common ones more often, in lines of about
/// 400 bytes.
pub fn text(script: Script, bytes: usize, seed: u64) -> String {
    let mut out = String::with_capacity(bytes + 64);
    let mut line = 0;
    let mut number = 0;
    while out.len() < bytes {
        number += 1;
        let random = mix64(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ number);
        // The square makes low ranks common, about as in prose.
        let rank = ((random & 0xffff) * (random >> 16 & 0xffff) * 20_000) >> 32;
        word(script, rank, random >> 40, &mut out);
        if out.len() - line > 400 {
            out.push('\n');
            line = out.len();
        } else if !matches!(script, Script::Han) {
            out.push(' ');
        }
    }
    out
}

/// Appends the word of a rank, as `variant` has it written.
fn word(script: Script, rank: u64, variant: u64, out: &mut String) {
    let letters = mix64(rank + 1);
    let len = 2 + letters % 4 + rank.checked_ilog2().map_or(0, u64::from) / 4;
    let letter = |index: u64| letters.rotate_left(7 * index as u32) as u32 % 26;
    match script {
        Script::Ascii | Script::Typeset | Script::Hostile => {
            let typeset = matches!(script, Script::Typeset) && variant.is_multiple_of(20);
            let hostile = matches!(script, Script::Hostile);
            if typeset {
                out.push('“');
            }
            for index in 0..len {
                let letter = char::from(b'a' + letter(index) as u8);
                out.push(if index == 0 && variant % 8 == 1 { letter.to_ascii_uppercase() } else { letter });
            }
            if hostile {
                out.push_str("e\u{301}&amp;");
            }
            match variant % 20 {
                0 if typeset => out.push_str("’s”"),
                2 => out.push(','),
                3 => out.push('.'),
                _ => {}
            }
        }
        Script::Cyrillic => {
            out.extend((0..len).filter_map(|index| char::from_u32(u32::from('а') + letter(index))));
        }
        Script::Han => {
            out.extend((0..len.min(3)).filter_map(|index| char::from_u32(0x4e00 + letter(index) * 37 + index as u32)));
            if variant.is_multiple_of(8) {
                out.push('，');
            }
        }
    }
}
