//! Migrating many stores: partial failure, resumption, two at once, locks held by a shop that goes on selling.
use std::time::Duration;

use souk_kernel::StoreId;
use souk_provisioner::test_support::TestDatabase;
use souk_provisioner::{Migration, MigrationSet, ProvisionError, SweepOptions};

fn set(files: &[&str]) -> MigrationSet {
    let migrations = (1..).zip(files).map(|(version, sql)| Migration {
        version,
        name: format!("{version:04}_test"),
        sql: (*sql).to_owned(),
    });
    MigrationSet::new(migrations.collect()).unwrap()
}

/// Some of those numbers only, as a branch has them.
fn some(set: &[(i32, &str)]) -> MigrationSet {
    let migrations = set.iter().map(|(version, sql)| Migration {
        version: *version,
        name: format!("{version:04}_test"),
        sql: (*sql).to_owned(),
    });
    MigrationSet::new(migrations.collect()).unwrap()
}

const FIRST: &str = "CREATE TABLE a (x int); REVOKE UPDATE ON a FROM :role; INSERT INTO :schema.a VALUES (1)";

async fn numbers(database: &TestDatabase, sql: &str) -> Vec<i64> {
    let client = database.login("provisioner", &database.secrets.provisioner).await.unwrap();
    client.query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

async fn at_version(database: &TestDatabase, version: i32) -> i64 {
    let sql = format!("SELECT count(*) FROM platform.store_ledger WHERE schema_version = {version}");
    numbers(database, &sql).await[0]
}

/// Stores that do what a runtime of before the sweep asks of them.
async fn serving(client: &tokio_postgres::Client) -> usize {
    let mut serving = 0;
    for row in client.query("SELECT schema_name, role_name FROM platform.store_ledger", &[]).await.unwrap() {
        let (schema, role): (&str, &str) = (row.get(0), row.get(1));
        let prologue = format!("BEGIN; SET LOCAL ROLE {role}; SET LOCAL search_path = {schema}, extensions");
        client.batch_execute(&prologue).await.unwrap();
        let sale = "WITH sale AS (INSERT INTO a (x) VALUES (7) RETURNING x) SELECT count(*) FROM sale, a WHERE a.x = 1";
        let sold = client.query_one(sale, &[]).await;
        client.batch_execute("ROLLBACK").await.unwrap();
        serving += usize::from(sold.unwrap().get::<_, i64>(0) == 1);
    }
    serving
}

#[tokio::test]
async fn a_failure_at_store_120_of_200_leaves_the_rest_serving_and_a_rerun_finishes() {
    let database = TestDatabase::fresh().await;
    let old = database.provisioner_with(|config| config.migrations = set(&[FIRST])).await;
    old.keep_spares(200).await.unwrap();
    // The 120th in the sweep's order has a row that the new constraint refuses.
    let client = database.login("provisioner", &database.secrets.provisioner).await.unwrap();
    let row = client
        .query_one(
            "SELECT schema_name FROM platform.store_ledger ORDER BY created_at, store_id OFFSET 119 LIMIT 1",
            &[],
        )
        .await
        .unwrap();
    let sick: String = row.get(0);
    client.batch_execute(&format!("INSERT INTO {sick}.a VALUES (-1)")).await.unwrap();

    let new = database
        .provisioner_with(|config| {
            config.migrations =
                set(&[FIRST, "ALTER TABLE a ADD COLUMN y int; ALTER TABLE a ADD CHECK (x > 0)"]);
        })
        .await;
    let one_by_one = SweepOptions { workers: 1, ..SweepOptions::default() };
    let report = new.migrate_all(&one_by_one).await.unwrap();
    assert_eq!(
        (report.below_target, report.migrated, report.failures.len(), report.untouched),
        (200, 119, 1, 80)
    );
    assert_eq!(report.failures[0].schema, sick);
    assert!(report.failures[0].error.contains("23514"), "{}", report.failures[0].error);
    assert_eq!((at_version(&database, 2).await, at_version(&database, 1).await), (119, 81));
    // The failed one is as it was: no column, no version row.
    let half =
        format!("SELECT count(*) FROM pg_attribute WHERE attrelid = '{sick}.a'::regclass AND attname = 'y'");
    assert_eq!(numbers(&database, &half).await, [0]);

    // Old and new, all of them serve: read and write as their own role.
    assert_eq!(serving(&client).await, 200);

    client.batch_execute(&format!("DELETE FROM {sick}.a WHERE x < 0")).await.unwrap();
    // Two sweeps at once share the rest without stepping on each other.
    let other = database
        .provisioner_with(|config| {
            config.migrations =
                set(&[FIRST, "ALTER TABLE a ADD COLUMN y int; ALTER TABLE a ADD CHECK (x > 0)"])
        })
        .await;
    let options = SweepOptions::default();
    let (left, right) = tokio::join!(new.migrate_all(&options), other.migrate_all(&options));
    assert!(left.unwrap().is_complete() && right.unwrap().is_complete());
    assert_eq!(at_version(&database, 2).await, 200);
    assert_eq!(new.migrate_all(&options).await.unwrap().below_target, 0);
    drop((old, new, other));
    database.remove().await;
}

#[tokio::test]
async fn a_busy_store_is_tried_again_and_never_blocks_its_shop_for_long() {
    let database = TestDatabase::fresh().await;
    let old = database.provisioner_with(|config| config.migrations = set(&[FIRST])).await;
    old.keep_spares(2).await.unwrap();
    let client = database.login("provisioner", &database.secrets.provisioner).await.unwrap();
    let row = client.query_one("SELECT schema_name FROM platform.store_ledger LIMIT 1", &[]).await.unwrap();
    let busy: String = row.get(0);
    client.batch_execute(&format!("BEGIN; LOCK TABLE {busy}.a IN ACCESS SHARE MODE")).await.unwrap();
    let new = database
        .provisioner_with(|config| config.migrations = set(&[FIRST, "ALTER TABLE a ADD COLUMN y int"]))
        .await;
    let options = SweepOptions {
        lock_timeout: Duration::from_millis(150),
        retries: 1,
        max_failures: 5,
        ..SweepOptions::default()
    };
    let report = new.migrate_all(&options).await.unwrap();
    assert_eq!((report.migrated, report.failures.len()), (1, 1));
    assert!(report.failures[0].error.contains("55P03"), "{}", report.failures[0].error);
    let patient =
        SweepOptions { lock_timeout: Duration::from_millis(150), retries: 8, ..SweepOptions::default() };
    let release = async {
        tokio::time::sleep(Duration::from_millis(400)).await;
        client.batch_execute("COMMIT").await.unwrap();
    };
    let (report, ()) = tokio::join!(new.migrate_all(&patient), release);
    assert!(report.unwrap().is_complete());
    drop((old, new));
    database.remove().await;
}

#[tokio::test]
async fn one_store_is_migrated_and_the_others_are_left_for_later() {
    let database = TestDatabase::fresh().await;
    let old = database.provisioner_with(|config| config.migrations = set(&[FIRST])).await;
    old.keep_spares(2).await.unwrap();
    let files = [FIRST, "ALTER TABLE a ADD COLUMN y int", "ALTER TABLE a ADD CHECK (x > 0)"];
    let new = database.provisioner_with(|config| config.migrations = set(&files)).await;
    assert_eq!((old.newest_migration(), new.newest_migration()), (1, 3));
    let client = database.login("provisioner", &database.secrets.provisioner).await.unwrap();
    let row = client.query_one("SELECT store_id FROM platform.store_ledger LIMIT 1", &[]).await.unwrap();
    let id = StoreId::from_uuid(row.get(0));
    let one = new.store(id).await.unwrap().unwrap();
    client.batch_execute(&format!("INSERT INTO {}.a VALUES (-1)", one.schema)).await.unwrap();

    // What fails for good leaves it at the last whole one, and says so.
    let options = SweepOptions::default();
    let error = new.migrate(&one, &options).await.expect_err("the row is refused");
    assert!(matches!(error, ProvisionError::Migration { .. }) && !error.is_transient(), "{error}");
    assert_eq!(new.store(id).await.unwrap().unwrap().schema_version, 2);
    client.batch_execute(&format!("DELETE FROM {}.a WHERE x < 0", one.schema)).await.unwrap();
    // Told from what was known before, and twice at once: nothing is done twice.
    let (left, right) = tokio::join!(new.migrate(&one, &options), new.migrate(&one, &options));
    left.unwrap();
    right.unwrap();
    let one = new.store(id).await.unwrap().unwrap();
    assert_eq!(one.schema_version, 3);
    new.migrate(&one, &options).await.unwrap();
    assert_eq!((at_version(&database, 3).await, at_version(&database, 1).await), (1, 1));
    drop((old, new));
    database.remove().await;
}

#[tokio::test]
async fn a_number_that_lands_late_is_applied_below_the_newest_and_a_program_of_before_takes_nothing_back() {
    const LATE: (i32, &str) = (2, "CREATE TABLE late (x int)");
    const NEWEST: (i32, &str) = (3, "ALTER TABLE a ADD COLUMN y int");
    let database = TestDatabase::fresh().await;
    let before = some(&[(1, FIRST), NEWEST]);
    let old = database.provisioner_with(|config| config.migrations = before.clone()).await;
    old.keep_spares(2).await.unwrap();
    // One of them is from the days when nobody wrote down what a schema had.
    let client = database.login("provisioner", &database.secrets.provisioner).await.unwrap();
    let forget = "UPDATE platform.store_ledger SET schema_digest = NULL WHERE store_id = (SELECT min(store_id::text)::uuid FROM platform.store_ledger)";
    assert_eq!(client.execute(forget, &[]).await.unwrap(), 1);

    let all = some(&[(1, FIRST), LATE, NEWEST, (4, "ALTER TABLE late ADD COLUMN y int")]);
    let new = database.provisioner_with(|config| config.migrations = all.clone()).await;
    // What has a hole is no spare: nobody is given a store without the late table.
    assert_eq!(new.keep_spares(1).await.unwrap(), 1);
    let options = SweepOptions::default();
    let report = new.migrate_all(&options).await.unwrap();
    assert_eq!((report.target, report.below_target, report.migrated), (4, 2, 2));
    let rows = client.query("SELECT schema_name FROM platform.store_ledger", &[]).await.unwrap();
    assert_eq!(rows.len(), 3);
    for row in rows {
        let schema: &str = row.get(0);
        let sql =
            format!("SELECT string_agg(version::text, ',' ORDER BY version) FROM {schema}.schema_version");
        assert_eq!(client.query_one(&sql, &[]).await.unwrap().get::<_, String>(0), "1,2,3,4");
        client.batch_execute(&format!("SELECT x, y FROM {schema}.late")).await.unwrap();
    }
    assert_eq!(new.migrate_all(&options).await.unwrap().below_target, 0);

    // A program of before looks, finds nothing to do, and leaves the newer one nothing to look for.
    let report = old.migrate_all(&options).await.unwrap();
    assert_eq!((report.migrated, report.failures.len()), (3, 0));
    assert_eq!(at_version(&database, 4).await, 3);
    assert_eq!(new.migrate_all(&options).await.unwrap().below_target, 0);
    assert_eq!(new.keep_spares(3).await.unwrap(), 0);
    drop((old, new));
    database.remove().await;
}
