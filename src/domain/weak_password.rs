use super::search_key;

/// Passwords that are tried first, in lower case, sorted: those of zxcvbn's list
/// (MIT) with at least eight characters, and German ones.
const COMMON: &str = include_str!("common_passwords.txt");

/// Different characters below which a password is hardly one.
const DIFFERENT_MIN: usize = 4;

/// Letters of a name that may stand in a password without being all there is to it.
const NAME_MIN_CHARS: usize = 3;

/// Characters besides the own name that do not make a password of it.
const BESIDES_NAME_MAX: usize = 3;

/// Signs that stand for letters, as everybody knows who guesses.
const SIGNS: [(char, char); 9] = [
    ('@', 'a'),
    ('4', 'a'),
    ('3', 'e'),
    ('1', 'i'),
    ('!', 'i'),
    ('0', 'o'),
    ('5', 's'),
    ('$', 's'),
    ('7', 't'),
];

/// Why a password is guessed at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weakness {
    /// One of those that most people have.
    Common,
    /// Hardly more than the name that it protects.
    LikeName,
    /// The same few characters, or a row of neighbours as `12345678`.
    Repetitive,
}

impl Weakness {
    /// Finds one in a password for somebody of this name; `None` where there is none.
    /// It is no measure of strength: only what is tried first is refused.
    pub fn of(password: &str, name: &str) -> Option<Self> {
        let folded = search_key(password);
        if is_repetitive(&folded) {
            Some(Self::Repetitive)
        } else if is_common(&folded) {
            Some(Self::Common)
        } else if is_like(&folded, name) {
            Some(Self::LikeName)
        } else {
            None
        }
    }
}

fn is_repetitive(password: &str) -> bool {
    let letters: Vec<u32> = password.chars().map(u32::from).collect();
    let mut different = letters.clone();
    different.sort_unstable();
    different.dedup();
    let is_row = |step: i64| letters.windows(2).all(|pair| i64::from(pair[1]) - i64::from(pair[0]) == step);
    different.len() < DIFFERENT_MIN || is_row(1) || is_row(-1)
}

fn is_common(password: &str) -> bool {
    let spelled: String = password
        .chars()
        .map(|c| SIGNS.iter().find(|(sign, _)| *sign == c).map_or(c, |(_, letter)| *letter))
        .collect();
    // A year, a number, an exclamation mark: what a rule about signs makes people add.
    let bare = |text: &str| text.trim_end_matches(|c: char| !c.is_alphabetic()).to_owned();
    [password.to_owned(), bare(password), bare(&spelled), spelled].iter().any(|form| is_listed(form))
}

fn is_listed(password: &str) -> bool {
    let words = COMMON.as_bytes();
    // A search in halves over the lines of the text.
    let (mut low, mut high) = (0, words.len());
    while low < high {
        let middle = low + (high - low) / 2;
        let begin = words[..middle].iter().rposition(|byte| *byte == b'\n').map_or(0, |before| before + 1);
        let end = words[middle..].iter().position(|byte| *byte == b'\n').map_or(words.len(), |n| middle + n);
        match words[begin..end].cmp(password.as_bytes()) {
            std::cmp::Ordering::Equal => return true,
            std::cmp::Ordering::Less => low = end + 1,
            std::cmp::Ordering::Greater => high = begin,
        }
    }
    false
}

fn is_like(password: &str, name: &str) -> bool {
    let letters = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
    let (password, name) = (letters(password), letters(&search_key(name)));
    if name.chars().count() < NAME_MIN_CHARS {
        return password == name;
    }
    password.contains(&name) && password.replace(&name, "").chars().count() <= BESIDES_NAME_MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_tried_first_is_refused() {
        for (password, weakness) in [
            ("password", Weakness::Common),
            ("Password1!", Weakness::Common),
            ("P@ssw0rd", Weakness::Common),
            ("qwertyuiop", Weakness::Common),
            ("Passwort123", Weakness::Common),
            ("trustno1", Weakness::Common),
            ("12345678", Weakness::Repetitive),
            ("987654321", Weakness::Repetitive),
            ("abcdefgh", Weakness::Repetitive),
            ("        ", Weakness::Repetitive),
            ("aaaaaaaaaaaa", Weakness::Repetitive),
            ("abababab", Weakness::Repetitive),
            ("Ada Lovelace", Weakness::LikeName),
            ("adalovelace", Weakness::LikeName),
            ("ada.lovelace.42", Weakness::LikeName),
            ("ÁdaLovelace!", Weakness::LikeName),
        ] {
            assert_eq!(Weakness::of(password, "Ada Lovelace"), Some(weakness), "{password}");
        }
    }

    #[test]
    fn passwords_of_ones_own_are_taken() {
        for password in [
            "correct horse battery staple",
            "crème brûlée",
            "a long enough one",
            "Tr0ub4dour&3",
            "i ada lovelace wrote programs",
            "密码是我的生日",
            "zebrafunk",
        ] {
            assert_eq!(Weakness::of(password, "Ada Lovelace"), None, "{password}");
        }
        assert_eq!(Weakness::of("bonanza4you", "an"), None);
    }

    #[test]
    fn the_list_is_sorted_and_found_whole() {
        let words: Vec<&str> = COMMON.lines().collect();
        assert!(words.len() > 10_000 && words.is_sorted());
        assert!(words.iter().all(|word| is_listed(word)));
        assert!(!is_listed("") && !is_listed("zzzzzzzzzzzz") && !is_listed("!"));
    }
}
