use std::sync::Arc;

use arc_swap::ArcSwapOption;
use ractor::{ActorRef, ActorStatus, Message, MessagingErr};

/// Holds the current incarnation of a supervised actor, across its restarts.
pub struct ActorSlot<M>(Arc<ArcSwapOption<ActorRef<M>>>);

impl<M> Clone for ActorSlot<M> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<M> Default for ActorSlot<M> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<M: Message> ActorSlot<M> {
    /// Returns the message if there is no actor: between two incarnations.
    pub fn cast(&self, message: M) -> Result<(), M> {
        match self.0.load().as_deref() {
            None => Err(message),
            Some(actor) => actor.cast(message).map_err(|error| match error {
                MessagingErr::SendErr(message) => message,
                // A local cast fails in no other way (ractor 0.16).
                other => unreachable!("cast failed: {other}"),
            }),
        }
    }

    /// Whether there is an actor that takes messages.
    pub fn is_alive(&self) -> bool {
        self.0.load().as_deref().is_some_and(|actor| actor.get_status() < ActorStatus::Draining)
    }

    /// Called by whoever starts the actor, or by the actor itself.
    pub fn set(&self, actor: ActorRef<M>) {
        self.0.store(Some(Arc::new(actor)));
    }

    pub fn get(&self) -> Option<ActorRef<M>> {
        self.0.load().as_deref().cloned()
    }
}
