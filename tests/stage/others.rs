//! What somebody else has: a second customer of the store, and things that are there to be asked for by those whose they are not.

use serde_json::json;
use souk_kernel::{CustomerId, IdentityId, MessageId, StoreGrantId, WebhookDeliveryId, WebhookEndpointId};
use tokio_postgres::Client;
use uuid::Uuid;

use crate::business::Business;
use crate::door::Call;
use crate::people::PASSWORD;
use crate::platform::Platform;

impl Business {
    /// Bea registers at the store: nothing of hers is Ada's. It is remembered as `adr:other`, `ses:other`, `idn:other`.
    ///
    /// # Panics
    /// When that does not work.
    pub(crate) async fn welcomes_another(&mut self, platform: &Platform, books: &Client) {
        let canary = self.canary.clone();
        let (door, email) = (self.door(platform), format!("bea@{canary}.example"));
        let wish = json!({ "email": email, "password": PASSWORD, "first_name": "Bea", "last_name": canary });
        door.send(&Call::post("/store/v1/customers", &wish)).await.expect(202);
        let wish = json!({ "email": email, "password": PASSWORD });
        let tokens = door.send(&Call::post("/store/v1/sessions", &wish)).await.expect(201);
        let token = tokens.word("/access_token");
        let asks = async |call: Call| door.send(&call.bearer(&token).once()).await;
        let address = json!({ "address": { "first_name": "Bea", "last_name": canary, "address1": "Lindenweg 2",
            "city": "Potsdam", "postal_code": "14467", "country": "DE" } });
        let address = asks(Call::post("/store/v1/account/addresses", &address)).await.expect(201).word("/id");
        let session = asks(Call::get("/store/v1/sessions")).await.expect(200).word("/data/0/id");
        let customer = asks(Call::get("/store/v1/account")).await.expect(200).word("/id");
        let (identity, customer) =
            (IdentityId::new(), CustomerId::parse(&customer).expect("a customer's id"));
        let linked = format!(
            "INSERT INTO {}.identities (id, customer_id, provider, issuer, subject, email, created_at, last_used_at) \
             VALUES ('{}', '{}', 'test', 'https://{canary}.example', '{canary}-bea', '{email}', now(), now())",
            self.schema,
            identity.uuid(),
            customer.uuid()
        );
        books.batch_execute(&linked).await.expect("an identity");
        for (name, thing) in
            [("adr:other", address), ("ses:other", session), ("idn:other", identity.to_string())]
        {
            self.things.insert(name.to_owned(), thing);
        }
    }

    /// One of each kind that requests about one's own do without: a webhook endpoint that is told nothing, something that it was told, the event
    /// of that, a mail, and a grant of the platform that is over. Remembered as `whe:theirs`, …: requests of this business keep naming none.
    ///
    /// # Panics
    /// When that does not work.
    pub(crate) async fn keeps_for_others(&mut self, books: &Client) {
        let (canary, schema, store) = (&self.canary, &self.schema, self.store.uuid());
        let (endpoint, delivery) = (WebhookEndpointId::new(), WebhookDeliveryId::new());
        let (message, grant) = (MessageId::new(), StoreGrantId::new());
        let event = "SELECT event_id FROM platform.outbox WHERE store_id = $1 ORDER BY position LIMIT 1";
        let event: Uuid = books.query_one(event, &[&store]).await.expect("an event").get(0);
        let rows = format!(
            "INSERT INTO {schema}.webhook_endpoints (id, url, description, state, secret, created_at, updated_at) \
             VALUES ('{0}', 'https://{canary}.example/hook', '{canary}', 'disabled', '\\x00', now(), now()); \
             INSERT INTO {schema}.webhook_deliveries (id, endpoint_id, event_id, kind, aggregate_id, sequence, body, state, created_at, finished_at) \
             VALUES ('{1}', '{0}', '{event}', 'order.placed', gen_random_uuid(), 1, '{{\"canary\": \"{canary}\"}}', 'delivered', now(), now()); \
             INSERT INTO {schema}.email_messages (id, template, recipient, subject, body_text, body_html, message_id, state, created_at, sent_at) \
             VALUES ('{2}', 'order_placed', 'ada@{canary}.example', '{canary}', '{canary}', '{canary}', '<{2}@{canary}>', 'sent', now(), now()); \
             INSERT INTO platform.store_grants (id, store_id, account_id, holder, reason, created_at, expires_at) \
             VALUES ('{3}', '{store}', gen_random_uuid(), 'nobody@{canary}.example', 'a proof of {canary}', \
                 now() - interval '2 hours', now() - interval '1 hour')",
            endpoint.uuid(),
            delivery.uuid(),
            message.uuid(),
            grant.uuid()
        );
        books.batch_execute(&rows).await.expect("things of others");
        let event = souk_kernel::EventId::from_uuid(event).to_string();
        for (name, thing) in [
            ("whe:theirs", endpoint.to_string()),
            ("whd:theirs", delivery.to_string()),
            ("evt:theirs", event),
            ("msg:theirs", message.to_string()),
            ("gnt:theirs", grant.to_string()),
        ] {
            self.things.insert(name.to_owned(), thing);
        }
    }
}
