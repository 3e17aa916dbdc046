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

use std::collections::HashMap;
use std::sync::Arc;

pub use delivery::{Delivery, EventDelivery, ReceiptDelivery, Recipients};

use crate::domain::{ConversationId, UserId};
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
        let mut mail: HashMap<UserId, Vec<UserDelivery>> = HashMap::new();
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
    groups: HashMap<ConversationId, Vec<UserId>>,
}

impl<'a> RecipientLists<'a> {
    fn new(registry: &'a Registry) -> Self {
        Self { registry, groups: HashMap::new() }
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

#[cfg(test)]
mod tests {
    use ractor::{Actor, ActorProcessingErr, ActorRef};
    use tokio::sync::mpsc;
    use uuid::Uuid;

    use super::*;
    use crate::domain::{ClientId, DirectPair, SessionFilter, SessionId, Visibility};
    use crate::protocol::{Content, Event, Receipt};
    use crate::registry::{CloseReason, StoredEvent};

    /// Passes a user's messages on to the test.
    struct Mailbox;

    impl Actor for Mailbox {
        type Msg = UserMessage;
        type State = mpsc::UnboundedSender<UserMessage>;
        type Arguments = Self::State;

        async fn pre_start(
            &self,
            _: ActorRef<UserMessage>,
            mail: Self::State,
        ) -> Result<Self::State, ActorProcessingErr> {
            Ok(mail)
        }

        async fn handle(
            &self,
            _: ActorRef<UserMessage>,
            message: UserMessage,
            mail: &mut Self::State,
        ) -> Result<(), ActorProcessingErr> {
            Ok(mail.send(message)?)
        }
    }

    async fn connect(registry: &Registry, user: UserId) -> mpsc::UnboundedReceiver<UserMessage> {
        let (mail, inbox) = mpsc::unbounded_channel();
        let (actor, _task) = Actor::spawn(None, Mailbox, mail).await.unwrap();
        registry.put(user, actor);
        inbox
    }

    fn event(conversation: ConversationId, seq: u64, sender: UserId) -> StoredEvent {
        let client_id = ClientId(Uuid::now_v7());
        let at = "2026-11-30T08:00:00.000Z".into();
        let content = Content::message("Are you there?");
        StoredEvent::new(Event { conversation, seq, sender, client_id, at, content }, false)
    }

    /// The delivery as it arrives on another server.
    fn sent(delivery: &Delivery) -> Delivery {
        let bytes = serde_json::to_vec(delivery).unwrap();
        let arrived: Delivery = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(arrived, *delivery);
        arrived
    }

    async fn numbers(inbox: &mut mpsc::UnboundedReceiver<UserMessage>) -> Vec<u64> {
        let Some(UserMessage::Deliver(deliveries)) = inbox.recv().await else { panic!("no delivery") };
        let number = |delivery: UserDelivery| match delivery {
            UserDelivery::Event(stored) => stored.event.seq,
            UserDelivery::NoSuchConversation(_) => 0,
            other => panic!("{other:?}"),
        };
        deliveries.into_iter().map(number).collect()
    }

    #[tokio::test]
    async fn each_member_who_is_connected_gets_one_message_in_order() {
        let registry = Arc::new(Registry::default());
        let bus = Bus::new(registry.clone());
        let [ada, bob, eve, away] = [(); 4].map(|()| UserId::fresh());
        let (talk, group) = (ConversationId::fresh(), ConversationId::fresh());
        let _held = registry.groups().insert(group, vec![ada, bob, eve, away], 0);
        let mut inboxes = Vec::new();
        for user in [ada, bob, eve] {
            inboxes.push(connect(&registry, user).await);
        }
        let to_group =
            |seq, sender| EventDelivery { stored: event(group, seq, sender), to: Recipients::Group(group) };
        let to_bob =
            EventDelivery { stored: event(talk, 7, ada), to: Recipients::Direct(DirectPair::new(ada, bob)) };
        let delivery = sent(&Delivery::Events(vec![to_group(1, ada), to_bob, to_group(2, eve)]));
        let result = UserDelivery::NoSuchConversation(talk);
        bus.publish_with(delivery, vec![LocalResult { user: bob, after: 2, result }]);
        let [of_ada, of_bob, of_eve] = &mut inboxes[..] else { unreachable!() };
        assert_eq!(numbers(of_ada).await, [2]);
        assert_eq!(numbers(of_bob).await, [1, 7, 0, 2]);
        assert_eq!(numbers(of_eve).await, [1]);
    }

    #[tokio::test]
    async fn every_delivery_can_travel() {
        let [ada, bob] = [(); 2].map(|()| UserId::fresh());
        let (talk, session) = (ConversationId::fresh(), SessionId([7; 32]));
        let receipt = Receipt { conversation: talk, user: ada, delivered: 2, read: 1, unread: Some(3) };
        for delivery in [
            Delivery::Receipts(vec![ReceiptDelivery { receipt, to: Recipients::User(ada) }]),
            Delivery::Typing {
                user: ada,
                conversation: talk,
                to: Recipients::Direct(DirectPair::new(ada, bob)),
            },
            Delivery::Visibility { user: ada, visibility: Visibility::from_version(3) },
            Delivery::SessionsEnded { user: ada, sessions: SessionFilter::All, why: CloseReason::LoggedOut },
            Delivery::SessionsEnded {
                user: ada,
                sessions: SessionFilter::AllBut(session),
                why: CloseReason::LoggedInAgain,
            },
        ] {
            sent(&delivery);
        }
    }
}
