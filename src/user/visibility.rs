//! Changes whether a user is visible to others: the choice is stored, then applied at
//! once to all of the user's connections and to everything that others are sent.

use super::Services;
use crate::bus::{Delivery, ReceiptDelivery, Recipients};
use crate::database::{DatabaseError, WithheldReceipt};
use crate::domain::{Members, UserId, Visibility};

impl Services {
    /// Stores and applies the user's choice. Must not be cancelled.
    pub async fn set_visibility(&self, user: UserId, invisible: bool) -> Result<(), DatabaseError> {
        let seen = self.registry.online_users().contains(user);
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
        self.bus.publish(Delivery::Visibility { user, visibility });
    }

    /// Tells others how far the user has got while that was hidden from them.
    async fn show_positions(&self, user: UserId, hidden_by: Visibility) -> Result<(), DatabaseError> {
        let (mut receipts, mut held) = (Vec::new(), Vec::new());
        for WithheldReceipt { position, members } in self.database.withheld_receipts(user, hidden_by).await? {
            if members == Members::Group {
                held.push(self.group(position.conversation).await?);
            }
            let to = Recipients::of(position.conversation, members);
            receipts.push(ReceiptDelivery { receipt: position.receipt(None), to });
        }
        self.bus.publish(Delivery::Receipts(receipts));
        Ok(())
    }
}
