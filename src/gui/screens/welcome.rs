//! First run: make an account, or bring one back.

use egui::{Align, Frame, Key, Layout, Margin, Stroke, Ui, UiBuilder, vec2};
use septet_protocol::account::{DisplayName, NameError};
use zeroize::Zeroizing;

use super::super::command::{Command, Progress};
use super::super::text::{Style, Weight};
use super::super::theme::{radius, size};
use super::super::view::ViewCtx;
use super::super::widgets::button::{self, Tone};
use super::super::widgets::field::Field;
use super::super::widgets::{mark, paragraph};

/// Which step is shown.
#[derive(Default, PartialEq, Eq)]
enum Step {
    #[default]
    Choose,
    Create,
    Restore,
}

/// What the first run remembers between frames.
#[derive(Default)]
pub struct Welcome {
    step: Step,
    name: String,
    phrase: Zeroizing<String>,
    problem: Option<String>,
    working: bool,
    progress: Option<Progress>,
    name_needed: bool,
}

impl Welcome {
    /// How far restoring is.
    pub fn progress(&mut self, progress: Progress) {
        self.progress = Some(progress);
    }

    /// It did not work.
    pub fn failed(&mut self, reason: String) {
        (self.working, self.progress, self.problem) = (false, None, Some(reason));
    }

    /// The account came back without a name.
    pub fn name_needed(&mut self) {
        (self.working, self.name_needed) = (false, true);
    }

    /// Shows the step in the middle of the window.
    pub fn show(&mut self, ui: &mut Ui, cx: &ViewCtx<'_>) {
        let room = ui.max_rect();
        let width = 460.0_f32.min(room.width() - 32.0);
        let height = match self.step {
            Step::Choose => 420.0,
            Step::Create => 330.0,
            Step::Restore => 400.0,
        };
        let top = ((room.height() - height) / 2.0).max(16.0);
        let place = egui::Rect::from_min_size(
            egui::pos2(room.center().x - width / 2.0, room.top() + top),
            vec2(width, room.height() - top),
        );
        let mut middle = ui.new_child(UiBuilder::new().max_rect(place).layout(Layout::top_down(Align::Min)));
        Frame::new()
            .fill(cx.theme.panel)
            .stroke(Stroke::new(1.0, cx.theme.line))
            .corner_radius(radius::CARD)
            .shadow(cx.theme.shadow)
            .inner_margin(Margin::same(28))
            .show(&mut middle, |ui| {
                ui.set_width(width - 56.0);
                match self.step {
                    Step::Choose => self.choose(ui, cx),
                    Step::Create => self.create(ui, cx),
                    Step::Restore => self.restore(ui, cx),
                }
            });
    }

    fn choose(&mut self, ui: &mut Ui, cx: &ViewCtx<'_>) {
        let width = ui.available_width();
        let (rect, _) = ui.allocate_exact_size(vec2(width, 104.0), egui::Sense::hover());
        mark::paint(ui.painter(), rect.center(), 92.0, cx.theme.accent);
        ui.add_space(20.0);
        heading(ui, cx, &cx.t("welcome-title"));
        ui.add_space(6.0);
        paragraph(ui, &cx.t("welcome-text"), cx.body().color(cx.theme.muted));
        ui.add_space(24.0);
        if button::wide(ui, cx, &cx.t("create-account"), Tone::Primary, width).clicked() {
            self.step = Step::Create;
        }
        ui.add_space(8.0);
        if button::wide(ui, cx, &cx.t("have-account"), Tone::Quiet, width).clicked() {
            self.step = Step::Restore;
        }
    }

