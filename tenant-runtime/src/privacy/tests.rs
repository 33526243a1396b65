//! A customer's carts and orders, their copy, and what is left when they are gone: over HTTP.

use serde_json::{Value, json};
use souk_kernel::{AccountId, InventoryItemId, ProductId, VariantId};
use uuid::Uuid;

use crate::customers::tests::people::{PASSWORD, People, SignedIn, address};
use crate::testing::Answer;

/// A mug on the shelf.
async fn mug(people: &People) -> VariantId {
    let (product, variant, item) = (ProductId::new(), VariantId::new(), InventoryItemId::new());
    let (p, v, i) = (product.uuid(), variant.uuid(), item.uuid());
    people
        .shop
        .admin(&format!(
            "INSERT INTO {{s}}.inventory_items (id, created_at) VALUES ('{i}', now());
             INSERT INTO {{s}}.inventory_levels (item_id, location_id, on_hand) SELECT '{i}', id, 50 FROM {{s}}.locations LIMIT 1;
             INSERT INTO {{s}}.products (id, handle, title, status, created_at, updated_at) VALUES ('{p}', '{p}', 'Mug', 'active', now(), now());
             INSERT INTO {{s}}.product_variants (id, product_id, title, position, requires_shipping, inventory_item_id, created_at, updated_at) VALUES ('{v}', '{p}', 'Blue', 1, true, '{i}', now(), now());
             INSERT INTO {{s}}.prices (id, variant_id, currency, amount_minor, updated_at) VALUES (gen_random_uuid(), '{v}', 'EUR', 1000, now())"
        ))
        .await;
    variant
}

async fn with_cart(
    people: &People,
    method: &str,
    path: &str,
    secret: &str,
    bearer: &str,
    body: Option<Value>,
) -> Answer {
    let (bearer, key) = (format!("Bearer {bearer}"), Uuid::now_v7().to_string());
    let mut headers = vec![("x-cart-secret", secret), ("idempotency-key", key.as_str())];
    if bearer != "Bearer " {
        headers.push(("authorization", bearer.as_str()));
    }
    people.shop.send(method, path, body.map(|body| body.to_string().into_bytes()), &headers).await
}

fn text(json: &Value, name: &str) -> String {
    json[name].as_str().unwrap_or_else(|| panic!("{json}")).to_owned()
}

/// Buys the customer's own cart, paid by hand.
async fn buys(people: &People, who: &SignedIn, variant: VariantId) -> Value {
    let cart = people.post("/store/v1/account/cart", Some(&who.access), &json!({})).await.is(200);
    let (id, secret) = (text(&cart, "id"), text(&cart, "secret"));
    let line = json!({ "variant": variant, "quantity": 1 });
    with_cart(people, "POST", &format!("/store/v1/carts/{id}/lines"), &secret, &who.access, Some(line))
        .await
        .is(200);
    let wish = json!({ "shipping_address": address("Berlin"), "email": "ada@example.com" });
    let cart = with_cart(people, "PATCH", &format!("/store/v1/carts/{id}"), &secret, &who.access, Some(wish))
        .await
        .is(200);
    let pay = json!({ "expected_total": cart["total"], "payment": { "provider": "manual" } });
    let bought =
        with_cart(people, "POST", &format!("/store/v1/carts/{id}/checkout"), &secret, &who.access, Some(pay))
            .await;
    assert!(bought.status == 200 || bought.status == 201, "{}", bought.json);
    bought.json
}

