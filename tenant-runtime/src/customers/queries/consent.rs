//! What customers say of marketing: the row says how it is, the history how it came to be.

use diesel::QueryableByName;
use diesel::sql_types::{Bool, Text, Timestamptz, Uuid as SqlUuid};
use souk_kernel::{CustomerId, Email};
use souk_tenancy::{DbError, ReadTx, WriteTx, sql};
use uuid::Uuid;

use crate::customers::model::{ConsentSource, ConsentState, ConsentView};

#[derive(QueryableByName)]
struct Asked {
    #[diesel(sql_type = Bool)]
    pending: bool,
}

/// A customer says that they take marketing. Whether their mailbox has to agree first, as the settings say. One statement.
pub async fn wish(tx: &mut WriteTx<'_>, id: CustomerId, source: ConsentSource) -> Result<bool, DbError> {
    let now = tx.now();
    let query = sql(
        "WITH wished AS (UPDATE customers c SET accepts_marketing = (s.marketing_opt_in = 'single'), \
             marketing_asked_at = CASE WHEN s.marketing_opt_in = 'double' THEN $3 END, version = c.version + 1, updated_at = $3 \
             FROM store_settings s WHERE c.id = $1 RETURNING c.id, c.accepts_marketing), \
         noted AS (INSERT INTO marketing_consents (id, customer_id, state, source, at) \
             SELECT $4, id, CASE WHEN accepts_marketing THEN 'given' ELSE 'pending' END, $2, $3 FROM wished) \
         SELECT NOT accepts_marketing AS pending FROM wished",
    )
    .bind::<SqlUuid, _>(id)
    .bind::<Text, _>(source.as_str())
    .bind::<Timestamptz, _>(now)
    .bind::<SqlUuid, _>(Uuid::now_v7());
    Ok(tx.one::<Asked>(query).await?.pending)
}

/// Consent is given or withdrawn for good. One statement.
pub async fn settle(
    tx: &mut WriteTx<'_>,
    id: CustomerId,
    state: ConsentState,
    source: ConsentSource,
) -> Result<(), DbError> {
    let now = tx.now();
    let query = sql(
        "WITH settled AS (UPDATE customers SET accepts_marketing = ($2 = 'given'), marketing_asked_at = NULL, \
             version = version + 1, updated_at = $4 WHERE id = $1 RETURNING id) \
         INSERT INTO marketing_consents (id, customer_id, state, source, at) SELECT $5, id, $2, $3, $4 FROM settled",
    )
    .bind::<SqlUuid, _>(id)
    .bind::<Text, _>(state.as_str())
    .bind::<Text, _>(source.as_str())
    .bind::<Timestamptz, _>(now)
    .bind::<SqlUuid, _>(Uuid::now_v7());
    tx.execute(query).await.map(drop)
}

/// The customer of a mailbox takes marketing no more, if there is one who did or was asked. One statement.
pub async fn end_for(tx: &mut WriteTx<'_>, email: &Email) -> Result<(), DbError> {
    let now = tx.now();
    let query = sql(
        "WITH ended AS (UPDATE customers SET accepts_marketing = false, marketing_asked_at = NULL, version = version + 1, updated_at = $2 \
             WHERE email_key = $1 AND (accepts_marketing OR marketing_asked_at IS NOT NULL) RETURNING id) \
         INSERT INTO marketing_consents (id, customer_id, state, source, at) SELECT $3, id, 'withdrawn', $4, $2 FROM ended",
    )
    .bind::<Text, _>(email.key())
    .bind::<Timestamptz, _>(now)
    .bind::<SqlUuid, _>(Uuid::now_v7())
    .bind::<Text, _>(ConsentSource::UnsubscribeLink.as_str());
    tx.execute(query).await.map(drop)
}

/// What a customer said of marketing, oldest first, at most the last hundred.
pub async fn history(tx: &mut ReadTx<'_>, id: CustomerId) -> Result<Vec<ConsentView>, DbError> {
    let query = sql(
        "SELECT state, source, at FROM (SELECT id, state, source, at FROM marketing_consents WHERE customer_id = $1 \
             ORDER BY at DESC, id DESC LIMIT 100) AS last ORDER BY at, id",
    );
    tx.load(query.bind::<SqlUuid, _>(id)).await
}
