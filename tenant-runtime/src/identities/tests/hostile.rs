//! Providers, and people in the middle, that lie.

use std::time::Duration;

use serde_json::{Value, json};
use souk_openid::test_support::{Liar, b64, header, jwk, key, query, signed};

use super::{Away, Client, Lies as _, PROVIDERS, Side, landed, named, redeems, stage, traces, wish};
use crate::testing::TestShop;

const ADA: &str = "ada@example.com";
/// The public half of an RSA key, as providers publish it and as people write it down.
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

/// The same, honest: what the refusals below differ from by one thing.
#[actix_web::test]
async fn an_honest_answer_signs_in_and_the_exchange_proves_who_asked() {
    let (people, liar) = stage(Side::Store).await;
    let shop = &people.shop;
    let away = Away::leaves(shop, Side::Store, "liar").await;
    assert!(away.url.starts_with(&format!("{}/auth?", liar.issuer)), "{}", away.url);
    assert_eq!(
        (away.of("response_type"), away.of("client_id"), away.of("scope"), away.of("code_challenge_method")),
        ("code".into(), "souk".into(), "openid email profile".into(), "S256".into())
    );
    liar.gives(&signed(1, &header(1), &liar.told(shop, &away, "248289761001", ADA)));
    let ticket = landed(shop, Side::Store, liar.sends_back(shop, Side::Store, &away).await).unwrap();
    let form = liar.script().exchanged[0].clone();
    let back = format!("http://{}/store/v1/sign-in/liar/callback", shop.store.host);
    assert_eq!(
        (form["redirect_uri"].as_str(), away.of("redirect_uri").as_str()),
        (back.as_str(), back.as_str())
    );
    assert_ne!(form["code_verifier"], away.client.verifier);
    let opened = redeems(shop, Side::Store, &ticket, &away.client).await.expect(201);
    assert_eq!((opened.header("cache-control"), &opened.json["account"]["email"]), ("no-store", &json!(ADA)));
    assert_eq!(
        (&opened.json["account"]["first_name"], &opened.json["account"]["last_name"]),
        (&json!("Ada"), &json!("Lovelace"))
    );
    assert!(opened.json["account"]["verified_at"].is_string());
    // The same session as a password opens.
    people.get("/store/v1/account", &opened.text("/access_token")).await.is(200);
    let wish = json!({ "refresh_token": opened.text("/refresh_token") });
    people.post("/store/v1/sessions/refresh", None, &wish).await.is(200);
    let fresh = Away::leaves_with(shop, Side::Store, "liar", "&fresh=true").await;
    assert_eq!(fresh.of("prompt"), "login");
}

/// What is wrong with a token, and how it is made from the claims of a good one.
type Lie<'l> = (&'l str, &'l dyn Fn(&Value) -> String);

