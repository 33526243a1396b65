//! Whose account an identity opens, and who may link one.

use std::time::Duration;

use serde_json::{Value, json};
use souk_openid::test_support::{Liar, header, query, signed};

use super::{Away, Client, Lies as _, Side, landed, named, redeems, stage};
use crate::customers::tests::people::{PASSWORD, People};
use crate::testing::Answer;

const IDENTITIES: &str = "/store/v1/account/identities";
const ADA: &str = "ada@example.com";

/// Somebody who came by the provider: their access token and their id.
async fn comes(people: &People, liar: &Liar, subject: &str, email: &str) -> (String, Value) {
    let (client, ticket) = liar.vouches(&people.shop, Side::Store, subject, email).await;
    let opened = redeems(&people.shop, Side::Store, &ticket, &client).await.expect(201);
    (opened.text("/access_token"), opened.json["account"]["id"].clone())
}

async fn links(
    people: &People,
    bearer: &str,
    ticket: &str,
    client: &Client,
    password: Option<&str>,
) -> Answer {
    let mut wish = json!({ "ticket": ticket, "verifier": client.verifier });
    if let Some(password) = password {
        wish["password"] = json!(password);
    }
    people.post(IDENTITIES, Some(bearer), &wish).await
}

#[actix_web::test]
async fn an_address_is_no_way_into_an_account() {
    let (people, liar) = stage(Side::Store).await;
    let shop = &people.shop;
    let ada = people.customer(ADA).await;
    people.customer("eve@example.com").await;
    // Verified or not: Ada's account is not entered by her address.
    let before = shop.number("SELECT count(*) AS number FROM identities").await;
    let (client, ticket) = liar.vouches(shop, Side::Store, "1", "ADA@example.com").await;
    redeems(shop, Side::Store, &ticket, &client).await.refused(409, "identity_unlinked");
    let away = Away::leaves(shop, Side::Store, "liar").await;
    for claim in [json!(false), json!("false"), json!(1), Value::Null] {
        let away = Away::leaves(shop, Side::Store, "liar").await;
        let mut claims = liar.told(shop, &away, "2", "new@example.com");
        claims["email_verified"] = claim;
        liar.gives(&signed(1, &header(1), &claims));
        let ticket = landed(shop, Side::Store, liar.sends_back(shop, Side::Store, &away).await).unwrap();
        redeems(shop, Side::Store, &ticket, &away.client).await.refused(403, "identity_email_unverified");
        // Not even linked by whoever has the ticket without being Ada.
        links(&people, "", &ticket, &away.client, Some(PASSWORD)).await.refused(401, "unauthenticated");
    }
    assert_eq!(shop.number("SELECT count(*) AS number FROM identities").await, before);
    assert_eq!(shop.number("SELECT count(*) AS number FROM customers").await, 2);
    // The refusal gave the ticket back: Ada, signed in and with her password, links it.
    links(&people, &ada.access, &ticket, &client, None).await.refused(403, "wrong_password");
    links(&people, &ada.access, &ticket, &client, Some("not it at all")).await.refused(403, "wrong_password");
    links(&people, &ada.access, &ticket, &Client::new(), Some(PASSWORD))
        .await
        .refused(410, "ticket_unusable");
    links(&people, &ada.access, &ticket, &client, Some(PASSWORD)).await.expect(204);
    let mail = people.mail().await;
    assert_eq!((mail.template.as_str(), mail.recipient.as_str()), ("customer_identity_linked", ADA));
    assert!(mail.text.contains("can now be signed in to with liar"), "{}", mail.text);
    // Whatever the address says now, it is Ada.
    let (access, id) = comes(&people, &liar, "1", "eve@example.com").await;
    assert_eq!(people.get("/store/v1/account", &access).await.is(200)["email"], ADA);
    assert_eq!(people.get("/store/v1/account", &ada.access).await.is(200)["id"], id);
    drop(away);
}

