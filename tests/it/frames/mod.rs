//! Bad frames (RFC 6455) by hand-made bytes. Ids are those of
//! docs/reliability.md. Beside each of them two others talk, who are to notice
//! nothing.

mod breaches;
mod closing;
mod floods;
mod sizes;

use tidings::domain::ConversationId;
use tidings::protocol::Event;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::support::{PATIENCE, Person, RawSocket, Socket, TEXT};

const HELLO: &[u8] = br#"{"type":"hello","cursors":[]}"#;
const JSON_PING: &[u8] = br#"{"type":"ping"}"#;
const JSON_PONG: &str = r#"{"type":"pong"}"#;

/// A socket that has said hello.
async fn greeted(person: &Person) -> RawSocket {
    let mut socket = RawSocket::open(person).await;
    socket.say(TEXT, HELLO).await;
    socket.hears(r#""type":"synced""#).await;
    socket
}

/// Two people who talk, each with the answer of the other before the next word.
struct Talk {
    stop: oneshot::Sender<()>,
    /// How often both have spoken.
    exchanges: watch::Receiver<u64>,
    talking: JoinHandle<()>,
}

impl Talk {
    async fn begin(url: &str) -> Self {
        let (bob, eve) = (Person::log_in(url, "Bob").await, Person::log_in(url, "Eve").await);
        let conversation = bob.conversation_with(&eve).await;
        let mut sockets = [bob.connect(&[]).await, eve.connect(&[]).await];
        // Once before anything else happens.
        exchange(&mut sockets, conversation, 0).await;
        let (stop, mut stopped) = oneshot::channel();
        let (count, counted) = watch::channel(1);
        let talking = tokio::spawn(async move {
            let mut exchanges = 1;
            let mut is_over = false;
            // Once more after all that happens.
            while !is_over {
                is_over = stopped.try_recv() != Err(oneshot::error::TryRecvError::Empty);
                exchange(&mut sockets, conversation, exchanges).await;
                exchanges += 1;
                count.send_replace(exchanges);
            }
            let log = eve.history(conversation).await;
            let said: Vec<String> =
                (0..exchanges).flat_map(|number| [word(number, 0), word(number, 1)]).collect();
            assert!(log.iter().filter_map(Event::body).eq(&said), "the log is not what was said");
        });
        Self { stop, exchanges: counted, talking }
    }

    /// Nothing was lost, nothing was out of order.
    async fn end(mut self) {
        // One was begun while the others did their worst. An error is a talk that
        // failed, which says so below.
        let meanwhile = timeout(PATIENCE, self.exchanges.wait_for(|count| *count > 1)).await;
        drop(meanwhile.expect("they talk meanwhile"));
        let is_failed = self.stop.send(()).is_err();
        self.talking.await.expect("they talk");
        assert!(!is_failed, "it ended before it was told");
    }
}

fn word(number: u64, speaker: usize) -> String {
    format!("{number} of {speaker}")
}

/// Each says one thing, which is stored, and which the other hears.
async fn exchange(sockets: &mut [Socket; 2], conversation: ConversationId, number: u64) {
    for speaker in 0..2 {
        let word = word(number, speaker);
        let client_id = sockets[speaker].send(conversation, &word).await;
        let stored = sockets[speaker].stored(client_id).await;
        let message = sockets[1 - speaker].message(&word).await;
        assert_eq!((message.client_id, message.seq), (client_id, stored.seq));
    }
}
