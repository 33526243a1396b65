//! The queue.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use serde_json::Value;
use souk_kernel::{OperationId, OrganizationId, StoreId};
use souk_tenancy::{DbError, ReadTx, WriteTx};
use uuid::Uuid;

use super::model::{Failure, LEASE, NewOperation, Operation, OperationKind, Step, StepState, Whole};
use super::state::OperationState;
use crate::schema::{idempotency_keys, operation_steps, operations, stores};

/// Puts work into the queue; `Unique("operations_one_per_store")` while the store has unfinished work.
pub async fn insert(
    tx: &mut WriteTx<'_>,
    new: &NewOperation,
    traceparent: Option<String>,
) -> Result<(), DbError> {
    let now = tx.now();
    let row = diesel::insert_into(operations::table).values((
        operations::id.eq(new.id),
        operations::kind.eq(new.kind),
        operations::organization_id.eq(new.organization),
        operations::store_request_id.eq(new.store_request),
        operations::requested_by.eq(new.requested_by),
        operations::input.eq(new.input.clone()),
        operations::traceparent.eq(traceparent),
        operations::available_at.eq(now),
        operations::created_at.eq(now),
        operations::updated_at.eq(now),
    ));
    tx.execute(row).await?;
    // What the request itself has done is the first step of opening a store.
    let done = i32::from(new.kind == OperationKind::OpenStore);
    let steps: Vec<_> = (1..)
        .zip(new.kind.steps())
        .map(|(position, name): (i32, &&str)| {
            let is_done = position <= done;
            (
                operation_steps::operation_id.eq(new.id),
                operation_steps::position.eq(position),
                operation_steps::name.eq((*name).to_owned()),
                operation_steps::state.eq(if is_done { StepState::Done } else { StepState::Pending }),
                operation_steps::attempts.eq(i32::from(is_done)),
                operation_steps::started_at.eq(is_done.then_some(now)),
                operation_steps::finished_at.eq(is_done.then_some(now)),
            )
        })
        .collect();
    tx.execute(diesel::insert_into(operation_steps::table).values(steps)).await.map(|_| ())
}

/// The unfinished operation of a store, if any.
pub async fn unfinished(
    tx: &mut ReadTx<'_>,
    store_request: OperationId,
) -> Result<Option<OperationId>, DbError> {
    let row = operations::table
        .filter(operations::store_request_id.eq(store_request))
        .filter(operations::state.eq_any([OperationState::Queued, OperationState::Running]))
        .select(operations::id);
    tx.optional(row).await
}

/// Takes the oldest row that is due, or whose worker's lease ran out.
pub async fn claim(tx: &mut WriteTx<'_>, holder: Uuid) -> Result<Option<Operation>, DbError> {
    let now = tx.now();
    // A running row becomes due again when its lease ends: both are `available_at`.
    let due = operations::table
        .filter(operations::state.eq_any([OperationState::Queued, OperationState::Running]))
        .filter(operations::available_at.le(now))
        .order(operations::available_at)
        .limit(1)
        .for_update()
        .skip_locked()
        .select(operations::id);
    let Some(id): Option<OperationId> = tx.optional(due).await? else { return Ok(None) };
    let change = diesel::update(operations::table.find(id)).set((
        operations::state.eq(OperationState::Running),
        operations::attempts.eq(operations::attempts + 1),
        operations::lease_holder.eq(holder),
        operations::lease_ends_at.eq(now + LEASE),
        operations::available_at.eq(now + LEASE),
        operations::updated_at.eq(now),
        operations::version.eq(operations::version + 1),
    ));
    tx.one(change.returning(Operation::as_returning())).await.map(Some)
}

/// Whether this worker still holds the row; locks it. A worker that lost its lease must not write.
pub async fn hold(tx: &mut WriteTx<'_>, id: OperationId, holder: Uuid) -> Result<bool, DbError> {
    let row = operations::table
        .find(id)
        .filter(operations::lease_holder.eq(holder).and(operations::state.eq(OperationState::Running)));
    let found: Option<OperationId> = tx.optional(row.for_update().select(operations::id)).await?;
    Ok(found.is_some())
}

/// A sign of life: the lease begins anew. `false` when another worker has taken over.
pub async fn renew(tx: &mut WriteTx<'_>, id: OperationId, holder: Uuid) -> Result<bool, DbError> {
    let ends_at = tx.now() + LEASE;
    let held = operations::table
        .find(id)
        .filter(operations::lease_holder.eq(holder).and(operations::state.eq(OperationState::Running)));
    let change = diesel::update(held)
        .set((operations::lease_ends_at.eq(ends_at), operations::available_at.eq(ends_at)));
    Ok(tx.execute(change).await? == 1)
}

pub async fn touch(tx: &mut WriteTx<'_>, id: OperationId) -> Result<(), DbError> {
    let now = tx.now();
    let change = diesel::update(operations::table.find(id))
        .set((operations::updated_at.eq(now), operations::version.eq(operations::version + 1)));
    tx.execute(change).await.map(|_| ())
}

