//! `souk up`: start everything in order, keep it running, stop it in reverse order.

mod detach;
mod plan;
mod stop_wish;
mod summary;

pub use plan::{listeners, programs};
pub use stop_wish::asked_to_stop;

use crate::children::{Board, Keeper, Spec, run_once, wait_until_ready};
use crate::home::{Home, Owner};
use crate::options::{Network, Up};
use crate::outlook::say;
use crate::postgres::{self, Server, Settings, installed};
use crate::run_state::{RunState, lock};
use crate::secrets::Secrets;
use crate::{config, demo, down, kafka, outlook, ports};
use anyhow::{Context, bail};
use plan::{Database, Plan};
use std::process::ExitCode;
use std::time::Instant;

/// Starts everything and stays (or leaves it running with `--detach`). Prints the summary again when it runs
/// already.
///
/// # Errors
/// What kept something from starting; everything that was started is stopped again.
pub async fn up(home: &Home, wish: Up) -> anyhow::Result<ExitCode> {
    home.make()?;
    let Some(_lock) = lock(home)? else { return already_running(home) };
    if wish.detach && !wish.detached {
        drop(_lock);
        return detach::leave_running(home).await;
    }
    stop_wish::listen()?;
    down::stop_left_over(home).await;
    let board = Board::new(home.clone());
    let mut kept = Vec::new();
    let started = tokio::select! {
        outcome = start(home, &wish, &board, &mut kept) => outcome,
        () = asked_to_stop() => Err(anyhow::anyhow!("stopped before everything was ready")),
    };
    if started.is_ok() {
        if !wish.detached {
            say!("\nCtrl-C stops everything.");
        }
        asked_to_stop().await;
        say!("\nStopping …");
    }
    while let Some(keeper) = kept.pop() {
        let (name, began) = (keeper.name(), Instant::now());
        keeper.stop().await;
        outlook::done(&format!("{name} stopped"), began);
    }
    // Nothing runs any more, so there is nothing to tell.
    let _ = std::fs::remove_file(home.run_state());
    started.map(|()| ExitCode::SUCCESS)
}

fn already_running(home: &Home) -> anyhow::Result<ExitCode> {
    let Some(state) = RunState::read(home) else {
        bail!("Souk is just starting or stopping here; try again")
    };
    let how = if state.ready { "runs already" } else { "is starting already" };
    say!("Souk {how} (process {}).", state.supervisor.pid);
    for line in &state.summary {
        say!("{line}");
    }
    Ok(ExitCode::SUCCESS)
}

async fn start(home: &Home, wish: &Up, board: &Board, kept: &mut Vec<Keeper>) -> anyhow::Result<()> {
    let began = Instant::now();
    say!("Souk starts in {}", home.root().display());
    plan::expect_programs()?;
    for (port, who, option) in listeners(&wish.network) {
        ports::expect_free(port, who, option)?;
    }
    let secrets = Secrets::of(home)?;
    let database = database(home, &wish.network, &secrets, board, kept).await?;
    let brokers = brokers(home, &wish.network, board, kept).await?;
    let plan = Plan {
        home,
        network: &wish.network,
        secrets: &secrets,
        database: &database,
        brokers: brokers.as_deref(),
    };
    let migrating = Instant::now();
    run_once(&plan.migrate()?, home).await?;
    outlook::done("database migrated", migrating);
    for spec in plan.children()? {
        if wish.except.iter().any(|name| name == spec.name) {
            outlook::note(&format!("{} is left to you", spec.name));
        } else {
            keep(spec, home, board, kept).await?;
        }
    }
    let shop =
        if wish.no_demo || !wish.except.is_empty() { None } else { demo_shop(home, &wish.network).await };
    let summary = summary::lines(&wish.network, shop.as_ref());
    let variables = summary::variables(&wish.network, shop.as_ref());
    say!("");
    for line in &summary {
        say!("{line}");
    }
    say!("\nReady after {:.1} s.", began.elapsed().as_secs_f32());
    board.change(|state| {
        state.summary = summary;
        state.variables = variables;
        state.ready = true;
    });
    Ok(())
}

/// The demo store is a gift: without it everything else still runs, and the next start tries again.
async fn demo_shop(home: &Home, network: &Network) -> Option<demo::Shop> {
    match demo::seed(home, network).await {
        Ok(shop) => Some(shop),
        Err(error) => {
            outlook::trouble(&format!("the demo store is not complete: {error:#}"));
            None
        }
    }
}

async fn keep(spec: Spec, home: &Home, board: &Board, kept: &mut Vec<Keeper>) -> anyhow::Result<()> {
    let began = Instant::now();
    let name = spec.name;
    kept.push(Keeper::start(spec.clone(), home, board)?);
    wait_until_ready(&spec, home, board).await?;
    outlook::done(&format!("{name} is ready"), began);
    Ok(())
}

/// The brokers to use: given ones, or a private one, started; none unless asked for.
async fn brokers(
    home: &Home,
    network: &Network,
    board: &Board,
    kept: &mut Vec<Keeper>,
) -> anyhow::Result<Option<String>> {
    if let Some(brokers) = &network.kafka_brokers {
        outlook::note(&format!("events go through the Kafka at {brokers}"));
        return Ok(Some(brokers.clone()));
    }
    if !network.kafka {
        return Ok(None);
    }
    let programs = kafka::installed(&config::cache_folder())?;
    let server = kafka::Server::prepared(programs, &home.kafka(), network.kafka_port)?;
    keep(server.spec(), home, board, kept).await?;
    Ok(Some(server.address()))
}

/// The database to use: the given one, checked, or a private one, started.
async fn database(
    home: &Home,
    network: &Network,
    secrets: &Secrets,
    board: &Board,
    kept: &mut Vec<Keeper>,
) -> anyhow::Result<Database> {
    if let Some(url) = &network.database_url {
        let version = postgres::server_version(url).await.context("DATABASE_URL cannot be used")?;
        if version < postgres::OLDEST {
            bail!("DATABASE_URL is a PostgreSQL {}; Souk needs 15 or newer", version / 10_000);
        }
        outlook::note(&format!("using the PostgreSQL {} of DATABASE_URL", version / 10_000));
        return Database::given(url);
    }
    let programs = installed(&network.postgres_version, &config::cache_folder(), Owner::needed()).await?;
    let settings = Settings {
        port: network.postgres_port,
        password: secrets.postgres_password.clone(),
        careless: false,
    };
    let server = Server::prepared(&programs, &home.postgres(programs.version.major), settings)?;
    keep(server.spec(), home, board, kept).await?;
    Database::given(&server.url("postgres"))
}
