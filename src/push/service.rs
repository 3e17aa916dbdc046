use std::io;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::header::RETRY_AFTER;
use hyper::{Request, Response, StatusCode};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::sync::Semaphore;

use crate::config::PushService;

/// How many pushes run at once to one service. More of them would load it more
/// than any browser does, and a service that hangs holds this many sockets.
const AT_ONCE: usize = 32;

/// How many pushes may wait for their turn or a retry; those beyond are dropped.
const WAITING_MAX: usize = 1_000;

/// How much of a response's body is read, so that the connection can be reused.
const ANSWER_MAX_BYTES: usize = 4 * 1024;

/// How much of a response's headers is read.
const HEADERS_MAX_BYTES: usize = 16 * 1024;

/// A push service with its own limits, so that one that hangs or fails does not
/// delay others.
pub struct Service {
    pub setting: PushService,
    pub turns: Semaphore,
    pub room: Arc<Semaphore>,
}

impl Service {
    pub fn new(setting: PushService) -> Self {
        Self { setting, turns: Semaphore::new(AT_ONCE), room: Arc::new(Semaphore::new(WAITING_MAX)) }
    }
}

/// The response of a push service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PushResponse {
    Accepted,
    /// The subscription no longer exists.
    Gone,
    /// The service asks to retry, perhaps after this time.
    RetryLater(Option<Duration>),
    /// The service will never accept this push.
    Rejected(StatusCode),
}

/// Reading the machine's certificates takes a while: once in a process.
static CONNECTOR: LazyLock<io::Result<HttpsConnector<HttpConnector>>> = LazyLock::new(|| {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    // Plain HTTP is only for services that the settings name with `http`.
    let secure = HttpsConnectorBuilder::new().with_native_roots()?.https_or_http().enable_http1();
    Ok(secure.wrap_connector(tcp))
});

/// An HTTP client that follows no redirects and has a time-out.
pub struct PushClient {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    timeout: Duration,
}

impl PushClient {
    /// Errors if there are no trusted certificates.
    pub fn new(timeout: Duration) -> Result<Self, &'static io::Error> {
        let connector = CONNECTOR.as_ref()?.clone();
        let client =
            Client::builder(TokioExecutor::new()).http1_max_buf_size(HEADERS_MAX_BYTES).build(connector);
        Ok(Self { client, timeout })
    }

    /// Sends once. Network errors count as [`PushResponse::RetryLater`].
    pub async fn send(&self, request: Request<Full<Bytes>>) -> PushResponse {
        let exchange = async {
            let response = self.client.request(request).await?;
            let outcome = read(&response);
            // The body does not matter; if it is too long, the connection is closed.
            drop(Limited::new(response.into_body(), ANSWER_MAX_BYTES).collect().await);
            Ok::<_, hyper_util::client::legacy::Error>(outcome)
        };
        match tokio::time::timeout(self.timeout, exchange).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(error)) => {
                // The error names only the host.
                tracing::debug!(%error, "a push service was not reached");
                PushResponse::RetryLater(None)
            }
            Err(_) => PushResponse::RetryLater(None),
        }
    }
}

fn read<B>(response: &Response<B>) -> PushResponse {
    match response.status() {
        status if status.is_success() => PushResponse::Accepted,
        StatusCode::NOT_FOUND | StatusCode::GONE => PushResponse::Gone,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => {
            PushResponse::RetryLater(retry_after(response))
        }
        status if status.is_server_error() => PushResponse::RetryLater(retry_after(response)),
        status => PushResponse::Rejected(status),
    }
}

/// In seconds; a date (RFC 9110 §10.2.3) is ignored.
fn retry_after<B>(response: &Response<B>) -> Option<Duration> {
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response_to(status: u16, retry_after: Option<&str>) -> PushResponse {
        let mut response = Response::builder().status(status);
        if let Some(value) = retry_after {
            response = response.header(RETRY_AFTER, value);
        }
        read(&response.body(()).unwrap())
    }

    #[test]
    fn what_may_work_later_is_told_from_what_will_not() {
        assert_eq!(response_to(201, None), PushResponse::Accepted);
        assert_eq!(
            (response_to(404, None), response_to(410, Some("5"))),
            (PushResponse::Gone, PushResponse::Gone)
        );
        assert_eq!(response_to(429, Some("5")), PushResponse::RetryLater(Some(Duration::from_secs(5))));
        assert_eq!(response_to(503, Some("-5")), PushResponse::RetryLater(None));
        assert_eq!(response_to(500, Some("Wed, 21 Oct 2026 07:28:00 GMT")), PushResponse::RetryLater(None));
        assert_eq!(response_to(403, Some("5")), PushResponse::Rejected(StatusCode::FORBIDDEN));
        assert_eq!(response_to(302, None), PushResponse::Rejected(StatusCode::FOUND), "it leads nowhere");
    }
}
