//! Reactions, answers, deletion, choosing several: what clicks and keys do, and how it looks.

use egui::accesskit::{Role, Toggled};
use egui::{Event, Key, Modifiers, PointerButton};
use egui_kittest::kittest::{NodeT, Queryable};
use septet::gui::command::{Command, Update};
use septet::gui::theme::ThemeChoice;
use septet_client::model::*;

use super::sample;
use super::stage::{Stage, shared};
use super::use_it::{sent, stage, write};

const QUESTION: &str = "Mara Reyes: Which spot was it, can we go back there? 👀, 14:28";
const LAKE: &str = "Mara Reyes: I'd love the one at the lake 🌊, 14:02";
const ANSWER: &str = "You: Yes! Third one down, by the water, 14:31, Sent";

fn reacted(command: Command) -> Option<(MessageId, String, bool)> {
    match command {
        Command::React { message, emoji, remove } => Some((message, emoji, remove)),
        _ => None,
    }
}

fn deleted(command: Command) -> Option<(Vec<MessageId>, bool)> {
    match command {
        Command::Delete { messages, everyone } => Some((messages, everyone)),
        _ => None,
    }
}

/// A message of the sample, changed.
fn changed(stage: &mut Stage, id: i64, change: impl FnOnce(&mut Message)) {
    let mut message = sample::messages().into_iter().find(|message| message.id == MessageId(id)).unwrap();
    change(&mut message);
    stage.tell(Update::Message(Box::new(message)));
}

fn menu(stage: &mut Stage, message: &str, row: &str) {
    stage.harness.get_by_label(message).click_secondary();
    stage.run();
    stage.harness.get_by_role_and_label(Role::MenuItem, row).click();
    stage.run();
}

/// Gives the keyboard to a message.
fn focus(stage: &mut Stage, message: &str) {
    stage.harness.get_by_role_and_label(Role::ListItem, message).focus();
    stage.run();
}

fn has(stage: &Stage, label: &str) -> bool {
    stage.harness.query_by_label(label).is_some()
}

fn key(stage: &mut Stage, key: Key) {
    stage.harness.key_press(key);
    stage.run();
}

/// A click with keys held down.
fn click_with(stage: &mut Stage, label: &str, modifiers: Modifiers) {
    let pos = stage.harness.get_all_by_label(label).next().unwrap().rect().center();
    stage.harness.event_modifiers(Event::PointerMoved(pos), modifiers);
    for pressed in [true, false] {
        let event = Event::PointerButton { pos, button: PointerButton::Primary, pressed, modifiers };
        stage.harness.event_modifiers(event, modifiers);
    }
    stage.run();
}

/// Two clicks; a frame of a test takes longer than two quick clicks do.
fn double_click(stage: &mut Stage, label: &str) {
    stage.harness.ctx.options_mut(|options| options.input_options.max_double_click_delay = 5.0);
    click_with(stage, label, Modifiers::NONE);
    click_with(stage, label, Modifiers::NONE);
}

#[test]
fn a_click_on_a_reaction_takes_ours_back_or_joins_it() {
    let mut stage = stage();
    let both = "Mara Reyes, You reacted with 😍";
    stage.harness.get_by_label(both).click();
    stage.run();
    assert_eq!(stage.command(reacted), (MessageId(3), "😍".to_owned(), true));
    changed(&mut stage, 3, |message| message.reactions[0].from.truncate(1));
    stage.harness.get_by_label("Mara Reyes reacted with 😍").click();
    stage.run();
    assert_eq!(stage.command(reacted), (MessageId(3), "😍".to_owned(), false));
}

#[test]
fn many_kinds_of_reactions_are_folded_until_a_click() {
    let mut stage = stage();
    changed(&mut stage, 7, |message| {
        let one = |emoji: &str| Reaction { emoji: emoji.into(), from: vec![sample::mara_id()] };
        message.reactions = ["😂", "🥰", "😢", "😡", "😮", "😈", "👀"].map(one).into();
    });
    assert!(has(&stage, "Mara Reyes reacted with 😮") && !has(&stage, "Mara Reyes reacted with 👀"));
    stage.harness.get_by_label("Show all reactions").click();
    stage.run();
    assert!(has(&stage, "Mara Reyes reacted with 👀") && !has(&stage, "Show all reactions"));
    changed(&mut stage, 7, |message| {
        let one = |emoji: &str| Reaction { emoji: emoji.into(), from: vec![sample::mara_id()] };
        message.reactions = ["😂", "🥰", "😢", "😡", "😮", "😈"].map(one).into();
    });
    assert!(!has(&stage, "Show all reactions"), "six are not too many");
}

