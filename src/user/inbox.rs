//! What a user's connections may say: one handler a frame type.

use std::sync::Arc;
use std::time::{Duration, Instant};

use governor::clock::Clock;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use serde::Deserialize;

use super::{UserState, UsersMessage, frame, resume};
use crate::config::Config;
use crate::directory::{ConnectionId, Link, Opened, Progress, Submission, UserMessage};
use crate::domain::{ClientId, ConversationId, Text, TextError, UserId, Visibility};
use crate::metrics;
use crate::presence::PresenceMessage;
use crate::protocol::{
    self, CURSORS_MAX, ClientFrame, Code, Cursor, ErrorFrame, Pong, Position, Problem, ServerFrame, TypingBy,
    WATCH_MAX, Watch,
};

/// A user's sends, all connections together (the generic cell rate algorithm).
pub type SendLimiter = DefaultDirectRateLimiter;

/// How long to wait when too much is unacknowledged.
const BUSY_WAIT: Duration = Duration::from_millis(500);

/// None when sends are not limited.
pub fn limiter(config: &Config) -> Option<SendLimiter> {
    let rate = std::num::NonZeroU32::new(config.sends_per_second)?;
    let burst = std::num::NonZeroU32::new(config.sends_burst).unwrap_or(rate);
    Some(RateLimiter::direct(Quota::per_second(rate).allow_burst(burst)))
}

pub fn no_such_conversation() -> Problem {
    Problem::new(Code::NotFound, "There is no such conversation.").field("conversation")
}

impl From<Problem> for ErrorFrame {
    fn from(error: Problem) -> Self {
        Self { error, client_id: None, conversation: None }
    }
}

/// Frames that break things, understood only with `TIDINGS_FAULTS`.
#[derive(Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
enum Fault {
    User,
    Users,
    Presence,
    Persistence,
    Push,
}

impl UserState {
    pub(super) fn on_frame(&mut self, opened: Opened) {
        let link = opened.link.clone();
        // Its announcement may still be on the way.
        self.on_attach(link.clone());
        if self.services.config.faults
            && let Ok(fault) = serde_json::from_str(&opened.text)
        {
            return self.on_fault(&fault);
        }
        let outcome = frame::parse(&opened.text).and_then(|frame| self.on_parsed(&link, frame));
        if let Err(problem) = outcome {
            let client_id = frame::client_id(&opened.text);
            send_error(&link, ErrorFrame { client_id, ..problem.into() });
        }
    }

    fn on_parsed(&mut self, link: &Link, frame: ClientFrame) -> Result<(), Problem> {
        if !link.greeted() && !matches!(frame, ClientFrame::Hello(_)) {
            return Err(Problem::new(Code::HelloExpected, "The first frame must be `hello`."));
        }
        match frame {
            ClientFrame::Hello(hello) => self.on_hello(link, hello),
            ClientFrame::Sync(sync) => self.on_sync(link, sync.cursors),
            ClientFrame::Send(send) => self.on_send(link, send),
            ClientFrame::Delivered(position) => self.on_progress(position, false),
            ClientFrame::Read(position) => self.on_progress(position, true),
            ClientFrame::Typing(typing) => self.on_typing(typing.conversation),
            ClientFrame::Watch(watch) => self.on_watch(link.id(), watch),
            ClientFrame::Activity(activity) => {
                link.set_idle(activity.idle);
                self.activity_changed();
                Ok(())
            }
            ClientFrame::Ping(_) => {
                link.send(ServerFrame::Pong(Pong {}).encode());
                Ok(())
            }
        }
    }

