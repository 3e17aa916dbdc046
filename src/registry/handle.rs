use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use tokio::sync::{Notify, Semaphore};
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::outbound::{Outbound, OutboundLimits, Queued};
use super::{CloseReason, InFlightSends};
use crate::domain::{RestartIntensity, SessionId, Visibility};
use crate::metrics;
use crate::protocol::{User, Watch};

/// A replay's share of a connection's queue, in bytes: never more than half of it.
pub const REPLAY_ROOM_BYTES: usize = 64 * 1024;

/// Identifies one connection within this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(pub u64);

/// A connection as its user's actor sees it: the outbound queue, and the state
/// that survives the actor.
#[derive(Clone)]
pub struct ConnectionHandle(Arc<Inner>);

struct Inner {
    id: ConnectionId,
    user: User,
    session: SessionId,
    hello_received: AtomicBool,
    idle: AtomicBool,
    /// The number of a [`Visibility`], which only grows.
    visibility: AtomicU64,
    watch: Mutex<Watch>,
    in_flight: Mutex<InFlightSends>,
    outbound: Outbound,
    /// How much of the replay's share of the queue is free, in bytes.
    replay_room: Arc<Semaphore>,
    closing: OnceLock<CloseReason>,
    closed: Notify,
    crashes: Mutex<RestartIntensity>,
}

/// The connection's end of the outbound queue; dropping it ends the queue.
pub struct OutboundReceiver(ConnectionHandle);

impl ConnectionHandle {
    /// Returns a handle and the receiver of its queue. `crashes`: how often the
    /// connection may crash its user's actor.
    pub fn new(
        id: ConnectionId,
        user: User,
        session: SessionId,
        limits: OutboundLimits,
        crashes: RestartIntensity,
    ) -> (Self, OutboundReceiver) {
        let handle = Self(Arc::new(Inner {
            id,
            user,
            session,
            hello_received: AtomicBool::new(false),
            idle: AtomicBool::new(false),
            visibility: AtomicU64::new(Visibility::default().version()),
            watch: Mutex::default(),
            in_flight: Mutex::default(),
            outbound: Outbound::new(limits),
            replay_room: Arc::new(Semaphore::new(replay_room(limits))),
            closing: OnceLock::new(),
            closed: Notify::new(),
            crashes: Mutex::new(crashes),
        }));
        (handle.clone(), OutboundReceiver(handle))
    }

    pub fn id(&self) -> ConnectionId {
        self.0.id
    }

    pub fn user(&self) -> &User {
        &self.0.user
    }

    pub fn session(&self) -> SessionId {
        self.0.session
    }

    /// The connection has sent its `hello`: from now on it gets what happens.
    pub fn set_hello_received(&self) {
        self.0.hello_received.store(true, Ordering::Release);
    }

    pub fn hello_received(&self) -> bool {
        self.0.hello_received.load(Ordering::Acquire)
    }

    /// Whether the user is away from this device. Kept here, so that a crash of the
    /// user's actor does not make anybody look active.
    pub fn set_idle(&self, idle: bool) {
        self.0.idle.store(idle, Ordering::Release);
    }

    pub fn is_idle(&self) -> bool {
        self.0.idle.load(Ordering::Acquire)
    }

    /// Applies the user's choice, unless a newer one is known.
    pub fn apply_visibility(&self, visibility: Visibility) {
        self.0.visibility.fetch_max(visibility.version(), Ordering::AcqRel);
    }

    pub fn visibility(&self) -> Visibility {
        Visibility::from_version(self.0.visibility.load(Ordering::Acquire))
    }

    /// What the connection watches. Kept here, so that the list of people does not
    /// flicker when the user's actor is replaced.
    pub fn set_watch(&self, watch: Watch) {
        *self.0.watch.lock().unwrap_or_else(PoisonError::into_inner) = watch;
    }

    pub fn watch(&self) -> MutexGuard<'_, Watch> {
        self.0.watch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection's sends without a result. Kept here, so that nothing
    /// overtakes them when the user's actor is replaced.
    pub fn in_flight(&self) -> MutexGuard<'_, InFlightSends> {
        self.0.in_flight.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues a frame that must arrive; a full queue closes the connection.
    pub fn send(&self, text: Utf8Bytes) {
        self.queue(Queued { text, _room: None });
    }

