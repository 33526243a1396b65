//! People who work in a store and whom its provider vouches for.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use serde_json::{Value, json};
use souk_kernel::AccountId;
use souk_openid::test_support::{Liar, header, signed};

use super::{Away, Client, Lies as _, PROVIDERS, Side, landed, redeems, stage};
use crate::customers::tests::people::People;

const OWN: &str = "/admin/v1/account/identities";
const REFRESH: &str = "/admin/v1/sessions/refresh";
const JOIN: &str = "/admin/v1/staff-invitations/accept-with-identity";

/// The secret of an invitation to this role.
async fn invited(people: &People, email: &str, role: &str) -> String {
    let wish = json!({ "email": email, "role": role });
    people.post("/admin/v1/staff-invitations", Some(&people.shop.owner()), &wish).await.is(201);
    people.mail().await.secret
}

/// Somebody who joined by their identity and has no account: their token and their id.
pub(super) async fn joins(people: &People, liar: &Liar, subject: &str, role: &str) -> (String, String) {
    let secret = invited(people, &format!("{subject}@example.com"), role).await;
    let (client, ticket) = liar.vouches(&people.shop, Side::Admin, subject, "whatever@example.com").await;
    let wish = json!({ "token": secret, "ticket": ticket, "verifier": client.verifier, "name": "Charles" });
    let joined = people.post(JOIN, None, &wish).await.is(201);
    assert_eq!((&joined["staff"]["role"], &joined["token_type"]), (&json!(role), &json!("Bearer")));
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&joined["access_token"]), text(&joined["staff"]["id"]))
}

pub(super) async fn enters(people: &People, liar: &Liar, subject: &str) -> String {
    let (client, ticket) = liar.vouches(&people.shop, Side::Admin, subject, "whatever@example.com").await;
    redeems(&people.shop, Side::Admin, &ticket, &client).await.expect(201).text("/access_token")
}

