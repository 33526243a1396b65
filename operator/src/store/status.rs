//! What was seen, put into conditions, and written only when it differs from what stands there.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use k8s_openapi::jiff::Timestamp;
use kube::api::{DynamicObject, Patch, PatchParams};
use kube::runtime::events::{Event, EventType};
use kube::{Api, Resource as _, ResourceExt as _};
use serde_json::json;
use souk_provisioner::StoreRecord;
use souk_store_resource::{
    ConditionType, DatabaseStatus, GROUP, Isolation, KIND, Phase, RECONCILE_AT, Reason, RuntimeStatus,
    STORE_ID, Store, StoreStatus, VERSION,
};

use crate::config::RuntimeConfig;
use crate::controller::Operator;
use crate::outcome::Failure;
use crate::store::MANAGER;
use crate::store::build::Abilities;
use crate::store::hibernation::{self, Lead, Sleep};
use crate::store::validate::Wish;

/// What one pass found out. What it did not get to stays as it was judged before.
pub struct Findings {
    judged: BTreeMap<ConditionType, (bool, Reason, String)>,
    store_id: Option<String>,
    url: Option<String>,
    database: Option<DatabaseStatus>,
    runtime: Option<RuntimeStatus>,
    suspended: bool,
    notes: Vec<(&'static str, String)>,
    next_look: Option<Duration>,
}

impl Findings {
    /// Begins with what does not change by being looked at.
    pub fn new(store: &Store) -> Self {
        let before = store.status.clone().unwrap_or_default();
        let mut judged = BTreeMap::new();
        judged.insert(ConditionType::Paused, (false, Reason::Running, "not paused".to_owned()));
        Self {
            judged,
            store_id: before.store_id,
            url: before.url,
            database: before.database,
            runtime: before.runtime,
            suspended: false,
            notes: Vec::new(),
            next_look: None,
        }
    }

    /// Nothing is looked at and nothing is done.
    pub fn paused(store: &Store) -> Self {
        let mut findings = Self::new(store);
        let message = "the annotation souk.dev/paused stops everything but deletion; remove it to go on";
        findings.set(ConditionType::Paused, true, Reason::Paused, message);
        findings
    }

    pub fn set(&mut self, condition: ConditionType, holds: bool, reason: Reason, message: impl Into<String>) {
        self.judged.insert(condition, (holds, reason, message.into()));
    }

    pub fn is_true(&self, condition: ConditionType) -> bool {
        self.judged.get(&condition).is_some_and(|(holds, ..)| *holds)
    }

    /// Something worth an Event, once the status is written.
    pub fn note(&mut self, reason: &'static str, text: String) {
        self.notes.push((reason, text));
    }

    /// Look again this soon, whatever is heard until then.
    pub fn look_again(&mut self, soon: Duration) {
        self.next_look = Some(self.next_look.map_or(soon, |other| other.min(soon)));
    }

    pub fn next_look(&self) -> Option<Duration> {
        self.next_look
    }

    pub fn store(&mut self, record: &StoreRecord, wish: &Wish) {
        self.store_id = Some(record.store_id.to_string());
        self.url = Some(wish.url.clone());
        self.suspended = wish.suspended;
    }

    pub fn database(&mut self, database: DatabaseStatus) {
        self.database = Some(database);
    }

    pub fn login(&mut self, user: &str) {
        if let Some(database) = &mut self.database {
            database.login = Some(user.to_owned());
        }
    }

    /// The step that ended the pass.
    pub fn failed(&mut self, failure: &Failure) {
        if failure.condition != ConditionType::Degraded {
            self.set(failure.condition, false, failure.reason, failure.message.clone());
        }
        self.set(ConditionType::Degraded, true, failure.reason, failure.message.clone());
    }

