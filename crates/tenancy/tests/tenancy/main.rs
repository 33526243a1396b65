//! Two stores on a lane of one connection, and everything that could carry something from one to the other.

mod directory;
#[path = "../ground/mod.rs"]
mod ground;

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Text};
use futures_util::FutureExt;
use ground::{eventually, on_ground};
use souk_tenancy::{
    ControlConfig, ControlPool, DbError, Directory, ReadTx, StatementCount, StoreScope, Tenancy,
    TenancyError, WriteTx, sql,
};

diesel::table! {
    products (name) {
        name -> Text,
        stock -> Integer,
    }
}

#[derive(QueryableByName)]
struct Word {
    #[diesel(sql_type = Text)]
    word: String,
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error(transparent)]
    Tenancy(#[from] TenancyError),
    #[error(transparent)]
    Db(#[from] DbError),
    #[error("changed my mind")]
    ChangedMind,
}

async fn names(tx: &mut ReadTx<'_>) -> Result<Vec<String>, DbError> {
    tx.load(products::table.select(products::name).order(products::name)).await
}

async fn add(tx: &mut WriteTx<'_>, name: &str) -> Result<(), DbError> {
    tx.execute(diesel::insert_into(products::table).values(products::name.eq(name))).await.map(drop)
}

async fn listed(scope: &StoreScope) -> Vec<String> {
    scope.read::<_, Refused, _>("list", async |tx| Ok(names(tx).await?)).await.unwrap()
}

async fn backend(scope: &StoreScope) -> i64 {
    let pid = scope.read::<_, Refused, _>("pid", async |tx| {
        Ok(tx.one::<Number>(sql("select pg_backend_pid()::bigint as number")).await?.number)
    });
    pid.await.unwrap()
}

#[test]
fn what_one_store_does_stays_there_however_it_ends() {
    on_ground(async |ground| {
        let (a, b) = (ground.store(1, "a.test").await, ground.store(1, "b.test").await);
        let stores = ground.tenancy(ground.config()).await;
        let (a, b) = (stores.scope(a), stores.scope(b));

        // Commit; and the same query type, alternating, answers each store with its own rows.
        a.write::<_, Refused, _>("add", async |tx| Ok(add(tx, "apple").await?)).await.unwrap();
        b.write::<_, Refused, _>("add", async |tx| Ok(add(tx, "bread").await?)).await.unwrap();
        for _ in 0..3 {
            assert_eq!(listed(&a).await, ["apple"]);
            assert_eq!(listed(&b).await, ["bread"]);
        }
        let first = backend(&a).await;
        assert_eq!(first, backend(&b).await, "both stores share the lane's one connection");

        // Rollback.
        let refused = a.write::<(), _, _>("add", async |tx| {
            add(tx, "apricot").await?;
            Err(Refused::ChangedMind)
        });
        assert!(matches!(refused.await, Err(Refused::ChangedMind)));
        assert_eq!(listed(&b).await, ["bread"]);
        assert_eq!(listed(&a).await, ["apple"]);
        assert_eq!(first, backend(&a).await, "an orderly rollback keeps the connection");

        // A future dropped while its statement runs: the statement is cancelled, the connection goes.
        let dropped = a.write::<_, Refused, _>("add", async |tx| {
            add(tx, "avocado").await?;
            Ok(tx.execute(sql("select pg_sleep(30)")).await?)
        });
        assert!(tokio::time::timeout(Duration::from_millis(200), dropped).await.is_err());
        assert_eq!(listed(&b).await, ["bread"]);
        assert_eq!(listed(&a).await, ["apple"]);
        let second = backend(&b).await;
        assert_ne!(first, second, "a connection with an abandoned transaction is never used again");
        eventually("the abandoned statement ends", async || {
            let asleep = "select from pg_stat_activity where datname = current_database() and query like '%pg_sleep(30)%'
                and pid <> pg_backend_pid()";
            ground.admin.query(asleep, &[]).await.unwrap().is_empty()
        })
        .await;

        // A panic.
        let panicking = a.write::<(), Refused, _>("add", async |tx| {
            add(tx, "artichoke").await?;
            panic!("on purpose");
        });
        assert!(AssertUnwindSafe(panicking).catch_unwind().await.is_err());
        assert_eq!(listed(&b).await, ["bread"]);
        assert_eq!(listed(&a).await, ["apple"]);
        assert_ne!(second, backend(&b).await);

        // The server ends the connection, idle and in the middle of work.
        let kill = |pid: i64| format!("select pg_terminate_backend({pid}, 1000)");
        ground.admin.batch_execute(&kill(backend(&a).await)).await.unwrap();
        assert_eq!(listed(&b).await, ["bread"], "a connection found dead is replaced");
        let ended = a.write::<_, Refused, _>("add", async |tx| {
            let pid = tx.one::<Number>(sql("select pg_backend_pid()::bigint as number")).await?.number;
            ground.admin.batch_execute(&kill(pid)).await.unwrap();
            Ok(add(tx, "aubergine").await?)
        });
        assert!(matches!(ended.await, Err(Refused::Db(DbError::Unavailable))));
        assert_eq!(listed(&a).await, ["apple"]);
    });
}

#[test]
fn no_setting_outlives_its_transaction() {
    on_ground(async |ground| {
        let (a, b) = (ground.store(1, "a.test").await, ground.store(1, "b.test").await);
        let stores = ground.tenancy(ground.config()).await;
        let (a, b) = (stores.scope(a), stores.scope(b));
        let seen = async |scope: &StoreScope| {
            let settings = "select current_user || ' ' || current_setting('search_path') || ' '
                || current_setting('statement_timeout') || ' ' || current_setting('lock_timeout') || ' '
                || current_setting('transaction_read_only') as word";
            let seen = scope
                .read::<_, Refused, _>("see", async move |tx| Ok(tx.one::<Word>(sql(settings)).await?.word));
            seen.await.unwrap()
        };
        let expected = |scope: &StoreScope| {
            let entry = scope.entry();
            format!("{} {}, extensions 5s 1s on", entry.role, entry.schema)
        };
        assert_eq!(seen(&a).await, expected(&a));
        assert_eq!(seen(&b).await, expected(&b));

        // Even a handler that sets its session is overridden by the next prologue.
        let stray = a.write::<_, Refused, _>("stray", async |tx| {
            tx.execute(sql("set search_path = pg_catalog")).await?;
            tx.execute(sql("set statement_timeout = 0")).await?;
            Ok(())
        });
        stray.await.unwrap();
        assert_eq!(seen(&b).await, expected(&b));

        // Statements cannot be stacked, and the other store is out of reach.
        let stacked =
            a.write::<_, Refused, _>("stack", async |tx| Ok(tx.execute(sql("select 1; reset role")).await?));
        assert!(matches!(stacked.await, Err(Refused::Db(DbError::Other(_)))));
        let text: &'static str = format!("select name as word from {}.products", b.entry().schema).leak();
        let across = a.read::<_, Refused, _>("peek", async |tx| Ok(tx.load::<Word>(sql(text)).await?.len()));
        assert!(across.await.unwrap_err().to_string().contains("permission denied"));

        // Reading means READ ONLY, on the server too.
        let write = sql("insert into products (name) values ('x') returning name as word");
        let sneaky = a.read::<_, Refused, _>("sneak", async |tx| Ok(tx.load::<Word>(write).await?.len()));
        assert!(matches!(sneaky.await, Err(Refused::Db(DbError::ReadOnly))));
        assert!(listed(&a).await.is_empty());
    });
}

#[test]
fn statements_stay_prepared_once_per_store() {
    on_ground(async |ground| {
        let (a, b) = (ground.store(1, "a.test").await, ground.store(1, "b.test").await);
        let stores = ground.tenancy(ground.config()).await;
        let (a, b) = (stores.scope(a), stores.scope(b));
        let work = async |scope: &StoreScope| {
            let work = scope.write::<_, Refused, _>("work", async |tx| {
                for name in ["x", "y"] {
                    tx.execute(
                        sql("insert into products (name, stock) values ($1, $2) on conflict do nothing")
                            .bind::<Text, _>(name)
                            .bind::<Integer, _>(1),
                    )
                    .await?;
                    let found = products::table.filter(products::name.eq(name)).select(products::stock);
                    assert_eq!(tx.one::<i32>(found).await?, 1);
                }
                let prepared =
                    tx.load::<Word>(sql("select statement as word from pg_prepared_statements")).await?;
                assert_eq!(tx.statements(), 5);
                Ok(prepared.into_iter().map(|row| row.word).collect::<Vec<_>>())
            });
            work.await.unwrap()
        };
        work(&a).await;
        let count = StatementCount::new();
        let prepared = count.scope(async { (work(&a).await, work(&b).await).1 }).await;
        assert_eq!((count.statements(), count.transactions()), (10, 2));
        assert!(StatementCount::current().is_none());
        for scope in [&a, &b] {
            let tag = format!(" /* {} */", scope.entry().schema);
            let own: Vec<_> = prepared.iter().filter(|text| text.ends_with(&tag)).collect();
            assert_eq!(own.len(), 3, "{own:?}");
        }
        assert_eq!(prepared.len(), 6, "{prepared:?}");
    });
}

#[test]
fn a_failed_statement_is_never_committed_over() {
    on_ground(async |ground| {
        let store = ground.store(1, "a.test").await;
        let mut config = ground.config();
        config.statement_timeout = Duration::from_millis(300);
        config.lock_timeout = Duration::from_millis(100);
        config.connections_per_lane = 2;
        let stores = ground.tenancy(config).await;
        let scope = stores.scope(store);
        scope.write::<_, Refused, _>("add", async |tx| Ok(add(tx, "one").await?)).await.unwrap();

        let swallowed = scope.write::<_, Refused, _>("swallow", async |tx| {
            add(tx, "two").await?;
            assert!(add(tx, "one").await.unwrap_err().is_unique("products_pkey"));
            Ok(())
        });
        assert!(matches!(swallowed.await, Err(Refused::Tenancy(TenancyError::Db(DbError::Aborted)))));

        // A statement abandoned half-way counts as failed, too.
        let abandoned = scope.write::<_, Refused, _>("abandon", async |tx| {
            let _ = tokio::time::timeout(Duration::from_millis(20), tx.execute(sql("select pg_sleep(0.1)")))
                .await;
            add(tx, "two").await?;
            Ok(())
        });
        assert!(matches!(abandoned.await, Err(Refused::Tenancy(TenancyError::Db(DbError::Aborted)))));

        // So does a savepoint; and its transaction does not stay open on the connection.
        let abandoned = scope.write::<_, Refused, _>("abandon", async |tx| {
            let never = tx.savepoint::<(), Refused, _>(async |tx| {
                add(tx, "two").await?;
                std::future::pending().await
            });
            let _ = tokio::time::timeout(Duration::from_millis(50), never).await;
            Ok(())
        });
        assert!(matches!(abandoned.await, Err(Refused::Tenancy(TenancyError::Db(DbError::Aborted)))));
        eventually("nothing stays open", async || {
            let open =
                "select from pg_stat_activity where datname = current_database() and state like 'idle in%'";
            ground.admin.query(open, &[]).await.unwrap().is_empty()
        })
        .await;

        let saved = scope.write::<_, Refused, _>("save", async |tx| {
            add(tx, "three").await?;
            let inner = tx.savepoint::<(), Refused, _>(async |tx| Ok(add(tx, "one").await?)).await;
            assert!(matches!(inner, Err(Refused::Db(DbError::Unique { .. }))));
            tx.savepoint::<(), Refused, _>(async |tx| Ok(add(tx, "four").await?)).await
        });
        saved.await.unwrap();
        assert_eq!(listed(&scope).await, ["four", "one", "three"]);

        let error = async |text: &'static str| {
            let failing = scope.write::<_, Refused, _>("fail", async |tx| Ok(tx.execute(sql(text)).await?));
            match failing.await.unwrap_err() {
                Refused::Db(error) => error,
                other => panic!("{other}"),
            }
        };
        let check = error("insert into products (name, stock) values ('five', -1)").await;
        assert_eq!(check.constraint(), Some("stock_left"));
        let foreign = error("insert into products (name, parent) values ('five', 'six')").await;
        assert!(matches!(foreign, DbError::Foreign { constraint } if constraint == "parent_is_product"));
        let null = error("insert into products (name) values (null)").await;
        assert!(matches!(null, DbError::NotNull { column } if column == "name"));
        assert!(matches!(error("select pg_sleep(2)").await, DbError::Timeout));
        let held = scope.write::<_, Refused, _>("hold", async |tx| {
            tx.execute(sql("update products set stock = 1 where name = 'one'")).await?;
            assert!(matches!(
                error("update products set stock = 2 where name = 'one'").await,
                DbError::Timeout
            ));
            Ok(())
        });
        held.await.unwrap();
        let none = scope.read::<_, Refused, _>("find", async |tx| {
            let nowhere = products::table.filter(products::name.eq("nowhere")).select(products::stock);
            assert!(matches!(tx.one::<i32>(nowhere).await, Err(DbError::NotFound)));
            let many = products::table.select(products::stock);
            assert!(matches!(tx.optional::<i32>(many).await, Err(DbError::TooManyRows)));
            Ok(names(tx).await?.len())
        });
        assert_eq!(none.await.unwrap(), 3);
    });
}

