//! One owner, one store: whatever is repeated, raced or interrupted.
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};

use souk_kernel::Country;
use souk_provisioner::test_support::{TestDatabase, TestStore, test_request};
use souk_provisioner::{ProvisionError, State, Step};

async fn count(database: &TestDatabase, sql: &str) -> i64 {
    let client = database.login("provisioner", &database.secrets.provisioner).await.unwrap();
    client.query_one(sql, &[]).await.unwrap().get(0)
}

async fn schemas_and_roles(database: &TestDatabase) -> (i64, i64) {
    let schemas = count(database, "SELECT count(*) FROM pg_namespace WHERE nspname ~ '^s_'").await;
    let roles = count(
        database,
        "SELECT count(DISTINCT s.refobjid) FROM pg_shdepend s JOIN pg_database d ON d.oid = s.dbid
         JOIN pg_roles r ON r.oid = s.refobjid WHERE d.datname = current_database() AND r.rolname ~ '^r_'",
    )
    .await;
    (schemas, roles)
}

#[tokio::test]
async fn a_store_is_sellable_at_birth() {
    let store = TestStore::open().await;
    let database = TestDatabase::get().await;
    let client = database.login("provisioner", &database.secrets.provisioner).await.unwrap();
    client
        .batch_execute(&format!("SET ROLE {}; SET search_path = {}, extensions", store.role, store.schema))
        .await
        .unwrap();
    let row = client
        .query_one(
            "SELECT s.country, s.currency, s.prices_include_tax, (SELECT rate_ppm FROM tax_rates WHERE valid_from <= now()),
                    (SELECT count(*) FROM locations), (SELECT count(*) FROM shipping_rates),
                    (SELECT array_agg(code ORDER BY code) FROM payment_providers), (SELECT count(*) FROM staff JOIN roles r ON r.id = role_id)
             FROM store_settings s JOIN markets m ON m.currency = s.currency AND m.is_default",
            &[],
        )
        .await
        .unwrap();
    assert_eq!((row.get(0), row.get(1), row.get(2), row.get(3)), ("DE", "EUR", true, 190_000_i32));
    assert_eq!((row.get::<_, i64>(4), row.get::<_, i64>(5), row.get::<_, i64>(7)), (1, 3, 1));
    assert_eq!(row.get::<_, Vec<String>>(6), ["manual", "stripe", "test"]);
    assert_eq!(store.record.state, State::Live);
    assert_eq!(store.schema, format!("s_{}", store.id.suffix()));
}

#[tokio::test]
async fn asking_again_gives_the_same_store_from_any_number_of_askers() {
    let database = TestDatabase::fresh().await;
    let (one, two) = (database.provisioner().await, database.provisioner().await);
    let request = test_request(Country::FR);
    let both =
        futures_util::future::join_all([one.claim(&request), two.claim(&request), one.claim(&request)]).await;
    let stores: HashSet<_> = both.into_iter().map(|done| done.unwrap().store_id).collect();
    assert_eq!(stores.len(), 1);
    let again = two.claim(&request).await.unwrap();
    assert!(!again.fresh && stores.contains(&again.store_id));
    assert_eq!(schemas_and_roles(&database).await, (1, 1));
    drop((one, two));
    database.remove().await;
}

#[tokio::test]
async fn interrupted_anywhere_it_converges_to_one_schema_and_one_role() {
    let database = TestDatabase::fresh().await;
    let provisioner = database.provisioner().await;
    let steps =
        [Step::Reserved, Step::Founded, Step::Migrated, Step::Built, Step::Checked, Step::Seeded, Step::Live];
    for (number, at) in (1..).zip(steps) {
        let request = test_request(Country::US);
        let armed = AtomicBool::new(true);
        let watch = |step: Step| match step == at && armed.swap(false, Ordering::SeqCst) {
            true => Err(ProvisionError::Interrupted(format!("{at:?}"))),
            false => Ok(()),
        };
        let error = provisioner.claim_watched(&request, &watch).await.unwrap_err();
        assert!(error.is_transient(), "{at:?}: {error}");
        let provisioned = provisioner.claim_watched(&request, &watch).await.unwrap();
        assert_eq!(provisioned.record.state, State::Live, "{at:?}");
        assert_eq!(schemas_and_roles(&database).await, (number, number), "{at:?}");
        let settings = format!("SELECT count(*) FROM {}.store_settings", provisioned.record.schema);
        assert_eq!(count(&database, &settings).await, 1, "{at:?}");
    }
    // A spare: interrupted while it is being bound, it is bound at the next try or stays spare.
    provisioner.keep_spares(1).await.unwrap();
    let before = schemas_and_roles(&database).await;
    for at in [Step::Claimed, Step::Seeded] {
        let watch =
            |step: Step| if step == at { Err(ProvisionError::Interrupted("spare".into())) } else { Ok(()) };
        provisioner.claim_watched(&test_request(Country::US), &watch).await.unwrap_err();
    }
    let claimed = loop {
        // The server needs a moment to see that the interrupted one is gone.
        let spare = count(
            &database,
            "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
                                      WHERE locktype = 'advisory' AND d.datname = current_database()",
        )
        .await;
        if spare == 0 {
            break provisioner.claim(&test_request(Country::US)).await.unwrap();
        }
    };
    assert!(claimed.from_spare);
    assert_eq!(schemas_and_roles(&database).await, before);
    drop(provisioner);
    database.remove().await;
}

