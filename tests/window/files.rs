//! Pictures and files of messages: whose come by themselves, what a click does, and what they look like.

use egui::accesskit::Role;
use egui_kittest::kittest::{NodeT, Queryable};
use septet::gui::attached::{FileNews, FileWish};
use septet::gui::command::{Command, ImageKey, Look, StagedFile, Update};
use septet::gui::theme::ThemeChoice;
use septet_client::model::*;

use super::sample;
use super::stage::{Stage, shared};

const SIZE: [f32; 2] = [1200.0, 820.0];

fn file(id: i64, name: &str, content_type: &str, state: AttachmentState) -> Attachment {
    Attachment {
        id: AttachmentId(id),
        name: name.into(),
        content_type: content_type.into(),
        size: 1_400_000,
        dimensions: Some((1200, 800)),
        voice: false,
        state,
    }
}

fn picture(id: i64, state: AttachmentState) -> Attachment {
    file(id, &format!("lake {id}.jpg"), "image/jpeg", state)
}

/// A window that shows these messages, with somebody of whom this was answered.
fn stage(theme: ThemeChoice, downloads: Downloads, messages: Vec<Message>) -> Stage {
    let mut stage = Stage::open(SIZE, theme);
    let mut list = sample::conversations();
    for row in list.iter_mut().filter(|row| row.id == sample::mara()) {
        row.downloads = downloads;
    }
    stage.tell(Update::Conversations(shared(list)));
    let messages = MessagePage { messages, more_before: false, more_after: false };
    stage.tell(Update::Page { conversation: sample::mara(), page: Page::Newest, messages });
    for id in 0..40 {
        let image = if id % 2 == 0 { sample::lake() } else { sample::evening() };
        stage.tell.send(Update::Image(ImageKey::Attachment(AttachmentId(id)), Some(image))).unwrap();
    }
    stage.run();
    stage.commands();
    stage
}

fn with(id: i64, outgoing: bool, text: &str, attachments: Vec<Attachment>) -> Message {
    let minute = u64::try_from(id).unwrap();
    Message { attachments, ..sample::message(id, outgoing, text, sample::clock(14, minute)) }
}

fn click(stage: &mut Stage, label: &str) {
    stage.harness.get_by_label(label).click();
    stage.run();
}

/// What was asked of files and transfers since the last call.
fn wishes(stage: &mut Stage) -> (Vec<FileWish>, Vec<AttachmentId>) {
    let (mut wishes, mut fetched) = (Vec::new(), Vec::new());
    for command in stage.commands() {
        match command {
            Command::File(FileWish::Animate(..)) => {}
            Command::File(wish) => wishes.push(wish),
            Command::Download(id) => fetched.push(id),
            _ => {}
        }
    }
    (wishes, fetched)
}

fn untrusted() -> Vec<Message> {
    let notes = file(3, "notes.pdf", "application/pdf", AttachmentState::Remote);
    vec![
        with(1, false, "From Sunday", vec![picture(1, AttachmentState::Remote)]),
        with(2, false, "", vec![picture(2, AttachmentState::Remote), picture(4, AttachmentState::Remote)]),
        with(3, false, "", vec![notes]),
    ]
}

#[test]
fn the_first_click_asks_and_each_answer_does_what_it_says() {
    for (answer, wished) in
        [("Yes", Some(Downloads::Automatic)), ("Only this one", Some(Downloads::OnClick)), ("No", None)]
    {
        for (label, id) in [("Download lake 1.jpg", 1), ("Download notes.pdf", 3)] {
            let mut stage = stage(ThemeChoice::Dark, Downloads::Ask, untrusted());
            click(&mut stage, label);
            assert_eq!(wishes(&mut stage), (vec![], vec![]), "nothing before the answer");
            stage.harness.get_by_label("Download files from Mara Reyes?");
            click(&mut stage, answer);
            assert!(stage.harness.query_by_label("Download files from Mara Reyes?").is_none());
            let lets = wished.map(|downloads| FileWish::Let(sample::mara(), downloads));
            let fetched: Vec<_> = wished.map(|_| AttachmentId(id)).into_iter().collect();
            assert_eq!(wishes(&mut stage), (lets.into_iter().collect(), fetched), "{answer}");
        }
    }
}

#[test]
fn who_answered_is_not_asked_again() {
    for downloads in [Downloads::OnClick, Downloads::Automatic] {
        let mut stage = stage(ThemeChoice::Dark, downloads, untrusted());
        click(&mut stage, "Download lake 4.jpg");
        assert_eq!(wishes(&mut stage), (vec![], vec![AttachmentId(4)]));
        assert!(stage.harness.query_by_label("Download files from Mara Reyes?").is_none());
    }
}

