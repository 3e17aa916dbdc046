use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use super::queue::Place;
use crate::database::{DuePush, Missed};
use crate::domain::{ConversationId, Seq, UserId};
use crate::protocol::{EXCERPT_MAX_CHARS, Message, PushNotice, User};

/// Characters of a `Topic` (RFC 8030 §5.4).
const TOPIC_MAX_CHARS: usize = 32;

/// What is kept of a message until its push is due: not the message, which may
/// be long.
#[derive(Clone, PartialEq, Eq)]
pub struct Notice {
    pub seq: Seq,
    at: String,
    sender: UserId,
    excerpt: String,
}

impl Notice {
    pub fn of(message: &Message) -> Self {
        Self {
            seq: message.seq,
            at: message.at.to_string(),
            sender: message.sender,
            excerpt: excerpt(&message.body),
        }
    }

    pub fn missed(&self, place: Place) -> Missed {
        Missed { user: place.user, conversation: place.conversation, seq: self.seq, sender: self.sender }
    }

    /// The JSON that the browser decrypts, less than 3 KB.
    pub fn payload(&self, place: Place, due: &DuePush) -> Vec<u8> {
        let notice = PushNotice {
            user: place.user,
            conversation: place.conversation,
            seq: self.seq,
            at: self.at.clone(),
            sender: User { id: self.sender, name: due.sender_name.clone() },
            excerpt: self.excerpt.clone(),
            unread: due.unread,
        };
        serde_json::to_vec(&notice).expect("wire types have string keys and finite numbers only")
    }
}

/// Names a conversation to the push service, so that a newer push takes the
/// place of one not delivered yet: not by its id, which would tell the service
/// whose subscriptions talk with each other.
pub fn topic(auth: &[u8], conversation: ConversationId) -> String {
    let hash = Sha256::new().chain_update(auth).chain_update(conversation.0).finalize();
    let mut topic = URL_SAFE_NO_PAD.encode(hash);
    topic.truncate(TOPIC_MAX_CHARS);
    topic
}

/// The beginning of a text, on one line.
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
    use crate::database::PushTarget;
    use crate::domain::ClientId;

    fn notice(body: &str) -> Notice {
        Notice::of(&Message {
            conversation: ConversationId::fresh(),
            seq: 7,
            sender: UserId::fresh(),
            client_id: ClientId(uuid::Uuid::now_v7()),
            at: "2026-11-23T19:00:00.000Z".into(),
            body: body.into(),
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
            let place = Place { user: UserId::fresh(), conversation: ConversationId::fresh() };
            let target = PushTarget { endpoint: String::new(), p256dh: [0; 65], auth: [0; 16] };
            let due = DuePush { index: 0, target, sender_name: "\u{20000}".repeat(32), unread: 100 };
            let payload = notice(&character.repeat(10_000)).payload(place, &due);
            assert!(payload.len() < 3_000, "{}", payload.len());
            let read: PushNotice = serde_json::from_slice(&payload).unwrap();
            assert_eq!((read.excerpt.chars().count(), read.seq, read.user), (140, 7, place.user));
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
