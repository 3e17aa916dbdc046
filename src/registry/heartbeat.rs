use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A question that a supervised actor answers when it gets to it.
#[derive(Debug)]
pub struct Heartbeat(Arc<AtomicBool>);

/// Whether a [`Heartbeat`] has been answered.
#[derive(Debug)]
pub struct HeartbeatAnswer(Arc<AtomicBool>);

impl Heartbeat {
    /// A heartbeat that waits for its answer.
    pub fn new() -> (Self, HeartbeatAnswer) {
        let answered = Arc::new(AtomicBool::new(false));
        (Self(answered.clone()), HeartbeatAnswer(answered))
    }

    /// Says that the actor handles its messages.
    pub fn answer(self) {
        self.0.store(true, Ordering::Release);
    }
}

impl HeartbeatAnswer {
    pub fn has_come(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// A fault that a test injects into an actor.
#[derive(Clone, Copy, Debug)]
pub enum InjectedFault {
    Panic,
    /// The handler never returns, as with a deadlock.
    Freeze,
}

impl InjectedFault {
    /// Has the fault; never returns.
    ///
    /// # Panics
    ///
    /// When it is [`InjectedFault::Panic`].
    pub async fn strike(self) {
        match self {
            Self::Panic => panic!("fault injected"),
            Self::Freeze => std::future::pending().await,
        }
    }
}
