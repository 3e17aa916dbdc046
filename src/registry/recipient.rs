use ractor::{ActorId, ActorRef, ActorStatus};

use super::UserMessage;

/// What senders need of a user's actor: an `ActorRef`, or what stands for one in
/// the model of `connection`.
pub trait Recipient: Clone {
    fn id(&self) -> ActorId;
    /// Whether the actor takes messages, as far as the reference knows.
    fn is_alive(&self) -> bool;
    /// Returns `false` if the actor takes no messages; the message is dropped.
    fn try_cast(&self, message: UserMessage) -> bool;
}

impl Recipient for ActorRef<UserMessage> {
    fn id(&self) -> ActorId {
        self.get_id()
    }

    fn is_alive(&self) -> bool {
        self.get_status() < ActorStatus::Draining
    }

    fn try_cast(&self, message: UserMessage) -> bool {
        self.cast(message).is_ok()
    }
}
