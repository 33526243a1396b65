//! Looks at what is there: releases and stores, as the API server has them now and not as some cache had them.

use k8s_openapi::jiff::Timestamp;
use kube::api::ListParams;
use kube::{Api, ResourceExt as _};
use souk_store_resource::{SUPERSEDED_BY, Store, StoreRelease};

use super::build::Candidate;
use super::validate::Order;
use crate::controller::{Operator, scoped};

/// What a pass found before it changed anything.
pub struct Seen {
    pub release: StoreRelease,
    /// Those made after it that this operator carries out.
    newer: Vec<StoreRelease>,
    older: Vec<StoreRelease>,
    stores: Vec<Store>,
}

/// `None` = the release is gone.
pub async fn look(release: &StoreRelease, operator: &Operator) -> Result<Option<Seen>, kube::Error> {
    let api: Api<StoreRelease> = Api::all(operator.client.clone());
    let mut releases = api.list(&ListParams::default()).await?.items;
    let Some(place) = releases.iter().position(|other| other.metadata.uid == release.metadata.uid) else {
        return Ok(None);
    };
    let release = releases.swap_remove(place);
    if release.metadata.deletion_timestamp.is_some() {
        return Ok(None);
    }
    releases.retain(|other| counts(other, operator));
    let (newer, older) = releases.into_iter().partition(|other| other.is_newer_than(&release));
    // After the releases: a store that is seen here was given nothing by one that is not seen there.
    let stores = scoped::<Store>(operator).list(&ListParams::default()).await?.items;
    Ok(Some(Seen { release, newer, older, stores }))
}

impl Seen {
    /// The release that took this one's place. It stays so when that one is deleted.
    pub fn superseded_by(&self) -> Option<String> {
        let noted = self.release.annotations().get(SUPERSEDED_BY).cloned();
        noted.or_else(|| {
            let all_of = |newer: &&StoreRelease| covers_all_of(newer, &self.release);
            self.newer.iter().find(all_of).map(StoreRelease::name_any)
        })
    }

    /// The releases whose place this one takes, and that do not know it yet.
    pub fn supersedes(&self) -> Vec<String> {
        let replaced = |older: &&StoreRelease| {
            covers_all_of(&self.release, older) && !older.annotations().contains_key(SUPERSEDED_BY)
        };
        self.older.iter().filter(replaced).map(StoreRelease::name_any).collect()
    }

    /// The stores this release is for: each listens to the newest one that means its namespace.
    pub fn candidates(&self, order: &Order, now: Timestamp) -> Vec<Candidate> {
        let ours = |store: &&Store| {
            let namespace = store.namespace().unwrap_or_default();
            self.release.spec.covers(&namespace)
                && !self.newer.iter().any(|newer| newer.spec.covers(&namespace))
        };
        let candidates = self.stores.iter().filter(ours);
        candidates.filter_map(|store| Candidate::of(store, order, now.as_second())).collect()
    }
}

/// The newest release that every store of this namespace has got: what a new one begins with.
pub async fn in_force(namespace: &str, operator: &Operator) -> Result<Option<StoreRelease>, kube::Error> {
    let api: Api<StoreRelease> = Api::all(operator.client.clone());
    let releases = match api.list(&ListParams::default().match_any()).await {
        Ok(list) => list.items,
        // The definition was not installed yet: there are none.
        Err(kube::Error::Api(status)) if status.code == 404 => return Ok(None),
        Err(error) => return Err(error),
    };
    Ok(newest_complete(releases.into_iter().filter(|release| counts(release, operator)), namespace))
}

fn newest_complete(releases: impl Iterator<Item = StoreRelease>, namespace: &str) -> Option<StoreRelease> {
    releases
        .filter(|release| release.spec.covers(namespace) && release.is_complete())
        .reduce(|newest, other| if other.is_newer_than(&newest) { other } else { newest })
}

fn counts(release: &StoreRelease, operator: &Operator) -> bool {
    release.metadata.deletion_timestamp.is_none()
        && is_for(release, operator.config.watch_namespace.as_deref())
}

/// Operators that watch one namespace leave everybody else's releases to others.
pub fn is_for(release: &StoreRelease, watched: Option<&str>) -> bool {
    watched.is_none_or(|watched| release.spec.namespaces == [watched])
}

