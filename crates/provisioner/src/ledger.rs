//! `platform.store_ledger`: the durable truth of which schema belongs to whom. All statements on it live here.
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use souk_kernel::StoreId;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row};
use uuid::Uuid;

use crate::error::ProvisionError;

/// What a store is in, as kept in the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Built, migrated and checked, waiting for an owner.
    Spare,
    /// Its id and lane are taken; the schema may or may not be there yet.
    Provisioning,
    Live,
    Suspended,
    /// Serves nobody; its data goes after `purge_after`.
    Deleting,
    /// Its schema and role are gone for good.
    Deleted,
    Failed,
}

impl State {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Spare => "spare",
            Self::Provisioning => "provisioning",
            Self::Live => "live",
            Self::Suspended => "suspended",
            Self::Deleting => "deleting",
            Self::Deleted => "deleted",
            Self::Failed => "failed",
        }
    }

    fn parse(text: &str) -> Self {
        match text {
            "spare" => Self::Spare,
            "provisioning" => Self::Provisioning,
            "live" => Self::Live,
            "suspended" => Self::Suspended,
            "deleting" => Self::Deleting,
            "deleted" => Self::Deleted,
            _ => Self::Failed,
        }
    }
}

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Who a store belongs to outside this database: a control-plane row (`store`, its id) or a Store object (`k8s`, its uid).
/// One owner has one store, for ever; a reference is never used again.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Owner {
    pub kind: String,
    pub reference: String,
}

/// One row of the ledger.
#[derive(Clone, Debug)]
pub struct StoreRecord {
    pub store_id: StoreId,
    pub schema: String,
    pub role: String,
    pub lane: u16,
    pub state: State,
    pub owner: Option<Owner>,
    pub organization_id: Option<Uuid>,
    pub handle: String,
    pub name: String,
    pub hosts: Vec<String>,
    pub plan: serde_json::Value,
    pub fence: i64,
    /// The number of the newest migration that the schema has had.
    pub schema_version: i32,
    /// Which migrations it had, all in all, when somebody last looked. `None` = nobody has.
    pub schema_digest: Option<String>,
    pub last_error: Option<String>,
    pub created_at: DateTime<Utc>,
    pub purge_after: Option<DateTime<Utc>>,
    /// Where the owner lives (for a Store object: its namespace).
    pub owner_scope: Option<String>,
    /// The login of the store's own pods, if it has any.
    pub login: Option<StoreLogin>,
}

/// A store's own login, as the ledger knows it: who it is and since when, never its password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreLogin {
    pub slot: i16,
    /// Grows with every password.
    pub version: i32,
    pub issued_at: DateTime<Utc>,
    /// The login before, still good until no pod uses it.
    pub retiring: Option<i16>,
}

macro_rules! columns {
    ($before:literal, $after:literal) => {
        concat!(
            $before,
            " l.store_id, l.schema_name, l.role_name, l.lane, l.state, l.owner_kind, l.owner_ref, l.organization_id, l.handle,",
            " l.name, l.hosts, l.plan, l.fence, l.schema_version, l.last_error, l.created_at, l.purge_after,",
            " l.owner_scope, l.login_slot, l.login_version, l.login_issued_at, l.login_retiring, l.schema_digest ",
            $after
        )
    };
}

impl StoreRecord {
    fn read(row: &Row) -> Self {
        let lane: i32 = row.get(3);
        let owner = row.get::<_, Option<String>>(5).zip(row.get::<_, Option<String>>(6));
        Self {
            store_id: StoreId::from_uuid(row.get(0)),
            schema: row.get(1),
            role: row.get(2),
            lane: u16::try_from(lane).unwrap_or(u16::MAX),
            state: State::parse(row.get(4)),
            owner: owner.map(|(kind, reference)| Owner { kind, reference }),
            organization_id: row.get(7),
            handle: row.get(8),
            name: row.get(9),
            hosts: row.get(10),
            plan: row.get(11),
            fence: row.get(12),
            schema_version: row.get(13),
            schema_digest: row.get(22),
            last_error: row.get(14),
            created_at: row.get(15),
            purge_after: row.get(16),
            owner_scope: row.get(17),
            login: row.get::<_, Option<i16>>(18).zip(row.get::<_, Option<DateTime<Utc>>>(20)).map(
                |(slot, issued_at)| StoreLogin {
                    slot,
                    version: row.get(19),
                    issued_at,
                    retiring: row.get(21),
                },
            ),
        }
    }
}

/// What a claim writes on the store it takes.
pub(crate) struct Face<'a> {
    pub owner: &'a Owner,
    pub organization_id: Option<Uuid>,
    pub handle: &'a str,
    pub name: &'a str,
    pub hosts: &'a [String],
    pub plan: &'a serde_json::Value,
    pub fence: i64,
}

