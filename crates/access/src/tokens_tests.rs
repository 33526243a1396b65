//! Forged, foreign, stale and malformed tokens, each refused; a good one believed.

use chrono::TimeDelta;
use hmac_free::sign_hs256;
use serde_json::{Value, json};

use super::*;

/// HS256 through the same library, to try the public key as a shared secret.
mod hmac_free {
    use jsonwebtoken::{Algorithm, EncodingKey, Header};

    pub(super) fn sign_hs256(kid: &str, claims: &serde_json::Value, secret: &[u8]) -> String {
        let mut header = Header::new(Algorithm::HS256);
        header.typ = Some("at+jwt".to_owned());
        header.kid = Some(kid.to_owned());
        jsonwebtoken::encode(&header, claims, &EncodingKey::from_secret(secret)).unwrap()
    }
}

struct Case {
    key: SigningKey,
    pem: String,
    verifier: Verifier,
    store: StoreId,
    account: AccountId,
    now: DateTime<Utc>,
}

impl Case {
    fn new() -> Self {
        let (key, pem) = SigningKey::generate("https://control.example").unwrap();
        let kinds = [TokenKind::Account, TokenKind::Staff];
        let verifier = Verifier::new().trust("https://control.example", key.public_pem(), &kinds).unwrap();
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        Self { key, pem, verifier, store: StoreId::new(), account: AccountId::new(), now }
    }

    fn audience(&self) -> Audience {
        Audience::Store(self.store)
    }

    fn issue(&self) -> String {
        let subject = Subject::Staff(self.account, None);
        self.key.issue(self.audience(), subject, 7, None, self.now, MAX_LIFETIME).unwrap().text
    }

    fn claims(&self) -> Value {
        let claims = self.verifier.verify(&self.issue(), self.audience(), self.now).unwrap();
        serde_json::to_value(claims).unwrap()
    }

    /// Any header and claims, correctly signed with the trusted key.
    fn signed(&self, header: &Value, claims: &Value) -> String {
        let key = ed25519_dalek::SigningKey::from_pkcs8_pem(&self.pem).unwrap();
        let text = format!("{}.{}", encode(header), encode(claims));
        let signature = ed25519_dalek::Signer::sign(&key, text.as_bytes());
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
    }

    fn header(&self) -> Value {
        json!({"alg": "EdDSA", "typ": "at+jwt", "kid": self.key.kid})
    }

    fn verify(&self, token: &str) -> Result<AccessClaims, TokenError> {
        self.verifier.verify(token, self.audience(), self.now)
    }
}

fn encode(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(value).unwrap())
}

fn with(mut value: Value, name: &str, to: Value) -> Value {
    value[name] = to;
    value
}

#[test]
fn a_token_says_what_was_put_in() {
    let case = Case::new();
    let session = SessionId::new();
    let issued = case
        .key
        .issue(
            Audience::Control,
            Subject::Account(case.account),
            3,
            Some(session),
            case.now,
            Duration::from_secs(99999),
        )
        .unwrap();
    let claims = case.verifier.verify(&issued.text, Audience::Control, case.now).unwrap();
    assert_eq!((claims.sub, claims.epoch, claims.kind), (case.account.to_string(), 3, TokenKind::Account));
    assert_eq!((claims.tid, claims.sid), (None, Some(session.to_string())));
    assert_eq!(issued.expires_at - case.now, TimeDelta::minutes(15), "a longer life is cut");
    assert!(!format!("{issued:?} {:?} {:?}", case.key, case.verifier).contains(&issued.text));

    let again = SigningKey::from_pem("https://control.example", &case.pem).unwrap();
    assert_eq!((again.kid.as_str(), again.public_pem()), (case.key.kid.as_str(), case.key.public_pem()));
}

