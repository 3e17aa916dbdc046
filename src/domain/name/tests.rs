use proptest::prelude::*;

use super::*;
use crate::fuzz::Choices;

fn key(text: &str) -> String {
    Name::parse(text).unwrap().key()
}

fn look(text: &str) -> String {
    Name::parse(text).unwrap().skeleton()
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
        "علی\u{200c}رضا",
        "ශ්\u{200d}රී",
        "അനിവര്\u{200d}",
        "卡尔·马克思",
        "ジョン・スミス",
        "Gal·la",
        "ג׳ורג׳",
        "ཚེ་རིང",
        "Jean\u{2010}Luc",
        "ქეთევან",
        "ምንሊክ",
        "သီရိ",
        "ខេមរា",
        "Գայանե",
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
        ("Ad\u{200d}a", Invisible),
        ("Ad\u{200c}a", Invisible),
        ("علی\u{200c}", Invisible),
        ("علی\u{200c}\u{200c}رضا", Invisible),
        ("Gal··la", DoubledSeparator),
        ("·Gal", Edge),
    ] {
        assert_eq!(Name::parse(text), Err(error), "{text:.40}");
    }
}

#[test]
fn nobody_is_called_as_if_of_the_server() {
    for name in [
        "Admin",
        "ADMIN",
        "adm1n",
        "admín",
        "Administratör",
        "r00t",
        "system",
        "Tid.ings",
        "s.u.p.p.o.r.t",
        "Support",
        "Tidings Support",
        "TidingsSupport",
        "Ada-Admin",
        "admin 2",
        "admin2",
    ] {
        assert!(Name::parse(name).unwrap().is_reserved(), "{name}");
    }
    for name in ["Ada", "Rooth", "Ada Helper", "Joe Root", "Meher", "Systemhaus", "Admiral", "Supporter Bob"]
    {
        assert!(!Name::parse(name).unwrap().is_reserved(), "{name}");
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
    for same in ["Paul-Miller", "Paul Miller", "paul.miller", "Paul·Miller", "p_a_u_l_miller"] {
        assert_eq!(look(same), look("PaulMiller"), "{same}");
    }
    assert_eq!(look("علی\u{200c}رضا"), look("علیرضا"));
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
                let is_unseen = |c: char| characters::is_invisible(c) && !is_joiner(c);
                assert!(!shown.contains(is_unseen), "{text:?}");
                let (key, look) = (name.key(), name.skeleton());
                assert_eq!(name_key(&key), key, "{text:?}");
                assert_eq!(name_key(&shown.to_lowercase()), key, "{text:?}");
                assert_eq!(skeleton_of(&look), look, "{text:?}");
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

const TOKENS: [&str; 28] = [
    "\u{200c}", "\u{200d}", "·", "・", " ", "-", "_", ".", "'", "’", "\u{301}", "\u{308}", "\u{345}",
    "admin", "root", "I", "l", "1", "m", "rn", "0", "O", "сосо", "ς", "ß", "ﬀ", "ǰ", "ｉ",
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
