//! The tree of regions: countries, provinces of them, and postal codes of either.

use serde::{Deserialize, Serialize};
use souk_api::ETag;
use souk_kernel::{Country, Ppm, TaxRateId, TaxRegionId, Text};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{Destination, RegionRule, TaxReason, TaxRule};

/// What a region is known by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RegionKind {
    Country,
    Province,
    PostalCodes,
}

/// Postal codes from one to another, both included, compared from their beginnings: `35` to `35` is all that begin with 35.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PostalRange {
    #[schema(example = "35000")]
    pub from: String,
    #[schema(example = "35999")]
    pub to: String,
}

impl PostalRange {
    /// In capitals, without spaces and hyphens.
    pub fn key(text: &str) -> String {
        text.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_uppercase()).collect()
    }

    /// As it is kept and compared; what is wrong with it if it cannot be.
    fn sound(&self) -> Result<Self, &'static str> {
        let (from, to) = (Self::key(&self.from), Self::key(&self.to));
        if !(1..=12).contains(&from.len()) || from.len() != to.len() {
            return Err("must be 1 to 12 letters and digits, as many at either end");
        }
        if from > to { Err("must not end before it begins") } else { Ok(Self { from, to }) }
    }

    /// Whether both have a code in common.
    fn meets(&self, other: &Self) -> bool {
        let length = self.from.len().min(other.from.len());
        let start = |text: &str| text.get(..length).unwrap_or_default().to_owned();
        start(&self.from) <= start(&other.to) && start(&other.from) <= start(&self.to)
    }

    /// Whether it has this code, which is a [`PostalRange::key`].
    fn has(&self, code: &str) -> bool {
        let start = |length: usize| code.get(..length);
        start(self.from.len()).is_some_and(|start| start >= self.from.as_str())
            && start(self.to.len()).is_some_and(|start| start <= self.to.as_str())
    }
}

/// A region with what is in force in it, as the statement that reads them gives it.
#[derive(Clone, Debug, Deserialize)]
pub struct RegionJson {
    pub id: Uuid,
    pub country: String,
    pub province: Option<String>,
    pub parent_id: Option<Uuid>,
    pub postal_ranges: Option<Vec<PostalRange>>,
    pub stands_alone: bool,
    #[serde(default)]
    pub rates: Vec<RateJson>,
}

/// A rate of it.
#[derive(Clone, Debug, Deserialize)]
pub struct RateJson {
    id: Uuid,
    name: String,
    rate_ppm: u32,
    reason: TaxReason,
    component: String,
    class: Option<String>,
    compound: bool,
}

impl RegionJson {
    /// What it is known by.
    pub const fn kind(&self) -> RegionKind {
        match (&self.province, &self.postal_ranges) {
            (_, Some(_)) => RegionKind::PostalCodes,
            (Some(_), None) => RegionKind::Province,
            (None, None) => RegionKind::Country,
        }
    }

    fn jurisdiction(&self) -> String {
        match &self.province {
            Some(province) => format!("{}-{province}", self.country),
            None => self.country.clone(),
        }
    }

    /// Its rates as rules.
    pub fn rules(&self) -> Vec<RegionRule> {
        let rule = |rate: &RateJson| RegionRule {
            component: rate.component.clone(),
            class: rate.class.clone(),
            rule: TaxRule {
                id: Some(TaxRateId::from_uuid(rate.id)),
                name: rate.name.clone(),
                jurisdiction: self.jurisdiction(),
                // A check of the column holds it below the whole.
                rate: Ppm::new(rate.rate_ppm).unwrap_or(Ppm::ZERO),
                reason: rate.reason,
                compound: rate.compound,
            },
        };
        self.rates.iter().map(rule).collect()
    }
}

