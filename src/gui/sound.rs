//! What plays and what is being recorded, as the window knows it.
//!
//! Decision: one clip plays at a time, wherever it belongs, and goes on when messages arrive or another conversation is
//! opened. A click shows at once; the account's side decrypts, decodes and plays ([`super::backend`]), and leaves how
//! far it is where a frame can read it without asking. Only what plays in sight is drawn again, some fifteen times a
//! second.

use std::cell::RefCell;
use std::collections::HashMap;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use septet_audio::{Speed, Waveform};
use septet_client::model::{AttachmentId, ConversationId, KeptFile, MessageId};

use super::command::Command;
use super::view::Actions;

/// What plays is drawn again after so long.
pub const FRAME: Duration = Duration::from_millis(66);
/// So many levels of a recording are shown.
pub const LEVELS: usize = 200;

/// Names a clip.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum ClipKey {
    /// One of a message.
    Attachment(AttachmentId),
    /// One that waits to be sent.
    Kept(KeptFile),
}

/// What a person wants to hear or say.
#[derive(Clone, PartialEq, Debug)]
pub enum SoundWish {
    /// See the waveform of a clip.
    Look(ClipKey),
    /// Hear a clip, and nothing else any more.
    Play {
        /// Which.
        clip: ClipKey,
        /// Numbers the wish; what comes of it bears the same.
        run: u64,
        /// Where to begin.
        from: Duration,
        /// How fast.
        speed: Speed,
    },
    /// Stop for a while.
    Pause,
    /// Go on.
    Resume,
    /// Go to another place of what plays.
    Seek(Duration),
    /// Hear it faster, or not.
    Speed(Speed),
    /// Hear no more of it.
    Close,
    /// Record a voice message.
    Record(ConversationId),
    /// That was all: keep it in the draft.
    Stop(ConversationId),
    /// Forget it.
    Discard(ConversationId),
}

/// What came of it.
#[derive(Clone, Debug)]
pub enum SoundNews {
    /// The waveform of a clip, if it can be played.
    Looked(ClipKey, Option<Waveform>),
    /// It plays; here is how far it is.
    Playing(u64, Arc<Progress>),
    /// It came to its end.
    Ended(u64),
    /// It cannot be played, as a sentence.
    Failed(u64, String),
    /// The microphone is on.
    Recording(ConversationId, Arc<Meter>),
    /// The recording is as long as it may be.
    Full(ConversationId),
    /// It is kept.
    Recorded(ConversationId, KeptFile, Waveform),
    /// There is nothing to keep: it was too short, or failed for the reason that this sentence tells.
    NotRecorded(ConversationId, Option<String>),
}

/// How far a clip is, written where it plays.
#[derive(Default, Debug)]
pub struct Progress(AtomicU64);

