//! Channels and publications. Pure.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Bool, Nullable, Text as SqlText, Timestamptz, Uuid as SqlUuid};
use serde::{Deserialize, Serialize};
use souk_api::FieldError;
use souk_kernel::{SalesChannelId, Text};
use utoipa::ToSchema;

/// Somewhere products are sold.
#[derive(Clone, Debug, QueryableByName, Serialize, ToSchema)]
pub struct ChannelView {
    #[diesel(sql_type = SqlUuid)]
    pub id: SalesChannelId,
    #[diesel(sql_type = SqlText)]
    #[schema(example = "Online store")]
    pub name: String,
    /// Seen without a key, and with one of no channel.
    #[diesel(sql_type = Bool)]
    pub is_default: bool,
    /// Whether new products are published on it.
    #[diesel(sql_type = Bool)]
    pub publishes_new: bool,
    /// Products that are published on it now, whether for sale or not.
    #[diesel(sql_type = BigInt)]
    #[schema(example = 12)]
    pub product_count: i64,
    /// Grows with every change of its own; the ETag.
    #[diesel(sql_type = BigInt)]
    pub version: i64,
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    pub updated_at: DateTime<Utc>,
}

/// A new channel. Nothing is published on it.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Shop floor"}))]
pub struct CreateChannel {
    #[schema(value_type = String, example = "Shop floor")]
    pub name: Text<80>,
    /// Whether new products shall be published on it.
    #[serde(default)]
    #[schema(default = false)]
    pub publishes_new: bool,
}

/// What is left out stays.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"publishes_new": true}))]
pub struct EditChannel {
    #[schema(value_type = Option<String>)]
    pub name: Option<Text<80>>,
    pub publishes_new: Option<bool>,
}

/// From when on a product is sold on a channel, and until when.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({}))]
pub struct Publish {
    /// At once when left out. Until then it is not there.
    pub publish_at: Option<DateTime<Utc>>,
    /// For good when left out.
    pub unpublish_at: Option<DateTime<Utc>>,
}

impl Publish {
    /// Whether it is there at once.
    pub fn at_once(&self) -> bool {
        self.publish_at.is_none()
    }

    /// Times that are to come, the later one later.
    ///
    /// # Errors
    /// The one that is not.
    pub fn check(&self, now: DateTime<Utc>) -> Result<(), FieldError> {
        if self.publish_at.is_some_and(|at| at <= now) {
            return Err(FieldError::new(
                "/publish_at",
                "out_of_range",
                "must be in the future, or left out for now",
            ));
        }
        let from = self.publish_at.unwrap_or(now);
        if self.unpublish_at.is_some_and(|at| at <= from) {
            return Err(FieldError::new(
                "/unpublish_at",
                "out_of_range",
                "must be later than it is published",
            ));
        }
        Ok(())
    }
}

/// A channel as people write it down.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct ChannelName {
    #[diesel(sql_type = SqlUuid)]
    pub id: SalesChannelId,
    #[diesel(sql_type = SqlText)]
    pub name: String,
    #[diesel(sql_type = Bool)]
    pub is_default: bool,
}

/// Whether a product is there on a channel, and when that changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, QueryableByName)]
pub struct Placement {
    #[diesel(sql_type = Bool)]
    pub published: bool,
    /// None once it is there.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub publish_at: Option<DateTime<Utc>>,
    /// None once it is not.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub unpublish_at: Option<DateTime<Utc>>,
}

impl Placement {
    /// As somebody said it some time ago: times that are over have had their effect. `published` is what it was then, if they said it.
    ///
    /// # Errors
    /// It would go before it comes.
    pub fn of(
        published: Option<bool>,
        publish_at: Option<DateTime<Utc>>,
        unpublish_at: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Result<Self, FieldError> {
        if publish_at.zip(unpublish_at).is_some_and(|(from, until)| until <= from) {
            let message = "must be later than it is published";
            return Err(FieldError::new("/unpublish_at", "out_of_range", message));
        }
        let (coming, going) = (publish_at.filter(|at| *at > now), unpublish_at.filter(|at| *at > now));
        let came = publish_at.is_some() || published.unwrap_or(true);
        let is_there = coming.is_none() && came && unpublish_at.is_none_or(|at| at > now);
        let comes = is_there || coming.is_some();
        Ok(Self { published: is_there, publish_at: coming, unpublish_at: going.filter(|_| comes) })
    }
}

/// Whether a product is sold on a channel.
#[derive(Clone, Debug, QueryableByName, Serialize, ToSchema)]
pub struct PublicationView {
    #[diesel(sql_type = SqlUuid)]
    pub channel: SalesChannelId,
    #[diesel(sql_type = SqlText)]
    #[schema(example = "Online store")]
    pub channel_name: String,
    /// Whether it is there now. Shoppers see it if it is active as well.
    #[diesel(sql_type = Bool)]
    pub published: bool,
    /// When it will be; null once it is.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub publish_at: Option<DateTime<Utc>>,
    /// When it will be there no more; null once it is not.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub unpublish_at: Option<DateTime<Utc>>,
}

#[cfg(test)]
mod rules {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn what_was_said_some_time_ago_is_so_now() {
        let now = DateTime::UNIX_EPOCH + TimeDelta::days(20_000);
        let hours = |hours: Option<i64>| hours.map(|hours| now + TimeDelta::hours(hours));
        let placed = |published, from, until| {
            let seen = Placement::of(published, hours(from), hours(until), now);
            seen.map(|seen| (seen.published, seen.publish_at.is_some(), seen.unpublish_at.is_some()))
                .map_err(|error| error.pointer.to_string())
        };
        for (said, seen) in [
            ((None, None, None), (true, false, false)),
            ((Some(true), None, None), (true, false, false)),
            ((Some(false), None, None), (false, false, false)),
            ((Some(true), None, Some(1)), (true, false, true)),
            ((Some(true), None, Some(-1)), (false, false, false)),
            ((Some(false), Some(1), None), (false, true, false)),
            ((Some(false), Some(1), Some(2)), (false, true, true)),
            ((Some(false), Some(-2), Some(1)), (true, false, true)),
            ((Some(false), Some(-2), Some(-1)), (false, false, false)),
            ((Some(false), None, Some(1)), (false, false, false)),
        ] {
            assert_eq!(placed(said.0, said.1, said.2), Ok(seen), "{said:?}");
        }
        assert_eq!(placed(None, Some(2), Some(2)), Err("/unpublish_at".to_owned()));
    }

    #[test]
    fn times_come_and_in_their_order() {
        let now = DateTime::UNIX_EPOCH + TimeDelta::days(20_000);
        let hours = |hours: Option<i64>| hours.map(|hours| now + TimeDelta::hours(hours));
        let check = |from, until| {
            let wish = Publish { publish_at: hours(from), unpublish_at: hours(until) };
            wish.check(now).map_err(|error| error.pointer.to_string())
        };
        for (from, until) in [(None, None), (Some(1), None), (None, Some(1)), (Some(1), Some(2))] {
            assert_eq!(check(from, until), Ok(()));
        }
        assert_eq!(check(Some(0), None), Err("/publish_at".to_owned()));
        for (from, until) in [(None, Some(0)), (Some(2), Some(2)), (Some(2), Some(1))] {
            assert_eq!(check(from, until), Err("/unpublish_at".to_owned()));
        }
    }
}
