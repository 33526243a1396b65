//! Groups of customers over HTTP: who is in them, and what is only for them.

use futures_util::future::{join, join_all};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::customers::tests::people::{People, SignedIn, address};
use crate::testing::Answer;

const PATH: &str = "/admin/v1/customer-groups";

async fn staff(people: &People, method: &str, path: &str, body: Value) -> Answer {
    people.shop.owner_call(method, path).keyed().json(&body).send().await
}

async fn seen(people: &People, path: &str) -> Answer {
    people.shop.owner_call("GET", path).send().await
}

async fn group(people: &People, name: &str) -> String {
    staff(people, "POST", PATH, json!({ "name": name })).await.expect(201).text("/id")
}

async fn members(people: &People, group: &str, change: Value) -> Answer {
    staff(people, "POST", &format!("{PATH}/{group}/members"), change).await
}

/// Somebody who is signed in, and their id.
async fn customer(people: &People, email: &str) -> (SignedIn, String) {
    let who = people.customer(email).await;
    let id = people.get("/store/v1/account", &who.access).await.expect(200).text("/id");
    (who, id)
}

/// A mug at 10.00 EUR; its variant.
async fn mug(people: &People) -> String {
    let price = json!({ "amount_minor": 1000, "currency": "EUR" });
    let body = json!({ "title": "Mug", "price": price, "stock": 50 });
    let product = staff(people, "POST", "/admin/v1/products", body).await.expect(201).text("/id");
    seen(people, &format!("/admin/v1/products/{product}")).await.text("/variants/0/id")
}

/// A tenth off for these groups; its id.
async fn wholesale(people: &People, groups: &[&str]) -> String {
    let list = json!({ "name": "Wholesale", "currency": "EUR", "kind": "percent", "adjust_ppm": -100_000,
        "customer_groups": groups });
    let made = staff(people, "POST", "/admin/v1/price-lists", list).await.expect(201);
    assert_eq!(made.json["customer_groups"], json!(groups));
    made.text("/id")
}

/// A code that takes a tenth off.
fn club(groups: &[&str]) -> Value {
    json!({ "title": "Club", "method": "code", "codes": ["CLUB"], "customer_groups": groups,
        "terms": { "kind": "percentage", "rate_ppm": 100_000 } })
}

/// A cart for Berlin, as it is answered.
async fn cart(people: &People, who: Option<&SignedIn>, variant: &str, codes: &[&str]) -> Answer {
    let body = json!({ "lines": [{ "variant": variant, "quantity": 2 }], "email": format!("{}@example.com", Uuid::now_v7()),
        "shipping_address": address("Berlin"), "discount_codes": codes });
    people.post("/store/v1/carts", who.map(|who| who.access.as_str()), &body).await
}

async fn again(people: &People, cart: &Value) -> Value {
    let path = format!("/store/v1/carts/{}", cart["id"].as_str().unwrap());
    people.shop.send("GET", &path, None, &[("x-cart-secret", cart["secret"].as_str().unwrap())]).await.is(200)
}

/// Buys a cart at the total that was shown.
async fn buys(people: &People, who: &SignedIn, cart: &Value) -> Answer {
    let (bearer, key) = (format!("Bearer {}", who.access), Uuid::now_v7().to_string());
    let headers = [
        ("x-cart-secret", cart["secret"].as_str().unwrap()),
        ("idempotency-key", key.as_str()),
        ("authorization", bearer.as_str()),
    ];
    let pay = json!({ "expected_total": cart["total"], "payment": { "provider": "manual" } });
    let path = format!("/store/v1/carts/{}/checkout", cart["id"].as_str().unwrap());
    loop {
        let answer = people.shop.send("POST", &path, Some(pay.to_string().into_bytes()), &headers).await;
        if answer.status != 503 {
            return answer;
        }
    }
}

fn minor(money: &Value) -> i64 {
    money["amount_minor"].as_i64().unwrap_or_else(|| panic!("{money}"))
}