#[test]
fn looking_at_a_picture_fetches_nothing() {
    let mut stage = stage(ThemeChoice::Dark, Downloads::Automatic, untrusted());
    stage.run();
    assert_eq!(wishes(&mut stage), (vec![], vec![]));
}

#[test]
fn the_switch_in_the_details_lets_files_come_or_not() {
    for (downloads, wished) in [
        (Downloads::Ask, Downloads::Automatic),
        (Downloads::OnClick, Downloads::Automatic),
        (Downloads::Automatic, Downloads::OnClick),
    ] {
        let mut stage = stage(ThemeChoice::Dark, downloads, Vec::new());
        click(&mut stage, "Contact details");
        stage.harness.run_steps(20);
        let switch = stage.harness.get_by_role_and_label(Role::Switch, "Download files by themselves");
        let on = switch.accesskit_node().toggled() == Some(egui::accesskit::Toggled::True);
        assert_eq!(on, downloads == Downloads::Automatic);
        switch.click();
        stage.run();
        assert_eq!(wishes(&mut stage).0, [FileWish::Let(sample::mara(), wished)]);
    }
}

fn three() -> Vec<Message> {
    let here = AttachmentState::Local;
    let notes = file(12, "notes.pdf", "application/pdf", here.clone());
    vec![with(1, false, "Three", vec![picture(10, here.clone()), picture(11, here), notes])]
}

#[test]
fn the_menu_on_the_nth_file_acts_on_the_nth() {
    for (label, id) in [("lake 10.jpg", 10), ("lake 11.jpg", 11), ("Save as… notes.pdf", 12)] {
        let mut stage = stage(ThemeChoice::Dark, Downloads::Automatic, three());
        stage.harness.get_by_label(label).click_secondary();
        stage.run();
        click(&mut stage, "Open");
        let wish = FileWish::Open { attachment: AttachmentId(id), warned: false };
        assert_eq!(wishes(&mut stage).0, [wish]);
        stage.harness.get_by_label(label).click_secondary();
        stage.run();
        stage.commands();
        click(&mut stage, "Save as…");
        let name = stage.command(|command| match command {
            Command::SaveAs { attachment, name } => Some((attachment, name)),
            _ => None,
        });
        assert_eq!(name.0, AttachmentId(id));
        assert!(label.ends_with(&name.1), "{}", name.1);
    }
}

#[test]
fn all_files_of_a_message_are_saved_at_once() {
    let mut stage = stage(ThemeChoice::Dark, Downloads::Automatic, three());
    stage.harness.get_by_label("lake 10.jpg").click_secondary();
    stage.run();
    click(&mut stage, "Save all 3 files…");
    let files =
        stage.command(|command| if let Command::SaveAll(files) = command { Some(files) } else { None });
    assert_eq!(files, [10, 11, 12].map(AttachmentId));
    stage.tell(Update::File(FileNews::SavedAll("/mnt/pictures".into(), 3)));
    stage.harness.get_by_label("Saved 3 files in /mnt/pictures");
}

#[test]
fn the_whole_chip_is_the_button() {
    let film = file(5, "boat.mp4", "video/mp4", AttachmentState::Local);
    let mut stage = stage(ThemeChoice::Dark, Downloads::Automatic, vec![with(1, false, "", vec![film])]);
    let chip = stage.harness.get_by_label("Open boat.mp4").rect();
    assert!(chip.width() > 300.0 && chip.height() > 50.0, "{chip:?}");
    let at = chip.left_center() + egui::vec2(60.0, 0.0);
    stage.harness.hover_at(at);
    stage.run();
    for pressed in [true, false] {
        stage.harness.input_mut().events.push(egui::Event::PointerButton {
            pos: at,
            button: egui::PointerButton::Primary,
            pressed,
            modifiers: egui::Modifiers::NONE,
        });
    }
    stage.run();
    let wish = FileWish::Open { attachment: AttachmentId(5), warned: false };
    assert_eq!(wishes(&mut stage).0, [wish]);
}

#[test]
fn what_may_do_harm_is_opened_only_after_a_yes() {
    let news = || {
        let (conversation, name) = (sample::mara(), "photo.desktop".to_owned());
        Update::File(FileNews::Risky { conversation, attachment: AttachmentId(5), name })
    };
    let mut stage = stage(ThemeChoice::Dark, Downloads::Automatic, three());
    stage.tell(news());
    stage.harness.get_by_label("Open photo.desktop?");
    click(&mut stage, "Cancel");
    assert_eq!(wishes(&mut stage).0, []);
    stage.tell(news());
    click(&mut stage, "Open it all the same");
    assert_eq!(wishes(&mut stage).0, [FileWish::Open { attachment: AttachmentId(5), warned: true }]);
}

