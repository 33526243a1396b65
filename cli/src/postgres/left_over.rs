//! What tests left on a server that was stopped under them.

use anyhow::Context;
use tokio_postgres::NoTls;

/// As the test support of `crates/provisioner` and of `crates/tenancy` call their databases.
const NAMES: &str =
    "SELECT quote_ident(datname) FROM pg_catalog.pg_database WHERE datname ~ '^souk_(test|ground)_'";

/// Drops the databases of tests from a server that has just started, to which nobody who made one can be connected any more. How many
/// there were.
///
/// # Errors
/// When the server cannot be reached or keeps one.
pub async fn drop_left_over(url: &str) -> anyhow::Result<usize> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.context("no connection")?;
    tokio::spawn(connection);
    let names = client.query(NAMES, &[]).await?;
    for row in &names {
        let name: String = row.get(0);
        let statement = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
        client.execute(statement.as_str(), &[]).await.with_context(|| format!("{name} stays"))?;
    }
    Ok(names.len())
}
