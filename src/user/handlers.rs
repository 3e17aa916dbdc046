//! The handlers of the frames that a user's connections receive, one for each type.

use std::time::{Duration, Instant};

use serde::Deserialize;

use super::{UserState, decode, replay};
use crate::domain::{ClientId, MessageText, MessageTextError, Operation, Rate};
use crate::metrics;
use crate::presence::PresenceMessage;
use crate::protocol::{
    self, CURSORS_MAX, ClientFrame, Code, Content, Cursor, ErrorFrame, GiveUp, Pong, Position, Problem,
    ServerFrame, WATCH_MAX, Watch,
};
use crate::registry::{
    ConnectionHandle, ConnectionId, InjectedFault, OpenedFrame, ReceiptUpdate, SendRequest,
    UserSupervisorMessage,
};

/// The size of an event in the database besides its text, as the quota counts it.
const ROW_BYTES: usize = 128;

/// When to try again after too many sends were unanswered.
const BUSY_WAIT: Duration = Duration::from_millis(500);

pub fn no_such_conversation() -> Problem {
    Problem::new(Code::NotFound, "There is no such conversation.").field("conversation")
}

impl From<Problem> for ErrorFrame {
    fn from(error: Problem) -> Self {
        Self { error, client_id: None, conversation: None, after: None }
    }
}

/// A frame that breaks something, understood only with `TIDINGS_FAULTS`.
#[derive(Deserialize)]
struct FaultFrame {
    fault: Faulty,
    /// Whether it hangs instead of panicking. A user's actor always panics: its
    /// supervisor does not watch for hangs.
    #[serde(default)]
    freeze: bool,
}

/// Which actor is to have a fault.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Faulty {
    User,
    Users,
    Presence,
    Persistence,
    Push,
}

impl UserState {
    pub(super) fn on_frame(&mut self, opened: OpenedFrame) {
        let connection = opened.connection.clone();
        // `Attach` may still be on its way.
        self.on_attach(connection.clone());
        if self.services.config.faults
            && let Ok(fault) = serde_json::from_str(&opened.text)
        {
            return self.on_fault(&fault);
        }
        let outcome = decode::decode(&opened.text).and_then(|frame| self.on_parsed(&connection, frame));
        if let Err(problem) = outcome {
            let client_id = decode::client_id(&opened.text);
            // A send that cannot be decoded must not hold up later ones.
            client_id.inspect(|client_id| connection.in_flight().give_up(*client_id));
            send_error(&connection, ErrorFrame { client_id, ..problem.into() });
        }
    }

    fn on_parsed(&mut self, connection: &ConnectionHandle, frame: ClientFrame) -> Result<(), Problem> {
        if !connection.hello_received() && !matches!(frame, ClientFrame::Hello(_)) {
            return Err(Problem::new(Code::HelloExpected, "The first frame must be `hello`."));
        }
        match frame {
            ClientFrame::Hello(hello) => self.on_hello(connection, hello),
            ClientFrame::Sync(sync) => self.on_sync(connection, sync.cursors),
            ClientFrame::Send(send) => self.on_send(connection, send),
            ClientFrame::GiveUp(GiveUp { client_id }) => {
                connection.in_flight().give_up(client_id);
                Ok(())
            }
            ClientFrame::Delivered(position) => self.on_receipt(position, false),
            ClientFrame::Read(position) => self.on_receipt(position, true),
            ClientFrame::Typing(typing) => self.on_typing(typing.conversation),
            ClientFrame::Watch(watch) => self.on_watch(connection.id(), watch),
            ClientFrame::Activity(activity) => {
                connection.set_idle(activity.idle);
                self.report();
                Ok(())
            }
            ClientFrame::Ping(_) => {
                connection.send(ServerFrame::Pong(Pong {}).encode());
                Ok(())
            }
        }
    }

