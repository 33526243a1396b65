//! What we do in the cluster. Nothing is ever forced unless a person asked for it.

use futures_util::Stream;
use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, Preconditions};
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Client, ResourceExt as _};
use serde_json::json;
use souk_kernel::OrganizationId;
use souk_store_resource::{ORGANIZATION, Store};

use super::error::ClusterError;
use super::model::{Place, Wish, is_as_wanted};

/// The name under which our fields are ours.
const MANAGER: &str = "souk-control-plane";

/// A connection to the cluster; cheap to clone.
#[derive(Clone)]
pub struct Cluster {
    client: Client,
}

impl Cluster {
    /// As `KUBECONFIG` says, or as the pod we are in. Nothing is asked of the cluster yet.
    ///
    /// # Errors
    /// When there is neither.
    pub async fn connect() -> Result<Self, kube::Error> {
        Ok(Self { client: Client::try_default().await? })
    }

    fn stores(&self, namespace: &str) -> Api<Store> {
        Api::namespaced(self.client.clone(), namespace)
    }

    pub async fn find(&self, place: &Place) -> Result<Option<Store>, ClusterError> {
        Ok(self.stores(&place.namespace).get_opt(&place.name).await?)
    }

    /// Makes the object as wished, and writes nothing when it is so already. `live` is what was found there: with it, an
    /// object that went away meanwhile is [`ClusterError::Gone`] and is not made anew.
    ///
    /// # Errors
    /// [`ClusterError::Conflict`] when others own a field with another value; with `force` it becomes ours.
    pub async fn apply(
        &self,
        place: &Place,
        wish: &Wish<'_>,
        live: Option<Store>,
        force: bool,
    ) -> Result<Store, ClusterError> {
        let wanted = wish.object(place, live.as_ref());
        if let Some(live) = live.filter(|live| !force && is_as_wanted(live, &wanted)) {
            return Ok(live);
        }
        let how = PatchParams { force, ..PatchParams::apply(MANAGER) };
        Ok(self.stores(&place.namespace).patch(&place.name, &how, &Patch::Apply(&wanted)).await?)
    }

    /// Asks for the object's end; whether it was still there. Its operator settles its data first.
    pub async fn delete(&self, place: &Place, uid: &str) -> Result<bool, ClusterError> {
        let only_this = Preconditions { uid: Some(uid.to_owned()), resource_version: None };
        let how = DeleteParams { preconditions: Some(only_this), ..DeleteParams::default() };
        match self.stores(&place.namespace).delete(&place.name, &how).await.map_err(ClusterError::from) {
            Ok(_) => Ok(true),
            Err(ClusterError::Gone) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The object as wished, whoever else had a say: their claims on our fields end, their other fields stay theirs.
    pub async fn take(&self, place: &Place, wish: &Wish<'_>, live: Store) -> Result<Store, ClusterError> {
        let wanted = wish.object(place, Some(&live));
        let ours = wanted["spec"].as_object();
        let names: Vec<String> =
            ours.into_iter().flat_map(|spec| spec.keys()).map(|name| format!("f:{name}")).collect();
        let mut claims = live.managed_fields().to_vec();
        for claim in claims.iter_mut().filter(|claim| claim.manager.as_deref() != Some(MANAGER)) {
            let fields = claim.fields_v1.as_mut().and_then(|fields| fields.0.get_mut("f:spec"));
            if let Some(fields) = fields.and_then(serde_json::Value::as_object_mut) {
                fields.retain(|name, _| !names.contains(name));
            }
        }
        if claims != live.managed_fields() {
            self.claims(&live, &claims).await?;
        }
        self.apply(place, wish, Some(live), true).await
    }

    /// Rewrites who owns what; the version makes sure that nobody's newer claim is written over.
    async fn claims(&self, store: &Store, claims: &[ManagedFieldsEntry]) -> Result<(), ClusterError> {
        let change = json!({ "metadata": {
            "managedFields": claims,
            "resourceVersion": store.resource_version(),
        }});
        let api = self.stores(&store.namespace().unwrap_or_default());
        api.patch(&store.name_any(), &PatchParams::default(), &Patch::Merge(change)).await?;
        Ok(())
    }

    /// Our fields become nobody's and keep their values: whoever applies the object next gets them without a conflict.
    pub async fn let_go(&self, store: &Store) -> Result<(), ClusterError> {
        let mut claims = store.managed_fields().to_vec();
        claims.retain(|claim| claim.manager.as_deref() != Some(MANAGER));
        if claims.len() == store.managed_fields().len() {
            return Ok(());
        }
        self.claims(store, &claims).await
    }

    /// Whose stores a namespace holds: a label that only the cluster's administrators set.
    pub async fn organization_of(&self, namespace: &str) -> Result<Option<OrganizationId>, ClusterError> {
        let namespaces: Api<Namespace> = Api::all(self.client.clone());
        let found = namespaces.get_opt(namespace).await?;
        let label = found.as_ref().and_then(|it| it.labels().get(ORGANIZATION));
        Ok(label.and_then(|text| OrganizationId::parse(text).ok()))
    }

    /// Everything that happens to Stores anywhere in the cluster, from all there are now on.
    pub fn watch(&self) -> impl Stream<Item = Result<Event<Store>, watcher::Error>> + use<> {
        watcher(Api::all(self.client.clone()), watcher::Config::default())
    }

    /// All there are now.
    pub async fn all(&self) -> Result<Vec<Store>, ClusterError> {
        let stores: Api<Store> = Api::all(self.client.clone());
        Ok(stores.list(&ListParams::default()).await?.items)
    }
}

/// The organization that our own label on an object names.
pub fn labelled(store: &Store) -> Option<OrganizationId> {
    let label: Option<&String> = store.labels().get(ORGANIZATION);
    label.and_then(|text| OrganizationId::parse(text).ok())
}
