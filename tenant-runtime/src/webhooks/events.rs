//! What webhooks listen to (everything), and the one thing they tell.

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use souk_event_bus::{Consumer, ConsumerError, Event, Fact};
use souk_kernel::WebhookEndpointId;
use souk_tenancy::WriteTx;
use utoipa::ToSchema;
use uuid::Uuid;

use super::actions;
use super::error::WebhookError;

/// `webhook_endpoint.disabled`: nothing is sent to it any more, until somebody enables it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WebhookDisabled {
    pub endpoint_id: WebhookEndpointId,
    pub url: String,
    /// What it answered, or for how long it failed.
    pub reason: String,
    /// Who is told by mail: the store's contact.
    pub email: String,
}

impl Fact for WebhookDisabled {
    const KIND: &'static str = "webhook_endpoint.disabled";
    const VERSION: u16 = 1;
    const AGGREGATE: &'static str = "webhook_endpoint";
    fn aggregate_id(&self) -> Uuid {
        self.endpoint_id.uuid()
    }
}

/// Writes a delivery for every endpoint that wants the event.
pub struct Webhooks;

impl Consumer for Webhooks {
    fn name(&self) -> &'static str {
        "webhooks"
    }

    fn wants(&self, _kind: &str) -> bool {
        true
    }

    /// It only adds rows: of the endpoints it takes no lock that whoever sends to them or edits them would wait for.
    fn together(&self) -> usize {
        32
    }

    fn hear<'a>(
        &'a self,
        tx: &'a mut WriteTx<'_>,
        event: &'a Event,
    ) -> BoxFuture<'a, Result<(), ConsumerError>> {
        async move {
            actions::plan(tx, event).await.map_err(|error| match error {
                WebhookError::Db(error) => error.into(),
                WebhookError::Tenancy(error) => error.into(),
                error => ConsumerError::Failed(error.to_string()),
            })
        }
        .boxed()
    }
}