    fn on_hello(&mut self, link: &Link, hello: protocol::Hello) -> Result<(), Problem> {
        if link.greeted() {
            return Err(Problem::new(Code::HelloRepeated, "`hello` has been said."));
        }
        check_cursors(&hello.cursors)?;
        check_watch(&hello.watch)?;
        let visibility = self.visibility().unwrap_or_else(|| link.visibility());
        link.send(resume::welcome(&self.user, visibility, &self.services).encode());
        // Registered before the database is read: what is committed from here
        // on arrives live, what was committed before is found by the replay.
        link.set_idle(hello.idle);
        link.greet();
        self.activity_changed();
        self.on_sync(link, hello.cursors)?;
        self.on_watch(link.id(), hello.watch)
    }

    fn on_sync(&mut self, link: &Link, cursors: Vec<Cursor>) -> Result<(), Problem> {
        check_cursors(&cursors)?;
        // Boxed: what it needs is freed with it, and not with the handle.
        let replay = Box::pin(resume::replay(self.services.clone(), self.id(), link.clone(), cursors));
        let task = tokio::spawn(replay);
        if let Some(tab) = self.tab(link.id())
            && let Some(older) = tab.replay.replace(task.abort_handle())
        {
            older.abort();
        }
        Ok(())
    }

    fn on_send(&mut self, link: &Link, send: protocol::Send) -> Result<(), Problem> {
        let now = Instant::now();
        let body = Text::parse(&send.body, self.services.config.text_max_chars).map_err(text_problem)?;
        let submission = Submission {
            sender: self.id(),
            origin: link.id(),
            client_id: send.client_id,
            conversation: send.conversation,
            body,
        };
        if let Err(problem) = self.admit(link, send.client_id, now) {
            refuse(link, send.client_id, problem, now);
            return Ok(());
        }
        self.rooms.sent(submission.conversation);
        let is_new = link.pending().add(&submission);
        if !self.resubmit(now)
            && is_new
            && let Some(generation) = self.generation
        {
            self.submit(link, generation, submission, now);
        }
        Ok(())
    }

    /// Whether a send may go on now, or why it has to be tried again.
    fn admit(&self, link: &Link, client_id: ClientId, now: Instant) -> Result<(), Problem> {
        let mut pending = link.pending();
        if !pending.may_pass(client_id, now) {
            return Err(earlier_first());
        }
        // One that comes again before its answer takes no other place.
        if pending.contains(client_id) {
            return Ok(());
        }
        if pending.count() >= self.services.config.unacknowledged_sends {
            return Err(busy("Too many messages have no answer yet."));
        }
        let Some(limiter) = &self.limiter else { return Ok(()) };
        limiter.check().map_err(|refusal| {
            let wait = refusal.wait_time_from(limiter.clock().now());
            Problem::new(Code::RateLimited, "You are sending too fast.").retry_after_ms(millis(wait))
        })
    }

    fn on_progress(&mut self, position: Position, read: bool) -> Result<(), Problem> {
        self.services.persistence.progress(Progress {
            user: self.id(),
            conversation: position.conversation,
            delivered: position.seq,
            read: if read { position.seq } else { 0 },
        });
        Ok(())
    }

    fn on_typing(&mut self, conversation: ConversationId) -> Result<(), Problem> {
        if !self.rooms.may_type(conversation, Instant::now(), self.services.config.typing_interval) {
            return Ok(());
        }
        match self.rooms.members(conversation) {
            Some(members) => self.tell_typing(conversation, &members),
            None => self.ask_members(conversation),
        }
        Ok(())
    }

    /// One look-up at a time: typing in many conversations at once, which nobody
    /// does, is dropped instead of queued. The answer goes to whoever is the
    /// user's actor then: a reference to this one, held for as long as the
    /// database takes, would keep what came too late for its mailbox.
    fn ask_members(&mut self, conversation: ConversationId) {
        if self.lookup.as_ref().is_some_and(|lookup| !lookup.is_finished()) {
            return;
        }
        let (services, user) = (self.services.clone(), self.id());
        let task = tokio::spawn(async move {
            match services.database.members(user, conversation).await {
                Ok(members) => {
                    services.directory.tell(user, UserMessage::Members(conversation, members.map(Arc::from)));
                }
                // Typing is worth no second try.
                Err(error) => tracing::warn!(%error, "members not read"),
            }
        });
        self.lookup = Some(task.abort_handle());
    }

