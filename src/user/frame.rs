//! Reading frames: outside bytes become a [`ClientFrame`] or a problem that
//! names the field.

use std::borrow::Cow;

use serde::Deserialize;

use crate::domain::ClientId;
use crate::protocol::{ClientFrame, Code, Problem, read};

#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
}

/// Reads one text frame. Depth is bounded by the parser (128 levels).
pub fn parse(text: &str) -> Result<ClientFrame, Problem> {
    let head: Head = read(text).map_err(|problem| match problem.code {
        Code::InvalidField => Problem::new(Code::UnknownType, "A frame needs a `type`.").field("type"),
        _ => problem,
    })?;
    Ok(match &*head.kind {
        "hello" => ClientFrame::Hello(read(text)?),
        "sync" => ClientFrame::Sync(read(text)?),
        "send" => ClientFrame::Send(read(text)?),
        "delivered" => ClientFrame::Delivered(read(text)?),
        "read" => ClientFrame::Read(read(text)?),
        "typing" => ClientFrame::Typing(read(text)?),
        "watch" => ClientFrame::Watch(read(text)?),
        "ping" => ClientFrame::Ping(read(text)?),
        _ => return Err(Problem::new(Code::UnknownType, "This `type` is not known.").field("type")),
    })
}

/// The `client_id` of a frame that could not be read otherwise, so that the
/// client learns which of its sends is meant.
pub fn client_id(text: &str) -> Option<ClientId> {
    #[derive(Deserialize)]
    struct Named {
        client_id: ClientId,
    }
    serde_json::from_str::<Named>(text).ok().map(|named| named.client_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> (Code, Option<String>) {
        let problem = parse(text).expect_err(text);
        (problem.code, problem.field)
    }

    const ID: &str = "0199a3b0-0000-7000-8000-000000000001";

    #[test]
    fn what_is_wrong_is_named() {
        let invalid = |field: &str| (Code::InvalidField, Some(field.to_owned()));
        let kind = (Code::UnknownType, Some("type".to_owned()));
        assert_eq!(problem("{}"), kind);
        assert_eq!(problem(r#"{"type":1}"#), kind);
        assert_eq!(problem(r#"{"type":"sing"}"#), kind);
        assert_eq!(problem(r#"{"type":"send","conversation":"x"}"#), invalid("conversation"));
        assert_eq!(
            problem(&format!(r#"{{"type":"typing","conversation":"{ID}","conversation":"{ID}"}}"#)),
            invalid("conversation")
        );
        assert_eq!(problem(r#"{"type":"hello"}"#), invalid("cursors"));
        assert_eq!(
            problem(&format!(r#"{{"type":"hello","cursors":[{{"conversation":"{ID}"}}]}}"#)),
            invalid("cursors[0].seq")
        );
        assert_eq!(problem(&format!(r#"{{"type":"read","conversation":"{ID}","seq":-1}}"#)), invalid("seq"));
        assert_eq!(problem(&format!(r#"{{"type":"read","conversation":"{ID}","seq":1.5}}"#)), invalid("seq"));
        assert_eq!(problem(r#"{"type":"typing","conversation":7}"#), invalid("conversation"));
        assert_eq!(
            problem(&format!(r#"{{"type":"send","conversation":"{ID}","client_id":"","body":"x"}}"#)),
            invalid("client_id")
        );
    }

    #[test]
    fn what_is_not_json_is_said_so() {
        let deep = format!(r#"{{"type":"ping","x":{}"#, "[".repeat(100_000));
        let surrogate =
            format!(r#"{{"type":"send","conversation":"{ID}","client_id":"{ID}","body":"\ud800"}}"#);
        let huge = format!(r#"{{"type":"read","conversation":"{ID}","seq":1e400}}"#);
        for text in ["", "hello", "[\"ping\"]", "{", "{\"type\":\"ping\"} x", &huge, &deep, &surrogate] {
            assert_eq!(problem(text).0, Code::BadJson, "{text:.40}");
        }
    }

    #[test]
    fn strange_keys_are_plain_data() {
        let text = r#"{"type":"ping","__proto__":{"x":1},"constructor":7}"#;
        assert_eq!(parse(text), Ok(ClientFrame::Ping(crate::protocol::Ping {})));
    }

    #[test]
    fn a_refused_send_keeps_its_name() {
        assert!(client_id(&format!(r#"{{"type":"send","client_id":"{ID}","body":5}}"#)).is_some());
        assert_eq!(client_id(r#"{"type":"send"}"#), None);
    }

    proptest::proptest! {
        #[test]
        fn rubbish_never_panics(text in ".*") {
            let _outcome = parse(&text);
        }

        #[test]
        fn what_the_types_write_they_read(seq in 0u64..1 << 53, list: bool) {
            use crate::domain::{ConversationId, UserId};
            use crate::protocol::{Cursor, Hello, Watch};
            let frame = ClientFrame::Hello(Hello {
                cursors: vec![Cursor { conversation: ConversationId::fresh(), seq }],
                watch: Watch { list, users: vec![UserId::fresh()] },
            });
            let text = serde_json::to_string(&frame).unwrap();
            proptest::prop_assert_eq!(parse(&text), Ok(frame));
        }
    }
}