#[actix_web::test]
async fn a_group_is_made_renamed_filled_and_deleted() {
    let people = People::open().await;
    let ((ada, ada_id), (_, bea_id)) =
        (customer(&people, "ada@example.com").await, customer(&people, "bea@example.com").await);
    let made = staff(&people, "POST", PATH, json!({ "name": "Trade & Co." })).await.expect(201);
    assert_eq!((&made.json["handle"], &made.json["member_count"]), (&json!("trade-co"), &json!(0)));
    let path = format!("{PATH}/{}", made.text("/id"));
    assert_eq!(made.header("location"), path);
    for (wish, pointer) in [
        (json!({ "name": "Trade & Co.", "handle": "other" }), "/name"),
        (json!({ "name": "Other", "handle": "trade-co" }), "/handle"),
    ] {
        staff(&people, "POST", PATH, wish).await.refused(409, "conflict").about(pointer);
    }
    let renamed = staff(&people, "PATCH", &path, json!({ "name": "Trade" })).await.expect(200);
    assert_eq!((&renamed.json["name"], &renamed.json["handle"]), (&json!("Trade"), &json!("trade-co")));
    let stale = people.shop.owner_call("PATCH", &path).header("if-match", "\"1\"");
    stale.json(&json!({ "note": "x" })).send().await.refused(412, "precondition_failed");
    // Both at once; again nothing happens, and nobody is told.
    let id = made.text("/id");
    let added = members(&people, &id, json!({ "add": [ada_id, bea_id, ada_id] })).await.expect(200);
    assert_eq!((&added.json["added"], &added.json["group"]["member_count"]), (&json!(2), &json!(2)));
    let before = people.shop.told().await.len();
    let idle = members(&people, &id, json!({ "add": [ada_id] })).await.expect(200);
    assert_eq!(
        (&idle.json["added"], &idle.json["group"]["version"]),
        (&json!(0), &added.json["group"]["version"])
    );
    assert_eq!(people.shop.told().await.len(), before);
    let page = seen(&people, &format!("{path}/members?limit=1")).await.expect(200);
    assert_eq!(
        (&page.data()[0]["email"], &page.json["page"]["has_more"]),
        (&json!("bea@example.com"), &json!(true))
    );
    let groups = seen(&people, &format!("/admin/v1/customers/{ada_id}/groups")).await.expect(200);
    assert_eq!((&groups.data()[0]["name"], groups.cost.0), (&json!("Trade"), 1));
    let swap = members(&people, &id, json!({ "remove": [bea_id] })).await.expect(200);
    assert_eq!((&swap.json["removed"], &swap.json["group"]["member_count"]), (&json!(1), &json!(1)));
    let nobody = seen(&people, &format!("/admin/v1/customers/{bea_id}/groups")).await.expect(200);
    assert!(nobody.data().is_empty());
    seen(&people, "/admin/v1/customers/cus_01h455vb4pex5vsknk084sn02q/groups")
        .await
        .refused(404, "not_found");
    // All or none, and shoppers have no say.
    let before = people.shop.digest().await;
    for (wish, pointer) in [
        (json!({ "add": [bea_id, "cus_01h455vb4pex5vsknk084sn02q"] }), "/add/1"),
        (json!({ "add": [bea_id], "remove": [ada_id, bea_id] }), "/remove/1"),
        (json!({}), "/add"),
    ] {
        members(&people, &id, wish).await.refused(422, "validation_failed").about(pointer);
    }
    people
        .post(&format!("{path}/members"), Some(&ada.access), &json!({ "add": [bea_id] }))
        .await
        .refused(403, "forbidden");
    assert_eq!(people.shop.digest().await, before);
    people.shop.owner_call("DELETE", &path).send().await.expect(204);
    seen(&people, &path).await.refused(404, "not_found");
    let told = people.shop.told().await;
    let of_groups: Vec<_> = told.iter().filter(|kind| kind.starts_with("customer_group.")).collect();
    assert_eq!(
        of_groups,
        [
            "customer_group.created",
            "customer_group.updated",
            "customer_group.updated",
            "customer_group.updated",
            "customer_group.deleted"
        ]
    );
}

