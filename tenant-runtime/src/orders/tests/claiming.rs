//! What a guest bought is theirs when they have shown whose mailbox it is, and nobody else's.

use serde_json::{Value, json};

use crate::customers::tests::people::People;
use crate::testing::Answer;
use crate::testing::shop::{ada, key};

/// Buys something to be paid later, as a guest of this address.
async fn buys(people: &People, variant: &Value, email: &str) -> String {
    let cart = json!({ "lines": [{ "variant": variant, "quantity": 1 }], "email": email, "shipping_address": ada() });
    let cart = people.shop.call("POST", "/store/v1/carts").json(&cart).send().await.expect(201);
    let path = format!("/store/v1/carts/{}/checkout", cart.text("/id"));
    let body = json!({ "expected_total": cart.json["total"], "payment": { "provider": "manual" } });
    let call = people.shop.call("POST", &path).header("x-cart-secret", &cart.text("/secret")).keyed();
    call.json(&body).send().await.expect(201).text("/order/id")
}

async fn claims(people: &People, access: &str) -> Answer {
    let (bearer, key) = (format!("Bearer {access}"), key());
    let headers = [("authorization", bearer.as_str()), ("idempotency-key", key.as_str())];
    people.post_with("/store/v1/orders:claim", &json!({}), &headers).await
}

#[actix_web::test]
async fn guest_orders_are_claimed_by_who_has_confirmed_the_mailbox() {
    let people = People::open().await;
    let mug = json!({ "title": "Mug", "price": { "amount_minor": 1000, "currency": "EUR" }, "stock": 9 });
    let mug = people.shop.owner_call("POST", "/admin/v1/products").json(&mug).send().await.expect(201);
    let variant = &mug.json["variants"][0]["id"];
    let (first, second) =
        (buys(&people, variant, "ada@example.com").await, buys(&people, variant, "Ada@example.com").await);
    let other = buys(&people, variant, "eve@example.com").await;
    let ada = people.customer("ada@example.com").await;
    people.shop.admin("UPDATE {s}.customers SET verified_at = NULL").await;
    let before = people.shop.digest().await;
    claims(&people, &ada.access).await.refused(409, "conflict");
    assert_eq!(people.shop.digest().await, before);
    people.shop.admin("UPDATE {s}.customers SET verified_at = now()").await;
    let claimed = claims(&people, &ada.access).await.expect(200);
    assert_eq!(claimed.json["orders"], json!([first, second]));
    let own = people.get("/store/v1/orders", &ada.access).await.expect(200);
    let own: Vec<_> = own.data().iter().map(|order| order["id"].clone()).collect();
    assert_eq!(own, [json!(second), json!(first)]);
    assert!(!own.contains(&json!(other)));
    assert_eq!(people.number("SELECT order_count AS number FROM customers").await, 2);
    assert_eq!(
        people.number("SELECT count(*) AS number FROM order_events WHERE kind = 'order.claimed'").await,
        2
    );
    // Again there is nothing more.
    let again = claims(&people, &ada.access).await.expect(200);
    assert_eq!(again.json["orders"], json!([]));
}
