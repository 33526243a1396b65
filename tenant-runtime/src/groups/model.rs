//! Groups of customers as values and as wishes. Pure.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Text as SqlText, Timestamptz, Uuid as SqlUuid};
use serde::{Deserialize, Serialize};
use souk_api::FieldError;
use souk_kernel::{CustomerGroupId, CustomerId, Handle, LongText, Text};
use utoipa::ToSchema;

/// Most groups that one thing may be only for.
const MOST_FOR_ONE: usize = 50;

/// A group of customers.
#[derive(Clone, Debug, QueryableByName, Serialize, ToSchema)]
pub struct CustomerGroupView {
    #[diesel(sql_type = SqlUuid)]
    pub id: CustomerGroupId,
    #[diesel(sql_type = SqlText)]
    #[schema(example = "Wholesale")]
    pub name: String,
    /// What programs call it by.
    #[diesel(sql_type = SqlText)]
    #[schema(example = "wholesale")]
    pub handle: String,
    /// For colleagues.
    #[diesel(sql_type = SqlText)]
    pub note: String,
    #[diesel(sql_type = BigInt)]
    #[schema(example = 12)]
    pub member_count: i64,
    /// Grows with every change, also of members; the ETag.
    #[diesel(sql_type = BigInt)]
    pub version: i64,
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    pub updated_at: DateTime<Utc>,
}

/// A group without members.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Wholesale"}))]
pub struct CreateCustomerGroup {
    #[schema(value_type = String, max_length = 80, example = "Wholesale")]
    pub name: Text<80>,
    /// Made of the name when left out.
    #[schema(value_type = Option<String>, max_length = 255, example = "wholesale")]
    pub handle: Option<Handle>,
    /// For colleagues.
    #[serde(default)]
    #[schema(value_type = String, max_length = 2000)]
    pub note: LongText<2000>,
}

impl CreateCustomerGroup {
    /// The handle that is wished for, else one made of the name.
    pub fn handle(&self) -> Handle {
        self.handle.clone().unwrap_or_else(|| Handle::slug_of(self.name.as_str()))
    }
}

/// What is left out stays.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"note": "Prices as agreed in spring."}))]
pub struct EditCustomerGroup {
    #[schema(value_type = Option<String>, max_length = 80)]
    pub name: Option<Text<80>>,
    #[schema(value_type = Option<String>, max_length = 255)]
    pub handle: Option<Handle>,
    /// For colleagues; an empty text clears.
    #[schema(value_type = Option<String>, max_length = 2000)]
    pub note: Option<LongText<2000>>,
}

/// Customers to be put into a group and taken out of it. All or none. Whoever is in it already, or is not, stays so.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"add": ["cus_01h455vb4pex5vsknk084sn02q"]}))]
pub struct ChangeMembers {
    #[serde(default)]
    #[schema(max_items = 1000)]
    pub add: Vec<CustomerId>,
    #[serde(default)]
    #[schema(max_items = 1000)]
    pub remove: Vec<CustomerId>,
}

impl ChangeMembers {
    /// Most customers of one request, in both lists together.
    const MOST: usize = 1_000;

    /// What the types cannot say.
    ///
    /// # Errors
    /// Every fault, with its pointer.
    pub fn check(&self) -> Result<(), Vec<FieldError>> {
        if !(1..=Self::MOST).contains(&self.add.len().saturating_add(self.remove.len())) {
            let message = "must be 1 to 1000 customers, with those in `remove`";
            return Err(vec![FieldError::new("/add", "out_of_range", message)]);
        }
        let both = self.remove.iter().enumerate().filter(|(_, customer)| self.add.contains(customer));
        let fault = |(place, _): (usize, &CustomerId)| {
            FieldError::new(format!("/remove/{place}"), "contradictory", "must not be in `add` as well")
        };
        let faults: Vec<FieldError> = both.map(fault).collect();
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }

