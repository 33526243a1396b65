//! For whom the catalogue is looked at.

use souk_kernel::SalesChannelId;

/// Who looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Viewer {
    /// Those who run the store: everything.
    Staff,
    /// What is for sale and published on this channel, the default one where there is none.
    Shopper(Option<SalesChannelId>),
}

impl Viewer {
    /// Whether only what is for sale is there.
    pub const fn is_shopper(self) -> bool {
        matches!(self, Self::Shopper(_))
    }

    /// The channel, unless it is the default one or does not matter.
    pub const fn channel(self) -> Option<SalesChannelId> {
        match self {
            Self::Staff => None,
            Self::Shopper(channel) => channel,
        }
    }
}
