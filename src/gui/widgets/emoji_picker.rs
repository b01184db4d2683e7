//! All emoji, to choose one from: by category, by name, or among those chosen before.
//!
//! It belongs to nobody: reactions and the place to write use the same. [`EmojiPicker::show`] draws it into the room of a
//! popup and gives the emoji that was chosen. The keyboard stays in the search field: letters search, arrows move through
//! the grid, Enter chooses.
//!
//! Decision: names and order come from the `emojis` crate, which has them from Unicode. What came after Unicode 15 is left
//! out, because many systems' fonts cannot draw it yet.

use std::sync::LazyLock;

use egui::accesskit::Role;
use egui::{Key, Modifiers, Rect, ScrollArea, Sense, Ui, WidgetInfo, pos2, vec2};
use emojis::{Emoji, Group, SkinTone, UnicodeVersion};

use super::field::Field;
use super::{focus_ring, text_center, text_left};
use crate::gui::text::{Style, Weight};
use crate::gui::view::ViewCtx;

/// Emoji in a row.
const COLUMNS: usize = 9;
/// Side of an emoji's cell, and height of a row.
const CELL: f32 = 36.0;
/// Height of the grid.
const HEIGHT: f32 = 7.0 * CELL;
/// The newest emoji that are offered.
const NEWEST: UnicodeVersion = UnicodeVersion::new(15, 0);
/// The most results of a search.
const RESULTS: usize = 20 * COLUMNS;

/// A category: the name of its name, what stands for it, the group.
const CATEGORIES: [(&str, &str, Group); 9] = [
    ("emoji-smileys", "😀", Group::SmileysAndEmotion),
    ("emoji-people", "👋", Group::PeopleAndBody),
    ("emoji-animals", "🐻", Group::AnimalsAndNature),
    ("emoji-food", "🍎", Group::FoodAndDrink),
    ("emoji-travel", "🚗", Group::TravelAndPlaces),
    ("emoji-activities", "⚽", Group::Activities),
    ("emoji-objects", "💡", Group::Objects),
    ("emoji-symbols", "❤️", Group::Symbols),
    ("emoji-flags", "🏁", Group::Flags),
];

/// All that are offered, category by category.
static OFFERED: LazyLock<[Vec<&'static Emoji>; 9]> = LazyLock::new(|| {
    CATEGORIES.map(|(_, _, group)| group.emojis().filter(|emoji| emoji.unicode_version() <= NEWEST).collect())
});

/// Skin tones in the order in which they are offered.
const TONES: [SkinTone; 6] = [
    SkinTone::Default,
    SkinTone::Light,
    SkinTone::MediumLight,
    SkinTone::Medium,
    SkinTone::MediumDark,
    SkinTone::Dark,
];

/// A row of the grid.
enum Row {
    /// The name of what follows.
    Heading(&'static str),
    /// At most [`COLUMNS`] emoji.
    Cells(Vec<String>),
}

/// What a picker remembers while it is open.
#[derive(Default)]
pub struct EmojiPicker {
    query: String,
    tone: usize,
    /// What `rows` was made from.
    made_from: Option<(String, usize, Vec<String>)>,
    rows: Vec<Row>,
    /// The cell that Enter chooses: row, column.
    at: Option<(usize, usize)>,
    /// Scroll there in this frame.
    scroll_to: Option<usize>,
    begun: bool,
}

impl EmojiPicker {
    /// Shows it; gives what was chosen. `recent` are offered first, the likeliest at the front.
    pub fn show(&mut self, ui: &mut Ui, cx: &ViewCtx<'_>, recent: &[String]) -> Option<String> {
        let width = CELL * COLUMNS as f32 + 12.0;
        ui.set_width(width);
        ui.spacing_mut().item_spacing = vec2(0.0, 6.0);
        self.make(recent);
        // Before the field, which would take the arrows and Enter for itself.
        let by_key = self.keys(ui);
        self.search(ui, cx, width);
        self.make(recent);
        self.categories(ui, cx);
        let (clicked, under) = self.grid(ui, cx);
        self.foot(ui, cx, under.as_deref());
        by_key.or(clicked)
    }