#[actix_web::test]
async fn a_price_for_a_group_is_its_members_alone_and_no_page_tells_it() {
    let mut people = People::open().await;
    people.shop = people.shop.keeping_pages();
    let variant = mug(&people).await;
    let ((ada, ada_id), (bea, _)) =
        (customer(&people, "ada@example.com").await, customer(&people, "bea@example.com").await);
    let basket = json!({ "lines": [{ "variant": variant, "quantity": 2 }] });
    let quoted = async |who: Option<&SignedIn>| {
        let answer = people.post("/store/v1/quotes", who.map(|who| who.access.as_str()), &basket).await;
        let answer = answer.expect(200);
        (minor(&answer.json["subtotal"]), answer.cost)
    };
    // What it costs the database before there are groups, once the process is warm.
    quoted(None).await;
    let plain = quoted(None).await;
    let group = group(&people, "Trade").await;
    members(&people, &group, json!({ "add": [ada_id] })).await.expect(200);
    wholesale(&people, &[group.as_str()]).await;
    assert_eq!((quoted(None).await, plain.0), (plain, 2000));
    assert_eq!((quoted(Some(&ada)).await.0, quoted(Some(&bea)).await.0), (1800, 2000));
    // Staff put an order together for her: her price, from the first line on.
    let draft = json!({ "customer": ada_id, "lines": [{ "variant": variant, "quantity": 2 }] });
    let draft = staff(&people, "POST", "/admin/v1/draft-orders", draft).await.expect(201);
    assert_eq!(minor(&draft.json["subtotal"]), 1800);
    // Why.
    let path = format!("/store/v1/variants/{variant}/price");
    let explained = people.get(&path, &ada.access).await.is(200);
    assert_eq!((minor(&explained["unit_price"]), &explained["customer"]), (900, &json!(ada_id)));
    let considered = &explained["considered"][0];
    assert_eq!((&considered["for_customer_groups"], &considered["chosen"]), (&json!(true), &json!(true)));
    for stranger in [people.get(&path, &bea.access).await, people.shop.call("GET", &path).send().await] {
        let told = stranger.is(200);
        assert_eq!((minor(&told["unit_price"]), &told["considered"]), (1000, &json!([])));
    }
    let staff_sees = seen(&people, &path).await.is(200);
    let considered = &staff_sees["considered"][0];
    assert_eq!((minor(&staff_sees["unit_price"]), &considered["name"]), (1000, &json!("Wholesale")));
    assert_eq!((&considered["for_customer"], &considered["chosen"]), (&json!(false), &json!(false)));
    let of_ada = format!("{path}?customer={ada_id}");
    assert_eq!(minor(&seen(&people, &of_ada).await.is(200)["unit_price"]), 900);
    people.get(&of_ada, &bea.access).await.refused(404, "not_found");
    let of_nobody = format!("{path}?customer=cus_01h455vb4pex5vsknk084sn02q");
    seen(&people, &of_nobody).await.refused(404, "not_found");
    // Pages from memory are the same for everybody, whoever asked first; a shopper's own prices are asked for beside them.
    for who in [Some(&ada), None, Some(&bea), Some(&ada)] {
        let bearer = who.map(|who| who.access.as_str()).unwrap_or_default();
        let page = people.get("/store/v1/products", bearer).await.expect(200);
        assert_eq!(minor(&page.data()[0]["price_from"]), 1000);
        let expected = if who.is_some_and(|who| who.access == ada.access) { 900 } else { 1000 };
        let own =
            people.get(&format!("/store/v1/prices?variants={variant},{variant}"), bearer).await.expect(200);
        let price = &own.data()[0];
        assert_eq!((own.data().len(), minor(&price["steps"][0]["unit_price"])), (1, expected));
        assert_eq!(minor(&price["base_price"]), 1000);
        assert_eq!(own.header("cache-control"), "no-store");
    }
    people.get("/store/v1/prices?variants=", "").await.refused(422, "validation_failed");
    // What was bought stays what it was; what is in the cart does not.
    let bought = cart(&people, Some(&ada), &variant, &[]).await.is(201);
    let order = buys(&people, &ada, &bought).await;
    assert!(order.status < 300, "{}", order.json);
    let open = cart(&people, Some(&ada), &variant, &[]).await.is(201);
    assert_eq!(minor(&open["lines"][0]["unit_price"]), 900);
    members(&people, &group, json!({ "remove": [ada_id] })).await.expect(200);
    assert_eq!(minor(&again(&people, &open).await["lines"][0]["unit_price"]), 1000);
    let order = format!("/admin/v1/orders/{}", order.json["order"]["id"].as_str().unwrap());
    assert_eq!(minor(&seen(&people, &order).await.is(200)["lines"][0]["unit_price"]), 900);
}

