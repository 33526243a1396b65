//! Who is relieved of tax in a draft order: a business elsewhere in the union, a customer who is exempt.

use serde_json::{Value, json};

use super::{drafted, edited, minor, offered, pays, read};
use crate::testing::shop::{Shop, ada};

/// One piece of something for 12.00 to Vienna, where 20 % are owed, of a store that believes VAT numbers.
async fn to_vienna(shop: &Shop) -> Value {
    let settings = json!({ "reverse_charge": "well_formed", "relieved_pay": "net" });
    let call = shop.owner_call("PUT", "/admin/v1/tax-settings").header("if-match", "*");
    call.json(&settings).send().await.expect(200);
    let rate = json!({ "country": "AT", "name": "USt", "rate_ppm": 200_000 });
    shop.owner_call("POST", "/admin/v1/tax-rates").json(&rate).send().await.expect(201);
    let mut address = ada();
    address["country"] = json!("AT");
    address["postal_code"] = json!("1010");
    json!({ "lines": [{ "variant": shop.thing(9, 1200).await.variant, "quantity": 1 }], "email": "ada@example.com",
        "shipping_address": address, "shipping": { "title": "By van", "price": { "amount_minor": 600, "currency": "EUR" } } })
}

fn taxed(draft: &Value) -> (i64, i64, &Value) {
    (minor(&draft["tax"]), minor(&draft["total"]), &draft["tax_relief"]["reason"])
}

#[actix_web::test]
async fn a_business_elsewhere_in_the_union_owes_nothing_and_pays_what_was_agreed() {
    let shop = Shop::open().await;
    let mut body = to_vienna(&shop).await;
    let draft = drafted(&shop, body.clone()).await;
    let (id, seen) = (draft.text("/id"), draft.header("etag").to_owned());
    assert_eq!(taxed(&draft.json), (300, 1800, &json!(null)));
    let before = shop.digest().await;
    let slip = edited(&shop, &id, &seen, &json!({ "vat_number": "ATU13585626" })).await;
    slip.refused(422, "validation_failed").about("/vat_number");
    assert_eq!(shop.digest().await, before);
    let business = edited(&shop, &id, &seen, &json!({ "vat_number": "atu 1358 5627" })).await.expect(200);
    assert_eq!(taxed(&business.json), (0, 1800, &json!("reverse_charge")));
    assert_eq!(business.json["vat_number"], "ATU13585627");
    assert_eq!(taxed(&read(&shop, &id).await), (0, 1800, &json!("reverse_charge")));
    let nobody =
        edited(&shop, &id, business.header("etag"), &json!({ "vat_number": null })).await.expect(200);
    assert_eq!((taxed(&nobody.json), nobody.json.get("vat_number")), ((300, 1800, &json!(null)), None));
    // Given with the draft order, it is in the order.
    body["vat_number"] = json!("ATU13585627");
    let (id, secret) = offered(&shop, body).await;
    let bought = pays(&shop, (&id, &secret), 1800, "tok_ok").await.expect(201);
    let order = shop.order(&bought.text("/order/id")).await;
    assert_eq!(
        (taxed(&order), &order["tax_relief"]["vat_number"]),
        ((0, 1800, &json!("reverse_charge")), &json!("ATU13585627"))
    );
}

#[actix_web::test]
async fn an_exempt_customer_owes_nothing_in_their_draft_order() {
    let shop = Shop::open().await;
    let customer = "01890a5d-ac96-774b-bcce-b302099a8058";
    shop.admin(&format!(
        "INSERT INTO {{s}}.customers (id, email, email_key, state, created_at, updated_at)
         VALUES ('{customer}', 'ada@example.com', 'ada@example.com', 'enabled', now(), now())"
    ))
    .await;
    let customer = souk_kernel::CustomerId::from_uuid(customer.parse().unwrap());
    let exempt =
        json!({ "customer": customer, "country": "AT", "reason": "charity", "certificate": "No. 12" });
    shop.owner_call("POST", "/admin/v1/tax-exemptions").json(&exempt).send().await.expect(201);
    let body = to_vienna(&shop).await;
    assert_eq!(taxed(&drafted(&shop, body.clone()).await.json), (300, 1800, &json!(null)));
    let mut theirs = body;
    theirs["customer"] = json!(customer);
    assert_eq!(taxed(&drafted(&shop, theirs).await.json), (0, 1800, &json!("charity")));
}
