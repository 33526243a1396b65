//! What some operations act upon, where nothing else of the business is in that state: something sold out, a mail's own words, a link that
//! was mailed and not followed. Requests name it in the `PARTS` of `tests/authority/requests.rs`.

use serde_json::json;
use souk_access::LinkSecret;
use souk_kernel::{EventId, IdentityId, OrderLineId, StaffId, WebhookDeliveryId, WebhookEndpointId};
use tokio_postgres::Client;
use uuid::Uuid;

use crate::business::Business;
use crate::door::Call;
use crate::platform::{Platform, WEBHOOK_SECRET};

/// A mail that has words of the store's own, and what they are.
const OWN_WORDS: &str = "/admin/v1/email-templates/order_paid/en";
const HTML: &str =
    r#"{% extends "layout.html" %}{% block body %}<p>Thank you for {{ order.name }}.</p>{% endblock %}"#;

impl Business {
    /// Puts everything into the state in which it can be acted upon. Nothing that was there before is changed, but for what is sold out.
    ///
    /// # Panics
    /// When that does not work.
    pub(crate) async fn prepares(&mut self, platform: &Platform, books: &Client) {
        self.has_a_team_to_change(platform, books).await;
        self.has_more_to_sell(platform, books).await;
        self.moves_goods(platform).await;
        self.has_put_an_order_together(platform).await;
        self.has_rules_of_tax(platform).await;
        self.says_it_in_its_own_words(platform, books).await;
        self.was_not_heard(books).await;
        self.has_open_links(books).await;
    }

    /// A role that nobody has, a colleague who may go, and somebody who is invited; the owner's identity elsewhere. Remembered as
    /// `rol:spare`, `stf:spare`, `inv:staff`, `staff invitation token`, `idn:owner`.
    async fn has_a_team_to_change(&mut self, platform: &Platform, books: &Client) {
        let canary = self.canary.clone();
        let role = Call::post("/admin/v1/roles", &json!({ "name": "spare", "permissions": ["order:view"] }));
        let role = self.staff(platform, role).await.expect(201).word("/id");
        self.things.insert("rol:spare".to_owned(), role);
        let invite = json!({ "email": format!("colleague@{canary}.example"), "role": "viewer" });
        let invite = Call::post("/admin/v1/staff-invitations", &invite);
        let invitation = self.staff(platform, invite).await.expect(201).word("/id");
        self.things.insert("inv:staff".to_owned(), invitation);
        let (secret, digest) = link();
        let (schema, staff, account, identity) =
            (&self.schema, StaffId::new(), Uuid::now_v7(), IdentityId::new());
        let rows = format!(
            "UPDATE {schema}.staff_invitations SET secret_hash = '\\x{digest}' WHERE id = '{}'; \
             INSERT INTO {schema}.staff (id, account_id, email, email_key, name, role_id, state) \
             SELECT '{}', '{account}', 'spare@{canary}.example', 'spare@{canary}.example', 'Spare', id, 'active' \
                 FROM {schema}.roles WHERE name = 'viewer'; \
             INSERT INTO control.identities (id, account_id, provider, issuer, subject, email, created_at, last_used_at) \
             VALUES ('{}', '{}', 'test', 'https://{canary}.example', '{canary}-owner', 'owner@{canary}.example', now(), now())",
            self.uuid("inv:staff"),
            staff.uuid(),
            identity.uuid(),
            self.owner().account.uuid()
        );
        books.batch_execute(&rows).await.expect("a team");
        for (name, thing) in [
            ("staff invitation token", secret),
            ("stf:spare", staff.to_string()),
            ("idn:owner", identity.to_string()),
        ] {
            self.things.insert(name.to_owned(), thing);
        }
    }

