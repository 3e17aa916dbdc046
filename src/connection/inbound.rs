use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ractor::ActorId;
use tokio::time::sleep;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use crate::registry::sync::{OwnedSemaphorePermit, Semaphore};
use crate::registry::{
    ConnectionHandle, Envelope, LARGE_FRAME_BYTES, Recipient, Registry, ReturnedFrames, UserMessage,
};

/// How often frames that wait for an actor look for it again.
const RETRY: Duration = Duration::from_millis(1);

/// Frames on their way to the user's actor, across its crashes: each frame is
/// handled once, in the order received, unless it crashed the actor itself.
///
/// A frame is in one of three places: in `queue`, in the actor's mailbox (then it
/// holds a permit of the window), or on its way `back` from a mailbox that was
/// dropped. Nothing is sent to another actor before every permit is back, so that
/// returned frames are sorted in before any newer one is sent.
pub struct Inbound {
    handle: ConnectionHandle,
    /// With their numbers, in order.
    queue: VecDeque<(u64, Utf8Bytes)>,
    received: u64,
    /// Whether a frame received since the last dispatch is large.
    has_large: bool,
    window: Arc<Semaphore>,
    size: usize,
    back: Arc<ReturnedFrames>,
    /// The actor that was last sent something. Not a reference: a message that
    /// races the end of a mailbox is dropped only with the last reference to its
    /// actor, and its envelope must return.
    actor: Option<ActorId>,
    stalled: Option<Instant>,
    /// As the last dispatch left it: reading and waiting must not see two
    /// different windows.
    has_room: bool,
}

impl Inbound {
    /// `size`: the maximum number of frames in the actor's mailbox.
    pub fn new(handle: ConnectionHandle, size: usize) -> Self {
        Self {
            handle,
            queue: VecDeque::new(),
            received: 0,
            has_large: false,
            window: Arc::new(Semaphore::new(size)),
            size,
            back: Arc::default(),
            actor: None,
            stalled: None,
            has_room: true,
        }
    }

    /// Takes a frame from the socket; [`dispatch`](Self::dispatch) sends it on.
    pub fn receive(&mut self, text: Utf8Bytes) {
        self.has_large |= text.len() > LARGE_FRAME_BYTES;
        self.queue.push_back((self.received, text));
        self.received += 1;
    }

    /// Whether the socket may be read, until the next frame.
    pub fn has_room(&self) -> bool {
        self.has_room
    }

    /// Whether more frames that have arrived may be read before the next dispatch.
    pub fn takes_more(&self) -> bool {
        !self.has_large && self.queue.len() < self.window.available_permits()
    }

    /// Whether frames wait for a new actor although the window is open.
    pub fn waits_for_actor(&self) -> bool {
        self.stalled.is_some()
    }

