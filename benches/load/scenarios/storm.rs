//! Everyone is cut at once and comes back: how long until all are in and one
//! message has reached each.

use std::io;
use std::time::{Duration, Instant};

use crate::client::{Handler, Said};
use crate::cores;
use crate::people;
use crate::report::{Journal, Record};
use crate::settings::Sizes;
use crate::stage::{Kind, Stage};
use crate::talk::{self, Talk, Talks};

/// For the whole storm.
const PATIENCE: Duration = Duration::from_secs(180);

pub fn run(stage: &Stage, sizes: &Sizes, journal: &mut Journal) -> io::Result<()> {
    stage.kinds().iter().try_for_each(|kind| journal.keep(measure(stage, *kind, sizes)?))
}

struct Storm {
    talk: Talk,
    /// Whether it has broken: from then on whoever is in says one thing.
    broken: bool,
}

impl Handler for Storm {
    fn on_in(&mut self, index: usize, out: &mut Vec<u8>) {
        if self.broken {
            self.talk.say(index, out);
        }
    }

    fn on_said(&mut self, index: usize, said: Said, _out: &mut Vec<u8>) {
        self.talk.note(index, &said);
    }
}

impl Talks for Storm {
    fn talk(&mut self) -> &mut Talk {
        &mut self.talk
    }
}

fn measure(stage: &Stage, kind: Kind, sizes: &Sizes) -> io::Result<Record> {
    let users = sizes.storm;
    cores::afford_sockets(users)?;
    let target = stage.start(kind, &[])?;
    let (mut fleet, talk, _) = talk::pairs(&target, users, sizes.entering)?;
    let mut storm = Storm { talk, broken: false };
    talk::enter_all(&mut fleet, &mut storm)?;
    // Everybody holds one message of each before the storm, and says so after it.
    for index in 0..users {
        fleet.send(index, |out| storm.talk.say(index, out))?;
    }
    fleet.turn_until("one message each", PATIENCE, &mut storm, |_, storm| storm.talk.checker.is_settled())?;
    for index in 0..users {
        let held = storm.talk.checker.sides[index].log.held();
        let hello = people::hello(Some((&storm.talk.conversations[index / 2], held)));
        fleet.set_hello(index, people::frame(&hello));
    }

    let (usage, begun) = (target.usage()?, Instant::now());
    (storm.broken, storm.talk.delivered) = (true, 0);
    storm.talk.expect_replays();
    (0..users).try_for_each(|index| fleet.cut(index))?;
    let back = talk::enter_all(&mut fleet, &mut storm)?;
    fleet.turn_until("one message each", PATIENCE, &mut storm, |_, storm| {
        storm.talk.delivered >= users as u64
    })?;
    let (whole, used) = (begun.elapsed(), target.usage()?.since(usage));

    let mut record = Record::new("storm", kind, sizes);
    record.figure("all_in_s", back.as_secs_f64());
    record.figure("all_delivered_s", whole.as_secs_f64());
    record.cost(used, users as u64);
    record.surroundings(used, whole);
    let verdict = talk::settle(stage, &target, &mut fleet, &mut storm)?;
    Ok(record.checked(verdict, &storm.talk.refused))
}