fn host_taken(error: tokio_postgres::Error) -> ProvisionError {
    match error.as_db_error() {
        Some(db)
            if *db.code() == SqlState::UNIQUE_VIOLATION && db.constraint() == Some("store_hosts_pkey") =>
        {
            ProvisionError::HostTaken(db.detail().unwrap_or_default().to_owned())
        }
        _ => error.into(),
    }
}

/// Until the end of the transaction: nobody else provisions, migrates or changes this store.
pub(crate) async fn lock_store(client: &Client, store: StoreId) -> Result<(), ProvisionError> {
    let sql = "SELECT pg_advisory_xact_lock(hashtextextended('souk:store:' || $1::text, 0))";
    client.query_typed(sql, &[(&store.uuid().to_string(), Type::TEXT)]).await?;
    Ok(())
}

/// The same without waiting; false when somebody has it.
pub(crate) async fn try_lock_store(client: &Client, store: StoreId) -> Result<bool, ProvisionError> {
    let sql = "SELECT pg_try_advisory_xact_lock(hashtextextended('souk:store:' || $1::text, 0))";
    let rows = client.query_typed(sql, &[(&store.uuid().to_string(), Type::TEXT)]).await?;
    Ok(rows.first().is_some_and(|row| row.get(0)))
}

/// Until the end of the transaction: nobody else claims for this owner. Returns the owner's store if there is one.
pub(crate) async fn lock_owner(
    client: &Client,
    owner: &Owner,
) -> Result<Option<StoreRecord>, ProvisionError> {
    let lock =
        "SELECT pg_advisory_xact_lock(hashtextextended('souk:owner:' || $1::text || ':' || $2::text, 0))";
    client.query_typed(lock, &[(&owner.kind, Type::TEXT), (&owner.reference, Type::TEXT)]).await?;
    by_owner(client, owner).await
}

pub(crate) async fn by_owner(client: &Client, owner: &Owner) -> Result<Option<StoreRecord>, ProvisionError> {
    let sql = columns!("SELECT", "FROM platform.store_ledger l WHERE l.owner_kind = $1 AND l.owner_ref = $2");
    let rows = client.query_typed(sql, &[(&owner.kind, Type::TEXT), (&owner.reference, Type::TEXT)]).await?;
    Ok(rows.first().map(StoreRecord::read))
}

pub(crate) async fn by_id(client: &Client, store: StoreId) -> Result<Option<StoreRecord>, ProvisionError> {
    let sql = columns!("SELECT", "FROM platform.store_ledger l WHERE l.store_id = $1");
    let rows = client.query_typed(sql, &[(&store.uuid(), Type::UUID)]).await?;
    Ok(rows.first().map(StoreRecord::read))
}

/// Binds the oldest spare with just these migrations to the owner and makes it live. One row, no DDL; `None` = no spare is free.
pub(crate) async fn take_spare(
    client: &Client,
    face: &Face<'_>,
    digest: &str,
) -> Result<Option<StoreRecord>, ProvisionError> {
    let sql = columns!(
        "UPDATE platform.store_ledger l
         SET state = 'live', owner_kind = $1, owner_ref = $2, organization_id = $3, handle = $4, name = $5, hosts = $6,
             plan = $7, fence = $8, updated_at = now()
         WHERE l.store_id = (SELECT s.store_id FROM platform.store_ledger s WHERE s.state = 'spare' AND s.schema_digest = $9
                             ORDER BY s.created_at FOR UPDATE SKIP LOCKED LIMIT 1)
         RETURNING",
        ""
    );
    let rows = client
        .query_typed(
            sql,
            &[
                (&face.owner.kind, Type::TEXT),
                (&face.owner.reference, Type::TEXT),
                (&face.organization_id, Type::UUID),
                (&face.handle, Type::TEXT),
                (&face.name, Type::TEXT),
                (&face.hosts, Type::TEXT_ARRAY),
                (&face.plan, Type::JSONB),
                (&face.fence, Type::INT8),
                (&digest, Type::TEXT),
            ],
        )
        .await
        .map_err(host_taken)?;
    Ok(rows.first().map(StoreRecord::read))
}

