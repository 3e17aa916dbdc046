//! Conversations under way: who says what next, and what the checker knows of it.

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::checker::{Checker, Refused, Verdict};
use crate::client::{Fleet, Handler, Said};
use crate::message::{Name, Template};
use crate::people::{self, Account};
use crate::stage::{Stage, Target};

/// As long as a first message often is.
pub const BODY: &str =
    "Are you there? We said eight, at the usual place; I am early, as ever, and it is about to rain. See you";

/// Nothing has come for so long: nothing more will.
const SILENCE: Duration = Duration::from_secs(10);
/// For all to get in.
const ENTRY: Duration = Duration::from_secs(120);

/// Those who talk, one for each socket of the fleet, by the same index.
pub struct Talk {
    pub checker: Checker,
    pub conversations: Vec<String>,
    templates: Vec<Template>,
    /// For each socket what waits for the gap before it, where a client has to
    /// expect that; else every frame is taken as it comes.
    aside: Option<Vec<BTreeMap<u64, Name>>>,
    /// What was refused, by code. Then a run is void, too.
    pub refused: Refused,
    pub answered: u64,
    pub delivered: u64,
    /// Messages of others that the database has held from the beginning.
    pub stored_before: u64,
    millis: u64,
}

/// What a frame was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noted {
    Answered(Name),
    Heard(Name),
    Other,
}

impl Talk {
    /// `sockets`: for each one its place among the `pairs`.
    fn new(sockets: &[u32], conversations: Vec<String>) -> Self {
        let mut members = vec![Vec::new(); conversations.len()];
        for (index, pair) in (0..).zip(sockets) {
            members[*pair as usize].push(index);
        }
        let body = &BODY[..100];
        let templates = (0..)
            .zip(sockets)
            .map(|(index, pair)| Template::new(index, &conversations[*pair as usize], body));
        let templates = templates.collect();
        let checker = Checker::new(sockets.len(), members);
        let mut talk = Self {
            checker,
            conversations,
            templates,
            aside: None,
            refused: Refused::default(),
            answered: 0,
            delivered: 0,
            stored_before: 0,
            millis: 0,
        };
        talk.tick();
        talk
    }

    /// Takes the time for the names of what is said next.
    pub fn tick(&mut self) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.millis = u64::try_from(now.as_millis()).unwrap_or_default();
    }

    /// Appends the next message of this one.
    pub fn say(&mut self, index: usize, out: &mut Vec<u8>) {
        let side = &mut self.checker.sides[index];
        side.sent += 1;
        self.templates[index].put(out, self.millis, side.sent);
    }

    /// From now on the live stream may overtake a replay or repeat it (section 5
    /// of docs/protocol.md): the checker is told what a client then shows.
    pub fn expect_replays(&mut self) {
        self.aside = Some(vec![BTreeMap::new(); self.checker.sides.len()]);
    }

    /// Tells the checker.
    pub fn note(&mut self, index: usize, said: &Said) -> Noted {
        let side = &mut self.checker.sides[index];
        match said {
            Said::Stored { name, seq } if self.aside.is_some() => {
                side.answered.see(name.number);
                self.answered += 1;
                self.put_in_order(index, *name, *seq);
                Noted::Answered(*name)
            }
            Said::Message { name, seq } if self.aside.is_some() => {
                self.put_in_order(index, *name, *seq);
                Noted::Heard(*name)
            }
            Said::Stored { name, seq } => {
                side.answered.see(name.number);
                side.log.see(*seq);
                self.answered += 1;
                Noted::Answered(*name)
            }
            Said::Message { name, seq } => {
                side.hear(name.sender, name.number);
                side.log.see(*seq);
                self.delivered += 1;
                Noted::Heard(*name)
            }
            other => {
                self.refused.note(other);
                Noted::Other
            }
        }
    }

    /// Section 5 of docs/protocol.md: what is known is dropped, what is next is shown, and what is
    /// beyond a gap waits.
    fn put_in_order(&mut self, index: usize, name: Name, seq: u64) {
        let (side, aside) = (&mut self.checker.sides[index], self.aside.as_mut().map(|all| &mut all[index]));
        let Some(aside) = aside.filter(|_| seq > side.log.held()) else { return };
        aside.insert(seq, name);
        while let Some(name) = aside.remove(&(side.log.held() + 1)) {
            side.log.see(side.log.held() + 1);
            if name.sender as usize != index {
                side.hear(name.sender, name.number);
                self.delivered += 1;
            }
        }
    }

    pub fn sent(&self) -> u64 {
        self.checker.sides.iter().map(|side| side.sent).sum()
    }
}

