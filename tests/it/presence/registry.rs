//! Presence leads answers to a user's actor.

use std::sync::Arc;
use std::time::Duration;

use ractor::{Actor, ActorProcessingErr, ActorRef};
use tidings::domain::{UserId, Visibility};
use tidings::presence::{Presence, PresenceArguments, PresenceMessage, PresenceSettings};
use tidings::protocol::User;
use tidings::registry::{Registry, UserMessage};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::support::{PATIENCE, TestDatabase};

/// Tells of each request to submit again whether the registry leads to it by then.
struct Stand;

type Seen = (Arc<Registry>, UserId, mpsc::UnboundedSender<bool>);

impl Actor for Stand {
    type Msg = UserMessage;
    type State = Seen;
    type Arguments = Seen;

    async fn pre_start(&self, _: ActorRef<UserMessage>, seen: Seen) -> Result<Seen, ActorProcessingErr> {
        Ok(seen)
    }

    async fn handle(
        &self,
        myself: ActorRef<UserMessage>,
        message: UserMessage,
        (registry, user, told): &mut Seen,
    ) -> Result<(), ActorProcessingErr> {
        if let UserMessage::ResubmitInFlight = message {
            let found = registry.get(*user).is_some_and(|found| found.get_id() == myself.get_id());
            told.send(found)?;
        }
        Ok(())
    }
}

/// An answer that comes before is told to the dead one, and nobody asks again:
/// the sender would wait for as long as its socket is open.
#[tokio::test]
async fn a_new_actor_submits_again_once_answers_find_it() {
    let kept = TestDatabase::create().await;
    let (registry, minute) = (Arc::new(Registry::default()), Duration::from_secs(60));
    let settings = PresenceSettings {
        grace: minute,
        interval: minute,
        complete: 100,
        count_interval: minute,
        seen_interval: minute,
    };
    let arguments = PresenceArguments { registry: registry.clone(), database: kept.open().await, settings };
    let (presence, _task) = Actor::spawn(None, Presence, arguments).await.unwrap();
    let user = User { id: UserId::fresh(), name: "Ada".into() };
    let (told, mut resubmits) = mpsc::unbounded_channel();
    // The first, and the one that takes its place.
    for _ in 0..2 {
        let seen = (registry.clone(), user.id, told.clone());
        let (actor, _task) = Actor::spawn(None, Stand, seen).await.unwrap();
        let visibility = Some(Visibility::default());
        let up = PresenceMessage::Up { user: user.clone(), key: "ada".into(), actor, visibility };
        presence.cast(up).unwrap();
        let found = timeout(PATIENCE, resubmits.recv()).await.expect("it is asked to submit again");
        assert_eq!(found, Some(true), "answers find it by then");
    }
    presence.stop(None);
}