/// The regions of a destination, from the country down: the country, its province, and the postal codes of the province, or else of the
/// country. The most specific one that stands alone is the first.
pub fn chain<'r>(regions: &'r [RegionJson], to: &Destination) -> Vec<&'r RegionJson> {
    let code = to.postal_code.as_deref().map(PostalRange::key).unwrap_or_default();
    let wanted = to.province.as_deref().map(str::trim).unwrap_or_default();
    let country = regions.iter().find(|region| region.kind() == RegionKind::Country);
    let province = regions.iter().find(|region| {
        let named = region.province.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(wanted));
        region.kind() == RegionKind::Province && named
    });
    let has = |region: &&RegionJson| region.postal_ranges.iter().flatten().any(|range| range.has(&code));
    let below = |parent: Option<Uuid>| regions.iter().filter(has).find(|region| region.parent_id == parent);
    let postal = province.and_then(|province| below(Some(province.id))).or_else(|| below(None));
    let mut chain: Vec<&RegionJson> = [country, province, postal].into_iter().flatten().collect();
    if let Some(first) = chain.iter().rposition(|region| region.stands_alone) {
        chain.drain(..first);
    }
    chain
}

/// A region.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TaxRegionView {
    pub id: TaxRegionId,
    pub kind: RegionKind,
    pub country: Country,
    /// Within the country; null for the country itself.
    #[schema(example = "CN")]
    pub code: Option<String>,
    #[schema(example = "Canary Islands")]
    pub name: String,
    /// The province whose postal codes these are; null for those of a country.
    pub parent: Option<TaxRegionId>,
    /// Empty unless it is known by them.
    pub postal_ranges: Vec<PostalRange>,
    /// Whether its rates stand instead of those above it; else they add to them.
    pub stands_alone: bool,
    /// Grows with every change; the ETag.
    #[schema(example = 1)]
    pub version: i64,
}

impl TaxRegionView {
    /// The tag that If-Match is held against.
    pub fn etag(&self) -> ETag {
        ETag::new(self.version)
    }
}

/// All regions of the filter, by country and code.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TaxRegionList {
    pub data: Vec<TaxRegionView>,
}

/// Which regions.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TaxRegionFilter {
    /// Only regions of this country.
    #[param(value_type = Option<String>, example = "ES")]
    pub country: Option<Country>,
}

/// A region as it shall be. A country needs no code, a province its own, postal codes one that you choose.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"country": "ES", "code": "CN", "name": "Canary Islands", "postal_ranges": [{"from": "35000", "to": "35999"}, {"from": "38000", "to": "38999"}], "stands_alone": true}))]
pub struct PutTaxRegion {
    /// It stays what it was when the region was made.
    pub country: Country,
    /// As addresses name the province; of postal codes, one that you choose. It stays what it was.
    #[schema(example = "CN")]
    pub code: Option<Text<60>>,
    #[schema(example = "Canary Islands")]
    pub name: Option<Text<120>>,
    /// The code of the province whose postal codes these are; those of the country if left out. It stays what it was.
    #[schema(example = "CA")]
    pub parent_code: Option<Text<60>>,
    /// At most 200, each in one region of the same parent only.
    #[serde(default)]
    pub postal_ranges: Vec<PostalRange>,
    /// Its rates stand instead of those above it; else they add to them.
    #[serde(default)]
    pub stands_alone: bool,
}

impl PutTaxRegion {
    /// The postal codes as they are kept; pointer and what would have been right of what the types cannot say.
    pub fn ranges(&self) -> Result<Option<Vec<PostalRange>>, (String, &'static str)> {
        let field = |pointer: &str, message| Err((pointer.to_owned(), message));
        if self.postal_ranges.len() > 200 {
            return field("/postal_ranges", "must be at most 200");
        }
        if self.code.is_none() && !self.postal_ranges.is_empty() {
            return field("/code", "must be given with postal codes");
        }
        if self.parent_code.is_some() && self.postal_ranges.is_empty() {
            return field("/parent_code", "must be left out without postal codes");
        }
        let mut sound: Vec<PostalRange> = Vec::with_capacity(self.postal_ranges.len());
        for (place, range) in self.postal_ranges.iter().enumerate() {
            let at = format!("/postal_ranges/{place}");
            let range = range.sound().map_err(|message| (at.clone(), message))?;
            if sound.iter().any(|other| other.meets(&range)) {
                return Err((at, "must not have codes of another range"));
            }
            sound.push(range);
        }
        Ok(Some(sound).filter(|sound| !sound.is_empty()))
    }

