//! The actor of a connected user: handles the frames of all of the user's connections,
//! and delivers to them.

mod decode;
mod groups;
mod handlers;
mod replay;
mod replay_limits;
mod report;
mod sessions;
mod supervisor;
mod typing;
mod typing_throttle;
mod visibility;

use std::sync::Arc;
use std::time::Instant;

use arc_swap::ArcSwap;
use ractor::{Actor, ActorProcessingErr, ActorRef, SupervisionEvent};
use tokio::task::{AbortHandle, yield_now};
use tokio_tungstenite::tungstenite::Utf8Bytes;

use crate::bus::Bus;
use crate::config::Config;
use crate::database::Database;
use crate::domain::{Bucket, IdHasher, Quota, UserId, Visibility};
use crate::persistence::{Generation, Persistence, SubmitError};
use crate::presence::PresenceMessage;
use crate::protocol::{self, ErrorFrame, Resync, ServerFrame, Stored, User};
use crate::push::Push;
use crate::registry::{
    ActorSlot, ConnectionHandle, ConnectionId, Envelope, Registry, SendRequest, SendResult, StoredEvent,
    UserDelivery, UserMessage,
};
pub use replay::limits;
pub use replay_limits::ReplayLimits;
use report::Reports;
pub use supervisor::UserSupervisor;
use typing_throttle::TypingThrottle;

/// The services that every user's actor uses.
pub struct Services {
    pub config: Arc<Config>,
    pub database: Database,
    pub registry: Arc<Registry>,
    pub bus: Bus,
    pub persistence: Persistence,
    pub presence: ActorSlot<PresenceMessage>,
    pub push: Push,
    pub replays: ReplayLimits,
    /// The bytes that each user has stored within a day.
    pub storage_quota: Quota<UserId, IdHasher>,
    /// Stations that have not answered for a while.
    pub late_stations: ArcSwap<Vec<&'static str>>,
    /// Identifies this history; see [`crate::protocol::Welcome`].
    pub epoch: String,
}

/// A user's actor is started with its connections, also after a crash.
pub struct UserArguments {
    pub user: User,
    pub connections: Vec<ConnectionHandle>,
    pub services: Arc<Services>,
}

pub struct UserState {
    user: User,
    services: Arc<Services>,
    connections: Vec<AttachedConnection>,
    /// The generation in which all unanswered sends were submitted; `None` after a restart.
    generation: Option<Generation>,
    /// The rate limit of sends, for all connections together.
    sends: Bucket,
    typing: TypingThrottle,
    /// The last look-up of members, and when it began: one at a time.
    lookup: Option<(AbortHandle, Instant)>,
    reports: Reports,
}

/// One connection of the user.
struct AttachedConnection {
    connection: ConnectionHandle,
    /// The running replay; a newer one replaces it.
    replay: Option<AbortHandle>,
}

impl Drop for AttachedConnection {
    /// With an actor that crashes: the `synced` of its replay would be taken for that of
    /// the next one.
    fn drop(&mut self) {
        if let Some(replay) = &self.replay {
            replay.abort();
        }
    }
}

/// The actor. Handlers do no I/O: whatever has to wait runs in a task.
pub struct UserActor;

impl Actor for UserActor {
    type Msg = UserMessage;
    type State = UserState;
    type Arguments = UserArguments;

    async fn pre_start(
        &self,
        _myself: ActorRef<UserMessage>,
        arguments: UserArguments,
    ) -> Result<UserState, ActorProcessingErr> {
        let UserArguments { user, connections, services } = arguments;
        let mut state = UserState {
            user,
            services,
            // Most users have one.
            connections: Vec::with_capacity(1),
            generation: None,
            sends: Bucket::full(Instant::now()),
            typing: TypingThrottle::default(),
            lookup: None,
            reports: Reports::default(),
        };
        for connection in connections {
            // Only after a crash: messages to the dead actor are lost, and
            // the client answers with its cursors.
            if connection.hello_received() {
                connection.send(ServerFrame::Resync(Resync {}).encode());
                connection.send(visibility_frame(connection.visibility()));
            }
            state.on_attach(connection);
        }
        // Sends that the crashed actor left unanswered are submitted again
        // once the registry leads here, and presence gets a report:
        // presence sends `ResubmitInFlight`.
        Ok(state)
    }

    /// Not an `async fn`, so that an idle actor keeps no room for a message. Yields
    /// after large frames, since it would otherwise handle its whole mailbox first.
    fn handle(
        &self,
        _myself: ActorRef<UserMessage>,
        message: UserMessage,
        state: &mut UserState,
    ) -> impl Future<Output = Result<(), ActorProcessingErr>> + Send {
        let has_large_frame =
            matches!(&message, UserMessage::Frames(frames) if frames.iter().any(Envelope::is_large));
        state.on_message(message);
        async move {
            if has_large_frame {
                yield_now().await;
            }
            Ok(())
        }
    }

    async fn handle_supervisor_evt(
        &self,
        _myself: ActorRef<UserMessage>,
        _event: SupervisionEvent,
        _state: &mut UserState,
    ) -> Result<(), ActorProcessingErr> {
        // It supervises nobody; the default would stop it.
        Ok(())
    }
}

impl UserState {
    fn id(&self) -> UserId {
        self.user.id
    }