#[test]
fn the_bar_under_the_pointer_offers_what_was_chosen_last() {
    let mut stage = stage();
    let recent = ["👀", "😂", "🥰", "😢", "😡", "😮", "😈"].map(str::to_owned);
    stage.tell(Update::RecentEmoji(recent.into()));
    stage.harness.get_by_label(QUESTION).hover();
    stage.run();
    stage.harness.get_by_label("React").click();
    stage.run();
    assert!(has(&stage, "React with eyes") && !has(&stage, "React with smiling face with horns"));
    // The pointer may leave the message.
    stage.harness.get_by_label("React with eyes").hover();
    stage.run();
    stage.harness.get_by_label("React with eyes").click();
    stage.run();
    assert_eq!(stage.command(reacted), (MessageId(6), "👀".to_owned(), false));
    assert!(!has(&stage, "React with eyes"), "it closes");
}

#[test]
fn a_message_is_reacted_to_with_the_keyboard_alone() {
    let mut stage = stage();
    focus(&mut stage, QUESTION);
    key(&mut stage, Key::R);
    assert!(stage.harness.get_by_label("React with face with tears of joy").is_focused());
    key(&mut stage, Key::ArrowRight);
    key(&mut stage, Key::Enter);
    assert_eq!(stage.command(reacted), (MessageId(6), "🥰".to_owned(), false));
    assert!(
        stage.harness.get_by_role_and_label(Role::ListItem, QUESTION).is_focused(),
        "the keyboard comes back"
    );
    key(&mut stage, Key::R);
    key(&mut stage, Key::Escape);
    assert!(!has(&stage, "React with face with tears of joy"));
    assert!(stage.harness.get_by_role_and_label(Role::ListItem, QUESTION).is_focused());
}

#[test]
fn any_emoji_is_found_by_its_name() {
    let mut stage = Stage::open([900.0, 820.0], ThemeChoice::Dark);
    stage.harness.get_by_label(QUESTION).click_secondary();
    stage.run();
    stage.harness.get_by_label("All emoji").click();
    stage.run();
    let search = stage.harness.get_by_role_and_label(Role::TextInput, "Search emoji");
    assert!(search.is_focused(), "letters search at once");
    search.type_text("lobster");
    stage.run();
    stage.harness.get_by_role_and_label(Role::Status, "lobster");
    key(&mut stage, Key::Enter);
    assert_eq!(stage.command(reacted), (MessageId(6), "🦞".to_owned(), false));
    assert!(!has(&stage, "Search emoji"));
}

#[test]
fn arrows_choose_an_emoji_and_what_no_emoji_is_called_finds_none() {
    let mut stage = stage();
    stage.harness.get_by_label(QUESTION).click_secondary();
    stage.run();
    stage.harness.get_by_label("All emoji").click();
    stage.run();
    stage.harness.snapshot("picker_dark");
    key(&mut stage, Key::ArrowDown);
    key(&mut stage, Key::ArrowRight);
    stage.harness.get_by_role_and_label(Role::Status, "smiling face with hearts");
    stage.harness.get_by_role_and_label(Role::TextInput, "Search emoji").type_text("qqq");
    stage.run();
    assert!(has(&stage, "No emoji has this name"));
    key(&mut stage, Key::Escape);
    assert!(!has(&stage, "Search emoji") && stage.commands().into_iter().find_map(reacted).is_none());
}

#[test]
fn who_reacted_is_told_and_ours_can_be_taken_back_there() {
    let mut stage = stage();
    menu(&mut stage, "You: These two came out best, 14:09, Read", "Who reacted");
    let named = stage.harness.get_all_by_role_and_label(Role::ListItem, "Mara Reyes").count();
    assert_eq!(named, 2, "in the list of conversations, and here");
    stage.harness.get_by_label("Take back your reaction").click();
    stage.run();
    assert_eq!(stage.command(reacted), (MessageId(3), "😍".to_owned(), true));
    changed(&mut stage, 3, |message| message.reactions.clear());
    assert!(!has(&stage, "Take back your reaction"), "nobody is left to tell of");
}

