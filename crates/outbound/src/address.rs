//! Where a request of ours may go: the open internet, and nowhere else.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

/// Whether an address belongs to the open internet: not to this machine, this network, a cloud's metadata, or a translation of those.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_broadcast()
        || address.is_documentation()
        || address.is_multicast()
        || a == 0
        || a >= 240
        // Carriers' own, protocol assignments, 6to4 relays, benchmarks.
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (18..20).contains(&b)))
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    if let Some(mapped) = address.to_ipv4_mapped() {
        return is_public_v4(mapped);
    }
    let segments = address.segments();
    // Only what is handed out to the internet (2000::/3), without protocol assignments and Teredo (2001::/23), documentation
    // (2001:db8::/32, 3fff::/20) and 6to4 (2002::/16), which wraps any IPv4 address.
    segments[0] & 0xe000 == 0x2000
        && !(segments[0] == 0x2001 && (segments[1] < 0x200 || segments[1] == 0xdb8))
        && segments[0] != 0x2002
        && !(segments[0] == 0x3fff && segments[1] < 0x1000)
}

/// Reads an address that somebody gave us. `private` allows this machine and plain HTTP: for development.
///
/// # Errors
/// What would have been right.
pub fn readable(text: &str, private: bool) -> Result<Url, String> {
    let url: Url = text.parse().map_err(|_| "must be an absolute URL".to_owned())?;
    match url.scheme() {
        "https" => {}
        "http" if private => {}
        _ => return Err("must begin with https://".to_owned()),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not hold a name or password".to_owned());
    }
    if url.fragment().is_some() {
        return Err("must not have a fragment".to_owned());
    }
    let refused = || Err("must be an address of the open internet".to_owned());
    match url.host() {
        None => Err("must name a host".to_owned()),
        Some(Host::Ipv4(address)) if !private && !is_public_v4(address) => refused(),
        Some(Host::Ipv6(address)) if !private && !is_public_v6(address) => refused(),
        Some(Host::Domain(name)) if !private && (name == "localhost" || name.ends_with(".localhost")) => {
            refused()
        }
        Some(_) => Ok(url),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inner_addresses_in_every_disguise_are_refused() {
        for text in [
            "https://127.0.0.1/",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://017700000001/",
            "https://10.0.0.8/",
            "https://172.16.3.1/",
            "https://192.168.1.1/",
            "https://169.254.169.254/latest/meta-data/",
            "https://0.0.0.0/",
            "https://100.64.0.1/",
            "https://192.0.0.170/",
            "https://198.18.0.1/",
            "https://224.0.0.1/",
            "https://255.255.255.255/",
            "https://[::1]/",
            "https://[::]/",
            "https://[::ffff:10.0.0.1]/",
            "https://[fd00::1]/",
            "https://[fe80::1]/",
            "https://[2002:7f00:1::]/",
            "https://[64:ff9b::7f00:1]/",
            "https://[2001:db8::1]/",
            "https://[2001::1]/",
            "https://[ff02::1]/",
            "https://localhost/",
            "https://a.localhost/",
            "https://LOCALHOST/",
        ] {
            assert!(readable(text, false).is_err(), "{text}");
            assert!(readable(text, true).is_ok(), "{text} is for development");
        }
        for text in [
            "https://93.184.216.34/x",
            "https://[2606:2800:220:1:248:1893:25c8:1946]/",
            "https://example.com:8443/a?b=c",
        ] {
            assert!(readable(text, false).is_ok(), "{text}");
        }
        for text in [
            "http://example.com/",
            "ftp://example.com/",
            "example.com",
            "https://u:p@example.com/",
            "https://example.com/#a",
            "",
        ] {
            assert!(readable(text, false).is_err(), "{text}");
        }
    }
}
