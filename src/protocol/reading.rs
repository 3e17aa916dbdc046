use serde::de::Deserialize;
use serde_json::error::Category;

use super::strict::Strict;
use super::{Code, Problem};

/// Reads one JSON object from outside, or says which field is at fault.
pub fn read<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Problem> {
    if !text.trim_ascii_start().starts_with('{') {
        return Err(Problem::new(Code::BadJson, "This is not a JSON object."));
    }
    // Only what is wrong needs the path to it, and is read again for that.
    read_if_valid(text).or_else(|_| read_with_path(text))
}

/// As [`read`], for who does not ask what is wrong.
pub fn read_if_valid<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, serde_json::Error> {
    let mut json = serde_json::Deserializer::from_str(text);
    let value = T::deserialize(Strict(&mut json))?;
    json.end()?;
    Ok(value)
}

fn read_with_path<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Problem> {
    let mut json = serde_json::Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize(Strict(&mut json))
        .map_err(|error| refused(error.path().to_string(), &error.into_inner()))?;
    json.end().map_err(|error| bad_json(&error))?;
    Ok(value)
}

fn refused(path: String, error: &serde_json::Error) -> Problem {
    if error.classify() != Category::Data {
        return bad_json(error);
    }
    let text = error.to_string();
    let reason = text.rsplit_once(" at line ").map_or(&*text, |(reason, _)| reason);
    // A missing or doubled field is reported at its parent.
    let of_parent = |name: &str| {
        let name = name.trim_matches('`');
        if path == "." { name.to_owned() } else { format!("{path}.{name}") }
    };
    let (field, rule) = if let Some(name) = reason.strip_prefix("missing field ") {
        (of_parent(name), "is missing")
    } else if let Some(name) = reason.strip_prefix("duplicate field ") {
        (of_parent(name), "is given twice")
    } else {
        (path, rule(reason))
    };
    Problem::new(Code::InvalidField, format!("`{field}` {rule}.")).field(field)
}

/// What a value must be, from the parser's words for what it is not.
fn rule(reason: &str) -> &str {
    match reason.rsplit_once(", expected ").map(|(_, expected)| expected) {
        Some("u64" | "u32" | "usize") => "must be a whole number from 0 to 2^53 - 1",
        Some("a string" | "a borrowed string") => "must be a string",
        Some("a boolean") => "must be true or false",
        Some("a sequence") => "must be a list",
        Some("a UUID as a string") => "must be a UUID",
        Some(expected) if expected.starts_with("struct ") => "must be an object",
        // Our own types say it themselves.
        None if reason.starts_with("must be ") => reason,
        _ => "is not valid",
    }
}

fn bad_json(error: &serde_json::Error) -> Problem {
    let text = error.to_string();
    let what = if error.classify() == Category::Eof {
        "The JSON ends too early"
    } else if text.starts_with("number out of range") {
        "A number is out of range"
    } else if text.starts_with("trailing characters") {
        "Something follows the JSON object"
    } else if text.starts_with("lone leading surrogate") || text.starts_with("unexpected end of hex escape") {
        "An escape is half of a surrogate pair"
    } else {
        "This is not valid JSON"
    };
    let sentence = format!("{what} (line {}, column {}).", error.line(), error.column());
    Problem::new(Code::BadJson, sentence)
}

