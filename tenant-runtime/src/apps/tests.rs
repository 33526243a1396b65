//! Apps over HTTP: asked for, approved, at work, and over.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use serde_json::{Value, json};
use souk_kernel::AccountId;

use crate::testing::{Answer, TestShop};

const APPS: &str = "/admin/v1/apps";
const FORM: &str = "application/x-www-form-urlencoded";

/// An app that is approved: its id and its secret.
struct Client {
    id: String,
    secret: String,
}

async fn requested(shop: &TestShop, scopes: Value) -> String {
    let wish = json!({ "name": "Bridge", "requested_scopes": scopes });
    shop.owner_call("POST", APPS).json(&wish).send().await.expect(201).text("/id")
}

async fn approves(shop: &TestShop, id: &str, wish: Value) -> Answer {
    shop.owner_call("POST", &format!("{APPS}/{id}/approve")).json(&wish).send().await
}

async fn approved(shop: &TestShop, asks: Value, gets: Value) -> Client {
    let id = requested(shop, asks).await;
    let made = approves(shop, &id, json!({ "scopes": gets })).await.expect(200);
    assert_eq!((made.header("cache-control"), made.text("/client_id")), ("no-store", id.clone()));
    Client { id, secret: made.text("/client_secret") }
}

fn form(parts: &[(&str, &str)]) -> Vec<u8> {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parts).finish().into_bytes()
}

async fn asks(shop: &TestShop, parts: &[(&str, &str)], authorization: Option<&str>) -> Answer {
    let mut call = shop.call("POST", "/oauth/token").header("content-type", FORM).bytes(form(parts));
    if let Some(value) = authorization {
        call = call.header("authorization", value);
    }
    call.send().await
}

impl Client {
    fn basic(&self) -> String {
        format!("Basic {}", STANDARD.encode(format!("{}:{}", self.id, self.secret)))
    }

    async fn asks(&self, shop: &TestShop, more: &[(&str, &str)]) -> Answer {
        let parts = [&[("grant_type", "client_credentials")], more].concat();
        asks(shop, &parts, Some(&self.basic())).await
    }

    async fn token(&self, shop: &TestShop) -> String {
        self.asks(shop, &[]).await.expect(200).text("/access_token")
    }
}

async fn get(shop: &TestShop, path: &str, token: &str) -> Answer {
    shop.call("GET", path).header("authorization", &format!("Bearer {token}")).send().await
}

/// The error of RFC 6749, and nothing else.
#[track_caller]
fn denied(answer: Answer, status: u16, error: &str) {
    let answer = answer.expect(status);
    assert_eq!(
        (answer.json["error"].as_str(), answer.header("content-type"), answer.header("cache-control")),
        (Some(error), "application/json", "no-store")
    );
    assert!(answer.json["error_description"].is_string());
    let challenged = answer.header("www-authenticate").starts_with("Basic ");
    assert_eq!(challenged, status == 401);
}

