//! One run of a scenario: whose turn it is, and all that is shared.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::rc::{Rc, Weak};
use std::time::Duration;

use super::actor::{Actor, Mailbox};
use super::coroutine::{Coroutine, pause};
use super::stations::{Died, Station, Stations};
use super::{Mutant, Scenario, connection, stations};
use crate::directory::shared::{Scheduler, under};
use crate::directory::{ConnectionId, Directory, Link, OutboundLimits};
use crate::domain::{Budget, SessionId, UserId};
use crate::protocol::User;

/// Who goes on, and by which of the ways that are open to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    who: usize,
    way: u8,
}

type Ways = Box<dyn Fn(&World) -> Vec<u8>>;

const BEGIN: &str = "begin";

/// Somebody with steps to take.
struct Slot {
    name: String,
    coroutine: Option<Coroutine>,
    /// The step that comes next.
    label: &'static str,
    /// By which ways it may be taken; none: by the only one.
    ways: Option<Ways>,
    way: u8,
    done: bool,
    /// All that what this one does next depends on, besides what is shared:
    /// the steps since it last [settled](World::settle), and what it saw.
    trace: Vec<u8>,
}

pub struct World {
    pub scenario: Scenario,
    pub link: Link,
    pub directory: Rc<Directory<Actor>>,
    pub actors: RefCell<Vec<Weak<Mailbox>>>,
    /// How many connections of the user are in the table.
    pub table: Cell<usize>,
    pub stations: Stations,
    pub root: Station<Died>,
    pub connection: connection::Seen,
    slots: RefCell<Vec<Slot>>,
    spare: Rc<RefCell<Vec<Coroutine>>>,
    labels: Rc<RefCell<Vec<&'static str>>>,
    running: Cell<Option<usize>>,
    over: Cell<bool>,
    violation: RefCell<Option<String>>,
    /// For each frame: whether it was handled, or killed the actor.
    opened: RefCell<Vec<bool>>,
}

thread_local! {
    static WORLD: RefCell<Option<Rc<World>>> = const { RefCell::new(None) };
}

/// The one that runs on this thread.
pub fn world() -> Rc<World> {
    current().expect("a model runs")
}

pub fn current() -> Option<Rc<World>> {
    WORLD.with_borrow(Clone::clone)
}

/// What lasts longer than a run.
pub struct Stage {
    scenario: Scenario,
    link: Link,
    directory: Rc<Directory<Actor>>,
    spare: Rc<RefCell<Vec<Coroutine>>>,
    labels: Rc<RefCell<Vec<&'static str>>>,
}

impl Stage {
    pub fn new(scenario: &Scenario) -> Self {
        let user = User { id: UserId::fresh(), name: "Ada".into() };
        let limits = OutboundLimits { frames: 16, bytes: 1_024 };
        let crashes = Budget::new(usize::MAX, Duration::from_secs(1));
        let (link, _outgoing) = Link::new(ConnectionId(1), user, SessionId([0; 32]), limits, crashes);
        Self {
            scenario: scenario.clone(),
            link,
            directory: Rc::default(),
            spare: Rc::default(),
            labels: Rc::default(),
        }
    }

    pub fn begin(&self) -> Rc<World> {
        let world = Rc::new(World {
            scenario: self.scenario.clone(),
            link: self.link.clone(),
            directory: self.directory.clone(),
            actors: RefCell::default(),
            // Ours, or the former one; who only comes finds nobody.
            table: Cell::new(usize::from(self.scenario.reloads || !self.scenario.attaches())),
            stations: Stations::default(),
            root: Station::default(),
            connection: connection::Seen::default(),
            slots: RefCell::default(),
            spare: self.spare.clone(),
            labels: self.labels.clone(),
            running: Cell::new(None),
            over: Cell::new(false),
            violation: RefCell::default(),
            opened: RefCell::new(vec![false; self.scenario.frames]),
        });
        WORLD.set(Some(world.clone()));
        stations::begin(&world);
        connection::begin(&world);
        world
    }

