//! What was seen, put into conditions, and written only when it differs from what stands there.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use k8s_openapi::jiff::Timestamp;
use kube::api::{Patch, PatchParams};
use kube::runtime::events::{Event, EventType};
use kube::{Api, Resource as _, ResourceExt as _};
use serde_json::json;
use souk_store_resource::{
    GROUP, RELEASE_KIND, ReleaseCondition, ReleaseReason, StoreRelease, StoreReleaseStatus, VERSION,
    WaveState, WaveStatus,
};

use super::Setback;
use super::build::{Plan, number};
use crate::controller::Operator;
use crate::store::MANAGER;

/// What became of a pass.
pub enum Verdict<'a> {
    Superseded(&'a str),
    Invalid(&'a str),
    OperatorTooOld { needed: i32, newest: i32 },
    Planned { plan: &'a Plan<'a>, halted: Option<&'a str>, paused: bool },
}

/// Whether it holds, why, and a sentence.
type Judged = (bool, ReleaseReason, String);

impl Verdict<'_> {
    fn progressing(&self) -> Judged {
        use ReleaseReason as R;
        let (plan, halted, paused) = match self {
            Self::Superseded(newer) => {
                return (false, R::Superseded, format!("{newer} is in force; what this one did stays"));
            }
            Self::Invalid(why) => return (false, R::InvalidSpec, (*why).to_owned()),
            Self::OperatorTooOld { needed, newest } => {
                let message = format!(
                    "the image needs migration {needed}, and this operator knows {newest}: upgrade the operator first"
                );
                return (false, R::OperatorTooOld, message);
            }
            Self::Planned { plan, halted, paused } => (plan, halted, *paused),
        };
        if let Some(why) = halted {
            let message = format!(
                "{why}; remove the annotation souk.dev/halted to go on, or make a StoreRelease of the image before"
            );
            return (false, R::Halted, message);
        }
        let Some(WaveStatus { name, state, updated, total, soaked_at, .. }) = &plan.current else {
            return (
                false,
                R::RolledOut,
                format!("{} of {} stores have the image", plan.updated, plan.total),
            );
        };
        if paused {
            return (false, R::Paused, "spec.paused is true: set it to false to go on".to_owned());
        }
        match (state, soaked_at) {
            (WaveState::Soaking, Some(Time(until))) => {
                (true, R::Soaking, format!("wave {name} has the image and is watched until {until}"))
            }
            (WaveState::AwaitingApproval, _) => {
                (false, R::AwaitingApproval, format!("wave {name} begins when spec.approvedWaves names it"))
            }
            _ => {
                let message = format!(
                    "wave {name}: {updated} of {total} stores have the image, {} are down for it",
                    plan.down
                );
                (true, R::RollingOut, message)
            }
        }
    }

    fn degraded(&self, progressing: &Judged) -> Judged {
        use ReleaseReason as R;
        match self {
            Self::Planned { plan, .. } if progressing.1 != R::Halted && plan.failed > 0 => {
                (true, R::StoresFailed, format!("{} stores do not serve with this image", plan.failed))
            }
            _ if [R::Halted, R::InvalidSpec, R::OperatorTooOld].contains(&progressing.1) => {
                (true, progressing.1, progressing.2.clone())
            }
            _ => (false, R::AsExpected, "nothing is wrong".to_owned()),
        }
    }

    /// The whole status: the same verdict on the same status gives the same bytes.
    fn into_status(self, release: &StoreRelease, now: Timestamp) -> StoreReleaseStatus {
        let before = release.status.clone().unwrap_or_default();
        let generation = release.metadata.generation;
        let progressing = self.progressing();
        let degraded = self.degraded(&progressing);
        // It stays complete: new stores begin with it, and what befalls them later is not news of the rollout.
        let complete = if release.is_complete() || progressing.1 == ReleaseReason::RolledOut {
            (true, ReleaseReason::RolledOut, "every store that was meant has the image".to_owned())
        } else {
            (false, progressing.1, progressing.2.clone())
        };
        let judged = ReleaseCondition::ALL.iter().zip([complete, progressing, degraded]);
        let conditions = judged.map(|(kind, (holds, reason, message))| {
            let status = if holds { "True" } else { "False" };
            let since = before
                .condition(*kind)
                .filter(|old| old.status == status)
                .map(|old| old.last_transition_time.clone());
            Condition {
                type_: kind.to_string(),
                status: status.to_owned(),
                reason: reason.to_string(),
                message,
                observed_generation: generation,
                last_transition_time: since.unwrap_or(Time(now)),
            }
        });
        let conditions = conditions.collect();
        match self {
            Self::Planned { plan, .. } => StoreReleaseStatus {
                observed_generation: generation,
                conditions,
                current_wave: plan.current.as_ref().map(|wave| wave.name.clone()),
                waves: plan.waves.clone(),
                total: number(plan.total),
                updated: number(plan.updated),
                unavailable: number(plan.down),
                failed: number(plan.failed),
                aside: number(plan.aside),
                failures: plan.failures.clone(),
            },
            _ => StoreReleaseStatus { observed_generation: generation, conditions, ..before },
        }
    }
}

/// Writes the status if it says something new, and tells as an Event when the release goes on, waits or halts.
pub async fn write(release: &StoreRelease, verdict: Verdict<'_>, operator: &Operator) -> Result<(), Setback> {
    let status = verdict.into_status(release, Timestamp::now());
    if release.status.as_ref() == Some(&status) {
        return Ok(());
    }
    let patch = json!({ "apiVersion": format!("{GROUP}/{VERSION}"), "kind": RELEASE_KIND, "status": status });
    let how = PatchParams { force: true, ..PatchParams::apply(&format!("{MANAGER}-status")) };
    let api: Api<StoreRelease> = Api::all(operator.client.clone());
    match api.patch_status(&release.name_any(), &how, &Patch::Apply(&patch)).await {
        Ok(_) => {}
        // It went away while we looked.
        Err(kube::Error::Api(answer)) if answer.is_not_found() => return Ok(()),
        Err(error) => return Err(error.into()),
    }
    let told = release.status.as_ref().and_then(|before| before.condition(ReleaseCondition::Progressing));
    if let Some(now) = status.condition(ReleaseCondition::Progressing)
        && told.is_none_or(|told| told.reason != now.reason)
    {
        publish(release, &status, now, operator).await;
    }
    Ok(())
}

/// Best effort: the conditions say the same.
async fn publish(release: &StoreRelease, status: &StoreReleaseStatus, now: &Condition, operator: &Operator) {
    let wrong = status
        .condition(ReleaseCondition::Degraded)
        .is_some_and(|degraded| degraded.status == "True" && degraded.reason == now.reason);
    let event = Event {
        type_: if wrong { EventType::Warning } else { EventType::Normal },
        reason: now.reason.clone(),
        // An Event takes a kilobyte.
        note: Some(now.message.chars().take(900).collect()),
        action: "Reconcile".to_owned(),
        secondary: None,
    };
    if let Err(error) = operator.recorder.publish(&event, &release.object_ref(&())).await {
        tracing::debug!(%error, reason = now.reason, "an event was not taken");
    }
}

#[cfg(test)]
mod tests {
    use super::super::validate::testing::release;
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn wave(state: WaveState, soaked_at: Option<Time>) -> WaveStatus {
        WaveStatus { name: "early".into(), state, total: 5, updated: 2, failed: 0, soaked_at }
    }

    fn plan(current: Option<WaveStatus>) -> Plan<'static> {
        Plan {
            take: Vec::new(),
            trouble: None,
            waves: current.clone().into_iter().collect(),
            current,
            total: 9,
            updated: 4,
            down: 1,
            failed: 0,
            aside: 2,
            failures: Vec::new(),
            next_look: None,
        }
    }

    fn told(status: &StoreReleaseStatus) -> Vec<String> {
        status.conditions.iter().map(|it| format!("{}={}/{}", it.type_, it.status, it.reason)).collect()
    }

    #[test]
    fn every_verdict_has_its_conditions() {
        let rolling = plan(Some(wave(WaveState::RollingOut, None)));
        let soaking = plan(Some(wave(WaveState::Soaking, Some(Time(NOW)))));
        let waiting = plan(Some(wave(WaveState::AwaitingApproval, None)));
        let done = plan(None);
        let mut hurt = plan(Some(wave(WaveState::RollingOut, None)));
        hurt.failed = 1;
        let planned = |plan, halted, paused| Verdict::Planned { plan, halted, paused };
        let cases = [
            (planned(&rolling, None, false), "False/RollingOut True/RollingOut False/AsExpected"),
            (planned(&hurt, None, false), "False/RollingOut True/RollingOut True/StoresFailed"),
            (planned(&soaking, None, false), "False/Soaking True/Soaking False/AsExpected"),
            (
                planned(&waiting, None, false),
                "False/AwaitingApproval False/AwaitingApproval False/AsExpected",
            ),
            (planned(&rolling, None, true), "False/Paused False/Paused False/AsExpected"),
            (planned(&hurt, Some("3 failed"), false), "False/Halted False/Halted True/Halted"),
            (planned(&done, None, true), "True/RolledOut False/RolledOut False/AsExpected"),
            (Verdict::Superseded("r-3"), "False/Superseded False/Superseded False/AsExpected"),
            (Verdict::Invalid("no"), "False/InvalidSpec False/InvalidSpec True/InvalidSpec"),
            (
                Verdict::OperatorTooOld { needed: 90, newest: 80 },
                "False/OperatorTooOld False/OperatorTooOld True/OperatorTooOld",
            ),
        ];
        for (verdict, expected) in cases {
            let status = verdict.into_status(&release(|_| {}), NOW);
            let names = ["Complete", "Progressing", "Degraded"];
            let expected: Vec<_> =
                names.iter().zip(expected.split(' ')).map(|(name, rest)| format!("{name}={rest}")).collect();
            assert_eq!(told(&status), expected);
            assert!(status.conditions.iter().all(|it| it.observed_generation == Some(1)));
        }
    }

    #[test]
    fn the_same_verdict_writes_nothing_new_and_complete_stays() {
        let mut release = release(|_| {});
        let done = plan(None);
        let rolling = plan(Some(wave(WaveState::RollingOut, None)));
        let planned = |plan| Verdict::Planned { plan, halted: None, paused: false };
        release.status = Some(planned(&done).into_status(&release, NOW));
        let later = Timestamp::from_second(60).unwrap();
        assert_eq!(release.status, Some(planned(&done).into_status(&release, later)));
        let status = planned(&rolling).into_status(&release, later);
        assert_eq!(
            told(&status),
            ["Complete=True/RolledOut", "Progressing=True/RollingOut", "Degraded=False/AsExpected"]
        );
        let times: Vec<_> = status.conditions.iter().map(|it| it.last_transition_time.0).collect();
        assert_eq!(times, [NOW, later, NOW]);
        assert_eq!((status.total, status.updated, status.unavailable, status.aside), (9, 4, 1, 2));
        assert_eq!(status.current_wave.as_deref(), Some("early"));
        // What was counted last is kept by a release that counts no more.
        release.status = Some(status);
        let status = Verdict::Superseded("r-3").into_status(&release, later);
        assert_eq!((status.total, status.updated), (9, 4));
        assert_eq!(told(&status)[..2], ["Complete=True/RolledOut", "Progressing=False/Superseded"]);
    }
}
