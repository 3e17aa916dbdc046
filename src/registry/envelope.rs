use std::sync::{Arc, PoisonError};

use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::ConnectionHandle;
use super::sync::{Mutex, Notify, OwnedSemaphorePermit};

/// A frame of more bytes is sent to the user's actor by itself, and the actor
/// yields after handling it: other actors wait for one large frame at the most,
/// not for a window of them.
pub const LARGE_FRAME_BYTES: usize = 2 * 1024;

/// A frame on its way from a connection to the user's actor.
///
/// Until it is opened it can return: when the actor dies and its mailbox is
/// dropped, the frame goes back to its connection, which sends it to the next
/// incarnation. The permit is its slot in the connection's inbound window.
#[derive(Debug)]
pub struct Envelope {
    pub connection: ConnectionHandle,
    number: u64,
    text: Utf8Bytes,
    back: Option<Arc<ReturnedFrames>>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Envelope {
    /// `number` is the frame's sequence number within its connection.
    pub fn new(
        connection: ConnectionHandle,
        number: u64,
        text: Utf8Bytes,
        back: Arc<ReturnedFrames>,
        permit: OwnedSemaphorePermit,
    ) -> Self {
        Self { connection, number, text, back: Some(back), permit: Some(permit) }
    }

    pub fn is_large(&self) -> bool {
        self.text.len() > LARGE_FRAME_BYTES
    }

    /// For the model.
    #[cfg(test)]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// For the model's mutant: releases the permit before the frame returns.
    #[cfg(test)]
    pub fn release_first(&mut self) {
        self.permit = None;
    }

    /// Takes the frame out, first thing in the handler: from here on it is not
    /// sent again, so that a fatal frame kills only one actor.
    pub fn open(mut self) -> OpenedFrame {
        self.back = None;
        OpenedFrame {
            connection: self.connection.clone(),
            text: std::mem::replace(&mut self.text, Utf8Bytes::from_static("")),
            _permit: self.permit.take(),
        }
    }
}

impl Drop for Envelope {
    fn drop(&mut self) {
        // The frame returns before the permit is released: a connection that sees
        // a full window finds every returned frame in the queue.
        if let Some(back) = self.back.take() {
            back.put(self.number, std::mem::replace(&mut self.text, Utf8Bytes::from_static("")));
        }
    }
}

/// The frames of one connection that have returned, with their numbers; at most
/// as many as its inbound window. A channel would cost an idle connection its
/// first block of slots.
#[derive(Debug, Default)]
pub struct ReturnedFrames {
    frames: Mutex<Vec<(u64, Utf8Bytes)>>,
    changed: Notify,
}

impl ReturnedFrames {
    fn put(&self, number: u64, text: Utf8Bytes) {
        self.frames.lock().unwrap_or_else(PoisonError::into_inner).push((number, text));
        self.changed.notify_one();
    }

    /// Takes everything that has returned so far.
    pub fn take(&self) -> Vec<(u64, Utf8Bytes)> {
        std::mem::take(&mut self.frames.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// For the model: the numbers of the frames here, without a step, and whether
    /// there is a notification that nobody has taken.
    #[cfg(test)]
    pub fn peek(&self) -> (Vec<u64>, bool) {
        let mut numbers: Vec<u64> = self.frames.peek().iter().map(|(number, _)| *number).collect();
        numbers.sort_unstable();
        (numbers, self.changed.is_notified())
    }

    /// Resolves when something has returned since the last call.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }
}

/// A frame being handled. If a panic drops it, the crash is recorded on its
/// connection.
pub struct OpenedFrame {
    pub connection: ConnectionHandle,
    pub text: Utf8Bytes,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Drop for OpenedFrame {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.connection.record_crash(&self.text);
        }
    }
}
