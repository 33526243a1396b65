//! Everything a store knows of a person.

use serde::{Deserialize, Serialize};
use souk_kernel::{CartId, Email, VariantId};
use utoipa::{IntoParams, ToSchema};

use crate::cart::{Address, Cart};
use crate::customers::{CustomerExport, Typed};
use crate::fulfillment::FulfillmentView;
use crate::identities::IdentityView;
use crate::invoices::Invoice;
use crate::orders::ShopperOrderView;

/// A copy of everything, machine-readable.
#[derive(Debug, Serialize, ToSchema)]
pub struct PersonalData {
    #[serde(flatten)]
    pub customer: CustomerExport,
    /// Who they are elsewhere.
    pub identities: Vec<IdentityView>,
    pub orders: Vec<ShopperOrderView>,
    /// What left the house for them, and how it could be followed.
    pub fulfillments: Vec<FulfillmentView>,
    /// Invoices and credit notes for them.
    pub invoices: Vec<Invoice>,
    /// Carts that are not bought.
    pub carts: Vec<CartExport>,
}

/// A cart that is not bought.
#[derive(Debug, Serialize, ToSchema)]
pub struct CartExport {
    pub id: CartId,
    #[schema(value_type = Option<String>)]
    pub email: Option<Email>,
    pub note: String,
    pub shipping_address: Option<Address>,
    pub billing_address: Option<Address>,
    pub lines: Vec<CartExportLine>,
}

/// So many of that.
#[derive(Debug, Serialize, ToSchema)]
pub struct CartExportLine {
    pub variant: VariantId,
    pub quantity: u32,
}

impl From<Cart> for CartExport {
    fn from(cart: Cart) -> Self {
        let Cart { id, email, note, shipping_address, billing_address, lines, .. } = cart;
        let line = |line: &crate::cart::CartLine| CartExportLine {
            variant: line.variant,
            quantity: line.quantity.get(),
        };
        let lines = lines.iter().map(line).collect();
        Self { id, email, note, shipping_address, billing_address, lines }
    }
}

/// Delete one's account: the password proves that it is you.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeleteAccount {
    pub password: Typed,
}

/// How to forget somebody.
#[derive(Debug, Clone, Copy, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EraseQuery {
    /// Also when goods are still to be delivered: their addresses go as well.
    #[serde(default)]
    pub force: bool,
}
