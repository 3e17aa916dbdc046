//! What participants are told to do, and what may be seen of them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tidings::domain::{ConversationId, Seq};
use tokio::time::Instant;

/// What everybody is to do now.
#[derive(Clone, Debug)]
pub enum Phase {
    /// Write and send.
    Write,
    /// Write nothing new; send what is written.
    Drain,
    /// Stay until every conversation is shown up to this place.
    Finish(Arc<HashMap<ConversationId, Seq>>),
}

/// How somebody writes.
#[derive(Clone, Debug)]
pub struct Pace {
    /// Messages without an answer at the most.
    pub window: usize,
    /// Between two messages; zero: as fast as the answers come.
    pub every: Duration,
    /// Messages in all.
    pub each: u64,
    /// Characters of each, at the least.
    pub length: usize,
}

/// What others may see of a participant while it runs.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    /// Since when the socket is in step; none while it is not.
    pub synced: Option<Instant>,
    /// When the oldest message without an answer was written.
    pub unanswered: Option<Instant>,
    pub written: u64,
    pub answered: u64,
    /// Answers that said that it had been stored before.
    pub duplicates: u64,
    /// Sockets opened so far.
    pub sockets: u64,
    /// Times asked to say again where it stands.
    pub resyncs: u64,
}
