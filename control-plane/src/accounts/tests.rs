//! Signing up, confirming, changing and forgetting passwords, leaving: over HTTP.

use chrono::TimeDelta;
use serde_json::json;

use crate::testing::{PASSWORD, a_second, clock, house, house_at, pass};

#[actix_web::test]
async fn signing_up_makes_an_account_that_works_at_once() {
    let house = house().await;
    let ada = house.newcomer().await;
    let answer = house.get("/v1/account").by(&ada).send().await.expect(200);
    let account = answer.json();
    assert_eq!(account["email"], ada.email.as_str());
    assert_eq!(account["name"], "Ada Lovelace");
    assert!(account.get("verified_at").is_none());
    assert_eq!(answer.header("etag"), "\"1\"");
    house.get("/v1/account").by(&ada).header("if-none-match", "\"1\"").send().await.expect(304);

    let token = house.mailed_token(&ada.email, "/verify-email").await;
    let wish = json!({ "token": token });
    house.post("/v1/accounts/verify").body(&wish).send().await.expect(204);
    house.post("/v1/accounts/verify").body(&wish).send().await.refused(410, "link_unusable");
    assert!(house.get("/v1/account").by(&ada).send().await.json()["verified_at"].is_string());
    house.post("/v1/account/verification").by(&ada).send().await.refused(409, "conflict");
}

#[actix_web::test]
async fn signing_up_twice_answers_alike_and_changes_nothing() {
    let house = house().await;
    let ada = house.newcomer().await;
    let again =
        json!({ "email": ada.email.to_uppercase(), "password": "another good password", "name": "Mallory" });
    let second = house.post("/v1/accounts").body(&again).send().await.expect(202);
    let fresh = json!({ "email": format!("x{}", ada.email), "password": "another good password" });
    let first = house.post("/v1/accounts").body(&fresh).send().await.expect(202);
    assert_eq!(first.text, second.text);
    let known =
        house.count("SELECT count(*) FROM control.accounts WHERE email_key = $1", &[&ada.email]).await;
    assert_eq!(known, 1);
    assert_eq!(house.get("/v1/account").by(&ada).send().await.json()["name"], "Ada Lovelace");
    house.sign_in(&ada.email, PASSWORD).await;
    let wrong = json!({ "email": ada.email, "password": "another good password" });
    house.post("/v1/sessions").body(&wrong).send().await.refused(401, "wrong_credentials");
    assert!(house.mailed(&ada.email).await[0].contains("You already have an account"));
}

#[actix_web::test]
async fn what_cannot_be_signed_up_with_is_refused_and_changes_nothing() {
    let house = house().await;
    let email = format!("{}@example.com", souk_kernel::RequestId::new().suffix());
    let before = house.count("SELECT count(*) FROM control.messages WHERE recipient = $1", &[&email]).await;
    let long = "x1".repeat(65);
    let cases = [
        (json!({ "email": email, "password": "short" }), "/password", "too_short"),
        (json!({ "email": email, "password": "password123" }), "/password", "too_common"),
        (json!({ "email": email, "password": long }), "/password", "too_long"),
        (json!({ "email": email, "password": email }), "/password", "too_personal"),
        (json!({ "email": "not an address", "password": PASSWORD }), "/email", "invalid"),
        (json!({ "email": email, "password": PASSWORD, "name": "a\u{202e}b" }), "/name", "invalid"),
        (json!({ "email": email, "password": PASSWORD, "name": "" }), "/name", "invalid"),
        (json!({ "email": email, "password": 12345678 }), "/password", "invalid_type"),
        (json!({ "email": email }), "", "required"),
    ];
    for (wish, pointer, code) in cases {
        let answer = house.post("/v1/accounts").body(&wish).send().await.refused(422, "validation_failed");
        let (at, why) = answer.complaint();
        assert!(at.starts_with(pointer) && (why == code || code == "required"), "{wish}: {at} {why}");
    }
    let unknown = json!({ "email": email, "password": PASSWORD, "verified_at": "2020-01-01T00:00:00Z" });
    house.post("/v1/accounts").body(&unknown).send().await.refused(422, "unknown_field");
    let huge = json!({ "email": email, "password": "x".repeat(1 << 20) });
    house.post("/v1/accounts").body(&huge).send().await.refused(413, "payload_too_large");
    let after = house.count("SELECT count(*) FROM control.messages WHERE recipient = $1", &[&email]).await;
    assert_eq!((before, after), (0, 0));
}

