//! Filling a template: the committed ones, and a merchant's in a sandbox.
//!
//! A merchant's text sees the facts of its mail and nothing else. It can loop over them and ask, but not define, repeat or concatenate: so
//! no value grows, the steps are counted, and what comes out is cut off. A loop of 10⁹ ends in a refusal within milliseconds.

use std::io::{self, Write};
use std::sync::LazyLock;

use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior, Value, context, filters, tests};
use serde::Serialize;
use souk_kernel::{Currency, Money};

use super::kinds::{COMMITTED, KINDS, LANGUAGES, MailKind, language_of, optional, sample};

/// Steps a template may take.
const FUEL: u64 = 50_000;
/// Bytes that may come out of one part.
const LONGEST: usize = 256 * 1024;
/// Blocks inside blocks.
const DEEPEST: usize = 40;
/// The one template that others may extend.
const LAYOUT: &str = "layout.html";
/// Tags that bring in other templates, or make values that can grow.
const REFUSED: [(&str, &str); 10] = [
    ("include", "other templates cannot be included; extend \"layout.html\" instead"),
    ("import", "other templates cannot be imported"),
    ("from", "other templates cannot be imported"),
    ("set", "names cannot be defined; write the expression where it is needed"),
    ("with", "names cannot be defined; write the expression where it is needed"),
    ("macro", "macros cannot be defined"),
    ("call", "macros cannot be called"),
    ("do", "nothing can be done, only shown"),
    ("filter", "filter single values: {{ value | upper }}"),
    ("autoescape", "what is shown in HTML is always escaped; write {{ value | safe }} where it is HTML"),
];

/// Committed files, so a template that does not parse fails the tests, not a sale.
static TEMPLATES: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_fuel(Some(FUEL));
    environment.add_filter("money", money);
    environment.add_filter("betrag", betrag);
    for (name, text) in COMMITTED {
        if let Err(error) = environment.add_template(name, text) {
            tracing::error!(%error, name, "a committed template does not parse");
        }
    }
    environment
});

fn sandbox(undefined: UndefinedBehavior) -> Environment<'static> {
    let mut environment = Environment::empty();
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(DEEPEST);
    environment.set_undefined_behavior(undefined);
    environment.add_filter("money", money);
    environment.add_filter("betrag", betrag);
    environment.add_filter("safe", filters::safe);
    environment.add_filter("escape", filters::escape);
    environment.add_filter("e", filters::escape);
    environment.add_filter("upper", filters::upper);
    environment.add_filter("lower", filters::lower);
    environment.add_filter("title", filters::title);
    environment.add_filter("capitalize", filters::capitalize);
    environment.add_filter("trim", filters::trim);
    environment.add_filter("length", filters::length);
    environment.add_filter("first", filters::first);
    environment.add_filter("last", filters::last);
    environment.add_filter("default", filters::default);
    environment.add_filter("round", filters::round);
    environment.add_filter("abs", filters::abs);
    environment.add_test("defined", tests::is_defined);
    environment.add_test("undefined", tests::is_undefined);
    environment.add_test("none", tests::is_none);
    environment.add_test("string", tests::is_string);
    environment.add_test("number", tests::is_number);
    if let Some((name, text)) = COMMITTED.iter().find(|(name, _)| *name == LAYOUT)
        && let Err(error) = environment.add_template(name, text)
    {
        tracing::error!(%error, "the layout does not parse");
    }
    environment
}

/// As mails are filled: what is missing is left out.
static SENDING: LazyLock<Environment<'static>> = LazyLock::new(|| sandbox(UndefinedBehavior::Chainable));
/// As texts are checked: what is missing is a mistake, except where it is asked for.
static CHECKING: LazyLock<Environment<'static>> = LazyLock::new(|| sandbox(UndefinedBehavior::SemiStrict));

