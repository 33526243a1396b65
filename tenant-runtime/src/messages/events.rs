//! What mail listens to.

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use souk_event_bus::{Consumer, ConsumerError, Event};
use souk_tenancy::WriteTx;

use super::actions::queue;
use super::error::MessageError;
use super::model::template_of;

/// Queues the mails that follow from what happens to orders.
pub struct OrderMail;

impl Consumer for OrderMail {
    fn name(&self) -> &'static str {
        "order_mail"
    }

    fn wants(&self, kind: &str) -> bool {
        template_of(kind).is_some()
    }

    fn hear<'a>(
        &'a self,
        tx: &'a mut WriteTx<'_>,
        event: &'a Event,
    ) -> BoxFuture<'a, Result<(), ConsumerError>> {
        async move {
            queue(tx, event).await.map_err(|error| match error {
                MessageError::Db(error) => error.into(),
                MessageError::Tenancy(error) => error.into(),
                error => ConsumerError::Failed(error.to_string()),
            })
        }
        .boxed()
    }
}
