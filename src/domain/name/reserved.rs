//! Names that would speak for the server.

use unicode_security::skeleton;

use super::super::search_key;
use super::characters::is_separator;

/// Reserved also as one word of a name: `Tidings Support`, `Admin Ada`, `admin2`.
const TITLES: [&str; 12] = [
    "admin",
    "administrator",
    "helpdesk",
    "moderator",
    "official",
    "postmaster",
    "staff",
    "support",
    "sysadmin",
    "sysop",
    "tidings",
    "webmaster",
];

/// Reserved where they are the whole name, or all of it together with the above.
const WORDS: [&str; 11] = [
    "anonymous",
    "everyone",
    "guest",
    "help",
    "here",
    "me",
    "nobody",
    "operator",
    "root",
    "security",
    "system",
];

/// Whether a name claims to be of those who run the server, however it is spelled.
pub fn is_reserved(name: &str) -> bool {
    let words: Vec<&str> = name.split(is_separator).filter(|word| !word.is_empty()).collect();
    let whole = words.concat();
    let is_title = |word: &&str| TITLES.iter().any(|title| reads_as(word.trim_end_matches(is_digit), title));
    words.iter().any(is_title)
        || is_title(&&*whole)
        || WORDS.iter().any(|word| reads_as(&whole, word))
        || is_made_of(&search_key(&whole))
}

fn is_digit(c: char) -> bool {
    c.is_numeric()
}

/// Whether a text is this word to whoever looks at it: without case, accents, and
/// with letters that look like others. Capitals have other look-alikes: `ADM1N`.
fn reads_as(text: &str, word: &str) -> bool {
    let plain = search_key(text);
    let looks = [appearance(text), appearance(&plain)];
    plain == word
        || looks.iter().any(|look| *look == appearance(word) || *look == appearance(&word.to_uppercase()))
}

/// Whether it is nothing but reserved words in a row, one of them a title: `tidingsroot`.
fn is_made_of(text: &str) -> bool {
    fn rest_is_made_of(text: &str, has_title: bool) -> bool {
        let all = TITLES.iter().map(|word| (word, true)).chain(WORDS.iter().map(|word| (word, false)));
        (text.is_empty() && has_title)
            || all.into_iter().any(|(word, is_title)| {
                text.strip_prefix(word).is_some_and(|rest| rest_is_made_of(rest, has_title || is_title))
            })
    }
    rest_is_made_of(text, false)
}

/// As [`skeleton_of`](super::skeleton_of), of one word.
fn appearance(text: &str) -> String {
    let seen: String = skeleton(text).collect();
    skeleton(&caseless::default_case_fold_str(&seen)).collect()
}
