//! The list above the cursor while a name is typed behind `@` or an emoji behind `:`.
//!
//! Decision: the list never takes the focus: one types on, and it follows. Its keys (up, down, Enter, Tab, Escape) are
//! its own only while it is open, so Escape closes nothing else along with it. What was closed stays closed until
//! another word is begun.

use egui::accesskit::Role;
use egui::{Area, Event, Frame, Id, Key, Margin, Modifiers, Order, Pos2, Sense, Ui, WidgetInfo, pos2, vec2};
use septet_protocol::id::SessionId;

use super::members::Member;
use crate::gui::text::{Weight, Wrap, layout_spans};
use crate::gui::view::ViewCtx;

/// So many are listed.
const MOST: usize = 8;
/// The longest word that is looked for, in characters.
const LONGEST: usize = 40;
const ROW: f32 = 34.0;
const WIDTH: f32 = 280.0;

/// What is chosen.
#[derive(Clone, PartialEq, Debug)]
pub enum Choice {
    /// Name somebody.
    Member(SessionId),
    /// Put this emoji.
    Emoji(String),
}

/// One line of the list.
struct Row {
    choice: Choice,
    /// What stands in it: emoji or name, and what explains it.
    name: String,
    about: String,
}

/// The list.
#[derive(Default)]
pub struct Suggest {
    /// Where the word begins that it is open for, in characters, with its sign.
    start: usize,
    rows: Vec<Row>,
    marked: usize,
    /// Where the word began for which it was closed.
    closed: Option<usize>,
}

impl Suggest {
    /// Whether it is shown.
    pub fn is_open(&self) -> bool {
        !self.rows.is_empty()
    }

    /// Closes it, until another word begins.
    pub fn close(&mut self) {
        self.closed = Some(self.start);
        self.rows.clear();
    }

    /// The cursor stands there in this text now, `at` in characters; `None` if it is nowhere.
    pub fn look(&mut self, text: &str, at: Option<usize>, members: impl FnOnce() -> Vec<Member>) {
        let Some((start, sign, word)) = at.and_then(|at| word_at(text, at)) else {
            self.rows.clear();
            self.closed = None;
            return;
        };
        if self.start != start {
            (self.start, self.marked) = (start, 0);
            self.closed = self.closed.filter(|closed| *closed == start);
        }
        if self.closed == Some(start) {
            return;
        }
        let marked = self.rows.get(self.marked).map(|row| row.choice.clone());
        self.rows = match sign {
            '@' => members().into_iter().filter(|member| member.fits(&word)).take(MOST).map(person).collect(),
            _ => emoji(&word),
        };
        let same = self.rows.iter().position(|row| Some(&row.choice) == marked.as_ref());
        self.marked = same.unwrap_or(0);
    }

    /// Takes the keys that are its own away from the field; what was chosen with them.
    pub fn keys(&mut self, ui: &Ui) -> Option<(usize, Choice)> {
        if !self.is_open() {
            return None;
        }
        let pressed = |key| ui.input_mut(|input| input.consume_key(Modifiers::NONE, key));
        let count = self.rows.len();
        if pressed(Key::ArrowDown) {
            self.marked = (self.marked + 1) % count;
        }
        if pressed(Key::ArrowUp) {
            self.marked = (self.marked + count - 1) % count;
        }
        if pressed(Key::Escape) {
            self.close();
            return None;
        }
        let enter = pressed(Key::Enter);
        if enter || pressed(Key::Tab) {
            // What a key types is no part of the text either.
            ui.input_mut(|input| {
                input.events.retain(|event| !matches!(event, Event::Text(text) if text == "\t"))
            });
            return self.rows.get(self.marked).map(|row| (self.start, row.choice.clone()));
        }
        None
    }

