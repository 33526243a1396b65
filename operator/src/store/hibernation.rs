//! Who answers for a store: its own pods, or the shared runtime. It follows from what is there (route, pods, the last request), and
//! nothing else is remembered, so an operator that is stopped between any two steps goes on with the next one.
//!
//! To sleep: the shared runtime is asked whether it answers; the route leads to it; routers have had time to follow; it is asked again; the
//! pods go. To wake: the pods serve; the route leads to them. A store that is made or comes from `Pooled` wakes; one that becomes
//! `Pooled` goes the first way.

use std::time::Duration;

use k8s_openapi::api::apps::v1::Deployment;
use souk_provisioner::StoreRecord;
use souk_store_resource::{DesiredState, Isolation, Reason, StoreSpec};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::controller::Operator;
use crate::outcome::Failure;
use crate::store::build;
use crate::store::dereference::Seen;
use crate::store::status::{Findings, is_complete};
use crate::store::validate::Wish;

/// How long the shared runtime may take to answer the question whether it answers.
const PATIENCE: Duration = Duration::from_secs(3);
/// When it is asked again after it did not.
const ASK_AGAIN: Duration = Duration::from_secs(60);
const SECOND: Duration = Duration::from_secs(1);

/// Where a store's route leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lead {
    Own,
    Shared,
}

/// A route as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    pub lead: Lead,
    /// How long it has been as it is.
    pub since: Duration,
    /// The Gateway has taken it as it is; an Ingress says nothing of that.
    pub taken: bool,
}

/// How far a store is on its way to sleep or back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sleep {
    /// It has no pods that could, or they shall not.
    NotAskedFor,
    /// No route leads to it: nothing could wake it.
    NoRoute,
    /// The shared runtime would not answer for it.
    NobodyToTakeOver,
    Awake,
    FallingAsleep,
    Asleep,
    Waking,
}

/// What follows for its objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stage {
    pub lead: Lead,
    /// As many pods as asked for; otherwise none.
    pub pods: bool,
    /// It became Pooled, and what served it before stays until nobody is led there any more.
    pub leaving: bool,
    pub sleep: Sleep,
}

/// What is there.
#[derive(Clone, Copy, Debug, Default)]
struct Sight<'a> {
    /// Routers of this cluster are told about stores.
    routed: bool,
    route: Option<Route>,
    deployment: Option<&'a Deployment>,
    /// How long nobody has asked it for anything, and how long that must be; none = it never sleeps.
    idle: Option<(Duration, Duration)>,
    settles: Duration,
}

impl Sight<'_> {
    fn leads_to(&self, lead: Lead) -> bool {
        self.route.is_some_and(|route| route.lead == lead)
    }

    /// Nobody is led to its own pods any more.
    fn is_led_away(&self) -> bool {
        let old = |route: Route| route.lead == Lead::Shared && route.taken && route.since >= self.settles;
        self.route.is_some_and(old)
    }

    /// When that may be so, if it is a matter of time.
    fn settled_in(&self) -> Duration {
        let since = self.route.filter(|route| route.lead == Lead::Shared).map(|route| route.since);
        self.settles.saturating_sub(since.unwrap_or_default()) + SECOND
    }

    fn wanted_pods(&self) -> i32 {
        self.deployment.and_then(|it| it.spec.as_ref()?.replicas).unwrap_or(0)
    }

    fn available_pods(&self) -> i32 {
        self.deployment.and_then(|it| it.status.as_ref()?.available_replicas).unwrap_or(0)
    }

    fn is_sleepy(&self) -> bool {
        self.idle.is_some_and(|(idle, most)| idle >= most)
    }
}

impl Stage {
    /// As the spec has it, before anything is looked at.
    pub fn asked_for(spec: &StoreSpec) -> Self {
        let lead = if spec.isolation == Isolation::Dedicated { Lead::Own } else { Lead::Shared };
        let pods = spec.isolation == Isolation::Dedicated && spec.state != DesiredState::Suspended;
        Self { lead, pods, leaving: false, sleep: Sleep::NotAskedFor }
    }

    fn of(wish: &Wish, sight: &Sight<'_>) -> Self {
        let asked = Self::asked_for(&wish.spec);
        if wish.isolation == Isolation::Pooled {
            let leaving = sight.routed && sight.deployment.is_some() && !sight.is_led_away();
            return Self { leaving, ..asked };
        }
        if !sight.routed {
            let sleep = if wish.sleeps_after().is_some() { Sleep::NoRoute } else { Sleep::NotAskedFor };
            return Self { sleep, ..asked };
        }
        // What it answers to everybody, the shared runtime says in its own words; without pods a router would.
        if wish.suspended {
            return Self { lead: Lead::Shared, ..asked };
        }
        if sight.is_sleepy() {
            let may_go = sight.leads_to(Lead::Shared) && (sight.is_led_away() || sight.wanted_pods() == 0);
            let sleep = if may_go { Sleep::Asleep } else { Sleep::FallingAsleep };
            return Self { lead: Lead::Shared, pods: !may_go, sleep, ..asked };
        }
        let none_wanted = wish.spec.runtime.as_ref().is_some_and(|runtime| runtime.replicas == Some(0));
        let all_serve = sight.deployment.is_some_and(is_complete) && (none_wanted || sight.wanted_pods() > 0);
        let some_serve = sight.route.is_none() && sight.available_pods() > 0;
        let (lead, sleep) = if all_serve || some_serve || sight.leads_to(Lead::Own) {
            (Lead::Own, Sleep::Awake)
        } else {
            (Lead::Shared, Sleep::Waking)
        };
        let sleep = if sight.idle.is_some() { sleep } else { Sleep::NotAskedFor };
        Self { lead, sleep, ..asked }
    }
}

