//! Microphone and speaker.
//!
//! Decision: whoever plays or records knows only these traits. The machine's own device needs ALSA's headers to build on
//! Linux, so it stands behind the feature `device`; without it, as on a machine without a sound card, there is
//! [`Silent`], which says so.

use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "device")]
mod machine;

/// What a speaker plays. Called on the device's side, often.
pub trait Source: Send {
    /// Fills a buffer with mono samples; `false` if nothing follows them.
    fn fill(&mut self, out: &mut [f32]) -> bool;
    /// The device is gone.
    fn lost(&mut self);
}

/// What listens to a microphone. Called on the device's side, often.
pub trait Sink: Send {
    /// Takes mono samples.
    fn take(&mut self, samples: &[f32]);
    /// The device is gone.
    fn lost(&mut self);
}

/// Makes a source for a device of this rate in Hz.
pub type MakeSource = Box<dyn FnOnce(u32) -> Box<dyn Source> + Send>;
/// Makes a sink for a device of this rate in Hz.
pub type MakeSink = Box<dyn FnOnce(u32) -> Result<Box<dyn Sink>, DeviceError> + Send>;

/// Something that plays or records until it is dropped.
pub trait Stream: Send {}

/// Microphone and speaker of a machine.
pub trait Device: Send + Sync {
    /// Begins to play. May block for as long as the system takes to open a speaker.
    ///
    /// # Errors
    /// If there is none.
    fn play(&self, make: MakeSource) -> Result<Box<dyn Stream>, DeviceError>;

    /// Begins to record. May block for as long as the system takes to open a microphone.
    ///
    /// # Errors
    /// If there is none.
    fn record(&self, make: MakeSink) -> Result<Box<dyn Stream>, DeviceError>;

    /// How much of what a source gave may not have been heard yet.
    fn ahead(&self) -> Duration {
        Duration::ZERO
    }
}

/// Why there is no sound.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DeviceError {
    /// This program was built without support for sound devices.
    #[error("this build of Septet has no support for sound devices")]
    NotBuilt,
    /// There is no speaker.
    #[error("no speaker was found")]
    NoSpeaker,
    /// There is no microphone.
    #[error("no microphone was found")]
    NoMicrophone,
    /// There is one, and it cannot be used.
    #[error("the sound device cannot be used")]
    Unusable,
}

/// The device of a program that was built without any.
pub struct Silent;

impl Device for Silent {
    fn play(&self, _: MakeSource) -> Result<Box<dyn Stream>, DeviceError> {
        Err(DeviceError::NotBuilt)
    }

    fn record(&self, _: MakeSink) -> Result<Box<dyn Stream>, DeviceError> {
        Err(DeviceError::NotBuilt)
    }
}

/// The device of this machine.
pub fn of_this_machine() -> Arc<dyn Device> {
    #[cfg(feature = "device")]
    return Arc::new(machine::Machine);
    #[cfg(not(feature = "device"))]
    return Arc::new(Silent);
}
