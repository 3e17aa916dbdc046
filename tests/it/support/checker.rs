//! The consistency checker of docs/reliability.md, as a pure function: checks a run by
//! its clients' histories, the log read back, and what a cold load returns.

use std::collections::HashMap;
use std::time::Duration;

use tidings::domain::{ClientId, ConversationId, Seq, UserId};

use super::history::{Entry, Event, History, MessageFingerprint};

/// Everything that is known about a run after it has ended.
#[derive(Clone, Debug, Default)]
pub struct Run {
    pub histories: Vec<History>,
    /// The database's log, by conversation and place.
    pub log: Vec<Entry>,
    /// What a new client loads, in the same order.
    pub loaded: Vec<Entry>,
}

/// A violation of the consistency model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Violation {
    /// Answered `stored` or shown at this position, but not there.
    Lost(Entry),
    /// In the log, or on one screen, for the second time.
    Doubled(Entry),
    /// In the log, but nobody sent it.
    Phantom(Entry),
    /// In the log, but its sender was told that it will not be.
    Refused(Entry),
    /// A resend was answered with another position.
    Moved(ClientId, Seq),
    /// On screen, but its predecessor was not.
    Skipped(UserId, Entry),
    /// In the log before one that its sender wrote earlier.
    Reordered(Entry),
    /// In the log before one that was stored before this was written.
    Overtook(Entry),
    /// No message has this position, but later ones do.
    Hole(ConversationId, Seq),
    /// Never shown to somebody who follows the conversation.
    Missed(UserId, Entry),
    /// A cold load returns something else at this index of the list.
    LoadDiffers(usize),
    /// A conversation was taken back.
    Undone(UserId, ConversationId),
}

/// A message's own id.
type Id = (UserId, ClientId);

fn id(message: &MessageFingerprint) -> Id {
    (message.sender, message.client_id)
}

/// Returns every violation; none if the run is consistent.
pub fn check(run: &Run) -> Vec<Violation> {
    let mut checker = Checker::new(run);
    checker.log_is_dense_and_single();
    checker.log_was_sent();
    for history in &run.histories {
        checker.answers_are_kept(history);
        checker.screen_is_the_log(history);
        checker.order_of_writing_is_kept(history);
    }
    checker.what_was_stored_comes_first();
    checker.loads_are_the_log();
    checker.found
}

struct Checker<'a> {
    run: &'a Run,
    places: HashMap<(ConversationId, Seq), MessageFingerprint>,
    seqs: HashMap<Id, Seq>,
    found: Vec<Violation>,
}

impl<'a> Checker<'a> {
    fn new(run: &'a Run) -> Self {
        let places = run.log.iter().map(|entry| ((entry.message.conversation, entry.seq), entry.message));
        let seqs = run.log.iter().map(|entry| (id(&entry.message), entry.seq));
        Self { run, places: places.collect(), seqs: seqs.collect(), found: Vec::new() }
    }

    fn log_is_dense_and_single(&mut self) {
        let mut ends: HashMap<ConversationId, Seq> = HashMap::new();
        for entry in &self.run.log {
            let end = ends.entry(entry.message.conversation).or_default();
            for missing in *end + 1..entry.seq {
                self.found.push(Violation::Hole(entry.message.conversation, missing));
            }
            *end = entry.seq;
            if self.seqs[&id(&entry.message)] != entry.seq {
                self.found.push(Violation::Doubled(*entry));
            }
        }
    }

    fn log_was_sent(&mut self) {
        let (mut sent, mut refused) = (HashMap::new(), HashMap::new());
        for history in &self.run.histories {
            for (_, what) in &history.events {
                match what {
                    Event::Sent(message) => drop(sent.insert(id(message), *message)),
                    Event::Refused(client_id) => drop(refused.insert((history.user, *client_id), ())),
                    _ => {}
                }
            }
        }
        for entry in &self.run.log {
            if sent.get(&id(&entry.message)) != Some(&entry.message) {
                self.found.push(Violation::Phantom(*entry));
            }
            if refused.contains_key(&id(&entry.message)) {
                self.found.push(Violation::Refused(*entry));
            }
        }
    }

