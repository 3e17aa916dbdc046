use std::fmt;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use unicode_security::{GeneralSecurityProfile, RestrictionLevel, RestrictionLevelDetection, skeleton};

/// The fewest and the most characters (code points after NFKC) of a name.
pub const NAME_MIN_CHARS: usize = 2;
pub const NAME_MAX_CHARS: usize = 32;

/// Input beyond this is refused before it is normalised (NFKC may grow a
/// character eighteenfold). No name of 32 characters needs more.
const INPUT_MAX_BYTES: usize = 32 * 16;

/// Marks in a row above which a letter climbs out of its line (UTS #39 §5.4).
const MARKS_MAX: usize = 4;

/// What may stand between letters.
const SEPARATORS: [char; 5] = [' ', '-', '_', '.', '\''];

/// Names that would speak for the server; compared without separators.
const RESERVED: [&str; 18] = [
    "admin",
    "administrator",
    "anonymous",
    "everyone",
    "guest",
    "help",
    "here",
    "me",
    "moderator",
    "nobody",
    "official",
    "operator",
    "root",
    "security",
    "staff",
    "support",
    "system",
    "tidings",
];

/// A user's name, as shown: NFKC, 2 to 32 characters, letters, marks and digits
/// of one script (or of a set that is written together, as Japanese is), with
/// single separators inside.
///
/// Two names are the same when their [`key`](Self::key)s or their
/// [`look_alike`](Self::look_alike)s are: the first makes `ada` and `Ada` one,
/// the second `сосо` in Cyrillic and `coco` in Latin.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Name(String);

/// Which rule a name breaks, in a sentence for the person who chose it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    #[error("A name cannot be empty.")]
    Empty,
    #[error("A name has at least {NAME_MIN_CHARS} characters.")]
    TooShort,
    #[error("A name has at most {NAME_MAX_CHARS} characters.")]
    TooLong,
    #[error("A name cannot contain invisible characters.")]
    Invisible,
    #[error("A name consists of letters, digits, spaces and - _ . '; {} is none of them.", CodePoint(*.0))]
    NotAllowed(char),
    #[error("A name begins and ends with a letter or a digit.")]
    Edge,
    #[error("A name cannot contain the same sign twice in a row.")]
    DoubledSeparator,
    #[error("A name cannot pile more than {MARKS_MAX} marks onto a letter.")]
    TooManyMarks,
    #[error("A name cannot mix the letters of several scripts.")]
    MixedScripts,
    #[error("This name is reserved.")]
    Reserved,
}

