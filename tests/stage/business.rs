//! An organization with its people, and its store with something in every drawer.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use souk_kernel::{CustomerId, IdentityId, ProductId, StoreId};
use tokio_postgres::Client;
use uuid::Uuid;

use crate::books::admin;
use crate::door::{Answer, Call, Door};
use crate::people::{PASSWORD, Person, mailed_token};
use crate::platform::Platform;

/// Where one row of each kind of id is found: prefix, table. Kinds that have several roles get more names below.
const KINDS: [(&str, &str); 27] = [
    ("prd", "products"),
    ("var", "product_variants"),
    ("img", "product_images"),
    ("col", "collections"),
    ("cat", "categories"),
    ("mfd", "metafield_definitions"),
    ("pag", "pages"),
    ("mnu", "menus"),
    ("iit", "inventory_items"),
    ("loc", "locations"),
    ("smv", "stock_movements"),
    ("szo", "shipping_zones"),
    ("shr", "shipping_rates"),
    ("trt", "tax_rates"),
    ("txr", "tax_regions"),
    ("key", "api_keys"),
    ("rol", "roles"),
    ("stf", "staff"),
    ("msg", "email_messages"),
    ("jrn", "journal_entries"),
    ("lac", "ledger_accounts"),
    ("mkt", "markets"),
    ("pay", "payments"),
    ("rfd", "refunds"),
    ("ivc", "invoices"),
    ("ful", "fulfillments"),
    ("oln", "order_lines"),
];

/// The bytes of a picture of one pixel.
pub const PICTURE: [u8; 67] = [
    137, 80, 78, 71, 13, 10, 26, 10, 0, 0, 0, 13, 73, 72, 68, 82, 0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0, 58,
    126, 155, 85, 0, 0, 0, 10, 73, 68, 65, 84, 120, 156, 99, 96, 0, 0, 0, 2, 0, 1, 72, 175, 164, 113, 0, 0,
    0, 0, 73, 69, 78, 68, 174, 66, 96, 130,
];

/// What a business has, by name: `prd`, `ord:unpaid`, `cart secret`, …
pub type Things = BTreeMap<String, String>;

pub struct Business {
    /// In every text of this business and in none of any other.
    pub canary: String,
    pub organization: String,
    pub store: StoreId,
    pub schema: String,
    pub handle: String,
    pub host: String,
    /// `owner`, `admin`, `developer`, `viewer`, and `removed`, who was a member once.
    pub people: BTreeMap<&'static str, Person>,
    pub things: Things,
}

