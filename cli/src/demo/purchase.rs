//! Three commands that buy something, ready to be pasted into a shell.

use super::Opened;
use super::goods::Sold;

/// Fill a cart, look at it, pay for it. They need nothing but a shell with curl and sed.
pub fn commands(opened: &Opened, sold: &Sold) -> Vec<String> {
    let carts = format!("{}/store/v1/carts", opened.url);
    let head = format!(
        "-H 'X-Souk-Publishable-Key: {}' -H 'Content-Type: application/json'",
        opened.publishable_key
    );
    let address = r#"{"first_name":"Ana","last_name":"Silva","address1":"Rua do Carmo 1","city":"Lisboa","postal_code":"1200-093","country":"PT"}"#;
    let wish = format!(
        r#"{{"lines":[{{"variant":"{}","quantity":1}}],"email":"ana@example.com","shipping_address":{address}}}"#,
        sold.variant
    );
    let field = |name: &str, pattern: &str| format!(r#"{name}=$(echo "$CART" | sed 's/{pattern}/\1/')"#);
    vec![
        format!("# 1. a cart with one {}", sold.title),
        format!("CART=$(curl -sS {carts} {head} -d '{wish}')"),
        field("ID", r#".*"id":"\(crt_[0-9a-z]*\)".*"#),
        field("SECRET", r#".*"secret":"\([^"]*\)".*"#),
        field("TOTAL", r#".*"total":\({[^}]*}\).*"#),
        "# 2. what it costs, with shipping and tax".to_owned(),
        format!(r#"curl -sS {carts}/$ID {head} -H "X-Cart-Secret: $SECRET""#),
        "# 3. pay".to_owned(),
        format!(
            r#"curl -sS {carts}/$ID/checkout {head} -H "X-Cart-Secret: $SECRET" -H "Idempotency-Key: $ID" -d '{{"expected_total":'"$TOTAL"',"payment":{{"provider":"test","token":"tok_ok"}}}}'"#
        ),
    ]
}
