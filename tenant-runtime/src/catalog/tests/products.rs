use serde_json::{Value, json};

use super::{eur, simple};
use crate::testing::{Answer, TestShop};

const PATH: &str = "/admin/v1/products";

fn shirt() -> Value {
    json!({
        "title": "Linen shirt", "description_html": "<p>Woven in Flanders.</p>", "vendor": "Atelier Noord", "product_type": "Shirts",
        "tags": ["linen", "summer"], "options": [{ "name": "Size", "values": ["M", "L"] }, { "name": "Colour", "values": ["White"] }],
        "variants": [
            { "sku": "SHIRT-M", "options": { "Size": "M", "Colour": "White" }, "price": eur(7900), "stock": 4 },
            { "sku": "SHIRT-L", "options": { "Size": "L", "Colour": "White" }, "price": eur(8900), "compare_at": eur(9900), "stock": 0 },
        ],
    })
}

fn titles(page: &Answer) -> Vec<&str> {
    page.data().iter().map(|product| product["title"].as_str().unwrap()).collect()
}

#[actix_web::test]
async fn a_product_from_first_to_last() {
    let shop = TestShop::open(None).await;
    let made = shop.owner_call("POST", PATH).keyed().json(&shirt()).send().await.expect(201);
    let id = made.text("/id");
    assert_eq!((made.header("location"), made.header("etag")), (format!("{PATH}/{id}").as_str(), "\"1\""));
    assert_eq!(
        (
            &made.json["handle"],
            &made.json["status"],
            &made.json["price_from"],
            &made.json["price_to"],
            &made.json["available"]
        ),
        (&json!("linen-shirt"), &json!("active"), &eur(7900), &eur(8900), &json!(true))
    );
    let variants = made.json["variants"].as_array().unwrap();
    assert_eq!(variants[0]["title"], "M / White");
    assert_eq!(
        variants[0]["options"],
        json!([{ "name": "Size", "value": "M" }, { "name": "Colour", "value": "White" }])
    );
    assert_eq!(
        (&variants[1]["compare_at"], &variants[1]["available"], &variants[0]["stock"]),
        (&eur(9900), &json!(false), &json!(4))
    );
    // The same title again gets a handle of its own.
    assert_eq!(simple(&shop, "Linen shirt", 1).await["handle"], "linen-shirt-2");

    let path = format!("{PATH}/{id}");
    let edit = json!({ "title": "Linen shirt, washed", "handle": "washed-linen", "tags": ["linen"] });
    shop.owner_call("PATCH", &path).json(&edit).send().await.refused(428, "precondition_required");
    let edited =
        shop.owner_call("PATCH", &path).header("if-match", "\"1\"").json(&edit).send().await.expect(200);
    assert_eq!(
        (&edited.json["title"], &edited.json["tags"], edited.header("etag")),
        (&json!("Linen shirt, washed"), &json!(["linen"]), "\"2\"")
    );
    shop.owner_call("PATCH", &path)
        .header("if-match", "\"1\"")
        .json(&edit)
        .send()
        .await
        .refused(412, "precondition_failed");
    // Shoppers find it under both handles, without numbers of pieces, and not twice when they have it.
    for handle in ["washed-linen", "linen-shirt"] {
        let seen = shop.call("GET", &format!("/store/v1/products/{handle}")).send().await.expect(200);
        assert_eq!((&seen.json["id"], seen.json["variants"][0].get("stock")), (&json!(id), None));
        shop.call("GET", &format!("/store/v1/products/{handle}"))
            .header("if-none-match", seen.header("etag"))
            .send()
            .await
            .expect(304);
    }
    let priced = format!("/admin/v1/variants/{}/price", variants[0]["id"].as_str().unwrap());
    let wish = json!({ "price": eur(6900), "compare_at": eur(7900) });
    shop.owner_call("PUT", &priced).json(&wish).send().await.refused(428, "precondition_required");
    let set =
        shop.owner_call("PUT", &priced).header("if-match", "\"1\"").json(&wish).send().await.expect(200);
    assert_eq!(
        (&set.json["price"], &set.json["compare_at"], set.header("etag")),
        (&eur(6900), &eur(7900), "\"2\"")
    );
    shop.owner_call("PUT", &priced)
        .header("if-match", "\"1\"")
        .json(&wish)
        .send()
        .await
        .refused(412, "precondition_failed");
    // Drafts are nobody's but the staff's.
    let draft = shop
        .owner_call("PATCH", &path)
        .header("if-match", "*")
        .json(&json!({ "status": "draft" }))
        .send()
        .await
        .expect(200);
    assert_eq!(draft.json["available"], false);
    shop.call("GET", "/store/v1/products/washed-linen").send().await.refused(404, "not_found");
    shop.owner_call("GET", &path).send().await.expect(200);
    shop.owner_call("DELETE", &path).send().await.expect(204);
    shop.owner_call("GET", &path).send().await.refused(404, "not_found");
    shop.owner_call("DELETE", &path).send().await.refused(404, "not_found");
    assert_eq!(shop.told().await.iter().filter(|kind| *kind == "product.deleted").count(), 1);
}