impl Name {
    /// Accepts `text`, trimmed and normalised, or says which rule it breaks.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        if text.len() > INPUT_MAX_BYTES {
            return Err(NameError::TooLong);
        }
        // Telephones type the typographic apostrophe.
        let name: String = text.replace('\u{2019}', "'").nfkc().collect();
        check_characters(&name)?;
        check_length(&name)?;
        check_places(&name)?;
        check_scripts(&name)?;
        let name = Self(name);
        if name.is_reserved() {
            return Err(NameError::Reserved);
        }
        Ok(name)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The caseless form: names with the same key are the same name, and the
    /// list of people is sorted and searched by it.
    pub fn key(&self) -> String {
        name_key(&self.0)
    }

    /// What the name looks like, whatever its letters are (the skeleton of
    /// UTS #39 §4, regardless of case). Not for showing, sorting or searching:
    /// `m` becomes `rn`.
    pub fn look_alike(&self) -> String {
        look_alike(&self.0)
    }

    fn is_reserved(&self) -> bool {
        let letters = self.0.replace(SEPARATORS, "");
        let (key, look) = (name_key(&letters), look_alike(&letters));
        RESERVED.iter().any(|word| {
            // Capitals have other look-alikes: `ADM1N`.
            key == *word || look == look_alike(word) || look == look_alike(&word.to_uppercase())
        })
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

fn look_alike(text: &str) -> String {
    // Twice: first what is seen (`I` looks like `l`), then the same without case.
    let seen: String = skeleton(text).collect();
    skeleton(&caseless::default_case_fold_str(&seen)).collect()
}

fn check_characters(name: &str) -> Result<(), NameError> {
    for c in name.chars() {
        if is_invisible(c) {
            return Err(NameError::Invisible);
        }
        let written = (c.is_alphanumeric() || is_combining_mark(c)) && c.identifier_allowed();
        if !written && !SEPARATORS.contains(&c) {
            return Err(NameError::NotAllowed(c));
        }
    }
    Ok(())
}

/// Controls, and the characters without ink that people are fooled with:
/// zero-width ones, directions, fillers, tags.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

fn check_length(name: &str) -> Result<(), NameError> {
    match name.chars().count() {
        0..NAME_MIN_CHARS => Err(NameError::TooShort),
        NAME_MIN_CHARS..=NAME_MAX_CHARS => Ok(()),
        _ => Err(NameError::TooLong),
    }
}

fn check_places(name: &str) -> Result<(), NameError> {
    let is_edge = |c: Option<char>| c.is_none_or(|c| SEPARATORS.contains(&c));
    if is_edge(name.chars().next()) || is_edge(name.chars().last()) || name.starts_with(is_combining_mark) {
        return Err(NameError::Edge);
    }
    let mut before = None;
    let mut marks = 0;
    for c in name.chars() {
        if SEPARATORS.contains(&c) && before == Some(c) {
            return Err(NameError::DoubledSeparator);
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
/// Chinese: "highly restrictive" (UTS #39 §5.2). The space, which belongs to
/// every script, is no identifier and left out.
fn check_scripts(name: &str) -> Result<(), NameError> {
    if name.replace(' ', "").check_restriction_level(RestrictionLevel::HighlyRestrictive) {
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
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fuzz::Choices;

    fn key(text: &str) -> String {
        Name::parse(text).unwrap().key()
    }

    fn look(text: &str) -> String {
        Name::parse(text).unwrap().look_alike()
    }

    #[test]
    fn names_of_the_world_are_accepted() {
        for name in [
            "Ada",
            "O'Brien",
            "O’Brien",
            "Jean-Luc",
            "J. R. R. Tolkien",
            "under_score",
            "李小龍",
            "さくら",
            "山田 太郎",
            "Tokyo太郎",
            "김철수",
            "Анна",
            "Ελένη",
            "محمد",
            "יעל",
            "अनीता",
            "สมชาย",
            "Nguyễn Văn A",
            "constructor",
            "42",
        ] {
            assert!(Name::parse(name).is_ok(), "{name}: {:?}", Name::parse(name));
        }
    }

    #[test]
    fn b17_each_rule_has_its_own_answer() {
        use NameError::*;
        for (text, error) in [
            ("", Empty),
            ("   \t", Empty),
            ("a", TooShort),
            (&"a".repeat(33), TooLong),
            (&"a".repeat(10_240), TooLong),
            (&"\u{fdfa}".repeat(20), TooLong),
            ("ab\u{202e}cd", Invisible),
            ("ab\u{200b}cd", Invisible),
            ("ab\u{feff}", Invisible),
            ("ab\0cd", Invisible),
            ("ab\ncd", Invisible),
            ("ab\x1b[31m", Invisible),
            ("a<script>", NotAllowed('<')),
            ("a%b", NotAllowed('%')),
            ("smile😀", NotAllowed('😀')),
            ("__proto__", Edge),
            ("-ada", Edge),
            ("ada.", Edge),
            ("\u{301}ada", Edge),
            ("ada  b", DoubledSeparator),
            (&format!("ada{}", "\u{301}".repeat(6)), TooManyMarks),
            ("Аda", MixedScripts),
            ("pаypal", MixedScripts),
            ("Admin", Reserved),
            ("ADMIN", Reserved),
            ("adm1n", Reserved),
            ("r00t", Reserved),
            ("Tid.ings", Reserved),
        ] {
            assert_eq!(Name::parse(text), Err(error), "{text:.40}");
        }
    }

    #[test]
    fn b17_case_and_composition_do_not_make_another_name() {
        assert_eq!(key("Zoë"), key("ZOE\u{308}"));
        assert_eq!(key("STRASSE"), key("straße"));
        assert_eq!(key("ﬁnn"), key("Finn"));
        assert_ne!(key("Zoe"), key("Zoë"));
    }

    #[test]
    fn b17_what_looks_the_same_is_the_same() {
        assert_eq!(look("coco"), look("сосо"));
        assert_eq!(look("COCO"), look("сосо"));
        assert_eq!(look("Bill"), look("BiII"));
        assert_eq!(look("player1"), look("playerl"));
        assert_ne!(look("Ada"), look("Ida"));
    }

    #[test]
    fn a_refused_character_is_named_not_shown() {
        assert!(NameError::NotAllowed('\u{2603}').to_string().contains("U+2603"));
    }

    /// What PostgreSQL takes into an index of texts.
    const INDEXED_MAX_BYTES: usize = 2_700;

    #[test]
    fn b17_whatever_is_typed_is_a_name_or_a_sentence() {
        bolero::check!().for_each(|bytes: &[u8]| {
            let text = Choices::new(bytes).text(&SEEDS, &TOKENS);
            match Name::parse(&text) {
                Ok(name) => {
                    let shown = name.as_str();
                    assert_eq!(Name::parse(shown).as_ref(), Ok(&name), "{text:?}");
                    assert_eq!(shown, shown.nfkc().collect::<String>().trim(), "{text:?}");
                    assert!((NAME_MIN_CHARS..=NAME_MAX_CHARS).contains(&shown.chars().count()), "{text:?}");
                    assert!(!shown.contains(is_invisible), "{text:?}");
                    let (key, look) = (name.key(), name.look_alike());
                    assert_eq!(name_key(&key), key, "{text:?}");
                    assert_eq!(name_key(&shown.to_lowercase()), key, "{text:?}");
                    assert_eq!(look_alike(&look), look, "{text:?}");
                    assert!(key.len() <= INDEXED_MAX_BYTES && look.len() <= INDEXED_MAX_BYTES, "{text:?}");
                    assert!(!key.is_empty() && !look.is_empty(), "{text:?}");
                }
                Err(error) => {
                    let sentence = error.to_string();
                    assert!(
                        sentence.is_ascii() && sentence.len() < 100 && !sentence.contains('\n'),
                        "{sentence}"
                    );
                }
            }
        });
    }

    const SEEDS: [&str; 14] = [
        "Ada",
        "O'Brien",
        "J. R. R. Tolkien",
        "under_score",
        "李小龍",
        "さくら",
        "Tokyo太郎",
        "김철수",
        "Анна",
        "Ελένη",
        "محمد",
        "अनीता",
        "สมชาย",
        "Nguyễn Văn A",
    ];

    const TOKENS: [&str; 24] = [
        " ", "-", "_", ".", "'", "’", "\u{301}", "\u{308}", "\u{345}", "admin", "root", "I", "l", "1", "m",
        "rn", "0", "O", "сосо", "ς", "ß", "ﬀ", "ǰ", "ｉ",
    ];

    proptest! {
        #[test]
        fn keys_are_stable_and_caseless(text in "[\\p{Latin}\\p{Nd}]{2,32}|[\\p{Greek}]{2,32}|[\\p{Cyrillic}]{2,32}") {
            if let Ok(name) = Name::parse(&text) {
                prop_assert_eq!(name_key(&name.key()), name.key());
                if let Ok(loud) = Name::parse(&name.key()) {
                    prop_assert_eq!(loud.key(), name.key());
                }
            }
        }

        #[test]
        fn a_search_is_a_prefix_of_the_key(name in "[A-Za-z0-9]{2,32}", typed in 1..32_usize) {
            if let Ok(name) = Name::parse(&name) {
                let typed: String = name.as_str().chars().take(typed).collect();
                prop_assert!(name.key().starts_with(&name_key(&typed)));
            }
        }
    }
}
