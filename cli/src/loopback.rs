//! Names below `localhost` are this machine (RFC 6761), also where the system's resolver does not know it.

use reqwest::ClientBuilder;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

/// A client for the platform on this machine: it knows names below `localhost`, and asks no proxy.
pub fn client() -> ClientBuilder {
    // A client of HTTPS is not built without one, also where nothing but HTTP is spoken. Fails only where there is one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().dns_resolver(Arc::new(Loopback))
}

struct Loopback;

impl Resolve for Loopback {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let name = name.as_str();
            let addresses: Vec<SocketAddr> = if is_local(name) {
                vec![(Ipv4Addr::LOCALHOST, 0).into()]
            } else {
                tokio::net::lookup_host((name, 0)).await?.collect()
            };
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

fn is_local(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::is_local;

    #[test]
    fn only_localhost_and_what_is_below_it() {
        assert!(is_local("localhost") && is_local("a.localhost") && is_local("A.Localhost."));
        assert!(!is_local("notlocalhost") && !is_local("localhost.example.com") && !is_local(""));
    }
}
