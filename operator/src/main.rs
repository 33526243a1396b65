//! The operator's command: what it will do, and that it does not do it yet.

use clap::{Parser, Subcommand};

/// Reconciles Store resources: provisions a PostgreSQL schema and role for each, runs its workloads (pooled or
/// dedicated), and reports conditions that `kubectl wait` can trust.
#[derive(Parser)]
#[command(version)]
struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Watch Store resources and reconcile them: ledger row, schema, role, migrations, Secret, Deployment, Service,
    /// autoscaler, disruption budget, network policy, route. Retains data on deletion unless told otherwise.
    Run,
    /// Print the CustomResourceDefinition of Store (souk.dev/v1alpha1).
    Crd,
}

fn main() -> std::process::ExitCode {
    let what = match Options::parse().command {
        Command::Run => "run",
        Command::Crd => "crd",
    };
    eprintln!(
        "`souk-operator {what}` comes with the Kubernetes issue; until then `souk up` runs the same platform without Kubernetes"
    );
    std::process::ExitCode::FAILURE
}
