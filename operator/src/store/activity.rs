//! Somebody asks for a store whose pods sleep: its pass is wanted now. The runtimes note requests in the database; one query a second
//! hears of them, however many stores sleep, and none while no store does.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures::{Stream, StreamExt as _, stream};
use kube::ResourceExt as _;
use kube::runtime::reflector::{ObjectRef, Store as Cache};
use souk_store_resource::{ConditionType, Reason, Store};

use crate::controller::Operator;
use crate::store::database::OWNER_KIND;

const EVERY: Duration = Duration::from_secs(1);

/// The stores that somebody asked for while they slept or were about to. It may name one twice, and loses none for good: the next pass
/// over a store looks itself.
pub fn woken(
    operator: Arc<Operator>,
    known: Cache<Store>,
) -> impl Stream<Item = ObjectRef<Store>> + Send + 'static {
    stream::unfold((operator, known, None), |(operator, known, since)| async move {
        tokio::time::sleep(EVERY).await;
        let asleep = asleep(&known);
        if asleep.is_empty() {
            return Some((stream::iter(Vec::new()), (operator, known, None)));
        }
        let (found, since): (Vec<ObjectRef<Store>>, _) = match operator
            .provisioner
            .asked_since(OWNER_KIND, since)
            .await
        {
            Ok(asked) => {
                let found = asked.owners.iter().filter_map(|owner| asleep.get(owner).cloned()).collect();
                (found, asked.until)
            }
            Err(error) => {
                tracing::debug!(%error, "who was asked for could not be looked up; tried again in a second");
                (Vec::new(), since)
            }
        };
        Some((stream::iter(found), (operator, known, since)))
    })
    .flatten()
}

/// Those that a request would wake, by the uid that the ledger knows them by.
fn asleep(known: &Cache<Store>) -> HashMap<String, ObjectRef<Store>> {
    let all = known.state();
    let sleepy = all.iter().filter(|store| {
        let status = store.status.as_ref();
        let condition = status.and_then(|status| status.condition(ConditionType::Hibernated));
        condition.is_some_and(|it| {
            [Reason::Hibernated, Reason::FallingAsleep].iter().any(|reason| reason.as_str() == it.reason)
        })
    });
    sleepy.map(|store| (store.uid().unwrap_or_default(), ObjectRef::from_obj(&**store))).collect()
}
