//! The machine's own microphone and speaker.
//!
//! Decision: a thread for each stream decodes and makes samples ready a little ahead; the system's callback only takes
//! them, so that a slow moment is not heard. The thread ends with its stream.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use cpal::{
    BufferSize, Data, ErrorKind, FromSample, SampleFormat, SizedSample, StreamConfig, SupportedBufferSize,
    SupportedStreamConfig,
};

use super::{Device, DeviceError, MakeSink, MakeSource, Sink, Source, Stream};

/// So much is made ready ahead, in ms.
const AHEAD_MS: u32 = 200;
/// So much is given to a device, or taken from it, at once, in ms.
const AT_ONCE_MS: u32 = 60;
/// How often the thread looks whether more is needed.
const TURN: Duration = Duration::from_millis(20);
/// The system gets so long to open a device.
const OPENING: Duration = Duration::from_secs(5);

/// A device that gives nothing but errors for so long is gone.
const FAILING: Duration = Duration::from_secs(2);
/// Between two errors that come at once.
const ERROR_PAUSE: Duration = Duration::from_millis(5);

/// This machine.
pub struct Machine;

/// What runs until it is dropped.
struct Running(Arc<AtomicBool>);

impl Stream for Running {}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Samples between thread and callback.
type Queue = Arc<Mutex<VecDeque<f32>>>;

impl Device for Machine {
    fn play(&self, make: MakeSource) -> Result<Box<dyn Stream>, DeviceError> {
        run(move |ends, opened| play(make, ends, opened))
    }

    fn record(&self, make: MakeSink) -> Result<Box<dyn Stream>, DeviceError> {
        run(move |ends, opened| record(make, ends, opened))
    }

    fn ahead(&self) -> Duration {
        Duration::from_millis(AHEAD_MS.into())
    }
}

/// Tells whether a device could be opened.
type Opened = mpsc::Sender<Result<(), DeviceError>>;

/// Runs a stream on a thread of its own, since some systems tie a stream to its thread.
fn run(
    work: impl FnOnce(&AtomicBool, &Opened) -> Result<(), DeviceError> + Send + 'static,
) -> Result<Box<dyn Stream>, DeviceError> {
    let ends = Arc::new(AtomicBool::new(false));
    let running = Running(Arc::clone(&ends));
    let (opened, told) = mpsc::channel();
    let thread = thread::Builder::new().name("sound".into()).spawn(move || {
        if let Err(error) = work(&ends, &opened) {
            // Nobody listens if it took too long.
            let _ = opened.send(Err(error));
        }
    });
    thread.map_err(|_| DeviceError::Unusable)?;
    told.recv_timeout(OPENING).unwrap_or(Err(DeviceError::Unusable))?;
    Ok(Box::new(running))
}

fn unusable(error: cpal::Error) -> DeviceError {
    tracing::warn!(%error, "the sound device");
    DeviceError::Unusable
}

/// Whether a device still works.
///
/// Some report errors that pass, such as PulseAudio's plugin for ALSA right after it was opened: one is gone when it
/// says so, or when nothing but errors came from it for a while.
#[derive(Clone, Default)]
struct Watch(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    /// When the first of the errors came since it worked last.
    failing: Option<Instant>,
    gone: bool,
}

impl Watch {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It gave or took samples.
    fn works(&self) {
        self.state().failing = None;
    }

    fn is_gone(&self) -> bool {
        self.state().gone
    }

    /// Notes an error. Waits a little, since some come in a loop without any pause.
    fn failed(&self, error: &cpal::Error) {
        if matches!(error.kind(), ErrorKind::Xrun | ErrorKind::DeviceChanged | ErrorKind::RealtimeDenied) {
            return;
        }
        let begun = {
            let mut state = self.state();
            *state.failing.get_or_insert_with(Instant::now)
        };
        if begun.elapsed() > FAILING || error.kind() == ErrorKind::DeviceNotAvailable {
            tracing::warn!(%error, "the sound device stopped");
            self.state().gone = true;
        }
        thread::sleep(ERROR_PAUSE);
    }
}

/// How a device is used: as it likes best, but asked for little at a time. Some would else take seconds at once.
fn config(found: &SupportedStreamConfig) -> StreamConfig {
    let mut config = found.config();
    if let SupportedBufferSize::Range { min, max } = *found.buffer_size() {
        let wanted = config.sample_rate / 1000 * AT_ONCE_MS;
        config.buffer_size = BufferSize::Fixed(wanted.min(max).max(min));
    }
    config
}

