//! Playing and recording for the window.
//!
//! Decision: opening a speaker or microphone may take the system seconds, so it happens beside everything else; what is
//! wanted meanwhile is written down, and what turns out not to be wanted any more is closed again. A recording is in
//! the draft on disk before the window hears that it is done.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use septet_audio::device::DeviceError;
use septet_audio::{Device, Kind, Playback, Recorded, Recording, Sink, Source, Speed, Stream, Waveform};
use septet_client::client::{Client, ClientError};
use septet_client::model::{ConversationId, OutgoingFile};
use tokio::sync::Semaphore;

use super::{Teller, sentence};
use crate::gui::command::Update;
use crate::gui::sound::{ClipKey, Meter, Progress, SoundNews, SoundWish};

/// So many waveforms are made at the same time.
static LOOKS: Semaphore = Semaphore::const_new(1);

/// What plays and what is recorded.
pub struct Sounds {
    client: Client,
    teller: Teller,
    device: Arc<dyn Device>,
    playing: Shared<Playing>,
    recording: Shared<Taking>,
}

/// Something that a task of its own may finish setting up.
type Shared<T> = Arc<Mutex<Option<T>>>;

/// What plays.
struct Playing {
    run: u64,
    paused: bool,
    speed: Speed,
    /// Where to begin, until it is open.
    from: Duration,
    progress: Arc<Progress>,
    playback: Option<Arc<Mutex<Playback>>>,
    stream: Option<Box<dyn Stream>>,
}

