//! Decodes frames: the bytes of a client become a [`ClientFrame`], or a problem that
//! names the field.

use std::borrow::Cow;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::domain::{ClientId, ConversationId, Seq};
use crate::protocol::{ClientFrame, Code, Content, Problem, Send, read, read_if_valid};

/// The type of a frame, and the kind of a `send`, as raw JSON: they may be anything.
#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow, rename = "type")]
    frame_type: Option<&'a RawValue>,
    #[serde(borrow)]
    kind: Option<&'a RawValue>,
}

/// Decodes one text frame. The parser skips unknown fields without recursion, however
/// deeply they are nested.
pub fn decode(text: &str) -> Result<ClientFrame, Problem> {
    if let Some(send) = message(text) {
        return Ok(ClientFrame::Send(send));
    }
    let Head { frame_type, kind } = read(text)?;
    let Some(frame_type) = frame_type else {
        return Err(Problem::new(Code::UnknownType, "A frame needs a `type`.").field("type"));
    };
    Ok(match &*unescaped(frame_type.get()) {
        "hello" => ClientFrame::Hello(read(text)?),
        "sync" => ClientFrame::Sync(read(text)?),
        "send" => ClientFrame::Send(send(text, kind)?),
        "give_up" => ClientFrame::GiveUp(read(text)?),
        "delivered" => ClientFrame::Delivered(read(text)?),
        "read" => ClientFrame::Read(read(text)?),
        "typing" => ClientFrame::Typing(read(text)?),
        "watch" => ClientFrame::Watch(read(text)?),
        "activity" => ClientFrame::Activity(read(text)?),
        "ping" => ClientFrame::Ping(read(text)?),
        _ => return Err(Problem::new(Code::UnknownType, "This `type` is unknown.").field("type")),
    })
}

/// A `send` of a message.
#[derive(Deserialize)]
struct Message<'a> {
    // Read so that a second one is refused.
    #[serde(borrow, rename = "type")]
    _type: &'a RawValue,
    #[serde(borrow)]
    kind: &'a RawValue,
    client_id: ClientId,
    conversation: ConversationId,
    body: Arc<str>,
}

impl From<Message<'_>> for Send {
    fn from(Message { client_id, conversation, body, .. }: Message<'_>) -> Self {
        Self { client_id, conversation, content: Content::Message { body } }
    }
}

/// Decodes what most frames are, a valid message whose type comes first, in one pass.
fn message(text: &str) -> Option<Send> {
    if !text.starts_with(r#"{"type":"send","#) {
        return None;
    }
    let message: Message<'_> = read_if_valid(text).ok()?;
    (message.kind.get() == r#""message""#).then(|| message.into())
}

/// Decodes a `send`. Each kind is a struct of its own here: with a flattened enum the
/// parser could not say which field is wrong.
fn send(text: &str, kind: Option<&RawValue>) -> Result<Send, Problem> {
    #[derive(Deserialize)]
    struct Pin {
        client_id: ClientId,
        conversation: ConversationId,
        target: Seq,
        on: bool,
    }

    let Some(kind) = kind else {
        return Err(Problem::new(Code::InvalidField, "`kind` is missing.").field("kind"));
    };
    match &*unescaped(kind.get()) {
        "message" => read::<Message<'_>>(text).map(Send::from),
        "pin" => {
            let Pin { client_id, conversation, target, on } = read(text)?;
            Ok(Send { client_id, conversation, content: Content::Pin { target, on } })
        }
        _ => Err(Problem::new(Code::InvalidField, "This `kind` is unknown.").field("kind")),
    }
}

/// Returns the text of a JSON string; for any other value, something that is no type.
fn unescaped(json: &str) -> Cow<'_, str> {
    if json.contains('\\') {
        return serde_json::from_str(json).map_or(Cow::Borrowed(json), Cow::Owned);
    }
    let quoted = json.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    Cow::Borrowed(quoted.unwrap_or(json))
}

