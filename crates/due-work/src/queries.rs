//! The statements on `platform.due_work`, as the login `relay`.

use std::time::Duration;

use souk_kernel::StoreId;
use tokio_postgres::{Client, Error, Statement};
use uuid::Uuid;

/// A wish this worker may carry out until its lease ends.
#[derive(Debug)]
pub(crate) struct Claimed {
    pub(crate) position: i64,
    pub(crate) store: StoreId,
    pub(crate) kind: String,
    pub(crate) attempts: i32,
    /// Whether the store is live; work of another one waits.
    pub(crate) live: bool,
}

/// $1 kinds, $2 most, $3 lease in seconds, $4 the only store or null. The inner query reads one index and stops at the present.
pub(crate) const CLAIM: &str = "with next as materialized (
        select position from platform.due_work
        where due_at <= now() and kind = any($1) and ($4::uuid is null or store_id = $4)
        order by due_at limit $2 for update skip locked)
    update platform.due_work d set due_at = now() + $3::float8 * interval '1 second', attempts = d.attempts + 1
    from next
    where d.position = next.position
    returning d.position, d.store_id, d.kind, d.attempts - 1 as attempts,
        exists (select from platform.store_ledger l where l.store_id = d.store_id and l.state = 'live') as live";

pub(crate) async fn claim(
    client: &Client,
    statement: &Statement,
    kinds: &[&'static str],
    most: i64,
    lease: Duration,
    only: Option<StoreId>,
) -> Result<Vec<Claimed>, Error> {
    let only: Option<Uuid> = only.map(|store| store.uuid());
    let rows = client.query(statement, &[&kinds, &most, &lease.as_secs_f64(), &only]).await?;
    let claimed = |row: &tokio_postgres::Row| {
        Ok(Claimed {
            position: row.try_get("position")?,
            store: StoreId::from_uuid(row.try_get("store_id")?),
            kind: row.try_get("kind")?,
            attempts: row.try_get("attempts")?,
            live: row.try_get("live")?,
        })
    };
    rows.iter().map(claimed).collect()
}

/// Done: forgotten.
pub(crate) async fn done(client: &Client, positions: &[i64]) -> Result<(), Error> {
    client.execute("delete from platform.due_work where position = any($1)", &[&positions]).await.map(drop)
}

/// Again after `pause`; the first of the positions stands for all of them. A success starts counting attempts anew.
pub(crate) async fn again(
    client: &Client,
    positions: &[i64],
    pause: Duration,
    succeeded: bool,
) -> Result<(), Error> {
    let Some((kept, rest)) = positions.split_first() else { return Ok(()) };
    let text = "with gone as (delete from platform.due_work where position = any($2))
        update platform.due_work set due_at = now() + $3::float8 * interval '1 second',
            attempts = case when $4 then 0 else attempts end
        where position = $1";
    client.execute(text, &[kept, &rest, &pause.as_secs_f64(), &succeeded]).await.map(drop)
}

/// (wishes whose time has come, seconds the oldest of them is late).
pub(crate) async fn backlog(client: &Client) -> Result<(i64, f64), Error> {
    let text = "select count(*), coalesce(extract(epoch from now() - min(due_at)), 0)::float8
        from platform.due_work where due_at <= now()";
    let row = client.query_one(text, &[]).await?;
    Ok((row.try_get(0)?, row.try_get(1)?))
}

/// Those of these stores whose schema is gone.
pub(crate) async fn deleted(client: &Client, stores: &[StoreId]) -> Result<Vec<StoreId>, Error> {
    let stores: Vec<Uuid> = stores.iter().map(|store| store.uuid()).collect();
    let text = "select store_id from platform.store_ledger where store_id = any($1) and state = 'deleted'";
    let rows = client.query(text, &[&stores]).await?;
    rows.iter().map(|row| Ok(StoreId::from_uuid(row.try_get(0)?))).collect()
}