/// Takes an id and a place in the least filled lane. `face` = none for a spare. `None` = every lane is full.
pub(crate) async fn reserve(
    client: &Client,
    store: StoreId,
    face: Option<&Face<'_>>,
    lanes: u16,
    per_lane: u32,
) -> Result<Option<StoreRecord>, ProvisionError> {
    client.batch_execute("SELECT pg_advisory_xact_lock(hashtextextended('souk:lanes', 0))").await?;
    let sql = columns!(
        "INSERT INTO platform.store_ledger AS l
             (store_id, schema_name, role_name, lane, state, owner_kind, owner_ref, organization_id, handle, name, hosts, plan, fence)
         SELECT $1, 's_' || $2::text, 'r_' || $2::text, lane.number, 'provisioning', $3, $4, $5, $6, $7, $8, $9, $10
         FROM generate_series(1, $11::int) AS lane (number)
         LEFT JOIN (SELECT o.lane, count(*) AS stores FROM platform.store_ledger o WHERE o.state <> 'deleted' GROUP BY o.lane) taken
              ON taken.lane = lane.number
         WHERE coalesce(taken.stores, 0) < $12::bigint
         ORDER BY coalesce(taken.stores, 0), lane.number LIMIT 1
         RETURNING",
        ""
    );
    let no_hosts: &[String] = &[];
    let no_plan = serde_json::json!({});
    let rows = client
        .query_typed(
            sql,
            &[
                (&store.uuid(), Type::UUID),
                (&store.suffix(), Type::TEXT),
                (&face.map(|face| &face.owner.kind), Type::TEXT),
                (&face.map(|face| &face.owner.reference), Type::TEXT),
                (&face.and_then(|face| face.organization_id), Type::UUID),
                (&face.map_or("", |face| face.handle), Type::TEXT),
                (&face.map_or("", |face| face.name), Type::TEXT),
                (&face.map_or(no_hosts, |face| face.hosts), Type::TEXT_ARRAY),
                (&face.map_or(&no_plan, |face| face.plan), Type::JSONB),
                (&face.map_or(0, |face| face.fence), Type::INT8),
                (&i32::from(lanes), Type::INT4),
                (&i64::from(per_lane), Type::INT8),
            ],
        )
        .await
        .map_err(host_taken)?;
    Ok(rows.first().map(StoreRecord::read))
}

/// Stores of which nobody wrote down that they have had just these migrations, those that sell first. Spares wait for nobody, so
/// they come last.
pub(crate) async fn not_at(client: &Client, digest: &str) -> Result<Vec<StoreRecord>, ProvisionError> {
    let sql = columns!(
        "SELECT",
        "FROM platform.store_ledger l WHERE l.state IN ('spare', 'live', 'suspended', 'deleting') AND l.schema_digest IS DISTINCT FROM $1
         ORDER BY l.state = 'spare', l.created_at, l.store_id"
    );
    let rows = client.query_typed(sql, &[(&digest, Type::TEXT)]).await?;
    Ok(rows.iter().map(StoreRecord::read).collect())
}

/// Spares that nobody finished building.
pub(crate) async fn unfinished_spares(client: &Client) -> Result<Vec<StoreRecord>, ProvisionError> {
    let sql = columns!(
        "SELECT",
        "FROM platform.store_ledger l WHERE l.state = 'provisioning' AND l.owner_ref IS NULL ORDER BY l.created_at"
    );
    Ok(client.query_typed(sql, &[]).await?.iter().map(StoreRecord::read).collect())
}

/// How many spares there are with just these migrations, those being built included.
pub(crate) async fn spares(client: &Client, digest: &str) -> Result<usize, ProvisionError> {
    let sql = "SELECT count(*) FROM platform.store_ledger
               WHERE (state = 'spare' AND schema_digest = $1) OR (state = 'provisioning' AND owner_ref IS NULL)";
    let rows = client.query_typed(sql, &[(&digest, Type::TEXT)]).await?;
    Ok(rows.first().map_or(0, |row| usize::try_from(row.get::<_, i64>(0)).unwrap_or(0)))
}

/// One more migration is there; with a digest: and these are all. Without one nobody knows what they are all in all, until somebody looks.
pub(crate) async fn note_migrated(
    client: &Client,
    store: StoreId,
    version: i32,
    digest: Option<&str>,
) -> Result<(), ProvisionError> {
    let sql = "UPDATE platform.store_ledger SET schema_version = greatest(schema_version, $2), schema_digest = $3 WHERE store_id = $1";
    let values: &[(&(dyn ToSql + Sync), Type)] =
        &[(&store.uuid(), Type::UUID), (&version, Type::INT4), (&digest, Type::TEXT)];
    client.query_typed(sql, values).await?;
    Ok(())
}

/// Moves a store from one state to another; false when it was not in the first.
pub(crate) async fn advance(
    client: &Client,
    store: StoreId,
    from: State,
    to: State,
) -> Result<bool, ProvisionError> {
    let sql = "UPDATE platform.store_ledger SET state = $3, last_error = NULL, updated_at = now()
               WHERE store_id = $1 AND state = $2 RETURNING 1";
    let rows = client
        .query_typed(
            sql,
            &[(&store.uuid(), Type::UUID), (&from.as_str(), Type::TEXT), (&to.as_str(), Type::TEXT)],
        )
        .await?;
    Ok(!rows.is_empty())
}