    /// The field, and beside it the skin tone.
    fn search(&mut self, ui: &mut Ui, cx: &ViewCtx<'_>, width: f32) {
        let id = ui.scope_id().with("emoji search");
        ui.horizontal(|ui| {
            ui.allocate_ui(vec2(width - CELL, 36.0), |ui| {
                let label = cx.t("emoji-search");
                let field =
                    Field { label: &label, hint: &label, height: 36.0, id: Some(id), ..Field::default() };
                if field.show(ui, cx, &mut self.query).changed() {
                    self.at = None;
                }
            });
            let (rect, response) = ui.allocate_exact_size(vec2(CELL, CELL), Sense::click());
            let hand = emojis::get("👋")
                .and_then(|hand| hand.with_skin_tone(self.skin()))
                .map_or("👋", Emoji::as_str);
            cell(ui, cx, rect, hand, response.hovered());
            focus_ring(ui, &response, cx.theme, 8);
            let label = cx.t("emoji-tone");
            response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &*label));
            if response.on_hover_text(&*label).clicked() {
                self.tone = (self.tone + 1) % TONES.len();
            }
        });
        if !std::mem::replace(&mut self.begun, true) {
            ui.ctx().memory_mut(|memory| memory.request_focus(id));
        }
    }

    fn skin(&self) -> SkinTone {
        TONES.get(self.tone).copied().unwrap_or(SkinTone::Default)
    }

    /// Makes the rows again if what they are made from changed.
    fn make(&mut self, recent: &[String]) {
        let query = self.query.trim().to_lowercase();
        let made_from = (query, self.tone, recent.to_vec());
        if self.made_from.as_ref() == Some(&made_from) {
            return;
        }
        let query = made_from.0.clone();
        let first = self.made_from.replace(made_from).is_none();
        self.rows.clear();
        if query.is_empty() {
            self.put("emoji-recent", recent.to_vec());
            for ((name, ..), all) in CATEGORIES.iter().zip(OFFERED.iter()) {
                self.put(name, all.iter().map(|emoji| self.toned(emoji)).collect());
            }
        } else {
            let found = found(&query).into_iter().map(|emoji| self.toned(emoji)).collect();
            self.put("emoji-found", found);
            self.at = self.rows.get(1).map(|_| (1, 0));
        }
        if !first {
            self.scroll_to = Some(0);
        }
    }

    fn toned(&self, emoji: &'static Emoji) -> String {
        emoji.with_skin_tone(self.skin()).unwrap_or(emoji).as_str().to_owned()
    }

    fn put(&mut self, name: &'static str, emoji: Vec<String>) {
        if emoji.is_empty() {
            return;
        }
        self.rows.push(Row::Heading(name));
        self.rows.extend(emoji.chunks(COLUMNS).map(|row| Row::Cells(row.to_vec())));
    }

    /// A button for each category, which leads there.
    fn categories(&mut self, ui: &mut Ui, cx: &ViewCtx<'_>) {
        ui.horizontal(|ui| {
            for (name, emoji, _) in CATEGORIES {
                let (rect, response) = ui.allocate_exact_size(vec2(CELL, 30.0), Sense::click());
                cell(ui, cx, rect, emoji, response.hovered());
                focus_ring(ui, &response, cx.theme, 8);
                let label = cx.t(name);
                response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &*label));
                if response.on_hover_text(&*label).clicked() {
                    self.query.clear();
                    self.scroll_to =
                        self.rows.iter().position(|row| matches!(row, Row::Heading(it) if *it == name));
                }
            }
        });
    }

    /// Arrows move through the grid; Enter gives what they stand on.
    fn keys(&mut self, ui: &Ui) -> Option<String> {
        let pressed = |key| ui.input_mut(|input| input.consume_key(Modifiers::NONE, key));
        let sideways = self.at.is_some() || self.query.is_empty();
        let step = if pressed(Key::ArrowDown) {
            (1, 0)
        } else if pressed(Key::ArrowUp) {
            (-1, 0)
        } else if sideways && pressed(Key::ArrowRight) {
            (0, 1)
        } else if sideways && pressed(Key::ArrowLeft) {
            (0, -1)
        } else {
            (0, 0)
        };
        if step != (0, 0) {
            self.step(step);
        }
        (self.at.is_some() && pressed(Key::Enter)).then(|| self.chosen()).flatten()
    }

    fn chosen(&self) -> Option<String> {
        let (row, column) = self.at?;
        self.cells(row)?.get(column).cloned()
    }

    fn cells(&self, row: usize) -> Option<&Vec<String>> {
        match self.rows.get(row)? {
            Row::Cells(cells) => Some(cells),
            Row::Heading(_) => None,
        }
    }

    fn step(&mut self, (down, right): (i32, i32)) {
        let Some((mut row, mut column)) = self.at else {
            self.at = self.rows.iter().position(|row| matches!(row, Row::Cells(_))).map(|row| (row, 0));
            self.scroll_to = self.at.map(|(row, _)| row);
            return;
        };
        let next = |row: usize, by: i32| {
            let rows = self.rows.len();
            let mut at = row;
            loop {
                at = at.checked_add_signed(isize::try_from(by).ok()?).filter(|at| *at < rows)?;
                if let Some(cells) = self.cells(at) {
                    return Some((at, cells.len().saturating_sub(1)));
                }
            }
        };
        let last = self.cells(row).map_or(0, |cells| cells.len().saturating_sub(1));
        match (down, right) {
            (0, 1) if column < last => column += 1,
            (0, -1) if column > 0 => column -= 1,
            (0, 1) => (row, column) = next(row, 1).map_or((row, column), |(row, _)| (row, 0)),
            (0, _) => (row, column) = next(row, -1).unwrap_or((row, column)),
            (by, _) => {
                (row, column) = next(row, by).map_or((row, column), |(row, last)| (row, column.min(last)))
            }
        }
        self.at = Some((row, column));
        self.scroll_to = Some(row);
    }

    /// The grid: what was clicked, and what the pointer or the keyboard is on.
    fn grid(&mut self, ui: &mut Ui, cx: &ViewCtx<'_>) -> (Option<String>, Option<String>) {
        let (mut clicked, mut under) = (None, self.chosen());
        let mut area =
            ScrollArea::vertical().id_salt("emoji grid").max_height(HEIGHT).min_scrolled_height(HEIGHT);
        area = area.auto_shrink([false, false]);
        ui.spacing_mut().item_spacing.y = 0.0;
        if let Some(row) = self.scroll_to.take() {
            area = area.vertical_scroll_offset((row as f32 - 1.0).max(0.0) * CELL);
        }
        if self.rows.is_empty() {
            let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), HEIGHT), Sense::hover());
            let nothing = cx.t("emoji-nothing");
            text_center(ui.painter(), rect.center(), &nothing, cx.small(), rect.width());
            response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &*nothing));
            return (None, None);
        }
        area.show_rows(ui, CELL, self.rows.len(), |ui, shown| {
            for index in shown {
                let (rect, _) = ui.allocate_exact_size(vec2(CELL * COLUMNS as f32, CELL), Sense::hover());
                match self.rows.get(index) {
                    Some(Row::Heading(name)) => {
                        let style = cx.tiny().color(cx.theme.muted).weight(Weight::Semibold);
                        text_left(
                            ui.painter(),
                            pos2(rect.left() + 6.0, rect.bottom() - 12.0),
                            &cx.t(name),
                            style,
                            280.0,
                        );
                    }
                    Some(Row::Cells(cells)) => {
                        for (column, emoji) in cells.iter().enumerate() {
                            let at = rect.min + vec2(column as f32 * CELL, 0.0);
                            let place = Rect::from_min_size(at, vec2(CELL, CELL));
                            let id = ui.scope_id().with(("emoji", index, column));
                            // Not for Tab, which would take hundreds of steps: arrows lead here.
                            let response = ui.interact(place, id, Sense::CLICK);
                            let here = self.at == Some((index, column));
                            cell(ui, cx, place, emoji, here || response.hovered());
                            response.widget_info(|| WidgetInfo::labeled(Role::Button, true, name_of(emoji)));
                            if response.hovered() {
                                under = Some(emoji.clone());
                            }
                            if response.clicked() {
                                clicked = Some(emoji.clone());
                            }
                        }
                    }
                    None => {}
                }
            }
        });
        (clicked, under)
    }

    /// The name of the emoji that would be chosen.
    fn foot(&self, ui: &mut Ui, cx: &ViewCtx<'_>, under: Option<&str>) {
        let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 28.0), Sense::hover());
        let text = under.map_or_else(|| cx.t("emoji-hint").to_string(), name_of);
        text_left(ui.painter(), rect.left_center() + vec2(6.0, 0.0), &text, cx.small(), rect.width() - 12.0);
        response.widget_info(|| WidgetInfo::labeled(Role::Status, true, &text));
    }
}