    /// Shows it with its lower left corner there; what was clicked.
    pub fn show(&mut self, ui: &Ui, cx: &ViewCtx<'_>, corner: Pos2) -> Option<(usize, Choice)> {
        if !self.is_open() {
            return None;
        }
        let height = self.rows.len() as f32 * ROW + 8.0;
        let screen = ui.ctx().content_rect();
        let left = corner.x.min(screen.right() - WIDTH - 8.0).max(screen.left() + 4.0);
        let top = (corner.y - height).max(screen.top() + 4.0);
        let mut chosen = None;
        Area::new(Id::unique("suggestions")).order(Order::Foreground).fixed_pos(pos2(left, top)).show(
            ui.ctx(),
            |ui| {
                let frame = Frame::new().fill(cx.theme.panel).corner_radius(10).inner_margin(Margin::same(4));
                let line = egui::Stroke::new(1.0, cx.theme.line);
                frame.stroke(line).shadow(cx.theme.shadow).show(ui, |ui| {
                    ui.spacing_mut().item_spacing.y = 0.0;
                    for index in 0..self.rows.len() {
                        if self.row(ui, cx, index) {
                            chosen = self.rows.get(index).map(|row| (self.start, row.choice.clone()));
                        }
                    }
                });
            },
        );
        chosen
    }

    /// One line; true if it was clicked.
    fn row(&mut self, ui: &mut Ui, cx: &ViewCtx<'_>, index: usize) -> bool {
        let (rect, response) = ui.allocate_exact_size(vec2(WIDTH - 8.0, ROW), Sense::click());
        let Some(row) = self.rows.get(index) else { return false };
        let moved = ui.input(|input| input.pointer.delta() != egui::Vec2::ZERO);
        if response.hovered() && moved {
            self.marked = index;
        }
        let marked = self.marked == index;
        if marked {
            ui.painter().rect_filled(rect, 7, cx.theme.hover);
        }
        let name = cx.body().weight(Weight::Medium);
        let about = format!("  {}", row.about);
        let spans = [(row.name.as_str(), name), (about.as_str(), cx.small())];
        let galley = layout_spans(ui.ctx(), &spans, Wrap::Line(rect.width() - 20.0));
        let at = pos2(rect.left() + 10.0, rect.center().y - galley.size().y / 2.0);
        ui.painter().galley(at, galley, cx.theme.text);
        let label = row.name.clone();
        response.widget_info(|| WidgetInfo::selected(Role::ListBoxOption, true, marked, &label));
        response.clicked()
    }
}

fn person(member: Member) -> Row {
    let about = member.public.unwrap_or_default();
    Row { choice: Choice::Member(member.id), name: member.name, about }
}

fn emoji(word: &str) -> Vec<Row> {
    let found = crate::gui::text::emoji_names::search(word);
    let row = |(emoji, name): (&str, &str)| Row {
        choice: Choice::Emoji(emoji.to_owned()),
        name: emoji.to_owned(),
        about: name.to_owned(),
    };
    found.into_iter().take(MOST).map(row).collect()
}

/// The word at a place that a list belongs to: where it begins, its sign, and what was typed behind that.
fn word_at(text: &str, at: usize) -> Option<(usize, char, String)> {
    let before: Vec<char> = text.chars().take(at).collect();
    let back = before.iter().rev().take(LONGEST).position(|c| matches!(c, '@' | ':' | '\n'))?;
    let start = before.len() - 1 - back;
    let sign = *before.get(start)?;
    let alone = start == 0 || before.get(start - 1).is_some_and(|c| !c.is_alphanumeric());
    let word: String = before.get(start + 1..)?.iter().collect();
    let fits = match sign {
        // A name may have spaces in it, but does not begin with one.
        '@' => !word.starts_with(char::is_whitespace) && word.split_whitespace().count() <= 3,
        ':' => {
            word.chars().count() >= 2
                && word.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '+'))
        }
        _ => false,
    };
    (alone && fits).then_some((start, sign, word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_belongs_to_the_word_at_the_cursor() {
        let word = |text: &str| word_at(text, text.chars().count());
        assert_eq!(word("é @"), Some((2, '@', String::new())));
        assert_eq!(word("hi @An Le"), Some((3, '@', "An Le".to_owned())));
        assert_eq!(word(":smi"), Some((0, ':', "smi".to_owned())));
        for none in
            ["", "a@b", "mail@x.org", "@ x", "@\nx", "https://smile", "12:30", ":s", "a :smi le", "@a b c d"]
        {
            assert_eq!(word(none), None, "{none}");
        }
        assert_eq!(word_at("@Ann and", 3), Some((0, '@', "An".to_owned())));
    }
}
