//! Which pages may call, over HTTP; and what is never logged.

use std::io;
use std::sync::{Arc, Mutex};

use serde_json::json;

use crate::customers::tests::people::{PASSWORD, People};

async fn preflight(people: &People, path: &str, origin: &str) -> (u16, Option<String>) {
    let headers = [("origin", origin), ("access-control-request-method", "POST")];
    let answer = people.shop.send("OPTIONS", path, None, &headers).await;
    let allowed = answer.headers.get("access-control-allow-origin");
    (answer.status, allowed.map(|value| value.to_str().unwrap().to_owned()))
}

#[actix_web::test]
async fn a_store_says_which_pages_may_call_it() {
    let people = People::open().await;
    let owner = people.shop.owner();
    let (store, admin) = ("/store/v1/carts", "/admin/v1/orders");
    assert_eq!(preflight(&people, store, "https://any.example").await, (204, Some("*".into())));
    assert_eq!(preflight(&people, admin, "https://any.example").await, (204, None));
    let bearer = format!("Bearer {owner}");
    let put = async |body: serde_json::Value, tag: &str| {
        let headers = [("authorization", bearer.as_str()), ("if-match", tag)];
        people.shop.send("PUT", "/admin/v1/storefront", Some(body.to_string().into_bytes()), &headers).await
    };
    let wish =
        json!({ "account_url": "https://shop.example/me", "allowed_origins": ["https://shop.example"] });
    put(wish.clone(), "\"1\"").await.is(200);
    put(wish, "\"1\"").await.refused(412, "precondition_failed");
    put(json!({ "allowed_origins": ["*"] }), "*").await.refused(422, "validation_failed");
    let there = people.another_runtime().await;
    let own = "https://shop.example";
    assert_eq!(preflight(&there, store, own).await, (204, Some(own.into())));
    assert_eq!(preflight(&there, admin, own).await, (204, Some(own.into())));
    for evil in ["null", "https://shop.example.evil", "https://evil.example"] {
        assert_eq!(preflight(&there, store, evil).await, (204, None), "{evil}");
    }
    // The answer itself says so too, never with credentials, and caches keep the pages apart.
    let answer = there.shop.send("GET", "/store/v1/store", None, &[("origin", own)]).await;
    assert_eq!(answer.headers.get("access-control-allow-origin").unwrap(), own);
    assert!(
        answer.headers.get_all("vary").any(|value| value.to_str().unwrap().to_lowercase().contains("origin"))
    );
    assert!(!answer.headers.contains_key("access-control-allow-credentials"));
    // Mails link to where the store said.
    people.customer("ada@example.com").await;
    people.post("/store/v1/password-resets", None, &json!({ "email": "ada@example.com" })).await.is(202);
    let mail = people.mail().await;
    assert!(mail.text.contains("https://shop.example/me/reset-password#"), "{}", mail.text);
}

#[actix_web::test]
async fn limits_are_told() {
    let people = People::open().await;
    let answer = people.get("/admin/v1/orders", &people.shop.owner()).await;
    let policies: Vec<_> =
        answer.headers.get_all("ratelimit-policy").map(|value| value.to_str().unwrap().to_owned()).collect();
    for name in ["\"caller\"", "\"key\"", "\"store\""] {
        assert!(policies.iter().any(|policy| policy.starts_with(name)), "{name}: {policies:?}");
    }
}

/// What the process logs while somebody listens.
#[derive(Clone, Default)]
struct Buffer(Arc<Mutex<Option<Vec<u8>>>>);

impl io::Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(kept) = self.0.lock().unwrap().as_mut() {
            kept.extend_from_slice(bytes);
        }
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Everything the process logs down to DEBUG, this test's and its neighbours', while people do what has secrets in it.
#[actix_web::test]
async fn no_secret_is_ever_logged() {
    let buffer = Buffer(Arc::new(Mutex::new(Some(Vec::new()))));
    let writer = buffer.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::DEBUG)
        .with_writer(move || writer.clone())
        .finish();
    // For the process: a subscriber of one thread misses what others were the first to log.
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let people = People::open().await;
    let owner = people.shop.owner();
    let ada = people.customer("ada.canary@example.com").await;
    let refreshed = people
        .post("/store/v1/sessions/refresh", None, &json!({ "refresh_token": ada.refresh }))
        .await
        .is(200);
    people
        .post("/store/v1/sessions/refresh", None, &json!({ "refresh_token": ada.refresh }))
        .await
        .refused(401, "refresh_refused");
    people
        .post("/store/v1/password-resets", None, &json!({ "email": "ada.canary@example.com" }))
        .await
        .is(202);
    let mail = people.mail().await;
    let key = json!({ "name": "erp", "kind": "secret", "scopes": ["order:view"] });
    let key = people.post("/admin/v1/api-keys", Some(&owner), &key).await.is(201);
    let key = key["secret"].as_str().unwrap();
    people.get("/admin/v1/orders", key).await.is(200);
    people.get(&format!("/store/v1/store?key={key}"), "").await.refused(400, "credentials_in_url");
    people
        .get("/admin/v1/orders", "sk_live_canarycanarycanarycanarycanarycanarycana")
        .await
        .refused(401, "unauthenticated");
    let kept = buffer.0.lock().unwrap().take().unwrap();
    let log = String::from_utf8_lossy(&kept).into_owned();
    assert!(log.contains("a worker enters a store"), "nothing was captured");
    let new = refreshed["refresh_token"].as_str().unwrap();
    for (what, secret) in [
        ("the password", PASSWORD),
        ("the access token", &ada.access),
        ("a refresh token", &ada.refresh),
        ("a refresh token", new),
        ("a link's secret", &mail.secret),
        ("a key", key),
        ("the owner's token", &owner),
        ("an address", "ada.canary@"),
    ] {
        let at = log.find(secret).map(|at| log[at.saturating_sub(200)..at].to_owned());
        assert_eq!(at, None, "{what} is logged");
    }
}