    /// For how long frames have waited for a new actor.
    pub fn stalled_for(&self) -> Duration {
        self.stalled.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// Resolves when it is time to dispatch again: a frame has returned, or one is
    /// finished and the window was full. Must be awaited at all times: a frame may
    /// return to a connection that waits only for its socket.
    pub async fn changed(&self) {
        if self.waits_for_actor() {
            // A dying actor refuses frames before it is seen as dead: dispatching
            // for each returned frame would be a busy loop.
            return std::future::pending().await;
        }
        if self.has_room {
            return self.back.changed().await;
        }
        // Boxed, since an idle connection does not wait for this.
        Box::pin(async {
            tokio::select! {
                // The cheaper first: nothing is lost by the order.
                biased;
                () = self.back.changed() => {}
                // The permit is not kept: it only shows that there is one.
                _ = self.window.acquire() => {}
            }
        })
        .await
    }

    /// Resolves when it is time to look for a new actor again; never unless one is
    /// waited for. Boxed, so that a connection keeps no room for a timer.
    pub async fn retry(&self) {
        if self.waits_for_actor() {
            Box::pin(sleep(RETRY)).await;
        } else {
            std::future::pending().await
        }
    }

    /// Sends as many frames to the user's actor as the window allows.
    pub fn dispatch<A: Recipient>(&mut self, registry: &Registry<A>) {
        self.has_large = false;
        self.send(registry);
        if self.queue.is_empty() {
            // An idle connection keeps no room for frames either.
            self.queue = VecDeque::new();
        }
        self.has_room = self.queue.is_empty() && self.window.available_permits() > 0;
    }

    fn send<A: Recipient>(&mut self, registry: &Registry<A>) {
        self.requeue();
        let Some(permit) = self.permit() else {
            self.stalled = None;
            return;
        };
        let Some(actor) = self.current(registry) else {
            self.stalled.get_or_insert_with(Instant::now);
            return;
        };
        // Frames that have returned meanwhile are older than all others. Frames
        // that return later were with this actor, which then handles no more.
        self.requeue();
        if actor.try_cast(UserMessage::Frames(self.envelopes(permit))) {
            self.stalled = None;
        } else {
            // The envelopes were dropped, so the frames have returned. The actor
            // is about to be seen as dead.
            self.requeue();
            self.stalled.get_or_insert_with(Instant::now);
        }
    }

    /// Returns a permit for the next frame, if there are both.
    fn permit(&self) -> Option<OwnedSemaphorePermit> {
        if self.queue.is_empty() { None } else { self.window.clone().try_acquire_owned().ok() }
    }

    /// Takes the oldest frames, as many as there is room for.
    fn envelopes(&mut self, permit: OwnedSemaphorePermit) -> Vec<Envelope> {
        let mut envelopes = Vec::with_capacity(self.queue.len().min(self.size));
        let mut next = Some(permit);
        while let Some(permit) = next
            && let Some((number, text)) = self.queue.pop_front()
        {
            envelopes.push(Envelope::new(self.handle.clone(), number, text, self.back.clone(), permit));
            next = self.permit();
        }
        envelopes
    }

    /// Returns the actor to send to: the same as before while it lives, another
    /// one only once nothing is left with the last.
    fn current<A: Recipient>(&mut self, registry: &Registry<A>) -> Option<A> {
        let actor = registry.get(self.handle.user().id).filter(Recipient::is_alive)?;
        let id = actor.id();
        // One permit is held by the caller.
        if self.actor != Some(id) && self.window.available_permits() + 1 < self.size {
            return None;
        }
        self.actor = Some(id);
        Some(actor)
    }

    fn requeue(&mut self) {
        let back = self.back.take();
        if !back.is_empty() {
            self.queue.extend(back);
            self.queue.make_contiguous().sort_unstable_by_key(|(number, _)| *number);
        }
    }
}

/// All orders of events, in a folder of its own: it is four times as long as what it checks.
#[cfg(test)]
#[path = "../../tests/model/mod.rs"]
mod model;

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use proptest::prelude::*;
    use ractor::{Actor, ActorProcessingErr, ActorRef};
    use tokio::runtime::{Builder, Runtime};

    use super::*;
    use crate::domain::{RestartIntensity, SessionId, UserId};
    use crate::protocol::User;
    use crate::registry::{ConnectionId, OutboundLimits};

    type Handled = Arc<Mutex<Vec<String>>>;

    /// What a frame does to the actor that handles it.
    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Fate {
        Harmless,
        Error,
        Panic,
    }

    /// Notes every frame; dies of fatal ones.
    struct Mortal;

    impl Actor for Mortal {
        type Msg = UserMessage;
        type State = Handled;
        type Arguments = Handled;

        async fn pre_start(
            &self,
            _: ActorRef<UserMessage>,
            handled: Handled,
        ) -> Result<Handled, ActorProcessingErr> {
            Ok(handled)
        }

        async fn handle(
            &self,
            _: ActorRef<UserMessage>,
            message: UserMessage,
            handled: &mut Handled,
        ) -> Result<(), ActorProcessingErr> {
            let UserMessage::Frames(envelopes) = message else { return Ok(()) };
            for envelope in envelopes {
                let opened = envelope.open();
                handled.lock().unwrap().push(opened.text.to_string());
                if opened.text.ends_with("Error") {
                    return Err("fatal".into());
                }
                if opened.text.ends_with("Panic") {
                    // Unwinds as any panic does, and prints nothing.
                    std::panic::resume_unwind(Box::new("fatal"));
                }
            }
            Ok(())
        }
    }

