//! Payment outside of any provider: nobody to call. Staff says when the money came, and hands it back by themselves.

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};
use souk_kernel::StoreId;

use super::super::model::{Account, DueRefund, PaymentSession, ProviderEvent, ProviderFact};
use super::provider::{Provider, ProviderError, StartPayment, WebhookError, WebhookHeaders};

/// See the file's first line.
#[derive(Debug)]
pub struct Manual;

fn unsupported<'a, T: Send + 'a>() -> BoxFuture<'a, Result<T, ProviderError>> {
    ready(Err(ProviderError::Unsupported)).boxed()
}

impl Provider for Manual {
    fn start<'a>(&'a self, _: &'a StartPayment) -> BoxFuture<'a, Result<ProviderFact, ProviderError>> {
        unsupported()
    }

    fn fetch<'a>(
        &'a self,
        _: StoreId,
        _: &'a PaymentSession,
    ) -> BoxFuture<'a, Result<Option<ProviderFact>, ProviderError>> {
        unsupported()
    }

    fn capture<'a>(
        &'a self,
        _: StoreId,
        _: &'a PaymentSession,
    ) -> BoxFuture<'a, Result<ProviderFact, ProviderError>> {
        unsupported()
    }

    fn void<'a>(
        &'a self,
        _: StoreId,
        _: &'a PaymentSession,
    ) -> BoxFuture<'a, Result<ProviderFact, ProviderError>> {
        unsupported()
    }

    fn refund<'a>(
        &'a self,
        _: StoreId,
        _: &'a DueRefund,
    ) -> BoxFuture<'a, Result<Option<ProviderFact>, ProviderError>> {
        ready(Ok(None)).boxed()
    }

    fn read_webhook<'a>(
        &'a self,
        _: StoreId,
        _: Option<&'a Account>,
        _: &'a WebhookHeaders,
        _: &'a [u8],
    ) -> BoxFuture<'a, Result<ProviderEvent, WebhookError>> {
        ready(Err(WebhookError::Signature)).boxed()
    }
}
