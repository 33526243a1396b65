//! Stores with a login of their own: issued, replaced while everybody goes on, closed; and data that changes its owner.
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use chrono::DateTime;
use souk_kernel::Country;
use souk_provisioner::test_support::{TestDatabase, test_request};
use souk_provisioner::{Alignment, ClaimRequest, Owner, ProvisionError, State, login_role};
use tokio::sync::RwLock;

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_replaced_without_a_failed_login() {
    let database = TestDatabase::get().await;
    let provisioner = database.provisioner().await;
    let store = provisioner.claim(&test_request(Country::DE)).await.unwrap().store_id;
    let first = provisioner.issue_login(store, 50).await.unwrap();
    assert_eq!(first.user, login_role(store, 1));
    // What pods are given. Whoever logs in holds it, as a rollout holds the old Secret until its last pod is gone.
    let given = Arc::new(RwLock::new((first.user.clone(), first.password.clone())));
    let over = Arc::new(AtomicBool::new(false));
    let logins = Arc::new(AtomicU32::new(0));
    let pods: Vec<_> = (0..8)
        .map(|_| {
            let (given, over, logins) = (given.clone(), over.clone(), logins.clone());
            tokio::spawn(async move {
                while !over.load(Ordering::Relaxed) {
                    let held = given.read().await;
                    let client =
                        TestDatabase::get().await.login(&held.0, &held.1).await.expect("it may log in");
                    drop(held);
                    client.simple_query("SELECT pg_sleep(0.01)").await.expect("its session goes on");
                    logins.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    let mut retired = Vec::new();
    for version in 2..=5 {
        let next = provisioner.issue_login(store, 50).await.unwrap();
        assert_eq!(next.record.login.as_ref().map(|login| login.version), Some(version));
        let before = std::mem::replace(&mut *given.write().await, (next.user.clone(), next.password));
        assert_ne!(before.0, next.user, "the two roles take turns");
        while provisioner.retire_login(store).await.unwrap().login.unwrap().retiring.is_some() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        retired.push(before);
    }
    over.store(true, Ordering::Relaxed);
    for pod in pods {
        pod.await.unwrap();
    }
    assert!(logins.load(Ordering::Relaxed) > 30, "they did come and go");
    for (user, password) in retired {
        assert!(database.login(&user, &password).await.is_err(), "{user} is closed to its old password");
    }
}

#[tokio::test]
async fn a_login_that_somebody_uses_does_not_retire() {
    let database = TestDatabase::get().await;
    let provisioner = database.provisioner().await;
    let store = provisioner.claim(&test_request(Country::DE)).await.unwrap().store_id;
    let first = provisioner.issue_login(store, 5).await.unwrap();
    let pod = database.login(&first.user, &first.password).await.unwrap();
    let second = provisioner.issue_login(store, 5).await.unwrap();
    let still = provisioner.retire_login(store).await.unwrap().login.unwrap();
    assert_eq!((still.slot, still.retiring), (2, Some(1)));
    // Nobody was seen with the second one yet: a third password goes to the same role, and the first stays good.
    let third = provisioner.issue_login(store, 5).await.unwrap();
    assert_eq!(third.user, second.user);
    assert!(database.login(&second.user, &second.password).await.is_err());
    database.login(&third.user, &third.password).await.unwrap();
    pod.simple_query("SELECT 1").await.unwrap();
    drop(pod);
    while provisioner.retire_login(store).await.unwrap().login.unwrap().retiring.is_some() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(database.login(&first.user, &first.password).await.is_err());
    let record = provisioner.store(store).await.unwrap().unwrap();
    assert!(provisioner.login_stands(&record).await.unwrap());

    // Closed for good, and gone with the store.
    assert_eq!(provisioner.revoke_logins(store).await.unwrap().login, None);
    assert!(database.login(&third.user, &third.password).await.is_err());
    provisioner.mark_deleting(store, 9, DateTime::UNIX_EPOCH).await.unwrap();
    assert!(matches!(provisioner.issue_login(store, 5).await, Err(ProvisionError::WrongState { .. })));
    provisioner.purge(store, 9).await.unwrap();
    let client = database.login("provisioner", &database.secrets.provisioner).await.unwrap();
    let left = client
        .query_one("SELECT count(*) FROM pg_roles WHERE rolname IN ($1, $2)", &[&first.user, &second.user])
        .await
        .unwrap();
    assert_eq!(left.get::<_, i64>(0), 0);
}

fn owned(reference: &str) -> (ClaimRequest, Owner) {
    let owner =
        Owner { kind: "k8s".into(), reference: format!("{reference}-{}", souk_kernel::StoreId::new()) };
    (ClaimRequest { owner: owner.clone(), fence: 1, ..test_request(Country::DE) }, owner)
}

fn alignment(request: &ClaimRequest, scope: &str) -> Alignment {
    Alignment {
        handle: request.handle.clone(),
        name: request.name.clone(),
        hosts: request.hosts.clone(),
        plan: request.plan.clone(),
        suspended: false,
        scope: scope.into(),
    }
}

#[tokio::test]
async fn aligning_writes_only_what_differs() {
    let database = TestDatabase::get().await;
    let provisioner = database.provisioner().await;
    let (request, _) = owned("align");
    let store = provisioner.claim(&request).await.unwrap().store_id;
    let mut wanted = alignment(&request, "org-a");
    let first = provisioner.align(store, 2, &wanted).await.unwrap();
    assert!(wanted.holds(&first) && first.fence == 2);
    // Nothing to do: not even the fence moves.
    assert_eq!(provisioner.align(store, 3, &wanted).await.unwrap().fence, 2);
    wanted.suspended = true;
    wanted.name = "Other".into();
    let second = provisioner.align(store, 3, &wanted).await.unwrap();
    assert_eq!((second.state, second.name.as_str(), second.fence), (State::Suspended, "Other", 3));
    // Whoever slept is refused, and nothing changed.
    let stale = provisioner.align(store, 2, &alignment(&request, "org-a")).await;
    assert!(matches!(stale, Err(ProvisionError::Stale { given: 2, recorded: 3 })));
    assert!(wanted.holds(&provisioner.store(store).await.unwrap().unwrap()));
}

#[tokio::test]
async fn retained_data_goes_only_to_the_scope_it_came_from() {
    let database = TestDatabase::get().await;
    let provisioner = database.provisioner().await;
    let (request, _) = owned("first");
    let store = provisioner.claim(&request).await.unwrap().store_id;
    provisioner.align(store, 5, &alignment(&request, "org-a")).await.unwrap();
    let (_, heir) = owned("heir");
    let refused =
        |outcome: Result<_, ProvisionError>| assert!(matches!(outcome, Err(ProvisionError::Refused(_))));
    // It lives: nobody may take it.
    refused(provisioner.adopt(store, &heir, "org-a", 1).await);
    provisioner.mark_deleting(store, 6, "2999-01-01T00:00:00Z".parse().unwrap()).await.unwrap();
    refused(provisioner.adopt(store, &heir, "org-b", 1).await);
    let other_kind = Owner { kind: "store".into(), ..heir.clone() };
    refused(provisioner.adopt(store, &other_kind, "org-a", 1).await);
    assert_eq!(provisioner.store(store).await.unwrap().unwrap().state, State::Deleting);

    // A new object counts its generations from one: the fence begins anew with its owner.
    let taken = provisioner.adopt(store, &heir, "org-a", 1).await.unwrap();
    assert_eq!((taken.state, taken.fence, taken.purge_after), (State::Live, 1, None));
    assert_eq!(provisioner.adopt(store, &heir, "org-a", 1).await.unwrap().store_id, store);
    assert_eq!(provisioner.store_of(&heir).await.unwrap().unwrap().store_id, store);
    assert!(provisioner.store_of(&request.owner).await.unwrap().is_none());
    // Who has a store takes no second one.
    let (more, _) = owned("more");
    let second = provisioner.claim(&more).await.unwrap().store_id;
    provisioner.align(second, 1, &alignment(&more, "org-a")).await.unwrap();
    provisioner.mark_deleting(second, 2, "2999-01-01T00:00:00Z".parse().unwrap()).await.unwrap();
    refused(provisioner.adopt(second, &heir, "org-a", 1).await);
}
