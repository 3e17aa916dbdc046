use url::Url;

/// The origin of a page, as browsers write it in `Origin` (RFC 6454 §6.2): in
/// lower case, its name in ASCII (IDNA), without the scheme's own port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    text: String,
    host: String,
    port: u16,
    is_https: bool,
}

impl Origin {
    /// Reads one as people write it. `None` if it could never match: with a path, a
    /// user, a wildcard or another scheme.
    pub fn parse(text: &str) -> Option<Self> {
        let (_, rest) = text.split_once("://")?;
        // The URL parser drops tabs and line ends, and takes `\` for `/`.
        let is_foreign = |c: char| c.is_whitespace() || c.is_control() || "\\*@?#%".contains(c);
        if rest.starts_with('/') || text.contains(is_foreign) {
            return None;
        }
        let url = Url::parse(text).ok().filter(|url| url.path() == "/")?;
        let is_https = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        Some(Self {
            text: url.origin().ascii_serialization(),
            host: url.host_str()?.to_owned(),
            port: url.port_or_known_default()?,
            is_https,
        })
    }

    /// As browsers send it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// As browsers send it in `Host`, without the port.
    pub fn host(&self) -> &str {
        &self.host
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn is_https(&self) -> bool {
        self.is_https
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_kept_as_browsers_send_it() {
        for (written, sent) in [
            ("https://chat.example", "https://chat.example"),
            ("https://chat.example/", "https://chat.example"),
            ("https://chat.example:443", "https://chat.example"),
            ("http://chat.example:80", "http://chat.example"),
            ("https://chat.example:80", "https://chat.example:80"),
            ("HTTPS://Chat.Example:8443", "https://chat.example:8443"),
            ("https://bücher.example", "https://xn--bcher-kva.example"),
            ("https://BÜCHER.example", "https://xn--bcher-kva.example"),
            ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
            ("http://[::1]:8080", "http://[::1]:8080"),
            ("http://[0:0::1]:8080", "http://[::1]:8080"),
            ("http://192.0.2.1", "http://192.0.2.1"),
        ] {
            assert_eq!(Origin::parse(written).map(|origin| origin.text), Some(sent.to_owned()), "{written}");
        }
    }

    #[test]
    fn what_could_never_match_is_no_origin() {
        for wrong in [
            "",
            "null",
            "chat.example",
            "https:chat.example",
            "https://",
            "https:///chat.example",
            "https:\\\\chat.example",
            "https://chat.example/talk",
            "https://chat.example?",
            "https://chat.example#",
            "https://ada@chat.example",
            "https://*.example",
            "https://chat .example",
            "https://chat\n.example",
            "https://chat.example:99999",
            "https://chat.example:port",
            "https://xn--a.example",
            "https://%63hat.example",
            "wss://chat.example",
            "file://chat.example",
        ] {
            assert_eq!(Origin::parse(wrong), None, "{wrong:?}");
        }
    }
}