async fn refused_within_a_second(shop: &TestShop, token: &str) {
    let begun = Instant::now();
    while get(shop, "/admin/v1/inventory-levels", token).await.status != 401 {
        assert!(begun.elapsed() < Duration::from_millis(1000), "still let in");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[actix_web::test]
async fn an_app_gets_what_was_approved_of_what_it_asked_for() {
    let shop = TestShop::open(None).await;
    let id = requested(&shop, json!(["inventory:*", "order:view", "settings:view"])).await;
    // Asked for, and nothing yet.
    let shown = shop.owner_call("GET", &format!("{APPS}/{id}")).send().await.expect(200);
    assert_eq!(
        (&shown.json["state"], &shown.json["scopes"], &shown.json["secrets"]),
        (&json!("requested"), &json!([]), &json!([]))
    );
    let made = approves(&shop, &id, json!({ "scopes": ["inventory:view", "order:view"] })).await.expect(200);
    assert_eq!(
        (&made.json["state"], &made.json["scopes"], &made.json["requested_scopes"]),
        (
            &json!("approved"),
            &json!(["inventory:view", "order:view"]),
            &json!(["inventory:*", "order:view", "settings:view"])
        )
    );
    let client = Client { id: id.clone(), secret: made.text("/client_secret") };
    let token = client.asks(&shop, &[]).await.expect(200);
    assert_eq!(
        (
            &token.json["token_type"],
            &token.json["expires_in"],
            &token.json["scope"],
            token.header("cache-control")
        ),
        (&json!("Bearer"), &json!(900), &json!("inventory:view order:view"), "no-store")
    );
    let token = token.text("/access_token");
    get(&shop, "/admin/v1/inventory-levels", &token).await.expect(200);
    get(&shop, "/admin/v1/orders", &token).await.expect(200);
    get(&shop, "/admin/v1/settings", &token).await.refused(403, "forbidden");
    get(&shop, "/admin/v1/products", &token).await.refused(403, "forbidden");
    let adjust = shop
        .call("POST", "/admin/v1/inventory-levels:adjust")
        .header("authorization", &format!("Bearer {token}"));
    adjust.keyed().json(&json!({})).send().await.refused(403, "forbidden");
    // Some of it, on request; in the form instead of the header.
    let parts = [
        ("grant_type", "client_credentials"),
        ("client_id", client.id.as_str()),
        ("client_secret", client.secret.as_str()),
        ("scope", "order:view"),
    ];
    let narrow = asks(&shop, &parts, None).await.expect(200);
    assert_eq!(narrow.json["scope"], "order:view");
    let narrow = narrow.text("/access_token");
    get(&shop, "/admin/v1/orders", &narrow).await.expect(200);
    get(&shop, "/admin/v1/inventory-levels", &narrow).await.refused(403, "forbidden");
    // The secret was shown once, and only its digest is kept.
    for path in [APPS.to_owned(), format!("{APPS}/{id}"), "/admin/v1/audit-entries".to_owned()] {
        let answer = shop.owner_call("GET", &path).send().await.expect(200);
        assert!(!String::from_utf8_lossy(&answer.bytes).contains(&client.secret), "{path}");
    }
    let shown = shop.owner_call("GET", &format!("{APPS}/{id}")).send().await.expect(200);
    assert_eq!(shown.json["secrets"][0]["prefix"], client.secret[..15]);
    assert!(shown.json["last_used_at"].is_string());
    // 15 minutes, at this store.
    let there = TestShop::open(None).await;
    get(&there, "/admin/v1/orders", &token).await.refused(401, "unauthenticated");
    denied(client.asks(&there, &[]).await, 401, "invalid_client");
    shop.clock.advance(Duration::from_secs(15 * 60 + 61));
    get(&shop, "/admin/v1/orders", &token).await.refused(401, "unauthenticated");
}

#[actix_web::test]
async fn the_token_endpoint_speaks_as_the_standard_does() {
    let shop = TestShop::open(None).await;
    let client = approved(&shop, json!(["order:*"]), json!(["order:view"])).await;
    let other = approved(&shop, json!(["order:*"]), json!(["order:*"])).await;
    let before = shop.digest().await;
    let grant = ("grant_type", "client_credentials");
    let (id, secret) = (("client_id", client.id.as_str()), ("client_secret", client.secret.as_str()));
    let basic = client.basic();
    denied(asks(&shop, &[grant], None).await, 401, "invalid_client");
    denied(asks(&shop, &[grant, id], None).await, 401, "invalid_client");
    denied(asks(&shop, &[grant, id, ("client_secret", &other.secret)], None).await, 401, "invalid_client");
    denied(asks(&shop, &[grant, id, ("client_secret", "x")], None).await, 401, "invalid_client");
    let ghost = "app_01h455vb4pex5vsknk084sn02q";
    denied(asks(&shop, &[grant, ("client_id", ghost), secret], None).await, 401, "invalid_client");
    for header in ["Bearer x", "Basic x", &format!("Bearer {}", shop.owner())] {
        denied(asks(&shop, &[grant], Some(header)).await, 401, "invalid_client");
    }
    denied(asks(&shop, &[grant, secret], Some(&basic)).await, 400, "invalid_request");
    denied(asks(&shop, &[grant, ("client_id", ghost)], Some(&basic)).await, 400, "invalid_request");
    denied(asks(&shop, &[grant, grant], Some(&basic)).await, 400, "invalid_request");
    denied(asks(&shop, &[], Some(&basic)).await, 400, "invalid_request");
    denied(asks(&shop, &[("grant_type", "password")], Some(&basic)).await, 400, "unsupported_grant_type");
    for scope in ["order:*", "*", "order:cancel", "order:fly", "product:view", "nonsense", "order:view *"] {
        denied(client.asks(&shop, &[("scope", scope)]).await, 400, "invalid_scope");
    }
    let json = shop.call("POST", "/oauth/token").header("authorization", &basic).json(&json!({}));
    denied(json.send().await, 400, "invalid_request");
    let leaked = shop.call("POST", &format!("/oauth/token?x={}", client.secret));
    leaked.header("content-type", FORM).send().await.refused(400, "credentials_in_url");
    assert_eq!(shop.digest().await, before);
    client.asks(&shop, &[("scope", "order:view"), ("resource", "x")]).await.expect(200);
    let told = shop.call("GET", "/.well-known/oauth-authorization-server").send().await.expect(200);
    let issuer = format!("http://{}", shop.store.host);
    assert_eq!(
        (&told.json["issuer"], &told.json["token_endpoint"], &told.json["grant_types_supported"]),
        (&json!(issuer), &json!(format!("{issuer}/oauth/token")), &json!(["client_credentials"]))
    );
    assert_eq!(told.json["response_types_supported"], json!([]));
    assert!(told.json["scopes_supported"].as_array().unwrap().contains(&json!("order:view")));
}

#[actix_web::test]
async fn a_revoked_app_is_refused_within_a_second() {
    let shop = TestShop::open(None).await;
    let client = approved(&shop, json!(["inventory:*"]), json!(["inventory:*"])).await;
    let token = client.token(&shop).await;
    get(&shop, "/admin/v1/inventory-levels", &token).await.expect(200);
    // Other scopes: the token of the old ones is over, the secret is not shown again.
    let less = approves(&shop, &client.id, json!({ "scopes": ["inventory:view"] })).await.expect(200);
    assert!(less.json.get("client_secret").is_none());
    refused_within_a_second(&shop, &token).await;
    let token = client.token(&shop).await;
    get(&shop, "/admin/v1/inventory-levels", &token).await.expect(200);
    let path = format!("{APPS}/{}", client.id);
    shop.owner_call("DELETE", &path).send().await.expect(204);
    refused_within_a_second(&shop, &token).await;
    denied(client.asks(&shop, &[]).await, 401, "invalid_client");
    shop.owner_call("DELETE", &path).send().await.refused(404, "not_found");
    approves(&shop, &client.id, json!({})).await.refused(409, "app_state");
    let rotate = shop.owner_call("POST", &format!("{path}/rotate-secret")).json(&json!({}));
    rotate.send().await.refused(409, "app_state");
    assert_eq!(shop.owner_call("GET", &path).send().await.expect(200).json["state"], "revoked");
    let left = "SELECT count(*) AS number FROM app_secrets";
    assert_eq!(shop.number(left).await, 0);
}

#[actix_web::test]
async fn a_secret_is_exchanged_with_an_overlap() {
    let shop = TestShop::open(None).await;
    let first = approved(&shop, json!(["order:view"]), json!(["order:view"])).await;
    let token = first.token(&shop).await;
    let rotate = async |wish: Value| {
        let path = format!("{APPS}/{}/rotate-secret", first.id);
        shop.owner_call("POST", &path).json(&wish).send().await
    };
    let made = rotate(json!({ "overlap_seconds": 3600 })).await.expect(201);
    let second = Client { id: first.id.clone(), secret: made.text("/client_secret") };
    assert_eq!(made.json["secrets"].as_array().unwrap().len(), 2);
    // Both work, and what was out goes on.
    first.token(&shop).await;
    second.token(&shop).await;
    get(&shop, "/admin/v1/orders", &token).await.expect(200);
    shop.clock.advance(Duration::from_secs(3601));
    denied(first.asks(&shop, &[]).await, 401, "invalid_client");
    second.token(&shop).await;
    // Two work at most: a third ends the first of them at once.
    let third =
        Client { id: first.id.clone(), secret: rotate(json!({})).await.expect(201).text("/client_secret") };
    let fourth =
        Client { id: first.id.clone(), secret: rotate(json!({})).await.expect(201).text("/client_secret") };
    denied(second.asks(&shop, &[]).await, 401, "invalid_client");
    third.token(&shop).await;
    fourth.token(&shop).await;
    // Without an overlap the old one ends at once.
    let last = rotate(json!({ "overlap_seconds": 0 })).await.expect(201);
    denied(third.asks(&shop, &[]).await, 401, "invalid_client");
    denied(fourth.asks(&shop, &[]).await, 401, "invalid_client");
    Client { id: first.id.clone(), secret: last.text("/client_secret") }.token(&shop).await;
    rotate(json!({ "overlap_seconds": 2_592_001 }))
        .await
        .refused(422, "validation_failed")
        .about("/overlap_seconds");
}

#[actix_web::test]
async fn nobody_approves_what_they_do_not_hold() {
    let shop = TestShop::open(None).await;
    let key = json!({ "name": "k", "kind": "secret", "scopes": ["app:*", "api_key:*", "order:view"] });
    let key = shop.owner_call("POST", "/admin/v1/api-keys").json(&key).send().await.expect(201);
    let bearer = format!("Bearer {}", key.text("/secret"));
    let by_key = |method: &str, path: &str, body: &Value| {
        shop.call(method, path).header("authorization", &bearer).json(body)
    };
    let wish = json!({ "name": "Bridge", "requested_scopes": ["order:*", "settings:edit"] });
    let id = by_key("POST", APPS, &wish).send().await.expect(201).text("/id");
    let before = shop.digest().await;
    let path = format!("{APPS}/{id}/approve");
    for scopes in [json!(null), json!(["order:*"]), json!(["settings:edit"])] {
        let wish = json!({ "scopes": scopes });
        by_key("POST", &path, &wish).send().await.refused(403, "scope_not_held");
    }
    let more = json!({ "scopes": ["api_key:view"] });
    by_key("POST", &path, &more).send().await.refused(422, "validation_failed").about("/scopes");
    by_key("POST", &path, &json!({ "scopes": [] }))
        .send()
        .await
        .refused(422, "validation_failed")
        .about("/scopes");
    by_key("POST", &path, &json!({ "scopes": ["order:fly"] })).send().await.refused(422, "scope_unknown");
    let unknown = json!({ "name": "x", "requested_scopes": ["order:fly"] });
    by_key("POST", APPS, &unknown).send().await.refused(422, "scope_unknown");
    let none = json!({ "name": "x", "requested_scopes": [] });
    by_key("POST", APPS, &none).send().await.refused(422, "validation_failed").about("/requested_scopes");
    assert_eq!(shop.digest().await, before);
    // What somebody above them gave, they neither change nor take the secret of.
    approves(&shop, &id, json!({ "scopes": ["order:view", "settings:edit"] })).await.expect(200);
    let before = shop.digest().await;
    by_key("POST", &path, &json!({ "scopes": ["order:view"] })).send().await.refused(403, "scope_not_held");
    let rotate = format!("{APPS}/{id}/rotate-secret");
    by_key("POST", &rotate, &json!({})).send().await.refused(403, "scope_not_held");
    let less = json!({ "requested_scopes": ["order:*"] });
    by_key("PATCH", &format!("{APPS}/{id}"), &less).send().await.refused(422, "validation_failed");
    // A person must have proved who they are; whoever may only ask does not approve.
    let owner = AccountId::from_uuid(shop.store.owner_account);
    let stale = shop.staff_token_proved(owner, Some(shop.clock.now() - TimeDelta::minutes(16)));
    let stale = shop.call("POST", &path).header("authorization", &format!("Bearer {stale}")).json(&json!({}));
    stale.send().await.refused(401, "step_up_required");
    let asks_only = json!({ "name": "a", "kind": "secret", "scopes": ["app:request", "app:view"] });
    let asks_only = shop.owner_call("POST", "/admin/v1/api-keys").json(&asks_only).send().await.expect(201);
    let asks_only = format!("Bearer {}", asks_only.text("/secret"));
    let call = shop.call("POST", &path).header("authorization", &asks_only).json(&json!({}));
    call.send().await.refused(403, "forbidden");
    let before_last = shop.digest().await;
    let changed = before.iter().zip(&before_last).filter(|(was, is)| was != is).count();
    // Only the key that was made for this test, and its entry in the log.
    assert!(changed <= 3, "{changed}");
    // More is asked for, and given, later.
    let wider =
        json!({ "requested_scopes": ["order:*", "settings:edit", "product:view"], "name": "Bigger bridge" });
    let edited = by_key("PATCH", &format!("{APPS}/{id}"), &wider).send().await.expect(200);
    assert_eq!(
        (&edited.json["name"], &edited.json["scopes"]),
        (&json!("Bigger bridge"), &json!(["order:view", "settings:edit"]))
    );
}

#[actix_web::test]
async fn an_app_may_what_its_scopes_say_and_grants_no_more() {
    let shop = TestShop::open(None).await;
    let client =
        approved(&shop, json!(["api_key:*", "order:view"]), json!(["api_key:*", "order:view"])).await;
    let token = client.token(&shop).await;
    let bearer = format!("Bearer {token}");
    let make = |scopes: Value| {
        let wish = json!({ "name": "k", "kind": "secret", "scopes": scopes });
        shop.call("POST", "/admin/v1/api-keys").header("authorization", &bearer).json(&wish)
    };
    make(json!(["order:cancel"])).send().await.refused(403, "scope_not_held");
    let made = make(json!(["order:view"])).send().await.expect(201);
    assert_eq!(made.json["created_by"], json!(format!("app:{}", client.id)));
    // It is no shopper and no colleague.
    get(&shop, "/store/v1/account", &token).await.refused(403, "forbidden");
    get(&shop, "/admin/v1/account/identities", &token).await.refused(403, "forbidden");
    let explained = format!("/admin/v1/permissions/explain?actor={}&action=order:view", client.id);
    let explained = shop.owner_call("GET", &explained).send().await.expect(200);
    assert_eq!(
        (&explained.json["allowed"], &explained.json["source"]),
        (&json!(true), &json!("scopes of the app"))
    );
    shop.suspend().await;
    for _ in 0..100 {
        if get(&shop, "/store/v1/store", "").await.status == 503 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    get(&shop, "/admin/v1/orders", &token).await.expect(200);
    make(json!(["order:view"])).send().await.refused(503, "store_suspended");
}
