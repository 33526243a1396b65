//! The statements of subscriptions, crossings, reminders and days.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Binary, Bool, Date, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use souk_kernel::{CartId, Email, InventoryItemId, Locale, LocationId, OrderId, SubscriptionId, VariantId};
use souk_tenancy::{DbError, ReadTx, WriteTx, sql};

use super::model::{
    ASK_AGAIN, CONFIRM_WITHIN, NoticeSettings, PutNoticeSettings, Subscription, SubscriptionView, Topic,
    WaitingView,
};

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

#[derive(QueryableByName)]
struct SubscriptionRow {
    #[diesel(sql_type = SqlUuid)]
    id: SubscriptionId,
}

/// How often a mailbox was asked since then.
pub async fn asked(tx: &mut ReadTx<'_>, email: &Email, since: DateTime<Utc>) -> Result<i64, DbError> {
    let query = sql("SELECT count(*) AS count FROM subscriptions WHERE email_key = $1 AND asked_at > $2");
    let row: Count = tx.one(query.bind::<Text, _>(email.key()).bind::<Timestamptz, _>(since)).await?;
    Ok(row.count)
}

/// Keeps a wish; gives its id when the mailbox is to be asked: not one that has agreed, nor one that was asked a moment ago.
pub async fn wish(
    tx: &mut WriteTx<'_>,
    topic: Topic,
    email: &Email,
    locale: Option<&Locale>,
) -> Result<Option<SubscriptionId>, DbError> {
    let now = tx.now();
    let (name, variant, order) = match topic {
        Topic::Stock(variant) => ("back_in_stock", Some(variant), None),
        Topic::Order(order) => ("order", None, Some(order)),
    };
    let query = sql("INSERT INTO subscriptions AS s (id, topic, email, email_key, variant_id, order_id, asked_at, created_at, locale) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $9) \
         ON CONFLICT (email_key, topic, (coalesce(variant_id, order_id))) DO UPDATE SET state = 'pending', asked_at = excluded.asked_at, \
             email = excluded.email, locale = coalesce(excluded.locale, s.locale), secret_hash = NULL, confirmed_at = NULL \
         WHERE s.state IN ('told', 'ended') OR (s.state = 'pending' AND s.asked_at < $8) RETURNING id")
    .bind::<SqlUuid, _>(SubscriptionId::new())
    .bind::<Text, _>(name)
    .bind::<Text, _>(email.as_str().to_owned())
    .bind::<Text, _>(email.key())
    .bind::<Nullable<SqlUuid>, _>(variant)
    .bind::<Nullable<SqlUuid>, _>(order)
    .bind::<Timestamptz, _>(now)
    .bind::<Timestamptz, _>(now - ASK_AGAIN)
    .bind::<Nullable<Text>, _>(locale.cloned());
    let row: Option<SubscriptionRow> = tx.optional(query).await?;
    Ok(row.map(|row| row.id))
}

/// One subscription, locked.
pub async fn lock(tx: &mut WriteTx<'_>, id: SubscriptionId) -> Result<Option<Subscription>, DbError> {
    let query = sql(
        "SELECT id, email, variant_id, order_id, state, locale FROM subscriptions WHERE id = $1 FOR UPDATE",
    );
    tx.optional(query.bind::<SqlUuid, _>(id)).await
}

/// Keeps the digest of a link's secret; an earlier link stops working.
pub async fn put_secret(tx: &mut WriteTx<'_>, id: SubscriptionId, digest: &[u8; 32]) -> Result<(), DbError> {
    let query = sql("UPDATE subscriptions SET secret_hash = $2 WHERE id = $1");
    tx.execute(query.bind::<SqlUuid, _>(id).bind::<Binary, _>(digest.to_vec())).await.map(drop)
}

/// The mailbox agrees; none when the link is not good.
pub async fn confirm(tx: &mut WriteTx<'_>, digest: &[u8; 32]) -> Result<Option<Subscription>, DbError> {
    let now = tx.now();
    let query = sql("UPDATE subscriptions SET state = 'confirmed', confirmed_at = $2, secret_hash = NULL \
         WHERE secret_hash = $1 AND state = 'pending' AND asked_at > $3 RETURNING id, email, variant_id, order_id, state, locale")
    .bind::<Binary, _>(digest.to_vec())
    .bind::<Timestamptz, _>(now)
    .bind::<Timestamptz, _>(now - CONFIRM_WITHIN);
    tx.optional(query).await
}

/// Everybody who waits for a variant is due.
pub async fn wake(tx: &mut WriteTx<'_>, variant: VariantId) -> Result<(), DbError> {
    let now = tx.now();
    let query = sql(
        "UPDATE subscriptions SET state = 'due', next_attempt_at = $2 WHERE variant_id = $1 AND state = 'confirmed'",
    );
    tx.execute(query.bind::<SqlUuid, _>(variant).bind::<Timestamptz, _>(now)).await.map(drop)
}

