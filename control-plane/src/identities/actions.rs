//! The stories of signing in with others.

use souk_access::{ControlPermit, LinkSecret, Permission, Writes};
use souk_api::Problem;
use souk_kernel::{AccountId, IdentityId};
use souk_openid::{OpenIdError, Person, Provider, challenge};
use souk_tenancy::{ReadTx, WriteTx};
use url::Url;

use super::error::IdentityError;
use super::model::{Back, Begin, PAGE, Ticket, believable_email, flow, name_of};
use super::{permissions, queries};
use crate::accounts::{self, Account, AccountError};
use crate::config::Settings;
use crate::factors::Guess;
use crate::messages::{self, Letter};
use crate::plane::Plane;
use crate::sessions::{self, Tokens};

type SignInPermit = ControlPermit<permissions::SignIn>;

/// A configured provider, by its id.
pub fn provider<'p>(plane: &'p Plane, id: &str) -> Result<&'p Provider, IdentityError> {
    plane.providers().iter().find(|provider| provider.id() == id).ok_or(IdentityError::UnknownProvider)
}

/// Where a provider sends the browser back to. Each has its own: an answer of one is never taken for another's.
fn back(settings: &Settings, provider: &Provider) -> Result<Url, OpenIdError> {
    Ok(format!("{}/v1/sign-in/{}/callback", settings.public_url, provider.id()).parse()?)
}

/// The address at the provider, once the provider has said where that is.
pub async fn begin(
    permit: &SignInPermit,
    plane: &Plane,
    provider: &Provider,
    wish: &Begin,
) -> Result<Url, IdentityError> {
    let challenge = wish.digest().ok_or(IdentityError::Challenge)?;
    let state = LinkSecret::mint()?;
    let there = async {
        let back = back(plane.settings(), provider)?;
        provider.begin(&back, &flow(plane.signing(), &state), wish.fresh).await
    };
    let there = there.await.map_err(IdentityError::Away)?;
    let digest = state.digest();
    let note = async move |tx: &mut WriteTx<'_>| {
        Ok::<_, IdentityError>(queries::insert_flow(tx, &digest, provider.id(), challenge).await?)
    };
    permit.write("identities.begin", note).await?;
    Ok(there)
}

/// The browser is back: the page to send it to, with a ticket or with why there is none. The provider is asked between two transactions.
pub async fn come_back(
    permit: &SignInPermit,
    plane: &Plane,
    provider: &Provider,
    answer: Back,
) -> Result<String, Problem> {
    let state = answer.state.as_deref().and_then(LinkSecret::parse);
    let state = state.ok_or(IdentityError::UnknownSignIn)?;
    let digest = state.digest();
    let find = async move |tx: &mut WriteTx<'_>| {
        let found = queries::use_flow(tx, &digest, provider.id()).await?;
        found.ok_or(IdentityError::UnknownSignIn)
    };
    let challenge = permit.write("identities.back", find).await?;
    let person = match (answer.code, answer.error) {
        (Some(code), None) => {
            let flow = flow(plane.signing(), &state);
            let now = permit.clock().now();
            match back(plane.settings(), provider) {
                Ok(back) => provider.finish(&back, &flow, code, answer.iss.as_deref(), now).await,
                Err(error) => Err(error),
            }
        }
        (_, told) => {
            tracing::info!(provider = provider.id(), told, "a provider sent somebody back without a code");
            return Ok(failed(
                plane,
                if told.as_deref() == Some("access_denied") { "denied" } else { "refused" },
            ));
        }
    };
    match person {
        Ok(person) => Ok(keep(permit, plane, provider, challenge, &person).await?),
        Err(error) => {
            tracing::warn!(provider = provider.id(), %error, "what a provider said of somebody was not believed");
            Ok(failed(plane, error.word()))
        }
    }
}

fn failed(plane: &Plane, why: &'static str) -> String {
    format!("{}#error={why}", plane.settings().page(PAGE))
}

async fn keep(
    permit: &SignInPermit,
    plane: &Plane,
    provider: &Provider,
    challenge: Vec<u8>,
    person: &Person,
) -> Result<String, IdentityError> {
    let ticket = LinkSecret::mint()?;
    let (digest, person) = (ticket.digest(), serde_json::to_value(person)?);
    let note = async move |tx: &mut WriteTx<'_>| {
        let kept = queries::insert_ticket(tx, &digest, provider.id(), challenge, person).await;
        Ok::<_, IdentityError>(kept?)
    };
    permit.write("identities.keep", note).await?;
    Ok(plane.settings().link(PAGE, ticket.expose()))
}