/// A time of the protocol, which may be left out.
pub(super) mod optional_time {
    use serde::{Deserializer, de};
    use time::OffsetDateTime;
    use time::serde::rfc3339::option;
    pub use time::serde::rfc3339::option::serialize;

    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<OffsetDateTime>, D::Error> {
        option::deserialize(deserializer).map_err(|_| de::Error::custom("must be a time as in RFC 3339"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Activity, Hello, LogIn, Send, Sync};

    const ID: &str = "0199a3b0-0000-7000-8000-000000000001";

    fn sentence<T: for<'a> Deserialize<'a>>(text: &str) -> String {
        read::<T>(&text.replace("ID", ID)).err().expect(text).message
    }

    #[test]
    fn what_is_wrong_is_said_in_words_that_need_no_rust() {
        assert_eq!(sentence::<Send>(r#"{"conversation":"ID"}"#), "`client_id` is missing.");
        assert_eq!(sentence::<LogIn>(r#"{"name":"Ada","name":"Bob"}"#), "`name` is given twice.");
        assert_eq!(sentence::<LogIn>(r#"{"name":7}"#), "`name` must be a string.");
        assert_eq!(sentence::<LogIn>(r#"{"name":"Ada","bearer":1}"#), "`bearer` must be true or false.");
        assert_eq!(sentence::<Activity>(r#"{"idle":null}"#), "`idle` must be true or false.");
        assert_eq!(sentence::<Sync>(r#"{"cursors":{}}"#), "`cursors` must be a list.");
        assert_eq!(sentence::<Sync>(r#"{"cursors":[7]}"#), "`cursors[0]` must be an object.");
        assert_eq!(
            sentence::<Sync>(r#"{"cursors":[{"conversation":"ID"}]}"#),
            "`cursors[0].seq` is missing."
        );
        for seq in ["-1", "1.5", "\"1\"", "null", "9007199254740992", "18446744073709551616"] {
            assert_eq!(
                sentence::<Sync>(&format!(r#"{{"cursors":[{{"conversation":"ID","seq":{seq}}}]}}"#)),
                "`cursors[0].seq` must be a whole number from 0 to 2^53 - 1."
            );
        }
        for at in ["7", "null", "\"yesterday\"", "\"2026-02-30T00:00:00Z\""] {
            assert_eq!(
                sentence::<Sync>(&format!(r#"{{"cursors":[{{"conversation":"ID","seq":1,"at":{at}}}]}}"#)),
                "`cursors[0].at` must be a time as in RFC 3339."
            );
        }
        for watch in ["7", "null", "[true,[]]"] {
            let hello = format!(r#"{{"cursors":[],"watch":{watch}}}"#);
            assert_eq!(sentence::<Hello>(&hello), "`watch` must be an object.");
        }
        assert_eq!(sentence::<Sync>(r#"{"cursors":[["ID",1]]}"#), "`cursors[0]` must be an object.");
        assert_eq!(sentence::<LogIn>(r#"{"name":"Ada","password":null}"#), "`password` must be a string.");
        assert_eq!(sentence::<LogIn>(r#"{"name":"Ada","bearer":null}"#), "`bearer` must be true or false.");
        assert_eq!(
            sentence::<Hello>(r#"{"cursors":[],"watch":{"users":["x"]}}"#),
            "`watch.users[0]` must be a UUID."
        );
        assert_eq!(
            sentence::<Send>(r#"{"client_id":"0199a3b0-0000-4000-8000-000000000001"}"#),
            "`client_id` must be a UUIDv7 (RFC 9562)."
        );
    }

    #[test]
    fn what_is_not_json_is_said_with_its_place() {
        assert_eq!(sentence::<LogIn>("[]"), "This is not a JSON object.");
        assert_eq!(sentence::<LogIn>(r#"{"name":"Ada""#), "The JSON ends too early (line 1, column 13).");
        assert_eq!(sentence::<LogIn>("{name:1}"), "This is not valid JSON (line 1, column 2).");
        let more = sentence::<LogIn>(r#"{"name":"Ada"} {}"#);
        assert!(more.starts_with("Something follows the JSON object"), "{more}");
        let huge = sentence::<LogIn>(r#"{"name":1e400}"#);
        assert!(huge.starts_with("A number is out of range"), "{huge}");
        let half = sentence::<LogIn>(r#"{"name":"\ud800"}"#);
        assert!(half.starts_with("An escape is half of a surrogate pair"), "{half}");
    }
}
