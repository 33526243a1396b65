//! Asks a server whether it answers, and which version it is.

use anyhow::Context;
use std::time::Duration;
use tokio_postgres::NoTls;

/// Whether somebody can connect and get an answer.
pub async fn is_ready(url: &str) -> bool {
    tokio::time::timeout(Duration::from_secs(2), server_version(url)).await.is_ok_and(|answer| answer.is_ok())
}

/// The server's version as a number: 180006 is 18.6.
///
/// # Errors
/// When the server cannot be reached or refuses the login.
pub async fn server_version(url: &str) -> anyhow::Result<u32> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.context("no connection")?;
    let worker = tokio::spawn(connection);
    let answer = client.simple_query("SHOW server_version_num").await;
    worker.abort();
    let version = answer?.iter().find_map(|message| match message {
        tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0).and_then(|text| text.parse().ok()),
        _ => None,
    });
    version.context("the server does not tell its version")
}
