//! From samples to MP3: mono, 128 kbit/s, as the official desktop app sends voice messages (spec 04 §10).
//!
//! Decision: LAME, which comes as source and builds with a C compiler alone. It is given our own samples and nothing
//! that anybody sent. No tag and no name of a program is written.

use std::num::NonZeroU32;

use mp3lame_encoder::{Bitrate, Builder, Encoder as Lame, FlushGap, Mode, MonoPcm, Quality, VbrMode};

/// LAME may hold back so many bytes until the end.
const HELD_BACK: usize = 7200;
/// So many samples are encoded at once, at most.
const AT_ONCE: usize = 8192;
/// The rate of a file whose microphone has an unusual one, in Hz.
const USUAL: u32 = 44_100;
/// The rates that MPEG-1 has, in Hz.
const RATES: [u32; 3] = [32_000, 44_100, 48_000];

/// The encoder cannot be set up or failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the sound cannot be encoded")]
pub struct EncodeError;

/// An MP3 file that grows.
pub struct Encoder {
    lame: Lame,
    bytes: Vec<u8>,
    /// From samples that come in to samples that are encoded.
    ratio: f32,
}

impl Encoder {
    /// For samples at this rate, 1,000 to 384,000 Hz.
    ///
    /// # Errors
    /// If there is no such rate, or no memory.
    pub fn new(rate: u32) -> Result<Self, EncodeError> {
        if !(1_000..=384_000).contains(&rate) {
            return Err(EncodeError);
        }
        let out = if RATES.contains(&rate) { rate } else { USUAL };
        let lame = || {
            let builder = Builder::new()?.with_num_channels(1).ok()?.with_mode(Mode::Mono).ok()?;
            let builder = builder.with_sample_rate(rate).ok()?;
            let builder = builder.with_output_sample_rate(NonZeroU32::new(out)).ok()?;
            let builder = builder.with_brate(Bitrate::Kbps128).ok()?.with_vbr_mode(VbrMode::Off).ok()?;
            builder.with_quality(Quality::Good).ok()?.with_to_write_vbr_tag(false).ok()?.build().ok()
        };
        Ok(Self { lame: lame().ok_or(EncodeError)?, bytes: Vec::new(), ratio: out as f32 / rate as f32 })
    }

    /// Adds samples.
    ///
    /// # Errors
    /// If LAME fails; what was added before is still there.
    pub fn push(&mut self, samples: &[f32]) -> Result<(), EncodeError> {
        for part in samples.chunks(AT_ONCE) {
            let part: Vec<i16> =
                part.iter().map(|sample| (sample.clamp(-1.0, 1.0) * 32_767.0) as i16).collect();
            // What LAME asks for. A buffer without any room would not be checked by it.
            self.bytes.reserve((part.len() as f32 * self.ratio * 1.25) as usize + HELD_BACK);
            self.lame.encode_to_vec(MonoPcm(&part), &mut self.bytes).map_err(|_| EncodeError)?;
        }
        Ok(())
    }

    /// The whole file.
    ///
    /// # Errors
    /// If LAME fails.
    pub fn finish(mut self) -> Result<Vec<u8>, EncodeError> {
        self.bytes.reserve(HELD_BACK * 2);
        self.lame.flush_to_vec::<FlushGap>(&mut self.bytes).map_err(|_| EncodeError)?;
        Ok(self.bytes)
    }
}
