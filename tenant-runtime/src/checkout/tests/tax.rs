//! Who is relieved of tax, from the cart to the invoice.

use serde_json::{Value, json};

use super::shop::{Basket, Shop, ada, key, pay_with};
use crate::testing::Answer;

impl Shop {
    async fn says_how_tax_works(&self, settings: Value) {
        let call = self.owner_call("PUT", "/admin/v1/tax-settings").header("if-match", "*");
        call.json(&settings).send().await.expect(200);
        let rate = json!({ "country": "AT", "name": "USt", "rate_ppm": 200_000 });
        self.owner_call("POST", "/admin/v1/tax-rates").json(&rate).send().await.expect(201);
    }

    async fn basket_to_vienna(&self, price: i64) -> (Basket, Value) {
        let mug = self.thing(9, price).await;
        let mut address = ada();
        address["country"] = json!("AT");
        address["postal_code"] = json!("1010");
        let body = json!({ "lines": [{ "variant": mug.variant, "quantity": 1 }], "email": "ada@example.com",
            "shipping_address": address });
        let made = self.call("POST", "/store/v1/carts").json(&body).send().await.expect(201);
        (Basket { id: made.text("/id").parse().unwrap(), secret: made.text("/secret") }, made.json)
    }

    async fn says_that_a_business_buys(&self, basket: &Basket, number: &Value) -> Answer {
        let path = format!("/store/v1/carts/{}/vat-number", basket.id);
        let call = self.call("PUT", &path).header("x-cart-secret", &basket.secret);
        call.json(&json!({ "vat_number": number })).send().await
    }
}

fn minor(money: &Value) -> i64 {
    money["amount_minor"].as_i64().unwrap_or_else(|| panic!("no amount: {money}"))
}

#[actix_web::test]
async fn a_business_elsewhere_in_the_union_pays_net_and_owes_the_tax_itself() {
    let shop = Shop::open().await;
    shop.says_how_tax_works(json!({ "reverse_charge": "well_formed", "relieved_pay": "net" })).await;
    let (basket, cart) = shop.basket_to_vienna(1200).await;
    let delivery = minor(&cart["shipping"]["price"]);
    assert_eq!((minor(&cart["total"]), &cart["prices_include_tax"]), (1200 + delivery, &json!(true)));
    assert_eq!(minor(&cart["lines"][0]["tax_lines"][0]["amount"]), 200);
    // A slip of the pen changes nothing.
    let before = shop.digest().await;
    let slip = shop.says_that_a_business_buys(&basket, &json!("ATU13585626")).await;
    slip.refused(422, "validation_failed").about("/vat_number");
    assert_eq!(shop.digest().await, before);
    let cart = shop.says_that_a_business_buys(&basket, &json!("atu 1358 5627")).await.expect(200).json;
    let net = minor(&cart["shipping"]["price"]);
    // A sixth of a price with 20 % inside is tax.
    assert!((net * 6 - delivery * 5).abs() <= 3, "{net} of {delivery}");
    assert_eq!(
        (minor(&cart["total"]), minor(&cart["tax"]), &cart["prices_include_tax"]),
        (1000 + net, 0, &json!(false))
    );
    assert_eq!(cart["tax_relief"]["vat_number"], "ATU13585627");
    assert_eq!(cart["lines"][0]["tax_lines"][0]["reason"], "intra_community_supply");
    let total = minor(&cart["total"]);
    let bought = shop.checkout(&basket, &key(), &pay_with(total, "tok_ok")).await;
    assert_eq!(bought.status, 201, "{}", bought.json);
    let order = shop.order(bought.json["order"]["id"].as_str().unwrap()).await;
    assert_eq!((minor(&order["total"]), minor(&order["tax"])), (total, 0));
    assert_eq!(
        (
            &order["tax_relief"]["reason"],
            &order["tax_relief"]["vat_number"],
            &order["tax_relief"]["confirmed_at"]
        ),
        (&json!("reverse_charge"), &json!("ATU13585627"), &json!(null))
    );
    assert_eq!(order["shipping_lines"][0]["tax_lines"][0]["reason"], "intra_community_supply");
}

#[actix_web::test]
async fn a_number_that_is_taken_out_or_of_home_relieves_nobody() {
    let shop = Shop::open().await;
    shop.says_how_tax_works(json!({ "reverse_charge": "well_formed", "relieved_pay": "gross" })).await;
    let (basket, before) = shop.basket_to_vienna(1200).await;
    for number in [json!("DE136695976"), json!(null), json!("CHE107787577")] {
        let cart = shop.says_that_a_business_buys(&basket, &number).await.expect(200).json;
        assert_eq!((&cart["tax"], cart.get("tax_relief")), (&before["tax"], None), "{number}");
    }
    // Who pays gross keeps the price; the tax is gone all the same.
    let cart = shop.says_that_a_business_buys(&basket, &json!("ATU13585627")).await.expect(200).json;
    assert_eq!((minor(&cart["tax"]), &cart["total"]), (0, &before["total"]));
    // Confirmed is what nobody has confirmed.
    shop.says_how_tax_works(json!({ "reverse_charge": "confirmed", "relieved_pay": "gross" })).await;
    let cart = shop.says_that_a_business_buys(&basket, &json!("ATU13585627")).await.expect(200).json;
    assert_eq!(cart["tax"], before["tax"]);
}

#[actix_web::test]
async fn an_exempt_customer_owes_nothing_where_the_exemption_holds() {
    let shop = Shop::open().await;
    let customer = "01890a5d-ac96-774b-bcce-b302099a8057";
    shop.admin(&format!(
        "INSERT INTO {{s}}.customers (id, email, email_key, state, created_at, updated_at)
         VALUES ('{customer}', 'ada@example.com', 'ada@example.com', 'enabled', now(), now())"
    ))
    .await;
    let customer = souk_kernel::CustomerId::from_uuid(customer.parse().unwrap());
    let ask =
        json!({ "country": "DE", "customer": customer, "lines": [{ "amount_minor": 1190, "quantity": 1 }] });
    let tax = async || {
        let asked = shop.owner_call("POST", "/admin/v1/tax/preview").json(&ask).send().await.expect(200);
        (minor(&asked.json["tax"]), asked.json["relief"]["certificate"].clone())
    };
    assert_eq!(tax().await, (190, json!(null)));
    let exempt =
        json!({ "customer": customer, "country": "AT", "reason": "charity", "certificate": "No. 12" });
    shop.owner_call("POST", "/admin/v1/tax-exemptions").json(&exempt).send().await.expect(201);
    assert_eq!(tax().await, (190, json!(null)));
    let exempt =
        json!({ "customer": customer, "country": "DE", "reason": "charity", "certificate": "No. 13" });
    let made = shop.owner_call("POST", "/admin/v1/tax-exemptions").json(&exempt).send().await.expect(201);
    assert_eq!(tax().await, (0, json!("No. 13")));
    shop.clock.advance(std::time::Duration::from_secs(1));
    let path = format!("/admin/v1/tax-exemptions/{}", made.text("/id"));
    shop.owner_call("DELETE", &path).send().await.expect(204);
    shop.owner_call("DELETE", &path).send().await.refused(404, "not_found");
    assert_eq!(tax().await, (190, json!(null)));
    let nobody =
        json!({ "customer": "cus_01h455vb4pex5vsknk084sn02r", "reason": "charity", "certificate": "x" });
    let refused = shop.owner_call("POST", "/admin/v1/tax-exemptions").json(&nobody).send().await;
    refused.refused(422, "validation_failed").about("/customer");
}
