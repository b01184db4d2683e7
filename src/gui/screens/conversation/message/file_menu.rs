//! What can be done with the files of a message, in its menu: with the one under the pointer, or with all.
//!
//! Decision: the menu is that of the whole message, and remembers which of its files was under the pointer when it was
//! asked for: the n-th, wherever in its picture or chip that was.

use egui::{Id, Pos2, Response, Ui};
use septet_client::client::Client;
use septet_client::model::{Attachment, AttachmentId, AttachmentState, Message, MessageState};

use super::painting::Act;
use super::{Block, Prepared};
use crate::gui::attached::FileWish;
use crate::gui::command::Command;
use crate::gui::icons::Icon;
use crate::gui::view::ViewCtx;
use crate::gui::widgets::button::{Tone, menu_row};

fn place(message: &Message) -> Id {
    Id::unique(("file under the pointer", message.id))
}

/// Remembers which file is under the pointer when the menu of the message is asked for.
pub fn notice(whole: &Response, prepared: &Prepared, origin: Pos2) {
    if !whole.container_secondary_clicked() {
        return;
    }
    let message = &*prepared.message;
    let under = whole.ctx.pointer_interact_pos().and_then(|at| prepared.file_at(at - origin.to_vec2()));
    let id = under.and_then(|index| message.attachments.get(index)).map(|attachment| attachment.id);
    whole.ctx.data_mut(|data| data.insert_temp(place(message), id));
}

impl Prepared {
    /// The place in the message of the file that is shown here, if one is.
    fn file_at(&self, at: Pos2) -> Option<usize> {
        self.blocks.iter().find_map(|block| match block {
            Block::Images(block) => block.image_at(at),
            Block::File(block) => block.rect.contains(at).then(|| block.index()),
            _ => None,
        })
    }
}

/// Forgets it: the menu is asked for in a way that has nothing to do with the pointer.
pub fn forget(ui: &Ui, message: &Message) {
    ui.data_mut(|data| data.remove::<Option<AttachmentId>>(place(message)));
}

/// The rows of the menu; tells also whether there are any. `first` gives the keyboard to the first: the menu was asked
/// for with a key.
pub fn rows(ui: &mut Ui, cx: &ViewCtx<'_>, message: &Message, first: bool) -> (Option<Act>, bool) {
    if first {
        forget(ui, message);
    }
    let under = ui.data(|data| data.get_temp::<Option<AttachmentId>>(place(message))).flatten();
    let file = match message.attachments.as_slice() {
        [only] => Some(only),
        all => all.iter().find(|attachment| Some(attachment.id) == under),
    };
    let mut rows = Rows { cx, first, any: false };
    let act = file.and_then(|file| one(ui, &mut rows, message, file));
    let here = message.attachments.iter().filter(|file| file.state == AttachmentState::Local);
    let here: Vec<AttachmentId> = here.map(|file| file.id).collect();
    if message.attachments.len() > 1 && !here.is_empty() {
        let label = cx.strings.with("save-all", [("count", here.len().into())]);
        if rows.row(ui, Icon::SAVE, &label) {
            cx.send(Command::SaveAll(here));
        }
    }
    (act, rows.any)
}

/// Rows, of which the first may get the keyboard.
struct Rows<'a> {
    cx: &'a ViewCtx<'a>,
    first: bool,
    any: bool,
}

impl Rows<'_> {
    fn row(&mut self, ui: &mut Ui, icon: Icon, label: &str) -> bool {
        let response = menu_row(ui, self.cx, icon, label, Tone::Quiet);
        if self.first && !self.any {
            response.request_focus();
        }
        self.any = true;
        if response.clicked() {
            ui.close();
        }
        response.clicked()
    }
}

fn one(ui: &mut Ui, rows: &mut Rows<'_>, message: &Message, file: &Attachment) -> Option<Act> {
    let cx = rows.cx;
    match file.state {
        AttachmentState::Local => {
            if rows.row(ui, Icon::EXTERNAL_LINK, &cx.t("open-file")) {
                cx.send(Command::File(FileWish::Open { attachment: file.id, warned: false }));
            }
            if rows.row(ui, Icon::SAVE, &cx.t("save-as")) {
                cx.send(save_as(message, file.id));
            }
        }
        AttachmentState::Remote => {
            return rows.row(ui, Icon::DOWNLOAD, &cx.t("download")).then_some(Act::Fetch(file.id));
        }
        AttachmentState::Downloading { .. } => {
            if rows.row(ui, Icon::X, &cx.t("stop-receiving")) {
                cx.send(Command::StopTransfer(file.id));
            }
        }
        // What could not be sent is sent again with its message.
        AttachmentState::Failed { .. } if message.state != MessageState::Failed => {
            if rows.row(ui, Icon::ROTATE_CW, &cx.t("try-again")) {
                cx.send(Command::Download(file.id));
            }
        }
        _ => {}
    }
    None
}

/// Saves a file of a message under a name of a person's choice; offered is its own.
pub fn save_as(message: &Message, id: AttachmentId) -> Command {
    Command::SaveAs { attachment: id, name: Client::name_for_saving(message, id) }
}
