//! The details of a conversation: who it is with, the name only we see, and all that can be set or deleted.
//!
//! Decision: they are beside the conversation, so that one sees what one changes; where there is no room for both they
//! take its place, with a way back. Whether they are open belongs to the window and not to one conversation: beside
//! the list they follow to whatever is opened next, but they never cover a conversation that was just chosen. A name
//! that is half typed stays with its conversation.

mod files;
mod nickname;
mod row;
mod rows;
pub mod timer;

use egui::accesskit::Role;
use egui::{Frame, Id, Key, Margin, Rect, ScrollArea, Sense, Stroke, Ui, UiBuilder, WidgetInfo, pos2, vec2};
use septet_client::model::{Conversation, ConversationKind};

use self::nickname::Nickname;
use self::timer::Timer;
use super::super::super::icons::Icon;
use super::super::super::text::{Style, Weight, Wrap, layout};
use super::super::super::theme::{metric, radius, size};
use super::super::super::view::ViewCtx;
use super::super::super::widgets::avatar::{self, Avatar};
use super::super::super::widgets::{button, paragraph, text_left};
use super::super::account::grouped;
use super::super::deeds::{self, Deed};
use super::words;

/// Beside the conversation they are so wide, in points.
pub const WIDTH: f32 = 340.0;
/// In the place of the conversation their column is at most so wide, in points.
const COLUMN: f32 = 440.0;
/// Room at both sides of the column, in points.
const MARGIN: f32 = 20.0;
/// Side of the circle, in points.
const CIRCLE: f32 = 96.0;
/// How long they take to slide in, in seconds.
const SLIDE: f32 = 0.15;

/// What the window remembers of them.
#[derive(Default)]
pub struct Side {
    /// They are open.
    pub open: bool,
    /// They take the place of the conversation.
    pub covers: bool,
    /// Esc is for them: no menu or dialog was open when the frame began.
    pub escape: bool,
}

/// What is wished for there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wish {
    /// That they close.
    Close,
    /// Something with the conversation.
    Deed(Deed),
    /// The page with the timer.
    Timer,
}

/// The details of one conversation.
#[derive(Default)]
pub struct Details {
    nickname: Nickname,
    timer: Option<Timer>,
}

impl Details {
    /// Opens the page with the timer; with it, the details.
    pub fn set_timer(&mut self, conversation: &Conversation, side: &mut Side) {
        self.timer = Some(Timer::new(conversation.expiry, side.open));
        side.open = true;
    }

    /// Shows them in this place, if they are open; they slide in from the right.
    pub fn show(
        &mut self,
        ui: &mut Ui,
        cx: &ViewCtx<'_>,
        conversation: &Conversation,
        place: Rect,
        side: &Side,
    ) -> Option<Wish> {
        let way = ui.ctx().animate_bool_with_time_and_easing(
            Id::unique("details slide"),
            side.open,
            if side.open { SLIDE } else { 0.0 },
            egui::emath::easing::cubic_out,
        );
        if !side.open {
            self.timer = None;
            return None;
        }
        let moved = if side.covers { 0.0 } else { ((1.0 - way) * place.width()).round() };
        let escape = side.escape && !self.nickname.is_editing(); // else Esc only stops that
        let rect = place.translate(vec2(moved, 0.0));
        let mut child = ui.new_child(UiBuilder::new().max_rect(rect));
        child.set_clip_rect(place.intersect(ui.clip_rect()));
        child.painter().rect_filled(rect, 0, cx.theme.bg);
        let below = rect.with_min_y(rect.top() + metric::HEAD);
        let (close, wish) = match &mut self.timer {
            Some(timer) => {
                let left = head(&child, cx, &cx.t("disappearing"), rect, true);
                let done = in_column(&mut child, conversation, below, |ui| timer.show(ui, cx, conversation));
                (left || done, None)
            }
            None => {
                let title = cx.t(words::details(conversation));
                let close = head(&child, cx, &title, rect, side.covers);
                (close, self.body(&mut child, cx, conversation, below))
            }
        };
        if !side.covers {
            child.painter().vline(rect.left() + 0.5, rect.y_range(), Stroke::new(1.0, cx.theme.line));
        }
        let escape = escape && ui.input(|input| input.key_pressed(Key::Escape));
        match (close || escape, wish) {
            (true, _) if self.timer.take().is_some_and(|timer| timer.from_details) => None,
            (true, _) => Some(Wish::Close),
            (false, Some(Wish::Timer)) => {
                self.timer = Some(Timer::new(conversation.expiry, true));
                None
            }
            (false, wish) => wish,
        }
    }

    fn body(
        &mut self,
        ui: &mut Ui,
        cx: &ViewCtx<'_>,
        conversation: &Conversation,
        below: Rect,
    ) -> Option<Wish> {
        in_column(ui, conversation, below, |ui| {
            ui.add_space(24.0);
            portrait(ui, cx, conversation);
            ui.add_space(14.0);
            self.nickname.show(ui, cx, conversation);
            if conversation.blocked {
                ui.add_space(10.0);
                centered(ui, cx, &cx.t("blocked-explained"));
            }
            ui.add_space(20.0);
            card(ui, cx, 14, |ui| account_id(ui, cx, conversation));
            rows::show(ui, cx, conversation)
        })
    }
}

