//! What fuzz targets are made of: texts that were right, mangled as the
//! fuzzer's bytes say. Each target is a test: `cargo test` runs it for a second
//! on random bytes, `tests/fuzz` for as long as wanted, guided by coverage.

/// Decisions read off a fuzzer's bytes; all zero when they have run out.
pub struct Choices<'a>(&'a [u8]);

impl<'a> Choices<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    /// A number below `bound`, or zero.
    pub fn below(&mut self, bound: usize) -> usize {
        let wide = usize::from(self.byte()) << 8 | usize::from(if bound > 256 { self.byte() } else { 0 });
        if bound > 256 { wide % bound } else { (wide >> 8) % bound.max(1) }
    }

    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// Up to `max` bytes as they are.
    pub fn bytes(&mut self, max: usize) -> &'a [u8] {
        let length = self.below(max + 1).min(self.0.len());
        let (taken, rest) = self.0.split_at(length);
        self.0 = rest;
        taken
    }

    /// One of `seeds` with up to eight edits, or no seed at all.
    pub fn text(&mut self, seeds: &[&str], tokens: &[&str]) -> String {
        if self.byte() == 0xff {
            return String::from_utf8_lossy(self.bytes(4_096)).into_owned();
        }
        let mut text = self.pick(seeds).to_owned();
        for _ in 0..self.below(9) {
            self.edit(&mut text, seeds, tokens);
        }
        text
    }

    fn edit(&mut self, text: &mut String, seeds: &[&str], tokens: &[&str]) {
        let (from, to) = (self.place(text), self.place(text));
        let (from, to) = (from.min(to), from.max(to));
        match self.below(9) {
            0 => text.truncate(from),
            1 => text.replace_range(from..to, ""),
            2 => {
                let again = text[from..to].to_owned();
                text.insert_str(to, &again);
            }
            3 => text.replace_range(from..to, self.pick(tokens)),
            4 => text.insert_str(from, self.pick(tokens)),
            5 => text.insert(from, self.pick(&HOSTILE)),
            6 => text.replace_range(from.., self.pick(seeds)),
            7 => text.insert_str(from, &self.pick(tokens).repeat(1 << self.below(12))),
            _ => text.insert_str(from, &String::from_utf8_lossy(self.bytes(16))),
        }
        text.truncate(text.floor_char_boundary(TEXT_MAX_BYTES));
    }

    fn place(&mut self, text: &str) -> usize {
        text.floor_char_boundary(self.below(text.len() + 1))
    }
}

const TEXT_MAX_BYTES: usize = 64 * 1024;

/// Characters that something has stumbled over: controls, what has no ink, what
/// changes its length with its case or form, the edges of Unicode.
const HOSTILE: [char; 48] = [
    '\0',
    '\u{1}',
    '\t',
    '\n',
    '\r',
    '\u{1b}',
    '\u{7f}',
    '\u{80}',
    '\u{85}',
    '\u{a0}',
    '\u{ad}',
    '\u{34f}',
    '\u{61c}',
    '\u{115f}',
    '\u{180e}',
    '\u{200b}',
    '\u{200d}',
    '\u{200f}',
    '\u{2028}',
    '\u{202e}',
    '\u{2066}',
    '\u{3000}',
    '\u{3164}',
    '\u{fe0f}',
    '\u{feff}',
    '\u{fffd}',
    '\u{ffff}',
    '\u{e0001}',
    '\u{10ffff}',
    '\u{d7ff}',
    '\u{e000}',
    '\u{301}',
    '\u{308}',
    '\u{fdfa}',
    'İ',
    'ı',
    'ß',
    'ẞ',
    'ΐ',
    'ſ',
    'ﬁ',
    'Å',
    'А',
    'ａ',
    '１',
    '😀',
    '한',
    'ᄀ',
];
