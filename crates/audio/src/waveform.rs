//! The picture of a sound: how loud it is along its length, in few numbers.

use std::sync::Arc;
use std::time::Duration;

use super::clip::{Clip, ClipError};

/// A picture has so many bars.
pub const BARS: usize = 48;
/// The loudest sample of each so many ms is remembered until the length is known.
const STEP_MS: u32 = 50;
/// What is never louder than this is silence.
const SILENCE: f32 = 0.003;

/// How loud a sound is along its length.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Waveform {
    /// One bar after the other; 255 is the loudest.
    pub bars: [u8; BARS],
    /// The length of the whole, as it was counted and not as the file claims.
    pub duration: Duration,
}

impl Waveform {
    /// Decodes a whole clip for it, bit by bit. Takes as long as that does.
    ///
    /// # Errors
    /// If it is none that can be played, or has no sound in it.
    pub fn of(file: Arc<[u8]>) -> Result<Self, ClipError> {
        let mut clip = Clip::open(file)?;
        let mut peaks = Peaks::new(clip.rate());
        let mut samples = Vec::new();
        while clip.read(&mut samples)? {
            peaks.push(&samples);
            samples.clear();
        }
        if peaks.count == 0 { Err(ClipError::Damaged) } else { Ok(peaks.waveform()) }
    }
}

/// A picture of a sound that is still coming.
pub struct Peaks {
    rate: u32,
    step: u64,
    count: u64,
    peaks: Vec<f32>,
}

impl Peaks {
    /// Of a sound of this rate in Hz.
    pub fn new(rate: u32) -> Self {
        let step = u64::from((rate / 1000 * STEP_MS).max(1));
        Self { rate, step, count: 0, peaks: Vec::new() }
    }

    /// Takes the next samples.
    pub fn push(&mut self, samples: &[f32]) {
        for sample in samples {
            if self.count.is_multiple_of(self.step) {
                self.peaks.push(0.0);
            }
            self.count += 1;
            if let Some(peak) = self.peaks.last_mut() {
                *peak = peak.max(sample.abs());
            }
        }
    }

    /// The picture of what came so far.
    pub fn waveform(&self) -> Waveform {
        let loudest = self.peaks.iter().copied().fold(0.0, f32::max);
        let mut bars = [0; BARS];
        for (index, bar) in bars.iter_mut().enumerate() {
            let (from, to) = (self.peaks.len() * index / BARS, self.peaks.len() * (index + 1) / BARS);
            let part = self.peaks.get(from..to.max(from + 1)).unwrap_or_default();
            let mean = part.iter().sum::<f32>() / part.len().max(1) as f32;
            if loudest > SILENCE {
                *bar = (mean / loudest * 255.0) as u8;
            }
        }
        Waveform { bars, duration: seconds(self.count, self.rate) }
    }
}

/// How long so many samples are.
pub(crate) fn seconds(samples: u64, rate: u32) -> Duration {
    Duration::from_secs_f64(samples as f64 / f64::from(rate.max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::tone;

    #[test]
    fn loud_and_quiet_parts_show() {
        let mut peaks = Peaks::new(48_000);
        let loud = tone(300.0, Duration::from_secs(2), 48_000);
        let quiet: Vec<f32> = loud.iter().map(|sample| sample * 0.1).collect();
        peaks.push(&loud);
        peaks.push(&quiet);
        let waveform = peaks.waveform();
        assert_eq!(waveform.duration, Duration::from_secs(4));
        assert!(waveform.bars[..23].iter().all(|bar| *bar > 200), "{:?}", waveform.bars);
        assert!(waveform.bars[25..].iter().all(|bar| (10..60).contains(bar)), "{:?}", waveform.bars);
    }

    #[test]
    fn silence_is_not_blown_up() {
        let mut peaks = Peaks::new(48_000);
        peaks.push(&[0.001; 48_000]);
        assert_eq!(peaks.waveform().bars, [0; BARS]);
    }
}
