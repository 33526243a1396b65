//! The Gateway API comes to a cluster in which stores are, leads to them wherever they are served, and goes again. There is no data
//! plane here: whether a Gateway has taken a route is said by the test.

use std::sync::atomic::Ordering;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::networking::v1::Ingress;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{ApiResource, DeleteParams, DynamicObject, Patch, PatchParams, PostParams};
use kube::core::GroupVersionKind;
use kube::{Api, ResourceExt as _};
use serde_json::{Value, json};
use souk_store_resource::{ConditionType, Reason};

use crate::bench::{Bench, eventually};
use crate::front::StandIn;
use crate::hibernation::{idle, replicas, sleepy, until_asleep, until_awake};
use crate::rights;

const NAME: &str = "httproutes.gateway.networking.k8s.io";

/// The fields that the operator writes, with what the real definition fills in beside them.
fn definition() -> CustomResourceDefinition {
    let text = json!({ "type": "string" });
    let number = |default: i64| json!({ "type": "integer", "default": default });
    let or = |default: &str| json!({ "type": "string", "default": default });
    let list = |properties: Value| json!({ "type": "array", "items": { "type": "object", "properties": properties } });
    let parent = json!({ "group": or("gateway.networking.k8s.io"), "kind": or("Gateway"), "name": text, "namespace": text });
    let backend = json!({
        "group": or(""), "kind": or("Service"), "name": text, "namespace": text,
        "port": { "type": "integer" }, "weight": number(1),
    });
    let path = json!({ "type": "object", "properties": { "type": or("PathPrefix"), "value": or("/") } });
    let mut matches = list(json!({ "path": path }));
    matches["default"] = json!([{ "path": { "type": "PathPrefix", "value": "/" } }]);
    let rules = list(json!({ "matches": matches, "backendRefs": list(backend) }));
    let hostnames = json!({ "type": "array", "maxItems": 16, "items": text });
    let spec = json!({ "parentRefs": list(parent), "hostnames": hostnames, "rules": rules });
    let status = json!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true });
    let properties = json!({ "spec": { "type": "object", "properties": spec }, "status": status });
    serde_json::from_value(json!({
        "metadata": {
            "name": NAME,
            "annotations": { "api-approved.kubernetes.io": "unapproved, the part of it that tests need" },
        },
        "spec": {
            "group": "gateway.networking.k8s.io",
            "scope": "Namespaced",
            "names": { "kind": "HTTPRoute", "listKind": "HTTPRouteList", "plural": "httproutes", "singular": "httproute" },
            "versions": [{
                "name": "v1", "served": true, "storage": true, "subresources": { "status": {} },
                "schema": { "openAPIV3Schema": { "type": "object", "properties": properties } },
            }],
        },
    }))
    .expect("a definition")
}

struct Gateway {
    definitions: Api<CustomResourceDefinition>,
    routes: Api<DynamicObject>,
}

impl Gateway {
    fn of(bench: &Bench) -> Self {
        let kind = GroupVersionKind::gvk("gateway.networking.k8s.io", "v1", "HTTPRoute");
        let resource = ApiResource::from_gvk_with_plural(&kind, "httproutes");
        Self {
            definitions: Api::all(bench.client.clone()),
            routes: Api::namespaced_with(bench.client.clone(), &bench.namespace, &resource),
        }
    }

    async fn install(&self) {
        self.definitions.create(&PostParams::default(), &definition()).await.expect("it is accepted");
        eventually("routes are served", async || {
            let status = self.definitions.get(NAME).await.ok()?.status?;
            let mut conditions = status.conditions.iter().flatten();
            conditions.any(|it| it.type_ == "Established" && it.status == "True").then_some(())
        })
        .await;
    }

