//! The place to write: people named by `@`, links and their previews, long texts, keys.

use std::sync::Arc;

use egui::accesskit::Role;
use egui::{Event, Key, Modifiers};
use egui_kittest::kittest::Queryable;
use septet::gui::command::{Command, ImageKey, ShownPreview, Update};
use septet::gui::theme::ThemeChoice;
use septet_client::model::*;

use super::sample;
use super::stage::{Stage, shared};
use super::use_it::{sent, stage, write};

const LINK: &str = "https://trails.example/lake";

fn field(stage: &Stage) -> String {
    stage.harness.get_by_role_and_label(Role::MultilineTextInput, "Message").value().unwrap_or_default()
}

fn press(stage: &mut Stage, key: Key) {
    stage.harness.key_press(key);
    stage.run();
}

/// Adds messages to the open conversation.
fn add(stage: &mut Stage, message: Message) {
    stage.tell(Update::Message(Box::new(message)));
}

fn is_shown(stage: &Stage, label: &str) -> bool {
    stage.harness.query_by_label(label).is_some()
}

fn preview(title: &str) -> ShownPreview {
    let image = PreviewImage { bytes: vec![1].into(), content_type: "image/jpeg".into(), dimensions: (2, 1) };
    let preview = DraftPreview { url: LINK.into(), title: title.into(), image: Some(image) };
    ShownPreview { preview, picture: Some(Arc::new(sample::lake())) }
}

/// Draws frames until so many seconds have passed.
fn wait(stage: &mut Stage, seconds: f32) {
    // Four frames are a second.
    stage.harness.run_steps((seconds * 4.0).ceil() as usize + 1);
}

#[test]
fn people_are_named_by_what_is_typed_and_sent_by_their_ids() {
    let mut stage = stage();
    write(&mut stage, "ask @");
    assert!(is_shown(&stage, "You"));
    let rows: Vec<_> = stage.harness.get_all_by_role(Role::ListBoxOption).collect();
    assert_eq!(rows.len(), 2);
    drop(rows);
    write(&mut stage, "rey");
    assert_eq!(stage.harness.get_all_by_role(Role::ListBoxOption).count(), 1);
    press(&mut stage, Key::Enter);
    assert_eq!(field(&stage), "ask @Mara Reyes ");
    assert!(stage.harness.query_by_role(Role::ListBoxOption).is_none());
    write(&mut stage, "please");
    stage.commands();
    press(&mut stage, Key::Enter);
    assert_eq!(stage.command(sent).text, format!("ask @{} please", sample::mara_id()));
    assert_eq!(field(&stage), "");
}

#[test]
fn arrows_go_round_and_escape_closes_only_the_list() {
    let mut stage = stage();
    stage.harness.get_by_role_and_label(Role::MultilineTextInput, "Message").focus();
    stage.run();
    press(&mut stage, Key::ArrowUp);
    assert!(is_shown(&stage, "Do not reply"));
    write(&mut stage, "@");
    press(&mut stage, Key::ArrowDown);
    press(&mut stage, Key::ArrowDown);
    press(&mut stage, Key::ArrowUp);
    press(&mut stage, Key::Escape);
    assert!(stage.harness.query_by_role(Role::ListBoxOption).is_none());
    assert_eq!((field(&stage).as_str(), is_shown(&stage, "Do not reply")), ("@", true));
    write(&mut stage, "m");
    assert!(stage.harness.query_by_role(Role::ListBoxOption).is_none(), "closed for this word");
    press(&mut stage, Key::Escape);
    assert!(!is_shown(&stage, "Do not reply"));
    write(&mut stage, " @");
    press(&mut stage, Key::ArrowUp);
    press(&mut stage, Key::Tab);
    assert_eq!(field(&stage), "@m @Mara Reyes ", "from the first, up is the last");
}

#[test]
fn a_mention_is_deleted_as_one_and_a_pasted_id_is_a_name_at_once() {
    let mut stage = stage();
    write(&mut stage, "x");
    let id = format!("@{}", sample::mara_id());
    stage.harness.event(Event::Paste(format!(" {id}!")));
    stage.run();
    assert_eq!(field(&stage), "x @Mara Reyes!");
    press(&mut stage, Key::Backspace);
    press(&mut stage, Key::Backspace);
    assert_eq!(field(&stage), "x ");
    stage.harness.key_press_modifiers(Modifiers::COMMAND, Key::Z);
    stage.run();
    let back = field(&stage);
    assert!(back.contains("@Mara Reyes"), "{back}");
    stage.commands();
    press(&mut stage, Key::Enter);
    assert!(stage.command(sent).text.contains(&id));
}

