//! First run: make an account, or bring one back.
//!
//! Each step is a card in the middle of the window. Decision: what was typed stays until the account is open. Going
//! back, an error, giving up while the account comes back: nothing of it empties a field.

mod chooser;
mod create;
mod entry;
mod keep_phrase;
mod progress;
mod restore;

use egui::{Frame, Key, Margin, ScrollArea, Stroke, Ui, UiBuilder, pos2, vec2};
use septet_protocol::account::{DisplayName, NameError};

use self::chooser::Choice;
use self::create::Create;
use self::keep_phrase::KeepPhrase;
use self::progress::Coming;
use self::restore::Restore;
use super::super::command::{Command, Progress, QrProblem, RecoveryWords, Secret};
use super::super::icons::Icon;
use super::super::text::{Style, Weight};
use super::super::theme::{radius, size};
use super::super::view::ViewCtx;
use super::super::widgets::{focus_ring, paragraph, text_left};
use crate::gui::actions::Actions;

/// Which step is shown.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
enum Step {
    #[default]
    Choose,
    Create,
    Restore,
    /// The account is coming back.
    Coming,
    /// It came back without a name.
    Name,
    /// A new account is open; its recovery password is to be kept.
    Keep,
}

/// What the first run remembers between frames.
#[derive(Default)]
pub struct Welcome {
    step: Step,
    create: Create,
    restore: Restore,
    coming: Coming,
    keep: KeepPhrase,
    /// The step of the last frame and the height its card had.
    measured: Option<(Step, f32)>,
}

/// Cards are at most this wide.
const CARD: f32 = 460.0;
/// In a narrower window a card has no edge; it is the window.
const EDGELESS: f32 = 520.0;

impl Welcome {
    /// How far restoring is.
    pub fn progress(&mut self, progress: Progress) {
        self.coming.now_at(progress);
    }

    /// It did not work; why, as a sentence.
    pub fn failed(&mut self, reason: String) {
        match self.step {
            Step::Coming | Step::Restore => {
                self.step = Step::Restore;
                self.restore.failed(reason);
            }
            _ => self.create.failed(reason),
        }
    }

    /// The account that was to come back was given up.
    pub fn cancelled(&mut self) {
        if self.step == Step::Coming {
            self.step = Step::Restore;
            self.restore.enter();
        }
    }

    /// The account came back without a name.
    pub fn name_needed(&mut self) {
        self.step = Step::Name;
        self.create = Create::default();
    }

    /// What the QR code of a picture says.
    pub fn qr_read(&mut self, said: Result<Secret, QrProblem>) {
        if self.step == Step::Restore {
            self.restore.qr_read(said);
        }
    }

    /// An account is open. If it is new, its recovery password is shown once.
    pub fn opened(&mut self, actions: &Actions) {
        let new = self.step == Step::Create;
        *self = Self::default();
        if new {
            self.step = Step::Keep;
            actions.send(Command::Recovery);
        }
    }

    /// The recovery password is here. Gives it back if it was not asked for here.
    pub fn recovered(&mut self, words: RecoveryWords) -> Option<RecoveryWords> {
        if self.step != Step::Keep {
            return Some(words);
        }
        self.keep.take(words);
        None
    }

    /// Whether there is something to show although the account is open.
    pub fn goes_on(&self) -> bool {
        self.step == Step::Keep
    }

    /// Shows the step in the middle of the window.
    pub fn show(&mut self, ui: &mut Ui, cx: &ViewCtx<'_>) {
        let room = ui.max_rect();
        let edgeless = room.width() < EDGELESS;
        let width = if edgeless { room.width() } else { CARD };
        let known = self.measured.filter(|(step, _)| *step == self.step).map(|(_, height)| height);
        let least = if edgeless { 0.0 } else { 16.0 };
        let top = known.map_or(least, |height| ((room.height() - height) / 2.0).max(least));
        let mut place = ui.new_child(UiBuilder::new().max_rect(room));
        if known.is_none() {
            place.set_invisible(); // measured first, so that nothing jumps
            ui.ctx().request_discard("the card of this step is measured");
        }
        let step = self.step;
        let height = ScrollArea::vertical()
            .id_salt("first run")
            .auto_shrink([false, false])
            .show(&mut place, |ui| {
                ui.add_space(top.floor());
                let left = ((room.width() - width) / 2.0).floor();
                let area = egui::Rect::from_min_size(
                    pos2(ui.max_rect().left() + left, ui.cursor().top()),
                    vec2(width, f32::INFINITY),
                );
                let shown = ui.scope_builder(UiBuilder::new().max_rect(area), |ui| {
                    card(cx, edgeless).show(ui, |ui| {
                        ui.set_width(ui.available_width());
                        self.step(ui, cx);
                    });
                });
                ui.add_space(least);
                shown.response.rect.height()
            })
            .inner;
        self.measured = Some((step, height));
    }

