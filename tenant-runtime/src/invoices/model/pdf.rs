//! How an invoice looks on paper: the address where a window envelope shows it (DIN 5008), positions, what comes to what, and who sells.

use chrono::Datelike as _;
use krilla::metadata::{DateTime, Metadata};
use souk_kernel::Money;

use super::paper::{HEIGHT, Paper, PdfError, Style, WIDTH};
use super::words::{Language, Words};
use super::{Document, DocumentLine, Invoice, InvoiceKind, LineKind, Party};

const LEFT: f32 = 62.0;
const RIGHT: f32 = WIDTH - 62.0;
/// Positions end here; below is who sells.
const BOTTOM: f32 = HEIGHT - 118.0;
/// Where the columns of the positions end.
const QUANTITY: f32 = 300.0;
const UNIT: f32 = 378.0;
const RATE: f32 = 418.0;
const NET: f32 = 476.0;
/// How wide a description may be.
const DESCRIPTION: f32 = 205.0;

/// Draws it. The same document gives the same bytes.
pub fn draw(invoice: &Invoice) -> Result<Vec<u8>, PdfError> {
    let document = &invoice.document;
    let (language, words) = (document.language, document.language.words());
    let mut paper = Paper::new()?;
    head(&mut paper, invoice, words);
    titles(&mut paper, words);
    for line in &document.lines {
        position(&mut paper, line, language, words);
    }
    sums(&mut paper, invoice, words);
    notes(&mut paper, document, words);
    for sheet in 0..paper.sheets() {
        foot(&mut paper, sheet, document, words);
    }
    let title = format!("{} {}", title(invoice.kind, words), invoice.name);
    let day = document.issued_on;
    let part = |number: u32| u8::try_from(number).unwrap_or(1);
    let made = DateTime::new(u16::try_from(day.year()).unwrap_or_default())
        .month(part(day.month()))
        .day(part(day.day()));
    let metadata = Metadata::new()
        .title(title)
        .language(language.tag().to_owned())
        .authors(vec![document.seller.party.name.clone()])
        .creator("Souk".to_owned())
        .creation_date(made)
        .document_id(invoice.id.to_string());
    paper.pdf(metadata)
}

const fn title(kind: InvoiceKind, words: &Words) -> &'static str {
    match kind {
        InvoiceKind::Invoice => words.invoice,
        InvoiceKind::CreditNote => words.credit_note,
    }
}

/// An address, country last when it is not the seller's.
fn address(party: &Party, home: Option<&str>, language: Language) -> Vec<String> {
    let abroad = party.country.as_deref().filter(|code| Some(*code) != home);
    let names =
        party.company.clone().into_iter().chain(Some(party.name.clone()).filter(|name| !name.is_empty()));
    names.chain(party.lines.iter().cloned()).chain(abroad.map(|code| language.country(code))).collect()
}

fn head(paper: &mut Paper, invoice: &Invoice, words: &Words) {
    let document = &invoice.document;
    let language = document.language;
    let seller = &document.seller.party;
    let home = seller.country.as_deref();
    paper.y = 72.0;
    paper.write(LEFT, Style::bold(13.0), &seller.name);
    paper.write_up_to(RIGHT, Style::bold(20.0), title(invoice.kind, words));
    // The sender above the window, then whom it goes to.
    paper.y = 138.0;
    let sender = std::iter::once(&seller.name)
        .chain(&seller.lines)
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(" · ");
    let sender = paper.wrap(&sender, Style::faint(6.5), 250.0).into_iter().next().unwrap_or_default();
    paper.write(LEFT, Style::faint(6.5), &sender);
    paper.y = 154.0;
    let mut to = address(&document.buyer, home, language);
    if to.is_empty() {
        to.extend(document.buyer.email.clone());
    }
    to.truncate(7);
    let number = document.tax_relief.as_ref().and_then(|relief| relief.vat_number.as_deref());
    to.extend(number.map(|number| format!("{} {number}", words.vat_id)));
    for line in to.iter().take(8) {
        paper.write(LEFT, Style::plain(9.5), line);
        paper.y += 13.0;
    }
    let after_address = paper.y;
    let number = match invoice.kind {
        InvoiceKind::Invoice => words.invoice_number,
        InvoiceKind::CreditNote => words.credit_note_number,
    };
    let mut facts = vec![(number, invoice.name.clone()), (words.date, language.day(document.issued_on))];
    facts.extend(document.corrects_name.clone().map(|name| (words.corrects, name)));
    facts.push((words.order, document.order_name.clone()));
    facts.push((words.ordered_on, language.day(document.ordered_on)));
    paper.y = 154.0;
    for (what, fact) in &facts {
        paper.write(350.0, Style::faint(8.5), what);
        paper.write_up_to(RIGHT, Style::plain(8.5), fact);
        paper.y += 14.0;
    }
    if let Some(to) = &document.delivered_to {
        paper.y += 6.0;
        paper.write(350.0, Style::faint(8.5), words.delivered_to);
        paper.y += 13.0;
        for line in address(to, home, language).iter().take(8) {
            paper.write(350.0, Style::plain(8.5), line);
            paper.y += 11.5;
        }
    }
    paper.y = paper.y.max(after_address).max(258.0) + 24.0;
}

