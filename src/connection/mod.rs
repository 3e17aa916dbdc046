//! A connection: a task that owns one WebSocket and knows nothing of what is
//! said on it. It outlives the user's actor: frames in, frames out, pings.

mod bursts;
mod inbound;
mod metered;

use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use futures::{FutureExt, SinkExt, StreamExt, poll};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, sleep, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{self, Bytes, Message, Utf8Bytes, error::CapacityError};

use crate::directory::{Close, ConnectionId, Link, OutboundLimits, Outgoing};
use crate::domain::{Budget, SessionId, Visibility};
use crate::metrics;
use crate::protocol::User;
use crate::user::Services;
pub use bursts::Bursts;
use inbound::Inbound;
use metered::Endless;
pub use metered::Metered;

/// How long the farewell may take: the close frame out, the peer's in, its end.
const FAREWELL: Duration = Duration::from_secs(2);
/// How long frames wait for an actor before the connection is given up.
const ACTOR_DEADLINE: Duration = Duration::from_secs(10);

/// Whose connection it is.
#[derive(Clone, Debug)]
pub struct Identity {
    pub user: User,
    pub session: SessionId,
    /// What the user had chosen when the session was looked at.
    pub visibility: Visibility,
}

/// Serves an upgraded socket until it ends, and says farewell.
///
/// What is taken by value would have its place in the memory of an idle socket twice.
pub async fn serve<S>(socket: &mut WebSocketStream<Metered<S>>, identity: &Identity, services: &Services)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let config = &services.config;
    let (link, outgoing) = Link::new(
        next_id(),
        identity.user.clone(),
        identity.session,
        OutboundLimits { frames: config.outbound_frames, bytes: config.outbound_bytes },
        // The last of `crashes` closes it.
        Budget::new(config.crashes.saturating_sub(1), config.crash_window),
    );
    link.learn_visibility(identity.visibility);
    if !services.users.attach(&link, config.sockets_per_user) {
        return Box::pin(farewell(socket, End::Close(Close::TooManySockets))).await;
    }
    let _counted = metrics::socket_opened();
    let end = Connection::new(socket, &link, outgoing, services).run().await;
    services.users.detach(&link);
    tracing::debug!(connection = link.id().0, user = %link.user().id, ?end, "connection ended");
    // Boxed: an idle socket does not pay for its end.
    Box::pin(farewell(socket, end)).await;
}

