//! Speaking faster in the same voice: WSOLA.
//!
//! The output is made of short overlapping pieces of the input. Where the next piece is taken from is not exactly where
//! the speed says, but close by, where it continues best what was put out last: so the waves of a voice stay whole
//! and only their number changes.

/// Length of a piece's half in ms: long enough for the lowest voice, short enough for a syllable.
const HALF_MS: u32 = 12;
/// How far from its place a piece may be taken, in ms.
const SEARCH_MS: u32 = 8;
/// Only every so many samples are compared.
const SPARSE: usize = 4;

/// A stream of samples that is played at another speed.
pub struct Stretch {
    half: usize,
    search: usize,
    speed: f32,
    input: Vec<f32>,
    /// Where the next piece should begin in `input`.
    at: f32,
    /// What would follow what was put out last.
    follows: Vec<f32>,
}

impl Stretch {
    /// For samples of this rate in Hz; `speed` is above 0, 1 leaves everything as it is.
    pub fn new(rate: u32, speed: f32) -> Self {
        let half = (rate / 1000 * HALF_MS).max(16) as usize;
        let search = (rate / 1000 * SEARCH_MS).max(4) as usize;
        Self { half, search, speed, input: Vec::new(), at: search as f32, follows: Vec::new() }
    }

    /// Takes samples and appends what follows from them.
    pub fn push(&mut self, samples: &[f32], out: &mut Vec<f32>) {
        if self.speed == 1.0 {
            return out.extend_from_slice(samples);
        }
        self.input.extend_from_slice(samples);
        while self.piece(out) {}
        let done = (self.at as usize).saturating_sub(self.search).min(self.input.len());
        self.input.drain(..done);
        self.at -= done as f32;
    }

    /// Puts the next half of a piece out, if all is there that may be a part of it.
    fn piece(&mut self, out: &mut Vec<f32>) -> bool {
        let place = self.at as usize;
        let Some(begins) = place.checked_sub(self.search) else { return false };
        let Some(near) = self.input.get(begins..place + self.search + 2 * self.half) else { return false };
        let offset = best(near, &self.follows, 2 * self.search);
        let piece = near.get(offset..).unwrap_or_default();
        let length = self.half as f32;
        for (index, sample) in piece.iter().take(self.half).enumerate() {
            let part = index as f32 / length;
            let before = self.follows.get(index).copied().unwrap_or(*sample);
            out.push(before * (1.0 - part) + sample * part);
        }
        self.follows = piece.iter().skip(self.half).take(self.half).copied().collect();
        self.at += length * self.speed;
        true
    }
}

/// The offset, up to `most`, at which `near` is most like `wanted`.
fn best(near: &[f32], wanted: &[f32], most: usize) -> usize {
    if wanted.is_empty() {
        return most / 2;
    }
    let likeness = |offset: usize| {
        let (mut common, mut power) = (0.0, 1e-6);
        let pairs = near.get(offset..).unwrap_or_default().iter().zip(wanted);
        for (ours, theirs) in pairs.step_by(SPARSE) {
            common += ours * theirs;
            power += ours * ours;
        }
        common / f32::sqrt(power)
    };
    let offsets = (0..=most).step_by(2);
    offsets.map(|offset| (likeness(offset), offset)).max_by(|a, b| a.0.total_cmp(&b.0)).map_or(0, |it| it.1)
}
