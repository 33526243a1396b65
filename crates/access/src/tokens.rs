//! Access tokens: Ed25519-signed JWTs (`typ: at+jwt`), issued for one audience and at most 15 minutes.
//!
//! Nothing in a token chooses how it is checked: the algorithm is fixed, the key is looked up by `kid` in our own map, and
//! `jku`, `jwk`, `x5u`, `x5c` are never followed. A key is trusted for one issuer and for the kinds of principal it may name.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePrivateKey, EncodePublicKey};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use souk_kernel::{AccountId, AppId, CustomerId, SessionId, StaffId, StoreGrantId, StoreId};

/// The longest life of an access token.
pub const MAX_LIFETIME: Duration = Duration::from_secs(15 * 60);
/// How far two clocks may differ, seconds.
pub const LEEWAY: i64 = 60;
/// Longer texts are refused before anything is decoded.
const MAX_LENGTH: usize = 4096;
const TYPE: &str = "at+jwt";

/// Whom a token is for; a token for one audience is worthless at every other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// The control plane: `souk:control`.
    Control,
    /// One store's runtime: `souk:store:sto_…`.
    Store(StoreId),
}

impl fmt::Display for Audience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Control => f.write_str("souk:control"),
            Self::Store(store) => write!(f, "souk:store:{store}"),
        }
    }
}

/// What sort of principal a token names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenKind {
    /// A person at the control plane; `sub` is an account.
    Account,
    /// A person working in a store; `sub` is an account, the store finds its staff row.
    Staff,
    /// A shopper with an account in a store; `sub` is a customer.
    Customer,
    /// A person working in a store who signed in at the store itself; `sub` is their staff row.
    Colleague,
    /// An integration that a store's people approved; `sub` is the app, and `scope` what it may.
    App,
    /// Somebody of the platform who may look at a store for a while; `sub` is the grant, which the store asks after.
    Platform,
}

/// Whom a new token is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// See [`TokenKind::Account`].
    Account(AccountId),
    /// See [`TokenKind::Staff`]; and when they last proved who they are, for dangerous acts.
    Staff(AccountId, Option<DateTime<Utc>>),
    /// See [`TokenKind::Customer`].
    Customer(CustomerId),
    /// See [`TokenKind::Colleague`]; and when they last proved who they are.
    Colleague(StaffId, Option<DateTime<Utc>>),
    /// See [`TokenKind::App`].
    App(AppId),
    /// See [`TokenKind::Platform`].
    Platform(StoreGrantId),
}

impl Subject {
    fn kind(self) -> TokenKind {
        match self {
            Self::Account(_) => TokenKind::Account,
            Self::Staff(..) => TokenKind::Staff,
            Self::Customer(_) => TokenKind::Customer,
            Self::Colleague(..) => TokenKind::Colleague,
            Self::App(_) => TokenKind::App,
            Self::Platform(_) => TokenKind::Platform,
        }
    }

    fn proved_at(self) -> Option<DateTime<Utc>> {
        match self {
            Self::Staff(_, proved_at) | Self::Colleague(_, proved_at) => proved_at,
            Self::Account(_) | Self::Customer(_) | Self::App(_) | Self::Platform(_) => None,
        }
    }

    fn text(self) -> String {
        match self {
            Self::Account(id) | Self::Staff(id, _) => id.to_string(),
            Self::Customer(id) => id.to_string(),
            Self::Colleague(id, _) => id.to_string(),
            Self::App(id) => id.to_string(),
            Self::Platform(id) => id.to_string(),
        }
    }
}

/// The claims of an access token. Times are seconds since 1970, UTC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessClaims {
    /// Issuer: the plane that signed.
    pub iss: String,
    /// Audience, one text and never a list: see [`Audience`].
    pub aud: String,
    /// Principal, in TypeID form.
    pub sub: String,
    /// Refused after.
    pub exp: i64,
    /// Issued at.
    pub iat: i64,
    /// Refused before.
    pub nbf: i64,
    /// Unique per token.
    pub jti: String,
    /// Tenant: the store's id; absent for the control plane.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tid: Option<String>,
    /// What `sub` is.
    pub kind: TokenKind,
    /// The principal's epoch when the token was issued; raising the stored one kills every token that is out.
    pub epoch: i64,
    /// The session that asked for the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// When staff last proved who they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<i64>,
    /// The OAuth client that the token was given to (RFC 9068): an app.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// What an app may do with it: `object:action` and the like, with spaces between.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
}

