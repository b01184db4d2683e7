//! What is said and heard of the moment: that somebody is typing (spec 02 §20).
//!
//! Decision: nothing of it is written down. What we say is tried once and forgotten, because a moment later it is not
//! true any more; what we hear is kept in memory until it ends by itself. Moments are passed in, so that the rules can
//! be looked at without waiting; one task sleeps until the next of them that changes something, and without any it does
//! not wake.
//!
//! Decision: off by default, and symmetric: who does not tell is not told. Only people who accepted us and whom we
//! accepted hear of it. Nothing of it makes a conversation or a request.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use septet_protocol::id::{Account, Namespace, SessionId};
use septet_protocol::message::{Content, Outgoing};
use septet_protocol::swarm::request::Store as StoreRequest;
use septet_protocol::time::Timestamp;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::Engine;
use crate::event::Event;
use crate::model::{Conversation, ConversationId, ConversationKind, TypingNow};
use crate::store::{Db, HeardTyping, StoreError};

/// The setting's name in the store.
const SETTING: &str = "typing_indicators";
/// While somebody types, that is said again after this time.
const REPEAT: Duration = Duration::from_secs(10);
/// Who pressed no key for so long has stopped.
const PAUSE: Duration = Duration::from_secs(10);
/// So long after it was said, somebody is taken to be typing.
const SHOWN: Duration = Duration::from_secs(15);
/// Saying it is given up after this time: nobody would look at it any more.
const GIVE_UP: Duration = Duration::from_secs(15);

/// Who types, here and there.
#[derive(Default)]
pub struct Ephemeral {
    on: AtomicBool,
    state: Mutex<State>,
    /// The next moment at which something changes may be another.
    changed: Notify,
}

#[derive(Default)]
struct State {
    /// Where we type.
    ours: BTreeMap<ConversationId, Ours>,
    /// Where others do.
    theirs: BTreeMap<ConversationId, Theirs>,
}

/// We are typing.
struct Ours {
    /// When it was said last.
    said: Instant,
    /// When the last key was pressed.
    key: Instant,
}

/// What we know of another.
struct Theirs {
    from: SessionId,
    /// The sent timestamp of the last that was heard: what is older comes too late.
    heard: Timestamp,
    /// They are taken to be typing until then.
    until: Option<Instant>,
    /// What is older than this is not listened to anyway.
    forget: Instant,
}

/// Something to be said or told.
#[derive(PartialEq, Eq, Debug)]
enum Due {
    /// To another: that we type, or stopped.
    Say(ConversationId, bool),
    /// To views: whether another types.
    Tell(ConversationId, SessionId, bool),
}

impl State {
    /// A key was pressed, or what was written is gone.
    fn typing(&mut self, id: ConversationId, what: TypingNow, now: Instant) -> Option<Due> {
        match what {
            TypingNow::Key => match self.ours.get_mut(&id) {
                Some(ours) => {
                    ours.key = now;
                    None
                }
                None => {
                    self.ours.insert(id, Ours { said: now, key: now });
                    Some(Due::Say(id, true))
                }
            },
            TypingNow::Stopped => self.ours.remove(&id).map(|_| Due::Say(id, false)),
        }
    }

    /// Somebody said whether they type.
    fn heard(&mut self, heard: &HeardTyping, network: Timestamp, now: Instant) -> Option<Due> {
        let age = Duration::from_millis(network.since(heard.timestamp));
        let left = SHOWN.checked_sub(age).filter(|left| !left.is_zero());
        let until = left.filter(|_| heard.started).map(|left| now + left);
        self.news(heard.conversation, heard.from, heard.timestamp, until, now)
    }

    /// Somebody wrote something: whatever they were typing is done.
    fn wrote(&mut self, id: ConversationId, from: SessionId, at: Timestamp, now: Instant) -> Option<Due> {
        self.news(id, from, at, None, now)
    }

    fn news(
        &mut self,
        id: ConversationId,
        from: SessionId,
        at: Timestamp,
        until: Option<Instant>,
        now: Instant,
    ) -> Option<Due> {
        self.theirs.retain(|_, theirs| theirs.until.is_some() || theirs.forget > now);
        let forget = now + SHOWN;
        let known = self.theirs.get(&id);
        if known.is_some_and(|known| at < known.heard) {
            return None;
        }
        let was = known.is_some_and(|known| known.until.is_some());
        self.theirs.insert(id, Theirs { from, heard: at, until, forget });
        (was != until.is_some()).then_some(Due::Tell(id, from, until.is_some()))
    }

