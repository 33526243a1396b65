//! The second factor over HTTP.

use chrono::TimeDelta;
use serde_json::{Value, json};
use souk_kernel::Clock;
use totp_rs::Totp;

use crate::testing::{
    Answer, Doors, House, PASSWORD, Person, a_second, clock, house, house_alone, house_at, pass,
};

const FACTOR: &str = "/v1/account/second-factor";
const CONFIRM: &str = "/v1/account/second-factor/confirm";
const CODES: &str = "/v1/account/recovery-codes";
const PROOF: &str = "/v1/sessions/current/proof";

/// Somebody's phone: an authenticator app that scanned the code, and its clock.
struct Phone(Totp, Clock);

impl Phone {
    fn code(&self) -> String {
        self.0.generate(u64::try_from(self.1.now().timestamp()).unwrap()).to_string()
    }
}

async fn enrol<S: Doors>(house: &House<S>, person: &Person) -> Phone {
    let wish = json!({ "password": PASSWORD });
    let enrolment = house.post(FACTOR).by(person).body(&wish).send().await.expect(201);
    assert_eq!(enrolment.header("cache-control"), "no-store");
    let enrolment = enrolment.json();
    let totp = Totp::from_url(enrolment["uri"].as_str().unwrap()).unwrap();
    assert_eq!((totp.issuer(), totp.secret().to_base32()), (Some("Souk"), text(&enrolment["secret"])));
    Phone(totp, house.plane.clock().clone())
}