    /// Those of `add` who cannot be added, if only these can.
    pub fn strangers(&self, known: &[CustomerId]) -> Vec<FieldError> {
        let strange = self.add.iter().enumerate().filter(|(_, customer)| !known.contains(customer));
        let fault = |(place, _): (usize, &CustomerId)| {
            FieldError::new(format!("/add/{place}"), "unknown", "must be a customer of this store")
        };
        strange.map(fault).collect()
    }
}

/// What became of a change of members.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MembersChanged {
    /// How many came in who were not in it.
    #[schema(example = 1)]
    pub added: i64,
    /// How many went who were in it.
    #[schema(example = 0)]
    pub removed: i64,
    pub group: CustomerGroupView,
}

/// Somebody in a group.
#[derive(Clone, Debug, QueryableByName, Serialize, ToSchema)]
pub struct MemberView {
    #[diesel(sql_type = SqlUuid)]
    pub customer: CustomerId,
    #[diesel(sql_type = SqlText)]
    #[schema(example = "ada@example.com")]
    pub email: String,
    #[diesel(sql_type = SqlText)]
    #[schema(example = "Ada")]
    pub first_name: String,
    #[diesel(sql_type = SqlText)]
    #[schema(example = "Lovelace")]
    pub last_name: String,
    #[diesel(sql_type = Timestamptz)]
    pub added_at: DateTime<Utc>,
}

/// A group that a customer is in.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MembershipView {
    pub group: CustomerGroupId,
    #[schema(example = "Wholesale")]
    pub name: String,
    #[schema(example = "wholesale")]
    pub handle: String,
    pub added_at: DateTime<Utc>,
}

/// What is only for a group.
#[derive(Clone, Debug, Default, PartialEq, Eq, QueryableByName)]
pub struct Uses {
    /// Their names.
    #[diesel(sql_type = Array<SqlText>)]
    pub price_lists: Vec<String>,
    /// Their titles.
    #[diesel(sql_type = Array<SqlText>)]
    pub discounts: Vec<String>,
    /// How many that are in force, now or later.
    #[diesel(sql_type = BigInt)]
    pub tax_exemptions: i64,
}

impl Uses {
    /// Whether nothing is.
    pub fn are_none(&self) -> bool {
        *self == Self::default()
    }
}

/// A group as far as whoever changes it must know.
#[derive(QueryableByName)]
pub struct Locked {
    #[diesel(sql_type = BigInt)]
    pub version: i64,
    #[diesel(sql_type = SqlText)]
    pub name: String,
    #[diesel(sql_type = SqlText)]
    pub handle: String,
    #[diesel(sql_type = SqlText)]
    pub note: String,
}

/// What is wrong with the groups that something shall be only for, at `/customer_groups`; that they are there, the database knows.
pub fn too_many(groups: &[CustomerGroupId]) -> Option<FieldError> {
    let fault = || FieldError::new("/customer_groups", "too_many", "must be at most 50 groups");
    (groups.len() > MOST_FOR_ONE).then(fault)
}

#[cfg(test)]
mod rules {
    use super::*;

    #[test]
    fn members_come_or_go_a_thousand_at_a_time() {
        let some = |count: usize| (0..count).map(|_| CustomerId::new()).collect::<Vec<_>>();
        let pointers = |add: Vec<CustomerId>, remove: Vec<CustomerId>| {
            let faults = ChangeMembers { add, remove }.check().err().unwrap_or_default();
            faults.iter().map(|fault| fault.pointer.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(pointers(some(0), some(0)), ["/add"]);
        assert_eq!(pointers(some(600), some(401)), ["/add"]);
        for (add, remove) in [(1, 0), (0, 1), (600, 400)] {
            assert_eq!(pointers(some(add), some(remove)), Vec::<String>::new());
        }
        let ada = CustomerId::new();
        assert_eq!(pointers(vec![ada], vec![CustomerId::new(), ada]), ["/remove/1"]);
        let wish = ChangeMembers { add: vec![ada, CustomerId::new()], remove: Vec::new() };
        let strange = wish.strangers(&[ada]);
        assert_eq!(strange.iter().map(|fault| fault.pointer.to_string()).collect::<Vec<_>>(), ["/add/1"]);
    }
}
