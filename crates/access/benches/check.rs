//! What one check costs: the compiled policy beside `casbin::Enforcer::enforce` on the same model, roles and questions, in one run.
//!
//! `cargo bench -p souk-access --bench check` prints both and the ratio. Nothing is asserted: a figure of a busy machine proves nothing, a
//! ratio of one run does.

use std::hint::black_box;
use std::time::{Duration, Instant};

use casbin::{CoreApi as _, DefaultModel, Enforcer, MemoryAdapter, MgmtApi as _};
use souk_access::{PermissionKey, Policy, read_roles};

const MODEL: &str = include_str!("../../../tenant-runtime/policy/model.conf");
const ROLES: &str = include_str!("../../../tenant-runtime/policy/roles.csv");
const STORE: &str = "sto_01h455vb4pex5vsknk084sn02q";
const FOR: Duration = Duration::from_secs(2);

/// Every action that the role file names, as a permission.
fn keys() -> Vec<PermissionKey> {
    let leak = |text: &str| -> &'static str { Box::leak(text.to_owned().into_boxed_str()) };
    let roles = read_roles(ROLES).expect("the role file");
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
    keys
}

/// Nanoseconds a question; every role is asked for everything, over and over.
fn measure(mut ask: impl FnMut(usize, usize) -> bool, roles: usize, keys: usize) -> (f64, u64) {
    let (begin, mut asked, mut allowed) = (Instant::now(), 0_u64, 0_u64);
    while begin.elapsed() < FOR {
        for role in 0..roles {
            for key in 0..keys {
                allowed += u64::from(black_box(ask(black_box(role), black_box(key))));
                asked += 1;
            }
        }
    }
    (begin.elapsed().as_nanos() as f64 / asked as f64, allowed * 1000 / asked)
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(compare());
}

async fn compare() {
    let keys = keys();
    let policy = Policy::load(MODEL, ROLES, keys.iter().copied()).await.expect("the policy");
    let model = DefaultModel::from_str(MODEL).await.expect("the model");
    let mut enforcer = Enforcer::new(model, MemoryAdapter::default()).await.expect("an enforcer");
    let roles = read_roles(ROLES).expect("the role file");
    let names: Vec<String> = roles.keys().cloned().collect();
    for (role, grants) in &roles {
        for grant in grants {
            let rule = [role, STORE, grant.object(), grant.action()].map(str::to_owned).to_vec();
            enforcer.add_policy(rule).await.expect("a rule");
        }
        let actor = vec![format!("actor of {role}"), role.clone(), STORE.to_owned()];
        enforcer.add_grouping_policy(actor).await.expect("an actor");
    }
    let actors: Vec<String> = names.iter().map(|role| format!("actor of {role}")).collect();
    let sets: Vec<_> = names.iter().filter_map(|role| policy.built_in(role)).collect();
    for (role, actor) in actors.iter().enumerate() {
        for key in &keys {
            let plain = enforcer.enforce((actor.as_str(), STORE, key.object, key.action)).expect("an answer");
            assert_eq!(plain, policy.allows(&sets[role], *key), "{actor} {key}");
        }
    }
    let (compiled, yes) = measure(|role, key| policy.allows(&sets[role], keys[key]), sets.len(), keys.len());
    let ask = |role: usize, key: usize| {
        let key = keys[key];
        enforcer.enforce((actors[role].as_str(), STORE, key.object, key.action)).expect("an answer")
    };
    let (plain, also) = measure(ask, actors.len(), keys.len());
    println!("{} roles × {} permissions; yes to {yes} and {also} of 1000", names.len(), keys.len());
    println!("compiled check          {compiled:>12.1} ns");
    println!("casbin::Enforcer        {plain:>12.1} ns");
    println!("ratio                   {:>12.0} ×", plain / compiled);
}