#[actix_web::test]
async fn an_identity_is_one_customers_and_is_taken_away() {
    let (people, liar) = stage(Side::Store).await;
    let shop = &people.shop;
    let (ada, eve) = (people.customer(ADA).await, people.customer("eve@example.com").await);
    let link = async |who: &str, subject: &str| {
        let (client, ticket) = liar.vouches(shop, Side::Store, subject, "x@example.com").await;
        links(&people, who, &ticket, &client, Some(PASSWORD)).await
    };
    link(&ada.access, "1").await.expect(204);
    link(&ada.access, "1").await.expect(204);
    link(&eve.access, "1").await.refused(409, "identity_taken");
    people.mails().await;
    let shown = people.get(IDENTITIES, &ada.access).await.is(200);
    assert_eq!(
        (
            shown["data"].as_array().unwrap().len(),
            &shown["data"][0]["provider"],
            &shown["data"][0]["subject"]
        ),
        (1, &json!("liar"), &json!("1"))
    );
    assert_eq!(people.get(IDENTITIES, &eve.access).await.is(200)["data"], json!([]));
    let path = format!("{IDENTITIES}/{}", shown["data"][0]["id"].as_str().unwrap());
    people.delete(&path, &eve.access).await.refused(404, "not_found");
    people.delete(&path, &ada.access).await.is(204);
    people.delete(&path, &ada.access).await.refused(404, "not_found");
    assert!(people.mail().await.text.contains("can no longer be signed in to"));
    let (client, ticket) = liar.vouches(shop, Side::Store, "1", ADA).await;
    redeems(shop, Side::Store, &ticket, &client).await.refused(409, "identity_unlinked");
    // Of many who link it at once one gets it.
    let mut tickets = Vec::new();
    for _ in 0..4 {
        tickets.push(liar.vouches(shop, Side::Store, "race", "x@example.com").await);
    }
    let bearers = [&ada.access, &eve.access, &ada.access, &eve.access];
    let tries = tickets
        .iter()
        .zip(bearers)
        .map(|((client, ticket), who)| links(&people, who, ticket, client, Some(PASSWORD)));
    futures_util::future::join_all(tries).await;
    assert_eq!(shop.number("SELECT count(*) AS number FROM identities").await, 1);
}

#[actix_web::test]
async fn who_has_no_password_keeps_a_way_in_and_may_set_one() {
    let (people, liar) = stage(Side::Store).await;
    let shop = &people.shop;
    let (ada, id) = comes(&people, &liar, "1", ADA).await;
    assert_eq!(people.mails().await.len(), 0);
    let shown = people.get(IDENTITIES, &ada).await.is(200);
    let first = format!("{IDENTITIES}/{}", shown["data"][0]["id"].as_str().unwrap());
    people.delete(&first, &ada).await.refused(409, "last_way_in");
    assert_eq!(people.get(IDENTITIES, &ada).await.is(200), shown);
    // There is no password, so none fits; the answer is that of a wrong one.
    let guess = json!({ "email": ADA, "password": PASSWORD });
    people.post("/store/v1/sessions", None, &guess).await.refused(401, "wrong_credentials");
    let gone = json!({ "password": PASSWORD });
    people.send_delete("/store/v1/account", &ada, &gone).await.refused(403, "wrong_password");
    // A second identity, linked without a password because there is none; of two parallel removals one is refused.
    let (client, ticket) = liar.vouches(shop, Side::Store, "2", "x@example.com").await;
    links(&people, &ada, &ticket, &client, None).await.expect(204);
    let shown = people.get(IDENTITIES, &ada).await.is(200);
    let paths: Vec<_> = shown["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|identity| format!("{IDENTITIES}/{}", identity["id"].as_str().unwrap()))
        .collect();
    let answers = futures_util::future::join_all(paths.iter().map(|path| people.delete(path, &ada))).await;
    let mut statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [204, 409]);
    // With a password the last one may go.
    people.mails().await;
    people.post("/store/v1/password-resets", None, &json!({ "email": ADA })).await.is(202);
    let wish = json!({ "token": people.mail().await.secret, "new_password": PASSWORD });
    people.post("/store/v1/password-resets/complete", None, &wish).await.is(204);
    let ada = people.sign_in(ADA, PASSWORD).await;
    let shown = people.get(IDENTITIES, &ada.access).await.is(200);
    let last = format!("{IDENTITIES}/{}", shown["data"][0]["id"].as_str().unwrap());
    people.delete(&last, &ada.access).await.is(204);
    assert_eq!(people.get("/store/v1/account", &ada.access).await.is(200)["id"], id);
}

