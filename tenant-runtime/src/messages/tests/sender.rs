//! Whom mails are from, over a real SMTP connection, and the signature as a receiver checks it.

use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rsa::pkcs8::DecodePublicKey as _;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;

use super::{queue, vault, worker};
use crate::messages::{Sender, send_due};
use crate::testing::TestShop;

/// A mail server that keeps what it is given.
pub struct Catcher {
    pub url: String,
    mails: Arc<Mutex<Vec<String>>>,
}

impl Catcher {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("smtp://{}", listener.local_addr().unwrap());
        let mails = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&mails);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(BufReader::new(stream), Arc::clone(&kept)));
            }
        });
        Self { url, mails }
    }

    pub fn last(&self) -> String {
        self.mails.lock().unwrap().last().cloned().unwrap()
    }
}

async fn serve(mut stream: BufReader<tokio::net::TcpStream>, mails: Arc<Mutex<Vec<String>>>) -> Option<()> {
    stream.write_all(b"220 catcher\r\n").await.ok()?;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let answer: &[u8] = match line.to_ascii_uppercase().get(..4)? {
            "EHLO" | "HELO" => b"250-catcher\r\n250 8BITMIME\r\n",
            "QUIT" => b"221 bye\r\n",
            "DATA" => {
                stream.write_all(b"354 go on\r\n").await.ok()?;
                let mut mail = String::new();
                loop {
                    let mut line = String::new();
                    stream.read_line(&mut line).await.ok()?;
                    if line == ".\r\n" {
                        break;
                    }
                    mail.push_str(line.strip_prefix('.').unwrap_or(&line));
                }
                mails.lock().unwrap().push(mail);
                b"250 kept\r\n"
            }
            _ => b"250 ok\r\n",
        };
        stream.write_all(answer).await.ok()?;
    }
}

/// A header with its folds, as it came.
pub fn header<'m>(mail: &'m str, name: &str) -> Option<&'m str> {
    let head = &mail[..mail.find("\r\n\r\n")? + 2];
    let mut at = 0;
    while at < head.len() {
        let mut end = at + head[at..].find("\r\n")? + 2;
        while head[end..].starts_with([' ', '\t']) {
            end += head[end..].find("\r\n")? + 2;
        }
        let field = &head[at..end];
        if field.split(':').next()?.eq_ignore_ascii_case(name) {
            return Some(field);
        }
        at = end;
    }
    None
}

/// RFC 6376, relaxed: names in small letters, folds undone, runs of blanks one blank.
fn relaxed(field: &str) -> String {
    let (name, value) = field.split_once(':').unwrap();
    let value = value.replace("\r\n", "");
    let value: Vec<_> = value.split([' ', '\t']).filter(|part| !part.is_empty()).collect();
    format!("{}:{}\r\n", name.trim().to_ascii_lowercase(), value.join(" "))
}

fn relaxed_body(body: &str) -> String {
    let mut lines: Vec<String> = body
        .split("\r\n")
        .map(|line| {
            let starts = line.starts_with([' ', '\t']);
            let words: Vec<_> = line.split([' ', '\t']).filter(|part| !part.is_empty()).collect();
            let text = words.join(" ");
            if starts && !text.is_empty() { format!(" {text}") } else { text }
        })
        .collect();
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    if lines.is_empty() { String::new() } else { lines.join("\r\n") + "\r\n" }
}

fn tag(field: &str, name: &str) -> String {
    let value = field.split_once(':').unwrap().1;
    let found = value.split(';').map(str::trim).find_map(|part| part.strip_prefix(&format!("{name}=")));
    found.unwrap_or_else(|| panic!("no {name} in {field}")).split_whitespace().collect()
}

