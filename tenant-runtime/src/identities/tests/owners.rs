//! What owners say about providers.

use serde_json::{Value, json};
use souk_openid::test_support::{CLIENT_SECRET, Liar, header, signed};

use super::{Away, Lies as _, PROVIDERS, Side, named, redeems, wish};
use crate::testing::TestShop;

#[actix_web::test]
async fn a_secret_is_sealed_never_shown_and_reaches_the_provider() {
    let (shop, liar) = (TestShop::open(None).await, Liar::new().await);
    let made = named(&shop, "liar", Side::Store, &liar.issuer).await;
    let callback = format!("http://{}/store/v1/sign-in/liar/callback", shop.store.host);
    assert_eq!(
        (&made.json["callback_url"], &made.json["has_secret"], &made.json["audience"], &made.json["scopes"]),
        (&json!(callback), &json!(true), &json!("customers"), &json!(["openid", "email", "profile"]))
    );
    let path = format!("{PROVIDERS}/liar");
    for answer in [
        made,
        shop.owner_call("GET", PROVIDERS).send().await.expect(200),
        shop.owner_call("GET", &path).send().await.expect(200),
        shop.owner_call("GET", "/admin/v1/audit-entries").send().await.expect(200),
    ] {
        assert!(!String::from_utf8_lossy(&answer.bytes).contains(CLIENT_SECRET));
    }
    // It is not in the database either, and each store has a key of its own.
    let kept = "SELECT count(*) AS number FROM identity_providers WHERE secret IS NOT NULL AND position('a secret of ours'::bytea IN secret) = 0";
    assert_eq!(shop.number(kept).await, 1);
    let there = TestShop::open(None).await;
    named(&there, "liar", Side::Store, &liar.issuer).await;
    let keys = "SELECT secret_key AS word FROM identity_providers";
    assert_ne!(shop.words(keys).await, there.words(keys).await);
    // What another store sealed opens nothing here.
    there
        .admin(&format!(
            "UPDATE {{s}}.identity_providers SET secret = o.secret, secret_key = o.secret_key, version = 9 FROM {}.identity_providers o",
            shop.store.schema
        ))
        .await;
    let begin = format!("/store/v1/sign-in/liar?challenge={}", super::Client::new().challenge());
    there.call("GET", &begin).send().await.refused(503, "identity_provider_away");
    // The provider is shown it, in the header.
    liar.vouches(&shop, Side::Store, "1", "ada@example.com").await;
    assert!(liar.script().exchanged[0]["authorization"].starts_with("Basic "));
}

