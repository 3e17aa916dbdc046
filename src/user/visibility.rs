//! Changes whether a user is visible to others: the choice is stored, then applied at
//! once to all of the user's connections and to everything that others are sent.

use std::collections::HashMap;

use super::{Services, UserSupervisorMessage};
use crate::database::{DatabaseError, WithheldReceipt};
use crate::directory::{Delivery, UserMessage};
use crate::domain::{UserId, Visibility};
use crate::protocol::ServerFrame;

impl Services {
    /// Stores and applies the user's choice. Must not be cancelled.
    pub async fn set_visibility(&self, user: UserId, invisible: bool) -> Result<(), DatabaseError> {
        let seen = self.directory.online_users().contains(user);
        let Some(visibility) = self.database.set_visibility(user, invisible, seen).await? else {
            return Ok(());
        };
        self.apply_visibility(user, visibility);
        // In this order: a position that was stored before is found here, and a
        // writer that stores one from now on sends it by itself.
        match visibility.previous() {
            Some(before) if !visibility.is_invisible() => self.show_positions(user, before).await,
            _ => Ok(()),
        }
    }

    /// Applies a stored choice, unless a newer one is known.
    pub fn apply_visibility(&self, user: UserId, visibility: Visibility) {
        self.connections.apply_visibility(user, visibility);
        self.directory.apply_visibility(user, visibility);
        // For connections that are just being attached, and the user's own devices.
        self.connections.cast(UserSupervisorMessage::Visibility(user));
    }

    /// Tells others how far the user has got while that was hidden from them.
    async fn show_positions(&self, user: UserId, hidden_by: Visibility) -> Result<(), DatabaseError> {
        let mut receipts: HashMap<UserId, Vec<Delivery>> = HashMap::new();
        for WithheldReceipt { position, others } in self.database.withheld_receipts(user, hidden_by).await? {
            let frame = ServerFrame::Receipt(position.receipt(None)).encode();
            for other in others {
                receipts.entry(other).or_default().push(Delivery::Receipt(frame.clone()));
            }
        }
        for (other, receipts) in receipts {
            self.directory.cast(other, UserMessage::Deliver(receipts));
        }
        Ok(())
    }
}
