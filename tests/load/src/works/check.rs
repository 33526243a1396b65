//! What one question about a right costs: the compiled policy beside `casbin::Enforcer::enforce`, on the same model, roles and questions.

use std::hint::black_box;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use casbin::{CoreApi as _, DefaultModel, Enforcer, MemoryAdapter, MgmtApi as _};
use souk_access::{PermissionKey, Policy, read_roles};

const MODEL: &str = include_str!("../../../../tenant-runtime/policy/model.conf");
const ROLES: &str = include_str!("../../../../tenant-runtime/policy/roles.csv");
const STORE: &str = "sto_01h455vb4pex5vsknk084sn02q";

/// Nanoseconds a question takes.
#[derive(Debug)]
pub struct Found {
    pub roles: usize,
    pub permissions: usize,
    pub compiled: f64,
    pub enforcer: f64,
}

/// Every action that the role file names, as a permission.
fn keys() -> anyhow::Result<Vec<PermissionKey>> {
    let leak = |text: &str| -> &'static str { text.to_owned().leak() };
    let roles = read_roles(ROLES)?;
    let grants = roles.into_values().flatten();
    let mut keys: Vec<_> = grants
        .filter(|grant| grant.object() != "*")
        .map(|grant| PermissionKey {
            object: leak(grant.object()),
            action: leak(if grant.action() == "*" { "edit" } else { grant.action() }),
        })
        .collect();
    keys.sort_unstable();
    keys.dedup();
    Ok(keys)
}

/// Every role is asked for everything, over and over.
fn nanoseconds(time: Duration, mut ask: impl FnMut(usize, usize) -> bool, roles: usize, keys: usize) -> f64 {
    let (begin, mut asked) = (Instant::now(), 0_u64);
    while begin.elapsed() < time {
        for role in 0..roles {
            for key in 0..keys {
                black_box(ask(black_box(role), black_box(key)));
                asked += 1;
            }
        }
    }
    begin.elapsed().as_nanos() as f64 / asked as f64
}

/// Asks both for so long, after they have agreed about everything.
pub async fn compare(time: Duration) -> anyhow::Result<Found> {
    let keys = keys()?;
    let policy = Policy::load(MODEL, ROLES, keys.iter().copied()).await?;
    let model = DefaultModel::from_str(MODEL).await?;
    let mut enforcer = Enforcer::new(model, MemoryAdapter::default()).await?;
    let roles = read_roles(ROLES)?;
    for (role, grants) in &roles {
        for grant in grants {
            let rule = [role, STORE, grant.object(), grant.action()].map(str::to_owned).to_vec();
            enforcer.add_policy(rule).await?;
        }
        let actor = vec![format!("actor of {role}"), role.clone(), STORE.to_owned()];
        enforcer.add_grouping_policy(actor).await?;
    }
    let actors: Vec<String> = roles.keys().map(|role| format!("actor of {role}")).collect();
    let sets: Option<Vec<_>> = roles.keys().map(|role| policy.built_in(role)).collect();
    let sets = sets.context("a role that the policy does not know")?;
    for (actor, set) in actors.iter().zip(&sets) {
        for key in &keys {
            let plain = enforcer.enforce((actor.as_str(), STORE, key.object, key.action))?;
            anyhow::ensure!(plain == policy.allows(set, *key), "they do not agree about {actor} and {key}");
        }
    }
    let compiled =
        nanoseconds(time, |role, key| policy.allows(&sets[role], keys[key]), sets.len(), keys.len());
    let ask = |role: usize, key: usize| {
        let key = keys[key];
        enforcer.enforce((actors[role].as_str(), STORE, key.object, key.action)).unwrap_or_default()
    };
    let enforcer = nanoseconds(time, ask, actors.len(), keys.len());
    Ok(Found { roles: actors.len(), permissions: keys.len(), compiled, enforcer })
}
