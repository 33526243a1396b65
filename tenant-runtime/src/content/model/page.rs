//! Pages: what is asked for, what is kept, what is seen.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Nullable, Text as SqlText, Timestamptz, Uuid as SqlUuid};
use serde::{Deserialize, Serialize};
use souk_api::FieldError;
use souk_kernel::{Handle, Locale, LongText, PageId, Text};
use utoipa::ToSchema;

use super::{MOST_MARKUP, NewTranslation, Translation, chosen};

/// Whether shoppers see a page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PageStatus {
    /// Being written.
    Draft,
    /// They will, from `published_at` on.
    Scheduled,
    /// They do.
    #[default]
    Published,
}

impl PageStatus {
    /// The word in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Scheduled => "scheduled",
            Self::Published => "published",
        }
    }

    /// The status of a word; what is unknown is a draft.
    pub fn of(word: &str) -> Self {
        match word {
            "published" => Self::Published,
            "scheduled" => Self::Scheduled,
            _ => Self::Draft,
        }
    }
}

/// A status and the time that belongs to it: since when, or from when on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Publication {
    pub status: PageStatus,
    pub at: Option<DateTime<Utc>>,
}

impl Publication {
    /// What becomes of it by a wish. What is published stays so since when it was.
    ///
    /// # Errors
    /// A time without `scheduled`, none with it, or one that is over.
    pub fn on(
        self,
        status: Option<PageStatus>,
        publish_at: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Result<Self, FieldError> {
        let wrong = |message: &'static str| FieldError::new("/publish_at", "invalid", message);
        match (status, publish_at) {
            (None, None) => Ok(self),
            (None | Some(PageStatus::Scheduled), Some(at)) if at > now => {
                Ok(Self { status: PageStatus::Scheduled, at: Some(at) })
            }
            (None | Some(PageStatus::Scheduled), Some(_)) => Err(wrong("must be in the future")),
            (Some(PageStatus::Scheduled), None) => Err(wrong("must be given where status is scheduled")),
            (Some(_), Some(_)) => Err(wrong("must be left out unless status is scheduled")),
            (Some(PageStatus::Draft), None) => Ok(Self { status: PageStatus::Draft, at: None }),
            (Some(PageStatus::Published), None) if self.status == PageStatus::Published => Ok(self),
            (Some(PageStatus::Published), None) => Ok(Self { status: PageStatus::Published, at: Some(now) }),
        }
    }

    /// When a worker has to look, if ever.
    pub fn due(self) -> Option<DateTime<Utc>> {
        self.at.filter(|_| self.status == PageStatus::Scheduled)
    }
}

/// A new page.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"title": "About us", "body_html": "<p>There are three of us.</p>"}))]
pub struct CreatePage {
    #[schema(value_type = String, example = "About us")]
    pub title: Text<255>,
    /// Made of the title when left out.
    pub handle: Option<Handle>,
    /// HTML of at most 50,000 characters. What could run, load or pose as a form is left out of it.
    #[serde(default)]
    #[schema(value_type = String, max_length = 50_000, example = "<p>There are three of us.</p>")]
    pub body_html: LongText<MOST_MARKUP>,
    #[schema(value_type = Option<String>)]
    pub seo_title: Option<Text<255>>,
    #[schema(value_type = Option<String>)]
    pub seo_description: Option<Text<500>>,
    /// At most 30, each language once.
    #[serde(default)]
    #[schema(max_items = 30)]
    pub translations: Vec<NewTranslation>,
    /// Published at once when left out, unless `publish_at` says when.
    pub status: Option<PageStatus>,
    /// From when on shoppers see it.
    pub publish_at: Option<DateTime<Utc>>,
}

/// What is left out stays. An empty `seo_title` or `seo_description` takes it away.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"title": "About all of us"}))]
pub struct EditPage {
    #[schema(value_type = Option<String>)]
    pub title: Option<Text<255>>,
    /// The page still answers under the one it had.
    pub handle: Option<Handle>,
    #[schema(value_type = Option<String>, max_length = 50_000)]
    pub body_html: Option<LongText<MOST_MARKUP>>,
    #[schema(value_type = Option<String>)]
    pub seo_title: Option<LongText<255>>,
    #[schema(value_type = Option<String>)]
    pub seo_description: Option<LongText<500>>,
    /// In place of all that there are.
    #[schema(max_items = 30)]
    pub translations: Option<Vec<NewTranslation>>,
    pub status: Option<PageStatus>,
    /// From when on shoppers see it; makes it `scheduled`.
    pub publish_at: Option<DateTime<Utc>>,
}

/// A page, whole.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PageView {
    pub id: PageId,
    #[schema(example = "about-us")]
    pub handle: String,
    #[schema(example = "About us")]
    pub title: String,
    pub body_html: String,
    pub seo_title: Option<String>,
    pub seo_description: Option<String>,
    pub translations: Vec<Translation>,
    pub status: PageStatus,
    /// Since when shoppers see it, or from when on they will; null for a draft.
    pub published_at: Option<DateTime<Utc>>,
    /// Grows with every change; the ETag.
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// A page in a list.
#[derive(Clone, Debug, QueryableByName, Serialize, ToSchema)]
pub struct PageSummary {
    #[diesel(sql_type = SqlUuid)]
    pub id: PageId,
    #[diesel(sql_type = SqlText)]
    #[schema(example = "about-us")]
    pub handle: String,
    #[diesel(sql_type = SqlText)]
    #[schema(example = "About us")]
    pub title: String,
    /// `draft`, `scheduled` or `published`.
    #[diesel(sql_type = SqlText)]
    #[schema(example = "published")]
    pub status: String,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub published_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = BigInt)]
    pub version: i64,
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    pub updated_at: DateTime<Utc>,
}