/// Keeps why the last attempt failed, for whoever looks at a store that does not become ready.
pub(crate) async fn note_error(client: &Client, store: StoreId, error: &str) -> Result<(), ProvisionError> {
    let sql = "UPDATE platform.store_ledger SET last_error = $2, updated_at = now() WHERE store_id = $1";
    client.query_typed(sql, &[(&store.uuid(), Type::UUID), (&error, Type::TEXT)]).await?;
    Ok(())
}

/// Writes what may change in a store's life. The caller holds the store's lock and has checked state and fence.
pub(crate) async fn rewrite(client: &Client, store: &StoreRecord) -> Result<(), ProvisionError> {
    let sql = "UPDATE platform.store_ledger
               SET state = $2, handle = $3, name = $4, hosts = $5, plan = $6, fence = $7, purge_after = $8, updated_at = now()
               WHERE store_id = $1";
    client
        .query_typed(
            sql,
            &[
                (&store.store_id.uuid(), Type::UUID),
                (&store.state.as_str(), Type::TEXT),
                (&store.handle, Type::TEXT),
                (&store.name, Type::TEXT),
                (&store.hosts, Type::TEXT_ARRAY),
                (&store.plan, Type::JSONB),
                (&store.fence, Type::INT8),
                (&store.purge_after, Type::TIMESTAMPTZ),
            ],
        )
        .await
        .map_err(host_taken)?;
    Ok(())
}

/// Gives a store to another owner. The caller holds both locks and has checked the right.
pub(crate) async fn hand_over(
    client: &Client,
    store: StoreId,
    owner: &Owner,
    scope: &str,
) -> Result<(), ProvisionError> {
    let sql = "UPDATE platform.store_ledger SET owner_kind = $2, owner_ref = $3, owner_scope = $4 WHERE store_id = $1";
    let values = &[
        (&store.uuid() as &(dyn tokio_postgres::types::ToSql + Sync), Type::UUID),
        (&owner.kind, Type::TEXT),
        (&owner.reference, Type::TEXT),
        (&scope, Type::TEXT),
    ];
    client.query_typed(sql, values).await?;
    Ok(())
}

/// Keeps where the owner lives.
pub(crate) async fn set_scope(client: &Client, store: StoreId, scope: &str) -> Result<(), ProvisionError> {
    let sql = "UPDATE platform.store_ledger SET owner_scope = $2 WHERE store_id = $1";
    client.query_typed(sql, &[(&store.uuid(), Type::UUID), (&scope, Type::TEXT)]).await?;
    Ok(())
}

/// Keeps which login is in force, which one retires, and (with `issued`) that there is a new password.
/// Returns the row as it is now.
pub(crate) async fn set_login(
    client: &Client,
    store: StoreId,
    slot: Option<i16>,
    retiring: Option<i16>,
    issued: bool,
) -> Result<Option<StoreRecord>, ProvisionError> {
    let sql = columns!(
        "UPDATE platform.store_ledger l
         SET login_slot = $2, login_retiring = $3, login_version = login_version + CASE WHEN $4 THEN 1 ELSE 0 END,
             login_issued_at = CASE WHEN $4 THEN now() ELSE login_issued_at END, updated_at = now()
         WHERE store_id = $1 RETURNING",
        ""
    );
    let values = &[
        (&store.uuid() as &(dyn tokio_postgres::types::ToSql + Sync), Type::UUID),
        (&slot, Type::INT2),
        (&retiring, Type::INT2),
        (&issued, Type::BOOL),
    ];
    Ok(client.query_typed(sql, values).await?.first().map(StoreRecord::read))
}

/// Stores whose time is over at `now`.
pub(crate) async fn due_for_purge(
    client: &Client,
    now: DateTime<Utc>,
) -> Result<Vec<StoreRecord>, ProvisionError> {
    let sql = columns!(
        "SELECT",
        "FROM platform.store_ledger l WHERE l.state = 'deleting' AND l.purge_after <= $1 ORDER BY l.purge_after"
    );
    Ok(client.query_typed(sql, &[(&now, Type::TIMESTAMPTZ)]).await?.iter().map(StoreRecord::read).collect())
}

/// Another store's schema, to prove that it cannot be read.
pub(crate) async fn some_other(client: &Client, store: StoreId) -> Result<Option<String>, ProvisionError> {
    let sql = "SELECT l.schema_name FROM platform.store_ledger l
               WHERE l.store_id <> $1 AND l.state IN ('spare', 'live', 'suspended') LIMIT 1";
    let rows = client.query_typed(sql, &[(&store.uuid(), Type::UUID)]).await?;
    Ok(rows.first().map(|row| row.get(0)))
}

/// Walls that the installing login could not raise (see `Bootstrap`).
pub(crate) async fn missing_walls(client: &Client) -> Result<Vec<String>, ProvisionError> {
    let rows = client.query_typed("SELECT wall FROM platform.missing_walls ORDER BY 1", &[]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}
