//! A connection: a task that owns one WebSocket and moves frames in and out,
//! without knowing their content. It outlives the user's actor.

mod buffered_stream;
mod flood_control;
mod inbound;
mod message_limit;

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
use tokio_tungstenite::tungstenite::{self, Bytes, Message, Utf8Bytes};

use crate::domain::{RestartIntensity, SessionId, Visibility};
use crate::metrics;
use crate::protocol::User;
use crate::registry::{CloseReason, ConnectionHandle, ConnectionId, OutboundLimits, OutboundReceiver};
use crate::user::Services;
pub use buffered_stream::BufferedStream;
use flood_control::{FloodControl, FloodLimits};
use inbound::Inbound;
pub use message_limit::MessageLimit;
use message_limit::TooManyFragments;

/// How long the peer may take to answer the close frame, and to end the stream.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);
/// How long frames wait for an actor before the connection is given up.
const ACTOR_DEADLINE: Duration = Duration::from_secs(10);

/// The authenticated owner of a connection.
#[derive(Clone, Debug)]
pub struct Identity {
    pub user: User,
    pub session: SessionId,
    /// The user's choice when the session was read.
    pub visibility: Visibility,
}

/// Serves an upgraded socket until it ends, then performs the close handshake.
///
/// Arguments taken by value would be twice in the memory of an idle socket.
pub async fn serve<S>(socket: &mut WebSocketStream<MessageLimit<S>>, identity: &Identity, services: &Services)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let config = &services.config;
    let (handle, outbound) = ConnectionHandle::new(
        next_id(),
        identity.user.clone(),
        identity.session,
        OutboundLimits { frames: config.outbound_frames, bytes: config.outbound_bytes },
        // The last of `crashes` closes it.
        RestartIntensity::new(config.crashes.saturating_sub(1), config.crash_window),
    );
    handle.apply_visibility(identity.visibility);
    if !services.registry.connections().attach(&handle, config.sockets_per_user) {
        return Box::pin(close_handshake(
            socket,
            End::Close(CloseReason::TooManySockets),
            config.pong_timeout,
        ))
        .await;
    }
    let end = Connection::new(socket, &handle, outbound, services).run().await;
    services.registry.connections().detach(&handle);
    tracing::debug!(connection = handle.id().0, user = %handle.user().id, ?end, "connection ended");
    // Boxed, so that an idle socket keeps no room for it.
    Box::pin(close_handshake(socket, end, config.pong_timeout)).await;
}