#[test]
fn an_answer_leads_to_what_it_answers_and_says_if_that_is_gone() {
    let mut stage = stage();
    stage.harness.get_by_label("Go to the quoted message").click();
    stage.run();
    stage.commands();
    changed(&mut stage, 3, |message| {
        (message.deleted, message.text) = (true, String::new());
        message.attachments.clear();
        message.reactions.clear();
    });
    assert!(!has(&stage, "Go to the quoted message"));
    let gone = "Original message not available";
    stage.harness.get_by_label(gone).click();
    stage.run();
    assert!(has(
        &stage,
        "The original message is not available: it was deleted, or it never came to this device."
    ));
    // It comes back, and with it what quotes it.
    changed(&mut stage, 3, |_| {});
    assert!(has(&stage, "Go to the quoted message") && !has(&stage, gone));
    stage.tell(Update::Gone(sample::mara(), MessageId(3)));
    assert!(has(&stage, gone));
}

#[test]
fn answers_reactions_and_what_is_deleted_look_so() {
    let mut stage = stage();
    let quote = |id: i64, text: &str, picture: Option<i64>| Quote {
        author: sample::mara_id(),
        timestamp: sample::clock(13, 0),
        message: (id > 0).then_some(MessageId(id)),
        text: text.into(),
        attachment: None,
        picture: picture.map(AttachmentId),
    };
    let long = "A long question that goes on for more than one line, as questions sometimes do, and then some more \
        so that even the second line is not enough for all of it";
    let mut first = sample::message(21, true, "Both!", sample::clock(14, 32));
    first.quote = Some(quote(3, long, Some(1)));
    let one = |emoji: &str| Reaction { emoji: emoji.into(), from: vec![sample::mara_id()] };
    first.reactions = ["😂", "🥰", "😢", "😡", "😮", "😈", "👀"].map(one).into();
    let mut second = sample::message(22, false, "Then I know", sample::clock(14, 32));
    second.quote = Some(quote(0, "", None));
    second.reactions = vec![one("👀")];
    second.reactions[0].from = vec![sample::me()];
    let mut gone = sample::message(23, false, "", sample::clock(14, 32));
    gone.deleted = true;
    let mut here = sample::message(24, true, "", sample::clock(14, 32));
    (here.deleted, here.deleted_here) = (true, true);
    for message in [first, second, gone, here] {
        stage.tell(Update::Message(Box::new(message)));
    }
    stage.harness.get_by_label("Show all reactions");
    stage.harness.snapshot("replies_dark");
}

#[test]
fn a_jump_that_leads_nowhere_says_so_and_does_not_wait_for_its_chance() {
    let mut stage = stage();
    let question = |message: &mut Message| message.quote.as_mut().unwrap().message = Some(MessageId(4000));
    changed(&mut stage, 6, question);
    stage.harness.get_by_label("Go to the quoted message").click();
    stage.run();
    let asked = stage.command(|c| if let Command::Load { page, .. } = c { Some(page) } else { None });
    assert_eq!(asked, Page::Around(MessageId(4000)));
    stage.tell(Update::NotHere(sample::mara(), MessageId(4000)));
    assert!(has(
        &stage,
        "The original message is not available: it was deleted, or it never came to this device."
    ));
    let before = stage.harness.get_by_label(QUESTION).rect();
    let mut late = sample::message(4000, false, "here after all", sample::clock(14, 1));
    late.sorted_at = sample::clock(14, 1);
    stage.tell(Update::Message(Box::new(late)));
    assert_eq!(stage.harness.get_by_label(QUESTION).rect(), before, "the view stays where it is");
}

#[test]
fn escape_leaves_the_answer_with_the_keyboard_in_the_field() {
    let mut stage = stage();
    double_click(&mut stage, LAKE);
    assert!(has(&stage, "Do not reply"), "a double click answers");
    write(&mut stage, "later");
    key(&mut stage, Key::Escape);
    assert!(!has(&stage, "Do not reply"));
    assert!(stage.harness.get_by_role_and_label(Role::MultilineTextInput, "Message").is_focused());
    key(&mut stage, Key::Enter);
    let draft = stage.command(sent);
    assert_eq!((draft.text.as_str(), draft.reply_to), ("later", None));
    focus(&mut stage, QUESTION);
    stage.harness.key_press_modifiers(Modifiers::COMMAND | Modifiers::SHIFT, Key::R);
    stage.run();
    assert!(has(&stage, "Do not reply"), "and so do keys");
}

