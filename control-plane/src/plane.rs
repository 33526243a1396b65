//! What every request and every worker of this plane shares, and where a request comes from.

use std::future::{Ready, ready};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest, web};
use souk_access::{ControlGate, Hasher, Permission, SigningKey, Vault};
use souk_api::problem::{FORBIDDEN, INTERNAL};
use souk_api::{Problem, RateLimit};
use souk_kernel::Clock;
use souk_openid::Provider;
use tokio::sync::watch;

use crate::config::Settings;
use crate::members::Role;

/// The network of this machine, and of whoever cannot be told apart.
pub const LOCAL: &str = "local";

/// The plane's parts. Cheap to clone; one is in `app_data`.
#[derive(Clone)]
pub struct Plane(Arc<Parts>);

struct Parts {
    settings: Settings,
    gate: ControlGate,
    signing: SigningKey,
    vault: Vault,
    providers: Vec<Provider>,
    hasher: Hasher,
    clock: Clock,
    work: watch::Sender<u64>,
    progress: watch::Sender<u64>,
    limit: Arc<RateLimit>,
}

impl Plane {
    /// Puts the parts together; `gate` must trust `signing` for accounts. What the keys `former` sealed can still be opened.
    pub fn new(
        settings: Settings,
        gate: ControlGate,
        signing: SigningKey,
        former: &[SigningKey],
        providers: Vec<Provider>,
        hasher: Hasher,
        clock: Clock,
    ) -> Self {
        let (work, progress) = (watch::Sender::new(0), watch::Sender::new(0));
        let limit = Arc::new(limit(&settings));
        let vault = Vault::new(&signing, former);
        Self(Arc::new(Parts {
            settings,
            gate,
            signing,
            vault,
            providers,
            hasher,
            clock,
            work,
            progress,
            limit,
        }))
    }

    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    pub fn gate(&self) -> &ControlGate {
        &self.0.gate
    }

    pub fn hasher(&self) -> &Hasher {
        &self.0.hasher
    }

    /// With whom one can sign in.
    pub fn providers(&self) -> &[Provider] {
        &self.0.providers
    }

    pub fn vault(&self) -> &Vault {
        &self.0.vault
    }

    pub fn signing(&self) -> &SigningKey {
        &self.0.signing
    }

    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// The limit on requests, shared by every HTTP worker of the process.
    pub fn limit(&self) -> &Arc<RateLimit> {
        &self.0.limit
    }

    /// Tells the workers of this process that there is work, so that nobody waits for their next look.
    pub fn wake(&self) {
        self.0.work.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Changes whenever there may be work.
    pub fn work(&self) -> watch::Receiver<u64> {
        self.0.work.subscribe()
    }

    /// Tells whoever watches an operation in this process to look again.
    pub fn progressed(&self) {
        self.0.progress.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Changes whenever an operation made a step in this process.
    pub fn progress(&self) -> watch::Receiver<u64> {
        self.0.progress.subscribe()
    }

    /// Whether a role holds `P`, for an organization that a body names rather than the path.
    pub fn demand<P: Permission>(&self, role: Role) -> Result<(), Problem> {
        let policy = self.0.gate.policy();
        if policy.built_in(role.as_str()).is_some_and(|set| policy.allows(&set, P::KEY)) {
            return Ok(());
        }
        Err(Problem::new(&FORBIDDEN)
            .detail(format!("This needs the permission `{}`; your role is {role}.", P::KEY))
            .hint("Ask an owner of the organization for another role."))
    }
}

impl FromRequest for Plane {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let plane = req.app_data::<web::Data<Self>>().map(|plane| plane.get_ref().clone());
        ready(plane.ok_or_else(|| Problem::new(&INTERNAL).source("the app has no Plane in app_data")))
    }
}

/// By network; on this machine, where one address stands for everybody, by credentials.
fn limit(settings: &Settings) -> RateLimit {
    let proxies = settings.trusted_proxies;
    RateLimit::new("caller", settings.requests_per_minute, Duration::from_secs(60), move |req| {
        let network = network(req.request(), proxies);
        if network != LOCAL {
            return Some(network);
        }
        req.headers().get(header::AUTHORIZATION)?.to_str().ok().map(str::to_owned)
    })
}

/// Where a request comes from, as far as it can be believed. Attempts are counted by it.
#[derive(Clone, Debug)]
pub struct Origin {
    /// An IPv4 address, an IPv6 /64, or `local` for this machine.
    pub network: String,
    /// What the client says it is, cut to 300 characters.
    pub user_agent: String,
    /// How many attempts one network has in a window.
    pub per_network: i32,
}

impl Origin {
    fn of(req: &HttpRequest) -> Result<Self, Problem> {
        let plane = req.app_data::<web::Data<Plane>>();
        let settings = plane.map(|plane| plane.settings());
        let settings =
            settings.ok_or_else(|| Problem::new(&INTERNAL).source("the app has no Plane in app_data"))?;
        let agent =
            req.headers().get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        Ok(Self {
            network: network(req, settings.trusted_proxies),
            user_agent: agent.chars().take(300).collect(),
            per_network: settings.attempts_per_network,
        })
    }
}

impl FromRequest for Origin {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(req))
    }
}

/// A forwarded address is believed only as far from the right as there are proxies of ours.
fn network(req: &HttpRequest, trusted_proxies: usize) -> String {
    let forwarded = || {
        let lines = req.headers().get_all("x-forwarded-for").filter_map(|line| line.to_str().ok());
        let hops: Vec<&str> = lines.flat_map(|line| line.split(',')).map(str::trim).collect();
        hops.len().checked_sub(trusted_proxies).and_then(|at| hops.get(at)?.parse::<IpAddr>().ok())
    };
    let peer = req.peer_addr().map(|address| address.ip());
    let address = if trusted_proxies > 0 { forwarded().or(peer) } else { peer };
    match address {
        None => LOCAL.to_owned(),
        Some(address) if address.is_loopback() => LOCAL.to_owned(),
        Some(IpAddr::V4(address)) => address.to_string(),
        Some(IpAddr::V6(address)) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

#[cfg(test)]
mod rules {
    use actix_web::test::TestRequest;

    use super::network;

    #[test]
    fn a_forwarded_address_is_believed_only_from_our_own_proxies() {
        let peer = "198.51.100.9:1".parse().unwrap();
        let req = || {
            TestRequest::default().peer_addr(peer).insert_header(("x-forwarded-for", "6.6.6.6, 203.0.113.7"))
        };
        assert_eq!(network(&req().to_http_request(), 0), "198.51.100.9");
        assert_eq!(network(&req().to_http_request(), 1), "203.0.113.7");
        assert_eq!(network(&req().to_http_request(), 3), "198.51.100.9");
        let six = TestRequest::default().peer_addr("[2001:db8:1:2:3:4:5:6]:1".parse().unwrap());
        assert_eq!(network(&six.to_http_request(), 0), "2001:db8:1:2::/64");
    }
}
