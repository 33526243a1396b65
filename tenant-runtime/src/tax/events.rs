//! What orders say that a tax provider has to be told.

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde::Deserialize;
use souk_event_bus::{Consumer, ConsumerError, Event};
use souk_kernel::{OrderId, RefundId};
use souk_tenancy::WriteTx;

use super::model::FilingStep;
use super::queries::filings;

/// Notes what a store's tax provider has to be told: orders that stand, what of them went back, and those that came to nothing.
pub struct TaxFiling;

/// What the events have in common.
#[derive(Deserialize)]
struct About {
    order_id: OrderId,
    #[serde(default)]
    refund_id: Option<RefundId>,
}

impl Consumer for TaxFiling {
    fn name(&self) -> &'static str {
        "tax_filing"
    }

    fn wants(&self, kind: &str) -> bool {
        FilingStep::of_event(kind).is_some()
    }

    fn hear<'a>(
        &'a self,
        tx: &'a mut WriteTx<'_>,
        event: &'a Event,
    ) -> BoxFuture<'a, Result<(), ConsumerError>> {
        async move {
            let Some(step) = FilingStep::of_event(&event.kind) else { return Ok(()) };
            let about: About = serde_json::from_value(event.payload.clone())
                .map_err(|error| ConsumerError::Failed(error.to_string()))?;
            let refund = about.refund_id.filter(|_| step == FilingStep::Refund);
            filings::note(tx, event.id, about.order_id, step, refund).await.map_err(ConsumerError::from)
        }
        .boxed()
    }
}
