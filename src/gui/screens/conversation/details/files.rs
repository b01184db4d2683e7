//! Whether the files of a contact come by themselves: a switch.

use egui::accesskit::{Role, Toggled};
use egui::{Ui, WidgetInfo};
use septet_client::model::{Conversation, ConversationKind, Downloads};

use super::row::row;
use crate::gui::attached::FileWish;
use crate::gui::command::Command;
use crate::gui::icons::Icon;
use crate::gui::view::ViewCtx;
use crate::gui::widgets::button::Tone;

/// Whether it can be set here: in private chats only, elsewhere files always come.
pub fn applies(conversation: &Conversation) -> bool {
    matches!(conversation.kind, ConversationKind::Private | ConversationKind::Blinded)
        && !conversation.blocked
}

/// The switch, as a row of a card.
pub fn show(ui: &mut Ui, cx: &ViewCtx<'_>, conversation: &Conversation) {
    let on = conversation.downloads == Downloads::Automatic;
    let (label, state) = (cx.t("files-automatic"), cx.t(if on { "switched-on" } else { "switched-off" }));
    let response = row(ui, cx, Icon::DOWNLOAD, &label, Tone::Quiet, &state);
    response.widget_info(|| WidgetInfo::labeled(Role::Switch, true, &*label));
    ui.ctx().accesskit_node_builder(response.id, |node| {
        node.set_toggled(if on { Toggled::True } else { Toggled::False });
    });
    if response.clicked() {
        let downloads = if on { Downloads::OnClick } else { Downloads::Automatic };
        cx.send(Command::File(FileWish::Let(conversation.id, downloads)));
    }
}
