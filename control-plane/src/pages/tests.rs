//! The page over HTTP.

use super::routes::PATHS;
use crate::testing::house;

#[actix_web::test]
async fn a_mailed_link_leads_to_a_page_that_runs_only_its_own_script() {
    let house = house().await;
    for path in PATHS {
        let page = house.get(path).send().await.expect(200);
        assert!(page.header("content-security-policy").contains("script-src 'sha256-"), "{path}");
        assert_eq!(page.header("referrer-policy"), "no-referrer");
        assert!(page.text.contains("<noscript>"));
    }
}
