//! The connection's task, as far as frames go in: `Connection::run` with the
//! real [`Inbound`]. Nothing wakes it but frames: no answer, no deadline.

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Wake, Waker};

use super::super::Inbound;
use super::Mutant;
use super::actor::Actor;
use super::execution::{Execution, execution, list};
use super::supervision::UserSupervisorMessage;
use crate::registry::ReturnedFrames;
use crate::registry::sync::Semaphore;

const READ: u8 = 0;
const WOKEN: u8 = 1;
const RETRY: u8 = 2;
const LEAVE: u8 = 3;

/// What can be seen of the connection from outside.
#[derive(Default)]
pub struct Seen {
    shared: RefCell<Option<(Arc<Semaphore>, Arc<ReturnedFrames>)>>,
    /// What it knew when it last went on.
    inside: RefCell<Vec<u8>>,
    waiting: Cell<usize>,
    read: Cell<usize>,
    woken: Arc<Woken>,
    gone: Cell<bool>,
    /// For a mutant.
    kept: RefCell<Option<Actor>>,
}

#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl Seen {
    pub fn keep(&self, actor: &Actor) {
        let before = self.kept.replace(Some(actor.clone()));
        drop(before);
    }

    /// Between two turns: all that decides what it does next.
    fn note(&self, inbound: &Inbound) {
        let mut inside = vec![
            inbound.actor.map_or(0, |id| id.pid() as u8),
            inbound.stalled.is_some().into(),
            inbound.has_room.into(),
        ];
        list(&mut inside, inbound.queue.iter().map(|(number, _)| *number as u8));
        self.inside.replace(inside);
        self.waiting.set(inbound.queue.len());
        execution().settle();
    }

    pub fn describe(&self, key: &mut Vec<u8>) {
        key.extend_from_slice(&self.inside.borrow());
        key.extend([
            self.read.get() as u8,
            self.woken.0.load(Ordering::SeqCst).into(),
            self.gone.get().into(),
        ]);
        key.push(self.kept.borrow().as_ref().map_or(0, Actor::number));
        if let Some((window, back)) = &*self.shared.borrow() {
            let (numbers, notified) = back.peek();
            key.extend([window.peek() as u8, notified.into()]);
            list(key, numbers.into_iter().map(|number| number as u8));
        }
    }

    /// Whether nothing is under way, and every permit is back.
    pub fn is_at_rest(&self, execution: &Execution) -> bool {
        let shared = self.shared.borrow();
        let home = shared.as_ref().is_some_and(|(window, back)| {
            window.peek() == execution.scenario.window && back.peek().0.is_empty()
        });
        self.gone.get() || home && self.waiting.get() == 0 && execution.all_opened()
    }
}

pub fn begin(execution: &Execution) {
    if execution.scenario.reloads {
        execution.spawn("former connection", || detach(&self::execution()));
    }
    execution.spawn("connection", live);
}

fn detach(execution: &Execution) {
    execution.step("leave table");
    execution.table.update(|count| count - 1);
    execution.step("cast detached");
    execution.system.users().cast(UserSupervisorMessage::Detached);
}

fn live() {
    let (execution, scenario) = (execution(), execution().scenario.clone());
    if scenario.attaches() {
        execution.step("enter table");
        execution.table.update(|count| count + 1);
        execution.step("cast attached");
        execution.system.users().cast(UserSupervisorMessage::Attached);
    }
    let mut inbound = Rc::new(Inbound::new(execution.handle.clone(), scenario.window));
    execution.connection.shared.replace(Some((inbound.window.clone(), inbound.back.clone())));
    loop {
        execution.connection.note(&inbound);
        own(&mut inbound).dispatch(&execution.registry);
        execution.connection.note(&inbound);
        match select(&execution, &inbound) {
            None => return,
            Some(READ) => loop {
                own(&mut inbound).receive(execution.connection.read.get().to_string().into());
                execution.connection.read.update(|read| read + 1);
                // More may be at hand.
                let more = execution.connection.read.get() < scenario.frames && inbound.takes_more();
                if !more || execution.choose("read on", |_| vec![0, 1]) != Some(1) {
                    break;
                }
            },
            Some(LEAVE) => break,
            Some(_) => {}
        }
    }
    drop(inbound);
    detach(&execution);
    execution.connection.gone.set(true);
}

fn own(inbound: &mut Rc<Inbound>) -> &mut Inbound {
    Rc::get_mut(inbound).expect("nobody waits for it")
}

/// The `select!` of the connection: by which way it goes on.
fn select(execution: &Execution, inbound: &Rc<Inbound>) -> Option<u8> {
    if execution.is_over() {
        return None;
    }
    let scenario = &execution.scenario;
    let reads = inbound.has_room();
    let (has_more, retries) = (execution.connection.read.get() < scenario.frames, inbound.waits_for_actor());
    let mut changed = changed(inbound.clone());
    let woken = execution.connection.woken.clone();
    let sleeps = reads && execution.is_mutant(Mutant::SleepsOnSocket);
    loop {
        woken.0.store(false, Ordering::SeqCst);
        let waker = Waker::from(woken.clone());
        if !sleeps && changed.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
            return Some(WOKEN);
        }
        let (leaves, woken) = (scenario.leaves, woken.clone());
        let ways = move |_: &Execution| {
            let open = [reads && has_more, woken.0.load(Ordering::SeqCst), retries, leaves];
            [READ, WOKEN, RETRY, LEAVE]
                .into_iter()
                .zip(open)
                .filter_map(|(way, open)| open.then_some(way))
                .collect()
        };
        match execution.choose("wait", ways)? {
            WOKEN => {}
            way => return Some(way),
        }
    }
}

fn changed(inbound: Rc<Inbound>) -> Pin<Box<dyn Future<Output = ()>>> {
    Box::pin(async move { inbound.changed().await })
}
