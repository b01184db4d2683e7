//! The way our messages take: us, three nodes, the destination.

use egui::{Sense, Stroke, Ui, pos2, vec2};
use septet_client::model::PathHop;

use super::super::icons::Icon;
use super::super::text::Weight;
use super::super::view::ViewCtx;
use super::super::widgets::button::{self, Tone};
use super::super::widgets::{dialog, paragraph, text_left, text_right};
use super::list::light;

/// Shows the dialog; true to close it.
pub fn show(ui: &Ui, cx: &ViewCtx<'_>) -> bool {
    let (done, close) = dialog::show(ui, cx, "path", 440.0, |ui| {
        dialog::title(ui, cx, &cx.t("path"));
        ui.add_space(6.0);
        paragraph(ui, &cx.t("path-explained"), cx.body().color(cx.theme.muted));
        ui.add_space(16.0);
        match cx.state.connection.paths.first() {
            Some(path) => hops(ui, cx, path),
            None => {
                let (color, words) = light(cx, &cx.state.connection);
                let (row, _) = ui.allocate_exact_size(vec2(ui.available_width(), 40.0), Sense::hover());
                ui.painter().circle_filled(row.left_center() + vec2(10.0, 0.0), 5.0, color);
                text_left(ui.painter(), row.left_center() + vec2(28.0, 0.0), &words, cx.body(), row.width());
            }
        }
        ui.add_space(20.0);
        button::wide(ui, cx, &cx.t("done"), Tone::Quiet, ui.available_width()).clicked()
    });
    done || close
}

fn hops(ui: &mut Ui, cx: &ViewCtx<'_>, path: &[PathHop]) {
    let stops = path.len() + 2;
    let step = 46.0;
    let (area, _) = ui.allocate_exact_size(vec2(ui.available_width(), step * stops as f32), Sense::hover());
    let x = area.left() + 10.0;
    let middle = |stop: usize| area.top() + step * (stop as f32 + 0.5);
    let line = Stroke::new(2.0, cx.theme.line);
    ui.painter().vline(x, middle(0)..=middle(stops - 1), line);
    for stop in 0..stops {
        let hop = stop.checked_sub(1).and_then(|index| path.get(index));
        let y = middle(stop);
        let names = ["path-you", "path-entry", "path-middle", "path-exit"];
        let name = match hop {
            None if stop == 0 => "path-you",
            None => "path-destination",
            Some(_) => names.get(stop).copied().unwrap_or("path-middle"),
        };
        if hop.is_some() {
            ui.painter().circle(pos2(x, y), 6.0, cx.theme.good, Stroke::new(3.0, cx.theme.panel));
        } else {
            ui.painter().circle_filled(pos2(x, y), 12.0, cx.theme.panel);
            let icon = if stop == 0 { Icon::LAPTOP } else { Icon::MESSAGE_CIRCLE };
            icon.paint(ui.painter(), pos2(x, y), 18.0, cx.theme.muted);
        }
        let left = pos2(area.left() + 36.0, if hop.is_some() { y - 9.0 } else { y });
        let style = cx.body().weight(Weight::Medium);
        text_left(ui.painter(), left, &cx.t(name), style, area.width() - 120.0);
        if let Some(hop) = hop {
            let small = cx.small();
            text_left(ui.painter(), pos2(left.x, y + 9.0), &hop.ip, small, area.width() - 120.0);
            if let Some(country) = &hop.country {
                text_right(ui.painter(), pos2(area.right(), y), country, small);
            }
        }
    }
}