/// A phone that is confirmed, and the recovery codes.
async fn protect<S: Doors>(house: &House<S>, person: &Person) -> (Phone, Vec<String>) {
    let phone = enrol(house, person).await;
    let first = json!({ "code": phone.code() });
    let codes = house.post(CONFIRM).by(person).body(&first).send().await.expect(201).json();
    (phone, codes["recovery_codes"].as_array().unwrap().iter().map(text).collect())
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

async fn sign_in<S: Doors>(house: &House<S>, email: &str, code: Option<&str>) -> Answer {
    let wish = json!({ "email": email, "password": PASSWORD, "code": code });
    house.post("/v1/sessions").body(&wish).send().await
}

fn proof(code: &str) -> Value {
    json!({ "password": PASSWORD, "code": code })
}

#[actix_web::test]
async fn a_code_is_asked_for_once_the_app_is_confirmed_and_each_works_once() {
    let clock = clock();
    let house = house_at(clock.clone()).await;
    let ada = house.newcomer().await;
    let wrong = json!({ "password": "not the password" });
    house.post(FACTOR).by(&ada).body(&wrong).send().await.refused(403, "wrong_password");
    house.post(FACTOR).body(&wrong).send().await.refused(401, "unauthenticated");
    // Begun twice: only the second secret counts. Nothing is asked for before the first code came back.
    let forgotten = enrol(&house, &ada).await;
    let phone = enrol(&house, &ada).await;
    sign_in(&house, &ada.email, None).await.expect(201);
    for code in [forgotten.code(), "000000".to_owned(), String::new()] {
        let wish = json!({ "code": code });
        house.post(CONFIRM).by(&ada).body(&wish).send().await.refused(403, "second_factor_wrong");
    }
    let first = json!({ "code": phone.code() });
    let codes = house.post(CONFIRM).by(&ada).body(&first).send().await.expect(201).json();
    assert_eq!(codes["recovery_codes"].as_array().unwrap().len(), 10);
    assert!(house.mailed(&ada.email).await.iter().any(|mail| mail.contains("was switched on")));
    sign_in(&house, &ada.email, None).await.refused(403, "second_factor_required");
    // The code that confirmed was used; the next one works, once, and so do its neighbours in time.
    sign_in(&house, &ada.email, Some(&phone.code())).await.refused(403, "second_factor_wrong");
    pass(&clock, TimeDelta::seconds(30));
    let early = phone.code();
    sign_in(&house, &ada.email, Some(&early)).await.expect(201);
    sign_in(&house, &ada.email, Some(&early)).await.refused(403, "second_factor_wrong");
    pass(&clock, TimeDelta::seconds(30));
    let slow = phone.code();
    pass(&clock, TimeDelta::seconds(30));
    sign_in(&house, &ada.email, Some(&slow)).await.expect(201);
    let old = phone.code();
    pass(&clock, TimeDelta::seconds(60));
    sign_in(&house, &ada.email, Some(&old)).await.refused(403, "second_factor_wrong");
    // Without the right password the code says nothing.
    let guess = json!({ "email": ada.email, "password": "not the password", "code": phone.code() });
    house.post("/v1/sessions").body(&guess).send().await.refused(401, "wrong_credentials");
    house.post(FACTOR).by(&ada).body(&json!({ "password": PASSWORD })).send().await.refused(409, "conflict");
}

#[actix_web::test]
async fn of_parallel_uses_of_one_code_exactly_one_is_taken() {
    let clock = clock();
    let house = house_at(clock.clone()).await;
    let ada = house.newcomer().await;
    let (phone, codes) = protect(&house, &ada).await;
    pass(&clock, TimeDelta::seconds(30));
    for code in [phone.code(), codes[0].clone()] {
        let tries: Vec<_> = (0..5).map(|_| sign_in(&house, &ada.email, Some(&code))).collect();
        let answers = futures_util::future::join_all(tries).await;
        let count = |status| answers.iter().filter(|answer| answer.status == status).count();
        assert_eq!((count(201), count(403)), (1, 4));
        pass(&clock, TimeDelta::minutes(11));
    }
}

#[actix_web::test]
async fn a_recovery_code_works_once_and_can_be_renewed() {
    let clock = clock();
    let house = house_at(clock.clone()).await;
    let ada = house.newcomer().await;
    let (phone, codes) = protect(&house, &ada).await;
    let spoken = codes[0].to_lowercase().replace('-', " ");
    sign_in(&house, &ada.email, Some(&spoken)).await.expect(201);
    sign_in(&house, &ada.email, Some(&codes[0])).await.refused(403, "second_factor_wrong");
    assert!(house.mailed(&ada.email).await[0].contains("Codes left: 9."));
    let shown = house.get(FACTOR).by(&ada).send().await.expect(200).json();
    assert_eq!((&shown["enabled"], &shown["recovery_codes_left"]), (&json!(true), &json!(9)));
    let no_code = json!({ "password": PASSWORD });
    house.post(CODES).by(&ada).body(&no_code).send().await.refused(403, "second_factor_required");
    pass(&clock, TimeDelta::seconds(30));
    let renewed = house.post(CODES).by(&ada).body(&proof(&phone.code())).send().await.expect(201).json();
    sign_in(&house, &ada.email, Some(&codes[1])).await.refused(403, "second_factor_wrong");
    sign_in(&house, &ada.email, Some(renewed["recovery_codes"][0].as_str().unwrap())).await.expect(201);
    // Another account's codes are worth nothing here.
    let eve = house.newcomer().await;
    let (_, foreign) = protect(&house, &eve).await;
    sign_in(&house, &ada.email, Some(&foreign[0])).await.refused(403, "second_factor_wrong");
    sign_in(&house, &eve.email, Some(&foreign[0])).await.expect(201);
    // What is stored is a digest.
    let query = "SELECT count(*) FROM control.recovery_codes WHERE position(convert_to(replace($1, '-', ''), 'UTF8') in code_hash) > 0";
    assert_eq!(house.count(query, &[&codes[2]]).await, 0);
}

#[actix_web::test]
async fn a_factor_is_taken_away_only_with_both_factors() {
    let clock = clock();
    let house = house_at(clock.clone()).await;
    let ada = house.newcomer().await;
    let (phone, codes) = protect(&house, &ada).await;
    let no_code = json!({ "password": PASSWORD });
    house.delete(FACTOR).by(&ada).body(&no_code).send().await.refused(403, "second_factor_required");
    pass(&clock, TimeDelta::seconds(30));
    let no_password = json!({ "password": "not the password", "code": phone.code() });
    house.delete(FACTOR).by(&ada).body(&no_password).send().await.refused(403, "wrong_password");
    sign_in(&house, &ada.email, None).await.refused(403, "second_factor_required");
    house.delete(FACTOR).by(&ada).body(&proof(&codes[1])).send().await.expect(204);
    house.sign_in(&ada.email, PASSWORD).await;
    assert!(house.mailed(&ada.email).await.iter().any(|mail| mail.contains("was taken away")));
    house.delete(FACTOR).by(&ada).body(&no_code).send().await.refused(409, "conflict");
    house.post(CODES).by(&ada).body(&no_code).send().await.refused(409, "conflict");
    let left = "SELECT count(*) FROM control.recovery_codes c JOIN control.accounts a ON a.id = c.account_id WHERE a.email = $1";
    assert_eq!(house.count(left, &[&ada.email]).await, 0);
}

#[actix_web::test]
async fn codes_are_not_guessed_from_one_network_nor_from_many() {
    let clock = clock();
    let house = house_at(clock.clone()).await;
    let ada = house.newcomer().await;
    let (phone, _) = protect(&house, &ada).await;
    pass(&clock, TimeDelta::minutes(11));
    let guess = json!({ "email": ada.email, "password": PASSWORD, "code": "000000" });
    let mut statuses = Vec::new();
    for network in ["203.0.113.1", "203.0.113.2", "203.0.113.3"] {
        for _ in 0..9 {
            statuses.push(house.post("/v1/sessions").body(&guess).at_network(network).send().await.status);
        }
    }
    assert_eq!(statuses.iter().filter(|status| **status == 403).count(), 20, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 7, "{statuses:?}");
    // The right code does not help any more; after the window it does.
    sign_in(&house, &ada.email, Some(&phone.code())).await.refused(429, "too_many_requests");
    pass(&clock, TimeDelta::minutes(11));
    sign_in(&house, &ada.email, Some(&phone.code())).await.expect(201);
}

#[actix_web::test]
async fn a_dangerous_act_asks_for_a_fresh_proof() {
    let house = house().await;
    let ada = house.newcomer().await;
    let (store, operation) = house.open_store(&ada, &json!({ "name": "Tea", "country": "GB" })).await;
    let (_, codes) = protect(&house, &ada).await;
    let long_ago = async || {
        let query = "UPDATE control.sessions SET proved_at = now() - interval '16 minutes' WHERE account_id = (SELECT id FROM control.accounts WHERE email = $1)";
        house.rows().await.execute(query, &[&ada.email]).await.unwrap();
        a_second().await;
    };
    long_ago().await;
    let path =
        format!("{}?confirm={}", crate::testing::path_of(&operation), store["handle"].as_str().unwrap());
    let refused = house.delete(&path).by(&ada).once().send().await.refused(401, "step_up_required");
    assert_eq!(
        refused.header("www-authenticate"),
        "Bearer realm=\"souk\", error=\"insufficient_user_authentication\", max_age=\"900\""
    );
    assert_eq!(refused.json()["max_age"], 900);
    let found = async || house.get(&crate::testing::path_of(&operation)).by(&ada).send().await.json();
    assert_eq!(found().await["state"], "live");
    let no_code = json!({ "password": PASSWORD });
    house.post(PROOF).by(&ada).body(&no_code).send().await.refused(403, "second_factor_required");
    house.delete(&path).by(&ada).once().send().await.refused(401, "step_up_required");
    house.post(PROOF).by(&ada).body(&proof(&codes[0])).send().await.expect(204);
    // At once, whatever was remembered of the session.
    house.delete(&path).by(&ada).once().send().await.expect(202);
}

#[actix_web::test]
async fn staff_tokens_say_when_their_bearer_was_proved() {
    let house = house().await;
    let ada = house.newcomer().await;
    let (store, _) = house.open_store(&ada, &json!({ "name": "Tea", "country": "GB" })).await;
    let claims = async || {
        let path = format!("/v1/stores/{}/tokens", store["id"].as_str().unwrap());
        let token = text(&house.post(&path).by(&ada).send().await.expect(201).json()["access_token"]);
        let body = token.split('.').nth(1).unwrap().to_owned();
        let body = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, body).unwrap();
        serde_json::from_slice::<Value>(&body).unwrap()
    };
    let first = claims().await["auth_time"].as_i64().unwrap();
    let query = "UPDATE control.sessions SET proved_at = proved_at - interval '1 hour' WHERE account_id = (SELECT id FROM control.accounts WHERE email = $1)";
    house.rows().await.execute(query, &[&ada.email]).await.unwrap();
    assert_eq!(claims().await["auth_time"], first - 3600);
    house.post(PROOF).by(&ada).body(&json!({ "password": PASSWORD })).send().await.expect(204);
    assert!(claims().await["auth_time"].as_i64().unwrap() >= first);
    house
        .rows()
        .await
        .execute(&query.replace("proved_at - interval '1 hour'", "NULL"), &[&ada.email])
        .await
        .unwrap();
    assert_eq!(claims().await.get("auth_time"), None);
}

