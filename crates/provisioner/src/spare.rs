//! Spare stores: built, migrated and checked before anybody asks, so that sign-up writes one row.
use crate::Provisioner;
use crate::claim::{Nobody, Patience, Step, Watch};
use crate::error::ProvisionError;
use crate::ledger::{self, State};

impl Provisioner {
    /// Sees to it that `wanted` spares with exactly this program's migrations exist; first finishes those that somebody left half built.
    /// Returns how many this call made. Several processes may call it at once: the number is not exceeded.
    /// With every lane full it stops quietly: spares are a comfort, not a promise.
    pub async fn keep_spares(&self, wanted: usize) -> Result<usize, ProvisionError> {
        self.keep_spares_watched(wanted, &Nobody).await
    }

    /// [`Provisioner::keep_spares`] with somebody to tell about each step of building one.
    pub async fn keep_spares_watched(
        &self,
        wanted: usize,
        watch: &dyn Watch,
    ) -> Result<usize, ProvisionError> {
        let mut made = 0;
        let client = self.connections().lend().await?;
        let unfinished = ledger::unfinished_spares(&client).await?;
        client.keep();
        for record in unfinished {
            if self.build(&record, Patience::Skip, watch).await? {
                made += usize::from(self.release_spare(&record).await?);
            }
        }
        loop {
            let client = self.connections().lend().await?;
            client
                .batch_execute("BEGIN; SELECT pg_advisory_xact_lock(hashtextextended('souk:spares', 0))")
                .await?;
            let enough = ledger::spares(&client, &self.migrations().digest()).await? >= wanted;
            let reserved = if enough { None } else { Some(self.reserve(&client, None).await) };
            client.batch_execute("COMMIT").await?;
            client.keep();
            let record = match reserved {
                None => return Ok(made),
                Some(Err(ProvisionError::LanesFull { lanes, .. })) => {
                    tracing::warn!(lanes, "no spare store can be kept: every lane is full");
                    return Ok(made);
                }
                Some(record) => record?,
            };
            watch.step(Step::Reserved)?;
            if let Err(error) = self.build(&record, Patience::Wait, watch).await {
                self.remember(record.store_id, &error).await;
                return Err(error);
            }
            made += usize::from(self.release_spare(&record).await?);
        }
    }

    async fn release_spare(&self, record: &ledger::StoreRecord) -> Result<bool, ProvisionError> {
        let client = self.connections().lend().await?;
        let released = ledger::advance(&client, record.store_id, State::Provisioning, State::Spare).await?;
        client.keep();
        Ok(released)
    }
}
