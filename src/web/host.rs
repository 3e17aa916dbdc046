use std::net::{Ipv4Addr, Ipv6Addr};

use crate::config::Origin;

/// What a `Host` header names (RFC 9110 §7.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Host<'a> {
    pub name: &'a str,
    pub port: Option<u16>,
}

impl<'a> Host<'a> {
    /// Returns `None` if the port is not a number.
    pub fn parse(text: &'a str) -> Option<Self> {
        // The colons of an IPv6 address stand in brackets.
        let colon = text.rfind(':').filter(|colon| !text[*colon..].contains(']'));
        let Some(colon) = colon else { return Some(Self { name: text, port: None }) };
        let (name, port) = (&text[..colon], &text[colon + 1..]);
        match port {
            "" => Some(Self { name, port: None }),
            digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                Some(Self { name, port: Some(digits.parse().ok()?) })
            }
            _ => None,
        }
    }

    fn is_ip_literal(self) -> bool {
        match self.name.strip_prefix('[') {
            Some(rest) => rest.strip_suffix(']').is_some_and(|v6| v6.parse::<Ipv6Addr>().is_ok()),
            None => self.name.parse::<Ipv4Addr>().is_ok(),
        }
    }
}

/// The names that this server answers to. Others can make their own name resolve to
/// this machine ("DNS rebinding"), and a browser would take their page for a page of
/// this server. An IP address cannot be rebound.
pub struct Hosts(Vec<String>);

impl Hosts {
    /// `localhost`, the names that this machine has by itself and in mDNS, and the hosts
    /// of the allowed origins.
    pub fn new(machine: Option<&str>, origins: &[Origin]) -> Self {
        let mut names = vec!["localhost".to_owned()];
        if let Some(machine) = machine.filter(|machine| !machine.is_empty()) {
            let bare = machine.split('.').next().unwrap_or(machine);
            names.extend([machine.to_owned(), bare.to_owned(), format!("{bare}.local")]);
        }
        names.extend(origins.iter().map(|origin| origin.host().to_owned()));
        names.retain(|name| !name.is_empty());
        Self(names)
    }

    pub fn contains(&self, host: Host<'_>) -> bool {
        host.is_ip_literal() || self.0.iter().any(|name| name.eq_ignore_ascii_case(host.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::Choices;

    fn hosts() -> Hosts {
        let origins = ["https://chat.example", "https://bücher.example:8443"];
        Hosts::new(Some("Box.lan"), &origins.map(|origin| Origin::parse(origin).unwrap()))
    }

    fn is_answered(hosts: &Hosts, header: &str) -> bool {
        Host::parse(header).is_some_and(|host| hosts.contains(host))
    }

    #[test]
    fn c08_addresses_and_our_own_names_are_answered_and_no_others() {
        let hosts = hosts();
        for ours in [
            "localhost",
            "LOCALHOST:8080",
            "127.0.0.1",
            "192.0.2.1:8080",
            "[::1]",
            "[2001:db8::1]:8080",
            "box",
            "box.lan:8080",
            "Box.local",
            "chat.example",
            "chat.example:",
            "CHAT.example:8080",
            "xn--bcher-kva.example:8443",
        ] {
            assert!(is_answered(&hosts, ours), "{ours}");
        }
        for foreign in [
            "",
            ":8080",
            "evil.example",
            "evil.example:8080",
            "localhost.evil.example",
            "evil.localhost",
            "127.0.0.1.evil.example",
            "127.0.0.1:8080.evil.example",
            "127.1",
            "2130706433",
            "0x7f.0.0.1",
            "::1",
            "[::1",
            "[::1]evil.example",
            "[::1%eth0]",
            "[v7.x]",
            "box.evil.example",
            "lan",
            "local",
            ".local",
            "notchat.example",
            "a.chat.example",
            "chat.example.",
            "chat.example:port",
            "chat.example:99999",
            "evil.example@chat.example",
            "chat.example@evil.example",
            "chat.example/",
        ] {
            assert!(!is_answered(&hosts, foreign), "{foreign}");
        }
    }

    #[test]
    fn c08_a_machine_without_a_name_has_the_others() {
        for machine in [None, Some(""), Some(".lan")] {
            let hosts = Hosts::new(machine, &[]);
            assert!(is_answered(&hosts, "localhost") && is_answered(&hosts, "[::1]:80"), "{machine:?}");
            assert!(!is_answered(&hosts, "") && !is_answered(&hosts, "chat.example"), "{machine:?}");
        }
    }

    #[test]
    fn c08_no_header_passes_for_one_of_ours() {
        let hosts = hosts();
        let seeds = ["localhost:8080", "chat.example", "[::1]:8080", "127.0.0.1", "box.local"];
        let tokens =
            [".", ":", "[", "]", "@", "/", "evil.example", "localhost", "::1", "127.0.0.1", "80", " ", "%"];
        bolero::check!().for_each(|bytes: &[u8]| {
            let header = Choices::new(bytes).text(&seeds, &tokens);
            if !is_answered(&hosts, &header) {
                return;
            }
            // As another parser reads it.
            let url = url::Url::parse(&format!("http://{header}/")).unwrap();
            let known = ["localhost", "box", "box.lan", "box.local", "chat.example", "xn--bcher-kva.example"];
            let is_name = url.domain().is_some_and(|name| known.contains(&name));
            assert!(is_name || (url.domain().is_none() && url.host().is_some()), "{header:?}: {url}");
            assert_eq!((url.username(), url.path()), ("", "/"), "{header:?}");
        });
    }
}