    fn answers_are_kept(&mut self, history: &History) {
        let (mut sent, mut answers): (HashMap<_, MessageFingerprint>, HashMap<_, Seq>) = Default::default();
        for (_, what) in &history.events {
            match what {
                Event::Sent(message) => drop(sent.insert(message.client_id, *message)),
                Event::Stored(client_id, seq) => {
                    if *answers.entry(*client_id).or_insert(*seq) != *seq {
                        self.found.push(Violation::Moved(*client_id, *seq));
                    }
                    if let Some(message) = sent.get(client_id) {
                        self.is_there(Entry { seq: *seq, message: *message });
                    }
                }
                _ => {}
            }
        }
    }

    fn is_there(&mut self, entry: Entry) {
        if self.places.get(&(entry.message.conversation, entry.seq)) != Some(&entry.message) {
            self.found.push(Violation::Lost(entry));
        }
    }

    fn screen_is_the_log(&mut self, history: &History) {
        let mut ends: HashMap<ConversationId, Seq> = HashMap::new();
        for (_, what) in &history.events {
            match what {
                Event::Shown(entry) => {
                    self.is_there(*entry);
                    let end = ends.entry(entry.message.conversation).or_default();
                    match entry.seq {
                        seq if seq <= *end => self.found.push(Violation::Doubled(*entry)),
                        seq if seq > *end + 1 => {
                            self.found.push(Violation::Skipped(history.user, *entry));
                        }
                        _ => {}
                    }
                    *end = entry.seq.max(*end);
                }
                Event::Undone(conversation) => {
                    self.found.push(Violation::Undone(history.user, *conversation));
                    ends.remove(conversation);
                }
                _ => {}
            }
        }
        for entry in &self.run.log {
            let conversation = entry.message.conversation;
            let end = ends.get(&conversation).copied().unwrap_or_default();
            if entry.seq > end && history.follows.contains(&conversation) {
                self.found.push(Violation::Missed(history.user, *entry));
            }
        }
    }

    fn order_of_writing_is_kept(&mut self, history: &History) {
        let mut ends: HashMap<ConversationId, Seq> = HashMap::new();
        for (_, what) in &history.events {
            let Event::Sent(message) = what else { continue };
            let Some(&seq) = self.seqs.get(&id(message)) else { continue };
            let end = ends.entry(message.conversation).or_default();
            if seq < *end {
                self.found.push(Violation::Reordered(Entry { seq, message: *message }));
            }
            *end = seq.max(*end);
        }
    }

    /// What was written after another message was answered lies behind it, who
    /// ever wrote the two (linearizability of the log).
    fn what_was_stored_comes_first(&mut self) {
        let (mut sent, mut answered): (HashMap<Id, Duration>, HashMap<Id, Duration>) = Default::default();
        for history in &self.run.histories {
            for (at, what) in &history.events {
                match what {
                    Event::Sent(message) => drop(sent.insert(id(message), *at)),
                    Event::Stored(client_id, _) => {
                        answered.entry((history.user, *client_id)).or_insert(*at);
                    }
                    _ => {}
                }
            }
        }
        // From the end of each log: the earliest answer to anything that lies behind.
        let mut earliest: HashMap<ConversationId, Duration> = HashMap::new();
        for entry in self.run.log.iter().rev() {
            let bound = earliest.entry(entry.message.conversation).or_insert(Duration::MAX);
            if sent.get(&id(&entry.message)).is_some_and(|sent| *sent > *bound) {
                self.found.push(Violation::Overtook(*entry));
            }
            let answered = answered.get(&id(&entry.message)).copied().unwrap_or(Duration::MAX);
            *bound = answered.min(*bound);
        }
    }

    fn loads_are_the_log(&mut self) {
        let (log, loaded) = (&self.run.log, &self.run.loaded);
        let differs = (0..log.len().max(loaded.len())).find(|index| log.get(*index) != loaded.get(*index));
        self.found.extend(differs.map(Violation::LoadDiffers));
    }
}
