//! `souk-operator run | crd`.

use clap::{Parser, Subcommand};
use souk_operator::{config::Config, controller};

/// Reconciles Store resources: provisions a PostgreSQL schema and role for each, runs its workloads (pooled or
/// dedicated), and reports conditions that `kubectl wait` can trust. Rolls StoreReleases out to dedicated stores in waves.
#[derive(Parser)]
#[command(version)]
struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Watch Store resources and reconcile them: ledger row, schema, role, migrations, Secrets, Deployment, Service,
    /// autoscaler, disruption budget, network policy, route. Retains data on deletion unless told otherwise.
    Run,
    /// Print the CustomResourceDefinitions of Store and StoreRelease (souk.dev/v1alpha1) as YAML.
    Crd,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    match Options::parse().command {
        Command::Run => controller::run(Config::from_env()?).await,
        Command::Crd => {
            for crd in [souk_store_resource::crd(), souk_store_resource::release_crd()] {
                print!("---\n{}", serde_saphyr::to_string(&crd)?);
            }
            Ok(())
        }
    }
}
