//! Providers, and people in the middle, that lie.

use chrono::TimeDelta;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use souk_openid::test_support::{Liar, b64, header, jwk, key, query, signed};

use super::{Away, Client, Lies as _, config, landed, redeems, traces};
use crate::testing::{Doors, House, clock, house_beside, pass};

async fn stage() -> (House<impl Doors>, Liar) {
    let liar = Liar::new().await;
    let issuer = liar.issuer.clone();
    let house = house_beside(clock(), vec![config("liar", &issuer), config("other", &issuer)]).await;
    (house, liar)
}

fn address(liar: &Liar) -> String {
    format!("ada-{}@example.com", liar.issuer.rsplit(':').next().unwrap())
}

/// The same, honest: what the refusals below differ from by one thing.
#[actix_web::test]
async fn an_honest_answer_signs_in_and_the_exchange_proves_who_asked() {
    let (house, liar) = stage().await;
    let email = address(&liar);
    let (away, ticket) = liar.vouches(&house, "248289761001", &email).await;
    let sent: Vec<_> = away.url.query_pairs().map(|(name, _)| name.into_owned()).collect();
    assert!(away.url.as_str().starts_with(&format!("{}/auth?", liar.issuer)), "{}", away.url);
    assert!(!sent.contains(&"prompt".to_owned()));
    assert_eq!(
        (away.of("response_type"), away.of("client_id"), away.of("scope"), away.of("code_challenge_method")),
        ("code".into(), "souk".into(), "openid email profile".into(), "S256".into())
    );
    let form = liar.script().exchanged[0].clone();
    assert_eq!(b64(&Sha256::digest(form["code_verifier"].as_bytes())), away.of("code_challenge"));
    assert_eq!(
        (form["grant_type"].as_str(), form["code"].as_str(), form["redirect_uri"].as_str()),
        ("authorization_code", "a code", "http://127.0.0.1:8080/v1/sign-in/liar/callback")
    );
    assert!(form["authorization"].starts_with("Basic ") && !form.contains_key("client_secret"));
    let tokens = redeems(&house, &ticket, &away.client).send().await.expect(201).json();
    assert_eq!(tokens["account"]["email"], json!(email));
    assert!(tokens["account"]["verified_at"].is_string());
    let fresh = Away::leaves_with(&house, "liar", "&fresh=true").await;
    assert_eq!(fresh.of("prompt"), "login");
}

/// What is wrong with a token, and how it is made from the claims of a good one.
type Lie<'l> = (&'l str, &'l dyn Fn(&Value) -> String);

