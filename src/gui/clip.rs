//! Sounds as the window and the account's side speak of them: what names one, what is wanted, what came of it, how far
//! it is.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use septet_audio::{Speed, Waveform};
use septet_client::model::{AttachmentId, ConversationId, KeptFile, MessageId};

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
    pub(super) run: u64,
    /// Until it plays it is where it is to begin.
    pub(super) from: Duration,
    pub(super) progress: Option<Arc<Progress>>,
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