    fn on_message(&mut self, message: UserMessage) {
        match message {
            // If one crashes the actor, those behind it return, as those in the mailbox do.
            UserMessage::Frames(envelopes) => {
                envelopes.into_iter().for_each(|envelope| self.on_frame(envelope.open()));
            }
            UserMessage::Attach(connection) => self.on_attach(connection),
            UserMessage::Detach(connection) => self.on_detach(connection),
            UserMessage::Deliver(deliveries) => self.on_deliver(deliveries),
            UserMessage::ResubmitInFlight => {
                self.resubmit();
                self.report();
            }
            UserMessage::ReannouncePresence => self.on_reannounce_presence(),
            UserMessage::Visibility => self.on_visibility(),
            UserMessage::Reported => self.on_reported(),
            UserMessage::Presence(frame) => self.broadcast(&frame, ConnectionHandle::send),
            UserMessage::Typing(frame) => self.broadcast(&frame, ConnectionHandle::send_ephemeral),
            UserMessage::Members(conversation, members) => self.on_members(conversation, members),
        }
    }

    fn on_attach(&mut self, connection: ConnectionHandle) {
        // Its first frame may have arrived before this message.
        if self.attached(connection.id()).is_none() {
            self.connections.push(AttachedConnection { connection, replay: None });
        }
    }

    fn on_detach(&mut self, connection: ConnectionId) {
        self.connections.retain(|attached| attached.connection.id() != connection);
        self.watch_changed();
    }

    /// Sends the user's choice to all of the user's connections.
    fn on_visibility(&self) {
        if let Some(visibility) = self.visibility() {
            self.broadcast(&visibility_frame(visibility), ConnectionHandle::send);
        }
    }

    fn on_deliver(&mut self, deliveries: Vec<UserDelivery>) {
        for delivery in deliveries {
            match delivery {
                UserDelivery::SendResult(result) => self.on_send_result(result),
                UserDelivery::Event(stored) => self.broadcast(&stored.frame, ConnectionHandle::send),
                UserDelivery::Receipt(frame) => self.broadcast(&frame, ConnectionHandle::send),
                UserDelivery::NoSuchConversation(conversation) => {
                    let error = ErrorFrame {
                        conversation: Some(conversation),
                        ..ErrorFrame::from(handlers::no_such_conversation())
                    };
                    self.broadcast(&ServerFrame::Error(error).encode(), ConnectionHandle::send);
                }
            }
        }
    }

    /// Sends the result to the connection that asked, and the event itself to the user's
    /// other connections.
    fn on_send_result(&mut self, result: SendResult) {
        let origin = self.attached(result.origin).map(|attached| attached.connection.clone());
        let StoredEvent { event, frame, duplicate } = match result.outcome {
            Ok(stored) => stored,
            Err(problem) => {
                // A client that has left sends it again.
                if let Some(connection) = origin {
                    self.refuse(&connection, result.client_id, problem);
                }
                return;
            }
        };
        if let Some(connection) = origin {
            connection.in_flight().complete(result.client_id);
        }
        let stored = ServerFrame::Stored(Stored {
            client_id: result.client_id,
            conversation: result.conversation,
            seq: event.seq,
            at: event.at.clone(),
            duplicate,
        });
        for attached in &self.connections {
            if attached.connection.id() == result.origin {
                attached.connection.send(stored.encode());
            } else if attached.connection.hello_received() {
                attached.connection.send(frame.clone());
            }
        }
    }

    /// Submits all unanswered sends again, in order, if a writer or this actor has been
    /// replaced; returns whether it did. Sends that had been stored are found by their
    /// `client_id`.
    fn resubmit(&mut self) -> bool {
        let generation = self.services.persistence.generation();
        if self.generation == Some(generation) {
            return false;
        }
        self.generation = Some(generation);
        for connection in
            self.connections.iter().map(|attached| attached.connection.clone()).collect::<Vec<_>>()
        {
            let unanswered = connection.in_flight().unanswered();
            for request in unanswered {
                let waits_for = connection.in_flight().ahead_of(request.client_id);
                if waits_for.is_none() {
                    self.submit(&connection, generation, request);
                } else {
                    self.refuse(&connection, request.client_id, handlers::earlier_first());
                }
            }
        }
        true
    }

    /// Submits a request, or refuses it at once, so that no later one
    /// can pass it.
    fn submit(&self, connection: &ConnectionHandle, generation: Generation, request: SendRequest) {
        let client_id = request.client_id;
        match self.services.persistence.submit(generation, request) {
            // It stays in flight: `ResubmitInFlight` comes when the writer is back.
            Ok(()) | Err(SubmitError::Replaced) => {}
            Err(SubmitError::Full(problem)) => self.refuse(connection, client_id, problem),
        }
    }

    /// Returns the user's choice, or `None` if no connection is left.
    fn visibility(&self) -> Option<Visibility> {
        self.connections.iter().map(|attached| attached.connection.visibility()).max()
    }

    fn attached(&mut self, connection: ConnectionId) -> Option<&mut AttachedConnection> {
        self.connections.iter_mut().find(|attached| attached.connection.id() == connection)
    }

    /// Sends a frame to every connection whose `hello` was received.
    fn broadcast(&self, frame: &Utf8Bytes, send: fn(&ConnectionHandle, Utf8Bytes)) {
        for attached in self.connections.iter().filter(|attached| attached.connection.hello_received()) {
            send(&attached.connection, frame.clone());
        }
    }
}

fn visibility_frame(visibility: Visibility) -> Utf8Bytes {
    ServerFrame::Visibility(protocol::Visibility { invisible: visibility.is_invisible() }).encode()
}
