//! `souk events`: how far the events are, what is a dead letter, hear it again.

use crate::home::Home;
use crate::options::{Bus, Events};
use crate::outlook::say;
use crate::secrets::Secrets;
use anyhow::{Context, bail};
use souk_event_bus::{Operator, Range};
use souk_tenancy::Database;
use std::process::ExitCode;

/// Does it, and prints what an operator wants to know.
///
/// # Errors
/// When the database cannot be reached or refuses.
pub async fn events(home: &Home, command: Events) -> anyhow::Result<ExitCode> {
    let operator = operator(home, &command).await?;
    let Events { bus, json, .. } = command;
    match bus {
        Bus::Status => {
            let overview = operator.overview().await?;
            if json {
                say!("{}", serde_json::to_string(&overview)?);
                return Ok(ExitCode::SUCCESS);
            }
            let (waiting, oldest) = (overview.outbox_waiting, overview.outbox_oldest_seconds);
            say!("outbox: {waiting} waiting, the oldest for {oldest:.0} s; {} dead", overview.outbox_dead);
            for standing in &overview.consumers {
                let (waiting, oldest) = (standing.waiting, standing.oldest_seconds);
                say!(
                    "{}: {waiting} waiting, the oldest for {oldest:.0} s; {} dead",
                    standing.consumer,
                    standing.dead
                );
            }
            for reading in overview.readings.iter().filter(|reading| reading.unread > 0) {
                let (unread, oldest, asked) =
                    (reading.unread, reading.oldest_seconds, reading.measured_seconds);
                say!(
                    "{}: {unread} not read from the topic, the oldest for {oldest:.0} s (asked {asked:.0} s ago)",
                    reading.consumer
                );
            }
            if overview.unreadable > 0 {
                say!("{} messages of the topic are no events: souk events unreadable", overview.unreadable);
            }
            if overview.outbox_dead > 0 {
                say!("what no broker would take: souk events dead --outbox");
            }
            if overview.is_all_heard() {
                say!("every consumer has heard everything");
            } else if overview.waits_for_the_broker() {
                let asked = overview.readings.iter().map(|reading| reading.measured_seconds);
                say!("the broker was asked {:.0} s ago, before the last event", asked.fold(0.0, f64::max));
            }
        }
        Bus::Dead { outbox: true, limit, .. } => {
            let untold = operator.untold(limit).await?;
            if json {
                say!("{}", serde_json::to_string(&untold)?);
                return Ok(ExitCode::SUCCESS);
            }
            for event in &untold {
                let (position, kind, id) = (event.position, &event.kind, event.event);
                let error = event.last_error.as_deref().unwrap_or_default();
                say!("{position}  {kind}  {id}  {}  after {} attempts: {error}", event.store, event.attempts);
            }
            if untold.is_empty() {
                say!("the outbox was given up on nothing");
            }
        }
        Bus::Dead { consumer, limit, .. } => {
            let letters = operator.dead_letters(consumer.as_deref(), limit).await?;
            if json {
                say!("{}", serde_json::to_string(&letters)?);
                return Ok(ExitCode::SUCCESS);
            }
            for letter in &letters {
                let (id, consumer, kind, event) = (letter.id, &letter.consumer, &letter.kind, letter.event);
                let error = letter.last_error.as_deref().unwrap_or_default();
                say!(
                    "{id}  {consumer}  {kind}  {event}  {}  after {} attempts: {error}",
                    letter.store,
                    letter.attempts
                );
            }
            if letters.is_empty() {
                say!("there are no dead letters");
            }
        }
        Bus::Revive { ids, outbox: true, all, .. } => {
            if ids.is_empty() && !all {
                bail!("say which: numbers of `souk events dead --outbox`, or --all");
            }
            let count = operator.carry_again((!ids.is_empty()).then_some(&*ids)).await?;
            say!("{count} events of the outbox are carried on once more");
        }
        Bus::Revive { ids, consumer, all, .. } => {
            if ids.is_empty() && consumer.is_none() && !all {
                bail!("say which: numbers of `souk events dead`, --consumer NAME, or --all");
            }
            let ids = (!ids.is_empty()).then_some(ids);
            let count = operator.revive(ids.as_deref(), consumer.as_deref()).await?;
            say!("{count} dead letters live again");
        }
        Bus::Unreadable { limit } => {
            let messages = operator.unreadable(limit).await?;
            if json {
                say!("{}", serde_json::to_string(&messages)?);
                return Ok(ExitCode::SUCCESS);
            }
            for message in &messages {
                say!("{}  noticed {}: {}", message.place, message.noticed_at.to_rfc3339(), message.reason);
            }
            if messages.is_empty() {
                say!("every message of the topic was an event");
            }
        }
        Bus::Forget { places, all } => {
            if places.is_empty() && !all {
                bail!("say which: places of `souk events unreadable`, or --all");
            }
            let count = operator.forget_unreadable((!places.is_empty()).then_some(&*places)).await?;
            say!("{count} messages that are no events are forgotten");
        }
        Bus::Replay { consumer, name, event, store, from, until, kinds } => {
            if event.is_none() && store.is_none() && from.is_none() {
                bail!("say which events: --event, --store or --from");
            }
            let kinds = (!kinds.is_empty()).then_some(kinds);
            let range = Range { event, store, from, until, kinds };
            let count = operator.replay(&consumer, &name, &range).await?;
            say!("{consumer} is to hear {count} events once more, as replay {name:?}");
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The database that is named, or the private one of `souk up` in this home.
async fn operator(home: &Home, wish: &Events) -> anyhow::Result<Operator> {
    let password = match (&wish.password, &wish.database) {
        (Some(password), _) => password.clone(),
        (None, Some(_)) => bail!("SOUK_RELAY_PASSWORD must be set too: the password of the login `relay`"),
        (None, None) if !home.secrets().exists() => {
            bail!("nothing was started in {}: give --database-url", home.root().display())
        }
        (None, None) => Secrets::of(home)?.relay_password,
    };
    let url = wish.database.clone();
    let url = url.unwrap_or_else(|| format!("postgres://127.0.0.1:{}/souk", wish.postgres_port));
    let database: Database = url.parse().context("--database-url")?;
    Ok(Operator::connect(&database, &password).await?)
}
