//! The button in the composer that opens all emoji.

use egui::{Id, Key, Modifiers, Popup, PopupCloseBehavior, Rect, RectAlign, Ui};

use super::{menu, reacting};
use crate::gui::icons::Icon;
use crate::gui::view::ViewCtx;
use crate::gui::widgets::button;
use crate::gui::widgets::emoji_picker::EmojiPicker;

/// The button, and what is open above it.
#[derive(Default)]
pub struct EmojiButton {
    picker: EmojiPicker,
}

impl EmojiButton {
    /// Shows it; gives what was chosen. Ctrl+E opens it as well.
    pub fn show(&mut self, ui: &Ui, cx: &ViewCtx<'_>, rect: Rect) -> Option<String> {
        let id = Id::unique("emoji to write");
        let label = cx.t("emoji-to-write");
        let response = button::icon_at(ui, cx, rect, Id::unique("emoji button"), Icon::SMILE, &label);
        let key = !Popup::is_any_open(ui.ctx())
            && ui.input_mut(|input| input.consume_key(Modifiers::COMMAND, Key::E));
        if !Popup::is_id_open(ui.ctx(), id) {
            self.picker = EmojiPicker::default();
        }
        if key || response.clicked() {
            Popup::toggle_id(ui.ctx(), id);
        }
        let shown = Popup::from_response(&response)
            .id(id)
            .open_memory(None)
            .align(RectAlign::TOP_END)
            .gap(6.0)
            .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
            .frame(menu::frame(cx))
            .show(|ui| {
                let chosen = self.picker.show(ui, cx, &reacting::offered(cx));
                if chosen.is_some() {
                    ui.close();
                }
                chosen
            });
        shown.and_then(|shown| shown.inner)
    }
}
