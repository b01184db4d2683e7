//! Recording a voice message where one would write.

use std::sync::Arc;

use egui::accesskit::Role;
use egui::{Id, Rect, Sense, Ui, WidgetInfo};
use septet_client::model::{ConversationId, ConversationKind, Draft, KeptFile, OutgoingFile};

use super::super::recorder::Outcome;
use super::{Composer, SOON};
use crate::gui::command::Command;
use crate::gui::icons::Icon;
use crate::gui::sound::Meter;
use crate::gui::theme::radius;
use crate::gui::view::ViewCtx;

impl Composer {
    /// The microphone is on.
    pub fn records(&mut self, meter: Arc<Meter>) {
        self.recorder.started(meter);
    }

    /// Ends a recording and keeps it; stops listening to one.
    pub fn stop_recording(&mut self, cx: &ViewCtx<'_>, conversation: ConversationId) {
        self.recorder.leave(cx, conversation);
    }

    /// A recording is kept.
    pub fn recorded(&mut self, kept: KeptFile) {
        self.recorder.keep(kept);
        self.keep_at = Some(SOON);
    }

    /// There is no recording to keep.
    pub fn not_recorded(&mut self) {
        self.recorder.failed();
        self.focus = true;
    }

    /// A voice message in place of the field. True if it was sent.
    pub(super) fn voice_row(&mut self, ui: &mut Ui, cx: &ViewCtx<'_>, conversation: ConversationId) -> bool {
        let outcome = self.recorder.show(ui, cx, conversation);
        if matches!(outcome, Outcome::Nothing) {
            return false;
        }
        (self.keep_at, self.focus) = (Some(SOON), true);
        let Outcome::Send(kept) = outcome else { return false };
        let reply_to = self.reply.take().map(|message| message.id);
        let draft =
            Draft { text: String::new(), files: vec![OutgoingFile::Kept(kept)], reply_to, preview: None };
        cx.send(Command::Send { conversation, draft });
        true
    }

    /// The way to a voice message, where nothing else is to be sent. Never true: nothing is sent by it.
    pub(super) fn microphone(
        &mut self,
        ui: &Ui,
        cx: &ViewCtx<'_>,
        conversation: ConversationId,
        rect: Rect,
    ) -> bool {
        let may = cx
            .state
            .conversation(conversation)
            .is_some_and(|with| with.approved_me || with.kind == ConversationKind::NoteToSelf);
        let sense = if may { Sense::click() } else { Sense::hover() };
        let response = ui.interact(rect, Id::unique("record"), sense);
        let theme = cx.theme;
        let ground = if may && response.hovered() { theme.hover } else { theme.raised };
        ui.painter().rect_filled(rect, radius::COMPOSER, ground);
        Icon::MIC.paint(ui.painter(), rect.center(), 20.0, if may { theme.muted } else { theme.faint });
        super::super::player::ring(ui, &response, theme, rect, radius::COMPOSER);
        let label = cx.t("record-voice");
        response.widget_info(|| WidgetInfo::labeled(Role::Button, may, &*label));
        let hint = if may { label } else { cx.t("voice-after-accept") };
        if response.on_hover_text(&*hint).clicked() {
            self.recorder.begin(cx, conversation);
            ui.ctx().request_repaint();
        }
        false
    }
}
