//! People, roles and keys over HTTP.

mod team;
mod upgrade;

use serde_json::json;

use crate::testing::TestShop;

const KEYS: &str = "/admin/v1/api-keys";

#[actix_web::test]
async fn people_and_roles_are_shown_with_what_they_may() {
    let shop = TestShop::open(None).await;
    let people = shop.owner_call("GET", "/admin/v1/staff").send().await.expect(200);
    assert_eq!(
        (
            people.data().len(),
            &people.data()[0]["email"],
            &people.data()[0]["role"],
            &people.data()[0]["state"]
        ),
        (1, &json!("owner@example.com"), &json!("owner"), &json!("active"))
    );
    let roles = shop.owner_call("GET", "/admin/v1/roles").send().await.expect(200);
    let role =
        |name: &str| roles.data().iter().find(|role| role["name"] == name).unwrap()["permissions"].clone();
    assert!(role("owner").as_array().unwrap().contains(&json!("settings:*")));
    assert!(role("support").as_array().unwrap().contains(&json!("order:cancel")));
    assert!(!role("support").to_string().contains("settings"));
    for path in ["/admin/v1/staff", "/admin/v1/roles", KEYS] {
        shop.call("GET", path).send().await.refused(401, "unauthenticated");
    }
}

#[actix_web::test]
async fn a_key_opens_what_its_scopes_say_until_it_is_revoked() {
    let shop = TestShop::open(None).await;
    let body = json!({ "name": "Warehouse", "kind": "secret", "scopes": ["inventory:*"] });
    let made = shop.owner_call("POST", KEYS).json(&body).send().await.expect(201);
    let secret = format!("Bearer {}", made.text("/secret"));
    assert_eq!((&made.json["scopes"], &made.json["kind"]), (&json!(["inventory:*"]), &json!("secret")));
    shop.call("GET", "/admin/v1/inventory-levels").header("authorization", &secret).send().await.expect(200);
    shop.call("GET", "/admin/v1/orders")
        .header("authorization", &secret)
        .send()
        .await
        .refused(403, "forbidden");
    let listed = shop.owner_call("GET", KEYS).send().await.expect(200);
    let key = listed.data().iter().find(|key| key["id"] == made.json["id"]).unwrap();
    assert!(key.get("secret").is_none() && key["revoked_at"].is_null());
    assert!(!String::from_utf8_lossy(&listed.bytes).contains(&made.text("/secret")));
    let path = format!("{KEYS}/{}", made.text("/id"));
    shop.owner_call("DELETE", &path).send().await.expect(204);
    shop.owner_call("DELETE", &path).send().await.refused(404, "not_found");
    // Refused within a second.
    for _ in 0..40 {
        let seen =
            shop.call("GET", "/admin/v1/inventory-levels").header("authorization", &secret).send().await;
        if seen.status == 401 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("a revoked key still opens the store");
}

#[actix_web::test]
async fn nobody_makes_a_key_for_what_they_do_not_hold() {
    let shop = TestShop::open(None).await;
    let body = json!({ "name": "Keys", "kind": "secret", "scopes": ["api_key:*", "order:view"] });
    let made = shop.owner_call("POST", KEYS).json(&body).send().await.expect(201);
    let secret = format!("Bearer {}", made.text("/secret"));
    let keys = async || shop.number("SELECT count(*) AS number FROM api_keys").await;
    let before = keys().await;
    let asks = async |scopes: serde_json::Value| {
        let body = json!({ "name": "More", "kind": "secret", "scopes": scopes });
        shop.call("POST", KEYS).header("authorization", &secret).json(&body).send().await
    };
    asks(json!(["settings:edit"])).await.refused(403, "scope_not_held");
    asks(json!(["*"])).await.refused(403, "scope_not_held");
    asks(json!(["order:fly"])).await.refused(422, "scope_unknown");
    let wrong = json!({ "name": "", "kind": "secret" });
    shop.owner_call("POST", KEYS).json(&wrong).send().await.refused(422, "validation_failed").about("/name");
    let wrong = json!({ "name": "x", "kind": "master" });
    shop.owner_call("POST", KEYS).json(&wrong).send().await.refused(422, "validation_failed").about("/kind");
    assert_eq!(keys().await, before);
    asks(json!(["order:view"])).await.expect(201);
}
