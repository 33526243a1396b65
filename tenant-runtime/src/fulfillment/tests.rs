//! Sending over HTTP on the real application: shelves, statuses, mails, races.

use futures_util::future::{join, join_all};
use serde_json::{Value, json};
use souk_event_bus::{Consumer, ConsumerError};
use souk_tenancy::{DbError, TenancyError, WriteTx};

use crate::customers::tests::people::outbox_after;
use crate::messages::{MailRoom, NoticeMail, OrderMail};
use crate::testing::Answer;
use crate::testing::shop::{Shop, Thing, ada, key, pay_with};

/// An order of Ada's of several things at 10.00, and delivery of 4.90.
async fn bought(shop: &Shop, things: &[(Thing, u32)]) -> Value {
    let lines: Vec<_> = things
        .iter()
        .map(|(thing, quantity)| json!({ "variant": thing.variant, "quantity": quantity }))
        .collect();
    let body = json!({ "lines": lines, "email": "ada@example.com", "shipping_address": ada() });
    let cart = shop.call("POST", "/store/v1/carts").json(&body).send().await.expect(201).json;
    let pieces: u32 = things.iter().map(|(_, quantity)| quantity).sum();
    let path = format!("/store/v1/carts/{}/checkout", cart["id"].as_str().unwrap());
    let call = shop.call("POST", &path).keyed().header("x-cart-secret", cart["secret"].as_str().unwrap());
    let answer = call.json(&pay_with(i64::from(pieces) * 1000 + 490, "tok_ok")).send().await.expect(201);
    let mut order = answer.json["order"].clone();
    order["secret"] = answer.json["secret"].clone();
    order
}

fn id(thing: &Value) -> &str {
    thing["id"].as_str().unwrap()
}

fn some(order: &Value, line: usize, quantity: u32) -> Value {
    json!({ "lines": [{ "line": order["lines"][line]["id"], "quantity": quantity }] })
}

impl Shop {
    async fn sends(&self, order: &Value, body: &Value) -> Answer {
        let path = format!("/admin/v1/orders/{}/fulfillments", id(order));
        self.owner_call("POST", &path).keyed().json(body).send().await
    }

    async fn takes_back(&self, fulfillment: &Value) -> Answer {
        let path = format!("/admin/v1/fulfillments/{}/cancel", id(fulfillment));
        self.owner_call("POST", &path).keyed().json(&json!({})).send().await
    }

    async fn refunds_pieces(&self, order: &Value, line: usize, quantity: u32, stock: &str) -> Answer {
        let lines = json!([{ "line": order["lines"][line]["id"], "quantity": quantity, "stock": stock }]);
        let path = format!("/admin/v1/orders/{}/refunds", id(order));
        self.owner_call("POST", &path)
            .keyed()
            .json(&json!({ "lines": lines, "reason": "damaged" }))
            .send()
            .await
    }

    /// Status and actions of an order.
    async fn stands(&self, order: &Value) -> (String, Vec<String>) {
        let order = self.order(id(order)).await;
        let actions = order["allowed_actions"].as_array().unwrap();
        let actions = actions.iter().map(|action| action.as_str().unwrap().to_owned()).collect();
        (order["fulfillment_status"].as_str().unwrap().to_owned(), actions)
    }

    /// Has everything that was stated be heard by whoever writes to shoppers.
    async fn writes(&self) {
        let worker = self.gate.worker(self.store.id, "test", "hears").unwrap();
        let room = MailRoom {
            vault: std::sync::Arc::new(self.reception.vault()),
            domain: "platform.example".to_owned(),
            console_url: "https://console.example".to_owned(),
        };
        let notices = NoticeMail { address: self.till.address.clone(), room };
        for (_, event) in outbox_after(self, 0).await {
            for consumer in [&OrderMail as &dyn Consumer, &notices] {
                if consumer.wants(&event.kind) {
                    let event = &event;
                    let work =
                        async move |tx: &mut WriteTx<'_>| consumer.hear(tx, event).await.map_err(Heard);
                    worker.write("test.hear", work).await.unwrap();
                }
            }
        }
    }
}

#[derive(Debug)]
#[expect(dead_code, reason = "shown when a test fails")]
struct Heard(ConsumerError);

