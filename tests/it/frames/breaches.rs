//! What breaks the protocol: each is closed with its code.

use super::{HELLO, JSON_PING, JSON_PONG, Talk, greeted};
use crate::support::{
    BINARY, CLOSE, CONTINUATION, FINAL, PING, PONG, Person, RawSocket, TEXT, TestServer, fragments, masked,
};

/// Each of these, on a socket of its own, is closed with this code.
async fn are_closed_with(person: &Person, code: u16, breaches: &[(String, Vec<u8>)]) {
    for (what, bytes) in breaches {
        let mut socket = RawSocket::open(person).await;
        socket.write(bytes).await;
        assert_eq!(socket.close_code().await, code, "{what}");
    }
}

/// Bytes that are not UTF-8 (RFC 3629 §3, Unicode table 3-7), with their names.
const NOT_UTF_8: [(&str, &[u8]); 12] = [
    ("a byte that is never used", b"\xff"),
    ("a continuation without a start", b"\x80"),
    ("a start without its continuation", b"\xc3("),
    ("the slash in two bytes", b"\xc0\xaf"),
    ("the slash in three bytes", b"\xe0\x80\xaf"),
    ("the slash in four bytes", b"\xf0\x80\x80\xaf"),
    ("U+0000 in two bytes", b"\xc0\x80"),
    ("the first surrogate", b"\xed\xa0\x80"),
    ("the last surrogate", b"\xed\xbf\xbf"),
    ("a pair of surrogates", b"\xed\xa0\xbd\xed\xb8\x80"),
    ("U+110000", b"\xf4\x90\x80\x80"),
    ("an end in mid-character", b"\xe2\x82"),
];

#[tokio::test]
async fn b02_text_that_is_not_utf_8_is_closed_with_1007() {
    let server = TestServer::start(&[]).await;
    let (ada, talk) = (server.person("Ada").await, Talk::begin(&server.url).await);
    let mut breaches = Vec::new();
    for (what, bytes) in NOT_UTF_8 {
        let text = [br#"{"type":"ping","x":""#, bytes].concat();
        let (first, last) = text.split_at(text.len() - 1);
        let reason = [&1000_u16.to_be_bytes()[..], bytes].concat();
        breaches.extend([
            (format!("{what}, in one frame"), masked(TEXT, &text)),
            (format!("{what}, in two"), fragments(TEXT, [first, last])),
            (format!("{what}, byte by byte"), fragments(TEXT, text.chunks(1))),
            (format!("{what}, before an empty fragment"), fragments(TEXT, [&text[..], b""])),
            (format!("{what}, in the reason of a close frame"), masked(CLOSE, &reason)),
        ]);
    }
    are_closed_with(&ada, 1007, &breaches).await;
    talk.end().await;
}

#[tokio::test]
async fn b02_a_character_may_be_cut_by_fragments() {
    let server = TestServer::start(&[]).await;
    let mut socket = greeted(&server.person("Ada").await).await;
    let text = "{\"type\":\"ping\",\"x\":\"κόσμε € 😀 \u{10ffff}\u{d7ff}\u{e000}\"}".as_bytes();
    for length in 1..8 {
        socket.write(&fragments(TEXT, text.chunks(length))).await;
        socket.hears(JSON_PONG).await;
    }
}

#[tokio::test]
async fn b05_breaches_are_closed_with_1002() {
    let server = TestServer::start(&[]).await;
    let (ada, talk) = (server.person("Ada").await, Talk::begin(&server.url).await);
    let named = |what: &str, bytes: Vec<u8>| (what.to_owned(), bytes);
    let mut breaches = vec![
        named("text without a mask", [&[TEXT, 15], JSON_PING].concat()),
        named("a ping without a mask", vec![PING, 0]),
        named("a close frame without a mask", vec![CLOSE, 0]),
        named("a continuation of nothing", masked(CONTINUATION, b"{}")),
        named("a continuation of nothing, to be continued", masked(0, b"{")),
        named("a continuation of a whole message", [masked(TEXT, b"{}"), masked(CONTINUATION, b"")].concat()),
        named("text within a message", [masked(TEXT & !FINAL, b"{"), masked(TEXT, b"{}")].concat()),
        named(
            "a start within a message",
            [masked(TEXT & !FINAL, b"{"), masked(TEXT & !FINAL, b"{")].concat(),
        ),
        named("binary within a message", [masked(TEXT & !FINAL, b"{"), masked(BINARY, b"{}")].concat()),
    ];
    for (what, opcode) in
        [("text", TEXT), ("a continuation", CONTINUATION), ("a ping", PING), ("a close frame", CLOSE)]
    {
        for bits in [0x10, 0x20, 0x40, 0x70] {
            breaches.push((format!("{what} with reserved bits {bits:#x}"), masked(opcode | bits, b"")));
        }
    }
    for opcode in (0x3..=0x7).chain(0xb..=0xf) {
        breaches.push((format!("the opcode {opcode:#x}"), masked(FINAL | opcode, b"{}")));
        breaches.push((format!("a fragment of the opcode {opcode:#x}"), masked(opcode, b"{}")));
    }
    for (what, opcode) in [("ping", PING), ("pong", PONG), ("close frame", CLOSE)] {
        breaches.push((format!("a {what} of 126 bytes"), masked(opcode, &[b' '; 126])));
        breaches.push((format!("a {what} of 64 KiB"), masked(opcode, &[b' '; 65_536])));
        breaches.push((format!("a {what} in fragments"), masked(opcode & !FINAL, b"")));
    }
    are_closed_with(&ada, 1002, &breaches).await;
    talk.end().await;
}

#[tokio::test]
async fn b05_control_frames_may_stand_between_fragments() {
    let server = TestServer::start(&[]).await;
    let mut socket = RawSocket::open(&server.person("Ada").await).await;
    let (first, last) = HELLO.split_at(9);
    socket.say(TEXT & !FINAL, first).await;
    socket.say(PING, b"between").await;
    assert_eq!(socket.frame().await, Some((PONG, b"between".to_vec())));
    socket.say(PONG, b"unasked").await;
    socket.say(CONTINUATION, last).await;
    socket.hears(r#""type":"synced""#).await;
}

#[tokio::test]
async fn b07_binary_messages_are_closed_with_1003() {
    let server = TestServer::start(&[]).await;
    let (ada, talk) = (server.person("Ada").await, Talk::begin(&server.url).await);
    let breaches = [
        ("empty", masked(BINARY, b"")),
        ("JSON", masked(BINARY, JSON_PING)),
        ("not UTF-8", masked(BINARY, b"\xff\x00")),
        ("64 KiB", masked(BINARY, &[0; 65_536])),
        ("in fragments", fragments(BINARY, HELLO.chunks(7))),
    ];
    are_closed_with(&ada, 1003, &breaches.map(|(what, bytes)| (what.to_owned(), bytes))).await;
    talk.end().await;
}
