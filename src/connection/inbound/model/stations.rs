//! Who starts actors and says where they are: the supervisor of the users,
//! presence, and the root that replaces both. Their decisions are written down
//! here again, step by step; see `user/users.rs` (`on_arrived`, `on_gone`,
//! `on_failed`, `start`, `on_census`, `pre_start`), `presence/mod.rs` (`on_up`,
//! `on_down`, `on_counted`), `supervisor/mod.rs` (`start`, `announce`). The
//! directory is the real one.

use std::cell::{Cell, RefCell};
use std::collections::{HashSet, VecDeque};
use std::rc::Rc;

use ractor::ActorId;

use super::Mutant;
use super::actor::Actor;
use super::world::{World, list, world};
use crate::directory::{Recipient, UserMessage};

/// A station that answers until it dies.
pub struct Station<W> {
    alive: Cell<bool>,
    mail: RefCell<VecDeque<W>>,
    /// What became of its children; a channel of its own.
    events: RefCell<VecDeque<Event>>,
    /// Of the users' supervisor: the user's actor.
    child: RefCell<Option<Actor>>,
}

pub enum UsersWord {
    Arrived,
    Gone,
    Census,
    Crash,
}

pub enum PresenceWord {
    Up(Actor),
    Down(ActorId),
    Counted(HashSet<ActorId>),
    Crash,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Died {
    Users,
    Presence,
}

pub enum Event {
    Failed(Actor),
    Terminated,
}

impl<W> Default for Station<W> {
    fn default() -> Self {
        Self {
            alive: Cell::new(true),
            mail: RefCell::default(),
            events: RefCell::default(),
            child: RefCell::default(),
        }
    }
}

impl<W> Station<W> {
    /// Lost when it is dead.
    pub fn say(&self, word: W) {
        if self.alive.get() {
            self.mail.borrow_mut().push_back(word);
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

    fn take(&self) -> Option<W> {
        self.mail.borrow_mut().pop_front()
    }

    /// With all that was said to it.
    fn die(&self, world: &World, died: Died) {
        self.alive.set(false);
        drop((self.mail.take(), self.events.take()));
        if died == Died::Users {
            world.step("kill the actor");
            if let Some(child) = &*self.child.borrow() {
                child.kill();
            }
        }
        world.step("report");
        world.root.say(died);
        world.step("let go");
        let child = self.child.take();
        drop(child);
    }

    pub fn describe(&self, key: &mut Vec<u8>, word: impl Fn(&W) -> Vec<u8>) {
        key.push(self.alive.get().into());
        list(key, self.mail.borrow().iter().flat_map(word));
        let event = |event: &Event| if let Event::Failed(actor) = event { actor.number() } else { 0 };
        list(key, self.events.borrow().iter().map(event));
        key.push(self.child.borrow().as_ref().map_or(0, Actor::number));
    }
}

/// All stations, living and dead.
#[derive(Default)]
pub struct Stations {
    users: RefCell<Vec<Rc<Station<UsersWord>>>>,
    presence: RefCell<Vec<Rc<Station<PresenceWord>>>>,
    /// Which of them is reached by those who do not know them.
    users_address: Cell<usize>,
    presence_address: Cell<usize>,
}

impl Stations {
    pub fn users(&self) -> Rc<Station<UsersWord>> {
        self.users.borrow()[self.users_address.get()].clone()
    }

    pub fn presence(&self) -> Rc<Station<PresenceWord>> {
        self.presence.borrow()[self.presence_address.get()].clone()
    }

    pub fn describe(&self, key: &mut Vec<u8>) {
        key.extend([self.users_address.get() as u8, self.presence_address.get() as u8]);
        for users in self.users.borrow().iter() {
            users.describe(key, |word| {
                vec![match word {
                    UsersWord::Arrived => 1,
                    UsersWord::Gone => 2,
                    UsersWord::Census => 3,
                    UsersWord::Crash => 4,
                }]
            });
        }
        for presence in self.presence.borrow().iter() {
            presence.describe(key, |word| match word {
                PresenceWord::Up(actor) => vec![1, actor.number()],
                PresenceWord::Down(id) => vec![2, byte(*id)],
                PresenceWord::Counted(living) => {
                    let mut word: Vec<u8> = living.iter().copied().map(byte).collect();
                    word.extend([3, living.len() as u8]);
                    word
                }
                PresenceWord::Crash => vec![4],
            });
        }
    }
}

fn byte(id: ActorId) -> u8 {
    id.pid().try_into().expect("few actors")
}

/// Everybody is at work; the user has an actor when there is a connection.
pub fn begin(world: &World) {
    let users = add_users(world);
    add_presence(world);
    if world.table.get() > 0 {
        let actor = Actor::spawn(&users);
        world.directory.put(world.link.user().id, actor.clone());
        users.child.replace(Some(actor));
    }
    world.spawn("users", move || run_users(&users));
    world.spawn("root", run_root);
    for died in world.scenario.crashes.clone() {
        world.spawn("fault", move || {
            let world = self::world();
            world.step("crash");
            match died {
                Died::Users => world.stations.users().say(UsersWord::Crash),
                Died::Presence => world.stations.presence().say(PresenceWord::Crash),
            }
        });
    }
    if world.scenario.onlooker {
        world.spawn("onlooker", || {
            let world = self::world();
            world.step("look up");
            if let Some(actor) = world.directory.get(world.link.user().id) {
                actor.tell(UserMessage::Resubmit);
                world.step("let go");
            }
        });
    }
}

fn add_users(world: &World) -> Rc<Station<UsersWord>> {
    let users = Rc::new(Station::default());
    world.stations.users.borrow_mut().push(users.clone());
    users
}

fn add_presence(world: &World) {
    let presence = Rc::new(Station::default());
    world.stations.presence.borrow_mut().push(presence.clone());
    world.spawn("presence", move || run_presence(&presence));
}

fn run_root() {
    let world = world();
    while world.wait("idle", |world| world.root.has_mail()) {
        match world.root.take().expect("waited for") {
            Died::Users => {
                let (users, address) = (add_users(&world), world.stations.users.borrow().len() - 1);
                let known_last = world.is_mutant(Mutant::AddressAfterTable);
                if !known_last {
                    world.stations.users_address.set(address);
                    world.step_to_table();
                }
                (0..world.table.get()).for_each(|_| users.say(UsersWord::Arrived));
                users.say(UsersWord::Census);
                world.spawn("users", move || run_users(&users));
                if known_last {
                    world.step("make known");
                    world.stations.users_address.set(address);
                }
            }
            Died::Presence => {
                add_presence(&world);
                world.step("make known");
                world.stations.presence_address.set(world.stations.presence.borrow().len() - 1);
                world.step("announce");
                world.stations.users().say(UsersWord::Census);
            }
        }
        world.settle();
    }
}

fn run_presence(me: &Rc<Station<PresenceWord>>) {
    let (world, user) = (world(), world().link.user().id);
    loop {
        world.settle();
        let mine = me.clone();
        if !world.wait("idle", move |_| mine.has_mail()) {
            return;
        }
        match me.take().expect("waited for") {
            PresenceWord::Up(actor) => world.directory.put(user, actor),
            PresenceWord::Down(actor) => world.directory.remove(user, actor),
            PresenceWord::Counted(living) => {
                // One step: nobody gets past the lock that it holds.
                world.atomically(|| {
                    if world.is_mutant(Mutant::CountsByStatus) {
                        let known = world.directory.get(user).filter(Actor::is_not_stopping);
                        world.directory.retain(&known.iter().map(Recipient::id).collect());
                    } else {
                        world.directory.retain(&living);
                    }
                });
            }
            PresenceWord::Crash => return me.die(&world, Died::Presence),
        }
    }
}

fn run_users(me: &Rc<Station<UsersWord>>) {
    let world = world();
    loop {
        world.settle();
        let mine = me.clone();
        let ways = move |_: &World| {
            let event = (!mine.events.borrow().is_empty()).then_some(0);
            event.into_iter().chain(mine.has_mail().then_some(1)).collect()
        };
        match world.choose("idle", ways) {
            None => return,
            Some(0) => {
                let event = me.events.borrow_mut().pop_front();
                if let Some(Event::Failed(actor)) = event {
                    me.on_failed(&world, &actor);
                }
            }
            Some(_) => match me.take().expect("chosen") {
                UsersWord::Arrived => me.on_arrived(&world),
                UsersWord::Gone => me.on_gone(&world),
                UsersWord::Census => me.on_census(&world),
                UsersWord::Crash => return me.die(&world, Died::Users),
            },
        }
    }
}

impl Station<UsersWord> {
    fn on_arrived(self: &Rc<Self>, world: &World) {
        if self.child.borrow().is_none() {
            self.start(world);
        }
    }

    fn on_gone(&self, world: &World) {
        if self.child.borrow().is_none() {
            return;
        }
        world.step_to_table();
        if world.table.get() > 0 {
            return;
        }
        let child = self.child.take().expect("looked for");
        child.drain();
        world.step_to_station("say down");
        world.stations.presence().say(PresenceWord::Down(child.id()));
    }

    fn on_failed(self: &Rc<Self>, world: &World, actor: &Actor) {
        if self.child.borrow().as_ref().is_none_or(|child| child.number() != actor.number()) {
            return;
        }
        drop(self.child.take());
        if !self.start(world) {
            world.step_to_station("say down");
            world.stations.presence().say(PresenceWord::Down(actor.id()));
        }
    }

    fn start(self: &Rc<Self>, world: &World) -> bool {
        world.step_to_table();
        if world.table.get() == 0 {
            return false;
        }
        let actor = Actor::spawn(self);
        self.child.replace(Some(actor.clone()));
        world.step_to_station("say up");
        world.stations.presence().say(PresenceWord::Up(actor));
        true
    }

    fn on_census(&self, world: &World) {
        let child = self.child.borrow().clone();
        let living = child.iter().map(Recipient::id).collect();
        if let Some(child) = child {
            world.step_to_station("say up");
            world.stations.presence().say(PresenceWord::Up(child));
        }
        world.step_to_station("say counted");
        world.stations.presence().say(PresenceWord::Counted(living));
    }
}

/// Whether the directory leads to the one actor of a user with a connection,
/// and to none of a user without.
pub fn are_right(world: &World) -> bool {
    let (users, known) = (world.stations.users(), world.directory.get(world.link.user().id));
    let child = users.child.borrow();
    let living: Vec<u8> = world.living_actors();
    if world.table.get() == 0 {
        return child.is_none() && known.is_none() && living.is_empty();
    }
    let right = |actor: &Actor| actor.is_well() && living == [actor.number()];
    child.as_ref().is_some_and(right) && known.is_some_and(|known| living == [known.number()])
}
