//! A user's actor and its mailbox, as ractor 0.16.5 and tokio's unbounded
//! channel behave: `ractor/src/actor.rs` (`processing_loop`),
//! `actor_properties.rs` (`send_message_unchecked`, `drain`), `actor_cell.rs`
//! (`ActorPortSet`), `tokio/src/sync/mpsc/{chan,unbounded}.rs`.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::{Rc, Weak};

use ractor::ActorId;

use super::Mutant;
use super::execution::{Execution, current, execution, list};
use super::supervision::{Event, SystemActor, UserSupervisorMessage};
use crate::registry::{Envelope, Recipient, UserMessage};

/// A reference; the mailbox lives as long as one does.
#[derive(Clone)]
pub struct Actor(Rc<Mailbox>);

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd)]
enum Status {
    Running,
    Draining,
    Stopping,
}

enum Mail {
    Message(UserMessage),
    /// The marker behind which nothing is handled.
    Drain,
}

pub struct Mailbox {
    /// 1 for the user's first actor.
    pub number: u8,
    supervisor: Weak<SystemActor<UserSupervisorMessage>>,
    status: Cell<Status>,
    /// The receiver is gone, or about to go: what is sent now is refused.
    closed: Cell<bool>,
    killed: Cell<bool>,
    /// Drained: no message is admitted any more.
    shut: Cell<bool>,
    /// Messages that were admitted and are not yet in.
    admitted: Cell<usize>,
    mail: RefCell<VecDeque<Mail>>,
}

impl Recipient for Actor {
    fn id(&self) -> ActorId {
        ActorId::Local(self.0.number.into())
    }

    fn is_alive(&self) -> bool {
        let execution = execution();
        execution.step("read status");
        execution.observe(self.0.number.into());
        execution.observe(self.0.status.get() as usize);
        self.0.status.get() < Status::Draining
    }

    fn try_cast(&self, message: UserMessage) -> bool {
        let execution = execution();
        if execution.is_mutant(Mutant::KeepsReference) {
            execution.connection.keep(self);
        }
        if !self.is_alive() {
            return refuse(&execution, message);
        }
        if execution.scenario.drains() {
            execution.step("admit");
        }
        execution.observe(self.0.shut.get().into());
        if self.0.shut.get() {
            return refuse(&execution, message);
        }
        self.0.admitted.update(|admitted| admitted + 1);
        execution.step("reserve");
        execution.observe(self.0.closed.get().into());
        let taken = if self.0.closed.get() {
            refuse(&execution, message)
        } else {
            // The receiver may close and drain in between: then this stays
            // behind, and is dropped with the last reference.
            execution.step("push");
            self.0.mail.borrow_mut().push_back(Mail::Message(message));
            true
        };
        self.0.admitted.update(|admitted| admitted - 1);
        self.mark_drained();
        taken
    }
}

fn refuse(execution: &Execution, message: UserMessage) -> bool {
    discard(execution, Mail::Message(message));
    false
}

/// Drops what was not handled.
fn discard(execution: &Execution, mail: Mail) {
    match mail {
        Mail::Message(UserMessage::Frames(envelopes)) if execution.is_mutant(Mutant::PermitFirst) => {
            envelopes.into_iter().for_each(|mut envelope| envelope.release_first());
        }
        mail => drop(mail),
    }
}

impl Actor {
    /// A new actor, which begins to run.
    pub fn spawn(supervisor: &Rc<SystemActor<UserSupervisorMessage>>) -> Self {
        let execution = execution();
        let number = u8::try_from(execution.actors.borrow().len() + 1).expect("few actors");
        let mailbox = Mailbox {
            number,
            supervisor: Rc::downgrade(supervisor),
            status: Cell::new(Status::Running),
            closed: Cell::new(false),
            killed: Cell::new(false),
            shut: Cell::new(false),
            admitted: Cell::new(0),
            mail: RefCell::default(),
        };
        let actor = Self(Rc::new(mailbox));
        execution.actors.borrow_mut().push(Rc::downgrade(&actor.0));
        execution.spawn(format!("actor {number}"), {
            let actor = actor.clone();
            move || actor.live()
        });
        actor
    }

    pub fn number(&self) -> u8 {
        self.0.number
    }

    /// Whether it is there for good: nobody has told it to end.
    pub fn is_well(&self) -> bool {
        self.0.status.get() == Status::Running && !self.0.closed.get() && !self.0.killed.get()
    }

    /// As a census took it for living.
    pub fn is_not_stopping(&self) -> bool {
        self.0.status.get() < Status::Stopping
    }

    /// As its supervisor's end does to it.
    pub fn kill(&self) {
        if self.0.status.get() == Status::Running {
            self.0.killed.set(true);
        }
    }

    /// No more messages; those that are in are handled, then it ends.
    pub fn drain(&self) {
        self.0.shut.set(true);
        if self.0.status.get() < Status::Stopping {
            self.0.status.set(Status::Draining);
        }
        self.mark_drained();
    }

