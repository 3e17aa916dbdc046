use ractor::{ActorId, ActorRef, ActorStatus};

use super::UserMessage;

/// What is asked of a user's actor by those who write to it: a reference, or
/// what stands for one in the model of `connection`.
pub trait Recipient: Clone {
    fn id(&self) -> ActorId;
    /// Whether it takes messages, as far as it knows.
    fn lives(&self) -> bool;
    /// False when it takes none: then the message has been dropped.
    fn tell(&self, message: UserMessage) -> bool;
}

impl Recipient for ActorRef<UserMessage> {
    fn id(&self) -> ActorId {
        self.get_id()
    }

    fn lives(&self) -> bool {
        self.get_status() < ActorStatus::Draining
    }

    fn tell(&self, message: UserMessage) -> bool {
        self.cast(message).is_ok()
    }
}
