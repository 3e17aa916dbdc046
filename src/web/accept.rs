use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper::Request;
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::HttpService;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
#[cfg(target_os = "linux")]
use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tower_service::Service;
use warp::reply::Response;

use super::Context;
use super::connection_limits::{ConnectionLimits, LimitReached};
use super::gate::Gate;
use super::middleware::Middleware;
use super::write_timeout::WriteTimeout;
use super::{headers, routes};
use crate::config::Config;
use crate::metrics;
use crate::process::{Share, allowed_descriptors, share};
use crate::protocol::{Code, Problem};
use crate::user::Services;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// How much of a request's line and headers hyper may buffer. Beyond that it answers 431.
const REQUEST_BUFFER_BYTES: usize = 16 * 1024;

/// How many bytes of responses the kernel may hold unsent, for each connection.
#[cfg(target_os = "linux")]
const UNSENT_BYTES: usize = 128 * 1024;

/// How long accepting pauses when the process has no file descriptor or memory
/// for another connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// How often that is logged. Descriptors come and go one by one.
const LOG_INTERVAL: Duration = Duration::from_secs(60);

/// When a client whose connection was rejected should try again.
const RETRY_AFTER_SECONDS: u32 = 5;

/// Where the server listens.
pub struct Listeners {
    /// For everybody.
    pub public: TcpListener,
    /// For operators: metrics, and what exactly is not ready.
    pub operators: Option<TcpListener>,
}

/// The most connections of operators at a time.
const OPERATOR_CONNECTIONS: usize = 16;

/// Serves HTTP on the listeners until `stop` resolves. Then it answers the requests
/// that are under way, within the shutdown timeout, and returns. It does not wait
/// for upgraded sockets, which belong to `connection`.
pub async fn serve(listeners: Listeners, services: Arc<Services>, stop: impl Future<Output = ()>) {
    let config = services.config.clone();
    let context = Arc::new(Context::new(services));
    // Each connection holds a receiver until it ends.
    let (stopping, stopped) = watch::channel(());
    let share = connection_limits(&config);
    let limits = ConnectionLimits::new(share.all, share.per_address);
    let public = accept_all(
        listeners.public,
        &config,
        Gate::new(&config, limits),
        routes::service(context.clone()),
        stopped.clone(),
    );
    let operators = async {
        let Some(listener) = listeners.operators else { return std::future::pending().await };
        let gate = Gate::new(&config, ConnectionLimits::new(OPERATOR_CONNECTIONS, OPERATOR_CONNECTIONS));
        accept_all(listener, &config, gate, routes::operators(context), stopped).await;
    };
    tokio::select! {
        () = stop => {}
        () = public => {}
        () = operators => {}
        () = metrics::upkeep() => {}
    }
    // An error means that there are no connections.
    if stopping.send(()).is_ok()
        && tokio::time::timeout(config.shutdown_timeout, stopping.closed()).await.is_err()
    {
        tracing::warn!("requests were still running at the end of the shutdown");
    }
}

/// Accepts for as long as it is polled.
async fn accept_all<S>(
    listener: TcpListener,
    config: &Config,
    gate: Gate,
    routes: S,
    stopped: watch::Receiver<()>,
) where
    S: Service<Request<Incoming>, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send + 'static,
{
    let gate = Arc::new(gate);
    let http = http(config);
    let mut acceptor = Acceptor { listener, logged_at: None };
    loop {
        let (stream, peer) = acceptor.next().await;
        let permit = match gate.admit(peer.ip()) {
            Ok(permit) => permit,
            Err(limit) => {
                reject(&stream, peer, limit);
                continue;
            }
        };
        if let Err(error) = prepare(&stream, config) {
            // The peer has gone already, which reading will show.
            tracing::debug!(%peer, %error, "cannot set the options of a socket");
        }
        let stream = WriteTimeout::new(stream, config.write_timeout);
        let service =
            TowerToHyperService::new(Middleware::new(routes.clone(), gate.clone(), peer.ip(), permit));
        let connection = http.serve_connection(TokioIo::new(stream), service).with_upgrades();
        tokio::spawn(run(connection, peer, stopped.clone()));
    }
}

/// Sets the kernel's options for a connection.
fn prepare(stream: &TcpStream, config: &Config) -> io::Result<()> {
    stream.set_nodelay(true)?;
    #[cfg(target_os = "linux")]
    {
        let socket = SockRef::from(stream);
        // The kernel gives up, too, when the peer's machine is gone or reads nothing,
        // but no sooner than the server itself would.
        let patience = config.write_timeout.max(config.ping_interval + config.pong_timeout);
        socket.set_tcp_user_timeout(Some(patience))?;
        // What a slow peer has not read yet waits in the server, where it is counted.
        limit_unsent(&socket, UNSENT_BYTES)?;
    }
    Ok(())
}

