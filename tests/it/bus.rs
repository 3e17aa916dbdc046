//! What is published reaches everybody it is for, and could come from another server.

use std::sync::Arc;

use tidings::bus::{Bus, Delivery, EventDelivery, LocalResult, ReceiptDelivery, Recipients};
use tidings::domain::{ClientId, ConversationId, DirectPair, SessionFilter, SessionId, UserId, Visibility};
use tidings::protocol::{Content, Event, Receipt};
use tidings::registry::{CloseReason, Registry, StoredEvent, UserDelivery, UserMessage};
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::persistence::rig::mailbox;

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
        inboxes.push(mailbox(&registry, user).await);
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
        Delivery::Typing { user: ada, conversation: talk, to: Recipients::Direct(DirectPair::new(ada, bob)) },
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
