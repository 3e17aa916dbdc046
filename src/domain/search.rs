//! How people are found: by the beginning of any word of their name, whatever its
//! case and accents. A search is a range of sorted terms, in the database and in
//! memory alike.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use unicode_script::{Script, UnicodeScript};

use super::name_key;

/// Between the words that are searched and the key that makes a term unique: no
/// name has it, and it sorts before everything that a name has.
const END: char = '\u{1}';

/// Letters that Unicode does not decompose, though people type them without their
/// stroke, or as two. The client has the same table (`folding.ts`).
const PLAIN: [(char, &str); 17] = [
    ('æ', "ae"),
    ('œ', "oe"),
    ('þ', "th"),
    ('ð', "d"),
    ('đ', "d"),
    ('ħ', "h"),
    ('ı', "i"),
    ('ɨ', "i"),
    ('ĸ', "k"),
    ('ł', "l"),
    ('ŋ', "n"),
    ('ø', "o"),
    ('ŧ', "t"),
    ('ƀ', "b"),
    ('ǥ', "g"),
    ('ɍ', "r"),
    ('ƶ', "z"),
];

/// A text as it is compared in a search: caseless, without accents and joiners.
/// Vowel signs, as those of Hindi, stay: there they are letters.
pub fn search_key(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for letter in name_key(text.trim()).nfkd().filter(|letter| !is_accent(*letter)) {
        match PLAIN.iter().find(|(from, _)| *from == letter) {
            Some((_, plain)) => folded.push_str(plain),
            None => folded.push(letter),
        }
    }
    folded
}

/// What the user with this [`key`](super::Name::key) is found by: a term for each
/// word, which begins with everything from that word on.
pub fn search_terms(key: &str) -> Vec<String> {
    let folded = search_key(key);
    word_starts(&folded).map(|start| format!("{}{END}{key}", &folded[start..])).collect()
}

/// By what a search continues after this term: the key of somebody found by the
/// beginning of the name, else the term itself.
pub fn search_cursor(term: &str) -> &str {
    match term.split_once(END) {
        Some((words, key)) if search_key(key) == words => key,
        _ => term,
    }
}

/// The term that a cursor stands for.
pub fn search_continued(cursor: &str) -> String {
    if cursor.contains(END) { cursor.to_owned() } else { format!("{}{END}{cursor}", search_key(cursor)) }
}

fn is_accent(letter: char) -> bool {
    let script = || {
        let accented = [Script::Inherited, Script::Hebrew, Script::Arabic, Script::Syriac, Script::Cyrillic];
        accented.contains(&letter.script())
    };
    matches!(letter, '\u{200c}' | '\u{200d}') || (is_combining_mark(letter) && script())
}

fn word_starts(text: &str) -> impl Iterator<Item = usize> {
    let is_in_word = |letter: char| letter.is_alphanumeric() || is_combining_mark(letter);
    text.char_indices()
        .scan(false, move |inside, (place, letter)| {
            let was_inside = std::mem::replace(inside, is_in_word(letter));
            Some((place, *inside && !was_inside))
        })
        .filter_map(|(place, starts)| starts.then_some(place))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::Name;

    #[test]
    fn accents_strokes_and_case_make_no_difference() {
        for (typed, same) in [
            ("Łódź", "lodz"),
            ("Søren", "soren"),
            ("Weiß", "weiss"),
            ("ZOË", "zoe"),
            ("Þóra", "thora"),
            ("Đặng", "dang"),
            ("Ærø", "aero"),
            ("İpek", "ipek"),
            ("Ёлкин", "елкин"),
            ("Ὀδυσσεύς", "οδυσσευσ"),
            ("Ｔomas", "tomas"),
            (" Ada ", "ada"),
        ] {
            assert_eq!(search_key(typed), search_key(same), "{typed}");
        }
        assert_ne!(search_key("राम"), search_key("रीम"), "vowel signs are letters");
    }

    #[test]
    fn every_word_begins_a_term() {
        let words = |name: &str| {
            let found = search_terms(&name_key(name));
            found.iter().map(|term| term.split(END).next().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(words("Ada Lovelace"), ["ada lovelace", "lovelace"]);
        assert_eq!(words("Mary-Ann O'Neil"), ["mary-ann o'neil", "ann o'neil", "o'neil", "neil"]);
        assert_eq!(words("李小龍"), ["李小龍"]);
        assert_eq!(words("क्षमा"), ["क्षमा"]);
    }

    proptest! {
        #[test]
        fn terms_are_unique_and_found_by_every_beginning(text in "\\PC{2,32}", length in 1..32_usize) {
            let Ok(name) = Name::parse(&text) else { return Ok(()) };
            let terms = search_terms(&name.key());
            prop_assert!(!terms.is_empty());
            let mut unique = terms.clone();
            unique.sort();
            unique.dedup();
            prop_assert_eq!(unique.len(), terms.len());
            prop_assert_eq!(search_cursor(&terms[0]), name.key());
            for term in &terms {
                prop_assert_eq!(&search_continued(search_cursor(term)), term);
            }
            let typed: String = name.as_str().chars().take(length).collect();
            prop_assert!(terms[0].starts_with(&search_key(&typed)), "{:?}", terms);
        }
    }
}
