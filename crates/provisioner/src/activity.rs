//! When stores were last asked for something, as the runtimes note it (`platform.note_activity`).
use std::time::Duration;

use chrono::{DateTime, Utc};
use souk_kernel::StoreId;
use tokio_postgres::types::Type;

use crate::Provisioner;
use crate::error::ProvisionError;

/// Notes commit in another order than they were made: whoever goes on from the newest looks so far back.
const OVERLAP: &str = "interval '5 seconds'";

/// Who was asked for something lately.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// References of the owners, as in [`crate::Owner`].
    pub owners: Vec<String>,
    /// The newest note of all; the next look begins here.
    pub until: Option<DateTime<Utc>>,
}

impl Provisioner {
    /// How long nobody has asked the store for anything, by the database's clock. A store that nobody has asked yet is counted from the
    /// first time this is called for it, which notes that. Runtimes note at most every 30 s, so it may be that much too long.
    pub async fn idle_for(&self, store: StoreId) -> Result<Duration, ProvisionError> {
        let client = self.connections().lend().await?;
        let look = "SELECT extract(epoch FROM clock_timestamp() - a.last_request_at)::float8
                    FROM platform.store_activity a WHERE a.store_id = $1";
        let begin =
            "INSERT INTO platform.store_activity (store_id) VALUES ($1) ON CONFLICT (store_id) DO NOTHING";
        let id = store.uuid();
        let rows = client.query_typed(look, &[(&id, Type::UUID)]).await?;
        let seconds: f64 = match rows.first() {
            Some(row) => row.get(0),
            None => {
                client.query_typed(begin, &[(&id, Type::UUID)]).await?;
                0.0
            }
        };
        client.keep();
        // The clock may have been set back.
        Ok(Duration::try_from_secs_f64(seconds).unwrap_or_default())
    }

    /// The owners of `kind` whose stores were asked for something since `since` (the last minute, when none is given). One may be named
    /// again that was named before.
    pub async fn asked_since(
        &self,
        kind: &str,
        since: Option<DateTime<Utc>>,
    ) -> Result<Asked, ProvisionError> {
        let client = self.connections().lend().await?;
        let sql = format!(
            "SELECT l.owner_ref, a.last_request_at
             FROM platform.store_activity a JOIN platform.store_ledger l ON l.store_id = a.store_id
             WHERE l.owner_kind = $1 AND a.last_request_at > coalesce($2 - {OVERLAP}, now() - interval '1 minute')"
        );
        let rows = client.query_typed(&sql, &[(&kind, Type::TEXT), (&since, Type::TIMESTAMPTZ)]).await?;
        client.keep();
        let newest = rows.iter().map(|row| row.get::<_, DateTime<Utc>>(1)).max();
        Ok(Asked { owners: rows.iter().map(|row| row.get(0)).collect(), until: newest.max(since) })
    }
}