fn next_id() -> ConnectionId {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    ConnectionId(NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Why a connection ended.
#[derive(Debug)]
enum End {
    /// The server closes it.
    Close(CloseReason),
    /// The peer violated RFC 6455 or a limit.
    ProtocolError(CloseCode, &'static str),
    /// The peer closed it, or it broke.
    PeerClosed,
}

struct Connection<'a, S> {
    socket: &'a mut WebSocketStream<MessageLimit<S>>,
    handle: &'a ConnectionHandle,
    outbound: OutboundReceiver,
    inbound: Inbound,
    services: &'a Services,
    alive: Liveness,
    flood_control: FloodControl,
    control_frames: ControlFrames,
}

/// The timer of the connection: only the peer's pongs show that it still reads.
#[derive(Clone, Copy)]
enum Liveness {
    HelloUntil(Instant),
    PingAt(Instant),
    PongUntil(Instant),
}

impl<'a, S: AsyncRead + AsyncWrite + Unpin> Connection<'a, S> {
    fn new(
        socket: &'a mut WebSocketStream<MessageLimit<S>>,
        handle: &'a ConnectionHandle,
        outbound: OutboundReceiver,
        services: &'a Services,
    ) -> Self {
        let config = &services.config;
        Self {
            socket,
            handle,
            outbound,
            inbound: Inbound::new(handle.clone(), config.inbound_window),
            services,
            alive: Liveness::HelloUntil(Instant::now() + config.hello_timeout),
            flood_control: FloodControl::new(Instant::now()),
            control_frames: ControlFrames::new(config.control_frames_per_minute),
        }
    }

    async fn run(&mut self) -> End {
        let timer = sleep(Duration::ZERO);
        tokio::pin!(timer);
        timer.as_mut().reset(self.alive.deadline());
        loop {
            self.inbound.dispatch(&self.services.registry);
            if self.inbound.stalled_for() > ACTOR_DEADLINE {
                return End::Close(CloseReason::NoSession);
            }
            let outcome = tokio::select! {
                frame = self.outbound.recv() => match frame {
                    Some(frame) => self.write(frame).await,
                    None => Err(closed(self.handle)),
                },
                // Not reading is the back-pressure: the window is full, or the rate exceeded.
                message = self.socket.next(), if self.is_reading() => self.on_messages(message),
                () = self.inbound.changed() => Ok(()),
                () = self.inbound.retry() => Ok(()),
                () = self.flood_control.pause() => {
                    self.flood_control.resume();
                    Ok(())
                }
                () = &mut timer => {
                    let outcome = Box::pin(self.on_deadline()).await;
                    timer.as_mut().reset(self.alive.deadline());
                    outcome
                }
            };
            if let Err(end) = outcome {
                // Frames received before the end are still dispatched.
                self.inbound.dispatch(&self.services.registry);
                return end;
            }
        }
    }

    fn is_reading(&self) -> bool {
        self.inbound.has_room() && !self.flood_control.is_paused()
    }

    /// Writes this frame and all that are queued behind it, then flushes once. A
    /// peer that takes none of them within the time of a missing pong is closed.
    async fn write(&mut self, first: Utf8Bytes) -> Result<(), End> {
        let (socket, outbound) = (&mut *self.socket, &mut self.outbound);
        let mut burst = pin!(async {
            socket.feed(Message::Text(first)).await?;
            while let Some(next) = outbound.try_recv() {
                socket.feed(Message::Text(next)).await?;
            }
            socket.flush().await
        });
        // Usually the kernel takes them at once: no timer is set, and an idle
        // connection keeps no room for one.
        if let Poll::Ready(result) = poll!(burst.as_mut()) {
            return result.map_err(|_: tungstenite::Error| End::PeerClosed);
        }
        let patience = self.services.config.ping_interval + self.services.config.pong_timeout;
        Box::pin(async {
            tokio::select! {
                result = burst => result.map_err(|_| End::PeerClosed),
                () = self.handle.closed() => Err(closed(self.handle)),
                () = sleep(patience) => Err(End::Close(CloseReason::NoPong)),
            }
        })
        .await
    }

    /// Handles this message and all that arrived with it: waiting for each one
    /// would cost more than handling it. Tokio's task budget ends the loop.
    fn on_messages(&mut self, first: Option<Result<Message, tungstenite::Error>>) -> Result<(), End> {
        let mut outcome = self.on_message(first);
        while outcome.is_ok()
            && self.inbound.takes_more()
            && !self.flood_control.is_paused()
            && let Some(next) = self.socket.next().now_or_never()
        {
            outcome = self.on_message(next);
        }
        outcome
    }

    fn on_message(&mut self, message: Option<Result<Message, tungstenite::Error>>) -> Result<(), End> {
        match message {
            Some(Ok(Message::Text(text))) => {
                // The size on the wire, including the headers of fragments.
                let bytes = self.socket.get_mut().restart().max(text.len());
                let limits = FloodLimits::of(&self.services.config);
                self.flood_control.record(bytes, &limits, Instant::now()).map_err(End::Close)?;
                self.inbound.receive(text);
            }
            Some(Ok(Message::Binary(_))) => return Err(End::Close(CloseReason::Unsupported)),
            // The library has prepared the pong and sends it with the next flush.
            Some(Ok(Message::Ping(payload))) => {
                self.socket.get_mut().exclude(payload.len());
                self.control_frames.count()?;
            }
            Some(Ok(Message::Pong(payload))) => {
                self.socket.get_mut().exclude(payload.len());
                self.control_frames.count()?;
                if let Liveness::PongUntil(_) = self.alive {
                    self.alive = Liveness::PingAt(Instant::now() + self.services.config.ping_interval);
                }
            }
            Some(Ok(Message::Close(_) | Message::Frame(_))) | None => return Err(End::PeerClosed),
            Some(Err(error)) => return Err(protocol_error(&error)),
        }
        Ok(())
    }

    async fn on_deadline(&mut self) -> Result<(), End> {
        let (now, config) = (Instant::now(), &self.services.config);
        match self.alive {
            // The pong arrived in time.
            Liveness::PingAt(at) if at > now => {}
            Liveness::HelloUntil(_) if !self.handle.hello_received() => {
                return Err(End::Close(CloseReason::NoHello));
            }
            // A pong is missing only if the socket is being read.
            Liveness::PongUntil(_) if self.is_reading() => return Err(End::Close(CloseReason::NoPong)),
            Liveness::HelloUntil(_) | Liveness::PingAt(_) | Liveness::PongUntil(_) => {
                self.socket.feed(Message::Ping(Bytes::new())).await.map_err(|_| End::PeerClosed)?;
                self.alive = Liveness::PongUntil(now + config.pong_timeout);
                // Flushing may wait for a slow peer, like the write of any frame.
                tokio::select! {
                    result = self.socket.flush() => result.map_err(|_| End::PeerClosed)?,
                    () = self.handle.closed() => {}
                    () = sleep(config.pong_timeout) => return Err(End::Close(CloseReason::NoPong)),
                }
            }
        }
        Ok(())
    }
}

fn closed(handle: &ConnectionHandle) -> End {
    End::Close(handle.closing().unwrap_or(CloseReason::Restart))
}

impl Liveness {
    fn deadline(self) -> Instant {
        match self {
            Self::HelloUntil(at) | Self::PingAt(at) | Self::PongUntil(at) => at,
        }
    }
}

/// Limits pings and pongs per minute: they cost work, but take no permit.
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
        if self.seen > self.limit { Err(End::Close(CloseReason::ControlFlood)) } else { Ok(()) }
    }
}

