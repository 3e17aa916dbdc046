//! The way from whoever has stored or decided something to everybody who is to hear of it.
//!
//! ```text
//! persistence, a user's actor, accounts → Bus::publish(Delivery) → the registry → the users' actors
//! ```
//!
//! This is its local form: one server, where a delivery is a call. Nothing but this module
//! turns a [`Delivery`] into messages for actors, so the same deliveries can come from
//! another server.

mod delivery;

use std::sync::Arc;

pub use delivery::{Delivery, EventDelivery, ReceiptDelivery, Recipients};

use crate::domain::{ConversationId, IdMap, UserId};
use crate::protocol::{ServerFrame, TypingBy};
use crate::registry::{Registry, UserDelivery, UserMessage, UserSupervisorMessage};

/// A handle to the bus. Cheap to clone.
#[derive(Clone)]
pub struct Bus(Arc<Registry>);

/// What only this server waits for: the result of a send or of a position, in its place
/// among what is published with it.
#[derive(Debug)]
pub struct LocalResult {
    pub user: UserId,
    /// How many of the published events or receipts come before it.
    pub after: usize,
    pub result: UserDelivery,
}

impl Bus {
    pub fn new(registry: Arc<Registry>) -> Self {
        Self(registry)
    }

    /// Whether the user has a connection, to whatever server.
    pub fn is_connected(&self, user: UserId) -> bool {
        self.0.is_connected(user)
    }

    /// Hands a delivery to everybody it is for. Never waits.
    pub fn publish(&self, delivery: Delivery) {
        self.publish_with(delivery, Vec::new());
    }

    /// As [`publish`](Self::publish), with results in their places: each user gets all in
    /// one message, in order.
    pub fn publish_with(&self, delivery: Delivery, results: Vec<LocalResult>) {
        match delivery {
            Delivery::Events(events) => {
                let events = events.into_iter().map(|EventDelivery { stored, to }| {
                    (to, stored.event.sender, UserDelivery::Event(stored))
                });
                self.fan_out(events, results);
            }
            Delivery::Receipts(receipts) => {
                let receipts = receipts.into_iter().map(|ReceiptDelivery { receipt, to }| {
                    let user = receipt.user;
                    (to, user, UserDelivery::Receipt(ServerFrame::Receipt(receipt).encode()))
                });
                self.fan_out(receipts, results);
            }
            Delivery::Typing { user, conversation, to } => {
                let frame = ServerFrame::Typing(TypingBy { conversation, user }).encode();
                let mut lists = RecipientLists::new(&self.0);
                lists.for_each(to, user, |other| self.0.cast(other, UserMessage::Typing(frame.clone())));
            }
            Delivery::Visibility { user, visibility } => {
                self.0.connections().apply_visibility(user, visibility);
                self.0.apply_visibility(user, visibility);
                // For connections that are just being attached, and the user's own devices.
                self.0.connections().cast(UserSupervisorMessage::Visibility(user));
            }
            Delivery::SessionsEnded { user, sessions, why } => {
                self.0.connections().close(user, why, sessions);
            }
        }
    }

    /// One message to each user.
    fn fan_out(
        &self,
        published: impl Iterator<Item = (Recipients, UserId, UserDelivery)>,
        results: Vec<LocalResult>,
    ) {
        let mut mail: IdMap<UserId, Vec<UserDelivery>> = IdMap::default();
        let mut lists = RecipientLists::new(&self.0);
        let mut results = results.into_iter().peekable();
        for (index, (to, except, delivery)) in published.enumerate() {
            while let Some(LocalResult { user, result, .. }) = results.next_if(|next| next.after <= index) {
                mail.entry(user).or_default().push(result);
            }
            lists.for_each(to, except, |user| mail.entry(user).or_default().push(delivery.clone()));
        }
        for LocalResult { user, result, .. } in results {
            mail.entry(user).or_default().push(result);
        }
        for (user, deliveries) in mail {
            self.0.cast(user, UserMessage::Deliver(deliveries));
        }
    }
}

/// Finds recipients; the connected members of a group once for a delivery.
struct RecipientLists<'a> {
    registry: &'a Registry,
    groups: IdMap<ConversationId, Vec<UserId>>,
}

impl<'a> RecipientLists<'a> {
    fn new(registry: &'a Registry) -> Self {
        Self { registry, groups: IdMap::default() }
    }

    /// Calls `deliver` for all recipients but one.
    fn for_each(&mut self, to: Recipients, except: UserId, mut deliver: impl FnMut(UserId)) {
        match to {
            Recipients::User(user) => deliver(user),
            Recipients::Direct(pair) => {
                if let Some(other) = pair.other(except) {
                    deliver(other);
                }
            }
            Recipients::Group(id) => {
                let connected = self.groups.entry(id).or_insert_with(|| self.registry.connected_members(id));
                connected.iter().filter(|user| **user != except).for_each(|user| deliver(*user));
            }
        }
    }
}