#[actix_web::test]
async fn switching_a_factor_on_ends_what_other_sessions_proved_without_it() {
    let house = house().await;
    let ada = house.newcomer().await;
    let elsewhere = house.sign_in(&ada.email, PASSWORD).await;
    let organization =
        house.post("/v1/organizations").by(&ada).once().body(&json!({ "name": "Tea" })).send().await;
    let organization = format!("/v1/organizations/{}", text(&organization.expect(201).json()["id"]));
    protect(&house, &ada).await;
    house.delete(&organization).by(&elsewhere).send().await.refused(401, "step_up_required");
    house.delete(&organization).by(&ada).send().await.expect(204);
}

#[actix_web::test]
async fn a_sign_in_from_an_unknown_device_and_network_is_mailed() {
    let house = house().await;
    let ada = house.newcomer().await;
    let right = json!({ "email": ada.email, "password": PASSWORD });
    let enter = async |network: &str, agent: &str| {
        let call = house.post("/v1/sessions").header("user-agent", agent).at_network(network);
        call.body(&right).send().await.expect(201);
        let mails = house.mailed(&ada.email).await;
        mails.iter().filter(|mail| mail.contains("not seen before")).count()
    };
    assert_eq!(enter("203.0.113.7", "Firefox").await, 1);
    assert!(house.mailed(&ada.email).await[0].contains("Firefox"));
    assert_eq!(enter("203.0.113.7", "Firefox").await, 1);
    assert_eq!(enter("198.51.100.4", "Firefox").await, 1, "the same device elsewhere");
    assert_eq!(enter("203.0.113.7", "Safari").await, 1, "another device at home");
    assert_eq!(enter("192.0.2.1", "curl").await, 2);
}