/// Ends every step before `name` and begins it.
pub async fn start_step(tx: &mut WriteTx<'_>, id: OperationId, name: &str) -> Result<(), DbError> {
    let now = tx.now();
    let before = operation_steps::table
        .filter(operation_steps::operation_id.eq(id).and(operation_steps::name.ne(name.to_owned())))
        .filter(operation_steps::state.eq(StepState::Running));
    let done = diesel::update(before).set((
        operation_steps::state.eq(StepState::Done),
        operation_steps::finished_at.eq(now),
        operation_steps::cause.eq(None::<String>),
        operation_steps::detail.eq(None::<String>),
    ));
    tx.execute(done).await?;
    let this = operation_steps::table
        .filter(operation_steps::operation_id.eq(id).and(operation_steps::name.eq(name.to_owned())));
    let begun = diesel::update(this).set((
        operation_steps::state.eq(StepState::Running),
        operation_steps::attempts.eq(operation_steps::attempts + 1),
        operation_steps::started_at.eq(now),
        operation_steps::finished_at.eq(None::<DateTime<Utc>>),
    ));
    tx.execute(begun).await.map(|_| ())
}

/// Ends the step under way: done, or failed with its cause.
pub async fn end_step(tx: &mut WriteTx<'_>, id: OperationId, cause: Option<&str>) -> Result<(), DbError> {
    let now = tx.now();
    let running = operation_steps::table
        .filter(operation_steps::operation_id.eq(id).and(operation_steps::state.eq(StepState::Running)));
    let state = if cause.is_some() { StepState::Failed } else { StepState::Done };
    let change = diesel::update(running).set((
        operation_steps::state.eq(state),
        operation_steps::finished_at.eq(now),
        operation_steps::cause.eq(cause.map(ToOwned::to_owned)),
        operation_steps::detail.eq(None::<String>),
    ));
    tx.execute(change).await.map(|_| ())
}

/// Back into the queue until `wait` is over.
pub async fn put_back(tx: &mut WriteTx<'_>, id: OperationId, wait: TimeDelta) -> Result<(), DbError> {
    let now = tx.now();
    let change = diesel::update(operations::table.find(id)).set((
        operations::state.eq(OperationState::Queued),
        operations::available_at.eq(now + wait),
        operations::lease_holder.eq(None::<Uuid>),
        operations::lease_ends_at.eq(None::<DateTime<Utc>>),
        operations::updated_at.eq(now),
        operations::version.eq(operations::version + 1),
    ));
    tx.execute(change).await.map(|_| ())
}

/// Whether this step is under way and waits for something outside.
pub async fn is_waiting(tx: &mut ReadTx<'_>, id: OperationId, step: &str) -> Result<bool, DbError> {
    let row = operation_steps::table
        .filter(operation_steps::operation_id.eq(id).and(operation_steps::name.eq(step.to_owned())))
        .filter(operation_steps::state.eq(StepState::Running).and(operation_steps::detail.is_not_null()));
    Ok(tx.optional(row.select(operation_steps::position)).await?.is_some_and(|_: i32| true))
}

/// Says what the step under way waits for; whether that is news.
pub async fn wait_for(tx: &mut WriteTx<'_>, id: OperationId, detail: &str) -> Result<bool, DbError> {
    let running = operation_steps::table
        .filter(operation_steps::operation_id.eq(id).and(operation_steps::state.eq(StepState::Running)))
        .filter(operation_steps::detail.is_distinct_from(Some(detail.to_owned())));
    let change = diesel::update(running).set(operation_steps::detail.eq(detail.to_owned()));
    Ok(tx.execute(change).await? > 0)
}

/// Back into the queue, as if it had not been claimed; `news` makes those who watch look again.
pub async fn put_aside(
    tx: &mut WriteTx<'_>,
    id: OperationId,
    wait: TimeDelta,
    news: bool,
) -> Result<(), DbError> {
    let now = tx.now();
    let change = diesel::update(operations::table.find(id)).set((
        operations::state.eq(OperationState::Queued),
        operations::attempts.eq(operations::attempts - 1),
        operations::available_at.eq(now + wait),
        operations::lease_holder.eq(None::<Uuid>),
        operations::lease_ends_at.eq(None::<DateTime<Utc>>),
        operations::updated_at.eq(now),
        operations::version.eq(operations::version + i64::from(news)),
    ));
    tx.execute(change).await.map(|_| ())
}

/// What a store's operation waits for may have come: it is due at once. Whether there was one that waits.
pub async fn nudge(tx: &mut WriteTx<'_>, store_request: OperationId) -> Result<bool, DbError> {
    let now = tx.now();
    let waiting = operation_steps::table
        .filter(operation_steps::state.eq(StepState::Running).and(operation_steps::detail.is_not_null()))
        .select(operation_steps::operation_id);
    let due = operations::table
        .filter(operations::store_request_id.eq(store_request))
        .filter(operations::state.eq(OperationState::Queued).and(operations::available_at.gt(now)))
        .filter(operations::id.eq_any(waiting));
    Ok(tx.execute(diesel::update(due).set(operations::available_at.eq(now))).await? > 0)
}

