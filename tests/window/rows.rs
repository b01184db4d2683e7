//! Single rows and messages take their places in what the window knows.

use std::sync::Arc;

use septet::gui::command::Update;
use septet::gui::state::AppState;
use septet_client::model::*;

use super::sample;

fn state() -> AppState {
    let mut state = AppState::default();
    for update in sample::updates() {
        state.apply(&update);
    }
    state
}

#[test]
fn a_row_of_the_list_takes_its_place() {
    let mut list = sample::conversations();
    list.sort_by(Conversation::list_order);
    let mut state = state();
    state.apply(&Update::Conversations(Arc::new(list.clone())));
    let mut row = list.pop().unwrap();
    (row.active_at, row.pinned) = (sample::NOW + 60_000, 1_000);
    state.apply(&Update::Conversation(Box::new(row.clone())));
    list.insert(0, row.clone());
    assert_eq!(*state.conversations, list);
    (row.id, row.pinned) = (ConversationId(i64::MAX), 2_000);
    state.apply(&Update::Conversation(Box::new(row.clone())));
    list.insert(0, row);
    assert_eq!(*state.conversations, list, "a new one is added");
}

#[test]
fn a_message_that_is_gone_or_seen_changes_alone() {
    let mut state = state();
    let thread = |state: &AppState| state.thread(sample::mara()).unwrap().messages.clone();
    let shown = thread(&state);
    let mut unread = (*shown[1]).clone();
    (unread.outgoing, unread.read) = (false, false);
    state.apply(&Update::Message(Box::new(unread)));
    state.apply(&Update::Gone(sample::mara(), shown[0].id));
    state.apply(&Update::Seen(sample::mara(), shown[2].id));
    let left = thread(&state);
    assert_eq!(left.len(), shown.len() - 1);
    assert!(left[0].id == shown[1].id && left[0].read);
    assert!(Arc::ptr_eq(left.last().unwrap(), shown.last().unwrap()), "what did not change is the same");
}
