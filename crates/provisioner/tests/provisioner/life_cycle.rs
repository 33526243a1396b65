//! Suspended, renamed, deleted, restored, purged; and whoever slept too long is refused.
use souk_kernel::Country;
use souk_provisioner::test_support::{TestDatabase, test_request};
use souk_provisioner::{ProvisionError, State};

#[tokio::test]
async fn orders_are_idempotent_and_fenced() {
    let database = TestDatabase::get().await;
    let provisioner = database.provisioner().await;
    let store = provisioner.claim(&test_request(Country::DE)).await.unwrap().store_id;
    assert_eq!(provisioner.suspend(store, 3).await.unwrap().state, State::Suspended);
    assert_eq!(provisioner.suspend(store, 3).await.unwrap().state, State::Suspended);
    assert!(matches!(
        provisioner.resume(store, 2).await,
        Err(ProvisionError::Stale { given: 2, recorded: 3 })
    ));
    assert_eq!(provisioner.resume(store, 4).await.unwrap().state, State::Live);
    let renamed = provisioner.rename(store, 4, "fine-shoes", "Fine shoes").await.unwrap();
    assert_eq!((renamed.handle.as_str(), renamed.name.as_str()), ("fine-shoes", "Fine shoes"));
    assert!(matches!(provisioner.purge(store, 9).await, Err(ProvisionError::WrongState { .. })));
    assert!(matches!(
        provisioner.restore(souk_kernel::StoreId::new(), 1).await,
        Err(ProvisionError::Unknown(_))
    ));
}

#[tokio::test]
async fn hosts_belong_to_one_store_and_are_free_after_the_purge() {
    let database = TestDatabase::get().await;
    let provisioner = database.provisioner().await;
    let one = provisioner.claim(&test_request(Country::DE)).await.unwrap();
    let two = provisioner.claim(&test_request(Country::DE)).await.unwrap().store_id;
    let hosts = vec![one.record.hosts[0].clone(), format!("www.{}", one.record.hosts[0])];
    provisioner.set_hosts(one.store_id, 1, hosts.clone()).await.unwrap();
    assert!(matches!(provisioner.set_hosts(two, 1, hosts.clone()).await, Err(ProvisionError::HostTaken(_))));
    // Swapping one away frees it at once.
    provisioner.set_hosts(one.store_id, 1, hosts[..1].to_vec()).await.unwrap();
    provisioner.set_hosts(two, 1, hosts[1..].to_vec()).await.unwrap();

    let later = "2999-01-01T00:00:00Z".parse().unwrap();
    let before = "2001-01-01T00:00:00Z".parse().unwrap();
    provisioner.mark_deleting(one.store_id, 2, later).await.unwrap();
    assert!(matches!(provisioner.set_hosts(two, 2, hosts.clone()).await, Err(ProvisionError::HostTaken(_))));
    assert!(matches!(provisioner.purge(one.store_id, 2).await, Err(ProvisionError::WrongState { .. })));
    assert_eq!(provisioner.restore(one.store_id, 3).await.unwrap().state, State::Live);
    provisioner.mark_deleting(one.store_id, 4, before).await.unwrap();
    assert_eq!(provisioner.purge(one.store_id, 4).await.unwrap().state, State::Deleted);
    assert_eq!(provisioner.purge(one.store_id, 4).await.unwrap().state, State::Deleted);
    provisioner.set_hosts(two, 3, hosts).await.unwrap();

    let client = database.login("provisioner", &database.secrets.provisioner).await.unwrap();
    let left = client
        .query_one(
            "SELECT (SELECT count(*) FROM pg_namespace WHERE nspname = $1) + (SELECT count(*) FROM pg_roles WHERE rolname = $2)",
            &[&one.record.schema, &one.record.role],
        )
        .await
        .unwrap();
    assert_eq!(left.get::<_, i64>(0), 0);
    // The owner's reference is spent: the name may be used again by another owner, the data never comes back.
    let mut again = test_request(Country::DE);
    again.owner = one.record.owner.unwrap();
    assert!(matches!(provisioner.claim(&again).await, Err(ProvisionError::Gone { .. })));
}

#[tokio::test]
async fn runtimes_hear_of_a_change() {
    let database = TestDatabase::get().await;
    let provisioner = database.provisioner().await;
    let store = provisioner.claim(&test_request(Country::DE)).await.unwrap().store_id;
    let password =
        souk_provisioner::lane_password(&database.secrets.lane_secret, souk_provisioner::DIRECTORY);
    let mut config: tokio_postgres::Config = database.url.parse().unwrap();
    config.user(souk_provisioner::DIRECTORY).password(&password);
    let (client, mut connection) = config.connect(tokio_postgres::NoTls).await.unwrap();
    let (tell, mut heard) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        let messages = futures_util::stream::poll_fn(move |context| connection.poll_message(context));
        futures_util::pin_mut!(messages);
        use futures_util::StreamExt as _;
        while let Some(Ok(message)) = messages.next().await {
            if let tokio_postgres::AsyncMessage::Notification(note) = message {
                let _ = tell.send(note.payload().to_owned());
            }
        }
    });
    client.batch_execute("LISTEN store_ledger").await.unwrap();
    provisioner.suspend(store, 1).await.unwrap();
    let wanted = store.uuid().to_string();
    let hear = async {
        while let Some(payload) = heard.recv().await {
            if payload == wanted {
                return true;
            }
        }
        false
    };
    assert!(tokio::time::timeout(std::time::Duration::from_secs(5), hear).await.unwrap());
}
