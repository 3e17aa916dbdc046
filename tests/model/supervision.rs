//! The actors that start users' actors and publish where they are: the supervisor
//! of the users, presence, and the root that restarts both. Their decisions are
//! transcribed from `user/supervisor.rs` (`on_attached`, `on_detached`, `on_failed`, `start`,
//! `on_reconcile`, `pre_start`), `presence/mod.rs` (`on_up`, `on_down`, `on_reconcile`)
//! and `supervisor/mod.rs` (`start`, `announce`). The registry is the real one.

use std::cell::{Cell, RefCell};
use std::collections::{HashSet, VecDeque};
use std::rc::Rc;

use ractor::ActorId;

use super::Mutant;
use super::actor::Actor;
use super::execution::{Execution, execution, list};
use crate::registry::{Recipient, UserMessage};

/// An actor of the system: it handles messages until it crashes.
pub struct SystemActor<M> {
    alive: Cell<bool>,
    mail: RefCell<VecDeque<M>>,
    /// What happened to its children; a separate channel.
    events: RefCell<VecDeque<Event>>,
    /// The user's actor, if this is the users' supervisor.
    child: RefCell<Option<Actor>>,
}

pub enum UserSupervisorMessage {
    Attached,
    Detached,
    Reconcile,
    Crash,
}

pub enum PresenceMessage {
    Up(Actor),
    Down(ActorId),
    Reconcile(HashSet<ActorId>),
    Crash,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crash {
    Users,
    Presence,
}

pub enum Event {
    Failed(Actor),
    Terminated,
}

impl<M> Default for SystemActor<M> {
    fn default() -> Self {
        Self {
            alive: Cell::new(true),
            mail: RefCell::default(),
            events: RefCell::default(),
            child: RefCell::default(),
        }
    }
}

impl<M> SystemActor<M> {
    /// A message to a dead actor is lost.
    pub fn cast(&self, message: M) {
        if self.alive.get() {
            self.mail.borrow_mut().push_back(message);
        }
    }

    pub fn on_event(&self, event: Event) {
        if self.alive.get() {
            self.events.borrow_mut().push_back(event);
        }
    }

    fn has_mail(&self) -> bool {
        !self.mail.borrow().is_empty()
    }

    fn take(&self) -> Option<M> {
        self.mail.borrow_mut().pop_front()
    }

    /// Ends it, with all of its mailbox.
    fn die(&self, execution: &Execution, crash: Crash) {
        self.alive.set(false);
        drop((self.mail.take(), self.events.take()));
        if crash == Crash::Users {
            execution.step("kill the actor");
            if let Some(child) = &*self.child.borrow() {
                child.kill();
            }
        }
        execution.step("report");
        execution.root.cast(crash);
        execution.step("let go");
        let child = self.child.take();
        drop(child);
    }

    pub fn describe(&self, key: &mut Vec<u8>, message: impl Fn(&M) -> Vec<u8>) {
        key.push(self.alive.get().into());
        list(key, self.mail.borrow().iter().flat_map(message));
        let event = |event: &Event| if let Event::Failed(actor) = event { actor.number() } else { 0 };
        list(key, self.events.borrow().iter().map(event));
        key.push(self.child.borrow().as_ref().map_or(0, Actor::number));
    }
}

/// All system actors, living and dead.
#[derive(Default)]
pub struct SystemActors {
    users: RefCell<Vec<Rc<SystemActor<UserSupervisorMessage>>>>,
    presence: RefCell<Vec<Rc<SystemActor<PresenceMessage>>>>,
    /// The index of the present incarnation.
    current_users: Cell<usize>,
    current_presence: Cell<usize>,
}

impl SystemActors {
    pub fn users(&self) -> Rc<SystemActor<UserSupervisorMessage>> {
        self.users.borrow()[self.current_users.get()].clone()
    }

    pub fn presence(&self) -> Rc<SystemActor<PresenceMessage>> {
        self.presence.borrow()[self.current_presence.get()].clone()
    }

