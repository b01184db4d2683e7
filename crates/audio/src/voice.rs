//! A file from disk as a voice message (spec 04 §10).
//!
//! Decision: MP3 and AAC are sent as they are, without the notes of programs; everything else is encoded as MP3, which
//! all official apps play, and which leaves nothing of what an Ogg file has besides its sound.

use std::sync::Arc;
use std::time::Duration;

use super::clip::{Clip, ClipError};
use super::encode::{EncodeError, Encoder};
use super::kind::Kind;
use super::recording::LONGEST;
use super::tags;
use super::waveform::seconds;

/// The name that voice messages are sent under, as the official desktop app does.
pub const NAME: &str = "session-audio-message";
/// Encoders add a little at both ends: so much more than [`LONGEST`] is still five minutes.
const GRACE: Duration = Duration::from_secs(1);

/// A file ready to be sent as a voice message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Voice {
    /// The file.
    pub bytes: Vec<u8>,
    /// Its MIME type.
    pub content_type: &'static str,
    /// Its length.
    pub duration: Duration,
}

/// Why a file cannot be sent as a voice message.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum VoiceError {
    /// It cannot be played.
    #[error("it is no sound that Septet can play: MP3, AAC, M4A, Ogg Vorbis and WAV are")]
    Unknown,
    /// It begins as sound and does not go on so.
    #[error("the sound in it is damaged")]
    Damaged,
    /// It is longer than a voice message may be.
    #[error("it is longer than the {} minutes that a voice message may have", LONGEST.as_secs() / 60)]
    TooLong,
    /// It cannot be encoded.
    #[error(transparent)]
    Encode(#[from] EncodeError),
}

impl From<ClipError> for VoiceError {
    fn from(error: ClipError) -> Self {
        match error {
            ClipError::Unknown => Self::Unknown,
            ClipError::Damaged => Self::Damaged,
        }
    }
}

/// Makes a file a voice message. Takes as long as decoding all of it.
///
/// # Errors
/// If it is no sound, damaged, or too long.
pub fn from_file(file: Vec<u8>) -> Result<Voice, VoiceError> {
    let kind = Kind::sniff(&file).ok_or(VoiceError::Unknown)?;
    let file: Arc<[u8]> = file.into();
    let mut clip = Clip::open(Arc::clone(&file))?;
    let encode = matches!(kind, Kind::Ogg | Kind::Wav);
    let mut encoder = if encode { Some(Encoder::new(clip.rate())?) } else { None };
    let (mut samples, mut count) = (Vec::new(), 0);
    while clip.read(&mut samples)? {
        count += samples.len() as u64;
        if seconds(count, clip.rate()) > LONGEST + GRACE {
            return Err(VoiceError::TooLong);
        }
        if let Some(encoder) = &mut encoder {
            encoder.push(&samples)?;
        }
        samples.clear();
    }
    let duration = seconds(count, clip.rate());
    let (bytes, kind) = match (encoder, kind) {
        (Some(encoder), _) => (encoder.finish()?, Kind::Mp3),
        (None, Kind::Mp3 | Kind::Aac) => (tags::without(&file).to_vec(), kind),
        (None, _) => (file.to_vec(), kind),
    };
    if bytes.is_empty() {
        return Err(VoiceError::Damaged);
    }
    Ok(Voice { bytes, content_type: kind.content_type(), duration })
}