fn next_id() -> ConnectionId {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    ConnectionId(NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Why a connection ended.
#[derive(Debug)]
enum End {
    /// The server closes it.
    Close(Close),
    /// The peer broke RFC 6455 or a limit.
    Breach(CloseCode, &'static str),
    /// The peer has closed it, or it is cut.
    Gone,
}

struct Connection<'a, S> {
    socket: &'a mut WebSocketStream<Metered<S>>,
    link: &'a Link,
    outgoing: Outgoing,
    inbound: Inbound,
    services: &'a Services,
    alive: Liveness,
    control_frames: ControlFrames,
}

/// The peer's answer to our pings, and only that, shows that it hears us.
#[derive(Clone, Copy)]
enum Liveness {
    HelloUntil(Instant),
    PingAt(Instant),
    PongUntil(Instant),
}

impl<'a, S: AsyncRead + AsyncWrite + Unpin> Connection<'a, S> {
    fn new(
        socket: &'a mut WebSocketStream<Metered<S>>,
        link: &'a Link,
        outgoing: Outgoing,
        services: &'a Services,
    ) -> Self {
        let config = &services.config;
        Self {
            socket,
            link,
            outgoing,
            inbound: Inbound::new(link.clone(), config.inbound_window),
            services,
            alive: Liveness::HelloUntil(Instant::now() + config.hello_timeout),
            control_frames: ControlFrames::new(config.control_frames_per_minute),
        }
    }

    async fn run(&mut self) -> End {
        let timer = sleep(Duration::ZERO);
        tokio::pin!(timer);
        timer.as_mut().reset(self.alive.deadline());
        loop {
            self.inbound.pump(&self.services.directory);
            if self.inbound.stalled_for() > ACTOR_DEADLINE {
                return End::Close(Close::NoSession);
            }
            let outcome = tokio::select! {
                frame = self.outgoing.recv() => match frame {
                    Some(frame) => self.write(frame).await,
                    None => Err(closed(self.link)),
                },
                // Not reading is the back-pressure: the window is full.
                message = self.socket.next(), if self.inbound.has_room() => self.on_messages(message),
                () = self.inbound.changed() => Ok(()),
                () = self.inbound.retry() => Ok(()),
                () = &mut timer => {
                    let outcome = Box::pin(self.on_deadline()).await;
                    timer.as_mut().reset(self.alive.deadline());
                    outcome
                }
            };
            if let Err(end) = outcome {
                // What came before the end is handed on.
                self.inbound.pump(&self.services.directory);
                return end;
            }
        }
    }

    /// This frame and all that wait behind it, then one flush. A peer that does
    /// not take them is as good as gone after the time of a missing pong.
    async fn write(&mut self, first: Utf8Bytes) -> Result<(), End> {
        let (socket, outgoing) = (&mut *self.socket, &mut self.outgoing);
        let mut burst = pin!(async {
            socket.feed(Message::Text(first)).await?;
            while let Some(next) = outgoing.try_recv() {
                socket.feed(Message::Text(next)).await?;
            }
            socket.flush().await
        });
        // Mostly the kernel takes them at once: no timer is set, and an idle
        // connection keeps no room for one.
        if let Poll::Ready(result) = poll!(burst.as_mut()) {
            return result.map_err(|_: tungstenite::Error| End::Gone);
        }
        let patience = self.services.config.ping_interval + self.services.config.pong_timeout;
        Box::pin(async {
            tokio::select! {
                result = burst => result.map_err(|_| End::Gone),
                () = self.link.closed() => Err(closed(self.link)),
                () = sleep(patience) => Err(End::Close(Close::NoPong)),
            }
        })
        .await
    }

    /// This message and all that came with it: to wait for each anew costs more
    /// than to hand it on. Tokio's budget for a task ends it.
    fn on_messages(&mut self, first: Option<Result<Message, tungstenite::Error>>) -> Result<(), End> {
        let mut outcome = self.on_message(first);
        while outcome.is_ok()
            && self.inbound.takes_more()
            && let Some(next) = self.socket.next().now_or_never()
        {
            outcome = self.on_message(next);
        }
        outcome
    }

    fn on_message(&mut self, message: Option<Result<Message, tungstenite::Error>>) -> Result<(), End> {
        match message {
            Some(Ok(Message::Text(text))) => {
                self.socket.get_mut().restart();
                self.inbound.receive(text);
            }
            Some(Ok(Message::Binary(_))) => return Err(End::Close(Close::Unsupported)),
            // The library has the pong ready and sends it with the next flush.
            Some(Ok(Message::Ping(payload))) => {
                self.socket.get_mut().pass(payload.len());
                self.control_frames.count()?;
            }
            Some(Ok(Message::Pong(payload))) => {
                self.socket.get_mut().pass(payload.len());
                self.control_frames.count()?;
                if let Liveness::PongUntil(_) = self.alive {
                    self.alive = Liveness::PingAt(Instant::now() + self.services.config.ping_interval);
                }
            }
            Some(Ok(Message::Close(_) | Message::Frame(_))) | None => return Err(End::Gone),
            Some(Err(error)) => return Err(breach(&error)),
        }
        Ok(())
    }

    async fn on_deadline(&mut self) -> Result<(), End> {
        let (now, config) = (Instant::now(), &self.services.config);
        match self.alive {
            // The pong has come before its time was over.
            Liveness::PingAt(at) if at > now => {}
            Liveness::HelloUntil(_) if !self.link.greeted() => return Err(End::Close(Close::NoHello)),
            // What is not read cannot be heard.
            Liveness::PongUntil(_) if self.inbound.has_room() => return Err(End::Close(Close::NoPong)),
            Liveness::HelloUntil(_) | Liveness::PingAt(_) | Liveness::PongUntil(_) => {
                self.socket.feed(Message::Ping(Bytes::new())).await.map_err(|_| End::Gone)?;
                self.alive = Liveness::PongUntil(now + config.pong_timeout);
                // Flushing may wait for a slow peer: as patiently as for any frame.
                tokio::select! {
                    result = self.socket.flush() => result.map_err(|_| End::Gone)?,
                    () = self.link.closed() => {}
                    () = sleep(config.pong_timeout) => return Err(End::Close(Close::NoPong)),
                }
            }
        }
        Ok(())
    }
}

fn closed(link: &Link) -> End {
    End::Close(link.closing().unwrap_or(Close::Restart))
}

impl Liveness {
    fn deadline(self) -> Instant {
        match self {
            Self::HelloUntil(at) | Self::PingAt(at) | Self::PongUntil(at) => at,
        }
    }
}

/// Pings and pongs cost work and no permit: they are counted by the minute.
struct ControlFrames {
    limit: u32,
    seen: u32,
    since: Instant,
}

impl ControlFrames {
    fn new(limit: u32) -> Self {
        Self { limit, seen: 0, since: Instant::now() }
    }

    fn count(&mut self) -> Result<(), End> {
        let now = Instant::now();
        if now.duration_since(self.since) >= Duration::from_secs(60) {
            (self.seen, self.since) = (0, now);
        }
        self.seen += 1;
        if self.seen > self.limit { Err(End::Close(Close::ControlFlood)) } else { Ok(()) }
    }
}

fn breach(error: &tungstenite::Error) -> End {
    match error {
        tungstenite::Error::Utf8(_) => End::Breach(CloseCode::Invalid, "text that is not UTF-8"),
        tungstenite::Error::Capacity(CapacityError::MessageTooLong { .. }) => {
            End::Breach(CloseCode::Size, "the frame is too large")
        }
        tungstenite::Error::Capacity(_) => End::Breach(CloseCode::Size, "too large"),
        tungstenite::Error::Io(error) if error.get_ref().is_some_and(|error| error.is::<Endless>()) => {
            End::Breach(CloseCode::Size, "the message has no end")
        }
        // A cut is the peer's end; everything else there is a breach.
        tungstenite::Error::Protocol(tungstenite::error::ProtocolError::ResetWithoutClosingHandshake) => {
            End::Gone
        }
        tungstenite::Error::Protocol(_) => End::Breach(CloseCode::Protocol, "a breach of RFC 6455"),
        _ => End::Gone,
    }
}

/// Says farewell and waits for the peer's, both briefly.
async fn farewell<S: AsyncRead + AsyncWrite + Unpin>(socket: &mut WebSocketStream<Metered<S>>, end: End) {
    let frame = match end {
        End::Close(close) => {
            let (code, reason) = close.code_and_reason();
            Some(CloseFrame { code: code.into(), reason: Utf8Bytes::from_static(reason) })
        }
        End::Breach(code, reason) => Some(CloseFrame { code, reason: Utf8Bytes::from_static(reason) }),
        End::Gone => None,
    };
    if let Some(frame) = &frame {
        metrics::closed(frame.code.into());
    }
    let goodbye = async {
        // The socket may be broken already; it ends either way.
        if frame.is_some() && socket.close(frame).await.is_err() {
            return;
        }
        // This also sends the answer to the peer's own close frame.
        while let Some(Ok(_)) = socket.next().await {}
        linger(socket.get_mut().get_mut()).await;
    };
    if timeout(FAREWELL, goodbye).await.is_err() {
        tracing::debug!("the peer did not answer the farewell");
    }
}

/// Ends our half and reads the other's to its end. What is unread when a socket
/// is dropped resets it, and a reset overtakes the close frame (RFC 9112 §9.6).
async fn linger(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) {
    let mut scrap = [0; 1024];
    if stream.shutdown().await.is_ok() {
        while let Ok(1..) = stream.read(&mut scrap).await {}
    }
}
