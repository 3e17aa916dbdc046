use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use warp::http::header::{CONTENT_TYPE, HeaderValue};
use warp::http::{Response as HttpResponse, StatusCode};
use warp::reply::Response;

use super::Context;
use super::refusal::{Refusal, json};
use crate::database::Warning;
use crate::metrics;

/// How long the database may take to say that it is there.
const DATABASE_TIMEOUT: Duration = Duration::from_secs(2);

/// What is not ready, and which promise does not hold.
#[derive(Serialize)]
struct Readiness {
    ready: bool,
    missing: Vec<&'static str>,
    warnings: Vec<Warning>,
}

/// `GET /healthz`: the process serves.
pub fn health() -> Response {
    HttpResponse::new("ok\n".into())
}

/// `GET /readyz`: whether everything is there that a message passes through.
pub async fn readiness(context: Arc<Context>) -> Response {
    let mut missing = context.missing();
    let durability = tokio::time::timeout(DATABASE_TIMEOUT, context.database().durability());
    let warnings = match durability.await {
        Ok(Ok(warnings)) => warnings,
        Ok(Err(error)) => {
            tracing::warn!(%error, "not ready");
            missing.push("database");
            Vec::new()
        }
        Err(_) => {
            tracing::warn!("not ready: the database does not answer");
            missing.push("database");
            Vec::new()
        }
    };
    let ready = missing.is_empty();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    json(status, &Readiness { ready, missing, warnings })
}

/// `GET /metrics`: in the Prometheus text format.
pub fn metrics(context: &Context) -> Result<Response, Refusal> {
    metrics::persistence_queue(context.services.persistence.depth());
    let text = metrics::render().ok_or_else(Refusal::internal)?;
    let mut response = HttpResponse::new(text.into());
    let content_type = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    Ok(response)
}

impl Context {
    /// The stations that are dead now; their supervisor is at it.
    fn missing(&self) -> Vec<&'static str> {
        let services = &self.services;
        let stations = [
            ("persistence", services.persistence.is_alive()),
            ("presence", services.presence.is_alive()),
            ("users", services.users.address().is_alive()),
        ];
        stations.into_iter().filter(|(_, alive)| !alive).map(|(name, _)| name).collect()
    }
}
