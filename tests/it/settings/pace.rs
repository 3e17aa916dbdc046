//! What a user may do, and how fast; what clients are told of it.

use std::time::{Duration, Instant};

use serde_json::json;
use tidings::domain::ClientId;
use tidings::protocol::{ClientFrame, Content, Position, Send, ServerFrame, Typing, Watch};
use tokio_tungstenite::tungstenite;
use uuid::Uuid;

use crate::support::{Person, Socket, TestServer, answer};

async fn refusal(socket: &mut Socket) -> (String, u32) {
    match socket.expect("a refusal", |frame| matches!(frame, ServerFrame::Error(_))).await {
        ServerFrame::Error(frame) => {
            let code = json!(frame.error.code).as_str().unwrap().to_owned();
            (code, frame.error.retry_after_ms.unwrap_or_default())
        }
        other => unreachable!("{other:?}"),
    }
}

#[tokio::test]
async fn clients_are_told_what_is_set() {
    let server = TestServer::start(&[
        ("TIDINGS_TEXT_MAX_CHARS", "11"),
        ("TIDINGS_UNACKNOWLEDGED_SENDS", "12"),
        ("TIDINGS_SENDS_PER_SECOND", "13"),
        ("TIDINGS_SENDS_BURST", "14"),
        ("TIDINGS_TYPING_INTERVAL_MS", "115"),
        ("TIDINGS_TYPING_EXPIRY_MS", "116"),
        ("TIDINGS_RECEIPT_INTERVAL_MS", "17"),
        ("TIDINGS_RECONNECT_MIN_MS", "18"),
        ("TIDINGS_RECONNECT_MAX_MS", "19"),
        ("TIDINGS_HISTORY_PAGE", "19"),
        ("TIDINGS_HISTORY_PAGE_MAX", "20"),
    ])
    .await;
    let mut socket = server.person("Ada").await.upgrade().await.unwrap();
    let welcome = socket.hello(&[], Watch::default()).await;
    let told = json!({
        "text_max_chars": 11, "unacknowledged_sends": 12, "sends_per_second": 13, "sends_burst": 14,
        "typing_interval_ms": 115, "typing_expiry_ms": 116, "receipt_interval_ms": 17,
        "reconnect_min_ms": 18, "reconnect_max_ms": 19, "history_page_max": 20,
    });
    assert_eq!(json!(welcome.limits), told);
}

#[tokio::test]
async fn b30_sends_have_a_rate_and_a_burst() {
    const BURST: usize = 2;
    for (setting, rate) in [("1", 1), ("20", 20)] {
        let settings = [("TIDINGS_SENDS_PER_SECOND", setting), ("TIDINGS_SENDS_BURST", "2")];
        let server = TestServer::start(&settings).await;
        let (ada, bob) = (server.person("Ada").await, server.person("Bob").await);
        let conversation = ada.conversation_with(&bob).await;
        let mut socket = ada.connect(&[]).await;
        let again = || {
            let (client_id, content) = (ClientId(Uuid::now_v7()), Content::message("again"));
            serde_json::to_string(&ClientFrame::Send(Send { client_id, conversation, content })).unwrap()
        };
        let begun = Instant::now();
        socket.say_together(std::iter::repeat_with(again).take(30)).await;
        let (code, wait) = refusal(&mut socket).await;
        assert_eq!(code, "rate_limited");
        // From the burst on until there is room for the next.
        let (each, wait) = (Duration::from_secs(1) / rate, Duration::from_millis(wait.into()));
        assert!(wait <= each && begun.elapsed() + wait >= each, "{rate} a second: {wait:?}");
        let is_stored = |frame: &&ServerFrame| matches!(frame, ServerFrame::Stored(_));
        while socket.heard.iter().filter(is_stored).count() < BURST {
            socket.expect("the burst is stored", |frame| is_stored(&frame)).await;
        }
        let log = bob.history(conversation).await;
        let most = BURST + (begun.elapsed() * rate).as_secs() as usize + 1;
        assert!((BURST..=most).contains(&log.len()), "a burst of {}", log.len());
    }
}

/// Each ping has its pong, so that the pongs tell what has been read.
#[tokio::test]
async fn c05_frames_have_a_rate_and_a_burst_and_a_flood_is_closed() {
    const BURST: usize = 30;
    const PATIENCE: Duration = Duration::from_millis(500);
    let patience = ("TIDINGS_FLOOD_PATIENCE_MS", "500");
    let by_frames = [("TIDINGS_FRAMES_PER_SECOND", "100"), ("TIDINGS_FRAMES_BURST", "30"), patience];
    // A hundred, and thirty, of twenty thousand bytes.
    let by_bytes =
        [("TIDINGS_FRAME_BYTES_PER_SECOND", "2000000"), ("TIDINGS_FRAME_BYTES_BURST", "600000"), patience];
    for (settings, length) in [(by_frames, 30), (by_bytes, 20_000)] {
        let server = TestServer::start(&settings).await;
        let ada = server.person("Ada").await;
        let mut socket = ada.connect(&[]).await;
        let ping = json!({ "type": "ping", "with": "x".repeat(length) }).to_string();
        let begun = Instant::now();
        let mut end = None;
        // It may be closed in the middle of a frame.
        while end.is_none() && socket.try_say(tungstenite::Message::text(&*ping)).await.is_ok() {
            while let Some(heard) = socket.next_within(Duration::ZERO).await {
                if let Err(closed) = heard {
                    end = Some(closed);
                    break;
                }
            }
        }
        let end = match end {
            Some(end) => end,
            None => socket.end().await,
        };
        let took = begun.elapsed();
        let pongs = socket.heard.iter().filter(|frame| matches!(frame, ServerFrame::Pong(_))).count();
        assert_eq!(end.code, 4504, "{settings:?}");
        let most = BURST + took.as_millis() as usize / 10 + 2;
        assert!(took > PATIENCE && (BURST..=most).contains(&pongs), "{pongs} in {took:?}");
        // Another connection has a budget of its own.
        ada.connect(&[]).await.ping().await;
    }
}