/// What is being recorded.
struct Taking {
    conversation: ConversationId,
    recording: Shared<Recording>,
    stream: Option<Box<dyn Stream>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Sounds {
    /// For an account, on a device.
    pub fn new(client: Client, teller: Teller, device: Arc<dyn Device>) -> Self {
        Self { client, teller, device, playing: Shared::default(), recording: Shared::default() }
    }

    /// Does what is wished.
    pub async fn carry_out(&self, wish: SoundWish) -> Result<(), ClientError> {
        match wish {
            SoundWish::Look(clip) => self.look(clip),
            SoundWish::Play { clip, run, from, speed } => self.play(clip, run, from, speed),
            SoundWish::Pause => self.pause(),
            SoundWish::Resume => self.resume(),
            SoundWish::Seek(to) => self.change(|playing| playing.from = to, |playback| playback.seek(to)),
            SoundWish::Speed(speed) => {
                self.change(|playing| playing.speed = speed, |playback| playback.set_speed(speed));
            }
            SoundWish::Close => drop(lock(&self.playing).take()),
            SoundWish::Record(conversation) => self.record(conversation).await?,
            SoundWish::Stop(conversation) => self.stop(Some(conversation)).await?,
            SoundWish::Discard(conversation) => {
                drop(lock(&self.recording).take_if(|taking| taking.conversation == conversation));
            }
        }
        Ok(())
    }

    /// Ends everything; what is being recorded is kept.
    pub async fn end(&self) {
        drop(lock(&self.playing).take());
        if let Err(error) = self.stop(None).await {
            tracing::warn!(%error, "the recording could not be kept");
        }
    }

    fn look(&self, clip: ClipKey) {
        let (client, teller) = (self.client.clone(), self.teller.clone());
        tokio::spawn(async move {
            let Ok(_turn) = LOOKS.acquire().await else { return };
            let bytes = bytes(&client, &clip).await.ok();
            let look = tokio::task::spawn_blocking(move || Waveform::of(bytes?).ok()).await.ok().flatten();
            teller.tell(Update::Sound(SoundNews::Looked(clip, look)));
        });
    }

    fn play(&self, clip: ClipKey, run: u64, from: Duration, speed: Speed) {
        let progress = Arc::new(Progress::default());
        progress.set(from);
        let playing = Playing { run, paused: false, speed, from, progress, playback: None, stream: None };
        // What played before is closed by this.
        *lock(&self.playing) = Some(playing);
        let (client, shared) = (self.client.clone(), Arc::clone(&self.playing));
        let (teller, device) = (self.teller.clone(), Arc::clone(&self.device));
        tokio::spawn(async move {
            let bytes = match bytes(&client, &clip).await {
                Ok(bytes) => bytes,
                Err(error) => {
                    return teller.tell(Update::Sound(SoundNews::Failed(run, sentence(&error))));
                }
            };
            let told = teller.clone();
            let open = tokio::task::spawn_blocking(move || {
                let playback = Playback::new(bytes).map_err(|error| sentence(&error))?;
                let playback = Arc::new(Mutex::new(playback));
                {
                    let mut shared = lock(&shared);
                    let Some(playing) = shared.as_mut().filter(|playing| playing.run == run) else {
                        return Ok(());
                    };
                    let mut playback = lock(&playback);
                    playback.set_speed(playing.speed);
                    playback.seek(playing.from);
                }
                if let Some(playing) = lock(&shared).as_mut().filter(|playing| playing.run == run) {
                    playing.playback = Some(playback);
                    teller.tell(Update::Sound(SoundNews::Playing(run, Arc::clone(&playing.progress))));
                }
                sound(&shared, run, &*device, &teller).map_err(|error| sentence(&error))
            });
            if let Ok(Err(problem)) = open.await {
                told.tell(Update::Sound(SoundNews::Failed(run, problem)));
            }
        });
    }

    fn pause(&self) {
        if let Some(playing) = lock(&self.playing).as_mut() {
            playing.paused = true;
            playing.stream = None;
        }
    }

    fn resume(&self) {
        let run = match lock(&self.playing).as_mut() {
            Some(playing) => {
                playing.paused = false;
                if let Some(playback) = &playing.playback {
                    let mut playback = lock(playback);
                    let heard = playback.position().saturating_sub(self.device.ahead());
                    playback.seek(heard);
                }
                playing.run
            }
            None => return,
        };
        let (shared, teller, device) =
            (Arc::clone(&self.playing), self.teller.clone(), Arc::clone(&self.device));
        tokio::task::spawn_blocking(move || {
            if let Err(error) = sound(&shared, run, &*device, &teller) {
                teller.tell(Update::Sound(SoundNews::Failed(run, sentence(&error))));
            }
        });
    }

    /// Changes what plays, now or as soon as it is open.
    fn change(&self, wanted: impl FnOnce(&mut Playing), now: impl FnOnce(&mut Playback)) {
        if let Some(playing) = lock(&self.playing).as_mut() {
            wanted(playing);
            if let Some(playback) = &playing.playback {
                let mut playback = lock(playback);
                now(&mut playback);
                playing.progress.set(playback.position());
            }
        }
    }

    async fn record(&self, conversation: ConversationId) -> Result<(), ClientError> {
        self.stop(None).await?;
        let recording = Shared::<Recording>::default();
        let taking = Taking { conversation, recording: Arc::clone(&recording), stream: None };
        *lock(&self.recording) = Some(taking);
        let (shared, device, teller) =
            (Arc::clone(&self.recording), Arc::clone(&self.device), self.teller.clone());
        let wanted = Arc::clone(&recording);
        tokio::task::spawn_blocking(move || {
            let meter = Arc::new(Meter::default());
            let listener = Listener {
                recording: Arc::clone(&recording),
                meter: Arc::clone(&meter),
                conversation,
                teller: teller.clone(),
                full: false,
            };
            let opened = device.record(Box::new(move |rate| {
                *lock(&recording) = Some(Recording::new(rate).map_err(|_| DeviceError::Unusable)?);
                Ok(Box::new(listener))
            }));
            let mut shared = lock(&shared);
            let taking = shared.as_mut().filter(|taking| Arc::ptr_eq(&taking.recording, &wanted));
            match (opened, taking) {
                (Ok(stream), Some(taking)) => {
                    taking.stream = Some(stream);
                    teller.tell(Update::Sound(SoundNews::Recording(conversation, meter)));
                }
                // It is not wanted any more.
                (_, None) => {}
                (Err(error), Some(_)) => {
                    *shared = None;
                    let problem = Some(sentence(&error));
                    teller.tell(Update::Sound(SoundNews::NotRecorded(conversation, problem)));
                }
            }
        });
        Ok(())
    }

    /// Ends the recording of a conversation, or any, and keeps it in the draft.
    async fn stop(&self, only: Option<ConversationId>) -> Result<(), ClientError> {
        let taken = lock(&self.recording)
            .take_if(|taking| only.is_none_or(|conversation| taking.conversation == conversation));
        let Some(Taking { conversation, recording, stream }) = taken else { return Ok(()) };
        // The last of it is handed on when the stream ends.
        let finished = tokio::task::spawn_blocking(move || {
            drop(stream);
            lock(&recording).take()?.finish()
        });
        let Some(Recorded { bytes, waveform }) = finished.await.ok().flatten() else {
            self.teller.tell(Update::Sound(SoundNews::NotRecorded(conversation, None)));
            return Ok(());
        };
        let kept = self.client.keep_voice(Kind::Mp3.content_type(), bytes).await?;
        let mut draft = self.client.draft(conversation).await?;
        draft.files.push(OutgoingFile::Kept(kept.clone()));
        self.client.set_draft(conversation, draft).await?;
        self.teller.tell(Update::Sound(SoundNews::Recorded(conversation, kept, waveform)));
        Ok(())
    }
}

/// The bytes of a clip.
async fn bytes(client: &Client, clip: &ClipKey) -> Result<Arc<[u8]>, ClientError> {
    match clip {
        ClipKey::Attachment(id) => client.attachment_bytes(*id).await,
        ClipKey::Kept(kept) => Ok(client.kept_bytes(kept).await?.into()),
    }
}

/// Opens a speaker for what is to play, if that is still wanted. Blocks.
fn sound(
    shared: &Shared<Playing>,
    run: u64,
    device: &dyn Device,
    teller: &Teller,
) -> Result<(), DeviceError> {
    let wanted = |playing: &&mut Playing| playing.run == run && !playing.paused;
    let feed = {
        let mut shared = lock(shared);
        let Some(playing) = shared.as_mut().filter(wanted) else { return Ok(()) };
        let Some(playback) = playing.playback.clone() else { return Ok(()) };
        Feed { run, playback, progress: Arc::clone(&playing.progress), teller: teller.clone(), ended: false }
    };
    let stream = device.play(Box::new(move |rate| {
        lock(&feed.playback).set_rate(rate);
        Box::new(feed)
    }))?;
    if let Some(playing) = lock(shared).as_mut().filter(wanted) {
        playing.stream = Some(stream);
    }
    Ok(())
}

/// Gives a speaker what it plays.
struct Feed {
    run: u64,
    playback: Arc<Mutex<Playback>>,
    progress: Arc<Progress>,
    teller: Teller,
    ended: bool,
}

impl Source for Feed {
    fn fill(&mut self, out: &mut [f32]) -> bool {
        let mut playback = lock(&self.playback);
        let count = playback.fill(out);
        self.progress.set(playback.position());
        let goes_on = count == out.len();
        if !goes_on && !std::mem::replace(&mut self.ended, true) {
            self.teller.tell(Update::Sound(SoundNews::Ended(self.run)));
        }
        goes_on
    }

    fn lost(&mut self) {
        let problem = sentence(&DeviceError::Unusable);
        self.teller.tell(Update::Sound(SoundNews::Failed(self.run, problem)));
    }
}

/// Takes what a microphone hears.
struct Listener {
    recording: Shared<Recording>,
    meter: Arc<Meter>,
    conversation: ConversationId,
    teller: Teller,
    full: bool,
}

impl Sink for Listener {
    fn take(&mut self, samples: &[f32]) {
        let mut recording = lock(&self.recording);
        let Some(recording) = recording.as_mut() else { return };
        recording.push(samples);
        self.meter.set(recording.elapsed(), recording.level());
        if recording.is_full() && !std::mem::replace(&mut self.full, true) {
            self.teller.tell(Update::Sound(SoundNews::Full(self.conversation)));
        }
    }

    /// What was said until then is kept.
    fn lost(&mut self) {
        self.teller.tell(Update::Sound(SoundNews::Full(self.conversation)));
    }
}
