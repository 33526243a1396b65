//! Who answers, at every step of the way to sleep and back; and that no step leaves a shopper with nobody.

use serde_json::json;
use souk_store_resource::{Autoscaling, Hibernation, Runtime, StoreSpec};

use super::*;
use crate::store::validate::testing;

const SETTLES: Duration = Duration::from_secs(15);

fn wish(change: impl FnOnce(&mut StoreSpec)) -> Wish {
    let store = testing::store(|it| {
        it.hibernation = Some(Hibernation { after_minutes: 30 });
        change(it);
    });
    Wish::of(&store, &testing::runtime()).unwrap()
}

/// So many pods asked for, and so many of them serve.
fn deployment(wanted: i32, serve: i32) -> Deployment {
    serde_json::from_value(json!({
        "metadata": { "generation": 2 },
        "spec": { "replicas": wanted, "selector": {}, "template": {} },
        "status": { "observedGeneration": 2, "replicas": wanted, "updatedReplicas": wanted, "availableReplicas": serve },
    }))
    .unwrap()
}

fn route(lead: Lead, seconds: u64) -> Option<Route> {
    Some(Route { lead, since: Duration::from_secs(seconds), taken: true })
}

fn minutes(idle: u64) -> Option<(Duration, Duration)> {
    Some((Duration::from_secs(idle * 60), Duration::from_secs(30 * 60)))
}

/// Where the route leads, whether there are pods, and how far it is.
fn told(
    wish: &Wish,
    route: Option<Route>,
    deployment: Option<&Deployment>,
    idle: Option<(Duration, Duration)>,
) -> (Lead, bool, Sleep) {
    let sight = Sight { routed: true, route, deployment, idle, settles: SETTLES };
    let stage = Stage::of(wish, &sight);
    (stage.lead, stage.pods, stage.sleep)
}

#[test]
fn to_sleep_and_back_one_step_after_the_other() {
    let wish = wish(|_| {});
    let (serving, none, starting) = (deployment(1, 1), deployment(0, 0), deployment(1, 0));
    let at = |route, deployment: &Deployment, idle| told(&wish, route, Some(deployment), idle);
    use Lead::{Own, Shared};
    assert_eq!(at(route(Own, 900), &serving, minutes(29)), (Own, true, Sleep::Awake));
    // The route first; the pods only when routers have followed it.
    assert_eq!(at(route(Own, 900), &serving, minutes(30)), (Shared, true, Sleep::FallingAsleep));
    assert_eq!(at(route(Shared, 14), &serving, minutes(30)), (Shared, true, Sleep::FallingAsleep));
    assert_eq!(at(route(Shared, 15), &serving, minutes(30)), (Shared, false, Sleep::Asleep));
    assert_eq!(at(route(Shared, 20), &none, minutes(30)), (Shared, false, Sleep::Asleep));
    // The route was changed for another reason (a domain more): the pods do not come back for that.
    assert_eq!(at(route(Shared, 0), &none, minutes(90)), (Shared, false, Sleep::Asleep));
    // Somebody asked: the pods first; the route only when all of them serve.
    assert_eq!(at(route(Shared, 900), &none, minutes(0)), (Shared, true, Sleep::Waking));
    assert_eq!(at(route(Shared, 900), &starting, minutes(0)), (Shared, true, Sleep::Waking));
    assert_eq!(at(route(Shared, 900), &deployment(3, 2), minutes(0)), (Shared, true, Sleep::Waking));
    assert_eq!(at(route(Shared, 900), &serving, minutes(0)), (Own, true, Sleep::Awake));
    // Somebody asked before the pods went: back at once.
    assert_eq!(at(route(Shared, 3), &serving, minutes(0)), (Own, true, Sleep::Awake));
    // What was applied and not yet seen by the Deployment's controller serves nobody.
    let mut unseen = serving.clone();
    unseen.metadata.generation = Some(3);
    assert_eq!(at(route(Shared, 900), &unseen, minutes(0)), (Shared, true, Sleep::Waking));
}

#[test]
fn a_gateway_must_have_taken_the_route_first() {
    let wish = wish(|_| {});
    let serving = deployment(1, 1);
    let untaken = Some(Route { lead: Lead::Shared, since: SETTLES * 10, taken: false });
    assert_eq!(told(&wish, untaken, Some(&serving), minutes(30)), (Lead::Shared, true, Sleep::FallingAsleep));
}

#[test]
fn pods_that_are_replaced_or_fail_keep_their_route() {
    let wish = wish(|it| it.hibernation = None);
    for broken in [deployment(2, 1), deployment(1, 0)] {
        let stage = told(&wish, route(Lead::Own, 5), Some(&broken), None);
        assert_eq!(stage, (Lead::Own, true, Sleep::NotAskedFor));
    }
    // Its route was deleted by somebody: it comes back to the pods, if any serves.
    assert_eq!(told(&wish, None, Some(&deployment(2, 1)), None), (Lead::Own, true, Sleep::NotAskedFor));
}

