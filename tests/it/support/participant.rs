//! Somebody who keeps to the rules of docs/protocol.md through every fault, and
//! the law that is checked afterwards.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::time::Duration;

use sqlx::PgConnection;
use tidings::domain::{ClientId, ConversationId};
use tidings::protocol::{ClientFrame, Cursor, ErrorFrame, Hello, Send, ServerFrame, Stored, Sync, Watch};
use tokio::time::{Instant, sleep, timeout};
use tokio_tungstenite::tungstenite;
use uuid::Uuid;

use super::client::{Person, Socket};

/// `limits.unacknowledged_sends` by default.
const IN_FLIGHT_MAX: usize = 32;

/// Between two attempts to connect, at random up to this.
const RECONNECT_MAX: Duration = Duration::from_millis(100);

pub struct Participant {
    pub person: Person,
    /// The number of messages that each will have in the end.
    expected: BTreeMap<ConversationId, u64>,
    outbox: VecDeque<Entry>,
    /// Every answer to a send, the first one for each.
    pub stored: HashMap<ClientId, Stored>,
    /// What is on screen: own messages by their answers, others' as they come.
    pub shown: BTreeMap<(ConversationId, u64), ClientId>,
    pub connected: usize,
    hold: Option<Instant>,
}

struct Entry {
    send: Send,
    in_flight: bool,
}

impl Participant {
    /// `expected`: how many messages each of the conversations will have.
    pub fn new(person: Person, expected: &[(ConversationId, u64)]) -> Self {
        Self {
            person,
            expected: expected.iter().copied().collect(),
            outbox: VecDeque::new(),
            stored: HashMap::new(),
            shown: BTreeMap::new(),
            connected: 0,
            hold: None,
        }
    }

    /// Types a message; it goes out in [`run`](Self::run).
    pub fn write(&mut self, conversation: ConversationId, body: String) {
        let send = Send { client_id: ClientId(Uuid::now_v7()), conversation, body };
        self.outbox.push_back(Entry { send, in_flight: false });
    }

    /// Until everything is sent and everything expected is shown.
    pub async fn run(&mut self) {
        while !self.is_done() {
            if let Some(socket) = self.connect().await {
                self.converse(socket).await;
            }
            let share = f64::from(getrandom::u32().expect("randomness")) / f64::from(u32::MAX);
            sleep(RECONNECT_MAX.mul_f64(share)).await;
        }
    }

    fn is_done(&self) -> bool {
        self.outbox.is_empty() && self.expected.iter().all(|(id, count)| self.reached(*id) == *count)
    }

    /// How far this is shown without a gap.
    fn reached(&self, conversation: ConversationId) -> u64 {
        let numbers =
            self.shown.range((conversation, 0)..=(conversation, u64::MAX)).map(|((_, seq), _)| *seq);
        numbers.zip(1..).take_while(|(seq, next)| seq == next).count() as u64
    }

    fn cursors(&self) -> Vec<Cursor> {
        let cursor = |id: &ConversationId| Cursor { conversation: *id, seq: self.reached(*id) };
        self.expected.keys().map(cursor).collect()
    }

    async fn connect(&mut self) -> Option<Socket> {
        let mut socket = self.person.upgrade().await.ok()?;
        self.connected += 1;
        self.hold = None;
        self.recall();
        let hello = ClientFrame::Hello(Hello { cursors: self.cursors(), watch: Watch::default() });
        say(&mut socket, &hello).await.ok()?;
        Some(socket)
    }

    /// What has no answer is to be sent again.
    fn recall(&mut self) {
        self.outbox.iter_mut().for_each(|entry| entry.in_flight = false);
    }

    /// Until it is done or the socket ends.
    async fn converse(&mut self, mut socket: Socket) {
        while !self.is_done() {
            if self.send_what_may_go(&mut socket).await.is_err() {
                return;
            }
            let wait = self.hold.map_or(super::PATIENCE, |until| until - Instant::now());
            match timeout(wait, socket.next()).await {
                Ok(Ok(frame)) => {
                    if self.on_frame(&mut socket, frame).await.is_err() {
                        return;
                    }
                }
                Ok(Err(_)) => return,
                Err(_) => assert!(self.hold.take().is_some(), "{}: nothing comes", self.person.user.name),
            }
        }
    }

    /// The oldest first. After a refusal nothing goes out before its time, nor
    /// while what followed it has no answer: that is refused too, and goes behind.
    async fn send_what_may_go(&mut self, socket: &mut Socket) -> Result<(), tungstenite::Error> {
        if self.hold.is_some() {
            return Ok(());
        }
        let in_flight = self.outbox.iter().filter(|entry| entry.in_flight).count();
        if self.outbox.front().is_some_and(|oldest| !oldest.in_flight) && in_flight > 0 {
            return Ok(());
        }
        let room = IN_FLIGHT_MAX - in_flight;
        for entry in self.outbox.iter_mut().filter(|entry| !entry.in_flight).take(room) {
            say(socket, &ClientFrame::Send(entry.send.clone())).await?;
            entry.in_flight = true;
        }
        Ok(())
    }