    /// Whether as many pods serve as were asked for.
    pub fn runtime(
        &mut self,
        wish: &Wish,
        record: &StoreRecord,
        deployment: Option<&Deployment>,
        pods: &[Pod],
    ) {
        if wish.isolation == Isolation::Pooled {
            self.runtime = None;
            let (reason, message) = if wish.stage.leaving {
                (Reason::RolloutInProgress, "the shared runtime serves it; its own pods go in a moment")
            } else {
                (Reason::Pooled, "the shared runtime serves it")
            };
            self.set(ConditionType::RuntimeReady, true, reason, message);
            return;
        }
        let Some(deployment) = deployment else {
            self.set(
                ConditionType::RuntimeReady,
                false,
                Reason::RolloutInProgress,
                "the Deployment is being made",
            );
            return;
        };
        let status = deployment.status.clone().unwrap_or_default();
        let template = deployment.spec.as_ref().and_then(|spec| spec.template.spec.as_ref());
        let runtime = RuntimeStatus {
            replicas: status.replicas.unwrap_or(0),
            ready_replicas: status.ready_replicas.unwrap_or(0),
            selector: Some(format!("{STORE_ID}={}", record.store_id)),
            image: template
                .and_then(|pod| pod.containers.first())
                .and_then(|container| container.image.clone()),
            release: wish.release.clone(),
        };
        let wanted = deployment.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
        let serving = format!("{} of {wanted} pods serve", runtime.ready_replicas);
        let complete = is_complete(deployment);
        // While one that may sleep starts its pods, it is served: that it must not wait for them is what the shared runtime is for.
        let waking = wish.stage.sleep == Sleep::Waking;
        if [Sleep::FallingAsleep, Sleep::Asleep].contains(&wish.stage.sleep) {
            let (reason, message) = hibernation::told(wish);
            self.set(ConditionType::RuntimeReady, true, reason, message);
        } else if complete && (wish.stage.lead == Lead::Own || wish.suspended) {
            self.set(ConditionType::RuntimeReady, true, Reason::RolloutComplete, serving);
        } else if complete {
            let reason = if waking { Reason::Waking } else { Reason::RolloutInProgress };
            let message = format!("{serving}; the route is being led to them");
            self.set(ConditionType::RuntimeReady, waking, reason, message);
            self.look_again(Duration::from_secs(1));
        } else {
            // What was late may be the template before: only what was said of this one counts.
            let current = status.observed_generation >= deployment.metadata.generation;
            let late = current
                && status.conditions.iter().flatten().any(|it| {
                    it.type_ == "Progressing"
                        && it.status == "False"
                        && it.reason.as_deref() == Some("ProgressDeadlineExceeded")
                });
            let reason = match (late, waking) {
                (true, _) => Reason::RolloutFailed,
                (false, true) => Reason::Waking,
                (false, false) => Reason::RolloutInProgress,
            };
            let trouble = trouble(pods).map(|why| format!("; {why}")).unwrap_or_default();
            let message = format!("{serving}, {} are new{trouble}", status.updated_replicas.unwrap_or(0));
            self.set(ConditionType::RuntimeReady, reason == Reason::Waking, reason, message);
            self.look_again(Duration::from_secs(15));
        }
        self.runtime = Some(runtime);
    }

    /// Whether the store can be reached from outside.
    pub fn route(
        &mut self,
        wish: &Wish,
        runtime: &RuntimeConfig,
        route: Option<&DynamicObject>,
        abilities: &Abilities,
    ) {
        let (holds, reason, message) = if wish.isolation == Isolation::Pooled && wish.hosts.len() == 1 {
            (true, Reason::Pooled, "the platform's own route leads to the shared runtime".to_owned())
        } else if runtime.gateway.is_some() && abilities.gateway_api {
            match route.map(is_accepted) {
                Some(true) => (true, Reason::Programmed, "the Gateway has accepted the route".to_owned()),
                _ => {
                    self.look_again(Duration::from_secs(15));
                    (
                        false,
                        Reason::WaitingForGateway,
                        "the Gateway has not accepted the route yet".to_owned(),
                    )
                }
            }
        } else if let Some(class) = &runtime.ingress_class {
            (true, Reason::Programmed, format!("an Ingress of class {class} leads to it"))
        } else if runtime.gateway.is_some() {
            let message = "a Gateway is configured, but the cluster has no Gateway API: install it, or set an Ingress class";
            (false, Reason::GatewayAPIMissing, message.to_owned())
        } else {
            let message = format!(
                "no Gateway and no Ingress class is configured: it answers at {}.{}",
                wish.name, wish.namespace
            );
            (false, Reason::ServiceOnly, message)
        };
        self.set(ConditionType::Routed, holds, reason, message);
    }

