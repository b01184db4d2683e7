//! Which swarm keeps an account's messages: the nearest one on a ring of 2^64 positions (spec 03 §4.1, §4.2).

use crate::id::{Account, SwarmId};

/// Where an account stands on the ring: its key's four big-endian words, XORed.
pub fn position(account: &Account) -> SwarmId {
    let (words, _) = account.key().as_chunks::<8>();
    SwarmId(words.iter().fold(0, |sum, word| sum ^ u64::from_be_bytes(*word)))
}

/// The swarm nearest to a position, going round the ring either way; the lower side wins a tie.
/// `None` if there is no swarm ([`SwarmId::NONE`] is not one). The ids may come in any order, and repeated.
pub fn nearest(position: SwarmId, swarms: impl IntoIterator<Item = SwarmId>) -> Option<SwarmId> {
    let distance_up = |id: SwarmId| id.0.wrapping_sub(position.0);
    let distance_down = |id: SwarmId| position.0.wrapping_sub(id.0);
    let mut right: Option<SwarmId> = None;
    let mut left: Option<SwarmId> = None;
    for id in swarms {
        if id == SwarmId::NONE {
            continue;
        }
        if right.is_none_or(|best| distance_up(id) < distance_up(best)) {
            right = Some(id);
        }
        // A swarm exactly at the position is on the right; on the left it only counts when it is alone.
        let down = |id: SwarmId| distance_down(id).wrapping_sub(1);
        if left.is_none_or(|best| down(id) < down(best)) {
            left = Some(id);
        }
    }
    match (right?, left?) {
        (right, left) if distance_up(right) < distance_down(left) => Some(right),
        (right, left) if right == left => Some(right),
        (_, left) => Some(left),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pick(position: u64, swarms: &[u64]) -> Option<u64> {
        nearest(SwarmId(position), swarms.iter().map(|id| SwarmId(*id))).map(|id| id.0)
    }

    #[test]
    fn there_may_be_no_swarm_or_only_one() {
        assert_eq!(pick(5, &[]), None);
        assert_eq!(pick(5, &[u64::MAX]), None);
        assert_eq!(pick(5, &[700, u64::MAX]), Some(700));
    }

    #[test]
    fn a_tie_goes_down_and_the_ring_closes() {
        assert_eq!(pick(150, &[200, 100]), Some(100));
        assert_eq!(pick(151, &[200, 100]), Some(200));
        assert_eq!(pick(100, &[200, 100]), Some(100));
        assert_eq!(pick(u64::MAX - 1, &[100, 1 << 63]), Some(100));
    }

    /// As the document words it (spec 03 §4.2), with the ids sorted.
    fn by_the_book(position: u64, mut ids: Vec<u64>) -> Option<u64> {
        ids.retain(|id| *id != u64::MAX);
        ids.sort_unstable();
        let after = ids.iter().position(|id| *id >= position).unwrap_or(0);
        let right = *ids.get(after)?;
        let left = ids[(after + ids.len() - 1) % ids.len()];
        let (up, down) = (right.wrapping_sub(position), position.wrapping_sub(left));
        Some(if ids.len() == 1 || up < down { right } else { left })
    }

    proptest! {
        #[test]
        fn the_nearest_is_that_of_the_document(position: u64, ids in prop::collection::btree_set(any::<u64>(), 0..20)) {
            let ids: Vec<u64> = ids.into_iter().collect();
            prop_assert_eq!(pick(position, &ids), by_the_book(position, ids.clone()));
            if let Some(first) = ids.first() {
                prop_assert_eq!(pick(*first, &ids), by_the_book(*first, ids.clone()));
            }
        }
    }
}
