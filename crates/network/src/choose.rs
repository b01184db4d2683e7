//! Choosing at random.
//!
//! Decision: everything that an onlooker would like to guess — guards, hops, swarm members — is drawn from the
//! system's generator; only waiting times are drawn from a quick one.

use std::time::Duration;

use septet_protocol::crypto::Random;

/// A number below `count`, each equally likely; 0 if `count` is 0.
fn below(count: usize, rng: &mut impl Random) -> usize {
    let Some(count) = std::num::NonZeroU64::new(count as u64) else { return 0 };
    // Numbers from the incomplete last round would favour the low ones.
    let usable = u64::MAX - u64::MAX % count;
    loop {
        let number = u64::from_le_bytes(rng.array());
        if number < usable {
            return usize::try_from(number % count).unwrap_or(0);
        }
    }
}

/// One of the items; `None` if there is none.
pub(crate) fn one<T>(mut items: Vec<T>, rng: &mut impl Random) -> Option<T> {
    if items.is_empty() {
        return None;
    }
    let index = below(items.len(), rng);
    Some(items.swap_remove(index))
}

/// The time, a fifth shorter or longer: so that many clients that failed together do not come back together.
pub(crate) fn jitter(time: Duration) -> Duration {
    time.mul_f64(0.8 + 0.4 * fastrand::f64())
}

#[cfg(test)]
mod tests {
    use septet_protocol::crypto::SystemRandom;

    use super::*;

    #[test]
    fn each_item_is_drawn() {
        let mut seen = [false; 5];
        for _ in 0..500 {
            seen[one(vec![0, 1, 2, 3, 4], &mut SystemRandom).unwrap()] = true;
        }
        assert_eq!(seen, [true; 5]);
        assert_eq!(one(Vec::<u8>::new(), &mut SystemRandom), None);
    }
}