/// Ends it. A failed one keeps no keys.
pub async fn finish(tx: &mut WriteTx<'_>, id: OperationId, failure: Option<&Failure>) -> Result<(), DbError> {
    let now = tx.now();
    let state = if failure.is_some() { OperationState::Failed } else { OperationState::Succeeded };
    let error = failure.and_then(|failure| serde_json::to_value(failure).ok());
    let change = diesel::update(operations::table.find(id)).set((
        operations::state.eq(state),
        operations::error.eq(error),
        operations::lease_holder.eq(None::<Uuid>),
        operations::lease_ends_at.eq(None::<DateTime<Utc>>),
        operations::updated_at.eq(now),
        operations::finished_at.eq(now),
        operations::version.eq(operations::version + 1),
    ));
    tx.execute(change).await?;
    if failure.is_some() {
        let row = diesel::update(operations::table.find(id)).set(operations::result_secret.eq(None::<Value>));
        tx.execute(row).await?;
    }
    Ok(())
}

/// Keeps what is to be shown once, until `ends_at`.
pub async fn keep_secret(
    tx: &mut WriteTx<'_>,
    id: OperationId,
    secret: Value,
    ends_at: DateTime<Utc>,
) -> Result<(), DbError> {
    let change = diesel::update(operations::table.find(id))
        .set((operations::result_secret.eq(secret), operations::secret_ends_at.eq(ends_at)));
    tx.execute(change).await.map(|_| ())
}

/// The row, locked.
pub async fn lock(tx: &mut WriteTx<'_>, id: OperationId) -> Result<Option<Operation>, DbError> {
    tx.optional(operations::table.find(id).select(Operation::as_select()).for_update()).await
}

/// Erases what is to be shown once: it is being shown.
pub async fn reveal(tx: &mut WriteTx<'_>, id: OperationId) -> Result<(), DbError> {
    let now = tx.now();
    let change = diesel::update(operations::table.find(id)).set((
        operations::result_secret.eq(None::<Value>),
        operations::secret_revealed_at.eq(now),
        operations::updated_at.eq(now),
        operations::version.eq(operations::version + 1),
    ));
    tx.execute(change).await.map(|_| ())
}

/// Erases what nobody took in time.
pub async fn forget_secrets(tx: &mut WriteTx<'_>) -> Result<usize, DbError> {
    let now = tx.now();
    let late = operations::table
        .filter(operations::result_secret.is_not_null().and(operations::secret_ends_at.le(now)));
    tx.execute(diesel::update(late).set(operations::result_secret.eq(None::<Value>))).await
}

/// Everything that is shown of an operation.
pub async fn view(tx: &mut ReadTx<'_>, id: OperationId) -> Result<Option<Whole>, DbError> {
    let row = operations::table.inner_join(stores::table).filter(operations::id.eq(id)).select((
        Operation::as_select(),
        stores::id,
        stores::handle,
    ));
    let found: Option<(Operation, Option<StoreId>, String)> = tx.optional(row).await?;
    let Some((operation, store, handle)) = found else { return Ok(None) };
    let steps = operation_steps::table
        .filter(operation_steps::operation_id.eq(id))
        .order(operation_steps::position)
        .select(Step::as_select());
    let steps = tx.load(steps).await?;
    Ok(Some(Whole { operation, steps, store, handle }))
}

/// Operations of an organization, newest first: two statements, however many there are.
pub async fn list(
    tx: &mut ReadTx<'_>,
    organization: OrganizationId,
    before: Option<OperationId>,
    limit: i64,
) -> Result<Vec<Whole>, DbError> {
    let end = before.unwrap_or(OperationId::from_uuid(Uuid::max()));
    let page = operations::table
        .inner_join(stores::table)
        .filter(operations::organization_id.eq(organization).and(operations::id.lt(end)))
        .order(operations::id.desc())
        .limit(limit)
        .select((Operation::as_select(), stores::id, stores::handle));
    let rows: Vec<(Operation, Option<StoreId>, String)> = tx.load(page).await?;
    let ids: Vec<OperationId> = rows.iter().map(|(operation, _, _)| operation.id).collect();
    let steps = operation_steps::table
        .filter(operation_steps::operation_id.eq_any(ids))
        .order((operation_steps::operation_id, operation_steps::position))
        .select((operation_steps::operation_id, Step::as_select()));
    let mut of: HashMap<OperationId, Vec<Step>> = HashMap::new();
    for (id, step) in tx.load::<(OperationId, Step)>(steps).await? {
        of.entry(id).or_default().push(step);
    }
    let whole = |(operation, store, handle): (Operation, Option<StoreId>, String)| {
        let steps = of.remove(&operation.id).unwrap_or_default();
        Whole { operation, steps, store, handle }
    };
    Ok(rows.into_iter().map(whole).collect())
}

/// Removes idempotency keys that have answered for 48 hours.
pub async fn forget_keys(tx: &mut WriteTx<'_>) -> Result<usize, DbError> {
    let before = tx.now() - TimeDelta::hours(48);
    tx.execute(diesel::delete(idempotency_keys::table.filter(idempotency_keys::created_at.lt(before)))).await
}