#[actix_web::test]
async fn a_copy_of_everything_holds_identities_and_forgetting_takes_them() {
    let (people, liar) = stage(Side::Store).await;
    let shop = &people.shop;
    let (ada, id) = comes(&people, &liar, "ada at the provider", ADA).await;
    comes(&people, &liar, "bob", "bob@example.com").await;
    let (client, ticket) = liar.vouches(shop, Side::Store, "ada at the provider", ADA).await;
    let copy = people.get("/store/v1/account/export", &ada).await.is(200);
    assert_eq!(
        (&copy["identities"][0]["subject"], &copy["identities"][0]["issuer"]),
        (&json!("ada at the provider"), &json!(liar.issuer))
    );
    let path = format!("/admin/v1/customers/{}", id.as_str().unwrap());
    let copy = people.get(&format!("{path}/export"), &shop.owner()).await.is(200);
    assert_eq!(copy["identities"].as_array().unwrap().len(), 1);
    people.delete(&path, &shop.owner()).await.is(204);
    let left = "SELECT count(*) AS number FROM identities WHERE subject <> 'bob'";
    assert_eq!(shop.number(left).await, 0);
    for table in ["identities", "sign_in_tickets", "sign_in_flows"] {
        assert!(!people.text_of(table).await.contains("ada at the provider"), "{table}");
    }
    people.a_second().await;
    people.get("/store/v1/account", &ada).await.refused(401, "unauthenticated");
    redeems(shop, Side::Store, &ticket, &client).await.refused(410, "ticket_unusable");
}

#[actix_web::test]
async fn a_disabled_customer_is_not_let_in_by_a_provider() {
    let (people, liar) = stage(Side::Store).await;
    let (_, id) = comes(&people, &liar, "1", ADA).await;
    let path = format!("/admin/v1/customers/{}", id.as_str().unwrap());
    people.patch(&path, &people.shop.owner(), &json!({ "state": "disabled" })).await.is(200);
    let (client, ticket) = liar.vouches(&people.shop, Side::Store, "1", ADA).await;
    let sessions = "SELECT count(*) AS number FROM customer_sessions";
    let before = people.number(sessions).await;
    redeems(&people.shop, Side::Store, &ticket, &client).await.refused(401, "wrong_credentials");
    assert_eq!(people.number(sessions).await, before);
}

