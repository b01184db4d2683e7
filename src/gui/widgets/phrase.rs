//! The words of a recovery password in numbered cells.

use egui::accesskit::Role;
use egui::{Rect, Sense, Ui, WidgetInfo, pos2, vec2};

use super::super::text::{Style, Wrap, layout};
use super::super::theme::{radius, size};
use super::super::view::ViewCtx;
use super::text_left;

/// Height of a cell in points.
const CELL: f32 = 36.0;
/// Between two cells.
const GAP: f32 = 8.0;
/// Under this width two columns have to do.
const TWO_COLUMNS: f32 = 286.0;

/// Makes room for so many cells; returns the place of each.
pub fn cells(ui: &mut Ui, count: usize) -> Vec<Rect> {
    let width = ui.available_width();
    let columns: usize = if width < TWO_COLUMNS { 2 } else { 3 };
    let rows = count.div_ceil(columns) as f32;
    let (room, _) = ui.allocate_exact_size(vec2(width, rows * (CELL + GAP) - GAP), Sense::hover());
    let cell = vec2((width - GAP * (columns - 1) as f32) / columns as f32, CELL);
    (0..count)
        .map(|index| {
            let (row, column) = (index / columns, index % columns);
            let offset = vec2(column as f32 * (cell.x + GAP), row as f32 * (cell.y + GAP));
            Rect::from_min_size(room.min + offset, cell)
        })
        .collect()
}

/// Paints the ground of a cell with its number; returns the place for its word.
pub fn cell(ui: &Ui, cx: &ViewCtx<'_>, rect: Rect, index: usize) -> Rect {
    let (number_at, word_at, edge) = if rect.width() < 120.0 { (8.0, 24.0, 4.0) } else { (10.0, 34.0, 8.0) };
    ui.painter().rect_filled(rect, radius::FIELD, cx.theme.raised);
    let number = Style::new(size::TINY, cx.theme.faint).line(16.0);
    let left = pos2(rect.left() + number_at, rect.center().y);
    text_left(ui.painter(), left, &(index + 1).to_string(), number, 24.0);
    Rect::from_x_y_ranges(rect.left() + word_at..=rect.right() - edge, rect.y_range())
}

/// Shows a recovery password to be read.
pub fn show(ui: &mut Ui, cx: &ViewCtx<'_>, phrase: &str) {
    let words: Vec<&str> = phrase.split(' ').collect();
    for (index, (rect, word)) in cells(ui, words.len()).into_iter().zip(words).enumerate() {
        let inner = cell(ui, cx, rect, index);
        let response = ui.interact(rect, ui.scope_id().with(("word", index)), Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, format!("{} {word}", index + 1)));
        text_left(
            ui.painter(),
            inner.left_center(),
            word,
            fitting(ui, cx, word, inner.width()),
            inner.width(),
        );
    }
}

/// Letters so small that the whole word is seen: nobody could restore an account from "demonst…".
fn fitting(ui: &Ui, cx: &ViewCtx<'_>, word: &str, room: f32) -> Style {
    let sizes = [size::BODY, size::SMALL, size::TINY].map(|size| Style { size, ..cx.body() });
    let fits = |style: &Style| layout(ui.ctx(), word, *style, Wrap::None).size().x <= room;
    sizes.into_iter().find(fits).unwrap_or(Style { size: size::META, ..cx.body() })
}