impl From<TenancyError> for Heard {
    fn from(error: TenancyError) -> Self {
        Self(error.into())
    }
}

impl From<DbError> for Heard {
    fn from(error: DbError) -> Self {
        Self(error.into())
    }
}

#[actix_web::test]
async fn a_part_leaves_then_the_rest_and_the_shelves_know() {
    let shop = Shop::open().await;
    let (mug, plate) = (shop.thing(9, 1000).await, shop.thing(5, 1000).await);
    let order = bought(&shop, &[(mug, 3), (plate, 1)]).await;
    assert_eq!(shop.stock().await, "9/3/0 5/1/0");
    let wish = json!({
        "lines": [{ "line": order["lines"][0]["id"], "quantity": 2 }],
        "tracking": { "company": "DHL", "number": "0034", "url": "https://dhl.example/0034" },
    });
    let first = shop.sends(&order, &wish).await.expect(201);
    assert_eq!(first.header("location"), format!("/admin/v1/fulfillments/{}", id(&first.json)));
    assert_eq!(first.header("etag"), "\"1\"");
    assert_eq!(
        (&first.json["state"], &first.json["tracking"], &first.json["order"]),
        (&json!("success"), &wish["tracking"], &order["id"])
    );
    assert_eq!(first.json["name"], format!("{}-F1", order["name"].as_str().unwrap()));
    assert_eq!(
        first.json["lines"],
        json!([{ "line": order["lines"][0]["id"], "title": "Enamel mug", "variant_title": "Blue", "sku": null, "quantity": 2 }])
    );
    assert_eq!((shop.stock().await.as_str(), shop.unexplained_levels().await), ("7/1/0 5/1/0", 0));
    let (status, actions) = shop.stands(&order).await;
    assert_eq!((status.as_str(), actions.join(" ").as_str()), ("partially_fulfilled", "refund fulfill"));
    let lines = shop.order(id(&order)).await["lines"].clone();
    assert_eq!((&lines[0]["fulfilled_quantity"], &lines[0]["fulfillable_quantity"]), (&json!(2), &json!(1)));
    // Without lines: what is left.
    let second = shop.sends(&order, &json!({})).await.expect(201);
    let sent: Vec<_> =
        second.json["lines"].as_array().unwrap().iter().map(|line| line["quantity"].clone()).collect();
    assert_eq!(sent, [json!(1), json!(1)]);
    assert_eq!((shop.stock().await.as_str(), shop.unexplained_levels().await), ("6/0/0 4/0/0", 0));
    let (status, actions) = shop.stands(&order).await;
    assert_eq!((status.as_str(), actions.join(" ").as_str()), ("fulfilled", "refund"));
    shop.sends(&order, &json!({})).await.refused(409, "nothing_to_fulfill");
    let path = format!("/admin/v1/orders/{}/fulfillments", id(&order));
    let listed = shop.owner_call("GET", &path).send().await.expect(200);
    assert_eq!(listed.data(), &[first.json.clone(), second.json.clone()]);
    let one = format!("/admin/v1/fulfillments/{}", id(&first.json));
    assert_eq!(shop.owner_call("GET", &one).send().await.expect(200).json, first.json);
    shop.owner_call("GET", &one).header("if-none-match", "\"1\"").send().await.expect(304);
    let done =
        shop.owner_call("GET", "/admin/v1/orders?fulfillment_status=fulfilled").send().await.expect(200);
    assert_eq!((done.data().len(), &done.data()[0]["id"]), (1, &order["id"]));
    let waiting =
        shop.owner_call("GET", "/admin/v1/orders?fulfillment_status=unfulfilled").send().await.expect(200);
    assert_eq!(waiting.data().len(), 0);
    assert_eq!(shop.told().await[2..], ["fulfillment.created", "fulfillment.created"]);
}

