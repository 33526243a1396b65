//! The stories of signing in with others: there and back, whose account it is, and what owners say about providers.

mod people;
mod providers;
mod sessions;

use souk_access::{LinkSecret, Permit};
use souk_api::Problem;
use souk_openid::{Person, Provider};
use souk_tenancy::{ReadTx, WriteTx};
use url::Url;

use super::error::IdentityError;
use super::model::{Audience, Back, Begin, Embassy, ProviderRow};
use super::permissions::SignIn;
use super::queries;
use crate::storefront;

pub use people::{
    enter_customer, enter_staff, join, link_customer, link_staff, unlink_customer, unlink_staff,
};
pub use providers::{check, edited, make, put, remove, wished};
pub use sessions::{
    end as end_session, end_all_of as end_sessions_of, end_of as end_session_of, refresh, sign_out,
};

/// A provider that vouches for these people.
async fn provider(
    permit: &Permit<SignIn>,
    embassy: &Embassy,
    audience: Audience,
    id: &str,
) -> Result<(ProviderRow, Provider), IdentityError> {
    let find = async move |tx: &mut ReadTx<'_>| {
        let found = queries::providers::find_open(tx, audience, id).await?;
        found.ok_or(IdentityError::UnknownProvider)
    };
    let row = permit.read("identities.provider", find).await?;
    let provider = embassy.provider(permit.store(), &row)?;
    Ok((row, provider))
}

/// The address at the provider, once the provider has said where that is.
///
/// # Errors
/// 404 for no such provider, 503 while it is away.
pub async fn begin(
    permit: &Permit<SignIn>,
    embassy: &Embassy,
    audience: Audience,
    id: &str,
    wish: &Begin,
) -> Result<Url, IdentityError> {
    let challenge = wish.digest().ok_or(IdentityError::Challenge)?;
    let (row, provider) = provider(permit, embassy, audience, id).await?;
    let state = LinkSecret::mint()?;
    let back = embassy.callback(permit.entry(), audience, &row.id)?;
    let flow = embassy.flow(permit.store(), &state);
    let there = provider.begin(&back, &flow, wish.fresh).await.map_err(IdentityError::Away)?;
    let (digest, id) = (state.digest(), row.id.as_str());
    let note = async move |tx: &mut WriteTx<'_>| {
        Ok::<_, IdentityError>(queries::insert_flow(tx, &digest, id, challenge).await?)
    };
    permit.write("identities.begin", note).await?;
    Ok(there)
}

/// The browser is back: the address to send it to, with a ticket or with why there is none. The provider is asked between two transactions.
///
/// # Errors
/// 400 for a state that was never given, was used, or is too old; 404 for no such provider.
pub async fn come_back(
    permit: &Permit<SignIn>,
    embassy: &Embassy,
    audience: Audience,
    id: &str,
    answer: Back,
) -> Result<String, Problem> {
    let (row, provider) = provider(permit, embassy, audience, id).await?;
    let state = answer.state.as_deref().and_then(LinkSecret::parse).ok_or(IdentityError::UnknownSignIn)?;
    let (digest, id) = (state.digest(), row.id.as_str());
    let find = async move |tx: &mut WriteTx<'_>| {
        let challenge = queries::use_flow(tx, &digest, id).await?.ok_or(IdentityError::UnknownSignIn)?;
        Ok::<_, IdentityError>((challenge, storefront::account_url(tx).await?))
    };
    let (challenge, account_url) = permit.write("identities.back", find).await?;
    let page = embassy.page(permit.entry(), audience, account_url.as_deref());
    let (Some(code), None) = (answer.code, &answer.error) else {
        let told = answer.error.as_deref();
        tracing::info!(provider = id, told, "a provider sent somebody back without a code");
        let why = if told == Some("access_denied") { "denied" } else { "refused" };
        return Ok(format!("{page}#error={why}"));
    };
    let back = embassy.callback(permit.entry(), audience, id)?;
    let flow = embassy.flow(permit.store(), &state);
    let now = permit.clock().now();
    match provider.finish(&back, &flow, code, answer.iss.as_deref(), now).await {
        Ok(person) => {
            let ticket = keep(permit, id, challenge, &person).await?;
            let store = match audience {
                Audience::Customers => String::new(),
                Audience::Staff => format!("&store={}", permit.store()),
            };
            Ok(format!("{page}#token={}{store}", ticket.expose()))
        }
        Err(error) => {
            tracing::warn!(provider = id, %error, "what a provider said of somebody was not believed");
            Ok(format!("{page}#error={}", error.word()))
        }
    }
}

async fn keep(
    permit: &Permit<SignIn>,
    provider: &str,
    challenge: Vec<u8>,
    person: &Person,
) -> Result<LinkSecret, IdentityError> {
    let ticket = LinkSecret::mint()?;
    let (digest, person) = (ticket.digest(), serde_json::to_value(person)?);
    let note = async move |tx: &mut WriteTx<'_>| {
        let kept = queries::insert_ticket(tx, &digest, provider, challenge, person).await;
        Ok::<_, IdentityError>(kept?)
    };
    permit.write("identities.keep", note).await?;
    Ok(ticket)
}