#[actix_web::test]
async fn a_code_for_a_group_says_why_it_does_not_apply() {
    let people = People::open().await;
    let variant = mug(&people).await;
    let ((ada, ada_id), (bea, _)) =
        (customer(&people, "ada@example.com").await, customer(&people, "bea@example.com").await);
    let group = group(&people, "Club").await;
    members(&people, &group, json!({ "add": [ada_id] })).await.expect(200);
    let many: Vec<_> = (0..51).map(|_| group.as_str()).collect();
    for groups in [vec!["cgr_01h455vb4pex5vsknk084sn02q"], many] {
        let refused = staff(&people, "POST", "/admin/v1/discounts", club(&groups)).await;
        refused.refused(422, "validation_failed").about("/customer_groups");
    }
    let made = staff(&people, "POST", "/admin/v1/discounts", club(&[group.as_str()])).await.expect(201);
    assert_eq!(made.json["customer_groups"], json!([group]));
    // Whoever is not signed in may yet be one of them.
    let guest = cart(&people, None, &variant, &["CLUB"]).await.is(201);
    assert_eq!(
        (&guest["discount_codes"][0]["reason"], minor(&guest["discount"])),
        (&json!("sign_in_first"), 0)
    );
    let other = cart(&people, Some(&bea), &variant, &["CLUB"]).await;
    assert_eq!(other.refused(422, "discount_code_refused").json["reason"], "other_customers");
    let own = cart(&people, Some(&ada), &variant, &["CLUB"]).await.is(201);
    assert_eq!((&own["discount_codes"][0]["applies"], minor(&own["discount"])), (&json!(true), 200));
    members(&people, &group, json!({ "remove": [ada_id] })).await.expect(200);
    let left = again(&people, &own).await;
    assert_eq!(
        (&left["discount_codes"][0]["reason"], minor(&left["discount"])),
        (&json!("other_customers"), 0)
    );
    // For everybody from now on.
    let path = format!("/admin/v1/discounts/{}", made.text("/id"));
    let put = people.shop.owner_call("PUT", &path).header("if-match", "\"1\"").json(&club(&[]));
    assert_eq!(put.send().await.expect(200).json["customer_groups"], json!([]));
    assert_eq!(minor(&again(&people, &guest).await["discount"]), 200);
}

#[actix_web::test]
async fn an_exemption_of_a_group_is_its_members_while_they_are_in_it() {
    let people = People::open().await;
    let (ada, ada_id) = customer(&people, "ada@example.com").await;
    let (_, bea_id) = customer(&people, "bea@example.com").await;
    let group = group(&people, "Charities").await;
    members(&people, &group, json!({ "add": [ada_id] })).await.expect(200);
    let path = "/admin/v1/tax-exemptions";
    let exempt =
        json!({ "customer_group": group, "country": "DE", "reason": "charity", "certificate": "No. 12" });
    let made = staff(&people, "POST", path, exempt.clone()).await.expect(201);
    assert_eq!((&made.json["customer_group"], &made.json["customer"]), (&json!(group), &json!(null)));
    let relief = async |who: &str| {
        let ask =
            json!({ "country": "DE", "customer": who, "lines": [{ "amount_minor": 1190, "quantity": 1 }] });
        let asked = staff(&people, "POST", "/admin/v1/tax/preview", ask).await.expect(200);
        (minor(&asked.json["tax"]), asked.json["relief"]["certificate"].clone())
    };
    assert_eq!((relief(&ada_id).await, relief(&bea_id).await), ((0, json!("No. 12")), (190, json!(null))));
    let of_ada = seen(&people, &format!("{path}?customer={ada_id}")).await.expect(200);
    assert_eq!((of_ada.data().len(), &of_ada.data()[0]["id"]), (1, &made.json["id"]));
    for (mut wish, change) in [(exempt.clone(), json!(ada_id)), (exempt, json!(null))] {
        if change.is_null() {
            wish.as_object_mut().unwrap().remove("customer_group");
        }
        wish["customer"] = change;
        staff(&people, "POST", path, wish).await.refused(422, "validation_failed").about("/customer");
    }
    let unknown = json!({ "customer_group": "cgr_01h455vb4pex5vsknk084sn02q", "reason": "charity", "certificate": "x" });
    staff(&people, "POST", path, unknown).await.refused(422, "validation_failed").about("/customer_group");
    // The copy has both; who is forgotten is in no group.
    let copy = people.get("/store/v1/account/export", &ada.access).await.is(200);
    assert_eq!(
        (&copy["customer_groups"][0]["name"], &copy["tax_exemptions"][0]["certificate"]),
        (&json!("Charities"), &json!("No. 12"))
    );
    members(&people, &group, json!({ "remove": [ada_id], "add": [bea_id] })).await.expect(200);
    assert_eq!((relief(&ada_id).await.0, relief(&bea_id).await.0), (190, 0));
    people.shop.owner_call("DELETE", &format!("/admin/v1/customers/{bea_id}")).send().await.expect(204);
    assert_eq!(people.number("SELECT count(*) AS number FROM customer_group_members").await, 0);
    members(&people, &group, json!({ "add": [bea_id] }))
        .await
        .refused(422, "validation_failed")
        .about("/add/0");
}

