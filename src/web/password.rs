use std::sync::Arc;
use std::time::Duration;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{Error as HashError, PasswordHasher, PasswordVerifier};
use tokio::sync::Semaphore;
use unicode_normalization::UnicodeNormalization;

use super::refusal::Refusal;
use crate::protocol::Code;

const MIN_CHARS: usize = 8;
const MAX_CHARS: usize = 128;

/// Hashes at once: each takes 19 MiB and a core for tens of milliseconds
/// (argon2id, the parameters of OWASP's password storage guide).
const AT_ONCE: usize = 2;

/// How long one waits for its turn; then the answer is `busy`.
const TURN_TIMEOUT: Duration = Duration::from_secs(5);

/// A password fit to be set: 8 to 128 characters, in NFC, so that every
/// keyboard types the same one.
pub struct Password(String);

impl Password {
    pub fn parse(text: &str, field: &str) -> Result<Self, Refusal> {
        let refuse = |sentence: String| Err(Refusal::new(Code::InvalidPassword, sentence).field(field));
        // Four bytes a character: the length before any work is done with it.
        if text.len() > MAX_CHARS * 4 {
            return refuse(format!("A password has at most {MAX_CHARS} characters."));
        }
        let text: String = text.nfc().collect();
        match text.chars().count() {
            0..MIN_CHARS => refuse(format!("A password has at least {MIN_CHARS} characters.")),
            MIN_CHARS..=MAX_CHARS => Ok(Self(text)),
            _ => refuse(format!("A password has at most {MAX_CHARS} characters.")),
        }
    }
}

/// Hashes and compares passwords, away from the threads that serve requests
/// and never more than [`AT_ONCE`].
pub struct Passwords {
    turns: Arc<Semaphore>,
}

impl Default for Passwords {
    fn default() -> Self {
        Self { turns: Arc::new(Semaphore::new(AT_ONCE)) }
    }
}

impl Passwords {
    /// A PHC string with a salt of its own.
    pub async fn hash(&self, password: Password) -> Result<String, Refusal> {
        self.in_turn(move || {
            Argon2::default().hash_password(password.0.as_bytes()).map(|hash| hash.to_string())
        })
        .await?
        .map_err(broken)
    }

    /// Whether `password` is the one that was hashed. One that could never have
    /// been set is not; it costs nothing to say so.
    pub async fn verify(&self, password: &str, hash: String) -> Result<bool, Refusal> {
        let Ok(password) = Password::parse(password, "password") else { return Ok(false) };
        let verified = self.in_turn(move || {
            let hash = PasswordHash::new(&hash)?;
            Argon2::default().verify_password(password.0.as_bytes(), &hash)
        });
        match verified.await? {
            Ok(()) => Ok(true),
            Err(HashError::PasswordInvalid) => Ok(false),
            Err(error) => Err(broken(error)),
        }
    }

    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        let turn = tokio::time::timeout(TURN_TIMEOUT, self.turns.clone().acquire_owned());
        let turn = turn.await.map_err(|_| Refusal::busy())?.expect("the semaphore is never closed");
        let working = tokio::task::spawn_blocking(move || {
            // Held to the end of the work, also when the request has gone away.
            let _turn = turn;
            work()
        });
        working.await.map_err(|error| {
            tracing::error!(%error, "hashing failed");
            Refusal::internal()
        })
    }
}

fn broken(error: impl std::fmt::Display) -> Refusal {
    tracing::error!(%error, "a password hash cannot be used");
    Refusal::internal()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::Choices;

    #[tokio::test]
    async fn a_password_opens_what_it_locked_however_it_is_typed() {
        let passwords = Passwords::default();
        let hash = passwords.hash(Password::parse("crème brûlée", "password").unwrap()).await.unwrap();
        assert!(hash.starts_with("$argon2id$"));
        assert!(passwords.verify("cre\u{300}me bru\u{302}le\u{301}e", hash.clone()).await.unwrap());
        assert!(!passwords.verify("creme brulee", hash.clone()).await.unwrap());
        assert!(!passwords.verify("", hash).await.unwrap());
    }

    #[test]
    fn a_password_is_the_same_however_often_it_is_read() {
        bolero::check!().for_each(|bytes: &[u8]| {
            let text = Choices::new(bytes).text(
                &["crème brûlée", "12345678", "密码密码密码密码"],
                &["\u{301}", "\u{1d160}", "\0", "e", " "],
            );
            if let Ok(password) = Password::parse(&text, "password") {
                assert!((MIN_CHARS..=MAX_CHARS).contains(&password.0.chars().count()), "{text:?}");
                let again = Password::parse(&password.0, "password").map(|again| again.0);
                assert_eq!(again.ok().as_ref(), Some(&password.0), "{text:?}");
            }
        });
    }

    #[test]
    fn a_password_has_8_to_128_characters() {
        for (text, fits) in [
            ("1234567".to_owned(), false),
            ("12345678".to_owned(), true),
            ("é".repeat(128), true),
            ("é".repeat(129), false),
            ("a".repeat(60_000), false),
        ] {
            assert_eq!(Password::parse(&text, "password").is_ok(), fits, "{}", text.len());
        }
    }
}
