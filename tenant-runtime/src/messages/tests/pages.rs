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

/// What the control plane's page hands on (the secret of the mail and a token of whoever signed in) is what the store's page sends.
#[actix_web::test]
async fn pages_for_staff_send_what_the_api_asks_for() {
    let shop = TestShop::open(None).await;
    let page = shop.call("GET", "/account/join-store").send().await.expect(200);
    let text = String::from_utf8_lossy(&page.bytes);
    let accept = serde_json::json!({ "token": "made-up", "name": "Grace" });
    let confirm = serde_json::json!({ "token": "made-up" });
    for (path, body, wish, code) in [
        ("/admin/v1/staff-invitations/accept", "{ token, name: it.name }", accept, "invitation_unusable"),
        ("/admin/v1/mail-settings/confirm-sender", "{ token }", confirm, "mail_link_unusable"),
    ] {
        assert!(text.contains(&format!("post(\"{path}\", {body})")), "{path}");
        // Understood, and refused only because nobody mailed that secret.
        shop.owner_call("POST", path).json(&wish).send().await.refused(410, code);
    }
}