    /// What is to be said or told by now.
    fn due(&mut self, now: Instant) -> Vec<Due> {
        let mut due = Vec::new();
        self.ours.retain(|id, ours| {
            let stays = now < ours.key + PAUSE;
            if !stays {
                due.push(Due::Say(*id, false));
            } else if now >= ours.said + REPEAT {
                ours.said = now;
                due.push(Due::Say(*id, true));
            }
            stays
        });
        for (id, theirs) in &mut self.theirs {
            if theirs.until.is_some_and(|until| until <= now) {
                theirs.until = None;
                due.push(Due::Tell(*id, theirs.from, false));
            }
        }
        due
    }

    /// When there is something due next.
    fn next(&self) -> Option<Instant> {
        let ours = self.ours.values().map(|ours| (ours.key + PAUSE).min(ours.said + REPEAT));
        ours.chain(self.theirs.values().filter_map(|theirs| theirs.until)).min()
    }

    /// The setting was switched off: nothing is said any more, and nothing shown.
    fn clear(&mut self) -> Vec<Due> {
        self.ours.clear();
        let shown = std::mem::take(&mut self.theirs);
        let shown = shown.into_iter().filter(|(_, theirs)| theirs.until.is_some());
        shown.map(|(id, theirs)| Due::Tell(id, theirs.from, false)).collect()
    }
}

impl Ephemeral {
    /// As the setting says.
    pub fn load(db: &Db) -> Result<bool, StoreError> {
        Ok(db.setting(SETTING)?.unwrap_or(false))
    }

    /// Whether typing is told and shown.
    pub fn typing_is_on(&self) -> bool {
        self.on.load(Ordering::Relaxed)
    }

