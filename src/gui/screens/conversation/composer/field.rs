//! The field: its text, laid out once for measuring and drawing, and where the cursor is.

use std::sync::Arc;

use egui::text::{CCursor, CCursorRange, CharIndex};
use egui::text_edit::TextEditState;
use egui::{
    CursorIcon, EventFilter, Frame, Galley, Key, KeyboardShortcut, Margin, Modifiers, Rect, ScrollArea,
    Sense, TextEdit, Ui, vec2,
};
use septet_client::model::ConversationId;
use septet_protocol::id::SessionId;
use septet_protocol::message::{MessageText, TextError};

use super::super::written::{Editing, Written};
use super::super::{members, words};
use super::{Composer, KEEP_AFTER, LINES, Laid, field_id, laid_out};
use crate::gui::text;
use crate::gui::theme::radius;
use crate::gui::view::ViewCtx;
use crate::gui::widgets::text_left;

impl Composer {
    pub(super) fn field_height(&mut self, ui: &Ui, cx: &ViewCtx<'_>, width: f32) -> f32 {
        let galley = self.layout(ui, cx, width - 24.0);
        galley.size().y.clamp(20.0, LINES * 20.0) + 18.0
    }

    /// The text laid out, made once for each change: a large one takes long.
    pub(super) fn layout(&mut self, ui: &Ui, cx: &ViewCtx<'_>, width: f32) -> Arc<Galley> {
        let width = width.round(); // it is found by different sums
        let made_for = (width, ui.ctx().pixels_per_point(), cx.theme.dark, cx.generation);
        let text = self.written.shown();
        if let Some(laid) = self.laid.as_ref().filter(|laid| laid.made_for == made_for && laid.text == text) {
            return Arc::clone(&laid.galley);
        }
        let galley = laid_out(ui, cx, &self.written, text, width);
        self.laid = Some(Laid { text: text.to_owned(), made_for, galley: Arc::clone(&galley) });
        galley
    }

    pub(super) fn field(&mut self, ui: &mut Ui, cx: &ViewCtx<'_>, conversation: ConversationId, rect: Rect) {
        ui.painter().rect_filled(rect, radius::COMPOSER, cx.theme.raised);
        let inner = rect.shrink2(vec2(12.0, 9.0));
        let id = field_id(conversation);
        if self.written.shown().is_empty() {
            let hint = cx.t("composer-hint");
            text_left(
                ui.painter(),
                inner.left_center(),
                &hint,
                cx.body().color(cx.theme.faint),
                inner.width(),
            );
        }
        let response = ui.interact(rect, id.with("ground"), Sense::CLICK);
        if std::mem::take(&mut self.focus) || response.clicked() {
            ui.ctx().memory_mut(|memory| memory.request_focus(id));
        }
        if response.hovered() {
            ui.ctx().set_cursor_icon(CursorIcon::Text);
        }
        if self.edit(ui, cx, conversation, inner) {
            self.changed(ui);
            self.tell_typing(cx, conversation);
            let now = ui.input(|input| input.time);
            self.link.changed(&self.written.sent(), now);
        }
        self.follow_cursor(ui, cx, conversation, inner);
    }

    /// The text itself; true if it changed.
    pub(super) fn edit(
        &mut self,
        ui: &mut Ui,
        cx: &ViewCtx<'_>,
        conversation: ConversationId,
        inner: Rect,
    ) -> bool {
        let id = field_id(conversation);
        let known = self.layout(ui, cx, inner.width());
        let before = self.written.clone();
        let mut layouter = |ui: &Ui, buffer: &dyn egui::TextBuffer, width: f32| {
            if buffer.as_str() == before.shown() && (width - inner.width()).abs() < 0.5 {
                return Arc::clone(&known);
            }
            laid_out(ui, cx, &Written::default(), buffer.as_str(), width)
        };
        let names = |id: SessionId| words::author(cx, id);
        let align = text::edit_align(self.written.shown());
        // Keys that act on something else than the text.
        let filter = EventFilter {
            tab: self.suggest.is_open(),
            escape: self.suggest.is_open() || self.reply.is_some(),
            horizontal_arrows: true,
            vertical_arrows: true,
        };
        let mut editing = Editing { written: &mut self.written, names: &names };
        let mut child = ui.new_child(egui::UiBuilder::new().max_rect(inner));
        let output = ScrollArea::vertical()
            .id_salt(("composer", conversation))
            .auto_shrink([false, false])
            .max_height(inner.height())
            .show(&mut child, |ui| {
                TextEdit::multiline(&mut editing)
                    .id(id)
                    .align(align)
                    .frame(Frame::NONE)
                    .margin(Margin::ZERO)
                    .desired_rows(1)
                    .desired_width(inner.width())
                    .return_key(KeyboardShortcut::new(Modifiers::SHIFT, Key::Enter))
                    .event_filter(filter)
                    .layouter(&mut layouter)
                    .show(ui)
            })
            .inner;
        if let Some(range) = output.cursor_range {
            let cursor = output.galley.pos_from_cursor(range.primary);
            self.cursor = output.galley_pos + cursor.left_top().to_vec2() - vec2(12.0, 6.0);
        }
        output.response.response.accessible_name(&*cx.t("message-field")).changed()
    }

    /// The list of suggestions follows the cursor, which never stands inside of a mention.
    pub(super) fn follow_cursor(
        &mut self,
        ui: &Ui,
        cx: &ViewCtx<'_>,
        conversation: ConversationId,
        inner: Rect,
    ) {
        let id = field_id(conversation);
        let here = ui.ctx().memory(|memory| memory.has_focus(id)) && !self.composing;
        self.cursor.y = self.cursor.y.clamp(inner.top() - 6.0, inner.bottom());
        let Some(mut state) = TextEditState::load(ui.ctx(), id).filter(|_| here) else {
            self.suggest.look("", None, Vec::new);
            return;
        };
        let Some(range) = state.cursor.char_range() else { return };
        if !range.is_empty() {
            self.suggest.look("", None, Vec::new);
            return;
        }
        let at = range.primary.index.0;
        let outside = self.written.outside(at);
        if outside != at {
            state.cursor.set_char_range(Some(CCursorRange::one(CCursor::new(CharIndex(outside)))));
            state.store(ui.ctx(), id);
            ui.ctx().request_repaint();
        }
        let named = self.written.mentions().any(|mention| mention.start < outside && outside <= mention.end);
        let at = Some(outside).filter(|_| !named);
        self.suggest.look(self.written.shown(), at, || {
            cx.state.conversation(conversation).map(|open| members::of(cx, open)).unwrap_or_default()
        });
    }

    /// The text changed.
    pub(super) fn changed(&mut self, ui: &Ui) {
        self.impatient = false;
        self.recount();
        let now = ui.input(|input| input.time);
        // From the first key on, so that it is also kept while somebody types on and on.
        self.keep_at.get_or_insert(now + KEEP_AFTER);
        ui.ctx().request_repaint_after_secs(KEEP_AFTER as f32);
    }

    pub(super) fn recount(&mut self) {
        self.count = match MessageText::parse(&self.written.sent()) {
            Ok(text) => text.as_str().chars().count(),
            Err(TextError::TooLong { chars }) => chars,
            Err(TextError::Empty) => 0,
        };
    }
}
