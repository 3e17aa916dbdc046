//! One execution of a scenario: the threads, whose turn it is, and all shared state.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::rc::{Rc, Weak};
use std::time::Duration;

use super::actor::{Actor, Mailbox};
use super::coroutine::{Coroutine, pause};
use super::supervision::{Crash, SystemActor, SystemActors};
use super::{Mutant, Scenario, connection, supervision};
use crate::domain::{RestartIntensity, SessionId, UserId};
use crate::protocol::User;
use crate::registry::sync::{Scheduler, with_scheduler};
use crate::registry::{ConnectionHandle, ConnectionId, OutboundLimits, Registry};

/// The thread that goes on, and in which of the possible ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    who: usize,
    way: u8,
}

type Ways = Box<dyn Fn(&Execution) -> Vec<u8>>;

const BEGIN: &str = "begin";

/// A simulated thread.
struct Thread {
    name: String,
    coroutine: Option<Coroutine>,
    /// The step that comes next.
    label: &'static str,
    /// The ways in which it may be taken; `None` if there is only one.
    ways: Option<Ways>,
    way: u8,
    done: bool,
    /// The thread's local state: its steps since it last
    /// [settled](Execution::settle), and what it observed.
    trace: Vec<u8>,
}

pub struct Execution {
    pub scenario: Scenario,
    pub handle: ConnectionHandle,
    pub registry: Rc<Registry<Actor>>,
    pub actors: RefCell<Vec<Weak<Mailbox>>>,
    /// How many connections of the user are in the table.
    pub table: Cell<usize>,
    pub system: SystemActors,
    pub root: SystemActor<Crash>,
    pub connection: connection::Seen,
    threads: RefCell<Vec<Thread>>,
    spare: Rc<RefCell<Vec<Coroutine>>>,
    labels: Rc<RefCell<Vec<&'static str>>>,
    running: Cell<Option<usize>>,
    over: Cell<bool>,
    violation: RefCell<Option<String>>,
    /// For each frame: whether it was handled, or killed the actor.
    opened: RefCell<Vec<bool>>,
}

thread_local! {
    static EXECUTION: RefCell<Option<Rc<Execution>>> = const { RefCell::new(None) };
}

/// The execution on this thread.
pub fn execution() -> Rc<Execution> {
    current().expect("a model runs")
}

pub fn current() -> Option<Rc<Execution>> {
    EXECUTION.with_borrow(Clone::clone)
}

/// What outlives one execution.
pub struct Harness {
    scenario: Scenario,
    handle: ConnectionHandle,
    registry: Rc<Registry<Actor>>,
    spare: Rc<RefCell<Vec<Coroutine>>>,
    labels: Rc<RefCell<Vec<&'static str>>>,
}

impl Harness {
    pub fn new(scenario: &Scenario) -> Self {
        let user = User { id: UserId::fresh(), name: "Ada".into() };
        let limits = OutboundLimits { frames: 16, bytes: 1_024 };
        let crashes = RestartIntensity::new(usize::MAX, Duration::from_secs(1));
        let (handle, _outbound) =
            ConnectionHandle::new(ConnectionId(1), user, SessionId([0; 32]), limits, crashes);
        Self {
            scenario: scenario.clone(),
            handle,
            registry: Rc::default(),
            spare: Rc::default(),
            labels: Rc::default(),
        }
    }

    pub fn begin(&self) -> Rc<Execution> {
        let execution = Rc::new(Execution {
            scenario: self.scenario.clone(),
            handle: self.handle.clone(),
            registry: self.registry.clone(),
            actors: RefCell::default(),
            // This connection, or the former one.
            table: Cell::new(usize::from(self.scenario.reloads || !self.scenario.attaches())),
            system: SystemActors::default(),
            root: SystemActor::default(),
            connection: connection::Seen::default(),
            threads: RefCell::default(),
            spare: self.spare.clone(),
            labels: self.labels.clone(),
            running: Cell::new(None),
            over: Cell::new(false),
            violation: RefCell::default(),
            opened: RefCell::new(vec![false; self.scenario.frames]),
        });
        EXECUTION.set(Some(execution.clone()));
        supervision::begin(&execution);
        connection::begin(&execution);
        execution
    }

    /// Lets every thread end, without further choices.
    pub fn end(&self, execution: &Execution) {
        execution.over.set(true);
        let mut who = 0;
        while who < execution.threads.borrow().len() {
            while !execution.threads.borrow()[who].done {
                execution.run(Choice { who, way: 0 });
            }
            who += 1;
        }
        self.registry.retain(&HashSet::new());
        execution
            .spare
            .borrow_mut()
            .extend(execution.threads.borrow_mut().drain(..).filter_map(|thread| thread.coroutine));
        EXECUTION.set(None);
    }

    /// Repeats the steps and describes them.
    pub fn trace(&self, choices: &[Choice]) -> Vec<String> {
        let execution = self.begin();
        let told = choices.iter().map(|choice| {
            let step = execution.describe(*choice);
            execution.run(*choice);
            step
        });
        let told = told.collect();
        self.end(&execution);
        told
    }
}

