//! Invoices over HTTP: what they say, that they have no gaps, and that they stay.

use futures_util::future::join_all;
use serde_json::{Value, json};
use souk_tenancy::{DbError, ReadTx, TenancyError, WriteTx, sql};

use super::error::InvoiceError;
use super::model::Invoice;
use crate::customers::tests::people::PASSWORD;
use crate::testing::Answer;
use crate::testing::shop::{Shop, key, pay_with};

const SETTINGS: &str = "/admin/v1/invoice-settings";

fn seller() -> Value {
    json!({
        "seller_name": "Acme Mugs GmbH", "vat_id": "DE123456789", "tax_number": null,
        "seller_address": { "address1": "Lindenweg 1", "address2": null, "postal_code": "10117", "city": "Berlin", "province": null, "country": "DE" },
        "registration": "HRB 12345 B, Amtsgericht Charlottenburg", "footer": "IBAN DE02 1203 0000 0000 2020 51\nBIC BYLADEM1001",
    })
}

fn eur(minor: i64) -> Value {
    json!({ "amount_minor": minor, "currency": "EUR" })
}

impl Shop {
    async fn says_who_sells(&self, more: Value) {
        let mut wish = seller();
        for (name, value) in more.as_object().unwrap() {
            wish[name] = value.clone();
        }
        self.owner_call("PUT", SETTINGS).header("if-match", "*").json(&wish).send().await.expect(200);
    }

    /// An order of Ada's for so many mugs of 10.00 and delivery of 4.90, paid at once.
    async fn sold(&self, pieces: u32) -> String {
        let basket = self.basket(self.thing(9, 1000).await, pieces).await;
        let wish = pay_with(i64::from(pieces) * 1000 + 490, "tok_ok");
        let order = self.checkout(&basket, &key(), &wish).await.expect(201).json["order"].clone();
        order["id"].as_str().unwrap().to_owned()
    }

    async fn bills(&self, order: &str) -> Answer {
        self.owner_call("POST", &format!("/admin/v1/orders/{order}/invoices")).json(&json!({})).send().await
    }

    async fn refunds_of(&self, order: &str, body: &Value) {
        let path = format!("/admin/v1/orders/{order}/refunds");
        self.owner_call("POST", &path).keyed().json(body).send().await.expect(200);
    }

    /// Numbers of invoices and of credit notes, straight from the table.
    async fn numbers(&self) -> [String; 2] {
        [
            self.words("SELECT number::text AS word FROM invoices WHERE kind = 'invoice' ORDER BY number")
                .await,
            self.words(
                "SELECT number::text AS word FROM invoices WHERE kind = 'credit_note' ORDER BY number",
            )
            .await,
        ]
    }

    /// Whether the store's own role may not do this.
    async fn is_denied(&self, text: &'static str) -> bool {
        let worker = self.gate.worker(self.store.id, "test", "attacks").unwrap();
        let work = async move |tx: &mut WriteTx<'_>| Ok::<_, Denied>(tx.execute(sql(text)).await.map(drop)?);
        worker.write("test.attack", work).await.is_err()
    }
}

struct Denied;

impl From<DbError> for Denied {
    fn from(_: DbError) -> Self {
        Self
    }
}

impl From<TenancyError> for Denied {
    fn from(_: TenancyError) -> Self {
        Self
    }
}

