use std::pin::pin;
use std::sync::Arc;

use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use warp::http::header::{CONNECTION, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_PROTOCOL, UPGRADE};
use warp::http::{Response as HttpResponse, StatusCode};
use warp::reply::Response;

use super::admission::Place;
use super::caller::Caller;
use super::refusal::Refusal;
use super::{Context, handshake};
use crate::config::Config;
use crate::connection::{self, Bursts, Identity, Metered};
use crate::directory::Close;
use crate::protocol::SUBPROTOCOL;

/// Each socket keeps this, and as much as its largest frame took to be written:
/// bursts are gathered by [`Bursts`].
const READ_BUFFER_BYTES: usize = 128;

/// `GET /api/socket`: every check before the upgrade, then a task that hands
/// the socket on.
pub async fn upgrade(
    context: Arc<Context>,
    caller: Caller,
    place: Place,
    on_upgrade: Option<OnUpgrade>,
) -> Result<Response, Refusal> {
    let accept = derive_accept_key(handshake::check(&caller.headers)?.as_bytes());
    context.check_origin(&caller)?;
    let news = context.services.users.news();
    let member = context.member(&caller).await?;
    let on_upgrade = on_upgrade.ok_or_else(|| handshake::bad_upgrade("HTTP/1.1 is needed to upgrade."))?;
    let identity =
        Identity { user: member.held.user, session: member.session, visibility: member.held.visibility };
    tokio::spawn(hand_on(context, identity.into(), news, place, on_upgrade));
    Ok(switching_protocols(&accept))
}

async fn hand_on(
    context: Arc<Context>,
    identity: Arc<Identity>,
    news: u64,
    place: Place,
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
    let stream = Metered::new(bursts_of(upgraded), context.config().frame_max_bytes);
    let mut socket = WebSocketStream::from_raw_socket(stream, Role::Server, Some(config)).await;
    // Boxed: what it needs is freed long before the socket closes.
    let recheck = Box::pin(recheck(context.clone(), identity.clone(), news));
    // Pinned where it is made: moved, it would take its place in memory twice.
    let served = pin!(connection::serve(&mut socket, &identity, &context.services));
    // In this order: a log-out from here on finds the connection.
    futures::future::join(served, recheck).await;
    drop(place);
}

fn bursts_of(upgraded: Upgraded) -> Bursts<TcpStream> {
    let parts = upgraded.downcast::<TokioIo<TcpStream>>().expect("what was accepted is a TCP stream");
    Bursts::new(parts.io.into_inner(), parts.read_buf)
}

/// The session may have ended since it was looked at, or its user have become
/// invisible, before there was a connection to tell: so it is looked at again,
/// when any session has ended here or anybody has chosen anew.
async fn recheck(context: Arc<Context>, identity: Arc<Identity>, news: u64) {
    if context.services.users.news() == news {
        return;
    }
    let why = match context.database().session(identity.session).await {
        Ok(Some(held)) if held.visibility > identity.visibility => {
            return context.services.learn_visibility(identity.user.id, held.visibility);
        }
        Ok(Some(_)) => return,
        Ok(None) => Close::LoggedOut,
        Err(error) => {
            tracing::warn!(%error, "a session cannot be confirmed");
            Close::NoSession
        }
    };
    context.services.users.close(identity.user.id, why, |session| session == identity.session);
}

fn socket_config(config: &Config) -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(0)
        // The largest frame, and its head.
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
