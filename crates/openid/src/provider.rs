//! One provider: where to send people, and what to make of whoever comes back.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use moka::future::Cache;
use oauth2::basic::{
    BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse, BasicTokenType,
};
use oauth2::{
    AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, ExtraTokenFields, HttpRequest,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RequestTokenError, Scope, StandardRevocableToken,
    StandardTokenResponse, TokenResponse as _, TokenUrl,
};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::claims::{self, About, Claims, Expected, Refused};
use crate::fetch::{self, FetchError, get, send};
use crate::flow::Flow;
use crate::keys::Keys;
use crate::metadata::{Metadata, location};

const KEPT: Duration = Duration::from_secs(3600);

/// A provider as it is configured.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderConfig {
    /// In our addresses: `google`. 1 to 40 of a–z, 0–9 and hyphen.
    pub id: String,
    /// On the button: `Google`.
    pub name: String,
    /// Exactly as the provider writes it.
    pub issuer: String,
    pub client_id: String,
    /// Left out for a public client: PKCE alone protects the code then.
    #[serde(default)]
    pub client_secret: Option<String>,
    #[serde(default = "usual_scopes")]
    pub scopes: Vec<String>,
    /// Nobody is believed whom it did not ask for a second factor: `amr` must hold `mfa` (RFC 8176), or `acr` be one of `acr_values`.
    #[serde(default)]
    pub require_multi_factor: bool,
    /// Levels that it is asked for, the best first, in its own words.
    #[serde(default)]
    pub acr_values: Vec<String>,
}

fn usual_scopes() -> Vec<String> {
    ["openid", "email", "profile"].map(str::to_owned).to_vec()
}

impl fmt::Debug for ProviderConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProviderConfig")
            .field("id", &self.id)
            .field("issuer", &self.issuer)
            .finish_non_exhaustive()
    }
}

/// Why a provider cannot be configured so.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("`{0}` is no id of a provider: 1 to 40 of a-z, 0-9 and hyphen")]
    Id(String),
    #[error("{0}: the issuer must be an https address that may be asked, without query and fragment")]
    Issuer(String),
    #[error("{0}: `openid` must be among the scopes")]
    Scopes(String),
    #[error("{0}: the client's id must be given")]
    Client(String),
}

/// Why nobody was signed in.
#[derive(Debug, thiserror::Error)]
pub enum OpenIdError {
    #[error("the document is of another issuer: {0}")]
    Issuer(String),
    #[error("the provider cannot do PKCE with S256")]
    NoPkce,
    #[error("the answer came from another issuer than was asked")]
    MixedUp,
    #[error("the provider refused the code: {0}")]
    Exchange(String),
    #[error("the provider shows no key that signs")]
    NoKeys,
    #[error("the provider gave no ID token")]
    NoIdToken,
    #[error("the userinfo is about somebody else")]
    Userinfo,
    #[error("the provider does not say that it asked for a second factor")]
    SingleFactor,
    #[error("the provider's address cannot be used: {0}")]
    Url(#[from] url::ParseError),
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error("the provider does not answer as it should: {0}")]
    Fetch(#[from] FetchError),
    #[error("the provider does not answer as it should: {0}")]
    Shared(#[from] Arc<FetchError>),
    #[error(transparent)]
    Metadata(#[from] Arc<OpenIdError>),
}

impl OpenIdError {
    /// Whether trying again later may help: the provider is away, rather than wrong.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Fetch(error) => matches!(error, FetchError::Http(_) | FetchError::Status(_, 500..)),
            Self::Shared(error) => matches!(**error, FetchError::Http(_) | FetchError::Status(_, 500..)),
            Self::Metadata(error) => error.is_transient(),
            _ => false,
        }
    }

    /// What the page that a browser comes back to is told: `second_factor`, `away` or `refused`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::SingleFactor => "second_factor",
            error if error.is_transient() => "away",
            _ => "refused",
        }
    }
}

/// Whom a provider vouches for. `issuer` and `subject` together name one person for ever; nothing else does.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Person {
    pub issuer: String,
    pub subject: String,
    /// As the provider has it; worth something only with `email_verified`.
    pub email: Option<String>,
    pub email_verified: bool,
    pub name: Option<String>,
    /// When they last showed the provider who they are, if it says so.
    pub authenticated_at: Option<DateTime<Utc>>,
}

