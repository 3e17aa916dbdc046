//! People who come and go while most of those online do not look: what a change
//! costs, and whether those who look see the truth.

use std::collections::{HashSet, VecDeque};
use std::io;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::checker::{Refused, Verdict};
use crate::client::{Fleet, Handler, Said};
use crate::cores;
use crate::people::{self, Account};
use crate::report::{Journal, Record};
use crate::settings::Sizes;
use crate::stage::{Kind, Stage, Target};
use crate::talk;

/// Who comes and goes; half of them are there.
const RESTLESS: usize = 200;
/// Those who look: at the list, and at some of the restless by name.
const LOOKING: usize = 20;
/// Every tenth: some who are there at first, and some who are not.
const EVERY: usize = 10;
/// Leaving counts at once: each cut is a change.
const SETTINGS: [(&str, &str); 1] = [("TIDINGS_PRESENCE_GRACE_MS", "0")];
/// Of the run, before it is measured; at least two intervals of differences, so
/// that all who look have been told of all who came first.
const STILL_SHARE: f64 = 0.3;
const STILL_MIN: Duration = Duration::from_secs(2);
/// Within the interval of the bare count, and some more.
const PATIENCE: Duration = Duration::from_secs(30);

pub fn run(stage: &Stage, sizes: &Sizes, journal: &mut Journal) -> io::Result<()> {
    let kind = if stage.is_given() { Kind::Given } else { Kind::Server };
    sizes.along_online().iter().try_for_each(|sizes| journal.keep(measure(stage, kind, sizes)?))
}

/// What those who look have been told. The first sockets of the fleet are theirs.
struct Views {
    views: Vec<View>,
    /// Presence frames to them, and differences to whoever does not look.
    frames: u64,
    astray: u64,
    refused: Refused,
}

#[derive(Default)]
struct View {
    version: u64,
    count: u32,
    online: HashSet<String>,
    doubled: u64,
}

impl Handler for Views {
    fn on_said(&mut self, index: usize, said: Said, _out: &mut Vec<u8>) {
        let Said::Presence { version, count, joins, leaves, whole } = said else {
            self.refused.note(&said);
            return;
        };
        let Some(view) = self.views.get_mut(index) else {
            // Everyone is told once, with the first frames.
            self.astray += u64::from(!whole);
            return;
        };
        self.frames += 1;
        if whole {
            view.online.clear();
        } else if version <= view.version {
            // A difference is told once.
            view.doubled += u64::from(!joins.is_empty() || !leaves.is_empty());
        }
        view.version = version;
        view.count = count;
        view.online.extend(joins);
        view.online.retain(|id| !leaves.contains(id));
    }
}

impl View {
    fn is_true(&self, count: usize, watched: &[&(String, bool)]) -> bool {
        self.count as usize == count && watched.iter().all(|(id, online)| self.online.contains(id) == *online)
    }
}

fn measure(stage: &Stage, kind: Kind, sizes: &Sizes) -> io::Result<Record> {
    cores::afford_sockets(LOOKING + sizes.online + RESTLESS)?;
    let settings = SETTINGS.map(|(name, value)| (name, value.to_owned()));
    let target = stage.start(kind, &settings)?;
    let (mut fleet, accounts) = gather(&target, sizes)?;
    let steady = LOOKING + sizes.online;
    let views = (0..LOOKING).map(|_| View::default()).collect();
    let mut views = Views { views, frames: 0, astray: 0, refused: Refused::default() };
    talk::enter(&mut fleet, 0..steady + RESTLESS / 2, &mut views)?;
    let still = run_for(&target, &mut fleet, &mut views, sizes.time.mul_f64(STILL_SHARE).max(STILL_MIN))?;

    let (usage, frames, begun) = (target.usage()?, views.frames, Instant::now());
    let interval = Duration::from_secs_f64(1.0 / sizes.changes);
    let mut restless = Restless::new(steady);
    let mut changes = 0;
    while begun.elapsed() < sizes.time {
        let due = begun + interval * changes;
        while Instant::now() < due {
            fleet.turn(due, &mut views)?;
        }
        restless.change(&mut fleet, changes % 2 == 0)?;
        changes += 1;
    }
    let (used, time) = (target.usage()?.since(usage), begun.elapsed());
    let frames = views.frames - frames;

    let mut record = Record::new("presence", kind, sizes);
    if kind == Kind::Server {
        record.figure("server_share", used.server.as_secs_f64() / time.as_secs_f64());
        record.figure("server_share_without_changes", still);
        record
            .notes
            .push("TIDINGS_PRESENCE_GRACE_MS=0: each change is a socket that comes or is cut".to_owned());
    }
    record.figure("frames_per_change", frames as f64 / f64::from(changes));
    record.cost(used, changes.into());
    record.surroundings(used, time);
    restless.end_otherwise(&mut fleet)?;
    let watched: Vec<_> =
        accounts.iter().map(|account| account.id.clone()).zip(restless.are_here()).collect();
    let verdict = truth(&mut fleet, &mut views, &watched, steady + restless.here.len())?;
    Ok(record.checked(verdict, &views.refused))
}

