//! Whose mailbox it is, proved.

use souk_kernel::CustomerId;

/// A customer and the mailbox that they have confirmed is theirs. Only [`crate::customers::mailbox`] makes one, so whoever is given one may act
/// on what was bought with that address.
#[derive(Clone, Debug)]
pub struct Mailbox {
    customer: CustomerId,
    address: String,
}

impl Mailbox {
    /// The mailbox of this customer, who has confirmed it.
    pub(in crate::customers) fn confirmed(customer: CustomerId, address: String) -> Self {
        Self { customer, address }
    }

    /// Whose it is.
    pub const fn customer(&self) -> CustomerId {
        self.customer
    }

    /// As they wrote it.
    pub fn address(&self) -> &str {
        &self.address
    }
}
