//! What invoices tell the world, and what has them issued by themselves.

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use souk_event_bus::{Consumer, ConsumerError, Event, Fact};
use souk_kernel::{InvoiceId, Money, OrderId, RefundId};
use souk_tenancy::WriteTx;
use utoipa::ToSchema;
use uuid::Uuid;

use super::actions;
use super::error::InvoiceError;
use super::model::{Invoice, InvoiceKind};
use crate::orders::{OrderCancelled, OrderPaid, OrderRefunded};

/// `invoice.issued`: there is an invoice, or a credit note; `GET /admin/v1/invoices/{id}` shows it. It never changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct InvoiceIssued {
    pub invoice_id: InvoiceId,
    pub kind: InvoiceKind,
    pub number: i64,
    pub name: String,
    pub order_id: OrderId,
    /// Of a credit note for a refund.
    pub refund_id: Option<RefundId>,
    /// Of a credit note: the invoice it corrects.
    pub corrects_id: Option<InvoiceId>,
    /// What is to be paid or is credited, tax included; never negative.
    pub total: Money,
    pub tax: Money,
}

impl InvoiceIssued {
    /// The fact that this one was issued.
    pub fn of(invoice: &Invoice) -> Self {
        Self {
            invoice_id: invoice.id,
            kind: invoice.kind,
            number: invoice.number,
            name: invoice.name.clone(),
            order_id: invoice.order,
            refund_id: invoice.refund,
            corrects_id: invoice.corrects,
            total: invoice.document.total,
            tax: invoice.document.tax,
        }
    }
}

impl Fact for InvoiceIssued {
    const KIND: &'static str = "invoice.issued";
    const VERSION: u16 = 1;
    const AGGREGATE: &'static str = "invoice";
    fn aggregate_id(&self) -> Uuid {
        self.invoice_id.uuid()
    }
}

/// Issues what is due when an order is paid, refunded or cancelled, in stores that want it so.
pub struct Invoicing;

/// What they have in common.
#[derive(Deserialize)]
struct About {
    order_id: OrderId,
}

impl Consumer for Invoicing {
    fn name(&self) -> &'static str {
        "invoicing"
    }

    fn wants(&self, kind: &str) -> bool {
        [OrderPaid::KIND, OrderRefunded::KIND, OrderCancelled::KIND].contains(&kind)
    }

    fn hear<'a>(
        &'a self,
        tx: &'a mut WriteTx<'_>,
        event: &'a Event,
    ) -> BoxFuture<'a, Result<(), ConsumerError>> {
        async move {
            let about: About = serde_json::from_value(event.payload.clone())
                .map_err(|error| ConsumerError::Failed(error.to_string()))?;
            match actions::issue_by_itself(tx, about.order_id).await {
                Ok(()) => Ok(()),
                Err(InvoiceError::Db(error)) => Err(error.into()),
                Err(InvoiceError::Tenancy(error)) => Err(error.into()),
                Err(error) => Err(ConsumerError::Failed(error.to_string())),
            }
        }
        .boxed()
    }
}
