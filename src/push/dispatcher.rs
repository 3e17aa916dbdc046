use std::sync::Arc;
use std::time::Instant;

use ractor::{Actor, ActorProcessingErr, ActorRef, SupervisionEvent};

use super::delivery::{InFlightNotification, look_up};
use super::message::PushMessage;
use super::{PushArguments, Shared};
use crate::metrics::{self, PushOutcome};

/// How many notifications are looked up at once.
const ROUND_MAX: usize = 500;

/// Takes due notifications from the queue. Handlers do no I/O: whatever waits runs in a task.
pub struct PushDispatcher;

pub struct PushDispatcherState {
    shared: Arc<Shared>,
    /// One look-up at a time: pushes take no more than one pooled connection.
    is_looking_up: bool,
    /// When the next `Dispatch` is due.
    wake_at: Option<Instant>,
}

impl Actor for PushDispatcher {
    type Msg = PushMessage;
    type State = PushDispatcherState;
    type Arguments = PushArguments;

    async fn pre_start(
        &self,
        myself: ActorRef<PushMessage>,
        PushArguments(shared): PushArguments,
    ) -> Result<PushDispatcherState, ActorProcessingErr> {
        // In this order: later notifications are announced to this actor.
        shared.dispatcher.set(myself.clone());
        myself.cast(PushMessage::Dispatch)?;
        Ok(PushDispatcherState { shared, is_looking_up: false, wake_at: None })
    }

    async fn handle(
        &self,
        myself: ActorRef<PushMessage>,
        message: PushMessage,
        state: &mut PushDispatcherState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            PushMessage::Dispatch => {}
            PushMessage::LookUpDone => state.is_looking_up = false,
            PushMessage::Heartbeat(heartbeat) => {
                heartbeat.answer();
                return Ok(());
            }
            PushMessage::Fault(fault) => fault.strike().await,
        }
        state.dispatch(&myself, Instant::now());
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        _myself: ActorRef<PushMessage>,
        _event: SupervisionEvent,
        _state: &mut PushDispatcherState,
    ) -> Result<(), ActorProcessingErr> {
        // It supervises nobody; the default would stop it.
        Ok(())
    }
}

impl PushDispatcherState {
    /// Starts a look-up for what is due, or schedules the next one.
    fn dispatch(&mut self, myself: &ActorRef<PushMessage>, now: Instant) {
        if self.is_looking_up {
            return;
        }
        if self.wake_at.is_some_and(|at| at <= now) {
            self.wake_at = None;
        }
        let mut queue = self.shared.queue();
        let due = queue.take_due(now, ROUND_MAX);
        let next = queue.next_due();
        drop(queue);
        let due: Vec<_> = due
            .into_iter()
            .map(|(key, notification)| InFlightNotification::new(&self.shared, key, notification))
            .collect();
        if due.is_empty() {
            self.wake_for(myself, next, now);
            return;
        }
        self.is_looking_up = true;
        let (here, away): (Vec<_>, Vec<_>) =
            due.into_iter().partition(InFlightNotification::is_recipient_connected);
        // Counting invisible recipients would reveal that they are connected.
        here.iter()
            .filter(|notification| notification.is_recipient_online())
            .for_each(|_| metrics::pushed(PushOutcome::Returned));
        tokio::spawn(look_up(self.shared.clone(), away));
    }

    fn wake_for(&mut self, myself: &ActorRef<PushMessage>, next: Option<Instant>, now: Instant) {
        if let Some(at) = next
            && self.wake_at.is_none_or(|planned| at < planned)
        {
            self.wake_at = Some(at);
            myself.send_after(at.saturating_duration_since(now), || PushMessage::Dispatch);
        }
    }
}