impl Business {
    /// Founds an organization, fills it with people and opens its store.
    ///
    /// # Panics
    /// When that does not work.
    pub async fn open(platform: &Platform, name: &str) -> Self {
        let (door, books) = (platform.control(), admin(platform.database).await);
        let canary = format!("canary-{name}");
        let owner = Person::new(platform, &format!("owner-{canary}")).await;
        let founds = Call::post("/v1/organizations", &json!({ "name": format!("The {canary} company") }));
        let organization = owner.send(platform, &door, founds).await.expect(201).word("/id");
        let mut people = BTreeMap::new();
        for role in ["admin", "developer", "viewer", "removed"] {
            let person = Person::new(platform, &format!("{role}-{canary}")).await;
            let joins = if role == "removed" { "viewer" } else { role };
            owner.welcomes(platform, &organization, &person, joins, &books).await;
            people.insert(role, person);
        }
        let mut things = Things::new();
        let members = format!("/v1/organizations/{organization}/members");
        let listed = owner.send(platform, &door, Call::get(members.as_str())).await.expect(200).json();
        for member in listed["data"].as_array().expect("members") {
            let (id, email) = (text(member, "/id"), text(member, "/email"));
            if email == people["removed"].email {
                let removes = Call::new("DELETE", format!("{members}/{id}"));
                owner.send(platform, &door, removes).await.expect(204);
            } else if email == people["viewer"].email {
                things.insert("mem".to_owned(), id);
            }
        }
        let invites = json!({ "email": format!("guest.{canary}@example.com"), "role": "viewer" });
        let invites = Call::post(format!("/v1/organizations/{organization}/invitations"), &invites);
        things.insert("inv".to_owned(), owner.send(platform, &door, invites).await.expect(201).word("/id"));
        things.insert("org".to_owned(), organization.clone());

        // A plan with room for a colleague of every role.
        let wish = json!({ "name": format!("{canary} store"), "country": "DE", "handle": format!("{name}-{}", unique()),
            "organization": organization, "plan": "growth" });
        let asked = owner.send(platform, &door, Call::post("/v1/stores", &wish)).await.expect(202);
        let operation = asked.header("location").to_owned();
        let ended = finished(platform, &door, &owner, &operation).await;
        assert_eq!(ended["state"], "succeeded", "{ended}");
        let store = StoreId::parse(&text(&ended, "/store")).expect("a store's id");
        let (handle, host): (String, String) = {
            let query = "SELECT handle, hosts[1] FROM platform.store_ledger WHERE store_id = $1";
            let row = books.query_one(query, &[&store.uuid()]).await.expect("the ledger has the store");
            (row.get(0), row.get(1))
        };
        things.insert("sto".to_owned(), store.to_string());
        things.insert("op".to_owned(), operation.rsplit('/').next().unwrap_or_default().to_owned());
        things.insert("ses".to_owned(), owner.session.to_string());
        things.insert("email".to_owned(), owner.email.clone());
        things.insert("refresh token".to_owned(), owner.refresh.clone());
        things.insert(
            "verification token".to_owned(),
            mailed_token(&books, &owner.email, "verify-email").await,
        );
        let forgets = Call::post("/v1/password-resets", &json!({ "email": owner.email }));
        door.send(&forgets).await.expect(202);
        things.insert("reset token".to_owned(), mailed_token(&books, &owner.email, "reset-password").await);
        people.insert("owner", owner);
        let schema = format!("s_{}", store.suffix());
        let mut business = Self { canary, organization, store, schema, handle, host, people, things };
        business.stock(platform, &books).await;
        business
    }

    /// Invites somebody who has not answered yet.
    ///
    /// # Panics
    /// When that does not work.
    pub async fn invites(&mut self, platform: &Platform, guest: &Person) {
        let wish = json!({ "email": guest.email, "role": "viewer" });
        let call = Call::post(format!("/v1/organizations/{}/invitations", self.organization), &wish);
        self.owner().send(platform, &platform.control(), call).await.expect(201);
        let token = mailed_token(&admin(platform.database).await, &guest.email, "accept-invitation").await;
        self.things.insert("invitation token".to_owned(), token);
    }

    pub fn owner(&self) -> &Person {
        &self.people["owner"]
    }

    /// The store's door.
    pub fn door(&self, platform: &Platform) -> Door {
        platform.store(&self.host)
    }

    /// A request of the owner's to the store.
    pub async fn staff(&self, platform: &Platform, call: Call) -> Answer {
        let token = self.owner().staff_token(platform, self.store);
        let call = call.bearer(&token).once();
        self.door(platform).send(&call).await
    }