/// Pairs of people with a socket each: the one at an even place and the next.
pub fn pairs(target: &Target, count: usize, entering: usize) -> io::Result<(Fleet, Talk, Vec<Account>)> {
    let accounts = people::log_in(target, count)?;
    let pairs: Vec<(u32, u32)> = (0..).step_by(2).map(|low| (low, low + 1)).take(count / 2).collect();
    let conversations = people::converse(target, &accounts, &pairs)?;
    let sockets: Vec<u32> = (0..).take(count).map(|index| index / 2).collect();
    let mut fleet = Fleet::new(target.address, entering)?;
    for (account, pair) in accounts.iter().zip(&sockets) {
        let hello = people::hello(Some((&conversations[*pair as usize], 0)));
        fleet.add(people::seat(target, account, &hello));
    }
    Ok((fleet, Talk::new(&sockets, conversations), accounts))
}

/// Several sockets of one person and one of another, in one conversation.
pub fn tabs(target: &Target, tabs: usize, entering: usize) -> io::Result<(Fleet, Talk)> {
    let accounts = people::log_in(target, 2)?;
    let conversations = people::converse(target, &accounts, &[(0, 1)])?;
    let mut fleet = Fleet::new(target.address, entering)?;
    let hello = people::hello(Some((&conversations[0], 0)));
    for account in std::iter::once(&accounts[1]).chain(std::iter::repeat_n(&accounts[0], tabs)) {
        fleet.add(people::seat(target, account, &hello));
    }
    Ok((fleet, Talk::new(&vec![0; tabs + 1], conversations)))
}

/// The rest of the fleet comes in, to the last; how long that took.
pub fn enter_all(fleet: &mut Fleet, handler: &mut impl Handler) -> io::Result<Duration> {
    let count = fleet.len();
    enter(fleet, fleet.in_count()..count, handler)
}

/// These come in, after all before them.
pub fn enter(fleet: &mut Fleet, sockets: Range<usize>, handler: &mut impl Handler) -> io::Result<Duration> {
    let (begun, count) = (Instant::now(), sockets.end);
    sockets.for_each(|index| fleet.enter(index));
    fleet.turn_until("everybody in", ENTRY, handler, |fleet, _| fleet.in_count() == count)?;
    Ok(begun.elapsed())
}

/// Who has a talk to look at.
pub trait Talks: Handler {
    fn talk(&mut self) -> &mut Talk;
}

/// Waits for everything under way and gives the verdict of the checker and of the
/// database.
pub fn settle(
    stage: &Stage,
    target: &Target,
    fleet: &mut Fleet,
    handler: &mut impl Talks,
) -> io::Result<Verdict> {
    let mut heard = (fleet.frames, Instant::now());
    while !handler.talk().checker.is_settled() && heard.1.elapsed() < SILENCE {
        fleet.turn(Instant::now() + Duration::from_millis(100), handler)?;
        if fleet.frames > heard.0 {
            heard = (fleet.frames, Instant::now());
        }
    }
    let mut verdict = handler.talk().checker.verdict();
    verdict += stage.stored(target, handler.talk().stored_before + handler.talk().sent())?;
    Ok(verdict)
}
