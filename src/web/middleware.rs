use std::convert::Infallible;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};
use std::time::Instant;

use futures::future::{Either, ready};
use hyper::Request;
use hyper::body::Incoming;
use tower_service::Service;
use warp::http::header::{CONNECTION, HeaderValue};
use warp::reply::Response;

use super::connection_limits::ConnectionPermit;
use super::gate::Gate;
use super::{headers, request_target};
use crate::metrics;

/// Wraps the routes for one connection: passes requests through the gate, adds what
/// the gate found out to them, completes the headers of responses, and counts.
#[derive(Clone)]
pub struct Middleware<S> {
    routes: S,
    gate: Arc<Gate>,
    /// The other end of the connection.
    connected: IpAddr,
    permit: ConnectionPermit,
}

impl<S> Middleware<S> {
    pub fn new(routes: S, gate: Arc<Gate>, connected: IpAddr, permit: ConnectionPermit) -> Self {
        Self { routes, gate, connected, permit }
    }
}

impl<S> Service<Request<Incoming>> for Middleware<S>
where
    S: Service<Request<Incoming>, Response = Response, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut TaskContext<'_>) -> Poll<Result<(), Infallible>> {
        self.routes.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Incoming>) -> Self::Future {
        let (connected, started) = (self.connected, Instant::now());
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let must_close = request_target::must_close(&request);
        let passed = self.gate.pass(&request, connected, &self.permit);
        let (answer, passed) = match passed {
            Ok(passed) => {
                request.extensions_mut().insert(passed.clone());
                (Either::Left(self.routes.call(request)), Some(passed))
            }
            Err(answer) => (Either::Right(ready(Ok(*answer))), None),
        };
        Box::pin(async move {
            // `passed` holds the request's permit until there is a response.
            let mut response = answer.await?;
            headers::complete(
                response.headers_mut(),
                passed.as_ref().is_some_and(|passed| passed.peer.over_tls),
            );
            if must_close {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            let status = response.status().as_u16();
            metrics::http_request(status);
            let took_ms = started.elapsed().as_secs_f64() * 1_000.0;
            let peer = passed.map_or(connected, |passed| passed.peer.address);
            // Without the query, which may contain what people typed.
            tracing::debug!(%peer, %method, ?path, status, took_ms, "answered");
            Ok(response)
        })
    }
}
