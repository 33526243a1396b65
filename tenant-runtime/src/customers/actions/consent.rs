//! Marketing: said, confirmed, taken back.

use souk_access::LinkSecret;
use souk_kernel::{CustomerId, Email};
use souk_tenancy::{ReadTx, WriteTx};

use super::account::{follow, want};
use crate::customers::error::CustomerError;
use crate::customers::model::{
    ConsentSource, ConsentState, ConsentView, Customer, LetterKind, Marketing, Purpose,
};
use crate::customers::queries::{self, consent};

/// A customer says that they take marketing; where the settings want it, a mail asks their mailbox, and nothing is sent until it agrees.
pub(super) async fn wish(
    tx: &mut WriteTx<'_>,
    id: CustomerId,
    source: ConsentSource,
) -> Result<(), CustomerError> {
    if consent::wish(tx, id, source).await? {
        want(tx, id, LetterKind::ConfirmMarketing).await?;
    }
    Ok(())
}

/// The same or the opposite, as they change it in their account. What is so already is not said again.
pub(super) async fn change(
    tx: &mut WriteTx<'_>,
    customer: &Customer,
    accepts: bool,
) -> Result<(), CustomerError> {
    match (accepts, customer.marketing()) {
        (true, Marketing::None) => wish(tx, customer.id, ConsentSource::Account).await,
        (true, Marketing::Pending | Marketing::Given) | (false, Marketing::None) => Ok(()),
        (false, Marketing::Pending | Marketing::Given) => {
            queries::void_secrets(tx, customer.id, Purpose::Marketing).await?;
            consent::settle(tx, customer.id, ConsentState::Withdrawn, ConsentSource::Account).await?;
            Ok(())
        }
    }
}

/// The mailbox that was asked agrees.
///
/// # Errors
/// [`CustomerError::LinkUnusable`], also when they have taken it back.
pub async fn confirm_marketing(tx: &mut WriteTx<'_>, secret: &LinkSecret) -> Result<(), CustomerError> {
    let customer = follow(tx, Purpose::Marketing, secret).await?;
    if customer.marketing() != Marketing::Pending {
        return Err(CustomerError::LinkUnusable);
    }
    consent::settle(tx, customer.id, ConsentState::Given, ConsentSource::MailedLink).await?;
    Ok(())
}

/// Whoever reads a mailbox has ended marketing to it with a mail's link. Nothing happens where its customer takes none, or there is none. One
/// statement.
///
/// # Errors
/// The database's only.
pub async fn end_marketing(tx: &mut WriteTx<'_>, email: &Email) -> Result<(), CustomerError> {
    Ok(consent::end_for(tx, email).await?)
}

/// What a customer said of marketing, oldest first. Two statements.
///
/// # Errors
/// [`CustomerError::Unknown`].
pub async fn consents(tx: &mut ReadTx<'_>, id: CustomerId) -> Result<Vec<ConsentView>, CustomerError> {
    queries::find(tx, id).await?.ok_or(CustomerError::Unknown)?;
    Ok(consent::history(tx, id).await?)
}
