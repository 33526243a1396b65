//! The stories of apps, each inside one transaction, each told in the log.

use chrono::TimeDelta;
use serde_json::{Value, json};
use souk_access::{AppSecret, Gate, MAX_LIFETIME, Permission, Permit, SigningKey};
use souk_api::{ETag, IfMatch};
use souk_kernel::AppId;
use souk_tenancy::{ReadTx, WriteTx};

use super::error::{AppError, Denied, NoToken};
use super::model::{App, AppView, EditApp, MOST_APPS, NewApp, TokenView, grants, scopes_of};
use super::queries;
use crate::audit::{self, By, Change};
use crate::staff::{StaffError, check_scopes};

fn told(app: &App) -> Value {
    json!({ "name": app.name, "requested_scopes": app.requested_scopes, "scopes": app.scopes, "state": app.state })
}

async fn record(
    tx: &mut WriteTx<'_>,
    by: &By,
    action: &str,
    before: Option<&App>,
    after: &App,
) -> Result<(), AppError> {
    let (was, is) = (before.map(told), told(after));
    let change = Change { before: was.as_ref(), after: Some(&is) };
    Ok(audit::record(tx, by, action, &after.id.to_string(), change, is.clone()).await?)
}

/// An app as it is shown.
pub async fn show(tx: &mut ReadTx<'_>, id: AppId) -> Result<(AppView, i64), AppError> {
    let app = queries::find(tx, id).await?.ok_or(AppError::Unknown)?;
    let version = app.version;
    Ok((app.view(queries::secrets(tx, Some(id)).await?), version))
}

/// All of them.
pub async fn list(tx: &mut ReadTx<'_>) -> Result<Vec<AppView>, AppError> {
    let (apps, secrets) = (queries::list(tx).await?, queries::secrets(tx, None).await?);
    let of = |id: AppId| secrets.iter().filter(|secret| secret.app_id == id).cloned().collect();
    Ok(apps.into_iter().map(|app| (app.id, app)).map(|(id, app)| app.view(of(id))).collect())
}

/// Scopes that name something, whoever holds it.
fn known(gate: &Gate, scopes: &[String]) -> Result<(), AppError> {
    Ok(check_scopes(scopes, gate.policy().catalogue().keys(), |_| true)?)
}

/// Registers an app. It may nothing until it is approved.
pub async fn register(
    tx: &mut WriteTx<'_>,
    gate: &Gate,
    by: &By,
    wish: &NewApp,
) -> Result<AppView, AppError> {
    let scopes = scopes_of("/requested_scopes", &wish.requested_scopes)?;
    known(gate, &scopes)?;
    if queries::count(tx).await? >= MOST_APPS {
        return Err(AppError::Field("/name", "must be of one of at most 200 apps"));
    }
    let id = AppId::new();
    let description = wish.description.as_ref().map(ToString::to_string).unwrap_or_default();
    queries::insert(tx, id, wish.name.as_str(), &description, scopes, &by.actor).await?;
    let app = queries::find(tx, id).await?.ok_or(AppError::Unknown)?;
    record(tx, by, "app.requested", None, &app).await?;
    Ok(app.view(Vec::new()))
}

/// Changes what an app is called and asks for; what it was given stays.
pub async fn edit(
    tx: &mut WriteTx<'_>,
    gate: &Gate,
    by: &By,
    id: AppId,
    seen: &IfMatch,
    wish: &EditApp,
) -> Result<(AppView, i64), AppError> {
    let old = living(tx, id).await?;
    seen.check(&ETag::new(old.version))?;
    let mut app = old.clone();
    if let Some(name) = &wish.name {
        app.name = name.as_str().to_owned();
    }
    if let Some(description) = &wish.description {
        app.description = description.to_string();
    }
    if let Some(scopes) = &wish.requested_scopes {
        app.requested_scopes = scopes_of("/requested_scopes", scopes)?;
        known(gate, &app.requested_scopes)?;
        if !gate.covers(&grants(&app.requested_scopes), &grants(&app.scopes)).await? {
            return Err(AppError::Field(
                "/requested_scopes",
                "must hold what was approved; approve less first",
            ));
        }
    }
    queries::edit(tx, &app).await?;
    record(tx, by, "app.changed", Some(&old), &app).await?;
    show(tx, id).await
}

/// The app, locked, unless it was revoked.
async fn living(tx: &mut WriteTx<'_>, id: AppId) -> Result<App, AppError> {
    let app = queries::lock(tx, id).await?.ok_or(AppError::Unknown)?;
    if app.state == "revoked" { Err(AppError::State(app.state)) } else { Ok(app) }
}

