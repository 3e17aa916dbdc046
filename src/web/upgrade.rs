use std::pin::pin;
use std::sync::Arc;

use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
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
use crate::connection::{self, Identity, Metered};
use crate::directory::Close;
use crate::protocol::SUBPROTOCOL;

/// Each idle socket keeps the first of these two: the smallest that does not
/// slow bursts.
const READ_BUFFER_BYTES: usize = 2 * 1024;
const WRITE_BUFFER_BYTES: usize = 4 * 1024;

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
    tokio::spawn(hand_on(context, identity, news, place, on_upgrade));
    Ok(switching_protocols(&accept))
}

async fn hand_on(context: Arc<Context>, identity: Identity, news: u64, place: Place, on_upgrade: OnUpgrade) {
    let upgraded = match on_upgrade.await {
        Ok(upgraded) => upgraded,
        Err(error) => {
            tracing::debug!(%error, "a connection ended in the middle of its upgrade");
            return;
        }
    };
    let config = socket_config(context.config());
    let stream = Metered::new(TokioIo::new(upgraded), context.config().frame_max_bytes);
    let socket = WebSocketStream::from_raw_socket(stream, Role::Server, Some(config)).await;
    // Pinned where it is made: moved, it would take its place in memory twice.
    let served = pin!(connection::serve(socket, identity.clone(), context.services.clone()));
    // In this order: a log-out from here on finds the connection. Boxed: what
    // it needs is freed long before the socket closes.
    futures::future::join(served, Box::pin(recheck(context, identity, news))).await;
    drop(place);
}

/// The session may have ended since it was looked at, or its user have become
/// invisible, before there was a connection to tell: so it is looked at again,
/// when any session has ended here or anybody has chosen anew.
async fn recheck(context: Arc<Context>, identity: Identity, news: u64) {
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
        .write_buffer_size(WRITE_BUFFER_BYTES)
        .max_write_buffer_size(WRITE_BUFFER_BYTES + config.outbound_bytes)
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