/// Some of those who are due, locked; what somebody else has locked is left to them.
pub async fn due(tx: &mut WriteTx<'_>, most: i64) -> Result<Vec<Subscription>, DbError> {
    let query =
        sql("SELECT id, email, variant_id, order_id, state, locale FROM subscriptions WHERE state = 'due' \
         ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED");
    tx.load(query.bind::<BigInt, _>(most)).await
}

/// What becomes of one that was due.
pub async fn settle(tx: &mut WriteTx<'_>, id: SubscriptionId, state: &'static str) -> Result<(), DbError> {
    let query = sql("UPDATE subscriptions SET state = $2, next_attempt_at = NULL WHERE id = $1");
    tx.execute(query.bind::<SqlUuid, _>(id).bind::<Text, _>(state)).await.map(drop)
}

/// Somebody who follows an order.
#[derive(QueryableByName)]
pub struct Follower {
    #[diesel(sql_type = SqlUuid)]
    pub id: SubscriptionId,
    #[diesel(sql_type = Text)]
    pub email: String,
    /// The language they read, if they said so.
    #[diesel(sql_type = Nullable<Text>)]
    pub locale: Option<String>,
}

/// Who follows an order.
pub async fn followers(tx: &mut ReadTx<'_>, order: OrderId) -> Result<Vec<Follower>, DbError> {
    let query = sql(
        "SELECT id, email, locale FROM subscriptions WHERE order_id = $1 AND state = 'confirmed' ORDER BY id LIMIT 20",
    );
    tx.load(query.bind::<SqlUuid, _>(order)).await
}

/// Mailboxes that are asked or told about an order, whatever they said.
pub async fn count_followers(tx: &mut ReadTx<'_>, order: OrderId) -> Result<i64, DbError> {
    let query = sql("SELECT count(*) AS count FROM subscriptions WHERE order_id = $1");
    let row: Count = tx.one(query.bind::<SqlUuid, _>(order)).await?;
    Ok(row.count)
}

/// Ends whatever a mailbox wants.
pub async fn end_all(tx: &mut WriteTx<'_>, email: &Email) -> Result<(), DbError> {
    let query = sql("UPDATE subscriptions SET state = 'ended', next_attempt_at = NULL, secret_hash = NULL \
         WHERE email_key = $1 AND state IN ('pending', 'confirmed', 'due')");
    tx.execute(query.bind::<Text, _>(email.key())).await?;
    let query = sql("UPDATE cart_reminders r SET next_attempt_at = NULL FROM carts c \
         WHERE c.id = r.cart_id AND lower(c.email) = $1 AND r.next_attempt_at IS NOT NULL");
    tx.execute(query.bind::<Text, _>(email.key())).await.map(drop)
}

/// Forgets a mailbox (SHA-256 of the address in lower case, hexadecimal).
pub async fn forget(tx: &mut WriteTx<'_>, email_sha256: &str) -> Result<(), DbError> {
    let query =
        sql("DELETE FROM subscriptions WHERE encode(sha256(convert_to(lower(email), 'UTF8')), 'hex') = $1");
    tx.execute(query.bind::<Text, _>(email_sha256.to_owned())).await.map(drop)
}

/// Whatever a mailbox wants or wanted, oldest first, for its owner's export.
///
/// # Errors
/// The database's only.
pub async fn of_mailbox(tx: &mut ReadTx<'_>, mailbox: &str) -> Result<Vec<SubscriptionView>, DbError> {
    let query = sql("SELECT topic, variant_id, order_id, state, asked_at, confirmed_at FROM subscriptions \
         WHERE lower(email) = lower($1) ORDER BY id");
    tx.load(query.bind::<Text, _>(mailbox.to_owned())).await
}

/// How many wait for what, most first.
pub async fn waiting(tx: &mut ReadTx<'_>, most: i64) -> Result<Vec<WaitingView>, DbError> {
    let query = sql("SELECT v.id AS variant_id, p.title, v.title AS variant_title, v.sku, w.waiting FROM ( \
             SELECT variant_id, count(*) AS waiting FROM subscriptions WHERE variant_id IS NOT NULL AND state IN ('confirmed', 'due') \
             GROUP BY variant_id) w \
         JOIN product_variants v ON v.id = w.variant_id JOIN products p ON p.id = v.product_id \
         ORDER BY w.waiting DESC, v.id LIMIT $1");
    tx.load(query.bind::<BigInt, _>(most)).await
}