    fn create(&mut self, ui: &mut Ui, cx: &ViewCtx<'_>) {
        heading(ui, cx, &cx.t("create-title"));
        ui.add_space(6.0);
        paragraph(ui, &cx.t("create-text"), cx.body().color(cx.theme.muted));
        ui.add_space(16.0);
        let entered = self.name_field(ui, cx);
        self.problem_line(ui, cx);
        ui.add_space(18.0);
        if self.buttons(ui, cx, "create", !self.name.trim().is_empty()) || entered {
            match DisplayName::parse(&self.name) {
                Ok(_) => {
                    (self.working, self.problem) = (true, None);
                    cx.send(Command::CreateAccount { name: self.name.clone() });
                }
                Err(error) => self.problem = Some(name_problem(cx, &error)),
            }
        }
    }

    fn restore(&mut self, ui: &mut Ui, cx: &ViewCtx<'_>) {
        heading(ui, cx, &cx.t("restore-title"));
        ui.add_space(6.0);
        paragraph(ui, &cx.t("restore-text"), cx.body().color(cx.theme.muted));
        ui.add_space(16.0);
        let label = cx.t("recovery-password");
        let field = Field { label: &label, hint: &label, bad: self.problem.is_some(), ..Field::default() };
        let response = field.show(ui, cx, &mut self.phrase);
        if response.changed() {
            self.problem = None;
        }
        if self.name_needed {
            ui.add_space(8.0);
            self.name_field(ui, cx);
        }
        self.problem_line(ui, cx);
        if let Some(progress) = self.progress {
            ui.add_space(10.0);
            let words = match progress {
                Progress::Connecting => cx.t("restore-connecting"),
                Progress::Fetching => cx.t("restore-fetching"),
                Progress::Applying => cx.t("restore-applying"),
            };
            paragraph(ui, &words, cx.small());
        }
        ui.add_space(18.0);
        let entered = response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        if (self.buttons(ui, cx, "restore", !self.phrase.trim().is_empty()) || entered) && !self.working {
            (self.working, self.problem) = (true, None);
            let name = (!self.name.trim().is_empty()).then(|| self.name.clone());
            cx.send(Command::Restore { phrase: self.phrase.clone(), name });
        }
    }

    fn name_field(&mut self, ui: &mut Ui, cx: &ViewCtx<'_>) -> bool {
        let label = cx.t("display-name");
        let field = Field { label: &label, hint: &label, bad: self.problem.is_some(), ..Field::default() };
        let response = field.show(ui, cx, &mut self.name);
        if response.changed() {
            self.problem = None;
        }
        let entered = response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        if ui.memory(|memory| memory.focused().is_none()) && !entered {
            response.request_focus();
        }
        entered && !self.working
    }

    fn problem_line(&self, ui: &mut Ui, cx: &ViewCtx<'_>) {
        if let Some(problem) = &self.problem {
            ui.add_space(10.0);
            paragraph(ui, problem, cx.small().color(cx.theme.bad));
        }
    }

    /// Back, and the step's own button. True if the latter was pressed.
    fn buttons(&mut self, ui: &mut Ui, cx: &ViewCtx<'_>, go: &'static str, ready: bool) -> bool {
        let half = (ui.available_width() - 8.0) / 2.0;
        let mut pressed = false;
        ui.horizontal(|ui| {
            if button::wide(ui, cx, &cx.t("back"), Tone::Quiet, half).clicked() {
                let working = self.working;
                *self = Self { working, ..Self::default() };
            }
            ui.add_space(8.0);
            let ready = ready && !self.working;
            ui.add_enabled_ui(ready, |ui| {
                pressed = button::wide(ui, cx, &cx.t(go), Tone::Primary, half).clicked();
            });
        });
        pressed
    }
}

fn heading(ui: &mut Ui, cx: &ViewCtx<'_>, text: &str) {
    paragraph(ui, text, Style::new(size::HEADING, cx.theme.text).weight(Weight::Bold).line(28.0));
}

/// What is wrong with a name, as a sentence.
pub fn name_problem(cx: &ViewCtx<'_>, error: &NameError) -> String {
    match error {
        NameError::Empty => cx.t("name-empty").to_string(),
        NameError::TooLong { .. } => cx.t("name-too-long").to_string(),
    }
}
