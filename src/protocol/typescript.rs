use ts_rs::TS;

use super::*;
use crate::domain::{ClientId, ConversationId, UserId};

/// Every wire type as one TypeScript module.
pub fn typescript() -> String {
    let config = ts_rs::Config::default();
    let mut module =
        String::from("// Printed from src/protocol.rs by `cargo run --example types`. Do not edit.\n");
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
        Message,
        Receipt,
        TypingBy,
        Presence,
        PresenceDiff,
        Visibility,
        ErrorFrame,
        Pong,
        User,
        Problem,
        Code,
        LogIn,
        Session,
        SetPassword,
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
