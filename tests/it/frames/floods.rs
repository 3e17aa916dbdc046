//! Too much of what is allowed.

use super::{HELLO, JSON_PONG, Talk, greeted};
use crate::support::{CONTINUATION, FINAL, PING, PONG, RawSocket, ServerProcess, TEXT, TestServer, masked};

/// The limits' defaults.
const CONTROL_FRAMES_PER_MINUTE: usize = 120;

#[tokio::test]
async fn b04_an_endless_message_is_capped_and_closed() {
    let server = ServerProcess::start(&[]).await;
    let (ada, talk) = (server.person("Ada").await, Talk::begin(&server.url).await);
    let pieces: [(&str, &[u8]); 4] =
        [("nothing", b""), ("one byte", b" "), ("125 bytes", &[b' '; 125]), ("8 KiB", &[b' '; 8_192])];
    let mut resident = Vec::new();
    for _round in 0..3 {
        for (what, piece) in pieces {
            let mut socket = RawSocket::open(&ada).await;
            socket.say(TEXT & !FINAL, piece).await;
            let pieces = masked(CONTINUATION & !FINAL, piece).repeat(1_000);
            assert_eq!(socket.flood(&pieces).await, 1009, "pieces of {what}");
        }
        resident.push(server.resident_bytes());
    }
    let grown = resident[2].saturating_sub(resident[0]);
    assert!(grown < 4 << 20, "{resident:?}");
    talk.end().await;
}

#[tokio::test]
async fn b04_pings_do_not_make_room_for_an_endless_message() {
    let server = TestServer::start(&[("TIDINGS_CONTROL_FRAMES_PER_MINUTE", "100000")]).await;
    let (ada, talk) = (server.person("Ada").await, Talk::begin(&server.url).await);
    let mut socket = RawSocket::open(&ada).await;
    socket.say(TEXT & !FINAL, b"").await;
    let pieces = [masked(0, b"").repeat(1_000), masked(PING, b"between")].concat();
    assert_eq!(socket.flood(&pieces).await, 1009);
    talk.end().await;
}

#[tokio::test]
async fn b04_a_connection_that_only_answers_pings_is_not_an_endless_message() {
    let server = TestServer::start(&[
        ("TIDINGS_FRAME_MAX_BYTES", "1024"),
        ("TIDINGS_TEXT_MAX_CHARS", "100"),
        ("TIDINGS_CONTROL_FRAMES_PER_MINUTE", "100000"),
    ])
    .await;
    let mut socket = greeted(&server.person("Ada").await).await;
    // Three times what a message may take, in pings.
    let payload = [b'.'; 125];
    for _ in 0..(3 * 7 * 1_024 / 131) {
        socket.say(PING, &payload).await;
        assert_eq!(socket.control().await, Some((PONG, payload.to_vec())));
    }
    socket.say(TEXT, br#"{"type":"ping"}"#).await;
    socket.hears(JSON_PONG).await;
}

#[tokio::test]
async fn b06_pings_are_answered_until_they_are_a_flood() {
    let server = TestServer::start(&[]).await;
    let (ada, talk) = (server.person("Ada").await, Talk::begin(&server.url).await);
    let mut socket = RawSocket::open(&ada).await;
    for length in 0..CONTROL_FRAMES_PER_MINUTE {
        // One longer than the other, the longest is the longest there may be.
        let payload = vec![0xff; length + 125 - (CONTROL_FRAMES_PER_MINUTE - 1)];
        socket.say(PING, &payload).await;
        assert_eq!(socket.frame().await, Some((PONG, payload)));
    }
    socket.say(PING, b"").await;
    assert_eq!(socket.close_code().await, 4503);
    for (what, flood) in [
        ("pings", masked(PING, b"")),
        ("pongs", masked(PONG, b"")),
        ("both", [masked(PING, b"!"), masked(PONG, b"!")].concat()),
    ] {
        let mut socket = RawSocket::open(&ada).await;
        assert_eq!(socket.flood(&flood.repeat(100)).await, 4503, "{what}");
    }
    talk.end().await;
}

#[tokio::test]
async fn b06_each_ping_of_a_burst_has_its_pong() {
    let server = TestServer::start(&[]).await;
    let mut socket = RawSocket::open(&server.person("Ada").await).await;
    let pings: Vec<u8> = (0..100_u8).flat_map(|number| masked(PING, &[number])).collect();
    socket.write(&[pings, masked(TEXT, HELLO)].concat()).await;
    for number in 0..100 {
        assert_eq!(socket.frame().await, Some((PONG, vec![number])));
    }
    socket.hears("welcome").await;
}
