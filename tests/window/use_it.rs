//! What happens on clicks and keys.

use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable;
use septet::gui::command::{Command, Look, StagedFile, Update, Writing};
use septet::gui::theme::ThemeChoice;
use septet_client::model::*;

use super::sample;
use super::stage::{Stage, shared};

pub fn stage() -> Stage {
    Stage::open([1200.0, 820.0], ThemeChoice::Dark)
}

pub fn write(stage: &mut Stage, text: &str) {
    stage.harness.get_by_role_and_label(Role::MultilineTextInput, "Message").focus();
    stage.run();
    stage.harness.get_by_role_and_label(Role::MultilineTextInput, "Message").type_text(text);
    stage.run();
}

pub fn sent(command: Command) -> Option<Draft> {
    match command {
        Command::Send { draft, .. } => Some(draft),
        _ => None,
    }
}

#[test]
fn enter_sends_and_shift_enter_breaks_the_line() {
    let mut stage = stage();
    write(&mut stage, "one");
    stage.harness.key_press_modifiers(Modifiers::SHIFT, Key::Enter);
    stage.run();
    write(&mut stage, "two");
    stage.commands();
    stage.harness.key_press(Key::Enter);
    stage.run();
    assert_eq!(stage.command(sent).text, "one\ntwo");
}

#[test]
fn shift_counts_even_if_it_is_up_again_within_the_frame() {
    let mut stage = stage();
    write(&mut stage, "one");
    stage.commands();
    let key = |modifiers, pressed| egui::Event::Key {
        key: Key::Enter,
        physical_key: None,
        pressed,
        repeat: false,
        modifiers,
    };
    let input = stage.harness.input_mut();
    input.events.extend([key(Modifiers::SHIFT, true), key(Modifiers::SHIFT, false)]);
    stage.run();
    assert!(stage.commands().into_iter().filter_map(sent).next().is_none());
    let field = stage.harness.get_by_role_and_label(Role::MultilineTextInput, "Message").value();
    assert_eq!(field.as_deref(), Some("one\n"));
}

#[test]
fn nothing_is_sent_without_anything_written() {
    let mut stage = stage();
    write(&mut stage, "   ");
    stage.harness.key_press(Key::Enter);
    stage.run();
    assert!(stage.commands().into_iter().filter_map(sent).next().is_none());
}

#[test]
fn what_is_typed_is_kept_as_a_draft_when_another_conversation_is_opened() {
    let mut stage = stage();
    stage.commands();
    write(&mut stage, "half a th");
    stage.harness.get_by_label("Tomasz").click();
    stage.run();
    let commands = stage.commands();
    assert!(commands.iter().any(
        |c| matches!(c, Command::SetDraft { conversation, draft } if *conversation == sample::mara() && draft.text == "half a th")
    ));
    assert!(commands.iter().any(|c| matches!(c, Command::Show(_))));
}

#[test]
fn a_row_is_chosen_once_however_quick_the_click() {
    let mut stage = stage();
    let at = stage.harness.get_by_label("Tomasz").rect().center();
    stage.harness.hover_at(at);
    stage.run();
    stage.commands();
    let button = |pressed| egui::Event::PointerButton {
        pos: at,
        button: egui::PointerButton::Primary,
        pressed,
        modifiers: Modifiers::NONE,
    };
    stage.harness.input_mut().events.extend([button(true), button(false)]);
    stage.run();
    stage.command(|c| if let Command::Show(id) = c { Some(id) } else { None });
    stage.harness.get_by_label("Weekend crew, 4 unread messages").click();
    stage.run();
    stage.command(|c| if let Command::Show(id) = c { Some(id) } else { None });
}

#[test]
fn a_request_can_be_accepted() {
    let mut stage = stage();
    stage.harness.get_by_label("Message requests, 2 waiting").click();
    stage.run();
    stage.harness.get_by_label("Ines").click();
    stage.run();
    stage.commands();
    stage.harness.get_by_label("Accept").click();
    stage.run();
    assert_eq!(
        stage.command(|c| if let Command::Accept(id) = c { Some(id) } else { None }),
        sample::stranger()
    );
}

