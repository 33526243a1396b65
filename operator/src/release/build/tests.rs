//! Fleets of stores, and who gets the image next.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use souk_store_resource::{Runtime, RuntimeStatus, StoreReleaseSpec, StoreStatus};

use super::super::validate::testing::{image, release, ring, wave};
use super::*;
use crate::store;

const NOW: i64 = 100_000;

fn order(change: impl FnOnce(&mut StoreReleaseSpec)) -> Order {
    Order::of(&release(change), 0).unwrap()
}

fn condition(kind: ConditionType, holds: bool, reason: Reason, since: i64) -> Condition {
    Condition {
        type_: kind.to_string(),
        status: if holds { "True" } else { "False" }.to_owned(),
        reason: reason.to_string(),
        message: format!("{reason}, it says"),
        observed_generation: Some(1),
        last_transition_time: Time(Timestamp::from_second(since).unwrap()),
    }
}

/// Serves with the image of noughts since 1,000, and was given nothing.
fn old(number: usize) -> Store {
    let mut store = store::testing::store(|_| {});
    store.metadata.name = Some(format!("shop-{number}"));
    store.metadata.uid = Some(format!("uid-{number}"));
    store.metadata.resource_version = Some("7".into());
    store.status = Some(StoreStatus {
        conditions: vec![
            condition(ConditionType::Ready, true, Reason::AllChecksPassed, 1_000),
            condition(ConditionType::RuntimeReady, true, Reason::RolloutComplete, 1_000),
            condition(ConditionType::Degraded, false, Reason::AsExpected, 1_000),
        ],
        runtime: Some(RuntimeStatus { image: Some(image("0")), ..RuntimeStatus::default() }),
        ..StoreStatus::default()
    });
    store
}

fn given(mut store: Store, at: i64) -> Store {
    let annotations = store.annotations_mut();
    annotations.insert(RELEASE.into(), "r-2".into());
    annotations.insert(RELEASE_IMAGE.into(), image("1"));
    annotations.insert(RELEASED_AT.into(), Timestamp::from_second(at).unwrap().to_string());
    store
}

fn runs_it(mut store: Store) -> Store {
    let status = store.status.as_mut().unwrap();
    status.runtime.as_mut().unwrap().image = Some(image("1"));
    store
}

fn set(mut store: Store, kind: ConditionType, holds: bool, reason: Reason, since: i64) -> Store {
    let status = store.status.as_mut().unwrap();
    status.conditions.retain(|condition| condition.type_ != kind.as_str());
    status.conditions.push(condition(kind, holds, reason, since));
    store
}

/// Was given the image at `at` and serves with it since `since`.
fn new(number: usize, at: i64, since: i64) -> Store {
    set(runs_it(given(old(number), at)), ConditionType::Ready, true, Reason::AllChecksPassed, since)
}

/// Was given the image at `at` and stopped serving.
fn updating(number: usize, at: i64) -> Store {
    set(runs_it(given(old(number), at)), ConditionType::Ready, false, Reason::RolloutInProgress, at)
}

fn standing_of(store: &Store) -> Option<Standing> {
    Candidate::of(store, &order(|_| {}), NOW).map(|candidate| candidate.standing)
}

fn fleet(order: &Order, stores: &[Store]) -> Vec<Candidate> {
    stores.iter().filter_map(|store| Candidate::of(store, order, NOW)).collect()
}

fn names(stores: &[&Candidate]) -> Vec<String> {
    let mut names: Vec<_> = stores.iter().map(|store| store.name.clone()).collect();
    names.sort();
    names
}

fn states(plan: &Plan<'_>) -> Vec<WaveState> {
    plan.waves.iter().map(|wave| wave.state).collect()
}

#[test]
fn where_a_store_stands_is_read_from_the_store() {
    use ConditionType as C;
    assert_eq!(standing_of(&old(1)), Some(Standing::Waiting { serves: true }));
    let down = set(old(1), C::Ready, false, Reason::RolloutFailed, 5_000);
    assert_eq!(standing_of(&down), Some(Standing::Waiting { serves: false }));
    // Given it, it is being replaced until its own status says that the image is there and serves.
    assert_eq!(standing_of(&given(old(1), NOW - 10)), Some(Standing::Updating { since: NOW - 10 }));
    assert_eq!(standing_of(&updating(1, NOW - 10)), Some(Standing::Updating { since: NOW - 10 }));
    assert_eq!(standing_of(&new(1, 90_000, 90_030)), Some(Standing::Healthy { since: 90_030 }));
    // The same image as before: nothing was replaced, and the count begins when it was given.
    assert_eq!(standing_of(&runs_it(given(old(1), 90_000))), Some(Standing::Healthy { since: 90_000 }));
    // Another image under the release's name is not it.
    let mut other = new(1, 90_000, 90_030);
    other.annotations_mut().insert(RELEASE_IMAGE.into(), image("2"));
    assert_eq!(standing_of(&other), Some(Standing::Waiting { serves: true }));
}

