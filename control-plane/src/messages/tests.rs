//! Captured mail over HTTP.

use souk_kernel::Clock;

use crate::testing::{house, house_alone};

#[actix_web::test]
async fn mail_is_captured_where_no_server_is_set() {
    let house = house().await;
    let ada = house.newcomer().await;
    let link = house.mailed_token(&ada.email, "/verify-email").await;
    for _ in 0..100 {
        let page = house.get("/dev/mail").send().await.expect(200);
        assert!(page.header("content-type").starts_with("text/html"));
        if page.text.contains(&ada.email) {
            assert!(page.text.contains(&format!("/verify-email#token={link}</a>")));
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("the mail was not captured");
}

#[actix_web::test]
async fn captured_mail_is_shown_to_nobody_where_strangers_listen_in() {
    let house = house_alone(Clock::system(), |settings| settings.shows_captured_mail = false).await;
    house.get("/dev/mail").send().await.refused(404, "not_found");
}
