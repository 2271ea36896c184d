//! Chance that is the same every time: SplitMix64 (Steele, Lea, Flood 2014), seeded by a name. Nothing secret depends on it.

pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn of(name: &str) -> Self {
        let fnv = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        Self(name.bytes().fold(0xcbf2_9ce4_8422_2325, fnv))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// 0 up to, not including, `end`; 0 when `end` is 0.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        if end == 0 { 0 } else { usize::try_from(self.next() % end as u64).unwrap_or(0) }
    }

    /// True `percent` times in a hundred.
    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for end in (1..items.len()).rev() {
            items.swap(end, self.below(end + 1));
        }
    }

    /// The place of one of these weights, the heavier the likelier.
    pub(crate) fn weighted(&mut self, weights: &[usize]) -> Option<usize> {
        let mut left = self.below(weights.iter().sum());
        weights.iter().position(|weight| {
            let is_it = left < *weight;
            left = left.saturating_sub(*weight);
            is_it
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_name_has_the_same_chance() {
        let take = |name| (0..5).map(move |_| ()).scan(Random::of(name), |random, ()| Some(random.next())).collect::<Vec<_>>();
        assert_eq!(take("acme"), take("acme"));
        assert_ne!(take("acme"), take("glasswing"));
    }

    #[test]
    fn a_weight_of_nothing_is_never_drawn() {
        let mut random = Random::of("weights");
        assert!((0..1_000).all(|_| random.weighted(&[0, 3, 0, 1, 0]).is_some_and(|at| at == 1 || at == 3)));
        assert_eq!(random.weighted(&[0, 0]), None);
    }
}
