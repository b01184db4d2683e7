//! An account is brought back: thirteen fields for words, a verdict, and a way to read a picture instead.

use egui::text::{CCursor, CCursorRange};
use egui::text_edit::TextEditState;
use egui::{Event, Frame, Id, Key, Margin, Rect, Response, Sense, Stroke, StrokeKind, TextEdit, Ui, vec2};
use septet_protocol::account::RecoveryError;

use super::super::super::command::{Command, QrProblem, Secret};
use super::super::super::icons::Icon;
use super::super::super::text::{Style, Weight, Wrap, layout};
use super::super::super::theme::radius;
use super::super::super::view::ViewCtx;
use super::super::super::widgets::button::{self, Tone};
use super::super::super::widgets::field::layouter;
use super::super::super::widgets::{paragraph, phrase, text_left};
use super::entry::{Entry, List, Mark, Verdict};
use super::{back, explanation, heading};

/// What the person does.
pub enum Act {
    /// Goes back.
    Back,
    /// Brings the account of these words back.
    Restore(Secret),
}

/// What the step remembers between frames.
#[derive(Default)]
pub struct Restore {
    entry: Entry,
    /// The field that is to have the keyboard with the next frame.
    go_to: Option<usize>,
    /// The field that has it.
    at: Option<usize>,
    /// Why it did not work; stays until something is changed.
    problem: Option<String>,
    /// What was wrong with a picture.
    picture: Option<QrProblem>,
}

/// A suggestion is taken from among at most so many.
const SUGGESTED: usize = 3;

impl Restore {
    /// The step begins: the keyboard goes to the first word that is missing.
    pub fn enter(&mut self) {
        let missing = (0..self.entry.fields()).find(|index| self.entry.mark(*index) != Mark::Good);
        self.go_to = Some(missing.unwrap_or(0));
    }

    /// It did not work. Nothing that was typed is lost.
    pub fn failed(&mut self, reason: String) {
        self.problem = Some(reason);
        self.enter();
    }

    /// What the QR code of a picture says.
    pub fn qr_read(&mut self, said: Result<Secret, QrProblem>) {
        (self.problem, self.picture) = (None, None);
        match said {
            Ok(text) => self.go_to = Some(self.entry.fill(text.reveal())),
            Err(problem) => self.picture = Some(problem),
        }
    }

    /// Shows the step.
    pub fn show(&mut self, ui: &mut Ui, cx: &ViewCtx<'_>) -> Option<Act> {
        self.take_from_outside(ui, cx);
        let left = back(ui, cx);
        heading(ui, cx, &cx.t("restore-title"));
        explanation(ui, cx, &cx.t("restore-text"));
        let entered = self.fields(ui, cx);
        ui.add_space(14.0);
        self.verdict(ui, cx);
        ui.add_space(14.0);
        let good = matches!(self.entry.verdict(), Verdict::Good(_));
        let half = (ui.available_width() - 8.0) / 2.0;
        let mut pressed = false;
        ui.horizontal(|ui| {
            if button::wide(ui, cx, &cx.t("open-qr"), Tone::Quiet, half).clicked() {
                cx.send(Command::PickQr);
            }
            ui.add_space(8.0);
            ui.add_enabled_ui(good, |ui| {
                pressed = button::wide(ui, cx, &cx.t("restore"), Tone::Primary, half).clicked();
            });
        });
        if good && (entered || pressed) {
            self.problem = None;
            return Some(Act::Restore(self.entry.text().into()));
        }
        left.then_some(Act::Back)
    }

    /// Pictures that are dropped or pasted, and text that is pasted where no field has the keyboard.
    fn take_from_outside(&mut self, ui: &Ui, cx: &ViewCtx<'_>) {
        let in_field = self.at.is_some_and(|at| ui.memory(|memory| memory.has_focus(field_id(at))));
        let mut pasted = None;
        ui.input(|input| {
            for file in &input.raw.dropped_files {
                cx.send(Command::ReadQrFile(file.path().to_owned()));
            }
            for event in &input.events {
                match event {
                    Event::PasteImage(image) => cx.send(Command::ReadQr(image.clone())),
                    Event::Paste(text) if !in_field => {
                        pasted = Some(Secret::from(zeroize::Zeroizing::new(text.clone())))
                    }
                    _ => {}
                }
            }
        });
        if let Some(text) = pasted {
            self.qr_read(Ok(text));
        }
    }