#[test]
fn a_name_that_changes_changes_in_quotes_as_well() {
    let mut stage = stage();
    let mut own = sample::message(20, true, "as I said", sample::NOW);
    own.quote = Some(Quote {
        author: sample::mara_id(),
        timestamp: sample::clock(14, 2),
        message: Some(MessageId(2)),
        text: "I'd love the one at the lake 🌊".into(),
        attachment: None,
        picture: None,
    });
    stage.tell(Update::Message(Box::new(own)));
    let before = stage.harness.render().unwrap();
    let mut list = sample::conversations();
    list[1].nickname = Some("Mara from next door".into());
    // In the picture alone: quotes have no words of their own for the screen reader.
    stage.tell(Update::Conversations(shared(list)));
    let after = stage.harness.render().unwrap();
    let quote = stage.harness.get_all_by_label("Go to the quoted message").last().unwrap().rect();
    let differs = (quote.left() as u32..quote.right() as u32).any(|x| {
        (quote.top() as u32..quote.top() as u32 + 18).any(|y| before.get_pixel(x, y) != after.get_pixel(x, y))
    });
    assert!(differs);
}

#[test]
fn our_message_is_deleted_for_everyone_unless_one_chooses_otherwise() {
    let mut stage = stage();
    menu(&mut stage, ANSWER, "Delete");
    stage.harness.snapshot("delete_dark");
    let chosen = |stage: &Stage, label: &str| {
        stage.harness.get_by_role_and_label(Role::RadioButton, label).accesskit_node().toggled()
            == Some(Toggled::True)
    };
    assert!(chosen(&stage, "For everyone") && !chosen(&stage, "On this device only"));
    key(&mut stage, Key::Enter);
    assert_eq!(stage.command(deleted), (vec![MessageId(7)], true));
    menu(&mut stage, ANSWER, "Delete");
    stage.harness.get_by_role_and_label(Role::RadioButton, "On this device only").click();
    stage.run();
    stage.harness.get_by_role_and_label(Role::Button, "Delete").click();
    stage.run();
    assert_eq!(stage.command(deleted), (vec![MessageId(7)], false));
    menu(&mut stage, ANSWER, "Delete");
    key(&mut stage, Key::Escape);
    assert!(stage.commands().into_iter().find_map(deleted).is_none() && !has(&stage, "For everyone"));
}

#[test]
fn anothers_message_goes_from_this_device_only_and_can_come_back_for_a_moment() {
    let mut stage = stage();
    menu(&mut stage, QUESTION, "Delete");
    assert!(!has(&stage, "For everyone"));
    stage.harness.get_by_role_and_label(Role::Button, "Delete").click();
    stage.run();
    assert_eq!(stage.command(deleted), (vec![MessageId(6)], false));
    stage.tell(Update::DeletedForNow(vec![MessageId(6)]));
    changed(&mut stage, 6, |message| {
        (message.deleted, message.deleted_here, message.quote) = (true, true, None);
        message.text = String::new();
    });
    let place = "Mara Reyes: You deleted this message on this device, 14:28";
    assert!(has(&stage, place) && has(&stage, "Message deleted on this device"));
    stage.harness.get_by_label("Undo").click();
    stage.run();
    let undone = stage.command(|c| if let Command::UndoDelete(ids) = c { Some(ids) } else { None });
    assert_eq!(undone, [MessageId(6)]);
    assert!(!has(&stage, "Undo"), "once");
    // What is only a place goes without a question.
    menu(&mut stage, place, "Delete");
    assert_eq!(stage.command(deleted), (vec![MessageId(6)], false));
}

