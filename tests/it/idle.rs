//! What an idle user costs.

use futures::StreamExt;
use futures::stream;

use crate::support::ServerProcess;

const SOCKETS: usize = 1_000;

/// Promised per connection, everything that a logged-in user has included.
const BYTES_MAX: usize = 16 * 1024;

#[tokio::test]
async fn an_idle_connection_costs_less_than_16_kib() {
    let server = ServerProcess::start(&[("TIDINGS_CONNECTIONS_PER_ADDRESS", "10000")]).await;
    // The first ones make what all share: pools, buffers, the allocator's arenas.
    let _warm = connect(&server, "warm", 100).await;
    let before = server.resident_bytes();
    let _idle = connect(&server, "idle", SOCKETS).await;
    let each = server.resident_bytes().saturating_sub(before) / SOCKETS;
    eprintln!("{SOCKETS} idle logged-in sockets: {each} bytes of resident memory each");
    assert!(each < BYTES_MAX, "{each} bytes");
}

/// That many people, each with a socket that has said hello.
async fn connect(server: &ServerProcess, name: &str, count: usize) -> Vec<crate::support::Socket> {
    let sockets = stream::iter(0..count)
        .map(async |number| server.person(&format!("{name} {number}")).await.connect(&[]).await);
    sockets.buffer_unordered(16).collect().await
}
