//! The store's own words.

use souk_api::{ETag, IfMatch};
use souk_tenancy::{ReadTx, WriteTx};

use super::shown;
use crate::messages::error::MessageError;
use crate::messages::model::kinds::{optional, sample};
use crate::messages::model::{
    KINDS, LANGUAGES, MailKind, MailKindView, MessageDetailView, PreviewWish, PutTemplate, Rendered,
    TemplateView, TestWish, Texts, VersionView, kind_of, template,
};
use crate::messages::queries;
use crate::messages::queries::templates::OwnTemplate;
use crate::settings as store_settings;
use crate::storefront::PublicAddress;

/// Tries that a store may send in a day.
const TRIES: i64 = 50;
/// Locales that a store may have words of its own for.
const MOST_LOCALES: usize = 50;

fn known(kind: &str) -> Result<&'static MailKind, MessageError> {
    kind_of(kind).ok_or(MessageError::Unknown)
}

/// A language tag such as `de` or `de-AT`.
fn sound(locale: &str) -> Result<(), MessageError> {
    let mut parts = locale.split('-');
    let language = parts
        .next()
        .is_some_and(|part| matches!(part.len(), 2 | 3) && part.bytes().all(|b| b.is_ascii_lowercase()));
    let rest =
        parts.all(|part| (2..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()));
    if language && rest && locale.len() <= 35 { Ok(()) } else { Err(MessageError::Unknown) }
}

/// Every mail there is. One statement.
pub async fn kinds(tx: &mut ReadTx<'_>) -> Result<Vec<MailKindView>, MessageError> {
    let own = queries::templates::all(tx).await?;
    let view = |kind: &'static MailKind| {
        let own: Vec<String> =
            own.iter().filter(|row| row.name == kind.name).map(|row| row.locale.clone()).collect();
        let mut locales: Vec<String> = LANGUAGES.into_iter().map(str::to_owned).collect();
        locales.extend(own.iter().filter(|locale| !LANGUAGES.contains(&locale.as_str())).cloned());
        MailKindView {
            kind: kind.name,
            audience: kind.audience,
            purpose: kind.purpose.as_str(),
            about: kind.about,
            locales,
            own,
        }
    };
    Ok(KINDS.iter().map(view).collect())
}

/// The texts in force: the store's own in exactly this locale, or those that would be sent instead.
pub async fn show(tx: &mut ReadTx<'_>, kind: &str, locale: &str) -> Result<TemplateView, MessageError> {
    let kind = known(kind)?;
    sound(locale)?;
    Ok(view(kind, locale, queries::templates::own(tx, kind.name, locale).await?))
}

fn view(kind: &MailKind, locale: &str, own: Option<OwnTemplate>) -> TemplateView {
    let (version, updated_at) = own.as_ref().map_or((0, None), |own| (own.version, Some(own.updated_at)));
    let is_own = own.is_some();
    let texts = own.map_or_else(|| template::committed(kind, locale), Texts::from);
    TemplateView {
        kind: kind.name.to_owned(),
        locale: locale.to_owned(),
        own: is_own,
        version,
        subject: texts.subject,
        text: texts.text,
        html: texts.html,
        updated_at,
        sample: sample(kind.name),
        optional: optional(kind.name).to_vec(),
    }
}

/// Keeps the store's own words, checked, as a new version.
///
/// # Errors
/// [`MessageError::Mistakes`] with line and reason; 412 when somebody was faster.
pub async fn put(
    tx: &mut WriteTx<'_>,
    kind: &str,
    locale: &str,
    seen: &IfMatch,
    wish: &PutTemplate,
    actor: &str,
) -> Result<TemplateView, MessageError> {
    let kind = known(kind)?;
    sound(locale)?;
    let before = queries::templates::lock(tx, kind.name, locale).await?;
    if seen.is_given() {
        let version = before.as_ref().map_or(0, |own| own.version);
        seen.check(&ETag::new(version)).map_err(MessageError::Precondition)?;
    }
    let texts = wish.texts();
    template::check(kind, &texts, locale).map_err(MessageError::Mistakes)?;
    if before.is_none() && queries::templates::all(tx).await?.len() >= MOST_LOCALES * KINDS.len() {
        return Err(MessageError::TooMany);
    }
    let row = queries::templates::put(tx, kind.name, locale, &texts, actor).await?;
    Ok(view(kind, locale, Some(row)))
}

