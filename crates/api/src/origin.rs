//! Where a request comes from, as far as it can be believed.

use std::net::IpAddr;

use actix_web::HttpRequest;
use actix_web::http::header;

/// The network of this machine, and of whoever cannot be told apart.
pub const LOCAL: &str = "local";

/// An IPv4 address, an IPv6 /64, or [`LOCAL`]: what attempts are counted by.
#[must_use]
pub fn network_of(req: &HttpRequest, trusted_proxies: usize) -> String {
    match address_of(req, trusted_proxies) {
        None => LOCAL.to_owned(),
        Some(address) if address.is_loopback() => LOCAL.to_owned(),
        Some(IpAddr::V4(address)) => address.to_string(),
        Some(IpAddr::V6(address)) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

/// The caller's address. A forwarded one is believed only as far from the right as there are proxies of ours.
#[must_use]
pub fn address_of(req: &HttpRequest, trusted_proxies: usize) -> Option<IpAddr> {
    let forwarded = || {
        let lines = req.headers().get_all("x-forwarded-for").filter_map(|line| line.to_str().ok());
        let hops: Vec<&str> = lines.flat_map(|line| line.split(',')).map(str::trim).collect();
        hops.len().checked_sub(trusted_proxies).and_then(|at| hops.get(at)?.parse::<IpAddr>().ok())
    };
    let peer = req.peer_addr().map(|address| address.ip());
    if trusted_proxies > 0 { forwarded().or(peer) } else { peer }
}

/// What the client says it is, cut to 300 characters.
#[must_use]
pub fn user_agent_of(req: &HttpRequest) -> String {
    let agent = req.headers().get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    agent.unwrap_or_default().chars().take(300).collect()
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn a_forwarded_address_is_believed_only_from_our_own_proxies() {
        let peer = "198.51.100.9:1".parse().unwrap();
        let req = || {
            TestRequest::default().peer_addr(peer).insert_header(("x-forwarded-for", "6.6.6.6, 203.0.113.7"))
        };
        assert_eq!(network_of(&req().to_http_request(), 0), "198.51.100.9");
        assert_eq!(network_of(&req().to_http_request(), 1), "203.0.113.7");
        assert_eq!(network_of(&req().to_http_request(), 3), "198.51.100.9");
        let six = TestRequest::default().peer_addr("[2001:db8:1:2:3:4:5:6]:1".parse().unwrap());
        assert_eq!(network_of(&six.to_http_request(), 0), "2001:db8:1:2::/64");
        assert_eq!(network_of(&TestRequest::default().to_http_request(), 0), LOCAL);
    }
}