    pub(super) fn on_members(&mut self, conversation: ConversationId, members: Option<Arc<[UserId]>>) {
        match members {
            Some(members) => {
                self.rooms.learn(conversation, members.clone());
                self.tell_typing(conversation, &members);
            }
            None => {
                let error = ErrorFrame { conversation: Some(conversation), ..no_such_conversation().into() };
                self.broadcast(&ServerFrame::Error(error).encode(), Link::send_ephemeral);
            }
        }
    }

    fn tell_typing(&self, conversation: ConversationId, members: &[UserId]) {
        // Nobody is shown typing who is not shown, or who has gone meanwhile.
        if self.visibility().is_none_or(Visibility::is_invisible) {
            return;
        }
        let frame = ServerFrame::Typing(TypingBy { conversation, user: self.id() }).encode();
        for member in members.iter().filter(|member| **member != self.id()) {
            self.services.directory.tell(*member, UserMessage::Typing(frame.clone()));
        }
    }

    fn on_watch(&mut self, connection: ConnectionId, watch: Watch) -> Result<(), Problem> {
        check_watch(&watch)?;
        if let Some(tab) = self.tab(connection) {
            tab.link.set_watch(watch);
        }
        self.watch_changed();
        Ok(())
    }

    fn on_fault(&self, fault: &Fault) {
        match fault {
            Fault::User => panic!("user: fault injected"),
            Fault::Users => drop(self.services.users.address().cast(UsersMessage::Crash)),
            Fault::Presence => drop(self.services.presence.cast(PresenceMessage::Crash)),
            Fault::Persistence => self.services.persistence.crash(),
            Fault::Push => self.services.push.crash(),
        }
    }
}

/// Tells a connection that its send was refused; when it may try again, those
/// behind it wait for it.
pub(super) fn refuse(link: &Link, client_id: ClientId, problem: Problem, now: Instant) {
    match problem.retry_after_ms {
        Some(wait) => link.pending().hold(client_id, now, Duration::from_millis(wait.into())),
        None => link.pending().settle(client_id),
    }
    send_error(link, ErrorFrame { client_id: Some(client_id), ..problem.into() });
}

fn send_error(link: &Link, error: ErrorFrame) {
    metrics::refused(error.error.code);
    link.send(ServerFrame::Error(error).encode());
}

fn check_cursors(cursors: &[Cursor]) -> Result<(), Problem> {
    if cursors.len() > CURSORS_MAX {
        return Err(
            Problem::new(Code::InvalidField, format!("At most {CURSORS_MAX} cursors.")).field("cursors")
        );
    }
    Ok(())
}

fn check_watch(watch: &Watch) -> Result<(), Problem> {
    if watch.users.len() > WATCH_MAX {
        return Err(Problem::new(Code::InvalidField, format!("At most {WATCH_MAX} users.")).field("users"));
    }
    Ok(())
}

fn text_problem(error: TextError) -> Problem {
    let code = match error {
        TextError::TooLong { .. } => Code::TextTooLong,
        TextError::Empty | TextError::Nul => Code::InvalidText,
    };
    Problem::new(code, format!("This cannot be sent: {error}.")).field("body")
}

/// To a send behind one that was refused for now.
pub(super) fn earlier_first() -> Problem {
    busy("An earlier message has to be sent again first.")
}

fn busy(sentence: &str) -> Problem {
    Problem::new(Code::Busy, sentence).retry_after_ms(millis(BUSY_WAIT))
}

/// Rounded up: who comes back then must not be a fraction too early.
fn millis(wait: Duration) -> u32 {
    u32::try_from(wait.as_nanos().div_ceil(1_000_000).max(1)).unwrap_or(u32::MAX)
}
