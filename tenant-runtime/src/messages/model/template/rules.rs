use std::time::{Duration, Instant};

use serde_json::json;

use super::super::kinds::kind_of;
use super::*;

fn looks(store: &str) -> Looks {
    Looks { store: store.to_owned(), accent_color: "#1a56db".to_owned(), ..Looks::default() }
}

fn filled(kind: &str, own: Option<&Texts>, locale: &str, store: &str) -> Result<Rendered, Error> {
    render(kind_of(kind).unwrap(), own, locale, &looks(store), &sample(kind))
}

fn own(subject: &str, text: &str, html: &str) -> Texts {
    Texts { subject: subject.to_owned(), text: text.to_owned(), html: html.to_owned() }
}

#[test]
fn every_mail_is_there_in_every_language_and_fills_with_and_without_what_may_be_missing() {
    for kind in KINDS {
        let mut bare = sample(kind.name);
        for name in optional(kind.name) {
            assert!(bare.as_object_mut().unwrap().remove(*name).is_some(), "{} has no {name}", kind.name);
        }
        for locale in LANGUAGES {
            for facts in [&sample(kind.name), &bare] {
                let mail = render(kind, None, locale, &looks("Tea <&> Co"), facts).unwrap();
                let all = format!("{}{}{}", mail.subject, mail.text, mail.html);
                assert!(
                    !mail.subject.is_empty() && !all.contains("{{") && !all.contains("{%"),
                    "{} {locale}",
                    kind.name
                );
                assert!(!mail.html.contains("Tea <&>"), "{}: {}", kind.name, mail.html);
                assert!(mail.html.contains(&format!("lang=\"{locale}\"")), "{}: {}", kind.name, mail.html);
                assert!(mail.html.contains("prefers-color-scheme: dark"), "{}", kind.name);
            }
            // A merchant begins with the committed text, so it must pass the check.
            assert_eq!(check(kind, &committed(kind, locale), locale), Ok(()), "{} {locale}", kind.name);
        }
    }
}

#[test]
fn an_order_as_a_mail() {
    let mut placed = sample("order_placed");
    placed["lines"][0]["title"] = json!("<b>Mug</b>");
    let kind = kind_of("order_placed").unwrap();
    let mail = render(kind, None, "en", &looks("Tea & Co"), &placed).unwrap();
    assert_eq!(mail.subject, "Tea & Co: your order #1001");
    assert!(mail.text.contains("2 x <b>Mug</b> (Blue)   25.98 EUR"), "{}", mail.text);
    assert!(mail.text.contains("Total   34.49 EUR"));
    assert!(
        mail.html.contains("&lt;b&gt;Mug&lt;&#x2f;b&gt;") && !mail.html.contains("<b>Mug"),
        "{}",
        mail.html
    );
    let german = render(kind, None, "de-DE", &looks("Tee & Co"), &placed).unwrap();
    assert_eq!(german.subject, "Tee & Co: Ihre Bestellung #1001");
    assert!(german.text.contains("2 x <b>Mug</b> (Blue)   25,98 EUR"), "{}", german.text);
    assert!(german.html.contains("Gesamt"), "{}", german.html);
    assert_eq!(render(kind, None, "pt", &looks("s"), &placed).unwrap().subject, "s: your order #1001");
}

#[test]
fn whatever_the_stores_colour_is_buttons_and_links_can_be_read() {
    let placed = |accent: &str| {
        let looks = Looks { accent_color: accent.to_owned(), ..looks("s") };
        render(kind_of("order_shipped").unwrap(), None, "en", &looks, &sample("order_shipped")).unwrap().html
    };
    for (accent, on_it, link) in [
        ("#1a56db", "#ffffff", "#1a56db"),
        ("#ffd400", "#000000", "#000000"),
        ("#c0ffee", "#000000", "#000000"),
        ("#000000", "#ffffff", "#000000"),
        ("#ffffff", "#000000", "#000000"),
    ] {
        let html = placed(accent);
        assert!(html.contains(&format!("background: {accent}; color: {on_it}; text-decoration")), "{accent}");
        assert!(html.contains(&format!("a {{ color: {link}; }}")), "{accent}");
        assert!(contrast(accent, button_color(accent)) >= 4.5, "{accent}");
    }
    for level in 0..=255_u8 {
        let grey = format!("#{level:02x}{level:02x}{level:02x}");
        assert!(
            contrast(&grey, button_color(&grey)) >= 4.5 && contrast(link_color(&grey), WHITE) >= 4.5,
            "{grey}"
        );
    }
    assert!((contrast("#000000", "#ffffff") - 21.0).abs() < 1e-9);
}

