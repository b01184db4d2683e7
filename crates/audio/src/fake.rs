//! A device for tests: whoever holds it is microphone, ear and clock.

use std::f32::consts::TAU;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::device::{Device, DeviceError, MakeSink, MakeSource, Sink, Source, Stream};

/// A sine at half of full, for so long, at this rate in Hz.
pub fn tone(frequency: f32, length: Duration, rate: u32) -> Vec<f32> {
    let count = (length.as_secs_f64() * f64::from(rate)) as u32;
    let step = f64::from(frequency) / f64::from(rate);
    (0..count).map(|at| (TAU * (f64::from(at) * step).fract() as f32).sin() * 0.5).collect()
}

/// The frequency of a tone, by counting how often it crosses zero.
pub fn frequency(samples: &[f32], rate: u32) -> f32 {
    let crossings = samples.windows(2).filter(|pair| matches!(pair, [a, b] if *a < 0.0 && *b >= 0.0)).count();
    crossings as f32 * rate as f32 / samples.len().max(1) as f32
}

/// The rate of both sides, in Hz.
pub const RATE: u32 = 48_000;

#[derive(Default)]
struct Inner {
    source: Option<(u64, Box<dyn Source>)>,
    sink: Option<(u64, Box<dyn Sink>)>,
    opened: u64,
    /// Streams that were ended.
    closed: Vec<u64>,
}

/// The device. Copies are the same one.
#[derive(Clone, Default)]
pub struct FakeDevice(Arc<Mutex<Inner>>);

/// What is open, until it is dropped.
struct Open(Arc<Mutex<Inner>>, u64);

impl FakeDevice {
    /// Lets this much time pass at the speaker; gives what it played, `None` if nothing plays.
    pub fn listen(&self, time: Duration) -> Option<Vec<f32>> {
        let taken = lock(&self.0).source.take();
        let (number, mut source) = taken?;
        let mut heard = vec![0.0; (time.as_secs_f64() * f64::from(RATE)) as usize];
        let mut goes_on = true;
        // In parts, as devices do.
        for part in heard.chunks_mut(1024) {
            goes_on = goes_on && source.fill(part);
        }
        let mut inner = lock(&self.0);
        if goes_on && inner.source.is_none() && !inner.closed.contains(&number) {
            inner.source = Some((number, source));
        }
        Some(heard)
    }

    /// Something plays.
    pub fn is_playing(&self) -> bool {
        lock(&self.0).source.is_some()
    }

    /// Something records.
    pub fn is_recording(&self) -> bool {
        lock(&self.0).sink.is_some()
    }

    /// Says something into the microphone; `false` if nobody records.
    pub fn speak(&self, samples: &[f32]) -> bool {
        let taken = lock(&self.0).sink.take();
        let Some((number, mut sink)) = taken else { return false };
        for part in samples.chunks(1024) {
            sink.take(part);
        }
        let mut inner = lock(&self.0);
        if inner.sink.is_none() && !inner.closed.contains(&number) {
            inner.sink = Some((number, sink));
        }
        true
    }

    /// Pulls the plug.
    pub fn unplug(&self) {
        let (source, sink) = {
            let mut inner = lock(&self.0);
            (inner.source.take(), inner.sink.take())
        };
        if let Some((_, mut source)) = source {
            source.lost();
        }
        if let Some((_, mut sink)) = sink {
            sink.lost();
        }
    }
}

fn lock(inner: &Mutex<Inner>) -> std::sync::MutexGuard<'_, Inner> {
    inner.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Device for FakeDevice {
    fn play(&self, make: MakeSource) -> Result<Box<dyn Stream>, DeviceError> {
        let source = make(RATE);
        let mut inner = lock(&self.0);
        inner.opened += 1;
        let number = inner.opened;
        inner.source = Some((number, source));
        Ok(Box::new(Open(Arc::clone(&self.0), number)))
    }

    fn record(&self, make: MakeSink) -> Result<Box<dyn Stream>, DeviceError> {
        let sink = make(RATE)?;
        let mut inner = lock(&self.0);
        inner.opened += 1;
        let number = inner.opened;
        inner.sink = Some((number, sink));
        Ok(Box::new(Open(Arc::clone(&self.0), number)))
    }
}

impl Stream for Open {}

impl Drop for Open {
    fn drop(&mut self) {
        let mut inner = lock(&self.0);
        inner.closed.push(self.1);
        let source = inner.source.take_if(|(number, _)| *number == self.1);
        let sink = inner.sink.take_if(|(number, _)| *number == self.1);
        drop(inner);
        drop((source, sink));
    }
}
