//! Lost, doubled and reordered, counted exactly.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::AddAssign;

use serde::Serialize;

use crate::client::Said;

/// What went wrong in a run. Figures are worth something only when nothing did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Verdict {
    pub lost: u64,
    pub doubled: u64,
    pub reordered: u64,
}

impl Verdict {
    pub fn is_clean(&self) -> bool {
        *self == Self::default()
    }
}

impl AddAssign for Verdict {
    fn add_assign(&mut self, other: Self) {
        self.lost += other.lost;
        self.doubled += other.doubled;
        self.reordered += other.reordered;
    }
}

/// What a server has refused, by code, and what else makes a run void.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(transparent)]
pub struct Refused(BTreeMap<String, u64>);

impl Refused {
    pub fn note(&mut self, said: &Said) {
        if let Some(name) = said.refusal() {
            *self.0.entry(name).or_default() += 1;
        }
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A stream of the numbers 1, 2, 3 … as it arrives somewhere. As long as
/// nothing is wrong it costs one comparison for each.
#[derive(Clone, Debug, Default)]
pub struct Stream {
    /// The highest number that has come.
    top: u64,
    missing: BTreeSet<u64>,
    doubled: u64,
    reordered: u64,
}

impl Stream {
    /// A number has come.
    pub fn see(&mut self, number: u64) {
        if number == self.top + 1 {
            self.top = number;
        } else if number > self.top {
            self.missing.extend(self.top + 1..number);
            self.top = number;
        } else if self.missing.remove(&number) {
            self.reordered += 1;
        } else {
            self.doubled += 1;
        }
    }

    /// How many different ones have come.
    pub fn seen(&self) -> u64 {
        self.top - self.missing.len() as u64
    }

    /// The highest up to which none is missing.
    pub fn held(&self) -> u64 {
        self.missing.first().map_or(self.top, |first| first - 1)
    }

    /// What went wrong when `sent` have been sent.
    pub fn verdict(&self, sent: u64) -> Verdict {
        // More than were sent: somebody else's, given to the wrong one.
        let strangers = self.seen().saturating_sub(sent);
        Verdict {
            lost: sent.saturating_sub(self.seen()),
            doubled: self.doubled + strangers,
            reordered: self.reordered,
        }
    }
}

/// One who takes part: what was sent there, and every stream that arrives.
#[derive(Clone, Debug, Default)]
pub struct Side {
    pub sent: u64,
    /// The answers to what was sent.
    pub answered: Stream,
    /// The numbers in the conversation's log, one's own included.
    pub log: Stream,
    /// What each of the others has sent, as it arrives.
    pub heard: Vec<(u32, Stream)>,
}

impl Side {
    pub fn hear(&mut self, sender: u32, number: u64) {
        let known = self.heard.iter_mut().find(|(one, _)| *one == sender);
        match known {
            Some((_, stream)) => stream.see(number),
            None => {
                let mut stream = Stream::default();
                stream.see(number);
                self.heard.push((sender, stream));
            }
        }
    }

    /// How many different ones of this sender have come.
    pub fn heard_of(&self, sender: u32) -> u64 {
        self.heard.iter().find(|(one, _)| *one == sender).map_or(0, |(_, stream)| stream.seen())
    }
}

/// Everyone who takes part, and in which conversation.
#[derive(Clone, Debug, Default)]
pub struct Checker {
    pub sides: Vec<Side>,
    /// The sides of each conversation: every one hears all the others.
    conversations: Vec<Vec<u32>>,
}

impl Checker {
    pub fn new(count: usize, conversations: Vec<Vec<u32>>) -> Self {
        Self { sides: vec![Side::default(); count], conversations }
    }

    /// Whether everything sent has been answered and heard.
    pub fn is_settled(&self) -> bool {
        self.conversations.iter().all(|members| {
            members.iter().all(|one| {
                let side = &self.sides[*one as usize];
                let heard = |other: &u32| side.heard_of(*other) >= self.sides[*other as usize].sent;
                side.answered.seen() >= side.sent && members.iter().filter(|other| *other != one).all(heard)
            })
        })
    }

    /// When nothing more is expected.
    pub fn verdict(&self) -> Verdict {
        let mut verdict = Verdict::default();
        for members in &self.conversations {
            let total: u64 = members.iter().map(|one| self.sides[*one as usize].sent).sum();
            for one in members {
                verdict += self.side_verdict(*one, members, total);
            }
        }
        verdict
    }

    /// By the names of the messages and, apart from that, by the numbers of the
    /// log: what both of them show is one fault.
    fn side_verdict(&self, one: u32, members: &[u32], total: u64) -> Verdict {
        let side = &self.sides[one as usize];
        let mut names = side.answered.verdict(side.sent);
        for other in members.iter().filter(|other| **other != one) {
            let stream = side.heard.iter().find(|(sender, _)| sender == other);
            let sent = self.sides[*other as usize].sent;
            names +=
                stream.map_or_else(|| Stream::default().verdict(sent), |(_, stream)| stream.verdict(sent));
        }
        let strangers = side.heard.iter().filter(|(sender, _)| *sender == one || !members.contains(sender));
        names.doubled += strangers.map(|(_, stream)| stream.seen()).sum::<u64>();
        let numbers = side.log.verdict(total);
        Verdict {
            lost: names.lost.max(numbers.lost),
            doubled: names.doubled.max(numbers.doubled),
            reordered: names.reordered.max(numbers.reordered),
        }
    }
}
