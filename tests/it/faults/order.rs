//! The order of a connection's sends through refusals, whatever happens between
//! a refusal and the next try.

use std::collections::BTreeMap;
use std::time::Duration;

use tidings::domain::{ClientId, ConversationId};
use tidings::protocol::{ClientFrame, Code, Content, ErrorFrame, GiveUp, Send, ServerFrame, Watch};
use tokio::time::sleep;
use uuid::Uuid;

use super::FAULTS;
use crate::support::{Crowd, Dice, Line, Pace, Plan, Proxy, Socket, TestServer, Weather};

/// A rate that the burst of these tests exceeds.
const LIMITED: [(&str, &str); 2] = [("TIDINGS_SENDS_PER_SECOND", "2"), ("TIDINGS_SENDS_BURST", "20")];

/// Sends of one conversation, numbered in the order of writing.
struct Sends {
    conversation: ConversationId,
    ids: Vec<ClientId>,
}

impl Sends {
    fn new(conversation: ConversationId, count: usize) -> Self {
        Self { conversation, ids: (0..count).map(|_| ClientId(Uuid::now_v7())).collect() }
    }

    async fn say(&self, socket: &mut Socket, numbers: impl IntoIterator<Item = usize>) {
        let frame = |number: usize| {
            let (client_id, conversation) = (self.ids[number], self.conversation);
            ClientFrame::Send(Send {
                client_id,
                conversation,
                content: Content::message(&number.to_string()),
            })
        };
        let texts = numbers.into_iter().map(|number| serde_json::to_string(&frame(number)).unwrap());
        socket.say_together(texts).await;
    }

    /// The next answer to one of them: its number, and the refusal if it is one.
    async fn answer(&self, socket: &mut Socket) -> (usize, Option<ErrorFrame>) {
        let named = |frame: &ServerFrame| match frame {
            ServerFrame::Stored(stored) => Some(stored.client_id),
            ServerFrame::Error(error) => error.client_id,
            _ => None,
        };
        let frame = socket.expect("an answer", |frame| named(frame).is_some()).await;
        let number = self.ids.iter().position(|id| Some(*id) == named(&frame)).expect("one of these");
        let ServerFrame::Error(error) = frame else { return (number, None) };
        (number, Some(error))
    }

    /// So many answers: what was refused.
    async fn refused(&self, socket: &mut Socket, answers: usize) -> BTreeMap<usize, ErrorFrame> {
        let mut refused = BTreeMap::new();
        for _ in 0..answers {
            if let (number, Some(error)) = self.answer(socket).await {
                refused.insert(number, error);
            }
        }
        refused
    }

    /// Says these again until each is stored.
    async fn insist(&self, socket: &mut Socket, mut numbers: Vec<usize>) {
        while !numbers.is_empty() {
            self.say(socket, numbers.iter().copied()).await;
            let refused = self.refused(socket, numbers.len()).await;
            let wait = refused.values().filter_map(|error| error.error.retry_after_ms).max();
            sleep(Duration::from_millis(wait.unwrap_or_default().into())).await;
            numbers = refused.into_keys().collect();
        }
    }
}

/// Longer than a refused send was once waited for.
const STALL: Duration = Duration::from_secs(6);

#[tokio::test]
async fn order_holds_while_the_line_stalls_behind_a_refusal() {
    let server = TestServer::start(&LIMITED).await;
    let proxy = Proxy::start(server.address(), &mut Dice::new("stall")).await;
    let (ada, bob) = (server.person("Ada").await, server.person("Bob").await);
    let sends = Sends::new(ada.conversation_with(&bob).await, 30);
    let mut hers = ada.upgrade_at(&proxy.address).await.unwrap();
    hers.hello(&[], Watch::default()).await;
    sends.say(&mut hers, 0..25).await;
    let refused = sends.refused(&mut hers, 25).await;
    let (first, error) = refused.first_key_value().expect("the burst is exceeded");
    assert_eq!((error.error.code, error.after), (Code::RateLimited, None));
    assert!(refused.keys().copied().eq(*first..25), "{refused:?}");
    for behind in refused.values().skip(1) {
        assert_eq!((behind.error.code, behind.after), (Code::Busy, Some(sends.ids[*first])));
    }
    // She writes on before she knows; that arrives long after the others were refused.
    proxy.set(Weather { up: Line { dead: true, ..Line::default() }, ..Weather::default() });
    sends.say(&mut hers, 25..30).await;
    sleep(STALL).await;
    proxy.set(Weather::default());
    let late = sends.refused(&mut hers, 5).await;
    assert!(late.keys().copied().eq(25..30), "what came behind a refused one passed it: {late:?}");
    sends.insist(&mut hers, (*first..30).collect()).await;
    let log = bob.history(sends.conversation).await;
    assert!(log.iter().map(|message| message.client_id).eq(sends.ids.iter().copied()), "{log:?}");
}

