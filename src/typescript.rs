//! The client's half of the wire, as one TypeScript module: constants and types.

use ts_rs::TS;

use crate::config;
use crate::domain::{ClientId, ConversationId, UserId};
use crate::protocol::*;
use crate::registry::CloseReason;
use crate::user::limits;

/// Every wire type, and every constant that clients keep to.
pub fn typescript() -> String {
    let config = ts_rs::Config::default();
    let mut module =
        String::from("// Printed from src/protocol.rs by `cargo run --example types`. Do not edit.\n");
    let mut constant = |doc: &str, name: &str, value: String| {
        module.push_str(&format!("\n/** {doc} */\nexport const {name} = {value};\n"));
    };
    constant(
        "The WebSocket subprotocol (RFC 6455 §1.9) that names this version.",
        "SUBPROTOCOL",
        format!("{SUBPROTOCOL:?}"),
    );
    for (doc, name, value) in [
        ("Unread counts stop here: it means “this many or more”.", "UNREAD_MAX", UNREAD_MAX as usize),
        ("The most cursors in one `hello` or `sync`.", "CURSORS_MAX", CURSORS_MAX),
        ("The most people in a `watch`.", "WATCH_MAX", WATCH_MAX),
        ("The most messages pinned in one conversation.", "PINS_MAX", PINS_MAX),
        (
            "Characters of a message that a push shows; what was cut ends with `…`.",
            "EXCERPT_MAX_CHARS",
            EXCERPT_MAX_CHARS,
        ),
    ] {
        constant(doc, name, value.to_string());
    }
    for reason in CloseReason::ALL {
        let (code, text) = reason.code_and_reason();
        constant(&format!("A close code: {text}."), &close_constant(*reason), code.to_string());
    }
    constant(
        "The limits of a server whose settings are the defaults, until its `welcome` brings its own.",
        "DEFAULT_LIMITS: Limits",
        serde_json::to_string_pretty(&limits(&config::Limits::default())).expect("limits are numbers"),
    );
    macro_rules! declare {
        ($($name:ident),* $(,)?) => {
            $(module.push_str(&format!("\nexport {}\n", $name::decl(&config)));)*
        };
    }
    declare!(
        UserId,
        ConversationId,
        ClientId,
        ClientFrame,
        Hello,
        Sync,
        Cursor,
        Send,
        Content,
        GiveUp,
        Position,
        Typing,
        Watch,
        Activity,
        Ping,
        ServerFrame,
        Welcome,
        Limits,
        Synced,
        Resync,
        Stored,
        Event,
        Hidden,
        Receipt,
        TypingBy,
        Presence,
        PresenceDiff,
        Visibility,
        ErrorFrame,
        Pong,
        User,
        Problem,
        Rule,
        Code,
        LogIn,
        Session,
        NoSession,
        SetPassword,
        Sessions,
        OpenSession,
        SetVisibility,
        Person,
        People,
        OpenConversation,
        Conversation,
        Member,
        Conversations,
        History,
        PushKey,
        Subscription,
        SubscriptionKeys,
        PushNotice,
    );
    module
}

/// `FatalFrame` is `CLOSE_FATAL_FRAME`.
fn close_constant(reason: CloseReason) -> String {
    let name = serde_json::to_string(&reason).expect("a name is a string");
    format!("CLOSE_{}", name.trim_matches('"').to_uppercase())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_committed_typescript_is_fresh() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/client/src/sdk/protocol/generated.ts");
        let committed = std::fs::read_to_string(path).unwrap();
        let fresh = committed == super::typescript();
        assert!(fresh, "print it again: cargo run --example types > client/src/sdk/protocol/generated.ts");
    }
}
