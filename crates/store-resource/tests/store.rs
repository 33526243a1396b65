//! The Store resource as the API server will see it: its rules, its defaults, its words.
//! `UPDATE_CRD=1 cargo test -p souk-store-resource` writes the chart's copy again.

use std::path::Path;

use kube::core::cel::ValidationErrors;
use serde_json::{Value, json};
use souk_store_resource::{
    Autoscaling, Database, Domain, GROUP, Hibernation, Isolation, KIND, KeyDigest, Locale, Reason, Runtime,
    Store, StoreSpec, VERSION, crd,
};

const CHART: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../charts/souk/crds/stores.souk.dev.yaml");
const ID: &str = "sto_01h455vb4pex5vsknk084sn02q";
const OTHER_ID: &str = "sto_01h455vb4pex5vsknk084sn02r";

fn store(change: impl FnOnce(&mut StoreSpec)) -> Store {
    let mut spec = StoreSpec::new("Acme Bakery", "owner@acme.example");
    change(&mut spec);
    Store::new("acme", spec)
}

fn refusals(store: &Store) -> Vec<String> {
    messages(store.validate_cel())
}

fn refusals_of_update(old: &Store, new: &Store) -> Vec<String> {
    messages(new.validate_cel_update(old))
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
fn refused(messages: &[String], words: &str) {
    assert!(
        messages.len() == 1 && messages[0].contains(words),
        "wanted one message with {words:?}: {messages:#?}"
    );
}

fn schema() -> Value {
    let crd = serde_json::to_value(crd()).unwrap();
    crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"].clone()
}

#[test]
fn the_smallest_store_is_enough() {
    assert_eq!(refusals(&store(|_| {})), Vec::<String>::new());
    let read: Store = serde_json::from_value(json!({
        "apiVersion": "souk.dev/v1alpha1", "kind": "Store", "metadata": { "name": "acme" },
        "spec": { "displayName": "Acme Bakery", "ownerEmail": "owner@acme.example" },
    }))
    .unwrap();
    assert_eq!(read, store(|_| {}));
}

#[test]
fn the_example_of_the_readme_is_valid() {
    let text = include_str!("../../../operator/examples/acme.yaml");
    let example: Store = serde_saphyr::from_str(text).unwrap();
    assert_eq!(refusals(&example), Vec::<String>::new());
    assert_eq!(text.lines().count(), 5);
}

#[test]
fn every_rule_says_what_to_do() {
    refused(&refusals(&store(|it| it.owner_email = "nobody".into())), "must be an e-mail address");
    refused(&refusals(&Store::new("9lives", store(|_| {}).spec)), "must begin with a letter");
    refused(&refusals(&Store::new(&"a".repeat(41), store(|_| {}).spec)), "at most 40 characters");
    let runtime = |runtime: Runtime| refusals(&store(|it| it.runtime = Some(runtime)));
    let scaling =
        |min_replicas, max_replicas| Some(Autoscaling { min_replicas, max_replicas, target_cpu_percent: 70 });
    refused(
        &runtime(Runtime { replicas: Some(1), autoscaling: scaling(1, 2), ..Runtime::default() }),
        "exclude each other",
    );
    refused(&runtime(Runtime { autoscaling: scaling(3, 2), ..Runtime::default() }), "must not exceed");
    refused(
        &runtime(Runtime { image: Some("souk:latest".into()), ..Runtime::default() }),
        "pinned by digest",
    );
    refused(
        &refusals(&store(|it| {
            it.isolation = Isolation::Pooled;
            it.runtime = Some(Runtime::default());
        })),
        "only for isolation: Dedicated",
    );
    refused(
        &refusals(&store(|it| {
            it.isolation = Isolation::Pooled;
            it.hibernation = Some(Hibernation { after_minutes: 30 });
        })),
        "no pods that could sleep",
    );
    refused(&refusals(&store(|it| it.database.adopt = true)), "needs storeId");
    let domain = |host: &str, primary| Domain { host: host.into(), primary, tls_secret_name: None };
    for host in ["Shop.acme.example", "acme", "*.acme.example", "acme.example/x", "acme..example"] {
        refused(&refusals(&store(|it| it.domains = vec![domain(host, false)])), "fully qualified host name");
    }
    refused(
        &refusals(&store(|it| {
            it.domains = vec![domain("a.acme.example", true), domain("b.acme.example", true)]
        })),
        "at most one",
    );
    assert_eq!(
        refusals(&store(
            |it| it.domains = vec![domain("a.acme.example", true), domain("b.acme.example", false)]
        )),
        Vec::<String>::new()
    );
}

#[test]
fn what_is_settled_at_birth_stays() {
    let born = store(|it| it.store_id = Some(ID.into()));
    refused(
        &refusals_of_update(&born, &store(|it| it.store_id = Some(OTHER_ID.into()))),
        "storeId is immutable",
    );
    refused(&refusals_of_update(&born, &store(|_| {})), "cannot be added or removed");
    refused(&refusals_of_update(&store(|_| {}), &born), "cannot be added or removed");
    let key = KeyDigest { prefix: "sk_test_Ab1c".into(), sha256: "0".repeat(64) };
    let keyed = store(|it| it.first_keys = vec![key.clone()]);
    refused(&refusals_of_update(&keyed, &store(|_| {})), "firstKeys are only for the store's birth");
    refused(&refusals_of_update(&store(|_| {}), &keyed), "firstKeys are only for the store's birth");
    let other = KeyDigest { sha256: "1".repeat(64), ..key };
    refused(&refusals_of_update(&keyed, &store(|it| it.first_keys = vec![other.clone()])), "birth");
    let plain = store(|_| {});
    refused(&refusals_of_update(&plain, &store(|it| it.owner_email = "b@acme.example".into())), "birth");
    refused(&refusals_of_update(&plain, &store(|it| it.locale.country = "FR".into())), "birth");
    let changed = store(|it| {
        it.display_name = "Acme".into();
        it.handle = Some("cakes".into());
        it.isolation = Isolation::Pooled;
        it.plan = "pro".into();
    });
    assert_eq!(refusals_of_update(&plain, &changed), Vec::<String>::new());
}

/// Trap 1: the CRD's default of a nested struct is what its fields make of `{}`.
#[test]
fn leaving_a_struct_out_is_the_same_as_writing_it_empty() {
    assert_eq!(Database::default(), serde_json::from_str("{}").unwrap());
    assert_eq!(Locale::default(), serde_json::from_str("{}").unwrap());
    assert_eq!(Runtime::default(), serde_json::from_str("{}").unwrap());
    let spec = &schema()["properties"]["spec"]["properties"];
    assert_eq!(
        spec["database"]["default"],
        json!({ "adopt": false, "maxConnections": 20, "rotateEveryDays": 30 })
    );
    assert_eq!(spec["locale"]["default"], json!({ "country": "DE", "language": "en", "timezone": "UTC" }));
}

/// Trap 2: what Helm must read stands on the definition, not on every store.
#[test]
fn only_the_definition_is_kept_by_helm() {
    let keep = crd().metadata.annotations.unwrap_or_default();
    assert_eq!(keep.get("helm.sh/resource-policy").map(String::as_str), Some("keep"));
    assert_eq!(store(|_| {}).metadata.annotations, None);
}

/// Trap 3: two writers of a list must not wipe each other's entries.
#[test]
fn lists_are_maps() {
    let schema = schema();
    let conditions = &schema["properties"]["status"]["properties"]["conditions"];
    assert_eq!(
        (&conditions["x-kubernetes-list-type"], &conditions["x-kubernetes-list-map-keys"]),
        (&json!("map"), &json!(["type"]))
    );
    let domains = &schema["properties"]["spec"]["properties"]["domains"];
    assert_eq!(
        (&domains["x-kubernetes-list-type"], &domains["x-kubernetes-list-map-keys"]),
        (&json!("map"), &json!(["host"]))
    );
}

/// Trap 4: the API server refuses rules on strings whose length nothing bounds (their cost could be anything).
#[test]
fn every_string_under_a_rule_is_bounded() {
    let mut unbounded = Vec::new();
    walk(&schema()["properties"]["spec"], "spec", &mut |path, node| {
        if node["type"] == "string"
            && (node["x-kubernetes-validations"].is_array() || node["pattern"].is_string())
            && node["maxLength"].is_null()
            && !path.starts_with("spec.runtime.resources")
        {
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
    let crd = serde_json::to_value(crd()).unwrap();
    assert_eq!(
        (crd["spec"]["group"].as_str(), crd["spec"]["versions"][0]["name"].as_str()),
        (Some(GROUP), Some(VERSION))
    );
    assert_eq!(
        crd["spec"]["names"],
        json!({ "kind": KIND, "plural": "stores", "singular": "store", "shortNames": ["sto"], "categories": ["souk"] })
    );
    let subresources = &crd["spec"]["versions"][0]["subresources"];
    assert_eq!(subresources["scale"]["specReplicasPath"], ".spec.runtime.replicas");
    assert!(subresources["status"].is_object());
    let columns: Vec<_> = crd["spec"]["versions"][0]["additionalPrinterColumns"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|column| column["priority"].as_i64().unwrap_or(0) == 0)
        .map(|column| column["name"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(columns, ["Ready", "Phase", "Plan", "Isolation", "URL", "Age"]);
}

/// Trap 5: one writer, one form; the chart's copy is what this program would install.
#[test]
fn the_chart_has_this_definition() {
    let text = format!(
        "# Generated by `souk-operator crd`; do not edit.\n{}",
        serde_saphyr::to_string(&crd()).unwrap()
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
    assert_eq!(read, serde_json::to_value(crd()).unwrap());
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
    let silent: Vec<_> = Reason::ALL
        .iter()
        .filter(|reason| !page.contains(&format!("`{reason}`")))
        .map(|reason| reason.as_str())
        .collect();
    assert_eq!(silent, Vec::<&str>::new());
}