#[actix_web::test]
async fn a_token_that_lies_in_one_thing_signs_nobody_in() {
    for side in [Side::Store, Side::Admin] {
        let (people, liar) = stage(side).await;
        let shop = &people.shop;
        let rsa = json!({ "kty": "RSA", "use": "sig", "kid": "rsa", "n": RSA_N, "e": "AQAB" });
        liar.script().keys = json!({ "keys": [jwk(1), rsa] });
        let earlier = Away::leaves(shop, side, "liar").await;
        let public = key(1).verifying_key().to_bytes();
        let with = |claims: &Value, name: &str, value: Value| {
            let mut claims = claims.clone();
            claims[name] = value;
            signed(1, &header(1), &claims)
        };
        // HMAC-SHA256, keyed with what is public.
        let hmac = |kid: &str, claims: &Value, secret: &[u8]| {
            use hmac::{Hmac, KeyInit as _, Mac as _};
            let head = json!({ "alg": "HS256", "kid": kid });
            let text = format!("{}.{}", b64(head.to_string().as_bytes()), b64(claims.to_string().as_bytes()));
            let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret).unwrap();
            mac.update(text.as_bytes());
            format!("{text}.{}", b64(&mac.finalize().into_bytes()))
        };
        let unsigned = |claims: &Value, alg: &str| {
            let head = json!({ "alg": alg, "kid": "key-1" });
            format!("{}.{}.", b64(head.to_string().as_bytes()), b64(claims.to_string().as_bytes()))
        };
        let now = shop.clock.now().timestamp();
        let lies: &[Lie] = &[
            ("wrong nonce", &|it| with(it, "nonce", json!("another"))),
            ("nonce of another sign-in", &|it| with(it, "nonce", json!(earlier.of("nonce")))),
            ("no nonce", &|it| with(it, "nonce", Value::Null)),
            ("alg none", &|it| unsigned(it, "none")),
            ("no signature", &|it| unsigned(it, "EdDSA")),
            ("HMAC with the public key", &|it| hmac("key-1", it, &public)),
            ("HMAC with the public key's JSON", &|it| hmac("key-1", it, jwk(1).to_string().as_bytes())),
            ("HMAC with the client's secret", &|it| hmac("key-1", it, b"a secret of ours")),
            ("HMAC with an RSA key's PEM", &|it| hmac("rsa", it, RSA_PEM.as_bytes())),
            ("HMAC with an RSA key's modulus", &|it| hmac("rsa", it, RSA_N.as_bytes())),
            ("another audience", &|it| with(it, "aud", json!("somebody else"))),
            ("two audiences", &|it| with(it, "aud", json!(["souk", "somebody else"]))),
            ("another issuer", &|it| with(it, "iss", json!("https://accounts.example"))),
            ("over", &|it| with(it, "exp", json!(now - 61))),
            ("of yesterday", &|it| with(it, "iat", json!(now - 86_400))),
            ("nobody", &|it| with(it, "sub", json!(""))),
            ("a key of its own", &|it| signed(9, &header(1), it)),
        ];
        let before = traces(shop).await;
        for (lie, token) in lies {
            let away = Away::leaves(shop, side, "liar").await;
            liar.gives(&token(&liar.told(shop, &away, "248289761001", ADA)));
            let answer = liar.sends_back(shop, side, &away).await;
            assert_eq!(landed(shop, side, answer), Err("refused".into()), "{lie}");
        }
        let away = Away::leaves(shop, side, "liar").await;
        liar.script().token = (400, json!({ "error": "invalid_grant" }));
        let answer = liar.sends_back(shop, side, &away).await;
        assert_eq!(landed(shop, side, answer), Err("refused".into()), "a used code");
        assert_eq!(traces(shop).await, before);
    }
}

#[actix_web::test]
async fn an_answer_of_another_issuer_provider_store_or_side_is_not_taken() {
    let (people, liar) = stage(Side::Store).await;
    let shop = &people.shop;
    named(shop, "other", Side::Store, &liar.issuer).await;
    named(shop, "work", Side::Admin, &liar.issuer).await;
    let back = async |path: &str, away: &Away, more: &str| {
        let back = query(&[("code", "a code"), ("state", &away.of("state"))]);
        shop.call("GET", &format!("{path}/callback?{back}{more}")).send().await
    };
    let away = Away::leaves(shop, Side::Store, "liar").await;
    liar.gives(&signed(1, &header(1), &liar.told(shop, &away, "1", ADA)));
    // The state is the one provider's: at the other's address it finds nothing, and stays good.
    back("/store/v1/sign-in/other", &away, "").await.refused(400, "sign_in_unknown");
    back("/admin/v1/sign-in/work", &away, "").await.refused(400, "sign_in_unknown");
    back("/admin/v1/sign-in/liar", &away, "").await.refused(404, "not_found");
    let evil = back("/store/v1/sign-in/liar", &away, "&iss=https://evil.example").await;
    assert_eq!(landed(shop, Side::Store, evil), Err("refused".into()));
    // Another store's provider of the same issuer, with the same client.
    let (there, away) = (TestShop::open(None).await, Away::leaves(shop, Side::Store, "liar").await);
    named(&there, "liar", Side::Store, &liar.issuer).await;
    liar.gives(&signed(1, &header(1), &liar.told(shop, &away, "1", ADA)));
    let callback = query(&[("code", "a code"), ("state", &away.of("state"))]);
    let path = format!("/store/v1/sign-in/liar/callback?{callback}");
    there.call("GET", &path).send().await.refused(400, "sign_in_unknown");
    let ticket = landed(shop, Side::Store, liar.sends_back(shop, Side::Store, &away).await).unwrap();
    redeems(&there, Side::Store, &ticket, &away.client).await.refused(410, "ticket_unusable");
    // A customers' ticket lets nobody in to work.
    redeems(shop, Side::Admin, &ticket, &away.client).await.refused(410, "ticket_unusable");
    assert_eq!((traces(&there).await, shop.number("SELECT count(*) AS number FROM customers").await), (0, 0));
    redeems(shop, Side::Store, &ticket, &away.client).await.expect(201);
}

