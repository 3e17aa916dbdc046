use std::fmt;
use std::sync::Arc;

/// The body of a message: 1 to the configured number of characters, something
/// to see in it, no U+0000 (which PostgreSQL cannot store). Shared, not copied.
#[derive(Clone, PartialEq, Eq)]
pub struct Text(Arc<str>);

/// Why a text was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    #[error("the text is empty")]
    Empty,
    #[error("the text has {length} characters, more than {limit}")]
    TooLong { length: usize, limit: usize },
    #[error("the text contains U+0000")]
    Nul,
}

impl Text {
    /// Accepts `text` as it is: nothing is trimmed or normalised, so that a
    /// resend compares equal byte for byte.
    pub fn parse(text: &str, max_chars: usize) -> Result<Self, TextError> {
        if text.contains('\0') {
            return Err(TextError::Nul);
        }
        if text.trim().is_empty() {
            return Err(TextError::Empty);
        }
        // Bytes bound characters: most texts need no counting.
        if text.len() > max_chars {
            let length = text.chars().count();
            if length > max_chars {
                return Err(TextError::TooLong { length, limit: max_chars });
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

/// The length only: what people write does not belong into logs.
impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Text({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::Choices;

    #[test]
    fn a_text_is_bounded_in_characters_and_storable() {
        assert!(Text::parse("é".repeat(4_000).as_str(), 4_000).is_ok());
        assert_eq!(
            Text::parse("é".repeat(4_001).as_str(), 4_000),
            Err(TextError::TooLong { length: 4_001, limit: 4_000 })
        );
        assert_eq!(Text::parse("a\0b", 10), Err(TextError::Nul));
        assert_eq!(Text::parse(" \n\t ", 10), Err(TextError::Empty));
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
                Err(TextError::Nul)
            } else if text.chars().all(char::is_whitespace) {
                Err(TextError::Empty)
            } else if length > max {
                Err(TextError::TooLong { length, limit: max })
            } else {
                Ok(text.as_str())
            };
            assert_eq!(Text::parse(&text, max).as_ref().map(Text::as_str), expected.as_ref().copied());
        });
    }

    #[test]
    fn a_text_does_not_print_its_content() {
        let text = Text::parse("a secret", 10).unwrap();
        assert_eq!(format!("{text:?}"), "Text(8 bytes)");
    }
}