    /// A variant that is sold out, a second market, a list of fixed prices, a line that was paid for, a refund that the provider refused.
    /// Two groups of customers, one with somebody in it. Remembered as `var:gone`, `mkt:other`, `pls:fixed`, `oln:paid`, `cgr`, `cgr:spare`.
    async fn has_more_to_sell(&mut self, platform: &Platform, books: &Client) {
        let canary = self.canary.clone();
        let product = Call::get(format!("/admin/v1/products/{}", self.things["prd"]));
        let product = self.staff(platform, product).await.expect(200).json();
        let mut ids = product["variants"].as_array().into_iter().flatten().filter_map(|it| it["id"].as_str());
        let gone = ids.find(|id| *id != self.things["var"]).expect("two variants").to_owned();
        let counted = json!({ "variant": gone, "set": 0, "reason": "counted" });
        let counted = Call::post("/admin/v1/inventory-levels:adjust", &counted);
        self.staff(platform, counted).await.expect(200);
        let channel = Call::post("/admin/v1/channels", &json!({ "name": format!("Stall {canary}") }));
        let channel = self.staff(platform, channel).await.expect(201).word("/id");
        self.things.insert("chn".to_owned(), channel);
        for (thing, name) in [("cgr", "Wholesale"), ("cgr:spare", "Spare")] {
            let group = json!({ "name": format!("{name} {canary}"), "note": canary });
            let group =
                self.staff(platform, Call::post("/admin/v1/customer-groups", &group)).await.expect(201);
            self.things.insert(thing.to_owned(), group.word("/id"));
        }
        let members = format!("/admin/v1/customer-groups/{}/members", self.things["cgr"]);
        let members = Call::post(&members, &json!({ "add": [self.things["cus"]] }));
        self.staff(platform, members).await.expect(200);
        let market = json!({ "name": format!("Austria {canary}"), "countries": ["AT"], "currency": "EUR",
            "locale": "de-AT", "prices_include_tax": true });
        let market =
            self.staff(platform, Call::post("/admin/v1/markets", &market)).await.expect(201).word("/id");
        let list =
            json!({ "name": format!("Fixed {canary}"), "currency": "EUR", "kind": "fixed", "active": false });
        let list =
            self.staff(platform, Call::post("/admin/v1/price-lists", &list)).await.expect(201).word("/id");
        let schema = &self.schema;
        let line = format!("SELECT id FROM {schema}.order_lines WHERE order_id = $1 ORDER BY id LIMIT 1");
        let line: Uuid = books.query_one(&line, &[&self.uuid("ord")]).await.expect("a line").get(0);
        let refused = format!(
            "UPDATE {schema}.refunds SET state = 'failed', failure_message = '{canary}', next_attempt_at = NULL WHERE order_id = $1"
        );
        let refused = books.execute(&refused, &[&self.uuid("ord:cancelled")]).await.expect("a refund");
        assert_eq!(refused, 1, "the cancelled order has one refund");
        for (name, thing) in [
            ("var:gone", gone),
            ("mkt:other", market),
            ("pls:fixed", list),
            ("oln:paid", OrderLineId::from_uuid(line).to_string()),
        ] {
            self.things.insert(name.to_owned(), thing);
        }
    }

    /// A second location, a transfer to it that is put together and one that has left; an item of which none is left. Remembered as `loc:other`,
    /// `stt`, `stt:sent`, `iit:gone`, `none left`.
    async fn moves_goods(&mut self, platform: &Platform) {
        let canary = self.canary.clone();
        let mut items = Vec::new();
        for variant in ["var", "var:gone"] {
            let level = Call::get(format!("/admin/v1/inventory-levels?variant={}", self.things[variant]));
            items.push(self.staff(platform, level).await.expect(200).word("/data/0/item"));
        }
        let second = json!({ "name": format!("Second {canary}"), "country": "DE", "priority": 10 });
        let second =
            self.staff(platform, Call::post("/admin/v1/locations", &second)).await.expect(201).word("/id");
        let transfer = json!({ "origin": self.things["loc"], "destination": second, "reference": canary, "note": canary,
            "lines": [{ "item": items[0], "quantity": 1 }] });
        let transfer = Call::post("/admin/v1/stock-transfers", &transfer);
        let draft = self.staff(platform, transfer.clone()).await.expect(201).word("/id");
        let sent = self.staff(platform, transfer).await.expect(201).word("/id");
        let send = Call::new("POST", format!("/admin/v1/stock-transfers/{sent}/send"));
        self.staff(platform, send).await.expect(200);
        for (name, thing) in [
            ("loc:other", second),
            ("stt", draft),
            ("stt:sent", sent),
            ("iit:gone", items.remove(1)),
            ("none left", "0".to_owned()),
        ] {
            self.things.insert(name.to_owned(), thing);
        }
    }