    pub fn describe(&self, key: &mut Vec<u8>) {
        key.extend([self.current_users.get() as u8, self.current_presence.get() as u8]);
        for users in self.users.borrow().iter() {
            users.describe(key, |message| {
                vec![match message {
                    UserSupervisorMessage::Attached => 1,
                    UserSupervisorMessage::Detached => 2,
                    UserSupervisorMessage::Reconcile => 3,
                    UserSupervisorMessage::Crash => 4,
                }]
            });
        }
        for presence in self.presence.borrow().iter() {
            presence.describe(key, |message| match message {
                PresenceMessage::Up(actor) => vec![1, actor.number()],
                PresenceMessage::Down(id) => vec![2, byte(*id)],
                PresenceMessage::Reconcile(living) => {
                    let mut message: Vec<u8> = living.iter().copied().map(byte).collect();
                    message.extend([3, living.len() as u8]);
                    message
                }
                PresenceMessage::Crash => vec![4],
            });
        }
    }
}

fn byte(id: ActorId) -> u8 {
    id.pid().try_into().expect("few actors")
}

/// Everything runs; the user has an actor if there is a connection.
pub fn begin(execution: &Execution) {
    let users = add_users(execution);
    add_presence(execution);
    if execution.table.get() > 0 {
        let actor = Actor::spawn(&users);
        execution.registry.put(execution.handle.user().id, actor.clone());
        users.child.replace(Some(actor));
    }
    execution.spawn("users", move || run_users(&users));
    execution.spawn("root", run_root);
    for crash in execution.scenario.crashes.clone() {
        execution.spawn("fault", move || {
            let execution = self::execution();
            execution.step("crash");
            match crash {
                Crash::Users => execution.system.users().cast(UserSupervisorMessage::Crash),
                Crash::Presence => execution.system.presence().cast(PresenceMessage::Crash),
            }
        });
    }
    if execution.scenario.onlooker {
        execution.spawn("onlooker", || {
            let execution = self::execution();
            execution.step("look up");
            if let Some(actor) = execution.registry.get(execution.handle.user().id) {
                actor.try_cast(UserMessage::ResubmitInFlight);
                execution.step("let go");
            }
        });
    }
}

fn add_users(execution: &Execution) -> Rc<SystemActor<UserSupervisorMessage>> {
    let users = Rc::new(SystemActor::default());
    execution.system.users.borrow_mut().push(users.clone());
    users
}

fn add_presence(execution: &Execution) {
    let presence = Rc::new(SystemActor::default());
    execution.system.presence.borrow_mut().push(presence.clone());
    execution.spawn("presence", move || run_presence(&presence));
}

fn run_root() {
    let execution = execution();
    while execution.wait("idle", |execution| execution.root.has_mail()) {
        match execution.root.take().expect("waited for") {
            Crash::Users => {
                let (users, index) = (add_users(&execution), execution.system.users.borrow().len() - 1);
                let published_last = execution.is_mutant(Mutant::PublishedAfterTable);
                if !published_last {
                    execution.system.current_users.set(index);
                    execution.step_to_table();
                }
                (0..execution.table.get()).for_each(|_| users.cast(UserSupervisorMessage::Attached));
                users.cast(UserSupervisorMessage::Reconcile);
                execution.spawn("users", move || run_users(&users));
                if published_last {
                    execution.step("publish");
                    execution.system.current_users.set(index);
                }
            }
            Crash::Presence => {
                add_presence(&execution);
                execution.step("publish");
                execution.system.current_presence.set(execution.system.presence.borrow().len() - 1);
                execution.step("announce");
                execution.system.users().cast(UserSupervisorMessage::Reconcile);
            }
        }
        execution.settle();
    }
}

fn run_presence(me: &Rc<SystemActor<PresenceMessage>>) {
    let (execution, user) = (execution(), execution().handle.user().id);
    loop {
        execution.settle();
        let mine = me.clone();
        if !execution.wait("idle", move |_| mine.has_mail()) {
            return;
        }
        match me.take().expect("waited for") {
            PresenceMessage::Up(actor) => execution.registry.put(user, actor),
            PresenceMessage::Down(actor) => execution.registry.remove(user, actor),
            PresenceMessage::Reconcile(living) => {
                // One step: nobody gets past the lock that it holds.
                execution.atomically(|| {
                    if execution.is_mutant(Mutant::CountsByStatus) {
                        let known = execution.registry.get(user).filter(Actor::is_not_stopping);
                        execution.registry.retain(&known.iter().map(Recipient::id).collect());
                    } else {
                        execution.registry.retain(&living);
                    }
                });
            }
            PresenceMessage::Crash => return me.die(&execution, Crash::Presence),
        }
    }
}

fn run_users(me: &Rc<SystemActor<UserSupervisorMessage>>) {
    let execution = execution();
    loop {
        execution.settle();
        let mine = me.clone();
        let ways = move |_: &Execution| {
            let event = (!mine.events.borrow().is_empty()).then_some(0);
            event.into_iter().chain(mine.has_mail().then_some(1)).collect()
        };
        match execution.choose("idle", ways) {
            None => return,
            Some(0) => {
                let event = me.events.borrow_mut().pop_front();
                if let Some(Event::Failed(actor)) = event {
                    me.on_failed(&execution, &actor);
                }
            }
            Some(_) => match me.take().expect("chosen") {
                UserSupervisorMessage::Attached => me.on_attached(&execution),
                UserSupervisorMessage::Detached => me.on_detached(&execution),
                UserSupervisorMessage::Reconcile => me.on_reconcile(&execution),
                UserSupervisorMessage::Crash => return me.die(&execution, Crash::Users),
            },
        }
    }
}

impl SystemActor<UserSupervisorMessage> {
    fn on_attached(self: &Rc<Self>, execution: &Execution) {
        if self.child.borrow().is_none() {
            self.start(execution);
        }
    }

