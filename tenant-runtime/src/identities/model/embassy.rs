//! What a process needs to send people to the providers of stores, and to keep their secrets.

use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;
use souk_access::{LinkSecret, Sealed, SigningKey, TokenError, Vault};
use souk_kernel::StoreId;
use souk_openid::{Client, Flow, Provider, ProviderConfig};
use souk_tenancy::StoreEntry;
use url::Url;

use super::{Audience, ProviderRow};
use crate::identities::error::IdentityError;
use crate::storefront::PublicAddress;

/// Providers whose documents and keys are remembered.
const KNOWN: u64 = 10_000;
const REMEMBERED: Duration = Duration::from_secs(3600);
const ISSUER: &str = "souk:runtime";
/// The page that fetches a ticket, below a store's account pages.
const CUSTOMERS_PAGE: &str = "signed-in";
/// The same for people who work in a store, at the console.
const STAFF_PAGE: &str = "signed-in-to-store";

/// Why there is no embassy.
#[derive(Debug, thiserror::Error)]
pub enum EmbassyError {
    #[error(transparent)]
    Token(#[from] TokenError),
    #[error(transparent)]
    Client(#[from] reqwest::Error),
}

/// Asks providers about people. Cheap to clone; clones share what they remember.
#[derive(Clone)]
pub struct Embassy {
    client: Client,
    /// The keys of stores, and what a sign-in has of its own, derive from it.
    root: Arc<SigningKey>,
    address: PublicAddress,
    console_url: String,
    known: Cache<(StoreId, String, i64), Provider>,
}

impl Embassy {
    /// `secret` is the deployment's: every process opens what another sealed. `private` allows providers on this machine: for development.
    ///
    /// # Errors
    /// When the TLS library cannot be set up.
    pub fn new(
        secret: &[u8],
        address: PublicAddress,
        console_url: &str,
        private: bool,
    ) -> Result<Self, EmbassyError> {
        Ok(Self {
            client: if private { Client::trusting()? } else { Client::wary()? },
            root: Arc::new(SigningKey::derive(ISSUER, secret, "secrets of stores")?),
            address,
            console_url: console_url.trim_end_matches('/').to_owned(),
            known: Cache::builder().max_capacity(KNOWN).time_to_live(REMEMBERED).build(),
        })
    }

    /// The store's envelope key: another store's opens nothing of it.
    fn vault(&self, store: StoreId) -> Result<Vault, TokenError> {
        Vault::of_store(ISSUER, &self.root, store)
    }

    /// Seals the secret of the store's client at a provider.
    pub fn seal(&self, store: StoreId, provider: &str, secret: &str) -> Result<Sealed, IdentityError> {
        Ok(self.vault(store)?.seal(owner(provider).as_bytes(), secret.as_bytes())?)
    }

    /// A store's provider at work. Its document and keys are remembered until its row changes.
    pub fn provider(&self, store: StoreId, row: &ProviderRow) -> Result<Provider, IdentityError> {
        let name = (store, row.id.clone(), row.version);
        if let Some(known) = self.known.get(&name) {
            return Ok(known);
        }
        let secret = match (&row.secret_key, &row.secret) {
            (Some(key), Some(bytes)) => {
                let sealed = Sealed { key: key.clone(), bytes: bytes.clone() };
                let opened = self.vault(store)?.open(owner(&row.id).as_bytes(), &sealed);
                let text = opened.and_then(|bytes| String::from_utf8(bytes).ok());
                Some(text.ok_or(IdentityError::SecretUnreadable)?)
            }
            _ => None,
        };
        let provider = self.unknown(row, secret)?;
        self.known.insert(name, provider.clone());
        Ok(provider)
    }

    /// A provider that is not kept yet: nothing is remembered of it.
    pub fn unknown(&self, row: &ProviderRow, secret: Option<String>) -> Result<Provider, IdentityError> {
        let config = ProviderConfig {
            id: row.id.clone(),
            name: row.name.clone(),
            issuer: row.issuer.clone(),
            client_id: row.client_id.clone(),
            client_secret: secret,
            scopes: row.scopes.clone(),
            require_multi_factor: row.require_multi_factor,
            acr_values: row.acr_values.clone(),
        };
        Ok(Provider::new(config, self.client.clone())?)
    }

    /// What a sign-in at this store has of its own.
    pub fn flow(&self, store: StoreId, state: &LinkSecret) -> Flow {
        let of = [store.uuid().as_bytes().as_slice(), state.expose().as_bytes()].concat();
        Flow::of(state.expose(), |purpose| self.root.secret_for(purpose, &of))
    }

    /// Where a browser is sent to a provider from.
    pub fn sign_in_url(&self, store: &StoreEntry, audience: Audience, provider: &str) -> String {
        format!("{}/{}/v1/sign-in/{provider}", self.address.of(store), audience.side())
    }

    /// Where a provider sends the browser back to. Each has its own: an answer of one is never taken for another's.
    pub fn callback(
        &self,
        store: &StoreEntry,
        audience: Audience,
        provider: &str,
    ) -> Result<Url, IdentityError> {
        Ok(format!("{}/callback", self.sign_in_url(store, audience, provider)).parse()?)
    }

    /// The page that is told of a sign-in: below the account pages that the store named, else below its own address; for staff at the console.
    pub fn page(&self, store: &StoreEntry, audience: Audience, account_url: Option<&str>) -> String {
        match (audience, account_url) {
            (Audience::Staff, _) => format!("{}/{STAFF_PAGE}", self.console_url),
            (Audience::Customers, Some(url)) => format!("{}/{CUSTOMERS_PAGE}", url.trim_end_matches('/')),
            (Audience::Customers, None) => format!("{}/account/{CUSTOMERS_PAGE}", self.address.of(store)),
        }
    }
}

fn owner(provider: &str) -> String {
    format!("client secret at {provider}")
}
