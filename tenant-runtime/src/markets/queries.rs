//! The statements of markets.

use diesel::QueryableByName;
use diesel::sql_types::{Array, Bool, Nullable, Text, Uuid as SqlUuid};
use souk_kernel::{Country, Currency, MarketId};
use souk_tenancy::{DbError, ReadTx, WriteTx, sql};

use super::model::{Market, PutMarket};

/// The market that names the country, else the default one, else none. One statement.
///
/// # Errors
/// The database's only.
pub async fn for_country(tx: &mut ReadTx<'_>, country: Country) -> Result<Option<Market>, DbError> {
    tx.optional(sql(include_str!("for_country.sql")).bind::<Text, _>(country)).await
}

#[derive(QueryableByName)]
struct CurrencyRow {
    #[diesel(sql_type = Text)]
    currency: Currency,
}

/// The currencies a store has prices in: its own first, then those of its markets. One statement.
///
/// # Errors
/// The database's only.
pub async fn currencies(tx: &mut ReadTx<'_>) -> Result<Vec<Currency>, DbError> {
    let text = "SELECT currency FROM (SELECT currency, 0 AS place FROM store_settings \
        UNION SELECT m.currency, 1 FROM markets m WHERE m.currency <> (SELECT currency FROM store_settings)) AS c \
        ORDER BY place, currency";
    let rows: Vec<CurrencyRow> = tx.load(sql(text)).await?;
    Ok(rows.into_iter().map(|row| row.currency).collect())
}

/// All markets, the default one last; or the one of this id.
pub async fn all(tx: &mut ReadTx<'_>, id: Option<MarketId>) -> Result<Vec<Market>, DbError> {
    let text = "SELECT id, name, countries, currency, locale, prices_include_tax, is_default, version FROM markets \
        WHERE $1::uuid IS NULL OR id = $1 ORDER BY is_default, name LIMIT 300";
    tx.load(sql(text).bind::<Nullable<SqlUuid>, _>(id)).await
}

/// One change of markets at a time: who belongs where is a rule over all of them.
pub async fn lock(tx: &mut WriteTx<'_>) -> Result<(), DbError> {
    tx.execute(sql("LOCK TABLE markets IN SHARE ROW EXCLUSIVE MODE")).await.map(drop)
}

#[derive(QueryableByName)]
struct OverlapRow {
    #[diesel(sql_type = Array<Text>)]
    countries: Vec<String>,
}

/// Countries of these that other markets name.
pub async fn overlap(
    tx: &mut ReadTx<'_>,
    id: MarketId,
    countries: &[Country],
) -> Result<Vec<String>, DbError> {
    let text = "SELECT ARRAY(SELECT DISTINCT c FROM markets m, unnest(m.countries) AS c \
        WHERE m.id <> $1 AND c = ANY($2) ORDER BY c) AS countries";
    let statement = sql(text).bind::<SqlUuid, _>(id).bind::<Array<Text>, _>(codes(countries));
    let row: OverlapRow = tx.one(statement).await?;
    Ok(row.countries)
}

fn codes(countries: &[Country]) -> Vec<&'static str> {
    countries.iter().map(|country| country.code()).collect()
}

/// The market that was the default one is an ordinary one.
pub async fn demote(tx: &mut WriteTx<'_>, but: MarketId) -> Result<(), DbError> {
    let text = "UPDATE markets SET is_default = false, version = version + 1 WHERE is_default AND id <> $1";
    tx.execute(sql(text).bind::<SqlUuid, _>(but)).await.map(drop)
}

/// Writes a market, new or anew.
pub async fn put(tx: &mut WriteTx<'_>, id: MarketId, wish: &PutMarket) -> Result<(), DbError> {
    let text = "INSERT INTO markets (id, name, countries, currency, locale, prices_include_tax, is_default) \
        VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO UPDATE SET name = EXCLUDED.name, countries = EXCLUDED.countries, \
            currency = EXCLUDED.currency, locale = EXCLUDED.locale, prices_include_tax = EXCLUDED.prices_include_tax, \
            is_default = EXCLUDED.is_default, version = markets.version + 1";
    let statement = sql(text)
        .bind::<SqlUuid, _>(id)
        .bind::<Text, _>(wish.name.clone())
        .bind::<Array<Text>, _>(codes(&wish.countries))
        .bind::<Text, _>(wish.currency)
        .bind::<Text, _>(wish.locale.clone())
        .bind::<Bool, _>(wish.prices_include_tax)
        .bind::<Bool, _>(wish.is_default);
    tx.execute(statement).await.map(drop)
}

/// Removes a market.
pub async fn remove(tx: &mut WriteTx<'_>, id: MarketId) -> Result<(), DbError> {
    tx.execute(sql("DELETE FROM markets WHERE id = $1").bind::<SqlUuid, _>(id)).await.map(drop)
}
