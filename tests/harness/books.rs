//! The books of one store, kept independently of each other, and what must be so between them:
//! what shoppers were told, the store's database, the payment provider's book, and the mails that arrived.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;
use souk_kernel::{CartId, OrderId, PaymentSessionId};
use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

/// What one shopper was told at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// There is an order: its id and whether it is paid.
    Ordered { order: String, paid: bool },
    /// There is none: the problem's code, or `failed`.
    Refused(String),
    /// Nothing that says either.
    Nothing,
}

/// One shopper's part of the history.
#[derive(Clone, Debug)]
pub struct Entry {
    pub cart: String,
    pub told: Told,
}

/// What the checker found: numbers for the report, and every breach in words.
#[derive(Debug, Default)]
pub struct Findings {
    pub orders: usize,
    pub captured_minor: i64,
    pub mails: usize,
    pub duplicate_mails: usize,
    pub breaches: Vec<String>,
}

/// A connection to a store's tables, as the administrator.
pub struct Books {
    client: Client,
    provider: String,
}

/// Each names what it breaks, and gives a line for every row that breaks it.
const RULES: [(&str, &str); 13] = [
    ("I1 one order for a cart", "SELECT cart_id::text FROM orders WHERE number IS NOT NULL GROUP BY cart_id HAVING count(*) > 1"),
    ("I1 a captured payment stands for an order, or was given back", "SELECT o.id::text FROM orders o JOIN payments p ON p.order_id = o.id
        WHERE o.number IS NULL AND p.captured_minor > p.refunded_minor"),
    ("I1 nothing is left half done", "SELECT id::text FROM orders WHERE state = 'pending_payment'"),
    ("I2 one capture for an order", "SELECT order_id::text FROM payments WHERE captured_minor > refunded_minor GROUP BY order_id HAVING count(*) > 1"),
    ("I2 a payment is the sum of its transactions", "SELECT p.id::text FROM payments p LEFT JOIN payment_transactions t ON t.payment_id = p.id AND t.state = 'success'
        GROUP BY p.id HAVING p.captured_minor <> coalesce(sum(t.amount_minor) FILTER (WHERE t.kind IN ('capture', 'sale')), 0)
            OR p.refunded_minor <> coalesce(sum(t.amount_minor) FILTER (WHERE t.kind = 'refund'), 0)"),
    ("I2 the cash account is what was captured and not given back", "SELECT ledger.sum || ' is not ' || paid.sum FROM
        (SELECT coalesce(sum(amount_minor), 0) AS sum FROM postings JOIN ledger_accounts a ON a.id = account_id WHERE a.code = '1000') ledger,
        (SELECT coalesce(sum(captured_minor - refunded_minor), 0) AS sum FROM payments) paid WHERE ledger.sum <> paid.sum"),
    ("I3 every entry balances", "SELECT entry_id::text FROM postings GROUP BY entry_id, currency HAVING sum(amount_minor) <> 0"),
    ("I3 every placed order with a total has one sale in the journal", "SELECT o.id::text FROM orders o LEFT JOIN journal_entries j ON j.order_id = o.id AND j.kind = 'sale'
        WHERE o.number IS NOT NULL AND o.total_minor > 0 GROUP BY o.id HAVING count(j.id) <> 1"),
    ("I3 what is receivable is what open orders have not paid", "SELECT ledger.sum || ' is not ' || owed.sum FROM
        (SELECT coalesce(sum(amount_minor), 0) AS sum FROM postings JOIN ledger_accounts a ON a.id = account_id WHERE a.code = '1100') ledger,
        (SELECT coalesce(sum(o.total_minor - coalesce((SELECT sum(captured_minor - refunded_minor) FROM payments p WHERE p.order_id = o.id), 0)), 0) AS sum
            FROM orders o WHERE o.number IS NOT NULL AND o.state <> 'cancelled') owed WHERE ledger.sum <> owed.sum"),
    ("I4 nothing is oversold", "SELECT item_id::text FROM inventory_levels WHERE on_hand - unavailable - committed - reserved < -backorderable"),
    ("I4 what is reserved is what is held", "SELECT l.item_id::text FROM inventory_levels l
        WHERE l.reserved <> coalesce((SELECT sum(quantity) FROM reservations r WHERE r.item_id = l.item_id AND r.location_id = l.location_id AND r.state = 'held'), 0)"),
    ("I4 what is committed is what open orders wait for", "SELECT l.item_id::text FROM
        (SELECT item_id, sum(committed) AS committed FROM inventory_levels GROUP BY item_id) l
        WHERE l.committed <> coalesce((SELECT sum(ol.quantity) FROM order_lines ol JOIN orders o ON o.id = ol.order_id
            WHERE ol.inventory_item_id = l.item_id AND o.number IS NOT NULL AND o.state = 'open' AND o.fulfillment_status = 'unfulfilled'), 0)"),
    ("I4 a level is the sum of its movements", "SELECT l.item_id::text FROM inventory_levels l LEFT JOIN stock_movements m USING (item_id, location_id)
        GROUP BY l.item_id, l.location_id HAVING l.on_hand <> coalesce(sum(m.on_hand_delta), 0)
            OR l.committed <> coalesce(sum(m.committed_delta), 0) OR l.reserved <> coalesce(sum(m.reserved_delta), 0)"),
];

/// What still moves by itself: zero everywhere once the store has come to rest.
const UNREST: [(&str, &str); 7] = [
    ("payments nobody has settled", "SELECT count(*) FROM orders WHERE state = 'pending_payment'"),
    ("refunds", "SELECT count(*) FROM refunds WHERE state = 'pending'"),
    ("mails", "SELECT count(*) FROM email_messages WHERE state = 'queued'"),
    ("events", "SELECT count(*) FROM platform.outbox WHERE published_at IS NULL AND dead_at IS NULL"),
    ("events somebody is still to hear", "SELECT count(*) FROM platform.undelivered WHERE dead_at IS NULL"),
    ("events webhooks have not heard of", "SELECT count(*) FROM platform.outbox o
        WHERE o.store_id = (SELECT store_id FROM platform.store_ledger WHERE schema_name = current_schema()) AND o.dead_at IS NULL
        AND NOT EXISTS (SELECT FROM heard_events h WHERE h.event_id = o.event_id AND h.consumer = 'webhooks')"),
    ("orders nobody was told of", "SELECT count(*) FROM orders o WHERE number IS NOT NULL
        AND NOT EXISTS (SELECT FROM email_messages m WHERE m.template = 'order_placed' AND position(o.name IN m.subject) > 0)"),
];

/// A provider that has not heard of a payment two minutes after it was prepared never will; the drills do not wait for those two minutes.
const LATER: &str =
    "UPDATE payment_sessions SET created_at = created_at - interval '150 seconds' WHERE state = 'pending'";

impl Books {
    /// Opens the books of a store (`sto_…`) in the database at `address`, which an administrator may use.
    ///
    /// # Panics
    /// When the database does not answer.
    pub async fn open(address: &str, store: &str, provider_port: u16) -> Self {
        let address = address.rsplit_once('/').map_or(address, |(server, _)| server).to_owned() + "/souk";
        let (client, connection) =
            tokio_postgres::connect(&address, NoTls).await.expect("the database answers");
        tokio::spawn(connection);
        let schema = store.replacen("sto_", "s_", 1);
        client.batch_execute(&format!("SET search_path = {schema}")).await.expect("the store's schema");
        Self { client, provider: format!("http://127.0.0.1:{provider_port}/book") }
    }

    /// The first column of the first row, as a number.
    ///
    /// # Panics
    /// When the statement fails.
    pub async fn number(&self, statement: &str) -> i64 {
        self.client.query_one(statement, &[]).await.expect("a number").get(0)
    }

    /// The first column of every row.
    ///
    /// # Panics
    /// When the statement fails.
    pub async fn lines(&self, statement: &str) -> Vec<String> {
        let rows = self.client.query(statement, &[]).await.expect("rows");
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// Waits until a statement counts nothing any more; how long that took.
    ///
    /// # Panics
    /// When it still counts something after that time.
    pub async fn until_none(&self, what: &str, statement: &str, patience: Duration) -> Duration {
        let began = Instant::now();
        loop {
            let count = self.number(statement).await;
            if count == 0 {
                return began.elapsed();
            }
            assert!(began.elapsed() < patience, "{count} {what} after {patience:?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Changes something that no API changes.
    ///
    /// # Panics
    /// When the statement fails.
    pub async fn meddle(&self, statement: &str) {
        self.client.batch_execute(statement).await.expect("the books can be written");
    }

    /// Makes payments that were prepared and never begun look older than a provider's patience.
    ///
    /// # Panics
    /// When the statement fails.
    pub async fn let_time_pass(&self) {
        self.client.batch_execute(LATER).await.expect("time passes");
    }

    /// Waits until nothing moves by itself any more; how long that took. What becomes less is waited for, however much it is.
    ///
    /// # Panics
    /// When it has not become less for so long.
    pub async fn rest(&self, patience: Duration) -> Duration {
        let began = Instant::now();
        let (mut least, mut since) = (i64::MAX, began);
        loop {
            let (mut moving, mut all) = (Vec::new(), 0);
            for (what, statement) in UNREST {
                let count = self.number(statement).await;
                if count > 0 {
                    moving.push(format!("{count} {what}"));
                    all += count;
                }
            }
            if moving.is_empty() {
                return began.elapsed();
            }
            if all < least {
                (least, since) = (all, Instant::now());
            }
            assert!(since.elapsed() < patience, "no less under way for {patience:?}: {}", moving.join(", "));
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Compares the books. `mail` is the file of the mail sink.
    ///
    /// # Panics
    /// When one of them cannot be read.
    pub async fn compare(&self, history: &[Entry], mail: &Path) -> Findings {
        let mut found = Findings::default();
        for (rule, statement) in RULES {
            for row in self.client.query(statement, &[]).await.expect(rule) {
                found.breaches.push(format!("{rule}: {}", row.get::<_, String>(0)));
            }
        }
        self.history_against_orders(history, &mut found).await;
        self.provider_against_payments(&mut found).await;
        self.mails_against_sink(mail, &mut found).await;
        found
    }

    async fn history_against_orders(&self, history: &[Entry], found: &mut Findings) {
        let statement = "SELECT id, cart_id, financial_status FROM orders WHERE number IS NOT NULL AND state <> 'cancelled'";
        let rows = self.client.query(statement, &[]).await.expect("orders");
        let orders: BTreeMap<Uuid, (Uuid, String)> =
            rows.iter().map(|row| (row.get(0), (row.get(1), row.get(2)))).collect();
        let carts: BTreeSet<Uuid> = orders.values().map(|(cart, _)| *cart).collect();
        found.orders = orders.len();
        for Entry { cart, told } in history {
            let cart_id = CartId::parse(cart).expect("a cart's id").uuid();
            match told {
                Told::Ordered { order, paid } => {
                    let order_id = OrderId::parse(order).expect("an order's id").uuid();
                    match orders.get(&order_id) {
                        Some((of, status)) if *of == cart_id && (!paid || status == "paid") => {}
                        other => found
                            .breaches
                            .push(format!("I1 an acknowledged order stands: {order} is {other:?}")),
                    }
                }
                Told::Refused(code) if carts.contains(&cart_id) => {
                    found.breaches.push(format!("I1 a refused cart has no order: {cart} was told {code}"));
                }
                Told::Refused(_) | Told::Nothing => {}
            }
        }
    }

    async fn provider_against_payments(&self, found: &mut Findings) {
        let book: Value =
            reqwest::get(&self.provider).await.expect("the provider's book").json().await.expect("JSON");
        let rows =
            self.client.query("SELECT session_id, captured_minor, refunded_minor FROM payments", &[]).await;
        let ours: BTreeMap<Uuid, (i64, i64)> =
            rows.expect("payments").iter().map(|row| (row.get(0), (row.get(1), row.get(2)))).collect();
        let rows =
            self.client.query("SELECT id, order_id FROM payment_sessions", &[]).await.expect("sessions");
        let sessions: BTreeMap<Uuid, Uuid> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
        let mut charged: BTreeMap<Uuid, usize> = BTreeMap::new();
        let mut seen = BTreeSet::new();
        for payment in book["payments"].as_array().expect("payments") {
            let reference = payment["reference"].as_str().unwrap_or_default();
            let Ok(session) = PaymentSessionId::parse(reference) else { continue };
            let session = session.uuid();
            // Other stores of the same platform have sessions of their own.
            let Some(order) = sessions.get(&session) else { continue };
            let amount = |name: &str| payment[name].as_i64().unwrap_or_default();
            let theirs = (amount("captured_minor"), amount("refunded_minor"));
            if !seen.insert(session) {
                found.breaches.push(format!("I2 one payment for a session: {reference} has more"));
            }
            if ours.get(&session).copied().unwrap_or_default() != theirs {
                let ours = ours.get(&session);
                found.breaches.push(format!(
                    "I2 both books say the same: {reference} is {ours:?} here and {theirs:?} there"
                ));
            }
            found.captured_minor += theirs.0 - theirs.1;
            *charged.entry(*order).or_default() += usize::from(theirs.0 > theirs.1);
        }
        for (order, times) in charged.into_iter().filter(|(_, times)| *times > 1) {
            found.breaches.push(format!("I2 nobody pays twice: order {order} was charged {times} times"));
        }
        for session in
            ours.iter().filter(|(session, (captured, _))| *captured > 0 && !seen.contains(*session))
        {
            found.breaches.push(format!("I2 the provider knows every payment: {session:?}"));
        }
    }

    async fn mails_against_sink(&self, mail: &Path, found: &mut Findings) {
        let mut arrived: BTreeMap<String, usize> = BTreeMap::new();
        for line in std::fs::read_to_string(mail).expect("the sink's file").lines() {
            let kept: Value = serde_json::from_str(line).expect("a kept mail");
            *arrived.entry(kept["message_id"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
        }
        let rows =
            self.client.query("SELECT message_id, state FROM email_messages", &[]).await.expect("mails");
        for row in &rows {
            let (id, state): (String, String) = (row.get(0), row.get(1));
            let copies = arrived.get(&id).copied().unwrap_or_default();
            found.duplicate_mails += copies.saturating_sub(1);
            if copies == 0 || state != "sent" {
                found
                    .breaches
                    .push(format!("I5 no mail is lost: {id} is {state} and arrived {copies} times"));
            }
        }
        found.mails = rows.len();
        let unmailed = "SELECT o.id::text FROM orders o LEFT JOIN email_messages m
            ON m.template = 'order_placed' AND position(o.name IN m.subject) > 0 WHERE o.number IS NOT NULL GROUP BY o.id HAVING count(m.id) <> 1";
        for row in self.client.query(unmailed, &[]).await.expect("mails of orders") {
            found.breaches.push(format!("I5 every order has one mail: {}", row.get::<_, String>(0)));
        }
    }
}
