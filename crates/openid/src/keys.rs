//! A provider's public keys: kept for an hour, asked for anew when a token names one we have not seen.

use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use moka::future::Cache;
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use crate::fetch::{Client, FetchError, get};

const KEPT: Duration = Duration::from_secs(3600);
/// Tokens with made-up key names make us ask no oftener than this.
const PAUSE: Duration = Duration::from_secs(10);

/// One algorithm for each kind of key.
const SIGNING: [Algorithm; 4] = [Algorithm::RS256, Algorithm::ES256, Algorithm::ES384, Algorithm::EdDSA];

#[derive(Debug, Deserialize)]
struct Document {
    keys: Vec<Value>,
}

/// The keys of one provider.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    known: Cache<(), Arc<Vec<Jwk>>>,
    asked: Cache<(), ()>,
}

impl Keys {
    pub fn new() -> Self {
        Self {
            known: Cache::builder().max_capacity(1).time_to_live(KEPT).build(),
            asked: Cache::builder().max_capacity(1).time_to_live(PAUSE).build(),
        }
    }

    /// The key a token's header names, if it signs with this algorithm.
    pub async fn find(
        &self,
        client: &Client,
        url: &Url,
        kid: Option<&str>,
        algorithm: Algorithm,
    ) -> Result<Option<DecodingKey>, Arc<FetchError>> {
        if let Some(key) = choose(&self.load(client, url).await?, kid, algorithm) {
            return Ok(Some(key));
        }
        // A rotated key is found by asking again; whoever asks first does it for all.
        if self.asked.contains_key(&()) {
            return Ok(None);
        }
        self.asked.insert((), ()).await;
        self.known.invalidate(&()).await;
        Ok(choose(&self.load(client, url).await?, kid, algorithm))
    }

    /// Whether there is a key that signs.
    pub async fn any(&self, client: &Client, url: &Url) -> Result<bool, Arc<FetchError>> {
        let keys = self.load(client, url).await?;
        Ok(keys.iter().any(|key| SIGNING.iter().any(|algorithm| fits(key, *algorithm))))
    }

    async fn load(&self, client: &Client, url: &Url) -> Result<Arc<Vec<Jwk>>, Arc<FetchError>> {
        let ask = async {
            let document: Document = get(client, url, None).await?;
            // A kind of key we do not know is no reason to refuse those we do.
            let read = |key: Value| serde_json::from_value::<Jwk>(key).ok();
            Ok(Arc::new(document.keys.into_iter().filter_map(read).collect()))
        };
        self.known.try_get_with((), ask).await
    }
}

/// By name; without a name, if exactly one fits. Public keys only: a secret in a public document is nobody's signature.
fn choose(keys: &[Jwk], kid: Option<&str>, algorithm: Algorithm) -> Option<DecodingKey> {
    let named = |key: &&Jwk| kid.is_none_or(|kid| key.common.key_id.as_deref() == Some(kid));
    let mut fitting = keys.iter().filter(named).filter(|key| fits(key, algorithm));
    let key = fitting.next()?;
    if fitting.next().is_some() { None } else { DecodingKey::from_jwk(key).ok() }
}

fn fits(key: &Jwk, algorithm: Algorithm) -> bool {
    let signs = matches!(key.common.public_key_use, None | Some(PublicKeyUse::Signature));
    let says = key.common.key_algorithm.is_none_or(|said| said == KeyAlgorithm::from(algorithm));
    let kind = match (&key.algorithm, algorithm) {
        (
            AlgorithmParameters::RSA(_),
            Algorithm::RS256
            | Algorithm::RS384
            | Algorithm::RS512
            | Algorithm::PS256
            | Algorithm::PS384
            | Algorithm::PS512,
        )
        | (AlgorithmParameters::OctetKeyPair(_), Algorithm::EdDSA) => true,
        (AlgorithmParameters::EllipticCurve(curve), Algorithm::ES256) => curve.curve == EllipticCurve::P256,
        (AlgorithmParameters::EllipticCurve(curve), Algorithm::ES384) => curve.curve == EllipticCurve::P384,
        _ => false,
    };
    signs && says && kind
}
