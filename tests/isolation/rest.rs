//! What connections still know when nobody uses them.

use std::time::Duration;

use super::tenancy::CONNECTIONS;
use super::wire::Wire;
use super::world::World;

/// Everything a session can carry from one transaction to the next. The time zone and the encoding are set once, when it is opened.
const KEPT: &str = "SELECT concat_ws(' ', session_user = current_user, '[' || current_setting('search_path') || ']',
        current_setting('role'), current_setting('souk.stray', true),
        (SELECT string_agg(name || '=' || setting, ' ' ORDER BY name) FROM pg_catalog.pg_settings WHERE source = 'session'),
        (SELECT count(*) FROM pg_catalog.pg_locks WHERE pid = pg_catalog.pg_backend_pid() AND locktype IN ('advisory', 'transactionid')))";

/// Every connection at rest is as it was when it was opened; gives how many were asked.
///
/// # Panics
/// When one of them remembers something.
pub async fn nothing_is_remembered(world: &World, wire: &Wire) {
    let busy = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename ~ '^runtime_[0-9]'
        AND state <> 'idle'";
    let mut left = 1;
    // Less than the ten seconds after which the server gives up an idle transaction by itself.
    for _ in 0..300 {
        left = world.admin.query_one(busy, &[]).await.expect("an answer").get(0);
        if left == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(left, 0_i64, "transactions stay open when all work has ended");
    let said = wire.ask(KEPT).await;
    println!("isolation, at rest: {} connections asked what they remember", said.len());
    assert!((1..=CONNECTIONS).contains(&said.len()), "{} connections at rest", said.len());
    for one in &said {
        let fresh = ["t [\"\"] none TimeZone=UTC client_encoding=UTF8 0"];
        let text: Vec<_> =
            one.rows.iter().map(|row| row.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        assert_eq!((one.status, text), ('I', fresh.map(str::to_owned).to_vec()), "{} remembers", one.login);
    }
}