#[actix_web::test]
async fn anybody_may_tell_a_store_who_they_are() {
    let house = house().await;
    let ada = house.newcomer().await;
    let (store, operation) = house.open_store(&ada, &json!({ "name": "Tea", "country": "GB" })).await;
    let eve = house.newcomer().await;
    let wish = json!({ "store": store["id"] });
    let token = house.post("/v1/store-tokens").by(&eve).body(&wish).send().await.expect(201).json();
    assert!(token["access_token"].is_string() && token["store_url"].is_string(), "{token}");
    house.post("/v1/store-tokens").body(&wish).send().await.refused(401, "unauthenticated");
    let nowhere = json!({ "store": "sto_01h455vb4pex5vsknk084sn02q" });
    house.post("/v1/store-tokens").by(&eve).body(&nowhere).send().await.refused(404, "not_found");
    // A suspended store tells a stranger nothing of its state.
    let path = format!("{}/suspend", crate::testing::path_of(&operation));
    let suspending = house.post(&path).by(&ada).once().send().await.expect(202);
    house.follow(&ada, suspending.header("location")).await;
    house.post("/v1/store-tokens").by(&eve).body(&wish).send().await.refused(404, "not_found");
}

#[actix_web::test]
async fn codes_work_on_when_the_signing_key_is_exchanged() {
    let clock = clock();
    let house = house_alone(clock.clone(), |_| {}).await;
    let ada = house.newcomer().await;
    let (phone, codes) = protect(&house, &ada).await;
    let worker = house.plane.gate().worker("test", "seals anew");
    let key = || souk_access::SigningKey::generate("plane").unwrap();
    let old = souk_access::Vault::new(house.plane.signing(), &[]);
    let ((middle, pem), (new, _)) = (key(), key());
    // Without the old key nothing is opened and nothing is lost.
    assert_eq!(super::reseal(&worker, &souk_access::Vault::new(&new, &[])).await.unwrap(), 0);
    assert_eq!(super::reseal(&worker, &old).await.unwrap(), 0);
    let middle_vault = souk_access::Vault::new(&middle, std::slice::from_ref(house.plane.signing()));
    assert_eq!(super::reseal(&worker, &middle_vault).await.unwrap(), 1);
    assert_eq!(super::reseal(&worker, &middle_vault).await.unwrap(), 0);
    // A plane that lacks the key: the app does not help, a recovery code does.
    pass(&clock, TimeDelta::seconds(30));
    sign_in(&house, &ada.email, Some(&phone.code())).await.refused(403, "second_factor_wrong");
    sign_in(&house, &ada.email, Some(&codes[0])).await.expect(201);
    let former = souk_access::SigningKey::from_pem("plane", &pem).unwrap();
    let back = souk_access::Vault::new(house.plane.signing(), &[former]);
    assert_eq!(super::reseal(&worker, &back).await.unwrap(), 1);
    sign_in(&house, &ada.email, Some(&phone.code())).await.expect(201);
}
