//! What a basket costs by what a tax provider answered. Pure.

use souk_kernel::{Money, MoneyError};

use super::Quote;
use crate::tax::{self, TaxEstimate, TaxSource};

impl Quote {
    /// The same with the taxes of this answer to what was [`unasked`](Self::unasked), before anything is paid by credit.
    ///
    /// # Errors
    /// Overflow.
    pub fn taxed_by(mut self, estimate: &TaxEstimate) -> Result<Self, MoneyError> {
        let Some(question) = self.unasked.take() else { return Ok(self) };
        let taxes = estimate.taxes(&question)?;
        let before_tax =
            if self.prices_include_tax { self.total } else { self.total.checked_sub(self.tax)? };
        self.tax_lines = tax::summed(taxes.goods.iter().flatten().chain(&taxes.shipping))?;
        self.tax = Money::sum(self.tax_lines.iter().map(|line| line.amount), self.currency)?;
        self.total = if self.prices_include_tax { before_tax } else { before_tax.checked_add(self.tax)? };
        self.due = self.total;
        let is_relieved = self.tax_lines.iter().any(|line| line.reason.is_relief());
        self.tax_relief = self.tax_relief.filter(|_| is_relieved);
        for (line, tax_lines) in self.lines.iter_mut().zip(taxes.goods) {
            line.tax_lines = tax_lines;
        }
        if let Some(shipping) = &mut self.shipping {
            shipping.tax_lines = taxes.shipping;
        }
        self.tax_source = TaxSource::Provider;
        Ok(self)
    }
}
