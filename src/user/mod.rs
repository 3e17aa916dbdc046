//! A connected user: what that user's sockets may do, and what is delivered to
//! them. One actor a user, whatever the number of sockets.

mod frame;
mod inbox;
mod resume;
mod rooms;
mod users;
mod visibility;

use std::future::ready;
use std::sync::Arc;
use std::time::Instant;

use ractor::{Actor, ActorProcessingErr, ActorRef, SupervisionEvent};
use tokio::task::AbortHandle;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use crate::config::Config;
use crate::database::Database;
use crate::directory::{Address, Answer, ConnectionId, Directory, Link, Settled, Submission, UserMessage};
use crate::domain::{UserId, Visibility};
use crate::persistence::{Generation, Persistence, SubmitError};
use crate::presence::PresenceMessage;
use crate::protocol::{self, ErrorFrame, Resync, ServerFrame, Stored, User, WATCH_MAX, Watch};
use crate::push::Push;
use rooms::Rooms;
pub use users::{Users, UsersMessage, UsersSupervisor};

/// What every user's actor works with.
pub struct Services {
    pub config: Arc<Config>,
    pub database: Database,
    pub directory: Arc<Directory>,
    pub persistence: Persistence,
    pub presence: Address<PresenceMessage>,
    pub push: Push,
    pub users: Users,
    /// Names this history; see [`crate::protocol::Welcome`].
    pub epoch: String,
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
    /// In which everything without an answer was submitted; none after a restart.
    generation: Option<Generation>,
    limiter: Option<inbox::SendLimiter>,
    rooms: Rooms,
    /// The look-up of a conversation's members under way: one at a time.
    lookup: Option<AbortHandle>,
    /// Whether presence was told that the user is away; none before it was told.
    away: Option<bool>,
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
        let mut state = UserState {
            user,
            services,
            // Most people have one.
            tabs: Vec::with_capacity(1),
            generation: None,
            limiter,
            rooms: Rooms::default(),
            lookup: None,
            away: None,
        };
        for link in links {
            // Only after a crash: what was cast to the dead actor is lost, and
            // the client says where it stands.
            if link.greeted() {
                link.send(ServerFrame::Resync(Resync {}).encode());
                link.send(visibility_frame(link.visibility()));
            }
            state.on_attach(link);
        }
        state.activity_changed();
        // What the one before may not have brought to an end is submitted again
        // once the directory leads here: `Resubmit` comes from presence.
        Ok(state)
    }

    /// Not an `async fn`: nothing is waited for, and an idle actor keeps no room
    /// for a message.
    fn handle(
        &self,
        _myself: ActorRef<UserMessage>,
        message: UserMessage,
        state: &mut UserState,
    ) -> impl Future<Output = Result<(), ActorProcessingErr>> + Send {
        state.on_message(message);
        ready(Ok(()))
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
            // If one is fatal, those behind it go back, as those in the mailbox do.
            UserMessage::Frames(envelopes) => {
                envelopes.into_iter().for_each(|envelope| self.on_frame(envelope.open()));
            }
            UserMessage::Attach(link) => self.on_attach(link),
            UserMessage::Detach(connection) => self.on_detach(connection),
            UserMessage::Settled(consequences) => self.on_settled(consequences),
            UserMessage::Resubmit => drop(self.resubmit(Instant::now())),
            UserMessage::Rewatch => self.on_rewatch(),
            UserMessage::Visibility => self.on_visibility(),
            UserMessage::Presence(frame) => self.broadcast(&frame, Link::send),
            UserMessage::Typing(frame) => self.broadcast(&frame, Link::send_ephemeral),
            UserMessage::Members(conversation, members) => self.on_members(conversation, members),
        }
    }

    fn on_attach(&mut self, link: Link) {
        // Its first frame may have come before.
        if self.tab(link.id()).is_none() {
            self.tabs.push(Tab { link, replay: None });
        }
    }

    fn on_detach(&mut self, connection: ConnectionId) {
        self.tabs.retain(|tab| tab.link.id() != connection);
        self.watch_changed();
        self.activity_changed();
    }

    /// The presence actor is new: what it was told may not have reached it.
    fn on_rewatch(&mut self) {
        self.watch_changed();
        self.away = None;
        self.activity_changed();
    }

    /// To the user's own connections: what the user has chosen, here or elsewhere.
    fn on_visibility(&self) {
        if let Some(visibility) = self.visibility() {
            self.broadcast(&visibility_frame(visibility), Link::send);
        }
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
        let origin = self.tab(answer.origin).map(|tab| tab.link.clone());
        let committed = match answer.outcome {
            Ok(committed) => committed,
            Err(problem) => {
                // Who has gone sends it again.
                if let Some(link) = origin {
                    inbox::refuse(&link, answer.client_id, problem, Instant::now());
                }
                return;
            }
        };
        if let Some(link) = origin {
            link.pending().settle(answer.client_id);
        }
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

    /// When a writer has been replaced, or this actor has, submits again what has
    /// no answer, in order, and says so. What had been stored is found by its
    /// `client_id`.
    fn resubmit(&mut self, now: Instant) -> bool {
        let generation = self.services.persistence.generation();
        if self.generation == Some(generation) {
            return false;
        }
        self.generation = Some(generation);
        for link in self.tabs.iter().map(|tab| tab.link.clone()).collect::<Vec<_>>() {
            let unanswered = link.pending().all();
            for submission in unanswered {
                let may_pass = link.pending().may_pass(submission.client_id, now);
                if may_pass {
                    self.submit(&link, generation, submission, now);
                } else {
                    inbox::refuse(&link, submission.client_id, inbox::earlier_first(), now);
                }
            }
        }
        true
    }

    /// Sends a pending submission on its way, or refuses it at once, so that
    /// none behind it can pass.
    fn submit(&self, link: &Link, generation: Generation, submission: Submission, now: Instant) {
        let client_id = submission.client_id;
        match self.services.persistence.submit(generation, submission) {
            // It stays pending: `Resubmit` comes when the writer is back.
            Ok(()) | Err(SubmitError::Replaced) => {}
            Err(SubmitError::Full(problem)) => inbox::refuse(link, client_id, problem, now),
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

    /// Tells presence when every connection is idle, or not any more. One that has
    /// not said hello says nothing about it: a reload of an idle page is no input.
    fn activity_changed(&mut self) {
        let mut greeted = self.tabs.iter().filter(|tab| tab.link.greeted()).peekable();
        if greeted.peek().is_none() {
            return;
        }
        let away = greeted.all(|tab| tab.link.is_idle());
        if self.away.replace(away) == Some(away) {
            return;
        }
        let message = PresenceMessage::Activity { user: self.id(), away };
        if self.services.presence.cast(message).is_err() {
            tracing::debug!(user = %self.id(), "presence is being replaced; it will ask again");
        }
    }

    /// What the user has chosen; none when no connection is left.
    fn visibility(&self) -> Option<Visibility> {
        self.tabs.iter().map(|tab| tab.link.visibility()).max()
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

fn visibility_frame(visibility: Visibility) -> Utf8Bytes {
    ServerFrame::Visibility(protocol::Visibility { invisible: visibility.is_invisible() }).encode()
}