#[actix_web::test]
async fn a_paid_order_is_invoiced_once_and_says_what_the_law_wants() {
    let shop = Shop::open().await;
    let order = shop.sold(3).await;
    shop.bills(&order).await.refused(409, "seller_incomplete").about("/seller_address");
    assert_eq!(shop.numbers().await, ["", ""]);
    shop.says_who_sells(json!({})).await;
    let postings = "SELECT count(*) AS number FROM postings";
    let books = shop.number(postings).await;
    let issued = shop.bills(&order).await.expect(201);
    // The sale stands in the books already.
    assert_eq!(shop.number(postings).await, books);
    let invoice = &issued.json["data"][0];
    assert_eq!(
        (&invoice["kind"], &invoice["number"], &invoice["name"], &invoice["order"]),
        (&json!("invoice"), &json!(1), &json!("INV-1"), &json!(order))
    );
    // 3 mugs of 10.00 and a delivery of 4.90, 19 % inside.
    assert_eq!([&invoice["total"], &invoice["tax"], &invoice["net"]], [&eur(3490), &eur(557), &eur(2933)]);
    assert_eq!(
        invoice["lines"],
        json!([
            { "kind": "goods", "title": "Enamel mug", "variant_title": "Blue", "sku": null, "quantity": 3, "unit_net": eur(840),
              "discount": null, "rates_ppm": [190_000], "net": eur(2521), "tax": eur(479), "gross": eur(3000) },
            { "kind": "delivery", "title": "Standard", "variant_title": "", "sku": null, "quantity": 1, "unit_net": eur(412),
              "discount": null, "rates_ppm": [190_000], "net": eur(412), "tax": eur(78), "gross": eur(490) },
        ])
    );
    assert_eq!(
        (&invoice["taxes"][0]["rate_ppm"], &invoice["taxes"][0]["taxable"], &invoice["taxes"][0]["amount"]),
        (&json!(190_000), &eur(2933), &eur(557))
    );
    assert_eq!(
        (&invoice["seller"]["name"], &invoice["seller"]["vat_id"], &invoice["seller"]["lines"]),
        (&json!("Acme Mugs GmbH"), &json!("DE123456789"), &json!(["Lindenweg 1", "10117 Berlin"]))
    );
    assert_eq!(
        (&invoice["buyer"]["name"], &invoice["buyer"]["email"], &invoice["delivered_to"]),
        (&json!("Ada Lovelace"), &json!("ada@example.com"), &Value::Null)
    );
    assert_eq!(invoice["paid"], json!([{ "method": "test", "amount": eur(3490) }]));
    assert_eq!((&invoice["language"], &invoice["order_name"]), (&json!("en"), &json!("#1001")));

    // Again is the same, and costs no number.
    let again = shop.bills(&order).await.expect(200);
    assert_eq!(again.json["data"], issued.json["data"]);
    let id = invoice["id"].as_str().unwrap();
    let shown = shop.owner_call("GET", &format!("/admin/v1/invoices/{id}")).send().await.expect(200);
    assert_eq!((&shown.json, shown.cost), (invoice, (1, 1)));
    let listed =
        shop.owner_call("GET", "/admin/v1/invoices?kind=invoice&name=INV-1").send().await.expect(200);
    assert_eq!((&listed.json["data"][0]["id"], &listed.json["data"][0]["total"]), (&json!(id), &eur(3490)));
    assert_eq!(listed.cost, (1, 1));
    let none = shop.owner_call("GET", "/admin/v1/invoices?kind=credit_note").send().await.expect(200);
    assert_eq!(none.json["data"], json!([]));
    let none = shop.owner_call("GET", "/admin/v1/invoices?issued_on[lt]=2020-01-01").send().await.expect(200);
    assert_eq!(none.json["data"], json!([]));
    let of_order =
        shop.owner_call("GET", &format!("/admin/v1/orders/{order}/invoices")).send().await.expect(200);
    assert_eq!(of_order.json["data"], issued.json["data"]);

    // What happens to settings and order later does not reach it.
    shop.says_who_sells(json!({ "seller_name": "Another Name AG", "invoice_prefix": "R" })).await;
    shop.admin(
        "UPDATE {s}.orders SET email = 'gone@example.com', shipping_address = NULL, billing_address = NULL",
    )
    .await;
    let shown = shop.owner_call("GET", &format!("/admin/v1/invoices/{id}")).send().await.expect(200);
    assert_eq!(&shown.json, invoice);
    let second = shop.sold(1).await;
    assert_eq!(shop.bills(&second).await.expect(201).json["data"][0]["name"], "R2");
}

#[actix_web::test]
async fn nobody_changes_what_was_issued_not_even_the_store_itself() {
    let shop = Shop::open().await;
    shop.says_who_sells(json!({})).await;
    let order = shop.sold(1).await;
    shop.bills(&order).await.expect(201);
    for statement in ["UPDATE invoices SET total_minor = 1", "DELETE FROM invoices"] {
        assert!(shop.is_denied(statement).await, "{statement}");
    }
}

#[actix_web::test]
async fn fifty_at_once_have_fifty_numbers_without_a_gap() {
    let shop = Shop::open().await;
    shop.says_who_sells(json!({})).await;
    let thing = shop.thing(200, 1000).await;
    let mut orders = Vec::new();
    for _ in 0..50 {
        let basket = shop.basket(thing, 1).await;
        let order = shop.checkout(&basket, &key(), &pay_with(1490, "tok_ok")).await.expect(201);
        orders.push(order.json["order"]["id"].as_str().unwrap().to_owned());
    }
    // Each is asked for twice; some of what is asked for is not due, and takes no number.
    let unpaid = shop.basket(thing, 1).await;
    let unpaid = shop
        .checkout(
            &unpaid,
            &key(),
            &json!({ "expected_total": eur(1490), "payment": { "provider": "manual" } }),
        )
        .await;
    let unpaid = unpaid.expect(201).json["order"]["id"].as_str().unwrap().to_owned();
    let wishes = orders.iter().chain(&orders).chain(std::iter::repeat_n(&unpaid, 20));
    let answers = join_all(wishes.map(|order| shop.bills(order))).await;
    let count = |status: u16| answers.iter().filter(|answer| answer.status == status).count();
    assert_eq!((count(201), count(200), count(409)), (50, 50, 20));
    let expected: Vec<String> = (1..=50).map(|number| number.to_string()).collect();
    assert_eq!(shop.numbers().await, [expected.join(" "), String::new()]);
    shop.bills(&unpaid).await.refused(409, "invoice_not_due");
}