#[test]
fn a_new_store_is_answered_for_until_its_pods_serve() {
    for (wish, sleep, idle) in [
        (wish(|it| it.hibernation = None), Sleep::NotAskedFor, None),
        (wish(|_| {}), Sleep::Waking, minutes(0)),
    ] {
        assert_eq!(told(&wish, None, None, idle), (Lead::Shared, true, sleep));
        assert_eq!(
            told(&wish, route(Lead::Shared, 1), Some(&deployment(1, 0)), idle),
            (Lead::Shared, true, sleep)
        );
        let (lead, pods, _) = told(&wish, route(Lead::Shared, 9), Some(&deployment(1, 1)), idle);
        assert_eq!((lead, pods), (Lead::Own, true));
    }
}

#[test]
fn from_dedicated_to_pooled_nothing_goes_before_the_route() {
    let wish = wish(|it| {
        it.hibernation = None;
        it.isolation = Isolation::Pooled;
    });
    let serving = deployment(1, 1);
    let leaving = |route, deployment| {
        let sight = Sight { routed: true, route, deployment, idle: None, settles: SETTLES };
        Stage::of(&wish, &sight).leaving
    };
    assert!(leaving(route(Lead::Own, 900), Some(&serving)));
    assert!(leaving(route(Lead::Shared, 14), Some(&serving)));
    assert!(leaving(None, Some(&serving)));
    assert!(!leaving(route(Lead::Shared, 15), Some(&serving)));
    assert!(!leaving(route(Lead::Shared, 0), None));
    // Without a router there is nobody to wait for.
    let sight = Sight { deployment: Some(&serving), settles: SETTLES, ..Sight::default() };
    assert!(!Stage::of(&wish, &sight).leaving);
}

#[test]
fn what_does_not_sleep() {
    let serving = deployment(1, 1);
    // Without a route nothing could wake it.
    let wish_of_any = wish(|_| {});
    let sight = Sight { deployment: Some(&serving), settles: SETTLES, ..Sight::default() };
    let stage = Stage::of(&wish_of_any, &sight);
    assert_eq!((stage.lead, stage.pods, stage.sleep), (Lead::Own, true, Sleep::NoRoute));
    // A suspended store has no pods, and the shared runtime says to everybody why.
    let suspended = wish(|it| it.state = DesiredState::Suspended);
    assert_eq!(
        told(&suspended, route(Lead::Own, 900), Some(&serving), None),
        (Lead::Shared, false, Sleep::NotAskedFor)
    );
    let no_pods = wish(|it| {
        it.hibernation = None;
        it.runtime = Some(Runtime { replicas: Some(0), ..Runtime::default() });
    });
    assert_eq!(
        told(&no_pods, route(Lead::Shared, 900), Some(&deployment(0, 0)), None),
        (Lead::Own, true, Sleep::NotAskedFor)
    );
}

/// Asleep it has no pods, no autoscaler that would bring them back, and no budget; awake it has what was asked for.
#[test]
fn what_a_sleeping_store_consists_of() {
    let autoscaled = |it: &mut StoreSpec| {
        let autoscaling = Some(Autoscaling { min_replicas: 2, max_replicas: 8, target_cpu_percent: 70 });
        it.runtime = Some(Runtime { autoscaling, ..Runtime::default() });
    };
    let runtime = testing::runtime();
    let record = testing::record();
    let mut wish = wish(autoscaled);
    let kinds = |wish: &Wish| {
        let children = build::children(wish, &record, &runtime, &build::Abilities::default());
        let kinds: Vec<_> = children.iter().map(|child| child.resource.kind.clone()).collect();
        let deployment = children.iter().find(|child| child.resource.kind == "Deployment").unwrap();
        let ingress = children.iter().find(|child| child.resource.kind == "Ingress").unwrap();
        let backend = ingress.object["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"].clone();
        (kinds, deployment.object["spec"]["replicas"].clone(), backend)
    };
    let (awake, replicas, backend) = kinds(&wish);
    assert!(awake.contains(&"HorizontalPodAutoscaler".to_owned()));
    assert!(awake.contains(&"PodDisruptionBudget".to_owned()));
    assert_eq!((replicas, backend), (json!(null), json!({ "name": "acme", "port": { "number": 80 } })));
    wish.stage = Stage { lead: Lead::Shared, pods: false, leaving: false, sleep: Sleep::Asleep };
    let (asleep, replicas, backend) = kinds(&wish);
    let gone: Vec<_> = awake.iter().filter(|kind| !asleep.contains(*kind)).collect();
    assert_eq!(gone, ["HorizontalPodAutoscaler", "PodDisruptionBudget"]);
    assert_eq!((replicas, backend), (json!(0), json!({ "name": "acme-pooled", "port": { "number": 80 } })));
}