#[test]
fn a_token_is_worth_nothing_elsewhere() {
    let case = Case::new();
    let token = case.issue();
    for other in [Audience::Control, Audience::Store(StoreId::new())] {
        assert_eq!(case.verifier.verify(&token, other, case.now), Err(TokenError::Audience));
    }
    // A plane's key may name only its own kinds: the control plane's key makes no customers.
    let customer = case
        .key
        .issue(case.audience(), Subject::Customer(CustomerId::new()), 0, None, case.now, MAX_LIFETIME)
        .unwrap();
    assert_eq!(case.verify(&customer.text), Err(TokenError::Audience));
    // An account token addressed to a store, and a staff token addressed to the control plane.
    let odd = with(case.claims(), "kind", json!("account"));
    assert_eq!(case.verify(&case.signed(&case.header(), &odd)), Err(TokenError::Audience));
    for (name, value) in [
        ("aud", json!("souk:control")),
        ("aud", json!(format!("souk:store:{}", StoreId::new()))),
        ("tid", json!(StoreId::new())),
        ("tid", Value::Null),
        ("iss", json!("https://evil.example")),
    ] {
        let token = case.signed(&case.header(), &with(case.claims(), name, value.clone()));
        assert_eq!(case.verify(&token), Err(TokenError::Audience), "{name} {value}");
    }
}

#[test]
fn the_header_cannot_choose_how_it_is_checked() {
    let case = Case::new();
    let (claims, good) = (case.claims(), case.header());
    assert!(case.verify(&case.signed(&good, &claims)).is_ok());

    for alg in ["none", "None", "NONE", "nOnE", "HS256", "HS512", "RS256", "ES256", "eddsa", "ED25519", ""] {
        let token = case.signed(&with(good.clone(), "alg", json!(alg)), &claims);
        assert!(case.verify(&token).is_err(), "{alg}");
        let (unsigned, _) = token.rsplit_once('.').unwrap();
        assert!(case.verify(&format!("{unsigned}.")).is_err(), "{alg} unsigned");
    }
    for typ in [json!("JWT"), json!("id+jwt"), json!(""), Value::Null, json!("at+jwt2")] {
        assert_eq!(
            case.verify(&case.signed(&with(good.clone(), "typ", typ.clone()), &claims)),
            Err(TokenError::Header)
        );
    }
    for (name, value) in [("crit", json!(["exp"])), ("cty", json!("JWT")), ("zip", json!("DEF"))] {
        assert_eq!(
            case.verify(&case.signed(&with(good.clone(), name, value), &claims)),
            Err(TokenError::Header)
        );
    }
    for kid in ["", "../../dev/null", "' OR 1=1 --", "/etc/passwd", "\u{0}", "https://evil.example/keys"] {
        let token = case.signed(&with(good.clone(), "kid", json!(kid)), &claims);
        assert_eq!(case.verify(&token), Err(TokenError::UnknownKey), "{kid:?}");
    }
    let mut without = good.clone();
    without.as_object_mut().unwrap().remove("kid");
    assert_eq!(case.verify(&case.signed(&without, &claims)), Err(TokenError::UnknownKey));

    // The public key as an HMAC secret, as PEM and raw.
    let public = ed25519_dalek::VerifyingKey::from_public_key_pem(case.key.public_pem()).unwrap();
    for secret in [case.key.public_pem().as_bytes(), public.as_bytes()] {
        assert_eq!(case.verify(&sign_hs256(&case.key.kid, &claims, secret)), Err(TokenError::Header));
    }
}

#[test]
fn keys_that_come_with_the_token_are_ignored() {
    let case = Case::new();
    let (evil, evil_pem) = SigningKey::generate("https://control.example").unwrap();
    let evil_key = ed25519_dalek::SigningKey::from_pkcs8_pem(&evil_pem).unwrap();
    let x = URL_SAFE_NO_PAD.encode(evil_key.verifying_key().as_bytes());
    for (name, value) in [
        ("jwk", json!({"kty": "OKP", "crv": "Ed25519", "x": x, "alg": "EdDSA"})),
        ("jku", json!("https://evil.example/jwks.json")),
        ("x5u", json!("https://evil.example/cert.pem")),
        ("x5c", json!(["MIIB"])),
    ] {
        for kid in [&evil.kid, &case.key.kid] {
            let header = with(with(case.header(), "kid", json!(kid)), name, value.clone());
            let text = format!("{}.{}", encode(&header), encode(&case.claims()));
            let signature = ed25519_dalek::Signer::sign(&evil_key, text.as_bytes());
            let token = format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()));
            assert!(case.verify(&token).is_err(), "{name} {kid}");
        }
        // Beside a good signature of ours they change nothing.
        let header = with(case.header(), name, value);
        assert!(case.verify(&case.signed(&header, &case.claims())).is_ok(), "{name}");
    }
}

