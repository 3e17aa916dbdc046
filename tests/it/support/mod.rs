//! What tests stand on: a database each, servers in this process and in others,
//! and people who use them.

mod bystanders;
mod checker;
mod client;
mod cluster;
mod crowd;
mod history;
mod nemesis;
mod own_cluster;
mod participant;
mod process;
mod proxy;
mod raw;
mod run;
mod seed;
mod server;
mod standing;

use std::time::{Duration, Instant};

use tidings::domain::{MessageText, Operation};
use tokio::time::timeout;

pub use bystanders::Bystanders;
pub use checker::{Run, Violation, check};
pub use client::{End, Person, Socket, answer};
pub use cluster::{TestDatabase, programs};
pub use crowd::{Crowd, Plan, Shape, quantile};
pub use history::{Entry, Event, History, MessageFingerprint};
pub use nemesis::Nemesis;
pub use own_cluster::OwnCluster;
pub use process::{ServerProcess, data_of, program, program_at, send};
pub use proxy::{Line, Proxy, Weather};
pub use raw::{
    BINARY, CLOSE, CONTINUATION, FINAL, Flooded, PING, PONG, RawSocket, TEXT, fragments, head, masked,
};
pub use run::{Directory, data_root};
pub use seed::Dice;
pub use server::{TestServer, config};
pub use standing::{Pace, Standing};

/// Nothing that is waited for takes longer than this, on any machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// How often a condition is looked at that nobody reports.
const POLL: Duration = Duration::from_millis(5);

/// Waits until it holds.
pub async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let started = Instant::now();
    while !holds().await {
        assert!(started.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
        tokio::time::sleep(POLL).await;
    }
}

/// The same, where it is looked for something.
pub async fn eventually_some<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let mut found = None;
    eventually(what, async || {
        found = look().await;
        found.is_some()
    })
    .await;
    found.expect("it held")
}

/// A message with this text.
pub fn says(body: &str) -> Operation {
    Operation::Message(MessageText::parse(body, 20_000).expect("a text that can be stored"))
}

/// What the server does in time, which else would be waited for without end.
pub async fn in_time<T>(what: &str, done: impl Future<Output = T>) -> T {
    timeout(PATIENCE, done).await.unwrap_or_else(|_| panic!("{what}: not within {PATIENCE:?}"))
}
