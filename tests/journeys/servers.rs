//! `souk db`: a server for tests, apart from `souk up`.

use souk_tests::platform::Platform;
use tokio_postgres::NoTls;

use crate::turn;

/// Where it is, once it runs.
fn started(platform: &Platform, folder: &str) -> String {
    let said = platform.souk(&["db", "start", "--careless", "--dir", folder]);
    said.lines().last().expect("an address").to_owned()
}

/// Makes these databases; the names of all there are.
fn databases(address: &str, new: &[&str]) -> Vec<String> {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(address, NoTls).await.expect("it answers");
        tokio::spawn(connection);
        for name in new {
            client.batch_execute(&format!("CREATE DATABASE {name}")).await.expect("a database");
        }
        let all = "SELECT datname::text FROM pg_database WHERE NOT datistemplate ORDER BY datname";
        let rows = client.query(all, &[]).await.expect("rows");
        rows.iter().map(|row| row.get(0)).collect()
    })
}

#[test]
fn a_server_of_tests_drops_what_they_left_and_goes_without_a_trace() {
    let _turn = turn();
    let platform = Platform::new("servers");
    let folder = platform.home().join("server");
    let dir = folder.to_str().expect("UTF-8");
    let address = started(&platform, dir);
    let all = ["postgres", "souk_ground_1", "souk_test_1_2_3", "soukalike"];
    assert_eq!(databases(&address, &all[1..]), all);
    assert_eq!(started(&platform, dir), address);
    assert_eq!(databases(&address, &[]), all, "where it runs already, somebody may be at work");
    platform.souk(&["db", "stop", "--dir", dir]);
    assert_eq!(started(&platform, dir), address, "it is where it was");
    assert_eq!(databases(&address, &[]), ["postgres", "soukalike"]);
    platform.souk(&["db", "remove", "--dir", dir]);
    assert!(!folder.exists());
    let url = platform.command(&["db", "url", "--dir", dir]).output().expect("souk runs");
    assert!(!url.status.success(), "nothing runs there");
}
