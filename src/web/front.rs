use std::convert::Infallible;
use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};
use std::time::Instant;

use futures::future::{Either, ready};
use hyper::Request;
use hyper::body::Incoming;
use tower_service::Service;
use warp::http::header::{HeaderName, HeaderValue, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use warp::reply::{Reply, Response};

use super::admission::Place;
use super::target;
use crate::metrics;

/// Where a request comes from.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub IpAddr);

/// What goes with every answer, so that nothing this server sends is run,
/// framed or read by another page.
const HEADERS: [(HeaderName, HeaderValue); 4] = [
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
];

/// The routes as one connection sees them: keeps out what is not for them, tells
/// requests their peer and their place, answers the headers that go with
/// everything, counts.
#[derive(Clone)]
pub struct Front<S> {
    routes: S,
    peer: IpAddr,
    place: Place,
}

impl<S> Front<S> {
    pub fn new(routes: S, peer: IpAddr, place: Place) -> Self {
        Self { routes, peer, place }
    }
}

impl<S> Service<Request<Incoming>> for Front<S>
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
        request.extensions_mut().insert(Peer(self.peer));
        request.extensions_mut().insert(self.place.clone());
        let (peer, started) = (self.peer, Instant::now());
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let answer = match target::check(&request) {
            Ok(()) => Either::Left(self.routes.call(request)),
            Err(refusal) => Either::Right(ready(Ok(refusal.into_response()))),
        };
        Box::pin(async move {
            let mut response = answer.await?;
            for (name, value) in &HEADERS {
                response.headers_mut().entry(name).or_insert_with(|| value.clone());
            }
            let status = response.status().as_u16();
            metrics::http_request(status);
            let took_ms = started.elapsed().as_secs_f64() * 1_000.0;
            // The path without its query, which may hold what people typed.
            tracing::debug!(%peer, %method, ?path, status, took_ms, "answered");
            Ok(response)
        })
    }
}
