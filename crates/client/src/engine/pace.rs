//! How long to wait: between polls, and after failures.
//!
//! Decision: every wait has jitter, so that many clients that lost the network together do not come back together,
//! and every wait grows to a bound, so that a person never waits longer than a minute for a network that is back.

use std::time::Duration;

/// Between polls while all is well and a person may be looking (spec 03 §10.2 has 1.5 to 5 s).
const POLL: Duration = Duration::from_millis(2000);
/// The longest wait between polls.
const POLL_LONGEST: Duration = Duration::from_secs(15);
/// After the first failed attempt of a job.
const RETRY: Duration = Duration::from_millis(1000);
/// The longest wait between two attempts of a job.
const RETRY_LONGEST: Duration = Duration::from_secs(60);
/// After failed downloads (spec 02 §13); after the last one a person must ask.
const DOWNLOADS: [Duration; 3] =
    [Duration::from_secs(30), Duration::from_secs(30 * 60), Duration::from_secs(6 * 60 * 60)];

/// The wait before the next poll after so many failures in a row.
pub fn poll(failures: u32) -> Duration {
    jitter(grow(POLL, failures, POLL_LONGEST))
}

/// The wait before the next attempt of a job that failed `attempts` times (1 or more).
pub fn retry(attempts: u32) -> Duration {
    jitter(grow(RETRY, attempts.saturating_sub(1), RETRY_LONGEST))
}

/// The wait before the next attempt of a download that failed `attempts` times; `None` after the last.
pub fn download(attempts: u32) -> Option<Duration> {
    let index = usize::try_from(attempts.saturating_sub(1)).ok()?;
    DOWNLOADS.get(index).copied().map(jitter)
}

/// Doubles `base` `times` times, at most to `longest`.
fn grow(base: Duration, times: u32, longest: Duration) -> Duration {
    base.saturating_mul(1_u32.checked_shl(times).unwrap_or(u32::MAX)).min(longest)
}

/// Between 80 % and 120 % of a wait.
fn jitter(wait: Duration) -> Duration {
    wait.mul_f64(0.8 + 0.4 * fastrand::f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_bound() {
        for times in [0, 1, 5, 31, 32, 1000] {
            assert!(poll(times) >= POLL.mul_f64(0.8) && poll(times) <= POLL_LONGEST.mul_f64(1.2));
            assert!(retry(times) >= RETRY.mul_f64(0.8) && retry(times) <= RETRY_LONGEST.mul_f64(1.2));
        }
        assert!(retry(8) > retry(1));
    }

    #[test]
    fn downloads_are_given_up_after_three_waits() {
        assert!(download(1).is_some() && download(3).is_some());
        assert_eq!(download(4), None);
    }
}
