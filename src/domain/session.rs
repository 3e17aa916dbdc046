use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

const SECRET_BYTES: usize = 32;

/// What holds a session: 256 random bits. Whoever has it is the user; it is
/// never stored and never printed.
#[derive(Clone)]
pub struct SessionSecret([u8; SECRET_BYTES]);

/// Finds a session: SHA-256 of its secret, of no use to whoever reads it. A new
/// password changes the secret, and this with it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenHash(pub [u8; 32]);

/// Names a session for as long as it lasts, at random. It opens nothing: the
/// user's other sessions are shown it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SessionId(pub [u8; 32]);

impl SessionSecret {
    /// A new one from the operating system's generator.
    ///
    /// # Panics
    /// When the system has no randomness to give: nothing safe can follow.
    pub fn generate() -> Self {
        let mut bytes = [0; SECRET_BYTES];
        getrandom::fill(&mut bytes).expect("the operating system provides randomness");
        Self(bytes)
    }

    /// Reads what [`text`](Self::text) wrote; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        // The length first: a long forgery is not worth decoding.
        if text.len() != SECRET_BYTES.div_ceil(3) * 4 - 1 {
            return None;
        }
        let mut bytes = [0; SECRET_BYTES];
        let written = URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).ok()?;
        (written == SECRET_BYTES).then_some(Self(bytes))
    }

    /// For the cookie or the bearer token: 43 characters of base64url.
    pub fn text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    pub fn hash(&self) -> TokenHash {
        TokenHash(Sha256::digest(self.0).into())
    }
}

/// Some of a user's sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SessionFilter {
    All,
    Only(SessionId),
    AllBut(SessionId),
}

impl SessionFilter {
    pub fn matches(self, session: SessionId) -> bool {
        match self {
            Self::All => true,
            Self::Only(one) => session == one,
            Self::AllBut(one) => session != one,
        }
    }
}

impl SessionId {
    /// Reads what [`text`](Self::text) wrote; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let is_lower_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if text.len() != 64 || !text.bytes().all(is_lower_hex) {
            return None;
        }
        let mut bytes = [0; 32];
        for (byte, at) in bytes.iter_mut().zip((0..).step_by(2)) {
            *byte = u8::from_str_radix(&text[at..at + 2], 16).ok()?;
        }
        Some(Self(bytes))
    }

    /// 64 hexadecimal digits.
    pub fn text(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl fmt::Debug for SessionSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionSecret(…)")
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash(…)")
    }
}

/// The first four bytes: enough to tell sessions apart in a log.
impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, ..] = self.0;
        write!(f, "SessionId({a:02x}{b:02x}{c:02x}{d:02x}…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::Choices;

    #[test]
    fn a_secret_reads_back_and_prints_nothing() {
        let secret = SessionSecret::generate();
        let again = SessionSecret::parse(&secret.text()).unwrap();
        assert_eq!(again.hash(), secret.hash());
        assert_eq!(format!("{secret:?}"), "SessionSecret(…)");
        assert_ne!(SessionSecret::generate().hash(), secret.hash());
    }

    #[test]
    fn the_id_of_a_session_has_one_spelling() {
        let id = SessionId(std::array::from_fn(|n| n as u8 * 7));
        assert_eq!(SessionId::parse(&id.text()), Some(id));
        for wrong in ["", "00", &id.text().to_uppercase(), &id.text()[1..], &"é".repeat(32)] {
            assert_eq!(SessionId::parse(wrong), None, "{wrong}");
        }
    }

    /// Two spellings would be two cookies for one session.
    #[test]
    fn b25_a_secret_has_one_spelling() {
        bolero::check!().for_each(|bytes: &[u8]| {
            let seeds = [
                "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
                "_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-8",
            ];
            let text = Choices::new(bytes).text(&seeds, &["=", "A", "B", "_", "-", "+", "/", "%3D", " "]);
            if let Some(secret) = SessionSecret::parse(&text) {
                assert_eq!(secret.text(), text);
            }
        });
    }

    #[test]
    fn b25_forged_secrets_are_refused_whatever_their_shape() {
        let text = SessionSecret::generate().text();
        for forged in ["", "a", &text[1..], &format!("{text}="), &"é".repeat(22), &"a".repeat(8_192)] {
            assert!(SessionSecret::parse(forged).is_none(), "{forged:.50}");
        }
    }
}