    /// Products, pictures, carts, orders in every state, and the people of the store.
    async fn stock(&mut self, platform: &Platform, books: &Client) {
        self.follow(platform).await;
        let canary = self.canary.clone();
        let price = json!({ "amount_minor": 1900, "currency": "EUR" });
        let product = json!({
            "title": format!("Mug {canary}"), "handle": format!("mug-{canary}"), "tags": ["enamel"], "vendor": canary,
            "options": [{ "name": "Size", "values": ["S", "L"] }],
            "variants": [
                { "sku": format!("{canary}-S"), "options": { "Size": "S" }, "price": price, "stock": 500 },
                { "sku": format!("{canary}-L"), "options": { "Size": "L" }, "price": price, "stock": 500 },
            ],
        });
        let category = Call::post("/admin/v1/categories", &json!({ "title": format!("Shelf {canary}") }));
        let category = self.staff(platform, category).await.expect(201).word("/id");
        let mut product = product;
        product["category"] = json!(category);
        let made = self.staff(platform, Call::post("/admin/v1/products", &product)).await.expect(201);
        let (product, variant) = (made.word("/id"), made.word("/variants/0/id"));
        self.things.insert("prd".to_owned(), product.clone());
        self.things.insert("var".to_owned(), variant.clone());
        for owner in ["product", "variant", "collection"] {
            let definition = json!({ "owner": owner, "key": "maker", "name": canary, "kind": "text" });
            let definition = Call::post("/admin/v1/metafield-definitions", &definition);
            self.staff(platform, definition).await.expect(201);
        }
        let maker = json!({ "metafields": [{ "key": "maker", "value": canary }] });
        let maker = Call::new("PUT", format!("/admin/v1/products/{product}/metafields")).json(&maker);
        self.staff(platform, maker).await.expect(200);
        let picture = Call::new("POST", format!("/admin/v1/products/{product}/images?alt={canary}"));
        let picture = picture.bytes("application/octet-stream", PICTURE.to_vec());
        self.staff(platform, picture).await.expect(201);
        let collection = Call::post("/admin/v1/collections", &json!({ "title": format!("All {canary}") }));
        let collection = self.staff(platform, collection).await.expect(201).word("/id");
        self.staff(
            platform,
            Call::new("PUT", format!("/admin/v1/collections/{collection}/products/{product}")),
        )
        .await;
        let page = json!({ "title": format!("About {canary}"), "body_html": canary });
        let page = self.staff(platform, Call::post("/admin/v1/pages", &page)).await.expect(201).word("/id");
        let link = json!({ "key": "about", "title": canary, "link": { "kind": "page", "to": page } });
        let menu = json!({ "title": format!("Menu {canary}"), "items": [link] });
        self.staff(platform, Call::post("/admin/v1/menus", &menu)).await.expect(201);
        let policy = Call::new("PUT", "/admin/v1/policies/refund").json(&json!({ "body_html": canary }));
        self.staff(platform, policy).await.expect(200);
        let table =
            format!("Handle,Title,Vendor,Variant Price,Image Src\ncup-{canary},Cup,{canary},9.00,{canary}\n");
        let import = Call::new("POST", "/admin/v1/imports?format=csv").bytes("text/csv", table.into_bytes());
        let import = self.staff(platform, import).await.expect(202).word("/id");
        self.things.insert("imp".to_owned(), import);
        let discount = json!({ "title": format!("Welcome {canary}"), "method": "code", "codes": ["WELCOME"],
            "terms": { "kind": "percentage", "rate_ppm": 100_000 } });
        let discount =
            self.staff(platform, Call::post("/admin/v1/discounts", &discount)).await.expect(201).word("/id");
        self.things.insert("dsc".to_owned(), discount);
        self.things.insert("code".to_owned(), "WELCOME".to_owned());
        let list = json!({ "name": format!("Wholesale {canary}"), "currency": "EUR", "kind": "percent", "adjust_ppm": -50_000 });
        let list =
            self.staff(platform, Call::post("/admin/v1/price-lists", &list)).await.expect(201).word("/id");
        self.things.insert("pls".to_owned(), list);
        let customer = self.welcomes_customer(platform).await;
        self.integrates(platform, books, &customer).await;
        let amount = json!({ "amount_minor": 500, "currency": "EUR" });
        let card = Call::post(
            "/admin/v1/gift-cards",
            &json!({ "amount": amount, "origin": "granted", "note": canary }),
        );
        let card = self.staff(platform, card).await.expect(201);
        self.things.insert("crd".to_owned(), card.word("/id"));
        self.things.insert("gift card".to_owned(), card.word("/code"));
        let credit = json!({ "customer": customer, "amount": amount, "origin": "granted" });
        let credit = self
            .staff(platform, Call::post("/admin/v1/store-credits", &credit))
            .await
            .expect(201)
            .word("/id");
        self.things.insert("store credit".to_owned(), credit);

        for (name, wish) in [
            (
                "",
                json!({ "provider": "test", "token": "tok_ok", "return_url": "http://localhost:3000/thanks" }),
            ),
            (
                ":waiting",
                json!({ "provider": "test", "token": "tok_3ds", "return_url": "http://localhost:3000/thanks" }),
            ),
            (":unpaid", json!({ "provider": "manual" })),
            (":cancelled", json!({ "provider": "test", "token": "tok_ok" })),
            (":sent", json!({ "provider": "test", "token": "tok_ok" })),
        ] {
            let guest = self.fills_cart(platform, &variant, name).await;
            self.buys(platform, &guest, &wish, name).await;
        }
        let later = format!(
            "UPDATE {}.payment_providers SET settings = settings || '{{\"capture_later\": true}}' WHERE code = 'test'",
            self.schema
        );
        books.batch_execute(&later).await.expect("a provider's settings");
        let guest = self.fills_cart(platform, &variant, ":authorized").await;
        self.buys(platform, &guest, &json!({ "provider": "test", "token": "tok_ok" }), ":authorized").await;
        books.batch_execute(&later.replace("true", "false")).await.expect("a provider's settings");
        let cancel = Call::post(
            format!("/admin/v1/orders/{}/cancel", self.things["ord:cancelled"]),
            &json!({ "reason": "customer" }),
        );
        self.staff(platform, cancel).await.expect(200);
        let seller = json!({ "seller_name": canary, "vat_id": "DE123456789",
            "seller_address": { "address1": canary, "postal_code": "10117", "city": "Berlin", "country": "DE" } });
        let seller = Call::new("PUT", "/admin/v1/invoice-settings").header("If-Match", "*").json(&seller);
        self.staff(platform, seller).await.expect(200);
        let bill = Call::post(format!("/admin/v1/orders/{}/invoices", self.things["ord"]), &json!({}));
        self.staff(platform, bill).await.expect(201);
        let send = format!("/admin/v1/orders/{}/fulfillments", self.things["ord:sent"]);
        self.staff(platform, Call::post(send, &json!({ "tracking": { "number": canary } })))
            .await
            .expect(201);
        // Two carts that nobody has bought: Ada's and another guest's.
        self.fills_cart(platform, &variant, "").await;
        self.fills_cart(platform, &variant, ":other").await;

        self.employ(books).await;
        for (prefix, table) in KINDS {
            if !self.things.contains_key(prefix) {
                self.note_first(books, prefix, table, "true").await;
            }
        }
        self.note_first(
            books,
            "pse",
            "payment_sessions",
            &format!("order_id = '{}'", self.uuid("ord:waiting")),
        )
        .await;
        let zone = format!("zone_id = '{}'", self.uuid("szo"));
        self.note_first(books, "shr", "shipping_rates", &zone).await;
        self.welcomes_another(platform, books).await;
        self.keeps_for_others(books).await;
        self.prepares(platform, books).await;
        self.things.insert("provider".to_owned(), "test".to_owned());
        self.things.insert("handle".to_owned(), self.handle.clone());
    }

