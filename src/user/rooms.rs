use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::domain::{ConversationId, UserId};

/// Conversations remembered; the one longest without typing makes room.
const ROOMS_MAX: usize = 32;

/// The conversations a user types in: who is there, and when was the last time.
#[derive(Debug, Default)]
pub struct Rooms(HashMap<ConversationId, Room>);

#[derive(Debug)]
struct Room {
    /// None since the last message.
    typed: Option<Instant>,
    members: Option<Arc<[UserId]>>,
}

impl Rooms {
    /// Whether typing is passed on: not again within `interval`.
    pub fn may_type(&mut self, conversation: ConversationId, now: Instant, interval: Duration) -> bool {
        if let Some(room) = self.0.get_mut(&conversation) {
            let due = room.typed.is_none_or(|typed| now.duration_since(typed) >= interval);
            if due {
                room.typed = Some(now);
            }
            return due;
        }
        if self.0.len() >= ROOMS_MAX
            && let Some(oldest) = self.0.iter().min_by_key(|(_, room)| room.typed).map(|(id, _)| *id)
        {
            self.0.remove(&oldest);
        }
        self.0.insert(conversation, Room { typed: Some(now), members: None });
        true
    }

    /// A message was sent: who goes on writing is shown again at once.
    pub fn sent(&mut self, conversation: ConversationId) {
        if let Some(room) = self.0.get_mut(&conversation) {
            room.typed = None;
        }
    }

    pub fn members(&self, conversation: ConversationId) -> Option<Arc<[UserId]>> {
        self.0.get(&conversation)?.members.clone()
    }

    pub fn learn(&mut self, conversation: ConversationId, members: Arc<[UserId]>) {
        if let Some(room) = self.0.get_mut(&conversation) {
            room.members = Some(members);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_is_passed_on_once_an_interval_and_memory_is_bounded() {
        let (mut rooms, now, interval) = (Rooms::default(), Instant::now(), Duration::from_secs(3));
        let room = ConversationId::fresh();
        assert!(rooms.may_type(room, now, interval));
        assert!(!rooms.may_type(room, now + Duration::from_secs(2), interval));
        assert!(rooms.may_type(room, now + Duration::from_secs(3), interval));
        rooms.sent(room);
        assert!(rooms.may_type(room, now + Duration::from_secs(3), interval));
        for _ in 0..100 {
            rooms.may_type(ConversationId::fresh(), now + Duration::from_secs(4), interval);
        }
        assert_eq!(rooms.0.len(), ROOMS_MAX);
    }
}