/// Decides who answers for the store from now on, and says when to look again.
pub async fn decide(
    wish: &Wish,
    record: &StoreRecord,
    seen: &Seen,
    operator: &Operator,
    findings: &mut Findings,
) -> Result<Stage, Failure> {
    let runtime = &operator.config.runtime;
    let deployment = seen.deployment(wish);
    let mut sight = Sight {
        routed: build::is_routed(runtime, &seen.abilities),
        route: seen.route(wish),
        deployment: deployment.as_ref(),
        idle: None,
        settles: runtime.route_settles,
    };
    if let Some(most) = wish.sleeps_after().filter(|_| sight.routed && !wish.suspended) {
        sight.idle = Some((operator.provisioner.idle_for(record.store_id).await?, most));
    }
    let mut stage = Stage::of(wish, &sight);
    let takes_over = [Sleep::FallingAsleep, Sleep::Asleep].contains(&stage.sleep);
    // Only who is known to answer takes over; and once more before the pods go.
    if takes_over && sight.wanted_pods() > 0 {
        let at = runtime.pooled_address.clone().unwrap_or_else(|| runtime.pooled_service.to_string());
        let host = wish.hosts.first().map_or("", |(host, _)| host.as_str());
        if let Err(why) = answers(&at, host).await {
            tracing::warn!(store.name = wish.name, why, "the shared runtime does not answer for a store");
            sight.idle = None;
            stage = Stage { sleep: Sleep::NobodyToTakeOver, ..Stage::of(wish, &sight) };
        }
    }
    match stage.sleep {
        Sleep::FallingAsleep => findings.look_again(sight.settled_in()),
        Sleep::NobodyToTakeOver => findings.look_again(ASK_AGAIN),
        Sleep::Awake | Sleep::Waking => {
            if let Some((idle, most)) = sight.idle {
                findings.look_again(most.saturating_sub(idle) + SECOND);
            }
        }
        Sleep::NotAskedFor if stage.leaving => findings.look_again(sight.settled_in()),
        Sleep::NotAskedFor | Sleep::NoRoute | Sleep::Asleep => {}
    }
    Ok(stage)
}

/// Whether its pods sleep, why they do or do not, and what happens next. It says nothing that changes by itself.
pub fn told(wish: &Wish) -> (Reason, String) {
    let minutes = wish.spec.hibernation.as_ref().map_or(0, |it| it.after_minutes);
    match wish.stage.sleep {
        Sleep::NotAskedFor if wish.sleeps_after().is_some() => {
            (Reason::NotNeeded, "a suspended store has no pods that could sleep".to_owned())
        }
        Sleep::NotAskedFor => (Reason::NotNeeded, "spec.hibernation does not ask for it".to_owned()),
        Sleep::NoRoute => {
            let why = "no Gateway and no Ingress leads to it, so no request could wake it: its pods go on";
            (Reason::ServiceOnly, why.to_owned())
        }
        Sleep::NobodyToTakeOver => {
            let why = "but the shared runtime does not answer for it: its pods go on, and it is asked again every minute";
            (Reason::NobodyToTakeOver, format!("no request for {minutes} minutes, {why}"))
        }
        Sleep::Awake => {
            (Reason::Awake, format!("its pods answer; {minutes} minutes without a request let them go"))
        }
        Sleep::FallingAsleep => {
            let next = "the shared runtime answers, and the pods go in a moment";
            (Reason::FallingAsleep, format!("no request for {minutes} minutes: {next}"))
        }
        Sleep::Asleep => {
            let next = "the shared runtime answers, and the next request starts the pods";
            (Reason::Hibernated, format!("no request for {minutes} minutes: {next}"))
        }
        Sleep::Waking => {
            (Reason::Waking, "its pods start; the shared runtime answers until they serve".to_owned())
        }
    }
}

/// Whether the shared runtime serves this host. The question counts as no request there.
async fn answers(at: &str, host: &str) -> Result<(), String> {
    let question = format!(
        "GET / HTTP/1.1\r\nHost: {host}\r\nUser-Agent: souk-operator\r\nAccept: application/json\r\nConnection: close\r\n\r\n"
    );
    let asking = async {
        let mut stream = TcpStream::connect(at).await?;
        stream.write_all(question.as_bytes()).await?;
        // `HTTP/1.1 200`
        let mut beginning = [0u8; 12];
        stream.read_exact(&mut beginning).await?;
        Ok::<_, std::io::Error>(beginning)
    };
    let beginning = match tokio::time::timeout(PATIENCE, asking).await {
        Ok(Ok(beginning)) => beginning,
        Ok(Err(error)) => return Err(format!("{at}: {error}")),
        Err(_) => return Err(format!("{at}: no answer within {} s", PATIENCE.as_secs())),
    };
    let status = String::from_utf8_lossy(&beginning).get(9..).and_then(|digits| digits.parse::<u16>().ok());
    match status {
        // 404 is a host that it does not know.
        Some(status) if status < 500 && status != 404 => Ok(()),
        Some(status) => Err(format!("{at} answers {status}")),
        None => Err(format!("{at} does not speak HTTP")),
    }
}

#[cfg(test)]
mod tests;