#[actix_web::test]
async fn who_has_no_password_proves_who_they_are_at_the_provider() {
    let (people, liar) = stage(Side::Store).await;
    let shop = &people.shop;
    let (email, account) = ("/store/v1/account/email", "/store/v1/account");
    let wish = json!({ "email": "ada@new.example" });
    // Signed in a while ago, and refreshed since: that proves nothing.
    let (client, ticket) = liar.vouches(shop, Side::Store, "1", ADA).await;
    let opened = redeems(shop, Side::Store, &ticket, &client).await.expect(201);
    shop.clock.advance(Duration::from_secs(15 * 60));
    let refresh = json!({ "refresh_token": opened.text("/refresh_token") });
    let renewed = people.post("/store/v1/sessions/refresh", None, &refresh).await.is(200);
    let stale = renewed["access_token"].as_str().unwrap().to_owned();
    // Nor does coming from a provider where one signed in an hour ago.
    let away = Away::leaves(shop, Side::Store, "liar").await;
    let mut claims = liar.told(shop, &away, "1", ADA);
    claims["auth_time"] = json!(shop.clock.now().timestamp() - 3600);
    liar.gives(&signed(1, &header(1), &claims));
    let ticket = landed(shop, Side::Store, liar.sends_back(shop, Side::Store, &away).await).unwrap();
    let tired = redeems(shop, Side::Store, &ticket, &away.client).await.expect(201).text("/access_token");
    let (client, ticket) = liar.vouches(shop, Side::Store, "2", "x@example.com").await;
    let before = shop.digest().await;
    for bearer in [&stale, &tired] {
        people.get(account, bearer).await.is(200);
        let refused = people.post(email, Some(bearer), &wish).await.refused(401, "step_up_required");
        assert!(refused.header("www-authenticate").contains("insufficient_user_authentication"));
        people.send_delete(account, bearer, &json!({})).await.refused(401, "step_up_required");
        links(&people, bearer, &ticket, &client, None).await.refused(401, "step_up_required");
    }
    assert_eq!(shop.digest().await, before);
    // Whoever has a password types it, however lately they came.
    let bob = people.customer("bob@example.com").await;
    people.post(email, Some(&bob.access), &wish).await.refused(403, "wrong_password");
    people.send_delete(account, &bob.access, &json!({})).await.refused(403, "wrong_password");
    people.get(account, &bob.access).await.is(200);
    // Just come from the provider: both mailboxes still have to agree.
    let (fresh, id) = comes(&people, &liar, "1", ADA).await;
    people.mails().await;
    people.post(email, Some(&fresh), &wish).await.is(202);
    let mails = people.mails().await;
    let to: Vec<_> = mails.iter().map(|mail| mail.recipient.as_str()).collect();
    assert_eq!(to, [ADA, "ada@new.example"]);
    for (mail, changed) in mails.iter().zip([false, true]) {
        let token = json!({ "token": mail.secret });
        let answer = people.post("/store/v1/email-changes/confirm", None, &token).await.is(200);
        assert_eq!(answer["changed"], json!(changed));
    }
    let (fresh, again) = comes(&people, &liar, "1", ADA).await;
    assert_eq!(
        (&again, &people.get(account, &fresh).await.is(200)["email"]),
        (&id, &json!("ada@new.example"))
    );
    // And they may go.
    people.send_delete(account, &fresh, &json!({})).await.is(204);
    people.a_second().await;
    people.get(account, &fresh).await.refused(401, "unauthenticated");
    let gone = "SELECT count(*) AS number FROM customers WHERE state = 'erased'";
    assert_eq!(shop.number(gone).await, 1);
    assert_eq!(shop.number("SELECT count(*) AS number FROM identities").await, 0);
}

#[actix_web::test]
async fn one_subject_of_two_issuers_is_two_people() {
    let (people, liar) = stage(Side::Store).await;
    let (shop, other) = (&people.shop, Liar::new().await);
    named(shop, "other", Side::Store, &other.issuer).await;
    let (ada, ada_id) = comes(&people, &liar, "248289761001", ADA).await;
    // The same subject, said by another issuer: the token is good there only.
    let come = async |provider: &str, says: &Liar, email: &str| {
        let away = Away::leaves(shop, Side::Store, provider).await;
        let token = signed(1, &header(1), &says.told(shop, &away, "248289761001", email));
        liar.gives(&token);
        other.gives(&token);
        let back = query(&[("code", "a code"), ("state", &away.of("state"))]);
        let path = format!("/store/v1/sign-in/{provider}/callback?{back}");
        let answer = shop.call("GET", &path).send().await;
        landed(shop, Side::Store, answer).map(|ticket| (away.client, ticket))
    };
    for (provider, says) in [("liar", &other), ("other", &liar)] {
        assert_eq!(come(provider, says, ADA).await.err().as_deref(), Some("refused"), "{provider}");
    }
    // Not even with the address of the first, verified.
    let (client, ticket) = come("other", &other, ADA).await.unwrap();
    redeems(shop, Side::Store, &ticket, &client).await.refused(409, "identity_unlinked");
    let (client, ticket) = come("other", &other, "eve@example.com").await.unwrap();
    let eve = redeems(shop, Side::Store, &ticket, &client).await.expect(201);
    assert_ne!(eve.json["account"]["id"], ada_id);
    assert_eq!(eve.json["account"]["email"], "eve@example.com");
    assert_eq!(people.get("/store/v1/account", &ada).await.is(200)["email"], ADA);
    // Each comes back as who they are.
    let (_, again) = comes(&people, &liar, "248289761001", "eve@example.com").await;
    assert_eq!(again, ada_id);
    let (client, ticket) = come("other", &other, ADA).await.unwrap();
    let again = redeems(shop, Side::Store, &ticket, &client).await.expect(201);
    assert_eq!(again.json["account"]["id"], eve.json["account"]["id"]);
    assert_eq!(shop.number("SELECT count(*) AS number FROM customers").await, 2);
}