#[test]
fn a_failed_picture_is_fetched_again_and_shown_when_it_is_there() {
    let failed = AttachmentState::Failed { reason: "The network did not answer.".into() };
    let message = with(1, false, "", vec![picture(50, failed)]);
    let mut stage = stage(ThemeChoice::Dark, Downloads::Automatic, vec![message]);
    click(&mut stage, "Try again lake 50.jpg");
    assert_eq!(wishes(&mut stage).1, [AttachmentId(50)]);
    // A first look into what came was too early; the next one is not refused.
    stage.tell(Update::Image(ImageKey::Attachment(AttachmentId(50)), None));
    let state = AttachmentState::Local;
    let (conversation, message, attachment) = (sample::mara(), MessageId(1), AttachmentId(50));
    stage.tell(Update::Attachment { conversation, message, attachment, state });
    let asked = |command| match command {
        Command::LoadImage(ImageKey::Attachment(id), _) => (id == AttachmentId(50)).then_some(()),
        _ => None,
    };
    stage.command(asked);
}

#[test]
fn untrusted_and_the_question_look_calm() {
    let mut stage = stage(ThemeChoice::Dark, Downloads::Ask, untrusted());
    stage.harness.snapshot("files_untrusted_dark");
    click(&mut stage, "Download lake 1.jpg");
    stage.harness.run_steps(20);
    stage.harness.snapshot("files_question_dark");
}

/// Messages with so many pictures each, and a caption.
fn captioned(counts: &[i64]) -> Stage {
    let mut next = 0;
    let messages = (1..).zip(counts).map(|(id, count)| {
        let ids = next..next + count;
        next += count;
        let pictures = ids.map(|id| picture(id, AttachmentState::Local)).collect();
        with(id, id % 2 == 0, "By the water", pictures)
    });
    stage(ThemeChoice::Light, Downloads::Automatic, messages.collect())
}

#[test]
fn one_and_two_pictures_with_a_caption() {
    captioned(&[1, 2]).harness.snapshot("files_one_two_light");
}

#[test]
fn three_pictures_with_a_caption() {
    captioned(&[3]).harness.snapshot("files_three_light");
}

#[test]
fn five_pictures_with_a_caption() {
    captioned(&[5]).harness.snapshot("files_five_light");
}

#[test]
fn films_sounds_and_files_have_chips() {
    let here = AttachmentState::Local;
    let failed = AttachmentState::Failed { reason: "The network did not answer.".into() };
    let messages = vec![
        with(1, false, "", vec![file(1, "boat.mp4", "video/mp4", here.clone())]),
        with(2, true, "", vec![file(2, "song.mp3", "audio/mpeg", here.clone())]),
        with(3, false, "", vec![file(3, "plan.pdf", "application/pdf", here)]),
        with(4, false, "", vec![file(4, "camp.webm", "video/webm", AttachmentState::Remote)]),
        with(5, false, "", vec![file(5, "list.ods", "application/octet-stream", failed)]),
        with(6, false, "", vec![file(6, "old.zip", "application/zip", AttachmentState::Expired)]),
    ];
    let mut stage = stage(ThemeChoice::Dark, Downloads::Automatic, messages);
    stage.harness.snapshot("files_chips_dark");
}

#[test]
fn photographs_may_be_large_and_files_of_one_name_are_all_kept() {
    let mut stage = stage(ThemeChoice::Dark, Downloads::Automatic, Vec::new());
    let file = |name: &str, size, picture| StagedFile {
        name: name.into(),
        size,
        picture,
        source: OutgoingFile::Path(format!("/home/{name}").into()),
        look: Look::default(),
    };
    for (name, size, picture) in [
        ("a.jpg", 40_000_000, true),
        ("a.jpg", 5, true),
        ("b.png", 40_000_000, true),
        ("c.zip", 10_000_001, false),
        ("d.zip", 10_000_000, false),
    ] {
        stage.tell(Update::Staged(sample::mara(), file(name, size, picture)));
    }
    assert_eq!(stage.harness.query_all_by_label("Remove a.jpg").count(), 2);
    assert!(stage.harness.query_by_label("Remove b.png").is_none());
    assert!(stage.harness.query_by_label("Remove c.zip").is_none());
    stage.harness.get_by_label("Remove d.zip");
    for _ in 3..40 {
        stage.tell.send(Update::Staged(sample::mara(), file("e.zip", 5, false))).unwrap();
    }
    stage.run();
    assert_eq!(stage.harness.query_all_by_label("Remove e.zip").count(), 29, "32 in all");
    stage.harness.get_by_label("A message has at most 32 files.");
}
