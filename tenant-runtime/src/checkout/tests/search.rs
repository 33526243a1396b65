//! Searching what is for sale: words, beginnings, mistakes, facets and pages.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use souk_tenancy::StatementCount;

use super::shop::Shop;

impl Shop {
    async fn sells(&self, title: &str, vendor: &str, kind: &str, tags: &[&str], price: i64) -> Value {
        let body = json!({ "title": title, "vendor": vendor, "product_type": kind, "tags": tags,
            "price": { "amount_minor": price, "currency": "EUR" }, "stock": 3, "sku": format!("{kind}-{price}").to_uppercase() });
        let answer = self.staff("POST", "/admin/v1/products", Some(body)).await;
        assert_eq!(answer.status, 201, "{}", answer.json);
        answer.json
    }

    async fn finds(&self, query: &str) -> Value {
        let answer = self.inner.send("GET", &format!("/store/v1/search?{query}"), None, &[]).await;
        assert_eq!(answer.status, 200, "{query}: {}", answer.json);
        answer.json
    }

    async fn furnished() -> Self {
        let shop = Self::open().await;
        shop.sells("Enamel mug", "Falcon", "mugs", &["kitchen", "blue"], 1200).await;
        shop.sells("Enamel bowl", "Falcon", "bowls", &["kitchen"], 1800).await;
        shop.sells("Linen apron", "Atelier Noord", "aprons", &["kitchen", "linen"], 4500).await;
        shop.sells("Crème brûlée torch", "Flamme", "tools", &["kitchen"], 3900).await;
        let draft = shop.sells("Enamel secret", "Falcon", "mugs", &[], 900).await;
        let path = format!("/admin/v1/products/{}", draft["id"].as_str().unwrap());
        let bearer = format!("Bearer {}", shop.inner.owner());
        let headers = [("authorization", bearer.as_str()), ("if-match", "\"1\"")];
        let body = json!({ "status": "draft" }).to_string().into_bytes();
        assert_eq!(shop.inner.send("PATCH", &path, Some(body), &headers).await.status, 200);
        shop
    }
}

fn titles(found: &Value) -> Vec<&str> {
    found["data"].as_array().unwrap().iter().map(|hit| hit["title"].as_str().unwrap()).collect()
}

#[actix_web::test]
async fn words_beginnings_accents_codes_and_mistakes_find_it() {
    let shop = Shop::furnished().await;
    for (query, expected, corrected) in [
        ("q=enamel+mu&sort=price", vec!["Enamel mug"], false),
        ("q=ENAMEL&sort=price", vec!["Enamel mug", "Enamel bowl"], false),
        ("q=creme+brulee", vec!["Crème brûlée torch"], false),
        ("q=falcon&sort=-price", vec!["Enamel bowl", "Enamel mug"], false),
        ("q=mugs-1200", vec!["Enamel mug"], false),
        ("q=linen", vec!["Linen apron"], false),
        ("q=enamle", vec![], true),
        ("q=zzzzqqqq", vec![], false),
        ("q=%27%29%3B+DROP+%26%7C%21", vec![], false),
    ] {
        let found = shop.finds(query).await;
        assert_eq!(found["corrected"], corrected, "{query}: {found}");
        if corrected {
            assert!(titles(&found).contains(&"Enamel mug"), "{query}: {found}");
            assert!(!titles(&found).contains(&"Linen apron"), "{query}: {found}");
        } else {
            assert_eq!(titles(&found), expected, "{query}");
        }
        assert!(!found.to_string().contains("secret"), "{query}");
    }
    let begun = shop.inner.send("GET", "/store/v1/search/suggestions?q=enam", None, &[]).await;
    assert_eq!(begun.json["products"].as_array().map(Vec::len), Some(2), "{}", begun.json);
    assert_eq!(shop.inner.send("GET", "/store/v1/search/suggestions?q=%21", None, &[]).await.status, 422);
    let count = StatementCount::new();
    count.scope(shop.finds("q=enamel")).await;
    assert_eq!(count.statements(), 1);
    let count = StatementCount::new();
    count.scope(shop.finds("q=enamle")).await;
    assert_eq!(count.statements(), 2);
}

#[actix_web::test]
async fn facets_are_what_one_would_count_by_hand() {
    let shop = Shop::furnished().await;
    for query in [
        "",
        "q=enamel",
        "tag=kitchen",
        "vendor=Falcon",
        "max_price=1800",
        "vendor=Falcon,Flamme&min_price=1500",
    ] {
        let found = shop.finds(query).await;
        let hits = found["data"].as_array().unwrap();
        assert_eq!(found["total"], hits.len(), "{query}");
        let mut tags: BTreeMap<&str, i64> = BTreeMap::new();
        for tag in hits.iter().flat_map(|hit| hit["tags"].as_array().unwrap()) {
            *tags.entry(tag.as_str().unwrap()).or_default() += 1;
        }
        let counted: BTreeMap<&str, i64> = (found["facets"]["tags"].as_array().unwrap().iter())
            .map(|facet| (facet["value"].as_str().unwrap(), facet["count"].as_i64().unwrap()))
            .collect();
        assert_eq!(counted, tags, "{query}");
        let prices: Vec<i64> =
            hits.iter().map(|hit| hit["price_from"]["amount_minor"].as_i64().unwrap()).collect();
        assert_eq!(
            found["facets"]["lowest_price"]["amount_minor"].as_i64(),
            prices.iter().min().copied(),
            "{query}"
        );
    }
    assert_eq!(
        titles(&shop.finds("vendor=Falcon,Flamme&min_price=1500&sort=price").await),
        ["Enamel bowl", "Crème brûlée torch"]
    );
}

#[actix_web::test]
async fn pages_follow_each_other_without_gaps() {
    let shop = Shop::furnished().await;
    for base in ["sort=price", "sort=newest", "q=kitchen", "q=enamle"] {
        let whole: Vec<String> = titles(&shop.finds(base).await).into_iter().map(str::to_owned).collect();
        let (mut seen, mut after) = (Vec::new(), String::new());
        loop {
            let found = shop.finds(&format!("{base}&limit=1{after}")).await;
            assert_eq!(found["total"], whole.len(), "{base}");
            seen.extend(titles(&found).into_iter().map(str::to_owned));
            match found["page"]["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => break,
            }
        }
        assert_eq!(seen, whole, "{base}");
    }
    for wrong in ["min_price=5&max_price=4", "min_price=-1", "sort=name", "limit=0", "colour=blue"] {
        assert_eq!(
            shop.inner.send("GET", &format!("/store/v1/search?{wrong}"), None, &[]).await.status,
            422,
            "{wrong}"
        );
    }
}
