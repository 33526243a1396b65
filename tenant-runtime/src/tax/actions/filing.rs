//! Telling a store's tax provider what became of orders. Repeated under the same id until it is taken.

use souk_access::WorkerPermit;
use souk_tenancy::WriteTx;

use super::providers::TaxProviders;
use crate::tax::error::TaxError;
use crate::tax::model::Filing;
use crate::tax::queries::{self, filings};

/// Tells the next thing that is due, outside of any transaction. `false`: there was nothing to tell.
///
/// # Errors
/// The database's only; a provider that does not take it is told again later.
pub async fn file_due(worker: &WorkerPermit, providers: &TaxProviders) -> Result<bool, TaxError> {
    let take = async |tx: &mut WriteTx<'_>| {
        let Some(filing) = filings::claim(tx).await? else { return Ok(None) };
        let account = queries::account(tx).await?;
        Ok::<_, TaxError>(account.map(|account| (filing, account)))
    };
    let Some((filing, account)) = worker.write("tax_provider.take", take).await? else { return Ok(false) };
    let body = serde_json::to_vec(&filing.body())?;
    let (id, now) = (filing.id.to_string(), worker.clock().now());
    let told = providers.tell(worker.store(), &account, (id.as_str(), body.as_slice()), now).await;
    let error = told.err().map(|error| error.to_string());
    if let Some(error) = &error {
        tracing::warn!(store = %worker.store(), filing = %filing.id, error, "a tax provider did not take what became of an order");
    }
    let write = async move |tx: &mut WriteTx<'_>| settled(tx, &filing, error.as_deref()).await;
    worker.write("tax_provider.settle", write).await?;
    Ok(true)
}

async fn settled(tx: &mut WriteTx<'_>, filing: &Filing, error: Option<&str>) -> Result<(), TaxError> {
    match error {
        None => filings::told(tx, filing.id).await?,
        Some(error) => {
            let again = filing.pause().map(|pause| tx.now() + pause);
            filings::failed(tx, filing.id, error, again).await?;
        }
    }
    Ok(())
}