#[test]
fn a_store_fails_when_its_pods_do_or_when_it_is_late() {
    use ConditionType as C;
    let failed = |store: &Store| matches!(standing_of(store), Some(Standing::Failed { .. }));
    assert!(!failed(&updating(1, NOW - 899)));
    assert!(failed(&updating(1, NOW - 900)));
    let refused = set(updating(1, NOW - 10), C::RuntimeReady, false, Reason::RolloutFailed, NOW - 5);
    assert_eq!(standing_of(&refused), Some(Standing::Failed { why: "RolloutFailed, it says".into() }));
    // One that served with it and stops is given time again.
    let flapped = set(new(1, 1_000, 2_000), C::Ready, false, Reason::RolloutInProgress, NOW - 60);
    assert_eq!(standing_of(&flapped), Some(Standing::Updating { since: NOW - 60 }));
    let lost = set(new(1, 1_000, 2_000), C::Ready, false, Reason::RolloutInProgress, NOW - 900);
    assert!(failed(&lost));
}

/// What nobody saw while no operator ran is no failure: pods may serve by now, and the store's own pass will say so.
#[test]
fn nobody_is_late_while_nobody_looked() {
    let mut order = order(|_| {});
    let mut told = |store: &Store, watched_since: i64| {
        order.watched_since = watched_since;
        Candidate::of(store, &order, NOW).map(|candidate| candidate.standing)
    };
    let late = updating(1, 1_000);
    assert_eq!(told(&late, NOW - 60), Some(Standing::Updating { since: NOW - 60 }));
    assert_eq!(told(&late, NOW - 899), Some(Standing::Updating { since: NOW - 899 }));
    assert!(matches!(told(&late, NOW - 900), Some(Standing::Failed { .. })));
    assert_eq!(told(&new(1, 1_000, 2_000), NOW - 60), Some(Standing::Healthy { since: 2_000 }));
}

#[test]
fn what_is_not_the_images_doing_is_left_aside() {
    use ConditionType as C;
    let aside = |store: &Store| standing_of(store) == Some(Standing::Aside);
    // Down since before it was its turn: it has its chance, and no blame.
    let down = |at| set(runs_it(given(old(1), at)), C::Ready, false, Reason::RolloutFailed, 50_000);
    assert_eq!(standing_of(&down(NOW - 10)), Some(Standing::Updating { since: NOW - 10 }));
    assert!(aside(&down(NOW - 900)));
    // Not carried out for another reason; being born; paused; born with the image.
    assert!(aside(&set(old(1), C::Degraded, true, Reason::WaitingForDatabase, 50_000)));
    let mut newborn = old(1);
    newborn.status.as_mut().unwrap().runtime = None;
    assert!(aside(&newborn));
    newborn.status = None;
    assert!(aside(&newborn));
    for mut paused in [old(1), updating(1, 1_000)] {
        paused.annotations_mut().insert(PAUSED.into(), "true".into());
        assert!(aside(&paused));
    }
    let mut born = updating(1, 1_000);
    born.annotations_mut().remove(RELEASED_AT);
    assert!(aside(&born));
    let mut serving = new(1, 1_000, 2_000);
    serving.annotations_mut().remove(RELEASED_AT);
    assert_eq!(standing_of(&serving), Some(Standing::Healthy { since: 2_000 }));
    // Suspended, it has no pods: the image in its template is all there is.
    let suspended = |mut store: Store| {
        store.spec.state = DesiredState::Suspended;
        set(store, C::Ready, false, Reason::Suspended, 500)
    };
    assert_eq!(standing_of(&suspended(old(1))), Some(Standing::Waiting { serves: false }));
    assert_eq!(standing_of(&suspended(new(1, 90_000, 0))), Some(Standing::Healthy { since: 90_000 }));
    // No release is for these.
    let others: [fn(&mut Store); 3] = [
        |it| it.spec.isolation = Isolation::Pooled,
        |it| it.metadata.deletion_timestamp = Some(Time(Timestamp::UNIX_EPOCH)),
        |it| it.spec.runtime = Some(Runtime { image: Some(image("5")), ..Runtime::default() }),
    ];
    for change in others {
        let mut store = old(1);
        change(&mut store);
        assert_eq!(standing_of(&store), None);
    }
}