#[actix_web::test]
async fn variants_come_and_go() {
    let shop = TestShop::open(None).await;
    let made = shop.owner_call("POST", PATH).json(&shirt()).send().await.expect(201);
    let path = format!("{PATH}/{}/variants", made.text("/id"));
    let body = json!({ "sku": "SHIRT-XL", "options": { "Size": "XL", "Colour": "White" }, "price": eur(9900), "stock": 1 });
    let added = shop.owner_call("POST", &path).keyed().json(&body).send().await.expect(201);
    assert_eq!(
        (added.json["variants"].as_array().unwrap().len(), &added.json["options"][0]["values"][2]["value"]),
        (3, &json!("XL"))
    );
    let again = json!({ "options": { "Size": "XL", "Colour": "White" }, "price": eur(1) });
    shop.owner_call("POST", &path).json(&again).send().await.refused(409, "variant_exists");
    let other = json!({ "sku": "SHIRT-M", "options": { "Size": "S", "Colour": "White" }, "price": eur(1) });
    shop.owner_call("POST", &path).json(&other).send().await.refused(409, "sku_taken");
    let missing = json!({ "options": { "Size": "S" }, "price": eur(1) });
    shop.owner_call("POST", &path).json(&missing).send().await.refused(422, "validation_failed");
    let variant = added.text("/variants/2/id");
    let one = format!("{path}/{variant}");
    let edit = json!({ "barcode": "4006381333931", "weight_grams": 250, "inventory_policy": "continue" });
    let edited =
        shop.owner_call("PATCH", &one).header("if-match", "\"1\"").json(&edit).send().await.expect(200);
    let row = &edited.json["variants"][2];
    assert_eq!(
        (&row["barcode"], &row["weight_grams"], &row["inventory_policy"]),
        (&json!("4006381333931"), &json!(250), &json!("continue"))
    );
    shop.owner_call("PATCH", &one)
        .header("if-match", "\"1\"")
        .json(&edit)
        .send()
        .await
        .refused(412, "precondition_failed");
    shop.owner_call("PATCH", &one)
        .json(&json!({ "weight_grams": -1 }))
        .send()
        .await
        .refused(422, "validation_failed")
        .about("/weight_grams");
    for left in [&variant, &added.text("/variants/1/id")] {
        shop.owner_call("DELETE", &format!("{path}/{left}")).send().await.expect(204);
    }
    let last = format!("{path}/{}", added.text("/variants/0/id"));
    shop.owner_call("DELETE", &last).send().await.refused(409, "last_variant");
    shop.owner_call("DELETE", &one).send().await.refused(404, "not_found");
}