    /// An order that staff put together for somebody, and a link to pay it. Remembered as `dft`, `draft order secret`, `draft total`.
    async fn has_put_an_order_together(&mut self, platform: &Platform) {
        let (canary, variant) = (&self.canary, &self.things["var"]);
        let draft = json!({
            "lines": [{ "variant": variant, "quantity": 1 }], "email": format!("ada@{canary}.example"), "note": canary, "tags": [canary],
            "shipping_address": { "first_name": "Ada", "last_name": canary, "address1": "Unter den Linden 1", "city": "Berlin",
                "postal_code": "10117", "country": "DE" },
        });
        let made = self.staff(platform, Call::post("/admin/v1/draft-orders", &draft)).await.expect(201);
        let id = made.word("/id");
        let link = Call::new("POST", format!("/admin/v1/draft-orders/{id}/payment-link"));
        let secret = self.staff(platform, link).await.expect(201).word("/secret");
        for (name, thing) in [
            ("dft", id),
            ("draft order secret", secret),
            ("draft total", made.json()["total"]["amount_minor"].to_string()),
        ] {
            self.things.insert(name.to_owned(), thing);
        }
    }

    /// A region and a class of tax that nothing is of, and a customer who is exempt. Remembered as `txr:spare`, `txe`.
    async fn has_rules_of_tax(&mut self, platform: &Platform) {
        let canary = self.canary.clone();
        let region = json!({ "country": "ES", "code": "CN", "name": canary,
            "postal_ranges": [{ "from": "35000", "to": "35999" }] });
        let region = self.staff(platform, Call::post("/admin/v1/tax-regions", &region)).await.expect(201);
        let class = Call::new("PUT", "/admin/v1/tax-classes/spare").json(&json!({ "name": canary }));
        self.staff(platform, class).await.expect(200);
        let exempt = json!({ "customer": self.things["cus"], "country": "US", "reason": "resale", "certificate": canary });
        let exempt = self.staff(platform, Call::post("/admin/v1/tax-exemptions", &exempt)).await.expect(201);
        for (name, thing) in [("txr:spare", region.word("/id")), ("txe", exempt.word("/id"))] {
            self.things.insert(name.to_owned(), thing);
        }
    }

    /// A mail in the store's own words, an address that is not written to, a sender that is confirmed and may be confirmed again, with a key,
    /// and a secret that signs what becomes of mails.
    /// Remembered as `template version`, `suppressed email`, `sender token`.
    async fn says_it_in_its_own_words(&mut self, platform: &Platform, books: &Client) {
        let canary = self.canary.clone();
        let words = json!({ "subject": "Paid: {{ order.name }}", "text": "Thank you for {{ order.name }}.", "html": HTML });
        let kept = self.staff(platform, Call::new("PUT", OWN_WORDS).json(&words)).await.expect(200).json();
        self.things.insert("template version".to_owned(), kept["version"].to_string());
        let unwanted = format!("unwanted@{canary}.example");
        let list =
            Call::post("/admin/v1/email-suppressions", &json!({ "email": unwanted, "detail": canary }));
        self.staff(platform, list).await.expect(200);
        self.things.insert("suppressed email".to_owned(), unwanted);
        let (secret, digest) = link();
        let sender = format!(
            "UPDATE {}.mail_settings SET sender_email = 'shop@{canary}.example', sender_verified_at = now(), \
                 sender_secret_hash = '\\x{digest}', sender_secret_until = now() + interval '1 day', dkim_domain = '{canary}.example', \
                 dkim_selector = 'souk', dkim_public = '{canary}', dkim_sealed = '\\x00', dkim_sealed_by = 'nobody', \
                 report_secret = decode('{}', 'base64')",
            self.schema,
            WEBHOOK_SECRET.trim_start_matches("whsec_")
        );
        books.batch_execute(&sender).await.expect("a sender");
        self.things.insert("sender token".to_owned(), secret);
    }

