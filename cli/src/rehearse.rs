//! `souk rehearse`: a sale from end to end, through the public API and nothing else. The chart's test runs it inside the cluster.

use crate::api::{Api, finished, signed_in, text};
use crate::options::Rehearse;
use crate::{outlook, random};
use anyhow::{Context, ensure};
use serde_json::{Value, json};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use url::{Host, Url};

const PRICE: i64 = 1_490;
const STOCK: i64 = 3;
const BOUGHT: i64 = 2;

/// Somebody signs up and opens a store, puts something into it, and somebody else buys two of it. Then the store is deleted; its data
/// stays as long as that of every deleted store. Each run has a person and a store of its own, so runs may overlap.
///
/// # Errors
/// What was refused, or is not as it should be after a sale. What was made until then stays, to be looked at.
pub async fn rehearse(wish: &Rehearse) -> anyhow::Result<ExitCode> {
    let patience = Duration::from_secs(wish.patience);
    let run: String = random::password()?.chars().take(12).collect();
    let began = Instant::now();
    let email = format!("rehearsal-{run}@{}", wish.mail_domain);
    let control = address(&wish.control)?;
    let owner = signed_in(&control, "Rehearsal", &email, &random::password()?).await?;
    outlook::done(&format!("signed up as {email}"), began);

    let began = Instant::now();
    let opened = open(&owner, &run, patience).await?;
    outlook::done(&format!("{} is open", opened.url), began);

    let began = Instant::now();
    let order = sell(&opened, wish.stores.as_deref(), &run, &wish.mail_domain).await?;
    outlook::done(&format!("order {order} is paid, booked and taken from stock"), began);

    if wish.keep {
        outlook::note(&format!("the store stays: {}", opened.id));
    } else {
        let began = Instant::now();
        close(&owner, &opened.id, &run, patience).await?;
        outlook::done("the store is deleted", began);
    }
    Ok(ExitCode::SUCCESS)
}

/// A store that was opened for this.
struct Opened {
    id: String,
    url: String,
    publishable_key: String,
    secret_key: String,
}

async fn open(owner: &Api, run: &str, patience: Duration) -> anyhow::Result<Opened> {
    let name = format!("Rehearsal {run}");
    let wish = json!({ "name": name, "country": "PT", "currency": "EUR" });
    let answer = owner.post("/v1/stores", Some(&format!("rehearse-{run}")), &wish).await?;
    let operation = text(&answer.fine("opening a store")?, "/id")?;
    let view = finished(owner, &operation, patience).await?;
    let keys = owner.post(&format!("/v1/operations/{operation}/keys"), None, &json!({})).await?;
    let keys = keys.fine("taking the store's keys")?;
    Ok(Opened {
        id: text(&view, "/store")?,
        url: text(&view, "/store_url")?,
        publishable_key: text(&keys, "/publishable_key")?,
        secret_key: text(&keys, "/secret_key")?,
    })
}