/// Bounds what the kernel buffers for a peer besides what is on the wire.
#[cfg(target_os = "linux")]
pub fn limit_unsent(socket: &SockRef<'_>, bytes: usize) -> io::Result<()> {
    socket.set_tcp_notsent_lowat(u32::try_from(bytes).unwrap_or(u32::MAX))
}

/// The configured limits of connections, or as many as there are file descriptors for.
/// Those for PostgreSQL are reserved, so that nobody can use them up by connecting.
fn connection_limits(config: &Config) -> Share {
    let wanted = Share { all: config.connections, per_address: config.connections_per_address };
    let kept = config.pool_size as usize + config.writers;
    let share = share(wanted, allowed_descriptors(), kept);
    if share != wanted {
        tracing::warn!(
            connections = share.all,
            per_address = share.per_address,
            "file descriptors are not enough for TIDINGS_CONNECTIONS={}: raise their limit (ulimit -n, \
             LimitNOFILE=) to {}, or lower that setting",
            wanted.all,
            wanted.descriptors(kept),
        );
    }
    share
}

/// Not hyper-util's `auto` builder: with upgrades that waits without a time-out for
/// the first byte, to tell the version, even if only HTTP/1 is allowed.
fn http(config: &Config) -> http1::Builder {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(config.header_timeout)
        .max_buf_size(REQUEST_BUFFER_BYTES);
    http
}

/// Serves one connection until it ends, is upgraded, or the server stops.
async fn run<S>(
    connection: http1::UpgradeableConnection<TokioIo<WriteTimeout>, S>,
    peer: SocketAddr,
    mut stopped: watch::Receiver<()>,
) where
    S: HttpService<Incoming, ResBody: Body<Data: Send, Error: Into<BoxError>> + Send + 'static>,
    S::Error: Into<BoxError>,
{
    let mut connection = pin!(connection);
    let outcome = tokio::select! {
        outcome = connection.as_mut() => outcome,
        _ = stopped.changed() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = outcome {
        tracing::debug!(%peer, %error, "a connection ended early");
    }
}

/// A listener that survives running out of file descriptors.
struct Acceptor {
    listener: TcpListener,
    /// When that was last logged.
    logged_at: Option<Instant>,
}

impl Acceptor {
    async fn next(&mut self) -> (TcpStream, SocketAddr) {
        loop {
            match self.listener.accept().await {
                Ok(accepted) => return accepted,
                Err(error) if is_connection_error(&error) => {
                    tracing::debug!(%error, "a connection ended before it was accepted");
                }
                Err(error) => {
                    if self.logged_at.is_none_or(|at| at.elapsed() >= LOG_INTERVAL) {
                        self.logged_at = Some(Instant::now());
                        tracing::error!(%error, "cannot accept connections; trying again");
                    }
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
}

/// Whether the error is of one connection, which `accept` passes on (accept(2)). All
/// other errors are of the process or the machine.
fn is_connection_error(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

/// Answers without reading, so that a connection too many costs nothing.
fn reject(stream: &TcpStream, peer: SocketAddr, limit: LimitReached) {
    let (status, code, message) = match limit {
        LimitReached::Total => {
            ("503 Service Unavailable", Code::Busy, "The server is full. Try again later.")
        }
        LimitReached::PerAddress => {
            ("429 Too Many Requests", Code::RateLimited, "Too many connections from this address.")
        }
    };
    metrics::refused(code);
    let problem = Problem::new(code, message).retry_after_ms(RETRY_AFTER_SECONDS * 1_000);
    let body = serde_json::to_string(&problem).expect("a problem has string keys and finite numbers only");
    let always: String = headers::ALWAYS
        .iter()
        .map(|(name, value)| format!("{name}: {}\r\n", value.to_str().unwrap_or_default()))
        .collect();
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Retry-After: {RETRY_AFTER_SECONDS}\r\n{always}Connection: close\r\n\r\n{body}",
        body.len()
    );
    tracing::debug!(%peer, ?limit, "rejected a connection");
    // A new socket has room for it, and a peer that has gone needs no answer.
    if let Err(error) = stream.try_write(answer.as_bytes()) {
        tracing::debug!(%peer, %error, "could not say why");
    }
}
