use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use warp::http::header::{FORWARDED, HeaderName};
use warp::http::{HeaderMap, HeaderValue};

use super::forwarded::{self, Element};
use crate::config::TrustedProxies;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The sender of a request, according to the trusted proxies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    pub address: IpAddr,
    /// Whether a proxy says that it received the request over TLS.
    pub over_tls: bool,
    /// Whether it came through a proxy.
    pub is_proxied: bool,
}

impl Peer {
    /// Follows the headers from the nearest proxy to the first address that is not a
    /// trusted proxy. The client may have made up everything before that.
    pub fn of(connected: IpAddr, headers: &HeaderMap, trusted: &TrustedProxies) -> Self {
        let connected = connected.to_canonical();
        if !trusted.contains(connected) {
            return Self { address: connected, over_tls: false, is_proxied: false };
        }
        let listed = headers.contains_key(X_FORWARDED_FOR).then(|| {
            let hops = entries(headers, &X_FORWARDED_FOR).into_iter().rev().map(node);
            client(connected, hops, trusted)
        });
        let elements = headers.contains_key(FORWARDED).then(|| elements(headers));
        let described = elements.as_ref().map(|elements| {
            let hops = elements.iter().rev().map(|element| element.source.as_deref().and_then(node));
            client(connected, hops, trusted)
        });
        let address = match (listed, described) {
            (Some(one), Some(other)) if one.address == other.address => one.address,
            // A proxy that writes one of the two passes on the other as the client wrote it, and
            // nothing tells which is which.
            (Some(_), Some(_)) => connected,
            (Some(one), None) | (None, Some(one)) => one.address,
            (None, None) => connected,
        };
        let protocols = entries(headers, &X_FORWARDED_PROTO);
        let protocol = nth_from_right(&protocols, listed).copied().or_else(|| {
            nth_from_right(elements.as_deref().unwrap_or_default(), described)?.protocol.as_deref()
        });
        Self { address, over_tls: protocol.is_some_and(is_tls), is_proxied: true }
    }
}

/// Whether the request says that it was forwarded.
pub fn is_forwarded(headers: &HeaderMap) -> bool {
    headers.contains_key(X_FORWARDED_FOR) || headers.contains_key(FORWARDED)
}

/// An address, and the number of proxies on the way to it.
#[derive(Clone, Copy)]
struct Client {
    address: IpAddr,
    passed: usize,
}

/// Follows the hops, the nearest first, for as long as they are trusted. Stops at a hop
/// that is not an address.
fn client(connected: IpAddr, hops: impl Iterator<Item = Option<IpAddr>>, trusted: &TrustedProxies) -> Client {
    let mut client = Client { address: connected, passed: 0 };
    for hop in hops {
        let Some(address) = hop.filter(|_| trusted.contains(client.address)) else { break };
        client = Client { address, passed: client.passed + 1 };
    }
    client
}

/// The entry of the farthest trusted proxy. If the list is shorter, not all of them
/// have added to it, and it is the first entry.
fn nth_from_right<T>(list: &[T], client: Option<Client>) -> Option<&T> {
    let passed = client.map_or(1, |client| client.passed.max(1));
    list.get(list.len().saturating_sub(passed))
}

/// The entries of a list in all lines of the header.
fn entries<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Vec<&'a str> {
    let lines = headers.get_all(name).iter().map(|line| line.to_str().unwrap_or_default());
    lines.flat_map(|line| line.split(',')).map(str::trim).collect()
}

/// As [`entries`], of `Forwarded`. Empty if any line cannot be parsed.
fn elements(headers: &HeaderMap) -> Vec<Element> {
    let read = |line: &HeaderValue| forwarded::parse(line.to_str().ok()?);
    let lines: Option<Vec<_>> = headers.get_all(FORWARDED).iter().map(read).collect();
    lines.unwrap_or_default().concat()
}

/// Parses an address, with or without a port, in the forms of both headers. Returns
/// `None` for `unknown` and for obfuscated identifiers (RFC 7239 §6).
fn node(text: &str) -> Option<IpAddr> {
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok().map(IpAddr::from);
    let address = text.parse::<IpAddr>().ok().or_else(bracketed);
    address
        .or_else(|| text.parse::<SocketAddr>().ok().map(|both| both.ip()))
        .map(|address| address.to_canonical())
}