#[actix_web::test]
async fn a_group_that_something_is_only_for_stays() {
    let people = People::open().await;
    let group = group(&people, "Trade").await;
    let list = wholesale(&people, &[group.as_str()]).await;
    let discount =
        staff(&people, "POST", "/admin/v1/discounts", club(&[group.as_str()])).await.expect(201).text("/id");
    let exempt = json!({ "customer_group": group, "reason": "resale", "certificate": "No. 1" });
    let exemption = staff(&people, "POST", "/admin/v1/tax-exemptions", exempt).await.expect(201).text("/id");
    let path = format!("{PATH}/{group}");
    let before = people.shop.digest().await;
    let used = people.shop.owner_call("DELETE", &path).send().await.refused(409, "customer_group_in_use");
    assert_eq!(
        (&used.json["price_lists"], &used.json["discounts"]),
        (&json!(["Wholesale"]), &json!(["Club"]))
    );
    assert_eq!(used.json["tax_exemptions"], 1);
    assert_eq!(people.shop.digest().await, before);
    people.shop.clock.advance(std::time::Duration::from_secs(1));
    for path in [
        format!("/admin/v1/price-lists/{list}"),
        format!("/admin/v1/discounts/{discount}"),
        format!("/admin/v1/tax-exemptions/{exemption}"),
    ] {
        people.shop.owner_call("DELETE", &path).send().await.expect(204);
    }
    // What has ended goes with it.
    people.shop.owner_call("DELETE", &path).send().await.expect(204);
    assert_eq!(people.number("SELECT count(*) AS number FROM tax_exemptions").await, 0);
    let list = json!({ "name": "Late", "currency": "EUR", "kind": "percent", "adjust_ppm": -1, "customer_groups": [group] });
    let refused = staff(&people, "POST", "/admin/v1/price-lists", list).await;
    refused.refused(422, "validation_failed").about("/customer_groups");
}

#[actix_web::test]
async fn races_break_no_limit_and_mix_no_prices() {
    let people = People::open().await;
    let variant = mug(&people).await;
    let ((ada, ada_id), (bea, bea_id)) =
        (customer(&people, "ada@example.com").await, customer(&people, "bea@example.com").await);
    let group = group(&people, "Club").await;
    members(&people, &group, json!({ "add": [ada_id, bea_id] })).await.expect(200);
    // The last use of a code that two of a group have.
    let mut wish = club(&[group.as_str()]);
    wish["usage_limit"] = json!(1);
    staff(&people, "POST", "/admin/v1/discounts", wish).await.expect(201);
    let (adas, beas) = (
        cart(&people, Some(&ada), &variant, &["CLUB"]).await.is(201),
        cart(&people, Some(&bea), &variant, &["CLUB"]).await.is(201),
    );
    let (one, other) = join(buys(&people, &ada, &adas), buys(&people, &bea, &beas)).await;
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert!(statuses[0] < 300 && statuses[1] == 409, "{} {}", one.json, other.json);
    assert_eq!(people.number("SELECT used AS number FROM discounts").await, 1);
    // She leaves while she buys: the price she saw, or none.
    wholesale(&people, &[group.as_str()]).await;
    for _ in 0..4 {
        members(&people, &group, json!({ "add": [ada_id] })).await.expect(200);
        let before = people.number("SELECT count(*) AS number FROM orders").await;
        let shown = cart(&people, Some(&ada), &variant, &[]).await.is(201);
        assert_eq!(minor(&shown["lines"][0]["unit_price"]), 900);
        let leaves = members(&people, &group, json!({ "remove": [ada_id] }));
        let (bought, left) = join(buys(&people, &ada, &shown), leaves).await;
        left.expect(200);
        let orders = people.number("SELECT count(*) AS number FROM orders").await - before;
        if bought.status < 300 {
            assert_eq!((orders, &bought.json["order"]["total"]), (1, &shown["total"]));
        } else {
            assert_eq!((bought.status, orders), (409, 0), "{}", bought.json);
        }
    }
    // The last group that a store may have.
    let fill = "INSERT INTO {s}.customer_groups (id, name, handle, created_at, updated_at) \
        SELECT gen_random_uuid(), 'g' || n, 'g' || n, now(), now() FROM generate_series(1, 198) AS n";
    people.shop.admin(fill).await;
    let names = ["One", "Two", "Three", "Four"];
    let made = join_all(names.map(|name| staff(&people, "POST", PATH, json!({ "name": name })))).await;
    let mut statuses: Vec<_> = made.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 422, 422, 422]);
    assert_eq!(people.number("SELECT count(*) AS number FROM customer_groups").await, 200);
}