impl Progress {
    /// Notes how far it is.
    pub fn set(&self, position: Duration) {
        self.0.store(u64::try_from(position.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// How far it is.
    pub fn get(&self) -> Duration {
        Duration::from_micros(self.0.load(Ordering::Relaxed))
    }
}

/// How long and how loud a recording is, written where it is recorded.
#[derive(Default, Debug)]
pub struct Meter {
    elapsed: Progress,
    levels: Mutex<VecDeque<f32>>,
}

impl Meter {
    /// Notes what was just heard.
    pub fn set(&self, elapsed: Duration, level: f32) {
        self.elapsed.set(elapsed);
        let mut levels = self.levels.lock().unwrap_or_else(PoisonError::into_inner);
        if levels.len() >= LEVELS {
            levels.pop_front();
        }
        levels.push_back(level);
    }

    /// How long it is.
    pub fn elapsed(&self) -> Duration {
        self.elapsed.get()
    }

    /// The last levels, 0 to 1, oldest first.
    pub fn levels(&self) -> Vec<f32> {
        self.levels.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect()
    }
}

/// What plays, or would if it were not paused.
#[derive(Clone, Debug)]
pub struct Now {
    /// Which clip.
    pub clip: ClipKey,
    /// The message it belongs to, and its conversation.
    pub of: Option<(ConversationId, MessageId)>,
    /// It does not go on.
    pub paused: bool,
    run: u64,
    /// Until it plays it is where it is to begin.
    from: Duration,
    progress: Option<Arc<Progress>>,
}

impl Now {
    /// Where the listener is.
    pub fn position(&self) -> Duration {
        self.progress.as_ref().map_or(self.from, |progress| progress.get())
    }
}

/// What is known of a clip.
#[derive(Clone, Debug)]
pub enum Looked {
    /// Nothing yet.
    Loading,
    /// How it looks.
    Ready(Arc<Waveform>),
    /// It cannot be played.
    Bad,
}

/// The sound of one window.
#[derive(Default)]
pub struct Sound(RefCell<Inner>);

#[derive(Default)]
struct Inner {
    looks: HashMap<ClipKey, Looked>,
    now: Option<Now>,
    speed: Speed,
    runs: u64,
}

impl Sound {
    /// How a clip that is on this disk looks; asks for it if nobody did.
    pub fn look(&self, actions: &Actions, clip: &ClipKey) -> Looked {
        let mut inner = self.0.borrow_mut();
        if let Some(look) = inner.looks.get(clip) {
            return look.clone();
        }
        inner.looks.insert(clip.clone(), Looked::Loading);
        actions.send(Command::Sound(SoundWish::Look(clip.clone())));
        Looked::Loading
    }

    /// What plays.
    pub fn now(&self) -> Option<Now> {
        self.0.borrow().now.clone()
    }

    /// This clip, if it is what plays.
    pub fn playing(&self, clip: &ClipKey) -> Option<Now> {
        self.now().filter(|now| now.clip == *clip)
    }

    /// How fast clips are played.
    pub fn speed(&self) -> Speed {
        self.0.borrow().speed
    }

    /// Plays a clip, pauses it, goes on with it.
    pub fn toggle(&self, actions: &Actions, clip: &ClipKey, of: Option<(ConversationId, MessageId)>) {
        let mut inner = self.0.borrow_mut();
        match inner.now.as_mut().filter(|now| now.clip == *clip) {
            Some(now) => {
                now.paused = !now.paused;
                let wish = if now.paused { SoundWish::Pause } else { SoundWish::Resume };
                actions.send(Command::Sound(wish));
            }
            None => inner.play(actions, clip.clone(), of, Duration::ZERO),
        }
    }

    /// Goes to a place of a clip; one that does not play yet begins there.
    pub fn seek(
        &self,
        actions: &Actions,
        clip: &ClipKey,
        of: Option<(ConversationId, MessageId)>,
        to: Duration,
    ) {
        let mut inner = self.0.borrow_mut();
        match inner.now.as_mut().filter(|now| now.clip == *clip) {
            Some(now) => {
                now.from = to;
                if let Some(progress) = &now.progress {
                    progress.set(to);
                }
                actions.send(Command::Sound(SoundWish::Seek(to)));
            }
            None => inner.play(actions, clip.clone(), of, to),
        }
    }

    /// Plays everything at the next speed from now on.
    pub fn next_speed(&self, actions: &Actions) {
        let mut inner = self.0.borrow_mut();
        inner.speed = inner.speed.next();
        if inner.now.is_some() {
            actions.send(Command::Sound(SoundWish::Speed(inner.speed)));
        }
    }

    /// Pauses whatever plays.
    pub fn pause(&self, actions: &Actions) {
        if let Some(now) = self.0.borrow_mut().now.as_mut().filter(|now| !now.paused) {
            now.paused = true;
            actions.send(Command::Sound(SoundWish::Pause));
        }
    }

    /// Plays nothing any more.
    pub fn close(&self, actions: &Actions) {
        if self.0.borrow_mut().now.take().is_some() {
            actions.send(Command::Sound(SoundWish::Close));
        }
    }

    /// Plays no more of a clip that is gone.
    pub fn close_if(&self, actions: &Actions, gone: impl FnOnce(&Now) -> bool) {
        if self.now().is_some_and(|now| gone(&now)) {
            self.close(actions);
        }
    }

    /// How a clip looks, or that it cannot be played.
    pub fn looked(&self, clip: ClipKey, waveform: Option<Waveform>) {
        let look = waveform.map_or(Looked::Bad, |waveform| Looked::Ready(Arc::new(waveform)));
        self.0.borrow_mut().looks.insert(clip, look);
    }

    /// It plays.
    pub fn started(&self, run: u64, progress: Arc<Progress>) {
        if let Some(now) = self.0.borrow_mut().now.as_mut().filter(|now| now.run == run) {
            now.progress = Some(progress);
        }
    }

    /// It came to its end, or to one before it. True if it is what played last.
    pub fn ended(&self, actions: &Actions, run: u64) -> bool {
        let ended = self.now().is_some_and(|now| now.run == run);
        if ended {
            self.close(actions);
        }
        ended
    }
}

impl Inner {
    fn play(
        &mut self,
        actions: &Actions,
        clip: ClipKey,
        of: Option<(ConversationId, MessageId)>,
        from: Duration,
    ) {
        self.runs += 1;
        let (run, speed) = (self.runs, self.speed);
        actions.send(Command::Sound(SoundWish::Play { clip: clip.clone(), run, from, speed }));
        self.now = Some(Now { clip, of, paused: false, run, from, progress: None });
    }
}
