//! Bounds of a connection and of how many there are.

use std::time::{Duration, Instant};

use serde_json::json;
use tidings::protocol::{ServerFrame, Watch};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{End, PATIENCE, PING, RawSocket, Socket, TEXT, TestServer, eventually, in_time};

const HELLO: &[u8] = br#"{"type":"hello","cursors":[]}"#;

#[tokio::test]
async fn frames_and_texts_are_as_long_as_is_set() {
    let server =
        TestServer::start(&[("TIDINGS_FRAME_MAX_BYTES", "1024"), ("TIDINGS_TEXT_MAX_CHARS", "5")]).await;
    let (ada, bob) = (server.person("Ada").await, server.person("Bob").await);
    let conversation = ada.conversation_with(&bob).await;
    let mut socket = ada.connect(&[]).await;
    let client_id = socket.send(conversation, "ééééé").await;
    socket.stored(client_id).await;
    socket.send(conversation, "éééééé").await;
    let code = |frame: &ServerFrame| matches!(frame, ServerFrame::Error(error) if json!(error.error.code) == "text_too_long");
    socket.expect("refused", code).await;
    socket.say_text(&format!(r#"{{"type":"ping"}}{}"#, " ".repeat(1024 - 15))).await;
    socket.expect("pong", |frame| matches!(frame, ServerFrame::Pong(_))).await;
    socket.say_text(&format!(r#"{{"type":"ping"}}{}"#, " ".repeat(1024))).await;
    assert_eq!(socket.end().await.code, 1009);
}

#[tokio::test]
async fn b31_hello_has_its_time() {
    let server = TestServer::start(&[("TIDINGS_HELLO_TIMEOUT_MS", "100")]).await;
    let begun = Instant::now();
    let mut socket = server.person("Ada").await.upgrade().await.unwrap();
    assert_eq!(socket.end().await.code, 4011);
    assert!(begun.elapsed() < Duration::from_secs(8), "the default is 10 s");
}

#[tokio::test]
async fn pings_come_and_pongs_must() {
    let server = TestServer::start(&[
        ("TIDINGS_HELLO_TIMEOUT_MS", "100"),
        ("TIDINGS_PING_INTERVAL_MS", "100"),
        ("TIDINGS_PONG_TIMEOUT_MS", "500"),
    ])
    .await;
    let (ada, begun) = (server.person("Ada").await, Instant::now());
    let mut socket = RawSocket::open(&ada).await;
    socket.say(TEXT, HELLO).await;
    let mut pings = 0;
    while pings < 3 {
        if let (PING, payload) = socket.frame().await.expect("it answers its pings") {
            pings += 1;
            if pings < 3 {
                socket.say(0x8a, &payload).await;
            }
        }
    }
    // The third has no answer.
    assert_eq!(socket.close_code().await, 4010);
    assert!(begun.elapsed() < Duration::from_secs(8), "the defaults are 25 s and 10 s");
}

#[tokio::test]
async fn control_frames_are_counted() {
    let server = TestServer::start(&[("TIDINGS_CONTROL_FRAMES_PER_MINUTE", "10")]).await;
    let mut socket = RawSocket::open(&server.person("Ada").await).await;
    for _ in 0..11 {
        socket.say(PING, b"").await;
    }
    assert_eq!(socket.close_code().await, 4503);
}

#[tokio::test]
async fn sockets_of_a_user_are_counted() {
    let server = TestServer::start(&[("TIDINGS_SOCKETS_PER_USER", "2")]).await;
    let ada = server.person("Ada").await;
    let (_first, second) = (ada.connect(&[]).await, ada.connect(&[]).await);
    assert_eq!(ada.upgrade().await.unwrap().end().await.code, 4502);
    drop(second);
    eventually("there is room again", async || {
        let mut socket = ada.upgrade().await.unwrap();
        socket.try_say(tokio_tungstenite::tungstenite::Message::text("{}")).await.is_ok()
            && socket.next().await.is_ok()
    })
    .await;
}

#[tokio::test]
async fn b29_connections_in_all_are_counted() {
    let server = TestServer::start(&[("TIDINGS_CONNECTIONS", "2")]).await;
    let address = server.address();
    let _held = [TcpStream::connect(address).await.unwrap(), TcpStream::connect(address).await.unwrap()];
    let mut turned_away = TcpStream::connect(address).await.unwrap();
    let mut answer = String::new();
    in_time("it is turned away", turned_away.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("busy"), "{answer}");
}

#[tokio::test]
async fn b28_headers_have_their_time() {
    let server = TestServer::start(&[("TIDINGS_HEADER_TIMEOUT_MS", "100")]).await;
    let begun = Instant::now();
    let mut half = TcpStream::connect(server.address()).await.unwrap();
    half.write_all(b"GET / HTTP/1.1\r\nHost: ").await.unwrap();
    let mut answer = Vec::new();
    in_time("it is closed", half.read_to_end(&mut answer)).await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(4), "the default is 5 s");
}

/// What becomes of somebody who does not read while large messages come, nor for
/// a time after.
async fn not_reading(settings: &[(&str, &str)], starved: Duration) -> End {
    let fixed = [
        ("TIDINGS_TEXT_MAX_CHARS", "10000"),
        ("TIDINGS_FRAME_MAX_BYTES", "262144"),
        ("TIDINGS_PRESENCE_GRACE_MS", "0"),
        ("TIDINGS_PRESENCE_INTERVAL_MS", "10"),
    ];
    let server = TestServer::start(&[&fixed, settings].concat()).await;
    let (ada, bob) = (server.person("Ada").await, server.person("Bob").await);
    let conversation = ada.conversation_with(&bob).await;
    let mut slow = ada.connect(&[]).await;
    let mut sender = bob.upgrade().await.unwrap();
    sender.hello(&[], Watch { list: true, users: Vec::new() }).await;
    // Six bytes a character on the wire.
    let body = "\u{1}".repeat(9_999) + "x";
    let begun = Instant::now();
    while !has_left(&sender) {
        assert!(begun.elapsed() < PATIENCE, "nobody minds");
        let client_id = sender.send(conversation, &body).await;
        sender.stored(client_id).await;
    }
    // What was under way can still be read, and then the reason.
    tokio::time::sleep(starved).await;
    slow.end().await
}

fn has_left(socket: &Socket) -> bool {
    let leaves =
        |frame: &ServerFrame| matches!(frame, ServerFrame::PresenceDiff(diff) if !diff.leaves.is_empty());
    socket.heard.iter().any(leaves)
}

#[tokio::test]
async fn who_does_not_read_is_closed_by_the_number_of_frames() {
    let settings = [("TIDINGS_OUTBOUND_FRAMES", "16"), ("TIDINGS_OUTBOUND_BYTES", "67108864")];
    let end = not_reading(&settings, Duration::ZERO).await;
    assert_eq!(end.code, 4008);
}

#[tokio::test]
async fn who_does_not_read_is_closed_by_the_number_of_bytes() {
    let settings = [("TIDINGS_OUTBOUND_FRAMES", "65536"), ("TIDINGS_OUTBOUND_BYTES", "131072")];
    let end = not_reading(&settings, Duration::ZERO).await;
    assert_eq!(end.code, 4008);
}

/// Longer than the server waits for the answer to a close frame that has gone out.
#[tokio::test]
async fn a_reader_who_was_starved_for_seconds_learns_why_it_was_closed() {
    let end = not_reading(&[("TIDINGS_OUTBOUND_BYTES", "131072")], Duration::from_secs(3)).await;
    assert_eq!(end.code, 4008);
}

#[tokio::test]
async fn f02_deaths_are_counted_within_a_window() {
    let settings = [("TIDINGS_FAULTS", "on"), ("TIDINGS_CRASHES", "2"), ("TIDINGS_CRASH_WINDOW_MS", "1000")];
    let server = TestServer::start(&settings).await;
    let mut socket = server.person("Ada").await.connect(&[]).await;
    let fault = r#"{"fault":"user"}"#;
    socket.say_text(fault).await;
    socket.expect("resync", |frame| matches!(frame, ServerFrame::Resync(_))).await;
    // It is the time itself that is tested: the first one is forgotten.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    socket.say_text(fault).await;
    socket.expect("resync", |frame| matches!(frame, ServerFrame::Resync(_))).await;
    socket.say_text(fault).await;
    assert_eq!(socket.end().await.code, 4500);
}
