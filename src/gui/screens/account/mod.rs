//! Our own page: name, Account ID, recovery password, looks.
//!
//! Decision: it is a page in the place of the conversation, not a window over it: what is behind it stays where it
//! is, and Esc, the cross or opening a conversation leads away.

mod id;
mod looks;
mod name;
mod recovery;

use egui::{Frame, Id, Key, Margin, Rect, ScrollArea, Stroke, Ui, UiBuilder, pos2, vec2};

use self::id::AccountId;
use self::name::Name;
use self::recovery::Recovery;
use super::super::command::RecoveryWords;
use super::super::icons::Icon;
use super::super::preferences::Preferences;
use super::super::text::{Style, Weight};
use super::super::theme::{metric, radius, size};
use super::super::view::ViewCtx;
use super::super::widgets::{button, paragraph, text_left};

/// The column is at most this wide.
const COLUMN: f32 = 560.0;

/// What the page remembers between frames.
#[derive(Default)]
pub struct Account {
    name: Name,
    id: AccountId,
    recovery: Recovery,
}

impl Account {
    /// The recovery password was asked for and is here.
    pub fn recovered(&mut self, words: RecoveryWords) {
        self.recovery.take(words);
    }

    /// The page is left: nothing secret stays, nothing half edited.
    pub fn leave(&mut self) {
        *self = Self::default();
    }

    /// Shows the page in the room there is; true to close it.
    pub fn show(&mut self, ui: &mut Ui, cx: &ViewCtx<'_>, preferences: &mut Preferences) -> bool {
        let Some(me) = &cx.state.me else { return true };
        let room = ui.available_rect_before_wrap();
        let editing = self.name.is_editing(); // then Esc only stops that
        let close = head(ui, cx, room.with_max_y(room.top() + metric::HEAD));
        let below = room.with_min_y(room.top() + metric::HEAD);
        let side = if below.width() < 480.0 { 14.0 } else { 24.0 };
        let width = COLUMN.min(below.width() - 2.0 * side);
        let mut below_ui = ui.new_child(UiBuilder::new().max_rect(below));
        ScrollArea::vertical().id_salt("account").auto_shrink([false, false]).show(&mut below_ui, |ui| {
            let left = ((below.width() - width) / 2.0).floor();
            let column = Rect::from_min_size(ui.cursor().min + vec2(left, 0.0), vec2(width, f32::INFINITY));
            ui.scope_builder(UiBuilder::new().max_rect(column), |ui| {
                ui.add_space(24.0);
                self.name.show(ui, cx, me);
                ui.add_space(20.0);
                section(ui, cx, "account-id", |ui| self.id.show(ui, cx, me.id));
                section(ui, cx, "recovery-password", |ui| self.recovery.show(ui, cx));
                section(ui, cx, "looks", |ui| looks::show(ui, cx, preferences));
                about(ui, cx);
            });
        });
        let escape = !editing && ui.input(|input| input.key_pressed(Key::Escape));
        close || escape
    }
}

/// The line with the title and the way back.
fn head(ui: &Ui, cx: &ViewCtx<'_>, rect: Rect) -> bool {
    let line = Stroke::new(1.0, cx.theme.line);
    ui.painter().hline(rect.x_range(), rect.bottom() - 0.5, line);
    let style = Style::new(size::TITLE, cx.theme.text).weight(Weight::Bold).line(20.0);
    let (icon, center, title) = if cx.narrow {
        (Icon::ARROW_LEFT, pos2(rect.left() + 26.0, rect.center().y), rect.left() + 50.0)
    } else {
        (Icon::X, pos2(rect.right() - 28.0, rect.center().y), rect.left() + 24.0)
    };
    text_left(ui.painter(), pos2(title, rect.center().y), &cx.t("your-account"), style, rect.width() - 100.0);
    let place = Rect::from_center_size(center, vec2(metric::ICON_BUTTON, metric::ICON_BUTTON));
    let name = if cx.narrow { cx.t("back") } else { cx.t("close") };
    button::icon_at(ui, cx, place, Id::unique("leave account"), icon, &name).clicked()
}

/// A card with its name above.
fn section(ui: &mut Ui, cx: &ViewCtx<'_>, name: &'static str, content: impl FnOnce(&mut Ui)) {
    let style = Style::new(size::SMALL, cx.theme.text).weight(Weight::Semibold).line(18.0);
    paragraph(ui, &cx.t(name), style);
    ui.add_space(8.0);
    Frame::new()
        .fill(cx.theme.panel)
        .stroke(Stroke::new(1.0, cx.theme.line))
        .corner_radius(radius::COMPOSER)
        .inner_margin(Margin::same(if cx.narrow { 14 } else { 18 }))
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            content(ui);
        });
    ui.add_space(22.0);
}

/// What this program is.
fn about(ui: &mut Ui, cx: &ViewCtx<'_>) {
    let version = cx.strings.with("about", [("version", env!("CARGO_PKG_VERSION").into())]);
    paragraph(ui, &version, cx.tiny());
    ui.add_space(2.0);
    paragraph(ui, &cx.t("about-independent"), cx.tiny());
    ui.add_space(28.0);
}
