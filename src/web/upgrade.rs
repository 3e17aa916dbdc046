use std::io;
use std::pin::pin;
use std::sync::Arc;

use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use socket2::SockRef;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use warp::http::header::{CONNECTION, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_PROTOCOL, UPGRADE};
use warp::http::{Response as HttpResponse, StatusCode};
use warp::reply::Response;

#[cfg(target_os = "linux")]
use super::accept::limit_unsent;
use super::answers::{Changing, OldWebSocket, Paged};
use super::api_error::ApiError;
use super::caller::Caller;
use super::connection_limits::ConnectionPermit;
use super::write_timeout::WriteTimeout;
use super::{Context, handshake};
use crate::config::Config;
use crate::connection::{self, BufferedStream, Identity, MessageLimit};
use crate::protocol::SUBPROTOCOL;

/// Each socket keeps this, and as much as its largest frame took to be written:
/// what is written together is gathered by [`BufferedStream`].
const READ_BUFFER_BYTES: usize = 128;

/// How much the kernel buffers for a client that the server does not read. It is more
/// than a large frame, so that reading goes on while the next one arrives.
const UNREAD_BYTES: usize = 128 * 1024;

/// `GET /api/socket`: makes every check before the upgrade, then starts a task that
/// serves the socket.
#[utoipa::path(get, path = "/api/socket", operation_id = "open_socket",
    responses((status = 101, description = "The WebSocket; docs/protocol.md has its frames."), OldWebSocket, Changing, Paged))]
pub async fn upgrade(
    context: Arc<Context>,
    caller: Caller,
    permit: ConnectionPermit,
    on_upgrade: Option<OnUpgrade>,
) -> Result<Response, ApiError> {
    let accept = derive_accept_key(handshake::check(&caller.headers)?.as_bytes());
    context.check_origin(&caller)?;
    let revision = context.services.registry.connections().revision();
    let session = context.authenticate(&caller).await?.session;
    let on_upgrade =
        on_upgrade.ok_or_else(|| handshake::bad_upgrade("WebSocket connections need HTTP/1.1."))?;
    let identity = Identity { user: session.user, session: session.session, visibility: session.visibility };
    tokio::spawn(serve_upgraded(context, identity.into(), revision, permit, on_upgrade));
    Ok(switching_protocols(&accept))
}

async fn serve_upgraded(
    context: Arc<Context>,
    identity: Arc<Identity>,
    revision: u64,
    permit: ConnectionPermit,
    on_upgrade: OnUpgrade,
) {
    let upgraded = match on_upgrade.await {
        Ok(upgraded) => upgraded,
        Err(error) => {
            tracing::debug!(%error, "a connection ended in the middle of its upgrade");
            return;
        }
    };
    let config = socket_config(context.config());
    let stream = MessageLimit::new(buffered(upgraded, context.config()), context.config().frame_max_bytes);
    let mut socket = WebSocketStream::from_raw_socket(stream, Role::Server, Some(config)).await;
    // Boxed, so that its memory is freed long before the socket closes.
    let accounts = &context.accounts;
    let recheck = accounts.recheck(identity.user.id, identity.session, identity.visibility, revision);
    let recheck = Box::pin(recheck);
    // Pinned where it is made: moving it would take its memory twice.
    let served = pin!(connection::serve(&mut socket, &identity, &context.services));
    // In this order: from here on, a log-out finds the connection.
    futures::future::join(served, recheck).await;
    drop(permit);
}

fn buffered(upgraded: Upgraded, config: &Config) -> BufferedStream<TcpStream> {
    let parts = upgraded.downcast::<TokioIo<WriteTimeout>>().expect("this is what was accepted");
    // A WebSocket has time-outs of its own.
    let stream = parts.io.into_inner().into_inner();
    if let Err(error) = limit(&SockRef::from(&stream), config) {
        tracing::debug!(%error, "a socket keeps the bounds of an HTTP connection");
    }
    BufferedStream::new(stream, parts.read_buf)
}

/// Bounds what the kernel buffers for a socket in both directions.
fn limit(socket: &SockRef<'_>, config: &Config) -> io::Result<()> {
    // Otherwise it buffers megabytes for a client that is not read for a while.
    socket.set_recv_buffer_size(UNREAD_BYTES)?;
    // As much as the queue holds again, for bursts.
    #[cfg(target_os = "linux")]
    limit_unsent(socket, config.outbound_bytes)?;
    Ok(())
}

fn socket_config(config: &Config) -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(0)
        // The largest frame and its header.
        .max_write_buffer_size(2 * config.outbound_bytes)
        .max_message_size(Some(config.frame_max_bytes))
        .max_frame_size(Some(config.frame_max_bytes))
}

fn switching_protocols(accept: &str) -> Response {
    let mut response = HttpResponse::new(String::new().into());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
    let accept = HeaderValue::try_from(accept).expect("base64 is visible ASCII");
    headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    response
}
