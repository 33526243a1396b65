//! An HTTP client that connects to addresses of the open internet only.
//!
//! A name is resolved by [`Careful`], which hands the client nothing but addresses it has checked, and it is those that are connected to: a
//! name that answers differently a moment later gains nothing. Redirects are not followed. Addresses in the URL itself never come here:
//! [`crate::readable`] is asked before every request.

use std::net::SocketAddr;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;

use crate::address::is_public;

const CONNECT: Duration = Duration::from_secs(5);

/// The name leads to no address that may be connected to.
#[derive(Debug, thiserror::Error)]
#[error("{0} is no address of the open internet")]
struct Inner(String);

struct Careful;

impl Resolve for Careful {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let name = name.as_str().to_owned();
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let open: Vec<SocketAddr> = found.filter(|address| is_public(address.ip())).collect();
            if open.is_empty() {
                return Err(Inner(name).into());
            }
            Ok(Box::new(open.into_iter()) as Addrs)
        })
    }
}

/// A client that waits so long for a whole answer, from the first byte sent to the last one read: whoever drips bytes gets no longer.
/// `private` allows every address: for development.
///
/// # Errors
/// When the TLS library cannot be set up.
pub fn client(private: bool, whole: Duration) -> Result<reqwest::Client, reqwest::Error> {
    // Another one may have been installed before; any will do.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = reqwest::Client::builder()
        .redirect(Policy::none())
        .no_proxy()
        .connect_timeout(CONNECT)
        .timeout(whole)
        // Between two tellings hours may lie; and an old connection would be one that was checked long ago.
        .pool_max_idle_per_host(0)
        .user_agent(concat!("Souk/", env!("CARGO_PKG_VERSION")));
    if private { builder.build() } else { builder.dns_resolver(Careful).build() }
}
