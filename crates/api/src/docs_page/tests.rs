use super::*;

#[test]
fn the_page_runs_under_its_own_policy_and_loads_nothing() {
    assert_eq!(PAGE.html().matches("<script").count(), 1);
    assert_eq!(PAGE.html().matches("<style").count(), 1);
    for outside in ["src=", "@import", "url(", "http://", "https://", "style=", "innerHTML"] {
        assert!(!PAGE.html().contains(outside), "the page must not use {outside}");
    }
    let reply = docs_page("/openapi.json");
    let policy = reply.headers().get("content-security-policy").expect("a policy").to_str().expect("ASCII");
    assert!(!policy.contains("unsafe"));
    // The hash of nothing would mean that an element was not found.
    assert!(!policy.contains("47DEQpj8HBSa"), "{policy}");
}

#[test]
fn the_address_cannot_break_out() {
    let page = html("/x\"><script>alert(1)</script>");
    assert!(page.contains("data-openapi=\"/x&quot;>&lt;script>"));
}