#[test]
fn blocking_asks_first() {
    let mut stage = stage();
    stage.window().open(sample::stranger());
    stage.run();
    stage.harness.get_by_label("Block").click();
    stage.run();
    let blocked = |c| if let Command::Block(id) = c { Some(id) } else { None };
    assert!(stage.commands().into_iter().filter_map(blocked).next().is_none());
    stage.harness.get_all_by_label("Block").last().unwrap().click();
    stage.run();
    assert_eq!(stage.command(blocked), sample::stranger());
}

#[test]
fn an_id_pasted_into_the_search_field_opens_a_conversation() {
    let mut stage = stage();
    let id = "05ca03b8e369aeeb69fd260c2957d37b232db17a60db7a39bca9f0c0a6be135c1a";
    stage.harness.key_press_modifiers(Modifiers::COMMAND, Key::K);
    stage.run();
    stage.harness.event(egui::Event::Paste(id.into()));
    stage.run();
    stage.commands();
    stage.harness.key_press(Key::Enter);
    stage.run();
    let opened = stage.command(|c| if let Command::Open(address) = c { Some(address) } else { None });
    assert_eq!(opened.to_string(), id);
}

#[test]
fn messages_in_view_are_marked_read() {
    let mut stage = stage();
    let read = stage.command(|c| if let Command::MarkRead { up_to, .. } = c { Some(up_to) } else { None });
    assert_eq!(read, MessageId(6));
}

#[test]
fn a_new_message_appears_at_the_bottom_and_an_edit_in_its_place() {
    let mut stage = stage();
    let mut new = sample::messages()[0].clone();
    (new.id, new.text) = (MessageId(99), "Are you there?".into());
    (new.timestamp, new.sorted_at) = (sample::NOW, sample::NOW);
    stage.tell(Update::Message(Box::new(new)));
    stage.harness.get_by_label("Mara Reyes: Are you there?, 14:32");
}

#[test]
fn a_failed_message_says_why_and_can_be_sent_again() {
    let mut stage = stage();
    let mut failed = sample::messages()[6].clone();
    failed.state = MessageState::Failed;
    failed.failure = Some("The network could not be reached.".into());
    stage.tell(Update::Message(Box::new(failed)));
    stage.commands();
    stage.harness.get_by_label("Try again").click();
    stage.run();
    assert_eq!(stage.command(|c| if let Command::Resend(id) = c { Some(id) } else { None }), MessageId(7));
}

#[test]
fn a_refused_text_comes_back() {
    let mut stage = stage();
    let refused = Update::Refused {
        conversation: sample::mara(),
        writing: Writing { text: "again".into(), ..Writing::default() },
        reason: "The disk is full.".into(),
    };
    stage.tell(refused);
    let field = stage.harness.get_by_role_and_label(Role::MultilineTextInput, "Message").value();
    assert_eq!(field.as_deref(), Some("again"));
    stage.harness.get_by_label("The disk is full.");
}

#[test]
fn the_path_is_one_click_away() {
    let mut stage = stage();
    stage.harness.get_by_label("Path: Connected · DE → JP → CA").click();
    stage.run();
    stage.harness.get_by_label("Done").click();
    stage.run();
    assert!(stage.harness.query_by_label("Done").is_none());
}

#[test]
fn an_account_is_created_from_a_name() {
    let mut stage = Stage::new([1200.0, 820.0], ThemeChoice::Dark);
    stage.tell(Update::NoAccount);
    stage.harness.get_by_label("Create account").click();
    stage.run();
    stage.harness.get_by_role_and_label(Role::TextInput, "Display name").type_text("Eva");
    stage.run();
    stage.harness.get_by_label("Create account").click();
    stage.run();
    let name = stage.command(|c| if let Command::CreateAccount { name } = c { Some(name) } else { None });
    assert_eq!(name, "Eva");
}

