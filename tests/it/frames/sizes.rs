//! Frames and messages of every size, and some that only say so.

use super::{JSON_PING, JSON_PONG, Talk, greeted};
use crate::support::{FINAL, PING, RawSocket, ServerProcess, TEXT, TestServer, fragments, head, masked};

const MAX: usize = 64 * 1024;

/// A frame that is answered, with spaces behind it up to this length.
fn ping_of(length: usize) -> Vec<u8> {
    let mut text = JSON_PING.to_vec();
    text.resize(length, b' ');
    text
}

#[tokio::test]
async fn b03_64_kib_are_taken_and_not_a_byte_more() {
    let server = TestServer::start(&[]).await;
    let (ada, talk) = (server.person("Ada").await, Talk::begin(&server.url).await);
    let in_parts = |length: usize, part: usize| fragments(TEXT, ping_of(length).chunks(part));
    let all = |length: usize| {
        [
            masked(TEXT, &ping_of(length)),
            in_parts(length, MAX / 2),
            in_parts(length, MAX - 1),
            in_parts(length, 1_000),
            in_parts(length, 1),
        ]
    };
    let mut socket = greeted(&ada).await;
    for bytes in all(MAX) {
        socket.write(&bytes).await;
        socket.hears(JSON_PONG).await;
    }
    for (number, bytes) in all(MAX + 1).iter().enumerate() {
        let mut socket = greeted(&ada).await;
        socket.write(bytes).await;
        assert_eq!(socket.close_code().await, 1009, "number {number}");
    }
    talk.end().await;
}

#[tokio::test]
async fn b03_a_length_may_be_written_longer_than_needed() {
    let server = TestServer::start(&[]).await;
    let mut socket = greeted(&server.person("Ada").await).await;
    let length = u8::try_from(JSON_PING.len()).unwrap();
    for (of, length) in [(126, &[0, length][..]), (127, &[0, 0, 0, 0, 0, 0, 0, length])] {
        socket.write(&[&[TEXT, 0x80 | of], length, &[0; 4], JSON_PING].concat()).await;
        socket.hears(JSON_PONG).await;
    }
}

#[tokio::test]
async fn b03_a_huge_declared_length_is_refused_and_nothing_is_set_aside() {
    let server = ServerProcess::start(&[]).await;
    let (ada, talk) = (server.person("Ada").await, Talk::begin(&server.url).await);
    let lengths =
        [MAX as u64 + 1, 1 << 20, 1 << 31, 1 << 32, 1 << 40, 1 << 62, 1 << 63, u64::MAX - 1, u64::MAX];
    let mut resident = Vec::new();
    for _round in 0..4 {
        for (opcode, length) in
            [TEXT, TEXT & !FINAL, PING].iter().flat_map(|opcode| lengths.map(|length| (*opcode, length)))
        {
            let mut socket = RawSocket::open(&ada).await;
            socket.write(&head(opcode, length)).await;
            assert_eq!(socket.close_code().await, 1009, "{opcode:#x} with {length} bytes");
        }
        resident.push(server.resident_bytes());
    }
    // The first round fills caches: the allocator's, PostgreSQL's connections.
    let grown = resident[3].saturating_sub(resident[0]);
    assert!(grown < 4 << 20, "{resident:?}");
    talk.end().await;
}

#[tokio::test]
async fn b03_the_close_frame_outruns_what_is_on_its_way() {
    let server = TestServer::start(&[]).await;
    let mut socket = RawSocket::open(&server.person("Ada").await).await;
    socket.write(&head(TEXT, 256 * 1024)).await;
    // Unread, this would turn the end into a reset, which overtakes the close frame.
    socket.write(&[b' '; 256 * 1024]).await;
    assert_eq!(socket.close_code().await, 1009);
    assert!(socket.ends_in_order().await, "it was reset");
}