/// Every column of every table of the store in which one of these words stands, whatever its type.
async fn places_of(people: &People, words: &[&str]) -> Vec<String> {
    let words: Vec<_> = words.iter().map(|word| format!("'{word}'")).collect();
    let look = "CREATE TABLE IF NOT EXISTS {s}.test_traces (place text); TRUNCATE {s}.test_traces; GRANT SELECT ON {s}.test_traces TO PUBLIC;
        DO $$ DECLARE c record; shown text; word text; BEGIN
            FOR c IN SELECT table_name AS t, column_name AS n, data_type AS kind FROM information_schema.columns
                JOIN information_schema.tables USING (table_schema, table_name)
                WHERE table_schema = '{s}' AND table_type = 'BASE TABLE' AND table_name NOT LIKE 'test%' LOOP
                shown := format(CASE c.kind WHEN 'bytea' THEN 'encode(%I, ''escape'')' ELSE '%I::text' END, c.n);
                FOREACH word IN ARRAY ARRAY[{words}] LOOP
                    EXECUTE format('INSERT INTO {s}.test_traces SELECT %L FROM {s}.%I WHERE strpos(lower(%s), %L) > 0 LIMIT 1',
                        c.t || '.' || c.n, c.t, shown, word);
                END LOOP;
            END LOOP;
        END $$";
    people.shop.admin(&look.replace("{words}", &words.join(", "))).await;
    let rows: Vec<Value> = serde_json::from_str(&people.text_of("test_traces").await).unwrap_or_default();
    let mut places: Vec<String> = rows.iter().map(|row| text(row, "place")).collect();
    places.sort();
    places.dedup();
    places
}

/// What tells of Ada, wherever it stands.
const TRACES: [&str; 6] = ["ada@example.com", "lovelace", "\"ada\"", "lindenweg 1", "\"10117\"", "30 901820"];

/// What is known of Ada besides her account and what she bought: a phone, an order as a guest, credit, a gift card, a wish, and that she is
/// not written to.
async fn is_known_besides(people: &People, ada: &SignedIn, order: &str, variant: VariantId) {
    let owner = people.shop.owner();
    let profile = json!({ "first_name": "Ada", "last_name": "Lovelace", "phone": "+49 30 901820", "accepts_marketing": true });
    let profile = people.patch("/store/v1/account", &ada.access, &profile).await.is(200);
    let cart = json!({ "lines": [{ "variant": variant, "quantity": 1 }], "email": "Ada@example.com", "note": "For Ada Lovelace",
        "shipping_address": address("Berlin") });
    let cart = people.post("/store/v1/carts", None, &cart).await.is(201);
    let checkout = format!("/store/v1/carts/{}/checkout", text(&cart, "id"));
    let pay = json!({ "expected_total": cart["total"], "payment": { "provider": "manual" } });
    let bought = with_cart(people, "POST", &checkout, &text(&cart, "secret"), "", Some(pay)).await;
    assert!(bought.status == 200 || bought.status == 201, "{}", bought.json);
    let amount = json!({ "amount_minor": 700, "currency": "EUR" });
    let credit = json!({ "customer": profile["id"], "amount": amount, "origin": "granted" });
    with_cart(people, "POST", "/admin/v1/store-credits", "", &owner, Some(credit)).await.is(201);
    let card = json!({ "amount": amount, "origin": "granted", "send_to": "ada@example.com", "message": "To Ada Lovelace" });
    with_cart(people, "POST", "/admin/v1/gift-cards", "", &owner, Some(card)).await.is(201);
    let wish = json!({ "email": "ada@example.com" });
    let follow = format!("/store/v1/orders/{order}/subscriptions");
    people.post(&follow, Some(&ada.access), &wish).await.is(202);
    let silence = json!({ "email": "ada@example.com", "detail": "Ada Lovelace asked by telephone" });
    people.post("/admin/v1/email-suppressions", Some(&owner), &silence).await.is(200);
}

