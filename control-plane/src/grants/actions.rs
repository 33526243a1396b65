//! The stories of a grant.

use chrono::TimeDelta;
use serde_json::json;
use souk_kernel::{AccountId, OrganizationId, StoreGrantId, StoreId};
use souk_tenancy::{ReadTx, WriteTx};

use super::error::GrantError;
use super::model::{Grant, NewGrant};
use super::queries;
use crate::accounts::{self, Account};
use crate::audit::{self, By, Subject, Was};
use crate::config::Settings;
use crate::messages::{self, Letter};
use crate::{members, stores};

/// The account, if it is of the platform: named in the configuration by an address it has confirmed.
async fn of_the_platform(
    tx: &mut ReadTx<'_>,
    settings: &Settings,
    account: AccountId,
) -> Result<Account, GrantError> {
    let account = accounts::find(tx, account).await?.ok_or(GrantError::NotOfThePlatform)?;
    let named = settings.platform_staff.iter().any(|email| email.key() == account.email.key());
    if named && account.verified_at.is_some() { Ok(account) } else { Err(GrantError::NotOfThePlatform) }
}

/// Grants a look at a store. Told in the log of its organization, and to its owners by mail.
pub async fn request(
    tx: &mut WriteTx<'_>,
    settings: &Settings,
    by: &By,
    account: AccountId,
    wish: &NewGrant,
) -> Result<Grant, GrantError> {
    let holder = of_the_platform(tx, settings, account).await?;
    wish.check()?;
    let store = stores::find(tx, wish.store).await?.ok_or(GrantError::Unknown)?;
    let now = tx.now();
    let grant = Grant {
        id: StoreGrantId::new(),
        store_id: wish.store,
        account_id: account,
        holder: holder.email.as_str().to_owned(),
        reason: wish.reason.as_str().to_owned(),
        created_at: now,
        expires_at: now + TimeDelta::minutes(wish.minutes),
        withdrawn_at: None,
    };
    queries::insert(tx, &grant).await?;
    let detail = json!({
        "store": wish.store, "holder": grant.holder, "reason": grant.reason, "minutes": wish.minutes,
    });
    let page = format!("stores/{}/grants", wish.store);
    for (name, email, locale) in members::owners(tx, store.organization_id).await? {
        let letter = Letter::StoreGrant {
            name: name.as_str(),
            store: store.name.as_str(),
            holder: &grant.holder,
            reason: &grant.reason,
            minutes: wish.minutes,
            email: &email,
            link: settings.page(&page),
        };
        messages::queue(tx, &locale, &letter).await?;
    }
    let (action, was) = ("store_grant.made", Was::nothing(Subject::Grant(grant.id)));
    audit::record(tx, store.organization_id, by, action, grant.id.to_string(), was, detail).await?;
    Ok(grant)
}

/// A grant of one's own that is not over, while one is of the platform, and its store.
pub async fn enter(
    tx: &mut ReadTx<'_>,
    settings: &Settings,
    account: AccountId,
    id: StoreGrantId,
) -> Result<(Grant, stores::Store), GrantError> {
    of_the_platform(tx, settings, account).await?;
    let grant = queries::own(tx, id, account).await?.ok_or(GrantError::Unknown)?;
    let store = stores::find(tx, grant.store_id).await?.ok_or(GrantError::Unknown)?;
    if grant.rest(tx.now()).is_none() {
        return Err(GrantError::Over);
    }
    Ok((grant, store))
}

/// Takes a grant back; again is fine. Tokens that were made by it are refused within a second.
pub async fn withdraw(
    tx: &mut WriteTx<'_>,
    by: &By,
    organization: OrganizationId,
    store: StoreId,
    id: StoreGrantId,
) -> Result<(), GrantError> {
    let was = audit::look(tx, Subject::Grant(id)).await?;
    let grant = queries::withdraw(tx, store, id).await?.ok_or(GrantError::Unknown)?;
    let detail = json!({ "store": store, "holder": grant.holder });
    Ok(audit::record(tx, organization, by, "store_grant.withdrawn", id.to_string(), was, detail).await?)
}