/// What is shown in a column that can be scrolled.
fn in_column<R>(
    ui: &mut Ui,
    conversation: &Conversation,
    below: Rect,
    content: impl FnOnce(&mut Ui) -> R,
) -> R {
    let width = COLUMN.min(below.width() - 2.0 * MARGIN);
    let left = ((below.width() - width) / 2.0).floor();
    let mut below_ui = ui.new_child(UiBuilder::new().max_rect(below));
    let area = ScrollArea::vertical().id_salt(("details", conversation.id)).auto_shrink([false, false]);
    let shown = area.show(&mut below_ui, |ui| {
        let column = Rect::from_min_size(ui.cursor().min + vec2(left, 0.0), vec2(width, f32::INFINITY));
        let shown = ui.scope_builder(UiBuilder::new().max_rect(column), |ui| {
            let shown = content(ui);
            ui.add_space(MARGIN);
            shown
        });
        shown.inner
    });
    shown.inner
}

/// The line with the title and the way out.
fn head(ui: &Ui, cx: &ViewCtx<'_>, title: &str, place: Rect, back: bool) -> bool {
    let rect = place.with_max_y(place.top() + metric::HEAD);
    ui.painter().hline(rect.x_range(), rect.bottom() - 0.5, Stroke::new(1.0, cx.theme.line));
    let style = Style::new(size::TITLE, cx.theme.text).weight(Weight::Bold).line(20.0);
    let middle = rect.center().y;
    let (icon, x, start) = if back {
        (Icon::ARROW_LEFT, rect.left() + 26.0, rect.left() + 50.0)
    } else {
        (Icon::X, rect.right() - 28.0, rect.left() + MARGIN)
    };
    text_left(ui.painter(), pos2(start, middle), title, style, rect.width() - 80.0);
    let button = Rect::from_center_size(pos2(x, middle), vec2(metric::ICON_BUTTON, metric::ICON_BUTTON));
    let label = cx.t(if back { "back" } else { "close-details" });
    button::icon_at(ui, cx, button, Id::unique("close details"), icon, &label).clicked()
}

fn portrait(ui: &mut Ui, cx: &ViewCtx<'_>, conversation: &Conversation) {
    let (row, response) = ui.allocate_exact_size(vec2(ui.available_width(), CIRCLE), Sense::hover());
    let title = words::title(cx, conversation);
    let known = !conversation.name.is_empty() || conversation.nickname.is_some();
    Avatar {
        id: avatar::whose(&conversation.address),
        name: if known { &title } else { "" },
        picture: conversation.picture.as_ref(),
        note: conversation.kind == ConversationKind::NoteToSelf,
    }
    .paint(ui.painter(), row.center(), CIRCLE, cx);
    let label = cx.strings.with("picture-of", [("name", title.as_str().into())]);
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &label));
}

/// A quiet sentence in the middle of the column.
fn centered(ui: &mut Ui, cx: &ViewCtx<'_>, sentence: &str) {
    let width = ui.available_width();
    let galley = layout(ui.ctx(), sentence, cx.small(), Wrap::Lines(width));
    let (rect, response) = ui.allocate_exact_size(vec2(width, galley.size().y), Sense::hover());
    let corner = pos2((rect.center().x - galley.size().x / 2.0).round(), rect.top());
    ui.painter().galley(corner, galley, cx.theme.muted);
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, sentence));
}

/// A group of things that belong together.
fn card<R>(ui: &mut Ui, cx: &ViewCtx<'_>, margin: i8, content: impl FnOnce(&mut Ui) -> R) -> R {
    let shown = Frame::new()
        .fill(cx.theme.panel)
        .stroke(Stroke::new(1.0, cx.theme.line))
        .corner_radius(radius::COMPOSER)
        .inner_margin(Margin::same(margin))
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            content(ui)
        });
    ui.add_space(12.0);
    shown.inner
}

/// The Account ID in three lines, with a way to copy it.
fn account_id(ui: &mut Ui, cx: &ViewCtx<'_>, conversation: &Conversation) {
    let digits = conversation.address.to_string();
    let label = paragraph(ui, &cx.t("account-id"), cx.tiny().color(cx.theme.muted));
    ui.add_space(6.0);
    let style = Style::new(size::SMALL, cx.theme.text).weight(Weight::Mono).line(20.0);
    let width = ui.available_width();
    let galley = layout(ui.ctx(), &grouped(&digits), style, Wrap::Lines(width));
    let (rect, response) = ui.allocate_exact_size(vec2(width, galley.size().y), Sense::hover());
    ui.painter().galley(rect.min, galley, style.color);
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &digits));
    let side = metric::ICON_BUTTON;
    let button = Rect::from_center_size(
        pos2(rect.right() - side / 2.0 + 6.0, label.rect.top() + 8.0),
        vec2(side, side),
    );
    let name = cx.t("copy-account-id");
    if button::icon_at(ui, cx, button, Id::unique("copy id in details"), Icon::COPY, &name).clicked() {
        cx.copy(ui, digits, "account-id-copied");
    }
}

/// Whether one can call them by a name of one's own.
fn can_be_named(conversation: &Conversation) -> bool {
    conversation.kind == ConversationKind::Private && deeds::is_ours(conversation)
}
