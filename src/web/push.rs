use std::sync::Arc;

use warp::http::StatusCode;
use warp::reply::{Reply, Response};

use super::Context;
use super::answers::{Authenticated, Changing, Missing, WithBody};
use super::api_error::{ApiError, json};
use super::body::{self, Body};
use super::caller::Caller;
use crate::protocol::{PushKey, Subscription};

/// `GET /api/push`: the key to subscribe with.
#[utoipa::path(get, path = "/api/push", operation_id = "read_push_key",
    responses((status = 200, body = PushKey), Authenticated))]
pub async fn key(context: Arc<Context>, caller: Caller) -> Result<Response, ApiError> {
    context.authenticate(&caller).await?;
    let public_key = context.services.push.public_key().map(str::to_owned);
    Ok(json(StatusCode::OK, &PushKey { public_key }))
}

/// `PUT /api/push/subscription`: where this session's pushes go.
#[utoipa::path(put, path = "/api/push/subscription", operation_id = "subscribe", request_body = Subscription,
    responses((status = 204), Missing, Changing, WithBody))]
pub async fn subscribe(context: Arc<Context>, caller: Caller, body: Body) -> Result<Response, ApiError> {
    context.check_origin(&caller)?;
    let me = context.authenticate(&caller).await?;
    let given: Subscription = body::json(&caller.headers, body)?;
    let target = context.services.push.parse_subscription(&given).ok_or_else(ApiError::not_found)??;
    let limit = context.config().push_subscriptions;
    if !context.database().subscribe(me.token, me.user_id(), &target, limit).await? {
        return Err(ApiError::unauthorized());
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `DELETE /api/push/subscription`: no more pushes for this session.
#[utoipa::path(delete, path = "/api/push/subscription", operation_id = "unsubscribe",
    responses((status = 204), Changing))]
pub async fn unsubscribe(context: Arc<Context>, caller: Caller) -> Result<Response, ApiError> {
    context.check_origin(&caller)?;
    let me = context.authenticate(&caller).await?;
    context.database().unsubscribe(me.token).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
