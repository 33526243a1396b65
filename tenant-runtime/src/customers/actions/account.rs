//! Registering, confirming, recovering, changing.

use souk_access::{LinkSecret, Password, PasswordHash, Permit, is_lately, step_up};
use souk_api::{ETag, IfMatch};
use souk_kernel::{CustomerId, Email, Text};
use souk_tenancy::{ReadTx, WriteTx};

use super::sessions::{attempt, forgive};
use crate::customers::error::CustomerError;
use crate::customers::events::{CustomerRegistered, LetterWanted};
use crate::customers::model::{
    Customer, Door, EditAccount, EmailChange, EndReason, LetterKind, Origin, Purpose, Reception, Register,
    customer_of, session_of,
};
use crate::customers::queries;

/// A password somebody chooses, which must not be made of what everybody knows of them.
pub fn chosen(text: &str, pointer: &'static str, context: &[&str]) -> Result<Password, CustomerError> {
    Password::chosen(text, context).map_err(|cause| CustomerError::Password(pointer, cause))
}

pub(super) async fn want(
    tx: &mut WriteTx<'_>,
    customer_id: CustomerId,
    letter: LetterKind,
) -> Result<(), CustomerError> {
    souk_event_bus::emit(tx, &LetterWanted { customer_id, letter, session_id: None, provider: None }).await?;
    Ok(())
}

/// Registers, or tells the owner of the mailbox that somebody tried. Both write two events and answer the same.
pub async fn register(
    tx: &mut WriteTx<'_>,
    wish: &Register,
    hash: &PasswordHash,
) -> Result<(), CustomerError> {
    let id = CustomerId::new();
    let name =
        |text: &Option<Text<100>>| text.as_ref().map(|text| text.as_str().to_owned()).unwrap_or_default();
    let new = queries::NewCustomer {
        id,
        email: &wish.email,
        hash: Some(hash),
        first_name: name(&wish.first_name),
        last_name: name(&wish.last_name),
        accepts_marketing: wish.accepts_marketing,
        verified: false,
    };
    if queries::insert(tx, new).await? {
        souk_event_bus::emit(tx, &CustomerRegistered { customer_id: id }).await?;
        return want(tx, id, LetterKind::VerifyEmail).await;
    }
    // A disabled customer gets no mail, and nobody learns that: the event names nobody.
    let known = queries::find_by_email(tx, &wish.email).await?.map_or(id, |customer| customer.id);
    want(tx, known, LetterKind::AlreadyRegistered).await
}

/// Makes an account for somebody whose address a provider has verified, without a password; `None` when the address has one.
///
/// # Errors
/// The database's only.
pub async fn register_vouched(
    tx: &mut WriteTx<'_>,
    email: &Email,
    (first_name, last_name): (String, String),
) -> Result<Option<CustomerId>, CustomerError> {
    let id = CustomerId::new();
    let new = queries::NewCustomer {
        id,
        email,
        hash: None,
        first_name,
        last_name,
        accepts_marketing: false,
        verified: true,
    };
    if !queries::insert(tx, new).await? {
        return Ok(None);
    }
    souk_event_bus::emit(tx, &CustomerRegistered { customer_id: id }).await?;
    Ok(Some(id))
}

/// Tells a customer by mail that an identity of this provider now is a way into their account, or is none any more.
///
/// # Errors
/// The database's only.
pub async fn tell_of_identity(
    tx: &mut WriteTx<'_>,
    customer_id: CustomerId,
    provider: &str,
    linked: bool,
) -> Result<(), CustomerError> {
    let letter = if linked { LetterKind::IdentityLinked } else { LetterKind::IdentityUnlinked };
    let provider = Some(provider.to_owned());
    souk_event_bus::emit(tx, &LetterWanted { customer_id, letter, session_id: None, provider }).await?;
    Ok(())
}

