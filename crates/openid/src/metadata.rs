//! What a provider says of itself (OpenID Connect Discovery 1.0).

use oauth2::AuthType;
use serde::Deserialize;
use url::Url;

use crate::fetch::{Client, FetchError};
use crate::provider::OpenIdError;

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Metadata {
    pub issuer: String,
    pub authorization_endpoint: Url,
    pub token_endpoint: Url,
    pub jwks_uri: Url,
    #[serde(default)]
    pub userinfo_endpoint: Option<Url>,
    /// RFC 9207: the answer names its issuer.
    #[serde(default)]
    pub authorization_response_iss_parameter_supported: bool,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    code_challenge_methods_supported: Option<Vec<String>>,
}

/// Where the document is: the issuer's path comes first (Discovery 1.0 §4).
pub(crate) fn location(client: &Client, issuer: &Url) -> Result<Url, FetchError> {
    let mut url = client.sound(issuer.clone())?;
    let path = format!("{}/.well-known/openid-configuration", url.path().trim_end_matches('/'));
    url.set_path(&path);
    Ok(url)
}

impl Metadata {
    /// Refuses a document that speaks for somebody else, leads where the client may not go, or cannot do S256.
    pub fn checked(self, client: &Client, issuer: &str) -> Result<Self, OpenIdError> {
        if self.issuer != issuer {
            return Err(OpenIdError::Issuer(self.issuer));
        }
        for url in [&self.authorization_endpoint, &self.token_endpoint, &self.jwks_uri] {
            client.sound(url.clone())?;
        }
        if let Some(url) = &self.userinfo_endpoint {
            client.sound(url.clone())?;
        }
        match &self.code_challenge_methods_supported {
            Some(methods) if !methods.iter().any(|method| method == "S256") => Err(OpenIdError::NoPkce),
            _ => Ok(self),
        }
    }

    /// How the client shows its secret: in the header, unless the provider only takes it in the body.
    pub fn auth_type(&self) -> AuthType {
        let takes = |method: &str| match &self.token_endpoint_auth_methods_supported {
            Some(methods) => methods.iter().any(|known| known == method),
            None => method == "client_secret_basic",
        };
        if !takes("client_secret_basic") && takes("client_secret_post") {
            AuthType::RequestBody
        } else {
            AuthType::BasicAuth
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn document() -> Value {
        json!({
            "issuer": "https://id.example",
            "authorization_endpoint": "https://id.example/auth",
            "token_endpoint": "https://id.example/token",
            "jwks_uri": "https://id.example/jwks",
        })
    }

    fn client() -> Client {
        Client::trusting().unwrap()
    }

    fn check(name: &str, value: Value) -> Result<Metadata, OpenIdError> {
        let mut document = document();
        document[name] = value;
        serde_json::from_value::<Metadata>(document).unwrap().checked(&client(), "https://id.example")
    }

    #[test]
    fn a_document_speaks_for_its_issuer_over_https() {
        assert!(check("x", json!(1)).is_ok());
        assert!(check("code_challenge_methods_supported", json!(["plain", "S256"])).is_ok());
        for (name, value) in [
            ("issuer", "https://id.example/"),
            ("issuer", "https://evil.example"),
            ("jwks_uri", "http://id.example/jwks"),
            ("token_endpoint", "http://id.example/token"),
            ("userinfo_endpoint", "ftp://id.example/me"),
        ] {
            assert!(check(name, json!(value)).is_err(), "{name} {value}");
        }
        assert!(matches!(
            check("code_challenge_methods_supported", json!(["plain"])),
            Err(OpenIdError::NoPkce)
        ));
        let post = check("token_endpoint_auth_methods_supported", json!(["client_secret_post"])).unwrap();
        assert!(matches!(post.auth_type(), AuthType::RequestBody));
        assert!(matches!(check("x", json!(1)).unwrap().auth_type(), AuthType::BasicAuth));
    }

    #[test]
    fn the_document_is_below_the_issuers_path() {
        let of = |issuer: &str| location(&client(), &issuer.parse().unwrap()).map(|url| url.to_string());
        assert_eq!(of("https://id.example").unwrap(), "https://id.example/.well-known/openid-configuration");
        assert_eq!(
            of("https://id.example/tenant/").unwrap(),
            "https://id.example/tenant/.well-known/openid-configuration"
        );
        assert!(of("http://127.0.0.1:9000").is_ok() && of("http://localhost:9000").is_ok());
        assert!(of("http://id.example").is_err() && of("file:///etc/passwd").is_err());
    }

    #[test]
    fn a_wary_client_asks_the_open_internet_only() {
        let wary = Client::wary().unwrap();
        for inner in [
            "http://127.0.0.1:9000",
            "https://localhost",
            "https://169.254.169.254",
            "https://10.0.0.1",
            "https://[::1]",
        ] {
            assert!(location(&wary, &inner.parse().unwrap()).is_err(), "{inner}");
            let mut document = document();
            document["token_endpoint"] = json!(inner);
            let document: Metadata = serde_json::from_value(document).unwrap();
            assert!(document.checked(&wary, "https://id.example").is_err(), "{inner}");
        }
        let document: Metadata = serde_json::from_value(document()).unwrap();
        assert!(document.checked(&wary, "https://id.example").is_ok());
    }
}