fn titles(paper: &mut Paper, words: &Words) {
    let style = Style::faint(7.5);
    paper.write(LEFT, style, words.description);
    paper.write_up_to(QUANTITY, style, words.quantity);
    paper.write_up_to(UNIT, style, words.unit_net);
    paper.write_up_to(RATE, style, words.rate);
    paper.write_up_to(NET, style, words.net);
    paper.write_up_to(RIGHT, style, words.gross);
    paper.y += 6.0;
    paper.rule(LEFT, RIGHT - LEFT, 0.8, 60);
    paper.y += 16.0;
}

/// Makes room for so much, on another sheet if need be; `true` when it is another one.
fn room(paper: &mut Paper, height: f32) -> bool {
    let full = paper.y + height > BOTTOM;
    if full {
        paper.next_sheet(72.0);
    }
    full
}

fn position(paper: &mut Paper, line: &DocumentLine, language: Language, words: &Words) {
    let (plain, faint) = (Style::plain(9.0), Style::faint(7.5));
    let name = match line.kind {
        LineKind::Allowance => format!("{} {}", words.allowance, line.title),
        LineKind::Goods | LineKind::Delivery => line.title.clone(),
    };
    let names = paper.wrap(&name, plain, DESCRIPTION);
    let discount = line.discount.map(|discount| format!("{} {}", words.discount, language.money(discount)));
    let more = [Some(line.variant_title.clone()), line.sku.clone(), discount];
    let more: Vec<String> = more.into_iter().flatten().filter(|word| !word.is_empty()).collect();
    let more = paper.wrap(&more.join(" · "), faint, DESCRIPTION);
    let lines = |count: usize, height: f32| f32::from(u16::try_from(count).unwrap_or(u16::MAX)) * height;
    if room(paper, lines(names.len(), 12.0) + lines(more.len(), 10.5) + 8.0) {
        titles(paper, words);
    }
    paper.write_up_to(QUANTITY, plain, &line.quantity.to_string());
    paper.write_up_to(UNIT, plain, &language.money(line.unit_net));
    let rates: Vec<String> = line.rates_ppm.iter().map(|ppm| language.rate(*ppm)).collect();
    paper.write_up_to(RATE, plain, &rates.join(" + "));
    paper.write_up_to(NET, plain, &language.money(line.net));
    paper.write_up_to(RIGHT, plain, &language.money(line.gross));
    for name in &names {
        paper.write(LEFT, plain, name);
        paper.y += 12.0;
    }
    for more in &more {
        paper.write(LEFT, faint, more);
        paper.y += 10.5;
    }
    paper.y -= 4.0;
    paper.rule(LEFT, RIGHT - LEFT, 0.3, 200);
    paper.y += 15.0;
}

fn sum(paper: &mut Paper, style: Style, what: &str, amount: &str) {
    paper.write(330.0, style, what);
    paper.write_up_to(RIGHT, style, amount);
    paper.y += style.size + 6.5;
}