#[actix_web::test]
async fn providers_are_changed_with_care() {
    let (shop, liar, other) = (TestShop::open(None).await, Liar::new().await, Liar::new().await);
    named(&shop, "liar", Side::Store, &liar.issuer).await;
    let again = shop.owner_call("POST", PROVIDERS).json(&wish("liar", Side::Admin, &liar.issuer));
    again.send().await.refused(409, "conflict");
    let path = format!("{PROVIDERS}/liar");
    let shown = shop.owner_call("GET", &path).send().await.expect(200);
    let etag = shown.header("etag").to_owned();
    let edit = |body: Value| shop.owner_call("PATCH", &path).json(&body);
    // Another issuer is not given the old one's secret.
    let before = shop.digest().await;
    edit(json!({ "issuer": other.issuer }))
        .send()
        .await
        .refused(422, "validation_failed")
        .about("/client_secret");
    edit(json!({ "name": "x" })).header("if-match", "\"9\"").send().await.refused(412, "precondition_failed");
    edit(json!({ "scopes": ["email"] })).send().await.refused(422, "validation_failed").about("/scopes");
    edit(json!({ "audience": "staff" })).send().await.refused(422, "unknown_field").about("/audience");
    for (name, value) in [
        ("id", json!("No Such Id")),
        ("client_id", json!("")),
        ("client_secret", json!("")),
        ("name", json!("")),
        ("audience", json!("everybody")),
    ] {
        let mut bad = wish("second", Side::Store, &liar.issuer);
        bad[name] = value;
        let pointer = format!("/{name}");
        shop.owner_call("POST", PROVIDERS)
            .json(&bad)
            .send()
            .await
            .refused(422, "validation_failed")
            .about(&pointer);
    }
    assert_eq!(shop.digest().await, before);
    let changed = edit(json!({ "name": "Liars & Co", "enabled": false })).header("if-match", &etag);
    assert_eq!(changed.send().await.expect(200).json["name"], "Liars & Co");
    // Disabled: not on offer, nobody is sent there, and a ticket from before opens nothing.
    let offered = shop.call("GET", "/store/v1/identity-providers").send().await.expect(200);
    assert_eq!(offered.data().len(), 0);
    edit(json!({ "enabled": true })).send().await.expect(200);
    let offered = shop.call("GET", "/store/v1/identity-providers").send().await.expect(200);
    let url = format!("http://{}/store/v1/sign-in/liar", shop.store.host);
    assert_eq!(offered.data()[..], [json!({ "id": "liar", "name": "Liars & Co", "sign_in_url": url })]);
    let (client, ticket) = liar.vouches(&shop, Side::Store, "1", "ada@example.com").await;
    let away = Away::leaves(&shop, Side::Store, "liar").await;
    edit(json!({ "enabled": false })).send().await.expect(200);
    redeems(&shop, Side::Store, &ticket, &client).await.refused(410, "ticket_unusable");
    liar.sends_back(&shop, Side::Store, &away).await.refused(404, "not_found");
    edit(json!({ "enabled": true })).send().await.expect(200);
    // A change of issuer takes tickets and browsers of the old one along.
    let moved = json!({ "issuer": other.issuer, "client_secret": "another secret" });
    edit(moved).send().await.expect(200);
    redeems(&shop, Side::Store, &ticket, &client).await.refused(410, "ticket_unusable");
    other.gives(&signed(1, &header(1), &other.told(&shop, &away, "1", "ada@example.com")));
    other.sends_back(&shop, Side::Store, &away).await.refused(400, "sign_in_unknown");
    shop.owner_call("DELETE", &path).send().await.expect(204);
    shop.owner_call("DELETE", &path).send().await.refused(404, "not_found");
    shop.owner_call("GET", &path).send().await.refused(404, "not_found");
    let told = shop.owner_call("GET", "/admin/v1/audit-entries").send().await.expect(200);
    let actions: Vec<_> = told.data().iter().map(|entry| entry["action"].as_str().unwrap()).collect();
    assert!(actions.contains(&"identity_provider.made") && actions.contains(&"identity_provider.removed"));
    shop.owner_call("GET", "/admin/v1/audit-entries:verify").send().await.expect(200);
}

#[actix_web::test]
async fn only_who_proved_it_lately_and_may_names_providers() {
    let (shop, liar) = (TestShop::open(None).await, Liar::new().await);
    let before = shop.digest().await;
    let owner = souk_kernel::AccountId::from_uuid(shop.store.owner_account);
    let long_ago = shop.clock.now() - chrono::TimeDelta::minutes(16);
    let stale = format!("Bearer {}", shop.staff_token_proved(owner, Some(long_ago)));
    let body = wish("liar", Side::Store, &liar.issuer);
    let post = |bearer: &str| shop.call("POST", PROVIDERS).header("authorization", bearer).json(&body);
    post(&stale).send().await.refused(401, "step_up_required");
    shop.call("POST", PROVIDERS).json(&body).send().await.refused(401, "unauthenticated");
    assert_eq!((shop.digest().await, liar.script().keys_asked), (before, 0));
    let key = json!({ "name": "k", "kind": "secret", "scopes": ["order:*", "staff:*"] });
    let key = shop.owner_call("POST", "/admin/v1/api-keys").json(&key).send().await.expect(201);
    let bearer = format!("Bearer {}", key.text("/secret"));
    post(&bearer).send().await.refused(403, "forbidden");
    shop.call("GET", PROVIDERS).header("authorization", &bearer).send().await.refused(403, "forbidden");
    assert_eq!(liar.script().keys_asked, 0);
}
