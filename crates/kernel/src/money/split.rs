//! Sharing an amount out, so that the shares are the whole.

use super::{Money, MoneyError, Rounding};

impl Money {
    /// Share the amount out in proportion to `weights`, by largest remainder: everyone gets the whole units of their
    /// part, and the units left over go one each to the largest remainders, earlier positions first. The shares add
    /// up to the whole, have its sign, and a weight of zero gets nothing.
    ///
    /// Error: [`MoneyError::NoWeight`] when all weights are zero (or there are none) and the amount is not.
    pub fn allocate(self, weights: &[u64]) -> Result<Vec<Self>, MoneyError> {
        // A slice of u64 cannot be long enough to pass 128 bits.
        let total: u128 = weights.iter().map(|weight| u128::from(*weight)).sum();
        if total == 0 {
            return if self.is_zero() { Ok(vec![self; weights.len()]) } else { Err(MoneyError::NoWeight) };
        }
        // At most 2^63 · (2^64 − 1): below 2^127.
        let amount = u128::from(self.minor().unsigned_abs());
        let mut shares = Vec::with_capacity(weights.len());
        let mut remainders = Vec::with_capacity(weights.len());
        let mut left = amount;
        for (position, weight) in weights.iter().enumerate() {
            let part = amount * u128::from(*weight);
            shares.push(part / total);
            remainders.push((part % total, position));
            left -= part / total;
        }
        // Stable: equal remainders stay in order of position.
        remainders.sort_by(|(a, _), (b, _)| b.cmp(a));
        for (_, position) in remainders.into_iter().take(usize::try_from(left).unwrap_or(usize::MAX)) {
            if let Some(share) = shares.get_mut(position) {
                *share += 1;
            }
        }
        let signed = |share: u128| {
            let share = i128::try_from(share).map_err(|_| MoneyError::Overflow)?;
            self.exactly(if self.is_negative() { -share } else { share })
        };
        shares.into_iter().map(signed).collect()
    }
}

/// What is still to be refunded when `k` of `of` pieces have come back *in all*: `round(total · k / of) − already`,
/// halves away from zero. Cumulative, so that returning everything refunds exactly `total`, in whatever steps.
///
/// When more than the share was given back already (a gesture by hand), the answer is zero and never a charge; the
/// next piece evens it out. Errors: [`MoneyError::NoPart`] for `k > of` or `of = 0`, two currencies, overflow.
pub fn refund_share(total: Money, k: u32, of: u32, already: Money) -> Result<Money, MoneyError> {
    if k > of || of == 0 {
        return Err(MoneyError::NoPart);
    }
    let share =
        total.exactly(Rounding::HalfUp.divide(i128::from(total.minor()) * i128::from(k), i64::from(of)))?;
    let due = share.checked_sub(already)?;
    let turned = if total.is_negative() { due.is_positive() } else { due.is_negative() };
    Ok(if turned { Money::zero(total.currency()) } else { due })
}
