//! A sound in memory that is decoded as it is needed.
//!
//! Decision: symphonia, which is Rust all through and has no `unsafe` in its decoders. Each kind of file is given to
//! its own reader: nothing is searched for something playable. What a stranger sent is contained: what a file says of
//! its length is not believed, packets that give no sound are counted and end it, more than four hours are not played,
//! and should a decoder panic after all, the clip is damaged and nothing else.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use symphonia::core::audio::GenericAudioBufferRef;
use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error;
use symphonia::core::formats::{FormatReader, SeekMode, SeekTo, TrackType};
use symphonia::core::io::MediaSourceStream;
use symphonia::core::units::{TimeBase, Timestamp};
use symphonia::default::formats::{AdtsReader, IsoMp4Reader, MpaReader, OggReader, WavReader};

use super::kind::Kind;
use super::tags;

/// No more of a clip is played or measured.
pub const LONGEST: Duration = Duration::from_secs(4 * 3600);
/// After so many packets in a row that give no sound nothing more is expected.
const MOST_BARREN: u32 = 1_000;
/// A packet with more frames than this is a lie.
const MOST_FRAMES: usize = 1 << 16;
/// The most channels.
const MOST_CHANNELS: usize = 8;
/// The lowest and the highest rate in Hz.
const RATES: std::ops::RangeInclusive<u32> = 4_000..=192_000;

/// Why a clip cannot be played.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ClipError {
    /// It is of a kind, or encoded in a way, that we do not know.
    #[error("this kind of sound cannot be played")]
    Unknown,
    /// It begins as something that can be played and does not go on so.
    #[error("this sound is damaged")]
    Damaged,
}

/// A sound that is being decoded.
pub struct Clip {
    file: Arc<[u8]>,
    decoding: Decoding,
}

/// Reader and decoder at one place of the file.
struct Decoding {
    reader: Box<dyn FormatReader>,
    decoder: Box<dyn AudioDecoder>,
    track: u32,
    base: Option<TimeBase>,
    /// Of what the decoder gives, in Hz.
    rate: u32,
    /// Frames given so far.
    given: u64,
    /// Frames to be left out before the next ones are given.
    skip: u64,
    /// Packets in a row without sound.
    barren: u32,
    /// What was decoded to learn the rate.
    first: Vec<f32>,
    interleaved: Vec<f32>,
    ended: bool,
}

/// A file as a decoder reads it.
struct Shared(Arc<[u8]>, usize);

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        self.0.get(self.1..).unwrap_or_default()
    }
}

impl Clip {
    /// Looks into a file until its first samples are there.
    ///
    /// # Errors
    /// If it is of no kind that can be played, or without any sound.
    pub fn open(file: Arc<[u8]>) -> Result<Self, ClipError> {
        let decoding = contained(|| Decoding::open(&file))?;
        Ok(Self { file, decoding })
    }

    /// Samples per second of what [`Clip::read`] gives, 4,000 to 192,000.
    pub fn rate(&self) -> u32 {
        self.decoding.rate
    }

    /// Appends the next samples, at most some ten thousand; `false` at the end.
    ///
    /// # Errors
    /// If there is no way to go on.
    pub fn read(&mut self, out: &mut Vec<f32>) -> Result<bool, ClipError> {
        let decoding = &mut self.decoding;
        let read = contained(|| decoding.read(out));
        decoding.ended |= read.is_err();
        read
    }

    /// Goes on from another place; beyond the end there is nothing to read.
    ///
    /// # Errors
    /// If the file cannot be read again.
    pub fn seek(&mut self, to: Duration) -> Result<(), ClipError> {
        let decoding = &mut self.decoding;
        if contained(|| decoding.seek(to)).is_ok() {
            return Ok(());
        }
        // A reader that cannot: from the beginning, leaving out what lies before.
        self.decoding = contained(|| Decoding::open(&self.file))?;
        self.decoding.skip = frames(to, self.decoding.rate);
        Ok(())
    }
}

/// Runs a decoder; one that panics has met a file that it cannot read.
fn contained<T>(work: impl FnOnce() -> Result<T, ClipError>) -> Result<T, ClipError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(Err(ClipError::Damaged))
}

fn frames(time: Duration, rate: u32) -> u64 {
    (time.min(LONGEST).as_secs_f64() * f64::from(rate)) as u64
}

impl Decoding {
    fn open(file: &Arc<[u8]>) -> Result<Self, ClipError> {
        let kind = Kind::sniff(file).ok_or(ClipError::Unknown)?;
        let begins = match kind {
            Kind::Mp3 | Kind::Aac => file.len() - tags::without_head(file).len(),
            Kind::M4a | Kind::Ogg | Kind::Wav => 0,
        };
        let source = Cursor::new(Shared(Arc::clone(file), begins));
        let reader = reader(kind, MediaSourceStream::new(Box::new(source), Default::default()))?;
        let track = reader.default_track(TrackType::Audio).ok_or(ClipError::Unknown)?;
        let params =
            track.codec_params.as_ref().and_then(|params| params.audio()).ok_or(ClipError::Unknown)?;
        let codecs = symphonia::default::get_codecs();
        let decoder = codecs
            .make_audio_decoder(params, &AudioDecoderOptions::default())
            .map_err(|_| ClipError::Unknown)?;
        let (track, base) = (track.id, track.time_base);
        let mut decoding = Self {
            reader,
            decoder,
            track,
            base,
            rate: 0,
            given: 0,
            skip: 0,
            barren: 0,
            first: Vec::new(),
            interleaved: Vec::new(),
            ended: false,
        };
        let mut first = Vec::new();
        if !decoding.packet(&mut first)? {
            return Err(ClipError::Damaged);
        }
        decoding.first = first;
        Ok(decoding)
    }

