//! That the shopper agrees to the terms.

use sha2::{Digest as _, Sha256};
use souk_access::LinkSecret;
use souk_tenancy::WriteTx;

use crate::checkout::error::CheckoutError;
use crate::content;
use crate::orders::AcceptedTerms;

/// What a shopper says about the terms, and where from.
#[derive(Clone, Copy, Debug)]
pub struct Assent<'a> {
    pub version: Option<i32>,
    pub network: &'a str,
}

impl Assent<'_> {
    /// The version that is agreed to; none where nothing is asked and nothing said, and where there are no terms to agree to. No statement then, else
    /// one.
    ///
    /// # Errors
    /// [`CheckoutError::Terms`] when it is not the version in force.
    pub async fn agreed(self, tx: &mut WriteTx<'_>, required: bool) -> Result<Option<i32>, CheckoutError> {
        if !required && self.version.is_none() {
            return Ok(None);
        }
        let current = content::terms_in_force(tx).await?;
        if self.version == current { Ok(current) } else { Err(CheckoutError::Terms { current }) }
    }

    /// What the order keeps of it. Where from only as a digest with the order's secret: who has the database alone cannot try all networks.
    pub fn kept(self, tx: &WriteTx<'_>, version: i32, secret: &LinkSecret) -> AcceptedTerms {
        let digest = Sha256::new().chain_update(secret.expose()).chain_update(self.network).finalize();
        AcceptedTerms { version, at: tx.now(), network: digest.iter().copied().collect() }
    }
}