fn play(make: MakeSource, ends: &AtomicBool, opened: &Opened) -> Result<(), DeviceError> {
    let device = cpal::default_host().default_output_device().ok_or(DeviceError::NoSpeaker)?;
    let found = device.default_output_config().map_err(unusable)?;
    let config = config(&found);
    let (channels, rate) = (usize::from(config.channels).max(1), config.sample_rate);
    let (queue, watch) = (Queue::default(), Watch::default());
    let (works, fails) = (watch.clone(), watch.clone());
    let taken = Arc::clone(&queue);
    let most = Arc::new(AtomicUsize::new(0));
    let asked = Arc::clone(&most);
    let format = found.sample_format();
    let stream = device.build_output_stream_raw(
        config,
        format,
        move |data, _| {
            works.works();
            asked.fetch_max(data.len() / channels, Ordering::Relaxed);
            give(data, format, channels, &taken);
        },
        move |error| fails.failed(&error),
        Some(OPENING),
    );
    let stream = stream.map_err(unusable)?;
    let mut source = make(rate);
    let ahead = (rate / 1000 * AHEAD_MS) as usize;
    let mut goes_on = feed(&mut *source, &queue, ahead);
    stream.play().map_err(unusable)?;
    let _ = opened.send(Ok(()));
    while !ends.load(Ordering::Relaxed) && (goes_on || !lock(&queue).is_empty()) {
        if watch.is_gone() {
            source.lost();
            break;
        }
        thread::sleep(TURN);
        // A device that takes more at once than it was asked to needs more ahead.
        let ahead = ahead.max(2 * most.load(Ordering::Relaxed));
        goes_on = goes_on && feed(&mut *source, &queue, ahead);
    }
    Ok(())
}

/// Makes samples ready; `false` if these were the last.
fn feed(source: &mut dyn Source, queue: &Queue, ahead: usize) -> bool {
    let missing = ahead.saturating_sub(lock(queue).len());
    let mut samples = vec![0.0; missing];
    let goes_on = missing == 0 || source.fill(&mut samples);
    lock(queue).extend(samples);
    goes_on
}

fn lock(queue: &Queue) -> std::sync::MutexGuard<'_, VecDeque<f32>> {
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Gives the system the next samples in its own format.
fn give(data: &mut Data, format: SampleFormat, channels: usize, queue: &Queue) {
    fn write<T: SizedSample + FromSample<f32>>(data: &mut Data, channels: usize, queue: &Queue) {
        let mut queue = lock(queue);
        for frame in data.as_slice_mut::<T>().unwrap_or_default().chunks_mut(channels) {
            frame.fill(T::from_sample(queue.pop_front().unwrap_or(0.0)));
        }
    }
    match format {
        SampleFormat::F32 => write::<f32>(data, channels, queue),
        SampleFormat::F64 => write::<f64>(data, channels, queue),
        SampleFormat::I8 => write::<i8>(data, channels, queue),
        SampleFormat::I16 => write::<i16>(data, channels, queue),
        SampleFormat::I32 => write::<i32>(data, channels, queue),
        SampleFormat::U8 => write::<u8>(data, channels, queue),
        SampleFormat::U16 => write::<u16>(data, channels, queue),
        SampleFormat::U32 => write::<u32>(data, channels, queue),
        // The buffer comes filled with silence.
        _ => {}
    }
}

fn record(make: MakeSink, ends: &AtomicBool, opened: &Opened) -> Result<(), DeviceError> {
    let device = cpal::default_host().default_input_device().ok_or(DeviceError::NoMicrophone)?;
    let found = device.default_input_config().map_err(unusable)?;
    let config = config(&found);
    let channels = usize::from(config.channels).max(1);
    let mut sink = make(config.sample_rate)?;
    let (queue, watch) = (Queue::default(), Watch::default());
    let (works, fails) = (watch.clone(), watch.clone());
    let heard = Arc::clone(&queue);
    let format = found.sample_format();
    let stream = device.build_input_stream_raw(
        config,
        format,
        move |data, _| {
            works.works();
            hear(data, format, channels, &heard);
        },
        move |error| fails.failed(&error),
        Some(OPENING),
    );
    let stream = stream.map_err(unusable)?;
    stream.play().map_err(unusable)?;
    let _ = opened.send(Ok(()));
    while !ends.load(Ordering::Relaxed) {
        take(&mut *sink, &queue);
        if watch.is_gone() {
            sink.lost();
            break;
        }
        thread::sleep(TURN);
    }
    take(&mut *sink, &queue);
    Ok(())
}

/// Hands on what was heard.
fn take(sink: &mut dyn Sink, queue: &Queue) {
    let samples: Vec<f32> = lock(queue).drain(..).collect();
    if !samples.is_empty() {
        sink.take(&samples);
    }
}

/// Takes what the system heard, in its own format.
fn hear(data: &Data, format: SampleFormat, channels: usize, queue: &Queue) {
    fn read<T: SizedSample>(data: &Data, channels: usize, queue: &Queue)
    where
        f32: FromSample<T>,
    {
        let mut queue = lock(queue);
        for frame in data.as_slice::<T>().unwrap_or_default().chunks(channels) {
            let sum: f32 = frame.iter().map(|sample| sample.to_sample::<f32>()).sum();
            queue.push_back(sum / channels as f32);
        }
    }
    match format {
        SampleFormat::F32 => read::<f32>(data, channels, queue),
        SampleFormat::F64 => read::<f64>(data, channels, queue),
        SampleFormat::I8 => read::<i8>(data, channels, queue),
        SampleFormat::I16 => read::<i16>(data, channels, queue),
        SampleFormat::I32 => read::<i32>(data, channels, queue),
        SampleFormat::U8 => read::<u8>(data, channels, queue),
        SampleFormat::U16 => read::<u16>(data, channels, queue),
        SampleFormat::U32 => read::<u32>(data, channels, queue),
        _ => {}
    }
}
