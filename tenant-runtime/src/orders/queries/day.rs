//! What a day sold.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Text, Timestamptz};
use souk_kernel::{Currency, Money};
use souk_tenancy::{DbError, ReadTx, sql};

/// Sales, and what was given back, between two moments.
#[derive(Clone, Debug, Default)]
pub struct Day {
    /// Placed and not cancelled since.
    pub orders: i64,
    /// One for each currency.
    pub sales: Vec<Money>,
    /// One for each currency.
    pub refunds: Vec<Money>,
    /// The five that sold most: title, title of the variant, pieces.
    pub best: Vec<(String, String, i64)>,
    /// Paid orders of all days that are still to be sent.
    pub waiting: i64,
}

#[derive(QueryableByName)]
struct Sum {
    #[diesel(sql_type = Text)]
    currency: Currency,
    #[diesel(sql_type = BigInt)]
    count: i64,
    #[diesel(sql_type = BigInt)]
    minor: i64,
}

#[derive(QueryableByName)]
struct Best {
    #[diesel(sql_type = Text)]
    title: String,
    #[diesel(sql_type = Text)]
    variant_title: String,
    #[diesel(sql_type = BigInt)]
    pieces: i64,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// What was sold and given back from one moment until before another. Four statements.
///
/// # Errors
/// Only of the database.
pub async fn day(tx: &mut ReadTx<'_>, from: DateTime<Utc>, until: DateTime<Utc>) -> Result<Day, DbError> {
    let sold = sql("SELECT currency, count(*) AS count, sum(total_minor)::bigint AS minor FROM orders \
         WHERE placed_at >= $1 AND placed_at < $2 AND state <> 'cancelled' GROUP BY currency ORDER BY currency");
    let sold: Vec<Sum> = tx.load(sold.bind::<Timestamptz, _>(from).bind::<Timestamptz, _>(until)).await?;
    let back = sql("SELECT currency, count(*) AS count, sum(amount_minor)::bigint AS minor FROM refunds \
         WHERE state = 'succeeded' AND updated_at >= $1 AND updated_at < $2 GROUP BY currency ORDER BY currency");
    let back: Vec<Sum> = tx.load(back.bind::<Timestamptz, _>(from).bind::<Timestamptz, _>(until)).await?;
    let best = sql(
        "SELECT l.title, l.variant_title, sum(l.quantity)::bigint AS pieces FROM order_lines l JOIN orders o ON o.id = l.order_id \
         WHERE o.placed_at >= $1 AND o.placed_at < $2 AND o.state <> 'cancelled' \
         GROUP BY l.title, l.variant_title ORDER BY pieces DESC, l.title, l.variant_title LIMIT 5",
    );
    let best: Vec<Best> = tx.load(best.bind::<Timestamptz, _>(from).bind::<Timestamptz, _>(until)).await?;
    let waiting = sql("SELECT count(*) AS count FROM orders \
         WHERE state = 'open' AND financial_status = 'paid' AND fulfillment_status = 'unfulfilled'");
    let Count { count: waiting } = tx.one(waiting).await?;
    let money = |sums: &[Sum]| sums.iter().map(|sum| Money::new(sum.minor, sum.currency)).collect();
    Ok(Day {
        orders: sold.iter().map(|sum| sum.count).sum(),
        sales: money(&sold),
        refunds: money(&back),
        best: best.into_iter().map(|best| (best.title, best.variant_title, best.pieces)).collect(),
        waiting,
    })
}
