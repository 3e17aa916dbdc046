use std::sync::Arc;
use std::time::Instant;

use ractor::{Actor, ActorProcessingErr, ActorRef, SupervisionEvent};

use super::delivery::{Sending, look_up};
use super::{PushArguments, Shared};
use crate::metrics::{self, PushOutcome};

/// Notices in one look-up of subscriptions.
const ROUND_MAX: usize = 500;

/// What may be said to the station.
#[derive(Debug)]
pub enum PushMessage {
    /// Something may be due, or the time for it has changed.
    Look,
    /// The look-up under way has ended.
    Looked,
    /// Fault injection: panic.
    Crash,
}

/// Takes from the queue what is due. Handlers do no I/O: what waits runs in tasks.
pub struct Pusher;

pub struct PusherState {
    shared: Arc<Shared>,
    /// One look-up at a time: pushes take no more than one pooled connection.
    looking: bool,
    /// When the next `Look` is under way for.
    wake_at: Option<Instant>,
}

impl Actor for Pusher {
    type Msg = PushMessage;
    type State = PusherState;
    type Arguments = PushArguments;

    async fn pre_start(
        &self,
        myself: ActorRef<PushMessage>,
        PushArguments(shared): PushArguments,
    ) -> Result<PusherState, ActorProcessingErr> {
        // In this order: what is queued later is announced here.
        shared.station.set(myself.clone());
        myself.cast(PushMessage::Look)?;
        Ok(PusherState { shared, looking: false, wake_at: None })
    }

    async fn handle(
        &self,
        myself: ActorRef<PushMessage>,
        message: PushMessage,
        state: &mut PusherState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            PushMessage::Look => {}
            PushMessage::Looked => state.looking = false,
            PushMessage::Crash => panic!("push: fault injected"),
        }
        state.look(&myself, Instant::now());
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        _myself: ActorRef<PushMessage>,
        _event: SupervisionEvent,
        _state: &mut PusherState,
    ) -> Result<(), ActorProcessingErr> {
        // It supervises nobody; the default would stop it.
        Ok(())
    }
}

impl PusherState {
    /// Starts on what is due, or arranges to look again in time.
    fn look(&mut self, myself: &ActorRef<PushMessage>, now: Instant) {
        if self.looking {
            return;
        }
        if self.wake_at.is_some_and(|at| at <= now) {
            self.wake_at = None;
        }
        let mut queue = self.shared.queue();
        let due = queue.take_due(now, ROUND_MAX);
        let next = queue.next_due();
        metrics::push_queue(queue.len());
        drop(queue);
        let due: Vec<_> =
            due.into_iter().map(|(place, notice)| Sending::new(&self.shared, place, notice)).collect();
        if due.is_empty() {
            self.wake_for(myself, next, now);
            return;
        }
        self.looking = true;
        let (here, away): (Vec<_>, Vec<_>) = due.into_iter().partition(Sending::is_here);
        here.iter().for_each(|_| metrics::pushed(PushOutcome::Returned));
        tokio::spawn(look_up(self.shared.clone(), away));
    }

    fn wake_for(&mut self, myself: &ActorRef<PushMessage>, next: Option<Instant>, now: Instant) {
        if let Some(at) = next
            && self.wake_at.is_none_or(|planned| at < planned)
        {
            self.wake_at = Some(at);
            myself.send_after(at.saturating_duration_since(now), || PushMessage::Look);
        }
    }
}