#[test]
fn a_prologue_that_fails_takes_its_connection_with_it() {
    on_ground(async |ground| {
        let (a, b) = (ground.store(1, "a.test").await, ground.store(1, "b.test").await);
        let stores = ground.tenancy(ground.config()).await;
        let (gone, here) = (stores.scope(a), stores.scope(b));
        assert!(listed(&gone).await.is_empty());
        let role = &gone.entry().role;
        ground.admin.batch_execute(&format!("drop owned by {role}; drop role {role}")).await.unwrap();
        let refused = gone.read::<_, Refused, _>("list", async |tx| Ok(names(tx).await?)).await;
        assert!(matches!(refused, Err(Refused::Tenancy(TenancyError::StoreGone))), "{refused:?}");
        assert!(listed(&here).await.is_empty());
    });
}

#[test]
fn waiting_is_bounded_and_one_store_cannot_take_the_lane() {
    on_ground(async |ground| {
        let (a, b) = (ground.store(1, "a.test").await, ground.store(1, "b.test").await);
        let mut config = ground.config();
        config.acquire_timeout = Duration::from_millis(200);
        config.permits_per_store = Some(1);
        config.connections_per_lane = 2;
        config.max_age = Duration::from_millis(700);
        let stores = ground.tenancy(config).await;
        let (a, b) = (stores.scope(a), stores.scope(b));
        let (held, holding) = tokio::sync::oneshot::channel();
        let scope = a.clone();
        let first = tokio::spawn(async move {
            let hold = scope.write::<_, Refused, _>("hold", async |tx| {
                tx.execute(sql("select 1")).await?;
                held.send(()).unwrap();
                tokio::time::sleep(Duration::from_millis(500)).await;
                Ok(())
            });
            hold.await
        });
        holding.await.unwrap();
        let busy = a.read::<_, Refused, _>("list", async |tx| Ok(names(tx).await?)).await;
        assert!(matches!(busy, Err(Refused::Tenancy(TenancyError::Busy))), "{busy:?}");
        assert!(listed(&b).await.is_empty(), "the lane's other connection is free for another store");
        first.await.unwrap().unwrap();
        let before = backend(&a).await;
        tokio::time::sleep(Duration::from_millis(800)).await;
        assert_ne!(before, backend(&a).await, "an old connection is replaced");
        assert!(stores.tenancy.clock().now() <= a.clock().now());
    });
}