fn covers_all_of(newer: &StoreRelease, older: &StoreRelease) -> bool {
    let named = &older.spec.namespaces;
    newer.spec.namespaces.is_empty()
        || !named.is_empty() && named.iter().all(|namespace| newer.spec.covers(namespace))
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
    use souk_store_resource::{ReleaseCondition, StoreReleaseStatus};

    use super::super::validate::testing::release;
    use super::*;
    use crate::store;

    fn made(name: &str, second: i64, namespaces: &[&str], complete: bool) -> StoreRelease {
        let mut release =
            release(|it| it.namespaces = namespaces.iter().map(|name| (*name).to_owned()).collect());
        let at = Time(Timestamp::from_second(second).unwrap());
        release.metadata.name = Some(name.into());
        release.metadata.uid = Some(format!("uid of {name}"));
        release.metadata.creation_timestamp = Some(at.clone());
        let condition = Condition {
            type_: ReleaseCondition::Complete.to_string(),
            status: if complete { "True" } else { "False" }.into(),
            reason: "RolledOut".into(),
            message: String::new(),
            observed_generation: Some(1),
            last_transition_time: at,
        };
        release.status =
            Some(StoreReleaseStatus { conditions: vec![condition], ..StoreReleaseStatus::default() });
        release
    }

    #[test]
    fn a_store_is_born_with_the_newest_release_that_everybody_has() {
        let born_with = |namespace: &str, releases: Vec<StoreRelease>| {
            newest_complete(releases.into_iter(), namespace).map(|release| release.name_any())
        };
        let all = || {
            vec![
                made("r-1", 1, &[], true),
                made("r-3", 3, &["org-b"], true),
                made("r-2", 2, &[], true),
                made("r-4", 4, &[], false),
            ]
        };
        assert_eq!(born_with("org-a", all()).as_deref(), Some("r-2"));
        assert_eq!(born_with("org-b", all()).as_deref(), Some("r-3"));
        assert_eq!(born_with("org-a", vec![made("r-4", 4, &[], false)]), None);
        assert_eq!(born_with("org-a", Vec::new()), None);
    }

    #[test]
    fn a_store_listens_to_the_newest_release_that_means_it() {
        let seen = |release: StoreRelease, newer: Vec<StoreRelease>| {
            let order = Order::of(&release, 0).unwrap();
            let mut settled = store::testing::store(|_| {});
            settled.metadata.namespace = Some("org-a".into());
            let mut other = settled.clone();
            other.metadata.namespace = Some("org-b".into());
            let seen = Seen { release, newer, older: Vec::new(), stores: vec![settled, other] };
            let candidates = seen.candidates(&order, Timestamp::UNIX_EPOCH);
            let namespaces: Vec<_> = candidates.into_iter().map(|store| store.namespace).collect();
            (namespaces, seen.superseded_by())
        };
        let (a, b) = ("org-a".to_owned(), "org-b".to_owned());
        assert_eq!(seen(made("r-1", 1, &[], true), Vec::new()), (vec![a.clone(), b.clone()], None));
        let newer = vec![made("r-2", 2, &["org-b"], false)];
        assert_eq!(seen(made("r-1", 1, &[], true), newer.clone()), (vec![a], None));
        assert_eq!(seen(made("r-1", 1, &["org-b"], true), newer), (Vec::new(), Some("r-2".into())));
        let newer = vec![made("r-2", 2, &[], false)];
        assert_eq!(seen(made("r-1", 1, &["org-b"], true), newer), (Vec::new(), Some("r-2".into())));
        // The one that took its place was deleted: what it gave stays, and this one does not come back.
        let mut before = made("r-1", 1, &["org-b"], true);
        before.annotations_mut().insert(SUPERSEDED_BY.into(), "r-2".into());
        assert_eq!(seen(before, Vec::new()), (vec![b], Some("r-2".into())));
    }

    #[test]
    fn a_release_takes_the_place_of_all_that_mean_no_more_than_it() {
        let replaced = |namespaces: &[&str]| {
            let mut told = made("r-0", 0, &["org-a"], true);
            told.annotations_mut().insert(SUPERSEDED_BY.into(), "r-1".into());
            let older = vec![told, made("r-1", 1, &["org-a"], true), made("r-2", 2, &[], true)];
            let release = made("r-3", 3, namespaces, false);
            let seen = Seen { release, newer: Vec::new(), older, stores: Vec::new() };
            seen.supersedes()
        };
        assert_eq!(replaced(&[]), ["r-1", "r-2"]);
        assert_eq!(replaced(&["org-a", "org-b"]), ["r-1"]);
        assert_eq!(replaced(&["org-b"]), Vec::<String>::new());
    }

    #[test]
    fn an_operator_of_one_namespace_minds_its_own() {
        let all = made("r-1", 1, &[], true);
        let mine = made("r-2", 2, &["org-a"], true);
        let more = made("r-3", 3, &["org-a", "org-b"], true);
        assert!([&all, &mine, &more].into_iter().all(|release| is_for(release, None)));
        let told = [&all, &mine, &more].map(|release| is_for(release, Some("org-a")));
        assert_eq!(told, [false, true, false]);
    }
}