#[actix_web::test]
async fn a_token_that_lies_in_one_thing_signs_nobody_in() {
    let (house, liar) = stage().await;
    let email = address(&liar);
    let earlier = Away::leaves(&house, "liar").await;
    let public = key(1).verifying_key().to_bytes();
    let with = |claims: &Value, name: &str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        signed(1, &header(1), &claims)
    };
    let hmac = |claims: &Value, secret: &[u8]| {
        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some("key-1".to_owned());
        jsonwebtoken::encode(&header, claims, &EncodingKey::from_secret(secret)).unwrap()
    };
    let unsigned = |claims: &Value, alg: &str| {
        let head = json!({ "alg": alg, "kid": "key-1" });
        format!("{}.{}.", b64(head.to_string().as_bytes()), b64(claims.to_string().as_bytes()))
    };
    let now = house.plane.clock().now().timestamp();
    let lies: &[Lie] = &[
        ("wrong nonce", &|it| with(it, "nonce", json!("another"))),
        ("nonce of another sign-in", &|it| with(it, "nonce", json!(earlier.of("nonce")))),
        ("no nonce", &|it| with(it, "nonce", Value::Null)),
        ("alg none", &|it| unsigned(it, "none")),
        ("alg None", &|it| unsigned(it, "None")),
        ("no signature", &|it| unsigned(it, "EdDSA")),
        ("HMAC with the public key", &|it| hmac(it, &public)),
        ("HMAC with the public key's text", &|it| hmac(it, jwk(1)["x"].as_str().unwrap().as_bytes())),
        ("HMAC with the public key's JSON", &|it| hmac(it, jwk(1).to_string().as_bytes())),
        ("HMAC with the client's secret", &|it| hmac(it, b"a secret of ours")),
        ("another audience", &|it| with(it, "aud", json!("somebody else"))),
        ("two audiences", &|it| with(it, "aud", json!(["souk", "somebody else"]))),
        ("for another party", &|it| with(it, "azp", json!("somebody else"))),
        ("another issuer", &|it| with(it, "iss", json!("https://accounts.example"))),
        ("over", &|it| with(it, "exp", json!(now - 61))),
        ("of tomorrow", &|it| with(it, "iat", json!(now + 86_400))),
        ("of yesterday", &|it| with(it, "iat", json!(now - 86_400))),
        ("nobody", &|it| with(it, "sub", json!(""))),
        ("a key of its own", &|it| signed(9, &header(1), it)),
        ("a key in the token", &|it| {
            signed(9, &json!({ "alg": "EdDSA", "kid": "key-9", "jwk": jwk(9) }), it)
        }),
        ("a key elsewhere", &|it| {
            signed(9, &json!({ "alg": "EdDSA", "kid": "key-9", "jku": "https://evil.example/jwks" }), it)
        }),
        ("garbage", &|_| "a.b.c".to_owned()),
    ];
    for (lie, token) in lies {
        let away = Away::leaves(&house, "liar").await;
        liar.gives(&token(&liar.told(&house, &away, "248289761001", &email)));
        assert_eq!(landed(liar.sends_back(&house, &away).await), Err("refused".into()), "{lie}");
    }
    for (told, answer, why) in [
        ("no ID token", (200, json!({ "access_token": "x", "token_type": "Bearer" })), "refused"),
        ("a used code", (400, json!({ "error": "invalid_grant" })), "refused"),
        ("not JSON", (200, json!("<html>")), "refused"),
    ] {
        let away = Away::leaves(&house, "liar").await;
        liar.script().token = answer;
        assert_eq!(landed(liar.sends_back(&house, &away).await), Err(why.into()), "{told}");
    }
    assert_eq!(traces(&house, &liar.issuer, &email).await, 0);
}

#[actix_web::test]
async fn an_answer_of_another_issuer_is_not_taken() {
    let (house, liar) = stage().await;
    let email = address(&liar);
    let back = async |provider: &str, away: &Away, more: &str| {
        let back = query(&[("code", "a code"), ("state", &away.of("state"))]);
        house.get(&format!("/v1/sign-in/{provider}/callback?{back}{more}")).send().await
    };
    let away = Away::leaves(&house, "liar").await;
    liar.gives(&signed(1, &header(1), &liar.told(&house, &away, "1", &email)));
    // The state is the one provider's: at the other's address it finds nothing, and stays good.
    back("other", &away, "").await.refused(400, "sign_in_unknown");
    assert_eq!(landed(back("liar", &away, "&iss=https://evil.example").await), Err("refused".into()));
    let away = Away::leaves(&house, "liar").await;
    liar.gives(&signed(1, &header(1), &liar.told(&house, &away, "1", &email)));
    let iss = format!("&{}", query(&[("iss", &liar.issuer), ("session_state", "x"), ("authuser", "0")]));
    assert!(landed(back("liar", &away, &iss).await).is_ok());
    // A provider that promises to name itself must.
    let strict = Liar::new().await;
    strict.script().metadata["authorization_response_iss_parameter_supported"] = json!(true);
    let house = house_beside(clock(), vec![config("liar", &strict.issuer)]).await;
    let away = Away::leaves(&house, "liar").await;
    strict.gives(&signed(1, &header(1), &strict.told(&house, &away, "1", &email)));
    assert_eq!(landed(strict.sends_back(&house, &away).await), Err("refused".into()));
}