#[test]
fn waves_share_the_stores_out() {
    let order = order(|it| {
        it.waves = vec![wave("canary", "2", 0), wave("early", "10%", 0), wave("rest", "100%", 0)];
        it.waves[0].selector = ring("canary");
        it.max_unavailable = "100%".into();
    });
    let mut stores: Vec<_> = (0..25).map(old).collect();
    for store in &mut stores[20..23] {
        store.labels_mut().insert("souk.dev/ring".into(), "canary".into());
    }
    let plan_of = |stores: &[Store]| {
        let candidates = fleet(&order, stores);
        let plan = plan(&order, &candidates, NOW);
        (names(&plan.take), plan.waves.iter().map(|wave| wave.total).collect::<Vec<_>>())
    };
    let (first, sizes) = plan_of(&stores);
    assert_eq!(sizes, [2, 3, 20]);
    assert_eq!(first.len(), 2);
    assert!(first.iter().all(|name| ["shop-20", "shop-21", "shop-22"].contains(&name.as_str())), "{first:?}");
    // The same stores in another order: the same choice.
    stores.reverse();
    assert_eq!(plan_of(&stores).0, first);
    // Whoever has it fills the waves first, so a newcomer moves nobody back.
    for store in &mut stores {
        if first.contains(&store.name_any()) {
            *store = set(
                runs_it(given(store.clone(), 90_000)),
                ConditionType::Ready,
                true,
                Reason::AllChecksPassed,
                90_001,
            );
        }
    }
    for number in 100..140 {
        let mut more = old(number);
        more.labels_mut().insert("souk.dev/ring".into(), "canary".into());
        stores.push(more);
    }
    let candidates = fleet(&order, &stores);
    let after = plan(&order, &candidates, NOW);
    assert_eq!(states(&after), [WaveState::Done, WaveState::RollingOut, WaveState::Pending]);
    assert_eq!((after.waves[0].updated, after.take.len()), (2, 7));
}

#[test]
fn a_wave_waits_for_the_one_before_to_serve_and_to_soak() {
    let order = order(|it| {
        it.waves = vec![wave("first", "1", 100), wave("rest", "100%", 50)];
        it.max_unavailable = "100%".into();
    });
    let told = |stores: &[Store]| {
        let candidates = fleet(&order, stores);
        let plan = plan(&order, &candidates, NOW);
        (states(&plan), plan.take.len(), plan.next_look, plan.current.map(|wave| wave.name))
    };
    use WaveState as W;
    let first = Some("first".to_owned());
    let rest = Some("rest".to_owned());
    assert_eq!(told(&[old(1), old(2), old(3)]), (vec![W::RollingOut, W::Pending], 1, None, first.clone()));
    assert_eq!(
        told(&[updating(1, NOW - 10), old(2), old(3)]),
        (vec![W::RollingOut, W::Pending], 0, Some(NOW + 890), first.clone())
    );
    assert_eq!(
        told(&[new(1, 90_000, NOW - 99), old(2), old(3)]),
        (vec![W::Soaking, W::Pending], 0, Some(NOW + 1), first)
    );
    assert_eq!(
        told(&[new(1, 90_000, NOW - 100), old(2), old(3)]),
        (vec![W::Done, W::RollingOut], 2, None, rest.clone())
    );
    // Once the next wave began, a store of the one before that stops for a moment does not soak everybody again.
    let flapped =
        set(new(1, 90_000, 90_100), ConditionType::Ready, false, Reason::RolloutInProgress, NOW - 1);
    let (states, taken, ..) = told(&[new(2, 90_200, 90_210), flapped, old(3)]);
    assert_eq!((states[1], taken), (W::RollingOut, 1));
    let all = [1, 2, 3].map(|number| new(number, 90_000, NOW - 49));
    assert_eq!(told(&all), (vec![W::Done, W::Soaking], 0, Some(NOW + 1), rest));
    let all = [1, 2, 3].map(|number| new(number, 90_000, NOW - 50));
    assert_eq!(told(&all), (vec![W::Done, W::Done], 0, None, None));
    assert_eq!(told(&[]), (vec![W::Done, W::Done], 0, None, None));
}

#[test]
fn no_more_are_down_than_may_be() {
    let order = order(|it| {
        it.waves = vec![wave("all", "100%", 0)];
        it.max_unavailable = "3".into();
    });
    let took = |stores: &[Store]| {
        let candidates = fleet(&order, stores);
        let plan = plan(&order, &candidates, NOW);
        (plan.take.len(), plan.down)
    };
    let mut stores: Vec<_> = (0..10).map(old).collect();
    assert_eq!(took(&stores), (3, 0));
    stores[0] = updating(0, NOW - 5);
    stores[1] = updating(1, NOW - 5);
    assert_eq!(took(&stores), (1, 2));
    stores[2] = updating(2, NOW - 5);
    assert_eq!(took(&stores), (0, 3));
    stores[0] = new(0, 90_000, 90_010);
    assert_eq!(took(&stores), (1, 2));
    // A failed one is down as well.
    stores[1] = updating(1, 1_000);
    assert_eq!(took(&stores), (1, 2));
    // Those that do not serve anyway are not made worse, however many are down.
    for (number, store) in stores.iter_mut().enumerate().take(9).skip(5) {
        *store = set(old(number), ConditionType::Ready, false, Reason::RolloutFailed, 50_000);
    }
    stores[3] = updating(3, NOW - 5);
    assert_eq!(took(&stores), (4, 3));
}