/// Paints an emoji in the middle of its cell.
pub fn cell(ui: &Ui, cx: &ViewCtx<'_>, rect: Rect, emoji: &str, lit: bool) {
    if !ui.is_rect_visible(rect) {
        return;
    }
    if lit {
        ui.painter().rect_filled(rect.shrink(1.0), 8, cx.theme.hover);
    }
    let style = Style::new(22.0, cx.theme.text).line(26.0);
    text_center(ui.painter(), rect.center(), emoji, style, CELL * 2.0);
}

/// What an emoji is called; itself if nobody knows.
pub fn name_of(emoji: &str) -> String {
    emojis::get(emoji).map_or_else(|| emoji.to_owned(), |emoji| emoji.name().to_owned())
}

/// Emoji whose names or short codes have all of these words, those that begin with them first.
fn found(query: &str) -> Vec<&'static Emoji> {
    let words: Vec<&str> = query.split([' ', '_']).filter(|word| !word.is_empty()).collect();
    let rank = |emoji: &Emoji| {
        let name = emoji.name().to_lowercase();
        let all = |text: &str| words.iter().all(|word| text.contains(word));
        let codes = emoji.shortcodes().any(all);
        if name == query || emoji.shortcodes().any(|code| code == query) {
            Some(0)
        } else if name.starts_with(query) {
            Some(1)
        } else if words.iter().all(|word| name.split([' ', '-']).any(|part| part.starts_with(word))) {
            Some(2)
        } else if all(&name) || codes {
            Some(3)
        } else {
            None
        }
    };
    let mut found: Vec<(u8, &'static Emoji)> =
        OFFERED.iter().flatten().filter_map(|emoji| Some((rank(emoji)?, *emoji))).collect();
    found.sort_by_key(|(rank, _)| *rank);
    found.truncate(RESULTS);
    found.into_iter().map(|(_, emoji)| emoji).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(query: &str) -> &'static str {
        found(query).first().map_or("", |emoji| emoji.as_str())
    }

    #[test]
    fn names_and_short_codes_find() {
        assert_eq!(first("red heart"), "❤️");
        assert_eq!(first("thumbs up"), "👍");
        assert_eq!(first("tada"), "🎉");
        assert_eq!(first("crab"), "🦀");
        assert!(found("joy").iter().any(|emoji| emoji.as_str() == "😂"));
        assert!(found("no emoji is called this").is_empty());
    }

    #[test]
    fn every_category_has_emoji_and_all_of_them_are_one_picture() {
        for all in OFFERED.iter() {
            assert!(all.len() > 20);
            for emoji in all {
                assert_eq!(crate::gui::text::only_emoji(emoji.as_str()), Some(1), "{emoji}");
            }
        }
    }

    #[test]
    fn arrows_go_through_the_grid_and_stop_at_its_ends() {
        let mut picker = EmojiPicker::default();
        let recent: Vec<String> = ["😂", "🥰"].map(str::to_owned).into();
        picker.make(&recent);
        picker.step((1, 0));
        assert_eq!(picker.chosen().as_deref(), Some("😂"));
        picker.step((-1, 0));
        picker.step((0, -1));
        assert_eq!(picker.chosen().as_deref(), Some("😂"), "nothing above");
        picker.step((0, 1));
        assert_eq!(picker.chosen().as_deref(), Some("🥰"));
        picker.step((0, 1));
        assert_eq!(picker.chosen().as_deref(), Some("😀"), "over the end of a row and a heading");
        picker.step((0, -1));
        assert_eq!(picker.chosen().as_deref(), Some("🥰"));
        for _ in 0..1000 {
            picker.step((1, 0));
        }
        assert_eq!(picker.at.map(|(row, _)| row), Some(picker.rows.len() - 1));
    }
}
