//! Many participants at once, and the verdict on what they saw.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sqlx::{Connection, PgConnection};
use tidings::domain::{ClientId, ConversationId, Seq, UserId};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

use super::checker::{Run, Violation, check};
use super::client::Person;
use super::history::{Entry, Event, History, MessageFingerprint};
use super::participant::Participant;
use super::seed::Dice;
use super::standing::{Pace, Phase, Standing};
use super::{PATIENCE, POLL, eventually, eventually_some};

/// The clients' histories are read together, so they may take longer.
const LOADS_AT_ONCE: usize = 16;

/// People who write to each other.
pub struct Crowd {
    people: Vec<Person>,
    conversations: Vec<Talk>,
    standings: Vec<Arc<Mutex<Standing>>>,
    phase: watch::Sender<Phase>,
    orders: Vec<mpsc::UnboundedSender<String>>,
    tasks: JoinSet<History>,
    started: Instant,
}

/// A conversation of two of them, by their numbers.
struct Talk {
    id: ConversationId,
    one: usize,
    other: usize,
}

/// Who they are and how they write.
#[derive(Clone, Debug)]
pub struct Plan<'a> {
    /// What their names begin with.
    pub name: &'a str,
    pub people: usize,
    pub shape: Shape,
    pub pace: Pace,
    /// Where their sockets connect, if not to the server itself.
    pub address: Option<&'a str>,
}

/// Who writes to whom.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shape {
    /// Everybody to the next and to the one before.
    Ring,
    /// Everybody and the first to each other.
    Star,
}

impl Default for Pace {
    /// As fast as somebody in a hurry, until the end.
    fn default() -> Self {
        Self { window: 8, every: Duration::from_millis(5), each: u64::MAX, length: 20 }
    }
}

impl Default for Plan<'_> {
    fn default() -> Self {
        Self { name: "Person", people: 10, shape: Shape::Ring, pace: Pace::default(), address: None }
    }
}

impl Shape {
    /// The pairs who talk, by their numbers.
    fn pairs(self, people: usize) -> Vec<(usize, usize)> {
        match self {
            // Of two there is one pair, of more as many as there are people.
            Self::Ring if people == 2 => vec![(0, 1)],
            Self::Ring => (0..people).map(|one| (one, (one + 1) % people)).collect(),
            Self::Star => (1..people).map(|one| (0, one)).collect(),
        }
    }
}

impl Crowd {
    /// Logs them in and lets them begin.
    pub async fn start(url: &str, plan: &Plan<'_>, dice: &mut Dice) -> Self {
        let names = (0..plan.people).map(|number| format!("{} {number}", plan.name));
        let people: Vec<Person> =
            futures::future::join_all(names.map(async |name| Person::log_in(url, &name).await)).await;
        let pairs = plan.shape.pairs(plan.people);
        let mut conversations = Vec::new();
        for (one, other) in &pairs {
            let id = people[*one].conversation_with(&people[*other]).await;
            conversations.push(Talk { id, one: *one, other: *other });
        }
        let (phase, phases) = watch::channel(Phase::Write);
        let (mut tasks, mut standings, mut orders) = (JoinSet::new(), Vec::new(), Vec::new());
        let started = Instant::now();
        for (index, person) in people.iter().enumerate() {
            let own = conversations.iter().filter(|talk| talk.one == index || talk.other == index);
            let own: Vec<_> = own.map(|talk| talk.id).collect();
            let address = plan.address.unwrap_or(person.address()).to_owned();
            let (participant, order) = Participant::new(
                person.clone(),
                address,
                &own,
                plan.pace.clone(),
                dice.fork(),
                started,
                phases.clone(),
            );
            standings.push(participant.standing());
            orders.push(order);
            tasks.spawn(participant.run());
        }
        Self { people, conversations, standings, phase, orders, tasks, started }
    }

    pub fn people(&self) -> &[Person] {
        &self.people
    }

    /// Lets one of them say this, as it is.
    pub fn order(&self, person: usize, text: &str) {
        self.orders[person].send(text.to_owned()).expect("they are there until the end");
    }

