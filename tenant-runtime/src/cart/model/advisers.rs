//! Whom a store lets say what its own tables do not know.

use crate::shipping::Carriers;
use crate::tax::TaxProviders;

/// What every price of a process is asked of, outside of any transaction. One per app, as `web::Data<Advisers>`, and one in each till.
#[derive(Clone, Debug)]
pub struct Advisers {
    /// What delivery costs.
    pub carriers: Carriers,
    /// What is owed in tax.
    pub taxes: TaxProviders,
}
