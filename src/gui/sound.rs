//! What plays and what is being recorded, as the window knows it.
//!
//! Decision: one clip plays at a time, wherever it belongs, and goes on when messages arrive or another conversation is
//! opened. A click shows at once; the account's side decrypts, decodes and plays ([`super::backend`]), and leaves how
//! far it is where a frame can read it without asking. Only what plays in sight is drawn again, some fifteen times a
//! second.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use septet_audio::{Speed, Waveform};
use septet_client::model::{ConversationId, MessageId};

use super::actions::Actions;
use super::command::Command;

pub use super::clip::{ClipKey, FRAME, LEVELS, Looked, Meter, Now, Progress, SoundNews, SoundWish};

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