fn sums(paper: &mut Paper, invoice: &Invoice, words: &Words) {
    let document = &invoice.document;
    let language = document.language;
    let rows = 4 + document.taxes.len() + document.paid.len();
    room(paper, f32::from(u16::try_from(rows).unwrap_or(u16::MAX)) * 16.0);
    paper.y += 4.0;
    let plain = Style::plain(9.0);
    sum(paper, plain, words.net_total, &language.money(document.net));
    for tax in &document.taxes {
        let (rate, on) = (language.rate(tax.rate_ppm), language.money(tax.taxable));
        let what = format!("{} {rate} {} {on}", tax.name, words.on);
        let what = paper.wrap(&what, plain, 130.0).join(" ");
        sum(paper, plain, what.trim(), &language.money(tax.amount));
    }
    paper.y -= 6.0;
    paper.rule(330.0, RIGHT - 330.0, 0.8, 60);
    paper.y += 16.0;
    let total = match invoice.kind {
        InvoiceKind::Invoice => words.total,
        InvoiceKind::CreditNote => words.credited,
    };
    sum(paper, Style::bold(11.0), total, &language.money(document.total));
    let mut due = Some(document.total);
    for paid in &document.paid {
        let what = format!("{} {}", words.paid_with, language.method(&paid.method));
        sum(paper, Style::faint(8.5), &what, &language.money(paid.amount));
        due = due.and_then(|due| due.checked_sub(paid.amount).ok());
    }
    if let Some(due) = due
        .filter(|due| invoice.kind == InvoiceKind::Invoice && due.is_positive() && !document.paid.is_empty())
    {
        sum(paper, Style::plain(9.0), words.still_due, &language.money(due));
    }
}

fn notes(paper: &mut Paper, document: &Document, words: &Words) {
    let language = document.language;
    let untaxed = document.taxes.iter().filter(|tax| tax.amount == Money::zero(tax.amount.currency()));
    let mut notes: Vec<&str> = untaxed.filter_map(|tax| language.reason(&tax.reason)).collect();
    notes.dedup();
    notes.extend(document.tax_relief.as_ref().and_then(|relief| relief.certificate.as_deref()));
    notes.push(words.supply);
    paper.y += 18.0;
    for note in notes {
        for line in paper.wrap(note, Style::faint(8.0), RIGHT - LEFT) {
            room(paper, 12.0);
            paper.write(LEFT, Style::faint(8.0), &line);
            paper.y += 12.0;
        }
    }
}

fn foot(paper: &mut Paper, sheet: usize, document: &Document, words: &Words) {
    let seller = &document.seller;
    let style = Style::faint(7.0);
    paper.rule_on(sheet, LEFT, HEIGHT - 92.0, RIGHT - LEFT, 0.4, 170);
    let mut who = vec![seller.party.name.clone()];
    who.extend(seller.party.lines.iter().cloned());
    who.extend(seller.party.country.as_deref().map(|code| document.language.country(code)));
    let numbered = |what: &str, id: &Option<String>| id.as_ref().map(|id| format!("{what} {id}"));
    let ids = [numbered(words.vat_id, &seller.vat_id), numbered(words.tax_number, &seller.tax_number)];
    let ids = ids.into_iter().chain([seller.registration.clone(), seller.party.email.clone()]);
    let columns = [
        (LEFT, who.join("\n"), 145.0),
        (LEFT + 158.0, ids.flatten().collect::<Vec<_>>().join("\n"), 150.0),
        (LEFT + 320.0, seller.footer.clone(), RIGHT - LEFT - 320.0),
    ];
    for (x, text, width) in columns {
        for (row, line) in paper.wrap(&text, style, width).iter().take(6).enumerate() {
            let y = f32::from(u16::try_from(row).unwrap_or_default()).mul_add(9.0, HEIGHT - 80.0);
            paper.write_on(sheet, x, y, style, line);
        }
    }
    let page = format!("{} {} {} {}", words.page, sheet + 1, words.of, paper.sheets());
    paper.write_on_up_to(sheet, RIGHT, HEIGHT - 24.0, style, &page);
}