    /// An identity provider that is not enabled, an identity of Ada's there, and an app that is approved.
    async fn integrates(&mut self, platform: &Platform, books: &Client, customer: &str) {
        let canary = self.canary.clone();
        let provider = json!({ "id": "test", "audience": "customers", "name": format!("Sign in with {canary}"), "client_id": canary,
            "issuer": format!("https://{canary}.example"), "client_secret": canary, "enabled": false });
        let provider = Call::post("/admin/v1/identity-providers", &provider);
        self.staff(platform, provider).await.expect(201);
        let (id, customer) = (IdentityId::new(), CustomerId::parse(customer).expect("a customer's id"));
        let linked = format!(
            "INSERT INTO {}.identities (id, customer_id, provider, issuer, subject, email, created_at, last_used_at) \
             VALUES ('{}', '{}', 'test', 'https://{canary}.example', '{canary}', 'ada@{canary}.example', now(), now())",
            self.schema,
            id.uuid(),
            customer.uuid()
        );
        books.batch_execute(&linked).await.expect("an identity");
        self.things.insert("idn".to_owned(), id.to_string());
        let app = json!({ "name": format!("Bridge of {canary}"), "requested_scopes": ["order:view", "inventory:*"] });
        let app = self.staff(platform, Call::post("/admin/v1/apps", &app)).await.expect(201).word("/id");
        let approves = Call::post(format!("/admin/v1/apps/{app}/approve"), &json!({}));
        let secret = self.staff(platform, approves).await.expect(200).word("/client_secret");
        self.things.insert("app secret".to_owned(), secret);
        self.things.insert("app".to_owned(), app);
    }