    /// The fields. True if Enter was pressed in one.
    fn fields(&mut self, ui: &mut Ui, cx: &ViewCtx<'_>) -> bool {
        let cells = phrase::cells(ui, self.entry.fields());
        let mut at = None;
        let mut entered = false;
        for (index, rect) in cells.into_iter().enumerate() {
            let was_empty = self.entry.word(index).is_empty();
            let response = self.field(ui, cx, index, rect);
            if response.changed() {
                (self.problem, self.picture) = (None, None);
                let next = self.entry.edited(index);
                self.go_to = (next != index).then_some(next);
                forget_history(ui, index);
            }
            if response.lost_focus() {
                entered |= self.left(ui, index);
            }
            if response.has_focus() {
                at = Some(index);
                if was_empty && index > 0 && ui.input(|input| input.key_pressed(Key::Backspace)) {
                    self.go_to = Some(index - 1);
                }
            }
        }
        // While the card is only measured, nothing can have the keyboard.
        if let Some(next) = self.go_to.take_if(|_| ui.is_enabled()) {
            ui.memory_mut(|memory| memory.request_focus(field_id(next)));
            cursor_to_end(ui, next, self.entry.word(next));
            at = Some(next);
            ui.ctx().request_repaint();
        }
        self.at = at;
        self.entry.focus(at);
        entered
    }

    /// The keyboard left a field: Tab and Enter take what is offered. True if Enter was pressed.
    fn left(&mut self, ui: &Ui, index: usize) -> bool {
        let (tab, enter) = ui.input(|input| {
            (input.key_pressed(Key::Tab) && !input.modifiers.shift, input.key_pressed(Key::Enter))
        });
        if tab || enter {
            self.entry.complete(index);
        }
        if enter && !matches!(self.entry.verdict(), Verdict::Good(_)) {
            self.go_to = Some((index + 1).min(self.entry.fields().saturating_sub(1)));
        }
        enter
    }

    fn field(&mut self, ui: &mut Ui, cx: &ViewCtx<'_>, index: usize, rect: Rect) -> Response {
        let inner = phrase::cell(ui, cx, rect, index);
        // It can be clicked, but Tab goes to the word.
        let ground = ui.interact(rect, field_id(index).with(Part::Ground), Sense::CLICK);
        let style = cx.body();
        if let Some(rest) = self.entry.rest(index).filter(|_| self.at == Some(index)) {
            let typed = layout(ui.ctx(), self.entry.word(index), style, Wrap::None).size().x;
            let at = inner.left_center() + vec2(typed, 0.0);
            text_left(ui.painter(), at, rest, style.color(cx.theme.faint), inner.width() - typed);
        }
        let label = cx.strings.with("word-number", [("number", (index + 1).into())]);
        let mut layouter = layouter(style);
        let mut none = zeroize::Zeroizing::default();
        let word = self.entry.word_mut(index).unwrap_or(&mut none);
        let edit = TextEdit::singleline(&mut **word)
            .id(field_id(index))
            .frame(Frame::NONE)
            .margin(Margin::ZERO)
            .desired_width(inner.width())
            .align(egui::Align2::LEFT_CENTER)
            .min_size(inner.size())
            .layouter(&mut layouter);
        let response = ui.place(inner, edit).accessible_name(&label);
        if ground.clicked() {
            response.request_focus();
        }
        let outline = match self.entry.mark(index) {
            Mark::Wrong => Some(cx.theme.bad),
            _ => response.has_focus().then_some(cx.theme.accent),
        };
        if let Some(color) = outline {
            ui.painter().rect_stroke(rect, radius::FIELD, Stroke::new(1.5, color), StrokeKind::Inside);
        }
        response
    }

    /// What is to be said of the words.
    fn verdict(&mut self, ui: &mut Ui, cx: &ViewCtx<'_>) {
        let top = ui.cursor().top();
        let bad = cx.small().color(cx.theme.bad);
        if let Some(problem) = &self.problem {
            paragraph(ui, problem, bad);
        } else if let Some(problem) = self.picture {
            let name = match problem {
                QrProblem::Unreadable => "qr-unreadable",
                QrProblem::NoCode => "qr-none",
            };
            paragraph(ui, &cx.t(name), bad);
        } else {
            match self.entry.verdict().clone() {
                Verdict::Incomplete { filled: 0, .. } => {
                    paragraph(ui, &cx.t("restore-hint"), cx.small());
                }
                Verdict::Incomplete { filled, of } => {
                    let values = [("filled", filled.into()), ("of", of.into())];
                    paragraph(ui, &cx.strings.with("words-so-far", values), cx.small());
                }
                Verdict::Unknown { index, meant } => self.unknown(ui, cx, index, &meant),
                Verdict::Refused(error) => {
                    paragraph(ui, &refusal(cx, &error), bad);
                }
                Verdict::Good(id) => {
                    let name = match self.entry.list() {
                        List::Recovery => "words-good",
                        List::Bip39 => "words-good-bip39",
                    };
                    let text = cx.strings.with(name, [("id", id.short().into())]);
                    ui.horizontal(|ui| {
                        let (rect, _) = ui.allocate_exact_size(vec2(22.0, 18.0), Sense::hover());
                        Icon::CHECK.paint(ui.painter(), rect.center() - vec2(3.0, 0.0), 16.0, cx.theme.good);
                        paragraph(ui, &text, cx.small().color(cx.theme.good));
                    });
                }
            }
        }
        // One line or two: the buttons stay where they are.
        ui.add_space((36.0 - (ui.cursor().top() - top)).max(0.0));
    }

