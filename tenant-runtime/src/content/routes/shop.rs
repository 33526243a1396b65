//! What shoppers read. Kept in memory by address, as the catalogue is.

use actix_web::{HttpRequest, HttpResponse, Responder as _, get, web};
use serde::Deserialize;
use souk_access::Permit;
use souk_api::{CursorKey, Page, Paging, PagingOnly, Path, Problem, Query, ReadCache};
use souk_kernel::{Locale, PageId};
use souk_tenancy::ReadTx;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::catalog::edition;
use crate::catalog::permissions::Browse;
use crate::content::actions::{menus, pages, policies};
use crate::content::error::ContentError;
use crate::content::model::{
    InLocale, PageStatus, PageSummary, PolicyKind, ShopMenuView, ShopPageView, ShopPolicyView,
};
use crate::content::queries;

pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(all_pages).service(one_page).service(one_menu).service(all_policies).service(one_policy);
}

/// The pages that are published, latest first, without their texts.
#[utoipa::path(
    tag = "Shop", operation_id = "shop_pages", params(Paging),
    responses((status = 200, description = "One page of them", body = Page<PageSummary>))
)]
#[get("/store/v1/pages")]
async fn all_pages(
    permit: Permit<Browse>,
    paging: PagingOnly,
    key: web::Data<CursorKey>,
    (cache, req): (web::Data<ReadCache>, HttpRequest),
) -> Result<HttpResponse, Problem> {
    let make = async {
        let scope = format!("shop-pages:{}", permit.store());
        let before = paging.position::<PageId>(&key, &scope)?;
        let limit = paging.fetch();
        let load = async move |tx: &mut ReadTx<'_>| {
            let published = Some(PageStatus::Published);
            Ok::<_, ContentError>(queries::pages::list(tx, published, before, limit).await?)
        };
        let found = permit.read("shop.pages", load).await?;
        Ok(Page::cut(found, &paging, &key, &scope, |page| page.id)?.respond_to(&req))
    };
    cache.serve(&req, edition(&permit), make).await
}

/// A published page, by its id or its handle, also one it had before.
#[utoipa::path(
    tag = "Shop", operation_id = "shop_page", params(("page" = String, Path), InLocale),
    responses((status = 200, description = "It", body = ShopPageView), (status = 404, body = Problem))
)]
#[get("/store/v1/pages/{page}")]
async fn one_page(
    permit: Permit<Browse>,
    page: Path<String>,
    language: Query<InLocale>,
    (cache, req): (web::Data<ReadCache>, HttpRequest),
) -> Result<HttpResponse, Problem> {
    let make = async {
        let (wanted, locale) = (page.as_str(), language.locale.as_ref());
        let find = async move |tx: &mut ReadTx<'_>| pages::show_published(tx, wanted, locale).await;
        Ok(HttpResponse::Ok().json(permit.look_up("shop.page", find).await?))
    };
    cache.serve(&req, edition(&permit), make).await
}

/// A menu, by its id or its handle: what of it leads somewhere for shoppers.
#[utoipa::path(
    tag = "Shop", operation_id = "shop_menu", params(("menu" = String, Path), InLocale),
    responses((status = 200, description = "It", body = ShopMenuView), (status = 404, body = Problem))
)]
#[get("/store/v1/menus/{menu}")]
async fn one_menu(
    permit: Permit<Browse>,
    menu: Path<String>,
    language: Query<InLocale>,
    (cache, req): (web::Data<ReadCache>, HttpRequest),
) -> Result<HttpResponse, Problem> {
    let make = async {
        let (wanted, locale, channel) = (menu.as_str(), language.locale.as_ref(), permit.channel());
        let find = async move |tx: &mut ReadTx<'_>| menus::show_open(tx, wanted, locale, channel).await;
        Ok(HttpResponse::Ok().json(permit.look_up("shop.menu", find).await?))
    };
    cache.serve(&req, edition(&permit), make).await
}

/// The policies in force.
#[utoipa::path(
    tag = "Shop", operation_id = "shop_policies", params(InLocale),
    responses((status = 200, description = "At most one of each kind", body = Page<ShopPolicyView>))
)]
#[get("/store/v1/policies")]
async fn all_policies(
    permit: Permit<Browse>,
    language: Query<InLocale>,
    (cache, req): (web::Data<ReadCache>, HttpRequest),
) -> Result<HttpResponse, Problem> {
    let make = async {
        let locale = language.locale.as_ref();
        let load = async move |tx: &mut ReadTx<'_>| policies::open(tx, locale).await;
        Ok(Page::whole(permit.look_up("shop.policies", load).await?).respond_to(&req))
    };
    cache.serve(&req, edition(&permit), make).await
}

/// Which version, in which language.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// As an order or a consent names it; the one in force when left out.
    #[param(minimum = 1)]
    version: Option<i32>,
    /// A BCP 47 tag. Without a text in it, one in its language; without that, the shop's own.
    #[param(value_type = Option<String>, example = "de-CH")]
    locale: Option<Locale>,
}

/// A policy: the version in force, or one that somebody agreed to earlier.
#[utoipa::path(
    tag = "Shop", operation_id = "shop_policy", params(("policy" = PolicyKind, Path), Wanted),
    responses((status = 200, description = "It", body = ShopPolicyView), (status = 404, body = Problem))
)]
#[get("/store/v1/policies/{policy}")]
async fn one_policy(
    permit: Permit<Browse>,
    kind: Path<PolicyKind>,
    wanted: Query<Wanted>,
    (cache, req): (web::Data<ReadCache>, HttpRequest),
) -> Result<HttpResponse, Problem> {
    let make = async {
        let (kind, number, locale) = (*kind, wanted.version, wanted.locale.as_ref());
        let find = async move |tx: &mut ReadTx<'_>| policies::show_open(tx, kind, number, locale).await;
        Ok(HttpResponse::Ok().json(permit.look_up("shop.policy", find).await?))
    };
    cache.serve(&req, edition(&permit), make).await
}
