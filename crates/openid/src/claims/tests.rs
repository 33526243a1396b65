//! ID tokens that are what they should be but for one thing.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::DateTime;
use ed25519_dalek::Signer as _;
use jsonwebtoken::{EncodingKey, encode};
use serde_json::{Value, json};

use super::*;

const NOW: i64 = 1_800_000_000;

/// An RSA key: its public half as providers publish it and as people write it down, and the good claims signed with the other half.
const RSA_N: &str = "48Uth5Q2jxQkRa-XI6V8QOoxUJ6KqQLW5xOoVYRu3L-Dpp2z63TFhsmRR0xbDoEofO4WTZcpifytsUwrB3IOt0tfnKofTaPO\
     CkjMsxbyCsiRCLzibbR8AdVrocXw9FNpq7qLb4JxARthXlVHpL46ig7vNrZzpNpvt4XdjAxHRN-FnAqZy7Q1jodalGttM7Qn\
     ybUwqCwoIUBTgIbIgcXz5P1qpMP4x13lNEnm_EU4TiKwaLL-QSpUYodJR1gmTrHXBbOcKoeqN5ZhtCuKarPebaqh7rHBY3Dj\
     6BVkaJ3P8wasusWtzKcFm_2b4pY9A9QPFqJdM4xOG0cSAD-W7Cr1Lw";
const RSA_PEM: &str = "-----BEGIN PUBLIC KEY-----\n\
    MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA48Uth5Q2jxQkRa+XI6V8\n\
    QOoxUJ6KqQLW5xOoVYRu3L+Dpp2z63TFhsmRR0xbDoEofO4WTZcpifytsUwrB3IO\n\
    t0tfnKofTaPOCkjMsxbyCsiRCLzibbR8AdVrocXw9FNpq7qLb4JxARthXlVHpL46\n\
    ig7vNrZzpNpvt4XdjAxHRN+FnAqZy7Q1jodalGttM7QnybUwqCwoIUBTgIbIgcXz\n\
    5P1qpMP4x13lNEnm/EU4TiKwaLL+QSpUYodJR1gmTrHXBbOcKoeqN5ZhtCuKarPe\n\
    baqh7rHBY3Dj6BVkaJ3P8wasusWtzKcFm/2b4pY9A9QPFqJdM4xOG0cSAD+W7Cr1\n\
    LwIDAQAB\n\
    -----END PUBLIC KEY-----\n";
const RSA_SIGNED: &str = "eyJhbGciOiAiUlMyNTYiLCAia2lkIjogInJzYSJ9.eyJpc3MiOiAiaHR0cHM6Ly9pZC5leGFtcGxlIiwgImF1ZCI6ICJzb3V\
     rIiwgInN1YiI6ICIyNDgyODk3NjEwMDEiLCAibm9uY2UiOiAibi0wUzZfV3pBMk1qIiwgImlhdCI6IDE4MDAwMDAwMDAsICJ\
     leHAiOiAxODAwMDAwMzAwfQ.3c_fs4cMA_YdQEBOqv5Mekv3cU4XDcSbfOPKmEuboLsfpA3zWTWzGsIHmYo3cKRRiHFtVejy\
     jdcHjOpV1tmqfJcG3iHJALq8ORAQqONZB8wsJ2HXUTwsEik2bFZRDxm-QcfvDoZ-zLtBxjJLw7zeQbnRPB8oOYUOXF-11irS\
     dmynbdU_jRLCQc5CZprdCcsNFNFCiLMsyV1PPex-NVE_e5dIuZxCT_Wi_0KXDK61mcA-32ankAaHvloIYgRbOYbCIhbPibOU\
     _59vmBzMR8QGp7aRqsCqwt7_uUGWJejycdPBZHLkP84gsarOQKf_jW8xwAhc3Xbt_nMQ_A4s5ijy6g";

fn expected() -> Expected<'static> {
    Expected {
        issuer: "https://id.example",
        client_id: "souk",
        nonce: "n-0S6_WzA2Mj",
        now: DateTime::from_timestamp(NOW, 0).unwrap(),
    }
}