/// `{"amount_minor": 1299, "currency": "EUR"}` → `12.99 EUR`.
fn money(value: &Value) -> Result<String, Error> {
    let unreadable = || Error::new(ErrorKind::InvalidOperation, "money needs amount_minor and currency");
    let minor = value.get_attr("amount_minor")?.as_i64().ok_or_else(unreadable)?;
    let currency = value.get_attr("currency")?;
    let currency: Currency = currency.as_str().and_then(|code| code.parse().ok()).ok_or_else(unreadable)?;
    Ok(format!("{} {currency}", Money::new(minor, currency).decimal_string()))
}

/// The same as Germans write it: `12,99 EUR`.
fn betrag(value: &Value) -> Result<String, Error> {
    money(value).map(|text| text.replace('.', ","))
}

/// How a mail looks, and in whose name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Looks {
    /// The store's name.
    pub store: String,
    pub logo_url: Option<String>,
    /// `#rrggbb`
    pub accent_color: String,
    pub footer: String,
}

/// A subject and two bodies, as templates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Texts {
    pub subject: String,
    pub text: String,
    pub html: String,
}

impl Texts {
    fn parts(&self) -> [(&'static str, &'static str, &str); 3] {
        [
            ("/subject", "subject.txt", &self.subject),
            ("/text", "body.txt", &self.text),
            ("/html", "body.html", &self.html),
        ]
    }
}

/// A mail as it leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    pub subject: String,
    pub text: String,
    pub html: String,
}

/// The committed texts of a kind in the locale's language, else in English.
pub fn committed(kind: &MailKind, locale: &str) -> Texts {
    let folder =
        if language_of(locale) == "en" { String::new() } else { format!("{}/", language_of(locale)) };
    let text = |file: &str| {
        let name = format!("{folder}{}/{file}", kind.name);
        COMMITTED
            .iter()
            .find(|(known, _)| *known == name)
            .map_or_else(String::new, |(_, text)| (*text).to_owned())
    };
    Texts { subject: text("subject.txt"), text: text("body.txt"), html: text("body.html") }
}

const INK: &str = "#000000";
const WHITE: &str = "#ffffff";

/// Relative luminance as WCAG 2.2 has it, of `#rrggbb`.
fn luminance(color: &str) -> f64 {
    let part = |from: usize| {
        let value = color.get(from..from + 2).and_then(|hex| u8::from_str_radix(hex, 16).ok()).unwrap_or(0);
        let share = f64::from(value) / 255.0;
        if share <= 0.040_45 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5)
}

fn contrast(one: &str, other: &str) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// What can be read on a button of the store's colour.
fn button_color(accent: &str) -> &'static str {
    if contrast(accent, WHITE) >= contrast(accent, INK) { WHITE } else { INK }
}

/// The store's colour for links on white, if it can be read there.
fn link_color(accent: &str) -> &str {
    if contrast(accent, WHITE) >= 4.5 { accent } else { INK }
}

fn values(locale: &str, looks: &Looks, event: &serde_json::Value) -> Result<Value, Error> {
    let event: Value = serde_json::from_value(event.clone()).map_err(|error| {
        Error::new(ErrorKind::InvalidOperation, "the event cannot be shown").with_source(error)
    })?;
    let mut brand = serde_json::to_value(looks).unwrap_or_default();
    brand["button_color"] = button_color(&looks.accent_color).into();
    brand["link_color"] = link_color(&looks.accent_color).into();
    let brand: Value = serde_json::from_value(brand).map_err(|error| {
        Error::new(ErrorKind::InvalidOperation, "the looks cannot be shown").with_source(error)
    })?;
    // What happened is `event`; an event about an order says `order` too, a letter about an account `account`.
    Ok(context! {
        store => looks.store.clone(), brand, language => language_of(locale),
        order => event.clone(), account => event.clone(), event,
    })
}

/// Bytes up to a limit.
struct Cup(Vec<u8>);

