//! Somebody who keeps to the rules of docs/protocol.md through every fault, as
//! the browser does, and notes everything.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tidings::domain::{ClientId, ConversationId, Seq};
use tidings::protocol::{
    ClientFrame, Code, Content, Cursor, ErrorFrame, GiveUp, Hello, Send, ServerFrame, Sync,
};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite;
use uuid::Uuid;

use super::client::{Person, Socket};
use super::history::{Entry, Event, History, MessageFingerprint};
use super::seed::Dice;
use super::standing::{Pace, Phase, Standing};

/// `limits.unacknowledged_sends` by default.
const IN_FLIGHT_MAX: usize = 32;

/// The browser's own times (client/src/sdk/connection/connection.ts).
const QUIET: Duration = Duration::from_secs(20);
const PONG: Duration = Duration::from_secs(10);
const CONNECT: Duration = Duration::from_secs(15);
const STABLE: Duration = Duration::from_secs(5);

pub struct Participant {
    person: Person,
    /// Where its socket connects: the server, or what lies before it.
    address: String,
    pace: Pace,
    dice: Dice,
    started: Instant,
    phase: watch::Receiver<Phase>,
    standing: Arc<Mutex<Standing>>,
    /// Texts to be said as they are, on the socket that is open then.
    orders: mpsc::UnboundedReceiver<String>,
    views: BTreeMap<ConversationId, View>,
    outbox: VecDeque<Outgoing>,
    next_write: Instant,
    hold: Option<Instant>,
    /// A replay was asked for and has not ended.
    syncing: bool,
    backoff: (Duration, Duration),
    failures: u32,
    history: History,
}

/// What is shown of a conversation, and what waits for the gap before it.
#[derive(Default)]
struct View {
    shown: Seq,
    aside: BTreeMap<Seq, MessageFingerprint>,
}

struct Outgoing {
    message: MessageFingerprint,
    body: String,
    written: Instant,
    in_flight: bool,
}

/// The socket is of no use any more.
struct Lost;

impl From<tungstenite::Error> for Lost {
    fn from(_: tungstenite::Error) -> Self {
        Self
    }
}

impl Participant {
    pub fn new(
        person: Person,
        address: String,
        conversations: &[ConversationId],
        pace: Pace,
        dice: Dice,
        started: Instant,
        phase: watch::Receiver<Phase>,
    ) -> (Self, mpsc::UnboundedSender<String>) {
        let (order, orders) = mpsc::unbounded_channel();
        let history = History { user: person.user.id, follows: conversations.to_vec(), events: Vec::new() };
        let participant = Self {
            person,
            address,
            pace,
            dice,
            started,
            phase,
            standing: Arc::default(),
            orders,
            views: conversations.iter().map(|id| (*id, View::default())).collect(),
            outbox: VecDeque::new(),
            next_write: started,
            hold: None,
            syncing: false,
            backoff: (Duration::from_millis(500), Duration::from_secs(20)),
            failures: 0,
            history,
        };
        (participant, order)
    }

    pub fn standing(&self) -> Arc<Mutex<Standing>> {
        self.standing.clone()
    }

    /// Until everything is sent and shown; what it did and saw.
    pub async fn run(mut self) -> History {
        while !self.is_done() {
            let attempt = timeout(CONNECT, self.connect()).await;
            let opened = Instant::now();
            if let Ok(Ok(mut socket)) = attempt {
                // However it ends, it is opened again.
                let (Err(Lost) | Ok(())) = self.converse(&mut socket).await;
                if opened.elapsed() >= STABLE {
                    self.failures = 0;
                }
            }
            self.standing_mut().synced = None;
            if !self.is_done() {
                self.wait_to_come_back().await;
            }
        }
        self.history
    }

    fn is_done(&self) -> bool {
        let Phase::Finish(ends) = &*self.phase.borrow() else { return false };
        let shown =
            |(id, view): (&ConversationId, &View)| view.shown >= ends.get(id).copied().unwrap_or_default();
        self.outbox.is_empty() && self.views.iter().all(shown)
    }

    /// Full jitter between the shortest wait and a span that doubles.
    async fn wait_to_come_back(&mut self) {
        self.failures += 1;
        let (min, max) = self.backoff;
        let span = max.min(min * 2u32.saturating_pow(self.failures.min(16)));
        let until = Instant::now() + min + span.saturating_sub(min).mul_f64(self.dice.share());
        // Whoever is offline goes on writing.
        while Instant::now() < until {
            self.write_what_is_due();
            let next = if self.may_write() { self.next_write.min(until) } else { until };
            sleep_until(next.max(Instant::now() + Duration::from_millis(1))).await;
        }
    }

