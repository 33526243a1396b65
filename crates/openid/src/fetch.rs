//! Asking a provider: short answers, soon, from where we asked.

use std::time::Duration;

use oauth2::{HttpRequest, HttpResponse};
use reqwest::redirect::Policy;
use serde::de::DeserializeOwned;
use url::{Host, Url};

/// From the first byte sent to the last one read.
const WHOLE: Duration = Duration::from_secs(10);
const LONGEST: usize = 512 * 1024;

/// Why a provider's answer was not read.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    #[error(transparent)]
    Http(#[from] reqwest::Error),
    #[error("the answer is longer than {LONGEST} bytes")]
    TooLong,
    #[error("{0} was answered with {1}")]
    Status(Url, u16),
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    #[error(transparent)]
    Malformed(#[from] http::Error),
    #[error("{0} is no address to be asked")]
    Plain(Url),
}

/// How providers are asked, and where they may be: no redirects, no proxies, ten seconds. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Client {
    pub(crate) http: reqwest::Client,
    wary: bool,
}

impl Client {
    /// For providers that whoever runs this process named: HTTPS wherever they are, plain HTTP on this machine.
    ///
    /// # Errors
    /// When the TLS library cannot be set up.
    pub fn trusting() -> Result<Self, reqwest::Error> {
        // Another one may have been installed before; any will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .timeout(WHOLE)
            .user_agent(concat!("Souk/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { http, wary: false })
    }

    /// For providers that somebody else named: HTTPS on the open internet, and nowhere this process alone could reach.
    ///
    /// # Errors
    /// When the TLS library cannot be set up.
    pub fn wary() -> Result<Self, reqwest::Error> {
        Ok(Self { http: souk_outbound::client(false, WHOLE)?, wary: true })
    }

    /// Whether an address may be asked. Plain HTTP is for a provider on this machine: what is sent over it can be read and changed.
    pub(crate) fn sound(&self, url: Url) -> Result<Url, FetchError> {
        let local = match url.host() {
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        let good = if self.wary {
            souk_outbound::readable(url.as_str(), false).is_ok()
        } else {
            url.scheme() == "https" || (url.scheme() == "http" && local)
        };
        if good { Ok(url) } else { Err(FetchError::Plain(url)) }
    }
}

/// One request of the `oauth2` crate.
pub(crate) async fn send(client: Client, request: HttpRequest) -> Result<HttpResponse, FetchError> {
    let mut response = client.http.execute(request.try_into()?).await?;
    let (status, headers) = (response.status(), response.headers().clone());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > LONGEST {
            return Err(FetchError::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    let mut answer = http::Response::new(body);
    (*answer.status_mut(), *answer.headers_mut()) = (status, headers);
    Ok(answer)
}

/// A JSON document.
pub(crate) async fn get<T: DeserializeOwned>(
    client: &Client,
    url: &Url,
    bearer: Option<&str>,
) -> Result<T, FetchError> {
    let mut request = http::Request::get(url.as_str()).header("accept", "application/json");
    if let Some(token) = bearer {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let answer = send(client.clone(), request.body(Vec::new())?).await?;
    if !answer.status().is_success() {
        return Err(FetchError::Status(url.clone(), answer.status().as_u16()));
    }
    Ok(serde_json::from_slice(answer.body())?)
}
