//! A connected user: what that user's sockets may do, and what is delivered to
//! them. One actor a user, whatever the number of sockets.

mod frame;
mod inbox;
mod pending;
mod resume;
mod rooms;
mod users;

use std::sync::Arc;
use std::time::Instant;

use ractor::{Actor, ActorProcessingErr, ActorRef, SupervisionEvent};
use tokio::task::AbortHandle;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use crate::config::Config;
use crate::database::Database;
use crate::directory::{Address, Answer, ConnectionId, Directory, Link, Settled, Submission, UserMessage};
use crate::domain::UserId;
use crate::persistence::{Generation, Persistence, SubmitError};
use crate::presence::PresenceMessage;
use crate::protocol::{ErrorFrame, Resync, ServerFrame, Stored, User, WATCH_MAX, Watch};
use pending::Pending;
pub use resume::Resumes;
use rooms::Rooms;
pub use users::{Users, UsersMessage, UsersSupervisor};

/// What every user's actor works with.
pub struct Services {
    pub config: Arc<Config>,
    pub database: Database,
    pub directory: Arc<Directory>,
    pub persistence: Persistence,
    pub presence: Address<PresenceMessage>,
    pub users: Users,
    /// Names this history; see [`crate::protocol::Welcome`].
    pub epoch: String,
    pub resumes: Resumes,
}

/// A user's actor is started with its connections, the first time and again.
pub struct UserArguments {
    pub user: User,
    pub links: Vec<Link>,
    pub services: Arc<Services>,
}

pub struct UserState {
    user: User,
    services: Arc<Services>,
    tabs: Vec<Tab>,
    pending: Pending,
    generation: Generation,
    limiter: Option<inbox::SendLimiter>,
    rooms: Rooms,
    /// The look-up of a conversation's members under way: one at a time.
    lookup: Option<AbortHandle>,
}

/// One connection of the user.
struct Tab {
    link: Link,
    /// The replay under way; a newer one takes its place.
    replay: Option<AbortHandle>,
}

/// The actor. Handlers do no I/O: what waits runs in tasks.
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
        let UserArguments { user, links, services } = arguments;
        let limiter = inbox::limiter(&services.config);
        let generation = services.persistence.generation();
        let mut state = UserState {
            user,
            services,
            tabs: Vec::new(),
            pending: Pending::default(),
            generation,
            limiter,
            rooms: Rooms::default(),
            lookup: None,
        };
        for link in links {
            // Only after a crash: what was cast to the dead actor is lost, and
            // the client says where it stands.
            if link.greeted() {
                link.send(ServerFrame::Resync(Resync {}).encode());
            }
            state.on_attach(link);
        }
        Ok(state)
    }

    async fn handle(
        &self,
        _myself: ActorRef<UserMessage>,
        message: UserMessage,
        state: &mut UserState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            UserMessage::Frame(envelope) => state.on_frame(envelope.open()),
            UserMessage::Attach(link) => state.on_attach(link),
            UserMessage::Detach(connection) => state.on_detach(connection),
            UserMessage::Settled(consequences) => state.on_settled(consequences),
            UserMessage::Resubmit => drop(state.resubmit(Instant::now())),
            UserMessage::Rewatch => state.watch_changed(),
            UserMessage::Presence(frame) => state.broadcast(&frame, Link::send),
            UserMessage::Typing(frame) => state.broadcast(&frame, Link::send_ephemeral),
            UserMessage::Members(conversation, members) => state.on_members(conversation, members),
        }
        Ok(())
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

    fn on_attach(&mut self, link: Link) {
        // Its first frame may have come before.
        if self.tab(link.id()).is_none() {
            self.tabs.push(Tab { link, replay: None });
        }
    }

    fn on_detach(&mut self, connection: ConnectionId) {
        self.tabs.retain(|tab| tab.link.id() != connection);
        self.pending.forget(connection);
        self.watch_changed();
    }

    fn on_settled(&mut self, consequences: Vec<Settled>) {
        for consequence in consequences {
            match consequence {
                Settled::Answer(answer) => self.on_answer(answer),
                Settled::Event(committed) => self.broadcast(&committed.frame, Link::send),
                Settled::Receipt(frame) => self.broadcast(&frame, Link::send),
                Settled::NoSuchConversation(conversation) => {
                    let error = ErrorFrame {
                        conversation: Some(conversation),
                        ..ErrorFrame::from(inbox::no_such_conversation())
                    };
                    self.broadcast(&ServerFrame::Error(error).encode(), Link::send);
                }
            }
        }
    }

    /// To the connection that sent it: its place. To the user's others: the
    /// message itself.
    fn on_answer(&mut self, answer: Answer) {
        let committed = match answer.outcome {
            Ok(committed) => committed,
            Err(problem) => return self.refuse(answer.origin, answer.client_id, problem, Instant::now()),
        };
        self.pending.settle(answer.origin, answer.client_id);
        let stored = ServerFrame::Stored(Stored {
            client_id: answer.client_id,
            conversation: answer.conversation,
            seq: committed.message.seq,
            at: committed.message.at.clone(),
            duplicate: committed.duplicate,
        });
        for tab in &self.tabs {
            if tab.link.id() == answer.origin {
                tab.link.send(stored.encode());
            } else if tab.link.greeted() {
                tab.link.send(committed.frame.clone());
            }
        }
    }

    /// When a writer has been replaced, submits again what has no answer, in
    /// order, and says so. What had been stored is found by its `client_id`.
    fn resubmit(&mut self, now: Instant) -> bool {
        let generation = self.services.persistence.generation();
        if generation == self.generation {
            return false;
        }
        self.generation = generation;
        let pending: Vec<Submission> = self.pending.iter().cloned().collect();
        for submission in pending {
            if self.pending.may_pass(submission.origin, submission.client_id, now) {
                self.submit(submission, now);
            } else {
                self.refuse(submission.origin, submission.client_id, inbox::earlier_first(), now);
            }
        }
        true
    }

    /// Sends a pending submission on its way, or refuses it at once, so that
    /// none behind it can pass.
    fn submit(&mut self, submission: Submission, now: Instant) {
        let (origin, client_id) = (submission.origin, submission.client_id);
        match self.services.persistence.submit(self.generation, submission) {
            // It stays pending: `Resubmit` comes when the writer is back.
            Ok(()) | Err(SubmitError::Replaced) => {}
            Err(SubmitError::Full(problem)) => self.refuse(origin, client_id, problem, now),
        }
    }

    /// Tells presence what all connections look at, together.
    fn watch_changed(&self) {
        let mut union = Watch::default();
        for tab in &self.tabs {
            let watch = tab.link.watch();
            union.list |= watch.list;
            union.users.extend(&watch.users);
        }
        union.users.sort_unstable();
        union.users.dedup();
        union.users.truncate(WATCH_MAX);
        let message = PresenceMessage::Watch { user: self.id(), watch: union };
        if self.services.presence.cast(message).is_err() {
            tracing::debug!(user = %self.id(), "presence is being replaced; it will ask again");
        }
    }

    fn tab(&mut self, connection: ConnectionId) -> Option<&mut Tab> {
        self.tabs.iter_mut().find(|tab| tab.link.id() == connection)
    }

    /// To every connection that has said hello.
    fn broadcast(&self, frame: &Utf8Bytes, send: fn(&Link, Utf8Bytes)) {
        for tab in self.tabs.iter().filter(|tab| tab.link.greeted()) {
            send(&tab.link, frame.clone());
        }
    }
}
