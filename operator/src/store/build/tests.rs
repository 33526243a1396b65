//! Every kind of store, written out: a change of what runs in a cluster is a readable diff. And what must never change by itself.

use chrono::{DateTime, Utc};
use k8s_openapi::api::core::v1::ResourceRequirements;
use souk_kernel::StoreId;
use souk_provisioner::{State, StoreLogin};
use souk_store_resource::{
    Autoscaling, DesiredState, Domain, RELEASE, RELEASE_IMAGE, Runtime, Store, StoreSpec,
};

use super::*;
use crate::store::validate::testing;

fn record() -> StoreRecord {
    let store_id = StoreId::parse("sto_01h455vb4pex5vsknk084sn02q").unwrap();
    let born: DateTime<Utc> = "2026-11-24T12:00:00Z".parse().unwrap();
    StoreRecord {
        store_id,
        schema: format!("s_{}", store_id.suffix()),
        role: format!("r_{}", store_id.suffix()),
        lane: 3,
        state: State::Live,
        owner: None,
        organization_id: None,
        handle: "acme".into(),
        name: "Acme Bakery".into(),
        hosts: vec![],
        plan: json!({}),
        fence: 1,
        schema_version: 8,
        schema_digest: None,
        last_error: None,
        created_at: born,
        purge_after: None,
        owner_scope: Some("org-acme".into()),
        login: Some(StoreLogin { slot: 1, version: 1, issued_at: born, retiring: None }),
    }
}

fn built(runtime: &RuntimeConfig, abilities: Abilities, change: impl FnOnce(&mut StoreSpec)) -> Vec<Child> {
    let store = testing::store(change);
    let wish = Wish::of(&store, runtime).unwrap();
    children(&wish, &record(), runtime, &abilities)
}

fn yaml(children: &[Child]) -> String {
    children.iter().map(|child| format!("---\n{}", serde_saphyr::to_string(&child.object).unwrap())).collect()
}

fn kinds_of(children: &[Child]) -> Vec<&str> {
    children.iter().map(|child| child.resource.kind.as_str()).collect()
}

fn domains(it: &mut StoreSpec) {
    let domain = |host: &str, secret: Option<&str>| Domain {
        host: host.into(),
        primary: false,
        tls_secret_name: secret.map(str::to_owned),
    };
    it.domains = vec![domain("shop.acme.example", Some("acme-tls")), domain("acme.example", None)];
}

#[test]
fn the_smallest_store() {
    insta::assert_snapshot!(yaml(&built(&testing::runtime(), Abilities::default(), |_| {})));
}

#[test]
fn a_store_with_everything() {
    insta::assert_snapshot!(yaml(&built(&testing::runtime(), Abilities::default(), |it| {
        domains(it);
        it.runtime = Some(Runtime {
            image: Some(format!("registry.example/souk-runtime@sha256:{}", "1".repeat(64))),
            replicas: None,
            autoscaling: Some(Autoscaling { min_replicas: 2, max_replicas: 8, target_cpu_percent: 70 }),
            resources: Some(ResourceRequirements::default()),
        });
    })));
}

#[test]
fn a_pooled_store_with_domains() {
    insta::assert_snapshot!(yaml(&built(&testing::runtime(), Abilities::default(), |it| {
        domains(it);
        it.isolation = Isolation::Pooled;
    })));
}

#[test]
fn behind_a_gateway() {
    let mut runtime = testing::runtime();
    runtime.gateway = Some(("gateways".into(), "public".into()));
    let with = built(&runtime, Abilities { gateway_api: true }, domains);
    insta::assert_snapshot!(yaml(&with[with.len() - 1..]));
    // Configured but not there: the Ingress class takes its place, or nothing does.
    let without = built(&runtime, Abilities { gateway_api: false }, domains);
    assert_eq!(kinds_of(&without).last(), Some(&"Ingress"));
    runtime.ingress_class = None;
    assert_eq!(
        kinds_of(&built(&runtime, Abilities { gateway_api: false }, domains)).last(),
        Some(&"Deployment")
    );
}