/// Checks the signature as a receiver does, with the record from DNS. Panics when it is not good.
fn check(mail: &str, record: &str) {
    let field = header(mail, "DKIM-Signature").expect("a signature");
    let body = &mail[mail.find("\r\n\r\n").unwrap() + 4..];
    assert_eq!(tag(field, "bh"), STANDARD.encode(Sha256::digest(relaxed_body(body))), "the body's digest");
    let mut hash = Sha256::new();
    for name in tag(field, "h").split(':') {
        if let Some(field) = header(mail, name) {
            hash.update(relaxed(field));
        }
    }
    let signature = tag(field, "b");
    let value = relaxed(field);
    let (before, _) = value.trim_end().rsplit_once("; b=").unwrap();
    hash.update(format!("{before}; b="));
    let key = record.split("p=").nth(1).unwrap();
    let key = rsa::RsaPublicKey::from_public_key_der(&STANDARD.decode(key).unwrap()).unwrap();
    // What says "SHA-256" in front of a digest (RFC 8017, 9.2).
    let prefix = [0x30, 0x31, 0x30, 0x0d, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1, 5, 0, 4, 0x20];
    let scheme = rsa::Pkcs1v15Sign { hash_len: Some(32), prefix: prefix.into() };
    key.verify(scheme, &hash.finalize(), &STANDARD.decode(signature).unwrap())
        .expect("the signature is good");
}

