use std::sync::Arc;

use warp::http::StatusCode;
use warp::http::header::{HeaderValue, SET_COOKIE};
use warp::reply::{Reply, Response};

use super::Context;
use super::answers::{Authenticated, Changing, Refused, SessionOrNone, WithBody};
use super::api_error::{ApiError, json};
use super::body::{self, Body};
use super::caller::Caller;
use crate::accounts::{LogInRequest, LoggedIn};
use crate::domain::{Name, SessionSecret};
use crate::protocol::{Code, LogIn, NoSession, Session, SetPassword, SetVisibility};

/// `POST /api/session`: gives a new name to the caller; a name that is in use
/// opens with its password.
#[utoipa::path(post, path = "/api/session", operation_id = "log_in", request_body = LogIn, security(()),
    responses((status = 200, body = Session), Refused, Changing, WithBody))]
pub async fn log_in(context: Arc<Context>, caller: Caller, body: Body) -> Result<Response, ApiError> {
    context.check_origin(&caller)?;
    context.accounts.count_log_in(caller.address)?;
    let LogIn { name, password, bearer } = body::json(&caller.headers, body)?;
    let name = Name::parse(&name)?;
    let is_bearer = bearer == Some(true);
    if is_bearer && caller.may_be_page() {
        return Err(no_token_for_pages());
    }
    let request = LogInRequest {
        name: &name,
        password: password.as_deref().filter(|password| !password.is_empty()),
        is_bearer,
        current: caller.secret().map(|secret| secret.hash()),
        agent: caller.agent(),
        address: caller.address,
    };
    let (LoggedIn { user, has_password, is_invisible }, secret) = context.accounts.log_in(&request).await?;
    let user_id = user.id;
    tracing::info!(user = %user_id, peer = %caller.address, "logged in");
    let token = is_bearer.then(|| secret.text());
    let mut response = json(StatusCode::OK, &Session { user, has_password, invisible: is_invisible, token });
    if is_bearer {
        return Ok(response);
    }
    // The new cookie replaces the old one: nobody could end that one's session any more.
    if let Some(old) = caller.secret().filter(|_| caller.has_cookie())
        && context.accounts.end_replaced_session(old.hash(), user_id).await?
    {
        append(&mut response, caller.cookie.remove_older(&caller.headers, &old));
    }
    append(&mut response, [caller.cookie.set(&secret, context.accounts.session_ttl())]);
    Ok(response)
}

/// `GET /api/session`: who the caller is. A browser without a session learns that it
/// has none; a program with a token that is not valid gets an error.
#[utoipa::path(get, path = "/api/session", operation_id = "who_am_i", security((), ("cookie" = []), ("token" = [])),
    responses((status = 200, body = inline(SessionOrNone)), Authenticated))]
pub async fn who_am_i(context: Arc<Context>, caller: Caller) -> Result<Response, ApiError> {
    let session = match context.find_session(&caller).await? {
        Some(me) => me.session,
        None if caller.has_bearer() => return Err(ApiError::unauthorized()),
        None => return Ok(json(StatusCode::OK, &NoSession { user: () })),
    };
    let answer = Session {
        user: session.user,
        has_password: session.has_password,
        invisible: session.visibility.is_invisible(),
        token: None,
    };
    let response = json(StatusCode::OK, &answer);
    Ok(match caller.secret().filter(|_| caller.has_cookie()) {
        // The cookie lasts as long as the session, which was just extended. A cookie
        // with an older name gets the present one.
        Some(secret) => context.with_cookie(&caller, response, &secret),
        None => response,
    })
}

/// `DELETE /api/session`: ends the caller's session and closes its sockets.
#[utoipa::path(delete, path = "/api/session", operation_id = "log_out", responses((status = 204), Changing))]
pub async fn log_out(context: Arc<Context>, caller: Caller) -> Result<Response, ApiError> {
    context.check_origin(&caller)?;
    let me = context.authenticate(&caller).await?;
    context.accounts.log_out(&me).await?;
    tracing::info!(user = %me.user_id(), peer = %caller.address, "logged out");
    Ok(logged_out(&caller))
}

/// `PUT /api/session/password`: sets the password, ends the user's other sessions,
/// and gives this one a new secret.
#[utoipa::path(put, path = "/api/session/password", operation_id = "set_password", request_body = SetPassword,
    responses((status = 200, body = Session, description = "For a token: with the new one."), (status = 204), Changing, WithBody))]
pub async fn set_password(context: Arc<Context>, caller: Caller, body: Body) -> Result<Response, ApiError> {
    context.check_origin(&caller)?;
    let me = context.authenticate(&caller).await?;
    let SetPassword { password, current } = body::json(&caller.headers, body)?;
    let secret = context.accounts.set_password(&me, &password, current.as_deref()).await?;
    tracing::info!(user = %me.user_id(), peer = %caller.address, "set a password");
    if caller.has_cookie() {
        return Ok(context.with_cookie(&caller, StatusCode::NO_CONTENT.into_response(), &secret));
    }
    let token = Some(secret.text());
    let invisible = me.session.visibility.is_invisible();
    Ok(json(StatusCode::OK, &Session { user: me.session.user, has_password: true, invisible, token }))
}

/// `PUT /api/session/visibility`: whether others see that the user is online.
#[utoipa::path(put, path = "/api/session/visibility", operation_id = "set_visibility", request_body = SetVisibility,
    responses((status = 204), Changing, WithBody))]
pub async fn set_visibility(context: Arc<Context>, caller: Caller, body: Body) -> Result<Response, ApiError> {
    context.check_origin(&caller)?;
    let user = context.authenticate(&caller).await?.user_id();
    let SetVisibility { invisible } = body::json(&caller.headers, body)?;
    let services = context.services.clone();
    // In a task of its own: what is stored takes effect even if the caller goes away meanwhile.
    let setting = tokio::spawn(async move { services.set_visibility(user, invisible).await });
    setting.await.map_err(|error| {
        tracing::error!(%error, "setting the visibility did not end well");
        ApiError::internal()
    })??;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// The answer to a caller whose session has ended: nothing, and the cookie is removed.
pub fn logged_out(caller: &Caller) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    if caller.has_cookie() {
        append(&mut response, caller.cookie.remove(&caller.headers));
    }
    response
}

impl Context {
    /// Sets the session's cookie to `secret`, and removes its cookies of older names.
    fn with_cookie(&self, caller: &Caller, mut response: Response, secret: &SessionSecret) -> Response {
        if let Some(previous) = caller.secret() {
            append(&mut response, caller.cookie.remove_older(&caller.headers, &previous));
        }
        append(&mut response, [caller.cookie.set(secret, self.accounts.session_ttl())]);
        response
    }
}

fn append(response: &mut Response, cookies: impl IntoIterator<Item = HeaderValue>) {
    for cookie in cookies {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
}

fn no_token_for_pages() -> ApiError {
    let message = "Tokens are for programs. Ask for one without a cookie, `Origin` or `Sec-Fetch-Site`.";
    ApiError::new(Code::ForbiddenOrigin, message).field("bearer")
}