    /// An event that a consumer was given up on, and a webhook endpoint that is enabled, wants nothing that happens here and was told
    /// something once. Remembered as `dead letter`, `whe:awake`, `whd:awake`, `evt:awake`.
    async fn was_not_heard(&mut self, books: &Client) {
        let (canary, schema, store) = (&self.canary, &self.schema, self.store.uuid());
        let dead = format!(
            "INSERT INTO platform.undelivered (consumer, event_id, store_id, aggregate_type, aggregate_id, sequence, type, version, \
                 payload, occurred_at, attempts, last_error, dead_at) \
             SELECT 'webhooks', event_id, store_id, aggregate_type, aggregate_id, coalesce(sequence, 0), type, version, payload, \
                 occurred_at, 9, '{canary}', now() \
             FROM platform.outbox WHERE store_id = $1 ORDER BY position LIMIT 1 RETURNING id, event_id"
        );
        let dead = books.query_one(&dead, &[&store]).await.expect("a dead letter");
        let (dead, event): (i64, Uuid) = (dead.get(0), dead.get(1));
        let (endpoint, delivery) = (WebhookEndpointId::new(), WebhookDeliveryId::new());
        let rows = format!(
            "INSERT INTO {schema}.webhook_endpoints (id, url, description, kinds, state, secret, created_at, updated_at) \
             VALUES ('{0}', 'https://{canary}.example/awake', '{canary}', ARRAY['nothing.happened'], 'enabled', '\\x00', now(), now()); \
             INSERT INTO {schema}.webhook_deliveries (id, endpoint_id, event_id, kind, aggregate_id, sequence, body, state, created_at, finished_at) \
             VALUES ('{1}', '{0}', '{event}', 'order.placed', gen_random_uuid(), 1, '{{\"canary\": \"{canary}\"}}', 'delivered', now(), now())",
            endpoint.uuid(),
            delivery.uuid()
        );
        books.batch_execute(&rows).await.expect("an endpoint");
        for (name, thing) in [
            ("dead letter", dead.to_string()),
            ("whe:awake", endpoint.to_string()),
            ("whd:awake", delivery.to_string()),
            ("evt:awake", EventId::from_uuid(event).to_string()),
        ] {
            self.things.insert(name.to_owned(), thing);
        }
    }

    /// Links that were mailed to Ada, and nobody has followed yet; and one to somebody who wants to be told of an order.
    async fn has_open_links(&mut self, books: &Client) {
        let (canary, schema, ada) = (self.canary.clone(), self.schema.clone(), self.uuid("cus"));
        let mut rows = format!(
            "INSERT INTO {schema}.customer_email_changes (customer_id, email, email_key, created_at, expires_at) \
             VALUES ('{ada}', 'ada.new@{canary}.example', 'ada.new@{canary}.example', now(), now() + interval '1 day');"
        );
        for (purpose, name) in [
            ("verify_email", "customer verification token"),
            ("reset_password", "customer reset token"),
            ("email_old", "customer email token"),
        ] {
            let (secret, digest) = link();
            rows.push_str(&format!(
                "INSERT INTO {schema}.customer_secrets (secret_hash, customer_id, purpose, email_key, created_at, expires_at) \
                 SELECT '\\x{digest}', id, '{purpose}', email_key, now(), now() + interval '1 day' FROM {schema}.customers WHERE id = '{ada}';"
            ));
            self.things.insert(name.to_owned(), secret);
        }
        let (secret, digest) = link();
        rows.push_str(&format!(
            "INSERT INTO {schema}.subscriptions (id, topic, email, email_key, order_id, secret_hash, asked_at, created_at) \
             VALUES ('{}', 'order', 'follower@{canary}.example', 'follower@{canary}.example', '{}', '\\x{digest}', now(), now());",
            Uuid::now_v7(),
            self.uuid("ord")
        ));
        self.things.insert("subscription token".to_owned(), secret);
        books.batch_execute(&rows).await.expect("open links");
    }
}

/// The secret of a link, and the digest that is kept of it.
fn link() -> (String, String) {
    let secret = LinkSecret::mint().expect("randomness");
    let digest = secret.digest().as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    (secret.expose().to_owned(), digest)
}
