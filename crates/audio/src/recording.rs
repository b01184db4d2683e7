//! A voice message while it is spoken: encoded as it comes, with its level, and never longer than five minutes.

use std::time::Duration;

use super::encode::{EncodeError, Encoder};
use super::waveform::{Peaks, Waveform, seconds};

/// The longest voice message (spec 04 §10).
pub const LONGEST: Duration = Duration::from_secs(300);
/// What is shorter was a slip of the finger.
pub const SHORTEST: Duration = Duration::from_secs(1);
/// The quietest level that shows, in dB below full.
const QUIETEST: f32 = 50.0;

/// What is being recorded.
pub struct Recording {
    encoder: Encoder,
    rate: u32,
    /// Samples taken.
    taken: u64,
    level: f32,
    peaks: Peaks,
    broken: bool,
}

/// A finished voice message.
#[derive(Clone, PartialEq, Debug)]
pub struct Recorded {
    /// An MP3 file.
    pub bytes: Vec<u8>,
    /// Its picture and length.
    pub waveform: Waveform,
}

impl Recording {
    /// Begins one from a microphone of this rate in Hz.
    ///
    /// # Errors
    /// If such sound cannot be encoded.
    pub fn new(rate: u32) -> Result<Self, EncodeError> {
        let encoder = Encoder::new(rate)?;
        Ok(Self { encoder, rate, taken: 0, level: 0.0, peaks: Peaks::new(rate), broken: false })
    }

    /// Takes what was heard, as far as it still fits.
    pub fn push(&mut self, samples: &[f32]) {
        let most = LONGEST.as_secs() * u64::from(self.rate);
        let room = usize::try_from(most.saturating_sub(self.taken)).unwrap_or(usize::MAX);
        let samples = samples.get(..room.min(samples.len())).unwrap_or_default();
        if samples.is_empty() {
            return;
        }
        self.taken += samples.len() as u64;
        self.level = level(samples);
        self.peaks.push(samples);
        self.broken |= self.encoder.push(samples).is_err();
    }

    /// How long it is.
    pub fn elapsed(&self) -> Duration {
        seconds(self.taken, self.rate)
    }

    /// How loud it is now, 0 to 1.
    pub fn level(&self) -> f32 {
        self.level
    }

    /// Nothing more fits.
    pub fn is_full(&self) -> bool {
        self.elapsed() >= LONGEST
    }

    /// Ends it; `None` if it is too short to be one, or could not be encoded.
    pub fn finish(self) -> Option<Recorded> {
        let duration = self.elapsed();
        if duration < SHORTEST || self.broken {
            return None;
        }
        let bytes = self.encoder.finish().ok()?;
        Some(Recorded { bytes, waveform: self.peaks.waveform() })
    }
}

/// How loud samples are, 0 to 1, as ears judge it.
fn level(samples: &[f32]) -> f32 {
    let power: f32 = samples.iter().map(|sample| sample * sample).sum::<f32>() / samples.len().max(1) as f32;
    let decibel = 10.0 * power.max(1e-10).log10();
    (1.0 + decibel / QUIETEST).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::tone;

    #[test]
    fn a_recording_ends_by_itself_after_five_minutes() {
        let mut recording = Recording::new(32_000).unwrap();
        let minute = tone(440.0, Duration::from_secs(60), 32_000);
        for _ in 0..4 {
            recording.push(&minute);
        }
        assert!(!recording.is_full());
        recording.push(&minute);
        recording.push(&minute);
        assert!(recording.is_full());
        assert_eq!(recording.elapsed(), LONGEST);
    }

    #[test]
    fn what_is_shorter_than_a_second_is_no_message() {
        let record = |ms| {
            let mut recording = Recording::new(48_000).unwrap();
            recording.push(&tone(440.0, Duration::from_millis(ms), 48_000));
            recording.finish()
        };
        assert_eq!(record(990), None);
        assert!(record(1010).is_some());
    }

    #[test]
    fn the_level_follows_the_voice() {
        let mut recording = Recording::new(48_000).unwrap();
        recording.push(&[0.0; 480]);
        assert_eq!(recording.level(), 0.0);
        recording.push(&tone(440.0, Duration::from_millis(20), 48_000));
        assert!(recording.level() > 0.7, "{}", recording.level());
        let quiet: Vec<f32> =
            tone(440.0, Duration::from_millis(20), 48_000).iter().map(|it| it * 0.05).collect();
        recording.push(&quiet);
        assert!((0.1..0.6).contains(&recording.level()), "{}", recording.level());
    }
}