/// A page as shoppers read it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ShopPageView {
    pub id: PageId,
    /// The one of today: another than the one asked for is where to send people.
    #[schema(example = "about-us")]
    pub handle: String,
    #[schema(example = "About us")]
    pub title: String,
    pub body_html: String,
    pub seo_title: Option<String>,
    pub seo_description: Option<String>,
    /// The language it is in; null for the shop's own.
    pub locale: Option<String>,
    pub published_at: Option<DateTime<Utc>>,
    pub updated_at: DateTime<Utc>,
}

impl ShopPageView {
    /// The page in a language, as far as there is one.
    pub fn of(page: PageView, locale: Option<&Locale>) -> Self {
        let text = chosen(&page.translations, locale, |text| text.locale.as_str()).cloned();
        let (id, handle) = (page.id, page.handle);
        let (published_at, updated_at) = (page.published_at, page.updated_at);
        match text {
            Some(text) => Self {
                id,
                handle,
                title: text.title,
                body_html: text.body_html,
                seo_title: text.seo_title,
                seo_description: text.seo_description,
                locale: Some(text.locale),
                published_at,
                updated_at,
            },
            None => Self {
                id,
                handle,
                title: page.title,
                body_html: page.body_html,
                seo_title: page.seo_title,
                seo_description: page.seo_description,
                locale: None,
                published_at,
                updated_at,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn a_page_is_a_draft_on_its_way_or_there() {
        let now = DateTime::UNIX_EPOCH + TimeDelta::days(20_000);
        let (soon, before) = (now + TimeDelta::hours(1), now - TimeDelta::hours(1));
        let draft = Publication { status: PageStatus::Draft, at: None };
        let there = Publication { status: PageStatus::Published, at: Some(before) };
        let later = Publication { status: PageStatus::Scheduled, at: Some(soon) };
        assert_eq!(draft.on(None, None, now), Ok(draft));
        assert_eq!(draft.on(None, Some(soon), now), Ok(later));
        assert_eq!(there.on(Some(PageStatus::Scheduled), Some(soon), now), Ok(later));
        assert_eq!(there.on(Some(PageStatus::Published), None, now), Ok(there));
        let fresh = Publication { status: PageStatus::Published, at: Some(now) };
        assert_eq!(later.on(Some(PageStatus::Published), None, now), Ok(fresh));
        assert_eq!(there.on(Some(PageStatus::Draft), None, now), Ok(draft));
        for (status, at) in [
            (Some(PageStatus::Scheduled), None),
            (Some(PageStatus::Scheduled), Some(now)),
            (None, Some(before)),
            (Some(PageStatus::Draft), Some(soon)),
            (Some(PageStatus::Published), Some(soon)),
        ] {
            assert!(draft.on(status, at, now).is_err(), "{status:?} {at:?}");
        }
        assert_eq!((later.due(), there.due(), draft.due()), (Some(soon), None, None));
    }
}