    /// Queues a frame that may be lost (typing), unless the queue is half full.
    pub fn send_ephemeral(&self, text: Utf8Bytes) {
        if self.0.outbound.is_half_full(text.len()) {
            metrics::outbound_dropped();
        } else {
            self.send(text);
        }
    }

    /// Queues a frame of a replay once there is room: a replay as large as the
    /// queue must not make the reader look slow.
    pub async fn send_replayed(&self, text: Utf8Bytes) {
        let inner = &*self.0;
        let limits = inner.outbound.limits();
        let room = replay_room(limits);
        // A small frame takes one frame's share: a replay has half of the frames, too.
        let share = text.len().max(2 * room / limits.frames).clamp(1, room);
        let wanted = u32::try_from(share).unwrap_or(u32::MAX);
        tokio::select! {
            room = inner.replay_room.clone().acquire_many_owned(wanted) => {
                self.queue(Queued { text, _room: room.ok() });
            }
            () = self.closed() => {}
        }
    }

    /// Resolves when every queued frame of a replay has been written, or the
    /// connection closes.
    pub async fn replay_written(&self) {
        let all = u32::try_from(replay_room(self.0.outbound.limits())).unwrap_or(u32::MAX);
        tokio::select! {
            // An error means that the connection has ended.
            room = self.0.replay_room.acquire_many(all) => drop(room),
            () = self.closed() => {}
        }
    }

    fn queue(&self, frame: Queued) {
        if self.closing().is_none() && !self.0.outbound.push(frame) {
            self.close(CloseReason::SlowReader);
        }
    }

    /// Asks the connection to close; the first reason stands.
    pub fn close(&self, why: CloseReason) {
        if self.0.closing.set(why).is_ok() {
            self.0.closed.notify_waiters();
            self.0.outbound.wake();
        }
    }

    /// Why the connection is closing, if it is.
    pub fn closing(&self) -> Option<CloseReason> {
        self.0.closing.get().copied()
    }

    /// Resolves when somebody has asked to close.
    pub async fn closed(&self) {
        let notified = self.0.closed.notified();
        if self.closing().is_none() {
            notified.await;
        }
    }

    /// Records that a frame of this connection crashed the user's actor. Closes the
    /// connection after too many crashes. Logs only the frame's hash.
    pub fn record_crash(&self, frame: &str) {
        let mut hasher = DefaultHasher::new();
        frame.hash(&mut hasher);
        let hash = hasher.finish();
        let mut crashes = self.0.crashes.lock().unwrap_or_else(PoisonError::into_inner);
        tracing::error!(connection = self.0.id.0, frame_hash = hash, "a frame killed its user's actor");
        if !crashes.record(Instant::now()) {
            self.close(CloseReason::FatalFrame);
        }
    }
}

fn replay_room(limits: OutboundLimits) -> usize {
    (limits.bytes / 2).min(REPLAY_ROOM_BYTES)
}

impl fmt::Debug for ConnectionHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ConnectionHandle({} of {})", self.0.id.0, self.0.user.id)
    }
}

impl OutboundReceiver {
    /// Returns the next frame, or `None` if the queue is empty and the connection
    /// is to close.
    pub async fn recv(&mut self) -> Option<Utf8Bytes> {
        loop {
            // In this order: nothing is queued once the connection is closing.
            let closing = self.0.closing().is_some();
            match self.try_recv() {
                None if !closing => self.0.0.outbound.ready().await,
                next => return next,
            }
        }
    }

    /// Returns the next frame, if there is one now.
    pub fn try_recv(&mut self) -> Option<Utf8Bytes> {
        self.0.0.outbound.take()
    }
}