/// Uses a ticket up, if the verifier is of the client that began. A transaction that fails later gives it back.
async fn redeem(tx: &mut WriteTx<'_>, ticket: &str, verifier: &str) -> Result<Ticket, IdentityError> {
    let secret = LinkSecret::parse(ticket).ok_or(IdentityError::TicketUnusable)?;
    let found = queries::use_ticket(tx, &secret.digest()).await?;
    let (provider, begun, person) = found.ok_or(IdentityError::TicketUnusable)?;
    if !challenge::fits(verifier, &begun) {
        return Err(IdentityError::TicketUnusable);
    }
    Ok(Ticket { provider, person: serde_json::from_value(person)? })
}

/// Who is behind a ticket here: the account the identity is linked to, or a new one.
async fn account_of(tx: &mut WriteTx<'_>, ticket: &Ticket) -> Result<Account, IdentityError> {
    let person = &ticket.person;
    if let Some((_, account)) = queries::meet(tx, person).await? {
        return accounts::find(tx, account).await?.ok_or(IdentityError::TicketUnusable);
    }
    let email = believable_email(person).ok_or(IdentityError::EmailUnverified)?;
    let name = name_of(person, &email).ok_or(AccountError::NameNeeded)?;
    let account = accounts::insert_vouched(tx, &email, &name).await?.ok_or(IdentityError::Unlinked)?;
    link(tx, account.id, &ticket.provider, person).await?;
    Ok(account)
}

/// Links a person whom [`queries::meet`] did not know. Somebody else may have been faster.
async fn link(
    tx: &mut WriteTx<'_>,
    account: AccountId,
    provider: &str,
    person: &Person,
) -> Result<IdentityId, IdentityError> {
    let id = IdentityId::new();
    if queries::insert(tx, id, account, provider, person).await? { Ok(id) } else { Err(IdentityError::Taken) }
}

/// Signs in whoever is behind a ticket; a first sign-in makes the account. Where there is a second factor, its code is asked for too, and
/// without it the ticket stays good.
pub async fn sign_in(
    tx: &mut WriteTx<'_>,
    ticket: &str,
    verifier: &str,
    guess: &Guess<'_>,
) -> Result<Tokens, IdentityError> {
    let ticket = redeem(tx, ticket, verifier).await?;
    let account = account_of(tx, &ticket).await?;
    let now = tx.now();
    // Signed in there an hour ago is no proof of now.
    let proved_at = ticket.person.authenticated_at.map_or(now, |at| at.min(now));
    Ok(sessions::open(tx, account, guess, proved_at).await?)
}

/// Links the identity behind a ticket to the account of whoever is signed in. Once linked to it, it stays.
pub async fn link_to(
    tx: &mut WriteTx<'_>,
    settings: &Settings,
    account: AccountId,
    ticket: &str,
    verifier: &str,
) -> Result<(), IdentityError> {
    let ticket = redeem(tx, ticket, verifier).await?;
    match queries::meet(tx, &ticket.person).await? {
        Some((_, owner)) if owner == account => return Ok(()),
        Some(_) => return Err(IdentityError::Taken),
        None => link(tx, account, &ticket.provider, &ticket.person).await?,
    };
    tell(tx, settings, account, &ticket.provider, true).await
}

/// Takes an identity away, unless nobody could sign in any more.
pub async fn unlink(
    tx: &mut WriteTx<'_>,
    settings: &Settings,
    account: AccountId,
    id: IdentityId,
) -> Result<(), IdentityError> {
    // Of two parallel wishes the second waits here, and sees what the first left.
    accounts::lock(tx, account).await?.ok_or(AccountError::Gone)?;
    let provider = queries::delete(tx, account, id).await?.ok_or(IdentityError::Unknown)?;
    let has_password = accounts::password(tx, account).await?.is_some();
    if !has_password && queries::list(tx, account).await?.is_empty() {
        return Err(IdentityError::LastWayIn);
    }
    tell(tx, settings, account, &provider, false).await
}

async fn tell(
    tx: &mut WriteTx<'_>,
    settings: &Settings,
    account: AccountId,
    provider: &str,
    linked: bool,
) -> Result<(), IdentityError> {
    let account = accounts::find(tx, account).await?.ok_or(AccountError::Gone)?;
    let link = settings.page("forgot-password");
    let letter =
        Letter::Identity { name: account.name.as_str(), email: &account.email, provider, linked, link };
    Ok(messages::queue(tx, &account.locale, &letter).await?)
}

/// The account a ticket would sign in, if it is linked: whose guesses at a second factor are counted.
pub async fn peek<P: Permission<Access = Writes>>(
    permit: &ControlPermit<P>,
    ticket: &str,
) -> Result<Option<AccountId>, IdentityError> {
    let Some(secret) = LinkSecret::parse(ticket) else { return Ok(None) };
    let find = async move |tx: &mut ReadTx<'_>| {
        Ok::<_, IdentityError>(queries::account_behind(tx, &secret.digest()).await?)
    };
    permit.read("identities.peek", find).await
}
