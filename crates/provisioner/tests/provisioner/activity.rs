//! Who was asked for something lately: noted by whoever may, counted by the database's clock.
use std::time::Duration;

use souk_kernel::{Country, StoreId};
use souk_provisioner::test_support::{TestDatabase, test_request};
use souk_provisioner::{DIRECTORY, lane_password, lane_role};

const MINUTE: Duration = Duration::from_secs(60);
const NOTE: &str = "SELECT platform.note_activity($1)";

#[tokio::test]
async fn a_store_is_idle_since_somebody_asked() {
    let database = TestDatabase::get().await;
    let provisioner = database.provisioner().await;
    let own = provisioner.claim(&test_request(Country::DE)).await.unwrap().record;
    let other = provisioner.claim(&test_request(Country::DE)).await.unwrap().record;
    let ids = [own.store_id, other.store_id].map(|id: StoreId| id.uuid());
    let idle = async || {
        let [first, second] = [own.store_id, other.store_id];
        let idle = (provisioner.idle_for(first).await.unwrap(), provisioner.idle_for(second).await.unwrap());
        (idle.0 > MINUTE, idle.1 > MINUTE)
    };
    let age = async || {
        let [first, second] = ids;
        let sql = format!(
            "UPDATE platform.store_activity SET last_request_at = now() - interval '1 hour'
             WHERE store_id IN ('{first}', '{second}')"
        );
        database.admin(&sql).await;
    };
    // Looked at for the first time, it is counted from then on.
    assert_eq!(idle().await, (false, false));
    age().await;
    assert_eq!(idle().await, (true, true));

    // A login of a store's own pods speaks of its own store, whatever it says.
    let issued = provisioner.issue_login(own.store_id, 5).await.unwrap();
    let pod = database.login(&issued.user, &issued.password).await.unwrap();
    pod.execute(NOTE, &[&ids.to_vec()]).await.unwrap();
    assert_eq!(idle().await, (false, true));

    // A lane's login, and the store role in it, of none.
    age().await;
    let lane = lane_role(own.lane);
    let lane = database.login(&lane, &lane_password(&database.secrets.lane_secret, &lane)).await.unwrap();
    lane.execute(NOTE, &[&ids.to_vec()]).await.unwrap();
    lane.batch_execute(&format!("BEGIN; SET LOCAL ROLE {}", own.role)).await.unwrap();
    lane.execute(NOTE, &[&ids.to_vec()]).await.unwrap();
    lane.batch_execute("COMMIT").await.unwrap();
    assert_eq!(idle().await, (true, true));

    // The shared runtime of all of them; and whoever waits for that hears who it was.
    let password = lane_password(&database.secrets.lane_secret, DIRECTORY);
    let shared = database.login(DIRECTORY, &password).await.unwrap();
    shared.execute(NOTE, &[&ids.to_vec()]).await.unwrap();
    assert_eq!(idle().await, (false, false));
    let owner = own.owner.clone().unwrap();
    let asked = provisioner.asked_since(&owner.kind, None).await.unwrap();
    for record in [&own, &other] {
        assert!(asked.owners.contains(&record.owner.as_ref().unwrap().reference));
    }
    let later = asked.until.unwrap() + chrono::Duration::minutes(1);
    let none = provisioner.asked_since(&owner.kind, Some(later)).await.unwrap();
    assert_eq!((none.owners, none.until), (Vec::new(), Some(later)));
    assert_eq!(provisioner.asked_since("nobody's", None).await.unwrap().owners, Vec::<String>::new());

    // Nobody turns the clock back by noting.
    let table = "UPDATE platform.store_activity SET last_request_at = now()";
    assert!(pod.batch_execute(table).await.is_err());
    assert!(lane.batch_execute(table).await.is_err());
}
