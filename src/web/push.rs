use std::sync::Arc;

use warp::http::StatusCode;
use warp::reply::{Reply, Response};

use super::Context;
use super::body::{self, Body};
use super::caller::{Caller, Member};
use super::refusal::{Refusal, json};
use crate::protocol::{PushKey, Subscription};

/// `GET /api/push`: what to subscribe with.
pub async fn key(context: Arc<Context>, caller: Caller) -> Result<Response, Refusal> {
    context.member(&caller).await?;
    let public_key = context.services.push.public_key().map(str::to_owned);
    Ok(json(StatusCode::OK, &PushKey { public_key }))
}

/// `PUT /api/push/subscription`: where pushes of this session go.
pub async fn subscribe(context: Arc<Context>, caller: Caller, body: Body) -> Result<Response, Refusal> {
    context.check_origin(&caller)?;
    let Member { held, session } = context.member(&caller).await?;
    let given: Subscription = body::json(&caller.headers, body)?;
    let target = context.services.push.target(&given).ok_or_else(Refusal::not_found)??;
    let limit = context.config().push_subscriptions;
    if !context.database().subscribe(session, held.user.id, &target, limit).await? {
        return Err(Refusal::unauthorized());
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `DELETE /api/push/subscription`: no more pushes of this session.
pub async fn unsubscribe(context: Arc<Context>, caller: Caller) -> Result<Response, Refusal> {
    context.check_origin(&caller)?;
    let Member { session, .. } = context.member(&caller).await?;
    context.database().unsubscribe(session).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
