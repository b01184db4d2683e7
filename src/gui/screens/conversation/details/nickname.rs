//! What we call somebody: their own name, or one that only we see, changed in place.

use egui::accesskit::Role;
use egui::{Id, Key, Rect, Sense, Ui, WidgetInfo, pos2, vec2};
use septet_client::model::Conversation;
use septet_protocol::account::{DisplayName, NameError};

use super::super::super::super::command::{Change, Command};
use super::super::super::super::icons::Icon;
use super::super::super::super::text::{Style, Weight, Wrap, layout};
use super::super::super::super::theme::{metric, size};
use super::super::super::super::view::ViewCtx;
use super::super::super::super::widgets::button::{self, Tone};
use super::super::super::super::widgets::field::Field;
use super::super::super::super::widgets::paragraph;
use super::super::super::welcome::name_problem;
use super::super::words;
use super::{can_be_named, centered};

/// What is remembered between frames.
#[derive(Default)]
pub struct Nickname {
    editing: Option<Edit>,
}

struct Edit {
    text: String,
    /// The field got the keyboard.
    focused: bool,
}

impl Nickname {
    /// Whether a name is being typed.
    pub fn is_editing(&self) -> bool {
        self.editing.is_some()
    }

    /// Shows it.
    pub fn show(&mut self, ui: &mut Ui, cx: &ViewCtx<'_>, conversation: &Conversation) {
        match self.editing.take() {
            Some(edit) if can_be_named(conversation) => self.edit(ui, cx, conversation, edit),
            _ => self.read(ui, cx, conversation),
        }
        if conversation.nickname.is_some() && !conversation.name.is_empty() {
            ui.add_space(4.0);
            let name = cx.strings.with("public-name", [("name", conversation.name.as_str().into())]);
            centered(ui, cx, &name);
        }
    }

    /// The title in the middle, and the way to change it.
    fn read(&mut self, ui: &mut Ui, cx: &ViewCtx<'_>, conversation: &Conversation) {
        let style = Style::new(size::HEADING - 2.0, cx.theme.text).weight(Weight::Bold).line(26.0);
        let side = metric::ICON_BUTTON;
        let width = ui.available_width();
        let title = words::title(cx, conversation);
        let galley = layout(ui.ctx(), &title, style, Wrap::Lines(width - 2.0 * side - 8.0));
        let height = galley.size().y.max(side);
        let (row, response) = ui.allocate_exact_size(vec2(width, height), Sense::hover());
        let corner = row.center() - galley.size() / 2.0;
        let right = corner.x + galley.size().x;
        ui.painter().galley(pos2(corner.x.round(), corner.y.round()), galley, style.color);
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &title));
        if !can_be_named(conversation) {
            return;
        }
        let at = pos2(right + 4.0 + side / 2.0, row.center().y);
        let pencil = Rect::from_center_size(at, vec2(side, side));
        let known = conversation.nickname.is_some();
        let label = cx.t(if known { "change-nickname" } else { "set-nickname" });
        if button::icon_at(ui, cx, pencil, Id::unique("nickname"), Icon::PENCIL, &label).clicked() {
            let text = conversation.nickname.clone().unwrap_or_default();
            self.editing = Some(Edit { text, focused: false });
        }
    }

    fn edit(&mut self, ui: &mut Ui, cx: &ViewCtx<'_>, conversation: &Conversation, mut edit: Edit) {
        let parsed = match DisplayName::parse(&edit.text) {
            Ok(name) => Some(Some(name)),
            Err(NameError::Empty) => Some(None),
            Err(NameError::TooLong { .. }) => None,
        };
        let (mut save, mut stop) = (false, false);
        ui.horizontal(|ui| {
            let button_width = 76.0;
            let label = cx.t("nickname");
            let hint = if conversation.name.is_empty() { &*label } else { &*conversation.name };
            ui.allocate_ui(vec2(ui.available_width() - button_width - 8.0, 40.0), |ui| {
                let field = Field { label: &label, hint, bad: parsed.is_none(), ..Field::default() };
                let response = field.show(ui, cx, &mut edit.text);
                if !edit.focused {
                    response.request_focus();
                }
                let (enter, escape) =
                    ui.input(|input| (input.key_pressed(Key::Enter), input.key_pressed(Key::Escape)));
                save = response.lost_focus() && enter;
                stop = escape;
            });
            ui.add_space(8.0);
            ui.add_enabled_ui(parsed.is_some(), |ui| {
                save |=
                    button::words(ui, cx, &cx.t("save"), Tone::Primary, vec2(button_width, 40.0)).clicked();
            });
        });
        ui.add_space(8.0);
        match (&parsed, name_problem(cx, &edit.text)) {
            (None, Some(problem)) => paragraph(ui, &problem, cx.small().color(cx.theme.bad)),
            _ => paragraph(ui, &cx.t("nickname-explained"), cx.small()),
        };
        match parsed {
            Some(name) if save => {
                if name.as_ref().map(DisplayName::as_str) != conversation.nickname.as_deref() {
                    cx.send(Command::Change(conversation.id, Change::Nickname(name)));
                }
            }
            _ if stop => {}
            _ => self.editing = Some(Edit { text: edit.text, focused: !save }),
        }
    }
}
