use std::net::{IpAddr, Ipv6Addr};

use ipnet::IpNet;

/// The networks of the proxies whose forwarding headers are trusted.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// From networks in CIDR notation and single addresses; else the text that is neither.
    pub fn parse<'a>(texts: impl Iterator<Item = &'a str>) -> Result<Self, &'a str> {
        texts.map(|text| network(text).ok_or(text)).collect::<Result<_, _>>().map(Self)
    }

    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }
}

fn network(text: &str) -> Option<IpNet> {
    let network = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).ok()?;
    // Addresses are compared in their canonical form: an IPv4 one in IPv6 would never match.
    let is_mapped = |v6: Ipv6Addr| v6.to_ipv4_mapped().is_some();
    (!matches!(network, IpNet::V6(v6) if is_mapped(v6.addr()))).then_some(network)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_holds_its_addresses_in_either_form() {
        let proxies =
            TrustedProxies::parse(["10.0.0.0/8", "192.0.2.7", "2001:db8::/32"].into_iter()).unwrap();
        for (address, is_in) in [
            ("10.1.2.3", true),
            ("::ffff:10.1.2.3", true),
            ("11.0.0.1", false),
            ("192.0.2.7", true),
            ("192.0.2.8", false),
            ("2001:db8::7", true),
            ("2001:db9::7", false),
            ("::1", false),
        ] {
            assert_eq!(proxies.contains(address.parse().unwrap()), is_in, "{address}");
        }
        assert!(!TrustedProxies::default().contains("127.0.0.1".parse().unwrap()));
        for wrong in ["10.0.0.0/33", "proxy.example", "::ffff:10.0.0.0/104", "10.0.0", "*"] {
            assert_eq!(TrustedProxies::parse([wrong].into_iter()).unwrap_err(), wrong);
        }
    }
}