/// Sends the confirmation mail again; earlier links stop working.
pub async fn resend_verification(tx: &mut WriteTx<'_>, id: CustomerId) -> Result<(), CustomerError> {
    let customer = queries::find(tx, id).await?.ok_or(CustomerError::Unknown)?;
    if customer.verified_at.is_some() {
        return Err(CustomerError::VerifiedAlready);
    }
    want(tx, id, LetterKind::VerifyEmail).await
}

/// Uses a mailed secret up and locks the customer it was for. One answer for every reason it may not work.
async fn follow(
    tx: &mut WriteTx<'_>,
    purpose: Purpose,
    secret: &LinkSecret,
) -> Result<Customer, CustomerError> {
    let used = queries::use_secret(tx, &[purpose], &secret.digest()).await?;
    let used = used.ok_or(CustomerError::LinkUnusable)?;
    let customer = queries::lock(tx, used.customer_id).await?;
    customer
        .filter(|customer| customer.state == "enabled" && customer.email_key() == used.email_key)
        .ok_or(CustomerError::LinkUnusable)
}

/// Confirms the mailbox a link was mailed to.
pub async fn verify(tx: &mut WriteTx<'_>, secret: &LinkSecret) -> Result<(), CustomerError> {
    let customer = follow(tx, Purpose::VerifyEmail, secret).await?;
    Ok(queries::mark_verified(tx, customer.id).await?)
}

/// Asks for a reset link. Costs the same for a mailbox nobody has: then the event names nobody.
pub async fn request_reset(tx: &mut WriteTx<'_>, email: &Email) -> Result<(), CustomerError> {
    let known = queries::find_by_email(tx, email).await?.map_or_else(CustomerId::new, |customer| customer.id);
    want(tx, known, LetterKind::ResetPassword).await
}

/// Sets a new password with a mailed secret. Whoever followed the link reads this mailbox, so it is confirmed too.
pub async fn complete_reset(
    tx: &mut WriteTx<'_>,
    secret: &LinkSecret,
    hash: &PasswordHash,
) -> Result<(), CustomerError> {
    let customer = follow(tx, Purpose::ResetPassword, secret).await?;
    queries::mark_verified(tx, customer.id).await?;
    change_password(tx, customer.id, hash).await
}

/// Sets a new password, ends every session and every reset link, and tells the customer.
pub async fn change_password(
    tx: &mut WriteTx<'_>,
    id: CustomerId,
    hash: &PasswordHash,
) -> Result<(), CustomerError> {
    queries::set_password(tx, id, hash).await?;
    queries::void_secrets(tx, id, Purpose::ResetPassword).await?;
    queries::end_all(tx, id, EndReason::PasswordChanged).await?;
    want(tx, id, LetterKind::PasswordChanged).await
}

/// Holds that a signed-in customer is who they are: by their current password, where guesses are counted like sign-ins; or, of whoever has
/// none and types none, by a session that their provider vouched for lately.
///
/// # Errors
/// [`CustomerError::WrongPassword`], also for one who has a password and types none; 429 after too many; 401 `step_up_required` for a
/// session that is older: signing in with the provider again gives one that is not.
pub async fn prove<P: souk_access::Permission<Access = souk_access::Writes>>(
    permit: &Permit<P>,
    reception: &Reception,
    origin: &Origin,
    typed: Option<&str>,
) -> Result<Customer, CustomerError> {
    let id = customer_of(permit)?;
    let Some(typed) = typed else { return prove_by_session(permit, id).await };
    let begin = async move |tx: &mut WriteTx<'_>| {
        attempt(tx, Door::Password, &id.to_string(), origin).await?;
        let customer = queries::find(tx, id).await?.ok_or(CustomerError::Unknown)?;
        Ok::<_, CustomerError>((customer, queries::password(tx, id).await?))
    };
    let (customer, hash) = permit.write("customers.prove", begin).await?;
    let password = Password::presented(typed).map_err(|_| CustomerError::WrongPassword)?;
    if !reception.hasher.verify(password, hash.as_ref()).await? {
        return Err(CustomerError::WrongPassword);
    }
    let end = async move |tx: &mut WriteTx<'_>| forgive(tx, Door::Password, &id.to_string(), origin).await;
    permit.write("customers.proved", end).await?;
    Ok(customer)
}

