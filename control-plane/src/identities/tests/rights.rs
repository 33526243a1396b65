//! Whose account an identity opens, and who may link one.

use chrono::TimeDelta;
use serde_json::{Value, json};
use souk_kernel::Clock;
use souk_openid::test_support::{Liar, header, signed};

use super::{Away, Lies as _, config, landed, links, person, redeems, traces};
use crate::testing::{Doors, House, PASSWORD, Person, a_second, clock, house_beside, pass};

const IDENTITIES: &str = "/v1/account/identities";

async fn stage(clock: Clock) -> (House<impl Doors>, Liar) {
    let liar = Liar::new().await;
    let issuer = liar.issuer.clone();
    (house_beside(clock, vec![config("liar", &issuer)]).await, liar)
}

/// Somebody who came by the provider, and has no password.
async fn comes<S: Doors>(house: &House<S>, liar: &Liar, subject: &str, email: &str) -> Person {
    let (away, ticket) = liar.vouches(house, subject, email).await;
    person(&redeems(house, &ticket, &away.client).send().await.expect(201).json())
}

fn address(liar: &Liar) -> String {
    format!("ada-{}@example.com", liar.issuer.rsplit(':').next().unwrap())
}

#[actix_web::test]
async fn issuer_and_subject_say_who_it_is_whatever_the_address() {
    let (house, liar) = stage(clock()).await;
    let email = address(&liar);
    let ada = comes(&house, &liar, "1", &email).await;
    // The address at the provider changed, and is another's now: it is Ada all the same.
    let eve = house.newcomer().await;
    let again = comes(&house, &liar, "1", &eve.email).await;
    assert_eq!((again.account.as_str(), again.email.as_str()), (ada.account.as_str(), email.as_str()));
    let shown = house.get(IDENTITIES).by(&ada).send().await.expect(200).json();
    assert_eq!(
        (&shown["data"][0]["provider"], &shown["data"][0]["email"]),
        (&json!("liar"), &json!(eve.email))
    );
    assert!(shown["data"][0].get("subject").is_none() && shown["data"].as_array().unwrap().len() == 1);
    // Another subject under Ada's address is not Ada.
    let (away, ticket) = liar.vouches(&house, "2", &email).await;
    redeems(&house, &ticket, &away.client).send().await.refused(409, "identity_unlinked");
}

#[actix_web::test]
async fn an_address_that_is_claimed_opens_nothing() {
    let (house, liar) = stage(clock()).await;
    let ada = house.newcomer().await;
    let free = address(&liar);
    // Verified and taken: there is a way, but it leads through the account.
    let (away, ticket) = liar.vouches(&house, "1", &ada.email).await;
    redeems(&house, &ticket, &away.client).send().await.refused(409, "identity_unlinked");
    // Not verified: the answer is the same whether anybody has the address.
    let mut said = Vec::new();
    for (email, verified) in [
        (ada.email.as_str(), json!(false)),
        (free.as_str(), json!(false)),
        (ada.email.as_str(), Value::Null),
        (free.as_str(), json!("no")),
    ] {
        let away = Away::leaves(&house, "liar").await;
        let mut claims = liar.told(&house, &away, "2", email);
        claims["email_verified"] = verified;
        liar.gives(&signed(1, &header(1), &claims));
        let ticket = landed(liar.sends_back(&house, &away).await).unwrap();
        let told = redeems(&house, &ticket, &away.client).send().await;
        let mut told = told.refused(403, "identity_email_unverified").json();
        told["request_id"] = Value::Null;
        said.push(told);
    }
    assert!(said.windows(2).all(|pair| pair[0] == pair[1]));
    let identities = "SELECT count(*) FROM control.identities WHERE issuer = $1";
    assert_eq!(house.count(identities, &[&liar.issuer]).await, 0);
    house.sign_in(&ada.email, PASSWORD).await;
    let accounts = "SELECT count(*) FROM control.accounts WHERE email = $1";
    assert_eq!(house.count(accounts, &[&free]).await, 0);
}

#[actix_web::test]
async fn the_userinfo_is_asked_where_the_token_is_silent_and_must_be_about_the_same_person() {
    let (house, liar) = stage(clock()).await;
    let email = address(&liar);
    let come = async |userinfo: Value| {
        liar.script().userinfo = userinfo;
        let away = Away::leaves(&house, "liar").await;
        let mut claims = liar.told(&house, &away, "1", &email);
        for name in ["email", "email_verified", "name"] {
            claims.as_object_mut().unwrap().remove(name);
        }
        liar.gives(&signed(1, &header(1), &claims));
        landed(liar.sends_back(&house, &away).await).map(|ticket| (away, ticket))
    };
    let about = |sub: &str| json!({ "sub": sub, "email": email, "email_verified": true, "name": "Ada" });
    assert_eq!(come(about("2")).await.err(), Some("refused".into()));
    assert_eq!(come(json!({ "email": email })).await.err(), Some("refused".into()));
    assert_eq!(traces(&house, &liar.issuer, &email).await, 0);
    let (away, ticket) = come(about("1")).await.unwrap();
    let tokens = redeems(&house, &ticket, &away.client).send().await.expect(201).json();
    assert_eq!((&tokens["account"]["email"], &tokens["account"]["name"]), (&json!(email), &json!("Ada")));
}