    /// A word that is not in the list, and what may have been meant.
    fn unknown(&mut self, ui: &mut Ui, cx: &ViewCtx<'_>, index: usize, meant: &[&'static str]) {
        let bad = cx.small().color(cx.theme.bad);
        let number = [("number", (index + 1).into())];
        ui.horizontal_wrapped(|ui| {
            paragraph(ui, &cx.strings.with("word-unknown", number), bad);
            for (place, word) in meant.iter().take(SUGGESTED).enumerate() {
                let before = if place == 0 { "word-meant" } else { "word-meant-or" };
                let before = format!(" {} ", cx.t(before).trim());
                label(ui, &before, bad);
                if suggestion(ui, cx, word) {
                    self.entry.replace(index, word);
                    self.problem = None;
                    self.enter();
                }
            }
            if !meant.is_empty() {
                label(ui, "?", bad);
            }
        });
    }
}

/// Words in a line, without a break before them.
fn label(ui: &mut Ui, text: &str, style: Style) {
    let galley = layout(ui.ctx(), text, style, Wrap::None);
    let (rect, _) = ui.allocate_exact_size(galley.size(), Sense::hover());
    ui.painter().galley(rect.min, galley, style.color);
}

/// A word that can be clicked to be taken.
fn suggestion(ui: &mut Ui, cx: &ViewCtx<'_>, word: &str) -> bool {
    let style = cx.small().color(cx.theme.bad).weight(Weight::Bold);
    let galley = layout(ui.ctx(), word, style, Wrap::None);
    let (rect, response) = ui.allocate_exact_size(galley.size(), Sense::click());
    ui.painter().galley(rect.min, galley, style.color);
    let line = Stroke::new(1.0, cx.theme.bad.gamma_multiply(if response.hovered() { 1.0 } else { 0.5 }));
    ui.painter().hline(rect.x_range(), rect.bottom() - 2.0, line);
    super::focus_ring(ui, &response, cx.theme, 4);
    let label = cx.strings.with("use-word", [("word", word.into())]);
    response.widget_info(|| egui::WidgetInfo::labeled(egui::accesskit::Role::Button, true, &label));
    response.on_hover_cursor(egui::CursorIcon::PointingHand).clicked()
}

/// What belongs to a field.
#[derive(Hash, Debug)]
enum Part {
    Ground,
}

fn field_id(index: usize) -> Id {
    Id::unique(("recovery word", index))
}

fn cursor_to_end(ui: &Ui, index: usize, word: &str) {
    let mut state = TextEditState::load(ui.ctx(), field_id(index)).unwrap_or_default();
    let end = CCursor::new(word.chars().count());
    state.cursor.set_char_range(Some(CCursorRange::one(end)));
    state.store(ui.ctx(), field_id(index));
}

/// Takes from egui what it keeps for undoing: secret words are not to lie around.
fn forget_history(ui: &Ui, index: usize) {
    if let Some(mut state) = TextEditState::load(ui.ctx(), field_id(index)) {
        state.clear_undoer();
        state.store(ui.ctx(), field_id(index));
    }
}

/// Why a recovery password is none, as a sentence.
fn refusal(cx: &ViewCtx<'_>, error: &RecoveryError) -> String {
    match error {
        RecoveryError::NotEnoughWords { found } => {
            cx.strings.with("too-few-words", [("found", (*found).into())])
        }
        RecoveryError::TooManyWords { found } => {
            cx.strings.with("too-many-words", [("found", (*found).into())])
        }
        RecoveryError::InvalidWord { position } => {
            cx.strings.with("word-unknown", [("number", (*position).into())])
        }
        RecoveryError::ChecksumMismatch => cx.t("words-do-not-fit").to_string(),
        RecoveryError::DecodingFailed => cx.t("words-impossible").to_string(),
        RecoveryError::Bip39ChecksumMismatch => cx.t("bip39-does-not-fit").to_string(),
        RecoveryError::HexLength => cx.t("hex-length").to_string(),
        RecoveryError::LooksLikeAccountId => cx.t("looks-like-id").to_string(),
    }
}
