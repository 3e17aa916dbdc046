use std::sync::Arc;
use std::time::Duration;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{Error as HashError, PasswordHasher as _, PasswordVerifier};
use tokio::sync::Semaphore;
use unicode_normalization::UnicodeNormalization;

use super::AccountError;
use crate::domain::Weakness;

const MIN_CHARS: usize = 8;
const MAX_CHARS: usize = 128;

/// Passwords hashed at a time. Each takes 19 MiB and a core for tens of
/// milliseconds (argon2id with the parameters of OWASP's password storage guide).
const AT_ONCE: usize = 2;

/// How long a password waits for its turn before the hasher is [busy](AccountError::Busy).
const TURN_TIMEOUT: Duration = Duration::from_secs(5);

/// A password that may be set: 8 to 128 characters in NFC, so that every keyboard
/// types the same one.
#[derive(Debug)]
pub struct Password(String);

/// Why a password may not be set, in a sentence for the person who chose it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    #[error("A password must have at least {MIN_CHARS} characters.")]
    TooShort,
    #[error("A password can have at most {MAX_CHARS} characters.")]
    TooLong,
    #[error("This password is too common. Choose another.")]
    Common,
    #[error("A password can't be your name. Choose another.")]
    LikeName,
    #[error("This password is too easy to guess. Use a greater variety of characters.")]
    Repetitive,
}

impl Password {
    /// Parses a password that may have been set.
    pub fn parse(text: &str) -> Result<Self, PasswordError> {
        // A character has at most four bytes. Checked before any work is done with the text.
        if text.len() > MAX_CHARS * 4 {
            return Err(PasswordError::TooLong);
        }
        let text: String = text.nfc().collect();
        match text.chars().count() {
            0..MIN_CHARS => Err(PasswordError::TooShort),
            MIN_CHARS..=MAX_CHARS => Ok(Self(text)),
            _ => Err(PasswordError::TooLong),
        }
    }

    /// Parses a password to be set for `name`, and refuses the ones that are guessed first.
    pub fn choose(text: &str, name: &str) -> Result<Self, PasswordError> {
        let password = Self::parse(text)?;
        match Weakness::of(text, name) {
            None => Ok(password),
            Some(Weakness::Common) => Err(PasswordError::Common),
            Some(Weakness::LikeName) => Err(PasswordError::LikeName),
            Some(Weakness::Repetitive) => Err(PasswordError::Repetitive),
        }
    }
}

/// Hashes and verifies passwords, away from the threads that serve requests and
/// never more than [`AT_ONCE`].
pub struct PasswordHasher {
    turns: Arc<Semaphore>,
}

impl Default for PasswordHasher {
    fn default() -> Self {
        Self { turns: Arc::new(Semaphore::new(AT_ONCE)) }
    }
}

impl PasswordHasher {
    /// Returns a PHC string with a salt of its own.
    pub async fn hash(&self, password: Password) -> Result<String, AccountError> {
        self.in_turn(move || {
            Argon2::default().hash_password(password.0.as_bytes()).map(|hash| hash.to_string())
        })
        .await?
        .map_err(unusable)
    }

    /// Whether `hash` is of `password`. No work is done for a password that could
    /// never have been set.
    pub async fn verify(&self, password: &str, hash: String) -> Result<bool, AccountError> {
        let Ok(password) = Password::parse(password) else { return Ok(false) };
        let verified = self.in_turn(move || {
            let hash = PasswordHash::new(&hash)?;
            Argon2::default().verify_password(password.0.as_bytes(), &hash)
        });
        match verified.await? {
            Ok(()) => Ok(true),
            Err(HashError::PasswordInvalid) => Ok(false),
            Err(error) => Err(unusable(error)),
        }
    }

    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, AccountError> {
        let turn = tokio::time::timeout(TURN_TIMEOUT, self.turns.clone().acquire_owned());
        let turn = turn.await.map_err(|_| AccountError::Busy)?.expect("the semaphore is never closed");
        let working = tokio::task::spawn_blocking(move || {
            // Held until the work ends, even if the request has gone away.
            let _turn = turn;
            work()
        });
        working.await.map_err(|error| {
            tracing::error!(%error, "hashing failed");
            AccountError::Internal
        })
    }
}

fn unusable(error: impl std::fmt::Display) -> AccountError {
    tracing::error!(%error, "a password hash cannot be used");
    AccountError::Internal
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::Choices;

    #[tokio::test]
    async fn a_password_opens_what_it_locked_however_it_is_typed() {
        let hasher = PasswordHasher::default();
        let hash = hasher.hash(Password::parse("crème brûlée").unwrap()).await.unwrap();
        assert!(hash.starts_with("$argon2id$"));
        assert!(hasher.verify("cre\u{300}me bru\u{302}le\u{301}e", hash.clone()).await.unwrap());
        assert!(!hasher.verify("creme brulee", hash.clone()).await.unwrap());
        assert!(!hasher.verify("", hash).await.unwrap());
    }

    #[test]
    fn a_password_is_the_same_however_often_it_is_read() {
        bolero::check!().for_each(|bytes: &[u8]| {
            let text = Choices::new(bytes).text(
                &["crème brûlée", "12345678", "密码密码密码密码"],
                &["\u{301}", "\u{1d160}", "\0", "e", " "],
            );
            if let Ok(password) = Password::parse(&text) {
                assert!((MIN_CHARS..=MAX_CHARS).contains(&password.0.chars().count()), "{text:?}");
                let again = Password::parse(&password.0).map(|again| again.0);
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
            assert_eq!(Password::parse(&text).is_ok(), fits, "{}", text.len());
        }
    }
}