#[actix_web::test]
async fn refunds_and_cancellations_are_credited_to_the_last_cent() {
    let shop = Shop::open().await;
    shop.says_who_sells(json!({ "credit_note_prefix": "G/" })).await;
    let order = shop.sold(3).await;
    let invoice = shop.bills(&order).await.expect(201).json["data"][0].clone();
    let line = shop.order(&order).await["lines"][0]["id"].clone();
    shop.refunds_of(&order, &json!({ "lines": [{ "line": line, "quantity": 1 }], "reason": "damaged" }))
        .await;
    let gesture =
        json!({ "lines": [{ "line": line, "amount": eur(100) }], "shipping": eur(490), "reason": "late" });
    shop.refunds_of(&order, &gesture).await;
    let issued = shop.bills(&order).await.expect(201).json["data"].clone();
    let [first, second] = [&issued[1], &issued[2]];
    for (note, name) in [(first, "G/1"), (second, "G/2")] {
        assert_eq!((&note["kind"], &note["name"]), (&json!("credit_note"), &json!(name)));
        assert_eq!((&note["corrects"], &note["corrects_name"]), (&invoice["id"], &json!("INV-1")));
        assert_eq!(note["buyer"], invoice["buyer"]);
    }
    assert_eq!([&first["total"], &first["tax"]], [&eur(1000), &eur(160)]);
    assert_eq!(
        (&second["lines"][0]["kind"], &second["lines"][1]["kind"]),
        (&json!("allowance"), &json!("delivery"))
    );
    assert_eq!(second["total"], eur(590));
    // Cancelled: what is left, and all of them together are the invoice.
    let cancel = format!("/admin/v1/orders/{order}/cancel");
    shop.owner_call("POST", &cancel).keyed().json(&json!({ "reason": "customer" })).send().await.expect(200);
    let issued = shop.bills(&order).await.expect(201).json["data"].clone();
    assert_eq!((&issued[3]["name"], &issued[3]["refund"]), (&json!("G/3"), &Value::Null));
    for amount in ["total", "tax", "net"] {
        let credited: i64 = (1..=3).map(|note| issued[note][amount]["amount_minor"].as_i64().unwrap()).sum();
        assert_eq!(credited, invoice[amount]["amount_minor"].as_i64().unwrap(), "{amount}");
    }
    assert_eq!(shop.bills(&order).await.expect(200).json["data"], issued);
    assert_eq!(shop.numbers().await, ["1", "1 2 3"]);
}

/// Fonts whose letters are in the file.
fn embedded_fonts(pdf: &lopdf::Document) -> usize {
    let files = [b"FontFile2".as_slice(), b"FontFile3".as_slice()];
    let has =
        |object: &&lopdf::Object| object.as_dict().is_ok_and(|font| files.iter().any(|file| font.has(file)));
    pdf.objects.values().filter(has).count()
}

