//! One person with many tabs: each message of the other goes to all of them,
//! and each of their own to all but the one that sent it.

use std::io;
use std::time::{Duration, Instant};

use crate::client::{Handler, Said};
use crate::report::{Journal, Record};
use crate::settings::Sizes;
use crate::stage::{Kind, Stage};
use crate::talk::{self, Noted, Talk, Talks};

const WARM_UP_SHARE: f64 = 0.2;
/// Who sends: the other, and the first of the tabs.
const SENDERS: usize = 2;

pub fn run(stage: &Stage, sizes: &Sizes, journal: &mut Journal) -> io::Result<()> {
    stage.kinds().iter().try_for_each(|kind| journal.keep(measure(stage, *kind, sizes)?))
}

struct Fanout {
    talk: Talk,
    sending: bool,
}

impl Handler for Fanout {
    fn on_said(&mut self, index: usize, said: Said, out: &mut Vec<u8>) {
        if let Noted::Answered(_) = self.talk.note(index, &said)
            && self.sending
        {
            self.talk.say(index, out);
        }
    }
}

impl Talks for Fanout {
    fn talk(&mut self) -> &mut Talk {
        &mut self.talk
    }
}

fn measure(stage: &Stage, kind: Kind, sizes: &Sizes) -> io::Result<Record> {
    let target = stage.start(kind, &[])?;
    let (mut fleet, talk) = talk::tabs(&target, sizes.tabs, sizes.entering)?;
    let mut fanout = Fanout { talk, sending: true };
    talk::enter_all(&mut fleet, &mut fanout)?;
    for index in 0..SENDERS {
        let talk = &mut fanout.talk;
        fleet.send(index, |out| (0..sizes.window).for_each(|_| talk.say(index, out)))?;
    }
    let mut run_for = |time: Duration, fanout: &mut Fanout| {
        let until = Instant::now() + time;
        while Instant::now() < until {
            fanout.talk.tick();
            fleet.turn(until, fanout)?;
        }
        io::Result::Ok(())
    };
    run_for(sizes.time.mul_f64(WARM_UP_SHARE), &mut fanout)?;
    let count = |fanout: &Fanout| (fanout.talk.answered, fanout.talk.delivered);
    let (before, counted, begun) = (target.usage()?, count(&fanout), Instant::now());
    run_for(sizes.time, &mut fanout)?;
    let (used, time) = (target.usage()?.since(before), begun.elapsed());
    let (answered, delivered) = (fanout.talk.answered - counted.0, fanout.talk.delivered - counted.1);

    let mut record = Record::new("fanout", kind, sizes);
    record.figure("stored_per_s", answered as f64 / time.as_secs_f64());
    record.figure("delivered_per_s", delivered as f64 / time.as_secs_f64());
    record.cost(used, delivered);
    record.surroundings(used, time);
    fanout.sending = false;
    let verdict = talk::settle(stage, &target, &mut fleet, &mut fanout)?;
    Ok(record.checked(verdict, &fanout.talk.refused))
}