    /// Sends the frames, up to `burst` at once, through a window of `size`, to
    /// actors that are replaced as often as they die, until all are done and every
    /// permit is home. Gives how many were with an actor at the most.
    async fn carry(fates: &[Fate], size: usize, burst: usize) -> usize {
        let user = User { id: UserId::fresh(), name: "Ada".into() };
        let id = user.id;
        let limits = OutboundLimits { frames: 16, bytes: 1_024 };
        let no_end = RestartIntensity::new(usize::MAX, Duration::from_secs(1));
        let (handle, _outbound) =
            ConnectionHandle::new(ConnectionId(1), user, SessionId([0; 32]), limits, no_end);
        let (registry, handled) = (Registry::default(), Handled::default());
        let frames: Vec<String> =
            fates.iter().enumerate().map(|(number, fate)| format!("{number} {fate:?}")).collect();
        let mut inbound = Inbound::new(handle, size);
        let (mut coming, mut most) = (frames.iter(), 0);
        let mut actor: Option<ActorRef<UserMessage>> = None;
        while handled.lock().unwrap().len() < frames.len() || inbound.window.available_permits() < size {
            if !actor.as_ref().is_some_and(Recipient::is_alive) {
                let (born, _task) = Actor::spawn(None, Mortal, handled.clone()).await.unwrap();
                registry.put(id, born.clone());
                actor = Some(born);
            }
            inbound.dispatch(&registry);
            while inbound.has_room() && coming.len() > 0 {
                let at_hand = coming.len().min(burst);
                for frame in coming.by_ref().take(at_hand) {
                    inbound.receive(frame.as_str().into());
                    if !inbound.takes_more() {
                        break;
                    }
                }
                inbound.dispatch(&registry);
            }
            most = most.max(size - inbound.window.available_permits());
            tokio::task::yield_now().await;
        }
        // Fatal ones too: once, in their place.
        assert_eq!(*handled.lock().unwrap(), frames);
        assert!(inbound.queue.is_empty());
        most
    }

    fn carried(runtime: &Runtime, fates: &[Fate], size: usize, burst: usize) -> usize {
        let carried =
            async { tokio::time::timeout(Duration::from_secs(20), carry(fates, size, burst)).await };
        runtime.block_on(carried).unwrap_or_else(|_| panic!("{fates:?}: stuck"))
    }

    /// As many as are with an actor unless it is set otherwise.
    const WINDOW: usize = 32;

    /// All are in the mailbox before the actor runs.
    #[test]
    fn any_one_of_a_full_window_may_be_fatal_and_any_two() {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        for first in 0..WINDOW {
            for second in first..WINDOW {
                for fate in [Fate::Error, Fate::Panic] {
                    let mut fates = [Fate::Harmless; WINDOW];
                    (fates[first], fates[second]) = (fate, fate);
                    assert_eq!(carried(&runtime, &fates, WINDOW, 5), WINDOW);
                }
            }
        }
    }

    /// Each actor dies of its first frame.
    #[test]
    fn all_of_a_full_window_may_be_fatal() {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        for fate in [Fate::Error, Fate::Panic] {
            assert_eq!(carried(&runtime, &[fate; WINDOW], WINDOW, 5), WINDOW);
        }
    }

    fn fate() -> impl Strategy<Value = Fate> {
        prop_oneof![8 => Just(Fate::Harmless), 1 => Just(Fate::Error), 1 => Just(Fate::Panic)]
    }

    proptest! {
        /// Sender and actors run at the same time.
        #[test]
        fn every_frame_is_handled_once_in_order(
            fates in prop::collection::vec(fate(), 1..200),
            size in 1usize..40,
            burst in 1usize..10,
        ) {
            let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            carried(&runtime, &fates, size, burst);
        }
    }

    /// The setting "TIDINGS_INBOUND_WINDOW". The actor runs only while this waits.
    #[tokio::test(flavor = "current_thread")]
    async fn the_socket_is_read_while_the_window_is_open() {
        let user = User { id: UserId::fresh(), name: "Ada".into() };
        let (registry, handled) = (Registry::default(), Handled::default());
        let (actor, _task) = Actor::spawn(None, Mortal, handled.clone()).await.unwrap();
        registry.put(user.id, actor);
        let limits = OutboundLimits { frames: 16, bytes: 1_024 };
        let no_end = RestartIntensity::new(usize::MAX, Duration::from_secs(1));
        let (handle, _outbound) =
            ConnectionHandle::new(ConnectionId(1), user, SessionId([0; 32]), limits, no_end);
        let mut inbound = Inbound::new(handle, 2);
        for text in ["0", "1", "2"] {
            assert_eq!(inbound.has_room(), text != "2");
            inbound.receive(Utf8Bytes::from_static(text));
            inbound.dispatch(&registry);
        }
        assert!(!inbound.has_room());
        while !inbound.has_room() {
            inbound.changed().await;
            inbound.dispatch(&registry);
        }
        assert_eq!(handled.lock().unwrap()[..2], ["0", "1"]);
    }
}