    /// Ada registers at the store, and keeps an address there.
    async fn welcomes_customer(&mut self, platform: &Platform) -> String {
        let (door, email) = (self.door(platform), format!("ada@{}.example", self.canary));
        let wish =
            json!({ "email": email, "password": PASSWORD, "first_name": "Ada", "last_name": self.canary });
        door.send(&Call::post("/store/v1/customers", &wish)).await.expect(202);
        self.things.insert("customer email".to_owned(), email);
        let (token, refresh) = self.customer_tokens(platform).await;
        let asks = async |call: Call| door.send(&call.bearer(&token).once()).await;
        let address = json!({ "address": { "first_name": "Ada", "last_name": self.canary, "address1": "Unter den Linden 1",
            "city": "Berlin", "postal_code": "10117", "country": "DE" } });
        let address = asks(Call::post("/store/v1/account/addresses", &address)).await.expect(201).word("/id");
        let session = asks(Call::get("/store/v1/sessions")).await.expect(200).word("/data/0/id");
        let customer = asks(Call::get("/store/v1/account")).await.expect(200).word("/id");
        for (name, thing) in [
            ("cus", &customer),
            ("adr", &address),
            ("customer session", &session),
            ("customer refresh token", &refresh),
        ] {
            self.things.insert(name.to_owned(), thing.clone());
        }
        customer
    }

    /// Signs Ada in at the store: an access token that lives for 15 minutes, and a refresh token.
    ///
    /// # Panics
    /// When that does not work.
    pub async fn customer_tokens(&self, platform: &Platform) -> (String, String) {
        let wish = json!({ "email": self.things["customer email"], "password": PASSWORD });
        let tokens = self.door(platform).send(&Call::post("/store/v1/sessions", &wish)).await.expect(201);
        (tokens.word("/access_token"), tokens.word("/refresh_token"))
    }

