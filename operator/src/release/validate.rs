//! Reads the spec: what the API server's rules could not check, in the form that planning needs.

use kube::ResourceExt as _;
use kube::core::Selector;
use souk_store_resource::{HALTED, StoreRelease};

/// A number of stores, or a share of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    Count(usize),
    Percent(usize),
}

impl Size {
    fn parse(field: &str, text: &str) -> Result<Self, String> {
        let size = match text.strip_suffix('%') {
            Some(digits) => digits.parse().map(Self::Percent),
            None => text.parse().map(Self::Count),
        };
        size.map_err(|_| format!("{field} {text:?} must be a number such as 5, or a share such as 10%"))
    }

    /// So many of `all`; shares are rounded up.
    pub fn of(self, all: usize) -> usize {
        match self {
            Self::Count(count) => count,
            Self::Percent(percent) => all.saturating_mul(percent).div_ceil(100),
        }
    }
}

/// A release that can be carried out. Times are seconds, as the API server keeps them.
#[derive(Clone, Debug)]
pub struct Order {
    pub name: String,
    pub uid: String,
    pub image: String,
    pub created_at: i64,
    pub waves: Vec<WaveOrder>,
    pub may_be_down: Size,
    pub may_fail: Size,
    pub deadline: i64,
    /// Since when this operator has looked: while nobody did, no store was late.
    pub watched_since: i64,
    /// The migration that must be known before anything begins.
    pub schema_version: Option<i32>,
    pub paused: bool,
    /// Why it halted, until somebody removes the annotation.
    pub halted: Option<String>,
}

#[derive(Clone, Debug)]
pub struct WaveOrder {
    pub name: String,
    pub size: Size,
    pub selector: Selector,
    pub soak: i64,
    /// It needs no approval, or has it.
    pub may_begin: bool,
}

impl Order {
    /// What a person must change is said in the error.
    pub fn of(release: &StoreRelease, watched_since: i64) -> Result<Self, String> {
        let spec = &release.spec;
        let waves = spec.waves.iter().map(|wave| {
            let field = format!("spec.waves {}", wave.name);
            let selector = wave.selector.clone().map_or_else(|| Ok(Selector::default()), Selector::try_from);
            Ok(WaveOrder {
                name: wave.name.clone(),
                size: Size::parse(&format!("{field}: size"), &wave.size)?,
                selector: selector.map_err(|error| format!("{field}: selector: {error}"))?,
                soak: i64::from(wave.soak_seconds),
                may_begin: !wave.requires_approval || spec.approved_waves.contains(&wave.name),
            })
        });
        Ok(Self {
            name: release.name_any(),
            uid: release.uid().unwrap_or_default(),
            image: spec.image.clone(),
            created_at: release.metadata.creation_timestamp.as_ref().map_or(0, |time| time.0.as_second()),
            waves: waves.collect::<Result<_, String>>()?,
            may_be_down: Size::parse("spec.maxUnavailable", &spec.max_unavailable)?,
            may_fail: Size::parse("spec.maxFailures", &spec.max_failures)?,
            deadline: i64::from(spec.progress_deadline_seconds),
            watched_since,
            schema_version: spec.schema_version,
            paused: spec.paused,
            halted: release.annotations().get(HALTED).cloned(),
        })
    }
}

#[cfg(test)]
pub mod testing {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, Time};
    use k8s_openapi::jiff::Timestamp;
    use souk_store_resource::{StoreReleaseSpec, Wave};

    use super::*;

    pub fn image(digit: &str) -> String {
        format!("registry.example/souk@sha256:{}", digit.repeat(64))
    }

    pub fn wave(name: &str, size: &str, soak_seconds: i32) -> Wave {
        Wave { name: name.into(), size: size.into(), selector: None, soak_seconds, requires_approval: false }
    }

    pub fn ring(name: &str) -> Option<LabelSelector> {
        let labels = [("souk.dev/ring".to_owned(), name.to_owned())];
        Some(LabelSelector { match_labels: Some(labels.into()), match_expressions: None })
    }

    /// Made at 0, with the image of ones.
    pub fn release(change: impl FnOnce(&mut StoreReleaseSpec)) -> StoreRelease {
        let mut spec = StoreReleaseSpec::new("1.8.2", image("1"));
        change(&mut spec);
        let mut release = StoreRelease::new("r-2", spec);
        release.metadata.uid = Some("6ba7b811-9dad-11d1-80b4-00c04fd430c8".into());
        release.metadata.generation = Some(1);
        release.metadata.creation_timestamp = Some(Time(Timestamp::UNIX_EPOCH));
        release
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement};
    use kube::core::SelectorExt as _;

    use super::testing::{image, release, ring, wave};
    use super::*;

    #[test]
    fn shares_are_rounded_up() {
        let of = |text: &str, all| Size::parse("size", text).unwrap().of(all);
        assert_eq!((of("5", 100), of("5", 3)), (5, 5));
        assert_eq!((of("2%", 1000), of("2%", 10), of("2%", 0), of("100%", 7)), (20, 1, 0, 7));
    }

    #[test]
    fn an_order_says_what_the_spec_says() {
        let order = Order::of(
            &release(|it| {
                it.waves = vec![wave("canary", "5", 60), wave("rest", "100%", 0)];
                it.waves[0].selector = ring("canary");
                it.waves[1].requires_approval = true;
            }),
            0,
        )
        .unwrap();
        assert_eq!((order.name.as_str(), order.image), ("r-2", image("1")));
        assert_eq!(
            (order.may_be_down, order.may_fail, order.deadline),
            (Size::Percent(2), Size::Count(3), 900)
        );
        let told: Vec<_> =
            order.waves.iter().map(|it| (it.name.as_str(), it.size, it.soak, it.may_begin)).collect();
        assert_eq!(told, [("canary", Size::Count(5), 60, true), ("rest", Size::Percent(100), 0, false)]);
        let labels = |value: &str| BTreeMap::from([("souk.dev/ring".to_owned(), value.to_owned())]);
        assert!(order.waves[0].selector.matches(&labels("canary")));
        assert!(!order.waves[0].selector.matches(&labels("late")));
        assert!(order.waves[1].selector.matches(&labels("late")));
    }

    #[test]
    fn what_cannot_be_carried_out_is_said() {
        let wrong = LabelSelectorRequirement { key: "ring".into(), operator: "Near".into(), values: None };
        let failed = Order::of(
            &release(|it| {
                it.waves[0].selector =
                    Some(LabelSelector { match_expressions: Some(vec![wrong]), match_labels: None });
            }),
            0,
        )
        .expect_err("it is refused");
        assert!(failed.starts_with("spec.waves all: selector: "), "{failed}");
        let failed =
            Order::of(&release(|it| it.max_unavailable = "few".into()), 0).expect_err("it is refused");
        assert!(failed.contains("spec.maxUnavailable \"few\" must be a number"), "{failed}");
    }
}