#[actix_web::test]
async fn states_and_tickets_work_once_and_not_for_long() {
    let (people, liar) = stage(Side::Store).await;
    let shop = &people.shop;
    let away = Away::leaves(shop, Side::Store, "liar").await;
    liar.gives(&signed(1, &header(1), &liar.told(shop, &away, "1", ADA)));
    let ticket = landed(shop, Side::Store, liar.sends_back(shop, Side::Store, &away).await).unwrap();
    // The code and the state again.
    liar.sends_back(shop, Side::Store, &away).await.refused(400, "sign_in_unknown");
    for more in ["code=x", "code=x&state=y"] {
        let path = format!("/store/v1/sign-in/liar/callback?{more}");
        shop.call("GET", &path).send().await.refused(400, "sign_in_unknown");
    }
    // Whoever caught the ticket does not know the verifier; whoever began still has it.
    redeems(shop, Side::Store, &ticket, &Client::new()).await.refused(410, "ticket_unusable");
    let tries = (0..5).map(|_| redeems(shop, Side::Store, &ticket, &away.client));
    let answers = futures_util::future::join_all(tries).await;
    let count = |status| answers.iter().filter(|answer| answer.status == status).count();
    assert_eq!((count(201), count(410)), (1, 4));
    assert_eq!(shop.number("SELECT count(*) AS number FROM customers").await, 1);
    // Too late.
    let (late, ticket) = liar.vouches(shop, Side::Store, "1", ADA).await;
    shop.clock.advance(Duration::from_secs(300));
    redeems(shop, Side::Store, &ticket, &late).await.refused(410, "ticket_unusable");
    let away = Away::leaves(shop, Side::Store, "liar").await;
    shop.clock.advance(Duration::from_secs(600));
    liar.gives(&signed(1, &header(1), &liar.told(shop, &away, "1", ADA)));
    liar.sends_back(shop, Side::Store, &away).await.refused(400, "sign_in_unknown");
    // Whoever says no at the provider comes back too.
    let away = Away::leaves(shop, Side::Store, "liar").await;
    let back = query(&[("error", "access_denied"), ("state", &away.of("state"))]);
    let answer = shop.call("GET", &format!("/store/v1/sign-in/liar/callback?{back}")).send().await;
    assert_eq!(landed(shop, Side::Store, answer), Err("denied".into()));
    // What is over is forgotten.
    shop.clock.advance(Duration::from_secs(3600));
    let worker = shop.gate.worker(shop.store.id, "test", "forgets").unwrap();
    let forget = async |tx: &mut souk_tenancy::WriteTx<'_>| {
        Ok::<_, souk_tenancy::TenancyError>(crate::identities::forget(tx, 5000).await?)
    };
    assert!(worker.write("test.forget", forget).await.unwrap() > 4);
    let left =
        "SELECT (SELECT count(*) FROM sign_in_flows) + (SELECT count(*) FROM sign_in_tickets) AS number";
    assert_eq!(shop.number(left).await, 0);
}

