//! A process that serves one store, as that store's own login, over a database the provisioner made.

use souk_kernel::Country;
use souk_provisioner::test_support::{TestDatabase, test_request};
use souk_tenancy::{Directory, Tenancy, TenancyConfig, TenancyError, sql};

#[tokio::test(flavor = "multi_thread")]
async fn it_knows_and_opens_its_own_store_only() {
    let database = TestDatabase::get().await;
    let provisioner = database.provisioner().await;
    let own = provisioner.claim(&test_request(Country::DE)).await.unwrap().record;
    let other = provisioner.claim(&test_request(Country::DE)).await.unwrap().record;
    let issued = provisioner.issue_login(own.store_id, 10).await.unwrap();

    // No lane secret: such a process could not become anybody else if it wanted to.
    let mut config = TenancyConfig::new(database.url.parse().unwrap(), String::new());
    config.own_login = Some((issued.user, issued.password));
    let directory = Directory::start(&config).await;
    // It waits two seconds by itself; a machine with other things to do may need more.
    for _ in 0..300 {
        if directory.health().ready && directory.health().connected {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert!(directory.health().ready && directory.health().connected);
    let hosts: Vec<_> = directory.all_live().iter().flat_map(|entry| entry.hosts.clone()).collect();
    assert_eq!(hosts, own.hosts);
    assert!(directory.by_host(&other.hosts[0]).is_none());

    let (_, mint) = Tenancy::start(config, directory.clone()).unwrap();
    let scope = mint.scope_of(own.store_id).unwrap();
    let changed = scope
        .write::<_, TenancyError, _>("rename", async |tx| {
            Ok(tx.execute(sql("update store_settings set name = 'By its own login'")).await?)
        })
        .await
        .unwrap();
    assert_eq!(changed, 1);
    assert!(mint.scope_of(other.store_id).is_none());

    // That somebody asked is in the database a moment later; the same again soon costs nothing.
    let begin = format!(
        "INSERT INTO platform.store_activity VALUES ('{}', now() - interval '1 hour')",
        own.store_id.uuid()
    );
    database.admin(&begin).await;
    let hour = std::time::Duration::from_secs(3500);
    assert!(provisioner.idle_for(own.store_id).await.unwrap() > hour);
    let entry = directory.by_id(own.store_id).unwrap();
    entry.note_request();
    let mut noted = false;
    for _ in 0..100 {
        noted = provisioner.idle_for(own.store_id).await.unwrap() < hour;
        if noted {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert!(noted, "what was asked for is noted");
    let again = "UPDATE platform.store_activity SET last_request_at = now() - interval '1 hour'";
    database.admin(again).await;
    entry.note_request();
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    assert!(provisioner.idle_for(own.store_id).await.unwrap() > hour);

    // It follows its row like any other runtime.
    let mut changes = directory.changes();
    changes.mark_unchanged();
    provisioner.suspend(own.store_id, 5).await.unwrap();
    changes.changed().await.unwrap();
    assert!(directory.all_live().is_empty());
}
