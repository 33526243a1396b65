//! News of routes: a Gateway takes them, people change them. And of the Gateway API itself, which may be installed, or go, at any time.

use std::sync::Arc;
use std::time::Duration;

use futures::stream::BoxStream;
use futures::{Stream, StreamExt as _, stream};
use kube::api::DynamicObject;
use kube::runtime::WatchStreamExt as _;
use kube::runtime::reflector::{ObjectRef, Store as Cache};
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, ResourceExt as _};
use souk_store_resource::Store;

use crate::controller::Operator;
use crate::store::{MANAGER, build, dereference};

/// How often a cluster without the Gateway API is asked whether it has it now.
const EVERY: Duration = Duration::from_secs(5);

/// The stores for which it is news: those whose route changed, and all of them when the Gateway API came or went. Without a Gateway in
/// the settings there is none.
pub fn routed(
    operator: Arc<Operator>,
    known: Cache<Store>,
) -> impl Stream<Item = ObjectRef<Store>> + Send + 'static {
    let watch = Watch { operator, known, routes: None, looked: false };
    stream::unfold(watch, |mut watch| async move {
        let news = watch.news().await;
        Some((stream::iter(news), watch))
    })
    .flatten()
}

struct Watch {
    operator: Arc<Operator>,
    known: Cache<Store>,
    /// As long as the cluster knows of routes.
    routes: Option<BoxStream<'static, Result<Event<DynamicObject>, watcher::Error>>>,
    /// Whether the cluster was asked before. Whoever has just started looks at every store without being told.
    looked: bool,
}

impl Watch {
    /// Waits for some; it may be nobody's.
    async fn news(&mut self) -> Vec<ObjectRef<Store>> {
        if self.operator.config.runtime.gateway.is_none() {
            return std::future::pending().await;
        }
        let Some(routes) = &mut self.routes else { return self.arrival().await };
        match routes.next().await {
            Some(Ok(Event::Apply(route) | Event::InitApply(route) | Event::Delete(route))) => owners(&route),
            Some(Ok(Event::Init | Event::InitDone)) => Vec::new(),
            Some(Err(error)) if !is_unknown(&error) => {
                tracing::debug!(%error, "routes could not be watched; tried again");
                Vec::new()
            }
            Some(Err(_)) | None => {
                self.routes = None;
                self.all()
            }
        }
    }

    /// Everybody, once the cluster has the Gateway API.
    async fn arrival(&mut self) -> Vec<ObjectRef<Store>> {
        let first = !std::mem::replace(&mut self.looked, true);
        if !first {
            tokio::time::sleep(EVERY).await;
        }
        if !dereference::abilities(&self.operator).await.is_ok_and(|abilities| abilities.gateway_api) {
            return Vec::new();
        }
        self.routes = Some(watched(&self.operator));
        if first { Vec::new() } else { self.all() }
    }

    fn all(&self) -> Vec<ObjectRef<Store>> {
        self.known.state().iter().map(|store| ObjectRef::from_obj(&**store)).collect()
    }
}

fn watched(operator: &Operator) -> BoxStream<'static, Result<Event<DynamicObject>, watcher::Error>> {
    let resource = build::http_route_resource();
    let client = operator.client.clone();
    let api: Api<DynamicObject> = match &operator.config.watch_namespace {
        Some(namespace) => Api::namespaced_with(client, namespace, &resource),
        None => Api::all_with(client, &resource),
    };
    let ours = watcher::Config::default().labels(&format!("app.kubernetes.io/managed-by={MANAGER}"));
    watcher(api, ours).default_backoff().boxed()
}

fn owners(route: &DynamicObject) -> Vec<ObjectRef<Store>> {
    let namespace = route.namespace();
    let references = route.owner_references().iter();
    references.filter_map(|owner| ObjectRef::from_owner_ref(namespace.as_deref(), owner, ())).collect()
}

/// The cluster has no such kind any more.
fn is_unknown(error: &watcher::Error) -> bool {
    use watcher::Error as E;
    matches!(
        error,
        E::InitialListFailed(kube::Error::Api(status)) | E::WatchStartFailed(kube::Error::Api(status)) if status.code == 404
    )
}
