//! A server that is attacked, and what others see of it.

use std::cell::Cell;
use std::time::{Duration, Instant};

use tidings::domain::ConversationId;
use tidings::protocol::{ClientFrame, Position, ServerFrame};
use tokio::time::{sleep, sleep_until};

use crate::support::{Person, ServerProcess, Socket};

/// What an attack may cost the server.
const GROWTH_MAX: usize = 64 << 20;
/// Within this, somebody else's message is stored.
const STORED_WITHIN: Duration = Duration::from_secs(1);
/// Within this, its writer sees that it was read: receipts are gathered for a
/// quarter of a second.
const READ_WITHIN: Duration = Duration::from_secs(4);

/// Four a second: within what a user may send.
const EVERY: Duration = Duration::from_millis(250);
/// How often memory is looked at.
const SAMPLE: Duration = Duration::from_millis(20);

/// A server as everybody has it, and two who talk there.
pub struct Attacked {
    pub server: ServerProcess,
    talk: Talk,
}

/// Two people in a conversation.
struct Talk {
    conversation: ConversationId,
    writer: Socket,
    reader: Socket,
}

/// What the two saw at the worst.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    stored: Duration,
    read: Duration,
    messages: u32,
}

impl Attacked {
    pub async fn start() -> Self {
        let server = ServerProcess::with(&[]).await;
        let (writer, reader) = (server.person("Witness").await, server.person("Friend").await);
        let conversation = writer.conversation_with(&reader).await;
        let (writer, reader) = (writer.connect(&[]).await, reader.connect(&[]).await);
        let mut talk = Talk { conversation, writer, reader };
        // What is made with the first is not the attack's.
        for _ in 0..3 {
            talk.exchange().await;
            sleep(EVERY).await;
        }
        Self { server, talk }
    }

    pub async fn person(&self, name: &str) -> Person {
        self.server.person(name).await
    }

    /// A conversation that is not the attacker's.
    pub fn conversation_of_others(&self) -> ConversationId {
        self.talk.conversation
    }

    /// Watches until the attack is over; all the while everything must be within
    /// bounds.
    pub async fn during<T>(&mut self, id: &str, attack: impl Future<Output = T>) -> T {
        let Self { server, talk } = self;
        let before = server.resident_bytes();
        let (mut most, mut seen, is_over) = (before, Seen::default(), Cell::new(false));
        let attacking = async {
            let outcome = attack.await;
            is_over.set(true);
            outcome
        };
        let talking = async {
            while !is_over.get() {
                talk.note(&mut seen).await;
            }
            // Once more when all is over.
            talk.note(&mut seen).await;
        };
        let both = async { tokio::join!(attacking, talking).0 };
        let sampling = async {
            loop {
                most = most.max(server.resident_bytes());
                sleep(SAMPLE).await;
            }
        };
        let outcome = tokio::select! {
            outcome = both => outcome,
            () = sampling => unreachable!("it has no end"),
        };
        let grown = most.saturating_sub(before);
        eprintln!("{id}: {} KiB more memory, {seen:?}", grown / 1024);
        assert!(grown <= GROWTH_MAX, "{id}: {grown} bytes");
        assert!(seen.stored <= STORED_WITHIN && seen.read <= READ_WITHIN, "{id}: {seen:?}");
        outcome
    }
}

impl Talk {
    async fn note(&mut self, seen: &mut Seen) {
        let next = tokio::time::Instant::now() + EVERY;
        let (stored, read) = self.exchange().await;
        seen.messages += 1;
        seen.stored = seen.stored.max(stored);
        seen.read = seen.read.max(read);
        sleep_until(next).await;
    }

    /// One writes, the other reads: how long until that was stored, and seen.
    async fn exchange(&mut self) -> (Duration, Duration) {
        let (conversation, begun) = (self.conversation, Instant::now());
        let client_id = self.writer.send(conversation, "Are you there?").await;
        let seq = self.writer.stored(client_id).await.seq;
        let stored = begun.elapsed();
        let arrived = |frame: &ServerFrame| matches!(frame, ServerFrame::Event(event) if event.seq == seq);
        self.reader.expect("the message", arrived).await;
        let begun = Instant::now();
        self.reader.say(&ClientFrame::Read(Position { conversation, seq })).await;
        let is_read =
            |frame: &ServerFrame| matches!(frame, ServerFrame::Receipt(receipt) if receipt.read >= seq);
        self.writer.expect("its receipt", is_read).await;
        (stored, begun.elapsed())
    }
}