impl Write for Cup {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > LONGEST {
            return Err(io::Error::other("longer than 256 KiB"));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn fill(environment: &Environment<'_>, file: &str, text: &str, values: &Value) -> Result<String, Error> {
    let mut cup = Cup(Vec::new());
    environment.template_from_named_str(file, text)?.render_captured_to(values.clone(), &mut cup)?;
    String::from_utf8(cup.0).map_err(|error| {
        Error::new(ErrorKind::InvalidOperation, "what came out is no text").with_source(error)
    })
}

/// One line of at most 250 characters, whatever a product is called: a header ends where its line ends.
fn line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(250).collect()
}

/// Fills the store's own texts, or the committed ones in the locale's language, else in English. The event's data is there as `event`,
/// `order` and `account`.
///
/// # Errors
/// A merchant's template that does not parse, names what is not there, or takes too many steps.
pub fn render(
    kind: &MailKind,
    own: Option<&Texts>,
    locale: &str,
    looks: &Looks,
    event: &serde_json::Value,
) -> Result<Rendered, Error> {
    let values = values(locale, looks, event)?;
    let folder =
        if language_of(locale) == "en" { String::new() } else { format!("{}/", language_of(locale)) };
    let part = |file: &str, own: Option<&str>| match own {
        Some(text) => fill(&SENDING, file, text, &values),
        None => TEMPLATES.get_template(&format!("{folder}{}/{file}", kind.name))?.render(&values),
    };
    Ok(Rendered {
        subject: line(&part("subject.txt", own.map(|own| own.subject.as_str()))?),
        text: part("body.txt", own.map(|own| own.text.as_str()))?,
        html: part("body.html", own.map(|own| own.html.as_str()))?,
    })
}

/// Every mail in every language as it is without a store's own words, filled with made-up facts: `order_placed.de` and what it looks like.
pub fn samples() -> impl Iterator<Item = (String, Result<Rendered, Error>)> {
    let looks = Looks { store: "Tea & Tales".to_owned(), ..Looks::default() };
    let looks =
        Looks { accent_color: "#1a56db".to_owned(), footer: "Lindenweg 1, 10117 Berlin".to_owned(), ..looks };
    KINDS.iter().flat_map(move |kind| {
        let looks = looks.clone();
        LANGUAGES.into_iter().map(move |language| {
            (format!("{}.{language}", kind.name), render(kind, None, language, &looks, &sample(kind.name)))
        })
    })
}

/// What is wrong with a text, where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// `/subject`, `/text` or `/html`.
    pub pointer: &'static str,
    pub line: usize,
    pub reason: String,
}

/// Checks texts as they are saved: they parse, bring in nothing, name only what there is, and fill from made-up facts, with and without
/// what is not always there.
///
/// # Errors
/// The first mistake of each part.
pub fn check(kind: &MailKind, texts: &Texts, locale: &str) -> Result<(), Vec<Mistake>> {
    let whole = sample(kind.name);
    let mut bare = whole.clone();
    for name in optional(kind.name) {
        if let Some(object) = bare.as_object_mut() {
            object.remove(*name);
        }
    }
    let looks =
        Looks { store: "Acme Mugs".to_owned(), accent_color: "#1a56db".to_owned(), ..Looks::default() };
    let mistakes: Vec<Mistake> = texts
        .parts()
        .into_iter()
        .filter_map(|(pointer, file, text)| {
            let found = forbidden(text).or_else(|| unknown(file, text, &whole)).or_else(|| {
                [&whole, &bare].into_iter().find_map(|facts| {
                    let values = values(locale, &looks, facts).ok()?;
                    fill(&CHECKING, file, text, &values).err().map(|error| told(&error))
                })
            });
            found.map(|(line, reason)| Mistake { pointer, line, reason })
        })
        .collect();
    if mistakes.is_empty() { Ok(()) } else { Err(mistakes) }
}

/// What is wrong with a text that what really happened could not be filled into.
pub fn mistake(error: &Error) -> Mistake {
    let pointer = match error.name() {
        Some("subject.txt") => "/subject",
        Some("body.txt") => "/text",
        _ => "/html",
    };
    let (line, reason) = told(error);
    Mistake { pointer, line, reason }
}

fn told(error: &Error) -> (usize, String) {
    let reason = match error.kind() {
        ErrorKind::OutOfFuel => format!("takes more than {FUEL} steps"),
        ErrorKind::WriteFailure => "more than 256 KiB come out".to_owned(),
        ErrorKind::UndefinedError => {
            "shows something that is not there, or not always: ask first with {% if … %}".to_owned()
        }
        kind => match error.detail() {
            Some(detail) => format!("{kind}: {detail}"),
            None => kind.to_string(),
        },
    };
    (error.line().unwrap_or(1), reason)
}