    /// Lets everybody come to an end, without further choices.
    pub fn end(&self, world: &World) {
        world.over.set(true);
        let mut who = 0;
        while who < world.slots.borrow().len() {
            while !world.slots.borrow()[who].done {
                world.run(Choice { who, way: 0 });
            }
            who += 1;
        }
        self.directory.retain(&HashSet::new());
        world.spare.borrow_mut().extend(world.slots.borrow_mut().drain(..).filter_map(|slot| slot.coroutine));
        WORLD.set(None);
    }

    /// The same steps again, in words.
    pub fn narrate(&self, choices: &[Choice]) -> Vec<String> {
        let world = self.begin();
        let told = choices.iter().map(|choice| {
            let step = world.describe(*choice);
            world.run(*choice);
            step
        });
        let told = told.collect();
        self.end(&world);
        told
    }
}

impl World {
    /// Adds somebody. Before the first step, `run` must touch nothing shared.
    pub fn spawn(&self, name: impl Into<String>, run: impl FnOnce() + 'static) {
        let mut coroutine = self.spare.borrow_mut().pop().unwrap_or_else(Coroutine::new);
        let done = coroutine.begin(Box::new(move || {
            // Only now it is somebody's turn.
            pause();
            run();
        }));
        self.slots.borrow_mut().push(Slot {
            name: name.into(),
            coroutine: Some(coroutine),
            label: BEGIN,
            ways: None,
            way: 0,
            done,
            trace: Vec::new(),
        });
    }

    /// Everything that may happen next.
    pub fn options(&self) -> Vec<Choice> {
        let slots = self.slots.borrow();
        // Up to its first step nobody does anything that others could see.
        if let Some(who) = slots.iter().position(|slot| !slot.done && slot.label == BEGIN) {
            return vec![Choice { who, way: 0 }];
        }
        let open = slots.iter().enumerate().filter(|(_, slot)| !slot.done);
        open.flat_map(|(who, slot)| {
            let ways = slot.ways.as_ref().map_or_else(|| vec![0], |ways| ways(self));
            ways.into_iter().map(move |way| Choice { who, way })
        })
        .collect()
    }

    pub fn run(&self, Choice { who, way }: Choice) {
        let mut coroutine = {
            let slot = &mut self.slots.borrow_mut()[who];
            (slot.way, slot.ways) = (way, None);
            slot.coroutine.take().expect("only one runs")
        };
        self.running.set(Some(who));
        let done = under(Rc::new(Turns), || coroutine.resume());
        self.running.set(None);
        let slot = &mut self.slots.borrow_mut()[who];
        slot.coroutine = Some(coroutine);
        slot.done = done;
    }

    /// Waits for the caller's turn to do this.
    pub fn step(&self, label: &'static str) {
        self.choose_of(label, None);
    }

    /// Before something is put into a queue that has one reader and, at this
    /// time, one writer: when it is put there makes a difference only if the
    /// reader may die.
    pub fn step_to_station(&self, label: &'static str) {
        if !self.scenario.crashes.is_empty() {
            self.step(label);
        }
    }

    /// Before the table is looked at: only if it changes.
    pub fn step_to_table(&self) {
        if self.scenario.attaches() {
            self.step("read table");
        }
    }

    /// Waits until this holds and it is the caller's turn; false: to come to an end.
    pub fn wait(&self, label: &'static str, holds: impl Fn(&Self) -> bool + 'static) -> bool {
        self.choose(label, move |world| if holds(world) { vec![0] } else { Vec::new() }).is_some()
    }

    /// Waits until one of these ways is chosen; none: to come to an end.
    pub fn choose(&self, label: &'static str, ways: impl Fn(&Self) -> Vec<u8> + 'static) -> Option<u8> {
        self.choose_of(label, Some(Box::new(ways)))
    }

    fn choose_of(&self, label: &'static str, ways: Option<Ways>) -> Option<u8> {
        // Nobody's steps are those of the explorer itself.
        let who = self.running.get().filter(|_| !self.over.get())?;
        // By address: a label may have two, and then two numbers.
        let known = self.labels.borrow().iter().position(|known| std::ptr::eq(*known, label));
        let number = known.unwrap_or_else(|| {
            self.labels.borrow_mut().push(label);
            self.labels.borrow().len() - 1
        });
        {
            let slot = &mut self.slots.borrow_mut()[who];
            (slot.label, slot.ways) = (label, ways);
            slot.trace.push(number.try_into().expect("few labels"));
        }
        pause();
        if self.over.get() { None } else { Some(self.slots.borrow()[who].way) }
    }

