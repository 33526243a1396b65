//! Ids, money, time and the other words every plane uses. No I/O.
//!
//! Every type here is valid by construction: text becomes a value through `parse`, `FromStr`, `TryFrom<String>` or
//! serde, all by the same rule, and the error's text says what would have been right. Feature `diesel` makes the
//! types columns, feature `openapi` gives them a schema.

pub mod clock;
mod coded;
mod column;
pub mod country;
pub mod currency;
pub mod email;
pub mod handle;
pub mod host_label;
pub mod id;
pub mod locale;
pub mod money;
#[cfg(feature = "openapi")]
pub mod openapi;
pub mod plan;
pub mod quantity;
pub mod text;

pub use clock::Clock;
pub use country::Country;
pub use currency::Currency;
pub use email::Email;
pub use handle::Handle;
pub use host_label::HostLabel;
pub use id::*;
pub use locale::Locale;
pub use money::{Money, MoneyError, Ppm, Rounding, refund_share};
pub use plan::{Limits, Plan};
pub use quantity::Quantity;
pub use text::{LongText, Text};
