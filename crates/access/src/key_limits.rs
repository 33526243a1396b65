//! Where a key may be used from: pages of some origins, networks.

use std::net::IpAddr;
use std::str::FromStr as _;

use ipnet::IpNet;

/// Whether a text is an origin as browsers send it: scheme, host and perhaps a port, nothing else.
pub fn is_origin(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) else {
        return false;
    };
    let (host, port) = rest.rsplit_once(':').map_or((rest, None), |(host, port)| (host, Some(port)));
    let host_fits = !host.is_empty()
        && host.len() <= 253
        && host.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.');
    host_fits && port.is_none_or(|port| port.parse::<u16>().is_ok() && !port.starts_with(['+', '0']))
}

/// Whether a text is a network (`203.0.113.0/24`) or one address.
pub fn is_network(text: &str) -> bool {
    network(text).is_some()
}

fn network(text: &str) -> Option<IpNet> {
    IpNet::from_str(text).ok().or_else(|| IpAddr::from_str(text).ok().map(IpNet::from))
}

/// What a key's row says; empty lists allow everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct KeyLimits {
    origins: Vec<String>,
    networks: Vec<IpNet>,
    /// A network of the row cannot be read: nothing is allowed rather than everything.
    closed: bool,
}

impl KeyLimits {
    pub(crate) fn new(origins: Vec<String>, networks: &[String]) -> Self {
        let read: Vec<_> = networks.iter().filter_map(|text| network(text)).collect();
        Self { origins, closed: read.len() != networks.len(), networks: read }
    }

    /// Whether a request from this page at this address is inside.
    pub(crate) fn allow(&self, origin: Option<&str>, address: Option<IpAddr>) -> bool {
        let page = self.origins.is_empty() || origin.is_some_and(|o| self.origins.iter().any(|own| own == o));
        let place = self.networks.is_empty()
            || address
                .is_some_and(|address| self.networks.iter().any(|net| net.contains(&address.to_canonical())));
        !self.closed && page && place
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_and_networks_are_exact() {
        for good in ["https://shop.example", "http://localhost:3000", "https://a-b.example:8443"] {
            assert!(is_origin(good), "{good}");
        }
        for bad in [
            "",
            "null",
            "*",
            "https://",
            "https://shop.example/",
            "https://*.example",
            "shop.example",
            "https://Shop.example",
            "https://u@shop.example",
            "https://shop.example:x",
            "ftp://shop.example",
        ] {
            assert!(!is_origin(bad), "{bad}");
        }
        assert!(is_network("203.0.113.0/24") && is_network("2001:db8::/32") && is_network("203.0.113.7"));
        assert!(!is_network("203.0.113.0/33") && !is_network("all"));
        let limits = KeyLimits::new(vec!["https://shop.example".into()], &["203.0.113.0/24".into()]);
        let at = |text: &str| Some(text.parse::<IpAddr>().unwrap());
        assert!(limits.allow(Some("https://shop.example"), at("203.0.113.9")));
        assert!(limits.allow(Some("https://shop.example"), at("::ffff:203.0.113.9")));
        assert!(!limits.allow(Some("https://shop.example.evil"), at("203.0.113.9")));
        assert!(!limits.allow(None, at("203.0.113.9")));
        assert!(!limits.allow(Some("https://shop.example"), at("203.0.114.9")));
        assert!(!limits.allow(Some("https://shop.example"), None));
        assert!(KeyLimits::default().allow(None, None));
        assert!(!KeyLimits::new(Vec::new(), &["nonsense".into()]).allow(None, at("203.0.113.9")));
    }
}
