//! Sound: what a microphone hears becomes a voice message, what somebody sent becomes sound (spec 04 §10).
//!
//! Decision: nothing here opens a file or asks the network, and only [`device`] touches the machine. A clip is bytes in
//! memory that are decoded as they are needed, a fraction of a second at a time: what a stranger sent may claim to last
//! ten hours, and costs no memory for that. Playing is *pulled*: a device asks a [`Playback`] for the next samples, so a
//! test that asks instead of a device hears exactly the same, without a clock.
//!
//! Decision: all sound is mono, 32-bit floating point between -1 and 1, once it is decoded. Voices are.

pub mod clip;
pub mod device;
pub mod encode;
pub mod fake;
pub mod kind;
pub mod playback;
pub mod recording;
mod resample;
mod stretch;
mod tags;
pub mod voice;
pub mod waveform;

pub use clip::{Clip, ClipError};
pub use device::{Device, DeviceError, Sink, Source, Stream};
pub use kind::Kind;
pub use playback::{Playback, Speed};
pub use recording::{Recorded, Recording};
pub use waveform::Waveform;