/// Nobody gives what they do not hold.
async fn demand_held<P: Permission>(
    permit: &Permit<P>,
    app: &App,
    scopes: &[String],
) -> Result<(), AppError> {
    if permit.covers(&grants(scopes)).await? {
        return Ok(());
    }
    Err(StaffError::BeyondOwn(app.name.clone()).into())
}

/// Gives an app these scopes, or all it asks for; the first time also a secret. Done again it changes what was given, and every token that
/// is out ends.
pub async fn approve<P: Permission>(
    tx: &mut WriteTx<'_>,
    permit: &Permit<P>,
    gate: &Gate,
    by: &By,
    id: AppId,
    scopes: Option<Vec<String>>,
) -> Result<(AppView, Option<AppSecret>), AppError> {
    let old = living(tx, id).await?;
    let scopes = scopes.unwrap_or_else(|| old.requested_scopes.clone());
    check_scopes(&scopes, gate.policy().catalogue().keys(), |key| permit.holds(key))?;
    if !gate.covers(&grants(&old.requested_scopes), &grants(&scopes)).await? {
        return Err(AppError::Field("/scopes", "must be among what the app asks for"));
    }
    // What it holds already must be the giver's too: nobody changes what is above them.
    demand_held(permit, &old, &old.scopes).await?;
    queries::approve(tx, id, scopes, &by.actor).await?;
    let secret = match old.state.as_str() {
        "requested" => Some(AppSecret::mint()?),
        _ => None,
    };
    if let Some(secret) = &secret {
        queries::insert_secret(tx, id, secret).await?;
    }
    let app = queries::find(tx, id).await?.ok_or(AppError::Unknown)?;
    record(tx, by, "app.approved", Some(&old), &app).await?;
    Ok((app.view(queries::secrets(tx, Some(id)).await?), secret))
}

/// Makes another secret. The old one works `overlap` longer; tokens are not touched.
pub async fn rotate<P: Permission>(
    tx: &mut WriteTx<'_>,
    permit: &Permit<P>,
    by: &By,
    id: AppId,
    overlap: TimeDelta,
) -> Result<(AppView, AppSecret), AppError> {
    let app = living(tx, id).await?;
    if app.state != "approved" {
        return Err(AppError::State(app.state));
    }
    demand_held(permit, &app, &app.scopes).await?;
    let secret = AppSecret::mint()?;
    let until = tx.now() + overlap;
    queries::end_secrets(tx, id, until).await?;
    queries::insert_secret(tx, id, &secret).await?;
    let details = json!({ "prefix": secret.prefix(), "overlap_seconds": overlap.num_seconds() });
    audit::record(tx, by, "app.secret_rotated", &id.to_string(), Change::default(), details).await?;
    Ok((app.view(queries::secrets(tx, Some(id)).await?), secret))
}

/// Ends an app: its secrets at once, its tokens within a second.
pub async fn revoke(tx: &mut WriteTx<'_>, by: &By, id: AppId) -> Result<(), AppError> {
    let old = match living(tx, id).await {
        Err(AppError::State(_)) => return Err(AppError::Unknown),
        found => found?,
    };
    queries::revoke(tx, id).await?;
    let app = queries::find(tx, id).await?.ok_or(AppError::Unknown)?;
    record(tx, by, "app.revoked", Some(&old), &app).await
}

/// A token for an app that showed its secret, good for these of its scopes, or for all.
pub async fn token(
    tx: &mut WriteTx<'_>,
    gate: &Gate,
    signing: &SigningKey,
    (id, secret): (AppId, &AppSecret),
    scopes: Option<Vec<String>>,
) -> Result<TokenView, NoToken> {
    let found = queries::meet(tx, id, secret).await.map_err(AppError::from)?;
    let app = found.ok_or(Denied::Client)?;
    let scopes = match scopes {
        None => app.scopes,
        Some(wished) => {
            known(gate, &wished).map_err(|_| Denied::Scope)?;
            if !gate.covers(&grants(&app.scopes), &grants(&wished)).await? {
                return Err(Denied::Scope.into());
            }
            wished
        }
    };
    let now = tx.now();
    let issued = signing.issue_for_app(tx.store(), id, &scopes, app.epoch, now, MAX_LIFETIME);
    let issued = issued.map_err(AppError::from)?;
    Ok(TokenView {
        access_token: issued.text,
        token_type: "Bearer",
        expires_in: issued.expires_at.timestamp() - now.timestamp(),
        scope: scopes.join(" "),
    })
}
