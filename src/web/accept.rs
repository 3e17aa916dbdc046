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
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tower_service::Service;
use warp::reply::Response;

use super::Context;
use super::admission::{Admission, Full};
use super::front::Front;
use super::routes;
use crate::config::Config;
use crate::metrics;
use crate::protocol::{Code, Problem};
use crate::user::Services;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What of a request hyper may hold: line and headers, beyond that 431.
const REQUEST_BUFFER_BYTES: usize = 16 * 1024;

/// How long accepting pauses when the process has no file descriptor or memory
/// for another connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// How often that is said: descriptors come and go by the one.
const COMPLAINT_INTERVAL: Duration = Duration::from_secs(60);

/// When one who was turned away should come back.
const TURNED_AWAY_SECONDS: u32 = 5;

/// Serves HTTP on `listener` until `stop` is ready; then answers what has been
/// asked, for as long as the shutdown may take, and returns. Upgraded sockets
/// are not waited for: they belong to the stations behind.
pub async fn serve(listener: TcpListener, services: Arc<Services>, stop: impl Future<Output = ()>) {
    let config = services.config.clone();
    let routes = routes::service(Arc::new(Context::new(services)));
    // Every connection listens for the stop, and has ended when it no longer does.
    let (stopping, stopped) = watch::channel(());
    tokio::select! {
        () = stop => {}
        () = accept_all(listener, &config, routes, stopped) => {}
        () = metrics::upkeep() => {}
    }
    // An error says that there is no connection to tell.
    if stopping.send(()).is_ok()
        && tokio::time::timeout(config.shutdown_timeout, stopping.closed()).await.is_err()
    {
        tracing::warn!("requests were still running at the end of the shutdown");
    }
}

/// Accepts for as long as it is polled.
async fn accept_all<S>(listener: TcpListener, config: &Config, routes: S, stopped: watch::Receiver<()>)
where
    S: Service<Request<Incoming>, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send + 'static,
{
    let admission = Admission::new(config.connections, config.connections_per_address);
    let http = http(config);
    let mut acceptor = Acceptor { listener, complained: None };
    loop {
        let (stream, peer) = acceptor.next().await;
        let place = match admission.admit(peer.ip()) {
            Ok(place) => place,
            Err(full) => {
                turn_away(&stream, peer, full);
                continue;
            }
        };
        if let Err(error) = stream.set_nodelay(true) {
            // The peer has gone already; reading will tell.
            tracing::debug!(%peer, %error, "cannot set TCP_NODELAY");
        }
        let service = TowerToHyperService::new(Front::new(routes.clone(), peer.ip(), place));
        let connection = http.serve_connection(TokioIo::new(stream), service).with_upgrades();
        tokio::spawn(run(connection, peer, stopped.clone()));
    }
}

/// Not hyper-util's `auto` builder: with upgrades it waits without a time-out
/// for a first byte that tells the version, even if only HTTP/1 is allowed.
fn http(config: &Config) -> http1::Builder {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(config.header_timeout)
        .max_buf_size(REQUEST_BUFFER_BYTES);
    http
}

/// Serves one connection until it ends, is upgraded, or the server stops.
async fn run<S>(
    connection: http1::UpgradeableConnection<TokioIo<TcpStream>, S>,
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

/// The listener, through times without file descriptors.
struct Acceptor {
    listener: TcpListener,
    /// When it was last said that there are none.
    complained: Option<Instant>,
}

impl Acceptor {
    async fn next(&mut self) -> (TcpStream, SocketAddr) {
        loop {
            match self.listener.accept().await {
                Ok(accepted) => return accepted,
                Err(error) if is_of_the_connection(&error) => {
                    tracing::debug!(%error, "a connection ended before it was accepted");
                }
                Err(error) => {
                    if self.complained.is_none_or(|at| at.elapsed() >= COMPLAINT_INTERVAL) {
                        self.complained = Some(Instant::now());
                        tracing::error!(%error, "cannot accept connections; trying again");
                    }
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
}

/// Errors of one connection that `accept` passes on (accept(2)); all others
/// are of the process or the machine.
fn is_of_the_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

/// Answers without reading: whoever is one too many costs nothing.
fn turn_away(stream: &TcpStream, peer: SocketAddr, full: Full) {
    let (status, code, message) = match full {
        Full::All => ("503 Service Unavailable", Code::Busy, "The server has no place left."),
        Full::Address => {
            ("429 Too Many Requests", Code::RateLimited, "Too many connections from this address.")
        }
    };
    metrics::refused(code);
    let problem = Problem::new(code, message).retry_after_ms(TURNED_AWAY_SECONDS * 1_000);
    let body = serde_json::to_string(&problem).expect("a problem has string keys and finite numbers only");
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Retry-After: {TURNED_AWAY_SECONDS}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    tracing::debug!(%peer, ?full, "turned a connection away");
    // A fresh socket has room for it; a peer that has gone needs no answer.
    if let Err(error) = stream.try_write(answer.as_bytes()) {
        tracing::debug!(%peer, %error, "could not say so");
    }
}