    async fn remove(&self) {
        if self.definitions.get_opt(NAME).await.expect("an answer").is_some() {
            self.definitions.delete(NAME, &DeleteParams::default()).await.expect("it may go");
        }
        eventually("there are no routes", async || {
            self.definitions.get_opt(NAME).await.ok()?.is_none().then_some(())
        })
        .await;
    }

    /// Waits until the route leads to this Service.
    async fn leads_to(&self, service: &Value) -> DynamicObject {
        eventually(&format!("the route leads to {service}"), async || {
            let route = self.routes.get_opt("acme").await.ok()??;
            let backend = &route.data["spec"]["rules"][0]["backendRefs"][0];
            let said = |key: &str| backend[key] == service[key];
            (said("name") && said("namespace") && said("port")).then_some(route)
        })
        .await
    }

    /// What a Gateway's controller says of a route that it leads by.
    async fn takes(&self, route: &DynamicObject) {
        let accepted = json!({
            "type": "Accepted", "status": "True", "reason": "Accepted", "message": "",
            "observedGeneration": route.metadata.generation, "lastTransitionTime": "2026-12-01T00:00:00Z",
        });
        let parent = json!({ "name": "public", "namespace": "gateways" });
        let parents = json!([{ "parentRef": parent, "controllerName": "tests.example/gateway", "conditions": [accepted] }]);
        let status = Patch::Merge(json!({ "status": { "parents": parents } }));
        self.routes.patch_status("acme", &PatchParams::default(), &status).await.expect("it is noted");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_gateway_api_comes_leads_to_stores_and_goes() {
    let shared = StandIn::start().await;
    shared.answers.store(true, Ordering::Relaxed);
    let address = shared.address.clone();
    let Some(mut bench) = Bench::idle(|config| {
        config.runtime.pooled_address = Some(address);
        config.runtime.gateway = Some(("gateways".into(), "public".into()));
        config.runtime.ingress_class = None;
        config.runtime.shared_pictures = true;
    })
    .await
    else {
        return;
    };
    let gateway = Gateway::of(&bench);
    // An earlier run may have ended in the middle.
    gateway.remove().await;
    bench.start().await;
    let own = json!({ "name": "acme", "port": 80 });
    let pooled = json!({ "name": "souk-runtime", "namespace": "souk-system", "port": 80 });

    // It serves inside the cluster, and does not sleep: nothing could wake it.
    bench.apply("acme", sleepy(json!({}))).await.unwrap();
    bench.until("acme", ConditionType::Routed, "False", Reason::GatewayAPIMissing).await;
    let store = bench.until_ready("acme").await;
    bench.until("acme", ConditionType::Hibernated, "False", Reason::ServiceOnly).await;

    // In a cluster with Ingresses a store is reached until a Gateway has taken its route.
    let Some(mut other) = Bench::open_with(|config| {
        config.runtime.gateway = Some(("gateways".into(), "public".into()));
    })
    .await
    else {
        return;
    };
    let beside = Gateway::of(&other);
    other.apply("acme", Bench::spec(json!({}))).await.unwrap();
    other.until("acme", ConditionType::Routed, "True", Reason::Programmed).await;
    other.until_ready("acme").await;
    let ingress = async || other.api::<Ingress>().get_opt("acme").await.expect("an answer").is_some();

    // Installed while the operators run, it is taken up.
    gateway.install().await;
    let route = gateway.leads_to(&own).await;
    assert_eq!(route.owner_references()[0].uid, store.uid().unwrap());
    assert_eq!(route.data["spec"]["hostnames"], json!([format!("acme.{}.example", bench.namespace)]));
    let parent = &route.data["spec"]["parentRefs"][0];
    assert_eq!((&parent["namespace"], &parent["name"]), (&json!("gateways"), &json!("public")));
    // Pictures that are in the platform's object store only the shared runtime can show.
    let pictures = &route.data["spec"]["rules"][1];
    assert_eq!(pictures["matches"][0]["path"]["value"], "/store/v1/images/");
    assert_eq!(pictures["backendRefs"][0]["name"], "souk-runtime");
    bench.until("acme", ConditionType::Routed, "False", Reason::WaitingForGateway).await;
    gateway.takes(&route).await;
    bench.until("acme", ConditionType::Routed, "True", Reason::Programmed).await;
    until_awake(&bench, "acme").await;
    let route = beside.leads_to(&own).await;
    other.until("acme", ConditionType::Routed, "False", Reason::WaitingForGateway).await;
    assert!(ingress().await, "nobody else leads to it yet");
    beside.takes(&route).await;
    eventually("the Ingress is gone", async || (!ingress().await).then_some(())).await;
    other.until("acme", ConditionType::Routed, "True", Reason::Programmed).await;

    // Asleep: not before the Gateway has taken the route that leads away from the pods.
    idle(&bench, &store, 10).await;
    let route = gateway.leads_to(&pooled).await;
    bench.until("acme", ConditionType::Hibernated, "False", Reason::FallingAsleep).await;
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    assert_eq!(replicas(&bench, "acme").await, Some(1), "whoever is led to the pods still is served by them");
    gateway.takes(&route).await;
    until_asleep(&bench, "acme").await;
    assert_eq!(replicas(&bench, "acme").await, Some(0));
    idle(&bench, &store, 0).await;
    until_awake(&bench, "acme").await;
    assert_eq!(replicas(&bench, "acme").await, Some(1));
    let route = gateway.leads_to(&own).await;
    gateway.takes(&route).await;

    // Pooled: the pods go after the route, and then the route, because the platform's own leads there.
    bench.apply("acme", Bench::spec(json!({ "isolation": "Pooled" }))).await.unwrap();
    let route = gateway.leads_to(&pooled).await;
    bench.until("acme", ConditionType::RuntimeReady, "True", Reason::RolloutInProgress).await;
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    assert_eq!(replicas(&bench, "acme").await, Some(1));
    gateway.takes(&route).await;
    bench.until("acme", ConditionType::RuntimeReady, "True", Reason::Pooled).await;
    eventually("route and pods are gone", async || {
        let route = gateway.routes.get_opt("acme").await.ok()?;
        let pods = bench.api::<Deployment>().get_opt("acme").await.ok()?;
        (route.is_none() && pods.is_none()).then_some(())
    })
    .await;

    // Dedicated again, and deleted by somebody, it comes back by itself. One that is somebody else's is left alone.
    bench.apply("acme", Bench::spec(json!({ "isolation": "Dedicated" }))).await.unwrap();
    let first = gateway.leads_to(&own).await.uid();
    bench.until("acme", ConditionType::RuntimeReady, "True", Reason::RolloutComplete).await;
    gateway.routes.delete("acme", &DeleteParams::default()).await.unwrap();
    let route = gateway.leads_to(&own).await;
    assert_ne!(route.uid(), first);
    let foreign = json!({
        "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": { "name": "bread" },
        "spec": { "hostnames": ["bread.example"] },
    });
    let foreign: DynamicObject = serde_json::from_value(foreign).unwrap();
    gateway.routes.create(&PostParams::default(), &foreign).await.unwrap();
    bench.apply("bread", Bench::spec(json!({}))).await.unwrap();
    bench.until("bread", ConditionType::Routed, "False", Reason::NameTaken).await;
    let kept = gateway.routes.get("bread").await.unwrap();
    assert_eq!(kept.data["spec"]["hostnames"], json!(["bread.example"]));
    rights::all_are_used("operator", &["souk-operator"], |right| right.ends_with("/httproutes")).await;

    // Gone while the operator runs: stores serve as before it came.
    gateway.remove().await;
    bench.until("acme", ConditionType::Routed, "False", Reason::GatewayAPIMissing).await;
    bench.until_ready("acme").await;
    eventually("the Ingress is back", async || ingress().await.then_some(())).await;
    bench.stop().await;
    other.stop().await;
}