    fn on_hello(&mut self, connection: &ConnectionHandle, hello: protocol::Hello) -> Result<(), Problem> {
        if connection.hello_received() {
            return Err(Problem::new(Code::HelloRepeated, "`hello` may be sent only once."));
        }
        check_cursors(&hello.cursors)?;
        check_watch(&hello.watch)?;
        let visibility = self.visibility().unwrap_or_else(|| connection.visibility());
        connection.send(replay::welcome(&self.user, visibility, &self.services).encode());
        // Registered before the database is read: messages committed from here on
        // arrive live, and the replay finds those committed before.
        connection.set_idle(hello.idle);
        connection.set_hello_received();
        self.on_sync(connection, hello.cursors)?;
        self.on_watch(connection.id(), hello.watch)
    }

    fn on_sync(&mut self, connection: &ConnectionHandle, cursors: Vec<Cursor>) -> Result<(), Problem> {
        check_cursors(&cursors)?;
        // Boxed, so that its memory is freed when it ends, and not with its handle.
        let task = Box::pin(replay::replay(self.services.clone(), self.id(), connection.clone(), cursors));
        let task = tokio::spawn(task);
        if let Some(attached) = self.attached(connection.id())
            && let Some(older) = attached.replay.replace(task.abort_handle())
        {
            older.abort();
        }
        Ok(())
    }

    fn on_send(&mut self, connection: &ConnectionHandle, send: protocol::Send) -> Result<(), Problem> {
        let operation = match check_content(send.content, self.services.config.text_max_chars) {
            Ok(operation) => operation,
            Err(problem) => {
                self.refuse_new(connection, send.client_id, problem);
                return Ok(());
            }
        };
        let bytes = stored_bytes(&operation);
        let request = SendRequest {
            sender: self.id(),
            origin: connection.id(),
            client_id: send.client_id,
            conversation: send.conversation,
            operation,
        };
        // A repeated send that has no result yet is in flight already.
        if connection.in_flight().contains(&request) {
            return Ok(());
        }
        if let Err(problem) = self.admit(connection, request.client_id, bytes) {
            self.refuse_new(connection, request.client_id, problem);
            return Ok(());
        }
        if request.operation.kind().is_message() {
            self.typing.reset(request.conversation);
        }
        connection.in_flight().add(&request);
        if !self.resubmit()
            && let Some(generation) = self.generation
        {
            self.submit(connection, generation, request);
        }
        Ok(())
    }

    /// Tells a connection that a send in flight was refused. If it may try again, later
    /// sends wait for it.
    pub(super) fn refuse(&self, connection: &ConnectionHandle, client_id: ClientId, problem: Problem) {
        match problem.retry_after_ms {
            Some(_) => connection.in_flight().refuse(client_id, self.refused_max()),
            None => connection.in_flight().complete(client_id),
        }
        send_refusal(connection, client_id, problem);
    }

    /// The same for a send that is not in flight, though another one with its client id
    /// may be.
    fn refuse_new(&self, connection: &ConnectionHandle, client_id: ClientId, problem: Problem) {
        match problem.retry_after_ms {
            Some(_) => connection.in_flight().refuse_new(client_id, self.refused_max()),
            None => connection.in_flight().give_up(client_id),
        }
        send_refusal(connection, client_id, problem);
    }

    /// Sends that the client discards while they are on their way come on top.
    fn refused_max(&self) -> usize {
        2 * self.services.config.unacknowledged_sends
    }

    /// Errors if the send has to be tried again later.
    fn admit(
        &mut self,
        connection: &ConnectionHandle,
        client_id: ClientId,
        bytes: u64,
    ) -> Result<(), Problem> {
        let in_flight = connection.in_flight();
        if in_flight.ahead_of(client_id).is_some() {
            return Err(earlier_first());
        }
        if in_flight.count() >= self.services.config.unacknowledged_sends {
            return Err(busy("Too many operations are still unanswered."));
        }
        let (config, now) = (&self.services.config, Instant::now());
        let rate = Rate::per_second(config.sends_per_second.into(), config.sends_burst.into());
        let too_fast = rate_limited("You're sending too fast.");
        self.sends.take(1, rate, now).map_err(too_fast)?;
        let too_much = rate_limited("You've sent as much as you can in one day.");
        self.services.storage_quota.take(self.id(), bytes, now).map_err(too_much)
    }