#[actix_web::test]
async fn lists_filter_sort_and_go_page_by_page() {
    let shop = TestShop::open(None).await;
    for (title, price) in [("Ash", 300), ("Birch", 100), ("Cedar", 200), ("Dogwood", 100)] {
        simple(&shop, title, price).await;
    }
    shop.owner_call("POST", PATH).json(&shirt()).send().await.expect(201);
    for (sort, expected) in [
        ("newest", ["Linen shirt", "Dogwood", "Cedar", "Birch", "Ash"]),
        ("title", ["Ash", "Birch", "Cedar", "Dogwood", "Linen shirt"]),
        ("price", ["Birch", "Dogwood", "Cedar", "Ash", "Linen shirt"]),
    ] {
        let (mut seen, mut path) = (Vec::new(), format!("/store/v1/products?limit=2&sort={sort}"));
        loop {
            let page = shop.call("GET", &path).send().await.expect(200);
            assert_eq!(page.cost, (2, 1));
            seen.extend(titles(&page).into_iter().map(str::to_owned));
            match page.header("link").strip_prefix('<').and_then(|link| link.split_once('>')) {
                Some((next, _)) => path = next.to_owned(),
                None => break,
            }
        }
        assert_eq!(seen, expected, "{sort}");
    }
    let found = async |query: &str| {
        let page = shop.call("GET", &format!("/store/v1/products?{query}")).send().await.expect(200);
        titles(&page).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(found("q=linen%20noord").await, ["Linen shirt"]);
    assert_eq!(found("q=SHIRT-L").await, ["Linen shirt"]);
    assert_eq!(found("q=%25").await, Vec::<String>::new());
    assert_eq!(found("tag=summer").await, ["Linen shirt"]);
    assert_eq!(found("collection=nowhere").await, Vec::<String>::new());
    for wrong in ["sort=manual", "sort=cheapest", "limit=0", "limit=x"] {
        shop.call("GET", &format!("/store/v1/products?{wrong}"))
            .send()
            .await
            .refused(422, "validation_failed");
    }
    shop.call("GET", "/store/v1/products?status=draft").send().await.refused(422, "unknown_field");
    // A page goes on after its last row, whatever came meanwhile.
    let first = shop.owner_call("GET", &format!("{PATH}?limit=2")).send().await.expect(200);
    simple(&shop, "Elm", 1).await;
    let path = format!("{PATH}?limit=2&after={}", first.text("/page/next"));
    let second = shop.owner_call("GET", &path).send().await.expect(200);
    assert_eq!((titles(&first), titles(&second)), (vec!["Linen shirt", "Dogwood"], vec!["Cedar", "Birch"]));
    let path = format!("{PATH}?limit=2&status=draft&after={}", first.text("/page/next"));
    shop.owner_call("GET", &path).send().await.refused(400, "invalid_cursor");
}

#[actix_web::test]
async fn what_breaks_a_rule_changes_nothing() {
    let shop = TestShop::open(None).await;
    simple(&shop, "Taken", 100).await;
    let before = shop.digest().await;
    let with = |change: Value| {
        let mut body = shirt();
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        body
    };
    for body in [
        with(json!({ "title": "" })),
        with(json!({ "description_html": "<script>alert(1)</script>" })),
        with(
            json!({ "variants": [{ "options": { "Size": "M", "Colour": "White" }, "price": { "amount_minor": 1, "currency": "USD" } }] }),
        ),
        with(json!({ "variants": [{ "options": { "Size": "M", "Colour": "White" }, "price": eur(-1) }] })),
        with(
            json!({ "variants": [{ "options": { "Size": "M", "Colour": "White" }, "price": eur(2), "compare_at": eur(1) }] }),
        ),
        with(json!({ "variants": [{ "options": { "Size": "XXL", "Colour": "White" }, "price": eur(2) }] })),
        with(
            json!({ "options": [{ "name": "A", "values": ["1"] }, { "name": "B", "values": ["1"] }, { "name": "C", "values": ["1"] }, { "name": "D", "values": ["1"] }] }),
        ),
        json!({ "title": "No price" }),
        json!({ "title": "Both", "price": eur(1), "variants": [{ "price": eur(1) }] }),
        json!({ "title": "Less than none", "price": eur(1), "stock": -1 }),
    ] {
        shop.owner_call("POST", PATH).json(&body).send().await.refused(422, "validation_failed");
    }
    let taken = json!({ "title": "x", "handle": "taken", "price": eur(1) });
    shop.owner_call("POST", PATH).json(&taken).send().await.refused(409, "handle_taken").about("/handle");
    shop.owner_call("POST", PATH)
        .json(&json!({ "title": "x", "cost": 1 }))
        .send()
        .await
        .refused(422, "unknown_field")
        .about("/cost");
    shop.owner_call("POST", PATH)
        .bytes(b"{".to_vec())
        .header("content-type", "application/json")
        .send()
        .await
        .refused(400, "malformed_json");
    shop.call("POST", PATH).json(&shirt()).send().await.refused(401, "unauthenticated");
    assert_eq!(shop.digest().await, before);
    // Many at once: those that are right are made.
    let products = json!([shirt(), taken, { "title": 7 }, { "title": "Plain", "price": eur(5) }]);
    let batch = shop
        .owner_call("POST", "/admin/v1/products:batch")
        .json(&json!({ "products": products }))
        .send()
        .await
        .expect(200);
    let status: Vec<_> = batch.json["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|result| result["status"].as_i64().unwrap())
        .collect();
    assert_eq!(
        (status, &batch.json["created"], &batch.json["refused"]),
        (vec![201, 409, 422, 201], &json!(2), &json!(2))
    );
    shop.owner_call("POST", "/admin/v1/products:batch")
        .json(&json!({ "products": [] }))
        .send()
        .await
        .refused(422, "validation_failed")
        .about("/products");
}

#[actix_web::test]
async fn a_product_is_made_once_for_its_key() {
    let shop = TestShop::open(None).await;
    let asks = async |body: Value| {
        shop.owner_call("POST", PATH).header("idempotency-key", "shirt-1").json(&body).send().await
    };
    let first = asks(shirt()).await.expect(201);
    let again = asks(shirt()).await.expect(201);
    assert_eq!((&first.bytes, again.header("idempotent-replayed")), (&again.bytes, "true"));
    asks(json!({ "title": "Other", "price": eur(1) })).await.refused(422, "idempotency_key_reused");
    assert_eq!(shop.number("SELECT count(*) AS number FROM products").await, 1);
}

#[actix_web::test]
async fn why_something_cannot_be_bought() {
    let shop = TestShop::open(None).await;
    let mug = simple(&shop, "Mug", 100).await;
    let path = format!("/store/v1/products/{}/availability?explain=1", mug["id"].as_str().unwrap());
    let yes = shop.call("GET", &path).send().await.expect(200);
    assert_eq!((&yes.json["available"], &yes.json["failed"]), (&json!(true), &json!([])));
    shop.admin("UPDATE {s}.inventory_levels SET on_hand = 0; DELETE FROM {s}.prices").await;
    let no = shop.call("GET", &path).send().await.expect(200);
    let conditions: Vec<_> = no.json["failed"]
        .as_array()
        .unwrap()
        .iter()
        .map(|failed| failed["condition"].as_str().unwrap())
        .collect();
    assert_eq!((&no.json["available"], conditions), (&json!(false), vec!["has_price", "in_stock"]));
    shop.admin("UPDATE {s}.products SET status = 'draft'").await;
    shop.call("GET", &path).send().await.refused(404, "not_found");
    assert_eq!(
        shop.owner_call("GET", &path).send().await.expect(200).json["failed"][0]["condition"],
        "product_active"
    );
}

#[actix_web::test]
async fn a_plan_has_room_for_so_many_products() {
    let shop = TestShop::open(None).await;
    shop.on_plan(&json!({ "id": "of tomorrow", "limits": { "products": 3 } })).await;
    let mug = |title: &str| json!({ "title": title, "price": eur(1900), "stock": 3 });
    let ask = |title: &str| shop.owner_call("POST", PATH).keyed().json(&mug(title)).send();
    simple(&shop, "One", 1900).await;
    let second = simple(&shop, "Two", 1900).await;
    // Of two that want the last place at once, one gets it.
    let (one, other) = tokio::join!(ask("Three"), ask("Also three"));
    let mut both = [one.status, other.status];
    both.sort_unstable();
    assert_eq!(both, [201, 409]);

    let before = shop.digest().await;
    let refused = ask("Four").await.refused(409, "product_quota_reached");
    assert_eq!((&refused.json["limit"], refused.json["hint"].is_string()), (&json!(3), true));
    let wish = json!({ "products": [mug("Five"), mug("Six")] });
    let batch = shop.owner_call("POST", "/admin/v1/products:batch").json(&wish).send().await.expect(200);
    assert_eq!((&batch.json["created"], &batch.json["refused"]), (&json!(0), &json!(2)));
    assert_eq!(batch.json["results"][1]["problem"]["code"], "product_quota_reached");
    assert_eq!(shop.digest().await, before);

    // What is there can be worked with, and what goes makes room.
    let path = format!("{PATH}/{}", second["id"].as_str().unwrap());
    let edit = json!({ "title": "Two, washed" });
    shop.owner_call("PATCH", &path).header("if-match", "*").json(&edit).send().await.expect(200);
    shop.owner_call("DELETE", &path).send().await.expect(204);
    ask("Four").await.expect(201);
    ask("Five").await.refused(409, "product_quota_reached");
    // With another plan more, or with fewer than there are nothing that is there is lost.
    shop.on_plan(&json!({ "id": "growth" })).await;
    ask("Five").await.expect(201);
    shop.on_plan(&json!({ "id": "of tomorrow", "limits": { "products": 2 } })).await;
    ask("Six").await.refused(409, "product_quota_reached");
    assert_eq!(shop.number("SELECT count(*) AS number FROM products").await, 4);
}