/// Why a token was not issued or not believed. Every variant is a 401 to the caller; the difference is for the log.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum TokenError {
    /// Not three parts of sane size with a readable header and readable claims.
    #[error("the token is malformed")]
    Malformed,
    /// `alg`, `typ` or `crit` is not what we issue.
    #[error("the token's header is not one of ours")]
    Header,
    /// `kid` names no key we trust.
    #[error("the token's key is unknown")]
    UnknownKey,
    /// The signature does not fit.
    #[error("the token's signature does not fit")]
    Signature,
    /// Past `exp`.
    #[error("the token has expired")]
    Expired,
    /// Before `nbf`, issued in the future, or living longer than allowed.
    #[error("the token's times are not acceptable")]
    Times,
    /// Another `aud`, `tid` or `iss`, or a kind its key may not name.
    #[error("the token is for somebody else")]
    Audience,
    /// A key could not be read or used.
    #[error("the key is not a usable Ed25519 key in PEM form")]
    Key,
    /// The operating system gave no random bytes.
    #[error("no random bytes")]
    Entropy,
}

/// A token just issued. `Debug` hides the text.
#[derive(Clone)]
pub struct IssuedToken {
    /// The compact form to hand out.
    pub text: String,
    /// When it dies.
    pub expires_at: DateTime<Utc>,
}

impl fmt::Debug for IssuedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IssuedToken").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

/// The private key of an issuer. `Debug` shows only its `kid`.
pub struct SigningKey {
    kid: String,
    issuer: String,
    encoding: EncodingKey,
    public_pem: String,
    /// What other secrets of the same keeper derive from.
    root: [u8; 32],
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("kid", &self.kid)
            .field("issuer", &self.issuer)
            .finish_non_exhaustive()
    }
}

impl SigningKey {
    /// Reads a PKCS#8 PEM private key. The `kid` is derived from the public key, so rotation needs no register of names.
    pub fn from_pem(issuer: &str, pem: &str) -> Result<Self, TokenError> {
        let key = ed25519_dalek::SigningKey::from_pkcs8_pem(pem).map_err(|_| TokenError::Key)?;
        Self::from_key(issuer, &key)
    }

    /// Makes a new key; the second value is its PKCS#8 PEM, to be kept as a secret.
    pub fn generate(issuer: &str) -> Result<(Self, String), TokenError> {
        let mut seed = [0_u8; 32];
        getrandom::fill(&mut seed).map_err(|_| TokenError::Entropy)?;
        let key = ed25519_dalek::SigningKey::from_bytes(&seed);
        let pem = key.to_pkcs8_pem(LineEnding::LF).map_err(|_| TokenError::Key)?.to_string();
        Ok((Self::from_key(issuer, &key)?, pem))
    }

    /// The key that a secret of the deployment stands for: every process that knows the secret has the same key. `purpose` keeps
    /// keys for different purposes apart.
    pub fn derive(issuer: &str, secret: &[u8], purpose: &str) -> Result<Self, TokenError> {
        let mut seed = Sha256::new();
        seed.update(b"souk signing key\0");
        seed.update((purpose.len() as u64).to_be_bytes());
        seed.update(purpose);
        seed.update(secret);
        Self::from_key(issuer, &ed25519_dalek::SigningKey::from_bytes(&seed.finalize().into()))
    }

    fn from_key(issuer: &str, key: &ed25519_dalek::SigningKey) -> Result<Self, TokenError> {
        let public = key.verifying_key();
        let der = key.to_pkcs8_der().map_err(|_| TokenError::Key)?;
        Ok(Self {
            kid: kid_of(&public),
            issuer: issuer.to_owned(),
            encoding: EncodingKey::from_ed_der(der.as_bytes()),
            public_pem: public.to_public_key_pem(LineEnding::LF).map_err(|_| TokenError::Key)?,
            root: Sha256::new()
                .chain_update(b"souk derived secrets\0")
                .chain_update(key.to_bytes())
                .finalize()
                .into(),
        })
    }

