//! What others call us; it can be changed in place.

use egui::{Id, Key, Rect, Ui, UiBuilder, pos2, vec2};
use septet_client::model::Profile;
use septet_protocol::account::DisplayName;

use super::super::super::command::Command;
use super::super::super::icons::Icon;
use super::super::super::text::{Style, Weight};
use super::super::super::theme::{metric, size};
use super::super::super::view::ViewCtx;
use super::super::super::widgets::button::{self, Tone};
use super::super::super::widgets::field::Field;
use super::super::super::widgets::{paragraph, text_left};
use super::super::welcome::name_problem;

/// What is remembered between frames.
#[derive(Default)]
pub struct Name {
    /// The new name while it is being typed, and whether its field got the keyboard.
    editing: Option<(String, bool)>,
}

impl Name {
    /// Whether the name is being changed.
    pub fn is_editing(&self) -> bool {
        self.editing.is_some()
    }

    /// Shows it in the place there is for it.
    pub fn show(&mut self, ui: &mut Ui, cx: &ViewCtx<'_>, rect: Rect, me: &Profile) {
        match self.editing.take() {
            Some((name, focused)) => self.edit(ui, cx, rect, name, focused),
            None => self.read(ui, cx, rect, me),
        }
    }

    /// What is wrong with the name that is typed.
    pub fn problem(&self, ui: &mut Ui, cx: &ViewCtx<'_>) {
        if let Some((name, _)) = &self.editing
            && let Some(problem) = name_problem(cx, name)
        {
            ui.add_space(8.0);
            paragraph(ui, &problem, cx.small().color(cx.theme.bad));
        }
    }

    fn read(&mut self, ui: &Ui, cx: &ViewCtx<'_>, rect: Rect, me: &Profile) {
        let title = Style::new(size::HEADING, cx.theme.text).weight(Weight::Bold).line(28.0);
        let side = metric::ICON_BUTTON;
        let at = pos2(rect.left(), rect.center().y - 11.0);
        let name = match (me.name.is_empty(), me.read) {
            (false, _) => me.name.clone(),
            (true, true) => cx.t("no-name").to_string(),
            (true, false) => cx.t("name-waits").to_string(),
        };
        let shown = text_left(ui.painter(), at, &name, title, rect.width() - side - 8.0);
        let second = pos2(rect.left(), rect.center().y + 15.0);
        let seen = if me.read { cx.t("name-seen") } else { cx.t("profile-waits") };
        text_left(ui.painter(), second, &seen, cx.small(), rect.width());
        let pencil = Rect::from_center_size(pos2(shown.right() + 8.0 + side / 2.0, at.y), vec2(side, side));
        let label = cx.t("change-name");
        if button::icon_at(ui, cx, pencil, Id::unique("change name"), Icon::PENCIL, &label).clicked() {
            self.editing = Some((me.name.clone(), false));
        }
    }

    fn edit(&mut self, ui: &mut Ui, cx: &ViewCtx<'_>, rect: Rect, mut name: String, focused: bool) {
        let place = Rect::from_center_size(rect.center(), vec2(rect.width(), 40.0));
        let mut child = ui.new_child(UiBuilder::new().max_rect(place));
        let (mut save, mut stop) = (false, false);
        let good = DisplayName::parse(&name).is_ok();
        child.horizontal(|ui| {
            let button_width = 76.0;
            let label = cx.t("display-name");
            ui.allocate_ui(vec2(rect.width() - button_width - 8.0, 40.0), |ui| {
                let bad = !good && !name.is_empty();
                let field = Field { label: &label, hint: &label, bad, ..Field::default() };
                let response = field.show(ui, cx, &mut name);
                if !focused {
                    response.request_focus();
                }
                let (enter, escape) =
                    ui.input(|input| (input.key_pressed(Key::Enter), input.key_pressed(Key::Escape)));
                save = response.lost_focus() && enter;
                stop = escape;
            });
            ui.add_space(8.0);
            ui.add_enabled_ui(good, |ui| {
                save |=
                    button::words(ui, cx, &cx.t("save"), Tone::Primary, vec2(button_width, 40.0)).clicked();
            });
        });
        if save && good {
            cx.send(Command::SetName(name));
        } else if !stop {
            self.editing = Some((name, !save));
        }
    }
}