fn good() -> Value {
    json!({
        "iss": "https://id.example", "aud": "souk", "sub": "248289761001", "nonce": "n-0S6_WzA2Mj",
        "iat": NOW, "exp": NOW + 300, "email": "ada@example.com", "email_verified": true, "name": "Ada",
    })
}

fn key() -> ed25519_dalek::SigningKey {
    ed25519_dalek::SigningKey::from_bytes(&[7; 32])
}

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn signed(header: &Value, claims: &Value) -> String {
    let text = format!("{}.{}", part(header), part(claims));
    let signature = key().sign(text.as_bytes());
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
}

fn judged(token: &str) -> Result<Claims, Refused> {
    let header = header(token)?;
    let public = DecodingKey::from_ed_der(key().verifying_key().as_bytes());
    judge(token, &public, header.alg, expected())
}

fn with(name: &str, value: Value) -> Result<Claims, Refused> {
    let mut claims = good();
    claims[name] = value;
    judged(&signed(&json!({ "alg": "EdDSA", "kid": "1" }), &claims))
}

fn without(name: &str) -> Result<Claims, Refused> {
    let mut claims = good();
    claims.as_object_mut().unwrap().remove(name);
    judged(&signed(&json!({ "alg": "EdDSA" }), &claims))
}

#[test]
fn a_good_token_says_who_it_is() {
    let claims = with("auth_time", json!(NOW - 5)).unwrap();
    assert_eq!((claims.sub.as_str(), claims.auth_time), ("248289761001", Some(NOW - 5)));
    let about = claims.about;
    assert_eq!((about.email.as_deref(), about.email_verified), (Some("ada@example.com"), true));
    assert!(with("aud", json!(["souk"])).is_ok());
    let mut many = good();
    (many["aud"], many["azp"]) = (json!(["souk", "other"]), json!("souk"));
    assert!(judged(&signed(&json!({ "alg": "EdDSA" }), &many)).is_ok());
}

#[test]
fn each_claim_is_checked() {
    for (name, value, refused) in [
        ("iss", json!("https://id.example/"), Refused::Issuer),
        ("iss", json!("https://evil.example"), Refused::Issuer),
        ("aud", json!("other"), Refused::Audience),
        ("aud", json!([]), Refused::Audience),
        ("aud", json!(["souk", "other"]), Refused::Audience),
        ("azp", json!("other"), Refused::Audience),
        ("nonce", json!("n-0S6_WzA2Mk"), Refused::Nonce),
        ("nonce", json!(""), Refused::Nonce),
        ("nonce", Value::Null, Refused::Nonce),
        ("exp", json!(NOW - 60), Refused::Times),
        ("exp", json!("soon"), Refused::Malformed),
        ("iat", json!(NOW + 61), Refused::Times),
        ("iat", json!(NOW - 16 * 60 - 1), Refused::Times),
        ("sub", json!(""), Refused::Subject),
        ("sub", json!("x".repeat(256)), Refused::Subject),
        ("sub", json!("a\0b"), Refused::Subject),
        ("sub", json!(7), Refused::Malformed),
    ] {
        assert_eq!(with(name, value.clone()).err(), Some(refused), "{name} {value}");
    }
    for (name, refused) in [
        ("iss", Refused::Malformed),
        ("aud", Refused::Malformed),
        ("sub", Refused::Malformed),
        ("exp", Refused::Malformed),
        ("iat", Refused::Malformed),
        ("nonce", Refused::Nonce),
    ] {
        assert_eq!(without(name).err(), Some(refused), "{name}");
    }
}

#[test]
fn only_true_is_verified() {
    for (value, verified) in [
        (json!(true), true),
        (json!("true"), true),
        (json!(false), false),
        (json!("false"), false),
        (json!(1), false),
        (json!("yes"), false),
        (Value::Null, false),
    ] {
        assert_eq!(with("email_verified", value.clone()).unwrap().about.email_verified, verified, "{value}");
    }
    assert!(!without("email_verified").unwrap().about.email_verified);
}

