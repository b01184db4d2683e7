//! Our Account ID: to read aloud, to copy, to be photographed.

use egui::accesskit::Role;
use egui::{Sense, Ui, WidgetInfo, vec2};
use septet_protocol::id::SessionId;

use super::super::super::text::{Style, Weight, Wrap, layout};
use super::super::super::theme::size;
use super::super::super::view::ViewCtx;
use super::super::super::widgets::button::{self, Tone};
use super::super::super::widgets::paragraph;
use super::super::super::widgets::qr::Qr;

/// The widest the QR code gets, in points.
const CODE: f32 = 196.0;
/// Digits in a group, and in a line; 66 digits are eleven groups in three lines.
const GROUP: usize = 6;
const LINE: usize = 24;

/// What is remembered between frames.
#[derive(Default)]
pub struct AccountId {
    code: Option<(SessionId, Option<Qr>)>,
}

impl AccountId {
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
    }

    fn words(&self, ui: &mut Ui, cx: &ViewCtx<'_>, id: SessionId) {
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
        if button::words(ui, cx, &cx.t("copy-account-id"), Tone::Quiet, vec2(width.min(180.0), 36.0))
            .clicked()
        {
            cx.copy(ui, digits, "account-id-copied");
        }
    }

    fn picture(&self, ui: &mut Ui, cx: &ViewCtx<'_>, side: f32) {
        if let Some((_, Some(code))) = &self.code {
            code.show(ui, side, &cx.t("account-id-code"));
        }
    }
}

/// Digits in groups, so that one does not get lost in them.
fn grouped(digits: &str) -> String {
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