#[test]
fn a_draft_names_people_too_and_so_do_rows_quotes_and_bubbles() {
    let mut stage = stage();
    let text = format!("@{} and @{}", sample::mara_id(), sample::me());
    let mut list = sample::conversations();
    list[2].last_message.as_mut().unwrap().text = text.clone();
    list[3].draft = Some(DraftSummary { text: text.clone(), ..DraftSummary::default() });
    let tomasz = list[3].id;
    stage.tell(Update::Conversations(shared(list)));
    let mut message = sample::message(20, false, &text, sample::NOW);
    message.quote = Some(Quote {
        author: sample::me(),
        timestamp: sample::NOW,
        message: None,
        text: text.clone(),
        attachment: None,
        picture: None,
    });
    add(&mut stage, message);
    stage.harness.get_by_label_contains("Mara Reyes: @Mara Reyes and @You");
    stage.window().open(tomasz);
    stage.run();
    assert_eq!(field(&stage), "@Mara Reyes and @You");
}

#[test]
fn letters_reach_the_field_from_anywhere() {
    let mut stage = stage();
    stage.harness.get_by_label_contains("Are the pictures from Sunday").click();
    stage.run();
    stage.harness.event(Event::Text("h".into()));
    stage.run();
    stage.harness.event(Event::Text("i".into()));
    stage.run();
    assert_eq!(field(&stage), "hi");
    stage.harness.get_by_label("Search or paste an ID").focus();
    stage.run();
    stage.harness.event(Event::Text("not here".into()));
    stage.run();
    assert_eq!(field(&stage), "hi");
}

#[test]
fn the_counter_counts_down_from_two_hundred_and_beyond_it_nothing_is_sent() {
    let mut stage = stage();
    write(&mut stage, &"é".repeat(1_799));
    assert!(stage.harness.query_by_label_contains("left").is_none());
    write(&mut stage, "é");
    stage.harness.get_by_label("200 characters left");
    write(&mut stage, &"é".repeat(200));
    stage.harness.get_by_label("0 characters left");
    write(&mut stage, "é");
    let counter = stage.harness.get_by_label("-1 character left").rect();
    let send = stage.harness.get_by_label("Send").rect();
    assert!(counter.bottom() <= send.top() && counter.top() > 500.0, "{counter:?}");
    stage.commands();
    press(&mut stage, Key::Enter);
    assert!(stage.commands().into_iter().filter_map(sent).next().is_none());
    stage.harness.get_by_label_contains("A message has at most 2000 characters");
    assert_eq!(field(&stage).chars().count(), 2_001);
    press(&mut stage, Key::Backspace);
    stage.commands();
    press(&mut stage, Key::Enter);
    assert_eq!(stage.command(sent).text.chars().count(), 2_000);
}

#[test]
fn emoji_are_found_by_name() {
    let mut stage = stage();
    write(&mut stage, "see :smiling_im");
    stage.harness.get_by_label("😈");
    press(&mut stage, Key::Tab);
    assert_eq!(field(&stage), "see 😈 ");
    write(&mut stage, "https://smiling_im");
    assert!(stage.harness.query_by_role(Role::ListBoxOption).is_none());
}

fn fetched(command: Command) -> Option<String> {
    match command {
        Command::FetchPreview { url, .. } => Some(url),
        _ => None,
    }
}

#[test]
fn a_link_is_asked_for_once_after_a_rest_and_its_preview_is_sent() {
    let mut stage = stage();
    stage.tell(Update::LinkPreviews(Some(true)));
    stage.commands();
    write(&mut stage, "see ");
    stage.harness.event(Event::Text(LINK.into()));
    stage.harness.step();
    stage.harness.event(Event::Text(" now".into()));
    stage.harness.step();
    assert!(stage.commands().into_iter().filter_map(fetched).next().is_none(), "not while it is typed");
    stage.harness.run_steps(3);
    assert_eq!(stage.command(fetched), LINK);
    assert!(!is_shown(&stage, "Looking at the link…"));
    wait(&mut stage, 1.1);
    assert!(is_shown(&stage, "Looking at the link…"));
    stage.tell(Update::Preview {
        conversation: sample::mara(),
        url: LINK.into(),
        preview: Some(preview("The lake")),
    });
    stage.harness.get_by_label("Preview: The lake, trails.example");
    let kept = stage.commands().into_iter().filter_map(|c| match c {
        Command::SetDraft { draft, .. } => draft.preview,
        _ => None,
    });
    assert_eq!(kept.last().unwrap().title, "The lake");
    press(&mut stage, Key::Enter);
    assert_eq!(stage.command(sent).preview.unwrap().title, "The lake");
    assert!(!is_shown(&stage, "Preview: The lake, trails.example"));
}