#[tokio::test]
async fn spares_are_kept_and_each_is_given_once() {
    let database = TestDatabase::fresh().await;
    let (one, two) = (database.provisioner().await, database.provisioner().await);
    let (left, right) = tokio::join!(one.keep_spares(4), two.keep_spares(4));
    assert_eq!(left.unwrap() + right.unwrap(), 4);
    assert_eq!(one.keep_spares(4).await.unwrap(), 0);
    assert_eq!(schemas_and_roles(&database).await, (4, 4));
    let requests: Vec<_> = (0..5).map(|_| test_request(Country::JP)).collect();
    let claims = requests.iter().zip([&one, &two].into_iter().cycle()).map(|(request, by)| by.claim(request));
    let claimed: Vec<_> =
        futures_util::future::join_all(claims).await.into_iter().map(|done| done.unwrap()).collect();
    let ids: HashSet<_> = claimed.iter().map(|store| store.store_id).collect();
    assert_eq!(ids.len(), 5);
    assert_eq!(claimed.iter().filter(|store| store.from_spare).count(), 4);
    // Least filled lane first: nobody shares one while there are eight.
    let lanes: HashSet<_> = claimed.iter().map(|store| store.record.lane).collect();
    assert_eq!(lanes.len(), 5);
    drop((one, two));
    database.remove().await;
}

#[tokio::test]
async fn a_half_built_spare_is_finished_by_the_next() {
    let database = TestDatabase::fresh().await;
    let provisioner = database.provisioner().await;
    provisioner.keep_spares(1).await.unwrap();
    database.admin("UPDATE platform.store_ledger SET state = 'provisioning'").await;
    assert_eq!(provisioner.keep_spares(1).await.unwrap(), 1);
    assert_eq!(schemas_and_roles(&database).await, (1, 1));
    drop(provisioner);
    database.remove().await;
}

#[tokio::test]
async fn full_lanes_and_taken_hosts_are_refused_and_leave_nothing() {
    let database = TestDatabase::fresh().await;
    let provisioner = database
        .provisioner_with(|config| {
            config.migrations = souk_provisioner::MigrationSet::store().unwrap();
            config.lanes = 2;
            config.stores_per_lane = 1;
        })
        .await;
    let first = provisioner.claim(&test_request(Country::DE)).await.unwrap();
    let mut rival = test_request(Country::DE);
    rival.hosts = first.record.hosts.clone();
    assert!(matches!(provisioner.claim(&rival).await, Err(ProvisionError::HostTaken(_))));
    assert_eq!(provisioner.keep_spares(5).await.unwrap(), 1);
    assert!(matches!(provisioner.claim(&rival).await, Err(ProvisionError::HostTaken(_))));
    assert!(provisioner.claim(&test_request(Country::DE)).await.unwrap().from_spare);
    assert!(matches!(
        provisioner.claim(&test_request(Country::DE)).await,
        Err(ProvisionError::LanesFull { lanes: 2, per_lane: 1 })
    ));
    assert_eq!(count(&database, "SELECT count(*) FROM platform.store_ledger").await, 2);
    assert_eq!(schemas_and_roles(&database).await, (2, 2));
    drop(provisioner);
    database.remove().await;
}

#[tokio::test]
async fn odd_hosts_and_owners_are_refused_before_anything_happens() {
    let provisioner = TestDatabase::get().await.provisioner().await;
    for host in ["", "Shop.localhost", "a b", "shop:8081", "shöp", "a/../b", "x'; DROP SCHEMA platform; --"]
    {
        let mut request = test_request(Country::DE);
        request.hosts = vec![host.into()];
        assert!(matches!(provisioner.claim(&request).await, Err(ProvisionError::Refused(_))), "{host:?}");
    }
    let mut request = test_request(Country::DE);
    request.owner.reference.clear();
    assert!(matches!(provisioner.claim(&request).await, Err(ProvisionError::Refused(_))));
    // Names and handles are only data: whatever they say, the schema's name comes from the id.
    for name in ["public", "pg_x", "a\"b'; --", "../..", &"x".repeat(64), "ѕhор"] {
        let mut request = test_request(Country::DE);
        request.handle = name.into();
        request.name = name.into();
        request.seeds.settings.name = name.into();
        let store = provisioner.claim(&request).await.unwrap();
        assert_eq!(store.record.schema, format!("s_{}", store.store_id.suffix()));
        assert_eq!(store.record.name, name);
    }
}
