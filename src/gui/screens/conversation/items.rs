//! The list of messages as items: what stands between them, and which belong together.

use std::collections::BTreeSet;

use jiff::civil::Date;
use septet_client::model::{Message, MessageId};

use super::message::{Place, is_invitation};
use super::timeline::ItemKey;
use crate::gui::state::Thread;
use crate::gui::view::ViewCtx;

/// Names an item of the list.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Key {
    Stranger,
    Day(Date),
    Unread,
    Message(MessageId),
    Typing,
}

impl ItemKey for Key {
    fn is_steady(&self) -> bool {
        matches!(self, Self::Message(_))
    }
}

/// An item of the list; a message by its place in the thread.
#[derive(Clone, Copy)]
pub enum Item {
    /// Who asks to write to us.
    Stranger,
    Day(Date),
    Unread,
    Notice(usize),
    Message(usize, Place),
    /// The other is typing.
    Typing,
}

/// Messages of one author with less time between them belong together, in milliseconds.
const RUN: u64 = 5 * 60_000;
/// Names an item.
pub fn key(item: &Item, thread: &Thread) -> Key {
    match item {
        Item::Stranger => Key::Stranger,
        Item::Day(day) => Key::Day(*day),
        Item::Unread => Key::Unread,
        Item::Typing => Key::Typing,
        Item::Notice(index) | Item::Message(index, _) => {
            Key::Message(thread.messages.get(*index).map_or(MessageId(-1), |message| message.id))
        }
    }
}

/// Messages with what stands between them: days, the unread line; above those of a stranger, who that is.
pub fn items(
    cx: &ViewCtx<'_>,
    thread: &Thread,
    unread_from: Option<MessageId>,
    unfolded: &BTreeSet<MessageId>,
    stranger: bool,
) -> Vec<Item> {
    let mut items = Vec::with_capacity(thread.messages.len() + 16);
    if stranger && !thread.more_before {
        items.push(Item::Stranger);
    }
    let mut day = None;
    let mut before: Option<&Message> = None;
    for (index, message) in thread.messages.iter().enumerate() {
        let today = cx.clock.day(message.timestamp);
        let mut together = before.is_some_and(|before| in_one_run(before, message));
        if day != Some(today) {
            day = Some(today);
            items.push(Item::Day(today));
            together = false;
        }
        if unread_from == Some(message.id) {
            items.push(Item::Unread);
            together = false;
        }
        if together && let Some(Item::Message(_, place)) = items.last_mut() {
            place.last = false;
        }
        items.push(if message.notice.is_some() && !is_invitation(message) {
            Item::Notice(index)
        } else {
            let unfolded = unfolded.contains(&message.id);
            Item::Message(index, Place { first: !together, last: true, unfolded })
        });
        before = Some(message);
    }
    items
}

fn in_one_run(before: &Message, message: &Message) -> bool {
    before.from == message.from
        && before.notice.is_none()
        && message.notice.is_none()
        && message.timestamp.since(before.timestamp) < RUN
}