    /// Ready and Progressing follow from the rest.
    fn conclude(&mut self) {
        let needed =
            [ConditionType::DatabaseReady, ConditionType::CredentialsReady, ConditionType::RuntimeReady];
        let missing = needed.into_iter().find(|condition| !self.is_true(*condition));
        let degraded = self.judged.get(&ConditionType::Degraded).cloned().filter(|(holds, ..)| *holds);
        let ready = match (degraded, missing) {
            (Some((_, reason, message)), _) => (false, reason, message),
            (None, Some(condition)) => match self.judged.get(&condition) {
                Some((_, reason, message)) => (false, *reason, message.clone()),
                None => (false, Reason::Pending, format!("{condition} was not judged yet")),
            },
            (None, None) if self.suspended => {
                (false, Reason::Suspended, "spec.state is Suspended: it serves nobody".to_owned())
            }
            (None, None) => (true, Reason::AllChecksPassed, "it serves, as asked for".to_owned()),
        };
        let under_way = !ready.0 && [Reason::RolloutInProgress, Reason::Pending].contains(&ready.1);
        let progressing = if under_way {
            (true, ready.1, ready.2.clone())
        } else if let Some((_, reason, message)) = self
            .judged
            .get(&ConditionType::Hibernated)
            .filter(|it| ready.0 && [Reason::Waking, Reason::FallingAsleep].contains(&it.1))
        {
            (true, *reason, message.clone())
        } else {
            (false, Reason::Settled, "nothing is under way".to_owned())
        };
        self.judged.insert(ConditionType::Ready, ready);
        self.judged.insert(ConditionType::Progressing, progressing);
    }

    fn phase(&self, store: &Store) -> Phase {
        let was_ready = store.status.as_ref().and_then(|status| status.condition(ConditionType::Ready));
        if store.metadata.deletion_timestamp.is_some() {
            Phase::Deleting
        } else if self.is_true(ConditionType::Paused) {
            Phase::Paused
        } else if self.is_true(ConditionType::Degraded)
            || self
                .judged
                .get(&ConditionType::RuntimeReady)
                .is_some_and(|(_, reason, _)| *reason == Reason::RolloutFailed)
        {
            Phase::Degraded
        } else if self.suspended {
            Phase::Suspended
        } else if self.is_true(ConditionType::Ready) && self.is_true(ConditionType::Hibernated) {
            Phase::Hibernated
        } else if self.is_true(ConditionType::Ready) && self.is_true(ConditionType::Progressing) {
            Phase::Updating
        } else if self.is_true(ConditionType::Ready) {
            Phase::Ready
        } else if was_ready.is_some_and(|ready| ready.status == "True") || is_updating(store) {
            Phase::Updating
        } else {
            Phase::Provisioning
        }
    }

