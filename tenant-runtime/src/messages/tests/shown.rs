//! Mails shown with what is really there: nothing made up stands beside it.

use serde_json::{Value, json};

use crate::customers::tests::people::{PASSWORD, People};
use crate::testing::shop::{Shop, ada};
use crate::testing::{Answer, TestShop};

async fn shows(shop: &TestShop, kind: &str, wish: Value) -> Answer {
    let path = format!("/admin/v1/email-templates/{kind}/en/preview");
    shop.owner_call("POST", &path).json(&wish).send().await
}

/// Refused for this part of the wish, saying this.
async fn refuses(shop: &TestShop, kind: &str, wish: Value, pointer: &str, says: &str) {
    let answer = shows(shop, kind, wish).await.refused(422, "validation_failed").about(pointer);
    let message = answer.json["errors"][0]["message"].as_str().unwrap_or_default();
    assert!(message.contains(says), "{kind}: {}", answer.json);
}

/// Text and HTML together, without anything of the samples.
async fn text(shop: &TestShop, kind: &str, wish: Value) -> String {
    let shown = shows(shop, kind, wish).await.expect(200);
    let whole = format!("{}\n{}\n{}", shown.text("/subject"), shown.text("/text"), shown.text("/html"));
    let made_up = [
        "Green tea",
        "MUG-BLUE",
        "00340434161094042557",
        "DHL",
        "shop.example",
        "34.49",
        "#secret",
        "enamel-mug",
    ];
    for part in made_up {
        assert!(!whole.contains(part), "{kind} has {part}: {whole}");
    }
    shown.text("/text")
}

#[actix_web::test]
async fn a_mail_shown_with_an_order_tells_what_happened_to_it_or_that_it_has_not() {
    let shop = Shop::open().await;
    let basket = shop.basket(shop.thing(9, 1299).await, 2).await;
    let bought = shop.buys(&basket, 3088, "tok_ok").await.expect(201);
    let (order, name) = (bought.text("/order/id"), bought.text("/order/name"));
    let wish = || json!({ "order": order });
    let whole = shop.digest().await;
    for (kind, says) in [
        ("order_cancelled", "was not cancelled"),
        ("order_refunded", "no money of it went back"),
        ("order_shipped", "nothing of it left the house"),
    ] {
        refuses(&shop, kind, wish(), "/order", says).await;
    }
    let placed = text(&shop, "order_placed", wish()).await;
    assert!(placed.contains("2 x Enamel mug (Blue)   25.98 EUR"), "{placed}");
    let paid = text(&shop, "order_paid", wish()).await;
    assert!(paid.contains(&format!("We have received 30.88 EUR for your order {name}")), "{paid}");
    let news = text(&shop, "order_news", wish()).await;
    assert!(news.contains("is paid") && news.contains("/account/unsubscribe#preview"), "{news}");
    let asked = text(&shop, "subscription_confirm", wish()).await;
    assert!(asked.contains(&format!("what becomes of order {name}")), "{asked}");
    assert_eq!(shop.digest().await, whole, "nobody is mailed by looking");

    let path = format!("/admin/v1/orders/{order}/fulfillments");
    let parcel = json!({ "tracking": { "number": "0035" } });
    shop.owner_call("POST", &path).keyed().json(&parcel).send().await.expect(201);
    let shipped = text(&shop, "order_shipped", wish()).await;
    assert!(
        shipped.contains("2 x Enamel mug (Blue)") && shipped.contains("tracking number 0035"),
        "{shipped}"
    );
    assert!(text(&shop, "order_news", wish()).await.contains("left the shop"));
    let path = format!("/admin/v1/orders/{order}/refunds");
    let line = bought.json["order"]["lines"][0]["id"].clone();
    let piece = json!({ "lines": [{ "line": line, "quantity": 1 }], "reason": "damaged" });
    shop.owner_call("POST", &path).keyed().json(&piece).send().await.expect(200);
    assert_eq!(shop.sweep().await.refunds, 1);
    let back = text(&shop, "order_refunded", wish()).await;
    assert!(back.contains(&format!("We have sent 12.99 EUR of order {name} back to you")), "{back}");
    assert!(text(&shop, "order_news", wish()).await.contains("went back to whoever paid"));

    // Another one that was called off before anything left.
    let basket = shop.basket(shop.thing(9, 1299).await, 1).await;
    let bought = shop.buys(&basket, 1789, "tok_ok").await.expect(201);
    let order = bought.text("/order/id");
    let path = format!("/admin/v1/orders/{order}/cancel");
    shop.owner_call("POST", &path).keyed().json(&json!({ "reason": "customer" })).send().await.expect(200);
    let cancelled = text(&shop, "order_cancelled", json!({ "order": order })).await;
    assert!(cancelled.contains("You get 17.89 EUR back"), "{cancelled}");
}