#[actix_web::test]
async fn it_is_printed_in_its_language_with_its_font_inside() {
    let shop = Shop::open().await;
    shop.admin("UPDATE {s}.store_settings SET locale = 'de-DE'").await;
    shop.says_who_sells(json!({})).await;
    let order = shop.sold(2).await;
    let invoice = shop.bills(&order).await.expect(201).json["data"][0].clone();
    let path = format!("/admin/v1/invoices/{}", invoice["id"].as_str().unwrap());
    let pdf = shop.owner_call("GET", &format!("{path}/pdf")).send().await.expect(200);
    assert_eq!(pdf.header("content-type"), "application/pdf");
    assert_eq!(pdf.header("content-disposition"), "attachment; filename=\"INV-1.pdf\"");
    assert!(pdf.bytes.starts_with(b"%PDF-") && pdf.bytes.len() < 100_000, "{} bytes", pdf.bytes.len());
    // Read back by somebody else's reader.
    let read = lopdf::Document::load_mem(&pdf.bytes).unwrap();
    assert_eq!(embedded_fonts(&read), 2);
    let words = read.extract_text(&[1]).unwrap();
    for expected in [
        "Rechnung",
        "INV-1",
        "#1001",
        "Ada Lovelace",
        "Acme Mugs GmbH · Lindenweg 1 · 10117 Berlin",
        "Enamel mug",
        "Blue",
        "Standard",
        "20,00\u{a0}€",
        "19\u{a0}%",
        "MwSt 19 % auf 20,93 €",
        "3,97\u{a0}€",
        "24,90\u{a0}€",
        "USt-IdNr. DE123456789",
        "HRB 12345 B, Amtsgericht",
        "IBAN DE02 1203 0000 0000 2020 51",
        "Seite 1 von 1",
    ] {
        assert!(words.contains(expected), "no `{expected}` in {words}");
    }
    let asked = shop.owner_call("GET", &path).header("accept", "application/pdf").send().await.expect(200);
    assert_eq!(asked.bytes, pdf.bytes, "the same document is the same bytes");
}

/// A customer of the shop with this address, signed in.
async fn signed_in(shop: &Shop, email: &str) -> String {
    let wish = json!({ "email": email, "password": PASSWORD });
    shop.call("POST", "/store/v1/customers").json(&wish).send().await.expect(202);
    shop.admin("UPDATE {s}.customers SET verified_at = now()").await;
    shop.call("POST", "/store/v1/sessions").json(&wish).send().await.expect(201).text("/access_token")
}

#[actix_web::test]
async fn whoever_placed_the_order_prints_its_invoice_and_nobody_else_does() {
    let shop = Shop::open().await;
    shop.says_who_sells(json!({})).await;
    let basket = shop.basket(shop.thing(9, 1000).await, 1).await;
    let bought = shop.buys(&basket, 1490, "tok_ok").await.expect(201);
    let (order, secret) = (bought.text("/order/id"), bought.text("/secret"));
    let other = shop.sold(1).await;
    let path = format!("/store/v1/orders/{order}/invoices");
    let as_guest = |path: &str| shop.call("GET", path).header("x-order-secret", &secret);
    let none = as_guest(&path).send().await.expect(200);
    assert_eq!((none.data().len(), none.cost), (0, (2, 1)), "there is none before one is issued");
    let issued = shop.bills(&order).await.expect(201);
    let foreign = shop.bills(&other).await.expect(201).text("/data/0/id");
    let id = issued.text("/data/0/id");
    let list = as_guest(&path).send().await.expect(200);
    assert_eq!((&list.json["data"], list.cost), (&issued.json["data"], (2, 1)));
    assert_eq!(list.header("cache-control"), "private, no-store");
    let pdf = format!("{path}/{id}/pdf");
    let printed = as_guest(&pdf).send().await.expect(200);
    let theirs = shop.owner_call("GET", &format!("/admin/v1/invoices/{id}/pdf")).send().await.expect(200);
    assert_eq!((&printed.bytes, printed.cost), (&theirs.bytes, (2, 1)), "the same sheet");
    assert_eq!(printed.header("content-type"), "application/pdf");
    assert_eq!(printed.header("content-disposition"), "attachment; filename=\"INV-1.pdf\"");
    assert_eq!(printed.header("cache-control"), "private, no-store");

    // Another order's document, another order by this secret, a wrong secret, and none.
    as_guest(&format!("{path}/{foreign}/pdf")).send().await.refused(404, "not_found");
    as_guest(&format!("/store/v1/orders/{other}/invoices")).send().await.refused(404, "not_found");
    let wrong = "A".repeat(43);
    // Whoever runs the store has routes of their own, and is nobody here.
    let (ada, eve) = (signed_in(&shop, "ada@example.com").await, signed_in(&shop, "eve@example.com").await);
    for path in [path.as_str(), pdf.as_str()] {
        shop.call("GET", path).send().await.refused(404, "not_found");
        shop.call("GET", path).header("x-order-secret", &wrong).send().await.refused(404, "not_found");
        shop.owner_call("GET", path).send().await.refused(404, "not_found");
        for token in [&ada, &eve] {
            let call = shop.call("GET", path).header("authorization", &format!("Bearer {token}"));
            call.send().await.refused(404, "not_found");
        }
    }
    // Placed while signed in it is theirs without the secret, and still nobody else's.
    shop.admin(
        "UPDATE {s}.orders SET customer_id = (SELECT id FROM {s}.customers WHERE email = 'ada@example.com')",
    )
    .await;
    let call = |path: &str, token: &str| {
        shop.call("GET", path).header("authorization", &format!("Bearer {token}")).send()
    };
    assert_eq!(call(&path, &ada).await.expect(200).json["data"], issued.json["data"]);
    assert_eq!(call(&pdf, &ada).await.expect(200).bytes, theirs.bytes);
    for path in [&path, &pdf] {
        call(path, &eve).await.refused(404, "not_found");
    }
}