#[actix_web::test]
async fn states_and_tickets_work_once_and_not_for_long() {
    let (house, liar) = stage().await;
    let email = address(&liar);
    let clock = house.plane.clock().clone();
    let (away, ticket) = liar.vouches(&house, "1", &email).await;
    // The code and the state again.
    liar.sends_back(&house, &away).await.refused(400, "sign_in_unknown");
    house.get("/v1/sign-in/liar/callback?code=x").send().await.refused(400, "sign_in_unknown");
    house.get("/v1/sign-in/liar/callback?code=x&state=y").send().await.refused(400, "sign_in_unknown");
    // Whoever caught the ticket does not know the verifier; whoever began still has it.
    let thief = Client::new();
    redeems(&house, &ticket, &thief).send().await.refused(410, "ticket_unusable");
    let tries: Vec<_> = (0..5).map(|_| redeems(&house, &ticket, &away.client).send()).collect();
    let answers = futures_util::future::join_all(tries).await;
    let count = |status| answers.iter().filter(|answer| answer.status == status).count();
    assert_eq!((count(201), count(410)), (1, 4));
    let accounts = "SELECT count(*) FROM control.accounts WHERE email = $1";
    assert_eq!(house.count(accounts, &[&email]).await, 1);
    // Too late.
    let (late, ticket) = liar.vouches(&house, "1", &email).await;
    pass(&clock, TimeDelta::minutes(5));
    redeems(&house, &ticket, &late.client).send().await.refused(410, "ticket_unusable");
    let away = Away::leaves(&house, "liar").await;
    pass(&clock, TimeDelta::minutes(10));
    liar.gives(&signed(1, &header(1), &liar.told(&house, &away, "1", &email)));
    liar.sends_back(&house, &away).await.refused(400, "sign_in_unknown");
    // Whoever says no at the provider comes back too.
    let away = Away::leaves(&house, "liar").await;
    let back = query(&[("error", "access_denied"), ("state", &away.of("state"))]);
    let answer = house.get(&format!("/v1/sign-in/liar/callback?{back}")).send().await;
    assert_eq!(landed(answer), Err("denied".into()));
}

#[actix_web::test]
async fn a_rotated_key_is_found_and_made_up_ones_cost_the_provider_nothing() {
    let (house, liar) = stage().await;
    let email = address(&liar);
    liar.vouches(&house, "1", &email).await;
    liar.script().keys = json!({ "keys": [jwk(2), jwk(1)] });
    let come = async |number: u8| {
        let away = Away::leaves(&house, "liar").await;
        liar.gives(&signed(number, &header(number), &liar.told(&house, &away, "1", &email)));
        landed(liar.sends_back(&house, &away).await)
    };
    assert!(come(2).await.is_ok());
    assert_eq!(liar.script().keys_asked, 2);
    for number in 3..8 {
        assert_eq!(come(number).await, Err("refused".into()));
    }
    assert!(come(1).await.is_ok());
    assert_eq!(liar.script().keys_asked, 2);
}

#[actix_web::test]
async fn a_provider_whose_document_cannot_be_believed_gets_nobody() {
    for (name, value) in [
        ("issuer", json!("https://accounts.example")),
        ("token_endpoint", json!("http://evil.example/token")),
        ("authorization_endpoint", json!("ftp://evil.example/auth")),
        ("code_challenge_methods_supported", json!(["plain"])),
        ("jwks_uri", json!(7)),
    ] {
        let liar = Liar::new().await;
        liar.script().metadata[name] = value;
        let house = house_beside(clock(), vec![config("liar", &liar.issuer)]).await;
        let path = format!("/v1/sign-in/liar?challenge={}", Client::new().challenge());
        house.get(&path).send().await.refused(503, "identity_provider_away");
    }
    let (house, _) = stage().await;
    let path = format!("/v1/sign-in/nobody?challenge={}", Client::new().challenge());
    house.get(&path).send().await.refused(404, "not_found");
    for challenge in ["", "short", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXkk"] {
        let path = format!("/v1/sign-in/liar?challenge={challenge}");
        house.get(&path).send().await.refused(422, "validation_failed");
    }
}
