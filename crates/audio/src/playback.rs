//! A clip as a speaker wants it: at the speaker's rate, at the listener's speed, from wherever the listener is.

use std::sync::Arc;
use std::time::Duration;

use super::clip::{Clip, ClipError};
use super::resample::Resampler;
use super::stretch::Stretch;

/// How fast a clip is played; the voice stays the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Speed {
    /// As it was spoken.
    #[default]
    Normal,
    /// One and a half times as fast.
    Faster,
    /// Twice as fast.
    Double,
}

impl Speed {
    /// As a factor.
    pub fn factor(self) -> f32 {
        match self {
            Self::Normal => 1.0,
            Self::Faster => 1.5,
            Self::Double => 2.0,
        }
    }

    /// The one that follows; the last is followed by the first.
    pub fn next(self) -> Self {
        match self {
            Self::Normal => Self::Faster,
            Self::Faster => Self::Double,
            Self::Double => Self::Normal,
        }
    }
}

/// A clip that is being played.
pub struct Playback {
    clip: Clip,
    /// The speaker's, in Hz.
    rate: u32,
    speed: Speed,
    stretch: Stretch,
    resampler: Resampler,
    /// Ready to be played; the first `played` of them are.
    ready: Vec<f32>,
    played: usize,
    /// Where the listener is in the clip, in seconds.
    position: f64,
    ended: bool,
}

impl Playback {
    /// Begins at the beginning.
    ///
    /// # Errors
    /// If the file is none that can be played.
    pub fn new(file: Arc<[u8]>) -> Result<Self, ClipError> {
        let clip = Clip::open(file)?;
        let rate = clip.rate();
        Ok(Self {
            stretch: Stretch::new(rate, Speed::Normal.factor()),
            resampler: Resampler::new(rate, rate),
            clip,
            rate,
            speed: Speed::Normal,
            ready: Vec::new(),
            played: 0,
            position: 0.0,
            ended: false,
        })
    }

    /// The speaker that plays it from now on takes so many samples a second.
    pub fn set_rate(&mut self, rate: u32) {
        self.rate = rate.max(1);
        self.begin_anew();
    }

    /// Goes on at another speed.
    pub fn set_speed(&mut self, speed: Speed) {
        self.speed = speed;
        self.begin_anew();
    }

    /// Goes on from another place; beyond the end there is nothing more.
    pub fn seek(&mut self, to: Duration) {
        self.position = to.as_secs_f64();
        self.begin_anew();
    }

    /// Where the listener is.
    pub fn position(&self) -> Duration {
        Duration::from_secs_f64(self.position)
    }

    /// Nothing follows.
    pub fn ended(&self) -> bool {
        self.ended
    }

    /// Decodes on from where the listener is: what was made ready for another rate or speed is not used.
    fn begin_anew(&mut self) {
        self.stretch = Stretch::new(self.clip.rate(), self.speed.factor());
        self.resampler = Resampler::new(self.clip.rate(), self.rate);
        self.ready.clear();
        self.played = 0;
        self.ended = self.clip.seek(self.position()).is_err();
    }

    /// Fills a buffer with the next samples, and with silence after the last one. Returns how many are of the clip.
    pub fn fill(&mut self, out: &mut [f32]) -> usize {
        while self.ready.len() - self.played < out.len() && !self.ended {
            self.decode();
        }
        let from = self.ready.get(self.played..).unwrap_or_default();
        let count = from.len().min(out.len());
        let (filled, silent) = out.split_at_mut(count);
        filled.copy_from_slice(from.get(..count).unwrap_or_default());
        silent.fill(0.0);
        self.played += count;
        self.position += count as f64 / f64::from(self.rate) * f64::from(self.speed.factor());
        count
    }

    fn decode(&mut self) {
        self.ready.drain(..std::mem::take(&mut self.played));
        let (mut samples, mut stretched) = (Vec::new(), Vec::new());
        match self.clip.read(&mut samples) {
            Ok(true) => {
                self.stretch.push(&samples, &mut stretched);
                self.resampler.push(&stretched, &mut self.ready);
            }
            Ok(false) | Err(_) => self.ended = true,
        }
    }
}
