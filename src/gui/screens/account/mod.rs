//! Our own page: picture, name, Account ID, recovery password, looks, privacy.
//!
//! Decision: it is a page in the place of the conversation, not a window over it: what is behind it stays where it
//! is, and Esc, the cross or opening a conversation leads away. A picture that is being cut takes the place of the
//! page.

mod crop;
mod id;
mod looks;
mod name;
mod picture;
mod privacy;
mod recovery;

use egui::{Context, Frame, Id, Key, Margin, Rect, ScrollArea, Sense, Stroke, Ui, UiBuilder, pos2, vec2};
use septet_client::model::Profile;

use self::crop::Done;
use self::id::AccountId;
pub use self::id::grouped;
use self::name::Name;
use self::picture::Picture;
use self::recovery::Recovery;
use super::super::command::RecoveryWords;
use super::super::icons::Icon;
use super::super::own_picture::PictureNews;
use super::super::preferences::Preferences;
use super::super::text::{Style, Weight};
use super::super::theme::{metric, radius, size};
use super::super::view::ViewCtx;
use super::super::widgets::{button, paragraph, text_left};

/// The column is at most this wide.
const COLUMN: f32 = 560.0;
/// Side of our circle in points.
const CIRCLE: f32 = 96.0;

/// What the page remembers between frames.
#[derive(Default)]
pub struct Account {
    picture: Picture,
    name: Name,
    id: AccountId,
    recovery: Recovery,
}

impl Account {
    /// The recovery password was asked for and is here.
    pub fn recovered(&mut self, words: RecoveryWords) {
        self.recovery.take(words);
    }

    /// Something became of a picture that may be ours; `shown` if the page is.
    pub fn picture_news(&mut self, ctx: &Context, cx: &ViewCtx<'_>, news: PictureNews, shown: bool) {
        self.picture.news(ctx, cx, news, shown);
    }

    /// The page is left: nothing secret stays, nothing half edited.
    pub fn leave(&mut self) {
        let mut picture = std::mem::take(&mut self.picture);
        picture.leave();
        *self = Self { picture, ..Self::default() };
    }

    /// Shows the page in the room there is; true to close it.
    pub fn show(&mut self, ui: &mut Ui, cx: &ViewCtx<'_>, preferences: &mut Preferences) -> bool {
        let Some(me) = &cx.state.me else { return true };
        let room = ui.available_rect_before_wrap();
        let typing = self.name.is_editing() || ui.ctx().text_edit_focused();
        self.picture.take_from_outside(ui, cx, room, typing);
        let bar = room.with_max_y(room.top() + metric::HEAD);
        let below = room.with_min_y(bar.bottom());
        if let Some(view) = self.picture.cropping() {
            let left = head(ui, cx, bar, "crop-title").then_some(Done::Cancel);
            if let Some(done) = left.or(view.show(ui, cx, below)) {
                self.picture.decided(cx, done);
                ui.ctx().request_repaint();
            }
            return false;
        }
        // Then Esc only stops that.
        let busy = self.name.is_editing() || self.picture.is_asking() || self.id.is_large();
        let close = head(ui, cx, bar, "your-account");
        let side = if below.width() < 480.0 { 14.0 } else { 24.0 };
        let width = COLUMN.min(below.width() - 2.0 * side);
        let mut below_ui = ui.new_child(UiBuilder::new().max_rect(below));
        ScrollArea::vertical().id_salt("account").auto_shrink([false, false]).show(&mut below_ui, |ui| {
            let left = ((below.width() - width) / 2.0).floor();
            let column = Rect::from_min_size(ui.cursor().min + vec2(left, 0.0), vec2(width, f32::INFINITY));
            ui.scope_builder(UiBuilder::new().max_rect(column), |ui| {
                ui.add_space(24.0);
                self.person(ui, cx, me);
                ui.add_space(24.0);
                section(ui, cx, "account-id", |ui| self.id.show(ui, cx, me.id));
                section(ui, cx, "recovery-password", |ui| self.recovery.show(ui, cx));
                section(ui, cx, "looks", |ui| looks::show(ui, cx, preferences));
                section(ui, cx, "privacy", |ui| privacy::show(ui, cx));
                about(ui, cx);
            });
        });
        let escape = !busy && ui.input(|input| input.key_pressed(Key::Escape));
        close || escape
    }

    /// Who we are to others: picture, name, and what can be done about them.
    fn person(&mut self, ui: &mut Ui, cx: &ViewCtx<'_>, me: &Profile) {
        let (row, _) = ui.allocate_exact_size(vec2(ui.available_width(), CIRCLE), Sense::hover());
        self.picture.circle(ui, cx, row.with_max_x(row.left() + CIRCLE));
        let right = row.with_min_x(row.left() + CIRCLE + if cx.narrow { 14.0 } else { 20.0 });
        let middle = right.bottom() - picture::CONTROLS;
        self.name.show(ui, cx, right.with_max_y(middle - 4.0), me);
        self.picture.controls(ui, cx, right.with_min_y(middle), me);
        self.name.problem(ui, cx);
        self.picture.below(ui, cx);
    }
}

/// The line with the title and the way back.
fn head(ui: &Ui, cx: &ViewCtx<'_>, rect: Rect, title: &'static str) -> bool {
    let line = Stroke::new(1.0, cx.theme.line);
    ui.painter().hline(rect.x_range(), rect.bottom() - 0.5, line);
    let style = Style::new(size::TITLE, cx.theme.text).weight(Weight::Bold).line(20.0);
    let (icon, center, left) = if cx.narrow {
        (Icon::ARROW_LEFT, pos2(rect.left() + 26.0, rect.center().y), rect.left() + 50.0)
    } else {
        (Icon::X, pos2(rect.right() - 28.0, rect.center().y), rect.left() + 24.0)
    };
    text_left(ui.painter(), pos2(left, rect.center().y), &cx.t(title), style, rect.width() - 100.0);
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
