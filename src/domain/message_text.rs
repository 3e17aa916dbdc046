use std::fmt;
use std::sync::Arc;

/// The body of a message: 1 to the configured number of characters, not only
/// white space, no U+0000 (which PostgreSQL cannot store). Shared, not copied.
#[derive(Clone, PartialEq, Eq)]
pub struct MessageText(Arc<str>);

/// Why a text was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MessageTextError {
    #[error("A message can't be empty.")]
    Empty,
    #[error("A message can have at most {limit} characters; this one has {length}.")]
    TooLong { length: usize, limit: usize },
    #[error("A message can't contain U+0000.")]
    Nul,
}

impl MessageText {
    /// Accepts `text` as it is: nothing is trimmed or normalised, so that a
    /// resend compares equal byte for byte.
    pub fn parse(text: &str, max_chars: usize) -> Result<Self, MessageTextError> {
        if text.contains('\0') {
            return Err(MessageTextError::Nul);
        }
        if text.trim().is_empty() {
            return Err(MessageTextError::Empty);
        }
        // Bytes bound characters: most texts need no counting.
        if text.len() > max_chars {
            let length = text.chars().count();
            if length > max_chars {
                return Err(MessageTextError::TooLong { length, limit: max_chars });
            }
        }
        Ok(Self(text.into()))
    }

    /// The same text, shared.
    pub fn shared(&self) -> Arc<str> {
        self.0.clone()
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The length only: message texts do not belong in logs.
impl fmt::Debug for MessageText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MessageText({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::Choices;

    #[test]
    fn a_text_is_bounded_in_characters_and_storable() {
        assert!(MessageText::parse("é".repeat(4_000).as_str(), 4_000).is_ok());
        assert_eq!(
            MessageText::parse("é".repeat(4_001).as_str(), 4_000),
            Err(MessageTextError::TooLong { length: 4_001, limit: 4_000 })
        );
        assert_eq!(MessageText::parse("a\0b", 10), Err(MessageTextError::Nul));
        assert_eq!(MessageText::parse(" \n\t ", 10), Err(MessageTextError::Empty));
    }

    #[test]
    fn b21_a_text_is_taken_as_it_is_or_not_at_all() {
        bolero::check!().for_each(|bytes: &[u8]| {
            let mut choices = Choices::new(bytes);
            let max = choices.below(64);
            let text = choices.text(
                &["Are you there?", "é", "\u{3000}\u{a0}\n", "🏳️‍🌈"],
                &["\0", " ", "\u{301}", "\n", "\u{feff}"],
            );
            let length = text.chars().count();
            let expected = if text.chars().any(|c| c == '\0') {
                Err(MessageTextError::Nul)
            } else if text.chars().all(char::is_whitespace) {
                Err(MessageTextError::Empty)
            } else if length > max {
                Err(MessageTextError::TooLong { length, limit: max })
            } else {
                Ok(text.as_str())
            };
            assert_eq!(
                MessageText::parse(&text, max).as_ref().map(MessageText::as_str),
                expected.as_ref().copied()
            );
        });
    }

    #[test]
    fn a_text_does_not_print_its_content() {
        let text = MessageText::parse("a secret", 10).unwrap();
        assert_eq!(format!("{text:?}"), "MessageText(8 bytes)");
    }
}