impl Execution {
    /// Adds a thread. Before its first step, `run` must touch nothing shared.
    pub fn spawn(&self, name: impl Into<String>, run: impl FnOnce() + 'static) {
        let mut coroutine = self.spare.borrow_mut().pop().unwrap_or_else(Coroutine::new);
        let done = coroutine.begin(Box::new(move || {
            // Only now it is somebody's turn.
            pause();
            run();
        }));
        self.threads.borrow_mut().push(Thread {
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
        let threads = self.threads.borrow();
        // Up to its first step, a thread does nothing that others could observe.
        if let Some(who) = threads.iter().position(|thread| !thread.done && thread.label == BEGIN) {
            return vec![Choice { who, way: 0 }];
        }
        let open = threads.iter().enumerate().filter(|(_, thread)| !thread.done);
        open.flat_map(|(who, thread)| {
            let ways = thread.ways.as_ref().map_or_else(|| vec![0], |ways| ways(self));
            ways.into_iter().map(move |way| Choice { who, way })
        })
        .collect()
    }

    pub fn run(&self, Choice { who, way }: Choice) {
        let mut coroutine = {
            let thread = &mut self.threads.borrow_mut()[who];
            (thread.way, thread.ways) = (way, None);
            thread.coroutine.take().expect("only one runs")
        };
        self.running.set(Some(who));
        let done = with_scheduler(Rc::new(ModelScheduler), || coroutine.resume());
        self.running.set(None);
        let thread = &mut self.threads.borrow_mut()[who];
        thread.coroutine = Some(coroutine);
        thread.done = done;
    }

    /// Waits for the caller's turn to do this.
    pub fn step(&self, label: &'static str) {
        self.choose_of(label, None);
    }

    /// Before something is put into a queue that has one reader and, at this
    /// time, one writer: when it is put there makes a difference only if the
    /// reader may die.
    pub fn step_to_cast(&self, label: &'static str) {
        if !self.scenario.crashes.is_empty() {
            self.step(label);
        }
    }

    /// A step before the table is read, if the table can change.
    pub fn step_to_table(&self) {
        if self.scenario.attaches() {
            self.step("read table");
        }
    }

    /// Waits until the condition holds and it is the caller's turn. Returns `false`
    /// if the caller has to end.
    pub fn wait(&self, label: &'static str, holds: impl Fn(&Self) -> bool + 'static) -> bool {
        self.choose(label, move |execution| if holds(execution) { vec![0] } else { Vec::new() }).is_some()
    }

    /// Waits until one of the ways is chosen. Returns `None` if the caller has to end.
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
            let thread = &mut self.threads.borrow_mut()[who];
            (thread.label, thread.ways) = (label, ways);
            thread.trace.push(number.try_into().expect("few labels"));
        }
        pause();
        if self.over.get() { None } else { Some(self.threads.borrow()[who].way) }
    }

    /// Whether the execution is over and every thread has to end.
    pub fn is_over(&self) -> bool {
        self.over.get()
    }

    /// The caller has observed `value`.
    pub fn observe(&self, value: usize) {
        if let Some(who) = self.running.get() {
            self.threads.borrow_mut()[who].trace.push(value.try_into().expect("a small number"));
        }
    }

    /// Runs without giving turns to others.
    pub fn atomically(&self, run: impl FnOnce()) {
        let running = self.running.take();
        run();
        self.running.set(running);
    }

    /// The actors that have not stopped.
    pub fn living_actors(&self) -> Vec<u8> {
        let actors = self.actors.borrow();
        let living = actors.iter().filter_map(Weak::upgrade).filter(|actor| actor.is_alive());
        living.map(|actor| actor.number).collect()
    }

    /// The caller's earlier steps have no further effect on what it does.
    pub fn settle(&self) {
        if let Some(who) = self.running.get() {
            self.threads.borrow_mut()[who].trace.clear();
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

    /// The whole state: all that decides what can happen next.
    pub fn key(&self) -> Vec<u8> {
        let mut key = Vec::with_capacity(96);
        for thread in self.threads.borrow().iter() {
            // Actors and system come in any order.
            key.extend(thread.name.bytes());
            key.push(thread.done.into());
            list(&mut key, thread.trace.iter().copied());
        }
        list(&mut key, self.opened.borrow().iter().map(|opened| u8::from(*opened)));
        key.push(self.table.get() as u8);
        for actor in self.actors.borrow().iter() {
            match actor.upgrade() {
                Some(actor) => actor.describe(&mut key),
                None => key.push(u8::MAX),
            }
        }
        key.push(self.registry.get(self.handle.user().id).map_or(0, |actor| actor.number()));
        self.system.describe(&mut key);
        self.root.describe(&mut key, |crash| vec![*crash as u8]);
        self.connection.describe(&mut key);
        key
    }

    /// Whether this is a good end: everything correct, and nothing left to do.
    pub fn is_good(&self) -> bool {
        self.options().is_empty() && supervision::are_right(self) && self.connection.is_at_rest(self)
    }

    fn describe(&self, Choice { who, way }: Choice) -> String {
        let threads = self.threads.borrow();
        format!(
            "{}: {} {}",
            threads[who].name,
            threads[who].label,
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

/// The scheduler that the primitives of the code under test ask.
struct ModelScheduler;

impl Scheduler for ModelScheduler {
    fn step(&self, operation: &'static str) {
        execution().step(operation);
    }

    fn observe(&self, value: usize) {
        execution().observe(value);
    }

    fn permits(&self, real: usize) -> usize {
        let execution = execution();
        if execution.is_mutant(Mutant::SwitchesAtOnce) { execution.scenario.window } else { real }
    }
}
