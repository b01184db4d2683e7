//! From one rate to another, by curves through four neighbours: good enough for voices, and cheap.

/// A stream of samples that changes its rate.
pub struct Resampler {
    /// Samples that come in for each that goes out.
    step: f64,
    /// Where the next one lies between the two in the middle of `near`; 1 or more if others have to come first.
    at: f64,
    near: [f32; 4],
}

impl Resampler {
    /// From one rate to another, in Hz.
    pub fn new(from: u32, to: u32) -> Self {
        Self { step: f64::from(from) / f64::from(to.max(1)), at: 0.0, near: [0.0; 4] }
    }

    /// Takes samples and appends what follows from them.
    pub fn push(&mut self, samples: &[f32], out: &mut Vec<f32>) {
        if self.step == 1.0 {
            return out.extend_from_slice(samples);
        }
        for &sample in samples {
            let [_, b, c, d] = self.near;
            self.near = [b, c, d, sample];
            while self.at < 1.0 {
                out.push(curve(self.near, self.at as f32));
                self.at += self.step;
            }
            self.at -= 1.0;
        }
    }
}

/// The value at `t`, 0 to 1, between the second and the third of four.
fn curve([a, b, c, d]: [f32; 4], t: f32) -> f32 {
    let slope = (c - a) * 0.5;
    let bend = a - 2.5 * b + 2.0 * c - 0.5 * d;
    let twist = (d - a) * 0.5 + (b - c) * 1.5;
    ((twist * t + bend) * t + slope) * t + b
}
