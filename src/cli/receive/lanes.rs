//! The order of what is printed: one lane for each conversation.
//!
//! A message whose files are still on their way holds its lane: what comes after it in its conversation waits behind
//! it, other conversations go on. Without anything held, everything passes at once.

use std::collections::{BTreeMap, VecDeque};

use septet_client::model::{ConversationId, MessageId};

/// What waits, by conversation; a conversation with nothing held has no lane.
pub struct Lanes<T>(BTreeMap<ConversationId, VecDeque<Slot<T>>>);

enum Slot<T> {
    /// To be printed when its turn comes.
    Ready(T),
    /// Not ready yet: its message waits for files.
    Held(MessageId),
}

impl<T> Lanes<T> {
    /// Nothing waits.
    pub fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Something of a conversation: given back if it may be printed now, else kept for its turn.
    pub fn pass(&mut self, lane: ConversationId, item: T) -> Option<T> {
        match self.0.get_mut(&lane) {
            Some(waiting) => {
                waiting.push_back(Slot::Ready(item));
                None
            }
            None => Some(item),
        }
    }

    /// A message that is not ready takes its place.
    pub fn hold(&mut self, lane: ConversationId, message: MessageId) {
        self.0.entry(lane).or_default().push_back(Slot::Held(message));
    }

    /// A held message is ready, and is this; returns all that may be printed now, in its order.
    pub fn settle(&mut self, lane: ConversationId, message: MessageId, items: Vec<T>) -> Vec<T> {
        let Some(waiting) = self.0.remove(&lane) else { return items };
        let mut free = Vec::new();
        let mut kept = VecDeque::new();
        let mut items = Some(items);
        for slot in waiting {
            let ready = match slot {
                Slot::Held(id) if id == message => items.take().unwrap_or_default(),
                Slot::Ready(item) => vec![item],
                held @ Slot::Held(_) => {
                    kept.push_back(held);
                    continue;
                }
            };
            match kept.is_empty() {
                true => free.extend(ready),
                false => kept.extend(ready.into_iter().map(Slot::Ready)),
            }
        }
        if !kept.is_empty() {
            self.0.insert(lane, kept);
        }
        free
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lane(number: u8) -> ConversationId {
        ConversationId(number.into())
    }

    #[test]
    fn only_its_own_conversation_waits_for_a_message() {
        let mut lanes = Lanes::new();
        lanes.hold(lane(1), MessageId(1));
        assert_eq!(lanes.pass(lane(1), "second"), None);
        assert_eq!(lanes.pass(lane(2), "other"), Some("other"));
        lanes.hold(lane(1), MessageId(3));
        assert_eq!(lanes.settle(lane(1), MessageId(3), vec!["third"]), [""; 0]);
        assert_eq!(lanes.settle(lane(1), MessageId(1), vec!["first"]), ["first", "second", "third"]);
        assert_eq!(lanes.pass(lane(1), "fourth"), Some("fourth"));
    }

    proptest! {
        #[test]
        fn whatever_is_held_and_settled_when_the_order_stays(
            steps in prop::collection::vec((0..3u8, any::<bool>(), any::<prop::sample::Index>()), 0..60),
        ) {
            let mut lanes = Lanes::new();
            let mut held: Vec<(u8, i64)> = Vec::new();
            let mut printed: BTreeMap<u8, Vec<i64>> = BTreeMap::new();
            let mut counts = [0; 3];
            for (number, (conversation, hold, which)) in steps.into_iter().enumerate() {
                let id = number as i64;
                counts[usize::from(conversation)] += 1;
                if hold {
                    lanes.hold(lane(conversation), MessageId(id));
                    held.push((conversation, id));
                } else {
                    printed.entry(conversation).or_default().extend(lanes.pass(lane(conversation), id));
                }
                if !held.is_empty() && number % 2 == 0 {
                    let (conversation, id) = held.remove(which.index(held.len()));
                    let free = lanes.settle(lane(conversation), MessageId(id), vec![id]);
                    printed.entry(conversation).or_default().extend(free);
                }
            }
            for (conversation, id) in held {
                let free = lanes.settle(lane(conversation), MessageId(id), vec![id]);
                printed.entry(conversation).or_default().extend(free);
            }
            for (conversation, ids) in printed {
                prop_assert!(ids.is_sorted(), "{ids:?}");
                prop_assert_eq!(ids.len(), counts[usize::from(conversation)]);
            }
        }
    }
}