#[actix_web::test]
async fn what_was_filled_before_signing_in_comes_along() {
    let people = People::open().await;
    let (mug, cup) = (mug(&people).await, mug(&people).await);
    let ada = people.customer("ada@example.com").await;
    let book = json!({ "address": address("Berlin") });
    people.post("/store/v1/account/addresses", Some(&ada.access), &book).await.is(201);
    // On the phone, signed in.
    let phone = people.post("/store/v1/account/cart", Some(&ada.access), &json!({})).await.is(200);
    let lines = format!("/store/v1/carts/{}/lines", text(&phone, "id"));
    let line = |variant: VariantId, quantity: u32| json!({ "variant": variant, "quantity": quantity });
    with_cart(&people, "POST", &lines, &text(&phone, "secret"), "", Some(line(mug, 3))).await.is(200);
    // On the laptop, before signing in.
    let laptop = json!({ "lines": [line(mug, 1), line(cup, 2)] });
    let laptop = people.post("/store/v1/carts", None, &laptop).await.is(201);
    let claim = format!("/store/v1/carts/{}/customer", text(&laptop, "id"));
    with_cart(&people, "POST", &claim, &text(&laptop, "secret"), "", None)
        .await
        .refused(401, "unauthenticated");
    let merged =
        with_cart(&people, "POST", &claim, &text(&laptop, "secret"), &ada.access, None).await.is(200);
    let quantities: Vec<_> = merged["lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| (line["variant"].clone(), line["quantity"].as_u64().unwrap()))
        .collect();
    assert_eq!(quantities.len(), 2);
    assert!(quantities.contains(&(json!(mug), 3)) && quantities.contains(&(json!(cup), 2)), "{quantities:?}");
    assert_eq!(
        (&merged["email"], &merged["shipping_address"]["city"]),
        (&json!("ada@example.com"), &json!("Berlin"))
    );
    // The phone's cart ended in it, and the phone finds the one that is.
    with_cart(&people, "POST", &lines, &text(&phone, "secret"), "", Some(line(cup, 1)))
        .await
        .refused(409, "cart_finished");
    let again = people.post("/store/v1/account/cart", Some(&ada.access), &json!({})).await.is(200);
    assert_eq!(
        (again["id"].clone(), again["secret"].clone()),
        (merged["id"].clone(), merged["secret"].clone())
    );
    // Nobody else's.
    let eve = people.customer("eve@example.com").await;
    with_cart(&people, "POST", &claim, &text(&laptop, "secret"), &eve.access, None)
        .await
        .refused(404, "not_found");
    assert_ne!(
        people.post("/store/v1/account/cart", Some(&eve.access), &json!({})).await.is(200)["id"],
        merged["id"]
    );
}

#[actix_web::test]
async fn customers_see_their_own_orders_and_nobody_elses() {
    let people = People::open().await;
    let mug = mug(&people).await;
    let (ada, eve) = (people.customer("ada@example.com").await, people.customer("eve@example.com").await);
    buys(&people, &ada, mug).await;
    let own = people.get("/store/v1/orders", &ada.access).await.is(200);
    assert_eq!(own["data"].as_array().unwrap().len(), 1);
    let path = format!("/store/v1/orders/{}", text(&own["data"][0], "id"));
    people.get(&path, &ada.access).await.is(200);
    people.get(&path, &eve.access).await.refused(404, "not_found");
    assert_eq!(people.get("/store/v1/orders", &eve.access).await.is(200)["data"], json!([]));
    people.get("/store/v1/orders", "").await.refused(401, "unauthenticated");
    let list = people.get("/admin/v1/customers?q=ada", &people.shop.owner()).await.is(200);
    assert_eq!(list["data"][0]["order_count"], 1);
    let id = text(&list["data"][0], "id");
    let orders = people.get(&format!("/admin/v1/orders?customer={id}"), &people.shop.owner()).await.is(200);
    assert_eq!(orders["data"].as_array().unwrap().len(), 1);
}

#[actix_web::test]
async fn a_person_gets_a_copy_and_goes_and_the_books_stay() {
    let people = People::open().await;
    let mug = mug(&people).await;
    let ada = people.customer("ada@example.com").await;
    let book = json!({ "address": address("Berlin") });
    people.post("/store/v1/account/addresses", Some(&ada.access), &book).await.is(201);
    let once = json!({ "title": "Welcome", "method": "automatic", "codes": [], "per_customer_limit": 1,
        "terms": { "kind": "percentage", "rate_ppm": 100_000 } });
    with_cart(&people, "POST", "/admin/v1/discounts", "", &people.shop.owner(), Some(once)).await.is(201);
    let sent = text(&buys(&people, &ada, mug).await["order"], "id");
    buys(&people, &ada, mug).await;
    is_known_besides(&people, &ada, &sent, mug).await;
    let uses = "SELECT count(*) AS number FROM discount_uses";
    assert_eq!(people.number(uses).await, 1);
    people
        .shop
        .admin(
            "UPDATE {s}.invoice_settings SET vat_id = 'DE123456789', seller_address = \
             '{\"address1\": \"Am Markt 9\", \"postal_code\": \"10115\", \"city\": \"Berlin\", \"country\": \"DE\"}'",
        )
        .await;
    let paid = format!("/admin/v1/orders/{sent}/mark-paid");
    with_cart(&people, "POST", &paid, "", &people.shop.owner(), Some(json!({}))).await.is(200);
    let path = format!("/admin/v1/orders/{sent}/invoices");
    let issued = people.post(&path, Some(&people.shop.owner()), &json!({})).await.is(201);
    let owner = people.shop.owner();
    let parcel = json!({ "tracking": { "company": "DHL", "number": "0034" } });
    let parcels = format!("/admin/v1/orders/{sent}/fulfillments");
    with_cart(&people, "POST", &parcels, "", &owner, Some(parcel)).await.is(201);
    let copy = people.get("/store/v1/account/export", &ada.access).await.is(200);
    assert_eq!(copy["account"]["email"], "ada@example.com");
    assert_eq!(copy["addresses"][0]["address"]["city"], "Berlin");
    // Two of her own, and the one she placed as a guest.
    assert_eq!(copy["orders"].as_array().unwrap().len(), 3);
    let parcels = copy["fulfillments"].as_array().unwrap();
    assert_eq!(parcels.len(), 1);
    assert_eq!((&parcels[0]["order"], &parcels[0]["tracking"]["number"]), (&json!(sent), &json!("0034")));
    assert_eq!(copy["invoices"], issued["data"]);
    assert_eq!(
        (&copy["account"]["phone"], &copy["account"]["accepts_marketing"]),
        (&json!("+49 30 901820"), &json!(true))
    );
    let credit = &copy["store_credits"][0];
    assert_eq!(
        (&credit["balance"]["amount_minor"], &credit["entries"][0]["kind"]),
        (&json!(700), &json!("issued"))
    );
    assert_eq!(credit["entries"][0]["actor"], Value::Null);
    assert_eq!(copy["gift_cards"][0]["message"], "To Ada Lovelace");
    assert_eq!(copy["subscriptions"][0]["order"], json!(sent));
    assert_eq!(copy["suppression"]["reason"], "manual");
    let mails = "SELECT count(*) AS number FROM email_messages WHERE recipient = 'ada@example.com'";
    let told = i64::try_from(copy["mails"].as_array().unwrap().len()).unwrap();
    assert_eq!((told, &copy["mails"][0]["state"]), (people.number(mails).await, &json!("queued")));
    // What is sought afterwards is found before.
    let known = places_of(&people, &TRACES).await;
    for place in [
        "carts.email",
        "carts.shipping_address",
        "credit_letters.email",
        "credit_letters.message",
        "customer_addresses.address",
        "customers.email",
        "customers.last_name",
        "customers.phone",
        "email_messages.recipient",
        "email_suppressions.email",
        "invoices.document",
        "orders.email",
        "orders.shipping_address",
        "subscriptions.email",
    ] {
        assert!(known.iter().any(|known| known == place), "{place} is not among {known:?}");
    }
    // Not even before: uses are known by a digest.
    assert!(!known.iter().any(|place| place.starts_with("discount_uses.")), "{known:?}");
    let books = people.number("SELECT count(*) AS number FROM postings").await;
    let wrong = json!({ "password": "not the password" });
    people.send_delete("/store/v1/account", &ada.access, &wrong).await.refused(403, "wrong_password");
    // Not while goods are under way, unless the store insists.
    let right = json!({ "password": PASSWORD });
    people.send_delete("/store/v1/account", &ada.access, &right).await.refused(409, "orders_under_way");
    people.get("/store/v1/account", &ada.access).await.is(200);
    let id = text(&people.get("/admin/v1/customers?q=ada", &owner).await.is(200)["data"][0], "id");
    people.delete(&format!("/admin/v1/customers/{id}"), &owner).await.refused(409, "orders_under_way");
    people.delete(&format!("/admin/v1/customers/{id}?force=true"), &owner).await.is(204);
    people.mails().await;
    people.a_second().await;
    people.get("/store/v1/account", &ada.access).await.refused(401, "unauthenticated");
    people.get(&format!("/admin/v1/customers/{id}"), &owner).await.refused(404, "not_found");
    // Nothing of hers is left in any row of the store, but what `docs/PRIVACY.md` says: invoices as they were issued, and for two days the kept
    // replies to guests and to the people of the store.
    let left = places_of(&people, &TRACES).await;
    assert_eq!(left, ["idempotency_keys.response_body", "invoices.document"]);
    let orders = people.get("/admin/v1/orders", &owner).await.is(200);
    let order =
        people.get(&format!("/admin/v1/orders/{}", text(&orders["data"][0], "id")), &owner).await.is(200);
    assert_eq!(order["shipping_address"], json!({ "country": "DE" }));
    assert_eq!(people.number("SELECT count(*) AS number FROM postings").await, books);
    // Tax law wants the invoice as it was issued.
    assert_eq!(people.get(&path, &owner).await.is(200)["data"], issued["data"]);
    // The mailbox is free for somebody new.
    let new = people.customer("ada@example.com").await;
    assert_eq!(people.get("/store/v1/orders", &new.access).await.is(200)["data"], json!([]));
    // Once per customer is once, whoever was forgotten meanwhile.
    buys(&people, &new, mug).await;
    assert_eq!(people.number(uses).await, 1);
}

#[actix_web::test]
async fn taking_a_copy_of_somebody_is_not_looking_and_is_told() {
    let people = People::open().await;
    let ada = people.customer("ada@example.com").await;
    let id = text(&people.get("/store/v1/account", &ada.access).await.is(200), "id");
    let mut tokens = Vec::new();
    for role in ["viewer", "support"] {
        let account = AccountId::new();
        let hire = format!(
            "INSERT INTO {{s}}.staff (id, account_id, email, email_key, name, role_id, state) \
             SELECT gen_random_uuid(), '{}', '{role}@shop.example', '{role}@shop.example', '{role}', id, 'active' \
             FROM {{s}}.roles WHERE name = '{role}'",
            account.uuid()
        );
        people.shop.admin(&hire).await;
        tokens.push(people.shop.staff_token(account));
    }
    let (path, log) = (format!("/admin/v1/customers/{id}/export"), "/admin/v1/audit-entries");
    let before = people.get(log, &people.shop.owner()).await.is(200)["data"].clone();
    people.get(&format!("/admin/v1/customers/{id}"), &tokens[0]).await.is(200);
    people.get(&path, &tokens[0]).await.refused(403, "forbidden");
    assert_eq!(people.get(log, &people.shop.owner()).await.is(200)["data"], before);
    let copy = people.get(&path, &tokens[1]).await.is(200);
    assert_eq!(copy["account"]["email"], "ada@example.com");
    let after = people.get(log, &people.shop.owner()).await.is(200)["data"].clone();
    assert_eq!(after.as_array().unwrap().len(), before.as_array().unwrap().len() + 1);
    assert_eq!(
        (&after[0]["action"], &after[0]["object"], &after[0]["details"]["request"]),
        (&json!("privacy.export"), &json!(id), &json!(format!("GET {path}")))
    );
    // One's own copy is nobody's privilege. An address that is not confirmed may be somebody else's: what is kept by it is not told.
    people.get("/store/v1/account/export", &ada.access).await.is(200);
    assert_eq!(people.get(log, &people.shop.owner()).await.is(200)["data"], after);
    people.shop.admin("UPDATE {s}.customers SET verified_at = NULL").await;
    let copy = people.get("/store/v1/account/export", &ada.access).await.is(200);
    assert_eq!((&copy["mails"], &copy["suppression"]), (&json!([]), &Value::Null));
}
