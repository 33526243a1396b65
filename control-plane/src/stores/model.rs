//! A store, what is asked for it, and what its country suggests.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::{Queryable, Selectable};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use souk_access::IssuedToken;
use souk_kernel::{Country, Currency, Handle, HostLabel, OperationId, OrganizationId, StoreId, Text};
use utoipa::{IntoParams, ToSchema};

use super::state::StoreState;
use crate::cluster::{Conflict, Place};
use crate::locale::Locale;
use crate::plans::PlanId;
use crate::schema::stores;
use crate::text_enum::text_enum;

/// How long a released name stays with its organization.
pub const NAME_HELD: TimeDelta = TimeDelta::days(30);

/// A store's row.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = stores)]
pub struct Store {
    pub request_id: OperationId,
    pub id: Option<StoreId>,
    pub organization_id: OrganizationId,
    pub name: Text<120>,
    pub handle: HostLabel,
    pub country: Country,
    pub currency: Currency,
    pub locale: String,
    pub time_zone: String,
    pub plan: PlanId,
    pub state: StoreState,
    pub purge_after: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub version: i64,
    /// Where its Store object is; nowhere for a store that our own provisioner made.
    pub namespace: Option<String>,
    pub resource: Option<String>,
    pub resource_uid: Option<String>,
    pub managed_by: ManagedBy,
    pub conflicts: Value,
}

text_enum! {
    /// Whose word about a Store object counts.
    pub enum ManagedBy {
        /// Ours: changes are asked for here.
        ControlPlane = "control_plane",
        /// Whoever applies the object: this plane only shows what it says.
        Kubernetes = "kubernetes",
    }
}

/// A store's object in the cluster.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClusterView {
    #[schema(example = "souk-stores")]
    pub namespace: String,
    #[schema(example = "analytical-engines")]
    pub name: String,
    pub managed_by: ManagedBy,
    /// Where the object and this plane disagree. Take over to have it as it is here, hand over to have it as it is there.
    pub conflicts: Vec<Conflict>,
}

/// A store as its members see it.
#[derive(Debug, Serialize, ToSchema)]
pub struct StoreView {
    /// Absent only in the answer to the request that opens the store.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<StoreId>,
    pub organization: OrganizationId,
    #[schema(example = "Analytical Engines")]
    pub name: Text<120>,
    pub handle: HostLabel,
    /// Where it answers.
    #[schema(example = "http://analytical-engines.localhost:8081")]
    pub url: String,
    pub country: Country,
    pub currency: Currency,
    #[schema(example = "en-GB")]
    pub locale: String,
    #[schema(example = "Europe/London")]
    pub time_zone: String,
    pub plan: PlanId,
    pub state: StoreState,
    /// Until when a deleted store can be restored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purge_after: Option<DateTime<Utc>>,
    /// Its Store object, where stores live in a Kubernetes cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<ClusterView>,
    /// What can be asked of it now, roles aside.
    #[schema(example = json!(["rename", "suspend", "delete", "enter"]))]
    pub allowed_actions: Vec<&'static str>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl Store {
    /// As shown; `url` makes an address of a handle.
    pub fn view(self, url: impl Fn(&str) -> String) -> StoreView {
        StoreView {
            allowed_actions: self.allowed_actions(),
            cluster: self.place().map(|place| ClusterView {
                namespace: place.namespace,
                name: place.name,
                managed_by: self.managed_by,
                conflicts: self.conflicts(),
            }),
            id: self.id,
            organization: self.organization_id,
            url: url(self.handle.as_str()),
            name: self.name,
            handle: self.handle,
            country: self.country,
            currency: self.currency,
            locale: self.locale,
            time_zone: self.time_zone,
            plan: self.plan,
            state: self.state,
            purge_after: self.purge_after,
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }

    /// Where its object is, if it has one.
    pub fn place(&self) -> Option<Place> {
        let (namespace, name) = self.namespace.clone().zip(self.resource.clone())?;
        Some(Place { namespace, name })
    }

    pub fn conflicts(&self) -> Vec<Conflict> {
        serde_json::from_value(self.conflicts.clone()).unwrap_or_default()
    }

    /// What its people may ask for now.
    pub fn allowed_actions(&self) -> Vec<&'static str> {
        let all = self.state.allowed_actions();
        if self.resource.is_none() || !self.state.can_be_renamed() {
            return all.to_vec();
        }
        match self.managed_by {
            ManagedBy::ControlPlane => {
                let conflict = (!self.conflicts().is_empty()).then_some("take_over");
                all.iter().copied().chain(["hand_over"]).chain(conflict).collect()
            }
            ManagedBy::Kubernetes => {
                all.iter().copied().filter(|action| *action == "enter").chain(["take_over"]).collect()
            }
        }
    }
}

/// Open a store. Name and country are enough.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Mugs of Bern", "country": "CH", "handle": "mugs-of-bern"}))]
pub struct OpenStore {
    #[schema(example = "Analytical Engines")]
    pub name: Text<120>,
    /// ISO 3166-1 alpha-2.
    #[schema(example = "GB")]
    pub country: Country,
    /// The first part of its host; made from the name unless given.
    #[schema(example = "analytical-engines")]
    pub handle: Option<HostLabel>,
    /// ISO 4217; the country's own unless given.
    #[schema(example = "GBP")]
    pub currency: Option<Currency>,
    /// BCP 47; the country's own unless given.
    #[schema(value_type = Option<String>, example = "en-GB")]
    pub locale: Option<Locale>,
    /// IANA; the country's main one unless given.
    #[schema(value_type = Option<String>, example = "Europe/London")]
    pub time_zone: Option<TimeZone>,
    /// `free` unless given.
    pub plan: Option<PlanId>,
    /// Which of your organizations it is for; needed only when there are several. Without any, one is founded.
    pub organization: Option<OrganizationId>,
}