#[actix_web::test]
async fn what_did_not_leave_is_back_on_its_shelf() {
    let shop = Shop::open().await;
    let order = bought(&shop, &[(shop.thing(9, 1000).await, 3)]).await;
    let sent = shop.sends(&order, &json!({})).await.expect(201).json;
    assert_eq!(shop.stock().await, "6/0/0");
    let back = shop.takes_back(&sent).await.expect(200);
    assert_eq!((&back.json["state"], back.header("etag")), (&json!("cancelled"), "\"2\""));
    assert_eq!((shop.stock().await.as_str(), shop.unexplained_levels().await), ("9/3/0", 0));
    assert_eq!(shop.stands(&order).await.0, "unfulfilled");
    let before = shop.digest().await;
    shop.takes_back(&sent).await.refused(409, "fulfillment_state");
    assert_eq!(shop.digest().await, before);
    // It can be sent again, and undone as if nothing had been.
    shop.sends(&order, &some(&order, 0, 1)).await.expect(201);
    let again = shop.sends(&order, &json!({})).await.expect(201).json;
    assert_eq!(again["name"], format!("{}-F3", order["name"].as_str().unwrap()));
    assert_eq!((shop.stock().await.as_str(), shop.stands(&order).await.0.as_str()), ("6/0/0", "fulfilled"));
    let cancel = format!("/admin/v1/orders/{}/cancel", id(&order));
    let wish = json!({ "reason": "customer" });
    let refused =
        shop.owner_call("POST", &cancel).keyed().json(&wish).send().await.refused(409, "order_state");
    assert_eq!(refused.json["allowed_actions"], json!(["refund"]));
    assert_eq!(shop.told().await[2..4], ["fulfillment.created", "fulfillment.cancelled"]);
    for sent in
        shop.owner_call("GET", &format!("/admin/v1/orders/{}/fulfillments", id(&order))).send().await.data()
    {
        if sent["state"] == "success" {
            shop.takes_back(sent).await.expect(200);
        }
    }
    shop.owner_call("POST", &cancel).keyed().json(&wish).send().await.expect(200);
    assert_eq!((shop.stock().await.as_str(), shop.unexplained_levels().await), ("9/0/0", 0));
    shop.sends(&order, &json!({})).await.refused(409, "order_state");
}

#[actix_web::test]
async fn what_was_given_back_is_not_sent() {
    let shop = Shop::open().await;
    let order = bought(&shop, &[(shop.thing(9, 1000).await, 4)]).await;
    shop.refunds_pieces(&order, 0, 1, "restock").await.expect(200);
    shop.sends(&order, &some(&order, 0, 4))
        .await
        .refused(409, "fulfillment_exceeds")
        .about("/lines/0/quantity");
    let sent = shop.sends(&order, &some(&order, 0, 2)).await.expect(201).json;
    assert_eq!(
        (shop.stock().await.as_str(), shop.stands(&order).await.0.as_str()),
        ("7/1/0", "partially_fulfilled")
    );
    // Nothing is left to send once the last piece is given up.
    shop.refunds_pieces(&order, 0, 1, "restock").await.expect(200);
    assert_eq!((shop.stock().await.as_str(), shop.stands(&order).await.0.as_str()), ("7/0/0", "fulfilled"));
    shop.sends(&order, &json!({})).await.refused(409, "nothing_to_fulfill");
    // Both came back by mail, and then it turns out that they never left: nobody wants them any more, so they are on sale.
    shop.refunds_pieces(&order, 0, 2, "keep").await.expect(200);
    let lines = shop.order(id(&order)).await["lines"].clone();
    assert_eq!((&lines[0]["refunded_quantity"], &lines[0]["fulfillable_quantity"]), (&json!(4), &json!(0)));
    shop.takes_back(&sent).await.expect(200);
    assert_eq!((shop.stock().await.as_str(), shop.unexplained_levels().await), ("9/2/0", 0));
    assert_eq!(shop.stands(&order).await.0, "unfulfilled");

    let other = bought(&shop, &[(shop.thing(3, 1000).await, 3)]).await;
    let sent = shop.sends(&other, &json!({})).await.expect(201).json;
    shop.refunds_pieces(&other, 0, 2, "restock").await.expect(200);
    shop.takes_back(&sent).await.expect(200);
    // The order wants one of the three; the other two can be bought.
    assert_eq!((shop.stock().await.as_str(), shop.unexplained_levels().await), ("9/2/0 3/1/0", 0));
}