    /// Whether nobody looks any more, and everybody is to come to an end.
    pub fn is_over(&self) -> bool {
        self.over.get()
    }

    /// The caller has learnt this.
    pub fn saw(&self, value: usize) {
        if let Some(who) = self.running.get() {
            self.slots.borrow_mut()[who].trace.push(value.try_into().expect("a small number"));
        }
    }

    /// Runs without a turn for anybody else.
    pub fn atomically(&self, run: impl FnOnce()) {
        let running = self.running.take();
        run();
        self.running.set(running);
    }

    /// The actors that have not stopped.
    pub fn living_actors(&self) -> Vec<u8> {
        let actors = self.actors.borrow();
        let living = actors.iter().filter_map(Weak::upgrade).filter(|actor| actor.lives());
        living.map(|actor| actor.number).collect()
    }

    /// What the caller has done before has no consequences but those that are shared.
    pub fn settle(&self) {
        if let Some(who) = self.running.get() {
            self.slots.borrow_mut()[who].trace.clear();
        }
    }

    /// A frame has been opened by an actor.
    pub fn open(&self, number: usize) {
        let mut opened = self.opened.borrow_mut();
        if opened[number..].contains(&true) && !self.over.get() {
            let why = if opened[number] { "a second time" } else { "after a later one" };
            self.violation.replace(Some(format!("frame {number} is handled {why}")));
        }
        opened[number] = true;
    }

    pub fn all_opened(&self) -> bool {
        self.opened.borrow().iter().all(|opened| *opened)
    }

    pub fn violation(&self) -> Option<String> {
        self.violation.borrow().clone()
    }

    pub fn is_mutant(&self, mutant: Mutant) -> bool {
        self.scenario.mutant == Some(mutant)
    }

    /// All that what happens next depends on.
    pub fn key(&self) -> Vec<u8> {
        let mut key = Vec::with_capacity(96);
        for slot in self.slots.borrow().iter() {
            // Actors and stations come in any order.
            key.extend(slot.name.bytes());
            key.push(slot.done.into());
            list(&mut key, slot.trace.iter().copied());
        }
        list(&mut key, self.opened.borrow().iter().map(|opened| u8::from(*opened)));
        key.push(self.table.get() as u8);
        for actor in self.actors.borrow().iter() {
            match actor.upgrade() {
                Some(actor) => actor.describe(&mut key),
                None => key.push(u8::MAX),
            }
        }
        key.push(self.directory.get(self.link.user().id).map_or(0, |actor| actor.number()));
        self.stations.describe(&mut key);
        self.root.describe(&mut key, |died| vec![*died as u8]);
        self.connection.describe(&mut key);
        key
    }

    /// Whether all is well and at rest.
    pub fn is_good(&self) -> bool {
        self.options().is_empty() && stations::are_right(self) && self.connection.is_at_rest(self)
    }

    fn describe(&self, Choice { who, way }: Choice) -> String {
        let slots = self.slots.borrow();
        format!(
            "{}: {} {}",
            slots[who].name,
            slots[who].label,
            if way > 0 { way.to_string() } else { String::new() }
        )
    }
}

/// A list with its length, so that no two keys can be confused.
pub fn list(key: &mut Vec<u8>, values: impl Iterator<Item = u8>) {
    let at = key.len();
    key.push(0);
    key.extend(values);
    key[at] = (key.len() - at - 1).try_into().expect("a short list");
}

/// What the primitives of the code under test ask.
struct Turns;

impl Scheduler for Turns {
    fn step(&self, what: &'static str) {
        world().step(what);
    }

    fn saw(&self, value: usize) {
        world().saw(value);
    }

    fn permits(&self, real: usize) -> usize {
        let world = world();
        if world.is_mutant(Mutant::SwitchesAtOnce) { world.scenario.window } else { real }
    }
}
