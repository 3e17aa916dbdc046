use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::database::{DuePush, PushCandidate};
use crate::domain::{ConversationId, Seq, UserId};
use crate::protocol::{EXCERPT_MAX_CHARS, Event, PushNotice, User};

/// Characters of a `Topic` (RFC 8030 §5.4).
const TOPIC_MAX_CHARS: usize = 32;

/// Identifies a notification: there is one for each recipient and conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NotificationKey {
    pub user: UserId,
    pub conversation: ConversationId,
}

/// What is kept of a message until its push is due: not the whole body, which may
/// be long.
#[derive(Clone, PartialEq, Eq)]
pub struct Notification {
    pub seq: Seq,
    at: String,
    sender: UserId,
    excerpt: String,
}

impl Notification {
    pub fn of(event: &Event) -> Self {
        Self {
            seq: event.seq,
            at: event.at.to_string(),
            sender: event.sender,
            excerpt: excerpt(event.body().unwrap_or_default()),
        }
    }

    pub fn candidate(&self, key: NotificationKey) -> PushCandidate {
        PushCandidate { user: key.user, conversation: key.conversation, seq: self.seq, sender: self.sender }
    }

    /// The JSON that the browser decrypts, less than 3 KB.
    pub fn payload(&self, key: NotificationKey, due: &DuePush) -> Vec<u8> {
        let notification = PushNotice {
            user: key.user,
            conversation: key.conversation,
            seq: self.seq,
            at: self.at.clone(),
            sender: User { id: self.sender, name: due.sender_name.clone() },
            excerpt: self.excerpt.clone(),
            unread: due.unread,
        };
        serde_json::to_vec(&notification).expect("wire types have string keys and finite numbers only")
    }
}

/// The `Topic` of a conversation, so that a newer push replaces
/// one that is not delivered yet. Not the id, which would tell the service
/// whose subscriptions talk with each other.
pub fn topic(auth: &[u8], conversation: ConversationId) -> String {
    let hash = Sha256::new().chain_update(auth).chain_update(conversation.0).finalize();
    let mut topic = URL_SAFE_NO_PAD.encode(hash);
    topic.truncate(TOPIC_MAX_CHARS);
    topic
}

/// The beginning of a message text, on one line.
fn excerpt(body: &str) -> String {
    let mut characters =
        body.split_whitespace().flat_map(|word| std::iter::once(' ').chain(word.chars())).skip(1);
    let mut text: String = characters.by_ref().take(EXCERPT_MAX_CHARS).collect();
    if characters.next().is_some() {
        text.pop();
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::PushSubscription;
    use crate::domain::ClientId;
    use crate::protocol::Content;

    fn notification(body: &str) -> Notification {
        Notification::of(&Event {
            conversation: ConversationId::fresh(),
            seq: 7,
            sender: UserId::fresh(),
            client_id: ClientId(uuid::Uuid::now_v7()),
            at: "2026-11-23T19:00:00.000Z".into(),
            content: Content::message(body),
        })
    }

    #[test]
    fn an_excerpt_is_one_short_line() {
        assert_eq!(excerpt("  Are you\n\n\tthere? "), "Are you there?");
        assert_eq!(excerpt(&"é".repeat(140)), "é".repeat(140));
        assert_eq!(excerpt(&"é".repeat(141)), format!("{}…", "é".repeat(139)));
    }

    #[test]
    fn the_longest_payload_is_below_3_kb() {
        // A control character is written as six.
        for character in ["\u{1}", "\u{10ffff}", "\"", "\u{7f}"] {
            let key = NotificationKey { user: UserId::fresh(), conversation: ConversationId::fresh() };
            let subscription = PushSubscription { endpoint: String::new(), p256dh: [0; 65], auth: [0; 16] };
            let due = DuePush {
                index: 0,
                subscription,
                sender_name: "\u{20000}".repeat(32),
                unread: 100,
                is_invisible: false,
            };
            let payload = notification(&character.repeat(10_000)).payload(key, &due);
            assert!(payload.len() < 3_000, "{}", payload.len());
            let read: PushNotice = serde_json::from_slice(&payload).unwrap();
            assert_eq!((read.excerpt.chars().count(), read.seq, read.user), (140, 7, key.user));
        }
    }

    #[test]
    fn a_topic_is_the_conversations_own_for_each_subscription() {
        let (one, other) = (ConversationId::fresh(), ConversationId::fresh());
        assert_eq!(topic(b"ada", one), topic(b"ada", one));
        assert_ne!(topic(b"ada", one), topic(b"bob", one));
        assert_ne!(topic(b"ada", one), topic(b"ada", other));
        assert_eq!(topic(b"ada", one).len(), 32);
    }
}