/// Some proxies say `wss` for a WebSocket.
fn is_tls(protocol: &str) -> bool {
    ["https", "wss"].iter().any(|tls| tls.eq_ignore_ascii_case(protocol))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::Choices;

    /// The proxy next to the server, and one in front of that.
    const PROXY: &str = "10.0.0.1";
    const OUTER: &str = "10.0.0.2";

    fn of(connected: &str, lines: &[(&'static str, &str)]) -> (String, bool) {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        let trusted = TrustedProxies::parse(["10.0.0.0/8"].into_iter()).unwrap();
        let peer = Peer::of(connected.parse().unwrap(), &headers, &trusted);
        (peer.address.to_string(), peer.over_tls)
    }

    fn address(connected: &str, lines: &[(&'static str, &str)]) -> String {
        of(connected, lines).0
    }

    #[test]
    fn nobody_but_a_trusted_proxy_says_for_whom_it_asks() {
        let lines = [
            ("x-forwarded-for", "198.51.100.1"),
            ("x-forwarded-proto", "https"),
            ("forwarded", "for=198.51.100.1;proto=https"),
        ];
        assert_eq!(of("203.0.113.9", &lines), ("203.0.113.9".to_owned(), false));
        assert_eq!(of(PROXY, &lines), ("198.51.100.1".to_owned(), true));
        assert_eq!(of("::ffff:10.0.0.1", &lines), ("198.51.100.1".to_owned(), true));
        assert_eq!(of(PROXY, &[]), (PROXY.to_owned(), false));
    }

    #[test]
    fn hops_are_read_from_the_right_up_to_the_first_that_is_not_trusted() {
        let x = |list: &str| address(PROXY, &[("x-forwarded-for", list)]);
        assert_eq!(x("198.51.100.1"), "198.51.100.1");
        assert_eq!(x("1.2.3.4, 198.51.100.1"), "198.51.100.1", "what the client wrote is left of it");
        assert_eq!(x("1.2.3.4, 198.51.100.1, 10.0.0.2"), "198.51.100.1");
        assert_eq!(x("10.9.9.9, 198.51.100.1, 10.0.0.2"), "198.51.100.1", "nor does it help to look trusted");
        assert_eq!(x("10.0.0.3, 10.0.0.2"), "10.0.0.3", "nobody but proxies");
        assert_eq!(x("198.51.100.1:4711"), "198.51.100.1");
        assert_eq!(x("2001:db8::1"), "2001:db8::1");
        assert_eq!(x("[2001:db8::1]:4711, 10.0.0.2"), "2001:db8::1");
        assert_eq!(x("::ffff:198.51.100.1"), "198.51.100.1");
        let two_lines = [("x-forwarded-for", "1.2.3.4"), ("x-forwarded-for", "198.51.100.1, 10.0.0.2")];
        assert_eq!(address(PROXY, &two_lines), "198.51.100.1");
    }

    #[test]
    fn what_names_no_address_ends_the_way() {
        for unclear in
            ["", "unknown", "_hidden", "198.51.100.1 198.51.100.2", "198.51.100", "\"198.51.100.1\""]
        {
            let list = format!("1.2.3.4, {unclear}");
            assert_eq!(address(PROXY, &[("x-forwarded-for", &list)]), PROXY, "{unclear}");
            let list = format!("1.2.3.4, {unclear}, 10.0.0.2");
            assert_eq!(address(PROXY, &[("x-forwarded-for", &list)]), OUTER, "{unclear}");
        }
        assert_eq!(address(PROXY, &[("x-forwarded-for", "1.2.3.4, ü, 10.0.0.2")]), PROXY, "no text at all");
    }

    #[test]
    fn the_standard_header_is_read_likewise() {
        let forwarded = |list: &str| of(PROXY, &[("forwarded", list)]);
        let client = |address: &str, tls| (address.to_owned(), tls);
        assert_eq!(forwarded("for=198.51.100.1"), client("198.51.100.1", false));
        assert_eq!(forwarded("For=\"[2001:db8::1]:4711\";Proto=HTTPS"), client("2001:db8::1", true));
        let chain =
            "for=1.2.3.4;proto=http, for=198.51.100.1;proto=https;by=10.0.0.2, for=10.0.0.2;proto=http";
        assert_eq!(forwarded(chain), client("198.51.100.1", true));
        assert_eq!(forwarded("for=1.2.3.4, for=unknown"), client(PROXY, false));
        assert_eq!(forwarded("for=1.2.3.4, proto=https"), client(PROXY, true), "by whom it does not say");
        assert_eq!(forwarded("for=198.51.100.1, \"for=1.2.3.4"), client(PROXY, false), "it cannot be read");
        assert_eq!(forwarded("for=\"198.51.100.1, for=10.0.0.2\""), client(PROXY, false), "one hop's text");
    }

    #[test]
    fn two_headers_that_differ_are_worth_neither() {
        let lines = |x, standard| [("x-forwarded-for", x), ("forwarded", standard)];
        assert_eq!(address(PROXY, &lines("198.51.100.1", "for=198.51.100.1")), "198.51.100.1");
        assert_eq!(address(PROXY, &lines("198.51.100.1", "for=1.2.3.4")), PROXY);
        assert_eq!(address(PROXY, &lines("198.51.100.1", "rubbish")), PROXY);
    }

    #[test]
    fn the_farthest_trusted_proxy_knows_whether_it_came_by_tls() {
        let tls = |hops: &str, protocols: &str| {
            of(PROXY, &[("x-forwarded-for", hops), ("x-forwarded-proto", protocols)]).1
        };
        assert!(tls("198.51.100.1", "https"));
        assert!(tls("198.51.100.1", "wss"));
        assert!(!tls("198.51.100.1", "http"));
        assert!(!tls("198.51.100.1", "https, http"), "the client wrote the first");
        assert!(tls("198.51.100.1, 10.0.0.2", "https, http"), "the outer proxy did");
        assert!(tls("198.51.100.1, 10.0.0.2", "https"), "one that is handed on");
        assert!(!tls("198.51.100.1", ""));
        assert!(of(PROXY, &[("x-forwarded-proto", "https")]).1, "a proxy need not say for whom");
    }

    #[test]
    fn no_client_writes_itself_another_address() {
        let tokens = [
            ",", " ", ";", "=", "\"", "\\", "for=", "10.0.0.2", "10.0.0.3", "1.2.3.4", "[::1]", "unknown",
            ":80",
        ];
        let seeds =
            ["1.2.3.4, 10.0.0.2", "for=1.2.3.4;proto=https", "10.0.0.1", "for=\"[::1]\", for=10.0.0.2"];
        bolero::check!().for_each(|bytes: &[u8]| {
            let mut choices = Choices::new(bytes);
            let (x, standard) = (choices.text(&seeds, &tokens), choices.text(&seeds, &tokens));
            let is_header = |text: &str| HeaderValue::from_bytes(text.as_bytes()).is_ok();
            if !is_header(&x) || !is_header(&standard) {
                return;
            }
            // A proxy appends to the one that it writes, and lets the other pass.
            let appended = format!("{x}, 198.51.100.1");
            for lines in [
                vec![("x-forwarded-for", appended.as_str())],
                vec![("x-forwarded-for", appended.as_str()), ("forwarded", standard.as_str())],
                vec![("x-forwarded-for", x.as_str()), ("x-forwarded-for", "198.51.100.1")],
            ] {
                let found = address(PROXY, &lines);
                assert!([PROXY, "198.51.100.1"].contains(&found.as_str()), "{lines:?}: {found}");
            }
            let appended = format!("{standard}, for=198.51.100.1");
            let found = address(PROXY, &[("forwarded", &appended)]);
            // An open quotation may swallow what the proxy appends: then nothing is believed.
            assert!([PROXY, "198.51.100.1"].contains(&found.as_str()), "{appended:?}: {found}");
        });
    }
}
