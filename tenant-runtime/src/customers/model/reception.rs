//! What every request about accounts shares, and where it comes from.

use std::fmt;
use std::future::{Ready, ready};
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Deserialize;
use sha2::Sha256;
use souk_access::{
    Actor, Hasher, HasherError, LinkSecret, Permit, SigningKey, TokenError, TokenKind, Vault, Verifier,
};
use souk_api::problem::{INTERNAL, UNAUTHENTICATED};
use souk_api::{Problem, network_of, user_agent_of};
use souk_kernel::{CartId, CustomerId, SessionId};
use utoipa::ToSchema;

/// Who signs the tokens that a store gives.
const ISSUER: &str = "souk:runtime";
/// Password hashes at once, and callers waiting for them: a flood of sign-ins must leave a core to the checkout.
const HASHES: usize = 1;
const QUEUE: usize = 32;

/// Why there is no reception.
#[derive(Debug, thiserror::Error)]
pub enum ReceptionError {
    #[error(transparent)]
    Hasher(#[from] HasherError),
    #[error(transparent)]
    Token(#[from] TokenError),
}

/// Hashes passwords and signs tokens. Cheap to clone; clones share the bound on hashing.
#[derive(Clone)]
pub struct Reception {
    pub hasher: Hasher,
    pub signing: Arc<SigningKey>,
    /// Makes the secrets of carts that belong to customers.
    carts: Hmac<Sha256>,
    /// Proxies of ours before this process: so far a forwarded address is believed.
    pub trusted_proxies: usize,
    /// Attempts one network has in ten minutes.
    pub attempts_per_network: i32,
}

impl Reception {
    /// `secret` is the deployment's: every process signs with the same key, and believes it.
    ///
    /// # Errors
    /// The operating system gave no random bytes.
    pub fn new(
        secret: &[u8],
        trusted_proxies: usize,
        attempts_per_network: i32,
    ) -> Result<Self, ReceptionError> {
        Ok(Self {
            hasher: Hasher::new(HASHES, QUEUE)?,
            carts: Hmac::new_from_slice(&[b"souk carts of customers\0", secret].concat())
                .map_err(|_| TokenError::Key)?,
            signing: Arc::new(SigningKey::derive(ISSUER, secret, "tokens of customers")?),
            trusted_proxies,
            attempts_per_network,
        })
    }

    /// The secret that opens a customer's cart from each of their devices: always the same one. None never happens.
    pub fn cart_secret(&self, cart: CartId, customer: CustomerId) -> Option<LinkSecret> {
        let mut mac = self.carts.clone();
        mac.update(cart.uuid().as_bytes());
        mac.update(customer.uuid().as_bytes());
        LinkSecret::parse(&URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
    }

    /// Seals what stores must read again; every process of the deployment opens it.
    pub fn vault(&self) -> Vault {
        Vault::new(&self.signing, &[])
    }

    /// A verifier that believes the tokens signed here: about customers, about staff who signed in here, about apps.
    ///
    /// # Errors
    /// None that a derived key could cause.
    pub fn trusted_by(&self, verifier: Verifier) -> Result<Verifier, TokenError> {
        verifier.trust(
            self.signing.issuer(),
            self.signing.public_pem(),
            &[TokenKind::Customer, TokenKind::Colleague, TokenKind::App],
        )
    }

    fn of(req: &HttpRequest) -> Result<&Self, Problem> {
        let data = req.app_data::<web::Data<Self>>().map(|data| data.get_ref());
        data.ok_or_else(|| Problem::new(&INTERNAL).source("the app has no Reception in app_data"))
    }
}

impl FromRequest for Reception {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(req).cloned())
    }
}

/// Where a request comes from, as far as it can be believed. Attempts are counted by it.
#[derive(Clone, Debug)]
pub struct Origin {
    /// An IPv4 address, an IPv6 /64, or `local` for this machine.
    pub network: String,
    /// What the client says it is.
    pub user_agent: String,
    /// How many attempts one network has in a window.
    pub per_network: i32,
}

impl FromRequest for Origin {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Reception::of(req).map(|reception| Self {
            network: network_of(req, reception.trusted_proxies),
            user_agent: user_agent_of(req),
            per_network: reception.attempts_per_network,
        }))
    }
}

/// The customer a permit speaks for.
///
/// # Errors
/// 401 for everybody else.
pub fn customer_of<P>(permit: &Permit<P>) -> Result<CustomerId, Problem> {
    let customer = permit.actor().customer();
    customer.ok_or_else(|| Problem::new(&UNAUTHENTICATED).detail("This is for signed-in customers."))
}

/// The session of a customer's request.
pub fn session_of<P>(permit: &Permit<P>) -> Option<SessionId> {
    match permit.actor() {
        Actor::Customer { session, .. } => *session,
        _ => None,
    }
}

/// A secret as somebody typed it: a password, or the token of a mailed link. What it must be is decided where it is used; here it is
/// only kept from logs: `Debug` says nothing.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, format = "password", example = "correct horse battery staple")]
pub struct Typed(String);

impl Typed {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Typed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Typed(…)")
    }
}
