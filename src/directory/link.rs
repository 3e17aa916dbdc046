use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use tokio::sync::{Notify, Semaphore};
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::Pending;
use super::outbound::{Outbound, OutboundLimits, Queued};
use crate::domain::{Budget, SessionId, Visibility};
use crate::metrics;
use crate::protocol::{User, Watch};

/// Names one connection within this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(pub u64);

/// Why the server closes a connection: 4000–4499 come back, 4500–4999 do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Close {
    Restart,
    Unsupported,
    SlowReader,
    NoPong,
    NoHello,
    NoSession,
    FatalFrame,
    LoggedOut,
    /// The same browser has logged in to the same name again.
    LoggedInAgain,
    TooManySockets,
    ControlFlood,
}

impl Close {
    /// The close code (RFC 6455 §7.4) and its sentence.
    pub fn code_and_reason(self) -> (u16, &'static str) {
        match self {
            Self::Restart => (1012, "the server restarts"),
            Self::Unsupported => (1003, "binary frames are not understood"),
            Self::SlowReader => (4008, "too slow to read"),
            Self::NoPong => (4010, "no pong in time"),
            Self::NoHello => (4011, "no hello in time"),
            Self::NoSession => (4012, "the session could not be started"),
            Self::FatalFrame => (4500, "a frame of this connection fails again and again"),
            Self::LoggedOut => (4501, "logged out"),
            Self::LoggedInAgain => (4501, "logged in again"),
            Self::TooManySockets => (4502, "too many connections of this user"),
            Self::ControlFlood => (4503, "too many control frames"),
        }
    }
}

/// What a user's actor holds of a connection: it survives both of them.
#[derive(Clone)]
pub struct Link(Arc<Inner>);

struct Inner {
    id: ConnectionId,
    user: User,
    session: SessionId,
    greeted: AtomicBool,
    idle: AtomicBool,
    /// The number of a [`Visibility`], which only grows.
    visibility: AtomicU64,
    watch: Mutex<Watch>,
    pending: Mutex<Pending>,
    outbound: Outbound,
    /// The replay's share of the queue, in bytes: half of it.
    replay_room: Arc<Semaphore>,
    closing: OnceLock<Close>,
    closed: Notify,
    crashes: Mutex<Budget>,
}

/// The connection's end of the queue: with it the queue ends.
pub struct Outgoing(Link);

impl Link {
    /// A link and the end of its queue. `crashes`: how many deaths of the user's
    /// actor the connection may cause.
    pub fn new(
        id: ConnectionId,
        user: User,
        session: SessionId,
        limits: OutboundLimits,
        crashes: Budget,
    ) -> (Self, Outgoing) {
        let link = Self(Arc::new(Inner {
            id,
            user,
            session,
            greeted: AtomicBool::new(false),
            idle: AtomicBool::new(false),
            visibility: AtomicU64::new(Visibility::default().0),
            watch: Mutex::default(),
            pending: Mutex::default(),
            outbound: Outbound::new(limits),
            replay_room: Arc::new(Semaphore::new(limits.bytes / 2)),
            closing: OnceLock::new(),
            closed: Notify::new(),
            crashes: Mutex::new(crashes),
        }));
        (link.clone(), Outgoing(link))
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

    /// The connection has said hello: what happens from now on is sent to it.
    pub fn greet(&self) {
        self.0.greeted.store(true, Ordering::Release);
    }

    pub fn greeted(&self) -> bool {
        self.0.greeted.load(Ordering::Acquire)
    }

    /// Whether the user has left this device alone; kept here, so that nobody
    /// comes back when the user's actor is replaced.
    pub fn set_idle(&self, idle: bool) {
        self.0.idle.store(idle, Ordering::Release);
    }

    pub fn is_idle(&self) -> bool {
        self.0.idle.load(Ordering::Acquire)
    }

    /// What the user has chosen; an older choice than is known changes nothing.
    pub fn learn_visibility(&self, visibility: Visibility) {
        self.0.visibility.fetch_max(visibility.0, Ordering::AcqRel);
    }

    pub fn visibility(&self) -> Visibility {
        Visibility(self.0.visibility.load(Ordering::Acquire))
    }

    /// What the connection looks at: kept here, so that the list of people does
    /// not flicker when the user's actor is replaced.
    pub fn set_watch(&self, watch: Watch) {
        *self.0.watch.lock().unwrap_or_else(PoisonError::into_inner) = watch;
    }

    pub fn watch(&self) -> MutexGuard<'_, Watch> {
        self.0.watch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the connection has sent and has no answer: kept here, so that nothing
    /// overtakes it when the user's actor is replaced.
    pub fn pending(&self) -> MutexGuard<'_, Pending> {
        self.0.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues a frame that must arrive; a full queue closes the connection.
    pub fn send(&self, text: Utf8Bytes) {
        self.queue(Queued { text, _room: None });
    }

    /// Queues a frame that may be lost (typing): not when half full.
    pub fn send_ephemeral(&self, text: Utf8Bytes) {
        if self.0.outbound.is_half_full(text.len()) {
            metrics::outbound_dropped();
        } else {
            self.send(text);
        }
    }

    /// Queues a frame of a replay, waiting for room: a replay as large as the
    /// queue must not make the reader look slow.
    pub async fn send_replayed(&self, text: Utf8Bytes) {
        let inner = &*self.0;
        // A small frame takes a frame's share, so that the half holds in frames too.
        let limits = inner.outbound.limits();
        let share = text.len().max(limits.bytes / limits.frames).min(limits.bytes / 2);
        let wanted = u32::try_from(share).unwrap_or(u32::MAX);
        tokio::select! {
            room = inner.replay_room.clone().acquire_many_owned(wanted) => {
                self.queue(Queued { text, _room: room.ok() });
            }
            () = self.closed() => {}
        }
    }

    fn queue(&self, frame: Queued) {
        if self.closing().is_none() && !self.0.outbound.push(frame) {
            self.close(Close::SlowReader);
        }
    }

    /// Asks the connection to close; the first reason stands.
    pub fn close(&self, why: Close) {
        if self.0.closing.set(why).is_ok() {
            self.0.closed.notify_waiters();
            self.0.outbound.wake();
        }
    }

    /// Why the connection is closing, if it is.
    pub fn closing(&self) -> Option<Close> {
        self.0.closing.get().copied()
    }

    /// Ends when somebody has asked to close.
    pub async fn closed(&self) {
        let notified = self.0.closed.notified();
        if self.closing().is_none() {
            notified.await;
        }
    }

    /// Books a death of the user's actor on this connection; beyond its budget
    /// the connection is closed. The frame is logged by its hash only.
    pub fn blame(&self, frame: &str) {
        let mut hasher = DefaultHasher::new();
        frame.hash(&mut hasher);
        let hash = hasher.finish();
        let mut crashes = self.0.crashes.lock().unwrap_or_else(PoisonError::into_inner);
        tracing::error!(connection = self.0.id.0, frame_hash = hash, "a frame killed its user's actor");
        if !crashes.spend(Instant::now()) {
            self.close(Close::FatalFrame);
        }
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Link({} of {})", self.0.id.0, self.0.user.id)
    }
}

impl Outgoing {
    /// The next frame; none when all are out and the connection is to close.
    pub async fn recv(&mut self) -> Option<Utf8Bytes> {
        loop {
            // In this order: nothing is queued once it is closing.
            let closing = self.0.closing().is_some();
            match self.try_recv() {
                None if !closing => self.0.0.outbound.ready().await,
                next => return next,
            }
        }
    }

