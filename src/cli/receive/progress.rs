//! Which messages have been told, so that none is lost when events come faster than they are read.
//!
//! The engine tells of each message once and keeps what nobody has read yet for a while only. Whoever falls behind that
//! loses nothing: messages have numbers, and what came from the network after a number can be read from the store.
//! Decision: a reader is either *live* and takes what the engine tells, or *behind* and reads the store, page by page,
//! until nothing is left there; meanwhile it takes none of the engine's messages, because the store has them all.

use std::collections::BTreeSet;

/// So many numbers are remembered beyond the point up to which everything was told. Messages are told nearly in the order
/// of their numbers: what is so far from its place does not come.
const REMEMBERED: usize = 8192;

/// How far a reader is.
pub struct Progress {
    /// Everything up to here was told.
    floor: i64,
    /// What was told beyond.
    told: BTreeSet<i64>,
    /// Up to here the store was read; what the engine tells of it is known.
    through: i64,
    /// Where reading the store goes on, if it does.
    behind: Option<i64>,
}

impl Progress {
    /// Everything up to `newest` is known: what comes from now on is told.
    pub fn live(newest: i64) -> Self {
        Self { floor: newest, told: BTreeSet::new(), through: 0, behind: None }
    }

    /// Everything up to `after` is known: what is stored beyond is told first.
    pub fn after(after: i64) -> Self {
        Self { behind: Some(after), ..Self::live(after) }
    }

    /// From where on to read the store, if that is the next thing to do.
    pub fn behind(&self) -> Option<i64> {
        self.behind
    }

    /// The engine's messages were missed, or cannot be taken now.
    pub fn fall_behind(&mut self) {
        self.behind.get_or_insert(self.floor);
    }

    /// Whether to tell a message that the engine tells of.
    pub fn takes(&mut self, id: i64) -> bool {
        self.behind.is_none() && id > self.through && self.tell(id)
    }

    /// Whether to tell a message that was read from the store.
    pub fn takes_stored(&mut self, id: i64) -> bool {
        self.behind = Some(id);
        id > self.floor && self.tell(id)
    }

    /// The store has nothing left to read.
    pub fn caught_up(&mut self) {
        if let Some(end) = self.behind.take() {
            (self.floor, self.through) = (end, end);
            self.told.clear();
        }
    }

    fn tell(&mut self, id: i64) -> bool {
        let new = self.told.insert(id);
        if self.told.len() > REMEMBERED {
            self.floor = self.told.pop_first().unwrap_or(self.floor).max(self.floor);
        }
        new
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_the_store_told_the_engine_need_not() {
        let mut progress = Progress::after(3);
        assert!(!progress.takes(4), "it is in the store");
        assert!(progress.takes_stored(4));
        assert!(progress.takes_stored(6));
        progress.caught_up();
        assert!(!progress.takes(6));
        assert!(progress.takes(7));
        progress.fall_behind();
        assert_eq!(progress.behind(), Some(6));
        assert!(!progress.takes_stored(7), "told before");
    }

    proptest! {
        /// A store, an engine that keeps the newest few events only, and a reader that does what it likes.
        #[test]
        fn each_message_is_told_once_whoever_is_slow(
            start in 0..3i64,
            from_store in any::<bool>(),
            steps in prop::collection::vec(0..5u8, 0..200),
        ) {
            let (mut stored, mut events, mut lagged) = (Vec::new(), VecDeque::new(), false);
            stored.extend(1..=start);
            let mut progress = if from_store { Progress::after(0) } else { Progress::live(start) };
            let mut told = Vec::new();
            let arrives = |stored: &mut Vec<i64>, events: &mut VecDeque<i64>, lagged: &mut bool| {
                let id = stored.last().map_or(1, |last| last + 1);
                stored.push(id);
                events.push_back(id);
                if events.len() > 3 {
                    events.pop_front();
                    *lagged = true;
                }
            };
            let read = |progress: &mut Progress,
                            stored: &[i64],
                            events: &mut VecDeque<i64>,
                            lagged: &mut bool,
                            told: &mut Vec<i64>| {
                if let Some(after) = progress.behind() {
                    let page: Vec<_> = stored.iter().copied().filter(|id| *id > after).take(2).collect();
                    if page.is_empty() {
                        progress.caught_up();
                    }
                    told.extend(page.into_iter().filter(|id| progress.takes_stored(*id)));
                } else if std::mem::take(lagged) {
                    progress.fall_behind();
                } else if let Some(id) = events.pop_front() {
                    told.extend(Some(id).filter(|id| progress.takes(*id)));
                } else {
                    return false;
                }
                true
            };
            for step in steps {
                match step {
                    0..=2 => arrives(&mut stored, &mut events, &mut lagged),
                    3 => _ = read(&mut progress, &stored, &mut events, &mut lagged, &mut told),
                    _ => progress.fall_behind(),
                }
            }
            while read(&mut progress, &stored, &mut events, &mut lagged, &mut told) {}
            let expected: Vec<i64> = stored.into_iter().filter(|id| from_store || *id > start).collect();
            prop_assert_eq!(told, expected);
        }
    }
}
