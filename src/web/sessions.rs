use std::sync::Arc;

use warp::http::StatusCode;
use warp::reply::{Reply, Response};

use super::Context;
use super::answers::{Authenticated, Changing, Missing};
use super::api_error::{ApiError, json};
use super::caller::Caller;
use super::session::logged_out;
use crate::database::ListedSession;
use crate::domain::{SessionId, rfc3339};
use crate::protocol::{OpenSession, Sessions};

/// `GET /api/sessions`: where the caller is logged in.
#[utoipa::path(get, path = "/api/sessions", operation_id = "list_sessions",
    responses((status = 200, body = Sessions), Authenticated))]
pub async fn list(context: Arc<Context>, caller: Caller) -> Result<Response, ApiError> {
    let me = context.authenticate(&caller).await?;
    let listed = context.accounts.sessions(&me).await?;
    let sessions = listed.into_iter().map(|listed| open_session(listed, me.session_id())).collect();
    Ok(json(StatusCode::OK, &Sessions { sessions }))
}

/// `DELETE /api/sessions/{id}`: ends one of them, which may be the caller's own.
#[utoipa::path(delete, path = "/api/sessions/{id}", operation_id = "end_session", params(("id" = String, Path)),
    responses((status = 204), Missing, Changing))]
pub async fn end(context: Arc<Context>, caller: Caller, id: String) -> Result<Response, ApiError> {
    context.check_origin(&caller)?;
    let me = context.authenticate(&caller).await?;
    let session = SessionId::parse(&id).ok_or_else(ApiError::not_found)?;
    context.accounts.end_session(&me, session).await?;
    tracing::info!(user = %me.user_id(), peer = %caller.address, ?session, "ended a session");
    if session == me.session_id() {
        return Ok(logged_out(&caller));
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `DELETE /api/sessions`: logs out everywhere, here too.
#[utoipa::path(delete, path = "/api/sessions", operation_id = "log_out_everywhere",
    responses((status = 204), Changing))]
pub async fn end_all(context: Arc<Context>, caller: Caller) -> Result<Response, ApiError> {
    context.check_origin(&caller)?;
    let me = context.authenticate(&caller).await?;
    context.accounts.end_all_sessions(&me).await?;
    tracing::info!(user = %me.user_id(), peer = %caller.address, "logged out everywhere");
    Ok(logged_out(&caller))
}

fn open_session(listed: ListedSession, own: SessionId) -> OpenSession {
    OpenSession {
        id: listed.session.text(),
        created: rfc3339(listed.created),
        last_used: listed.used.to_string(),
        browser: listed.agent.browser,
        system: listed.agent.system,
        current: listed.session == own,
    }
}