#[test]
fn a_subject_is_one_line() {
    let texts = own("a\nBcc: x@example.com", "t", "h");
    assert_eq!(filled("order_placed", Some(&texts), "en", "s").unwrap().subject, "a Bcc: x@example.com");
}

#[test]
fn bad_templates_are_refused_with_line_and_reason() {
    let kind = kind_of("order_placed").unwrap();
    let began = Instant::now();
    for (html, line, reason) in [
        ("<p>\n{{ order.nmae }}", 2, "there is no `order.nmae` here"),
        ("\n\n{% if order.nope %}x{% endif %}", 3, "there is no `order.nope` here"),
        ("{{ customer.password }}", 1, "there is no `customer.password` here"),
        ("{% for line in order.lines %}\n{{ line.titel }}\n{% endfor %}", 2, "is not there"),
        ("{{ order.discount | money }}", 1, ""),
        ("{% include \"layout.html\" %}", 1, "cannot be included"),
        ("\n{%- import \"a\" as b -%}", 2, "cannot be imported"),
        ("{% extends \"de/order_placed/body.html\" %}", 1, "only \"layout.html\" can be extended"),
        ("{% extends order.name %}", 1, "only \"layout.html\" can be extended"),
        ("{% for i in range(1000000000) %}x{% endfor %}", 1, "there is no `range` here"),
        (
            "{% for a in order.lines %}{% for b in order.lines %}{% for c in order.lines %}{% for d in order.lines %}",
            1,
            "",
        ),
        ("{% set x = order.name %}", 1, "names cannot be defined"),
        ("{{ order.name ~ order.name }}", 1, "`~` cannot be used"),
        ("{{ \"x\" * 1000000000 }}", 1, "`*` cannot be used"),
        ("{{ \"}}\" ~ order.name }}", 1, "`~` cannot be used"),
        ("{{ '\\'}}' ~ order.name }}", 1, "`~` cannot be used"),
        ("{% macro m() %}{% endmacro %}", 1, "macros cannot be defined"),
        ("<p>\n{{ order.name", 2, "syntax error"),
        ("{{ order.name | nope }}", 1, "unknown filter"),
        ("{{ order.name() }}", 1, ""),
        ("{{ debug() }}", 1, "there is no `debug` here"),
        ("{% if order.name is divisibleby 2 %}{% endif %}", 1, "unknown test"),
    ] {
        let mistakes = check(kind, &own("s", "t", html), "en").unwrap_err();
        assert_eq!(mistakes.len(), 1, "{html}: {mistakes:?}");
        assert_eq!((mistakes[0].pointer, mistakes[0].line), ("/html", line), "{html}: {mistakes:?}");
        assert!(mistakes[0].reason.contains(reason), "{html}: {mistakes:?}");
    }
    let all = check(kind, &own("{{ a }}", "{{ b }}", "{{ c }}"), "en").unwrap_err();
    assert_eq!(all.iter().map(|mistake| mistake.pointer).collect::<Vec<_>>(), ["/subject", "/text", "/html"]);
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

#[test]
fn good_templates_pass() {
    let kind = kind_of("order_placed").unwrap();
    let html = "{% extends 'layout.html' %}{# a + b ~ c #}{% block body %}<h1>Hi {{ order.name | upper }}</h1>\
        {% for line in order.lines %}{{ loop.index }} {{ line.title }}{% if line.sku %} {{ line.sku }}{% endif %}{% endfor %}\
        {% if order.discount %}{{ order.discount | money }}{% endif %}{{ order.shipping_title | default(\"a + b\") }}\
        {{ brand.footer }}{{ store }}{% endblock %}";
    assert_eq!(check(kind, &own("{{ store }}", "{{ order.lines | length }}", html), "de"), Ok(()));
    let mail = filled("order_placed", Some(&own("s", "t", html)), "de", "Tee").unwrap();
    assert!(mail.html.contains("<h1>Hi #1001</h1>1 Enamel mug MUG-BLUE2 Green tea"), "{}", mail.html);
}

#[test]
fn what_became_endless_ends_when_it_is_sent() {
    let mut facts = sample("order_placed");
    facts["lines"] = (0..300).map(|_| facts["lines"][0].clone()).collect();
    let nested = "{% for a in order.lines %}{% for b in order.lines %}{{ a.title }}{{ b.title }}{% endfor %}{% endfor %}";
    let kind = kind_of("order_placed").unwrap();
    assert_eq!(check(kind, &own("s", "t", nested), "en"), Ok(()));
    let began = Instant::now();
    let error = render(kind, Some(&own("s", "t", nested)), "en", &looks("s"), &facts).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OutOfFuel);
    assert!(began.elapsed() < Duration::from_secs(2));
}
