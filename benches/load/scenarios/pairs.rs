//! People in pairs, some messages of each without an answer at any time.

use std::io;
use std::time::{Duration, Instant};

use crate::accounting;
use crate::client::{Handler, Said};
use crate::report::{Journal, Record};
use crate::settings::Sizes;
use crate::stage::{Kind, Stage};
use crate::talk::{self, Noted, Talk, Talks};

/// How long it runs before it is measured.
const WARM_UP_SHARE: f64 = 0.2;

pub fn run(stage: &Stage, sizes: &Sizes, journal: &mut Journal) -> io::Result<()> {
    for sizes in sizes.along_users() {
        for kind in stage.kinds() {
            journal.keep(measure(stage, *kind, &sizes)?)?;
        }
    }
    Ok(())
}

/// Everybody sends the next as soon as one is answered.
struct Pairs {
    talk: Talk,
    sending: bool,
}

impl Handler for Pairs {
    fn on_said(&mut self, index: usize, said: Said, out: &mut Vec<u8>) {
        if let Noted::Answered(_) = self.talk.note(index, &said)
            && self.sending
        {
            self.talk.say(index, out);
        }
    }
}

impl Talks for Pairs {
    fn talk(&mut self) -> &mut Talk {
        &mut self.talk
    }
}

fn measure(stage: &Stage, kind: Kind, sizes: &Sizes) -> io::Result<Record> {
    let target = stage.start(kind, &[])?;
    let (mut fleet, talk, _) = talk::pairs(&target, sizes.users, sizes.entering)?;
    let mut pairs = Pairs { talk, sending: true };
    talk::enter_all(&mut fleet, &mut pairs)?;
    for index in 0..sizes.users {
        let talk = &mut pairs.talk;
        fleet.send(index, |out| (0..sizes.window).for_each(|_| talk.say(index, out)))?;
    }
    let mut run_for = |time: Duration, pairs: &mut Pairs| {
        let until = Instant::now() + time;
        while Instant::now() < until {
            pairs.talk.tick();
            fleet.turn(until, pairs)?;
        }
        io::Result::Ok(())
    };
    run_for(sizes.time.mul_f64(WARM_UP_SHARE), &mut pairs)?;
    let (before, delivered, begun) = (target.usage()?, pairs.talk.delivered, Instant::now());
    run_for(sizes.time, &mut pairs)?;
    let (used, time) = (target.usage()?.since(before), begun.elapsed());
    let delivered = pairs.talk.delivered - delivered;

    let mut record = Record::new("pairs", kind, sizes);
    record.figure("delivered_per_s", delivered as f64 / time.as_secs_f64());
    record.cost(used, delivered);
    if let Some(process) = target.process() {
        record.figure("server_peak_mib", accounting::peak_resident(process)? as f64 / f64::from(1 << 20));
    }
    record.surroundings(used, time);
    pairs.sending = false;
    let verdict = talk::settle(stage, &target, &mut fleet, &mut pairs)?;
    Ok(record.checked(verdict, &pairs.talk.refused))
}
