//! Who is in which wave, how far each is, and who gets the image next. Pure: what is in flight is counted anew from the stores
//! each time, so an operator that starts again goes on exactly where the one before was.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;
use kube::ResourceExt as _;
use kube::core::SelectorExt as _;
use sha2::{Digest as _, Sha256};
use souk_store_resource::{
    ConditionType, DesiredState, Isolation, PAUSED, RELEASE, RELEASE_IMAGE, RELEASED_AT, Reason, Store,
    WaveState, WaveStatus,
};

use super::validate::Order;

/// Stores that get the image in one pass; the next one follows at once.
const AT_ONCE: usize = 50;
/// Failures that are named in the status.
const NAMED: usize = 10;

/// A store that shall have the image.
#[derive(Clone, Debug)]
pub struct Candidate {
    pub namespace: String,
    pub name: String,
    pub uid: String,
    /// As it was when it was counted: whoever changes it first makes us count again.
    pub resource_version: Option<String>,
    labels: BTreeMap<String, String>,
    /// The same for the same release and store, and without regard to organizations and names.
    place: u64,
    standing: Standing,
}

/// Where a store stands with a release. Times are seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Standing {
    /// It was not its turn yet. One that does not serve loses nothing by being replaced.
    Waiting { serves: bool },
    /// It was given the image and does not serve with it yet, or not any more.
    Updating { since: i64 },
    /// It has the image and serves.
    Healthy { since: i64 },
    /// It served before, and does not with this image.
    Failed { why: String },
    /// Nobody waits for it, and nothing is concluded from it.
    Aside,
}

impl Candidate {
    /// `None` = no release is for this store: it is Pooled, has an image of its own, or is going.
    pub fn of(store: &Store, order: &Order, now: i64) -> Option<Self> {
        let pinned = store.spec.runtime.as_ref().is_some_and(|runtime| runtime.image.is_some());
        if store.spec.isolation == Isolation::Pooled || pinned || store.metadata.deletion_timestamp.is_some()
        {
            return None;
        }
        let uid = store.uid().unwrap_or_default();
        let digest = Sha256::digest(format!("{} {uid}", order.uid).as_bytes());
        Some(Self {
            namespace: store.namespace().unwrap_or_default(),
            name: store.name_any(),
            resource_version: store.resource_version(),
            labels: store.labels().clone(),
            place: digest.iter().take(8).fold(0u64, |place, byte| (place << 8) | u64::from(*byte)),
            standing: standing(store, order, now),
            uid,
        })
    }

    fn is_taken(&self) -> bool {
        !matches!(self.standing, Standing::Waiting { .. })
    }

    fn healthy_since(&self) -> Option<i64> {
        match self.standing {
            Standing::Healthy { since } => Some(since),
            _ => None,
        }
    }
}

fn standing(store: &Store, order: &Order, now: i64) -> Standing {
    let annotation = |key: &str| store.annotations().get(key).map(String::as_str);
    let condition = |kind| store.status.as_ref().and_then(|status| status.condition(kind));
    let is = |kind, value: &str| condition(kind).is_some_and(|condition| condition.status == value);
    let runtime = store.status.as_ref().and_then(|status| status.runtime.as_ref());
    if annotation(PAUSED) == Some("true") {
        return Standing::Aside;
    }
    if annotation(RELEASE) != Some(order.name.as_str())
        || annotation(RELEASE_IMAGE) != Some(order.image.as_str())
    {
        // Without pods it is being born, and its own pass gives it an image; what keeps it from being carried out at all
        // would keep the image from it too.
        if runtime.is_none() || is(ConditionType::Degraded, "True") {
            return Standing::Aside;
        }
        return Standing::Waiting { serves: is(ConditionType::Ready, "True") };
    }
    let given = annotation(RELEASED_AT).and_then(|text| text.parse::<Timestamp>().ok());
    let given = given.map_or(order.created_at, Timestamp::as_second);
    let born_with_it = annotation(RELEASED_AT).is_none();
    let runs = runtime.is_some_and(|runtime| runtime.image.as_ref() == Some(&order.image));
    // It runs no pods: the image is all that can be said of it.
    if runs && store.spec.state == DesiredState::Suspended {
        return Standing::Healthy { since: given };
    }
    let ready = condition(ConditionType::Ready);
    let changed = ready.map_or(given, |ready| ready.last_transition_time.0.as_second());
    let since = given.max(changed);
    if runs && is(ConditionType::Ready, "True") {
        return Standing::Healthy { since };
    }
    if born_with_it {
        return Standing::Aside;
    }
    let trouble = condition(ConditionType::RuntimeReady).filter(|condition| {
        runs && condition.status != "True" && condition.reason == Reason::RolloutFailed.as_str()
    });
    let since = since.max(order.watched_since);
    if trouble.is_none() && now - since < order.deadline {
        return Standing::Updating { since };
    }
    // It did not serve before either: that is not this image's doing.
    if is(ConditionType::Ready, "False") && changed < given {
        return Standing::Aside;
    }
    let message = trouble.or(ready).map_or("it was not looked at", |condition| condition.message.as_str());
    Standing::Failed { why: message.to_owned() }
}

