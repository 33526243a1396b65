//! An organization and how it is told.

use chrono::{DateTime, Utc};
use diesel::{Queryable, Selectable};
use serde::{Deserialize, Serialize};
use souk_kernel::{OrganizationId, Text};
use utoipa::ToSchema;

use crate::members::Role;
use crate::schema::organizations;

#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = organizations)]
pub struct Organization {
    pub id: OrganizationId,
    pub name: Text<120>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub version: i64,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct OrganizationView {
    pub id: OrganizationId,
    #[schema(example = "Analytical Engines")]
    pub name: Text<120>,
    /// Your role in it.
    pub role: Role,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl Organization {
    pub fn view(self, role: Role) -> OrganizationView {
        let Self { id, name, created_at, updated_at, version: _ } = self;
        OrganizationView { id, name, role, created_at, updated_at }
    }
}

/// Found an organization.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Mugs of Bern"}))]
pub struct NewOrganization {
    #[schema(example = "Analytical Engines")]
    pub name: Text<120>,
}

/// Change an organization. Only what is given changes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Mugs of Bern"}))]
pub struct EditOrganization {
    #[schema(example = "Difference Engines")]
    pub name: Option<Text<120>>,
}