#[actix_web::test]
async fn many_positions_go_on_on_another_sheet() {
    let shop = Shop::open().await;
    shop.says_who_sells(json!({})).await;
    let order = shop.sold(2).await;
    let shown = shop.bills(&order).await.expect(201).json["data"][0].clone();
    let id = shown["id"].as_str().unwrap().parse().unwrap();
    let worker = shop.gate.worker(shop.store.id, "test", "prints").unwrap();
    let find = async move |tx: &mut ReadTx<'_>| Ok::<_, InvoiceError>(super::find(tx, id).await?);
    let invoice: Invoice = worker.read("test.find", find).await.unwrap().unwrap();
    let mut long = invoice.clone();
    let line = long.document.lines[0].clone();
    long.document.lines = (0..60)
        .map(|number| super::model::DocumentLine {
            title: format!("{number} mugs of enamel, hand-painted by somebody whose name is longer than the column is wide"),
            ..line.clone()
        })
        .collect();
    let (one, many) = (invoice.pdf().unwrap(), long.pdf().unwrap());
    let [short, read] = [&one, &many].map(|pdf| lopdf::Document::load_mem(pdf).unwrap());
    let sheets = u32::try_from(read.get_pages().len()).unwrap();
    assert!(short.get_pages().len() == 1 && sheets > 2, "{sheets}");
    // Every position is on one of them, every sheet says which it is and who sells, and the sum stands on the last.
    let pages: Vec<String> = (1..=sheets).map(|sheet| read.extract_text(&[sheet]).unwrap()).collect();
    for number in 0..60 {
        let position = format!("{number} mugs of enamel");
        assert!(pages.iter().any(|page| page.lines().any(|line| line.starts_with(&position))), "{position}");
    }
    for (sheet, page) in (1..).zip(&pages) {
        assert!(page.contains(&format!("Page {sheet} of {sheets}")) && page.contains("VAT ID DE123456789"));
        assert_eq!(page.contains("€24.90"), sheet == sheets, "{page}");
    }
}

#[actix_web::test]
async fn settings_are_replaced_by_who_has_seen_them() {
    let shop = Shop::open().await;
    let shown = shop.owner_call("GET", SETTINGS).send().await.expect(200);
    assert_eq!((&shown.json["invoice_prefix"], shown.header("etag")), (&json!("INV-"), "\"1\""));
    let put = |wish: &Value, tag: &'static str| {
        shop.owner_call("PUT", SETTINGS).header("if-match", tag).json(wish).send()
    };
    let mut wish = seller();
    for (pointer, value) in [
        ("/vat_id", json!("123")),
        ("/invoice_prefix", json!("R 1")),
        ("/credit_note_prefix", json!("INV-")),
        ("/seller_address/country", json!("XX")),
    ] {
        let mut wrong = wish.clone();
        match pointer.strip_prefix("/seller_address/") {
            Some(name) => wrong["seller_address"][name] = value,
            None => wrong[&pointer[1..]] = value,
        }
        put(&wrong, "\"1\"").await.refused(422, "validation_failed").about(pointer);
    }
    put(&json!({ "automatic": true }), "\"1\"").await.refused(422, "validation_failed").about("/vat_id");
    put(&wish, "\"2\"").await.refused(412, "precondition_failed");
    wish["automatic"] = json!(true);
    let changed = put(&wish, "\"1\"").await.expect(200);
    assert_eq!((&changed.json["automatic"], &changed.json["version"]), (&json!(true), &json!(2)));
    // What is left out is taken away.
    let changed = put(&json!({}), "\"2\"").await.expect(200);
    assert_eq!((&changed.json["automatic"], &changed.json["vat_id"]), (&json!(false), &Value::Null));
    shop.call("GET", SETTINGS).send().await.refused(401, "unauthenticated");
    shop.owner_call("GET", "/admin/v1/invoices/ivc_01h455vb4pex5vsknk084sn02q")
        .send()
        .await
        .refused(404, "not_found");
    let unknown = "/admin/v1/orders/ord_01h455vb4pex5vsknk084sn02q/invoices";
    shop.owner_call("GET", unknown).send().await.refused(404, "not_found");
    shop.owner_call("POST", unknown).json(&json!({})).send().await.refused(404, "not_found");
}