/// How long it takes until a token is refused.
pub(super) async fn refused_within_a_second(people: &People, token: &str) {
    let begun = Instant::now();
    while people.get("/admin/v1/orders", token).await.status != 401 {
        assert!(begun.elapsed() < Duration::from_millis(1000), "still let in");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[actix_web::test]
async fn an_invited_colleague_joins_and_works_without_an_account() {
    let (people, liar) = stage(Side::Admin).await;
    let offered = people.get("/admin/v1/sign-in", "").await.is(200);
    let url = format!("http://{}/admin/v1/sign-in/liar", people.shop.store.host);
    assert_eq!(offered["data"], json!([{ "id": "liar", "name": "A provider", "sign_in_url": url }]));
    let (token, id) = joins(&people, &liar, "charles", "support").await;
    people.get("/admin/v1/orders", &token).await.is(200);
    people.get("/admin/v1/settings", &token).await.refused(403, "forbidden");
    let again = enters(&people, &liar, "charles").await;
    people.get("/admin/v1/orders", &again).await.is(200);
    // What they do is told under their name.
    let told = people.get("/admin/v1/audit-entries", &people.shop.owner()).await.is(200);
    let joined =
        told["data"].as_array().unwrap().iter().find(|entry| entry["action"] == "staff.joined").cloned();
    assert_eq!(joined.unwrap()["actor"], json!(format!("staff:{id}")));
    // The token is this store's, and dies after 15 minutes.
    let there = People::open().await;
    there.get("/admin/v1/orders", &again).await.refused(401, "unauthenticated");
    people.shop.clock.advance(Duration::from_secs(15 * 60 + 61));
    people.get("/admin/v1/orders", &again).await.refused(401, "unauthenticated");
}

#[actix_web::test]
async fn nobody_works_here_because_a_provider_says_so() {
    let (people, liar) = stage(Side::Admin).await;
    let shop = &people.shop;
    let before = shop.digest().await;
    // The owner's own address, verified: it opens nothing.
    let (client, ticket) = liar.vouches(shop, Side::Admin, "eve", "owner@example.com").await;
    redeems(shop, Side::Admin, &ticket, &client).await.refused(403, "identity_unknown");
    let (customer, opened) = liar.vouches(shop, Side::Admin, "eve", "owner@example.com").await;
    redeems(shop, Side::Store, &opened, &customer).await.refused(410, "ticket_unusable");
    let join = |secret: &str, ticket: &str, verifier: &str| json!({ "token": secret, "ticket": ticket, "verifier": verifier, "name": "Eve" });
    let guess = souk_access::LinkSecret::mint().unwrap();
    people
        .post(JOIN, None, &join(guess.expose(), &ticket, &client.verifier))
        .await
        .refused(410, "invitation_unusable");
    let changed: Vec<_> = shop
        .digest()
        .await
        .into_iter()
        .zip(before)
        .filter(|(now, was)| now != was)
        .map(|(now, _)| now.split(' ').next().unwrap().to_owned())
        .collect();
    assert_eq!(changed, ["sign_in_flows", "sign_in_tickets"]);
    // An invitation is accepted once, and by one person.
    let secret = invited(&people, "charles@example.com", "viewer").await;
    people
        .post(JOIN, None, &join(&secret, &ticket, &Client::new().verifier))
        .await
        .refused(410, "ticket_unusable");
    people.post(JOIN, None, &join(&secret, &ticket, &client.verifier)).await.is(201);
    let (client, ticket) = liar.vouches(shop, Side::Admin, "mallory", "m@example.com").await;
    people
        .post(JOIN, None, &join(&secret, &ticket, &client.verifier))
        .await
        .refused(410, "invitation_unusable");
    // Who works here already does not join again under another name.
    let second = invited(&people, "second@example.com", "manager").await;
    let (client, ticket) = liar.vouches(shop, Side::Admin, "eve", "m@example.com").await;
    people.post(JOIN, None, &join(&second, &ticket, &client.verifier)).await.refused(409, "identity_taken");
    assert_eq!(shop.number("SELECT count(*) AS number FROM staff").await, 2);
}

#[actix_web::test]
async fn a_colleague_with_an_account_links_an_identity_and_takes_it_away() {
    let (people, liar) = stage(Side::Admin).await;
    let shop = &people.shop;
    let owner = shop.owner();
    let (client, ticket) = liar.vouches(shop, Side::Admin, "owner elsewhere", "x@example.com").await;
    let wish = json!({ "ticket": ticket, "verifier": client.verifier });
    people.post(OWN, None, &wish).await.refused(401, "unauthenticated");
    let account = AccountId::from_uuid(shop.store.owner_account);
    let stale = shop.staff_token_proved(account, Some(shop.clock.now() - TimeDelta::minutes(16)));
    people.post(OWN, Some(&stale), &wish).await.refused(401, "step_up_required");
    people.get(OWN, &stale).await.is(200);
    people.post(OWN, Some(&owner), &wish).await.is(204);
    let entered = enters(&people, &liar, "owner elsewhere").await;
    // The same person, with all they may.
    people.get("/admin/v1/staff", &entered).await.is(200);
    let shown = people.get(OWN, &entered).await.is(200);
    assert_eq!(shown["data"][0]["subject"], "owner elsewhere");
    let path = format!("{OWN}/{}", shown["data"][0]["id"].as_str().unwrap());
    // Nobody else's: a customer, a key, another colleague.
    let (charles, _) = joins(&people, &liar, "charles", "viewer").await;
    people.delete(&path, &charles).await.refused(404, "not_found");
    people.mails().await;
    let ada = people.customer("ada@example.com").await;
    people.get(OWN, &ada.access).await.refused(403, "forbidden");
    let key = json!({ "name": "k", "kind": "secret", "scopes": ["staff:*", "order:*"] });
    let key = people.post("/admin/v1/api-keys", Some(&owner), &key).await.is(201);
    people.get(OWN, key["secret"].as_str().unwrap()).await.refused(403, "forbidden");
    // A viewer sees their own, whatever the role holds, and the last way in stays.
    let own = people.get(OWN, &charles).await.is(200);
    let last = format!("{OWN}/{}", own["data"][0]["id"].as_str().unwrap());
    people.delete(&last, &charles).await.refused(409, "last_way_in");
    people.delete(&path, &owner).await.is(204);
    refused_within_a_second(&people, &entered).await;
    people.get("/admin/v1/orders", &owner).await.is(200);
    let (client, ticket) = liar.vouches(shop, Side::Admin, "owner elsewhere", "x@example.com").await;
    redeems(shop, Side::Admin, &ticket, &client).await.refused(403, "identity_unknown");
}

#[actix_web::test]
async fn what_a_provider_opened_closes_within_a_second() {
    let (people, liar) = stage(Side::Admin).await;
    let owner = people.shop.owner();
    let (first, id) = joins(&people, &liar, "charles", "manager").await;
    people.get("/admin/v1/orders", &first).await.is(200);
    // Another role: the token of the old one is over.
    let path = format!("/admin/v1/staff/{id}");
    people.patch(&path, &owner, &json!({ "role": "viewer" })).await.is(200);
    refused_within_a_second(&people, &first).await;
    let second = enters(&people, &liar, "charles").await;
    people.get("/admin/v1/orders", &second).await.is(200);
    // The provider is disabled.
    let provider = format!("{PROVIDERS}/liar");
    people.patch(&provider, &owner, &json!({ "enabled": false })).await.is(200);
    refused_within_a_second(&people, &second).await;
    people.patch(&provider, &owner, &json!({ "enabled": true })).await.is(200);
    let third = enters(&people, &liar, "charles").await;
    people.get("/admin/v1/orders", &third).await.is(200);
    // They are let go; the identity is free to join anew.
    people.delete(&path, &owner).await.is(204);
    refused_within_a_second(&people, &third).await;
    let (client, ticket) = liar.vouches(&people.shop, Side::Admin, "charles", "x@example.com").await;
    redeems(&people.shop, Side::Admin, &ticket, &client).await.refused(403, "identity_unknown");
    people.mails().await;
    let (again, other) = joins(&people, &liar, "charles", "viewer").await;
    assert_ne!(other, id);
    people.get("/admin/v1/orders", &again).await.is(200);
}

#[actix_web::test]
async fn signed_in_at_the_provider_long_ago_is_no_proof_of_now() {
    let (people, liar) = stage(Side::Admin).await;
    let shop = &people.shop;
    let (client, ticket) = liar.vouches(shop, Side::Admin, "owner", "x@example.com").await;
    let wish = json!({ "ticket": ticket, "verifier": client.verifier });
    people.post(OWN, Some(&shop.owner()), &wish).await.is(204);
    let come = async |ago: i64| {
        let away = Away::leaves(shop, Side::Admin, "liar").await;
        let mut claims = liar.told(shop, &away, "owner", "x@example.com");
        claims["auth_time"] = json!(shop.clock.now().timestamp() - ago);
        liar.gives(&signed(1, &header(1), &claims));
        let ticket = landed(shop, Side::Admin, liar.sends_back(shop, Side::Admin, &away).await).unwrap();
        redeems(shop, Side::Admin, &ticket, &away.client).await.expect(201).text("/access_token")
    };
    let key = json!({ "name": "k", "kind": "secret", "scopes": [] });
    let old = come(3600).await;
    people.get("/admin/v1/api-keys", &old).await.is(200);
    people.post("/admin/v1/api-keys", Some(&old), &key).await.refused(401, "step_up_required");
    people.post("/admin/v1/api-keys", Some(&come(5).await), &key).await.is(201);
}

#[actix_web::test]
async fn a_colleague_stays_signed_in_for_a_day_and_no_longer() {
    let (people, liar) = stage(Side::Admin).await;
    let (client, ticket) = {
        joins(&people, &liar, "charles", "support").await;
        liar.vouches(&people.shop, Side::Admin, "charles", "x@example.com").await
    };
    let entered = redeems(&people.shop, Side::Admin, &ticket, &client).await.expect(201);
    let (first, access) = (entered.text("/refresh_token"), entered.text("/access_token"));
    let exchange = async |token: &str| people.post(REFRESH, None, &json!({ "refresh_token": token })).await;
    people.shop.clock.advance(Duration::from_secs(15 * 60 + 61));
    people.get("/admin/v1/orders", &access).await.refused(401, "unauthenticated");
    let renewed = exchange(&first).await.is(200);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    people.get("/admin/v1/orders", &text(&renewed["access_token"])).await.is(200);
    assert_eq!(renewed["refresh_token_expires_at"], entered.json["refresh_token_expires_at"]);
    // Used twice: somebody has a copy, so the family ends.
    exchange(&first).await.refused(401, "refresh_refused");
    exchange(&text(&renewed["refresh_token"])).await.refused(401, "refresh_refused");
    for nonsense in ["", "rt_nonsense", &text(&renewed["access_token"])] {
        exchange(nonsense).await.refused(401, "refresh_refused");
    }
    // The day is over, however often it was refreshed.
    let second = comes(&people, &liar, "charles").await;
    people.shop.clock.advance(Duration::from_secs(11 * 3600));
    let renewed = exchange(&second).await.is(200);
    people.shop.clock.advance(Duration::from_secs(3600));
    exchange(&text(&renewed["refresh_token"])).await.refused(401, "refresh_refused");
}

/// The refresh token of somebody who comes from the provider.
async fn comes(people: &People, liar: &Liar, subject: &str) -> String {
    let (client, ticket) = liar.vouches(&people.shop, Side::Admin, subject, "whatever@example.com").await;
    redeems(&people.shop, Side::Admin, &ticket, &client).await.expect(201).text("/refresh_token")
}

#[actix_web::test]
async fn of_parallel_refreshes_of_a_colleague_one_wins_and_signing_out_ends_it() {
    let (people, liar) = stage(Side::Admin).await;
    let (_, id) = joins(&people, &liar, "charles", "support").await;
    let token = comes(&people, &liar, "charles").await;
    let wish = json!({ "refresh_token": token });
    let answers = futures_util::future::join_all((0..8).map(|_| people.post(REFRESH, None, &wish))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    // Signed out: this token and every one after it.
    let wish = json!({ "refresh_token": comes(&people, &liar, "charles").await });
    for _ in 0..2 {
        people.post("/admin/v1/sessions/sign-out", None, &wish).await.is(204);
    }
    people.post(REFRESH, None, &wish).await.refused(401, "refresh_refused");
    // Another store knows nothing of it, and another role ends it.
    let wish = json!({ "refresh_token": comes(&people, &liar, "charles").await });
    People::open().await.post(REFRESH, None, &wish).await.refused(401, "refresh_refused");
    let path = format!("/admin/v1/staff/{id}");
    people.patch(&path, &people.shop.owner(), &json!({ "role": "viewer" })).await.is(200);
    people.post(REFRESH, None, &wish).await.refused(401, "refresh_refused");
}

#[actix_web::test]
async fn a_colleague_is_told_of_a_device_that_nobody_knows() {
    let (people, liar) = stage(Side::Admin).await;
    let shop = &people.shop;
    shop.admin("UPDATE {s}.store_settings SET locale = 'en'").await;
    let (_, id) = joins(&people, &liar, "charles", "support").await;
    enters(&people, &liar, "charles").await;
    assert!(people.mails().await.is_empty(), "neither the first device nor the same again is news");
    // One of the two that is known is enough.
    shop.admin("UPDATE {s}.staff_sessions SET user_agent = 'An engine'").await;
    enters(&people, &liar, "charles").await;
    assert!(people.mails().await.is_empty());
    shop.admin("UPDATE {s}.staff_sessions SET user_agent = 'An engine', network = '203.0.113.7'").await;
    enters(&people, &liar, "charles").await;
    let mail = people.mail().await;
    assert_eq!(
        (mail.template.as_str(), mail.recipient.as_str()),
        ("staff_new_device", "charles@example.com")
    );
    assert!(mail.text.contains("Hello Charles,") && mail.text.contains("    local"), "{}", mail.text);
    let told = shop.told().await.into_iter().filter(|kind| kind == "staff.new_device").count();
    assert_eq!(told, 1);
    enters(&people, &liar, "charles").await;
    assert!(people.mails().await.is_empty(), "told once, it is known");

    // Devices are known for 30 days after the session's end, and not for ever.
    let forgets = async || {
        let worker = shop.gate.worker(shop.store.id, "test", "forgets").unwrap();
        let forget = async |tx: &mut souk_tenancy::WriteTx<'_>| {
            Ok::<_, souk_tenancy::TenancyError>(crate::identities::forget(tx, 5000).await?)
        };
        worker.write("test.forget", forget).await.unwrap();
        shop.number("SELECT count(*) AS number FROM staff_sessions").await
    };
    let known = shop.number("SELECT count(*) AS number FROM staff_sessions").await;
    shop.clock.advance(Duration::from_secs(29 * 24 * 3600));
    assert_eq!(forgets().await, known);
    shop.clock.advance(Duration::from_secs(2 * 24 * 3600));
    assert_eq!(forgets().await, 0);

    // Somebody who was let go meanwhile is written to no more.
    enters(&people, &liar, "charles").await;
    shop.admin("UPDATE {s}.staff_sessions SET user_agent = 'An engine', network = '203.0.113.7'").await;
    enters(&people, &liar, "charles").await;
    people.delete(&format!("/admin/v1/staff/{id}"), &shop.owner()).await.is(204);
    assert!(people.mails().await.is_empty());
}
