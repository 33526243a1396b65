//! Putting work into the queue, claiming it, and ending it.

use chrono::TimeDelta;
use souk_kernel::OperationId;
use souk_tenancy::{DbError, WriteTx};
use uuid::Uuid;

use super::error::OperationError;
use super::model::{Failure, Keys, NewOperation, Operation, backoff};
use super::queries;
use super::state::OperationEvent;

/// Puts work into the queue of its store. 409 while the store has unfinished work.
pub async fn submit(tx: &mut WriteTx<'_>, new: &NewOperation) -> Result<(), OperationError> {
    if let Some(running) = queries::unfinished(tx, new.store_request).await? {
        return Err(OperationError::Running(running));
    }
    match queries::insert(tx, new, souk_telemetry::traceparent()).await {
        // Two requests at once: the index decided.
        Err(error) if error.is_unique("operations_one_per_store") => Err(OperationError::Running(new.id)),
        outcome => Ok(outcome?),
    }
}

/// Takes what is due, under a lease.
pub async fn claim(tx: &mut WriteTx<'_>, holder: Uuid) -> Result<Option<Operation>, DbError> {
    queries::claim(tx, holder).await
}

/// Begins a step and ends the one before. `LeaseLost` when another worker has taken over.
pub async fn start_step(
    tx: &mut WriteTx<'_>,
    id: OperationId,
    holder: Uuid,
    step: &str,
) -> Result<(), OperationError> {
    if !queries::hold(tx, id, holder).await? {
        return Err(OperationError::LeaseLost);
    }
    // Waiting goes on where it was; nothing began anew.
    if queries::is_waiting(tx, id, step).await? {
        return Ok(());
    }
    queries::start_step(tx, id, step).await?;
    Ok(queries::touch(tx, id).await?)
}

/// Nothing failed, but what the step needs is not there yet: back into the queue until then, with the step still under way
/// and the attempt not counted. [`nudge`](queries::nudge) ends the wait early.
pub async fn wait(
    tx: &mut WriteTx<'_>,
    operation: &Operation,
    holder: Uuid,
    detail: &str,
    at_most: TimeDelta,
) -> Result<(), OperationError> {
    if operation.state.on(OperationEvent::PutBack).is_err()
        || !queries::hold(tx, operation.id, holder).await?
    {
        return Err(OperationError::LeaseLost);
    }
    let news = queries::wait_for(tx, operation.id, detail).await?;
    Ok(queries::put_aside(tx, operation.id, at_most, news).await?)
}

/// Ends the operation well, in the transaction that states its effect.
pub async fn settle(tx: &mut WriteTx<'_>, id: OperationId, holder: Uuid) -> Result<(), OperationError> {
    if !queries::hold(tx, id, holder).await? {
        return Err(OperationError::LeaseLost);
    }
    queries::end_step(tx, id, None).await?;
    Ok(queries::finish(tx, id, None).await?)
}

/// This attempt failed: back into the queue. `None` when it was tried often enough; then give it up.
pub async fn put_back(
    tx: &mut WriteTx<'_>,
    operation: &Operation,
    holder: Uuid,
    cause: &str,
) -> Result<Option<TimeDelta>, OperationError> {
    let Some(wait) = backoff(operation.attempts) else { return Ok(None) };
    if operation.state.on(OperationEvent::PutBack).is_err()
        || !queries::hold(tx, operation.id, holder).await?
    {
        return Err(OperationError::LeaseLost);
    }
    queries::end_step(tx, operation.id, Some(cause)).await?;
    queries::put_back(tx, operation.id, wait).await?;
    Ok(Some(wait))
}

/// Gives it up.
pub async fn failed_for_good(
    tx: &mut WriteTx<'_>,
    id: OperationId,
    holder: Uuid,
    cause: &str,
    failure: &Failure,
) -> Result<(), OperationError> {
    if !queries::hold(tx, id, holder).await? {
        return Err(OperationError::LeaseLost);
    }
    queries::end_step(tx, id, Some(cause)).await?;
    Ok(queries::finish(tx, id, Some(failure)).await?)
}

/// Hands the keys over and erases them: of two parallel requests one gets them.
pub async fn reveal_keys(tx: &mut WriteTx<'_>, id: OperationId) -> Result<Keys, OperationError> {
    let operation = queries::lock(tx, id).await?.ok_or(OperationError::Unknown)?;
    if !operation.state.is_over() {
        return Err(OperationError::NotReady);
    }
    let in_time = operation.secret_ends_at.is_some_and(|end| end > tx.now());
    let secret = operation.result_secret.filter(|_| in_time).ok_or(OperationError::KeysGone)?;
    let keys = serde_json::from_value(secret).map_err(|_| OperationError::KeysGone)?;
    queries::reveal(tx, id).await?;
    Ok(keys)
}

/// Erases keys that nobody took in time.
pub async fn forget_secrets(tx: &mut WriteTx<'_>) -> Result<usize, DbError> {
    queries::forget_secrets(tx).await
}
