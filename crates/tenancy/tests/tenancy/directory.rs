//! Which stores a process knows: it follows the ledger, also when nobody tells it.

use std::time::Duration;

use souk_kernel::Plan;
use souk_tenancy::{Directory, StoreState, TenancyError};

use crate::ground::{eventually, on_ground};
use crate::{Refused, listed, names};

#[test]
fn the_directory_follows_the_ledger() {
    on_ground(async |ground| {
        let a = ground.store(1, "a.test").await;
        let stores = ground.tenancy(ground.config()).await;
        let directory = &stores.directory;
        assert_eq!(directory.by_host("A.test:8081").unwrap().id, a);
        assert!(directory.by_host("b.test").is_none());

        let b = ground.store(2, "b.test").await;
        eventually("the new store is known", async || directory.by_host("b.test.").is_some()).await;
        assert_eq!(directory.all_live().iter().map(|entry| entry.id).collect::<Vec<_>>(), [a, b]);

        let scope = stores.scope(b);
        let change = async |set: &str| {
            let text = format!("update platform.store_ledger set {set} where store_id = $1");
            ground.admin.execute(&text, &[&b.uuid()]).await.unwrap();
        };
        assert_eq!(directory.by_id(b).unwrap().limits, Plan::DEFAULT.limits, "its row names no plan");
        change("state = 'suspended', hosts = array['c.test'], plan = '{\"id\": \"growth\"}'").await;
        eventually("the change is known", async || directory.by_host("c.test").is_some()).await;
        let entry = directory.by_id(b).unwrap();
        assert_eq!((entry.state, entry.limits), (StoreState::Suspended, Plan::GROWTH.limits));
        assert!(directory.by_host("b.test").is_none());
        assert_eq!(directory.all_live().len(), 1);
        assert!(listed(&scope).await.is_empty());

        // The connection is cut: the last known state is served, and what was missed is read after the return.
        let cut = "select pg_terminate_backend(pid, 1000) from pg_stat_activity
            where usename = 'runtime_directory' and datname = current_database()";
        ground.admin.batch_execute(cut).await.unwrap();
        change("state = 'deleting'").await;
        assert!(directory.by_id(a).is_some());
        eventually("the end is known", async || {
            directory.by_id(b).is_some_and(|entry| entry.state == StoreState::Deleting)
        })
        .await;
        assert!(directory.health().ready);
        let gone = scope.read::<_, Refused, _>("list", async |tx| Ok(names(tx).await?)).await;
        assert!(matches!(gone, Err(Refused::Tenancy(TenancyError::StoreGone))));

        // A dedicated runtime knows its own store only.
        let mut config = ground.config();
        config.only_store = Some(a);
        let dedicated = Directory::start(&config).await;
        assert!(dedicated.by_id(a).is_some() && dedicated.by_id(b).is_none());
    });
}

#[test]
fn a_lost_notification_is_made_up_for() {
    on_ground(async |ground| {
        let a = ground.store(1, "a.test").await;
        let mut config = ground.config();
        config.reread_every = Duration::from_millis(300);
        let stores = ground.tenancy(config).await;
        // Whoever changes the ledger now tells nobody.
        ground.admin.batch_execute("alter table platform.store_ledger disable trigger user").await.unwrap();
        let deaf = ground.tenancy(ground.config()).await;
        let mut read = stores.directory.changes();
        let suspend = "update platform.store_ledger set state = 'suspended' where store_id = $1";
        ground.admin.execute(suspend, &[&a.uuid()]).await.unwrap();
        read.mark_unchanged();
        tokio::time::timeout(Duration::from_secs(10), read.changed()).await.unwrap().unwrap();
        eventually("the change is known", async || {
            stores.directory.by_id(a).is_some_and(|entry| entry.state == StoreState::Suspended)
        })
        .await;
        assert!(stores.directory.all_live().is_empty());
        // That it was the reading: who reads every half minute does not know it yet.
        assert_eq!(deaf.directory.by_id(a).unwrap().state, StoreState::Live);
    });
}

#[test]
fn a_store_has_as_many_transactions_as_its_plan_allows_now() {
    on_ground(async |ground| {
        let store = ground.store(1, "a.test").await;
        let change = async |plan: &str| {
            let text = format!("update platform.store_ledger set plan = '{plan}' where store_id = $1");
            ground.admin.execute(&text, &[&store.uuid()]).await.unwrap();
        };
        change("{\"id\": \"of tomorrow\", \"limits\": {\"concurrent_transactions\": 1}}").await;
        let mut config = ground.config();
        config.acquire_timeout = Duration::from_millis(200);
        config.connections_per_lane = 2;
        let stores = ground.tenancy(config).await;
        let scope = stores.scope(store);
        let (held, holding) = tokio::sync::oneshot::channel();
        let (release, released) = tokio::sync::oneshot::channel::<()>();
        let holder = scope.clone();
        let first = tokio::spawn(async move {
            let hold = holder.read::<_, Refused, _>("hold", async |_| {
                held.send(()).unwrap();
                released.await.unwrap();
                Ok(())
            });
            hold.await
        });
        holding.await.unwrap();
        let second = async || scope.read::<_, Refused, _>("list", async |tx| Ok(names(tx).await?)).await;
        let busy = second().await;
        assert!(matches!(busy, Err(Refused::Tenancy(TenancyError::Busy))), "{busy:?}");
        // Another plan, while the first transaction is under way.
        change("{\"id\": \"of tomorrow\", \"limits\": {\"concurrent_transactions\": 2}}").await;
        eventually("there is room for a second", async || second().await.is_ok()).await;
        change("{\"id\": \"of tomorrow\", \"limits\": {\"concurrent_transactions\": 0}}").await;
        eventually("there is none any more", async || second().await.is_err()).await;
        release.send(()).unwrap();
        first.await.unwrap().unwrap();
        // One is always left.
        assert!(second().await.is_ok());
    });
}