#[actix_web::test]
async fn an_identity_is_linked_by_whoever_is_signed_in_and_proved() {
    let (house, liar) = stage(clock()).await;
    let (ada, eve) = (house.newcomer().await, house.newcomer().await);
    let (away, ticket) = liar.vouches(&house, "1", &address(&liar)).await;
    let wish = json!({ "ticket": ticket, "verifier": away.client.verifier });
    house.post(IDENTITIES).body(&wish).send().await.refused(401, "unauthenticated");
    let old = "UPDATE control.sessions SET proved_at = now() - interval '16 minutes' WHERE account_id = (SELECT id FROM control.accounts WHERE email = $1)";
    house.rows().await.execute(old, &[&ada.email]).await.unwrap();
    a_second().await;
    links(&house, &ticket, &away.client, &ada).send().await.refused(401, "step_up_required");
    let proof = json!({ "password": PASSWORD });
    house.post("/v1/sessions/current/proof").by(&ada).body(&proof).send().await.expect(204);
    links(&house, &ticket, &super::Client::new(), &ada).send().await.refused(410, "ticket_unusable");
    links(&house, &ticket, &away.client, &ada).send().await.expect(204);
    assert!(house.mailed(&ada.email).await[0].contains("can now be signed in to with liar"));
    // It signs Ada in, and is nobody else's any more.
    let entered = comes(&house, &liar, "1", "whatever@example.com").await;
    assert_eq!(entered.account, ada.account);
    let (away, ticket) = liar.vouches(&house, "1", "whatever@example.com").await;
    links(&house, &ticket, &away.client, &eve).send().await.refused(409, "identity_taken");
    let (away, ticket) = liar.vouches(&house, "1", "whatever@example.com").await;
    links(&house, &ticket, &away.client, &ada).send().await.expect(204);
    let shown = house.get(IDENTITIES).by(&ada).send().await.expect(200).json();
    let identity = format!("{IDENTITIES}/{}", shown["data"][0]["id"].as_str().unwrap());
    house.delete(&identity).by(&eve).send().await.refused(404, "not_found");
    house.delete(&identity).by(&ada).send().await.expect(204);
    house.delete(&identity).by(&ada).send().await.refused(404, "not_found");
    assert!(house.mailed(&ada.email).await[0].contains("can no longer be signed in to"));
    let (away, ticket) = liar.vouches(&house, "1", &ada.email).await;
    redeems(&house, &ticket, &away.client).send().await.refused(409, "identity_unlinked");
}

#[actix_web::test]
async fn who_has_no_password_keeps_a_way_in_and_may_set_one() {
    let (house, liar) = stage(clock()).await;
    let email = address(&liar);
    let ada = comes(&house, &liar, "1", &email).await;
    let shown = house.get(IDENTITIES).by(&ada).send().await.expect(200).json();
    let identity = format!("{IDENTITIES}/{}", shown["data"][0]["id"].as_str().unwrap());
    house.delete(&identity).by(&ada).send().await.refused(409, "last_way_in");
    assert_eq!(house.get(IDENTITIES).by(&ada).send().await.expect(200).json(), shown);
    // There is no password, so none fits; the answer is that of a wrong one.
    for password in ["", PASSWORD] {
        let guess = json!({ "email": email, "password": password });
        house.post("/v1/sessions").body(&guess).send().await.refused(401, "wrong_credentials");
    }
    let proof = json!({ "password": PASSWORD });
    house.post("/v1/sessions/current/proof").by(&ada).body(&proof).send().await.refused(409, "no_password");
    house.post("/v1/password-resets").body(&json!({ "email": email })).send().await.expect(202);
    let token = house.mailed_token(&email, "reset-password").await;
    let wish = json!({ "token": token, "new_password": PASSWORD });
    house.post("/v1/password-resets/complete").body(&wish).send().await.expect(204);
    let ada = house.sign_in(&email, PASSWORD).await;
    house.delete(&identity).by(&ada).send().await.expect(204);
    // Leaving forgets identities too.
    let (away, ticket) = liar.vouches(&house, "1", "other@example.com").await;
    links(&house, &ticket, &away.client, &ada).send().await.expect(204);
    house.delete("/v1/account").by(&ada).body(&proof).send().await.expect(204);
    let left = "SELECT count(*) FROM control.identities WHERE issuer = $1";
    assert_eq!(house.count(left, &[&liar.issuer]).await, 0);
}