    fn step(&mut self, ui: &mut Ui, cx: &ViewCtx<'_>) {
        match self.step {
            Step::Choose => match chooser::show(ui, cx) {
                Some(Choice::Create) => {
                    self.step = Step::Create;
                    self.create.enter();
                }
                Some(Choice::Restore) => {
                    self.step = Step::Restore;
                    self.restore.enter();
                }
                None => {}
            },
            Step::Create => match self.create.show(ui, cx, &create::NEW) {
                Some(create::Act::Back) => self.step = Step::Choose,
                Some(create::Act::Name(name)) => cx.send(Command::CreateAccount { name }),
                None => {}
            },
            Step::Name => {
                if let Some(create::Act::Name(name)) = self.create.show(ui, cx, &create::FOUND) {
                    cx.send(Command::SetName(name));
                }
            }
            Step::Restore => match self.restore.show(ui, cx) {
                Some(restore::Act::Back) => self.step = Step::Choose,
                Some(restore::Act::Restore(phrase)) => {
                    self.step = Step::Coming;
                    self.coming = Coming::default();
                    cx.send(Command::Restore(phrase));
                }
                None => {}
            },
            Step::Coming => {
                if self.coming.show(ui, cx) {
                    cx.send(Command::CancelRestore);
                }
            }
            Step::Keep => {
                if self.keep.show(ui, cx) {
                    *self = Self::default();
                }
            }
        }
    }
}

fn card(cx: &ViewCtx<'_>, edgeless: bool) -> Frame {
    if edgeless {
        return Frame::new().inner_margin(Margin::symmetric(20, 14));
    }
    Frame::new()
        .fill(cx.theme.panel)
        .stroke(Stroke::new(1.0, cx.theme.line))
        .corner_radius(radius::CARD)
        .shadow(cx.theme.shadow)
        .inner_margin(Margin::same(28))
}

/// The way back to the step before; also taken by Esc.
fn back(ui: &mut Ui, cx: &ViewCtx<'_>) -> bool {
    let label = cx.t("back");
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 28.0), egui::Sense::hover());
    let place = egui::Rect::from_min_size(rect.min - vec2(6.0, 8.0), vec2(72.0, 28.0));
    let response = ui.interact(place, ui.scope_id().with("back"), egui::Sense::click());
    let lit = response.hovered() || response.has_focus();
    let color = if lit { cx.theme.text } else { cx.theme.muted };
    Icon::ARROW_LEFT.paint(ui.painter(), place.left_center() + vec2(14.0, 0.0), 16.0, color);
    text_left(ui.painter(), place.left_center() + vec2(27.0, 0.0), &label, cx.small().color(color), 60.0);
    focus_ring(ui, &response, cx.theme, radius::FIELD);
    response.widget_info(|| egui::WidgetInfo::labeled(egui::accesskit::Role::Button, true, &*label));
    let escaped = ui.input(|input| input.key_pressed(Key::Escape));
    response.on_hover_cursor(egui::CursorIcon::PointingHand).clicked() || escaped
}

fn heading(ui: &mut Ui, cx: &ViewCtx<'_>, text: &str) {
    paragraph(ui, text, Style::new(size::HEADING, cx.theme.text).weight(Weight::Bold).line(28.0));
    ui.add_space(6.0);
}

/// What a step is about, under its heading.
fn explanation(ui: &mut Ui, cx: &ViewCtx<'_>, text: &str) {
    paragraph(ui, text, cx.body().color(cx.theme.muted));
    ui.add_space(16.0);
}

/// What is wrong with a name, as a sentence; nothing while it is still empty.
pub fn name_problem(cx: &ViewCtx<'_>, name: &str) -> Option<String> {
    match DisplayName::parse(name) {
        Ok(_) => None,
        Err(NameError::Empty) => (!name.is_empty()).then(|| cx.t("name-empty").to_string()),
        Err(NameError::TooLong { bytes }) => Some(cx.strings.with(
            "name-too-long",
            [("over", bytes.saturating_sub(create::LIMIT).into()), ("limit", create::LIMIT.into())],
        )),
    }
}