    fn on_receipt(&mut self, position: Position, read: bool) -> Result<(), Problem> {
        self.services.persistence.update_receipt(ReceiptUpdate {
            user: self.id(),
            conversation: position.conversation,
            delivered: position.seq,
            read: if read { position.seq } else { 0 },
        });
        Ok(())
    }

    fn on_watch(&mut self, connection: ConnectionId, watch: Watch) -> Result<(), Problem> {
        check_watch(&watch)?;
        if let Some(attached) = self.attached(connection) {
            attached.connection.set_watch(watch);
        }
        self.watch_changed();
        Ok(())
    }

    fn on_fault(&self, frame: &FaultFrame) {
        let fault = if frame.freeze { InjectedFault::Freeze } else { InjectedFault::Panic };
        let services = &self.services;
        match frame.fault {
            Faulty::User => panic!("user: fault injected"),
            Faulty::Users => {
                drop(services.registry.connections().supervisor().cast(UserSupervisorMessage::Fault(fault)))
            }
            Faulty::Presence => drop(services.presence.cast(PresenceMessage::Fault(fault))),
            Faulty::Persistence => services.persistence.inject(fault),
            Faulty::Push => services.push.inject(fault),
        }
    }
}

fn send_refusal(connection: &ConnectionHandle, client_id: ClientId, problem: Problem) {
    let after = connection.in_flight().ahead_of(client_id).filter(|_| problem.retry_after_ms.is_some());
    send_error(connection, ErrorFrame { client_id: Some(client_id), after, ..problem.into() });
}

fn send_error(connection: &ConnectionHandle, error: ErrorFrame) {
    metrics::refused(error.error.code);
    connection.send(ServerFrame::Error(error).encode());
}

fn check_cursors(cursors: &[Cursor]) -> Result<(), Problem> {
    if cursors.len() > CURSORS_MAX {
        return Err(Problem::new(
            Code::InvalidField,
            format!("`cursors` can have at most {CURSORS_MAX} entries."),
        )
        .field("cursors"));
    }
    Ok(())
}

fn check_watch(watch: &Watch) -> Result<(), Problem> {
    if watch.users.len() > WATCH_MAX {
        return Err(Problem::new(
            Code::InvalidField,
            format!("`users` can have at most {WATCH_MAX} entries."),
        )
        .field("users"));
    }
    Ok(())
}

/// What a client asks to be stored, if it can be.
fn check_content(content: Content, text_max_chars: usize) -> Result<Operation, Problem> {
    match content {
        Content::Message { body } => {
            MessageText::parse(&body, text_max_chars).map(Operation::Message).map_err(text_problem)
        }
        Content::Pin { target, on } => Ok(Operation::Pin { target, on }),
    }
}

/// What the quota counts.
fn stored_bytes(operation: &Operation) -> u64 {
    let text = match operation {
        Operation::Message(text) => text.as_str().len(),
        Operation::Pin { .. } => 0,
    };
    (text + ROW_BYTES) as u64
}

fn text_problem(error: MessageTextError) -> Problem {
    let code = match error {
        MessageTextError::TooLong { .. } => Code::TextTooLong,
        MessageTextError::Empty | MessageTextError::Nul => Code::InvalidText,
    };
    Problem::new(code, error.to_string()).field("body")
}

/// To a send behind one that was refused for now.
pub(super) fn earlier_first() -> Problem {
    busy("An earlier operation has to be sent again first.")
}

fn rate_limited(sentence: &str) -> impl Fn(Duration) -> Problem {
    move |wait| Problem::new(Code::RateLimited, sentence).retry_after_ms(millis(wait))
}

fn busy(sentence: &str) -> Problem {
    Problem::new(Code::Busy, sentence).retry_after_ms(millis(BUSY_WAIT))
}

/// Rounded up: who comes back then must not be a fraction too early.
fn millis(wait: Duration) -> u32 {
    u32::try_from(wait.as_nanos().div_ceil(1_000_000).max(1)).unwrap_or(u32::MAX)
}