/// Returns the `client_id` of a frame that cannot be decoded otherwise, so that the
/// client learns which of its sends failed.
pub fn client_id(text: &str) -> Option<ClientId> {
    #[derive(Deserialize)]
    struct Named {
        client_id: ClientId,
    }
    read_if_valid::<Named>(text).ok().map(|named| named.client_id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::Choices;
    use crate::protocol::{GiveUp, Send};

    fn problem(text: &str) -> (Code, Option<String>) {
        let problem = decode(text).expect_err(text);
        (problem.code, problem.field)
    }

    const ID: &str = "0199a3b0-0000-7000-8000-000000000001";

    #[test]
    fn what_is_wrong_is_named() {
        let invalid = |field: &str| (Code::InvalidField, Some(field.to_owned()));
        let kind = (Code::UnknownType, Some("type".to_owned()));
        assert_eq!(problem("{}"), kind);
        assert_eq!(problem(r#"{"type":1}"#), kind);
        assert_eq!(problem(r#"{"type":null}"#), kind);
        assert_eq!(problem(r#"{"type":"sing"}"#), kind);
        assert_eq!(problem(r#"{"type":"ping","type":"ping"}"#), invalid("type"));
        assert_eq!(
            problem(r#"{"type":"send","kind":"message","conversation":"x"}"#),
            invalid("conversation")
        );
        assert_eq!(
            problem(&format!(r#"{{"type":"typing","conversation":"{ID}","conversation":"{ID}"}}"#)),
            invalid("conversation")
        );
        let twice = |field| {
            format!(
                r#"{{"type":"send","kind":"message","client_id":"{ID}","conversation":"{ID}","body":"x",{field}}}"#
            )
        };
        assert_eq!(problem(&twice(r#""type":"send""#)), invalid("type"));
        assert_eq!(problem(&twice(r#""kind":"message""#)), invalid("kind"));
        assert_eq!(problem(&twice(r#""body":"y""#)), invalid("body"));
        assert_eq!(problem(r#"{"type":"hello"}"#), invalid("cursors"));
        assert_eq!(
            problem(&format!(r#"{{"type":"hello","cursors":[{{"conversation":"{ID}"}}]}}"#)),
            invalid("cursors[0].seq")
        );
        assert_eq!(
            problem(&format!(
                r#"{{"type":"sync","cursors":[{{"conversation":"{ID}","seq":1,"at":"yesterday"}}]}}"#
            )),
            invalid("cursors[0].at")
        );
        assert_eq!(problem(&format!(r#"{{"type":"read","conversation":"{ID}","seq":-1}}"#)), invalid("seq"));
        assert_eq!(problem(&format!(r#"{{"type":"read","conversation":"{ID}","seq":1.5}}"#)), invalid("seq"));
        let large = format!(r#"{{"type":"read","conversation":"{ID}","seq":9007199254740992}}"#);
        assert_eq!(problem(&large), invalid("seq"));
        assert_eq!(problem(r#"{"type":"hello","cursors":[],"idle":null}"#), invalid("idle"));
        assert_eq!(problem(r#"{"type":"hello","cursors":[],"watch":[true,[]]}"#), invalid("watch"));
        assert_eq!(problem(r#"{"type":"typing","conversation":7}"#), invalid("conversation"));
        assert_eq!(problem(r#"{"type":"send","body":"x"}"#), invalid("kind"));
        assert_eq!(problem(r#"{"type":"send","kind":7,"body":"x"}"#), invalid("kind"));
        let pin = |rest| {
            format!(r#"{{"type":"send","kind":"pin","client_id":"{ID}","conversation":"{ID}"{rest}}}"#)
        };
        assert_eq!(problem(&pin(r#","on":true"#)), invalid("target"));
        assert_eq!(problem(&pin(r#","target":-1,"on":true"#)), invalid("target"));
        assert_eq!(problem(&pin(r#","target":1,"on":1"#)), invalid("on"));
        assert_eq!(
            problem(&format!(
                r#"{{"type":"send","kind":"message","conversation":"{ID}","client_id":"","body":"x"}}"#
            )),
            invalid("client_id")
        );
    }

    #[test]
    fn what_is_not_json_is_said_so() {
        let deep = format!(r#"{{"type":"ping","x":{}"#, "[".repeat(100_000));
        let surrogate = format!(
            r#"{{"type":"send","kind":"message","conversation":"{ID}","client_id":"{ID}","body":"\ud800"}}"#
        );
        let huge = format!(r#"{{"type":"read","conversation":"{ID}","seq":1e400}}"#);
        for text in ["", "hello", "[\"ping\"]", "{", "{\"type\":\"ping\"} x", &huge, &deep, &surrogate] {
            assert_eq!(problem(text).0, Code::BadJson, "{text:.40}");
        }
    }

    #[test]
    fn a_type_may_be_written_with_escapes() {
        assert_eq!(decode(r#"{"type":"pi\u006eg"}"#), Ok(ClientFrame::Ping(crate::protocol::Ping {})));
    }

    #[test]
    fn strange_keys_are_plain_data() {
        let text = r#"{"type":"ping","__proto__":{"x":1},"constructor":7}"#;
        assert_eq!(decode(text), Ok(ClientFrame::Ping(crate::protocol::Ping {})));
    }

    #[test]
    fn b08_depth_in_a_field_that_nobody_reads_is_skipped() {
        let (open, close) = ("[".repeat(32_000), "]".repeat(32_000));
        let text = format!(r#"{{"type":"ping","x":{open}{close}}}"#);
        assert_eq!(decode(&text), Ok(ClientFrame::Ping(crate::protocol::Ping {})));
        let id = serde_json::json!({ "type": "typing", "conversation": [[ID]] }).to_string();
        assert_eq!(problem(&id.replace("[[", &open).replace("]]", &close)).0, Code::InvalidField);
    }

    #[test]
    fn a_refused_send_keeps_its_name() {
        assert!(client_id(&format!(r#"{{"type":"send","client_id":"{ID}","body":5}}"#)).is_some());
        assert_eq!(client_id(r#"{"type":"send"}"#), None);
        assert_eq!(client_id(&format!(r#"["{ID}"]"#)), None);
    }

    const SEEDS: [&str; 11] = [
        r#"{"type":"give_up","client_id":"0199a3b0-0000-7000-8000-000000000001"}"#,
        r#"{"type":"hello","cursors":[{"conversation":"0199a3b0-0000-7000-8000-000000000001","seq":41}],"watch":{"list":true,"users":["0199a3b0-0000-7000-8000-000000000002"]}}"#,
        r#"{"type":"sync","cursors":[{"conversation":"0199a3b0-0000-7000-8000-000000000001","seq":0},{"seq":9007199254740991,"conversation":"0199a3b0-0000-7000-8000-000000000003"}]}"#,
        r#"{"type":"send","client_id":"0199a3b0-0000-7000-8000-000000000001","conversation":"0199a3b0-0000-7000-8000-000000000002","kind":"pin","target":7,"on":true}"#,
        r#"{"type":"send","client_id":"0199a3b0-0000-7000-8000-000000000001","conversation":"0199a3b0-0000-7000-8000-000000000002","kind":"message","body":"Are you \ud83d\ude00 there?\n"}"#,
        r#"{"type":"delivered","conversation":"0199a3b0-0000-7000-8000-000000000001","seq":9007199254740991}"#,
        r#"{"type":"read","conversation":"0199a3b0-0000-7000-8000-000000000001","seq":1}"#,
        r#"{"type":"typing","conversation":"0199A3B0-0000-7000-8000-000000000001"}"#,
        r#" {"watch":{}, "type":"watch","list":false,"users":[],"more":{"__proto__":[null,1.5e-3]}} "#,
        r#"{"type":"activity","idle":true}"#,
        r#"{"type":"ping"}"#,
    ];

    const TOKENS: [&str; 44] = [
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\\",
        "\"type\":",
        "\"send\"",
        "\"hello\"",
        "\"read\"",
        "\"seq\":",
        "\"body\":",
        "\"kind\":",
        "\"pin\"",
        "\"target\":",
        "\"on\":",
        "\"client_id\":",
        "\"conversation\":",
        "\"cursors\":[",
        "\"watch\":{",
        "\"users\":[",
        "null",
        "true",
        "-1",
        "0",
        "1e400",
        "1.5",
        "18446744073709551616",
        "9007199254740993",
        "\\ud800",
        "\\udc00\\ud800",
        "\\u0000",
        "\\u0022",
        "\\x",
        "\"__proto__\":",
        "\"constructor\":",
        "\"\"",
        "\"type\":\"ping\",",
        "{\"a\":",
        "[[",
        " ",
        "0199a3b0-0000-4000-8000-000000000001",
    ];

    /// A field as it may be named to a client.
    fn is_path(field: &str) -> bool {
        let named = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_.[]".contains(c);
        !field.is_empty() && field.len() <= 64 && field.chars().all(named)
    }

    #[test]
    fn b09_whatever_comes_is_a_frame_or_a_named_problem() {
        bolero::check!().for_each(|bytes: &[u8]| {
            let text = Choices::new(bytes).text(&SEEDS, &TOKENS);
            match decode(&text) {
                Ok(frame) => {
                    let again = serde_json::to_string(&frame).unwrap();
                    assert_eq!(decode(&again).as_ref(), Ok(&frame), "{text}");
                    if let ClientFrame::Send(Send { client_id: named, .. })
                    | ClientFrame::GiveUp(GiveUp { client_id: named }) = frame
                    {
                        assert_eq!(client_id(&text), Some(named), "{text}");
                    }
                }
                Err(problem) => {
                    assert!(problem.message.chars().count() <= 400, "{problem:?}");
                    assert!(!problem.message.contains(char::is_control), "{problem:?}");
                    let is_json =
                        serde_json::from_str::<serde_json::Map<_, serde_json::Value>>(&text).is_ok();
                    match problem.code {
                        Code::BadJson => assert!(!is_json && problem.field.is_none(), "{text}: {problem:?}"),
                        Code::UnknownType => assert_eq!(problem.field.as_deref(), Some("type"), "{text}"),
                        Code::InvalidField => {
                            assert!(problem.field.as_deref().is_some_and(is_path), "{text}: {problem:?}")
                        }
                        other => panic!("{text}: {other:?}"),
                    }
                }
            }
        });
    }

    proptest::proptest! {
        #[test]
        fn what_the_types_write_they_read(seq in 0u64..1 << 53, list: bool) {
            use crate::domain::{ConversationId, UserId};
            use crate::protocol::{Cursor, Hello, Watch};
            let frame = ClientFrame::Hello(Hello {
                cursors: vec![Cursor::new(ConversationId::fresh(), seq)],
                watch: Watch { list, users: vec![UserId::fresh()] },
                idle: list,
            });
            let text = serde_json::to_string(&frame).unwrap();
            proptest::prop_assert_eq!(decode(&text), Ok(frame));
        }
    }
}
