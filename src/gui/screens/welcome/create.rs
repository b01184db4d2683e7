//! A name: of a new account, or of one that came back without.

use egui::{Key, Sense, Ui, pos2, vec2};
use septet_protocol::account::DisplayName;

use super::super::super::text::{Style, Weight};
use super::super::super::theme::size;
use super::super::super::view::ViewCtx;
use super::super::super::widgets::button::{self, Tone};
use super::super::super::widgets::field::Field;
use super::super::super::widgets::{avatar, paragraph, text_center, text_right};
use super::{back, explanation, heading, name_problem};

/// The most bytes a name may have (spec 01 §9).
pub const LIMIT: usize = 100;
/// From here on it is said how many are left.
const COUNTED: usize = 80;

/// The words of the step.
pub struct Purpose {
    heading: &'static str,
    text: &'static str,
    go: &'static str,
    working: &'static str,
    returns: bool,
}

/// A new account.
pub const NEW: Purpose = Purpose {
    heading: "create-title",
    text: "create-text",
    go: "create",
    working: "creating",
    returns: true,
};

/// An account that came back without a name.
pub const FOUND: Purpose = Purpose {
    heading: "name-missing-title",
    text: "name-missing-text",
    go: "continue",
    working: "saving",
    returns: false,
};

/// What the person does.
pub enum Act {
    /// Goes back.
    Back,
    /// Takes this name.
    Name(String),
}

/// What the step remembers between frames.
#[derive(Default)]
pub struct Create {
    name: String,
    problem: Option<String>,
    working: bool,
    focused: bool,
}

impl Create {
    /// The step begins: the keyboard goes to the name.
    pub fn enter(&mut self) {
        self.focused = false;
    }

    /// It did not work.
    pub fn failed(&mut self, reason: String) {
        (self.working, self.problem, self.focused) = (false, Some(reason), false);
    }

    /// Shows the step.
    pub fn show(&mut self, ui: &mut Ui, cx: &ViewCtx<'_>, purpose: &Purpose) -> Option<Act> {
        let left = purpose.returns && back(ui, cx);
        heading(ui, cx, &cx.t(purpose.heading));
        explanation(ui, cx, &cx.t(purpose.text));
        let problem = name_problem(cx, &self.name).or_else(|| self.problem.clone());
        let entered = self.field(ui, cx, problem.is_some());
        if let Some(problem) = &problem {
            ui.add_space(10.0);
            paragraph(ui, problem, cx.small().color(cx.theme.bad));
        }
        ui.add_space(20.0);
        let good = DisplayName::parse(&self.name).is_ok();
        let label = cx.t(if self.working { purpose.working } else { purpose.go });
        let width = ui.available_width();
        let pressed = ui.add_enabled_ui(good && !self.working, |ui| {
            button::wide(ui, cx, &label, Tone::Primary, width).clicked()
        });
        if (entered || pressed.inner) && good && !self.working {
            (self.working, self.problem) = (true, None);
            return Some(Act::Name(self.name.clone()));
        }
        (left && !self.working).then_some(Act::Back)
    }

    /// The name beside the circle that others will see. True if Enter was pressed.
    fn field(&mut self, ui: &mut Ui, cx: &ViewCtx<'_>, bad: bool) -> bool {
        let mut entered = false;
        ui.horizontal(|ui| {
            let (circle, _) = ui.allocate_exact_size(vec2(44.0, 44.0), Sense::hover());
            let letters = avatar::initials(&self.name);
            ui.painter().circle_filled(circle.center(), 22.0, cx.theme.accent_soft);
            let style = Style::new(16.0, cx.theme.accent).weight(Weight::Semibold);
            text_center(
                ui.painter(),
                circle.center(),
                if letters.is_empty() { "?" } else { &letters },
                style,
                40.0,
            );
            ui.add_space(10.0);
            let label = cx.t("display-name");
            let counted = self.name.len() >= COUNTED;
            let inset = (12.0, if counted { 44.0 } else { 12.0 });
            let field = Field { label: &label, hint: &label, height: 44.0, bad, inset, ..Field::default() };
            let before = self.name.len();
            let response = field.show(ui, cx, &mut self.name);
            if response.changed() || self.name.len() != before {
                self.problem = None;
            }
            if counted {
                let left = LIMIT as i64 - self.name.len() as i64;
                let color = if left < 0 { cx.theme.bad } else { cx.theme.muted };
                let at = pos2(response.rect.right() + 32.0, response.rect.center().y);
                text_right(ui.painter(), at, &left.to_string(), Style::new(size::TINY, color).line(16.0));
            }
            entered = response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
            if ui.is_enabled() && (!self.focused || (entered && !self.working)) {
                response.request_focus();
                self.focused = true;
            }
        });
        entered
    }
}
