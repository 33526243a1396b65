//! The second factor over HTTP.

use chrono::TimeDelta;
use serde_json::{Value, json};
use souk_access::Totp;

use crate::testing::{PASSWORD, clock, house, house_at, pass};

fn app(secret: &str) -> Totp {
    let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut bits = String::new();
    for letter in secret.chars() {
        bits.push_str(&format!("{:05b}", letters.find(letter).unwrap()));
    }
    let bytes: Vec<u8> =
        (0..20).map(|at| u8::from_str_radix(&bits[at * 8..at * 8 + 8], 2).unwrap()).collect();
    Totp::new(bytes.try_into().unwrap())
}

#[actix_web::test]
async fn a_code_is_asked_for_once_the_app_is_confirmed() {
    let clock = clock();
    let house = house_at(clock.clone()).await;
    let ada = house.newcomer().await;
    let path = "/v1/account/second-factor";
    house
        .post(path)
        .by(&ada)
        .body(&json!({ "password": "wrong" }))
        .send()
        .await
        .refused(403, "wrong_password");
    let enrolment =
        house.post(path).by(&ada).body(&json!({ "password": PASSWORD })).send().await.expect(201).json();
    let app = app(enrolment["secret"].as_str().unwrap());
    assert!(enrolment["uri"].as_str().unwrap().starts_with("otpauth://totp/Souk:"));
    let code = || app.code(Totp::step(clock.now().timestamp()));
    // Nothing is asked for before the first code came back.
    house.sign_in(&ada.email, PASSWORD).await;
    let wrong = json!({ "code": "000000" });
    house
        .post(&format!("{path}/confirm"))
        .by(&ada)
        .body(&wrong)
        .send()
        .await
        .refused(401, "second_factor_wrong");
    let first = json!({ "code": code() });
    let codes = house.post(&format!("{path}/confirm")).by(&ada).body(&first).send().await.expect(201).json();
    let recovery = codes["recovery_codes"].as_array().unwrap().clone();
    assert_eq!(recovery.len(), 10);
    let sign_in = |code: Option<&str>| json!({ "email": ada.email, "password": PASSWORD, "code": code });
    let sessions = "/v1/sessions";
    house.post(sessions).body(&sign_in(None)).send().await.refused(401, "second_factor_required");
    // The code that confirmed was used; the next one works, once.
    house.post(sessions).body(&sign_in(Some(&code()))).send().await.refused(401, "second_factor_wrong");
    pass(&clock, TimeDelta::seconds(30));
    house.post(sessions).body(&sign_in(Some(&code()))).send().await.expect(201);
    house.post(sessions).body(&sign_in(Some(&code()))).send().await.refused(401, "second_factor_wrong");
    // Without the right password the code says nothing.
    pass(&clock, TimeDelta::seconds(30));
    let guess = json!({ "email": ada.email, "password": "not the password", "code": code() });
    house.post(sessions).body(&guess).send().await.refused(401, "wrong_credentials");
    // A recovery code works once, however it is typed.
    let spoken = recovery[0].as_str().unwrap().to_lowercase();
    house.post(sessions).body(&sign_in(Some(&spoken))).send().await.expect(201);
    house.post(sessions).body(&sign_in(Some(&spoken))).send().await.refused(401, "second_factor_wrong");
    let shown = house.get(path).by(&ada).send().await.expect(200).json();
    assert_eq!((&shown["enabled"], &shown["recovery_codes_left"]), (&json!(true), &json!(9)));
    let again = json!({ "password": PASSWORD });
    house.post(path).by(&ada).body(&again).send().await.refused(409, "conflict");
    let proof = |code: &str| json!({ "password": PASSWORD, "code": code });
    house
        .delete(path)
        .by(&ada)
        .body(&json!({ "password": PASSWORD }))
        .send()
        .await
        .refused(401, "second_factor_required");
    house.delete(path).by(&ada).body(&proof(recovery[1].as_str().unwrap())).send().await.expect(204);
    house.sign_in(&ada.email, PASSWORD).await;
}

#[actix_web::test]
async fn codes_are_not_guessed() {
    let clock = clock();
    let house = house_at(clock.clone()).await;
    let ada = house.newcomer().await;
    let enrolment = house
        .post("/v1/account/second-factor")
        .by(&ada)
        .body(&json!({ "password": PASSWORD }))
        .send()
        .await
        .expect(201)
        .json();
    let app = app(enrolment["secret"].as_str().unwrap());
    let first = json!({ "code": app.code(Totp::step(clock.now().timestamp())) });
    house.post("/v1/account/second-factor/confirm").by(&ada).body(&first).send().await.expect(201);
    let guess = json!({ "email": ada.email, "password": PASSWORD, "code": "000000" });
    let mut statuses = Vec::new();
    for _ in 0..12 {
        statuses.push(house.post("/v1/sessions").body(&guess).send().await.status);
    }
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 10, "{statuses:?}");
    assert_eq!(statuses[11], 429);
}

#[actix_web::test]
async fn a_dangerous_act_asks_for_a_fresh_proof() {
    let house = house().await;
    let ada = house.newcomer().await;
    let (store, operation) = house.open_store(&ada, &json!({ "name": "Tea", "country": "GB" })).await;
    let enrolment = house
        .post("/v1/account/second-factor")
        .by(&ada)
        .body(&json!({ "password": PASSWORD }))
        .send()
        .await
        .expect(201)
        .json();
    let app = app(enrolment["secret"].as_str().unwrap());
    let now = || Totp::step(house.plane.clock().now().timestamp());
    let first = json!({ "code": app.code(now()) });
    let codes: Value =
        house.post("/v1/account/second-factor/confirm").by(&ada).body(&first).send().await.expect(201).json();
    let rows = house.rows().await;
    let old = "UPDATE control.sessions SET proved_at = now() - interval '16 minutes' WHERE account_id = (SELECT id FROM control.accounts WHERE email = $1)";
    rows.execute(old, &[&ada.email]).await.unwrap();
    let path =
        format!("{}?confirm={}", crate::testing::path_of(&operation), store["handle"].as_str().unwrap());
    house.delete(&path).by(&ada).once().send().await.refused(403, "step_up_required");
    let proof = json!({ "password": PASSWORD, "code": codes["recovery_codes"][0] });
    let no_code = json!({ "password": PASSWORD });
    house
        .post("/v1/sessions/current/proof")
        .by(&ada)
        .body(&no_code)
        .send()
        .await
        .refused(401, "second_factor_required");
    house.delete(&path).by(&ada).once().send().await.refused(403, "step_up_required");
    house.post("/v1/sessions/current/proof").by(&ada).body(&proof).send().await.expect(204);
    house.delete(&path).by(&ada).once().send().await.expect(202);
}

#[actix_web::test]
async fn anybody_may_tell_a_store_who_they_are() {
    let house = house().await;
    let ada = house.newcomer().await;
    let (store, _) = house.open_store(&ada, &json!({ "name": "Tea", "country": "GB" })).await;
    let eve = house.newcomer().await;
    let wish = json!({ "store": store["id"] });
    let token = house.post("/v1/store-tokens").by(&eve).body(&wish).send().await.expect(201).json();
    assert!(token["access_token"].is_string() || token["token"].is_string(), "{token}");
    house.post("/v1/store-tokens").body(&wish).send().await.refused(401, "unauthenticated");
    let nowhere = json!({ "store": "sto_01h455vb4pex5vsknk084sn02q" });
    house.post("/v1/store-tokens").by(&eve).body(&nowhere).send().await.refused(404, "not_found");
}