/// A small share of few stores is one store, never none.
#[test]
fn there_is_always_room_for_one() {
    let order = order(|_| {});
    let candidates = fleet(&order, &[old(1), old(2)]);
    assert_eq!(plan(&order, &candidates, NOW).take.len(), 1);
}

#[test]
fn too_many_failures_are_trouble() {
    let trouble = |down: &str, failures: &str, stores: &[Store]| {
        let order = order(|it| {
            it.max_unavailable = down.into();
            it.max_failures = failures.into();
        });
        let candidates = fleet(&order, stores);
        let plan = plan(&order, &candidates, NOW);
        (plan.trouble.is_some(), plan.failed)
    };
    let mut stores: Vec<_> = (0..20).map(old).collect();
    assert_eq!(trouble("10", "2", &stores), (false, 0));
    stores[0] = updating(0, 1_000);
    assert_eq!(trouble("10", "2", &stores), (false, 1));
    // With one that failed there is no room for anybody else: it would wait for ever.
    assert_eq!(trouble("1", "2", &stores), (true, 1));
    stores[1] = updating(1, 1_000);
    assert_eq!(trouble("10", "2", &stores), (true, 2));
    assert_eq!(trouble("10", "15%", &stores), (false, 2));
    assert_eq!(trouble("10", "10%", &stores), (true, 2));
    let order = order(|it| it.max_failures = "1".into());
    let candidates = fleet(&order, &stores[..1]);
    let plan = plan(&order, &candidates, NOW);
    let said = plan.trouble.unwrap();
    assert!(said.contains("1 of 1 stores failed") && said.contains("org-acme/shop-0: Rollout"), "{said}");
    assert_eq!(plan.failures, ["org-acme/shop-0: RolloutInProgress, it says"]);
}

#[test]
fn a_wave_that_needs_approval_waits_for_it() {
    let with = |approved: &[&str], stores: &[Store]| {
        let order = order(|it| {
            it.waves = vec![wave("first", "1", 0), wave("rest", "100%", 0)];
            it.waves[1].requires_approval = true;
            it.approved_waves = approved.iter().map(|name| (*name).to_owned()).collect();
            it.max_unavailable = "100%".into();
        });
        let candidates = fleet(&order, stores);
        let plan = plan(&order, &candidates, NOW);
        (states(&plan), plan.take.len())
    };
    use WaveState as W;
    let stores = [new(1, 90_000, 90_010), old(2), old(3)];
    assert_eq!(with(&[], &stores), (vec![W::Done, W::AwaitingApproval], 0));
    assert_eq!(with(&["rest"], &stores), (vec![W::Done, W::RollingOut], 2));
    // Taken back when it has begun, it changes nothing.
    let begun = [new(1, 90_000, 90_010), new(2, 90_020, 90_030), old(3)];
    assert_eq!(with(&[], &begun), (vec![W::Done, W::RollingOut], 1));
}

/// From nothing to everybody: in every state an operator may be stopped and another may plan; the limits hold in all of them.
#[test]
fn a_rollout_played_through() {
    let order = order(|it| {
        it.waves = vec![wave("canary", "1", 0), wave("early", "10%", 0), wave("rest", "100%", 0)];
        it.max_unavailable = "4".into();
    });
    let mut stores: Vec<_> = (0..37).map(old).collect();
    let mut steps = Vec::new();
    for step in 0.. {
        assert!(step < 100, "it does not end");
        let candidates = fleet(&order, &stores);
        let plan = plan(&order, &candidates, NOW);
        assert!(plan.down <= 4 && plan.down + plan.take.len() <= 4, "{plan:?}");
        if plan.current.is_none() {
            assert_eq!((plan.updated, plan.total), (37, 37));
            break;
        }
        steps.push(plan.take.len());
        let taken = names(&plan.take);
        // One pass later: whoever was being replaced serves.
        for (number, store) in stores.iter_mut().enumerate() {
            if taken.contains(&store.name_any()) {
                *store = updating(number, NOW - 10);
            } else if store.annotations().contains_key(RELEASE) {
                *store = new(number, NOW - 10, NOW - 5);
            }
        }
    }
    assert_eq!(steps.iter().sum::<usize>(), 37);
    assert_eq!(steps.iter().copied().filter(|taken| *taken > 0).take(3).collect::<Vec<_>>(), [1, 4, 4]);
}
