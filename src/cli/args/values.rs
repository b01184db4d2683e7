//! From what was typed, or sent to `septet rpc`, to values: lengths of time and timers.

use std::borrow::Cow;
use std::str::FromStr;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use septet_client::model::Expiry;
use serde::{Deserialize, Deserializer, de};

/// When messages disappear: `off`, `after-read:SECONDS` or `after-send:SECONDS`.
#[derive(Clone, Copy)]
pub struct When(pub Expiry);

impl FromStr for When {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        expiry(text).map(Self)
    }
}

impl<'de> Deserialize<'de> for When {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for When {
    fn schema_name() -> Cow<'static, str> {
        "When".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": "^(off|after-read:[0-9]+|after-send:[0-9]+)$"})
    }
}

/// A length of time: seconds, or a number with one of the units s, m, h, d.
#[derive(Clone, Copy)]
pub struct Span(pub Duration);

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        duration(text).map(Self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        /// As programs write it.
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Seconds(u64),
            Text(String),
        }
        let text = match Written::deserialize(from)? {
            Written::Seconds(seconds) => seconds.to_string(),
            Written::Text(text) => text,
        };
        text.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for Span {
    fn schema_name() -> Cow<'static, str> {
        "Span".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": ["integer", "string"], "minimum": 0, "pattern": "^[0-9]+[smhd]?$"})
    }
}

/// When messages disappear.
pub fn expiry(text: &str) -> Result<Expiry, String> {
    let seconds = |number: &str| match number.parse::<u32>() {
        Ok(seconds) if seconds > 0 => Ok(seconds),
        _ => Err("not a number of seconds above zero".to_string()),
    };
    match text.split_once(':') {
        None if text == "off" => Ok(Expiry::Off),
        Some(("after-read", number)) => seconds(number).map(Expiry::AfterRead),
        Some(("after-send", number)) => seconds(number).map(Expiry::AfterSend),
        _ => Err("must be off, after-read:SECONDS or after-send:SECONDS".to_string()),
    }
}

/// Seconds, or a number with one of the units s, m, h, d.
pub fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = match text.strip_suffix(['s', 'm', 'h', 'd']) {
        Some(number) => (number, text.get(number.len()..).unwrap_or_default()),
        None => (text, "s"),
    };
    let number: u64 = number.parse().map_err(|_| "not a duration such as 30m, 8h or 7d".to_string())?;
    let factor = match unit {
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => 1,
    };
    number
        .checked_mul(factor)
        .filter(|seconds| *seconds <= 3650 * 86_400)
        .map(Duration::from_secs)
        .ok_or_else(|| "longer than ten years".to_string())
}

/// Seconds, also with a fraction; at most a day.
pub fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds".to_string())?;
    if !(0.0..=86_400.0).contains(&seconds) {
        return Err("must be 0 to 86400 seconds".into());
    }
    Ok(Duration::from_secs_f64(seconds))
}

/// `NAME=ID`: a name of a local network, and the account it leads to.
pub fn registration(
    text: &str,
) -> Result<(septet_protocol::name::Name, septet_protocol::id::SessionId), String> {
    let (name, id) = text.split_once('=').ok_or("must be NAME=ID")?;
    let name = septet_protocol::name::Name::parse(name).map_err(|error| error.to_string())?;
    Ok((name, id.parse().map_err(|_| "what follows = is no Account ID".to_string())?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units() {
        assert_eq!(duration("90"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("8h"), Ok(Duration::from_secs(8 * 3600)));
        for bad in ["", "h", "1.5h", "-1d", "99999d", "8 h", "é"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn expiries_have_a_mode_and_seconds() {
        assert_eq!(expiry("off"), Ok(Expiry::Off));
        assert_eq!(expiry("after-read:300"), Ok(Expiry::AfterRead(300)));
        assert_eq!(expiry("after-send:1"), Ok(Expiry::AfterSend(1)));
        for bad in ["", "on", "after-read", "after-read:", "after-send:0", "after-send:-1", "off:3"] {
            assert!(expiry(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn seconds_are_bounded() {
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
        for bad in ["", "x", "-1", "1e9", "NaN", "inf"] {
            assert!(seconds(bad).is_err(), "{bad}");
        }
    }
}
