//! A row of a card: a picture, what it does, and how it stands.

use egui::accesskit::Role;
use egui::{Response, Sense, Ui, WidgetInfo, pos2, vec2};

use crate::gui::icons::Icon;
use crate::gui::theme::{metric, radius};
use crate::gui::view::ViewCtx;
use crate::gui::widgets::button::Tone;
use crate::gui::widgets::{focus_ring, text_left, text_right};

/// Its height in points.
const ROW: f32 = 40.0;

/// One row: a picture, a name, and how it is set.
pub(super) fn row(
    ui: &mut Ui,
    cx: &ViewCtx<'_>,
    icon: Icon,
    label: &str,
    tone: Tone,
    state: &str,
) -> Response {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::click());
    if response.hovered() {
        ui.painter().rect_filled(rect, radius::FIELD, cx.theme.hover);
    }
    let (picture, ink) = match tone {
        Tone::Danger => (cx.theme.bad, cx.theme.bad),
        Tone::Primary | Tone::Quiet => (cx.theme.muted, cx.theme.text),
    };
    let middle = rect.center().y;
    icon.paint(ui.painter(), pos2(rect.left() + 21.0, middle), metric::ICON, picture);
    let end = text_right(ui.painter(), pos2(rect.right() - 12.0, middle), state, cx.tiny()).left();
    let left = rect.left() + 42.0;
    text_left(ui.painter(), pos2(left, middle), label, cx.body().color(ink), end - left - 8.0);
    focus_ring(ui, &response, cx.theme, radius::FIELD);
    response.widget_info(|| {
        let spoken = if state.is_empty() { label.to_owned() } else { format!("{label}, {state}") };
        WidgetInfo::labeled(Role::Button, true, spoken)
    });
    response
}