/// A level that crossed a line.
#[derive(QueryableByName)]
pub struct Crossing {
    #[diesel(sql_type = SqlUuid)]
    pub item_id: InventoryItemId,
    #[diesel(sql_type = SqlUuid)]
    pub location_id: LocationId,
    #[diesel(sql_type = Text)]
    pub kind: String,
    /// When the item was told at any of its locations.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub told_at: Option<DateTime<Utc>>,
}

/// Some of those that are to be looked at, locked.
pub async fn crossings(tx: &mut WriteTx<'_>, most: i64) -> Result<Vec<Crossing>, DbError> {
    let query = sql("SELECT c.item_id, c.location_id, c.kind, \
             (SELECT max(t.told_at) FROM stock_crossings t WHERE t.item_id = c.item_id AND t.kind = c.kind) AS told_at \
         FROM stock_crossings c WHERE c.next_attempt_at IS NOT NULL \
         ORDER BY c.item_id, c.kind, c.location_id LIMIT $1 FOR UPDATE OF c SKIP LOCKED");
    tx.load(query.bind::<BigInt, _>(most)).await
}

/// A crossing was looked at, and told or not.
pub async fn seen(tx: &mut WriteTx<'_>, crossing: &Crossing, told: bool) -> Result<(), DbError> {
    let now = tx.now();
    let query = sql(
        "UPDATE stock_crossings SET next_attempt_at = NULL, told_at = CASE WHEN $3 THEN $4 ELSE told_at END \
         WHERE item_id = $1 AND kind = $2 AND location_id = $5",
    )
    .bind::<SqlUuid, _>(crossing.item_id)
    .bind::<Text, _>(crossing.kind.clone())
    .bind::<Bool, _>(told)
    .bind::<Timestamptz, _>(now)
    .bind::<SqlUuid, _>(crossing.location_id);
    tx.execute(query).await.map(drop)
}

/// Reminds of a cart at a time, unless that was done.
pub async fn remind(tx: &mut WriteTx<'_>, cart: CartId, at: DateTime<Utc>) -> Result<(), DbError> {
    let now = tx.now();
    let query = sql("INSERT INTO cart_reminders AS r (cart_id, by_wish, wanted_at, next_attempt_at) VALUES ($1, true, $2, $3) \
         ON CONFLICT (cart_id) DO UPDATE SET by_wish = true, wanted_at = excluded.wanted_at, next_attempt_at = excluded.next_attempt_at \
         WHERE r.told_at IS NULL")
    .bind::<SqlUuid, _>(cart)
    .bind::<Timestamptz, _>(now)
    .bind::<Timestamptz, _>(at);
    tx.execute(query).await.map(drop)
}

/// Reminds of a cart no longer.
pub async fn do_not_remind(tx: &mut WriteTx<'_>, cart: CartId) -> Result<(), DbError> {
    let query = sql("DELETE FROM cart_reminders WHERE cart_id = $1 AND told_at IS NULL");
    tx.execute(query.bind::<SqlUuid, _>(cart)).await.map(drop)
}

/// A cart that may be reminded of.
#[derive(QueryableByName)]
pub struct Reminder {
    #[diesel(sql_type = SqlUuid)]
    pub cart_id: CartId,
    /// Asked for with this cart.
    #[diesel(sql_type = Bool)]
    pub by_wish: bool,
}

/// Some carts that are to be looked at, locked.
pub async fn reminders(tx: &mut WriteTx<'_>, most: i64) -> Result<Vec<Reminder>, DbError> {
    let now = tx.now();
    let query = sql("SELECT cart_id, by_wish FROM cart_reminders WHERE next_attempt_at <= $1 \
         ORDER BY next_attempt_at, cart_id LIMIT $2 FOR UPDATE SKIP LOCKED");
    tx.load(query.bind::<Timestamptz, _>(now).bind::<BigInt, _>(most)).await
}

/// Look at a cart again then, or never; it was told or not.
pub async fn reminded(
    tx: &mut WriteTx<'_>,
    cart: CartId,
    next: Option<DateTime<Utc>>,
    told: bool,
) -> Result<(), DbError> {
    let now = tx.now();
    let query = sql("UPDATE cart_reminders SET next_attempt_at = $2, told_at = CASE WHEN $3 THEN $4 ELSE told_at END WHERE cart_id = $1")
        .bind::<SqlUuid, _>(cart)
        .bind::<Nullable<Timestamptz>, _>(next)
        .bind::<Bool, _>(told)
        .bind::<Timestamptz, _>(now);
    tx.execute(query).await.map(drop)
}

/// Named, not `*`: a prepared `*` breaks when a migration adds a column.
macro_rules! columns {
    () => {
        "low_stock_threshold, staff_email, daily_digest, digest_hour, next_attempt_at, abandoned_cart_hours, back_in_stock, version"
    };
}

