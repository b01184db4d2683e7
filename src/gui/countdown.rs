//! What is left of a message that disappears: as a picture of twelve steps, and in two units at most.
//!
//! Decision: the picture changes twelve times in the life of a message, and only then is the window drawn again for it;
//! how long exactly is left is said where one asks.

use std::time::Duration;

use super::strings::Strings;

/// Steps of the picture.
pub const STEPS: u32 = 12;

/// So many steps are left; none if it is over, all of them if it has not begun. Both in ms.
pub fn step(left: u64, total: u64) -> u32 {
    let steps = (u128::from(left) * u128::from(STEPS)).div_ceil(u128::from(total.max(1)));
    u32::try_from(steps).unwrap_or(STEPS).min(STEPS)
}

/// When the picture is another, if it ever is again. Both in ms.
pub fn next_step(left: u64, total: u64) -> Option<Duration> {
    let after = u64::from(step(left, total).checked_sub(1)?);
    let end = u128::from(total) * u128::from(after) / u128::from(STEPS);
    Some(Duration::from_millis(left.saturating_sub(u64::try_from(end).unwrap_or(u64::MAX)).max(1)))
}

/// A length of time in ms, in at most two units: "1d 1m".
pub fn short(strings: &Strings, ms: u64) -> String {
    let mut left = ms.div_ceil(1000);
    let mut said = Vec::new();
    for (name, unit) in [
        ("short-weeks", 604_800),
        ("short-days", 86_400),
        ("short-hours", 3600),
        ("short-minutes", 60),
        ("short-seconds", 1),
    ] {
        let count = left / unit;
        if count > 0 && said.len() < 2 {
            said.push(strings.with(name, [("count", count.to_string().into())]));
        }
        left %= unit;
    }
    if said.is_empty() {
        return strings.with("short-seconds", [("count", "0".into())]);
    }
    said.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_picture_has_twelve_steps_and_changes_at_each() {
        let minute = 60_000;
        assert_eq!([step(0, minute), step(1, minute), step(5000, minute)], [0, 1, 1]);
        assert_eq!([step(5001, minute), step(minute, minute), step(2 * minute, minute)], [2, 12, 12]);
        assert_eq!((step(7, 0), next_step(0, minute)), (12, None));
        let mut left = minute;
        for steps in (1..=STEPS).rev() {
            assert_eq!(step(left, minute), steps);
            let next = next_step(left, minute).unwrap();
            assert_eq!(next, Duration::from_secs(5));
            left -= u64::try_from(next.as_millis()).unwrap();
        }
        assert_eq!((left, next_step(left, minute)), (0, None), "nothing is drawn again when it is over");
        let before_it_begins = next_step(u64::MAX, minute).unwrap();
        assert!(before_it_begins > Duration::from_secs(60));
    }

    #[test]
    fn a_length_is_said_in_two_units_at_most() {
        let strings = Strings::english();
        let s = |seconds: u64| short(&strings, seconds * 1000);
        for (seconds, said) in [
            (0, "0s"),
            (59, "59s"),
            (3601, "1h 1s"),
            (86_460, "1d 1m"),
            (86_400 + 3600 + 60, "1d 1h"),
            (15 * 86_400, "2w 1d"),
        ] {
            assert_eq!(s(seconds), said);
        }
        assert_eq!(short(&strings, 1), "1s", "what is there is not over");
    }
}
