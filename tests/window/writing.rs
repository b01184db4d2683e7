//! What is being written: kept a moment after each change, brought back whole, sent whole.

use std::sync::Arc;

use egui::accesskit::Role;
use egui::{ColorImage, Key};
use egui_kittest::Node;
use egui_kittest::kittest::Queryable;
use septet::gui::command::{Command, Look, StagedFile, Update, Writing};
use septet_client::model::*;
use septet_devnet::Devnet;

use super::real::{Real, options};
use super::sample;
use super::stage::{Stage, shared};
use super::use_it::{sent, stage, write};

fn file(name: &str) -> StagedFile {
    let source = OutgoingFile::Path(name.into());
    StagedFile { name: name.to_owned(), size: 5, picture: false, source, look: Look::default() }
}

fn kept(command: Command) -> Option<Draft> {
    match command {
        Command::SetDraft { draft, .. } => Some(draft),
        _ => None,
    }
}

fn field(stage: &Stage) -> String {
    let field = stage.harness.get_by_role_and_label(Role::MultilineTextInput, "Message");
    field.value().unwrap_or_default()
}

/// A window whose open conversation has a draft of this.
fn drafted(draft: DraftSummary) -> Stage {
    let mut stage = stage();
    let mut list = sample::conversations();
    let tomasz = list.iter_mut().find(|conversation| conversation.name == "Tomasz").unwrap();
    tomasz.draft = Some(draft);
    let id = tomasz.id;
    stage.tell(Update::Conversations(shared(list)));
    stage.commands();
    stage.window().open(id);
    stage.run();
    stage
}

#[test]
fn every_change_is_kept_within_a_moment() {
    let mut stage = stage();
    let last = |stage: &mut Stage| stage.commands().into_iter().filter_map(kept).next_back();
    write(&mut stage, "half");
    assert_eq!(last(&mut stage).unwrap().text, "half");
    stage.tell(Update::Staged(sample::mara(), file("notes.txt")));
    let draft = last(&mut stage).unwrap();
    assert_eq!((draft.text.as_str(), draft.files.len()), ("half", 1));
    stage.harness.get_by_label("Remove notes.txt").click();
    stage.run();
    assert_eq!(last(&mut stage).unwrap().files.len(), 0);
}

#[test]
fn a_draft_comes_back_whole_before_it_is_kept_or_sent() {
    let mut stage =
        drafted(DraftSummary { text: "look".into(), files: 2, reply_to: Some(MessageId(5)), preview: false });
    let conversation = stage.command(|c| if let Command::LoadDraft(id) = c { Some(id) } else { None });
    assert_eq!(field(&stage), "look");
    write(&mut stage, " here");
    stage.harness.key_press(Key::Enter);
    stage.run();
    let early: Vec<Command> = stage.commands();
    assert!(!early.iter().any(|c| matches!(c, Command::Send { .. } | Command::SetDraft { .. })), "{early:?}");

    let reply = Some(Arc::new(sample::message(5, false, "sure?", sample::NOW)));
    let files = vec![file("one.txt"), file("two.txt")];
    stage.tell(Update::Draft(conversation, Writing { text: "look".into(), reply, files, preview: None }));
    let draft = stage.command(sent);
    assert_eq!(
        (draft.text.as_str(), draft.files.len(), draft.reply_to),
        ("look here", 2, Some(MessageId(5)))
    );
    assert_eq!(field(&stage), "");
}

#[test]
fn a_refused_message_comes_back_with_all_it_had() {
    let mut stage = stage();
    write(&mut stage, "and then");
    let reply = Some(Arc::new(sample::message(5, false, "sure?", sample::NOW)));
    let writing = Writing { text: "look".into(), reply, files: vec![file("one.txt")], preview: None };
    let reason = "The disk is full.".to_owned();
    stage.tell(Update::Refused { conversation: sample::mara(), writing, reason });
    assert_eq!(field(&stage), "look\nand then", "what was begun since is not lost either");
    stage.harness.get_by_label("Remove one.txt");
    stage.harness.get_by_label("Do not reply");
    let draft = stage.commands().into_iter().filter_map(kept).next_back().unwrap();
    assert_eq!((draft.files.len(), draft.reply_to), (1, Some(MessageId(5))));
}

#[test]
fn a_pasted_picture_is_waited_for() {
    let mut stage = stage();
    write(&mut stage, "see");
    let picture = Arc::new(ColorImage::filled([4, 4], egui::Color32::RED));
    stage.harness.event(egui::Event::PasteImage(picture));
    stage.run();
    stage.harness.key_press(Key::Enter);
    stage.run();
    assert!(stage.commands().into_iter().filter_map(sent).next().is_none());
    stage.tell(Update::NotStaged(sample::mara()));
    assert_eq!(field(&stage), "see", "without the picture, nobody knows whether it is to be sent");
    stage.harness.key_press(Key::Enter);
    stage.run();
    assert_eq!(stage.command(sent).text, "see");
}

#[test]
fn what_is_being_written_is_there_again_after_a_restart() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let net = runtime.block_on(Devnet::start()).unwrap();
    let mut real = Real::open(folder.path(), options(&net));
    real.first_run("Eva");
    // A note to oneself: files for somebody else wait until we are accepted.
    real.click("Your account");
    let id = |node: &Node<'_>| node.value().filter(|text| text.len() == 66 && text.starts_with("05"));
    let own = real.wait(|harness| harness.query_all_by_role(Role::Label).find(|node| id(node).is_some()));
    let own = id(&own).unwrap();
    real.find(&own);
    real.wait_label("Message").focus();
    real.harness.run_steps(2);
    let picture = Arc::new(ColorImage::filled([40, 30], egui::Color32::RED));
    real.harness.event(egui::Event::PasteImage(picture));
    real.wait_label("Remove Picture");
    real.harness.event(egui::Event::Text("half a th".to_owned()));
    real.harness.run_steps(2);
    real.close();

    let mut real = Real::open(folder.path(), options(&net));
    real.wait_label("Search or paste an ID");
    real.find(&own);
    real.wait_label("Remove Picture");
    let field = real.wait(|harness| harness.query_by_role_and_label(Role::MultilineTextInput, "Message"));
    assert_eq!(field.value().as_deref(), Some("half a th"));
    real.close();
}
