//! Lists, single orders and look-ups.

use serde_json::{Value, json};

use crate::testing::shop::{Shop, key, pay_with};

async fn order(shop: &Shop) -> Value {
    let basket = shop.basket(shop.thing(9, 1000).await, 1).await;
    shop.checkout(&basket, &key(), &pay_with(1490, "tok_ok")).await.expect(201).json
}

#[actix_web::test]
async fn a_page_goes_on_where_the_last_one_ended_whatever_came_meanwhile() {
    let shop = Shop::open().await;
    for _ in 0..3 {
        order(&shop).await;
    }
    let names = |page: &crate::testing::Answer| {
        page.data().iter().map(|order| order["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let first =
        shop.owner_call("GET", "/admin/v1/orders?limit=2&financial_status=paid").send().await.expect(200);
    assert_eq!((names(&first), first.cost), (vec!["#1003".to_owned(), "#1002".to_owned()], (1, 1)));
    let next =
        first.header("link").strip_prefix('<').unwrap().split_once(">; rel=\"next\"").unwrap().0.to_owned();
    assert!(next.starts_with("/admin/v1/orders?limit=2&financial_status=paid&after="), "{next}");
    order(&shop).await;
    let second = shop.owner_call("GET", &next).send().await.expect(200);
    assert_eq!((names(&second), second.header("link")), (vec!["#1001".to_owned()], ""));
    assert_eq!(second.json["page"], json!({ "next": null, "has_more": false }));
    // A cursor is for its list, its filter and its store, and nobody makes one up.
    let cursor = first.text("/page/next");
    for (path, status) in [
        (format!("/admin/v1/orders?limit=2&after={cursor}"), 400),
        (format!("/admin/v1/ledger/entries?after={cursor}"), 400),
        (format!("/admin/v1/orders?financial_status=paid&limit=2&after={cursor}x"), 400),
        ("/admin/v1/orders?after=bm90IG9uZQ".to_owned(), 400),
    ] {
        shop.owner_call("GET", &path).send().await.refused(status, "invalid_cursor");
    }
    let other = Shop::open().await;
    let path = format!("/admin/v1/orders?limit=2&financial_status=paid&after={cursor}");
    other.owner_call("GET", &path).send().await.refused(400, "invalid_cursor");
}

#[actix_web::test]
async fn an_order_is_read_once_for_its_etag() {
    let shop = Shop::open().await;
    let bought = order(&shop).await;
    let path = format!("/admin/v1/orders/{}", bought["order"]["id"].as_str().unwrap());
    let seen = shop.owner_call("GET", &path).send().await.expect(200);
    assert_eq!(seen.cost, (1, 1));
    let kept =
        shop.owner_call("GET", &path).header("if-none-match", seen.header("etag")).send().await.expect(304);
    assert!(kept.bytes.is_empty());
    let line = &seen.json["lines"][0];
    assert_eq!((&line["title"], &line["quantity"]), (&json!("Enamel mug"), &json!(1)));
    assert_eq!(line["tax_lines"][0]["amount"], json!({ "amount_minor": 160, "currency": "EUR" }));
    assert_eq!(seen.json["shipping_lines"][0]["title"], "Standard");
    let kinds: Vec<_> =
        seen.json["timeline"].as_array().unwrap().iter().map(|note| note["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["order.created", "order.placed", "payment.captured"]);
    let payments = shop.owner_call("GET", &format!("{path}/payments")).send().await.expect(200);
    assert_eq!(payments.data(), seen.json["payments"].as_array().unwrap());
    for nothing in
        ["/admin/v1/orders/ord_01h455vb4pex5vsknk084sn02q", "/admin/v1/orders/1001", "/admin/v1/orders/ord_x"]
    {
        shop.owner_call("GET", nothing).send().await.refused(404, "not_found");
    }
    shop.call("GET", &path).send().await.refused(401, "unauthenticated");
}

#[actix_web::test]
async fn guessing_at_secrets_is_slowed_down() {
    let shop = Shop::open().await;
    let bought = order(&shop).await;
    let look_up = async |number: &str, secret: &str| {
        let path = format!("/store/v1/orders:look-up?number={number}&secret={secret}");
        shop.call("GET", &path).send().await
    };
    let (right, wrong) = (bought["secret"].as_str().unwrap().to_owned(), "A".repeat(43));
    look_up("1001", &right).await.expect(200);
    // A wrong secret, a wrong number and a word that is no secret look the same.
    let answers = [look_up("1001", &wrong).await, look_up("9", &right).await, look_up("1001", "x").await];
    for answer in answers {
        answer.refused(404, "not_found");
    }
    let mut refused = None;
    for _ in 0..30 {
        let answer = look_up("1001", &wrong).await;
        if answer.status == 429 {
            refused = Some(answer.refused(429, "too_many_requests"));
            break;
        }
        answer.refused(404, "not_found");
    }
    assert!(refused.unwrap().header("retry-after").parse::<u32>().unwrap() > 0);
    // Who has the order's secret and id is not held up by the others.
    let path = format!("/store/v1/orders/{}", bought["order"]["id"].as_str().unwrap());
    shop.call("GET", &path).header("x-order-secret", &right).send().await.expect(200);
}
