//! The checker, checked: a relay that makes mistakes whose number is known.

use std::io;
use std::time::Duration;

use crate::checker::Verdict;
use crate::client::{Handler, Said};
use crate::report::Journal;
use crate::settings::Sizes;
use crate::stage::{Kind, Stage};
use crate::talk::{self, Talk};

/// Enough for every mistake.
const MESSAGES: u64 = 50;
const PATIENCE: Duration = Duration::from_secs(60);

/// Those of `baseline::faults`.
const MADE: Verdict = Verdict { lost: 1, doubled: 1, reordered: 3 };

struct Listener(Talk);

impl Handler for Listener {
    fn on_said(&mut self, index: usize, said: Said, _out: &mut Vec<u8>) {
        self.0.note(index, &said);
    }
}

/// Sound when the checker counts them exactly.
pub fn run(stage: &Stage, sizes: &Sizes, _: &mut Journal) -> io::Result<()> {
    let target = stage.start(Kind::Faulty, &[])?;
    let (mut fleet, talk, _) = talk::pairs(&target, 2, sizes.entering)?;
    let mut listener = Listener(talk);
    talk::enter_all(&mut fleet, &mut listener)?;
    // One says everything; when the other's one word is answered, all is there
    // but perhaps that word.
    for (index, count) in [(0, MESSAGES), (1, 1)] {
        fleet.send(index, |out| (0..count).for_each(|_| listener.0.say(index, out)))?;
        fleet.turn_until("every answer", PATIENCE, &mut listener, |_, listener| {
            listener.0.checker.sides[index].answered.seen() == count
        })?;
    }
    fleet.turn_until("the word", PATIENCE, &mut listener, |_, listener| {
        listener.0.checker.sides[0].heard_of(1) == 1
    })?;
    let found = listener.0.checker.verdict();
    if found != MADE {
        return Err(io::Error::other(format!("the checker found {found:?} instead of {MADE:?}")));
    }
    Ok(())
}
