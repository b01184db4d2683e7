//! How many requests go into one (spec 03 §9.15).
//!
//! Decision: the limit is in a type. A node refuses a batch of none or of more than [`MAX_BATCH`] as a whole, with an
//! error that looks as if the requests themselves were wrong; so such a batch cannot be made, and whoever has more to
//! ask cuts it with [`Batch::chunks`].

use super::MAX_BATCH;

/// 1 to [`MAX_BATCH`] things, each of which becomes a request of one batch or sequence.
#[derive(Debug)]
pub struct Batch<'a, T>(&'a [T]);

impl<T> Clone for Batch<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Batch<'_, T> {}

impl<'a, T> Batch<'a, T> {
    /// Things whose number is known when the program is built; a wrong number does not compile.
    pub const fn of<const N: usize>(items: &'a [T; N]) -> Self {
        const { assert!(0 < N && N <= MAX_BATCH, "a node takes 1 to 20 requests at once") }
        Self(items)
    }

    /// Any number of things, in batches of at most `at_most` (and never more than [`MAX_BATCH`]), in their order;
    /// none if there are none.
    pub fn chunks(items: &'a [T], at_most: usize) -> impl Iterator<Item = Self> {
        items.chunks(at_most.clamp(1, MAX_BATCH)).map(Self)
    }

    /// The things in their order.
    pub fn iter(&self) -> std::slice::Iter<'a, T> {
        self.0.iter()
    }
}

impl<'a, T> IntoIterator for Batch<'a, T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn whatever_is_cut_fits_and_nothing_is_lost(items in prop::collection::vec(any::<u8>(), 0..99), at_most: usize) {
            let batches: Vec<_> = Batch::chunks(&items, at_most).collect();
            for batch in &batches {
                prop_assert!((1..=MAX_BATCH).contains(&batch.iter().count()));
                prop_assert!(batch.iter().count() <= at_most.max(1));
            }
            prop_assert_eq!(batches.into_iter().flatten().copied().collect::<Vec<_>>(), items);
        }
    }
}