#[test]
fn a_long_history_is_loaded_piece_by_piece_and_nothing_moves() {
    let mut stage = stage();
    let old = |from: i64, to: i64| {
        let message = |id: i64| {
            let mut message = sample::messages()[0].clone();
            (message.id, message.text) = (MessageId(id), format!("message {id}"));
            message.timestamp = septet_protocol::time::Timestamp::from_ms(
                sample::NOW.as_ms() - 100_000_000 + id as u64 * 1000,
            );
            message.sorted_at = message.timestamp;
            message
        };
        MessagePage { messages: (from..to).map(message).collect(), more_before: from > 0, more_after: false }
    };
    let conversation = sample::mara();
    stage.tell(Update::Page { conversation, page: Page::Newest, messages: old(900, 1000) });
    stage.commands();
    stage.harness.key_press_modifiers(Modifiers::COMMAND, Key::Home);
    stage.run();
    let page = stage.command(|c| if let Command::Load { page, .. } = c { Some(page) } else { None });
    assert_eq!(page, Page::Before(MessageId(900)));
    let before = stage.harness.get_by_label_contains("message 905,").rect();
    stage.tell(Update::Page { conversation, page, messages: old(800, 900) });
    assert_eq!(stage.harness.get_by_label_contains("message 905,").rect(), before);
}

#[test]
fn a_message_can_be_answered_and_the_answer_left_again() {
    let mut stage = stage();
    let question = "Mara Reyes: Which spot was it, can we go back there? 👀, 14:28";
    stage.harness.get_by_label(question).click_secondary();
    stage.run();
    stage.harness.get_by_role_and_label(Role::MenuItem, "Reply").click();
    stage.run();
    write(&mut stage, "Saturday at ten? I bring coffee ☕");
    stage.harness.snapshot("reply_dark");
    stage.harness.key_press(Key::Enter);
    stage.run();
    assert_eq!(stage.command(sent).reply_to, Some(MessageId(6)));
    assert!(stage.harness.query_by_label("Do not reply").is_none());
}

#[test]
fn too_long_a_message_is_counted_and_not_sent() {
    let mut stage = stage();
    write(&mut stage, &"x".repeat(2001));
    stage.harness.key_press(Key::Enter);
    stage.run();
    assert!(stage.commands().into_iter().filter_map(sent).next().is_none());
    stage.harness.get_by_label("A message has at most 2000 characters. Send it in parts.");
}

#[test]
fn the_list_follows_its_updates() {
    let mut stage = stage();
    let mut list = sample::conversations();
    list[3].name = "Tomasz K".into();
    stage.tell(Update::Conversations(shared(list)));
    stage.harness.get_by_label("Tomasz K");
}

#[test]
fn a_file_that_may_tell_where_it_was_made_says_so_in_the_composer() {
    let mut stage = stage();
    let file = |name: &str, may_tell_place| StagedFile {
        name: name.to_owned(),
        size: 5,
        picture: false,
        look: Look { thumbnail: None, may_tell_place },
        source: OutgoingFile::Bytes {
            name: name.to_owned(),
            content_type: "image/tiff".to_owned(),
            bytes: vec![7; 5],
        },
    };
    let label = |name: &str| format!("{name} may say where it was made, and that cannot be taken out of it.");
    stage.tell(Update::Staged(sample::mara(), file("clean.png", false)));
    stage.tell(Update::Staged(sample::mara(), file("scan.tif", true)));
    stage.run();
    stage.harness.get_by_label(&label("scan.tif"));
    assert!(stage.harness.query_by_label(&label("clean.png")).is_none());
    stage.harness.get_by_label("Remove scan.tif").click();
    stage.run();
    assert!(stage.harness.query_by_label(&label("scan.tif")).is_none());
}

#[test]
fn a_file_that_can_never_be_opened_is_shown_without_a_way_to_fetch_it() {
    let mut stage = stage();
    let mut message = sample::message(900, false, "", sample::NOW);
    message.attachments = vec![Attachment {
        id: AttachmentId(900),
        name: "lost.bin".to_owned(),
        content_type: "application/octet-stream".to_owned(),
        size: 5,
        dimensions: None,
        voice: false,
        state: AttachmentState::Remote,
    }];
    let (conversation, id) = (message.conversation, message.id);
    stage.tell(Update::Message(Box::new(message)));
    stage.run();
    stage.harness.get_by_label("Download lost.bin");
    let state = AttachmentState::Unusable;
    stage.tell(Update::Attachment { conversation, message: id, attachment: AttachmentId(900), state });
    stage.run();
    for deed in ["Download", "Try again", "Save as…"] {
        assert!(stage.harness.query_by_label(&format!("{deed} lost.bin")).is_none(), "{deed}");
    }
}
