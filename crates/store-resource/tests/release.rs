//! The StoreRelease resource as the API server will see it: its rules, its defaults, its words.
//! `UPDATE_CRD=1 cargo test -p souk-store-resource` writes the chart's copy again.

use std::path::Path;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, LabelSelector, Time};
use kube::core::cel::ValidationErrors;
use serde_json::{Value, json};
use souk_store_resource::{
    GROUP, RELEASE_KIND, ReleaseCondition, ReleaseReason, StoreRelease, StoreReleaseSpec, StoreReleaseStatus,
    VERSION, Wave, release_crd,
};

const CHART: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../charts/souk/crds/storereleases.souk.dev.yaml");

fn image(digit: &str) -> String {
    format!("registry.example/souk@sha256:{}", digit.repeat(64))
}

fn release(change: impl FnOnce(&mut StoreReleaseSpec)) -> StoreRelease {
    let mut spec = StoreReleaseSpec::new("1.8.2", image("1"));
    change(&mut spec);
    StoreRelease::new("r-1-8-2", spec)
}

fn wave(name: &str, size: &str) -> Wave {
    Wave { name: name.into(), size: size.into(), selector: None, soak_seconds: 600, requires_approval: false }
}

fn messages(verdict: Result<(), ValidationErrors>) -> Vec<String> {
    verdict
        .err()
        .map(ValidationErrors::into_vec)
        .unwrap_or_default()
        .into_iter()
        .map(|error| error.message)
        .collect()
}

/// Exactly one refusal, with these words in it.
#[track_caller]
fn refused(verdict: Result<(), ValidationErrors>, words: &str) {
    let messages = messages(verdict);
    assert!(
        messages.len() == 1 && messages[0].contains(words),
        "wanted one message with {words:?}: {messages:#?}"
    );
}

fn schema() -> Value {
    let crd = serde_json::to_value(release_crd()).unwrap();
    crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"].clone()
}

#[test]
fn the_smallest_release_is_enough() {
    assert_eq!(messages(release(|_| {}).validate_cel()), Vec::<String>::new());
    let read: StoreRelease = serde_json::from_value(json!({
        "apiVersion": "souk.dev/v1alpha1", "kind": "StoreRelease", "metadata": { "name": "r-1-8-2" },
        "spec": { "version": "1.8.2", "image": image("1"), "waves": [{ "name": "all", "size": "100%" }] },
    }))
    .unwrap();
    assert_eq!(read, release(|_| {}));
    assert_eq!(
        (
            read.spec.max_unavailable.as_str(),
            read.spec.max_failures.as_str(),
            read.spec.progress_deadline_seconds
        ),
        ("2%", "3", 900)
    );
    assert_eq!((read.spec.waves[0].soak_seconds, read.spec.waves[0].requires_approval), (600, false));
}

#[test]
fn the_example_of_the_docs_is_valid() {
    let text = include_str!("../../../operator/examples/release.yaml");
    let example: StoreRelease = serde_saphyr::from_str(text).unwrap();
    assert_eq!(messages(example.validate_cel()), Vec::<String>::new());
    assert_eq!(example.spec.waves.len(), 3);
}

#[test]
fn every_rule_says_what_to_do() {
    refused(release(|it| it.image = "souk:latest".into()).validate_cel(), "pinned by digest");
    let needs_the_rest = "must take whoever is left";
    refused(release(|it| it.waves = vec![wave("some", "99%")]).validate_cel(), needs_the_rest);
    let mut chosen = wave("chosen", "100%");
    chosen.selector = Some(LabelSelector::default());
    refused(release(|it| it.waves = vec![chosen.clone()]).validate_cel(), needs_the_rest);
    let with_the_rest = release(|it| it.waves = vec![chosen, wave("rest", "100%")]);
    assert_eq!(messages(with_the_rest.validate_cel()), Vec::<String>::new());
    refused(release(|it| it.approved_waves = vec!["al".into()]).validate_cel(), "must name waves");
    let approved = release(|it| it.approved_waves = vec!["all".into()]);
    assert_eq!(messages(approved.validate_cel()), Vec::<String>::new());
}

#[test]
fn what_is_rolled_out_stays_what_it_is() {
    let born = release(|it| it.schema_version = Some(80));
    refused(
        release(|it| {
            it.schema_version = Some(80);
            it.image = image("2");
        })
        .validate_cel_update(&born),
        "image is immutable",
    );
    refused(
        release(|it| it.schema_version = Some(81)).validate_cel_update(&born),
        "schemaVersion is immutable",
    );
    refused(release(|_| {}).validate_cel_update(&born), "cannot be added or removed");
    refused(born.validate_cel_update(&release(|_| {})), "cannot be added or removed");
    let steered = release(|it| {
        it.schema_version = Some(80);
        it.paused = true;
        it.approved_waves = vec!["all".into()];
        it.max_unavailable = "10".into();
        it.max_failures = "5%".into();
        it.progress_deadline_seconds = 60;
        it.waves.insert(0, wave("first", "1"));
    });
    assert_eq!(messages(steered.validate_cel_update(&born)), Vec::<String>::new());
}

#[test]
fn it_means_the_namespaces_it_names_or_all() {
    assert!(release(|_| {}).spec.covers("org-acme"));
    let some = release(|it| it.namespaces = vec!["org-acme".into()]);
    assert!(some.spec.covers("org-acme") && !some.spec.covers("org-other"));
}

