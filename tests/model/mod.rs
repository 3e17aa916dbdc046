//! A model checker for how frames survive the crashes of their user's actor: it
//! tries every order of events, within bounds.
//!
//! [`Inbound`](super::Inbound), the envelopes, their return and the registry are
//! the real code, on primitives that ask the model before each operation who goes
//! on ([`sync`](crate::registry::sync)). Actor and mailbox behave as those of
//! ractor and tokio do; the supervisors are transcribed, step by step. Every state
//! that is reached is remembered, so that all orders are covered although few are
//! executed. From each state a good end must be reachable: each frame handled
//! once, in order, or fatal; every permit returned; the registry leading to the
//! one living actor, and to none of a user who has left.
//!
//! Not covered: memory orders weaker than sequential (the primitives are mutexes
//! and acquire/release), time (no deadline ever helps), anything beyond the bounds.

mod actor;
mod connection;
mod coroutine;
mod execution;
mod explorer;
mod supervision;

use std::time::Instant;

use explorer::explore;
use supervision::Crash;

/// What happens; the explorer tries every order.
#[derive(Clone, Debug, Default)]
pub struct Scenario {
    /// How many frames the client sends.
    frames: usize,
    /// How many of them may be with the actor at a time.
    window: usize,
    /// Which frames kill the actor that handles them.
    fatal: Vec<usize>,
    /// The system actors that crash, each at any time.
    crashes: Vec<Crash>,
    /// Another sender holds a reference to the actor for as long as it likes.
    onlooker: bool,
    /// The connection ends, at any time.
    leaves: bool,
    /// Another connection of the user ends, the last one or not.
    reloads: bool,
    mutant: Option<Mutant>,
}

/// A planted mistake, which the checker must find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutant {
    /// The connection keeps a reference to the actor it spoke to last.
    KeepsReference,
    /// The connection sends to the next actor before all permits are back.
    SwitchesAtOnce,
    /// A returning frame releases its permit before it is in the queue.
    PermitFirst,
    /// While the socket is read, a returning frame wakes nobody.
    SleepsOnSocket,
    /// The reconciliation keeps actors that have not stopped yet.
    CountsByStatus,
    /// A new supervisor of the users is published only after it has read the table.
    PublishedAfterTable,
}

impl Scenario {
    /// Whether connections attach or detach.
    fn attaches(&self) -> bool {
        self.leaves || self.reloads
    }

    /// Whether an actor ends because its last connection has closed.
    fn drains(&self) -> bool {
        self.attaches()
    }

    /// Whether actors are killed.
    fn kills(&self) -> bool {
        self.crashes.contains(&Crash::Users)
    }
}

/// Explores the scenario and prints how much that was.
fn check(scenario: &Scenario) {
    let started = Instant::now();
    match explore(scenario) {
        Ok(explored) => eprintln!("{scenario:?}: {explored:?} in {:.1?}", started.elapsed()),
        Err(violation) => panic!("{scenario:?}: {violation:?}"),
    }
}

/// Every subset of the frames, as the fatal ones.
fn fatal_choices(frames: usize) -> impl Iterator<Item = Vec<usize>> {
    (0..1usize << frames).map(move |bits| (0..frames).filter(|frame| bits >> frame & 1 == 1).collect())
}

fn base(frames: usize) -> Scenario {
    Scenario { frames, window: 2, ..Scenario::default() }
}

#[test]
fn each_frame_is_handled_once_in_order_whoever_dies_of_which() {
    for fatal in fatal_choices(3) {
        check(&Scenario { fatal, ..base(3) });
    }
}

#[test]
fn somebody_else_who_holds_the_actor_changes_nothing() {
    for fatal in fatal_choices(2) {
        check(&Scenario { fatal, onlooker: true, ..base(2) });
    }
}

#[test]
fn frames_survive_crashes_of_the_system_actors() {
    for fatal in fatal_choices(1) {
        check(&Scenario { fatal, crashes: vec![Crash::Presence], ..base(1) });
    }
    check(&Scenario { crashes: vec![Crash::Users], ..base(1) });
}

#[test]
fn the_registry_is_right_after_connections_have_come_and_gone() {
    for fatal in fatal_choices(1) {
        check(&Scenario { fatal: fatal.clone(), leaves: true, ..base(1) });
        check(&Scenario { fatal, reloads: true, ..base(1) });
    }
    for crashes in [vec![Crash::Users], vec![Crash::Presence]] {
        check(&Scenario { crashes, leaves: true, ..base(0) });
    }
    check(&Scenario { crashes: vec![Crash::Presence], reloads: true, ..base(0) });
}

#[test]
fn mistakes_are_found() {
    let leaving = |crash| Scenario { crashes: vec![crash], leaves: true, ..base(0) };
    let mutants = [
        (Mutant::KeepsReference, Scenario { fatal: vec![0], ..base(2) }, "no good end"),
        (
            Mutant::SwitchesAtOnce,
            Scenario { fatal: vec![0], ..base(3) },
            "frame 1 is handled after a later one",
        ),
        (Mutant::PermitFirst, Scenario { fatal: vec![0], ..base(3) }, "frame 1 is handled after a later one"),
        (Mutant::SleepsOnSocket, Scenario { fatal: vec![0], ..base(2) }, "no good end"),
        (Mutant::CountsByStatus, leaving(Crash::Presence), "no good end"),
        (Mutant::PublishedAfterTable, leaving(Crash::Users), "no good end"),
    ];
    for (mutant, scenario, why) in mutants {
        match explore(&Scenario { mutant: Some(mutant), ..scenario }) {
            Ok(explored) => panic!("{mutant:?} was not found in {explored:?}"),
            Err(violation) => assert!(violation.why.contains(why), "{mutant:?}: {violation:?}"),
        }
    }
}

#[test]
#[ignore = "takes minutes: cargo test --release --lib model::deep -- --ignored --nocapture"]
fn deep() {
    for window in 1..=4 {
        for fatal in fatal_choices(4) {
            check(&Scenario { frames: 4, window, fatal, ..Scenario::default() });
        }
    }
    for fatal in fatal_choices(3) {
        check(&Scenario { fatal, onlooker: true, ..base(3) });
    }
    for fatal in fatal_choices(2) {
        check(&Scenario { fatal: fatal.clone(), leaves: true, ..base(2) });
        check(&Scenario { fatal: fatal.clone(), reloads: true, ..base(2) });
        check(&Scenario { fatal, crashes: vec![Crash::Presence], ..base(2) });
    }
    for crashes in [vec![Crash::Users], vec![Crash::Presence]] {
        check(&Scenario { crashes: crashes.clone(), leaves: true, ..base(1) });
        check(&Scenario { crashes, reloads: true, ..base(1) });
    }
    check(&Scenario { crashes: vec![Crash::Users], fatal: vec![0], ..base(1) });
    check(&Scenario { crashes: vec![Crash::Users, Crash::Presence], leaves: true, ..base(0) });
}
