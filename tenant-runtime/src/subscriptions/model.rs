//! Wishes to be told, and when staff and shoppers are.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text as SqlText, Timestamptz, Uuid as SqlUuid};
use serde::{Deserialize, Serialize};
use souk_kernel::{Email, Locale, OrderId, SubscriptionId, Text, VariantId};
use utoipa::ToSchema;

/// How long the link works that confirms a subscription.
pub const CONFIRM_WITHIN: TimeDelta = TimeDelta::days(3);
/// Until then the same mailbox is not asked about the same thing again.
pub const ASK_AGAIN: TimeDelta = TimeDelta::hours(1);
/// Mails that ask one mailbox in a day: nobody fills somebody else's with them.
pub const ASKED_IN_A_DAY: i64 = 5;
/// A variant is called low once in so long, however often it crosses.
pub const LOW_AGAIN: TimeDelta = TimeDelta::hours(24);

/// Tell me when this can be bought again.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WaitForStock {
    #[schema(example = "var_01h455vb4pex5vsknk084sn02q")]
    pub variant: VariantId,
    #[schema(value_type = String, example = "grace@example.com")]
    pub email: Email,
    /// The language they read: mails are in it where there are words for it, else in the one of their account, else in the store's.
    #[schema(value_type = Option<String>, max_length = 35, example = "de-AT")]
    pub locale: Option<Locale>,
}

/// Tell this address too what becomes of the order.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FollowOrder {
    #[schema(value_type = String, example = "grace@example.com")]
    pub email: Email,
    /// The language they read: mails are in it where there are words for it, else in the one of their account, else in the order's.
    #[schema(value_type = Option<String>, max_length = 35, example = "de-AT")]
    pub locale: Option<Locale>,
}

/// The token of a mailed link.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmWish {
    #[schema(value_type = String, example = "mbM2ozNPLCvnBPMqMkJw7-3n0SCvKQe9lcLYqyVhJDc")]
    pub token: Text<100>,
}

/// Whether to be reminded of a cart.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RemindWish {
    #[schema(example = true)]
    pub wanted: bool,
}

/// The same words whatever is true of the address.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct Asked {
    #[schema(example = "We have sent a mail to this address. Follow its link to confirm.")]
    pub message: &'static str,
}

impl Asked {
    pub const ASKED: Self =
        Self { message: "We have sent a mail to this address. Follow its link to confirm." };
}

/// What a subscription is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    Stock(VariantId),
    Order(OrderId),
}

/// A subscription.
#[derive(Clone, Debug, QueryableByName)]
pub struct Subscription {
    #[diesel(sql_type = SqlUuid)]
    pub id: SubscriptionId,
    #[diesel(sql_type = SqlText)]
    pub email: String,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub variant_id: Option<VariantId>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub order_id: Option<OrderId>,
    #[diesel(sql_type = SqlText)]
    pub state: String,
    /// The language they read, if they said so.
    #[diesel(sql_type = Nullable<SqlText>)]
    pub locale: Option<String>,
}

/// What a mailbox wants to be told.
#[derive(Clone, Debug, QueryableByName, Serialize, ToSchema)]
pub struct SubscriptionView {
    /// `back_in_stock` or `order`.
    #[diesel(sql_type = SqlText)]
    #[schema(example = "back_in_stock")]
    pub topic: String,
    #[diesel(sql_type = Nullable<SqlUuid>, column_name = "variant_id")]
    pub variant: Option<VariantId>,
    #[diesel(sql_type = Nullable<SqlUuid>, column_name = "order_id")]
    pub order: Option<OrderId>,
    /// `pending` until the mailbox agreed, `confirmed`, `due`, `told` or `ended`.
    #[diesel(sql_type = SqlText)]
    #[schema(example = "confirmed")]
    pub state: String,
    #[diesel(sql_type = Timestamptz)]
    pub asked_at: DateTime<Utc>,
    /// When the mailbox agreed.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub confirmed_at: Option<DateTime<Utc>>,
}

/// How many wait for something.
#[derive(Clone, Debug, QueryableByName, Serialize, ToSchema)]
pub struct WaitingView {
    #[diesel(sql_type = SqlUuid, column_name = "variant_id")]
    pub variant: VariantId,
    #[diesel(sql_type = SqlText)]
    #[schema(example = "Enamel mug")]
    pub title: String,
    #[diesel(sql_type = SqlText)]
    #[schema(example = "Blue")]
    pub variant_title: String,
    #[diesel(sql_type = Nullable<SqlText>)]
    pub sku: Option<String>,
    /// Mailboxes that confirmed.
    #[diesel(sql_type = BigInt)]
    #[schema(example = 12)]
    pub waiting: i64,
}

