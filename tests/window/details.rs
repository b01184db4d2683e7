//! The details of a conversation, the menu of its row, and where it is found when it is not in the list.

use egui::accesskit::Role;
use egui::{Event, Key, Modifiers, pos2};
use egui_kittest::kittest::Queryable;
use septet::gui::command::{Change, Command, Silence, Update};
use septet::gui::theme::ThemeChoice;
use septet_client::model::*;
use septet_protocol::account::DisplayName;
use septet_protocol::time::Timestamp;

use super::sample;
use super::stage::{Stage, shared};

const WIDE: [f32; 2] = [1200.0, 820.0];
const NARROW: [f32; 2] = [500.0, 820.0];

fn stage() -> Stage {
    let mut stage = Stage::open(WIDE, ThemeChoice::Dark);
    stage.commands();
    stage
}

/// The sample with its details open.
fn details(size: [f32; 2], theme: ThemeChoice) -> Stage {
    let mut stage = Stage::open(size, theme);
    click(&mut stage, "Contact details");
    stage.harness.hover_at(pos2(size[0] / 2.0, size[1] - 4.0));
    stage.run();
    stage.commands();
    stage
}

/// The sample with another account of things for the open conversation.
fn with(stage: &mut Stage, change: impl Fn(&mut Conversation)) {
    let mut list = sample::conversations();
    change(list.iter_mut().find(|conversation| conversation.id == sample::mara()).unwrap());
    stage.tell(Update::Conversations(shared(list)));
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

fn menu(stage: &mut Stage, row: &str) {
    stage.harness.get_by_role_and_label(Role::ListItem, row).click_secondary();
    stage.run();
}

fn choose(stage: &mut Stage, item: &str) {
    stage.harness.get_by_role_and_label(Role::MenuItem, item).click();
    stage.run();
}

fn is_open(stage: &Stage) -> bool {
    stage.harness.query_by_label("Picture of Mara Reyes").is_some()
}

fn changed(command: Command) -> Option<(ConversationId, Change)> {
    match command {
        Command::Change(id, change) => Some((id, change)),
        _ => None,
    }
}

/// The change of the open conversation since the last call.
fn change(stage: &mut Stage) -> Change {
    let (id, change) = stage.command(changed);
    assert_eq!(id, sample::mara());
    change
}

fn nickname(name: &str) -> Change {
    Change::Nickname(DisplayName::parse(name).ok())
}

#[test]
fn details_dark() {
    let mut stage = details(WIDE, ThemeChoice::Dark);
    with(&mut stage, |mara| mara.nickname = Some("Mara from the lake".into()));
    stage.harness.snapshot("details_dark");
}

#[test]
fn details_light() {
    details(WIDE, ThemeChoice::Light).harness.snapshot("details_light");
}

#[test]
fn details_narrow_dark() {
    let mut stage = details(NARROW, ThemeChoice::Dark);
    with(&mut stage, |mara| mara.muted_until = Some(sample::clock(15, 30)));
    stage.harness.snapshot("details_narrow_dark");
}

#[test]
fn details_narrow_light() {
    let mut stage = details([360.0, 480.0], ThemeChoice::Light);
    with(&mut stage, |mara| mara.blocked = true);
    stage.harness.snapshot("details_narrow_light");
}

#[test]
fn blocked_light() {
    let mut stage = details(WIDE, ThemeChoice::Light);
    with(&mut stage, |mara| mara.blocked = true);
    stage.harness.snapshot("blocked_light");
}

#[test]
fn what_deletes_says_what_is_lost() {
    let mut stage = details(WIDE, ThemeChoice::Dark);
    click(&mut stage, "Delete contact");
    stage.harness.snapshot("delete_contact_dark");
}

#[test]
fn what_is_kept_out_of_the_list() {
    let mut stage = Stage::open(WIDE, ThemeChoice::Light);
    let mut list = sample::conversations();
    (list[4].hidden, list[5].blocked, list[2].unread, list[2].mentions) = (true, true, 0, 0);
    list[2].marked_unread = true;
    stage.tell(Update::Conversations(shared(list)));
    stage.harness.snapshot("kept_out_light");
}

#[test]
fn the_title_opens_the_details_and_esc_closes_them() {
    let mut stage = details(WIDE, ThemeChoice::Dark);
    assert!(is_open(&stage));
    stage.harness.get_by_label(&sample::mara_id().to_string());
    stage.harness.key_press(Key::Escape);
    stage.run();
    assert!(!is_open(&stage));
    click(&mut stage, "Conversation menu");
    choose(&mut stage, "Contact details");
    assert!(is_open(&stage));
    click(&mut stage, "Close details");
    assert!(!is_open(&stage));
}

#[test]
fn esc_closes_one_thing_at_a_time() {
    let mut stage = details(WIDE, ThemeChoice::Dark);
    click(&mut stage, "Mute");
    stage.harness.get_by_role_and_label(Role::MenuItem, "8 hours");
    stage.harness.key_press(Key::Escape);
    stage.run();
    assert!(stage.harness.query_by_label("8 hours").is_none());
    click(&mut stage, "Delete contact");
    stage.harness.get_by_label("Delete Mara Reyes?");
    stage.harness.key_press(Key::Escape);
    stage.run();
    assert!(stage.harness.query_by_label("Delete Mara Reyes?").is_none());
    click(&mut stage, "Set nickname");
    stage.harness.key_press(Key::Escape);
    stage.run();
    assert!(stage.harness.query_by_role_and_label(Role::TextInput, "Nickname").is_none());
    assert!(is_open(&stage));
    assert!(stage.commands().into_iter().find_map(changed).is_none());
    stage.harness.key_press(Key::Escape);
    stage.run();
    assert!(!is_open(&stage));
}

#[test]
fn beside_the_list_they_follow_and_elsewhere_they_make_room() {
    let mut stage = details(WIDE, ThemeChoice::Dark);
    click(&mut stage, "Tomasz");
    stage.harness.get_by_label("Picture of Tomasz");
    let mut stage = details(NARROW, ThemeChoice::Dark);
    assert!(stage.harness.query_by_label("Conversation menu").is_none(), "they take its place");
    click(&mut stage, "Back");
    assert!(!is_open(&stage));
    stage.harness.get_by_label("Conversation menu");
    let mut stage = details([800.0, 700.0], ThemeChoice::Dark);
    assert!(stage.harness.query_by_label("Conversation menu").is_none(), "no room for both");
    click(&mut stage, "Tomasz");
    assert!(stage.harness.query_by_label("Picture of Tomasz").is_none());
    stage.harness.get_by_label("Conversation menu");
}

#[test]
fn a_nickname_is_set_and_removed_in_place() {
    let mut stage = details(WIDE, ThemeChoice::Dark);
    click(&mut stage, "Set nickname");
    stage.harness.event(Event::Text("Mara from the lake".into()));
    stage.run();
    stage.harness.key_press(Key::Enter);
    stage.run();
    assert_eq!(change(&mut stage), nickname("Mara from the lake"));
    with(&mut stage, |mara| mara.nickname = Some("Mara from the lake".into()));
    stage.harness.get_by_label("Public name: Mara Reyes");
    click(&mut stage, "Change nickname");
    stage.harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
    stage.harness.key_press(Key::Backspace);
    stage.run();
    click(&mut stage, "Save");
    assert_eq!(change(&mut stage), Change::Nickname(None));
}

#[test]
fn too_long_a_nickname_is_told_and_kept() {
    let mut stage = details(WIDE, ThemeChoice::Dark);
    click(&mut stage, "Set nickname");
    let long = "ä".repeat(51);
    stage.harness.event(Event::Text(long.clone()));
    stage.run();
    stage.harness.key_press(Key::Enter);
    stage.run();
    assert!(stage.commands().into_iter().find_map(changed).is_none());
    stage.harness.get_by_label_contains("2 bytes over the limit of 100.");
    click(&mut stage, "Tomasz");
    click(&mut stage, "Mara Reyes");
    let field = stage.harness.get_by_role_and_label(Role::TextInput, "Nickname");
    assert_eq!(field.value(), Some(long), "it waits where it was typed");
    field.focus();
    stage.run();
    stage.harness.key_press(Key::Backspace);
    stage.run();
    stage.harness.key_press(Key::Enter);
    stage.run();
    assert_eq!(change(&mut stage), nickname(&"ä".repeat(50)));
}

#[test]
fn muting_is_for_a_time_or_for_good() {
    for (label, silence) in [
        ("1 hour", Silence::For(3600)),
        ("8 hours", Silence::For(8 * 3600)),
        ("1 day", Silence::For(86_400)),
        ("1 week", Silence::For(604_800)),
        ("Until you switch it on", Silence::ForGood),
    ] {
        let mut stage = details(WIDE, ThemeChoice::Dark);
        click(&mut stage, "Mute");
        choose(&mut stage, label);
        assert_eq!(change(&mut stage), Change::Mute(silence));
    }
    let mut stage = details(WIDE, ThemeChoice::Dark);
    with(&mut stage, |mara| mara.muted_until = Some(sample::clock(15, 30)));
    click(&mut stage, "Unmute, Until 15:30");
    assert_eq!(change(&mut stage), Change::Mute(Silence::Off));
    with(&mut stage, |mara| mara.muted_until = Some(sample::clock(14, 30)));
    stage.harness.get_by_label("Mute");
    with(&mut stage, |mara| mara.muted_until = Some(Timestamp::from_ms(u64::MAX)));
    stage.harness.get_by_label("Unmute, Until you switch it on");
}

#[test]
fn nothing_is_lost_without_a_question() {
    for (row, lost, yes, wanted) in [
        ("Hide conversation", "deleted on your other devices", "Hide", Change::Hide),
        (
            "Delete conversation",
            "All messages between you and Mara Reyes",
            "Delete conversation",
            Change::DeleteMessages,
        ),
        (
            "Delete contact",
            "removed from your contacts on all your devices",
            "Delete contact",
            Change::DeleteContact,
        ),
    ] {
        let mut stage = details(WIDE, ThemeChoice::Dark);
        click(&mut stage, row);
        stage.harness.get_by_label_contains(lost);
        assert!(stage.commands().into_iter().find_map(changed).is_none());
        click(&mut stage, "Cancel");
        assert!(stage.commands().into_iter().find_map(changed).is_none());
        click(&mut stage, row);
        confirm(&mut stage, yes);
        assert_eq!(change(&mut stage), wanted);
        assert!(stage.harness.query_by_label("Conversation menu").is_none(), "it is left");
    }
    let mut stage = details(WIDE, ThemeChoice::Dark);
    click(&mut stage, "Block");
    confirm(&mut stage, "Block");
    let blocked = stage.command(|c| if let Command::Block(id) = c { Some(id) } else { None });
    assert_eq!(blocked, sample::mara());
}

#[test]
fn note_to_self_has_fewer_things_to_set() {
    let mut stage = stage();
    stage.window().open(sample::with(sample::me()));
    stage.run();
    click(&mut stage, "Details");
    for absent in ["Block", "Delete contact", "Set nickname", "Mute", "Hide conversation"] {
        assert!(stage.harness.query_by_label(absent).is_none(), "{absent}");
    }
    stage.commands();
    click(&mut stage, "Unpin");
    stage.command(|c| if let Command::Pin(_, false) = c { Some(()) } else { None });
    click(&mut stage, "Hide Note to Self");
    assert_eq!(stage.command(changed), (sample::with(sample::me()), Change::Hide), "nothing is lost by it");
}

#[test]
fn a_stranger_can_only_be_copied_declined_and_blocked() {
    let mut stage = stage();
    stage.window().open(sample::stranger());
    stage.run();
    click(&mut stage, "Contact details");
    stage.harness.get_by_label("Copy Account ID");
    assert_eq!(stage.harness.query_all_by_label("Decline").count(), 2, "there and below the messages");
    for absent in ["Mute", "Set nickname", "Hide conversation", "Delete contact", "Mark as unread"] {
        assert!(stage.harness.query_by_label(absent).is_none(), "{absent}");
    }
}

#[test]
fn the_menu_of_a_row_does_the_same() {
    let mut stage = stage();
    menu(&mut stage, "Mara Reyes");
    choose(&mut stage, "Mark as unread");
    assert_eq!(change(&mut stage), Change::MarkUnread(true));
    with(&mut stage, |mara| mara.marked_unread = true);
    menu(&mut stage, "Mara Reyes, marked as unread");
    choose(&mut stage, "Mark as read");
    assert_eq!(change(&mut stage), Change::MarkUnread(false));
    stage.harness.get_by_label("Mara Reyes, marked as unread").click();
    stage.run();
    assert_eq!(change(&mut stage), Change::MarkUnread(false), "choosing it again removes the mark as well");
    with(&mut stage, |_| {});
    menu(&mut stage, "Mara Reyes");
    choose(&mut stage, "Mute");
    choose(&mut stage, "1 week");
    assert_eq!(change(&mut stage), Change::Mute(Silence::For(604_800)));
    assert!(stage.harness.query_by_role_and_label(Role::MenuItem, "Mute").is_none(), "the menu is closed");
    menu(&mut stage, "Tomasz");
    choose(&mut stage, "Delete contact");
    stage.harness.get_by_label("Delete Tomasz?");
    confirm(&mut stage, "Delete contact");
    let (id, deleted) = stage.command(changed);
    assert!(id != sample::mara() && deleted == Change::DeleteContact);
    stage.harness.get_by_label("Conversation menu");
    menu(&mut stage, "Tomasz");
    choose(&mut stage, "Contact details");
    stage.harness.get_by_label("Picture of Tomasz");
}

#[test]
fn hidden_and_blocked_ones_are_found_again() {
    let mut stage = stage();
    with(&mut stage, |mara| mara.hidden = true);
    let row = "Mara Reyes, hidden";
    assert!(stage.harness.query_by_label(row).is_none());
    click(&mut stage, "Hidden conversations, 1");
    stage.harness.get_by_label(row);
    assert!(stage.harness.query_by_label("Tomasz").is_none());
    menu(&mut stage, row);
    choose(&mut stage, "Show in list");
    assert_eq!(change(&mut stage), Change::ShowInList);
    with(&mut stage, |mara| mara.blocked = true);
    stage.harness.get_by_label("Tomasz");
    assert!(stage.harness.query_by_label("Hidden conversations, 1").is_none());
    click(&mut stage, "Blocked contacts, 1");
    menu(&mut stage, "Mara Reyes, blocked");
    choose(&mut stage, "Unblock");
    stage.command(|c| if let Command::Unblock(id) = c { Some(id) } else { None });
    click(&mut stage, "All conversations");
    stage.harness.get_by_label("Tomasz");
}

#[test]
fn the_search_finds_what_is_kept_out_but_not_what_is_gone() {
    let mut stage = stage();
    for (hidden, blocked, approved, row) in [
        (true, false, true, Some("Mara Reyes, hidden")),
        (false, true, true, Some("Mara Reyes, blocked")),
        (true, true, false, Some("Mara Reyes, blocked")),
        (true, false, false, None),
    ] {
        with(&mut stage, |mara| (mara.hidden, mara.blocked, mara.approved) = (hidden, blocked, approved));
        stage.harness.key_press_modifiers(Modifiers::COMMAND, Key::K);
        stage.run();
        stage.harness.event(Event::Text("mara".into()));
        stage.run();
        assert!(stage.harness.query_by_label("Tomasz").is_none(), "the list is what was found");
        let rows = ["Mara Reyes", "Mara Reyes, hidden", "Mara Reyes, blocked"];
        let is_there = |row: &&str| stage.harness.query_by_role_and_label(Role::ListItem, row).is_some();
        let found: Vec<&str> = rows.into_iter().filter(is_there).collect();
        assert_eq!(found, row.into_iter().collect::<Vec<_>>());
        stage.harness.key_press(Key::Escape);
        stage.run();
    }
}

#[test]
fn the_keyboard_reaches_every_row() {
    let mut stage = details(WIDE, ThemeChoice::Dark);
    let rows =
        ["Copy Account ID", "Pin", "Mark as unread", "Mute", "Hide conversation", "Block", "Delete contact"];
    for row in rows {
        stage.harness.get_by_label(row).focus();
        stage.run();
        assert!(stage.harness.get_by_label(row).is_focused(), "{row}");
    }
    stage.harness.get_by_label("Pin").focus();
    stage.run();
    stage.harness.key_press(Key::Enter);
    stage.run();
    stage.command(|c| if let Command::Pin(_, true) = c { Some(()) } else { None });
}