    /// The name its tokens carry.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// 256 bits that only whoever has this key can compute: a secret that need not be stored. `purpose` keeps purposes apart. Another
    /// key gives other bits.
    pub fn secret_for(&self, purpose: &str, of: &[u8]) -> [u8; 32] {
        let digest = Sha256::new()
            .chain_update(self.root)
            .chain_update((purpose.len() as u64).to_be_bytes())
            .chain_update(purpose)
            .chain_update((of.len() as u64).to_be_bytes())
            .chain_update(of);
        digest.finalize().into()
    }

    /// The public half, for the planes that verify.
    pub fn public_pem(&self) -> &str {
        &self.public_pem
    }

    /// The issuer written into `iss`.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Issues a token. `lifetime` is cut to [`MAX_LIFETIME`]; `epoch` is the principal's current one.
    pub fn issue(
        &self,
        audience: Audience,
        subject: Subject,
        epoch: i64,
        session: Option<SessionId>,
        now: DateTime<Utc>,
        lifetime: Duration,
    ) -> Result<IssuedToken, TokenError> {
        self.issue_claims(audience, subject, epoch, session, None, now, lifetime)
    }

    /// Issues a token of an app for a store, good for these scopes. `lifetime` is cut to [`MAX_LIFETIME`].
    pub fn issue_for_app(
        &self,
        store: StoreId,
        app: AppId,
        scopes: &[String],
        epoch: i64,
        now: DateTime<Utc>,
        lifetime: Duration,
    ) -> Result<IssuedToken, TokenError> {
        let scope = Some(scopes.join(" "));
        self.issue_claims(Audience::Store(store), Subject::App(app), epoch, None, scope, now, lifetime)
    }

    #[expect(clippy::too_many_arguments, reason = "each is one claim")]
    fn issue_claims(
        &self,
        audience: Audience,
        subject: Subject,
        epoch: i64,
        session: Option<SessionId>,
        scope: Option<String>,
        now: DateTime<Utc>,
        lifetime: Duration,
    ) -> Result<IssuedToken, TokenError> {
        let lifetime = lifetime.min(MAX_LIFETIME);
        let mut jti = [0_u8; 16];
        getrandom::fill(&mut jti).map_err(|_| TokenError::Entropy)?;
        let iat = now.timestamp();
        let exp = iat.saturating_add(i64::try_from(lifetime.as_secs()).unwrap_or(0));
        let claims = AccessClaims {
            iss: self.issuer.clone(),
            aud: audience.to_string(),
            sub: subject.text(),
            exp,
            iat,
            nbf: iat,
            jti: URL_SAFE_NO_PAD.encode(jti),
            tid: match audience {
                Audience::Control => None,
                Audience::Store(store) => Some(store.to_string()),
            },
            kind: subject.kind(),
            epoch,
            sid: session.map(|id| id.to_string()),
            auth_time: subject.proved_at().map(|at| at.timestamp()),
            client_id: scope.is_some().then(|| subject.text()),
            scope,
        };
        Ok(IssuedToken {
            text: self.sign(&claims)?,
            expires_at: DateTime::from_timestamp(exp, 0).ok_or(TokenError::Times)?,
        })
    }

    fn sign(&self, claims: &AccessClaims) -> Result<String, TokenError> {
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(TYPE.to_owned());
        header.kid = Some(self.kid.clone());
        jsonwebtoken::encode(&header, claims, &self.encoding).map_err(|_| TokenError::Key)
    }
}

fn kid_of(key: &ed25519_dalek::VerifyingKey) -> String {
    let digest = Sha256::digest(key.as_bytes());
    URL_SAFE_NO_PAD.encode(digest.get(..12).unwrap_or_default())
}

struct TrustedKey {
    issuer: String,
    kinds: Vec<TokenKind>,
    decoding: DecodingKey,
}

/// The keys a plane believes, each for one issuer and for the kinds of principal that issuer may name.
#[derive(Default)]
pub struct Verifier {
    keys: HashMap<String, TrustedKey>,
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.keys.keys()).finish()
    }
}

