use std::sync::{Arc, PoisonError};

use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::Link;
use super::shared::{Mutex, Notify, OwnedSemaphorePermit};

/// A frame on its way from a connection to the user's actor.
///
/// Until it is opened it has a way back: when the actor dies and its mailbox is
/// dropped, the frame returns to its connection and is sent to the next
/// incarnation. The permit is its place in the connection's inbound window.
#[derive(Debug)]
pub struct Envelope {
    pub link: Link,
    number: u64,
    text: Utf8Bytes,
    back: Option<Arc<Returned>>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Envelope {
    /// `number` is the frame's place among those of its connection.
    pub fn new(
        link: Link,
        number: u64,
        text: Utf8Bytes,
        back: Arc<Returned>,
        permit: OwnedSemaphorePermit,
    ) -> Self {
        Self { link, number, text, back: Some(back), permit: Some(permit) }
    }

    /// For the model.
    #[cfg(test)]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// For the model's mutant: the permit goes home before the frame.
    #[cfg(test)]
    pub fn release_first(&mut self) {
        self.permit = None;
    }

    /// Takes the frame out, first thing in the handler: from here on it is not
    /// sent again, so that a fatal frame kills once.
    pub fn open(mut self) -> Opened {
        self.back = None;
        Opened {
            link: self.link.clone(),
            text: std::mem::replace(&mut self.text, Utf8Bytes::from_static("")),
            _permit: self.permit.take(),
        }
    }
}

impl Drop for Envelope {
    fn drop(&mut self) {
        // The frame goes back before the permit is released: whoever sees a
        // full window finds every returned frame in the queue.
        if let Some(back) = self.back.take() {
            back.put(self.number, std::mem::replace(&mut self.text, Utf8Bytes::from_static("")));
        }
    }
}

/// The frames of one connection that have come back, with their numbers; at
/// most as many as its inbound window. A channel would cost an idle connection
/// its first block of slots.
#[derive(Debug, Default)]
pub struct Returned {
    frames: Mutex<Vec<(u64, Utf8Bytes)>>,
    changed: Notify,
}

impl Returned {
    fn put(&self, number: u64, text: Utf8Bytes) {
        self.frames.lock().unwrap_or_else(PoisonError::into_inner).push((number, text));
        self.changed.notify_one();
    }

    /// Everything that has come back until now.
    pub fn take(&self) -> Vec<(u64, Utf8Bytes)> {
        std::mem::take(&mut self.frames.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// For the model: who is here, without a step, and whether that was noticed.
    #[cfg(test)]
    pub fn look(&self) -> (Vec<u64>, bool) {
        let mut numbers: Vec<u64> = self.frames.look().iter().map(|(number, _)| *number).collect();
        numbers.sort_unstable();
        (numbers, self.changed.is_told())
    }

    /// Ends when something has come back since the last time.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }
}

/// A frame being handled. Dropped by a panic, it is booked on its connection.
pub struct Opened {
    pub link: Link,
    pub text: Utf8Bytes,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Drop for Opened {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.link.blame(&self.text);
        }
    }
}