    fn mark_drained(&self) {
        let marked = self.0.mail.borrow().iter().any(|mail| matches!(mail, Mail::Drain));
        if self.0.shut.get() && self.0.admitted.get() == 0 && !marked && !self.0.closed.get() {
            self.0.mail.borrow_mut().push_back(Mail::Drain);
        }
    }

    fn live(self) {
        let execution = execution();
        let me = &self.0;
        let Some(end) = self.handle_all(&execution) else { return };
        // A panic drops the mailbox while it unwinds, an error with the loop
        // it ends, both before the status tells.
        if end == End::Failed {
            self.drop_mailbox(&execution);
        }
        execution.step("stop");
        me.status.set(Status::Stopping);
        if end != End::Failed {
            self.drop_mailbox(&execution);
        }
        execution.step_to_cast("report");
        let event = if end == End::Failed { Event::Failed(self.clone()) } else { Event::Terminated };
        if let Some(users) = me.supervisor.upgrade() {
            users.on_event(event);
        }
    }

    /// Until something ends it; none: the run is over.
    fn handle_all(&self, execution: &Rc<Execution>) -> Option<End> {
        let me = &self.0;
        loop {
            execution.settle();
            let mailbox = Rc::downgrade(me);
            let holds = move |_: &Execution| mailbox.upgrade().is_some_and(|me| me.has_work());
            if !execution.wait("idle", holds) {
                return None;
            }
            if me.killed.get() {
                return Some(End::Killed);
            }
            let mail = me.mail.borrow_mut().pop_front().expect("waited for");
            let envelopes = match mail {
                Mail::Drain => return Some(End::Drained),
                Mail::Message(UserMessage::Frames(envelopes)) => envelopes,
                Mail::Message(_) => continue,
            };
            see(execution, &envelopes);
            if execution.scenario.kills() {
                // The signal may win against a handler that has not begun.
                let mailbox = Rc::downgrade(me);
                let ways = move |_: &Execution| {
                    if mailbox.upgrade().is_some_and(|me| me.killed.get()) { vec![0, 1] } else { vec![0] }
                };
                if execution.choose("handle", ways) == Some(1) {
                    discard(execution, Mail::Message(UserMessage::Frames(envelopes)));
                    return Some(End::Killed);
                }
            }
            let mut envelopes = envelopes.into_iter();
            while let Some(envelope) = envelopes.next() {
                let number = usize::try_from(envelope.number()).expect("a small number");
                let opened = envelope.open();
                execution.open(number);
                drop(opened);
                if execution.scenario.fatal.contains(&number) {
                    discard(execution, Mail::Message(UserMessage::Frames(envelopes.collect())));
                    return Some(End::Failed);
                }
            }
        }
    }

    fn drop_mailbox(&self, execution: &Execution) {
        execution.step("close");
        self.0.closed.set(true);
        loop {
            execution.step("drain");
            let Some(mail) = self.0.mail.borrow_mut().pop_front() else { return };
            if let Mail::Message(UserMessage::Frames(envelopes)) = &mail {
                see(execution, envelopes);
            }
            discard(execution, mail);
        }
    }
}

fn see(execution: &Execution, envelopes: &[Envelope]) {
    for envelope in envelopes {
        execution.observe(usize::try_from(envelope.number()).expect("a small number"));
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Failed,
    Killed,
    Drained,
}

impl Mailbox {
    fn has_work(&self) -> bool {
        self.killed.get() || !self.mail.borrow().is_empty()
    }

    /// Whether it has not stopped.
    pub fn is_alive(&self) -> bool {
        self.status.get() < Status::Stopping
    }

    pub fn describe(self: Rc<Self>, key: &mut Vec<u8>) {
        let flags = [self.closed.get(), self.killed.get(), self.shut.get()];
        key.push(self.status.get() as u8);
        key.extend(flags.map(u8::from));
        key.push(self.admitted.get() as u8);
        // But for the caller's own.
        key.push((Rc::strong_count(&self) - 1) as u8);
        list(
            key,
            self.mail.borrow().iter().flat_map(|mail| match mail {
                Mail::Message(UserMessage::Frames(envelopes)) => {
                    let numbers = envelopes.iter().map(|envelope| envelope.number() as u8);
                    numbers.chain([u8::MAX - 2]).collect()
                }
                Mail::Message(_) => vec![u8::MAX - 1],
                Mail::Drain => vec![u8::MAX],
            }),
        );
    }
}

/// With the last reference: what came too late.
impl Drop for Mailbox {
    fn drop(&mut self) {
        // Else the run is over.
        let Some(execution) = current() else { return };
        for mail in self.mail.take() {
            if let Mail::Message(UserMessage::Frames(envelopes)) = &mail {
                see(&execution, envelopes);
            }
            discard(&execution, mail);
        }
    }
}