/// When staff and shoppers are told things.
pub async fn settings(tx: &mut ReadTx<'_>) -> Result<NoticeSettings, DbError> {
    tx.one(sql(concat!("SELECT ", columns!(), " FROM notice_settings"))).await
}

/// The same, locked.
pub async fn lock_settings(tx: &mut WriteTx<'_>) -> Result<NoticeSettings, DbError> {
    tx.one(sql(concat!("SELECT ", columns!(), " FROM notice_settings FOR UPDATE"))).await
}

/// Writes the row and counts its version up; the next digest is due at `next`.
pub async fn put_settings(
    tx: &mut WriteTx<'_>,
    wish: &PutNoticeSettings,
    next: Option<DateTime<Utc>>,
) -> Result<NoticeSettings, DbError> {
    let now = tx.now();
    let query = sql(concat!(
        "UPDATE notice_settings SET low_stock_threshold = $1, staff_email = $2, daily_digest = $3, digest_hour = $4, \
         abandoned_cart_hours = $5, back_in_stock = $6, next_attempt_at = $7, version = version + 1, updated_at = $8 RETURNING ",
        columns!()
    ))
    .bind::<Nullable<BigInt>, _>(wish.low_stock_threshold)
    .bind::<Nullable<Text>, _>(wish.staff_email.as_ref().map(|email| email.as_str().to_owned()))
    .bind::<Bool, _>(wish.daily_digest)
    .bind::<Integer, _>(wish.digest_hour)
    .bind::<Nullable<Integer>, _>(wish.abandoned_cart_hours)
    .bind::<Bool, _>(wish.back_in_stock)
    .bind::<Nullable<Timestamptz>, _>(next)
    .bind::<Timestamptz, _>(now);
    tx.one(query).await
}

#[derive(QueryableByName)]
struct Moment {
    #[diesel(sql_type = Timestamptz)]
    at: DateTime<Utc>,
}

/// The next time a clock of this zone shows this hour, after now.
pub async fn next_hour(tx: &mut ReadTx<'_>, zone: &str, hour: i32) -> Result<DateTime<Utc>, DbError> {
    let now = tx.now();
    // The day after, where the hour of today is over; by the clock on the wall, so that a day of 23 hours is a day.
    let query = sql("SELECT CASE WHEN t.today > $1 THEN t.today ELSE t.tomorrow END AS at FROM ( \
             SELECT (date_trunc('day', $1 AT TIME ZONE $2) + make_interval(hours => $3)) AT TIME ZONE $2 AS today, \
                    (date_trunc('day', $1 AT TIME ZONE $2) + make_interval(days => 1, hours => $3)) AT TIME ZONE $2 AS tomorrow) t")
    .bind::<Timestamptz, _>(now)
    .bind::<Text, _>(zone.to_owned())
    .bind::<Integer, _>(hour);
    let row: Moment = tx.one(query).await?;
    Ok(row.at)
}

/// The day before today in a zone, and when it began and ended.
#[derive(QueryableByName)]
pub struct Yesterday {
    #[diesel(sql_type = Date)]
    pub date: NaiveDate,
    #[diesel(sql_type = Timestamptz)]
    pub from: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    pub until: DateTime<Utc>,
}

/// The day before today in a zone.
pub async fn yesterday(tx: &mut ReadTx<'_>, zone: &str) -> Result<Yesterday, DbError> {
    let now = tx.now();
    let query = sql("SELECT (t.day - interval '1 day')::date AS date, (t.day - interval '1 day') AT TIME ZONE $2 AS \"from\", \
             t.day AT TIME ZONE $2 AS until FROM (SELECT date_trunc('day', $1 AT TIME ZONE $2) AS day) t")
    .bind::<Timestamptz, _>(now)
    .bind::<Text, _>(zone.to_owned());
    tx.one(query).await
}

/// Takes a day to be told, and says when the next is; `false` when it was told.
pub async fn take_day(tx: &mut WriteTx<'_>, day: NaiveDate, next: DateTime<Utc>) -> Result<bool, DbError> {
    let query = sql(
        "UPDATE notice_settings n SET digest_day = greatest(digest_day, $1), next_attempt_at = $2 \
         FROM (SELECT digest_day AS old FROM notice_settings FOR UPDATE) o RETURNING coalesce(o.old < $1, true) AS fresh",
    );
    #[derive(QueryableByName)]
    struct Fresh {
        #[diesel(sql_type = Bool)]
        fresh: bool,
    }
    let row: Fresh = tx.one(query.bind::<Date, _>(day).bind::<Timestamptz, _>(next)).await?;
    Ok(row.fresh)
}
