//! Links in mails, followed with no front end.

use crate::messages::routes::PAGES;
use crate::testing::TestShop;

#[actix_web::test]
async fn a_mailed_link_leads_to_a_page_that_runs_only_its_own_script() {
    let shop = TestShop::open(None).await;
    for path in PAGES {
        let page = shop.call("GET", &format!("/account/{path}")).send().await.expect(200);
        assert!(page.header("content-security-policy").contains("script-src 'sha256-"), "{path}");
        assert_eq!(
            (page.header("referrer-policy"), page.header("cache-control")),
            ("no-referrer", "no-store")
        );
        let text = String::from_utf8_lossy(&page.bytes);
        // The page knows what to do for each of the links, and there is something to read without its script.
        assert!(text.contains(&format!("\"{path}\": {{ title:")) && text.contains("<noscript>"), "{path}");
    }
    shop.call("GET", "/account/anything-else").send().await.refused(404, "not_found");
}