#[actix_web::test]
async fn mails_are_in_the_language_of_the_account() {
    let house = house().await;
    let email = || format!("{}@example.com", souk_kernel::RequestId::new().suffix());
    let asks = |body: serde_json::Value| {
        house.post("/v1/accounts").header("accept-language", "de-AT,en;q=0.5").body(&body)
    };
    // By the browser, by the wish, and by default.
    let (austrian, briton) = (email(), email());
    asks(json!({ "email": austrian, "password": PASSWORD })).send().await.expect(202);
    asks(json!({ "email": briton, "password": PASSWORD, "locale": "en-GB" })).send().await.expect(202);
    assert!(house.mailed(&austrian).await[0].contains("bitte bestätigen Sie"));
    assert!(house.mailed(&briton).await[0].contains("please confirm"));
    let ada = house.newcomer().await;
    assert_eq!(house.get("/v1/account").by(&ada).send().await.json()["locale"], "en");

    for (wish, status) in [(json!({ "locale": "german" }), 422), (json!({ "locale": "de-CH" }), 200)] {
        house
            .patch("/v1/account")
            .by(&ada)
            .header("if-match", "\"1\"")
            .body(&wish)
            .send()
            .await
            .expect(status);
    }
    let shown = house.get("/v1/account").by(&ada).send().await.json();
    assert_eq!((&shown["locale"], &shown["name"]), (&json!("de-CH"), &json!("Ada Lovelace")));
    house.post("/v1/password-resets").body(&json!({ "email": ada.email })).send().await.expect(202);
    assert!(house.mailed(&ada.email).await[0].contains("wählen Sie hier ein neues Passwort"));
}

#[actix_web::test]
async fn the_profile_changes_under_its_etag() {
    let house = house().await;
    let ada = house.newcomer().await;
    let wish = json!({ "name": "Ada King" });
    let stale = house.patch("/v1/account").by(&ada).header("if-match", "\"9\"").body(&wish).send().await;
    stale.refused(412, "precondition_failed");
    assert_eq!(house.get("/v1/account").by(&ada).send().await.json()["name"], "Ada Lovelace");
    let answer =
        house.patch("/v1/account").by(&ada).header("if-match", "\"1\"").body(&wish).send().await.expect(200);
    assert_eq!((answer.json()["name"].as_str(), answer.header("etag")), (Some("Ada King"), "\"2\""));
    house.get("/v1/account").send().await.refused(401, "unauthenticated");
}

#[actix_web::test]
async fn changing_the_password_needs_the_old_one_and_ends_every_session() {
    let house = house().await;
    let ada = house.newcomer().await;
    let elsewhere = house.sign_in(&ada.email, PASSWORD).await;
    let wrong = json!({ "current_password": "not the password", "new_password": "a wholly new secret" });
    house.post("/v1/account/password").by(&ada).body(&wrong).send().await.refused(403, "wrong_password");
    house.get("/v1/account").by(&ada).send().await.expect(200);
    let right = json!({ "current_password": PASSWORD, "new_password": "a wholly new secret" });
    house.post("/v1/account/password").by(&ada).body(&right).send().await.expect(204);
    a_second().await;
    for person in [&ada, &elsewhere] {
        house.get("/v1/account").by(person).send().await.refused(401, "unauthenticated");
        let wish = json!({ "refresh_token": person.refresh });
        house.post("/v1/sessions/refresh").body(&wish).send().await.refused(401, "refresh_refused");
    }
    house.sign_in(&ada.email, "a wholly new secret").await;
    assert!(house.mailed(&ada.email).await[0].contains("was changed"));
}

#[actix_web::test]
async fn a_reset_link_works_once_and_only_the_newest_one() {
    let house = house().await;
    let ada = house.newcomer().await;
    let stranger = json!({ "email": format!("nobody-{}", ada.email) });
    let unknown = house.post("/v1/password-resets").body(&stranger).send().await.expect(202);
    let known =
        house.post("/v1/password-resets").body(&json!({ "email": ada.email })).send().await.expect(202);
    assert_eq!(unknown.text, known.text);
    let first = house.mailed_token(&ada.email, "/reset-password").await;
    house.post("/v1/password-resets").body(&json!({ "email": ada.email })).send().await.expect(202);
    let second = house.mailed_token(&ada.email, "/reset-password").await;
    assert_ne!(first, second);

    let complete = |token: &str| json!({ "token": token, "new_password": "a wholly new secret" });
    let path = "/v1/password-resets/complete";
    house.post(path).body(&complete(&first)).send().await.refused(410, "link_unusable");
    house.post(path).body(&complete("nonsense")).send().await.refused(410, "link_unusable");
    house.post(path).body(&complete(&second)).send().await.expect(204);
    house.post(path).body(&complete(&second)).send().await.refused(410, "link_unusable");
    let wish = json!({ "refresh_token": ada.refresh });
    house.post("/v1/sessions/refresh").body(&wish).send().await.refused(401, "refresh_refused");
    let ada = house.sign_in(&ada.email, "a wholly new secret").await;
    assert!(house.get("/v1/account").by(&ada).send().await.json()["verified_at"].is_string());
}