#[test]
fn a_preview_can_be_put_away_and_needs_its_link() {
    let mut stage = stage();
    stage.tell(Update::LinkPreviews(Some(true)));
    let arrives = || Update::Preview {
        conversation: sample::mara(),
        url: LINK.into(),
        preview: Some(preview("The lake")),
    };
    write(&mut stage, LINK);
    wait(&mut stage, 0.6);
    stage.tell(arrives());
    stage.harness.get_by_label("Send without a preview").click();
    stage.run();
    assert!(!is_shown(&stage, "Preview: The lake, trails.example"));
    stage.tell(arrives());
    write(&mut stage, " there");
    assert!(!is_shown(&stage, "Preview: The lake, trails.example"), "it stays away");
    stage.commands();
    press(&mut stage, Key::Enter);
    assert_eq!(stage.command(sent).preview, None);
    write(&mut stage, "https://other.example/");
    wait(&mut stage, 0.6);
    assert_eq!(stage.command(fetched), "https://other.example/");
    stage.tell(arrives());
    assert!(!is_shown(&stage, "Preview: The lake, trails.example"), "of another link");
}

#[test]
fn beside_an_answer_there_is_no_preview() {
    let mut stage = stage();
    stage.tell(Update::LinkPreviews(Some(true)));
    stage.harness.get_by_role_and_label(Role::MultilineTextInput, "Message").focus();
    stage.run();
    press(&mut stage, Key::ArrowUp);
    write(&mut stage, LINK);
    wait(&mut stage, 1.0);
    assert!(stage.commands().into_iter().filter_map(fetched).next().is_none());
}

#[test]
fn without_consent_nothing_is_asked_and_a_pasted_link_offers_it_once() {
    let mut stage = stage();
    write(&mut stage, &format!("{LINK} "));
    wait(&mut stage, 1.0);
    assert!(!is_shown(&stage, "Show previews of links you send?"), "it was typed");
    stage.harness.event(Event::Paste(LINK.into()));
    stage.run();
    stage.harness.get_by_label("Show previews of links you send?");
    stage.harness.get_by_label_contains("sees your IP address");
    wait(&mut stage, 1.0);
    assert!(stage.commands().into_iter().filter_map(fetched).next().is_none());
    let chosen = |c| if let Command::SetLinkPreviews(on) = c { Some(on) } else { None };
    stage.harness.get_by_label("Turn on").click();
    stage.run();
    assert!(stage.command(chosen));
    stage.tell(Update::LinkPreviews(Some(true)));
    wait(&mut stage, 0.6);
    assert_eq!(stage.command(fetched), LINK);
}

#[test]
fn who_declined_is_not_asked_again() {
    let mut stage = stage();
    stage.tell(Update::LinkPreviews(Some(false)));
    write(&mut stage, "x ");
    stage.harness.event(Event::Paste(LINK.into()));
    stage.run();
    wait(&mut stage, 1.0);
    assert!(!is_shown(&stage, "Show previews of links you send?"));
    assert!(stage.commands().into_iter().filter_map(fetched).next().is_none());
}

#[test]
fn a_received_preview_shows_its_page_and_a_click_names_the_real_host() {
    let mut stage = stage();
    stage.commands();
    add(&mut stage, with_preview(40));
    let image = AttachmentId(90);
    let downloads = |c: Command| matches!(c, Command::Download(_)).then_some(());
    let asked = stage.commands().into_iter().filter_map(downloads).count();
    assert_eq!(asked, 0, "whether it comes by itself is not for the window to say");
    let local = AttachmentState::Local;
    stage.tell(Update::Attachment {
        conversation: sample::mara(),
        message: MessageId(40),
        attachment: image,
        state: local,
    });
    stage.command(|c| match c {
        Command::LoadImage(ImageKey::Attachment(id), _) => (id == image).then_some(()),
        _ => None,
    });
    stage.harness.get_by_label("Preview: The lake in five walks, trails.example").click();
    stage.run();
    stage.harness.get_by_label_contains("Your browser will visit trails.example");
}

