//! A database is prepared once or many times, by one or by several at once, by a superuser or by a lesser admin.
use souk_provisioner::test_support::{TestDatabase, admin_url, test_request, test_secrets};
use souk_provisioner::{Bootstrap, Provisioner, ProvisionerConfig};
use tokio_postgres::NoTls;

#[tokio::test]
async fn repeating_it_changes_nothing_and_two_at_once_agree() {
    let database = TestDatabase::fresh().await;
    assert!(database.report.created_database && database.report.platform_version >= 1);
    let again = Bootstrap {
        admin_url: admin_url(),
        database: database.name.clone(),
        secrets: test_secrets(),
        lanes: database.lanes,
    };
    let (left, right) = tokio::join!(again.run(), again.run());
    for report in [left.unwrap(), right.unwrap()] {
        assert!(!report.created_database);
        assert_eq!(report.platform_version, database.report.platform_version);
        assert_eq!(report.missing_walls, database.report.missing_walls);
    }
    database.remove().await;
}

#[tokio::test]
async fn a_strange_database_name_is_refused() {
    for name in ["", "pg-x", "Public", "a b", "x;drop", "1a", &"a".repeat(64)] {
        let bootstrap =
            Bootstrap { admin_url: admin_url(), database: name.into(), secrets: test_secrets(), lanes: 1 };
        assert!(bootstrap.run().await.is_err(), "{name:?}");
    }
}

/// A login with CREATEROLE and CREATEDB installs everything but the revokes on built-in functions, and says which are missing.
#[tokio::test]
async fn an_admin_that_is_no_superuser_is_told_what_it_could_not_do() {
    // Makes sure the logins exist, as on a server where Souk is already installed.
    let other = TestDatabase::get().await;
    let (name, admin) = (format!("{}_plain", other.name), format!("{}_admin", other.name));
    let logins: Vec<String> = (1..=other.lanes).map(souk_provisioner::lane_role).collect();
    let logins = format!("provisioner, control_plane, relay, runtime_directory, {}", logins.join(", "));
    let (client, connection) = tokio_postgres::connect(&admin_url(), NoTls).await.unwrap();
    tokio::spawn(connection);
    client
        .batch_execute(&format!(
            "CREATE ROLE {admin} LOGIN CREATEROLE CREATEDB PASSWORD 'plain'; GRANT {logins} TO {admin} WITH ADMIN OPTION;"
        ))
        .await
        .unwrap();

    let mut url = admin_url();
    let at = url.find("@").unwrap();
    url.replace_range("postgres://".len()..at, &format!("{admin}:plain"));
    let bootstrap = Bootstrap { admin_url: url, database: name.clone(), secrets: test_secrets(), lanes: 8 };
    let report = bootstrap.run().await.unwrap();
    assert!(report.created_database);
    assert!(report.missing_walls.iter().any(|wall| wall.starts_with("function set_config")), "{report:?}");
    assert!(report.missing_walls.iter().any(|wall| wall == "language plpgsql"));
    bootstrap.run().await.unwrap();

    // A store can still be had; the self-check names what is weaker.
    let at_database = other.url.replace(&other.name, &name);
    let config = ProvisionerConfig::new(at_database, test_secrets().provisioner).unwrap();
    let provisioner = Provisioner::connect(config).await.unwrap();
    let store = provisioner.claim(&test_request(souk_kernel::Country::DE)).await.unwrap();
    let seen = provisioner.verify(store.store_id).await.unwrap();
    assert!(!seen.is_sound() && !seen.missing_walls.is_empty());
    let failed: Vec<_> = seen.checks.iter().filter(|check| !check.passed).map(|check| check.name).collect();
    assert!(
        failed.contains(&"becomes another role") && !failed.contains(&"reads another schema"),
        "{failed:?}"
    );

    drop(provisioner);
    client.batch_execute(&format!("DROP DATABASE {name} WITH (FORCE)")).await.unwrap();
    client.batch_execute(&format!("DROP ROLE IF EXISTS {}", store.record.role)).await.unwrap();
    // In 16 and newer the admin's own grants depend on it.
    client.batch_execute(&format!("DROP OWNED BY {admin}; DROP ROLE {admin}")).await.unwrap();
}
