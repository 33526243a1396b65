//! A browser: cookies, forms, and somebody who types their name.

use std::collections::BTreeMap;

use super::query;

/// One person's browser. Remembers where it was signed in.
#[derive(Debug)]
pub struct Browser {
    http: reqwest::Client,
    cookies: BTreeMap<String, String>,
    /// The forms that were filled in, by what the provider asked for.
    pub forms: Vec<String>,
}

impl Default for Browser {
    fn default() -> Self {
        Self::new()
    }
}

impl Browser {
    /// # Panics
    /// When there is no TLS library.
    pub fn new() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy();
        Self { http: http.build().expect("a client"), cookies: BTreeMap::new(), forms: Vec::new() }
    }

    /// Goes where it is sent and fills in forms, until it is sent to an address that starts so: that address.
    ///
    /// # Panics
    /// When it does not get there.
    pub async fn goes(&mut self, start: &str, name: &str, until: &str) -> String {
        let mut at = url::Url::parse(start).expect("an address");
        let mut form: Option<Vec<(&str, String)>> = None;
        for _ in 0..20 {
            let jar: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let request = match form.take() {
                None => self.http.get(at.clone()),
                Some(fields) => {
                    let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
                    let typed = ("content-type", "application/x-www-form-urlencoded");
                    self.http.post(at.clone()).header(typed.0, typed.1).body(query(&fields))
                }
            };
            let answer = request.header("cookie", jar.join("; ")).send().await.expect("an answer");
            for line in answer.headers().get_all("set-cookie") {
                let (pair, _) = line.to_str().expect("text").split_once(';').expect("attributes");
                let (name, value) = pair.split_once('=').expect("a cookie");
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
            if let Some(location) = answer.headers().get("location") {
                let next = at.join(location.to_str().expect("text")).expect("an address");
                if next.as_str().starts_with(until) {
                    return next.to_string();
                }
                at = next;
                continue;
            }
            let (status, page) = (answer.status(), answer.text().await.expect("a page"));
            let after = |text: &str, start: &str| {
                text.split_once(start).and_then(|(_, rest)| rest.split_once('"')).map(|(it, _)| it.to_owned())
            };
            let action = after(&page, "action=\"").unwrap_or_else(|| panic!("{status} {page}"));
            let prompt = after(&page, "name=\"prompt\" value=\"").expect("a prompt");
            self.forms.push(prompt.clone());
            at = at.join(&action).expect("an address");
            form = Some(vec![("prompt", prompt), ("login", name.to_owned()), ("password", "any".to_owned())]);
        }
        panic!("the browser goes round in circles");
    }

    /// Posts nothing to an address.
    ///
    /// # Panics
    /// When it does not succeed.
    pub async fn pokes(&self, url: &str) {
        let answer = self.http.post(url).send().await.expect("an answer");
        assert!(answer.status().is_success(), "{url}: {}", answer.status());
    }
}