fn protocol_error(error: &tungstenite::Error) -> End {
    match error {
        tungstenite::Error::Utf8(_) => End::ProtocolError(CloseCode::Invalid, "the text is not UTF-8"),
        tungstenite::Error::Capacity(_) => End::ProtocolError(CloseCode::Size, "the message is too large"),
        tungstenite::Error::Io(error)
            if error.get_ref().is_some_and(|error| error.is::<TooManyFragments>()) =>
        {
            End::ProtocolError(CloseCode::Size, "the message has no end")
        }
        // A lost connection is no violation; every other protocol error is one.
        tungstenite::Error::Protocol(tungstenite::error::ProtocolError::ResetWithoutClosingHandshake) => {
            End::PeerClosed
        }
        tungstenite::Error::Protocol(_) => End::ProtocolError(CloseCode::Protocol, "a breach of RFC 6455"),
        _ => End::PeerClosed,
    }
}

/// Sends the close frame and waits for the peer's. The close frame may take as long
/// as a pong: it comes behind all that the kernel has buffered, and a peer that was
/// busy for seconds should still learn why it was closed. Meanwhile the server holds
/// no more than the frame that was being written.
async fn close_handshake<S>(socket: &mut WebSocketStream<MessageLimit<S>>, end: End, timeout_after: Duration)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let frame = match end {
        End::Close(close) => {
            let (code, reason) = close.code_and_reason();
            Some(CloseFrame { code: code.into(), reason: Utf8Bytes::from_static(reason) })
        }
        End::ProtocolError(code, reason) => Some(CloseFrame { code, reason: Utf8Bytes::from_static(reason) }),
        End::PeerClosed => None,
    };
    if let Some(frame) = frame {
        metrics::closed(frame.code.into());
        match timeout(timeout_after, socket.close(Some(frame))).await {
            Ok(Ok(())) => {}
            // The socket may be broken already; the connection ends either way.
            Ok(Err(_)) => return,
            Err(_) => return tracing::debug!("the peer did not take the close frame"),
        }
    }
    let handshake = async {
        // This also sends the answer to the peer's own close frame.
        while let Some(Ok(_)) = socket.next().await {}
        lingering_close(socket.get_mut().get_mut()).await;
    };
    if timeout(CLOSE_TIMEOUT, handshake).await.is_err() {
        tracing::debug!("the peer did not finish the close handshake");
    }
}

/// Shuts down our half of the stream and reads the peer's to its end. Dropping a
/// socket with unread data resets it, and a reset overtakes the close frame
/// (RFC 9112 §9.6).
async fn lingering_close(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) {
    let mut buffer = [0; 1024];
    if stream.shutdown().await.is_ok() {
        while let Ok(1..) = stream.read(&mut buffer).await {}
    }
}