#[test]
fn what_is_not_signed_by_the_providers_private_key_is_refused() {
    let unsigned = format!("{}.{}.", part(&json!({ "alg": "none" })), part(&good()));
    assert_eq!(judged(&unsigned).err(), Some(Refused::Malformed));
    let mixed = format!("{}.{}.", part(&json!({ "alg": "NoNe" })), part(&good()));
    assert_eq!(judged(&mixed).err(), Some(Refused::Malformed));
    // Key confusion: HMAC with the public key, which everybody knows.
    let public = key().verifying_key().to_bytes();
    let confused =
        encode(&Header::new(Algorithm::HS256), &good(), &EncodingKey::from_secret(&public)).unwrap();
    assert_eq!(judged(&confused).err(), Some(Refused::Algorithm));
    let token = signed(&json!({ "alg": "EdDSA" }), &good());
    let (head, signature) = token.rsplit_once('.').unwrap();
    let flipped = if signature.starts_with('A') { "B" } else { "A" };
    assert_eq!(judged(&format!("{head}.{flipped}{}", &signature[1..])).err(), Some(Refused::Signature));
    let (first, rest) = token.split_once('.').unwrap();
    let mut other = good();
    other["sub"] = json!("somebody else");
    let (_, signature) = rest.split_once('.').unwrap();
    assert_eq!(judged(&format!("{first}.{}.{signature}", part(&other))).err(), Some(Refused::Signature));
    // Said to be RSA, signed with Ed25519.
    assert!(judged(&signed(&json!({ "alg": "RS256" }), &good())).is_err());
    assert_eq!(
        judged(&signed(&json!({ "alg": "EdDSA", "crit": ["exp"], "exp": 1 }), &good())).err(),
        Some(Refused::Malformed)
    );
    for text in ["", "a.b", "a.b.c", "a.b.c.d", &"x".repeat(20_000)] {
        assert!(judged(text).is_err(), "{text}");
    }
}

#[test]
fn an_rsa_key_that_everybody_knows_is_no_secret() {
    let public = DecodingKey::from_rsa_components(RSA_N, "AQAB").unwrap();
    let honest = header(RSA_SIGNED).unwrap();
    assert_eq!((honest.alg, honest.kid.as_deref()), (Algorithm::RS256, Some("rsa")));
    assert_eq!(judge(RSA_SIGNED, &public, honest.alg, expected()).unwrap().sub, "248289761001");
    let modulus = URL_SAFE_NO_PAD.decode(RSA_N).unwrap();
    let secrets: [&[u8]; 4] =
        [RSA_PEM.as_bytes(), RSA_PEM.trim_end().as_bytes(), RSA_N.as_bytes(), modulus.as_slice()];
    for secret in secrets {
        for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
            let mut head = Header::new(algorithm);
            head.kid = Some("rsa".to_owned());
            let confused = encode(&head, &good(), &EncodingKey::from_secret(secret)).unwrap();
            assert_eq!(header(&confused).err(), Some(Refused::Algorithm));
            // Nor by itself is the key taken for a secret.
            assert!(judge(&confused, &public, algorithm, expected()).is_err(), "{algorithm:?}");
            let known = judge(&confused, &public, Algorithm::RS256, expected());
            assert_eq!(known.err(), Some(Refused::Algorithm), "{algorithm:?}");
        }
    }
}

#[test]
fn a_second_factor_is_what_the_provider_says_in_so_many_words() {
    let two = ["urn:level:two".to_owned()];
    for (name, said, enough) in [
        ("amr", json!(["pwd", "mfa"]), true),
        ("amr", json!("mfa"), true),
        ("amr", json!(["pwd", "otp"]), false),
        ("amr", json!({ "mfa": true }), false),
        ("amr", json!([["mfa"]]), false),
        ("amr", Value::Null, false),
        ("acr", json!("urn:level:two"), true),
        ("acr", json!("urn:level:one"), false),
        ("acr", json!(2), false),
        ("acr", json!("mfa"), false),
    ] {
        assert_eq!(with(name, said.clone()).unwrap().is_multi_factor(&two), enough, "{name} {said}");
    }
    assert!(!without("name").unwrap().is_multi_factor(&two));
    assert!(!with("acr", json!("urn:level:two")).unwrap().is_multi_factor(&[]));
}
