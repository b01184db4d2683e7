//! How long to wait: between polls, and after failures.
//!
//! Decision: every wait has jitter, so that many clients that lost the network together do not come back together,
//! and every wait grows to a bound, so that a person never waits longer than a minute for a network that is back.

use std::time::Duration;

/// Between polls of our own swarm while all is well and a person may be looking (spec 03 §10.2 has 1.5 to 5 s).
pub const POLL_OWN: Duration = Duration::from_millis(2000);
/// The longest wait between polls that fail, unless it is longer while all is well.
const POLL_FAILING: Duration = Duration::from_secs(15);
/// Between polls of a chat of its own in which somebody has just written, growing to …
const CHAT_LIVELY: Duration = Duration::from_secs(5);
/// … this, when nobody has for [`HALF_DAY`]. Official clients have 3 to 30 s (spec 03 §10.2).
const CHAT_CALM: Duration = Duration::from_secs(30);
const HALF_DAY: Duration = Duration::from_secs(12 * 60 * 60);
/// After this time of silence, and between polls then (spec 06 §10.4).
const CHAT_QUIET: (Duration, Duration) = (Duration::from_secs(2 * 24 * 60 * 60), Duration::from_secs(60));
/// As before, after the longest silence (spec 06 §10.4).
const CHAT_SILENT: (Duration, Duration) = (Duration::from_secs(7 * 24 * 60 * 60), Duration::from_secs(120));
/// After the first failed attempt of a job.
const RETRY: Duration = Duration::from_millis(1000);
/// The longest wait between two attempts of a job.
const RETRY_LONGEST: Duration = Duration::from_secs(60);
/// After the first failures of a download (spec 09 §2.3); the last of these waits stands for all later ones.
const DOWNLOADS: [Duration; 3] =
    [Duration::from_secs(30), Duration::from_secs(30 * 60), Duration::from_secs(6 * 60 * 60)];
/// A download is repeated by itself this often (spec 09 §2.3); after that a person must ask.
const DOWNLOAD_REPEATS: u32 = 10;
/// The same for the picture of a link's page.
const PREVIEW_REPEATS: u32 = 2;
/// From this failure on a download is shown as failed, though it is still repeated (spec 09 §2.3).
const DOWNLOAD_SHOWN: u32 = 3;

/// The wait before the next poll of what is polled at this pace, after so many failures in a row.
pub fn poll(pace: Duration, failures: u32) -> Duration {
    jitter(grow(pace, failures, POLL_FAILING.max(pace)))
}

/// The pace at which a group's swarm is polled in which nobody has written for so long.
#[cfg_attr(not(test), expect(dead_code, reason = "there are no groups yet"))]
pub fn chat(silence: Duration) -> Duration {
    if silence >= CHAT_SILENT.0 {
        CHAT_SILENT.1
    } else if silence >= CHAT_QUIET.0 {
        CHAT_QUIET.1
    } else {
        let part = (silence.as_secs_f64() / HALF_DAY.as_secs_f64()).min(1.0);
        CHAT_LIVELY + (CHAT_CALM - CHAT_LIVELY).mul_f64(part)
    }
}

/// The wait before the next attempt of a job that failed `attempts` times (1 or more).
pub fn retry(attempts: u32) -> Duration {
    jitter(grow(RETRY, attempts.saturating_sub(1), RETRY_LONGEST))
}

/// The wait before the next attempt of a download that failed `failures` times (1 or more); `None` after the last.
pub fn download(failures: u32) -> Option<Duration> {
    repeat(failures, DOWNLOAD_REPEATS)
}

/// As [`download`], for the picture of a link's page.
pub fn preview(failures: u32) -> Option<Duration> {
    repeat(failures, PREVIEW_REPEATS)
}

fn repeat(failures: u32, repeats: u32) -> Option<Duration> {
    if failures > repeats {
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
            for (pace, longest) in [(POLL_OWN, POLL_FAILING), (CHAT_SILENT.1, CHAT_SILENT.1)] {
                let wait = poll(pace, times);
                assert!(wait >= pace.mul_f64(0.8) && wait <= longest.mul_f64(1.2), "{wait:?} after {times}");
            }
            assert!(retry(times) >= RETRY.mul_f64(0.8) && retry(times) <= RETRY_LONGEST.mul_f64(1.2));
        }
        assert!(retry(8) > retry(1));
    }

    #[test]
    fn chats_are_polled_the_less_the_longer_nobody_writes() {
        let hours = |hours: u64| chat(Duration::from_secs(hours * 60 * 60));
        let paces: Vec<u64> =
            [0, 6, 12, 47, 48, 167, 168, 10_000].map(|it| hours(it).as_millis() as u64).into();
        assert_eq!(paces, [5_000, 17_500, 30_000, 30_000, 60_000, 60_000, 120_000, 120_000]);
    }

    #[test]
    fn downloads_wait_as_long_and_as_often_as_the_vector_says() {
        let text = include_str!("../../../protocol/tests/data/changes-2026.json");
        let vectors: serde_json::Value = serde_json::from_str(text).unwrap();
        let vector = &vectors["attachment_download_retry"];
        let number = |value: &serde_json::Value| value.as_u64().unwrap();
        let delays: Vec<u64> = vector["delays_s"].as_array().unwrap().iter().map(number).collect();
        let later = number(&vector["later_delay_s"]);
        type Wait = fn(u32) -> Option<Duration>;
        let kinds: [(_, Wait); 2] = [("attempts_attachment", download), ("attempts_preview", preview)];
        for (name, wait) in kinds {
            let repeats = number(&vector[name]) as u32;
            for failures in 1..=repeats {
                let delay = delays.get(failures as usize - 1).copied().unwrap_or(later);
                let (exact, wait) = (Duration::from_secs(delay), wait(failures).unwrap());
                let bounds = exact.mul_f64(0.8)..=exact.mul_f64(1.2);
                assert!(bounds.contains(&wait), "{name}: {wait:?} after {failures} failures");
            }
            assert_eq!((wait(repeats + 1), wait(u32::MAX)), (None, None), "{name}");
        }
    }

    #[test]
    fn downloads_are_shown_as_failed_from_the_third_failure_on() {
        assert_eq!([1, 2, 3, 4, 11].map(download_shown_failed), [false, false, true, true, true]);
    }
}