    /// A region that has some of these postal codes already.
    pub fn taken<'r>(ranges: &[PostalRange], others: &'r [TaxRegionView]) -> Option<&'r TaxRegionView> {
        let meets = |other: &&TaxRegionView| {
            other.postal_ranges.iter().any(|range| ranges.iter().any(|one| one.meets(range)))
        };
        others.iter().find(meets)
    }
}

#[cfg(test)]
mod rules {
    use super::*;

    fn region(
        province: Option<&str>,
        ranges: &[(&str, &str)],
        parent: Option<Uuid>,
        alone: bool,
    ) -> RegionJson {
        let range = |(from, to): &(&str, &str)| PostalRange { from: (*from).into(), to: (*to).into() };
        RegionJson {
            id: Uuid::now_v7(),
            country: "ES".into(),
            province: province.map(str::to_owned),
            parent_id: parent,
            postal_ranges: Some(ranges.iter().map(range).collect::<Vec<_>>()).filter(|all| !all.is_empty()),
            stands_alone: alone,
            rates: Vec::new(),
        }
    }

    fn names(regions: &[RegionJson], province: &str, postal: &str) -> Vec<String> {
        let to = Destination {
            country: "ES".parse().unwrap(),
            province: Some(province.to_owned()),
            postal_code: Some(postal.to_owned()),
        };
        chain(regions, &to).into_iter().map(RegionJson::jurisdiction).collect()
    }

    #[test]
    fn the_most_specific_one_that_stands_alone_begins() {
        let province = region(Some("M"), &[], None, false);
        let below = region(Some("M-1"), &[("280", "281")], Some(province.id), false);
        let islands = region(Some("CN"), &[("35", "35"), ("38000", "38999")], None, true);
        let all = [region(None, &[], None, false), province, below, islands];
        assert_eq!(names(&all, "", ""), ["ES"]);
        assert_eq!(names(&all, "m", "29001"), ["ES", "ES-M"]);
        assert_eq!(names(&all, " M ", "28-100"), ["ES", "ES-M", "ES-M-1"]);
        // The codes of a province are not those of the country.
        assert_eq!(names(&all, "", "28100"), ["ES"]);
        assert_eq!(names(&all, "", "35001"), ["ES-CN"]);
        assert_eq!(names(&all, "M", "38 999"), ["ES-CN"]);
        assert_eq!(names(&all, "M", "39000"), ["ES", "ES-M"]);
        assert_eq!(names(&all, "M", "3"), ["ES", "ES-M"]);
    }

    #[test]
    fn ranges_are_sound_and_apart() {
        let ranges = |ranges: &str| {
            let text = format!(r#"{{"country":"ES","code":"CN","postal_ranges":{ranges}}}"#);
            serde_json::from_str::<PutTaxRegion>(&text).unwrap().ranges().map_err(|(pointer, _)| pointer)
        };
        assert_eq!(ranges("[]"), Ok(None));
        let kept = ranges(r#"[{"from":"bt 1","to":"BT-9"}]"#).unwrap().unwrap();
        assert_eq!(kept, [PostalRange { from: "BT1".into(), to: "BT9".into() }]);
        for wrong in
            [r#"[{"from":"2","to":"1"}]"#, r#"[{"from":"1","to":"10"}]"#, r#"[{"from":"-","to":"-"}]"#]
        {
            assert_eq!(ranges(wrong), Err("/postal_ranges/0".to_owned()), "{wrong}");
        }
        let twice = r#"[{"from":"350","to":"360"},{"from":"35999","to":"36500"}]"#;
        assert_eq!(ranges(twice), Err("/postal_ranges/1".to_owned()));
    }
}