/// The order's name, once it is paid. What it did to orders, stock and books is looked at.
async fn sell(opened: &Opened, stores: Option<&str>, run: &str, domain: &str) -> anyhow::Result<String> {
    let staff = store(opened, stores)?.with(&opened.secret_key);
    let shopper = || -> anyhow::Result<Api> {
        Ok(store(opened, stores)?.saying("x-souk-publishable-key", &opened.publishable_key))
    };
    serves(&shopper()?).await?;

    let key = format!("rehearse-{run}");
    let price = json!({ "amount_minor": PRICE, "currency": "EUR" });
    let product = json!({
        "title": "Rehearsal", "variants": [{ "sku": format!("REHEARSAL-{run}"), "price": price, "stock": STOCK }],
    });
    let product = staff.post("/admin/v1/products", Some(&key), &product).await?.fine("making a product")?;
    let variant = text(&product, "/variants/0/id")?;

    let cart = json!({
        "lines": [{ "variant": variant, "quantity": BOUGHT }], "email": format!("shopper-{run}@{domain}"),
        "shipping_address": { "first_name": "Grace", "last_name": "Hopper", "address1": "Rua do Carmo 1",
                              "city": "Lisboa", "postal_code": "1200-093", "country": "PT" },
    });
    let cart = shopper()?.post("/store/v1/carts", None, &cart).await?.fine("filling a cart")?;
    let path = format!("/store/v1/carts/{}/checkout", text(&cart, "/id")?);
    // Whatever payment providers a platform has, this one asks nobody.
    let payment = json!({ "expected_total": cart["total"], "payment": { "provider": "manual" } });
    let buyer = shopper()?.saying("x-cart-secret", &text(&cart, "/secret")?);
    let bought = buyer.post(&path, Some(&key), &payment).await?.fine("buying")?;
    ensure!(bought["status"] == "completed", "the checkout is not completed: {bought}");
    let (id, name) = (text(&bought, "/order/id")?, text(&bought, "/order/name")?);
    let (path, again) = (format!("/admin/v1/orders/{id}/mark-paid"), format!("{key}-paid"));
    let paid = staff.post(&path, Some(&again), &json!({})).await?.fine("taking note of the money")?;
    ensure!(paid["financial_status"] == "paid", "the order is not paid: {paid}");

    let orders = staff.get("/admin/v1/orders").await?.fine("listing orders")?;
    let names: Vec<_> = orders["data"].as_array().into_iter().flatten().map(|order| &order["name"]).collect();
    ensure!(names == [&json!(name)], "the store should have the one order {name}: {orders}");
    let levels = staff.get(&format!("/admin/v1/inventory-levels?variant={variant}")).await?;
    let levels = levels.fine("looking at the stock")?;
    ensure!(
        levels.pointer("/data/0/available") == Some(&json!(STOCK - BOUGHT)),
        "{STOCK} less {BOUGHT} should be left: {levels}"
    );
    let books = staff.get("/admin/v1/ledger/trial-balance").await?.fine("reading the books")?;
    let side = |name: &str| books.pointer(&format!("/totals/0/{name}/amount_minor")).and_then(Value::as_i64);
    ensure!(side("debit") > Some(0) && side("debit") == side("credit"), "the books do not balance: {books}");
    Ok(name)
}

async fn close(owner: &Api, id: &str, run: &str, patience: Duration) -> anyhow::Result<()> {
    let path = format!("/v1/stores/{id}");
    let handle = text(&owner.get(&path).await?.fine("the store")?, "/handle")?;
    let answer = owner.delete(&format!("{path}?confirm={handle}"), &format!("rehearse-{run}-end")).await?;
    let operation = text(&answer.fine("deleting the store")?, "/id")?;
    finished(owner, &operation, patience).await?;
    Ok(())
}

/// The store's API, at its own address or at the one that all stores share.
fn store(opened: &Opened, stores: Option<&str>) -> anyhow::Result<Api> {
    let Some(stores) = stores else { return Api::at(&opened.url) };
    let own: Url = opened.url.parse().with_context(|| format!("{} is no address", opened.url))?;
    let host = own.host_str().with_context(|| format!("{own} names no host"))?;
    Ok(Api::at(&address(stores)?)?.saying("host", host))
}

/// A runtime hears of a new store a moment after the ledger says so.
async fn serves(shopper: &Api) -> anyhow::Result<()> {
    let began = Instant::now();
    loop {
        let answer = shopper.get("/store/v1/products").await;
        match answer {
            Ok(answer) if answer.status == 200 => return Ok(()),
            late if began.elapsed() > Duration::from_secs(30) => {
                late?.fine("the store does not answer")?;
            }
            _ => tokio::time::sleep(Duration::from_millis(200)).await,
        }
    }
}

/// An address as it was given. Kubernetes names a Service's IPv6 address without the brackets that a URL needs.
fn address(given: &str) -> anyhow::Result<String> {
    let (scheme, rest) = given.split_once("://").with_context(|| format!("{given} is no address"))?;
    Ok(match rest.trim_end_matches('/').parse::<std::net::Ipv6Addr>() {
        Ok(ip) => format!("{scheme}://{}", Host::<String>::Ipv6(ip)),
        Err(_) => given.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_addressed_as_kubernetes_names_them() {
        for (given, meant) in [
            ("http://10.96.0.7", "http://10.96.0.7"),
            ("http://fd00:10:96::7", "http://[fd00:10:96::7]"),
            ("http://[fd00::7]:8080", "http://[fd00::7]:8080"),
            ("https://souk.example", "https://souk.example"),
        ] {
            assert_eq!(address(given).unwrap(), meant);
        }
        assert!(address("souk.example").is_err());
    }

    #[test]
    fn a_store_is_named_where_all_are_reached() {
        let opened = Opened {
            id: "sto_1".into(),
            url: "https://tea.shops.example:8443".into(),
            publishable_key: "p".into(),
            secret_key: "s".into(),
        };
        assert!(store(&opened, None).is_ok() && store(&opened, Some("http://10.96.0.8")).is_ok());
        assert!(store(&opened, Some("10.96.0.8")).is_err());
    }
}