/// The one row.
#[derive(Clone, Debug, QueryableByName)]
pub struct NoticeSettings {
    #[diesel(sql_type = Nullable<BigInt>)]
    pub low_stock_threshold: Option<i64>,
    #[diesel(sql_type = Nullable<SqlText>)]
    pub staff_email: Option<String>,
    #[diesel(sql_type = Bool)]
    pub daily_digest: bool,
    #[diesel(sql_type = Integer)]
    pub digest_hour: i32,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub next_attempt_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Integer>)]
    pub abandoned_cart_hours: Option<i32>,
    #[diesel(sql_type = Bool)]
    pub back_in_stock: bool,
    #[diesel(sql_type = BigInt)]
    pub version: i64,
}

/// When staff and shoppers are told things.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct NoticeSettingsView {
    /// Staff is told when what is left to sell falls to this, at most once a day for each variant; null: never.
    #[schema(example = 5)]
    pub low_stock_threshold: Option<i64>,
    /// Where mails to staff go; the store's contact if null.
    pub staff_email: Option<String>,
    /// Whether the owner is told every morning what the day before sold.
    pub daily_digest: bool,
    /// At this hour, in the store's time zone.
    #[schema(example = 7)]
    pub digest_hour: i32,
    /// When it comes next.
    pub next_digest_at: Option<DateTime<Utc>>,
    /// Shoppers who agreed are reminded of a cart that lies so long; null: never.
    #[schema(example = 4)]
    pub abandoned_cart_hours: Option<i32>,
    /// Whether shoppers may ask to be told when something is back.
    pub back_in_stock: bool,
}

impl From<NoticeSettings> for NoticeSettingsView {
    fn from(row: NoticeSettings) -> Self {
        Self {
            low_stock_threshold: row.low_stock_threshold,
            staff_email: row.staff_email,
            daily_digest: row.daily_digest,
            digest_hour: row.digest_hour,
            next_digest_at: row.next_attempt_at.filter(|_| row.daily_digest),
            abandoned_cart_hours: row.abandoned_cart_hours,
            back_in_stock: row.back_in_stock,
        }
    }
}

/// When staff and shoppers shall be told things.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutNoticeSettings {
    #[schema(example = 5, minimum = 0, maximum = 1_000_000)]
    pub low_stock_threshold: Option<i64>,
    #[schema(value_type = Option<String>, example = "stock@shop.example")]
    pub staff_email: Option<Email>,
    #[schema(example = true)]
    pub daily_digest: bool,
    #[schema(example = 7, minimum = 0, maximum = 23)]
    pub digest_hour: i32,
    #[schema(example = 4, minimum = 1, maximum = 168)]
    pub abandoned_cart_hours: Option<i32>,
    #[schema(example = true)]
    pub back_in_stock: bool,
}

impl PutNoticeSettings {
    /// What the types cannot say: pointer and what would have been right.
    pub fn check(&self) -> Result<(), (&'static str, &'static str)> {
        if self.low_stock_threshold.is_some_and(|pieces| !(0..=1_000_000).contains(&pieces)) {
            return Err(("/low_stock_threshold", "must be 0 to 1000000"));
        }
        if !(0..24).contains(&self.digest_hour) {
            return Err(("/digest_hour", "must be 0 to 23"));
        }
        if self.abandoned_cart_hours.is_some_and(|hours| !(1..=168).contains(&hours)) {
            return Err(("/abandoned_cart_hours", "must be 1 to 168"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod rules {
    use super::*;

    #[test]
    fn settings_are_bounded() {
        let wish = |pieces, hour, hours| PutNoticeSettings {
            low_stock_threshold: pieces,
            staff_email: None,
            daily_digest: true,
            digest_hour: hour,
            abandoned_cart_hours: hours,
            back_in_stock: true,
        };
        assert!(wish(None, 0, None).check().is_ok() && wish(Some(0), 23, Some(168)).check().is_ok());
        for bad in
            [wish(Some(-1), 0, None), wish(None, 24, None), wish(None, 0, Some(0)), wish(None, 0, Some(169))]
        {
            assert!(bad.check().is_err(), "{bad:?}");
        }
    }
}