#[test]
fn malformed_tokens_are_refused_without_a_panic() {
    let case = Case::new();
    let good = case.issue();
    let parts: Vec<_> = good.split('.').collect();
    let nested = case.signed(&case.header(), &json!(good));
    let huge = format!("{}.{}.{}", parts[0], "A".repeat(1 << 20), parts[2]);
    let mut flipped = good.clone().into_bytes();
    let middle = parts[0].len() + 20;
    flipped[middle] = if flipped[middle] == b'A' { b'B' } else { b'A' };
    let flipped = String::from_utf8(flipped).unwrap();
    let duplicate = format!(
        "{}.{}",
        encode(&case.header()),
        URL_SAFE_NO_PAD.encode(serde_json::to_string(&case.claims()).unwrap().replacen(
            '{',
            "{\"sub\":\"x\",",
            1
        ))
    );
    for bad in [
        "",
        ".",
        "..",
        "...",
        "a.b.c",
        "é.é.é",
        "eyJ.eyJ.",
        &huge,
        &nested,
        &flipped,
        &duplicate,
        &format!("{}.{}.", parts[0], parts[1]),
        &format!("{}.{}", parts[0], parts[1]),
        &format!("{good}."),
        &format!("{good}.{}", parts[2]),
        &format!("{}..{}", parts[0], parts[2]),
        &format!("{}.{}.{}", parts[0], parts[1], &parts[2][..20]),
        &format!(" {good}"),
        &format!("{good}="),
    ] {
        assert!(case.verify(bad).is_err(), "{bad:.80}");
    }
}

#[test]
fn claims_must_be_there_and_of_their_type() {
    let case = Case::new();
    for name in ["iss", "aud", "sub", "exp", "iat", "nbf", "jti", "kind", "epoch"] {
        let mut claims = case.claims();
        claims.as_object_mut().unwrap().remove(name);
        assert_eq!(case.verify(&case.signed(&case.header(), &claims)), Err(TokenError::Malformed), "{name}");
    }
    let audience = case.audience().to_string();
    for (name, value) in [
        ("aud", json!([audience, "other"])),
        ("aud", json!([audience])),
        ("exp", json!("1900000000")),
        ("exp", json!(1.8e300)),
        ("iat", json!(-1)),
        ("sub", json!(17)),
        ("kind", json!("root")),
    ] {
        assert!(
            case.verify(&case.signed(&case.header(), &with(case.claims(), name, value.clone()))).is_err(),
            "{value}"
        );
    }
}

#[test]
fn times_are_kept_to_the_second_with_a_minute_of_leeway() {
    let case = Case::new();
    let now = case.now.timestamp();
    let at = |exp: i64, iat: i64, nbf: i64| {
        let claims = with(with(with(case.claims(), "exp", json!(exp)), "iat", json!(iat)), "nbf", json!(nbf));
        case.verify(&case.signed(&case.header(), &claims)).err()
    };
    assert_eq!(at(now + 900, now, now), None);
    assert_eq!(at(now - 59, now - 900, now - 900), None);
    assert_eq!(at(now - 60, now - 900, now - 900), Some(TokenError::Expired));
    assert_eq!(at(now + 900, now, now + 60), None);
    assert_eq!(at(now + 900, now, now + 61), Some(TokenError::Times));
    assert_eq!(at(now + 960, now + 60, now), None);
    assert_eq!(at(now + 961, now + 61, now), Some(TokenError::Times));
    assert_eq!(at(now + 901, now, now), Some(TokenError::Times), "lives longer than any of ours");
    assert_eq!(at(i64::MAX, now, now), Some(TokenError::Times));
    assert_eq!(at(i64::MAX, i64::MIN, i64::MIN), Some(TokenError::Times));
    assert_eq!(at(now + 10, now + 10, now), Some(TokenError::Times), "no life at all");
}

#[test]
fn keys_that_are_no_keys_are_refused() {
    for pem in ["", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "not a key"] {
        assert!(matches!(Verifier::new().trust("x", pem, &[]), Err(TokenError::Key)));
        assert!(matches!(SigningKey::from_pem("x", pem), Err(TokenError::Key)));
    }
}
