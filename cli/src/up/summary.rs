//! What is printed when everything is ready.

use crate::demo::Shop;
use crate::options::Network;

/// Addresses, the demo store's keys, and three commands that buy something.
#[must_use]
pub fn lines(network: &Network, shop: Option<&Shop>) -> Vec<String> {
    let control = format!("http://localhost:{}", network.control_port);
    let mut lines = vec![
        format!("Control plane     {control}/docs"),
        format!("Captured mail     {control}/dev/mail"),
        format!("Test payments     http://localhost:{}/book", network.provider_port),
        match network.stripe_url.as_deref().filter(|url| !url.is_empty()) {
            Some(url) => format!("Stripe            {url}"),
            None => "Stripe            played by the test provider (docs/PAYMENTS.md); SOUK_STRIPE_URL for the real one".to_owned(),
        },
    ];
    if let Some((shop, opened)) = shop.and_then(|shop| Some((shop, shop.opened.as_ref()?))) {
        lines.extend([
            String::new(),
            format!("Demo store        {}/docs", opened.url),
            format!("Owner             {} / {}", shop.owner_email, shop.owner_password),
            format!("Publishable key   {}", opened.publishable_key),
            format!("Secret key        {}", opened.secret_key),
            String::new(),
            "Buy something:".to_owned(),
        ]);
        lines.extend(shop.purchase.iter().cloned());
    }
    lines
}

/// The same for a shell; the demo store's part only when there is one.
pub fn variables(network: &Network, shop: Option<&Shop>) -> Vec<(String, String)> {
    let mut variables = vec![
        ("SOUK_CONTROL", format!("http://localhost:{}", network.control_port)),
        ("SOUK_PROVIDER", format!("http://localhost:{}", network.provider_port)),
    ];
    if let Some((shop, opened)) = shop.and_then(|shop| Some((shop, shop.opened.as_ref()?))) {
        variables.extend([
            ("SOUK_DEMO_STORE", opened.url.clone()),
            ("SOUK_DEMO_KEY", opened.publishable_key.clone()),
            ("SOUK_DEMO_SECRET_KEY", opened.secret_key.clone()),
            ("SOUK_DEMO_OWNER", shop.owner_email.clone()),
            ("SOUK_DEMO_PASSWORD", shop.owner_password.clone()),
        ]);
    }
    variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
