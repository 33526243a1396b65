//! The stories of an organization.

use serde_json::json;
use souk_api::{ETag, IfMatch};
use souk_kernel::{AccountId, OrganizationId, Text};
use souk_tenancy::{DbError, WriteTx};

use super::error::OrganizationError;
use super::model::{EditOrganization, Organization};
use super::queries;
use crate::audit::{self, By, Subject, Was};
use crate::members::{self, Role};

/// Founds an organization with its first owner.
pub async fn found(
    tx: &mut WriteTx<'_>,
    by: &By,
    owner: AccountId,
    name: &Text<120>,
) -> Result<Organization, DbError> {
    let organization = queries::insert(tx, name).await?;
    members::join(tx, organization.id, owner, Role::Owner).await?;
    let detail = json!({ "name": name });
    let (id, was) = (organization.id, Was::nothing(Subject::Organization(organization.id)));
    audit::record(tx, id, by, "organization.founded", id.to_string(), was, detail).await?;
    Ok(organization)
}

/// Renames it. Locks the row.
pub async fn edit(
    tx: &mut WriteTx<'_>,
    by: &By,
    id: OrganizationId,
    if_match: &IfMatch,
    wish: &EditOrganization,
) -> Result<Organization, OrganizationError> {
    let before = queries::lock(tx, id).await?.ok_or(OrganizationError::Unknown)?;
    if_match.check(&ETag::new(before.version))?;
    let Some(name) = wish.name.as_ref().filter(|name| **name != before.name) else { return Ok(before) };
    let was = audit::look(tx, Subject::Organization(id)).await?;
    let after = queries::rename(tx, id, name).await?;
    let detail = json!({ "from": before.name, "to": after.name });
    audit::record(tx, id, by, "organization.renamed", id.to_string(), was, detail).await?;
    Ok(after)
}

/// Ends it, unless one of its stores still holds data.
pub async fn delete(tx: &mut WriteTx<'_>, by: &By, id: OrganizationId) -> Result<(), OrganizationError> {
    queries::lock(tx, id).await?.ok_or(OrganizationError::Unknown)?;
    let stores = queries::count_stores(tx, id).await?;
    if stores > 0 {
        return Err(OrganizationError::HasStores(stores));
    }
    let was = audit::look(tx, Subject::Organization(id)).await?;
    queries::end(tx, id).await?;
    Ok(audit::record(tx, id, by, "organization.deleted", id.to_string(), was, json!({})).await?)
}