    async fn on_frame(&mut self, socket: &mut Socket, frame: ServerFrame) -> Result<(), tungstenite::Error> {
        match frame {
            ServerFrame::Stored(stored) => self.on_stored(stored),
            ServerFrame::Message(message) => {
                self.show(message.conversation, message.seq, message.client_id);
            }
            ServerFrame::Resync(_) => {
                say(socket, &ClientFrame::Sync(Sync { cursors: self.cursors() })).await?;
                self.recall();
            }
            ServerFrame::Error(error) => self.on_refused(&error),
            _ => {}
        }
        Ok(())
    }

    fn on_stored(&mut self, stored: Stored) {
        self.show(stored.conversation, stored.seq, stored.client_id);
        self.outbox.retain(|entry| entry.send.client_id != stored.client_id);
        let first = self.stored.entry(stored.client_id).or_insert_with(|| stored.clone());
        assert_eq!(first.seq, stored.seq, "another place for the same message");
    }

    fn on_refused(&mut self, refused: &ErrorFrame) {
        let wait = refused.error.retry_after_ms.unwrap_or_else(|| panic!("refused for good: {refused:?}"));
        let until = Instant::now() + Duration::from_millis(wait.into());
        self.hold = Some(self.hold.map_or(until, |hold| hold.max(until)));
        for entry in &mut self.outbox {
            if Some(entry.send.client_id) == refused.client_id {
                entry.in_flight = false;
            }
        }
    }

    fn show(&mut self, conversation: ConversationId, seq: u64, client_id: ClientId) {
        let before = self.shown.insert((conversation, seq), client_id);
        assert!(before.is_none_or(|before| before == client_id), "two messages in one place");
    }
}

async fn say(socket: &mut Socket, frame: &ClientFrame) -> Result<(), tungstenite::Error> {
    socket.try_say(tungstenite::Message::text(serde_json::to_string(frame).expect("JSON"))).await
}

/// Everyone at once, until all are done.
pub async fn eventually_all(participants: Vec<Participant>) -> Vec<Participant> {
    let running = participants.into_iter().map(|mut participant| async {
        participant.run().await;
        participant
    });
    timeout(super::PATIENCE * 2, futures::future::join_all(running))
        .await
        .expect("everything is sent and shown")
}

/// Law L of FAULTS, after everyone is done: what was answered is in the database
/// exactly once, nothing else is, the numbers are dense, everybody saw the same
/// order, and each sender's messages are in the order of writing.
pub async fn check_law(database: &mut PgConnection, participants: &[Participant]) {
    type Row = (Uuid, i64, Uuid, Uuid);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT conversation_id, seq, sender_id, client_id FROM events ORDER BY conversation_id, seq",
    )
    .fetch_all(database)
    .await
    .expect("the log");
    let log: BTreeMap<(ConversationId, u64), ClientId> = rows
        .iter()
        .map(|(conversation, seq, _, client_id)| {
            let seq = u64::try_from(*seq).expect("a place");
            ((ConversationId(*conversation), seq), ClientId(*client_id))
        })
        .collect();
    let answered: HashSet<ClientId> =
        participants.iter().flat_map(|participant| participant.stored.keys().copied()).collect();
    let kept: HashSet<ClientId> = log.values().copied().collect();
    assert_eq!(kept.len(), log.len(), "a message is in the log twice");
    assert!(kept == answered, "{} messages are kept, {} were answered", kept.len(), answered.len());
    for participant in participants {
        let name = &participant.person.user.name;
        for stored in participant.stored.values() {
            let place = (stored.conversation, stored.seq);
            assert_eq!(log.get(&place), Some(&stored.client_id), "{name}: an answer with a wrong place");
        }
        for (id, count) in &participant.expected {
            let of = |all: &BTreeMap<_, _>| -> Vec<((ConversationId, u64), ClientId)> {
                all.range((*id, 0)..=(*id, u64::MAX)).map(|(place, client_id)| (*place, *client_id)).collect()
            };
            assert_eq!(of(&log).len() as u64, *count, "{name}: a conversation is not whole");
            assert_eq!(of(&log).last().map_or(0, |((_, seq), _)| *seq), *count, "{name}: the log has holes");
            assert_eq!(of(&participant.shown), of(&log), "{name}: another order was seen");
            // UUIDv7 of one process grow: the order of writing.
            let own = rows.iter().filter(|(conversation, _, sender, _)| {
                *conversation == id.0 && *sender == participant.person.user.id.0
            });
            assert!(own.map(|(.., client_id)| client_id).is_sorted(), "{name}: sent in another order");
        }
    }
}
