//! A line to type in.

use egui::{Frame, Margin, Response, Stroke, StrokeKind, TextBuffer, TextEdit, Ui, vec2};

use super::super::text::{self, Style};
use super::super::theme::radius;
use super::super::view::ViewCtx;

/// How a field looks and what it is called.
pub struct Field<'a> {
    /// Its name for the screen reader and tests.
    pub label: &'a str,
    /// What to type, in grey.
    pub hint: &'a str,
    /// Height in points.
    pub height: f32,
    /// Room at the left, for an icon, and at the right.
    pub inset: (f32, f32),
    /// Dots instead of letters.
    pub password: bool,
    /// What is typed is wrong.
    pub bad: bool,
    /// Its id, if someone wants to give it the focus.
    pub id: Option<egui::Id>,
}

impl Default for Field<'_> {
    fn default() -> Self {
        Self { label: "", hint: "", height: 40.0, inset: (12.0, 12.0), password: false, bad: false, id: None }
    }
}

impl Field<'_> {
    /// Shows it as wide as there is room.
    pub fn show(self, ui: &mut Ui, cx: &ViewCtx<'_>, value: &mut String) -> Response {
        let width = ui.available_width();
        let (rect, _) = ui.allocate_exact_size(vec2(width, self.height), egui::Sense::hover());
        ui.painter().rect_filled(rect, radius::FIELD, cx.theme.raised);
        let style = cx.body();
        let hint = cx.body().color(cx.theme.faint);
        let empty = value.is_empty();
        let mut layouter = layouter(style);
        let inner = rect.with_min_x(rect.left() + self.inset.0).with_max_x(rect.right() - self.inset.1);
        let mut edit = TextEdit::singleline(value)
            .frame(Frame::NONE)
            .margin(Margin::ZERO)
            .desired_width(inner.width())
            .align(egui::Align2::LEFT_CENTER)
            .min_size(inner.size());
        if self.password {
            edit = edit.password(true).text_color(style.color).font(egui::FontId::proportional(style.size));
        } else {
            edit = edit.layouter(&mut layouter);
        }
        if let Some(id) = self.id {
            edit = edit.id(id);
        }
        let response = ui.place(inner, edit).accessible_name(self.label);
        if empty {
            super::text_left(ui.painter(), inner.left_center(), self.hint, hint, inner.width());
        }
        let outline =
            if self.bad { Some(cx.theme.bad) } else { response.has_focus().then_some(cx.theme.accent) };
        if let Some(color) = outline {
            ui.painter().rect_stroke(rect, radius::FIELD, Stroke::new(1.5, color), StrokeKind::Inside);
        }
        response
    }
}

/// Lays out one line being edited, emoji in colour.
pub fn layouter(style: Style) -> impl FnMut(&Ui, &dyn TextBuffer, f32) -> std::sync::Arc<egui::Galley> {
    move |ui, buffer, _width| text::layout_editable(ui.ctx(), buffer.as_str(), style, f32::INFINITY)
}