/// Sockets of those who look, of those who do not, and of the restless.
fn gather(target: &Target, sizes: &Sizes) -> io::Result<(Fleet, Vec<Account>)> {
    let accounts = people::log_in(target, LOOKING + sizes.online + RESTLESS)?;
    let (steady, restless) = accounts.split_at(LOOKING + sizes.online);
    let watched: Vec<&str> = restless.iter().step_by(EVERY).map(|account| &*account.id).collect();
    let looking = json!({ "type": "hello", "cursors": [], "watch": { "list": true, "users": watched } });
    let mut fleet = Fleet::new(target.address, sizes.entering)?;
    for account in &steady[..LOOKING] {
        fleet.add(people::seat(target, account, &looking));
    }
    for account in steady[LOOKING..].iter().chain(restless) {
        fleet.add(people::seat(target, account, &people::hello(None)));
    }
    Ok((fleet, restless.to_vec()))
}

/// The share of a core that the server uses meanwhile.
fn run_for(target: &Target, fleet: &mut Fleet, views: &mut Views, time: Duration) -> io::Result<f64> {
    let (usage, begun) = (target.usage()?, Instant::now());
    while begun.elapsed() < time {
        fleet.turn(begun + time, views)?;
    }
    Ok(target.usage()?.since(usage).server.as_secs_f64() / begun.elapsed().as_secs_f64())
}

/// Those who come and go, by their places in the fleet, the longest first.
struct Restless {
    first: usize,
    here: VecDeque<usize>,
    away: VecDeque<usize>,
}

impl Restless {
    fn new(first: usize) -> Self {
        let half = first + RESTLESS / 2;
        Self { first, here: (first..half).collect(), away: (half..first + RESTLESS).collect() }
    }

    /// The one who has been away longest comes, or the one who has been here longest goes.
    fn change(&mut self, fleet: &mut Fleet, comes: bool) -> io::Result<()> {
        if comes {
            let index = self.away.pop_front().expect("half of them are away");
            fleet.enter(index);
            self.here.push_back(index);
        } else {
            let index = self.here.pop_front().expect("half of them are here");
            fleet.cut(index)?;
            self.away.push_back(index);
        }
        Ok(())
    }

    /// Changes everyone who is where they were at first: a view of the beginning
    /// is wrong then.
    fn end_otherwise(&mut self, fleet: &mut Fleet) -> io::Result<()> {
        let begun = Self::new(self.first);
        self.away.iter().filter(|index| begun.away.contains(index)).for_each(|index| fleet.enter(*index));
        self.here
            .iter()
            .filter(|index| begun.here.contains(index))
            .try_for_each(|index| fleet.cut(*index))?;
        (self.here, self.away) = (begun.away, begun.here);
        Ok(())
    }

    fn are_here(&self) -> impl Iterator<Item = bool> {
        (self.first..self.first + RESTLESS).map(|index| self.here.contains(&index))
    }
}

/// Waits until all who look see what is so. A view that stays wrong has lost
/// something. `people`: for each of the restless whether they are there; `count`:
/// of all who are.
fn truth(
    fleet: &mut Fleet,
    views: &mut Views,
    people: &[(String, bool)],
    count: usize,
) -> io::Result<Verdict> {
    let watched: Vec<_> = people.iter().step_by(EVERY).collect();
    let until = Instant::now() + PATIENCE;
    loop {
        let wrong = views.views.iter().filter(|view| !view.is_true(count, &watched)).count();
        if wrong == 0 || Instant::now() >= until {
            let doubled = views.views.iter().map(|view| view.doubled).sum::<u64>() + views.astray;
            return Ok(Verdict { lost: wrong as u64, doubled, reordered: 0 });
        }
        fleet.turn(Instant::now() + Duration::from_millis(100), views)?;
    }
}
