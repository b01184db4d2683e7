//! The line that tells that something came which only a later version can show.

use egui::accesskit::Role;
use egui::{Id, Rect, Sense, Ui, WidgetInfo, pos2, vec2};

use super::super::super::command::Command;
use super::super::super::icons::Icon;
use super::super::super::text::{self, Wrap};
use super::super::super::theme::radius;
use super::super::super::view::ViewCtx;
use super::super::super::widgets::button;

/// Shows it if there is something to tell; it goes for a week when the person closes it.
pub fn show(ui: &mut Ui, cx: &ViewCtx<'_>) {
    if !cx.state.update_wanted {
        return;
    }
    let (sentence, width) = (cx.t("update-wanted"), ui.available_width());
    let galley = text::layout(ui.ctx(), &sentence, cx.small(), Wrap::Lines(width - 80.0));
    let (bar, response) = ui.allocate_exact_size(vec2(width, galley.size().y + 24.0), Sense::hover());
    let card = bar.shrink2(vec2(12.0, 4.0));
    ui.painter().rect_filled(card, radius::ROW, cx.theme.accent_soft);
    ui.painter().galley(card.min + vec2(12.0, 8.0), galley, cx.theme.text);
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &*sentence));
    let close = Rect::from_center_size(pos2(card.right() - 20.0, card.center().y), vec2(28.0, 28.0));
    if button::icon_at(ui, cx, close, Id::unique("dismiss update"), Icon::X, &cx.t("update-wanted-close"))
        .clicked()
    {
        cx.send(Command::DismissUpdateNotice);
    }
}
