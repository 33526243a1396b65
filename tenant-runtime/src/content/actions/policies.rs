//! Policies: versions are added, never changed, so that what somebody agreed to can be read for good.

use souk_api::{ETag, FieldError, IfMatch};
use souk_kernel::Locale;
use souk_tenancy::{ReadTx, WriteTx};

use crate::content::error::ContentError;
use crate::content::model::{
    PolicyKind, PolicyVersion, PolicyView, PutPolicy, ShopPolicyView, clean, translated,
};
use crate::content::queries::policies as queries;

/// The last version of every policy that there ever was. One statement.
pub async fn all(tx: &mut ReadTx<'_>) -> Result<Vec<PolicyView>, ContentError> {
    Ok(queries::in_force(tx).await?.into_iter().map(PolicyView::from).collect())
}

/// The last version of a policy. One statement.
pub async fn show(tx: &mut ReadTx<'_>, kind: PolicyKind) -> Result<PolicyView, ContentError> {
    let version = queries::version(tx, kind, None).await?.ok_or(ContentError::Unknown)?;
    Ok(version.into())
}

/// The policies in force, as shoppers read them. One statement.
pub async fn open(tx: &mut ReadTx<'_>, locale: Option<&Locale>) -> Result<Vec<ShopPolicyView>, ContentError> {
    let versions = queries::in_force(tx).await?;
    Ok(versions.into_iter().filter_map(|version| ShopPolicyView::of(version, locale)).collect())
}

/// A policy as shoppers read it: the one in force, or an earlier version. One statement.
pub async fn show_open(
    tx: &mut ReadTx<'_>,
    kind: PolicyKind,
    number: Option<i32>,
    locale: Option<&Locale>,
) -> Result<ShopPolicyView, ContentError> {
    let version = queries::version(tx, kind, number).await?.ok_or(ContentError::Unknown)?;
    ShopPolicyView::of(version, locale).ok_or(ContentError::Unknown)
}

/// The next version; from now on it holds.
pub async fn put(
    tx: &mut WriteTx<'_>,
    kind: PolicyKind,
    seen: IfMatch,
    wish: &PutPolicy,
    actor: &str,
) -> Result<PolicyView, ContentError> {
    let translations = translated(&wish.translations).map_err(ContentError::Invalid)?;
    let body = clean(wish.body_html.as_str());
    if body.trim().is_empty() {
        return Err(
            FieldError::new("/body_html", "required", "must say something; else delete the policy").into()
        );
    }
    let last = queries::version(tx, kind, None).await?;
    let number = last.map_or(0, |last| last.number);
    seen.check(&ETag::new(number)).map_err(ContentError::Precondition)?;
    let version = PolicyVersion {
        kind,
        number: number + 1,
        title: wish.title.as_ref().map_or_else(|| kind.title().to_owned(), ToString::to_string),
        body_html: Some(body),
        translations,
        created_by: actor.to_owned(),
        created_at: tx.now(),
    };
    queries::add(tx, &version).await?;
    tx.catalogue_changed();
    Ok(version.into())
}

/// From now on there is no such policy. Its versions stay; withdrawn already is fine.
pub async fn withdraw(tx: &mut WriteTx<'_>, kind: PolicyKind, actor: &str) -> Result<(), ContentError> {
    let last = queries::version(tx, kind, None).await?.ok_or(ContentError::Unknown)?;
    if last.body_html.is_none() {
        // Nothing was done.
        tx.logged();
        return Ok(());
    }
    let version = PolicyVersion {
        number: last.number + 1,
        body_html: None,
        translations: Vec::new(),
        created_by: actor.to_owned(),
        created_at: tx.now(),
        ..last
    };
    queries::add(tx, &version).await?;
    tx.catalogue_changed();
    Ok(())
}