/// Rename a store, or give it another plan. Only what is given changes; a new handle changes its host, the old one stays yours for 30 days.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Mugs of Bern"}))]
pub struct EditStore {
    #[schema(example = "Difference Engines")]
    pub name: Option<Text<120>>,
    #[schema(example = "difference-engines")]
    pub handle: Option<HostLabel>,
    /// Owners and admins choose it. With a smaller plan everything stays that is there; more is refused until there is less than it allows.
    pub plan: Option<PlanId>,
}

/// Which stores to list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct StoreFilter {
    /// Only those of this organization.
    pub organization: Option<OrganizationId>,
}

/// Delete a store: type its handle, so that nobody deletes the wrong one.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ConfirmDelete {
    /// The store's handle.
    pub confirm: String,
}

/// A token for the store's own API.
#[derive(Serialize, ToSchema)]
pub struct StaffToken {
    /// Send it to the store as `Authorization: Bearer …`.
    pub access_token: String,
    #[schema(example = "Bearer")]
    pub token_type: &'static str,
    /// Seconds it lives.
    #[schema(example = 900)]
    pub expires_in: i64,
    /// Where it is good.
    #[schema(example = "http://analytical-engines.localhost:8081")]
    pub store_url: String,
}

impl StaffToken {
    /// As shown once.
    pub fn new(token: IssuedToken, now: DateTime<Utc>, store_url: String) -> Self {
        let expires_in = token.expires_at.timestamp() - now.timestamp();
        Self { access_token: token.text, token_type: "Bearer", expires_in, store_url }
    }
}

/// The name of an IANA time zone: one that some country's row names, or `UTC`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TimeZone(String);

const TIME_ZONES: &str = include_str!("../../policy/time_zones.txt");

impl TryFrom<String> for TimeZone {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        if TIME_ZONES.lines().any(|zone| zone == text) {
            Ok(Self(text))
        } else {
            Err("must be the name of an IANA time zone, like Europe/Berlin")
        }
    }
}

impl From<TimeZone> for String {
    fn from(zone: TimeZone) -> Self {
        zone.0
    }
}

/// What a country suggests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Defaults {
    pub currency: Currency,
    pub locale: String,
    pub time_zone: String,
}

const COUNTRIES: &str = include_str!("../../policy/countries.csv");

impl Defaults {
    /// `None` only for a country that the committed table lacks; a test reads every row.
    pub fn of(country: Country) -> Option<Self> {
        let row = COUNTRIES.lines().find(|line| line.split(',').next() == Some(country.code()))?;
        let mut cells = row.split(',').skip(1);
        let currency = Currency::parse(cells.next()?).ok()?;
        Some(Self { currency, locale: cells.next()?.to_owned(), time_zone: cells.next()?.to_owned() })
    }
}

/// Names to try for a store that was given none, the plain one first. A name without a single usable letter becomes `store-…`.
pub fn handle_candidates(name: &Text<120>) -> impl Iterator<Item = HostLabel> {
    let slug = Handle::slug_of(name.as_str());
    let base: String = slug.as_str().chars().take(32).collect();
    let base = base.trim_matches('-').to_owned();
    let plain = HostLabel::parse(&base).ok();
    let numbered = (2..30_u32).filter_map(move |number| {
        let stem = if base.len() < 3 { "store" } else { base.as_str() };
        HostLabel::parse(&format!("{stem}-{number}")).ok()
    });
    plain.into_iter().chain(numbered)
}

/// Which store to present oneself at.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"store": "sto_01h455vb4pex5vsknk084sn02q"}))]
pub struct PresentAt {
    pub store: StoreId,
}

#[cfg(test)]
mod rules {
    use super::*;

    #[test]
    fn every_country_suggests_something_usable() {
        for country in Country::all() {
            let defaults = Defaults::of(country).unwrap_or_else(|| panic!("{} is missing", country.code()));
            assert!(Locale::try_from(defaults.locale.clone()).is_ok(), "{defaults:?}");
            assert!(TimeZone::try_from(defaults.time_zone.clone()).is_ok(), "{defaults:?}");
        }
        let of = |code: &str| Defaults::of(Country::parse(code).unwrap()).unwrap();
        assert_eq!((of("JP").currency.code(), of("BG").currency.code()), ("JPY", "EUR"));
        assert_eq!((of("GB").locale.as_str(), of("GB").time_zone.as_str()), ("en-GB", "Europe/London"));
    }

    #[test]
    fn a_name_makes_a_handle() {
        let first = |name: &str| handle_candidates(&Text::parse(name).unwrap()).next().unwrap().to_string();
        assert_eq!(first("Analytical Engines"), "analytical-engines");
        assert_eq!(first("Admin"), "admin-2");
        assert_eq!(first("é"), "store-2");
        let candidates: Vec<_> =
            handle_candidates(&Text::parse("Tea").unwrap()).take(2).map(|it| it.to_string()).collect();
        assert_eq!(candidates, ["tea", "tea-2"]);
    }

    #[test]
    fn tags_and_zones_are_checked() {
        for good in ["en", "pt-BR", "zh-Hant-TW"] {
            assert!(Locale::try_from(good.to_owned()).is_ok(), "{good}");
        }
        for bad in ["", "e", "EN", "en_GB", "en-", "en-<b>"] {
            assert!(Locale::try_from(bad.to_owned()).is_err(), "{bad}");
        }
        assert!(TimeZone::try_from("Mars/Olympus".to_owned()).is_err());
    }
}
