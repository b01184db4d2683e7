//! Times in words: when a message was sent, as a row, a bubble or a day separator says it.
//!
//! Decision: labels are absolute ("14:31", "Yesterday", "3 Nov"), so nothing on screen has to be redrawn as time
//! passes, except when a day ends.

use std::time::Duration;

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp as Instant, ToSpan, Zoned};
use septet_protocol::time::Timestamp;

use super::strings::Strings;

/// The local time zone and what "now" is.
pub struct Clock {
    zone: TimeZone,
    fixed: Option<Timestamp>,
}

impl Clock {
    /// The clock of the system.
    pub fn system() -> Self {
        Self { zone: TimeZone::system(), fixed: None }
    }

    /// A clock that stands still in UTC, for pictures that must not change.
    pub fn fixed(now: Timestamp) -> Self {
        Self { zone: TimeZone::UTC, fixed: Some(now) }
    }

    /// Now, as the person's watch shows it.
    pub fn now(&self) -> Zoned {
        match self.fixed {
            Some(now) => self.local(now),
            None => Instant::now().to_zoned(self.zone.clone()),
        }
    }

    /// The same as a timestamp.
    pub fn timestamp(&self) -> Timestamp {
        let ms = self.now().timestamp().as_millisecond();
        Timestamp::from_ms(u64::try_from(ms).unwrap_or_default())
    }

    fn local(&self, time: Timestamp) -> Zoned {
        let ms = i64::try_from(time.as_ms()).unwrap_or(i64::MAX);
        Instant::from_millisecond(ms).unwrap_or(Instant::UNIX_EPOCH).to_zoned(self.zone.clone())
    }

    /// The local day of a point in time.
    pub fn day(&self, time: Timestamp) -> Date {
        self.local(time).date()
    }

    /// Hour and minute: `9:02`.
    pub fn time(&self, time: Timestamp) -> String {
        let local = self.local(time);
        format!("{}:{:02}", local.hour(), local.minute())
    }

    /// As a row of the list says it: time of today, "Yesterday", a weekday, or a date.
    pub fn brief(&self, time: Timestamp, strings: &Strings) -> String {
        let (day, today) = (self.day(time), self.now().date());
        match days_between(day, today) {
            0 => self.time(time),
            1 => strings.t("yesterday").to_string(),
            2..=6 => weekday_short(day.weekday(), strings),
            _ => date(day, today, strings),
        }
    }

    /// As a separator says it: "Today", "Yesterday", a weekday, or a date.
    pub fn day_name(&self, day: Date, strings: &Strings) -> String {
        let today = self.now().date();
        match days_between(day, today) {
            0 => strings.t("today").to_string(),
            1 => strings.t("yesterday").to_string(),
            2..=6 => weekday_long(day.weekday(), strings),
            _ => date(day, today, strings),
        }
    }

    /// Day and time in full, for tooltips.
    pub fn full(&self, time: Timestamp, strings: &Strings) -> String {
        format!("{}, {}", self.day_name(self.day(time), strings), self.time(time))
    }

    /// A point in time within a sentence: only the time if it is today.
    pub fn moment(&self, time: Timestamp, strings: &Strings) -> String {
        let (day, today) = (self.day(time), self.now().date());
        if day == today {
            self.time(time)
        } else {
            format!("{}, {}", date(day, today, strings), self.time(time))
        }
    }

    /// How long until the day ends and labels change.
    pub fn until_midnight(&self) -> Duration {
        let now = self.now();
        let seconds = now.tomorrow().and_then(|tomorrow| tomorrow.start_of_day()).ok().and_then(|midnight| {
            u64::try_from(midnight.timestamp().as_second() - now.timestamp().as_second()).ok()
        });
        Duration::from_secs(seconds.unwrap_or(3600).clamp(1, 90_000))
    }
}

/// Days from `day` to `today`; negative for the future.
fn days_between(day: Date, today: Date) -> i32 {
    today.since((jiff::Unit::Day, day)).map_or(i32::MAX, |span| span.get_days())
}

fn date(day: Date, today: Date, strings: &Strings) -> String {
    let month = strings.t(match day.month() {
        1 => "month-1",
        2 => "month-2",
        3 => "month-3",
        4 => "month-4",
        5 => "month-5",
        6 => "month-6",
        7 => "month-7",
        8 => "month-8",
        9 => "month-9",
        10 => "month-10",
        11 => "month-11",
        _ => "month-12",
    });
    let values = [("day", day.day().into()), ("month", (&*month).into())];
    let recent = day <= today && day > today.saturating_sub(300.days());
    if recent {
        strings.with("date", values)
    } else {
        let [day_value, month_value] = values;
        strings.with("date-with-year", [day_value, month_value, ("year", day.year().to_string().into())])
    }
}

fn weekday_short(day: Weekday, strings: &Strings) -> String {
    strings
        .t(match day {
            Weekday::Monday => "mon",
            Weekday::Tuesday => "tue",
            Weekday::Wednesday => "wed",
            Weekday::Thursday => "thu",
            Weekday::Friday => "fri",
            Weekday::Saturday => "sat",
            Weekday::Sunday => "sun",
        })
        .to_string()
}

fn weekday_long(day: Weekday, strings: &Strings) -> String {
    strings
        .t(match day {
            Weekday::Monday => "monday",
            Weekday::Tuesday => "tuesday",
            Weekday::Wednesday => "wednesday",
            Weekday::Thursday => "thursday",
            Weekday::Friday => "friday",
            Weekday::Saturday => "saturday",
            Weekday::Sunday => "sunday",
        })
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_tell_the_day_as_a_person_would() {
        let now = 1_795_349_000_000; // Sunday, 22 November 2026, 12:03:20 UTC
        let day = 86_400_000;
        let (clock, strings) = (Clock::fixed(Timestamp::from_ms(now)), Strings::english());
        let brief = |ms| clock.brief(Timestamp::from_ms(ms), &strings);
        assert_eq!(brief(now), "12:03");
        assert_eq!(brief(now - day), "Yesterday");
        assert_eq!(brief(now - 6 * day), "Mon");
        assert_eq!(brief(now - 7 * day), "15 Nov");
        assert_eq!(brief(now - 400 * day), "18 Oct 2025");
        assert_eq!(brief(now + 2 * day), "24 Nov 2026");
        assert_eq!(clock.day_name(clock.day(Timestamp::from_ms(now - 6 * day)), &strings), "Monday");
        assert_eq!(clock.until_midnight(), Duration::from_secs(43_000));
    }
}
