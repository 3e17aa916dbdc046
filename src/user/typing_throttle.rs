use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::domain::{ConversationId, Members};

/// How many conversations are remembered; the one longest without typing is evicted.
const CONVERSATIONS_MAX: usize = 32;

/// Limits how often a user's typing is passed on in each conversation, and remembers
/// whose conversation it is.
#[derive(Debug, Default)]
pub struct TypingThrottle(HashMap<ConversationId, Entry>);

#[derive(Debug)]
struct Entry {
    /// When typing was last passed on; `None` since the last message.
    typed: Option<Instant>,
    members: Option<Members>,
}

impl TypingThrottle {
    /// Whether typing may be passed on now: not again within `interval`.
    pub fn may_type(&mut self, conversation: ConversationId, now: Instant, interval: Duration) -> bool {
        if let Some(entry) = self.0.get_mut(&conversation) {
            let due = entry.typed.is_none_or(|typed| now.duration_since(typed) >= interval);
            if due {
                entry.typed = Some(now);
            }
            return due;
        }
        if self.0.len() >= CONVERSATIONS_MAX
            && let Some(oldest) = self.0.iter().min_by_key(|(_, entry)| entry.typed).map(|(id, _)| *id)
        {
            self.0.remove(&oldest);
        }
        self.0.insert(conversation, Entry { typed: Some(now), members: None });
        true
    }

    /// The user sent a message: further typing is passed on at once.
    pub fn reset(&mut self, conversation: ConversationId) {
        if let Some(entry) = self.0.get_mut(&conversation) {
            entry.typed = None;
        }
    }

    pub fn members(&self, conversation: ConversationId) -> Option<Members> {
        self.0.get(&conversation)?.members
    }

    pub fn set_members(&mut self, conversation: ConversationId, members: Members) {
        if let Some(entry) = self.0.get_mut(&conversation) {
            entry.members = Some(members);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_is_passed_on_once_an_interval_and_memory_is_bounded() {
        let (mut throttle, now, interval) =
            (TypingThrottle::default(), Instant::now(), Duration::from_secs(3));
        let entry = ConversationId::fresh();
        assert!(throttle.may_type(entry, now, interval));
        assert!(!throttle.may_type(entry, now + Duration::from_secs(2), interval));
        assert!(throttle.may_type(entry, now + Duration::from_secs(3), interval));
        throttle.reset(entry);
        assert!(throttle.may_type(entry, now + Duration::from_secs(3), interval));
        for _ in 0..100 {
            throttle.may_type(ConversationId::fresh(), now + Duration::from_secs(4), interval);
        }
        assert_eq!(throttle.0.len(), CONVERSATIONS_MAX);
    }
}