#[tokio::test]
async fn a_refused_send_holds_up_those_behind_it_until_it_is_given_up() {
    let server = TestServer::start(&LIMITED).await;
    let (ada, bob) = (server.person("Ada").await, server.person("Bob").await);
    let sends = Sends::new(ada.conversation_with(&bob).await, 26);
    let mut hers = ada.connect(&[]).await;
    sends.say(&mut hers, 0..25).await;
    let refused = sends.refused(&mut hers, 25).await;
    let numbers: Vec<usize> = refused.into_keys().collect();
    // Nothing new passes, and of those that were refused only the first.
    for number in [numbers[1], 25] {
        sends.say(&mut hers, [number]).await;
        let (_, error) = sends.answer(&mut hers).await;
        assert_eq!(error.and_then(|error| error.after), Some(sends.ids[numbers[0]]));
    }
    // A send that cannot be read is refused for good: nothing waits for it.
    let first = sends.ids[numbers[0]];
    hers.say_text(&format!(r#"{{"type":"send","kind":"message","client_id":"{first}","body":7}}"#)).await;
    let (_, error) = sends.answer(&mut hers).await;
    assert_eq!(error.map(|error| error.error.code), Some(Code::InvalidField));
    sends.say(&mut hers, [25]).await;
    let (_, error) = sends.answer(&mut hers).await;
    assert_eq!(error.and_then(|error| error.after), Some(sends.ids[numbers[1]]));
    for number in &numbers[1..] {
        hers.say(&ClientFrame::GiveUp(GiveUp { client_id: sends.ids[*number] })).await;
    }
    sends.insist(&mut hers, vec![25]).await;
    let log = bob.history(sends.conversation).await;
    let expected = sends.ids.iter().enumerate().filter(|(number, _)| !numbers.contains(number));
    assert!(log.iter().map(|message| message.client_id).eq(expected.map(|(_, id)| *id)), "{log:?}");
}

/// Participants send whatever is not in flight, the oldest first, as soon as they
/// may: all order beyond that is the server's.
#[tokio::test]
async fn order_holds_through_refusals_crashes_and_cuts() {
    let settings = [
        FAULTS,
        ("TIDINGS_CRASHES", "100"),
        ("TIDINGS_SENDS_PER_SECOND", "50"),
        ("TIDINGS_SENDS_BURST", "3"),
        ("TIDINGS_RECONNECT_MIN_MS", "10"),
        ("TIDINGS_RECONNECT_MAX_MS", "100"),
    ];
    let server = TestServer::start(&settings).await;
    let mut dice = Dice::new("order");
    let proxy = Proxy::start(server.address(), &mut dice).await;
    let pace = Pace { window: 20, every: Duration::from_millis(1), ..Pace::default() };
    let plan = Plan { people: 6, pace, address: Some(&proxy.address), ..Plan::default() };
    let crowd = Crowd::start(&server.url, &plan, &mut dice).await;
    let line = Line { delay: Duration::from_millis(20), doubled: 0.1, torn: 0.001, ..Line::default() };
    proxy.set(Weather::both(line));
    for fault in ["user", "persistence", "user", "users", "persistence", "user"] {
        crowd.until_more(60).await;
        crowd.order(0, &format!(r#"{{"fault":"{fault}"}}"#));
    }
    crowd.until_more(100).await;
    proxy.set(Weather::default());
    crowd.finish(server.database.url()).await;
}
