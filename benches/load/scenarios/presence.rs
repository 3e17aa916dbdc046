//! People who come and go while most of those online do not look: what a change
//! costs, and whether those who look see the truth.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::io;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::client::{Fleet, Handler, Said};
use crate::cores;
use crate::judge::Verdict;
use crate::people::{self, Account};
use crate::report::{Journal, Record};
use crate::settings::Sizes;
use crate::stage::{Kind, Stage, Target};
use crate::talk;

/// Who comes and goes; half of them are there.
const RESTLESS: usize = 200;
/// Those who look: at the list, and at some of the restless by name.
const LOOKING: usize = 20;
const WATCHED: usize = 20;
/// Leaving counts at once: each cut is a change.
const SETTINGS: [(&str, &str); 1] = [("TIDINGS_PRESENCE_GRACE_MS", "0")];
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
        let Said::Presence { version, count, joins, leaves, whole } = said else { return };
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
    fn is_true(&self, count: usize, watched: &[(String, bool)]) -> bool {
        self.count as usize == count && watched.iter().all(|(id, online)| self.online.contains(id) == *online)
    }
}

fn measure(stage: &Stage, kind: Kind, sizes: &Sizes) -> io::Result<Record> {
    cores::afford_sockets(LOOKING + sizes.online + RESTLESS)?;
    let settings = SETTINGS.map(|(name, value)| (name, value.to_owned()));
    let target = stage.start(kind, &settings)?;
    let (mut fleet, restless) = gather(&target, sizes)?;
    let steady = LOOKING + sizes.online;
    let views = (0..LOOKING).map(|_| View::default()).collect();
    let mut views = Views { views, frames: 0, astray: 0 };
    talk::enter(&mut fleet, 0..steady + RESTLESS / 2, &mut views)?;
    let still = run_for(&target, &mut fleet, &mut views, sizes.time.mul_f64(0.3))?;

    let (usage, frames, begun) = (target.usage()?, views.frames, Instant::now());
    let interval = Duration::from_secs_f64(1.0 / sizes.changes);
    let mut here: VecDeque<usize> = (steady..steady + RESTLESS / 2).collect();
    let mut away: VecDeque<usize> = (steady + RESTLESS / 2..steady + RESTLESS).collect();
    let mut changes = 0;
    while begun.elapsed() < sizes.time {
        let due = begun + interval * changes;
        while Instant::now() < due {
            fleet.turn(due, &mut views)?;
        }
        change(&mut fleet, &mut here, &mut away, changes % 2 == 0)?;
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
    let verdict = truth(&mut fleet, &mut views, &restless, steady)?;
    Ok(record.judged(verdict, &BTreeMap::new()))
}

/// Sockets of those who look, of those who do not, and of the restless.
fn gather(target: &Target, sizes: &Sizes) -> io::Result<(Fleet, Vec<Account>)> {
    let accounts = people::log_in(target, LOOKING + sizes.online + RESTLESS)?;
    let (steady, restless) = accounts.split_at(LOOKING + sizes.online);
    let watched: Vec<&str> = restless.iter().rev().take(WATCHED).map(|account| &*account.id).collect();
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

/// The one who has been away longest comes, or the one who has been here longest goes.
fn change(
    fleet: &mut Fleet,
    here: &mut VecDeque<usize>,
    away: &mut VecDeque<usize>,
    comes: bool,
) -> io::Result<()> {
    if comes {
        let index = away.pop_front().expect("half of them are away");
        fleet.enter(index);
        here.push_back(index);
    } else {
        let index = here.pop_front().expect("half of them are here");
        fleet.cut(index)?;
        away.push_back(index);
    }
    Ok(())
}

/// Waits until all who look see what is so. A view that stays wrong has lost something.
fn truth(fleet: &mut Fleet, views: &mut Views, restless: &[Account], steady: usize) -> io::Result<Verdict> {
    let until = Instant::now() + PATIENCE;
    loop {
        let is_online =
            |(place, account): (usize, &Account)| (account.id.clone(), fleet.is_in(steady + place));
        let all: Vec<_> = restless.iter().enumerate().map(is_online).collect();
        let watched = &all[RESTLESS - WATCHED..];
        let wrong = views.views.iter().filter(|view| !view.is_true(fleet.in_count(), watched)).count();
        if wrong == 0 || Instant::now() >= until {
            let doubled = views.views.iter().map(|view| view.doubled).sum::<u64>() + views.astray;
            return Ok(Verdict { lost: wrong as u64, doubled, reordered: 0 });
        }
        fleet.turn(Instant::now() + Duration::from_millis(100), views)?;
    }
}