#[test]
fn the_newer_one_is_the_one_made_later() {
    let made = |name: &str, second: i64| {
        let mut release = StoreRelease::new(name, StoreReleaseSpec::new("1", image("1")));
        let at = k8s_openapi::jiff::Timestamp::from_second(second).unwrap();
        release.metadata.creation_timestamp = Some(Time(at));
        release
    };
    assert!(made("a", 2).is_newer_than(&made("b", 1)) && !made("b", 1).is_newer_than(&made("a", 2)));
    assert!(made("b", 1).is_newer_than(&made("a", 1)) && !made("a", 1).is_newer_than(&made("b", 1)));
    assert!(!made("a", 1).is_newer_than(&made("a", 1)));
}

#[test]
fn complete_is_what_the_condition_says() {
    let mut it = release(|_| {});
    assert!(!it.is_complete());
    let condition = |status: &str| Condition {
        type_: ReleaseCondition::Complete.to_string(),
        status: status.into(),
        reason: ReleaseReason::RolledOut.to_string(),
        message: String::new(),
        observed_generation: Some(1),
        last_transition_time: Time(k8s_openapi::jiff::Timestamp::UNIX_EPOCH),
    };
    for (status, complete) in [("False", false), ("Unknown", false), ("True", true)] {
        it.status =
            Some(StoreReleaseStatus { conditions: vec![condition(status)], ..StoreReleaseStatus::default() });
        assert_eq!(it.is_complete(), complete, "{status}");
    }
}

/// Two writers of a list must not wipe each other's entries.
#[test]
fn lists_are_maps_or_sets() {
    let schema = schema();
    for (part, field, kind, keys) in [
        ("spec", "waves", "map", json!(["name"])),
        ("spec", "approvedWaves", "set", Value::Null),
        ("spec", "namespaces", "set", Value::Null),
        ("status", "conditions", "map", json!(["type"])),
        ("status", "waves", "map", json!(["name"])),
    ] {
        let list = &schema["properties"][part]["properties"][field];
        assert_eq!(
            (&list["x-kubernetes-list-type"], &list["x-kubernetes-list-map-keys"]),
            (&json!(kind), &keys),
            "{part}.{field}"
        );
    }
}

/// The API server refuses rules on what nothing bounds (their cost could be anything).
#[test]
fn everything_under_a_rule_is_bounded() {
    let mut unbounded = Vec::new();
    walk(&schema()["properties"]["spec"], "spec", &mut |path, node| {
        if path.contains(".selector") {
            return;
        }
        let long = node["type"] == "string" && node["maxLength"].is_null();
        let many = node["type"] == "array"
            && (node["maxItems"].is_null()
                || node["items"]["type"] == "string" && node["items"]["maxLength"].is_null());
        if long || many {
            unbounded.push(path.to_owned());
        }
    });
    assert_eq!(unbounded, Vec::<String>::new());
}

#[test]
fn every_field_is_described() {
    let mut silent = Vec::new();
    walk(&schema(), "", &mut |path, node| {
        if node["description"].as_str().is_none_or(str::is_empty) {
            silent.push(path.to_owned());
        }
    });
    assert_eq!(silent, Vec::<String>::new());
}

#[test]
fn names_are_what_everybody_agreed_on() {
    let crd = serde_json::to_value(release_crd()).unwrap();
    assert_eq!(
        (crd["spec"]["group"].as_str(), crd["spec"]["versions"][0]["name"].as_str()),
        (Some(GROUP), Some(VERSION))
    );
    assert_eq!(crd["spec"]["scope"], "Cluster");
    assert_eq!(
        crd["spec"]["names"],
        json!({ "kind": RELEASE_KIND, "plural": "storereleases", "singular": "storerelease",
            "shortNames": ["srel"], "categories": ["souk"] })
    );
    assert!(crd["spec"]["versions"][0]["subresources"]["status"].is_object());
    let columns: Vec<_> = crd["spec"]["versions"][0]["additionalPrinterColumns"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|column| column["priority"].as_i64().unwrap_or(0) == 0)
        .map(|column| column["name"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(columns, ["Version", "Wave", "Updated", "Failed", "Total", "Progressing", "Age"]);
    assert_eq!(release(|_| {}).metadata.annotations, None);
    assert_eq!(crd["metadata"]["annotations"]["helm.sh/resource-policy"], "keep");
}

/// One writer, one form; the chart's copy is what this program would install.
#[test]
fn the_chart_has_this_definition() {
    let text = format!(
        "# Generated by `souk-operator crd`; do not edit.\n{}",
        serde_saphyr::to_string(&release_crd()).unwrap()
    );
    if std::env::var_os("UPDATE_CRD").is_some() {
        std::fs::write(CHART, &text).unwrap();
    }
    let kept = std::fs::read_to_string(Path::new(CHART)).unwrap_or_default();
    assert!(
        kept == text,
        "charts/souk/crds is not up to date: UPDATE_CRD=1 cargo test -p souk-store-resource"
    );
    let read: Value = serde_saphyr::from_str(&kept).unwrap();
    assert_eq!(read, serde_json::to_value(release_crd()).unwrap());
}

/// Visits every property, with its path.
fn walk(node: &Value, path: &str, visit: &mut impl FnMut(&str, &Value)) {
    for (name, property) in node["properties"].as_object().into_iter().flatten() {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        visit(&path, property);
        walk(property, &path, visit);
        walk(&property["items"], &format!("{path}[]"), visit);
    }
}

#[test]
fn every_reason_is_explained() {
    let page = include_str!("../../../docs/KUBERNETES.md");
    let silent: Vec<_> = ReleaseReason::ALL
        .iter()
        .filter(|reason| !page.contains(&format!("`{reason}`")))
        .map(|reason| reason.as_str())
        .collect();
    assert_eq!(silent, Vec::<&str>::new());
}
