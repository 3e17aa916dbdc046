use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, OwnedSemaphorePermit};
use tokio_tungstenite::tungstenite::Utf8Bytes;

/// The bounds of a connection's outbound queue. Ephemeral frames are dropped
/// from half full; when it is full the connection is closed as a slow reader.
#[derive(Clone, Copy, Debug)]
pub struct OutboundLimits {
    pub frames: usize,
    pub bytes: usize,
}

/// A frame that waits.
pub struct Queued {
    pub text: Utf8Bytes,
    /// Its share of the replay's room, if it is of one.
    pub _room: Option<OwnedSemaphorePermit>,
}

/// The frames on their way to one socket. A ring that is given back when it is
/// empty: a channel keeps its first block of slots, 1.4 KiB, for as long as the
/// connection is there.
pub struct Outbound {
    waiting: Mutex<Waiting>,
    ready: Notify,
    limits: OutboundLimits,
}

#[derive(Default)]
struct Waiting {
    frames: VecDeque<Queued>,
    bytes: usize,
    /// Whether nobody takes any more.
    ended: bool,
}

impl Outbound {
    pub fn new(limits: OutboundLimits) -> Self {
        Self { waiting: Mutex::default(), ready: Notify::new(), limits }
    }

    pub fn limits(&self) -> OutboundLimits {
        self.limits
    }

    /// False when there is no room for it.
    pub fn push(&self, frame: Queued) -> bool {
        let mut waiting = self.waiting();
        if waiting.ended {
            return true;
        }
        let bytes = waiting.bytes + frame.text.len();
        if bytes > self.limits.bytes || waiting.frames.len() >= self.limits.frames {
            return false;
        }
        waiting.bytes = bytes;
        waiting.frames.push_back(frame);
        let is_first = waiting.frames.len() == 1;
        drop(waiting);
        if is_first {
            self.wake();
        }
        true
    }

    /// Whether half of it is taken, or would be with so many bytes more.
    pub fn is_half_full(&self, more: usize) -> bool {
        let waiting = self.waiting();
        waiting.frames.len() * 2 >= self.limits.frames || (waiting.bytes + more) * 2 > self.limits.bytes
    }

    /// Ends when there may be a frame, or somebody has called [`wake`](Self::wake).
    /// For one task: it may be dropped while it waits.
    pub async fn ready(&self) {
        self.ready.notified().await;
    }

    /// Whoever waits looks again.
    pub fn wake(&self) {
        self.ready.notify_one();
    }

    /// The next frame, if there is one now.
    pub fn take(&self) -> Option<Utf8Bytes> {
        let mut waiting = self.waiting();
        let Some(Queued { text, .. }) = waiting.frames.pop_front() else {
            waiting.frames = VecDeque::new();
            return None;
        };
        waiting.bytes -= text.len();
        Some(text)
    }

    /// Drops what waits, and from now on whatever comes.
    pub fn end(&self) {
        *self.waiting() = Waiting { ended: true, ..Waiting::default() };
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
