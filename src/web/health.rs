use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::sync::Mutex;
use tokio::time::timeout;
use utoipa::ToSchema;
use warp::http::header::{CONTENT_TYPE, HeaderValue};
use warp::http::{Response as HttpResponse, StatusCode};
use warp::reply::Response;

use super::Context;
use super::answers::AnyRequest;
use super::api_error::{ApiError, json};
use crate::database::{Database, DurabilityWarning, WriteError};
use crate::metrics;

/// How long the database may take to answer at all.
const DATABASE_TIMEOUT: Duration = Duration::from_secs(2);

/// How long storing may take: a slow disk is not a broken one.
const STORING_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a request waits for a result. One may come behind the check of somebody who
/// went away before its end, and make its own.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(6);

/// How long a result is reused. The database is checked no more often than that,
/// whoever asks.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// What everybody may know.
#[derive(Serialize, ToSchema)]
pub(super) struct Ready {
    ready: bool,
}

/// What is not ready, and which promise does not hold: for operators.
#[derive(Serialize)]
struct Readiness {
    ready: bool,
    missing: Vec<&'static str>,
    warnings: Vec<DurabilityWarning>,
}

/// `GET /healthz`: the process answers requests.
#[utoipa::path(get, path = "/healthz", operation_id = "health", security(()),
    responses((status = 200, body = String, content_type = "text/plain"), AnyRequest))]
pub fn health() -> Response {
    let mut response = HttpResponse::new("ok\n".into());
    let text = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, text);
    response
}

/// `GET /readyz`: whether all stations that a message passes through are alive, and
/// one could be stored.
#[utoipa::path(get, path = "/readyz", operation_id = "ready", security(()),
    responses((status = 200, body = Ready), (status = 503, body = Ready), AnyRequest))]
pub async fn ready(context: Arc<Context>) -> Response {
    let ready = context.readiness().await.ready;
    json(status_of(ready), &Ready { ready })
}

/// The same for operators, with what is missing.
pub async fn readiness(context: Arc<Context>) -> Response {
    let readiness = context.readiness().await;
    json(status_of(readiness.ready), &readiness)
}

fn status_of(ready: bool) -> StatusCode {
    if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}

/// `GET /metrics`: in the Prometheus text format.
pub fn metrics(context: &Context) -> Result<Response, ApiError> {
    metrics::persistence_queue(context.services.persistence.depth());
    metrics::sockets(context.services.registry.connections().count_visible());
    let text = metrics::render().ok_or_else(ApiError::internal)?;
    let mut response = HttpResponse::new(text.into());
    let content_type = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    Ok(response)
}

/// The result of the latest check of the database. Requests that come during a check
/// wait for it.
#[derive(Default)]
pub struct DatabaseHealth(Mutex<Option<(Instant, DatabaseState)>>);

#[derive(Clone)]
struct DatabaseState {
    missing: Option<&'static str>,
    warnings: Vec<DurabilityWarning>,
}

impl Context {
    async fn readiness(&self) -> Readiness {
        let check = DatabaseState::check(self.database());
        let DatabaseState { missing, warnings } = self.database_health.get(ANSWER_TIMEOUT, check).await;
        let missing: Vec<_> = self.missing_stations().into_iter().chain(missing).collect();
        Readiness { ready: missing.is_empty(), missing, warnings }
    }

    /// The stations that are dead, or have stopped answering. Their supervisor replaces them.
    fn missing_stations(&self) -> Vec<&'static str> {
        let services = &self.services;
        let stations = [
            ("persistence", services.persistence.is_alive()),
            ("presence", services.presence.is_alive()),
            ("users", services.registry.connections().supervisor().is_alive()),
        ];
        let dead = stations.into_iter().filter(|(_, alive)| !alive).map(|(name, _)| name);
        let late = services.late_stations.load();
        dead.chain(late.iter().copied()).collect::<BTreeSet<_>>().into_iter().collect()
    }
}

impl DatabaseHealth {
    /// The latest result, or that of this check, which must be there within a time.
    async fn get(&self, within: Duration, check: impl Future<Output = DatabaseState>) -> DatabaseState {
        timeout(within, self.latest_or(check)).await.unwrap_or_else(|_| {
            tracing::warn!("not ready: the database does not answer");
            DatabaseState::unreachable()
        })
    }

    async fn latest_or(&self, check: impl Future<Output = DatabaseState>) -> DatabaseState {
        let mut last = self.0.lock().await;
        if let Some((at, state)) = &*last
            && at.elapsed() < CHECK_INTERVAL
        {
            return state.clone();
        }
        let state = check.await;
        *last = Some((Instant::now(), state.clone()));
        state
    }
}

impl DatabaseState {
    fn unreachable() -> Self {
        Self { missing: Some("database"), warnings: Vec::new() }
    }

    async fn check(database: &Database) -> Self {
        let (durability, stored) = tokio::join!(
            timeout(DATABASE_TIMEOUT, database.durability()),
            // Tried, not inferred from what went well before.
            database.try_to_store(STORING_TIMEOUT),
        );
        let warnings = match durability {
            Ok(Ok(warnings)) => warnings,
            Ok(Err(error)) => {
                tracing::warn!(%error, "not ready");
                return Self::unreachable();
            }
            Err(_) => {
                tracing::warn!("not ready: the database does not answer");
                return Self::unreachable();
            }
        };
        let missing = stored.err().map(|error| {
            tracing::warn!(%error, "not ready");
            if matches!(error, WriteError::Unreachable(_)) { "database" } else { "storage" }
        });
        Self { missing, warnings }
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;

    #[tokio::test]
    async fn nobody_waits_longer_behind_the_check_of_somebody_else() {
        let (health, within) = (DatabaseHealth::default(), Duration::from_millis(20));
        let endless = health.get(Duration::MAX, pending());
        let state = health.get(within, async { DatabaseState { missing: None, warnings: Vec::new() } });
        tokio::select! {
            biased;
            _ = endless => unreachable!(),
            state = state => assert_eq!(state.missing, Some("database")),
        }
    }
}
