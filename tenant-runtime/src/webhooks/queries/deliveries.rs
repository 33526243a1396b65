//! Deliveries: planned, claimed, sent, looked at, sent again.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::sql_types::{Array, BigInt, Bool, Integer, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use souk_kernel::{EventId, WebhookDeliveryId, WebhookEndpointId};
use souk_tenancy::{DbError, ReadTx, WriteTx, sql};

use crate::webhooks::model::{
    AttemptView, DeliveryView, DueEndpoint, Listener, Missed, NewDelivery, Parcel, ResendWish,
};

/// Enabled endpoints that want this kind.
pub async fn listeners(tx: &mut WriteTx<'_>, kind: &str) -> Result<Vec<Listener>, DbError> {
    let rows = sql("select id from webhook_endpoints
        where state = 'enabled' and (kinds = '{}' or $1 = any(kinds)) order by id")
    .bind::<Text, _>(kind.to_owned());
    tx.load(rows).await
}

/// Plans telling an endpoint; the same event, once per round.
pub async fn plan(
    tx: &mut WriteTx<'_>,
    id: WebhookDeliveryId,
    endpoint: WebhookEndpointId,
    new: &NewDelivery,
) -> Result<(), DbError> {
    let now = tx.now();
    let row = sql("insert into webhook_deliveries
            (id, endpoint_id, event_id, kind, aggregate_id, sequence, body, next_attempt_at, created_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $8) on conflict (endpoint_id, event_id, round) do nothing")
    .bind::<SqlUuid, _>(id)
    .bind::<SqlUuid, _>(endpoint)
    .bind::<SqlUuid, _>(new.event)
    .bind::<Text, _>(new.kind.clone())
    .bind::<SqlUuid, _>(new.aggregate)
    .bind::<BigInt, _>(new.sequence)
    .bind::<Text, _>(new.body.clone())
    .bind::<Timestamptz, _>(now);
    tx.execute(row).await.map(drop)
}

/// Events of a wish that an endpoint wants and was never told since it was made, oldest first.
pub async fn missed(
    tx: &mut ReadTx<'_>,
    endpoint: WebhookEndpointId,
    wish: &ResendWish,
    most: i64,
) -> Result<Vec<Missed>, DbError> {
    let rows = sql("select o.event_id, o.aggregate_type, o.aggregate_id, o.sequence, o.type as kind, o.version, o.occurred_at, o.payload, o.traceparent
        from webhook_endpoints e
        cross join lateral platform.own_events_of($2, greatest($3::timestamptz, e.created_at), $4, nullif(e.kinds, '{}')) o
        where e.id = $1
          and not exists (select from webhook_deliveries d where d.endpoint_id = e.id and d.event_id = o.event_id)
        order by o.occurred_at, o.aggregate_id, o.sequence limit $5")
    .bind::<SqlUuid, _>(endpoint)
    .bind::<Nullable<SqlUuid>, _>(wish.event)
    .bind::<Nullable<Timestamptz>, _>(wish.from)
    .bind::<Nullable<Timestamptz>, _>(wish.until)
    .bind::<BigInt, _>(most);
    tx.load(rows).await
}

#[derive(diesel::QueryableByName)]
struct Kept {
    #[diesel(sql_type = Bool)]
    kept: bool,
}

/// Whether there is such an event of this store: its facts are kept, or a delivery of it to this endpoint.
pub async fn is_kept(
    tx: &mut ReadTx<'_>,
    endpoint: WebhookEndpointId,
    event: EventId,
) -> Result<bool, DbError> {
    let row = sql("select exists (select from webhook_deliveries where endpoint_id = $1 and event_id = $2)
            or exists (select from platform.own_events_of($2, null, null, null)) as kept")
    .bind::<SqlUuid, _>(endpoint)
    .bind::<SqlUuid, _>(event);
    Ok(tx.one::<Kept>(row).await?.kept)
}

/// Plans telling an endpoint for the first time, in this order; gives how many. Whoever heard of one meanwhile has planned it.
pub async fn plan_all(
    tx: &mut WriteTx<'_>,
    endpoint: WebhookEndpointId,
    all: Vec<NewDelivery>,
) -> Result<usize, DbError> {
    let now = tx.now();
    let ids: Vec<_> = all.iter().map(|_| WebhookDeliveryId::new().uuid()).collect();
    let events: Vec<_> = all.iter().map(|new| new.event.uuid()).collect();
    let aggregates: Vec<_> = all.iter().map(|new| new.aggregate).collect();
    let sequences: Vec<_> = all.iter().map(|new| new.sequence).collect();
    let (kinds, bodies): (Vec<_>, Vec<_>) = all.into_iter().map(|new| (new.kind, new.body)).unzip();
    let rows = sql("insert into webhook_deliveries
            (id, endpoint_id, event_id, kind, aggregate_id, sequence, body, next_attempt_at, created_at)
        select n.id, $1, n.event_id, n.kind, n.aggregate_id, n.sequence, n.body, $2, $2
        from unnest($3, $4, $5, $6, $7, $8) n (id, event_id, kind, aggregate_id, sequence, body)
        on conflict (endpoint_id, event_id, round) do nothing")
    .bind::<SqlUuid, _>(endpoint)
    .bind::<Timestamptz, _>(now)
    .bind::<Array<SqlUuid>, _>(ids)
    .bind::<Array<SqlUuid>, _>(events)
    .bind::<Array<Text>, _>(kinds)
    .bind::<Array<SqlUuid>, _>(aggregates)
    .bind::<Array<BigInt>, _>(sequences)
    .bind::<Array<Text>, _>(bodies);
    tx.execute(rows).await
}

/// Enabled endpoints that something is due for and that do not rest, those that fail last. Read only: an idle look writes nothing. Stops at
/// the first delivery of each endpoint, however many wait.
pub async fn due(tx: &mut ReadTx<'_>) -> Result<Vec<DueEndpoint>, DbError> {
    let now = tx.now();
    let rows =
        sql("select e.id as endpoint_id, e.failing_since is not null as failing from webhook_endpoints e
        cross join lateral (
            select from webhook_deliveries d
            where d.endpoint_id = e.id and d.state = 'pending' and d.next_attempt_at <= $1
              and (e.ordering = 'none' or not exists (
                select from webhook_deliveries earlier
                where earlier.endpoint_id = d.endpoint_id and earlier.aggregate_id = d.aggregate_id
                  and earlier.state = 'pending' and (earlier.sequence, earlier.id) < (d.sequence, d.id)))
            order by d.next_attempt_at, d.id limit 1) d
        where e.state = 'enabled' and (e.next_attempt_at is null or e.next_attempt_at <= $1)
        order by failing, e.id")
        .bind::<Timestamptz, _>(now);
    tx.load(rows).await
}

/// Takes up to so many of each endpoint, if it does not rest; nobody else takes them before the lease ends. Where order matters, one waits
/// for those before it. An array, because a planner who does not know how few they are would read the whole table to find them.
pub async fn claim(
    tx: &mut WriteTx<'_>,
    wishes: &[(WebhookEndpointId, usize)],
    lease: TimeDelta,
) -> Result<Vec<Parcel>, DbError> {
    let now = tx.now();
    let endpoints: Vec<_> = wishes.iter().map(|(endpoint, _)| endpoint.uuid()).collect();
    let most: Vec<_> = wishes.iter().map(|(_, most)| i64::try_from(*most).unwrap_or(i64::MAX)).collect();
    let taken = sql("with next as (
            select d.id from unnest($1, $2) w (endpoint_id, most)
            join webhook_endpoints e on e.id = w.endpoint_id
              and e.state = 'enabled' and (e.next_attempt_at is null or e.next_attempt_at <= $3)
            cross join lateral (
              select d.id from webhook_deliveries d
              where d.endpoint_id = e.id and d.state = 'pending' and d.next_attempt_at <= $3
                and (e.ordering = 'none' or not exists (
                  select from webhook_deliveries earlier
                  where earlier.endpoint_id = d.endpoint_id and earlier.aggregate_id = d.aggregate_id
                    and earlier.state = 'pending' and (earlier.sequence, earlier.id) < (d.sequence, d.id)))
              order by d.next_attempt_at, d.id limit w.most
              for update skip locked) d)
        update webhook_deliveries d set next_attempt_at = $4, attempts = d.attempts + 1
        from webhook_endpoints e where d.id = any(array(select id from next)) and e.id = d.endpoint_id
        returning d.id, d.endpoint_id, d.event_id, d.body, d.attempts, e.url, e.secret,
            case when e.old_secret_until > $3 then e.old_secret end as old_secret")
    .bind::<Array<SqlUuid>, _>(endpoints)
    .bind::<Array<BigInt>, _>(most)
    .bind::<Timestamptz, _>(now)
    .bind::<Timestamptz, _>(now + lease);
    tx.load(taken).await
}

/// Lets the workers look at an endpoint then, if anything is due there that nobody may take now: its first delivery is due then.
pub async fn put_off(
    tx: &mut WriteTx<'_>,
    endpoint: WebhookEndpointId,
    until: DateTime<Utc>,
) -> Result<(), DbError> {
    let now = tx.now();
    let change = sql("update webhook_deliveries set next_attempt_at = $3 where id = (
            select id from webhook_deliveries where endpoint_id = $1 and state = 'pending' and next_attempt_at <= $2
            order by next_attempt_at, id limit 1 for update skip locked)")
    .bind::<SqlUuid, _>(endpoint)
    .bind::<Timestamptz, _>(now)
    .bind::<Timestamptz, _>(until);
    tx.execute(change).await.map(drop)
}

/// The end of a delivery, or when it is tried again.
pub async fn finish(
    tx: &mut WriteTx<'_>,
    id: WebhookDeliveryId,
    state: &'static str,
    next: Option<DateTime<Utc>>,
    status: Option<i32>,
    error: Option<String>,
) -> Result<(), DbError> {
    let now = tx.now();
    let finished = next.is_none().then_some(now);
    let change = sql(
        "update webhook_deliveries set state = $2, next_attempt_at = $3, last_status = $4, last_error = $5,
            finished_at = $6 where id = $1 and state = 'pending'",
    )
    .bind::<SqlUuid, _>(id)
    .bind::<Text, _>(state)
    .bind::<Nullable<Timestamptz>, _>(next)
    .bind::<Nullable<Integer>, _>(status)
    .bind::<Nullable<Text>, _>(error)
    .bind::<Nullable<Timestamptz>, _>(finished);
    tx.execute(change).await.map(drop)
}

/// What waited while the endpoint was disabled is due now.
pub async fn wake(tx: &mut WriteTx<'_>, endpoint: WebhookEndpointId) -> Result<(), DbError> {
    let now = tx.now();
    let change = sql(
        "update webhook_deliveries set next_attempt_at = $2 where endpoint_id = $1 and state = 'pending'",
    )
    .bind::<SqlUuid, _>(endpoint)
    .bind::<Timestamptz, _>(now);
    tx.execute(change).await.map(drop)
}

/// Forgets at most `limit` deliveries that ended before `before`, with their log; gives how many.
pub async fn forget(tx: &mut WriteTx<'_>, before: DateTime<Utc>, limit: i64) -> Result<usize, DbError> {
    let gone = sql("delete from webhook_deliveries where ctid = any(array(
            select ctid from webhook_deliveries where finished_at < $1 limit $2))")
    .bind::<Timestamptz, _>(before)
    .bind::<BigInt, _>(limit);
    tx.execute(gone).await
}

/// Writes an attempt into the log; `false` if its delivery was deleted meanwhile.
pub async fn log(tx: &mut WriteTx<'_>, id: WebhookDeliveryId, attempt: AttemptView) -> Result<bool, DbError> {
    let row = sql("insert into webhook_attempts
            (delivery_id, number, at, took_ms, request_headers, status, response_body, error)
        select id, $2, $3, $4, $5, $6, $7, $8 from webhook_deliveries where id = $1 for key share
        on conflict (delivery_id, number) do nothing")
    .bind::<SqlUuid, _>(id)
    .bind::<Integer, _>(attempt.number)
    .bind::<Timestamptz, _>(attempt.at)
    .bind::<Integer, _>(attempt.took_ms)
    .bind::<Jsonb, _>(attempt.request_headers)
    .bind::<Nullable<Integer>, _>(attempt.status)
    .bind::<Nullable<Text>, _>(attempt.response_body)
    .bind::<Nullable<Text>, _>(attempt.error);
    Ok(tx.execute(row).await? == 1)
}

/// Of one endpoint, newest first, older than `before`; in one state if given.
pub async fn list(
    tx: &mut ReadTx<'_>,
    endpoint: WebhookEndpointId,
    state: Option<String>,
    before: Option<WebhookDeliveryId>,
    most: i64,
) -> Result<Vec<DeliveryView>, DbError> {
    let rows = sql("select id, endpoint_id, event_id, round, kind, state, attempts, next_attempt_at, last_status, last_error,
            created_at, finished_at from webhook_deliveries
        where endpoint_id = $1 and ($2 is null or state = $2) and ($3::uuid is null or id < $3)
        order by id desc limit $4")
    .bind::<SqlUuid, _>(endpoint)
    .bind::<Nullable<Text>, _>(state)
    .bind::<Nullable<SqlUuid>, _>(before)
    .bind::<BigInt, _>(most);
    tx.load(rows).await
}

pub async fn one(tx: &mut ReadTx<'_>, id: WebhookDeliveryId) -> Result<Option<DeliveryView>, DbError> {
    let row = sql("select id, endpoint_id, event_id, round, kind, state, attempts, next_attempt_at, last_status, last_error,
            created_at, finished_at from webhook_deliveries where id = $1")
    .bind::<SqlUuid, _>(id);
    tx.optional(row).await
}

#[derive(diesel::QueryableByName)]
struct Body {
    #[diesel(sql_type = Text)]
    body: String,
}

pub async fn body(tx: &mut ReadTx<'_>, id: WebhookDeliveryId) -> Result<String, DbError> {
    let row = sql("select body from webhook_deliveries where id = $1").bind::<SqlUuid, _>(id);
    let Body { body } = tx.one(row).await?;
    Ok(body)
}

pub async fn attempts(tx: &mut ReadTx<'_>, id: WebhookDeliveryId) -> Result<Vec<AttemptView>, DbError> {
    let rows =
        sql("select number, at, took_ms, request_headers, status, response_body, error from webhook_attempts
        where delivery_id = $1 order by number")
        .bind::<SqlUuid, _>(id);
    tx.load(rows).await
}

/// Tells again what a wish names, one round later each, however often it was told; gives how many. What is still pending is left alone.
pub async fn resend(
    tx: &mut WriteTx<'_>,
    endpoint: WebhookEndpointId,
    wish: &ResendWish,
    delivery: Option<WebhookDeliveryId>,
) -> Result<usize, DbError> {
    let now = tx.now();
    let rows = sql("insert into webhook_deliveries
            (id, endpoint_id, event_id, round, kind, aggregate_id, sequence, body, next_attempt_at, created_at)
        select uuidv7(), d.endpoint_id, d.event_id, d.round + 1, d.kind, d.aggregate_id, d.sequence, d.body, $2, $2
        from (select distinct on (event_id) * from webhook_deliveries where endpoint_id = $1 order by event_id, round desc) d
        where d.state <> 'pending' and ($3::uuid is null or d.event_id = $3) and ($4::timestamptz is null or d.created_at >= $4)
          and ($5::timestamptz is null or d.created_at < $5) and (not $6 or d.state = 'failed')
          and ($7::uuid is null or d.event_id = (select event_id from webhook_deliveries where id = $7))")
    .bind::<SqlUuid, _>(endpoint)
    .bind::<Timestamptz, _>(now)
    .bind::<Nullable<SqlUuid>, _>(wish.event)
    .bind::<Nullable<Timestamptz>, _>(wish.from)
    .bind::<Nullable<Timestamptz>, _>(wish.until)
    .bind::<Bool, _>(wish.only_failed)
    .bind::<Nullable<SqlUuid>, _>(delivery);
    tx.execute(rows).await
}
