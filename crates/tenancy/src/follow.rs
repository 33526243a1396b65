//! Keeps the directory like the ledger: LISTEN, re-read, reconnect.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use souk_kernel::id::StoreId;
use tokio::sync::mpsc;
use tokio_postgres::types::ToSql;
use tokio_postgres::{AsyncMessage, Client, NoTls};
use uuid::Uuid;

use crate::directory::{Shared, Snapshot};
use crate::entry::StoreEntry;
use crate::lane::role_password;

const LOGIN: &str = "runtime_directory";
const CATALOGUE: &str = "catalogue";
const READ_TIMEOUT: Duration = Duration::from_secs(10);
/// The connection is asked whether it lives this often; caches of catalogues trust it only while it answers.
const PULSE: Duration = Duration::from_millis(400);
const PULSE_TIMEOUT: Duration = Duration::from_millis(500);
/// Changes come in bursts (a migration sweep touches every row); they are read together.
const GATHER: Duration = Duration::from_millis(10);
const COLUMNS: &str = "select store_id, schema_name, role_name, lane, state, organization_id, handle, name, hosts, \
     plan, fence, schema_version";

#[derive(Debug, thiserror::Error)]
enum FollowError {
    #[error(transparent)]
    Postgres(#[from] tokio_postgres::Error),
    #[error("the ledger did not answer in time")]
    Slow(#[from] tokio::time::error::Elapsed),
    #[error("the connection ended")]
    Ended,
}

/// Runs until its task is aborted.
pub(crate) async fn follow(shared: Arc<Shared>) {
    let mut failures: u32 = 0;
    loop {
        let error = match session(&shared, &mut failures).await {
            Ok(never) => match never {},
            Err(error) => error,
        };
        shared.set_connected(false);
        metrics::counter!("souk_directory_disconnects_total").increment(1);
        tracing::warn!(%error, failures, "directory lost the ledger; serving the last known stores");
        tokio::time::sleep(pause(failures)).await;
        failures = failures.saturating_add(1);
    }
}

/// 50 ms, doubling to 5 s, spread by half so that runtimes do not return in step.
fn pause(failures: u32) -> Duration {
    let whole = Duration::from_millis(50).saturating_mul(1 << failures.min(7)).min(Duration::from_secs(5));
    let share = f64::from(Uuid::now_v7().as_bytes()[15]) / 255.0;
    whole.mul_f64(0.5 + share / 2.0)
}

async fn session(shared: &Shared, failures: &mut u32) -> Result<std::convert::Infallible, FollowError> {
    let config = match &shared.config.own_login {
        Some((role, password)) => shared.config.database.login(role, password),
        None => {
            let password = role_password(&shared.config.lane_secret, LOGIN);
            shared.config.database.login(LOGIN, &password)
        }
    };
    let (client, mut connection) = tokio::time::timeout(READ_TIMEOUT, config.connect(NoTls)).await??;
    let (sender, mut notices) = mpsc::unbounded_channel();
    // The driver ends when the client is dropped, or when the connection does; then `notices` closes.
    tokio::spawn(async move {
        let mut messages = stream::poll_fn(|context| connection.poll_message(context));
        while let Some(Ok(message)) = messages.next().await {
            if let AsyncMessage::Notification(notice) = message
                && sender.send((notice.channel() == CATALOGUE, notice.payload().to_owned())).is_err()
            {
                break;
            }
        }
    });
    // LISTEN first, then read: what changes in between is heard. Notes of requests do not wait for the disk: news would wait behind them,
    // and losing some in a crash makes a store sleep half a minute too soon.
    let begin = "set synchronous_commit = off; listen store_ledger; listen catalogue";
    tokio::time::timeout(READ_TIMEOUT, client.batch_execute(begin)).await??;
    read_all(shared, &client).await?;
    // What was not heard may have changed anything.
    shared.catalogue_changed(None);
    shared.heard();
    shared.set_connected(true);
    *failures = 0;

    let mut reread = tokio::time::interval(shared.config.reread_every);
    reread.reset();
    let mut pulse = tokio::time::interval(PULSE);
    loop {
        tokio::select! {
            notice = notices.recv() => {
                let mut payloads = Vec::new();
                take_note(shared, notice.ok_or(FollowError::Ended)?, &mut payloads);
                if payloads.is_empty() {
                    continue;
                }
                tokio::time::sleep(GATHER).await;
                while let Ok(notice) = notices.try_recv() {
                    take_note(shared, notice, &mut payloads);
                }
                match payloads.iter().map(|payload| Uuid::try_parse(payload)).collect::<Result<Vec<_>, _>>() {
                    Ok(ids) => read_some(shared, &client, ids).await?,
                    Err(_) => read_all(shared, &client).await?,
                }
            }
            _ = pulse.tick() => {
                tokio::time::timeout(PULSE_TIMEOUT, client.batch_execute("")).await??;
                shared.heard();
                note_requests(shared, &client).await?;
            }
            _ = reread.tick() => read_all(shared, &client).await?,
        }
    }
}

/// Writes down which stores were asked for something: the operator wakes and lets sleep by it. What PostgreSQL refuses is tried again
/// with the next pulse; the stores are served all the same.
async fn note_requests(shared: &Shared, client: &Client) -> Result<(), FollowError> {
    let asked = shared.asked();
    if asked.is_empty() {
        return Ok(());
    }
    // Before it is written: what is asked for meanwhile is told the next time.
    asked.iter().for_each(|entry| entry.standing.asked.store(false, Ordering::Relaxed));
    let ids: Vec<Uuid> = asked.iter().map(|entry| entry.id.uuid()).collect();
    let values: [&(dyn ToSql + Sync); 1] = [&ids];
    let noting = client.execute("select platform.note_activity($1)", &values);
    match tokio::time::timeout(READ_TIMEOUT, noting).await? {
        Ok(_) => {
            shared.noted(&asked);
            Ok(())
        }
        Err(error) => {
            asked.iter().for_each(|entry| entry.standing.asked.store(true, Ordering::Relaxed));
            if client.is_closed() {
                return Err(error.into());
            }
            tracing::debug!(%error, "that stores were asked for something could not be noted");
            Ok(())
        }
    }
}

/// The whole ledger, or, for a login of one store, the rows it may know about.
fn statement(shared: &Shared, which: &str) -> String {
    let ledger = if shared.config.own_login.is_some() {
        "platform.own_ledger_rows()"
    } else {
        "platform.store_ledger"
    };
    format!("{COLUMNS} from {ledger} where state not in ('spare', 'deleted') and {which}")
}

/// A change of a catalogue is noted at once; what concerns the ledger is gathered.
fn take_note(shared: &Shared, (catalogue, payload): (bool, String), ledger: &mut Vec<String>) {
    if catalogue {
        shared.catalogue_changed(Uuid::try_parse(&payload).ok().map(StoreId::from_uuid));
    } else {
        ledger.push(payload);
    }
}

async fn read_all(shared: &Shared, client: &Client) -> Result<(), FollowError> {
    let only = shared.config.only_store.map(|store| store.uuid());
    let text = statement(shared, "($1::uuid is null or store_id = $1)");
    let rows = tokio::time::timeout(READ_TIMEOUT, client.query(&text, &[&only])).await??;
    let mut entries = HashMap::with_capacity(rows.len());
    take_in(shared, &rows, &mut entries);
    shared.replace(Snapshot::new(entries));
    shared.read_completely();
    Ok(())
}

async fn read_some(shared: &Shared, client: &Client, mut ids: Vec<Uuid>) -> Result<(), FollowError> {
    if let Some(only) = shared.config.only_store {
        ids.retain(|id| *id == only.uuid());
    }
    if ids.is_empty() {
        return Ok(());
    }
    let text = statement(shared, "store_id = any($1)");
    let rows = tokio::time::timeout(READ_TIMEOUT, client.query(&text, &[&ids])).await??;
    let mut entries = shared.snapshot().entries().clone();
    // What was named but does not come back has been deleted.
    entries.retain(|id, _| !ids.contains(&id.uuid()));
    take_in(shared, &rows, &mut entries);
    shared.replace(Snapshot::new(entries));
    Ok(())
}

/// A row that cannot be served is left out and said aloud; it must not take the other stores with it.
fn take_in(
    shared: &Shared,
    rows: &[tokio_postgres::Row],
    entries: &mut HashMap<souk_kernel::id::StoreId, Arc<StoreEntry>>,
) {
    for row in rows {
        match StoreEntry::from_row(row, shared.config.limits(), |id, limits| shared.standing_of(id, limits)) {
            Ok(entry) => {
                entries.insert(entry.id, Arc::new(entry));
            }
            Err(error) => tracing::error!(%error, "store left out of the directory"),
        }
    }
}
