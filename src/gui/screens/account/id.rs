//! Our Account ID: to read aloud, to copy, to be photographed from the screen or saved as a picture.

use std::sync::Arc;

use egui::accesskit::Role;
use egui::{Id, Rect, Sense, Ui, WidgetInfo, vec2};
use septet_protocol::id::SessionId;

use super::super::super::command::{Command, Toast};
use super::super::super::icons::Icon;
use super::super::super::text::{Style, Weight, Wrap, layout};
use super::super::super::theme::{metric, size};
use super::super::super::view::ViewCtx;
use super::super::super::widgets::button::{self, Tone};
use super::super::super::widgets::dialog;
use super::super::super::widgets::paragraph;
use super::super::super::widgets::qr::Qr;

/// The widest the QR code gets, in points.
const CODE: f32 = 196.0;
/// The widest it gets when it is enlarged, in points.
const LARGE: f32 = 420.0;
/// Pixels of a module in the picture that is copied or saved.
const SCALE: usize = 16;
/// Digits in a group, and in a line; 66 digits are eleven groups in three lines.
const GROUP: usize = 6;
const LINE: usize = 24;

/// What is remembered between frames.
#[derive(Default)]
pub struct AccountId {
    code: Option<(SessionId, Option<Qr>)>,
    large: bool,
}

impl AccountId {
    /// Whether its code is shown enlarged.
    pub fn is_large(&self) -> bool {
        self.large
    }

    /// Shows it.
    pub fn show(&mut self, ui: &mut Ui, cx: &ViewCtx<'_>, id: SessionId) {
        if self.code.as_ref().is_none_or(|(known, _)| *known != id) {
            self.code = Some((id, Qr::new(&id.to_string())));
        }
        let width = ui.available_width();
        if width >= CODE + 230.0 {
            let side = self
                .code
                .as_ref()
                .and_then(|(_, code)| code.as_ref())
                .map_or(0.0, |code| code.side(ui, CODE));
            ui.horizontal_top(|ui| {
                let words = width - side - 18.0;
                ui.vertical(|ui| {
                    ui.set_width(words);
                    self.words(ui, cx, id);
                });
                ui.add_space(18.0);
                self.picture(ui, cx, CODE);
            });
        } else {
            self.words(ui, cx, id);
            ui.add_space(16.0);
            ui.vertical_centered(|ui| self.picture(ui, cx, CODE.min(width)));
        }
        if self.large {
            self.large = !self.enlarged(ui, cx, id);
        }
    }

    fn words(&mut self, ui: &mut Ui, cx: &ViewCtx<'_>, id: SessionId) {
        paragraph(ui, &cx.t("account-id-explained"), cx.small());
        ui.add_space(10.0);
        let width = ui.available_width();
        let digits = id.to_string();
        let style = Style::new(size::SMALL, cx.theme.text).weight(Weight::Mono).line(20.0);
        let galley = layout(ui.ctx(), &grouped(&digits), style, Wrap::Lines(width));
        let (rect, response) = ui.allocate_exact_size(vec2(width, galley.size().y), Sense::hover());
        ui.painter().galley(rect.min, galley, style.color);
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &digits));
        ui.add_space(12.0);
        ui.horizontal(|ui| {
            let size = vec2((width - metric::ICON_BUTTON - 6.0).min(180.0), 36.0);
            if button::words(ui, cx, &cx.t("copy-account-id"), Tone::Quiet, size).clicked() {
                cx.copy(ui, digits, "account-id-copied");
            }
            ui.add_space(6.0);
            self.large |= button::icon(ui, cx, Icon::MAXIMIZE, &cx.t("enlarge-code")).clicked();
        });
    }

    fn picture(&mut self, ui: &mut Ui, cx: &ViewCtx<'_>, side: f32) {
        if let Some((_, Some(code))) = &self.code {
            self.large |= code.button(ui, side, &cx.t("account-id-code")).clicked();
        }
    }

    /// The code over everything else, to be scanned across a table; true to close it.
    fn enlarged(&self, ui: &Ui, cx: &ViewCtx<'_>, id: SessionId) -> bool {
        let Some((_, Some(code))) = &self.code else { return true };
        let window = ui.ctx().content_rect();
        let side = (window.height() - 232.0).clamp(CODE, LARGE);
        let (close, outside) = dialog::show(ui, cx, "account code", side + 48.0, |ui| {
            let corner = ui.cursor().min + vec2(ui.available_width() - metric::ICON_BUTTON + 6.0, -6.0);
            let cross = Rect::from_min_size(corner, vec2(metric::ICON_BUTTON, metric::ICON_BUTTON));
            let close =
                button::icon_at(ui, cx, cross, Id::unique("close code"), Icon::X, &cx.t("close-code"))
                    .clicked();
            dialog::title(ui, cx, &cx.t("account-id"));
            ui.add_space(4.0);
            paragraph(ui, &cx.t("account-id-scan"), cx.small());
            ui.add_space(14.0);
            ui.vertical_centered(|ui| {
                code.show(ui, side.min(ui.available_width()), &cx.t("account-id-code-large"))
            });
            ui.add_space(16.0);
            let half = vec2((ui.available_width() - 8.0) / 2.0, 40.0);
            ui.horizontal(|ui| {
                if button::words(ui, cx, &cx.t("copy-code"), Tone::Quiet, half).clicked() {
                    ui.ctx().copy_image(code.picture(SCALE));
                    cx.actions.toast(Toast::info(&*cx.t("code-copied")));
                }
                ui.add_space(8.0);
                if button::words(ui, cx, &cx.t("save-as"), Tone::Quiet, half).clicked() {
                    let start: String = id.to_string().chars().take(8).collect();
                    let name = cx.strings.with("account-id-file", [("start", start.into())]);
                    cx.send(Command::SavePng { name, picture: Arc::new(code.picture(SCALE)) });
                }
            });
            close
        });
        close || outside
    }
}

/// Digits in groups, so that one does not get lost in them.
pub fn grouped(digits: &str) -> String {
    let mut out = String::with_capacity(digits.len() + digits.len() / GROUP);
    for (index, digit) in digits.chars().enumerate() {
        match index {
            0 => {}
            _ if index % LINE == 0 => out.push('\n'),
            _ if index % GROUP == 0 => out.push(' '),
            _ => {}
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn groups_are_of_six() {
        assert_eq!(super::grouped("05ca03b8e369ae"), "05ca03 b8e369 ae");
        assert_eq!(super::grouped(&"0".repeat(66)).split_whitespace().count(), 11);
        assert_eq!(super::grouped(&"0".repeat(66)).lines().count(), 3);
    }
}