impl Person {
    /// The address, if the provider has verified it. It decides nothing about who somebody is.
    pub fn verified_email(&self) -> Option<&str> {
        self.email.as_deref().filter(|_| self.email_verified)
    }

    /// The address as it may be shown beside an identity: of a sane length.
    pub fn shown_email(&self) -> Option<String> {
        self.email.clone().filter(|email| email.len() <= 320 && !email.contains('\0'))
    }
}

#[derive(Clone, Debug, Deserialize, Serialize)]
struct IdToken {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id_token: Option<String>,
}

impl ExtraTokenFields for IdToken {}

type Tokens = StandardTokenResponse<IdToken, BasicTokenType>;
type Client = oauth2::Client<
    BasicErrorResponse,
    Tokens,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
>;

/// A provider at work: remembers its document and its keys for an hour. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Provider(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    config: ProviderConfig,
    issuer: Url,
    client: fetch::Client,
    metadata: Cache<(), Arc<Metadata>>,
    keys: Keys,
}

impl Provider {
    /// A provider; nothing is asked of it yet.
    ///
    /// # Errors
    /// When it cannot be configured so.
    pub fn new(config: ProviderConfig, client: fetch::Client) -> Result<Self, ConfigError> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let id = config.id.clone();
        if id.is_empty() || id.len() > 40 || !id.chars().all(plain) {
            return Err(ConfigError::Id(id));
        }
        let issuer = Url::parse(&config.issuer).ok().filter(|url| {
            url.query().is_none() && url.fragment().is_none() && client.sound(url.clone()).is_ok()
        });
        let issuer = issuer.ok_or_else(|| ConfigError::Issuer(id.clone()))?;
        if !config.scopes.iter().any(|scope| scope == "openid") {
            return Err(ConfigError::Scopes(id));
        }
        if config.client_id.is_empty() {
            return Err(ConfigError::Client(id));
        }
        let metadata = Cache::builder().max_capacity(1).time_to_live(KEPT).build();
        Ok(Self(Arc::new(Inner { config, issuer, client, metadata, keys: Keys::new() })))
    }

    /// In our addresses.
    pub fn id(&self) -> &str {
        &self.0.config.id
    }

    /// On the button.
    pub fn name(&self) -> &str {
        &self.0.config.name
    }

    async fn metadata(&self) -> Result<Arc<Metadata>, OpenIdError> {
        let inner = &self.0;
        let ask = async {
            let document: Metadata =
                get(&inner.client, &location(&inner.client, &inner.issuer)?, None).await?;
            Ok::<_, OpenIdError>(Arc::new(document.checked(&inner.client, &inner.config.issuer)?))
        };
        Ok(inner.metadata.try_get_with((), ask).await?)
    }

    /// Asks for the document and the keys, if they are not remembered: whether there is a provider that can be believed.
    ///
    /// # Errors
    /// When there is none.
    pub async fn check(&self) -> Result<(), OpenIdError> {
        let metadata = self.metadata().await?;
        let signs = self.0.keys.any(&self.0.client, &metadata.jwks_uri).await?;
        if signs { Ok(()) } else { Err(OpenIdError::NoKeys) }
    }

    /// The address to send the browser to. With `fresh` the person must show who they are, signed in there or not.
    ///
    /// # Errors
    /// When the provider is away, or its document cannot be believed.
    pub async fn begin(&self, back: &Url, flow: &Flow, fresh: bool) -> Result<Url, OpenIdError> {
        let metadata = self.metadata().await?;
        let verifier = PkceCodeVerifier::new(flow.verifier.clone());
        let client = Client::new(ClientId::new(self.0.config.client_id.clone()))
            .set_auth_uri(AuthUrl::new(metadata.authorization_endpoint.to_string())?)
            .set_redirect_uri(RedirectUrl::new(back.to_string())?);
        let mut request = client
            .authorize_url(|| CsrfToken::new(flow.state.clone()))
            .add_scopes(self.0.config.scopes.iter().cloned().map(Scope::new))
            .add_extra_param("nonce", flow.nonce.clone())
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier));
        if fresh {
            request = request.add_extra_param("prompt", "login");
        }
        if !self.0.config.acr_values.is_empty() {
            request = request.add_extra_param("acr_values", self.0.config.acr_values.join(" "));
        }
        Ok(request.url().0)
    }

    /// Exchanges the code that came back and judges what it brought. `back` is the address it came to, `issuer` what the answer says of
    /// itself (RFC 9207).
    ///
    /// # Errors
    /// Always the same to the person; the reason is for the log.
    pub async fn finish(
        &self,
        back: &Url,
        flow: &Flow,
        code: String,
        issuer: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Person, OpenIdError> {
        let metadata = self.metadata().await?;
        match issuer {
            Some(issuer) if issuer != self.0.config.issuer => return Err(OpenIdError::MixedUp),
            None if metadata.authorization_response_iss_parameter_supported => {
                return Err(OpenIdError::MixedUp);
            }
            _ => {}
        }
        let tokens = self.exchange(&metadata, back, flow, code).await?;
        let token = tokens.extra_fields().id_token.as_deref().ok_or(OpenIdError::NoIdToken)?;
        let claims = self.judge(&metadata, token, flow, now).await?;
        if self.0.config.require_multi_factor && !claims.is_multi_factor(&self.0.config.acr_values) {
            return Err(OpenIdError::SingleFactor);
        }
        let about = match &metadata.userinfo_endpoint {
            Some(url) if claims.about.email.is_none() => {
                self.ask_about(url, &claims, tokens.access_token().secret()).await?
            }
            _ => claims.about,
        };
        Ok(Person {
            issuer: self.0.config.issuer.clone(),
            subject: claims.sub,
            email: about.email,
            email_verified: about.email_verified,
            name: about.name,
            authenticated_at: claims.auth_time.and_then(|at| DateTime::from_timestamp(at, 0)),
        })
    }

    async fn exchange(
        &self,
        metadata: &Metadata,
        back: &Url,
        flow: &Flow,
        code: String,
    ) -> Result<Tokens, OpenIdError> {
        let mut client = Client::new(ClientId::new(self.0.config.client_id.clone()))
            .set_auth_type(metadata.auth_type())
            .set_redirect_uri(RedirectUrl::new(back.to_string())?)
            .set_token_uri(TokenUrl::new(metadata.token_endpoint.to_string())?);
        if let Some(secret) = &self.0.config.client_secret {
            client = client.set_client_secret(ClientSecret::new(secret.clone()));
        }
        let ask = |request: HttpRequest| send(self.0.client.clone(), request);
        let request = client
            .exchange_code(AuthorizationCode::new(code))
            .set_pkce_verifier(PkceCodeVerifier::new(flow.verifier.clone()));
        request.request_async(&ask).await.map_err(|error| match error {
            RequestTokenError::ServerResponse(told) => OpenIdError::Exchange(told.to_string()),
            RequestTokenError::Request(error) => OpenIdError::Fetch(error),
            RequestTokenError::Parse(error, _) => OpenIdError::Exchange(error.to_string()),
            RequestTokenError::Other(error) => OpenIdError::Exchange(error),
        })
    }

    async fn judge(
        &self,
        metadata: &Metadata,
        token: &str,
        flow: &Flow,
        now: DateTime<Utc>,
    ) -> Result<Claims, OpenIdError> {
        let header = claims::header(token)?;
        let (client, kid) = (&self.0.client, header.kid.as_deref());
        let key = self.0.keys.find(client, &metadata.jwks_uri, kid, header.alg).await?;
        let config = &self.0.config;
        let expected =
            Expected { issuer: &config.issuer, client_id: &config.client_id, nonce: &flow.nonce, now };
        Ok(claims::judge(token, &key.ok_or(Refused::Key)?, header.alg, expected)?)
    }

    async fn ask_about(&self, url: &Url, claims: &Claims, bearer: &str) -> Result<About, OpenIdError> {
        #[derive(Deserialize)]
        struct Userinfo {
            sub: String,
            #[serde(flatten)]
            about: About,
        }
        let told: Userinfo = get(&self.0.client, url, Some(bearer)).await?;
        if told.sub == claims.sub { Ok(told.about) } else { Err(OpenIdError::Userinfo) }
    }
}
