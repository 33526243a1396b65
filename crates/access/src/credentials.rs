//! What a request shows to say who is calling: a bearer token, a secret key, a publishable key, or nothing.

use std::fmt;

use actix_web::HttpRequest;
use actix_web::http::header;
use sha2::{Digest as _, Sha256};
use souk_api::Problem;

use crate::api_key::{ApiKey, KeyKind, appears_in};
use crate::error::{CREDENTIALS_AMBIGUOUS, CREDENTIALS_IN_URL, unbelieved};

/// Where a storefront's publishable key may stand beside a customer's token.
const PUBLISHABLE_HEADER: &str = "x-souk-publishable-key";
/// Secrets that prove possession of one cart or one order.
const POSSESSIONS: [&str; 2] = ["x-cart-secret", "x-order-secret"];

/// The credentials of one request, syntactically sound and not yet believed.
#[derive(Default)]
pub(crate) struct Credentials {
    /// A JWT.
    pub(crate) token: Option<String>,
    /// Any key: the only credential, or a publishable one beside a token.
    pub(crate) key: Option<ApiKey>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("token", &self.token.is_some()).field("key", &self.key).finish()
    }
}

impl Credentials {
    /// Reads the headers. A malformed credential is 401, never "anonymous": a caller who meant to sign in must learn that it
    /// did not work.
    pub(crate) fn of(req: &HttpRequest) -> Result<Self, Problem> {
        none_in_url(req)?;
        let bearer = only(req, header::AUTHORIZATION.as_str())?;
        let storefront = only(req, PUBLISHABLE_HEADER)?;
        let mut credentials = Self::default();
        if let Some(bearer) = bearer {
            let (scheme, value) = bearer.split_once(' ').unwrap_or((bearer, ""));
            let value = value.trim();
            if !scheme.eq_ignore_ascii_case("bearer") || value.is_empty() {
                return Err(unbelieved("the Authorization header is not `Bearer …`"));
            }
            if value.starts_with("sk_") || value.starts_with("pk_") {
                credentials.key =
                    Some(ApiKey::parse(value).ok_or_else(|| unbelieved("the key is malformed"))?);
            } else {
                credentials.token = Some(value.to_owned());
            }
        }
        if let Some(storefront) = storefront {
            let key = ApiKey::parse(storefront).filter(|key| key.kind() == KeyKind::Publishable);
            let key = key.ok_or_else(|| unbelieved("the publishable key is malformed"))?;
            if credentials.key.is_some() {
                return Err(Problem::new(&CREDENTIALS_AMBIGUOUS));
            }
            credentials.key = Some(key);
        }
        Ok(credentials)
    }
}

/// Refuses an address that carries a credential.
pub(crate) fn none_in_url(req: &HttpRequest) -> Result<(), Problem> {
    if appears_in(req.uri().path_and_query().map_or("", |target| target.as_str())) {
        return Err(Problem::new(&CREDENTIALS_IN_URL));
    }
    Ok(())
}

/// The one value of a header, if any; two are ambiguous.
fn only<'r>(req: &'r HttpRequest, name: &str) -> Result<Option<&'r str>, Problem> {
    let mut values = req.headers().get_all(name);
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Problem::new(&CREDENTIALS_AMBIGUOUS));
    }
    value.to_str().map(Some).map_err(|_| unbelieved(format!("the header {name} is not text")))
}

/// A short digest of the cart or order secrets a request shows; empty without any. It tells anonymous callers apart, so that one
/// guest's idempotency key never answers another.
pub(crate) fn possession(req: &HttpRequest) -> String {
    let shown = POSSESSIONS.iter().filter_map(|name| req.headers().get(*name).map(|value| (name, value)));
    let mut digest = None::<Sha256>;
    for (name, value) in shown {
        let digest = digest.get_or_insert_default();
        digest.update(name.as_bytes());
        digest.update([0]);
        digest.update(value.as_bytes());
        digest.update([0]);
    }
    let Some(digest) = digest else { return String::new() };
    digest.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api_key::KeyMode;
    use actix_web::test::TestRequest;

    fn of(headers: &[(&str, &str)], uri: &str) -> Result<Credentials, &'static str> {
        let mut request = TestRequest::with_uri(uri);
        for (name, value) in headers {
            request = request.append_header((*name, *value));
        }
        Credentials::of(&request.to_http_request()).map_err(|problem| problem.code())
    }

    #[test]
    fn each_form_is_read() {
        let secret = ApiKey::mint(KeyKind::Secret, KeyMode::Test).unwrap();
        let public = ApiKey::mint(KeyKind::Publishable, KeyMode::Test).unwrap();
        let none = of(&[], "/store/v1/products?limit=2").unwrap();
        assert!(none.token.is_none() && none.key.is_none());
        let token =
            of(&[("authorization", "bearer a.b.c"), ("x-souk-publishable-key", public.expose())], "/")
                .unwrap();
        assert_eq!((token.token.as_deref(), token.key), (Some("a.b.c"), Some(public.clone())));
        for key in [&secret, &public] {
            let bearer = format!("Bearer {}", key.expose());
            let read = of(&[("authorization", &bearer)], "/").unwrap();
            assert_eq!((read.token, read.key.as_ref()), (None, Some(key)));
            assert!(!format!("{:?}", of(&[("authorization", &bearer)], "/")).contains(key.expose()));
        }
    }

    #[test]
    fn what_is_meant_but_malformed_is_not_anonymous() {
        let secret = ApiKey::mint(KeyKind::Secret, KeyMode::Test).unwrap();
        let public = ApiKey::mint(KeyKind::Publishable, KeyMode::Test).unwrap();
        for value in
            ["", "Bearer", "Bearer ", "Basic dTpw", "a.b.c", "Bearer sk_live_short", "Bearer pk_nothing"]
        {
            assert_eq!(of(&[("authorization", value)], "/").err(), Some("unauthenticated"), "{value}");
        }
        assert_eq!(of(&[("x-souk-publishable-key", secret.expose())], "/").err(), Some("unauthenticated"));
        let bearer = format!("Bearer {}", secret.expose());
        let both = [("authorization", bearer.as_str()), ("x-souk-publishable-key", public.expose())];
        assert_eq!(of(&both, "/").err(), Some("credentials_ambiguous"));
        let twice = [("authorization", bearer.as_str()), ("authorization", bearer.as_str())];
        assert_eq!(of(&twice, "/").err(), Some("credentials_ambiguous"));
        for uri in [
            format!("/x?key={}", secret.expose()),
            format!("/x/{}", public.expose()),
            "/x?access_token=a.b.c".into(),
        ] {
            assert_eq!(of(&[], &uri).err(), Some("credentials_in_url"), "{uri}");
        }
    }

    #[test]
    fn possession_tells_guests_apart() {
        let shows = |name: &'static str, value: &'static str| {
            possession(&TestRequest::default().append_header((name, value)).to_http_request())
        };
        assert_eq!(possession(&TestRequest::default().to_http_request()), "");
        assert_eq!(shows("x-cart-secret", "one").len(), 32);
        assert_ne!(shows("x-cart-secret", "one"), shows("x-cart-secret", "two"));
        assert_ne!(shows("x-cart-secret", "one"), shows("x-order-secret", "one"));
    }
}
