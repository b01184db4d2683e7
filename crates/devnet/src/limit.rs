//! How often a client may ask (spec 03 §6.8): a bucket of requests for each address that fills up again.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Requests a client may make at once.
const BUCKET: f64 = 600.0;
/// Requests it may make per second after that.
const REFILL: f64 = 300.0;

/// The buckets of one node.
#[derive(Default)]
pub(crate) struct RateLimit(Mutex<HashMap<IpAddr, Bucket>>);

struct Bucket {
    left: f64,
    filled: Instant,
}

impl RateLimit {
    /// Takes a request out of the client's bucket; `false` if there is none.
    pub fn take(&self, from: IpAddr, now: Instant) -> bool {
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = buckets.entry(from).or_insert(Bucket { left: BUCKET, filled: now });
        let since = now.saturating_duration_since(bucket.filled).as_secs_f64();
        bucket.left = (bucket.left + since * REFILL).min(BUCKET);
        bucket.filled = now;
        let may = bucket.left >= 1.0;
        if may {
            bucket.left -= 1.0;
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_client_may_ask_600_times_at_once_and_300_times_a_second_then() {
        let (limit, now) = (RateLimit::default(), Instant::now());
        let (one, other) = (IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv4Addr::new(127, 0, 0, 2)));
        let taken = |from, now| (0..2000).take_while(|_| limit.take(from, now)).count();
        assert_eq!(taken(one, now), 600);
        assert_eq!(taken(other, now), 600, "each address has its own");
        assert_eq!(taken(one, now + Duration::from_secs(1)), 300);
        assert_eq!(taken(one, now + Duration::from_secs(9)), 600);
    }
}