#[actix_web::test]
async fn a_mail_shown_with_a_cart_or_a_variant_is_about_them() {
    let shop = Shop::at("http://127.0.0.1:9").await;
    let thing = shop.thing(3, 1299).await;
    let basket = shop.basket(thing, 2).await;
    shop.admin("UPDATE {s}.notice_settings SET low_stock_threshold = NULL").await;
    let whole = shop.digest().await;
    let left = text(&shop, "abandoned_cart", json!({ "cart": basket.id })).await;
    assert!(left.contains("2 x Enamel mug (Blue)"), "{left}");
    assert!(left.contains(&format!("/cart/{}#preview", basket.id)), "{left}");
    let back = text(&shop, "back_in_stock", json!({ "variant": thing.variant })).await;
    assert!(back.contains("Enamel mug (Blue) can be bought again") && back.contains("/products/"), "{back}");
    let asked = text(&shop, "subscription_confirm", json!({ "variant": thing.variant })).await;
    assert!(asked.contains("when Enamel mug (Blue) can be bought again"), "{asked}");
    let variant = json!({ "variant": thing.variant });
    refuses(&shop, "low_stock", variant.clone(), "/variant", "low_stock_threshold").await;
    // What a mail is not about, two things at once, and what is not there.
    let (cart, stranger) = (json!({ "cart": basket.id }), "01h455vb4pex5vsknk084sn02q");
    refuses(&shop, "order_placed", cart.clone(), "/cart", "with `order`").await;
    refuses(&shop, "abandoned_cart", variant.clone(), "/variant", "with `cart`").await;
    refuses(&shop, "customer_new_device", cart.clone(), "/cart", "with `customer`").await;
    refuses(&shop, "daily_digest", cart.clone(), "/cart", "made-up facts only").await;
    let both = json!({ "cart": basket.id, "variant": thing.variant });
    refuses(&shop, "abandoned_cart", both, "/variant", "one too many").await;
    let nowhere = json!({ "cart": format!("crt_{stranger}") });
    refuses(&shop, "abandoned_cart", nowhere, "/cart", "no such cart").await;
    let nowhere = json!({ "variant": format!("var_{stranger}") });
    refuses(&shop, "back_in_stock", nowhere, "/variant", "no such variant").await;
    assert_eq!(shop.digest().await, whole, "nobody is mailed by looking");
    shop.admin("UPDATE {s}.notice_settings SET low_stock_threshold = 4").await;
    let low = text(&shop, "low_stock", variant).await;
    assert!(low.contains("Enamel mug (Blue): 3 left to sell. You are told from 4 on"), "{low}");
    // A try is mailed with the same.
    let path = "/admin/v1/email-templates/abandoned_cart/en/test";
    let wish = json!({ "to": "owner@shop.example", "cart": basket.id });
    let sent = shop.owner_call("POST", path).json(&wish).send().await.expect(202);
    assert!(sent.text("/text").contains(&format!("/cart/{}#preview", basket.id)), "{}", sent.json);
}