    /// The whole status: the same findings on the same status give the same bytes.
    fn into_status(mut self, store: &Store, now: Timestamp) -> (StoreStatus, Vec<(&'static str, String)>) {
        let before = store.status.clone().unwrap_or_default();
        let generation = store.metadata.generation;
        let paused = self.is_true(ConditionType::Paused);
        if !paused {
            self.conclude();
        }
        let phase = self.phase(store);
        let conditions = ConditionType::ALL.iter().map(|kind| {
            let old = before.condition(*kind);
            match (self.judged.get(kind), old) {
                (Some((holds, reason, message)), old) => {
                    let status = if *holds { "True" } else { "False" };
                    let since =
                        old.filter(|old| old.status == status).map(|old| old.last_transition_time.clone());
                    Condition {
                        type_: kind.to_string(),
                        status: status.to_owned(),
                        reason: reason.to_string(),
                        message: message.clone(),
                        observed_generation: generation,
                        last_transition_time: since.unwrap_or(Time(now)),
                    }
                }
                // Not looked at in this pass: it keeps the generation it was judged for.
                (None, Some(old)) => old.clone(),
                (None, None) => Condition {
                    type_: kind.to_string(),
                    status: "Unknown".to_owned(),
                    reason: Reason::Pending.to_string(),
                    message: "not judged yet".to_owned(),
                    observed_generation: generation,
                    last_transition_time: Time(now),
                },
            }
        });
        let status = StoreStatus {
            observed_generation: if paused { before.observed_generation } else { generation },
            phase: Some(phase),
            conditions: conditions.collect(),
            store_id: self.store_id,
            url: self.url,
            database: self.database,
            runtime: self.runtime,
            last_handled_reconcile_at: store.annotations().get(RECONCILE_AT).cloned(),
        };
        (status, self.notes)
    }
}

/// Writes the status if it says something new, and then tells what changed as Events.
pub async fn write(
    api: &Api<Store>,
    store: &Store,
    findings: Findings,
    operator: &Operator,
) -> Result<(), Failure> {
    let (status, mut notes) = findings.into_status(store, Timestamp::now());
    if store.status.as_ref() == Some(&status) {
        return Ok(());
    }
    let patch = json!({ "apiVersion": format!("{GROUP}/{VERSION}"), "kind": KIND, "status": status });
    let how = PatchParams { force: true, ..PatchParams::apply(&format!("{MANAGER}-status")) };
    match api.patch_status(&store.name_any(), &how, &Patch::Apply(&patch)).await {
        Ok(_) => {}
        // It went away while we looked.
        Err(kube::Error::Api(answer)) if answer.is_not_found() => return Ok(()),
        Err(error) => return Err(Failure::of_kubernetes(ConditionType::Progressing, "the status", &error)),
    }
    let before = store.status.as_ref();
    let became = |kind: ConditionType, value: &str| {
        let is =
            |status: &StoreStatus| status.condition(kind).is_some_and(|condition| condition.status == value);
        is(&status) && !before.is_some_and(is)
    };
    let message = |kind: ConditionType| {
        status.condition(kind).map(|condition| condition.message.clone()).unwrap_or_default()
    };
    if became(ConditionType::Ready, "True") {
        notes.push(("Ready", format!("{} serves", status.url.clone().unwrap_or_default())));
    }
    if became(ConditionType::Hibernated, "True") {
        notes.push(("Hibernated", message(ConditionType::Hibernated)));
    }
    let slept = before.and_then(|before| before.condition(ConditionType::Hibernated));
    if slept.is_some_and(|slept| slept.status == "True") && became(ConditionType::Hibernated, "False") {
        notes.push(("Woken", message(ConditionType::Hibernated)));
    }
    for (reason, note) in notes {
        publish(store, operator, EventType::Normal, reason, note).await;
    }
    let told = before
        .and_then(|before| before.condition(ConditionType::Degraded))
        .map(|condition| condition.reason.clone());
    if let Some(degraded) =
        status.condition(ConditionType::Degraded).filter(|condition| condition.status == "True")
        && (became(ConditionType::Degraded, "True") || told.as_ref() != Some(&degraded.reason))
    {
        publish(store, operator, EventType::Warning, &degraded.reason, message(ConditionType::Degraded))
            .await;
    }
    Ok(())
}

/// Best effort: a namespace that is going takes no Events.
async fn publish(store: &Store, operator: &Operator, kind: EventType, reason: &str, note: String) {
    let event = Event {
        type_: kind,
        reason: reason.to_owned(),
        // An Event takes a kilobyte.
        note: Some(note.chars().take(900).collect()),
        action: "Reconcile".to_owned(),
        secondary: None,
    };
    if let Err(error) = operator.recorder.publish(&event, &store.object_ref(&())).await {
        tracing::debug!(%error, reason, "an event was not taken");
    }
}

fn is_updating(store: &Store) -> bool {
    store.status.as_ref().is_some_and(|status| status.phase == Some(Phase::Updating))
}

/// Every pod is of the newest template and serves, and no older one is left.
pub fn is_complete(deployment: &Deployment) -> bool {
    let wanted = deployment.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
    let Some(status) = &deployment.status else { return false };
    status.observed_generation >= deployment.metadata.generation
        && status.updated_replicas.unwrap_or(0) == wanted
        && status.replicas.unwrap_or(0) == wanted
        && status.available_replicas.unwrap_or(0) == wanted
}

/// Why a pod does not serve, in the kubelet's or the scheduler's words.
fn trouble(pods: &[Pod]) -> Option<String> {
    pods.iter().find_map(|pod| {
        let status = pod.status.as_ref()?;
        let waiting = status.container_statuses.iter().flatten().find_map(|container| {
            let waiting = container.state.as_ref()?.waiting.as_ref()?;
            let reason = waiting.reason.clone().filter(|reason| reason != "ContainerCreating")?;
            Some((reason, waiting.message.clone().unwrap_or_default()))
        });
        let unscheduled = || {
            let condition = status
                .conditions
                .iter()
                .flatten()
                .find(|it| it.type_ == "PodScheduled" && it.status == "False")?;
            Some((condition.reason.clone()?, condition.message.clone().unwrap_or_default()))
        };
        let (reason, message) = waiting.or_else(unscheduled)?;
        Some(format!("pod {}: {reason} {message}", pod.name_any()).trim().to_owned())
    })
}

/// A Gateway has taken the route as it is now.
pub fn is_accepted(route: &DynamicObject) -> bool {
    let parents = route.data["status"]["parents"].as_array();
    parents.into_iter().flatten().any(|parent| {
        let conditions = parent["conditions"].as_array();
        conditions.into_iter().flatten().any(|it| {
            let judged = it["observedGeneration"].as_i64();
            let current = judged.is_none() || judged >= route.metadata.generation;
            it["type"] == "Accepted" && it["status"] == "True" && current
        })
    })
}
