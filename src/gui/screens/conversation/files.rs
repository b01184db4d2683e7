//! What is asked about files: whether those of a contact may come by themselves, and whether to open one that may do
//! harm.
//!
//! Decision: the first click on a file of somebody asks once. "Yes" and "only this one" are remembered, so that later
//! clicks just fetch; "no" fetches nothing and leaves the question for the next click.

use egui::Ui;
use septet_client::model::{AttachmentId, Conversation, Downloads};

use super::words;
use crate::gui::attached::FileWish;
use crate::gui::command::Command;
use crate::gui::view::ViewCtx;
use crate::gui::widgets::button::{self, Tone};
use crate::gui::widgets::dialog::{self, Answer};
use crate::gui::widgets::paragraph;

/// A file is wanted. True if its question is to be asked first.
pub fn fetch(cx: &ViewCtx<'_>, conversation: &Conversation, file: AttachmentId) -> bool {
    let ask = !conversation.fetches_files() && conversation.downloads == Downloads::Ask;
    if !ask {
        cx.send(Command::Download(file));
    }
    ask
}

/// Asks whether the files of a contact may come by themselves, because this one is wanted.
pub fn ask(ui: &Ui, cx: &ViewCtx<'_>, conversation: &Conversation, file: AttachmentId) -> Answer {
    let title = words::title(cx, conversation);
    let say = |name| cx.strings.with(name, [("name", title.as_str().into())]);
    let (answer, close) = dialog::show(ui, cx, "files question", 460.0, |ui| {
        dialog::title(ui, cx, &say("files-heading"));
        ui.add_space(8.0);
        paragraph(ui, &say("files-text"), cx.body().color(cx.theme.muted));
        ui.add_space(20.0);
        let third = (ui.available_width() - 16.0) / 3.0;
        let mut answer = None;
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 8.0;
            if button::wide(ui, cx, &cx.t("files-none"), Tone::Quiet, third).clicked() {
                answer = Some(None);
            }
            if button::wide(ui, cx, &cx.t("files-one"), Tone::Quiet, third).clicked() {
                answer = Some(Some(Downloads::OnClick));
            }
            if button::wide(ui, cx, &cx.t("files-all"), Tone::Primary, third).clicked() {
                answer = Some(Some(Downloads::Automatic));
            }
        });
        answer
    });
    match answer {
        Some(Some(downloads)) => {
            cx.send(Command::File(FileWish::Let(conversation.id, downloads)));
            // Also if it is older than what "yes" fetches.
            cx.send(Command::Download(file));
            Answer::Yes
        }
        Some(None) => Answer::No,
        None if close => Answer::No,
        None => Answer::Waiting,
    }
}

/// Asks before a file is opened that may do harm.
pub fn ask_risky(ui: &Ui, cx: &ViewCtx<'_>, file: AttachmentId, name: &str) -> Answer {
    let heading = cx.strings.with("open-risky", [("name", name.into())]);
    let (text, yes) = (cx.t("open-risky-text"), cx.t("open-anyway"));
    let answer = dialog::confirm(ui, cx, &heading, &text, &yes, Tone::Danger);
    if answer == Answer::Yes {
        cx.send(Command::File(FileWish::Open { attachment: file, warned: true }));
    }
    answer
}