/// What follows from what was counted.
#[derive(Debug)]
pub struct Plan<'a> {
    /// Who gets the image now, if nothing holds the release up.
    pub take: Vec<&'a Candidate>,
    /// Why nobody else may get it.
    pub trouble: Option<String>,
    pub waves: Vec<WaveStatus>,
    /// The wave that is under way or waited for; none = every store that was meant has the image.
    pub current: Option<WaveStatus>,
    pub total: usize,
    pub updated: usize,
    /// Being replaced, or failed.
    pub down: usize,
    pub failed: usize,
    pub aside: usize,
    pub failures: Vec<String>,
    /// The second at which something changes though nobody says so.
    pub next_look: Option<i64>,
}

/// Plans the next step of `order`.
pub fn plan<'a>(order: &Order, candidates: &'a [Candidate], now: i64) -> Plan<'a> {
    let mut line: Vec<&Candidate> =
        candidates.iter().filter(|store| store.standing != Standing::Aside).collect();
    // Whoever has it already fills the waves first: stores that come and go move nobody back.
    line.sort_by_key(|store| (!store.is_taken(), store.place));
    let members = members(order, &line);
    let waves = waves(order, &members, now);
    let failures: Vec<String> = line
        .iter()
        .filter_map(|store| match &store.standing {
            Standing::Failed { why } => Some(format!("{}/{}: {why}", store.namespace, store.name)),
            _ => None,
        })
        .collect();
    let updated = line.iter().filter(|store| store.healthy_since().is_some()).count();
    let updating: Vec<i64> = line
        .iter()
        .filter_map(|store| match store.standing {
            Standing::Updating { since } => Some(since),
            _ => None,
        })
        .collect();
    let down = updating.len() + failures.len();
    let may_be_down = order.may_be_down.of(line.len()).max(1);
    let may_fail = order.may_fail.of(line.len()).max(1).min(may_be_down);
    let trouble = failures.first().filter(|_| failures.len() >= may_fail).map(|first| {
        format!("{} of {} stores failed, and {may_fail} are too many: {first}", failures.len(), line.len())
    });
    let soaked = waves.iter().filter_map(|wave| wave.soaked_at.as_ref()).map(|time| time.0.as_second());
    let late = updating.iter().map(|since| since + order.deadline);
    Plan {
        take: next(&waves, &members, may_be_down.saturating_sub(down)),
        trouble,
        current: waves
            .iter()
            .rfind(|wave| ![WaveState::Done, WaveState::Pending].contains(&wave.state))
            .cloned(),
        total: line.len(),
        updated,
        down,
        failed: failures.len(),
        aside: candidates.len() - line.len(),
        next_look: soaked.chain(late).min(),
        failures: failures.into_iter().take(NAMED).collect(),
        waves,
    }
}

/// Each wave takes from what the waves before it left over.
fn members<'a>(order: &Order, line: &[&'a Candidate]) -> Vec<Vec<&'a Candidate>> {
    let mut rest = line.to_vec();
    order
        .waves
        .iter()
        .map(|wave| {
            let fits = |store: &Candidate| wave.selector.matches(&store.labels);
            let many = wave.size.of(line.iter().filter(|store| fits(store)).count());
            let mut members = Vec::new();
            rest.retain(|store| {
                let joins = members.len() < many && fits(store);
                if joins {
                    members.push(*store);
                }
                !joins
            });
            members
        })
        .collect()
}

fn waves(order: &Order, members: &[Vec<&Candidate>], now: i64) -> Vec<WaveStatus> {
    // A wave after which another one began is behind us, whatever becomes of its stores: who is down counts, wherever he is.
    let reached = members.iter().rposition(|wave| wave.iter().any(|store| store.is_taken()));
    let mut open = true;
    let mut waves = Vec::new();
    for (index, (wave, members)) in order.waves.iter().zip(members).enumerate() {
        let begun = reached.is_some_and(|reached| index <= reached);
        let passed = reached.is_some_and(|reached| index < reached);
        let healthy = members
            .iter()
            .try_fold(i64::MIN, |latest, store| store.healthy_since().map(|since| latest.max(since)));
        let (state, soaked_at) = match healthy.map(|since| since.saturating_add(wave.soak)) {
            Some(soaked_at) if passed || soaked_at <= now => (WaveState::Done, None),
            Some(soaked_at) => (WaveState::Soaking, Some(soaked_at)),
            None if begun || open && wave.may_begin => (WaveState::RollingOut, None),
            None if open => (WaveState::AwaitingApproval, None),
            None => (WaveState::Pending, None),
        };
        open &= passed || state == WaveState::Done;
        let failed = members.iter().filter(|store| matches!(store.standing, Standing::Failed { .. }));
        waves.push(WaveStatus {
            name: wave.name.clone(),
            state,
            total: number(members.len()),
            updated: number(members.iter().filter(|store| store.healthy_since().is_some()).count()),
            failed: number(failed.count()),
            soaked_at: soaked_at.map(|second| Time(Timestamp::from_second(second).unwrap_or_default())),
        });
    }
    waves
}

/// Whoever waits in a wave that is rolling out: those that serve while there is `room` for them to be down, the others anyway.
fn next<'a>(waves: &[WaveStatus], members: &[Vec<&'a Candidate>], mut room: usize) -> Vec<&'a Candidate> {
    let mut take = Vec::new();
    let rolling = waves.iter().zip(members).filter(|(wave, _)| wave.state == WaveState::RollingOut);
    for store in rolling.flat_map(|(_, members)| members) {
        match store.standing {
            Standing::Waiting { serves: false } => take.push(*store),
            Standing::Waiting { serves: true } if room > 0 => {
                room -= 1;
                take.push(*store);
            }
            _ => {}
        }
    }
    take.truncate(AT_ONCE);
    take
}

/// As the API server counts.
pub fn number(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests;
