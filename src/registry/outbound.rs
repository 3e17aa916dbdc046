use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, OwnedSemaphorePermit};
use tokio_tungstenite::tungstenite::Utf8Bytes;

/// The bounds of a connection's outbound queue. A queue that is half full drops
/// ephemeral frames; when it is full, the connection is closed as a slow reader.
#[derive(Clone, Copy, Debug)]
pub struct OutboundLimits {
    pub frames: usize,
    pub bytes: usize,
}

/// A queued frame.
pub struct Queued {
    pub text: Utf8Bytes,
    /// Its share of the replay's room, if it belongs to a replay.
    pub _room: Option<OwnedSemaphorePermit>,
}

/// The queue of frames for one socket. A ring buffer that is freed when it is
/// empty: a channel would keep its first block of slots, 1.4 KiB, for as long as
/// the connection lives.
pub struct Outbound {
    queue: Mutex<Queue>,
    ready: Notify,
    limits: OutboundLimits,
}

#[derive(Default)]
struct Queue {
    frames: VecDeque<Queued>,
    bytes: usize,
    /// Whether the receiver is gone.
    ended: bool,
}

impl Outbound {
    pub fn new(limits: OutboundLimits) -> Self {
        Self { queue: Mutex::default(), ready: Notify::new(), limits }
    }

    pub fn limits(&self) -> OutboundLimits {
        self.limits
    }

    /// Returns `false` if there is no room for the frame.
    pub fn push(&self, frame: Queued) -> bool {
        let mut queue = self.queue();
        if queue.ended {
            return true;
        }
        let bytes = queue.bytes + frame.text.len();
        if bytes > self.limits.bytes || queue.frames.len() >= self.limits.frames {
            return false;
        }
        queue.bytes = bytes;
        queue.frames.push_back(frame);
        let is_first = queue.frames.len() == 1;
        drop(queue);
        if is_first {
            self.wake();
        }
        true
    }

    /// Whether the queue is half full, or would be with so many bytes more.
    pub fn is_half_full(&self, more: usize) -> bool {
        let queue = self.queue();
        queue.frames.len() * 2 >= self.limits.frames || (queue.bytes + more) * 2 > self.limits.bytes
    }

    /// Resolves when there may be a frame, or somebody has called [`wake`](Self::wake).
    /// Only one task may wait; it is safe to drop the future.
    pub async fn ready(&self) {
        self.ready.notified().await;
    }

    /// Makes the waiting task look again.
    pub fn wake(&self) {
        self.ready.notify_one();
    }

    /// Returns the next frame, if there is one now.
    pub fn take(&self) -> Option<Utf8Bytes> {
        let mut queue = self.queue();
        let Some(Queued { text, .. }) = queue.frames.pop_front() else {
            queue.frames = VecDeque::new();
            return None;
        };
        queue.bytes -= text.len();
        Some(text)
    }

    /// Drops the queued frames, and every later one.
    pub fn end(&self) {
        *self.queue() = Queue { ended: true, ..Queue::default() };
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
