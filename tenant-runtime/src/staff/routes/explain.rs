//! Why somebody may, or may not.

use actix_web::{get, web};
use souk_access::{Gate, Grant, Permit};
use souk_api::{Json, Problem, Query};
use souk_tenancy::ReadTx;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::staff::actions;
use crate::staff::error::StaffError;
use crate::staff::model::{ExplainQuery, Explanation, stands_for};
use crate::staff::permissions::View;

pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(explain);
}

/// Which rule decides
///
/// The answer is the policy's own, asked for these grants; the rules are those that stand for the action.
#[utoipa::path(tag = "Staff", operation_id = "permissions_explain", params(ExplainQuery), responses(
    (status = 200, body = Explanation), (status = 404, body = Problem), (status = 422, body = Problem)))]
#[get("/admin/v1/permissions/explain")]
async fn explain(
    permit: Permit<View>,
    gate: web::Data<Gate>,
    query: Query<ExplainQuery>,
) -> Result<Json<Explanation>, Problem> {
    let ExplainQuery { actor, action } = query.into_inner();
    let policy = gate.policy();
    let key = policy.catalogue().keys().iter().copied().find(|key| key.to_string() == action);
    let key = key.ok_or_else(|| StaffError::ScopeUnknown(action.clone()))?;
    let asked = actor.clone();
    let look = async move |tx: &mut ReadTx<'_>| actions::grants_of_actor(tx, &asked).await;
    let (source, grants) = permit.read("staff.explain", look).await?.ok_or(StaffError::Unknown)?;
    let built_in = source.strip_prefix("built-in role ").and_then(|role| policy.built_in(role));
    let allowed = match built_in {
        Some(set) => policy.allows(&set, key),
        None => {
            let read: Vec<Grant> = grants.iter().filter_map(|text| text.parse().ok()).collect();
            let set = policy
                .compile(&read)
                .await
                .map_err(|error| Problem::new(&souk_api::problem::INTERNAL).source(error))?;
            policy.allows(&set, key)
        }
    };
    let mut rules: Vec<String> = grants.into_iter().filter(|grant| stands_for(grant, key)).collect();
    if rules.is_empty() && allowed {
        rules.push(action.clone());
    }
    let because = if allowed {
        format!("{source} holds {}", rules.join(", "))
    } else {
        format!("no grant of {source} stands for {action}; what is not granted is refused")
    };
    Ok(Json::new(Explanation { allowed, actor, action, source, rules, because }))
}