    /// Since the start of the run.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    pub fn standings(&self) -> Vec<Standing> {
        self.standings.iter().map(|standing| standing.lock().expect("no holder panics").clone()).collect()
    }

    /// Messages answered until now.
    pub fn answered(&self) -> u64 {
        self.standings().iter().map(|standing| standing.answered).sum()
    }

    /// Until so many are answered, however long that takes on a busy machine: as long
    /// as more and more are.
    pub async fn until_answered(&self, count: u64) {
        let mut known = self.answered();
        while known < count {
            eventually("more messages are answered", async || self.answered() > known).await;
            known = self.answered();
        }
    }

    /// Until this many more are answered than now.
    pub async fn until_more(&self, count: u64) {
        self.until_answered(self.answered() + count).await;
    }

    /// Until everybody is in step and what was written before now is answered;
    /// how long that took.
    pub async fn until_caught_up(&self) -> Duration {
        let now = Instant::now();
        let behind = |standing: &Standing| {
            standing.synced.is_none() || standing.unanswered.is_some_and(|written| written <= now)
        };
        while self.standings().iter().any(behind) {
            if now.elapsed() > PATIENCE {
                let standings: Vec<_> = self.standings().into_iter().filter(behind).collect();
                panic!("these have not caught up within {PATIENCE:?}: {standings:#?}");
            }
            sleep(POLL).await;
        }
        now.elapsed()
    }

    /// Whether nobody had to open a second socket.
    pub fn kept_its_sockets(&self) -> bool {
        self.standings().iter().all(|standing| standing.sockets == 1)
    }

    /// Lets everybody finish, and checks the run: there must be no violation.
    pub async fn finish(self, database: &str) -> Outcome {
        let run = self.end(database).await;
        let found = check(&run);
        let most = &found[..found.len().min(10)];
        assert!(found.is_empty(), "{} violations: {most:#?}", found.len());
        Outcome::of(&run)
    }

    /// The same where violations are allowed.
    pub async fn verdict(self, database: &str) -> Vec<Violation> {
        check(&self.end(database).await)
    }

    async fn end(mut self, database: &str) -> Run {
        self.phase.send_replace(Phase::Drain);
        let drained = async || {
            let standings = self.standings();
            standings.iter().all(|one| one.unanswered.is_none() && one.synced.is_some())
        };
        eventually("every message is answered", drained).await;
        let log = read_log(database, &self.conversations).await;
        let ends: HashMap<ConversationId, Seq> =
            log.iter().map(|entry| (entry.message.conversation, entry.seq)).collect();
        self.phase.send_replace(Phase::Finish(Arc::new(ends)));
        let tasks = std::mem::take(&mut self.tasks);
        let histories = timeout(PATIENCE, tasks.join_all()).await.unwrap_or_else(|_| {
            panic!("not everything is shown: {:?}", self.standings());
        });
        Run { histories, loaded: self.load().await, log }
    }

    /// What somebody who comes anew loads of every conversation.
    async fn load(&self) -> Vec<Entry> {
        use futures::StreamExt;
        let loads = self.conversations.iter().map(async |talk| {
            let messages = self.people[talk.one].history(talk.id).await;
            messages.iter().map(|one| Entry { seq: one.seq, message: one.into() }).collect::<Vec<_>>()
        });
        let mut loaded: Vec<Entry> =
            futures::stream::iter(loads).buffer_unordered(LOADS_AT_ONCE).concat().await;
        loaded.sort_by_key(|entry| (entry.message.conversation, entry.seq));
        loaded
    }
}

/// The log of these conversations as it is in the database.
async fn read_log(database: &str, conversations: &[Talk]) -> Vec<Entry> {
    type Row = (Uuid, i64, Uuid, Uuid, String);
    let connect = async || PgConnection::connect(database).await.ok();
    let mut connection = eventually_some("PostgreSQL accepts", connect).await;
    let ids: Vec<Uuid> = conversations.iter().map(|talk| talk.id.0).collect();
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT conversation_id, seq, sender_id, client_id, body FROM messages
        WHERE conversation_id = ANY ($1) ORDER BY conversation_id, seq",
    )
    .bind(ids)
    .fetch_all(&mut connection)
    .await
    .expect("the log");
    let entry = |(conversation, seq, sender, client_id, body): Row| Entry {
        seq: seq.try_into().expect("a place"),
        message: MessageFingerprint::new(
            ConversationId(conversation),
            UserId(sender),
            ClientId(client_id),
            &body,
        ),
    };
    rows.into_iter().map(entry).collect()
}

/// The figures of a run without violations.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub messages: usize,
    /// When each message was answered, and the time since it was written.
    answers: Vec<(Duration, Duration)>,
}

impl Outcome {
    fn of(run: &Run) -> Self {
        let mut sent = HashMap::new();
        for history in &run.histories {
            for (at, what) in &history.events {
                if let Event::Sent(message) = what {
                    sent.insert((message.sender, message.client_id), *at);
                }
            }
        }
        let mut answers = Vec::new();
        for history in &run.histories {
            for (at, what) in &history.events {
                if let Event::Stored(client_id, _) = what {
                    answers.push((*at, *at - sent[&(history.user, *client_id)]));
                }
            }
        }
        Self { messages: run.log.len(), answers }
    }

    /// The times to an answer, of those that came between two moments of the
    /// run, sorted.
    pub fn answers_between(&self, from: Duration, to: Duration) -> Vec<Duration> {
        let within = self.answers.iter().filter(|(at, _)| (from..to).contains(at));
        let mut took: Vec<Duration> = within.map(|(_, took)| *took).collect();
        took.sort_unstable();
        took
    }
}

/// The value below which this share of the sorted values lies, of which there is one at least.
pub fn quantile(sorted: &[Duration], share: f64) -> Duration {
    let last = sorted.len().saturating_sub(1);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index within the list")]
    let index = (last as f64 * share).round() as usize;
    *sorted.get(index).expect("there is something to measure")
}
