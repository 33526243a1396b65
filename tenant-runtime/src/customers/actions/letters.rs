//! Mails to customers: who gets which link.

use souk_access::LinkSecret;
use souk_kernel::CustomerId;
use souk_tenancy::{ReadTx, WriteTx};

use crate::customers::error::CustomerError;
use crate::customers::events::LetterWanted;
use crate::customers::model::{Customer, LetterKind, Purpose};
use crate::customers::queries;
use crate::storefront;

/// A mail to be written: whom it goes to, and what it says.
#[derive(Debug)]
pub struct Letter {
    pub recipient: String,
    /// How it addresses them.
    pub name: String,
    /// The language they read, if they said so.
    pub locale: Option<String>,
    /// The page of the storefront and the secret that opens it; a page without a secret where there is nothing to open.
    pub page: &'static str,
    pub secret: Option<LinkSecret>,
    /// The store's own address of the account pages, if it gave one.
    pub account_url: Option<String>,
    /// The device a letter about a sign-in tells of, and its network.
    pub device: Option<(String, String)>,
    /// The identity provider a letter about a way in tells of.
    pub provider: Option<String>,
}

/// The letter that is wanted, its link made now; none when the customer is gone or never was. The link is good if and only if this
/// transaction commits.
///
/// # Errors
/// The database's; no random bytes.
pub async fn letter(tx: &mut WriteTx<'_>, wanted: &LetterWanted) -> Result<Option<Letter>, CustomerError> {
    let found = queries::lock(tx, wanted.customer_id).await?;
    let Some(customer) = found.filter(|customer| customer.state == "enabled") else { return Ok(None) };
    let Some((recipient, recipient_key)) = recipient(tx, &customer, wanted.letter).await? else {
        return Ok(None);
    };
    let mut secret = None;
    if let Some(purpose) = wanted.letter.purpose() {
        let minted = LinkSecret::mint()?;
        queries::insert_secret(tx, customer.id, purpose, &recipient_key, &minted.digest()).await?;
        secret = Some(minted);
    }
    let device = match wanted.session_id {
        Some(session) => queries::find_session(tx, customer.id, session).await?,
        None => None,
    };
    Ok(Some(Letter {
        recipient,
        name: customer.display_name(),
        locale: customer.locale.as_ref().map(|locale| locale.as_str().to_owned()),
        page: page_of(wanted.letter),
        secret,
        account_url: storefront::account_url(tx).await?,
        device: device.map(|session| (session.user_agent, session.network)),
        provider: wanted.provider.clone(),
    }))
}

/// What a letter would say now, for whoever looks at it: nothing is made, and nobody is written to.
#[derive(Debug)]
pub struct Outlook {
    pub name: String,
    pub email: String,
    /// The address they wish for, if they do.
    pub wished: Option<String>,
    /// The page of the storefront its link opens, and whether with a secret.
    pub page: &'static str,
    pub has_secret: bool,
    /// The device they signed in with last and its network, while they are signed in.
    pub device: Option<(String, String)>,
}

/// The letter of this template as it would be to a customer; none for whoever is not written to, or a template that is not of such letters.
/// Three statements.
///
/// # Errors
/// The database's only.
pub async fn outlook(
    tx: &mut ReadTx<'_>,
    id: CustomerId,
    template: &str,
) -> Result<Option<Outlook>, CustomerError> {
    let Some(letter) = LetterKind::of_template(template) else { return Ok(None) };
    let found = queries::find(tx, id).await?;
    let Some(customer) = found.filter(|customer| customer.state == "enabled") else { return Ok(None) };
    let wished = queries::wished(tx, id).await?;
    let last = queries::sessions(tx, id).await?.into_iter().next();
    Ok(Some(Outlook {
        name: customer.display_name(),
        email: customer.email,
        wished,
        page: page_of(letter),
        has_secret: letter.purpose().is_some(),
        device: last.map(|session| (session.user_agent, session.network)),
    }))
}

/// Letters without a link of their own say where to choose another password.
fn page_of(letter: LetterKind) -> &'static str {
    letter.purpose().map_or("forgot-password", Purpose::page)
}

/// The mailbox and its key: the customer's, or the wished one. None when the wish is no more.
async fn recipient(
    tx: &mut WriteTx<'_>,
    customer: &Customer,
    letter: LetterKind,
) -> Result<Option<(String, String)>, CustomerError> {
    if letter != LetterKind::ConfirmNewEmail {
        return Ok(Some((customer.email.clone(), customer.email_key())));
    }
    Ok(queries::lock_change(tx, customer.id).await?.map(|change| (change.email, change.email_key)))
}