#[actix_web::test]
async fn what_makes_no_sense_changes_nothing() {
    let shop = Shop::open().await;
    let order = bought(&shop, &[(shop.thing(9, 1000).await, 2)]).await;
    let other = bought(&shop, &[(shop.thing(9, 1000).await, 1)]).await;
    let before = shop.digest().await;
    let line = &order["lines"][0]["id"];
    for (pointer, body) in [
        ("/lines/0/quantity", json!({ "lines": [{ "line": line, "quantity": 0 }] })),
        ("/lines/0/line", json!({ "lines": [{ "line": other["lines"][0]["id"] }] })),
        (
            "/lines/1/line",
            json!({ "lines": [{ "line": line, "quantity": 1 }, { "line": line, "quantity": 1 }] }),
        ),
        ("/tracking/url", json!({ "tracking": { "url": "javascript:alert(1)" } })),
        ("/tracking/number", json!({ "tracking": { "number": "" } })),
    ] {
        shop.sends(&order, &body).await.refused(422, "validation_failed").about(pointer);
    }
    shop.sends(&order, &json!({ "carrier": "DHL" })).await.refused(422, "unknown_field");
    shop.sends(&order, &some(&order, 0, 3))
        .await
        .refused(409, "fulfillment_exceeds")
        .about("/lines/0/quantity");
    let unknown = json!({ "id": "ord_01h455vb4pex5vsknk084sn02q" });
    shop.sends(&unknown, &json!({})).await.refused(404, "not_found");
    shop.takes_back(&json!({ "id": "ful_01h455vb4pex5vsknk084sn02q" })).await.refused(404, "not_found");
    let path = format!("/admin/v1/orders/{}/fulfillments", id(&order));
    shop.owner_call("POST", &path).json(&json!({})).send().await.refused(400, "idempotency_key_missing");
    shop.call("POST", &path).keyed().json(&json!({})).send().await.refused(401, "unauthenticated");
    shop.owner_call("GET", "/admin/v1/orders/ord_01h455vb4pex5vsknk084sn02q/fulfillments")
        .send()
        .await
        .refused(404, "not_found");
    assert_eq!(shop.digest().await, before);
}

#[actix_web::test]
async fn what_is_not_on_hand_cannot_leave() {
    let shop = Shop::open().await;
    let thing = shop.thing(1, 1000).await;
    shop.admin("UPDATE {s}.inventory_levels SET backorderable = 999999999; UPDATE {s}.product_variants SET inventory_policy = 'continue'").await;
    let order = bought(&shop, &[(thing, 3)]).await;
    assert_eq!(shop.stock().await, "1/3/0");
    let before = shop.digest().await;
    shop.sends(&order, &json!({})).await.refused(409, "not_on_hand");
    assert_eq!(shop.digest().await, before);
    shop.sends(&order, &some(&order, 0, 1)).await.expect(201);
    assert_eq!((shop.stock().await.as_str(), shop.unexplained_levels().await), ("0/2/0", 0));
}

#[actix_web::test]
async fn it_happens_once_for_its_key() {
    let shop = Shop::open().await;
    let order = bought(&shop, &[(shop.thing(9, 1000).await, 2)]).await;
    let (path, key) = (format!("/admin/v1/orders/{}/fulfillments", id(&order)), key());
    let asks = async |body: Value| {
        shop.owner_call("POST", &path).header("idempotency-key", &key).json(&body).send().await
    };
    let first = asks(some(&order, 0, 1)).await.expect(201);
    let again = asks(some(&order, 0, 1)).await.expect(201);
    assert_eq!((&first.bytes, again.header("idempotent-replayed")), (&again.bytes, "true"));
    asks(some(&order, 0, 2)).await.refused(422, "idempotency_key_reused");
    assert_eq!(shop.stock().await, "8/1/0");
}