#[actix_web::test]
async fn links_run_out() {
    let clock = clock();
    let house = house_at(clock.clone()).await;
    let ada = house.newcomer().await;
    let verify = house.mailed_token(&ada.email, "/verify-email").await;
    house.post("/v1/password-resets").body(&json!({ "email": ada.email })).send().await.expect(202);
    let reset = house.mailed_token(&ada.email, "/reset-password").await;
    pass(&clock, TimeDelta::minutes(30));
    let wish = json!({ "token": reset, "new_password": "a wholly new secret" });
    house.post("/v1/password-resets/complete").body(&wish).send().await.refused(410, "link_unusable");
    pass(&clock, TimeDelta::days(3));
    let wish = json!({ "token": verify });
    house.post("/v1/accounts/verify").body(&wish).send().await.refused(410, "link_unusable");
    house.sign_in(&ada.email, PASSWORD).await;
}

#[actix_web::test]
async fn parallel_uses_of_a_reset_link_count_once() {
    let house = house().await;
    let ada = house.newcomer().await;
    house.post("/v1/password-resets").body(&json!({ "email": ada.email })).send().await.expect(202);
    let token = house.mailed_token(&ada.email, "/reset-password").await;
    let tries = (0..5).map(|number| {
        let wish = json!({ "token": token, "new_password": format!("a wholly new secret {number}") });
        house.post("/v1/password-resets/complete").body(&wish).send()
    });
    let answers = futures_util::future::join_all(tries.collect::<Vec<_>>()).await;
    let done = answers.iter().filter(|answer| answer.status == 204).count();
    let refused = answers.iter().filter(|answer| answer.status == 410).count();
    assert_eq!((done, refused), (1, 4));
}

#[actix_web::test]
async fn leaving_forgets_the_person_and_frees_the_address() {
    let house = house().await;
    let ada = house.newcomer().await;
    house.post("/v1/organizations").by(&ada).body(&json!({ "name": "Engines" })).send().await.expect(201);
    let wish = json!({ "password": PASSWORD });
    let answer = house.delete("/v1/account").by(&ada).body(&wish).send().await.refused(409, "last_owner");
    assert_eq!(answer.json()["organizations"], json!(["Engines"]));
    house
        .delete("/v1/account")
        .by(&ada)
        .body(&json!({ "password": "wrong" }))
        .send()
        .await
        .refused(403, "wrong_password");

    let bob = house.newcomer().await;
    house.delete("/v1/account").by(&bob).body(&wish).send().await.expect(204);
    a_second().await;
    house.get("/v1/account").by(&bob).send().await.refused(401, "unauthenticated");
    let sign_in = json!({ "email": bob.email, "password": PASSWORD });
    house.post("/v1/sessions").body(&sign_in).send().await.refused(401, "wrong_credentials");
    let traces = "SELECT count(*) FROM control.accounts WHERE email = $1 OR email_key = $1";
    assert_eq!(house.count(traces, &[&bob.email]).await, 0);
    let again = json!({ "email": bob.email, "password": PASSWORD });
    house.post("/v1/accounts").body(&again).send().await.expect(202);
    assert_ne!(house.sign_in(&bob.email, PASSWORD).await.account, bob.account);
}

#[actix_web::test]
async fn links_in_mails_are_the_consoles_whatever_a_request_says() {
    const FORGED: [(&str, &str); 8] = [
        ("host", "evil.example"),
        ("x-forwarded-host", "evil.example"),
        ("x-original-host", "evil.example"),
        ("x-host", "evil.example"),
        ("forwarded", "host=evil.example;proto=https"),
        ("x-forwarded-port", "6666"),
        ("x-forwarded-prefix", "/evil.example"),
        ("referer", "https://evil.example/"),
    ];
    let house = house().await;
    let email = format!("{}@example.com", souk_kernel::RequestId::new().suffix());
    let sign_up = json!({ "email": email, "password": PASSWORD, "name": "Ada Lovelace" });
    for (path, body, page) in [
        ("/v1/accounts", sign_up, "verify-email"),
        ("/v1/password-resets", json!({ "email": email }), "reset-password"),
    ] {
        let call = house.post(path).body(&body);
        FORGED
            .into_iter()
            .fold(call, |call, (name, value)| call.header(name, value))
            .send()
            .await
            .expect(202);
        let mails = house.mailed(&email).await;
        let link = house.plane.settings().link(page, "");
        assert!(mails[0].contains(&link) && !mails[0].contains("evil"), "{path}: {}", mails[0]);
    }
}