/// Names that no mail of this kind has, in whatever branch.
fn unknown(file: &str, text: &str, facts: &serde_json::Value) -> Option<(usize, String)> {
    let template = CHECKING.template_from_named_str(file, text).ok()?;
    let mut names: Vec<String> = template.undeclared_variables(true).into_iter().collect();
    names.sort_unstable();
    names.into_iter().find_map(|name| {
        let mut steps = name.split('.');
        let known = match steps.next()? {
            "store" | "language" => steps.next().is_none(),
            "brand" => steps
                .next()
                .is_none_or(|part| ["store", "logo_url", "accent_color", "footer"].contains(&part)),
            "order" | "account" | "event" => steps
                .try_fold(facts, |at, step| if at.is_object() { at.get(step) } else { Some(at) })
                .is_some(),
            // Blocks know these.
            "super" | "self" | "loop" => true,
            _ => false,
        };
        let last = name.rsplit('.').next().unwrap_or(&name);
        let line = text.lines().position(|line| line.contains(last)).map_or(1, |line| line + 1);
        (!known).then(|| (line, format!("there is no `{name}` here; GET shows what there is in `sample`")))
    })
}

/// Tags and operators a merchant's template may not have: where and why.
fn forbidden(text: &str) -> Option<(usize, String)> {
    let mut rest = text;
    let mut line = 1;
    while let Some(start) = rest.find('{') {
        line += rest[..start].matches('\n').count();
        let tag = &rest[start..];
        let (end, inside) = match tag.as_bytes().get(1) {
            Some(b'#') => ("#}", false),
            Some(b'%') => ("%}", true),
            Some(b'{') => ("}}", true),
            _ => {
                rest = &tag[1..];
                continue;
            }
        };
        // One that does not end is the parser's to complain about.
        let length = if inside { end_of(tag, end)? } else { tag.find(end)? + 2 };
        if inside && let Some(reason) = refused(&tag[2..length - 2], end == "%}") {
            return Some((line, reason));
        }
        line += tag[..length].matches('\n').count();
        rest = &tag[length..];
    }
    None
}

/// Where a tag ends: quoted ends are none.
fn end_of(tag: &str, end: &str) -> Option<usize> {
    let (mut quote, mut escaped) = (None, false);
    for (at, letter) in tag.char_indices().skip(2) {
        match quote {
            Some(_) if escaped => escaped = false,
            Some(_) if letter == '\\' => escaped = true,
            Some(open) => quote = (letter != open).then_some(open),
            None if letter == '"' || letter == '\'' => quote = Some(letter),
            None if tag[at..].starts_with(end) => return Some(at + end.len()),
            None => {}
        }
    }
    None
}

fn refused(inside: &str, is_block: bool) -> Option<String> {
    let code = inside.trim_matches(['-', '+']).trim();
    if is_block {
        let word: String = code.chars().take_while(char::is_ascii_alphabetic).collect();
        if let Some((_, reason)) = REFUSED.iter().find(|(refused, _)| *refused == word) {
            return Some((*reason).to_owned());
        }
        if word == "extends" {
            let name = code["extends".len()..].trim().trim_matches(['"', '\'']);
            return (name != LAYOUT).then(|| format!("only \"{LAYOUT}\" can be extended"));
        }
    }
    let (mut quote, mut escaped) = (None, false);
    for letter in code.chars() {
        match quote {
            Some(_) if escaped => escaped = false,
            Some(_) if letter == '\\' => escaped = true,
            Some(open) => quote = (letter != open).then_some(open),
            None if letter == '"' || letter == '\'' => quote = Some(letter),
            None if matches!(letter, '~' | '+' | '*') => {
                return Some(format!(
                    "`{letter}` cannot be used; put things beside each other: {{{{ a }}}}{{{{ b }}}}"
                ));
            }
            None => {}
        }
    }
    None
}

#[cfg(test)]
mod rules;