/// The order's lock makes them queue: each piece leaves once.
#[actix_web::test]
async fn the_same_piece_leaves_once_however_many_send_it() {
    let shop = Shop::open().await;
    let order = bought(&shop, &[(shop.thing(9, 1000).await, 2)]).await;
    let wish = some(&order, 0, 2);
    let answers = join_all((0..8).map(|_| shop.sends(&order, &wish))).await;
    let done = answers.iter().filter(|answer| answer.status == 201).count();
    let refused = answers.iter().filter(|answer| answer.json["code"] == "fulfillment_exceeds").count();
    assert_eq!(
        (done, refused),
        (1, 7),
        "{:?}",
        answers.iter().map(|answer| answer.status).collect::<Vec<_>>()
    );
    assert_eq!((shop.stock().await.as_str(), shop.unexplained_levels().await), ("7/0/0", 0));
    let sent = answers.into_iter().find(|answer| answer.status == 201).unwrap().json;
    let answers = join_all((0..8).map(|_| shop.takes_back(&sent))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    assert_eq!((shop.stock().await.as_str(), shop.unexplained_levels().await), ("9/2/0", 0));
}

/// Whoever is first: it is sent and not cancelled, or cancelled and not sent.
#[actix_web::test]
async fn sending_against_cancelling_and_giving_back() {
    for _ in 0..4 {
        let shop = Shop::open().await;
        let order = bought(&shop, &[(shop.thing(9, 1000).await, 2)]).await;
        let cancel = format!("/admin/v1/orders/{}/cancel", id(&order));
        let wish = json!({ "reason": "customer" });
        let everything = json!({});
        let (sent, cancelled) = join(
            shop.sends(&order, &everything),
            shop.owner_call("POST", &cancel).keyed().json(&wish).send(),
        )
        .await;
        match (sent.status, cancelled.status) {
            (201, 409) => assert_eq!(shop.stock().await, "7/0/0"),
            (409, 200) => assert_eq!(shop.stock().await, "9/0/0"),
            other => panic!("{other:?}"),
        }
        assert_eq!(shop.unexplained_levels().await, 0);

        let other = bought(&shop, &[(shop.thing(5, 1000).await, 1)]).await;
        let wish = some(&other, 0, 1);
        let (sent, refunded) =
            join(shop.sends(&other, &wish), shop.refunds_pieces(&other, 0, 1, "restock")).await;
        refunded.expect(200);
        let shelf = shop.stock().await;
        match sent.status {
            201 => assert!(shelf.ends_with("4/0/0"), "{shelf}"),
            409 => assert!(shelf.ends_with("5/0/0"), "{shelf}"),
            other => panic!("{other}"),
        }
        assert_eq!(shop.unexplained_levels().await, 0);
    }
}

#[actix_web::test]
async fn the_shopper_and_followers_are_told_unless_staff_says_nothing() {
    let shop = Shop::open().await;
    let order = bought(&shop, &[(shop.thing(9, 1000).await, 3)]).await;
    shop.admin(
        "INSERT INTO {s}.subscriptions (id, topic, email, email_key, order_id, state, asked_at, confirmed_at, created_at)
         SELECT gen_random_uuid(), 'order', 'charles@example.com', 'charles@example.com', id, 'confirmed', now(), now(), now() FROM {s}.orders;
         UPDATE {s}.store_settings SET locale = 'en'",
    )
    .await;
    let quiet = json!({ "lines": [{ "line": order["lines"][0]["id"], "quantity": 1 }], "notify": false });
    shop.sends(&order, &quiet).await.expect(201);
    let told = json!({
        "lines": [{ "line": order["lines"][0]["id"], "quantity": 1 }],
        "tracking": { "company": "DHL", "number": "0034", "url": "https://dhl.example/?p=0034&l=\"de\"" },
    });
    shop.sends(&order, &told).await.expect(201);
    shop.writes().await;
    shop.admin("UPDATE {s}.store_settings SET locale = 'de-DE'").await;
    shop.sends(&order, &json!({})).await.expect(201);
    shop.writes().await;
    let of = async |text: &'static str| shop.words(text).await;
    let whom = "SELECT recipient AS word FROM email_messages WHERE template = 'order_shipped' ORDER BY id";
    assert_eq!(of(whom).await, "ada@example.com ada@example.com");
    let text = "SELECT body_text AS word FROM email_messages WHERE template = 'order_shipped' ORDER BY id";
    let said = of(text).await;
    let name = order["name"].as_str().unwrap();
    for words in [
        format!("A part of your order {name} has left us; the rest follows."),
        "1 x Enamel mug (Blue)".to_owned(),
        "DHL, tracking number 0034".to_owned(),
        "Follow the parcel: https://dhl.example/?p=0034&l=\"de\"".to_owned(),
        format!("Ihre Bestellung {name} hat unser Haus verlassen."),
    ] {
        assert!(said.contains(&words), "{words} is not in {said}");
    }
    let html =
        "SELECT body_html AS word FROM email_messages WHERE template = 'order_shipped' ORDER BY id LIMIT 1";
    let html = of(html).await;
    assert!(html.contains("Follow the parcel</a>") && !html.contains("l=\"de\""), "escaped: {html}");
    let news = "SELECT count(*) AS number FROM email_messages WHERE template = 'order_news' AND recipient = 'charles@example.com'
        AND (body_text LIKE '%left the shop%' OR body_text LIKE '%ist unterwegs%')";
    assert_eq!(shop.number(news).await, 2);
    assert_eq!(shop.number("SELECT count(*) AS number FROM email_messages WHERE body_text LIKE '%0034%' AND recipient <> 'ada@example.com'").await, 0);
}

#[actix_web::test]
async fn what_the_carrier_says_later_is_told_again_only_on_demand() {
    let shop = Shop::open().await;
    let order = bought(&shop, &[(shop.thing(9, 1000).await, 1)]).await;
    shop.admin("UPDATE {s}.store_settings SET locale = 'en'").await;
    let sent = shop.sends(&order, &json!({ "notify": false })).await.expect(201).json;
    let path = format!("/admin/v1/fulfillments/{}", id(&sent));
    let says = async |seen: &str, body: Value| {
        shop.owner_call("PATCH", &path).header("if-match", seen).json(&body).send().await
    };
    let before = shop.digest().await;
    let wish = json!({ "tracking": { "number": "0034" } });
    shop.owner_call("PATCH", &path).json(&wish).send().await.refused(428, "precondition_required");
    says("\"7\"", wish.clone()).await.refused(412, "precondition_failed");
    let wrong = json!({ "tracking": { "url": "ftp://dhl.example" } });
    says("\"1\"", wrong).await.refused(422, "validation_failed").about("/tracking/url");
    says("\"1\"", json!({ "lines": [] })).await.refused(422, "unknown_field");
    assert_eq!(shop.digest().await, before);
    let once = says("\"1\"", wish).await.expect(200);
    assert_eq!((once.header("etag"), &once.json["tracking"]["number"]), ("\"2\"", &json!("0034")));
    shop.writes().await;
    let count = "SELECT count(*) AS number FROM email_messages WHERE template = 'order_shipped'";
    assert_eq!(shop.number(count).await, 0);
    let wish = json!({ "tracking": { "company": "DHL", "number": "0035" }, "notify": true });
    says("\"2\"", wish).await.expect(200);
    shop.writes().await;
    assert_eq!(shop.number(count).await, 1);
    let said =
        shop.words("SELECT body_text AS word FROM email_messages WHERE template = 'order_shipped'").await;
    assert!(said.contains("DHL, tracking number 0035"), "{said}");
    assert_eq!(shop.told().await[2..], ["fulfillment.created", "fulfillment.updated", "fulfillment.updated"]);
    shop.takes_back(&sent).await.expect(200);
    says("\"4\"", json!({ "tracking": {} })).await.refused(409, "fulfillment_state");
}

#[actix_web::test]
async fn shoppers_see_where_their_order_is() {
    let shop = Shop::open().await;
    let order = bought(&shop, &[(shop.thing(9, 1000).await, 1)]).await;
    let sent = shop.sends(&order, &json!({ "tracking": { "number": "0034" } })).await.expect(201).json;
    let path = format!("/store/v1/orders/{}/fulfillments", id(&order));
    let secret = order["secret"].as_str().unwrap();
    let seen = shop.call("GET", &path).header("x-order-secret", secret).send().await.expect(200);
    assert_eq!(seen.data(), &[sent]);
    shop.call("GET", &path).send().await.refused(404, "not_found");
    let wrong = "A".repeat(43);
    shop.call("GET", &path).header("x-order-secret", &wrong).send().await.refused(404, "not_found");
}