#[test]
fn a_pooled_store_without_domains_needs_nothing() {
    let children = built(&testing::runtime(), Abilities::default(), |it| it.isolation = Isolation::Pooled);
    assert_eq!(kinds_of(&children), Vec::<&str>::new());
}

#[test]
fn a_suspended_store_has_no_pods_and_no_autoscaler() {
    let children = built(&testing::runtime(), Abilities::default(), |it| {
        it.state = DesiredState::Suspended;
        it.runtime = Some(Runtime {
            autoscaling: Some(Autoscaling { min_replicas: 2, max_replicas: 8, target_cpu_percent: 70 }),
            ..Runtime::default()
        });
    });
    let deployment = children.iter().find(|child| child.resource.kind == "Deployment").unwrap();
    assert_eq!(deployment.object["spec"]["replicas"], 0);
    assert!(!kinds_of(&children).contains(&"HorizontalPodAutoscaler"));
}

/// A pod is replaced when its image, its settings or its password changed: for nothing else, and never by the operator's version.
#[test]
fn pods_are_replaced_only_for_a_reason() {
    let template = |runtime: &RuntimeConfig, record: &StoreRecord, change: fn(&mut StoreSpec)| {
        let store = testing::store(change);
        let wish = Wish::of(&store, runtime).unwrap();
        let all = children(&wish, record, runtime, &Abilities::default());
        all.into_iter().find(|child| child.resource.kind == "Deployment").unwrap().object["spec"]["template"]
            .clone()
    };
    let (runtime, record) = (testing::runtime(), record());
    let before = template(&runtime, &record, |_| {});
    let harmless: [fn(&mut StoreSpec); 4] = [
        |it| it.display_name = "Acme".into(),
        |it| it.plan = "growth".into(),
        domains,
        |it| it.runtime = Some(Runtime { replicas: Some(5), ..Runtime::default() }),
    ];
    for change in harmless {
        assert_eq!(template(&runtime, &record, change), before);
    }
    assert!(!before.to_string().contains(env!("CARGO_PKG_VERSION")));
    let mut rotated = record.clone();
    rotated.login.as_mut().unwrap().version = 2;
    assert_ne!(template(&runtime, &rotated, |_| {}), before);
    let released = |it: &mut Store| {
        it.annotations_mut().insert(RELEASE.into(), "r-2".into());
        it.annotations_mut().insert(RELEASE_IMAGE.into(), format!("souk@sha256:{}", "2".repeat(64)));
    };
    let template_of = |runtime: &RuntimeConfig, store: &Store| {
        let all = children(&Wish::of(store, runtime).unwrap(), &record, runtime, &Abilities::default());
        all.into_iter().find(|child| child.resource.kind == "Deployment").unwrap().object["spec"]["template"]
            .clone()
    };
    let mut store = testing::store(|_| {});
    released(&mut store);
    let given = template_of(&runtime, &store);
    assert_ne!(given, before);
    // With a release, another setting of the operator's is nothing to its pods.
    let mut upgraded = runtime.clone();
    upgraded.image = format!("souk@sha256:{}", "3".repeat(64));
    assert_eq!(template_of(&upgraded, &store), given);
    assert_ne!(template(&upgraded, &record, |_| {}), before);
    let mut moved = runtime.clone();
    moved.database_url = "postgres://other.example:5432/souk".into();
    assert_ne!(template(&moved, &record, |_| {}), before);
}

/// Names and labels fit whatever a Store may be called.
#[test]
fn derived_names_fit() {
    for child in built(&testing::runtime(), Abilities::default(), domains) {
        // The longest a Store's name may be, in place of `acme`.
        assert!(child.name().len() - "acme".len() + 40 <= 63, "{}", child.name());
        assert_eq!(child.object["metadata"]["ownerReferences"][0]["controller"], true);
        assert_eq!(child.object["metadata"]["labels"][STORE_ID], "sto_01h455vb4pex5vsknk084sn02q");
    }
}