#[actix_web::test]
async fn a_rotated_key_is_found_and_made_up_ones_cost_the_provider_nothing() {
    let (people, liar) = stage(Side::Store).await;
    let shop = &people.shop;
    liar.vouches(shop, Side::Store, "1", ADA).await;
    let asked = liar.script().keys_asked;
    liar.script().keys = json!({ "keys": [jwk(2), jwk(1)] });
    let come = async |number: u8| {
        let away = Away::leaves(shop, Side::Store, "liar").await;
        liar.gives(&signed(number, &header(number), &liar.told(shop, &away, "1", ADA)));
        landed(shop, Side::Store, liar.sends_back(shop, Side::Store, &away).await)
    };
    assert!(come(2).await.is_ok());
    assert_eq!(liar.script().keys_asked, asked + 1);
    for number in 3..8 {
        assert_eq!(come(number).await, Err("refused".into()));
    }
    assert!(come(1).await.is_ok());
    assert_eq!(liar.script().keys_asked, asked + 1);
}

#[actix_web::test]
async fn a_provider_that_cannot_be_believed_is_not_kept() {
    let shop = TestShop::open(None).await;
    for (name, value) in [
        ("issuer", json!("https://accounts.example")),
        ("token_endpoint", json!("http://evil.example/token")),
        ("code_challenge_methods_supported", json!(["plain"])),
        ("jwks_uri", json!(7)),
    ] {
        let liar = Liar::new().await;
        liar.script().metadata[name] = value;
        let before = shop.digest().await;
        let refused = shop.owner_call("POST", PROVIDERS).json(&wish("liar", Side::Store, &liar.issuer));
        refused.send().await.refused(422, "validation_failed").about("/issuer");
        assert_eq!(shop.digest().await, before, "{name}");
    }
    let liar = Liar::new().await;
    liar.script().keys = json!({ "keys": [{ "kty": "oct", "kid": "x", "k": "c2VjcmV0" }] });
    let keyless = shop.owner_call("POST", PROVIDERS).json(&wish("liar", Side::Store, &liar.issuer));
    keyless.send().await.refused(422, "validation_failed").about("/issuer");
    let path = format!("/store/v1/sign-in/liar?challenge={}", Client::new().challenge());
    shop.call("GET", &path).send().await.refused(404, "not_found");
    // It was one, and went bad: nobody is sent there.
    named(&shop, "liar", Side::Store, &Liar::new().await.issuer).await;
    for challenge in ["", "short", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXkk"] {
        let path = format!("/store/v1/sign-in/liar?challenge={challenge}");
        shop.call("GET", &path).send().await.refused(422, "validation_failed");
    }
}

#[actix_web::test]
async fn nobody_looks_around_in_our_network_by_naming_providers() {
    let shop = TestShop::open(None).await.facing_the_internet();
    let liar = Liar::new().await;
    let port = liar.issuer.rsplit(':').next().unwrap();
    let before = shop.digest().await;
    for inner in [
        liar.issuer.clone(),
        format!("https://127.0.0.1:{port}"),
        format!("https://localhost:{port}"),
        format!("https://[::ffff:127.0.0.1]:{port}"),
        "https://169.254.169.254".to_owned(),
        "https://10.0.0.1".to_owned(),
        "https://2130706433".to_owned(),
        "file:///etc/passwd".to_owned(),
        "https://id.example/?a=1".to_owned(),
    ] {
        let refused = shop.owner_call("POST", PROVIDERS).json(&wish("inner", Side::Admin, &inner));
        refused.send().await.refused(422, "validation_failed").about("/issuer");
    }
    assert_eq!(shop.digest().await, before);
    assert_eq!(liar.script().keys_asked, 0);
}