#[tokio::test]
async fn log_ins_have_a_rate() {
    let server = TestServer::start(&[("TIDINGS_LOGINS_PER_MINUTE", "2")]).await;
    let ada = server.person("Ada").await;
    server.person("Bob").await;
    let third = ada.request(reqwest::Method::POST, "/api/session").json(&json!({ "name": "Eve" }));
    let (status, problem) = answer::<serde_json::Value>(third).await.unwrap_err();
    assert_eq!((status.as_u16(), &problem["code"]), (429, &json!("rate_limited")));
}

/// Two people with sockets in one conversation.
async fn two(server: &TestServer) -> (tidings::domain::ConversationId, Socket, Socket) {
    let (ada, bob): (Person, Person) = (server.person("Ada").await, server.person("Bob").await);
    (ada.conversation_with(&bob).await, ada.connect(&[]).await, bob.connect(&[]).await)
}

#[tokio::test]
async fn typing_is_passed_on_once_in_its_interval() {
    let heard =
        |socket: &Socket| socket.heard.iter().filter(|frame| matches!(frame, ServerFrame::Typing(_))).count();
    let server = TestServer::start(&[("TIDINGS_TYPING_INTERVAL_MS", "60000")]).await;
    let (conversation, mut hers, mut his) = two(&server).await;
    let typing = ClientFrame::Typing(Typing { conversation });
    hers.say(&typing).await;
    his.expect("typing", |frame| matches!(frame, ServerFrame::Typing(_))).await;
    hers.say(&typing).await;
    hers.send(conversation, "typed").await;
    his.message("typed").await;
    assert_eq!(heard(&his), 1);

    let server = TestServer::start(&[("TIDINGS_TYPING_INTERVAL_MS", "100")]).await;
    let (conversation, mut hers, mut his) = two(&server).await;
    let (typing, begun) = (ClientFrame::Typing(Typing { conversation }), Instant::now());
    while heard(&his) < 3 {
        hers.say(&typing).await;
        his.next_within(Duration::from_millis(10)).await;
    }
    assert!(begun.elapsed() > Duration::from_millis(200) && begun.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn receipts_are_stored_once_in_their_interval() {
    let server = TestServer::start(&[("TIDINGS_RECEIPT_INTERVAL_MS", "60000")]).await;
    let (conversation, mut hers, mut his) = two(&server).await;
    for body in ["first", "second"] {
        hers.send(conversation, body).await;
        his.message(body).await;
    }
    let is_receipt = |frame: &ServerFrame| matches!(frame, ServerFrame::Receipt(_));
    his.say(&ClientFrame::Delivered(Position { conversation, seq: 1 })).await;
    hers.expect("the first at once", is_receipt).await;
    his.say(&ClientFrame::Delivered(Position { conversation, seq: 2 })).await;
    // Four times the default.
    while let Some(next) = hers.next_within(Duration::from_secs(1)).await {
        assert!(!is_receipt(&next.unwrap()), "the second came too early");
    }
}

#[tokio::test]
async fn replays_have_a_rate_and_a_burst() {
    let settings = [("TIDINGS_REPLAYS_PER_SECOND", "2"), ("TIDINGS_REPLAYS_BURST", "1")];
    let server = TestServer::start(&settings).await;
    let (ada, bob) = (server.person("Ada").await, server.person("Bob").await);
    let conversation = ada.conversation_with(&bob).await;
    let begun = Instant::now();
    let mut socket = ada.connect(&[(conversation, 0)]).await;
    let sync = json!({ "type": "sync", "cursors": [{ "conversation": conversation, "seq": 0 }] });
    for _ in 0..4 {
        socket.say_text(&sync.to_string()).await;
        socket.expect("synced", |frame| matches!(frame, ServerFrame::Synced(_))).await;
    }
    // The first one, which `hello` brings, is free; then one comes each half second.
    assert!(begun.elapsed() > Duration::from_millis(1_900), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn pages_and_replays_are_as_long_as_is_set() {
    let server = TestServer::start(&[
        ("TIDINGS_HISTORY_PAGE", "2"),
        ("TIDINGS_HISTORY_PAGE_MAX", "3"),
        ("TIDINGS_REPLAY_MAX", "2"),
    ])
    .await;
    let (ada, bob) = (server.person("Ada").await, server.person("Bob").await);
    let conversation = ada.conversation_with(&bob).await;
    let mut hers = ada.connect(&[]).await;
    for number in 0..4 {
        let client_id = hers.send(conversation, &number.to_string()).await;
        hers.stored(client_id).await;
    }
    let page = async |limit: &str| {
        let path = format!("/api/conversations/{conversation}/messages{limit}");
        ada.get::<tidings::protocol::History>(&path).await.map(|page| page.messages.len())
    };
    assert_eq!(page("").await.unwrap(), 2);
    assert_eq!(page("?limit=3").await.unwrap(), 3);
    assert_eq!(page("?limit=4").await.unwrap_err().0.as_u16(), 400);
    for (known, truncated) in [(1, 1), (2, 0)] {
        let socket = bob.connect(&[(conversation, known)]).await;
        match socket.heard.last() {
            Some(ServerFrame::Synced(synced)) => assert_eq!(synced.truncated.len(), truncated, "{known}"),
            other => panic!("{other:?}"),
        }
    }
}
