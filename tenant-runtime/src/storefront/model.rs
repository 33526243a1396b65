//! Addresses of pages, and who may call from where.

use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Nullable, Text as SqlText};
use serde::{Deserialize, Serialize};
use souk_kernel::Text;
use souk_tenancy::StoreEntry;
use utoipa::ToSchema;

use super::error::StorefrontError;

/// How stores are reached from outside: `https` and no port, or `http` and 8081 at home.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicAddress {
    pub scheme: String,
    pub port: Option<u16>,
}

impl PublicAddress {
    /// How stores below a platform domain (`souk.example`, `localhost:8081`) are reached: by `https`, but at home by `http`.
    pub fn below(domain: &str) -> Self {
        let (host, port) = match domain.rsplit_once(':') {
            Some((host, port)) => (host, port.parse().ok()),
            None => (domain, None),
        };
        let at_home = host == "localhost" || host.ends_with(".localhost");
        Self { scheme: if at_home { "http" } else { "https" }.to_owned(), port }
    }

    /// The address of a store's first host, without a slash at the end. The Host header of a request has no say in it.
    pub fn of(&self, store: &StoreEntry) -> String {
        self.of_host(store.hosts.first().map(String::as_str))
    }

    /// The address of a host, or of this machine.
    pub fn of_host(&self, host: Option<&str>) -> String {
        let host = host.unwrap_or("localhost");
        match self.port {
            Some(port) => format!("{}://{host}:{port}", self.scheme),
            None => format!("{}://{host}", self.scheme),
        }
    }
}

/// The one row.
#[derive(Clone, Debug, QueryableByName)]
pub struct Storefront {
    #[diesel(sql_type = Nullable<SqlText>)]
    pub account_url: Option<String>,
    #[diesel(sql_type = Array<SqlText>)]
    pub allowed_origins: Vec<String>,
    #[diesel(sql_type = BigInt)]
    pub version: i64,
}

/// Where the store's pages live.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct StorefrontView {
    /// Mails to customers link below it (`/verify-email`, `/reset-password`, `/confirm-email`); null: below the store's own address.
    #[schema(example = "https://shop.example/account")]
    pub account_url: Option<String>,
    /// Pages of these origins may call the store from a browser. Empty: any may use the shopper's API, none the staff's.
    #[schema(example = json!(["https://shop.example"]))]
    pub allowed_origins: Vec<String>,
}

impl From<Storefront> for StorefrontView {
    fn from(row: Storefront) -> Self {
        Self { account_url: row.account_url, allowed_origins: row.allowed_origins }
    }
}

/// Where the store's pages live, to be kept.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutStorefront {
    #[schema(example = "https://shop.example/account")]
    pub account_url: Option<Text<255>>,
    #[serde(default)]
    #[schema(max_items = 20, example = json!(["https://shop.example"]))]
    pub allowed_origins: Vec<Text<255>>,
}

impl PutStorefront {
    /// What the types cannot say.
    ///
    /// # Errors
    /// The first part that is wrong.
    pub fn check(&self) -> Result<(), StorefrontError> {
        let sound = |text: &str| {
            url::Url::parse(text).is_ok_and(|url| {
                let at_home =
                    url.host_str().is_some_and(|host| host == "localhost" || host.ends_with(".localhost"));
                let scheme = url.scheme() == "https" || (url.scheme() == "http" && at_home);
                scheme
                    && url.username().is_empty()
                    && url.password().is_none()
                    && url.query().is_none()
                    && url.fragment().is_none()
            })
        };
        if self.account_url.as_ref().is_some_and(|url| !sound(url.as_str())) {
            return Err(StorefrontError::Field(
                "/account_url",
                "must be an https address without query or fragment",
            ));
        }
        if self.allowed_origins.len() > 20 {
            return Err(StorefrontError::Field("/allowed_origins", "must be at most 20"));
        }
        if self.allowed_origins.iter().any(|origin| !souk_access::is_origin(origin.as_str())) {
            return Err(StorefrontError::Field(
                "/allowed_origins",
                "must be like https://shop.example, without a path",
            ));
        }
        Ok(())
    }
}

/// Which pages may call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins(pub Vec<String>);

impl Origins {
    /// What `Access-Control-Allow-Origin` says to a page of `origin` that calls `path`; `None`: nothing, and the browser refuses.
    ///
    /// No route of a store takes ambient credentials, so `*` gives nothing away: whoever calls must already hold the token or secret.
    pub fn answer<'a>(&self, path: &str, origin: &'a str) -> Option<&'a str> {
        if self.0.iter().any(|own| own == origin) {
            return Some(origin);
        }
        (self.0.is_empty() && !path.starts_with("/admin/")).then_some("*")
    }
}

#[cfg(test)]
mod rules {
    use super::*;

    #[test]
    fn stores_are_reached_as_their_platform_is() {
        let address = |domain: &str| {
            let address = PublicAddress::below(domain);
            (address.scheme, address.port)
        };
        assert_eq!(address("souk.example"), ("https".to_owned(), None));
        assert_eq!(address("souk.example:8443"), ("https".to_owned(), Some(8443)));
        assert_eq!(address("localhost:8081"), ("http".to_owned(), Some(8081)));
        assert_eq!(address("demo.localhost"), ("http".to_owned(), None));
    }

    #[test]
    fn only_named_pages_call_the_staff_api() {
        let (any, some) = (Origins::default(), Origins(vec!["https://shop.example".into()]));
        assert_eq!(any.answer("/store/v1/products", "https://a.example"), Some("*"));
        assert_eq!(any.answer("/admin/v1/orders", "https://a.example"), None);
        assert_eq!(some.answer("/admin/v1/orders", "https://shop.example"), Some("https://shop.example"));
        for evil in ["null", "https://shop.example.evil", "http://shop.example", "https://shop.example:444"] {
            assert_eq!(some.answer("/store/v1/products", evil), None, "{evil}");
        }
    }

    #[test]
    fn links_lead_to_sound_addresses() {
        let put = |url: &str| PutStorefront {
            account_url: Some(Text::parse(url).unwrap()),
            allowed_origins: Vec::new(),
        };
        assert!(
            put("https://shop.example/account").check().is_ok()
                && put("http://localhost:3000").check().is_ok()
        );
        for bad in [
            "http://shop.example",
            "javascript:alert(1)",
            "https://u:p@shop.example",
            "https://shop.example/?a=1",
            "shop",
        ] {
            assert!(put(bad).check().is_err(), "{bad}");
        }
    }
}
