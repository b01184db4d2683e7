//! The recovery password: hidden until asked for, and again after a minute.

use egui::accesskit::Role;
use egui::{Sense, Ui, WidgetInfo, pos2, vec2};

use super::super::super::command::{Command, RecoveryWords};
use super::super::super::icons::Icon;
use super::super::super::view::ViewCtx;
use super::super::super::widgets::button::{self, Tone};
use super::super::super::widgets::qr::Qr;
use super::super::super::widgets::{focus_ring, paragraph, phrase, text_left};

/// How long it stays on screen, in seconds.
const SHOWN_FOR: f64 = 60.0;
/// Side of the QR code in points.
const CODE: f32 = 176.0;

/// What is remembered between frames.
#[derive(Default)]
pub struct Recovery {
    shown: Option<Shown>,
}

/// The words while they are on screen.
struct Shown {
    words: RecoveryWords,
    code: Option<Qr>,
    /// When they are hidden; known from the first frame on.
    until: Option<f64>,
    with_code: bool,
    with_bip39: bool,
}

impl Recovery {
    /// The words are here.
    pub fn take(&mut self, words: RecoveryWords) {
        let code = Qr::new(&words.hex);
        self.shown = Some(Shown { words, code, until: None, with_code: false, with_bip39: false });
    }

    /// Shows what there is to see.
    pub fn show(&mut self, ui: &mut Ui, cx: &ViewCtx<'_>) {
        paragraph(ui, &cx.t("recovery-explained"), cx.small());
        ui.add_space(12.0);
        let now = ui.input(|input| input.time);
        let Some(shown) = &mut self.shown else {
            if button::words(
                ui,
                cx,
                &cx.t("show-recovery"),
                Tone::Quiet,
                vec2(220.0_f32.min(ui.available_width()), 36.0),
            )
            .clicked()
            {
                cx.send(Command::Recovery);
            }
            return;
        };
        let left = *shown.until.get_or_insert(now + SHOWN_FOR) - now;
        if left <= 0.0 {
            self.shown = None;
            return;
        }
        ui.ctx().request_repaint_after_secs((left.fract() + 0.01) as f32);
        phrase::show(ui, cx, &shown.words.phrase);
        ui.add_space(12.0);
        let hide = shown.buttons(ui, cx);
        if shown.with_code {
            ui.add_space(14.0);
            shown.code(ui, cx);
        }
        ui.add_space(12.0);
        shown.bip39(ui, cx);
        ui.add_space(8.0);
        let seconds = left.ceil() as u32;
        paragraph(ui, &cx.strings.with("hides-in", [("seconds", seconds.into())]), cx.tiny());
        if hide {
            self.shown = None;
        }
    }
}

impl Shown {
    /// Copy, QR code, hide. True for the last.
    fn buttons(&mut self, ui: &mut Ui, cx: &ViewCtx<'_>) -> bool {
        let third = (ui.available_width() - 16.0) / 3.0;
        let mut hide = false;
        ui.horizontal(|ui| {
            let size = vec2(third, 36.0);
            if button::words(ui, cx, &cx.t("copy"), Tone::Quiet, size).clicked() {
                cx.send(Command::CopySecret(self.words.phrase.clone().into()));
            }
            ui.add_space(8.0);
            let label = if self.with_code { "hide-code" } else { "show-code" };
            if button::words(ui, cx, &cx.t(label), Tone::Quiet, size).clicked() {
                self.with_code = !self.with_code;
            }
            ui.add_space(8.0);
            hide = button::words(ui, cx, &cx.t("hide"), Tone::Quiet, size).clicked();
        });
        hide
    }

    fn code(&self, ui: &mut Ui, cx: &ViewCtx<'_>) {
        let Some(code) = &self.code else { return };
        ui.vertical_centered(|ui| {
            code.show(ui, CODE.min(ui.available_width()), &cx.t("recovery-code"));
        });
        ui.add_space(8.0);
        paragraph(ui, &cx.t("recovery-code-explained"), cx.tiny());
    }

    /// The other way to write it, folded.
    fn bip39(&mut self, ui: &mut Ui, cx: &ViewCtx<'_>) {
        let label = cx.t("bip39");
        let (row, response) = ui.allocate_exact_size(vec2(ui.available_width(), 28.0), Sense::click());
        let lit = response.hovered() || response.has_focus();
        let color = if lit { cx.theme.text } else { cx.theme.muted };
        let icon = if self.with_bip39 { Icon::CHEVRON_DOWN } else { Icon::CHEVRON_RIGHT };
        icon.paint(ui.painter(), pos2(row.left() + 8.0, row.center().y), 16.0, color);
        let at = pos2(row.left() + 22.0, row.center().y);
        text_left(ui.painter(), at, &label, cx.small().color(color), row.width() - 24.0);
        focus_ring(ui, &response, cx.theme, 6);
        response
            .widget_info(|| WidgetInfo::selected(Role::DisclosureTriangle, true, self.with_bip39, &*label));
        if response.on_hover_cursor(egui::CursorIcon::PointingHand).clicked() {
            self.with_bip39 = !self.with_bip39;
        }
        if self.with_bip39 {
            ui.add_space(4.0);
            paragraph(ui, &cx.t("bip39-explained"), cx.tiny());
            ui.add_space(10.0);
            phrase::show(ui, cx, &self.words.bip39);
            ui.add_space(10.0);
            if button::words(ui, cx, &cx.t("copy-bip39"), Tone::Quiet, vec2(180.0, 36.0)).clicked() {
                cx.send(Command::CopySecret(self.words.bip39.clone().into()));
            }
        }
    }
}
