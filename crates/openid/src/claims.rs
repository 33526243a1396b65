//! An ID token, judged (OpenID Connect Core 1.0 §3.1.3.7).

use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation};
use serde::{Deserialize, Deserializer};
use subtle::ConstantTimeEq as _;

/// How far two clocks may differ, seconds.
const LEEWAY: i64 = 60;
/// Longer ago, a token is not of this sign-in, whatever it says.
const OLDEST: i64 = 15 * 60;
/// Longer texts are refused before anything is decoded.
const LONGEST: usize = 16 * 1024;
/// As the standard has it.
const LONGEST_SUBJECT: usize = 255;

/// Why an ID token is not believed; for the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("the ID token is malformed")]
    Malformed,
    #[error("the ID token is not signed with a public key")]
    Algorithm,
    #[error("the ID token's key is not the provider's")]
    Key,
    #[error("the ID token's signature does not fit")]
    Signature,
    #[error("the ID token is another issuer's")]
    Issuer,
    #[error("the ID token is for somebody else")]
    Audience,
    #[error("the ID token is of another sign-in")]
    Nonce,
    #[error("the ID token's times are not acceptable")]
    Times,
    #[error("the ID token names nobody")]
    Subject,
}

/// What an ID token must say.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    pub issuer: &'a str,
    pub client_id: &'a str,
    pub nonce: &'a str,
    pub now: DateTime<Utc>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Claims {
    iss: String,
    pub sub: String,
    #[serde(deserialize_with = "one_or_many")]
    aud: Vec<String>,
    exp: i64,
    iat: i64,
    #[serde(default)]
    nonce: Option<String>,
    #[serde(default)]
    azp: Option<String>,
    #[serde(default)]
    pub auth_time: Option<i64>,
    /// How they showed who they are (RFC 8176), and at which level, in words of the provider's own.
    #[serde(default, deserialize_with = "words")]
    amr: Vec<String>,
    #[serde(default, deserialize_with = "words")]
    acr: Vec<String>,
    #[serde(flatten)]
    pub about: About,
}

impl Claims {
    /// Whether the provider asked for a second factor: it says so, or names a level that stands for it.
    pub fn is_multi_factor(&self, levels: &[String]) -> bool {
        self.amr.iter().any(|method| method == "mfa") || self.acr.iter().any(|level| levels.contains(level))
    }
}

/// What is said of the person, in the token or at the userinfo endpoint.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct About {
    #[serde(default)]
    pub email: Option<String>,
    #[serde(default, deserialize_with = "truth")]
    pub email_verified: bool,
    #[serde(default)]
    pub name: Option<String>,
}

fn one_or_many<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        One(String),
        Many(Vec<String>),
    }
    Ok(match Either::deserialize(from)? {
        Either::One(one) => vec![one],
        Either::Many(many) => many,
    })
}

/// A text or a list of texts; whatever else stands there says nothing.
fn words<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    Ok(match serde_json::Value::deserialize(from)? {
        serde_json::Value::String(word) => vec![word],
        serde_json::Value::Array(words) => {
            words.iter().filter_map(|word| word.as_str().map(str::to_owned)).collect()
        }
        _ => Vec::new(),
    })
}

/// Some providers write `"true"`. Whatever is neither is no.
fn truth<'de, D: Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    let value = serde_json::Value::deserialize(from)?;
    Ok(value == serde_json::Value::Bool(true) || value == "true")
}

/// The header, if the token can be one of a provider's: signed, and with a key that is public.
pub(crate) fn header(token: &str) -> Result<Header, Refused> {
    if token.len() > LONGEST || token.split('.').count() != 3 {
        return Err(Refused::Malformed);
    }
    // `none` is no algorithm the library knows.
    let header = jsonwebtoken::decode_header(token).map_err(|_| Refused::Malformed)?;
    match header.alg {
        Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512 => Err(Refused::Algorithm),
        _ if header.crit.is_some() => Err(Refused::Malformed),
        _ => Ok(header),
    }
}

/// Checks signature and claims. `key` must be the provider's own, and fit `algorithm`.
pub(crate) fn judge(
    token: &str,
    key: &DecodingKey,
    algorithm: Algorithm,
    expected: Expected<'_>,
) -> Result<Claims, Refused> {
    let mut rules = Validation::new(algorithm);
    // Times and audience are checked below, against the plane's own clock and in the standard's words.
    rules.validate_exp = false;
    rules.validate_aud = false;
    let claims = match jsonwebtoken::decode::<Claims>(token, key, &rules) {
        Ok(data) => data.claims,
        Err(error) => {
            return Err(match error.kind() {
                jsonwebtoken::errors::ErrorKind::InvalidSignature => Refused::Signature,
                jsonwebtoken::errors::ErrorKind::InvalidAlgorithm => Refused::Algorithm,
                _ => Refused::Malformed,
            });
        }
    };
    check(claims, expected)
}

fn check(claims: Claims, expected: Expected<'_>) -> Result<Claims, Refused> {
    if claims.iss != expected.issuer {
        return Err(Refused::Issuer);
    }
    let ours = claims.aud.iter().any(|audience| audience == expected.client_id);
    let asked_by_us = match &claims.azp {
        Some(party) => party == expected.client_id,
        None => claims.aud.len() == 1,
    };
    if !ours || !asked_by_us {
        return Err(Refused::Audience);
    }
    let nonce = claims.nonce.as_deref().unwrap_or_default();
    if !bool::from(nonce.as_bytes().ct_eq(expected.nonce.as_bytes())) {
        return Err(Refused::Nonce);
    }
    let now = expected.now.timestamp();
    let is_over = claims.exp.saturating_add(LEEWAY) <= now;
    let is_early = claims.iat > now.saturating_add(LEEWAY);
    let is_old = claims.iat < now.saturating_sub(OLDEST + LEEWAY);
    if is_over || is_early || is_old {
        return Err(Refused::Times);
    }
    if claims.sub.is_empty() || claims.sub.len() > LONGEST_SUBJECT || claims.sub.contains('\0') {
        return Err(Refused::Subject);
    }
    Ok(claims)
}

#[cfg(test)]
mod tests;
