//! A push service on this machine, which keeps what it is sent.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use super::device::Device;
use crate::support::eventually_some;

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Received {
    pub path: String,
    pub headers: HeaderMap,
    pub body: Bytes,
    pub at: Instant,
}

impl Received {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no {name}")).to_str().expect("text")
    }
}

/// How the next pushes to a device are answered.
#[derive(Clone, Copy, Debug)]
pub enum Answer {
    Status(u16),
    RetryAfter(u16, u32),
    /// Not at all.
    Never,
}

#[derive(Default)]
struct State {
    received: Vec<Received>,
    /// By path, in order; then 201.
    answers: HashMap<String, Vec<Answer>>,
    /// Answers every push, whatever it is for.
    always: Option<Answer>,
}

#[derive(Clone)]
pub struct PushService {
    /// What `TIDINGS_PUSH_HOSTS` is to list.
    pub origin: String,
    state: Arc<Mutex<State>>,
}

impl PushService {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let origin = format!("http://{}", listener.local_addr().expect("bound"));
        let service = Self { origin, state: Arc::default() };
        let serving = service.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serving.clone().serve(stream));
            }
        });
        service
    }

    /// One behind TLS, with its certificate.
    pub async fn start_secure() -> (Self, String) {
        let rcgen::CertifiedKey { cert, signing_key } =
            rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
        let key = PrivateKeyDer::Pkcs8(signing_key.serialize_der().into());
        let config = ServerConfig::builder().with_no_client_auth();
        let config = config.with_single_cert(vec![cert.der().clone()], key).expect("a pair");
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let origin = format!("https://localhost:{}", listener.local_addr().expect("bound").port());
        let service = Self { origin, state: Arc::default() };
        let serving = service.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // Who does not trust it goes.
                if let Ok(stream) = acceptor.accept(stream).await {
                    tokio::spawn(serving.clone().serve(stream));
                }
            }
        });
        (service, cert.pem())
    }

    async fn serve(self, stream: impl AsyncRead + AsyncWrite + Unpin) {
        let handler = service_fn(|request| self.take(request));
        // A server that is killed ends it early.
        drop(http1::Builder::new().serve_connection(TokioIo::new(stream), handler).await);
    }

    pub fn device(&self, name: &str) -> Device {
        Device::at(format!("{}/{name}", self.origin))
    }

    /// How the next push to the device is answered; several in turn.
    pub fn answer(&self, name: &str, answers: &[Answer]) {
        let mut state = self.state.lock().expect("nobody panics");
        state.answers.insert(format!("/{name}"), answers.iter().rev().copied().collect());
    }

    /// From now on.
    pub fn always(&self, answer: Answer) {
        self.state.lock().expect("nobody panics").always = Some(answer);
    }

    /// Everything that has come for the device.
    pub fn received(&self, name: &str) -> Vec<Received> {
        let state = self.state.lock().expect("nobody panics");
        state.received.iter().filter(|push| push.path == format!("/{name}")).cloned().collect()
    }

    /// The push number `index` for the device, when it has come.
    pub async fn push(&self, name: &str, index: usize) -> Received {
        eventually_some("a push", async || self.received(name).get(index).cloned()).await
    }

    async fn take(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.expect("a whole request").to_bytes();
        let (path, at) = (head.uri.path().to_owned(), Instant::now());
        let answer = {
            let mut state = self.state.lock().expect("nobody panics");
            state.received.push(Received { path: path.clone(), headers: head.headers, body, at });
            let planned = state.answers.get_mut(&path).and_then(Vec::pop);
            planned.or(state.always).unwrap_or(Answer::Status(201))
        };
        let response = match answer {
            Answer::Status(status) => Response::builder().status(status),
            Answer::RetryAfter(status, seconds) => {
                Response::builder().status(status).header("retry-after", seconds)
            }
            Answer::Never => std::future::pending().await,
        };
        Ok(response.body(Full::default()).expect("a response"))
    }
}