#[actix_web::test]
async fn a_second_factor_is_asked_for_behind_a_ticket_too() {
    let clock = clock();
    let (house, liar) = stage(clock.clone()).await;
    let email = address(&liar);
    let ada = comes(&house, &liar, "1", &email).await;
    house.post("/v1/password-resets").body(&json!({ "email": email })).send().await.expect(202);
    let token = house.mailed_token(&email, "reset-password").await;
    let wish = json!({ "token": token, "new_password": PASSWORD });
    house.post("/v1/password-resets/complete").body(&wish).send().await.expect(204);
    let ada = house.sign_in(&ada.email, PASSWORD).await;
    let wish = json!({ "password": PASSWORD });
    let enrolment =
        house.post("/v1/account/second-factor").by(&ada).body(&wish).send().await.expect(201).json();
    let phone = totp_rs::Totp::from_url(enrolment["uri"].as_str().unwrap()).unwrap();
    let code = || phone.generate(u64::try_from(clock.now().timestamp()).unwrap()).to_string();
    let first = json!({ "code": code() });
    house.post("/v1/account/second-factor/confirm").by(&ada).body(&first).send().await.expect(201);
    pass(&clock, TimeDelta::seconds(30));
    let (away, ticket) = liar.vouches(&house, "1", &email).await;
    redeems(&house, &ticket, &away.client).send().await.refused(403, "second_factor_required");
    let with = |code: &str| json!({ "ticket": ticket, "verifier": away.client.verifier, "code": code });
    let enter = async |wish: &Value| house.post("/v1/sessions/identity").body(wish).send().await;
    enter(&with("000000")).await.refused(403, "second_factor_wrong");
    let tokens = enter(&with(&code())).await.expect(201).json();
    assert_eq!(tokens["account"]["id"], json!(ada.account));
    // Guesses are counted like anywhere.
    let (away, ticket) = liar.vouches(&house, "1", &email).await;
    let guess = json!({ "ticket": ticket, "verifier": away.client.verifier, "code": "000000" });
    let mut statuses = Vec::new();
    for _ in 0..12 {
        statuses.push(enter(&guess).await.status);
    }
    assert!(statuses.contains(&403) && statuses[11] == 429, "{statuses:?}");
}

#[actix_web::test]
async fn signed_in_at_the_provider_long_ago_is_no_proof_of_now() {
    let (house, liar) = stage(clock()).await;
    let email = address(&liar);
    let come = async |ago: i64| {
        let away = Away::leaves(&house, "liar").await;
        let mut claims = liar.told(&house, &away, "1", &email);
        claims["auth_time"] = json!(house.plane.clock().now().timestamp() - ago);
        liar.gives(&signed(1, &header(1), &claims));
        let ticket = landed(liar.sends_back(&house, &away).await).unwrap();
        person(&redeems(&house, &ticket, &away.client).send().await.expect(201).json())
    };
    let wish = json!({ "ticket": "x", "verifier": "x" });
    let old = come(3600).await;
    house.get(IDENTITIES).by(&old).send().await.expect(200);
    house.post(IDENTITIES).by(&old).body(&wish).send().await.refused(401, "step_up_required");
    let fresh = come(5).await;
    house.post(IDENTITIES).by(&fresh).body(&wish).send().await.refused(410, "ticket_unusable");
}

#[actix_web::test]
async fn one_subject_of_two_issuers_is_two_accounts() {
    const SUBJECT: &str = "248289761001";
    let (first, second, clock) = (Liar::new().await, Liar::new().await, clock());
    let here = house_beside(clock.clone(), vec![config("liar", &first.issuer)]).await;
    let there = house_beside(clock, vec![config("liar", &second.issuer)]).await;
    let ada = comes(&here, &first, SUBJECT, &address(&first)).await;
    let eve = comes(&there, &second, SUBJECT, &address(&second)).await;
    assert_ne!(ada.account, eve.account);
    // Whatever address the one issuer says now, it is not the other's person.
    let again = comes(&there, &second, SUBJECT, &ada.email).await;
    assert_eq!((again.account, again.email), (eve.account, eve.email.clone()));
    let again = comes(&here, &first, SUBJECT, &eve.email).await;
    assert_eq!((again.account, again.email), (ada.account, ada.email));
}

#[actix_web::test]
async fn a_provider_must_have_asked_for_a_second_factor_where_its_file_says_so() {
    let liar = Liar::new().await;
    let strict = souk_openid::ProviderConfig { require_multi_factor: true, ..config("liar", &liar.issuer) };
    let house = house_beside(clock(), vec![strict]).await;
    let email = address(&liar);
    let come = async |methods: Value| {
        let away = Away::leaves(&house, "liar").await;
        let mut claims = liar.told(&house, &away, "1", &email);
        claims["amr"] = methods;
        liar.gives(&signed(1, &header(1), &claims));
        landed(liar.sends_back(&house, &away).await).map(|ticket| (away, ticket))
    };
    for methods in [Value::Null, json!([]), json!(["pwd"])] {
        assert_eq!(come(methods).await.err().as_deref(), Some("second_factor"));
    }
    assert_eq!(traces(&house, &liar.issuer, &email).await, 0);
    let (away, ticket) = come(json!(["pwd", "mfa"])).await.unwrap();
    redeems(&house, &ticket, &away.client).send().await.expect(201);
}
