//! Strangers who wait, one and all, those whom one asks oneself, and whom one does not want.

use egui::accesskit::Role;
use egui_kittest::kittest::Queryable;
use septet::gui::command::{Command, Update};
use septet::gui::theme::ThemeChoice;
use septet_client::model::*;

use super::sample;
use super::stage::{Stage, shared};

const WIDE: [f32; 2] = [1200.0, 820.0];

/// The request of Ines, who wrote three messages.
fn asked(size: [f32; 2], theme: ThemeChoice) -> Stage {
    let mut stage = Stage::open(size, theme);
    stage.window().open(sample::stranger());
    let words = ["Hello, we met at the library", "You left your umbrella there", "I can bring it on Friday"];
    let messages = (100..).zip(words).map(|(id, text)| {
        let mut message = sample::message(id, false, text, sample::clock(8, id as u64 - 100));
        (message.conversation, message.from) = (sample::stranger(), sample::stranger_id());
        message
    });
    let messages = MessagePage { messages: messages.collect(), more_before: false, more_after: false };
    stage.tell(Update::Page { conversation: sample::stranger(), page: Page::Newest, messages });
    stage.commands();
    stage
}

fn click(stage: &mut Stage, label: &str) {
    stage.harness.get_by_label(label).click();
    stage.run();
}

/// Clicks the button of the dialog: it is drawn last.
fn confirm(stage: &mut Stage, label: &str) {
    stage.harness.get_all_by_role_and_label(Role::Button, label).last().unwrap().click();
    stage.run();
}

/// The list with some conversations changed.
fn change(stage: &mut Stage, change: impl Fn(&mut Conversation)) {
    let mut list = sample::conversations();
    list.iter_mut().for_each(change);
    stage.tell(Update::Conversations(shared(list)));
}

const SPOKEN: &str =
    "Message request of Ines, a name they chose for themselves. Not a contact. 3 messages so far";

#[test]
fn a_stranger_is_shown_as_what_is_known_of_them_and_can_be_answered() {
    let mut stage = asked(WIDE, ThemeChoice::Dark);
    stage.harness.get_by_label(SPOKEN);
    let digits = sample::stranger_id().to_string();
    stage.harness.get_by_role_and_label(Role::Label, digits.as_str());
    click(&mut stage, "Copy Account ID");
    stage.harness.get_by_label("Account ID copied");
    for answer in ["Accept", "Decline", "Block"] {
        stage.harness.get_by_role_and_label(Role::Button, answer);
    }
    // Nothing can be written in place of an answer.
    assert!(stage.harness.query_by_role(Role::MultilineTextInput).is_none());
    click(&mut stage, "Accept");
    stage.command(
        |c| if let Command::Accept(id) = c { (id == sample::stranger()).then_some(()) } else { None },
    );
    // Accepted, they are a contact, and the card is gone.
    change(&mut stage, |it| it.approved = true);
    assert!(stage.harness.query_by_label(SPOKEN).is_none());
    stage.harness.get_by_role_and_label(Role::MultilineTextInput, "Message");
}

#[test]
fn all_requests_are_declined_after_one_question_and_it_says_that_none_is_left() {
    let mut stage = asked(WIDE, ThemeChoice::Dark);
    click(&mut stage, "Message requests, 2 waiting");
    click(&mut stage, "Decline all");
    stage.harness.get_by_label("Decline all 2 requests?");
    confirm(&mut stage, "Cancel");
    assert!(!stage.commands().into_iter().any(|command| matches!(command, Command::DeclineAll)));
    click(&mut stage, "Decline all");
    confirm(&mut stage, "Decline all");
    stage.command(|c| matches!(c, Command::DeclineAll).then_some(()));
    assert!(stage.harness.query_by_label(SPOKEN).is_none(), "what was open is closed");
    change(&mut stage, |it| it.hidden |= !it.approved);
    stage.harness.get_by_label(
        "No message requests. When somebody who is not a contact writes to you, it waits here.",
    );
    assert!(stage.harness.query_by_label("Decline all").is_none());
    click(&mut stage, "All conversations");
    stage.harness.get_by_label("Tomasz");
    assert!(stage.harness.query_by_label_contains("Message requests").is_none());
}

