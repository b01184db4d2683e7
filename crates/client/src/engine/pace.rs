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
/// After the first failures of a download (spec 09 §2.3); the last of these waits stands for all later ones.
const DOWNLOADS: [Duration; 3] =
    [Duration::from_secs(30), Duration::from_secs(30 * 60), Duration::from_secs(6 * 60 * 60)];
/// A download is repeated by itself this often (spec 09 §2.3); after that a person must ask.
const DOWNLOAD_REPEATS: u32 = 10;
/// From this failure on a download is shown as failed, though it is still repeated (spec 09 §2.3).
const DOWNLOAD_SHOWN: u32 = 3;

/// The wait before the next poll after so many failures in a row.
pub fn poll(failures: u32) -> Duration {
    jitter(grow(POLL, failures, POLL_LONGEST))
}

/// The wait before the next attempt of a job that failed `attempts` times (1 or more).
pub fn retry(attempts: u32) -> Duration {
    jitter(grow(RETRY, attempts.saturating_sub(1), RETRY_LONGEST))
}

/// The wait before the next attempt of a download that failed `failures` times (1 or more); `None` after the last.
pub fn download(failures: u32) -> Option<Duration> {
    if failures > DOWNLOAD_REPEATS {
        return None;
    }
    let index = usize::try_from(failures.saturating_sub(1)).ok()?;
    DOWNLOADS.get(index).or(DOWNLOADS.last()).copied().map(jitter)
}

/// Whether a download that failed `failures` times is shown as failed while it waits for its next attempt.
pub fn download_shown_failed(failures: u32) -> bool {
    failures >= DOWNLOAD_SHOWN
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

    /// The numbers of the vector `attachment_download_retry`: waits in s, and how often an attachment is repeated.
    const VECTOR_DELAYS: [u64; 3] = [30, 1800, 21600];
    const VECTOR_LATER: u64 = 21600;
    const VECTOR_REPEATS: u32 = 10;

    #[test]
    fn downloads_wait_as_long_and_as_often_as_the_vector_says() {
        let later = std::iter::repeat(VECTOR_LATER);
        for (failures, delay) in (1..=VECTOR_REPEATS).zip(VECTOR_DELAYS.into_iter().chain(later)) {
            let (exact, wait) = (Duration::from_secs(delay), download(failures).unwrap());
            assert!(
                wait >= exact.mul_f64(0.8) && wait <= exact.mul_f64(1.2),
                "{wait:?} after {failures} failures"
            );
        }
        assert_eq!(download(VECTOR_REPEATS + 1), None);
        assert_eq!(download(u32::MAX), None);
    }

    #[test]
    fn downloads_are_shown_as_failed_from_the_third_failure_on() {
        assert_eq!([1, 2, 3, 4, 11].map(download_shown_failed), [false, false, true, true, true]);
    }
}