fn with_preview(id: i64) -> Message {
    let mut message = sample::message(id, false, &format!("Here it is: {LINK}"), sample::NOW);
    let image = Attachment {
        id: AttachmentId(90),
        name: String::new(),
        content_type: "image/jpeg".into(),
        size: 9_000,
        dimensions: Some((200, 133)),
        voice: false,
        state: AttachmentState::Remote,
    };
    message.preview =
        Some(LinkPreview { url: LINK.into(), title: "The lake in five walks".into(), image: Some(image) });
    message
}

#[test]
fn a_strangers_preview_picture_is_not_fetched() {
    let mut stage = stage();
    let mut list = sample::conversations();
    list[1].approved = false;
    stage.tell(Update::Conversations(shared(list)));
    stage.commands();
    add(&mut stage, with_preview(40));
    stage.harness.get_by_label("Preview: The lake in five walks, trails.example");
    assert!(!stage.commands().iter().any(|c| matches!(c, Command::Download(_))));
}

#[test]
fn long_texts_are_folded_and_can_be_read_whole() {
    let mut stage = stage();
    let lines = |count: usize| (1..=count).map(|line| format!("line {line}")).collect::<Vec<_>>().join("\n");
    add(&mut stage, sample::message(40, false, &lines(25), sample::NOW));
    assert!(!is_shown(&stage, "Read more"));
    add(&mut stage, sample::message(41, false, &lines(26), sample::NOW));
    let bubble = |stage: &Stage| stage.harness.get_by_label_contains("line 26").rect();
    let folded = bubble(&stage);
    stage.harness.get_by_label("Read more").click();
    stage.run();
    let whole = bubble(&stage);
    assert!(whole.height() > folded.height(), "{folded:?} {whole:?}");
    stage.harness.get_by_label("Show less").click();
    stage.run();
    assert_eq!(bubble(&stage).height(), folded.height());
}

#[test]
fn extreme_texts_cost_no_more_than_their_length() {
    let mut stage = stage();
    add(&mut stage, sample::message(40, false, &"ب".repeat(10_000), sample::NOW));
    add(&mut stage, sample::message(41, false, &"e\u{301}\u{302}".repeat(3_000), sample::NOW));
    assert_eq!(stage.harness.get_all_by_label("Read more").count(), 2);
}

#[test]
fn an_invitation_is_a_card_without_its_raw_address() {
    let mut stage = stage();
    add(&mut stage, invitation(40));
    stage.harness.get_by_label("Invitation to a community: Lake walkers, open.example").click();
    stage.run();
    stage.harness.get_by_label("Joining communities is not possible yet");
    stage.harness.get_by_label("Copy address").click();
    stage.run();
    assert!(!is_shown(&stage, "Joining communities is not possible yet"));
}

fn invitation(id: i64) -> Message {
    let mut message = sample::message(id, false, "", sample::NOW);
    let url = format!("https://open.example/walkers?public_key={}", "ab".repeat(32));
    message.notice = Some(Notice::CommunityInvitation { url, name: "Lake walkers".into() });
    message
}

fn picture(theme: ThemeChoice, name: &str) {
    let mut stage = Stage::open([1200.0, 820.0], theme);
    stage.tell(Update::LinkPreviews(Some(true)));
    add(&mut stage, invitation(40));
    let mut preview_message = with_preview(41);
    preview_message.preview.as_mut().unwrap().image.as_mut().unwrap().state = AttachmentState::Local;
    stage.tell(Update::Image(ImageKey::Attachment(AttachmentId(90)), Some(sample::lake())));
    add(&mut stage, preview_message);
    let text = format!("@{} you know it, @{} not yet", sample::me(), sample::mara_id());
    add(&mut stage, sample::message(42, false, &text, sample::NOW));
    write(&mut stage, &format!("{LINK} for "));
    wait(&mut stage, 0.6);
    stage.tell(Update::Preview {
        conversation: sample::mara(),
        url: LINK.into(),
        preview: Some(preview("The lake in five walks")),
    });
    write(&mut stage, "@");
    stage.run();
    stage.harness.snapshot(name);
}

#[test]
fn the_composer_at_work_in_the_dark() {
    picture(ThemeChoice::Dark, "compose_dark");
}

#[test]
fn the_composer_at_work_in_the_light() {
    picture(ThemeChoice::Light, "compose_light");
}

#[test]
fn the_offer_and_the_counter() {
    let mut stage = Stage::open([460.0, 640.0], ThemeChoice::Dark);
    stage.window().open(sample::mara());
    stage.run();
    write(&mut stage, &"word ".repeat(410));
    stage.harness.event(Event::Paste(LINK.into()));
    stage.run();
    stage.harness.snapshot("compose_offer_narrow_dark");
}
