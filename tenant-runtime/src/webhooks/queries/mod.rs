//! Endpoints, and what is told to them.

pub mod deliveries;

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, Binary, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use souk_kernel::WebhookEndpointId;
use souk_tenancy::{DbError, ReadTx, WriteTx, sql};

use super::model::{Count, EditEndpoint, EndpointView, Failing, NewEndpoint};

/// All of them, oldest first.
pub async fn endpoints(tx: &mut ReadTx<'_>) -> Result<Vec<EndpointView>, DbError> {
    tx.load(sql(
        "select id, url, description, kinds as types, ordering, state, disabled_reason, failing_since,
            next_attempt_at as resting_until, old_secret_until, created_at, updated_at from webhook_endpoints order by id",
    ))
    .await
}

pub async fn endpoint(tx: &mut ReadTx<'_>, id: WebhookEndpointId) -> Result<Option<EndpointView>, DbError> {
    let row =
        sql("select id, url, description, kinds as types, ordering, state, disabled_reason, failing_since,
            next_attempt_at as resting_until, old_secret_until, created_at, updated_at from webhook_endpoints where id = $1")
        .bind::<SqlUuid, _>(id);
    tx.optional(row).await
}

pub async fn count(tx: &mut ReadTx<'_>) -> Result<i64, DbError> {
    let Count { count } = tx.one(sql("select count(*) as count from webhook_endpoints")).await?;
    Ok(count)
}

pub async fn insert(
    tx: &mut WriteTx<'_>,
    id: WebhookEndpointId,
    new: &NewEndpoint,
    secret: Vec<u8>,
) -> Result<(), DbError> {
    let kinds: Vec<String> = new.types.iter().map(|kind| kind.as_str().to_owned()).collect();
    let description = new.description.as_ref().map(|text| text.as_str().to_owned()).unwrap_or_default();
    let now = tx.now();
    let row = sql("insert into webhook_endpoints (id, url, description, kinds, ordering, secret, created_at, updated_at)
        values ($1, $2, $3, $4, $5, $6, $7, $7)")
    .bind::<SqlUuid, _>(id)
    .bind::<Text, _>(new.url.as_str().to_owned())
    .bind::<Text, _>(description)
    .bind::<Array<Text>, _>(kinds)
    .bind::<Text, _>(new.ordering.as_str())
    .bind::<Binary, _>(secret)
    .bind::<Timestamptz, _>(now);
    tx.execute(row).await.map(drop)
}

/// Enabling forgives: it counts as working again. A new address does not have to rest.
pub async fn edit(tx: &mut WriteTx<'_>, id: WebhookEndpointId, edit: &EditEndpoint) -> Result<bool, DbError> {
    let kinds =
        edit.types.as_ref().map(|all| all.iter().map(|kind| kind.as_str().to_owned()).collect::<Vec<_>>());
    let state = edit.enabled.map(|enabled| if enabled { "enabled" } else { "disabled" });
    let now = tx.now();
    let change = sql("update webhook_endpoints set url = coalesce($2, url), description = coalesce($3, description),
            kinds = coalesce($4, kinds), ordering = coalesce($5, ordering), state = coalesce($6, state),
            disabled_reason = case when $6 = 'enabled' then null when $6 = 'disabled' then 'by hand' else disabled_reason end,
            failing_since = case when $6 = 'enabled' then null else failing_since end,
            failures = case when $6 = 'enabled' then 0 else failures end,
            next_attempt_at = case when $6 = 'enabled' or $2 is not null then null else next_attempt_at end, updated_at = $7
        where id = $1")
    .bind::<SqlUuid, _>(id)
    .bind::<Nullable<Text>, _>(edit.url.as_ref().map(|url| url.as_str().to_owned()))
    .bind::<Nullable<Text>, _>(edit.description.as_ref().map(|text| text.as_str().to_owned()))
    .bind::<Nullable<Array<Text>>, _>(kinds)
    .bind::<Nullable<Text>, _>(edit.ordering.map(super::model::Ordering::as_str))
    .bind::<Nullable<Text>, _>(state)
    .bind::<Timestamptz, _>(now);
    Ok(tx.execute(change).await? == 1)
}

/// The secret of now becomes the old one, which signs too until then.
pub async fn rotate(
    tx: &mut WriteTx<'_>,
    id: WebhookEndpointId,
    secret: Vec<u8>,
    until: DateTime<Utc>,
) -> Result<bool, DbError> {
    let now = tx.now();
    let change = sql("update webhook_endpoints set old_secret = secret, old_secret_until = $3, secret = $2, updated_at = $4
        where id = $1")
    .bind::<SqlUuid, _>(id)
    .bind::<Binary, _>(secret)
    .bind::<Timestamptz, _>(until)
    .bind::<Timestamptz, _>(now);
    Ok(tx.execute(change).await? == 1)
}

/// Deliveries and their log go with it.
pub async fn delete(tx: &mut WriteTx<'_>, id: WebhookEndpointId) -> Result<bool, DbError> {
    let gone = sql("delete from webhook_endpoints where id = $1").bind::<SqlUuid, _>(id);
    Ok(tx.execute(gone).await? == 1)
}

/// Nothing more goes there. `false` if it was disabled already.
pub async fn disable(tx: &mut WriteTx<'_>, id: WebhookEndpointId, reason: &str) -> Result<bool, DbError> {
    let now = tx.now();
    let change = sql("update webhook_endpoints set state = 'disabled', disabled_reason = $2, updated_at = $3
        where id = $1 and state = 'enabled'")
    .bind::<SqlUuid, _>(id)
    .bind::<Text, _>(reason.to_owned())
    .bind::<Timestamptz, _>(now);
    Ok(tx.execute(change).await? == 1)
}

/// It took something.
pub async fn works(tx: &mut WriteTx<'_>, id: WebhookEndpointId) -> Result<(), DbError> {
    let change =
        sql("update webhook_endpoints set failing_since = null, failures = 0, next_attempt_at = null
        where id = $1 and failing_since is not null")
        .bind::<SqlUuid, _>(id);
    tx.execute(change).await.map(drop)
}

/// It took nothing; `exhausted` if that has been so since before `limit`. `None` if there is no such endpoint.
pub async fn fails(
    tx: &mut WriteTx<'_>,
    id: WebhookEndpointId,
    limit: DateTime<Utc>,
) -> Result<Option<Failing>, DbError> {
    let now = tx.now();
    let change = sql("update webhook_endpoints set failing_since = coalesce(failing_since, $2),
            failures = failures + case when next_attempt_at > $2 then 0 else 1 end
        where id = $1
        returning failures, failing_since <= $3 as exhausted, coalesce(next_attempt_at > $2, false) as resting")
    .bind::<SqlUuid, _>(id)
    .bind::<Timestamptz, _>(now)
    .bind::<Timestamptz, _>(limit);
    tx.optional(change).await
}

/// Nothing is sent there before then.
pub async fn rest(tx: &mut WriteTx<'_>, id: WebhookEndpointId, until: DateTime<Utc>) -> Result<(), DbError> {
    let change = sql("update webhook_endpoints set next_attempt_at = $2 where id = $1")
        .bind::<SqlUuid, _>(id)
        .bind::<Timestamptz, _>(until);
    tx.execute(change).await.map(drop)
}

/// Its rest is over: somebody wants to see whether it takes something.
pub async fn wake(tx: &mut WriteTx<'_>, id: WebhookEndpointId) -> Result<(), DbError> {
    let change = sql(
        "update webhook_endpoints set next_attempt_at = null where id = $1 and next_attempt_at is not null",
    )
    .bind::<SqlUuid, _>(id);
    tx.execute(change).await.map(drop)
}