impl Verifier {
    /// Believes nobody yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Believes the key in `public_pem` when it speaks as `issuer` about `kinds`. Call again for a second key during rotation.
    pub fn trust(mut self, issuer: &str, public_pem: &str, kinds: &[TokenKind]) -> Result<Self, TokenError> {
        let key =
            ed25519_dalek::VerifyingKey::from_public_key_pem(public_pem).map_err(|_| TokenError::Key)?;
        if key.is_weak() {
            return Err(TokenError::Key);
        }
        let trusted = TrustedKey {
            issuer: issuer.to_owned(),
            kinds: kinds.to_vec(),
            decoding: DecodingKey::from_ed_der(key.as_bytes()),
        };
        self.keys.insert(kid_of(&key), trusted);
        Ok(self)
    }

    /// Checks everything that can be checked without a database: form, header, signature, issuer, audience, tenant, times.
    pub fn verify(
        &self,
        token: &str,
        audience: Audience,
        now: DateTime<Utc>,
    ) -> Result<AccessClaims, TokenError> {
        if token.len() > MAX_LENGTH || token.split('.').count() != 3 {
            return Err(TokenError::Malformed);
        }
        let header = jsonwebtoken::decode_header(token).map_err(|_| TokenError::Malformed)?;
        let ours = header.alg == Algorithm::EdDSA
            && header.typ.as_deref().is_some_and(|typ| typ.eq_ignore_ascii_case(TYPE))
            && header.crit.is_none()
            && header.cty.is_none()
            && header.enc.is_none()
            && header.zip.is_none();
        if !ours {
            return Err(TokenError::Header);
        }
        let key = header.kid.as_deref().and_then(|kid| self.keys.get(kid)).ok_or(TokenError::UnknownKey)?;
        let claims = decode(token, &key.decoding)?;
        if claims.iss != key.issuer || !key.kinds.contains(&claims.kind) {
            return Err(TokenError::Audience);
        }
        addressed(&claims, audience)?;
        timely(&claims, now)?;
        Ok(claims)
    }
}

fn decode(token: &str, key: &DecodingKey) -> Result<AccessClaims, TokenError> {
    let mut rules = Validation::new(Algorithm::EdDSA);
    // Times and audience are checked below, against the plane's own clock and without the library's list forms.
    rules.validate_exp = false;
    rules.validate_nbf = false;
    rules.validate_aud = false;
    match jsonwebtoken::decode::<AccessClaims>(token, key, &rules) {
        Ok(data) => Ok(data.claims),
        Err(error) => match error.kind() {
            jsonwebtoken::errors::ErrorKind::InvalidSignature => Err(TokenError::Signature),
            _ => Err(TokenError::Malformed),
        },
    }
}

/// Re-checks a token that was verified before and is remembered: same audience, still in time.
pub(crate) fn still_good(
    claims: &AccessClaims,
    audience: Audience,
    now: DateTime<Utc>,
) -> Result<(), TokenError> {
    addressed(claims, audience)?;
    timely(claims, now)
}

fn addressed(claims: &AccessClaims, audience: Audience) -> Result<(), TokenError> {
    let tenant = match audience {
        Audience::Control => None,
        Audience::Store(store) => Some(store.to_string()),
    };
    let kind_fits = (claims.kind == TokenKind::Account) == (audience == Audience::Control);
    if claims.aud == audience.to_string() && claims.tid == tenant && kind_fits {
        Ok(())
    } else {
        Err(TokenError::Audience)
    }
}

fn timely(claims: &AccessClaims, now: DateTime<Utc>) -> Result<(), TokenError> {
    let now = now.timestamp();
    if claims.exp.saturating_add(LEEWAY) <= now {
        return Err(TokenError::Expired);
    }
    let soonest = now.saturating_add(LEEWAY);
    let life = claims.exp.saturating_sub(claims.iat);
    let longest = i64::try_from(MAX_LIFETIME.as_secs()).unwrap_or(0);
    if claims.nbf > soonest || claims.iat > soonest || life > longest || life <= 0 {
        return Err(TokenError::Times);
    }
    Ok(())
}

#[cfg(test)]
#[path = "tokens_tests.rs"]
mod tests;