    fn on_detached(&self, execution: &Execution) {
        if self.child.borrow().is_none() {
            return;
        }
        execution.step_to_table();
        if execution.table.get() > 0 {
            return;
        }
        let child = self.child.take().expect("looked for");
        child.drain();
        execution.step_to_cast("cast down");
        execution.system.presence().cast(PresenceMessage::Down(child.id()));
    }

    fn on_failed(self: &Rc<Self>, execution: &Execution, actor: &Actor) {
        if self.child.borrow().as_ref().is_none_or(|child| child.number() != actor.number()) {
            return;
        }
        drop(self.child.take());
        if !self.start(execution) {
            execution.step_to_cast("cast down");
            execution.system.presence().cast(PresenceMessage::Down(actor.id()));
        }
    }

    fn start(self: &Rc<Self>, execution: &Execution) -> bool {
        execution.step_to_table();
        if execution.table.get() == 0 {
            return false;
        }
        let actor = Actor::spawn(self);
        self.child.replace(Some(actor.clone()));
        execution.step_to_cast("cast up");
        execution.system.presence().cast(PresenceMessage::Up(actor));
        true
    }

    fn on_reconcile(&self, execution: &Execution) {
        let child = self.child.borrow().clone();
        let living = child.iter().map(Recipient::id).collect();
        if let Some(child) = child {
            execution.step_to_cast("cast up");
            execution.system.presence().cast(PresenceMessage::Up(child));
        }
        execution.step_to_cast("cast reconcile");
        execution.system.presence().cast(PresenceMessage::Reconcile(living));
    }
}

/// Whether the registry leads to the one actor of a user with a connection,
/// and to none of a user without.
pub fn are_right(execution: &Execution) -> bool {
    let (users, known) = (execution.system.users(), execution.registry.get(execution.handle.user().id));
    let child = users.child.borrow();
    let living: Vec<u8> = execution.living_actors();
    if execution.table.get() == 0 {
        return child.is_none() && known.is_none() && living.is_empty();
    }
    let right = |actor: &Actor| actor.is_well() && living == [actor.number()];
    child.as_ref().is_some_and(right) && known.is_some_and(|known| living == [known.number()])
}