#[test]
fn a_process_starts_without_its_database_and_says_so() {
    on_ground(async |ground| {
        let mut config = ground.config();
        config.database = "postgres://127.0.0.1:1/nowhere".parse().unwrap();
        let directory = Directory::start(&config).await;
        assert!(!directory.health().ready && !directory.health().connected);
        assert!(directory.by_host("a.test").is_none());
        let (_, mint) = Tenancy::start(config.clone(), directory).unwrap();
        assert!(mint.directory().all_live().is_empty());

        let (_, mint) = ControlPool::start(ControlConfig::new(config.database, String::new())).unwrap();
        let away = mint.scope().read::<(), Refused, _>("look", async |_| Ok(())).await;
        assert!(matches!(away, Err(Refused::Tenancy(TenancyError::Db(DbError::Unavailable)))));
    });
}

#[test]
fn the_control_plane_has_the_same_transactions() {
    on_ground(async |ground| {
        let (_, mint) =
            ControlPool::start(ControlConfig::new(ground.database(), ground::CONTROL_PASSWORD.to_owned()))
                .unwrap();
        let scope = mint.scope();
        let note = sql("insert into notes (text) values ($1)").bind::<Text, _>("hello");
        scope.write::<_, Refused, _>("note", async |tx| Ok(tx.execute(note).await?)).await.unwrap();
        let notes = scope.read::<_, Refused, _>("notes", async |tx| {
            assert!(tx.store().uuid().is_nil());
            Ok(tx.load::<Word>(sql("select text as word from notes")).await?.len())
        });
        assert_eq!(notes.await.unwrap(), 1);
    });
}

