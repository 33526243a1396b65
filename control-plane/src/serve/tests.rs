//! An upgrade of a database with stores in it.

use souk_provisioner::test_support::TestDatabase;
use souk_provisioner::{Migration, MigrationSet};

use super::*;

const GROUND: &str = include_str!("../../../migrations/store/0001_ground.sql");

fn config(database: &TestDatabase) -> MigrateConfig {
    MigrateConfig {
        admin_url: database.admin_url.clone(),
        url: database.url.clone(),
        database: database.name.clone(),
        lane_secret: database.secrets.lane_secret.clone(),
        control_password: database.secrets.control_plane.clone(),
        provisioner_password: database.secrets.provisioner.clone(),
        relay_password: database.secrets.relay.clone(),
        lanes: database.lanes,
    }
}

#[tokio::test]
async fn an_upgrade_reaches_every_store_or_says_which_it_did_not() {
    let database = TestDatabase::fresh().await;
    let ground = Migration { version: 1, name: "0001_ground".into(), sql: GROUND.into() };
    let old = MigrationSet::new(vec![ground]).unwrap();
    database.provisioner_with(|config| config.migrations = old).await.keep_spares(3).await.unwrap();
    let client = database.login("provisioner", &database.secrets.provisioner).await.unwrap();
    let versions = async || {
        let sql = "SELECT schema_version FROM platform.store_ledger ORDER BY created_at, store_id";
        let rows = client.query(sql, &[]).await.unwrap();
        rows.iter().map(|row| row.get::<_, i32>(0)).collect::<Vec<_>>()
    };
    let sql = "SELECT schema_name FROM platform.store_ledger ORDER BY created_at, store_id OFFSET 1 LIMIT 1";
    let sick: String = client.query_one(sql, &[]).await.unwrap().get(0);
    client.batch_execute(&format!("CREATE TABLE {sick}.products ()")).await.unwrap();

    let one_by_one = SweepOptions { workers: 1, ..SweepOptions::default() };
    let refused = migrate(config(&database), &one_by_one).await.unwrap_err().to_string();
    assert!(refused.contains("1 stores failed and 1 were not begun, 1 are migrated"), "{refused}");
    assert!(refused.contains(&sick), "{refused}");
    let target = MigrationSet::store().unwrap().target();
    assert_eq!(versions().await, [target, 1, 1]);

    client.batch_execute(&format!("DROP TABLE {sick}.products")).await.unwrap();
    migrate(config(&database), &SweepOptions::default()).await.unwrap();
    assert_eq!(versions().await, [target; 3]);
    database.remove().await;
}
