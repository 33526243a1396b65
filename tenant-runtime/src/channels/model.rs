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
