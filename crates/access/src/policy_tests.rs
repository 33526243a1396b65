//! The compiled policy says what Casbin says, for every actor, place and permission; wrong models are refused.

use super::*;
use crate::permission::PermissionKey;

const MODEL: &str = include_str!("../../../tenant-runtime/policy/model.conf");
const ROLES: &str = include_str!("../../../tenant-runtime/policy/roles.csv");
const CONTROL_MODEL: &str = include_str!("../../../control-plane/policy/model.conf");
const CONTROL_ROLES: &str = include_str!("../../../control-plane/policy/roles.csv");

/// Every object and action that a role file names, plus one of each that it does not.
fn keys_of(roles: &str) -> Vec<PermissionKey> {
    let leak = |text: &str| -> &'static str { Box::leak(text.to_owned().into_boxed_str()) };
    let mut objects = BTreeSet::from(["never_named".to_owned()]);
    let mut actions = BTreeSet::from(["never_named".to_owned()]);
    for grant in read_roles(roles).unwrap().into_values().flatten() {
        objects.insert(grant.object().to_owned());
        if grant.action() != "*" {
            actions.insert(grant.action().to_owned());
        }
    }
    let pairs = objects.iter().flat_map(|object| actions.iter().map(move |action| (object, action)));
    pairs.map(|(object, action)| PermissionKey { object: leak(object), action: leak(action) }).collect()
}

async fn agrees(model: &str, text: &str) {
    let keys = keys_of(text);
    let policy = Policy::load(model, text, keys.clone()).await.unwrap();
    let roles = read_roles(text).unwrap();
    // One enforcer with every role in two places and a member of each, as Casbin would be used without compiling.
    let mut lines = Lines::default();
    for (role, grants) in &roles {
        for place in ["sto_one", "sto_two"] {
            let (actor, role) = (format!("actor_{role}_of_{place}"), format!("{role}_of_{place}"));
            lines = lines.role(&role, place, grants).member(&actor, &role, place);
        }
    }
    let enforcer = policy.enforcer(&lines).await.unwrap();
    let mut asked = 0;
    for role in roles.keys() {
        let compiled = policy.built_in(role).unwrap();
        for key in &keys {
            for (home, place) in [("sto_one", "sto_one"), ("sto_two", "sto_two"), ("sto_one", "sto_two")] {
                let (actor, role) = (format!("actor_{role}_of_{home}"), format!("{role}_of_{home}"));
                let subject = policy.shape.subject(&actor, &role);
                let casbin = enforcer.enforce((subject, place, key.object, key.action)).unwrap();
                let ours = home == place && policy.allows(&compiled, *key);
                assert_eq!(casbin, ours, "{actor} at {place}: {key}");
                asked += 1;
            }
        }
    }
    assert!(asked > 100, "only {asked} questions");
}

#[tokio::test]
async fn compiled_equals_casbin_for_every_triple() {
    agrees(MODEL, ROLES).await;
    agrees(CONTROL_MODEL, CONTROL_ROLES).await;
}

#[tokio::test]
async fn scopes_of_keys_compile_through_casbin_too() {
    let keys = keys_of(ROLES);
    let policy = Policy::load(MODEL, ROLES, keys.clone()).await.unwrap();
    let all = policy.compile(&["*".parse().unwrap()]).await.unwrap();
    assert!(keys.iter().all(|key| policy.allows(&all, *key)));
    let orders =
        policy.compile(&["order:*".parse().unwrap(), "product:view".parse().unwrap()]).await.unwrap();
    for key in &keys {
        let expected = key.object == "order" || (key.object == "product" && key.action == "view");
        assert_eq!(policy.allows(&orders, *key), expected, "{key}");
    }
    let nothing = policy.compile(&["no_such:thing".parse().unwrap()]).await.unwrap();
    assert!(keys.iter().all(|key| !policy.allows(&nothing, *key)));
    assert!(all.covers(&orders) && !orders.covers(&all) && orders.covers(&nothing));
    // Remembered by grants, whatever their order.
    let again = policy.compile(&["product:view".parse().unwrap(), "order:*".parse().unwrap()]).await.unwrap();
    assert!(Arc::ptr_eq(&orders, &again));
}

#[tokio::test]
async fn what_is_not_registered_is_held_by_nobody() {
    let known = PermissionKey { object: "order", action: "view" };
    let policy = Policy::load(MODEL, "owner, order, *", [known]).await.unwrap();
    let owner = policy.built_in("owner").unwrap();
    assert!(policy.allows(&owner, known));
    assert!(!policy.allows(&owner, PermissionKey { object: "order", action: "delete" }));
    assert!(policy.built_in("nobody").is_none());
}

#[tokio::test]
async fn a_model_that_lets_everybody_in_is_refused() {
    let key = PermissionKey { object: "order", action: "view" };
    let matchers = MODEL.lines().find(|line| line.starts_with("m =")).unwrap();
    for wrong in [
        "m = true",
        "m = r.obj == p.obj && r.act == p.act",
        "m = g(r.sub, p.sub, r.dom) && r.dom == p.dom",
        "m = g(r.sub, p.sub, r.dom) && r.obj == p.obj",
        "m = g(r.sub, p.sub, r.dom) && r.act == p.act",
        "m = false",
    ] {
        let model = MODEL.replace(matchers, wrong);
        let refused = Policy::load(&model, ROLES, [key]).await;
        assert!(matches!(refused, Err(PolicyError::Model(_))), "{wrong}: {refused:?}");
    }
    let shape = MODEL.replace("p = sub, dom, obj, act", "p = sub, dom, obj, act, eft");
    assert!(matches!(Policy::load(&shape, ROLES, [key]).await, Err(PolicyError::Model(_))));
    assert!(Policy::load("", ROLES, [key]).await.is_err());
    assert!(matches!(Policy::load(MODEL, ROLES, []).await, Err(PolicyError::Empty)));
}

#[test]
fn role_files_are_read_strictly() {
    let roles = read_roles("# comment\n\n a, order, view \na, order, *\nb, *, *\n").unwrap();
    assert_eq!(roles.len(), 2);
    assert_eq!(roles["b"], vec!["*".parse().unwrap()]);
    for wrong in [
        "a, order",
        "a, order, view, allow",
        "a, *, view",
        "A, order, view",
        "a, or der, view",
        ", order, view",
    ] {
        assert!(
            matches!(read_roles(&format!("# x\n{wrong}")), Err(PolicyError::Line { line: 2 })),
            "{wrong}"
        );
    }
}

#[test]
fn grants_are_words() {
    for good in ["order:view", "order:*", "*", "api_key:edit"] {
        assert_eq!(good.parse::<Grant>().unwrap().to_string(), good);
    }
    assert_eq!("*:*".parse::<Grant>().unwrap().to_string(), "*");
    for bad in
        ["", "order", ":", "*:view", "order:", "order:view:x", "Order:view", "order:view' || true", "p.sub:x"]
    {
        assert_eq!(bad.parse::<Grant>(), Err(GrantError), "{bad}");
    }
}

#[test]
fn sets_hold_what_was_answered() {
    let answers: Vec<bool> = (0..130).map(|n| n % 3 == 0).collect();
    let set = PermissionSet::of(&answers);
    assert!((0..130).all(|n| set.holds(n) == (n % 3 == 0)));
    assert!(!set.holds(130) && !set.holds(usize::MAX));
    assert!(!PermissionSet::default().covers(&set) && set.covers(&PermissionSet::default()));
}