#[test]
fn several_blocked_contacts_are_unblocked_at_once() {
    let mut stage = Stage::open(WIDE, ThemeChoice::Dark);
    change(&mut stage, |it| it.blocked = ["Tomasz", "健太", "نور"].contains(&it.name.as_str()));
    click(&mut stage, "Blocked contacts, 3");
    stage.commands();
    click(&mut stage, "Choose Tomasz");
    click(&mut stage, "Choose 健太");
    click(&mut stage, "Choose نور");
    click(&mut stage, "Choose نور");
    assert!(stage.commands().is_empty(), "choosing opens nothing");
    click(&mut stage, "Unblock 2 contacts");
    stage.harness.get_by_label("Unblock 2 contacts?");
    confirm(&mut stage, "Unblock");
    let unblocked = stage.commands().into_iter().filter(|it| matches!(it, Command::Unblock(_))).count();
    assert_eq!(unblocked, 2);
    // The rest of a row opens it.
    click(&mut stage, "Tomasz, blocked");
    stage.command(|c| if let Command::Show(id) = c { Some(id) } else { None });
}

#[test]
fn who_has_not_accepted_us_gets_texts_and_no_files() {
    let mut stage = Stage::open(WIDE, ThemeChoice::Dark);
    let waiting = |it: &mut Conversation| {
        if it.id == sample::mara() {
            it.approved_me = false;
        }
    };
    change(&mut stage, waiting);
    stage.harness.get_by_label(
        "Mara Reyes has not accepted you yet. You can write; files and voice messages wait until then.",
    );
    stage.commands();
    click(&mut stage, "Attach pictures or files");
    assert!(stage.commands().is_empty());
    stage.harness.get_by_role_and_label(Role::MultilineTextInput, "Message").focus();
    stage.run();
    stage.harness.get_by_role_and_label(Role::MultilineTextInput, "Message").type_text("hello");
    stage.run();
    click(&mut stage, "Send");
    stage.command(|c| {
        if let Command::Send { draft, .. } = c { (draft.text == "hello").then_some(()) } else { None }
    });
    change(&mut stage, |_| {});
    click(&mut stage, "Attach pictures or files");
    stage.command(|c| matches!(c, Command::PickFiles(_)).then_some(()));
}

/// Out of the way of everything.
fn rest(stage: &mut Stage) {
    stage.harness.hover_at(egui::pos2(600.0, 816.0));
    stage.run();
}

#[test]
fn request_dark() {
    let mut stage = asked(WIDE, ThemeChoice::Dark);
    click(&mut stage, "Message requests, 2 waiting");
    rest(&mut stage);
    stage.harness.snapshot("request_dark");
}

#[test]
fn request_narrow_light() {
    asked([500.0, 700.0], ThemeChoice::Light).harness.snapshot("request_narrow_light");
}

#[test]
fn blocked_chosen_light() {
    let mut stage = Stage::open(WIDE, ThemeChoice::Light);
    change(&mut stage, |it| it.blocked = ["Tomasz", "健太"].contains(&it.name.as_str()));
    click(&mut stage, "Blocked contacts, 2");
    let row = stage.harness.get_by_label("Tomasz, blocked").rect();
    click(&mut stage, "Choose Tomasz");
    assert_eq!(stage.harness.get_by_label("Tomasz, blocked").rect(), row, "nothing jumps");
    rest(&mut stage);
    stage.harness.snapshot("blocked_chosen_light");
}

#[test]
fn outgoing_request_dark() {
    let mut stage = Stage::open(WIDE, ThemeChoice::Dark);
    change(&mut stage, |it| it.approved_me &= it.id != sample::mara());
    rest(&mut stage);
    stage.harness.snapshot("outgoing_request_dark");
}
