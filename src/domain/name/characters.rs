//! What a name may be made of: UTS #39 says it, for all scripts that are in use.

use unicode_normalization::char::{canonical_combining_class, is_combining_mark};
use unicode_script::{Script, UnicodeScript};
use unicode_security::GeneralSecurityProfile;

use super::NameError;

const NON_JOINER: char = '\u{200c}';
const JOINER: char = '\u{200d}';

/// The canonical combining class of viramas, after which joiners are seen.
const VIRAMA: u8 = 9;

/// Signs that belong to the letter before them, and may end a name with it: the
/// geresh of ג׳ורג׳, the tsheg of Tibetan syllables.
const ENDINGS: [char; 2] = ['\u{5f3}', '\u{f0b}'];

/// Letters, marks and digits that people use (UTS #39, "recommended").
fn is_written(c: char) -> bool {
    (c.is_alphanumeric() || is_combining_mark(c)) && c.identifier_allowed()
}

/// What may stand between them: the space, and the signs of UTS #39's table of
/// inclusions, such as `-`, `'`, `·`, `・`.
pub fn is_separator(c: char) -> bool {
    c == ' ' || (!c.is_alphanumeric() && !is_combining_mark(c) && !is_joiner(c) && c.identifier_allowed())
}

/// Whether a name may end with it.
pub fn is_ending(c: char) -> bool {
    !is_separator(c) || ENDINGS.contains(&c)
}

pub fn is_joiner(c: char) -> bool {
    matches!(c, NON_JOINER | JOINER)
}

/// Controls, and the characters without ink that people are fooled with:
/// zero-width ones, directions, fillers, tags.
pub fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

pub fn check(name: &str) -> Result<(), NameError> {
    let mut before = "";
    for (at, c) in name.char_indices() {
        let after = name[at + c.len_utf8()..].chars().next();
        if is_invisible(c) && !joins(before, c, after) {
            return Err(NameError::Invisible);
        }
        if !is_written(c) && !is_separator(c) && !is_joiner(c) {
            return Err(NameError::NotAllowed(c));
        }
        before = &name[..at + c.len_utf8()];
    }
    Ok(())
}

/// Whether a joiner changes what is seen: after a virama, where it chooses the
/// form of the letters around it (RFC 5892, appendix A), or, for the non-joiner,
/// between two letters that would else be joined.
fn joins(before: &str, c: char, after: Option<char>) -> bool {
    let Some(last) = before.chars().next_back().filter(|_| is_joiner(c)) else { return false };
    let is_before_letter = after.is_some_and(|next| next.is_alphanumeric() && !is_joiner(next));
    if canonical_combining_class(last) == VIRAMA {
        // Malayalam's old chillus are such, and end words.
        return is_before_letter || (c == JOINER && after.is_none_or(is_separator));
    }
    let letter = before.chars().rev().find(|c| !is_combining_mark(*c));
    let is_cursive = |c: Option<char>| c.is_some_and(|c| c.is_alphabetic() && c.script() == Script::Arabic);
    c == NON_JOINER && is_cursive(letter) && is_cursive(after)
}