#[actix_web::test]
async fn a_mail_about_an_account_is_shown_with_a_customer_and_what_happened_to_them() {
    let people = People::open().await;
    let shop = &people.shop;
    let grace = json!({ "email": "grace@example.org", "password": PASSWORD, "first_name": "Grace", "last_name": "Hopper" });
    people.post("/store/v1/customers", None, &grace).await.is(202);
    let found = shop.owner_call("GET", "/admin/v1/customers").send().await.expect(200);
    let wish = json!({ "customer": found.text("/data/0/id") });
    let whole = shop.digest().await;
    for (kind, says) in [
        ("customer_new_device", "is signed in nowhere"),
        ("customer_confirm_old_email", "another address"),
        ("customer_confirm_new_email", "another address"),
        ("customer_identity_linked", "no identity elsewhere"),
        ("customer_identity_unlinked", "no identity elsewhere"),
    ] {
        refuses(shop, kind, wish.clone(), "/customer", says).await;
    }
    for (kind, link) in [
        ("customer_verify_email", "/account/verify-email#preview"),
        ("customer_already_registered", "/account/reset-password#preview"),
        ("customer_reset_password", "/account/reset-password#preview"),
        ("customer_password_changed", "/account/forgot-password"),
        ("customer_email_changed", "/account/forgot-password"),
    ] {
        let shown = text(shop, kind, wish.clone()).await;
        assert!(shown.contains("Grace Hopper") && shown.contains(link), "{kind}: {shown}");
    }
    assert_eq!(shop.digest().await, whole, "no link is made by looking");
    let nobody = json!({ "customer": "cus_01h455vb4pex5vsknk084sn02q" });
    refuses(shop, "customer_verify_email", nobody, "/customer", "no such customer").await;
    refuses(shop, "order_placed", wish.clone(), "/customer", "with `order`").await;

    // Signed in, and on the way to another address.
    let signed_in = people.sign_in("grace@example.org", PASSWORD).await;
    let path = "/store/v1/account/email";
    let other = json!({ "email": "hopper@example.org", "password": PASSWORD });
    people.post(path, Some(&signed_in.access), &other).await.is(202);
    let device = text(shop, "customer_new_device", wish.clone()).await;
    assert!(device.contains("device that we do not know"), "{device}");
    for kind in ["customer_confirm_old_email", "customer_confirm_new_email"] {
        let asked = text(shop, kind, wish.clone()).await;
        assert!(asked.contains("/account/confirm-email#preview"), "{kind}: {asked}");
    }
    // Nobody writes to whoever is disabled.
    shop.admin("UPDATE {s}.customers SET state = 'disabled'").await;
    refuses(shop, "customer_verify_email", wish, "/customer", "disabled").await;
}

#[actix_web::test]
async fn what_is_to_be_paid_and_what_is_given_are_shown_without_their_secrets() {
    let shop = Shop::at("http://127.0.0.1:9").await;
    let thing = shop.thing(9, 1000).await;
    let body = json!({ "lines": [{ "variant": thing.variant, "quantity": 2 }], "email": "ada@example.com", "shipping_address": ada() });
    let draft = shop.staff("POST", "/admin/v1/draft-orders", Some(body)).await.expect(201).text("/id");
    let amount = json!({ "amount_minor": 4200, "currency": "EUR" });
    let card = json!({ "amount": amount, "origin": "granted", "send_to": "grace@example.com", "message": "Well done!" });
    let card = shop.owner_call("POST", "/admin/v1/gift-cards").keyed().json(&card).send().await.expect(201);
    let (draft, card) = (json!({ "draft_order": draft }), json!({ "gift_card": card.text("/id") }));
    let unmailed = json!({ "amount": amount, "origin": "granted" });
    let unmailed = shop.owner_call("POST", "/admin/v1/gift-cards").keyed().json(&unmailed).send().await;
    let unmailed = json!({ "gift_card": unmailed.expect(201).text("/id") });
    let whole = shop.digest().await;
    let asked = text(&shop, "draft_order_invoice", draft.clone()).await;
    let link = format!("/draft-orders/{}#preview", draft["draft_order"].as_str().unwrap());
    assert!(asked.contains("2 x Enamel mug (Blue)") && asked.contains(&link), "{asked}");
    let given = text(&shop, "gift_card", card.clone()).await;
    for part in ["42.00 EUR", "Well done!", "preview"] {
        assert!(given.contains(part), "{part}: {given}");
    }
    refuses(&shop, "gift_card", unmailed, "/gift_card", "to be mailed").await;
    refuses(&shop, "gift_card", draft.clone(), "/draft_order", "with `gift_card`").await;
    let nowhere = json!({ "draft_order": "dft_01h455vb4pex5vsknk084sn02q" });
    refuses(&shop, "draft_order_invoice", nowhere, "/draft_order", "no such draft order").await;
    assert_eq!(shop.digest().await, whole, "nothing is minted by looking");
    let path = format!("/admin/v1/draft-orders/{}/cancel", draft["draft_order"].as_str().unwrap());
    shop.staff("POST", &path, None).await.expect(200);
    refuses(&shop, "draft_order_invoice", draft, "/draft_order", "is over").await;
}