impl Drop for OutboundReceiver {
    fn drop(&mut self) {
        let inner = &*self.0.0;
        inner.outbound.end();
        // Ends the wait of a replay.
        inner.replay_room.close();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::UserId;

    const LIMITS: OutboundLimits = OutboundLimits { frames: 8, bytes: 800 };

    fn handle() -> (ConnectionHandle, OutboundReceiver) {
        let user = User { id: UserId::fresh(), name: "Ada".into() };
        ConnectionHandle::new(
            ConnectionId(1),
            user,
            SessionId([0; 32]),
            LIMITS,
            RestartIntensity::new(2, Duration::from_secs(60)),
        )
    }

    fn frame(length: usize) -> Utf8Bytes {
        "x".repeat(length).into()
    }

    #[test]
    fn a_queue_full_of_frames_closes_a_slow_reader() {
        let (handle, _outbound) = handle();
        for _ in 0..8 {
            handle.send(frame(1));
            assert_eq!(handle.closing(), None);
        }
        handle.send(frame(1));
        assert_eq!(handle.closing(), Some(CloseReason::SlowReader));
    }

    #[test]
    fn a_queue_full_of_bytes_closes_a_slow_reader() {
        let (handle, mut outbound) = handle();
        handle.send(frame(500));
        assert_eq!(outbound.try_recv().map(|text| text.len()), Some(500));
        handle.send(frame(500));
        assert_eq!(handle.closing(), None, "what was taken out no longer counts");
        handle.send(frame(301));
        assert_eq!(handle.closing(), Some(CloseReason::SlowReader));
    }

    #[test]
    fn ephemeral_frames_are_dropped_from_half_full() {
        let (handle, mut outbound) = handle();
        for _ in 0..20 {
            handle.send_ephemeral(frame(1));
        }
        assert_eq!(std::iter::from_fn(|| outbound.try_recv()).count(), 4);
        assert_eq!(handle.closing(), None);
    }

    #[tokio::test]
    async fn a_replay_larger_than_the_queue_waits_for_the_reader() {
        let (handle, mut outbound) = handle();
        let replay = tokio::spawn({
            let handle = handle.clone();
            async move {
                for _ in 0..100 {
                    handle.send_replayed(frame(50)).await;
                }
            }
        });
        for _ in 0..100 {
            assert_eq!(outbound.recv().await.map(|text| text.len()), Some(50));
        }
        replay.await.unwrap();
        assert_eq!(handle.closing(), None);
    }

    #[tokio::test]
    async fn a_replay_is_written_once_all_its_frames_are_taken() {
        let (handle, mut outbound) = handle();
        handle.send_replayed(frame(50)).await;
        handle.send_replayed(frame(50)).await;
        let mut written = Box::pin(handle.replay_written());
        assert!(futures::poll!(&mut written).is_pending());
        assert!(outbound.try_recv().is_some());
        assert!(futures::poll!(&mut written).is_pending());
        assert!(outbound.try_recv().is_some());
        written.await;
    }

    #[tokio::test]
    async fn what_was_queued_before_the_close_is_still_taken_and_nothing_after() {
        let (handle, mut outbound) = handle();
        handle.send(frame(1));
        let waiting = tokio::spawn(async move { (outbound.recv().await, outbound.recv().await) });
        tokio::task::yield_now().await;
        handle.send(frame(2));
        handle.close(CloseReason::LoggedOut);
        handle.send(frame(3));
        let lengths = |next: Option<Utf8Bytes>| next.map(|text| text.len());
        let (first, second) = waiting.await.unwrap();
        assert_eq!((lengths(first), lengths(second)), (Some(1), Some(2)));
    }

    #[tokio::test]
    async fn a_close_wakes_who_waits_for_a_frame() {
        let (handle, mut outbound) = handle();
        let waiting = tokio::spawn(async move { outbound.recv().await });
        tokio::task::yield_now().await;
        handle.close(CloseReason::LoggedOut);
        assert_eq!(waiting.await.unwrap(), None);
    }

    #[test]
    fn the_third_death_closes_the_connection() {
        let (handle, _outbound) = handle();
        handle.record_crash("frame");
        handle.record_crash("frame");
        assert_eq!(handle.closing(), None);
        handle.record_crash("frame");
        assert_eq!(handle.closing(), Some(CloseReason::FatalFrame));
    }
}
