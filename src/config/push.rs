use std::fmt;

use hyper::Uri;
use hyper::http::uri::Authority;
use web_push_native::p256::SecretKey;

/// Web push, as set. The key prints as nothing.
#[derive(Clone, Debug)]
pub struct PushSettings {
    pub on: bool,
    /// Where pushes may be sent, and nowhere else.
    pub services: Vec<PushService>,
    /// How a push service reaches the operator: `mailto:…` or `https:…` (RFC 8292 §2.1).
    pub contact: Option<String>,
    /// What signs pushes; unset: the database keeps one.
    pub key: Option<SecretKey>,
}

/// The services of Chrome and most others, Firefox, Safari, Edge.
pub const DEFAULT_PUSH_HOSTS: &str =
    "fcm.googleapis.com,*.push.services.mozilla.com,*.push.apple.com,*.notify.windows.com";

/// A push service that may be sent to, by its host: `fcm.googleapis.com`,
/// `*.push.apple.com` (any number of labels), `push.example.org:8443`. All by
/// TLS, but for a service on this machine, for tests: `http://127.0.0.1:8081`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushService {
    is_plain: bool,
    with_subdomains: bool,
    host: String,
    port: u16,
}

/// Hosts that are this machine, whatever a resolver says.
const THIS_MACHINE: [&str; 2] = ["127.0.0.1", "[::1]"];

impl PushService {
    pub fn parse(text: &str) -> Option<Self> {
        let (is_plain, authority) = match text.strip_prefix("http://") {
            Some(authority) => (true, authority),
            None => (false, text),
        };
        let (with_subdomains, authority) = match authority.strip_prefix("*.") {
            Some(authority) => (true, authority),
            None => (false, authority),
        };
        let (host, port) = host_and_port(&authority.parse().ok()?)?;
        let may_be_plain = THIS_MACHINE.contains(&&*host) && !with_subdomains && port.is_some();
        let is_right = !host.contains('*') && (!is_plain || may_be_plain);
        is_right.then(|| Self { is_plain, with_subdomains, host, port: port.unwrap_or(443) })
    }

    /// Whether this address is one of the service.
    pub fn has(&self, endpoint: &Uri) -> bool {
        let (scheme, default_port) = if self.is_plain { ("http", 80) } else { ("https", 443) };
        let Some((host, port)) = endpoint.authority().and_then(host_and_port) else { return false };
        let is_host = if self.with_subdomains {
            let label = host.strip_suffix(&self.host).and_then(|rest| rest.strip_suffix('.'));
            label.is_some_and(|label| !label.is_empty())
        } else {
            host == self.host
        };
        is_host && endpoint.scheme_str() == Some(scheme) && port.unwrap_or(default_port) == self.port
    }
}

/// None when there is anything else in it. The parser lets a user pass, an
/// empty host, and what is no number for a port.
fn host_and_port(authority: &Authority) -> Option<(String, Option<u16>)> {
    let (host, port) = (authority.host().to_ascii_lowercase(), authority.port_u16());
    let plain = port.map_or_else(|| host.clone(), |port| format!("{host}:{port}"));
    (!host.is_empty() && authority.as_str().eq_ignore_ascii_case(&plain)).then_some((host, port))
}

impl fmt::Display for PushService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.with_subdomains { "*." } else { "" })?;
        f.write_str(&self.host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(service: &str, endpoint: &str) -> bool {
        let endpoint: Result<Uri, _> = endpoint.parse();
        endpoint.is_ok_and(|endpoint| PushService::parse(service).expect(service).has(&endpoint))
    }

    #[test]
    fn an_endpoint_must_be_of_the_service() {
        assert!(has("fcm.googleapis.com", "https://fcm.googleapis.com/fcm/send/x"));
        assert!(has("fcm.googleapis.com", "https://FCM.googleapis.com:443/x"));
        assert!(has("*.push.apple.com", "https://web.push.apple.com/x"));
        assert!(has("http://127.0.0.1:8081", "http://127.0.0.1:8081/x"));
        assert!(has("push.example.org:8443", "https://push.example.org:8443/x"));
        for endpoint in [
            "http://web.push.apple.com/x",
            "https://push.apple.com/x",
            "https://.push.apple.com/x",
            "https://evilpush.apple.com/x",
            "https://web.push.apple.com.evil.example/x",
            "https://web.push.apple.com./x",
            "https://web.push.apple.com:8443/x",
            "https://web.push.apple.com:/x",
            "https://web.push.apple.com:push/x",
            "https://web.push.apple.com@evil.example/x",
            "https://evil.example/?web.push.apple.com",
            "https://evil.example#web.push.apple.com",
            "https://127.0.0.1/x",
            "https://[::1]/x",
            "https://2130706433/x",
            "web.push.apple.com",
            "/x",
        ] {
            assert!(!has("*.push.apple.com", endpoint), "{endpoint}");
        }
        assert!(!has("http://127.0.0.1:8081", "http://127.0.0.1/x"));
        assert!(!has("http://127.0.0.1:8081", "https://127.0.0.1:8081/x"));
    }

    #[test]
    fn a_service_is_a_host_and_plain_only_on_this_machine() {
        for wrong in [
            "",
            "*",
            "*.",
            "*.*.apple.com",
            "https://fcm.googleapis.com",
            "http://fcm.googleapis.com",
            "http://localhost:80",
            "http://127.0.0.1",
            "fcm.googleapis.com/x",
            "ada@fcm.googleapis.com",
            "fcm.googleapis.com:",
            "fcm.googleapis.com:99999",
            "a b",
        ] {
            assert_eq!(PushService::parse(wrong), None, "{wrong}");
        }
    }
}
