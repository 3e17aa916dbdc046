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
use super::stations::UsersWord;
use super::world::{World, list, world};
use crate::directory::Returned;
use crate::directory::shared::Semaphore;

const READ: u8 = 0;
const WOKEN: u8 = 1;
const RETRY: u8 = 2;
const LEAVE: u8 = 3;

/// What can be seen of the connection from outside.
#[derive(Default)]
pub struct Seen {
    shared: RefCell<Option<(Arc<Semaphore>, Arc<Returned>)>>,
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
        world().settle();
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
            let (numbers, told) = back.look();
            key.extend([window.look() as u8, told.into()]);
            list(key, numbers.into_iter().map(|number| number as u8));
        }
    }

    /// Whether nothing is under way, and every permit is home.
    pub fn is_at_rest(&self, world: &World) -> bool {
        let shared = self.shared.borrow();
        let home = shared
            .as_ref()
            .is_some_and(|(window, back)| window.look() == world.scenario.window && back.look().0.is_empty());
        self.gone.get() || home && self.waiting.get() == 0 && world.all_opened()
    }
}

pub fn begin(world: &World) {
    if world.scenario.reloads {
        world.spawn("former connection", || detach(&self::world()));
    }
    world.spawn("connection", live);
}

fn detach(world: &World) {
    world.step("leave table");
    world.table.update(|links| links - 1);
    world.step("say gone");
    world.stations.users().say(UsersWord::Gone);
}

fn live() {
    let (world, scenario) = (world(), world().scenario.clone());
    if scenario.attaches() {
        world.step("enter table");
        world.table.update(|links| links + 1);
        world.step("say arrived");
        world.stations.users().say(UsersWord::Arrived);
    }
    let mut inbound = Rc::new(Inbound::new(world.link.clone(), scenario.window));
    world.connection.shared.replace(Some((inbound.window.clone(), inbound.back.clone())));
    loop {
        world.connection.note(&inbound);
        own(&mut inbound).pump(&world.directory);
        world.connection.note(&inbound);
        match select(&world, &inbound) {
            None => return,
            Some(READ) => loop {
                own(&mut inbound).receive(world.connection.read.get().to_string().into());
                world.connection.read.update(|read| read + 1);
                // More may be at hand.
                let more = world.connection.read.get() < scenario.frames && inbound.takes_more();
                if !more || world.choose("read on", |_| vec![0, 1]) != Some(1) {
                    break;
                }
            },
            Some(LEAVE) => break,
            Some(_) => {}
        }
    }
    drop(inbound);
    detach(&world);
    world.connection.gone.set(true);
}

fn own(inbound: &mut Rc<Inbound>) -> &mut Inbound {
    Rc::get_mut(inbound).expect("nobody waits for it")
}

/// The `select!` of the connection: by which way it goes on.
fn select(world: &World, inbound: &Rc<Inbound>) -> Option<u8> {
    if world.is_over() {
        return None;
    }
    let scenario = &world.scenario;
    let reads = inbound.has_room();
    let (has_more, retries) = (world.connection.read.get() < scenario.frames, inbound.waits_for_actor());
    let mut changed = changed(inbound.clone());
    let woken = world.connection.woken.clone();
    let sleeps = reads && world.is_mutant(Mutant::SleepsOnSocket);
    loop {
        woken.0.store(false, Ordering::SeqCst);
        let waker = Waker::from(woken.clone());
        if !sleeps && changed.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
            return Some(WOKEN);
        }
        let (leaves, woken) = (scenario.leaves, woken.clone());
        let ways = move |_: &World| {
            let open = [reads && has_more, woken.0.load(Ordering::SeqCst), retries, leaves];
            [READ, WOKEN, RETRY, LEAVE]
                .into_iter()
                .zip(open)
                .filter_map(|(way, open)| open.then_some(way))
                .collect()
        };
        match world.choose("wait", ways)? {
            WOKEN => {}
            way => return Some(way),
        }
    }
}

fn changed(inbound: Rc<Inbound>) -> Pin<Box<dyn Future<Output = ()>>> {
    Box::pin(async move { inbound.changed().await })
}