    /// Waits until the runtime knows the store.
    async fn follow(&self, platform: &Platform) {
        let door = self.door(platform);
        for _ in 0..200 {
            if door.send(&Call::get("/store/v1/store")).await.status == 200 {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        }
        panic!("{} does not answer", self.host);
    }

    /// A guest's cart with two of a variant, remembered as `crt…` and `cart secret…`.
    async fn fills_cart(&mut self, platform: &Platform, variant: &str, name: &str) -> (String, String) {
        let canary = &self.canary;
        let body = json!({
            "lines": [{ "variant": variant, "quantity": 2 }], "email": format!("ada@{canary}.example"), "note": canary,
            "shipping_address": { "first_name": "Ada", "last_name": canary, "address1": "Unter den Linden 1", "city": "Berlin",
                "postal_code": "10117", "country": "DE" },
        });
        let cart = self.door(platform).send(&Call::post("/store/v1/carts", &body).once()).await.expect(201);
        let (id, secret) = (cart.word("/id"), cart.word("/secret"));
        self.things.insert(format!("crt{name}"), id.clone());
        self.things.insert(format!("cart secret{name}"), secret.clone());
        self.things.insert(format!("cln{name}"), cart.word("/lines/0/id"));
        self.things.insert("total".to_owned(), cart.json()["total"]["amount_minor"].to_string());
        (id, secret)
    }

    /// Buys a cart; the order is remembered as `ord…`, `order secret…` and `order number…`.
    async fn buys(
        &mut self,
        platform: &Platform,
        (cart, secret): &(String, String),
        payment: &Value,
        name: &str,
    ) {
        let door = self.door(platform);
        let shown = door
            .send(&Call::get(format!("/store/v1/carts/{cart}")).header("x-cart-secret", secret))
            .await
            .expect(200);
        let body = json!({ "expected_total": shown.json()["total"], "payment": payment });
        let call = Call::post(format!("/store/v1/carts/{cart}/checkout"), &body)
            .header("x-cart-secret", secret)
            .once();
        let bought = door.send(&call).await;
        assert!(bought.status < 300, "{}", bought.text());
        self.things.insert(format!("ord{name}"), bought.word("/order/id"));
        self.things.insert(format!("order secret{name}"), bought.word("/secret"));
        let number = bought.json()["order"]["number"].to_string();
        self.things.insert(format!("order number{name}"), number);
    }

    /// One person of every role, one who was removed, one who has not come yet.
    async fn employ(&mut self, books: &Client) {
        let schema = &self.schema;
        let roles = books
            .query(&format!("SELECT id, name FROM {schema}.roles ORDER BY name"), &[])
            .await
            .expect("roles");
        for row in roles {
            let (role, name): (Uuid, String) = (row.get(0), row.get(1));
            for state in ["active", "removed", "invited"] {
                if name == "owner" && state == "active" || name != "manager" && state != "active" {
                    continue;
                }
                let account = Uuid::now_v7();
                let email = format!("{name}-{state}@{}.example", self.canary);
                let hire = format!(
                    "INSERT INTO {schema}.staff (id, account_id, email, email_key, name, role_id, state) VALUES ($1, $2, $3, $3, $4, $5, $6)"
                );
                books
                    .execute(&hire, &[&Uuid::now_v7(), &account, &email, &name, &role, &state])
                    .await
                    .expect("a colleague");
                let word =
                    if state == "active" { format!("account {name}") } else { format!("account {state}") };
                self.things.insert(word, souk_kernel::AccountId::from_uuid(account).to_string());
            }
        }
    }

    async fn note_first(&mut self, books: &Client, prefix: &str, table: &str, which: &str) {
        let query = format!("SELECT id FROM {}.{table} WHERE {which} ORDER BY id LIMIT 1", self.schema);
        if let Some(row) = books.query_opt(&query, &[]).await.expect("a row") {
            let id = format!("{prefix}_{}", ProductId::from_uuid(row.get(0)).suffix());
            self.things.insert(prefix.to_owned(), id);
        }
    }

    pub(crate) fn uuid(&self, thing: &str) -> Uuid {
        let suffix = self.things[thing].split('_').nth(1).unwrap_or_default();
        ProductId::from_suffix(suffix).expect("an id").uuid()
    }

    /// The password of everybody.
    pub const fn password() -> &'static str {
        PASSWORD
    }
}

fn unique() -> String {
    souk_kernel::RequestId::new().suffix()[16..].to_owned()
}

fn text(value: &Value, pointer: &str) -> String {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_else(|| panic!("no text at {pointer}: {value}"))
        .to_owned()
}

/// Follows an operation to its end.
async fn finished(platform: &Platform, door: &Door, owner: &Person, operation: &str) -> Value {
    for _ in 0..400 {
        let view = owner.send(platform, door, Call::get(operation)).await.expect(200).json();
        if view["finished_at"].is_string() {
            return view;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    panic!("{operation} did not end")
}