#[actix_web::test]
async fn mails_come_from_the_stores_own_address_once_it_agreed_and_are_signed_once_that_is_switched_on() {
    let shop = TestShop::open(None).await;
    let catcher = Catcher::start().await;
    let platform = "Souk <no-reply@platform.example>".parse().unwrap();
    let sender = Sender::new(Some(&catcher.url), None, &platform, vault(&shop)).unwrap();
    let send = async || send_due(&worker(&shop), &sender).await.unwrap();
    let name = shop.words("SELECT name AS word FROM store_settings").await;

    queue(&shop, "order_placed", "ada@example.com").await;
    assert_eq!(send().await, 1);
    let from = header(&catcher.last(), "From").unwrap().to_owned();
    assert!(
        from.contains(&name) && from.contains("<no-reply@platform.example>"),
        "the store's name, the platform's address: {from}"
    );
    assert!(
        header(&catcher.last(), "Reply-To").is_some() && header(&catcher.last(), "DKIM-Signature").is_none()
    );

    let first = shop.owner_call("GET", "/admin/v1/mail-settings").send().await.expect(200);
    assert_eq!(
        first.json["dkim"],
        json!({ "enabled": false, "domain": null, "records": [],
        "advice": "Mails come from the platform's address. Say a sender_email of your own domain to change that." })
    );
    shop.owner_call("POST", "/admin/v1/mail-settings/dkim-key")
        .send()
        .await
        .refused(409, "sender_not_confirmed");
    shop.owner_call("PUT", "/admin/v1/mail-settings/dkim")
        .json(&json!({ "enabled": true }))
        .send()
        .await
        .refused(409, "dkim_key_missing");
    let wish = json!({ "accent_color": "#C0FFEE", "footer": "Acme, Lindenweg 1", "sender_name": "Acme Mugs", "logo_url": "https://shop.example/logo.png",
        "sender_email": "hello@shop.example", "reply_to": "help@shop.example" });
    let put = async |tag: &str, wish: &serde_json::Value| {
        shop.owner_call("PUT", "/admin/v1/mail-settings").header("if-match", tag).json(wish).send().await
    };
    let whole = shop.digest().await;
    put("\"9\"", &wish).await.refused(412, "precondition_failed");
    for (field, value) in [
        ("accent_color", "red"),
        ("logo_url", "http://shop.example/a.png"),
        ("logo_url", "javascript:alert(1)"),
        ("sender_email", "a@b"),
        ("reply_to", "x"),
    ] {
        let mut bad = wish.clone();
        bad[field] = value.into();
        put("\"1\"", &bad).await.refused(422, "validation_failed").about(&format!("/{field}"));
    }
    assert_eq!(shop.digest().await, whole);
    let changed = put("\"1\"", &wish).await.expect(200);
    assert_eq!(
        (changed.json["accent_color"].clone(), changed.json["sender_verified_at"].clone()),
        (json!("#c0ffee"), json!(null))
    );
    assert_eq!(send().await, 1);
    let asked = catcher.last();
    assert!(header(&asked, "To").unwrap().contains("hello@shop.example"));
    assert!(
        header(&asked, "From").unwrap().contains("<no-reply@platform.example>"),
        "not from there before it agreed"
    );

    let link = shop.words("SELECT substring(body_text FROM 'confirm-sender#(\\S+)') AS word FROM email_messages WHERE template = 'sender_confirm'").await;
    let confirm = async |token: &str| {
        shop.owner_call("POST", "/admin/v1/mail-settings/confirm-sender")
            .json(&json!({ "token": token }))
            .send()
            .await
    };
    confirm("mbM2ozNPLCvnBPMqMkJw7-3n0SCvKQe9lcLYqyVhJDc").await.refused(410, "mail_link_unusable");
    let confirmed = confirm(&link).await.expect(200);
    assert!(confirmed.json["sender_verified_at"].is_string());
    confirm(&link).await.refused(410, "mail_link_unusable");

    let made = shop.owner_call("POST", "/admin/v1/mail-settings/dkim-key").send().await.expect(200);
    let records = made.json["dkim"]["records"].as_array().unwrap();
    let purposes: Vec<_> = records.iter().map(|record| record["purpose"].as_str().unwrap()).collect();
    assert_eq!(purposes, ["DKIM", "SPF", "DMARC"]);
    assert!(records[0]["name"].as_str().unwrap().ends_with("._domainkey.shop.example"), "{}", records[0]);
    assert!(records[0]["value"].as_str().unwrap().starts_with("v=DKIM1; k=rsa; p="), "{}", records[0]);
    let kept = shop.words("SELECT encode(dkim_sealed, 'escape') AS word FROM mail_settings").await;
    assert!(!kept.contains("PRIVATE KEY"), "the database holds no key that could be read");
    queue(&shop, "order_placed", "ada@example.com").await;
    assert_eq!(send().await, 1);
    let own = catcher.last();
    assert!(header(&own, "From").unwrap().contains("<hello@shop.example>"), "{own}");
    assert!(header(&own, "Reply-To").unwrap().contains("help@shop.example"));
    assert!(header(&own, "DKIM-Signature").is_none(), "not before the record is in DNS");

    shop.owner_call("PUT", "/admin/v1/mail-settings/dkim")
        .json(&json!({ "enabled": true }))
        .send()
        .await
        .expect(200);
    queue(&shop, "order_placed", "ada@example.com").await;
    assert_eq!(send().await, 1);
    let signed = catcher.last();
    let field = header(&signed, "DKIM-Signature").unwrap().to_owned();
    assert_eq!((tag(&field, "d"), tag(&field, "a")), ("shop.example".to_owned(), "rsa-sha256".to_owned()));
    assert_eq!(format!("{}._domainkey.shop.example", tag(&field, "s")), records[0]["name"].as_str().unwrap());
    check(&signed, records[0]["value"].as_str().unwrap());

    // Another sender is asked again, and a key of another domain signs nothing.
    let mut moved = wish.clone();
    moved["sender_email"] = "hello@other.example".into();
    let tag_now = shop.owner_call("GET", "/admin/v1/mail-settings").send().await.header("etag").to_owned();
    let changed = put(&tag_now, &moved).await.expect(200);
    assert!(changed.json["sender_verified_at"].is_null());
    queue(&shop, "order_placed", "ada@example.com").await;
    send().await;
    assert!(header(&catcher.last(), "From").unwrap().contains("no-reply@platform.example"));
    assert!(header(&catcher.last(), "DKIM-Signature").is_none());
}
