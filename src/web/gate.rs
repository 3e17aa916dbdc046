use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper::Request;
use warp::http::HeaderMap;
use warp::reply::{Reply, Response};

use super::api_error::{ApiError, TOO_MANY_ATTEMPTS};
use super::connection_limits::{ConnectionLimits, ConnectionPermit, LimitReached};
use super::cookies::SessionCookie;
use super::host::{Host, Hosts};
use super::peer::{self, Peer};
use super::{error_page, origin, request_target};
use crate::config::{Config, Origin, TrustedProxies};
use crate::metrics;
use crate::protocol::Code;

/// When an address with too many requests or sockets under way should try again.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// Checks every request before it is routed: that it is for this server, where it
/// comes from, and that its address has not too many connections.
pub struct Gate {
    hosts: Hosts,
    origins: Vec<Origin>,
    proxies: TrustedProxies,
    limits: ConnectionLimits,
    warned: Warned,
}

/// Warnings that are logged once.
#[derive(Default)]
struct Warned {
    unknown_host: AtomicBool,
    unknown_proxy: AtomicBool,
}

/// What the gate found out about a request, for the request's route.
#[derive(Clone)]
pub struct RequestInfo {
    pub peer: Peer,
    pub cookie: SessionCookie,
    pub permit: ConnectionPermit,
}

impl Gate {
    pub fn new(config: &Config, limits: ConnectionLimits) -> Self {
        Self {
            hosts: Hosts::new(machine_name().as_deref(), &config.origins),
            origins: config.origins.clone(),
            proxies: config.trusted_proxies.clone(),
            limits,
            warned: Warned::default(),
        }
    }

    /// Admits a connection from this address. Connections of a trusted proxy do not
    /// count for its address: each of their requests counts for the client behind it.
    pub fn admit(&self, address: IpAddr) -> Result<ConnectionPermit, LimitReached> {
        let counted = (!self.proxies.contains(address)).then_some(address);
        self.limits.admit(counted)
    }

    /// Admits a request on a connection from `connected`, or returns the response.
    pub fn pass<B>(
        &self,
        request: &Request<B>,
        connected: IpAddr,
        permit: &ConnectionPermit,
    ) -> Result<RequestInfo, Box<Response>> {
        let host = request_target::check(request).map_err(boxed)?;
        let host = match host {
            Some(text) => match Host::parse(text).filter(|host| self.hosts.contains(*host)) {
                Some(host) => Some(host),
                None => return Err(Box::new(self.unknown_host(request, text))),
            },
            None => None,
        };
        self.warn_of_proxy(connected, request.headers());
        let mut peer = Peer::of(connected, request.headers(), &self.proxies);
        // If every page is served by TLS, this one was, whether or not a proxy says so.
        peer.over_tls |= !self.origins.is_empty() && self.origins.iter().all(Origin::is_https);
        let permit = if peer.is_proxied {
            let refuse = |_| boxed(ApiError::rate_limited(TOO_MANY_ATTEMPTS, RETRY_AFTER));
            self.limits.admit_through(permit, peer.address).map_err(refuse)?
        } else {
            permit.clone()
        };
        let cookie = self.cookie(request.headers(), host, peer.over_tls);
        Ok(RequestInfo { peer, cookie, permit })
    }

    /// The cookie is for TLS if a proxy says that the page was loaded by TLS, if the
    /// page's origin says so, or if the browser sends the cookie that is for TLS only.
    fn cookie(&self, headers: &HeaderMap, host: Option<Host<'_>>, over_tls: bool) -> SessionCookie {
        let named = |secure| SessionCookie { port: self.port_of_page(host, secure), secure };
        let for_tls = named(true);
        let by_tls = over_tls || origin::is_https(headers) || for_tls.has_current_name(headers);
        if by_tls { for_tls } else { named(false) }
    }

    fn warn_of_proxy(&self, connected: IpAddr, headers: &HeaderMap) {
        if !self.proxies.contains(connected)
            && peer::is_forwarded(headers)
            && !self.warned.unknown_proxy.swap(true, Ordering::Relaxed)
        {
            let hint = "if it is your proxy, all its clients share the limits of one address";
            tracing::warn!(
                address = %connected,
                "ignored X-Forwarded-For or Forwarded of an address not in TIDINGS_TRUSTED_PROXIES: {hint}"
            );
        }
    }

    /// The port in the address of the page: that of the origin with this host if
    /// there is exactly one, since some proxies drop the port from `Host`; otherwise
    /// the one in `Host`.
    fn port_of_page(&self, host: Option<Host<'_>>, over_tls: bool) -> u16 {
        let default = if over_tls { 443 } else { 80 };
        let Some(host) = host else { return default };
        let mut pages = self.origins.iter().filter(|origin| origin.host().eq_ignore_ascii_case(host.name));
        match (pages.next(), pages.next()) {
            (Some(page), None) => page.port(),
            _ => host.port.unwrap_or(default),
        }
    }

    fn unknown_host<B>(&self, request: &Request<B>, host: &str) -> Response {
        if !self.warned.unknown_host.swap(true, Ordering::Relaxed) {
            let host: String = host.chars().take(100).collect();
            tracing::warn!(?host, "refused a request for a host that TIDINGS_ORIGINS does not name");
        }
        let is_api = request.uri().path().starts_with("/api");
        if !is_api && error_page::accepts_html(request.headers()) {
            metrics::refused(Code::UnknownHost);
            return error_page::unknown_host();
        }
        let message = "This server does not answer for that host. If you run it, set TIDINGS_ORIGINS to the \
            address of your page, such as TIDINGS_ORIGINS=https://chat.example.org.";
        ApiError::new(Code::UnknownHost, message).into_response()
    }
}

/// Boxed, since a response is too large to be passed around.
fn boxed(reply: impl Reply) -> Box<Response> {
    Box::new(reply.into_response())
}

/// The name of this machine.
fn machine_name() -> Option<String> {
    nix::unistd::gethostname().ok()?.into_string().ok()
}