/// Back to the committed texts. The history stays.
///
/// # Errors
/// [`MessageError::Unknown`] when there are no words of the store's own.
pub async fn remove(tx: &mut WriteTx<'_>, kind: &str, locale: &str) -> Result<(), MessageError> {
    let kind = known(kind)?;
    if queries::templates::remove(tx, kind.name, locale).await? { Ok(()) } else { Err(MessageError::Unknown) }
}

/// Every version there was, newest first.
pub async fn versions(
    tx: &mut ReadTx<'_>,
    kind: &str,
    locale: &str,
    before: Option<i64>,
    most: i64,
) -> Result<Vec<VersionView>, MessageError> {
    let kind = known(kind)?;
    sound(locale)?;
    Ok(queries::templates::versions(tx, kind.name, locale, before, most).await?)
}

/// Makes the words of an earlier version a new one, if they still pass the check.
///
/// # Errors
/// [`MessageError::Unknown`]; [`MessageError::Mistakes`] when what they name is gone.
pub async fn restore(
    tx: &mut WriteTx<'_>,
    kind: &str,
    locale: &str,
    version: i64,
    actor: &str,
) -> Result<TemplateView, MessageError> {
    let kind = known(kind)?;
    sound(locale)?;
    queries::templates::lock(tx, kind.name, locale).await?;
    let found =
        queries::templates::version(tx, kind.name, locale, version).await?.ok_or(MessageError::Unknown)?;
    let texts = found.texts();
    template::check(kind, &texts, locale).map_err(MessageError::Mistakes)?;
    let row = queries::templates::put(tx, kind.name, locale, &texts, actor).await?;
    Ok(view(kind, locale, Some(row)))
}

/// A mail as it would leave.
///
/// # Errors
/// [`MessageError::Mistakes`] of a draft; [`MessageError::Field`] of what it is to be shown with.
pub async fn preview(
    tx: &mut ReadTx<'_>,
    kind: &str,
    locale: &str,
    wish: &PreviewWish,
    address: &PublicAddress,
) -> Result<Rendered, MessageError> {
    let kind = known(kind)?;
    sound(locale)?;
    let facts = shown::facts(tx, kind, wish.real(), address).await?;
    let texts = match &wish.draft {
        Some(draft) => Some(checked(kind, locale, draft)?),
        None => queries::templates::in_force(tx, kind.name, locale).await?,
    };
    let store = store_settings::current(tx).await?;
    let looks = queries::settings::current(tx).await?.looks(&store.name);
    let shown = template::render(kind, texts.as_ref(), locale, &looks, &facts);
    // Such a mail would leave in the committed words; whoever looks wants to know why.
    shown.map_err(|error| match texts {
        Some(_) => MessageError::Mistakes(vec![template::mistake(&error)]),
        None => error.into(),
    })
}

fn checked(kind: &MailKind, locale: &str, draft: &PutTemplate) -> Result<Texts, MessageError> {
    let texts = draft.texts();
    template::check(kind, &texts, locale).map_err(MessageError::Mistakes)?;
    Ok(texts)
}

/// Sends a try. It is a mail like any other: logged, held against the suppression list.
///
/// # Errors
/// [`MessageError::TooManyTries`] after 50 in a day: nobody sends mass mail this way.
pub async fn send_try(
    tx: &mut WriteTx<'_>,
    kind: &str,
    locale: &str,
    wish: &TestWish,
    address: &PublicAddress,
) -> Result<MessageDetailView, MessageError> {
    let mail = preview(tx, kind, locale, &wish.preview(), address).await?;
    let kind = known(kind)?;
    if queries::tries(tx).await? >= TRIES {
        return Err(MessageError::TooManyTries);
    }
    let row = queries::NewMessage {
        event: None,
        slot: None,
        kind,
        recipient: wish.to.as_str(),
        unsubscribe_url: None,
        locale,
        mail: Rendered { subject: format!("[test] {}", mail.subject), ..mail },
        invoice: None,
    };
    let id = queries::insert(tx, row).await?;
    super::show(tx, id).await
}
