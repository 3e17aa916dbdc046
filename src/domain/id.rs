use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use ts_rs::TS;
use utoipa::ToSchema;
use uuid::Uuid;

/// One UUID newtype: a string on the wire, in TypeScript too.
macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, TS, ToSchema)]
        #[ts(type = "string")]
        #[schema(value_type = String, format = "uuid")]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, uuid::Error> {
                Uuid::try_parse(text).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut buffer = Uuid::encode_buffer();
                serializer.serialize_str(self.0.hyphenated().encode_lower(&mut buffer))
            }
        }
    };
}

id! {
    /// A user, for ever.
    UserId
}
id! {
    /// A conversation and its log.
    ConversationId
}
id! {
    /// The sender's own name for a message, a UUIDv7 (RFC 9562 §5.7): the key
    /// under which a resend is recognised.
    ClientId
}

impl UserId {
    /// A fresh id, at random: it does not tell when somebody came.
    pub fn fresh() -> Self {
        Self(Uuid::new_v4())
    }
}

impl ConversationId {
    /// A fresh id, at random.
    pub fn fresh() -> Self {
        Self(Uuid::new_v4())
    }
}

impl<'de> Deserialize<'de> for UserId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        uuid_text(deserializer).map(Self)
    }
}

impl<'de> Deserialize<'de> for ConversationId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        uuid_text(deserializer).map(Self)
    }
}

impl<'de> Deserialize<'de> for ClientId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let id = uuid_text(deserializer)?;
        if id.get_version_num() != 7 {
            return Err(serde::de::Error::custom("must be a UUIDv7 (RFC 9562)"));
        }
        Ok(Self(id))
    }
}

fn uuid_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Uuid, D::Error> {
    struct Hyphenated;

    impl serde::de::Visitor<'_> for Hyphenated {
        type Value = Uuid;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a UUID as a string")
        }

        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Uuid, E> {
            // The length first: other spellings (braced, without hyphens) are
            // a second name for the same thing, and long rubbish is not quoted.
            match text.len() {
                36 => Uuid::try_parse(text).map_err(|_| E::custom("must be a UUID")),
                _ => Err(E::custom("must be a UUID")),
            }
        }
    }

    deserializer.deserialize_str(Hyphenated)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_hyphenated_version_seven_names_a_message() {
        let v7 = Uuid::now_v7();
        assert_eq!(serde_json::from_str::<ClientId>(&format!("\"{v7}\"")).unwrap(), ClientId(v7));
        for bad in [
            "\"\"".to_owned(),
            format!("\"{}\"", v7.simple()),
            "\"00000000-0000-4000-8000-000000000000\"".to_owned(),
            format!("\"{}\"", "a".repeat(10_000)),
            "7".to_owned(),
            "null".to_owned(),
        ] {
            assert!(serde_json::from_str::<ClientId>(&bad).is_err(), "{bad:.60}");
        }
    }
}