    /// Switches it for this run.
    pub fn switch(&self, on: bool) {
        self.on.store(on, Ordering::Relaxed);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says and tells what has its time, until it is cancelled.
pub async fn run(engine: Arc<Engine>, cancel: CancellationToken) {
    loop {
        let (due, next) = {
            let mut state = engine.ephemeral.state();
            (state.due(Instant::now()), state.next())
        };
        engine.pass_on(due);
        tokio::select! {
            () = cancel.cancelled() => return,
            () = engine.ephemeral.changed.notified() => {}
            () = sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => {}
        }
    }
}

impl Engine {
    /// Switches typing indicators on or off for good.
    pub async fn set_typing_indicators(self: &Arc<Self>, on: bool) -> Result<(), StoreError> {
        self.store.call(move |db| db.set_setting(SETTING, &on)).await?;
        self.ephemeral.switch(on);
        if !on {
            let due = self.ephemeral.state().clear();
            self.pass_on(due);
        }
        Ok(())
    }

    /// A person types here, or does not any more.
    pub fn typing(self: &Arc<Self>, id: ConversationId, what: TypingNow) {
        if self.ephemeral.typing_is_on() {
            let due = self.ephemeral.state().typing(id, what, Instant::now());
            self.pass_on(due);
            self.ephemeral.changed.notify_one();
        }
    }

    /// Something was sent here: the other sees that by the message, and hears nothing else.
    pub fn typed(&self, id: ConversationId) {
        self.ephemeral.state().ours.remove(&id);
    }

    /// Somebody said whether they type.
    pub fn heard_typing(self: &Arc<Self>, heard: &HeardTyping) {
        if self.ephemeral.typing_is_on() {
            let due = self.ephemeral.state().heard(heard, self.network.now(), Instant::now());
            self.pass_on(due);
            self.ephemeral.changed.notify_one();
        }
    }

    /// Somebody wrote something, with this sent timestamp.
    pub fn wrote(self: &Arc<Self>, id: ConversationId, from: SessionId, at: Timestamp) {
        if self.ephemeral.typing_is_on() {
            let due = self.ephemeral.state().wrote(id, from, at, Instant::now());
            self.pass_on(due);
        }
    }

    fn pass_on(self: &Arc<Self>, due: impl IntoIterator<Item = Due>) {
        for due in due {
            match due {
                Due::Tell(conversation, from, typing) => {
                    self.events.send(Event::Typing { conversation, from, typing });
                }
                Due::Say(conversation, started) => {
                    let engine = Arc::clone(self);
                    tokio::spawn(async move {
                        let said = timeout(GIVE_UP, engine.say_typing(conversation, started)).await;
                        if !matches!(said, Ok(Ok(()))) {
                            tracing::debug!("that somebody types is not told");
                        }
                    });
                }
            }
        }
    }

    /// Tells another that we type, or stopped: once, and only if they may know.
    async fn say_typing(&self, id: ConversationId, started: bool) -> Result<(), StoreError> {
        let Some(now) = self.now().known() else { return Ok(()) };
        let hears = |it: &Conversation| {
            it.kind == ConversationKind::Private && it.approved && it.approved_me && !it.blocked && !it.hidden
        };
        let conversation = self.store.read(move |db| db.conversation(id)).await?;
        let Some(to) = conversation.filter(hears).and_then(|it| it.address.account()) else { return Ok(()) };
        let parcel = self.pack(Outgoing::new(Content::Typing(started), now), to)?;
        let (account, namespace) = (Account::from(to), Namespace::MESSAGES);
        let request = StoreRequest { account, namespace, data: &parcel.payload, ttl: parcel.ttl_ms };
        if let Err(error) = self.network.store(&request, None).await {
            tracing::debug!(%error, "that somebody types is not told");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: ConversationId = ConversationId(1);
    const BOB: SessionId = SessionId([0xb0; 32]);
    const NOW: Timestamp = Timestamp::from_ms(1_790_000_000_000);

    fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn heard(started: bool, timestamp: Timestamp) -> HeardTyping {
        HeardTyping { conversation: HERE, from: BOB, timestamp, started }
    }

    #[test]
    fn it_is_said_at_the_first_key_again_every_ten_seconds_and_ended_by_a_pause() {
        let (mut state, start) = (State::default(), Instant::now());
        assert_eq!(state.next(), None, "nobody waits for anything");
        assert_eq!(state.typing(HERE, TypingNow::Key, start), Some(Due::Say(HERE, true)));
        assert_eq!(state.typing(HERE, TypingNow::Key, start + s(4)), None);
        assert_eq!(state.next(), Some(start + s(10)));
        assert_eq!(state.due(start + s(9)), vec![]);
        assert_eq!(state.due(start + s(10)), vec![Due::Say(HERE, true)]);
        assert_eq!(state.next(), Some(start + s(14)));
        assert_eq!(state.due(start + s(14)), vec![Due::Say(HERE, false)]);
        assert_eq!((state.next(), state.due(start + s(60))), (None, vec![]));
    }

    #[test]
    fn a_text_that_is_gone_ends_it_once() {
        let (mut state, start) = (State::default(), Instant::now());
        assert_eq!(state.typing(HERE, TypingNow::Stopped, start), None, "nothing was said");
        state.typing(HERE, TypingNow::Key, start);
        assert_eq!(state.typing(HERE, TypingNow::Stopped, start), Some(Due::Say(HERE, false)));
        assert_eq!(state.typing(HERE, TypingNow::Stopped, start), None);
    }

    #[test]
    fn it_is_shown_for_fifteen_seconds_after_it_was_sent() {
        let (mut state, start) = (State::default(), Instant::now());
        assert_eq!(state.heard(&heard(true, NOW - 5000), NOW, start), Some(Due::Tell(HERE, BOB, true)));
        assert_eq!(state.next(), Some(start + s(10)));
        assert_eq!(state.heard(&heard(true, NOW + 5000), NOW + 5000, start + s(5)), None, "told already");
        assert_eq!(state.due(start + s(19)), vec![]);
        assert_eq!(state.due(start + s(20)), vec![Due::Tell(HERE, BOB, false)]);
        assert_eq!(state.next(), None);
    }

    #[test]
    fn a_clock_that_is_ahead_gains_nothing_and_what_is_late_is_ignored() {
        let (mut state, start) = (State::default(), Instant::now());
        assert_eq!(state.heard(&heard(true, NOW - 20_000), NOW, start), None);
        assert_eq!(state.heard(&heard(true, NOW + 60_000), NOW, start), Some(Due::Tell(HERE, BOB, true)));
        assert_eq!(state.next(), Some(start + s(15)));
    }

    #[test]
    fn a_message_or_a_stop_ends_it_and_what_was_said_before_does_not_come_back() {
        let (mut state, start) = (State::default(), Instant::now());
        for (at, end) in [(1000, true), (4000, false)] {
            state.heard(&heard(true, NOW + at), NOW + at, start);
            let ended = match end {
                true => state.wrote(HERE, BOB, NOW + at + 1000, start),
                false => state.heard(&heard(false, NOW + at + 1000), NOW + at + 1000, start),
            };
            assert_eq!(ended, Some(Due::Tell(HERE, BOB, false)));
            let late = heard(true, NOW + at + 500);
            assert_eq!(state.heard(&late, NOW + at + 1500, start), None, "it overtook");
        }
        let again = heard(true, NOW + 9000);
        assert_eq!(state.heard(&again, NOW + 9000, start), Some(Due::Tell(HERE, BOB, true)));
        assert_eq!(state.clear(), vec![Due::Tell(HERE, BOB, false)]);
    }
}
