//! Who the pods are: nobody. No token is mounted, so they cannot speak to the API server.

use serde_json::json;
use souk_provisioner::StoreRecord;

use super::{Child, resource};
use crate::store::validate::Wish;

pub fn build(wish: &Wish, record: &StoreRecord) -> Child {
    let object = json!({ "automountServiceAccountToken": false });
    Child::new(resource("", "v1", "ServiceAccount", "serviceaccounts"), &wish.name, wish, record, object)
}