    async fn connect(&mut self) -> Result<Socket, Lost> {
        let mut socket = self.person.upgrade_at(&self.address).await?;
        self.standing_mut().sockets += 1;
        self.hold = None;
        self.recall();
        self.syncing = true;
        say(&mut socket, &ClientFrame::Hello(Hello { cursors: self.cursors(), ..Hello::default() })).await?;
        Ok(socket)
    }

    fn cursors(&self) -> Vec<Cursor> {
        self.views.iter().map(|(id, view)| Cursor::new(*id, view.shown)).collect()
    }

    /// What has no answer is to be sent again.
    fn recall(&mut self) {
        self.outbox.iter_mut().for_each(|message| message.in_flight = false);
    }

    /// Until it is done or the socket is lost.
    async fn converse(&mut self, socket: &mut Socket) -> Result<(), Lost> {
        let (mut heard, mut asked) = (Instant::now(), false);
        while !self.is_done() {
            self.write_what_is_due();
            self.send_what_may_go(socket).await?;
            let silence = heard + if asked { QUIET + PONG } else { QUIET };
            let mut phase = self.phase.clone();
            tokio::select! {
                frame = socket.next() => {
                    let frame = frame.map_err(|_| Lost)?;
                    // The history has what counts.
                    socket.heard.clear();
                    (heard, asked) = (Instant::now(), false);
                    self.on_frame(socket, frame).await?;
                }
                Some(text) = self.orders.recv() => {
                    socket.try_say(tungstenite::Message::text(text)).await?;
                }
                changed = phase.changed() => changed.map_err(|_| Lost)?,
                () = sleep_until(self.next_write), if self.may_write() => {}
                () = sleep_until(self.hold.unwrap_or(heard)), if self.hold.is_some() => self.hold = None,
                () = sleep_until(silence) => {
                    if asked {
                        return Err(Lost);
                    }
                    asked = true;
                    socket.try_say(tungstenite::Message::text(r#"{"type":"ping"}"#)).await?;
                }
            }
            self.phase.borrow_and_update();
        }
        Ok(())
    }

    fn may_write(&self) -> bool {
        matches!(*self.phase.borrow(), Phase::Write)
            && self.outbox.len() < self.pace.window
            && self.standing_mut().written < self.pace.each
    }

    /// In one conversation after the other.
    fn write_what_is_due(&mut self) {
        while self.may_write() && self.next_write <= Instant::now() {
            let now = Instant::now();
            // Nobody makes up for the time in which the window was full.
            self.next_write = (self.next_write + self.pace.every).max(now);
            let number = self.standing_mut().written;
            let follows = &self.history.follows;
            let conversation = follows[number as usize % follows.len()];
            let body = format!("{number:<width$}.", width = self.pace.length);
            let client_id = ClientId(Uuid::now_v7());
            let message = MessageFingerprint::new(conversation, self.person.user.id, client_id, &body);
            self.outbox.push_back(Outgoing { message, body, written: now, in_flight: false });
            self.note(Event::Sent(message));
            self.standing_mut().written += 1;
            self.stand();
        }
    }

    /// The oldest first. After a refusal nothing goes out before its time; then
    /// whatever is not in flight does, and the server keeps the order.
    async fn send_what_may_go(&mut self, socket: &mut Socket) -> Result<(), Lost> {
        if self.hold.is_some() {
            return Ok(());
        }
        let in_flight = self.outbox.iter().filter(|message| message.in_flight).count();
        let room = IN_FLIGHT_MAX - in_flight;
        for outgoing in self.outbox.iter_mut().filter(|message| !message.in_flight).take(room) {
            let MessageFingerprint { client_id, conversation, .. } = outgoing.message;
            let content = Content::message(&outgoing.body);
            say(socket, &ClientFrame::Send(Send { client_id, conversation, content })).await?;
            outgoing.in_flight = true;
        }
        Ok(())
    }

    async fn on_frame(&mut self, socket: &mut Socket, frame: ServerFrame) -> Result<(), Lost> {
        match frame {
            ServerFrame::Welcome(welcome) => {
                let millis = |limit: u32| Duration::from_millis(limit.into());
                self.backoff =
                    (millis(welcome.limits.reconnect_min_ms), millis(welcome.limits.reconnect_max_ms));
            }
            ServerFrame::Stored(stored) => {
                self.standing_mut().duplicates += u64::from(stored.duplicate);
                self.on_stored(stored.client_id, stored.seq);
            }
            ServerFrame::Event(event) => self.receive(event.seq, MessageFingerprint::from(&event)),
            ServerFrame::Resync(_) => {
                self.standing_mut().resyncs += 1;
                self.recall();
                self.sync(socket).await?;
            }
            ServerFrame::Synced(synced) => {
                self.syncing = false;
                for conversation in synced.reset {
                    self.note(Event::Undone(conversation));
                    self.views.insert(conversation, View::default());
                    self.page(conversation).await?;
                }
                for conversation in synced.truncated {
                    self.page(conversation).await?;
                }
                self.standing_mut().synced = Some(Instant::now());
            }
            ServerFrame::Error(error) => self.on_refused(socket, &error).await?,
            _ => {}
        }
        // A gap that no replay under way will fill.
        if !self.syncing && self.views.values().any(|view| !view.aside.is_empty()) {
            self.sync(socket).await?;
        }
        Ok(())
    }

    async fn sync(&mut self, socket: &mut Socket) -> Result<(), Lost> {
        self.syncing = true;
        Ok(say(socket, &ClientFrame::Sync(Sync { cursors: self.cursors() })).await?)
    }

    /// Through the history to its end.
    async fn page(&mut self, conversation: ConversationId) -> Result<(), Lost> {
        loop {
            let shown = self.views[&conversation].shown;
            let history = self.person.page_after(conversation, shown).await.map_err(|_| Lost)?;
            for message in &history.messages {
                self.receive(message.seq, MessageFingerprint::from(message));
            }
            if history.messages.is_empty() || self.views[&conversation].shown >= history.last_seq {
                return Ok(());
            }
        }
    }

    fn on_stored(&mut self, client_id: ClientId, seq: Seq) {
        self.note(Event::Stored(client_id, seq));
        let Some(index) = self.outbox.iter().position(|outgoing| outgoing.message.client_id == client_id)
        else {
            return;
        };
        let outgoing = self.outbox.remove(index).expect("it was found");
        self.standing_mut().answered += 1;
        self.stand();
        self.receive(seq, outgoing.message);
    }

    async fn on_refused(&mut self, socket: &mut Socket, refused: &ErrorFrame) -> Result<(), Lost> {
        // A proxy has doubled the first frame.
        if refused.error.code == Code::HelloRepeated {
            return Ok(());
        }
        let Some(wait) = refused.error.retry_after_ms else {
            let index = self.outbox.iter().position(|one| Some(one.message.client_id) == refused.client_id);
            let outgoing = index.and_then(|index| self.outbox.remove(index));
            let outgoing = outgoing.unwrap_or_else(|| panic!("refused without a reason: {refused:?}"));
            self.note(Event::Refused(outgoing.message.client_id));
            self.stand();
            return Ok(());
        };
        // It came twice, and is stored.
        let is_held = self.outbox.iter().any(|one| Some(one.message.client_id) == refused.client_id);
        if let (Some(client_id), false) = (refused.client_id, is_held) {
            return Ok(say(socket, &ClientFrame::GiveUp(GiveUp { client_id })).await?);
        }
        let until = Instant::now() + Duration::from_millis(wait.into());
        self.hold = Some(self.hold.map_or(until, |hold| hold.max(until)));
        for outgoing in &mut self.outbox {
            outgoing.in_flight &= Some(outgoing.message.client_id) != refused.client_id;
        }
        Ok(())
    }

    /// Section 5 of docs/protocol.md: what is known is dropped, what is next is shown, and what is
    /// beyond a gap waits.
    fn receive(&mut self, seq: Seq, message: MessageFingerprint) {
        let Some(view) = self.views.get_mut(&message.conversation) else { return };
        if seq <= view.shown {
            return;
        }
        view.aside.insert(seq, message);
        let mut shown = Vec::new();
        while let Some(message) = view.aside.remove(&(view.shown + 1)) {
            view.shown += 1;
            shown.push(Entry { seq: view.shown, message });
        }
        shown.into_iter().for_each(|entry| self.note(Event::Shown(entry)));
    }

    fn note(&mut self, what: Event) {
        self.history.events.push((self.started.elapsed(), what));
    }

    fn stand(&mut self) {
        let oldest = self.outbox.front().map(|outgoing| outgoing.written);
        self.standing_mut().unanswered = oldest;
    }

    fn standing_mut(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().expect("no holder panics")
    }
}

async fn say(socket: &mut Socket, frame: &ClientFrame) -> Result<(), tungstenite::Error> {
    socket.try_say(tungstenite::Message::text(serde_json::to_string(frame).expect("JSON"))).await
}