#[test]
fn a_change_of_a_catalogue_is_heard_and_counted_before_the_writer_is_told() {
    on_ground(async |ground| {
        let (a, b) = (ground.store(1, "a.test").await, ground.store(1, "b.test").await);
        let stores = ground.tenancy(ground.config()).await;
        let (in_a, in_b) = (stores.scope(a), stores.scope(b));
        eventually("catalogues are followed", async || in_a.entry().catalogue_version() > 0).await;
        let version = || (in_a.entry().catalogue_version(), in_b.entry().catalogue_version());

        let before = version();
        let refused = in_a.write::<(), _, _>("change", async |tx| {
            tx.catalogue_changed();
            Err(Refused::ChangedMind)
        });
        assert!(matches!(refused.await, Err(Refused::ChangedMind)));
        assert_eq!(version(), before, "what was rolled back changed nothing");
        let change = async |tx: &mut WriteTx<'_>| {
            tx.catalogue_changed();
            Ok::<_, Refused>(())
        };
        in_a.write("change", change).await.unwrap();
        assert_eq!(version(), (before.0 + 1, before.1), "known as soon as the writer knows it is done");

        let text = format!("select pg_notify('catalogue', '{}')", b.uuid());
        ground.admin.batch_execute(&text).await.unwrap();
        eventually("another process's change is heard", async || version().1 > before.1).await;
        assert_eq!(version().0, before.0 + 1, "of that store only");
    });
}

#[test]
fn what_finds_its_rows_by_keys_is_planned_once() {
    on_ground(async |ground| {
        let store = ground.store(1, "a.test").await;
        let stores = ground.tenancy(ground.config()).await;
        let store = stores.scope(store);
        const MODE: &str = "select current_setting('plan_cache_mode') as word";
        let look_up =
            store.look_up::<_, Refused, _>("mode", async |tx| Ok(tx.one::<Word>(sql(MODE)).await?.word));
        assert_eq!(look_up.await.unwrap(), "force_generic_plan");
        let write =
            store.write::<_, Refused, _>("mode", async |tx| Ok(tx.one::<Word>(sql(MODE)).await?.word));
        assert_eq!(write.await.unwrap(), "force_generic_plan");
        // On the same connection, and it stays with the transaction.
        let read = store.read::<_, Refused, _>("mode", async |tx| Ok(tx.one::<Word>(sql(MODE)).await?.word));
        assert_eq!(read.await.unwrap(), "auto");
    });
}
