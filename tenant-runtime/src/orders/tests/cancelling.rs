//! Undoing an order over HTTP: keys, refusals, races with the money.

use futures_util::future::join;
use serde_json::{Value, json};

use crate::testing::shop::{Shop, key, pay_with};

async fn authorized(shop: &Shop) -> Value {
    shop.admin("UPDATE {s}.payment_providers SET settings = '{\"capture_later\": true}' WHERE code = 'test'")
        .await;
    let basket = shop.basket(shop.thing(5, 1000).await, 1).await;
    shop.checkout(&basket, &key(), &pay_with(1490, "tok_ok")).await.expect(201).json["order"].clone()
}

#[actix_web::test]
async fn a_cancellation_happens_once_for_its_key() {
    let shop = Shop::open().await;
    let order = authorized(&shop).await;
    let (path, key) = (format!("/admin/v1/orders/{}/cancel", order["id"].as_str().unwrap()), key());
    let body = json!({ "reason": "customer", "note": "changed her mind" });
    let before = shop.digest().await;
    shop.owner_call("POST", &path).json(&body).send().await.refused(400, "idempotency_key_missing");
    shop.owner_call("POST", &path)
        .keyed()
        .json(&json!({}))
        .send()
        .await
        .refused(422, "validation_failed")
        .about("/reason");
    shop.call("POST", &path).keyed().json(&body).send().await.refused(401, "unauthenticated");
    let nobody = "/admin/v1/orders/ord_01h455vb4pex5vsknk084sn02q/cancel";
    shop.owner_call("POST", nobody).keyed().json(&body).send().await.refused(404, "not_found");
    assert_eq!(shop.digest().await, before);
    let asks = async |body: &Value| {
        shop.owner_call("POST", &path).header("idempotency-key", &key).json(body).send().await
    };
    let first = asks(&body).await.expect(200);
    let again = asks(&body).await.expect(200);
    assert_eq!((&first.bytes, again.header("idempotent-replayed")), (&again.bytes, "true"));
    asks(&json!({ "reason": "fraud" })).await.refused(422, "idempotency_key_reused");
    assert_eq!(first.json["cancel_reason"], "customer");
    assert_eq!(shop.stock().await, "5/0/0");
}

/// Whoever is first: the money is nobody's but the shopper's in the end, and the piece is on sale.
#[actix_web::test]
async fn cancel_against_capture() {
    for _ in 0..6 {
        let shop = Shop::open().await;
        let order = authorized(&shop).await;
        let id = order["id"].as_str().unwrap();
        let (cancel, capture) =
            (format!("/admin/v1/orders/{id}/cancel"), format!("/admin/v1/orders/{id}/capture"));
        let (cancelled, captured) = join(
            shop.owner_call("POST", &cancel).keyed().json(&json!({ "reason": "customer" })).send(),
            shop.owner_call("POST", &capture).keyed().json(&json!({})).send(),
        )
        .await;
        cancelled.expect(200);
        assert!(matches!(captured.status, 200 | 409 | 503), "{}", captured.json);
        for _ in 0..3 {
            shop.sweep().await;
            shop.inner.clock.advance(std::time::Duration::from_secs(3600));
        }
        let (taken, back) = shop.taken().await;
        assert_eq!(taken, back);
        assert_eq!(shop.stock().await, "5/0/0");
        for account in ["1000", "1100", "2100", "2200", "2300"] {
            assert_eq!(shop.balance_of(account).await, 0, "{account}");
        }
        let end = shop.order(id).await;
        let expected = if taken == 0 { "voided" } else { "refunded" };
        assert_eq!((&end["state"], &end["financial_status"]), (&json!("cancelled"), &json!(expected)));
    }
}