    /// The next frame, if there is one now.
    pub fn try_recv(&mut self) -> Option<Utf8Bytes> {
        self.0.0.outbound.take()
    }
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        let inner = &*self.0.0;
        inner.outbound.end();
        // A replay waits no longer.
        inner.replay_room.close();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::UserId;

    const LIMITS: OutboundLimits = OutboundLimits { frames: 8, bytes: 800 };

    fn link() -> (Link, Outgoing) {
        let user = User { id: UserId::fresh(), name: "Ada".into() };
        Link::new(ConnectionId(1), user, SessionId([0; 32]), LIMITS, Budget::new(2, Duration::from_secs(60)))
    }

    fn frame(length: usize) -> Utf8Bytes {
        "x".repeat(length).into()
    }

    #[test]
    fn a_queue_full_of_frames_closes_a_slow_reader() {
        let (link, _outgoing) = link();
        for _ in 0..8 {
            link.send(frame(1));
            assert_eq!(link.closing(), None);
        }
        link.send(frame(1));
        assert_eq!(link.closing(), Some(Close::SlowReader));
    }

    #[test]
    fn a_queue_full_of_bytes_closes_a_slow_reader() {
        let (link, mut outgoing) = link();
        link.send(frame(500));
        assert_eq!(outgoing.try_recv().map(|text| text.len()), Some(500));
        link.send(frame(500));
        assert_eq!(link.closing(), None, "what was taken out no longer counts");
        link.send(frame(301));
        assert_eq!(link.closing(), Some(Close::SlowReader));
    }

    #[test]
    fn ephemeral_frames_are_dropped_from_half_full() {
        let (link, mut outgoing) = link();
        for _ in 0..20 {
            link.send_ephemeral(frame(1));
        }
        assert_eq!(std::iter::from_fn(|| outgoing.try_recv()).count(), 4);
        assert_eq!(link.closing(), None);
    }

    #[tokio::test]
    async fn a_replay_larger_than_the_queue_waits_for_the_reader() {
        let (link, mut outgoing) = link();
        let replay = tokio::spawn({
            let link = link.clone();
            async move {
                for _ in 0..100 {
                    link.send_replayed(frame(50)).await;
                }
            }
        });
        for _ in 0..100 {
            assert_eq!(outgoing.recv().await.map(|text| text.len()), Some(50));
        }
        replay.await.unwrap();
        assert_eq!(link.closing(), None);
    }

    #[tokio::test]
    async fn what_was_queued_before_the_close_is_still_taken_and_nothing_after() {
        let (link, mut outgoing) = link();
        link.send(frame(1));
        let waiting = tokio::spawn(async move { (outgoing.recv().await, outgoing.recv().await) });
        tokio::task::yield_now().await;
        link.send(frame(2));
        link.close(Close::LoggedOut);
        link.send(frame(3));
        let lengths = |next: Option<Utf8Bytes>| next.map(|text| text.len());
        let (first, second) = waiting.await.unwrap();
        assert_eq!((lengths(first), lengths(second)), (Some(1), Some(2)));
    }

    #[tokio::test]
    async fn a_close_wakes_who_waits_for_a_frame() {
        let (link, mut outgoing) = link();
        let waiting = tokio::spawn(async move { outgoing.recv().await });
        tokio::task::yield_now().await;
        link.close(Close::LoggedOut);
        assert_eq!(waiting.await.unwrap(), None);
    }

    #[test]
    fn the_third_death_closes_the_connection() {
        let (link, _outgoing) = link();
        link.blame("frame");
        link.blame("frame");
        assert_eq!(link.closing(), None);
        link.blame("frame");
        assert_eq!(link.closing(), Some(Close::FatalFrame));
    }
}
