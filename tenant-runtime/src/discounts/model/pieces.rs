//! Which pieces are given when some are bought.

/// A line as the rule sees it.
#[derive(Clone, Copy, Debug)]
pub struct Pieces {
    pub count: u64,
    pub price: i64,
    /// They count as bought.
    pub buys: bool,
    /// They may be given.
    pub gets: bool,
}

/// How many pieces of each line are given for `get` pieces with every `buy`, at most `most` times. No piece is both bought and given;
/// the last time may give fewer than `get`. The cheapest pieces are given, earlier lines first.
pub fn given(lines: &[Pieces], buy: u64, get: u64, most: Option<u64>) -> Vec<u64> {
    let sum = |wanted: &dyn Fn(&Pieces) -> bool| -> u64 {
        lines.iter().filter(|line| wanted(line)).map(|line| line.count).sum()
    };
    let (only_buys, only_gets) = (sum(&|line| line.buys && !line.gets), sum(&|line| !line.buys && line.gets));
    let both = sum(&|line| line.buys && line.gets);
    let most = most.unwrap_or(u64::MAX).min((only_buys + both) / buy.max(1));
    // Bought pieces that have to be of those that might be given.
    let kept = |times: u64| times.saturating_mul(buy).saturating_sub(only_buys).min(both);
    let gives = |times: u64| times.saturating_mul(get).min(only_gets + both - kept(times));
    // `gives` rises until the pieces run short and falls after: the last time at which it is not short, or the one after.
    let (mut low, mut high) = (0, most);
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        if gives(middle) == middle.saturating_mul(get) { low = middle } else { high = middle - 1 }
    }
    let times = if low < most && gives(low + 1) > gives(low) { low + 1 } else { low };
    let mut left = gives(times);
    let mut spare = both - kept(times);
    let mut shares = vec![0; lines.len()];
    let mut order: Vec<usize> = (0..lines.len()).collect();
    order.sort_by_key(|place| lines.get(*place).map_or(i64::MAX, |line| line.price));
    for place in order {
        let (Some(line), Some(share)) = (lines.get(place), shares.get_mut(place)) else { continue };
        if !line.gets {
            continue;
        }
        let take = if line.buys { line.count.min(left).min(spare) } else { line.count.min(left) };
        *share = take;
        left -= take;
        if line.buys {
            spare -= take;
        }
    }
    shares
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn mixed(count: u64, price: i64) -> Pieces {
        Pieces { count, price, buys: true, gets: true }
    }

    #[test]
    fn buy_two_get_one() {
        let of = |lines: &[Pieces]| given(lines, 2, 1, None);
        assert_eq!(of(&[mixed(2, 100)]), [0]);
        assert_eq!(of(&[mixed(3, 100)]), [1]);
        assert_eq!(of(&[mixed(5, 100)]), [1]);
        assert_eq!(of(&[mixed(6, 100)]), [2]);
        // The cheapest of three different ones.
        assert_eq!(of(&[mixed(1, 300), mixed(1, 100), mixed(1, 200)]), [0, 1, 0]);
        assert_eq!(given(&[mixed(9, 100)], 2, 1, Some(2)), [2]);
    }

    #[test]
    fn bought_and_given_are_different_goods() {
        let buys = |count| Pieces { count, price: 500, buys: true, gets: false };
        let gets = |count| Pieces { count, price: 100, buys: false, gets: true };
        assert_eq!(given(&[buys(1), gets(5)], 1, 2, None), [0, 2]);
        assert_eq!(given(&[buys(2), gets(3)], 1, 2, None), [0, 3]);
        assert_eq!(given(&[gets(3)], 1, 1, None), [0]);
        // What may be both is given only as far as it is not needed as bought.
        assert_eq!(given(&[buys(1), mixed(2, 50)], 2, 1, None), [0, 1]);
    }

    proptest! {
        /// Never more than there are, and always enough left that were bought.
        #[test]
        fn no_piece_is_both(
            lines in prop::collection::vec((0_u64..20, 0_i64..500, any::<bool>(), any::<bool>()), 0..8),
            buy in 1_u64..5, get in 1_u64..5, most in prop::option::of(1_u64..4),
        ) {
            let lines: Vec<Pieces> =
                lines.into_iter().map(|(count, price, buys, gets)| Pieces { count, price, buys, gets }).collect();
            let shares = given(&lines, buy, get, most);
            let total: u64 = shares.iter().sum();
            let mut rest = 0;
            for (line, share) in lines.iter().zip(&shares) {
                prop_assert!(*share <= line.count && (*share == 0 || line.gets));
                if line.buys { rest += line.count - share; }
            }
            prop_assert!(rest >= total.div_ceil(get) * buy, "{total} given, {rest} bought");
            prop_assert!(most.is_none_or(|most| total <= most * get));
        }
    }
}