async fn prove_by_session<P>(permit: &Permit<P>, id: CustomerId) -> Result<Customer, CustomerError> {
    let session = session_of(permit);
    let look = async move |tx: &mut ReadTx<'_>| {
        let customer = queries::find(tx, id).await?.ok_or(CustomerError::Unknown)?;
        if queries::password(tx, id).await?.is_some() {
            return Err(CustomerError::WrongPassword);
        }
        let proved_at = match session {
            Some(session) => queries::proved_at(tx, id, session).await?,
            None => None,
        };
        if is_lately(proved_at, tx.now()) {
            return Ok(customer);
        }
        let hint = "Sign in with your provider again, with `fresh=true`, and ask within 15 minutes.";
        Err(step_up().hint(hint).into())
    };
    permit.read("customers.proved_elsewhere", look).await
}

/// Changes the profile.
pub async fn edit_account(
    tx: &mut WriteTx<'_>,
    id: CustomerId,
    seen: &IfMatch,
    wish: &EditAccount,
) -> Result<Customer, CustomerError> {
    let customer = queries::lock(tx, id).await?.ok_or(CustomerError::Unknown)?;
    seen.check(&ETag::new(customer.version))?;
    queries::edit_account(tx, id, wish).await?;
    queries::find(tx, id).await?.ok_or(CustomerError::Unknown)
}

/// Keeps the wish for another mailbox and mails a link to both.
pub async fn wish_email(tx: &mut WriteTx<'_>, id: CustomerId, email: &Email) -> Result<(), CustomerError> {
    queries::lock(tx, id).await?.ok_or(CustomerError::Unknown)?;
    queries::wish_change(tx, id, email).await?;
    want(tx, id, LetterKind::ConfirmOldEmail).await?;
    want(tx, id, LetterKind::ConfirmNewEmail).await
}

/// One mailbox agrees; when both have, the address is changed and every session ends.
pub async fn confirm_email(tx: &mut WriteTx<'_>, secret: &LinkSecret) -> Result<EmailChange, CustomerError> {
    let purposes = [Purpose::EmailOld, Purpose::EmailNew];
    let used = queries::use_secret(tx, &purposes, &secret.digest()).await?;
    let used = used.ok_or(CustomerError::LinkUnusable)?;
    let id = used.customer_id;
    let customer = queries::lock(tx, id).await?.filter(|customer| customer.state == "enabled");
    let customer = customer.ok_or(CustomerError::LinkUnusable)?;
    let change = queries::lock_change(tx, id).await?.ok_or(CustomerError::LinkUnusable)?;
    let sent_to = if used.from_old { customer.email_key() } else { change.email_key.clone() };
    if sent_to != used.email_key {
        return Err(CustomerError::LinkUnusable);
    }
    let other_agreed = if used.from_old { change.new_confirmed_at } else { change.old_confirmed_at };
    if other_agreed.is_none() {
        queries::confirm_change(tx, id, used.from_old).await?;
        return Ok(EmailChange { changed: false });
    }
    // Somebody else may have registered it meanwhile; then the change is off.
    if !queries::set_email(tx, id, &change.email, &change.email_key).await? {
        return Err(CustomerError::LinkUnusable);
    }
    queries::forget_change(tx, id).await?;
    queries::void_secrets(tx, id, Purpose::ResetPassword).await?;
    queries::end_all(tx, id, EndReason::EmailChanged).await?;
    want(tx, id, LetterKind::EmailChanged).await?;
    Ok(EmailChange { changed: true })
}
