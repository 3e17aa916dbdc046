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

/// Pushes under way to one service; with more of them it would be hit harder
/// than by any browser, and one that hangs holds that many sockets at the most.
const AT_ONCE: usize = 32;

/// Pushes that wait for their turn, or for another try; those beyond are dropped.
const WAITING_MAX: usize = 1_000;

/// What is read of an answer's body, so that the connection can be used again.
const ANSWER_MAX_BYTES: usize = 4 * 1024;

/// What of an answer's headers is read.
const HEADERS_MAX_BYTES: usize = 16 * 1024;

/// A push service, and what it may take up: one that hangs or fails is in
/// nobody else's way.
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

/// What a push service answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    Taken,
    /// There is no such subscription any more.
    Gone,
    /// Not now; perhaps after this time.
    Later(Option<Duration>),
    /// It never will take this one.
    Refused(StatusCode),
}

/// Reading the machine's certificates takes a while: once in a process.
static CONNECTOR: LazyLock<io::Result<HttpsConnector<HttpConnector>>> = LazyLock::new(|| {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    // Plain HTTP is for what the settings say is plain.
    let secure = HttpsConnectorBuilder::new().with_native_roots()?.https_or_http().enable_http1();
    Ok(secure.wrap_connector(tcp))
});

/// An HTTP client that follows nothing and waits no longer than it is told.
pub struct Sender {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    timeout: Duration,
}

impl Sender {
    /// Fails where there are no certificates to trust.
    pub fn new(timeout: Duration) -> Result<Self, &'static io::Error> {
        let connector = CONNECTOR.as_ref()?.clone();
        let client =
            Client::builder(TokioExecutor::new()).http1_max_buf_size(HEADERS_MAX_BYTES).build(connector);
        Ok(Self { client, timeout })
    }

    /// Sends once. What goes wrong on the way may go right later.
    pub async fn send(&self, request: Request<Full<Bytes>>) -> Said {
        let exchange = async {
            let response = self.client.request(request).await?;
            let said = read(&response);
            // What it is makes no difference; too long, the connection is closed.
            drop(Limited::new(response.into_body(), ANSWER_MAX_BYTES).collect().await);
            Ok::<_, hyper_util::client::legacy::Error>(said)
        };
        match tokio::time::timeout(self.timeout, exchange).await {
            Ok(Ok(said)) => said,
            Ok(Err(error)) => {
                // Its source names no more than the host.
                tracing::debug!(%error, "a push service was not reached");
                Said::Later(None)
            }
            Err(_) => Said::Later(None),
        }
    }
}

fn read<B>(response: &Response<B>) -> Said {
    match response.status() {
        status if status.is_success() => Said::Taken,
        StatusCode::NOT_FOUND | StatusCode::GONE => Said::Gone,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => Said::Later(retry_after(response)),
        status if status.is_server_error() => Said::Later(retry_after(response)),
        status => Said::Refused(status),
    }
}

/// In seconds; a date (RFC 9110 §10.2.3) is as good as nothing.
fn retry_after<B>(response: &Response<B>) -> Option<Duration> {
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(status: u16, retry_after: Option<&str>) -> Said {
        let mut response = Response::builder().status(status);
        if let Some(value) = retry_after {
            response = response.header(RETRY_AFTER, value);
        }
        read(&response.body(()).unwrap())
    }

    #[test]
    fn what_may_work_later_is_told_from_what_will_not() {
        assert_eq!(said(201, None), Said::Taken);
        assert_eq!((said(404, None), said(410, Some("5"))), (Said::Gone, Said::Gone));
        assert_eq!(said(429, Some("5")), Said::Later(Some(Duration::from_secs(5))));
        assert_eq!(said(503, Some("-5")), Said::Later(None));
        assert_eq!(said(500, Some("Wed, 21 Oct 2026 07:28:00 GMT")), Said::Later(None));
        assert_eq!(said(403, Some("5")), Said::Refused(StatusCode::FORBIDDEN));
        assert_eq!(said(302, None), Said::Refused(StatusCode::FOUND), "it leads nowhere");
    }
}