    fn read(&mut self, out: &mut Vec<f32>) -> Result<bool, ClipError> {
        let before = out.len();
        while out.len() == before {
            let mut samples = std::mem::take(&mut self.first);
            if samples.is_empty() && !self.packet(&mut samples)? {
                return Ok(false);
            }
            let skip = usize::try_from(self.skip).unwrap_or(usize::MAX).min(samples.len());
            self.skip -= skip as u64;
            out.extend_from_slice(samples.get(skip..).unwrap_or_default());
        }
        Ok(true)
    }

    /// Decodes until there are samples; `false` at the end.
    fn packet(&mut self, out: &mut Vec<f32>) -> Result<bool, ClipError> {
        while !self.ended && self.barren < MOST_BARREN {
            self.barren += 1;
            let packet = match self.reader.next_packet() {
                Ok(Some(packet)) if packet.track_id == self.track => packet,
                Ok(Some(_)) => continue,
                Err(Error::DecodeError(_)) => continue,
                // The end, or cut off in the middle: what is there was played.
                Ok(None) | Err(_) => break,
            };
            match self.decoder.decode(&packet) {
                Ok(sound) => take(&sound, &mut self.rate, &mut self.interleaved, out),
                Err(Error::DecodeError(_) | Error::IoError(_)) => continue,
                Err(_) => return Err(ClipError::Damaged),
            }
            if out.is_empty() {
                continue;
            }
            self.barren = 0;
            self.given += out.len() as u64;
            self.ended = self.given >= frames(LONGEST, self.rate);
            return Ok(true);
        }
        self.ended = true;
        Ok(false)
    }

    fn seek(&mut self, to: Duration) -> Result<(), ClipError> {
        let base = self.base.ok_or(ClipError::Damaged)?;
        let time = symphonia::core::units::Time::try_from_secs_f64(to.min(LONGEST).as_secs_f64());
        let time = time.ok_or(ClipError::Damaged)?;
        let to = SeekTo::Time { time, track_id: Some(self.track) };
        let at = self.reader.seek(SeekMode::Accurate, to).map_err(|_| ClipError::Damaged)?;
        self.decoder.reset();
        let ms = |at: Timestamp| base.calc_time_saturating(at).as_secs_f64();
        let early = (ms(at.required_ts) - ms(at.actual_ts)).clamp(0.0, LONGEST.as_secs_f64());
        self.skip = (early * f64::from(self.rate)) as u64;
        self.given = frames(Duration::from_secs_f64(ms(at.actual_ts).max(0.0)), self.rate);
        (self.barren, self.ended) = (0, false);
        self.first.clear();
        Ok(())
    }
}

fn reader(kind: Kind, source: MediaSourceStream<'static>) -> Result<Box<dyn FormatReader>, ClipError> {
    let options = Default::default();
    let reader: Result<Box<dyn FormatReader>, Error> = match kind {
        Kind::Mp3 => MpaReader::try_new(source, options).map(|it| Box::new(it) as _),
        Kind::Aac => AdtsReader::try_new(source, options).map(|it| Box::new(it) as _),
        Kind::M4a => IsoMp4Reader::try_new(source, options).map(|it| Box::new(it) as _),
        Kind::Ogg => OggReader::try_new(source, options).map(|it| Box::new(it) as _),
        Kind::Wav => WavReader::try_new(source, options).map(|it| Box::new(it) as _),
    };
    reader.map_err(|error| match error {
        Error::Unsupported(_) => ClipError::Unknown,
        _ => ClipError::Damaged,
    })
}

/// Takes what was decoded as mono; leaves out what cannot be of the same clip.
fn take(sound: &GenericAudioBufferRef<'_>, rate: &mut u32, interleaved: &mut Vec<f32>, out: &mut Vec<f32>) {
    let (found, channels) = (sound.spec().rate(), sound.spec().channels().count());
    if !RATES.contains(&found) || !(1..=MOST_CHANNELS).contains(&channels) || sound.frames() > MOST_FRAMES {
        return;
    }
    if *rate == 0 {
        *rate = found;
    } else if *rate != found {
        return;
    }
    interleaved.clear();
    sound.copy_to_vec_interleaved::<f32>(interleaved);
    let mix = |frame: &[f32]| {
        let sum: f32 = frame.iter().sum();
        let sample = sum / channels as f32;
        if sample.is_finite() { sample.clamp(-1.0, 1.0) } else { 0.0 }
    };
    out.extend(interleaved.chunks_exact(channels).map(mix));
}
