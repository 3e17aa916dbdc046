mod characters;
mod reserved;

use std::fmt;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use unicode_security::{RestrictionLevel, RestrictionLevelDetection, skeleton};

use characters::{is_ending, is_joiner, is_separator};

/// The fewest and the most characters (code points after NFKC) of a name.
pub const NAME_MIN_CHARS: usize = 2;
pub const NAME_MAX_CHARS: usize = 32;

/// Input beyond this is refused before it is normalised (NFKC may grow a
/// character eighteenfold). No name of 32 characters needs more.
const INPUT_MAX_BYTES: usize = 32 * 16;

/// Marks in a row above which a letter climbs out of its line (UTS #39 §5.4).
const MARKS_MAX: usize = 4;

/// A user's name, as shown: NFKC, 2 to 32 characters, letters, marks and digits
/// of one script (or of a set that is written together, as Japanese is), with
/// single separators inside.
///
/// Two names are the same when their [`key`](Self::key)s or their
/// [`skeleton`](Self::skeleton)s are: the first makes `ada` and `Ada` one,
/// the second `сосо` in Cyrillic and `coco` in Latin, `Paul-Miller` and `PaulMiller`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Name(String);

/// The rule that a name breaks, in a sentence for the person who chose it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    #[error("A name can't be empty.")]
    Empty,
    #[error("A name must have at least {NAME_MIN_CHARS} characters.")]
    TooShort,
    #[error("A name can have at most {NAME_MAX_CHARS} characters.")]
    TooLong,
    #[error("A name can't contain invisible characters.")]
    Invisible,
    #[error("Names can't contain {}.", CodePoint(*.0))]
    NotAllowed(char),
    #[error("A name must begin and end with a letter or a digit.")]
    Edge,
    #[error("A name can't contain the same sign twice in a row.")]
    DoubledSeparator,
    #[error("A name can't stack more than {MARKS_MAX} marks on a letter.")]
    TooManyMarks,
    #[error("A name can't mix letters from different scripts.")]
    MixedScripts,
    #[error("This name is reserved.")]
    Reserved,
}

impl Name {
    /// Accepts `text`, trimmed and normalised, or errors with the rule that it breaks. A
    /// reserved name is valid here: somebody may have it already.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        if text.len() > INPUT_MAX_BYTES {
            return Err(NameError::TooLong);
        }
        let name: String = text.nfkc().map(typed).collect();
        characters::check(&name)?;
        check_length(&name)?;
        check_places(&name)?;
        check_scripts(&name)?;
        Ok(Self(name))
    }

    /// Whether only somebody who already has the name may use it.
    pub fn is_reserved(&self) -> bool {
        reserved::is_reserved(&self.0)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The caseless form: names with the same key are the same name, and the
    /// list of people is sorted and searched by it.
    pub fn key(&self) -> String {
        name_key(&self.0)
    }

    /// The skeleton of the name, which names that look alike share (that of
    /// UTS #39 §4, regardless of case and separators). Not for showing, sorting or
    /// searching: `m` becomes `rn`.
    pub fn skeleton(&self) -> String {
        skeleton_of(&self.0)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Name({:?})", self.0)
    }
}

/// The caseless normal form (NFKC, full case folding) of any text: of a name
/// its [`Name::key`], of what is typed into a search a prefix of such a key.
pub fn name_key(text: &str) -> String {
    caseless::default_case_fold_str(&text.nfkc().collect::<String>()).nfkc().collect()
}

/// The [`Name::skeleton`] of a stored name, which today's rules may no longer accept.
pub fn stored_skeleton(name: &str) -> String {
    skeleton_of(name)
}

fn skeleton_of(text: &str) -> String {
    let bare = |text: &str| text.chars().filter(|c| !is_separator(*c)).collect::<String>();
    // Twice: first what is seen (`I` looks like `l`), then the same without case.
    let seen = |text: &str| skeleton(text).collect::<String>();
    let twice = |text: &str| seen(&caseless::default_case_fold_str(&seen(text)));
    let look = bare(&twice(&bare(text)));
    // There are letters that look like an apostrophe, and names of nothing else.
    if look.is_empty() { twice(text) } else { look }
}

/// What telephones and word processors make of the signs on a keyboard.
fn typed(c: char) -> char {
    match c {
        '\u{2019}' => '\'',
        '\u{2010}' => '-',
        _ => c,
    }
}

fn check_length(name: &str) -> Result<(), NameError> {
    match name.chars().filter(|c| !is_joiner(*c)).count() {
        0..NAME_MIN_CHARS => Err(NameError::TooShort),
        _ if name.chars().count() <= NAME_MAX_CHARS => Ok(()),
        _ => Err(NameError::TooLong),
    }
}

fn check_places(name: &str) -> Result<(), NameError> {
    let begins_inside = name.starts_with(|c| is_separator(c) || is_combining_mark(c));
    if begins_inside || !name.ends_with(is_ending) {
        return Err(NameError::Edge);
    }
    let mut before = None;
    let mut marks = 0;
    for c in name.chars() {
        if is_separator(c) && before == Some(c) {
            return Err(NameError::DoubledSeparator);
        }
        if is_joiner(c) {
            continue;
        }
        marks = if is_combining_mark(c) { marks + 1 } else { 0 };
        if marks > MARKS_MAX {
            return Err(NameError::TooManyMarks);
        }
        before = Some(c);
    }
    Ok(())
}

/// One script, or Latin with Han and the scripts of Japanese, Korean or
/// Chinese: "highly restrictive" (UTS #39 §5.2). What stands between letters
/// belongs to every script and is left out.
fn check_scripts(name: &str) -> Result<(), NameError> {
    let letters: String = name.chars().filter(|c| !is_separator(*c) && !is_joiner(*c)).collect();
    if letters.check_restriction_level(RestrictionLevel::HighlyRestrictive) {
        Ok(())
    } else {
        Err(NameError::MixedScripts)
    }
}

/// `U+202E`: never the character itself, which may wreck the line it is shown in.
struct CodePoint(char);

impl fmt::Display for CodePoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "U+{:04X}", u32::from(self.0))
    }
}

#[cfg(test)]
mod tests;