#[test]
fn several_are_chosen_copied_and_deleted_together() {
    let mut stage = stage();
    menu(&mut stage, LAKE, "Select");
    assert!(has(&stage, "1 selected"));
    stage.harness.get_by_role_and_label(Role::CheckBox, QUESTION).click();
    stage.harness.get_by_role_and_label(Role::CheckBox, "You: These two came out best, 14:09, Read").click();
    stage.run();
    assert!(has(&stage, "3 selected"));
    stage.harness.snapshot("selection_dark");
    stage.harness.get_by_label("Copy selected messages").click();
    let copied = (0..4).find_map(|_| {
        stage.harness.step();
        let commands = &stage.harness.output().platform_output.commands;
        commands.iter().find_map(|command| match command {
            egui::OutputCommand::CopyText(text) => Some(text.clone()),
            _ => None,
        })
    });
    let copied = copied.unwrap();
    let lines: Vec<&str> = copied.lines().filter(|line| line.starts_with('[')).collect();
    assert_eq!(lines.len(), 3, "{copied}");
    assert!(lines.iter().any(|line| line.ends_with("] You: These two came out best")), "{copied}");
    stage.run();
    stage.harness.get_by_label("Save files of selected messages").click();
    stage.run();
    let files = stage.command(|c| if let Command::SaveAll(files) = c { Some(files) } else { None });
    assert_eq!(files, [AttachmentId(1), AttachmentId(2)]);
    key(&mut stage, Key::Delete);
    stage.harness.get_by_label("Delete 3 messages?");
    stage.harness.get_by_role_and_label(Role::Button, "Delete").click();
    stage.run();
    assert_eq!(stage.command(deleted), (vec![MessageId(2), MessageId(3), MessageId(6)], false));
    assert!(!has(&stage, "3 selected"), "the choice is over");
}

#[test]
fn keys_held_while_clicking_begin_and_extend_the_choice_and_escape_ends_it() {
    let mut stage = stage();
    click_with(&mut stage, LAKE, Modifiers::COMMAND);
    assert!(has(&stage, "1 selected"));
    click_with(&mut stage, QUESTION, Modifiers::SHIFT);
    assert!(has(&stage, "5 selected"), "all between, the line about the timer too");
    click_with(&mut stage, LAKE, Modifiers::COMMAND);
    assert!(has(&stage, "4 selected"));
    stage.tell(Update::Gone(sample::mara(), MessageId(4)));
    assert!(has(&stage, "3 selected"), "what is gone is not chosen");
    key(&mut stage, Key::Escape);
    assert!(!has(&stage, "3 selected") && has(&stage, "Conversation menu"));
}

#[test]
fn the_menu_of_a_message_opens_with_keys_and_has_its_order() {
    let mut stage = stage();
    changed(&mut stage, 7, |message| message.text = "see https://example.org/map".into());
    let answer = "You: see https://example.org/map, 14:31, Sent";
    for open in [(Modifiers::NONE, Key::Enter), (Modifiers::NONE, Key::Menu), (Modifiers::SHIFT, Key::F10)] {
        focus(&mut stage, answer);
        stage.harness.key_press_modifiers(open.0, open.1);
        stage.run();
        let rows: Vec<String> = stage
            .harness
            .get_all_by_role(Role::MenuItem)
            .map(|row| row.accesskit_node().label().unwrap_or_default())
            .collect();
        assert_eq!(rows, ["Reply", "Copy message", "Copy link", "Select", "Delete"], "{open:?}");
        assert!(stage.harness.get_by_role_and_label(Role::MenuItem, "Reply").is_focused());
        key(&mut stage, Key::Escape);
        assert!(stage.harness.query_by_role(Role::MenuItem).is_none());
    }
    focus(&mut stage, answer);
    key(&mut stage, Key::Delete);
    assert!(has(&stage, "Delete this message?"));
}

#[test]
fn what_is_only_a_place_or_a_line_can_be_chosen_and_deleted_and_nothing_else() {
    let mut stage = stage();
    let line = "You set messages to disappear 1 week after they are read";
    stage.harness.get_by_role_and_label(Role::ListItem, line).click_secondary();
    stage.run();
    let rows = stage.harness.get_all_by_role(Role::MenuItem);
    assert_eq!(
        rows.map(|row| row.accesskit_node().label().unwrap()).collect::<Vec<_>>(),
        ["Select", "Delete"]
    );
    assert!(!has(&stage, "All emoji"));
    stage.harness.get_by_role_and_label(Role::MenuItem, "Delete").click();
    stage.run();
    assert_eq!(stage.command(deleted), (vec![MessageId(5)], false));
}
