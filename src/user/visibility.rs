//! To be seen by others or not: stored, then in force at once for all of the
//! user's connections and everything that others are told.

use std::collections::HashMap;

use super::{Services, UsersMessage};
use crate::database::{DatabaseError, Hidden};
use crate::directory::{Settled, UserMessage};
use crate::domain::{UserId, Visibility};
use crate::protocol::ServerFrame;

impl Services {
    /// What the user has chosen now. To be run to its end.
    pub async fn set_visibility(&self, user: UserId, invisible: bool) -> Result<(), DatabaseError> {
        let seen = self.directory.roster().contains(user);
        let Some(visibility) = self.database.set_visibility(user, invisible, seen).await? else {
            return Ok(());
        };
        self.learn_visibility(user, visibility);
        // In this order: a position that was stored before is found here, one
        // that is stored from now on is told by whoever stores it.
        match visibility.0.checked_sub(1) {
            Some(before) if !visibility.is_invisible() => self.show_positions(user, Visibility(before)).await,
            _ => Ok(()),
        }
    }

    /// Puts a stored choice in force here, on whatever node it was made. An older
    /// one than is known changes nothing.
    pub fn learn_visibility(&self, user: UserId, visibility: Visibility) {
        self.users.learn_visibility(user, visibility);
        self.directory.learn_visibility(user, visibility);
        // Those on their way to becoming known, and the user's own devices.
        self.users.say(UsersMessage::Visibility(user));
    }

    /// Tells others how far the user has got while that was hidden from them.
    async fn show_positions(&self, user: UserId, hidden_by: Visibility) -> Result<(), DatabaseError> {
        let mut receipts: HashMap<UserId, Vec<Settled>> = HashMap::new();
        for Hidden { position, others } in self.database.hidden_positions(user, hidden_by).await? {
            let frame = ServerFrame::Receipt(position.receipt(None)).encode();
            for other in others {
                receipts.entry(other).or_default().push(Settled::Receipt(frame.clone()));
            }
        }
        for (other, receipts) in receipts {
            self.directory.tell(other, UserMessage::Settled(receipts));
        }
        Ok(())
    }
}
