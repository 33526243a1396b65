//! Asking for a store.

use serde_json::json;
use souk_kernel::{AccountId, HostLabel, OperationId, OrganizationId, Text};
use souk_tenancy::WriteTx;

use super::super::error::StoreError;
use super::super::model::{Defaults, ManagedBy, OpenStore, Store, handle_candidates};
use super::super::state::StoreState;
use super::super::{permissions, queries};
use crate::audit::{self, By, Subject, Was};
use crate::cluster::object_name;
use crate::members;
use crate::operations::{self, NewOperation, OperationKind};
use crate::organizations;
use crate::plane::Plane;
use crate::plans::PlanId;

/// Writes down the wish for a store: name taken, quota counted, work queued. Locks the organization, so that two requests
/// cannot both take its last place. Gives the operation that opens it.
pub async fn open(
    tx: &mut WriteTx<'_>,
    plane: &Plane,
    by: &By,
    account: AccountId,
    wish: &OpenStore,
) -> Result<OperationId, StoreError> {
    let defaults = Defaults::of(wish.country).ok_or(StoreError::Country)?;
    let organization = choose_organization(tx, plane, by, account, wish).await?;
    organizations::lock(tx, organization).await?.ok_or(StoreError::UnknownOrganization)?;
    let plan = wish.plan.unwrap_or(PlanId::Free);
    demand_place(tx, organization, plan).await?;

    let request = OperationId::new();
    let handle = take_name(tx, organization, request, wish).await?;
    let now = tx.now();
    let store = Store {
        request_id: request,
        id: None,
        organization_id: organization,
        name: wish.name.clone(),
        country: wish.country,
        currency: wish.currency.unwrap_or(defaults.currency),
        locale: wish.locale.clone().map_or(defaults.locale, String::from),
        time_zone: wish.time_zone.clone().map_or(defaults.time_zone, String::from),
        plan,
        state: StoreState::Opening,
        purge_after: None,
        created_at: now,
        updated_at: now,
        version: 1,
        namespace: plane.settings().store_namespace.clone(),
        // Decided with the row: whoever carries it out looks there, wherever others are made later.
        resource: plane.settings().store_namespace.is_some().then(|| object_name(handle.as_str(), None)),
        resource_uid: None,
        managed_by: ManagedBy::ControlPlane,
        conflicts: json!([]),
        handle,
    };
    queries::insert(tx, &store).await?;
    let operation = NewOperation {
        id: request,
        kind: OperationKind::OpenStore,
        organization,
        store_request: request,
        requested_by: Some(account),
        input: json!({}),
    };
    operations::submit(tx, &operation).await?;
    let detail =
        json!({ "name": store.name, "handle": store.handle, "country": store.country, "plan": plan });
    let was = Was::nothing(Subject::Store(request));
    audit::record(tx, organization, by, "store.requested", request.to_string(), was, detail).await?;
    Ok(request)
}

/// The organization named, the only one there is, or a new one with the store's name.
async fn choose_organization(
    tx: &mut WriteTx<'_>,
    plane: &Plane,
    by: &By,
    account: AccountId,
    wish: &OpenStore,
) -> Result<OrganizationId, StoreError> {
    if let Some(organization) = wish.organization {
        let role =
            members::role_of(tx, account, organization).await?.ok_or(StoreError::UnknownOrganization)?;
        plane.demand::<permissions::Open>(role)?;
        return Ok(organization);
    }
    let mut mine = organizations::of_account(tx, account).await?;
    mine.retain(|(_, role)| plane.demand::<permissions::Open>(*role).is_ok());
    match mine.as_slice() {
        [] => {
            let name: &Text<120> = &wish.name;
            Ok(organizations::found(tx, by, account, name).await?.id)
        }
        [(only, _)] => Ok(only.id),
        _ => Err(StoreError::WhichOrganization),
    }
}

/// Refuses one more store than the plan allows.
pub(super) async fn demand_place(
    tx: &mut WriteTx<'_>,
    organization: OrganizationId,
    plan: PlanId,
) -> Result<(), StoreError> {
    let limit = plan.plan().max_stores;
    if queries::count(tx, organization, plan).await? < limit {
        Ok(())
    } else {
        Err(StoreError::Quota { plan: plan.as_str(), limit })
    }
}

/// The handle wished for, or the first free one made of the name.
async fn take_name(
    tx: &mut WriteTx<'_>,
    organization: OrganizationId,
    request: OperationId,
    wish: &OpenStore,
) -> Result<HostLabel, StoreError> {
    if let Some(handle) = &wish.handle {
        let taken = queries::take_name(tx, handle, organization, request).await?;
        return if taken { Ok(handle.clone()) } else { Err(StoreError::HandleTaken) };
    }
    for handle in handle_candidates(&wish.name) {
        if queries::take_name(tx, &handle, organization, request).await? {
            return Ok(handle);
        }
    }
    Err(StoreError::HandleTaken)
}
