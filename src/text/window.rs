//! Sixty-four bytes of a text at once: which of them are letters and digits, blanks, capitals.

use wide::u8x16;

/// Bytes of a window: one bit of a register each.
pub(crate) const WINDOW: usize = 64;

/// What the bytes of a window are, one bit each, the first byte the lowest; past the text's end there are none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Window {
    /// Letters and digits of ASCII.
    pub(crate) words: u64,
    /// Capitals of ASCII.
    pub(crate) capitals: u64,
    /// Digits of ASCII.
    pub(crate) digits: u64,
    /// White space of ASCII.
    pub(crate) blanks: u64,
    /// Bytes of characters beyond ASCII.
    pub(crate) others: u64,
    /// Ampersands and hyphens.
    pub(crate) joints: u64,
}

impl Window {
    /// Reads the window that begins at `start`.
    // Each caller asks for some of the sets: inlined, the others are not made.
    #[inline(always)]
    pub(crate) fn at(bytes: &[u8], start: usize) -> Window {
        match bytes[start..].first_chunk() {
            Some(window) => Window::read(window),
            None => {
                // NUL belongs to none of the sets.
                let mut padded = [0; WINDOW];
                padded[..bytes.len() - start].copy_from_slice(&bytes[start..]);
                Window::read(&padded)
            }
        }
    }

    #[inline(always)]
    fn read(bytes: &[u8; WINDOW]) -> Window {
        let within = |bytes: u8x16, first: u8, count: u8| {
            let from_first = bytes - u8x16::splat(first);
            from_first.min(u8x16::splat(count - 1)).simd_eq(from_first)
        };
        let equal = |bytes: u8x16, byte: u8| bytes.simd_eq(u8x16::splat(byte));
        let mut window = Window::default();
        for (part, place) in bytes.as_chunks::<16>().0.iter().zip([0, 16, 32, 48]) {
            let part = u8x16::new(*part);
            let bits = |set: u8x16| u64::from(set.to_bitmask()) << place;
            let digits = within(part, b'0', 10);
            let letters = within(part | u8x16::splat(0x20), b'a', 26);
            window.words |= bits(letters | digits);
            window.capitals |= bits(within(part, b'A', 26));
            window.digits |= bits(digits);
            window.blanks |= bits(equal(part, b' ') | within(part, b'\t', 5));
            window.others |= bits(part);
            window.joints |= bits(equal(part, b'&') | equal(part, b'-'));
        }
        window
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_byte_is_what_the_library_says() {
        for byte in 0..=u8::MAX {
            let window = Window::read(&[byte; WINDOW]);
            let all = |is: bool| if is { u64::MAX } else { 0 };
            assert_eq!(window.words, all(byte.is_ascii_alphanumeric()), "{byte:#x}");
            assert_eq!(window.capitals, all(byte.is_ascii_uppercase()), "{byte:#x}");
            assert_eq!(window.digits, all(byte.is_ascii_digit()), "{byte:#x}");
            assert_eq!(window.blanks, all(byte.is_ascii_whitespace() || byte == 0x0b), "{byte:#x}");
            assert_eq!(window.others, all(!byte.is_ascii()), "{byte:#x}");
            assert_eq!(window.joints, all(byte == b'&' || byte == b'-'), "{byte:#x}");
        }
    }

    proptest! {
        #[test]
        fn every_byte_has_its_bit(bytes in prop::collection::vec(any::<u8>(), WINDOW)) {
            let window = Window::at(&bytes, 0);
            for (at, byte) in bytes.iter().enumerate() {
                let bit = |set: u64| set >> at & 1 == 1;
                prop_assert_eq!(bit(window.words), byte.is_ascii_alphanumeric());
                prop_assert_eq!(bit(window.others), !byte.is_ascii());
            }
        }

        #[test]
        fn nothing_stands_past_the_end(bytes in prop::collection::vec(any::<u8>(), 1..WINDOW)) {
            let window = Window::at(&bytes, 0);
            let all = window.words | window.blanks | window.others | window.joints;
            prop_assert_eq!(all >> bytes.len(), 0);
        }
    }
}
