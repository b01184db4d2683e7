//! A stranger who wants to write to us: who they say they are, and what one can answer.
//!
//! Decision: nothing a stranger chose looks like something we know. Their name is said to be theirs, their picture is not
//! fetched, and the Account ID, the only thing that cannot be chosen, stands there whole, to be compared. The card is the
//! top of the conversation and scrolls with it; the answers stand where one would write, and stay there.

use egui::accesskit::Role;
use egui::{Frame, Id, Margin, Panel, Rect, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2};
use septet_client::model::{Conversation, ConversationId, ConversationKind};

use crate::gui::command::{Command, Toast};
use crate::gui::icons::Icon;
use crate::gui::screens::account::grouped;
use crate::gui::screens::deeds::Deed;
use crate::gui::state::Thread;
use crate::gui::text::{Style, Weight, Wrap, layout};
use crate::gui::theme::{metric, radius, size};
use crate::gui::view::ViewCtx;
use crate::gui::widgets::avatar::{self, Avatar};
use crate::gui::widgets::button::{self, Tone};
use crate::gui::widgets::{paragraph, text_left};

/// The card is at most so wide, in points.
const WIDTH: f32 = 420.0;
/// Room inside the card, in points.
const INSIDE: f32 = 18.0;
/// Side of the circle, in points.
const CIRCLE: f32 = 56.0;
/// Height of a line of digits, in points.
const LINE: f32 = 20.0;
/// Lines of digits.
const LINES: f32 = 3.0;
/// Room above and below the card, in points.
const AROUND: f32 = 12.0;

/// How high the card is with the room around it, in points.
pub const HEIGHT: f32 = 2.0 * AROUND + 2.0 * INSIDE + CIRCLE + 16.0 + 18.0 + LINES * LINE + 14.0 + 18.0;

/// The card, in the middle of a row of [`HEIGHT`].
pub fn card(ui: &Ui, cx: &ViewCtx<'_>, conversation: &Conversation, thread: &Thread, row: Rect) {
    let width = WIDTH.min(row.width());
    let rect = Rect::from_center_size(row.center(), vec2(width, HEIGHT - 2.0 * AROUND));
    let painter = ui.painter();
    let line = Stroke::new(1.0, cx.theme.line);
    painter.rect(rect, radius::COMPOSER, cx.theme.panel, line, StrokeKind::Inside);
    let inside = rect.shrink(INSIDE);
    portrait(ui, cx, conversation, inside.with_max_y(inside.top() + CIRCLE));
    let top = inside.top() + CIRCLE + 16.0;
    account_id(ui, cx, conversation, inside.with_min_y(top));
    let last = pos2(inside.left(), inside.bottom() - 9.0);
    let count = message_count(cx, thread);
    text_left(painter, last, &count, cx.small(), inside.width());
    let whole = ui.interact(rect, Id::unique(("stranger", conversation.id)), Sense::hover());
    let spoken = cx.strings.with("stranger-spoken", [("name", said_name(cx, conversation).into())]);
    whole.widget_info(|| WidgetInfo::labeled(Role::Group, true, format!("{spoken} {count}")));
}

/// A circle without a picture, the name as theirs, and that it is nobody we know.
fn portrait(ui: &Ui, cx: &ViewCtx<'_>, conversation: &Conversation, rect: Rect) {
    let painter = ui.painter();
    let (id, name) = (avatar::whose(&conversation.address), conversation.name.as_str());
    let center = pos2(rect.left() + CIRCLE / 2.0, rect.center().y);
    Avatar { id, name, picture: None, note: false }.paint(painter, center, CIRCLE, cx);
    let left = rect.left() + CIRCLE + 16.0;
    let room = rect.right() - left;
    let style = Style::new(size::TITLE, cx.theme.text).weight(Weight::Bold).line(20.0);
    text_left(painter, pos2(left, rect.top() + 12.0), &said_name(cx, conversation), style, room);
    let whose = match conversation.name.is_empty() {
        true => cx.t("stranger-no-name"),
        false => cx.t("stranger-self-chosen"),
    };
    text_left(painter, pos2(left, rect.top() + 32.0), &whose, cx.tiny().color(cx.theme.muted), room);
    Icon::USER_X.paint(painter, pos2(left + 7.0, rect.top() + 50.0), 14.0, cx.theme.warn);
    let style = cx.tiny().color(cx.theme.text).weight(Weight::Semibold);
    text_left(painter, pos2(left + 20.0, rect.top() + 50.0), &cx.t("stranger-no-contact"), style, room);
}

/// The Account ID in groups, with a way to copy it.
fn account_id(ui: &Ui, cx: &ViewCtx<'_>, conversation: &Conversation, rect: Rect) {
    let digits = conversation.address.to_string();
    let label = cx.tiny().color(cx.theme.muted);
    text_left(ui.painter(), pos2(rect.left(), rect.top() + 8.0), &cx.t("account-id"), label, rect.width());
    let style = Style::new(size::SMALL, cx.theme.text).weight(Weight::Mono).line(LINE);
    let galley = layout(ui.ctx(), &grouped(&digits), style, Wrap::Lines(rect.width()));
    let place = Rect::from_min_size(rect.min + vec2(0.0, 18.0), galley.size());
    ui.painter().galley(place.min, galley, style.color);
    let told = ui.interact(place, Id::unique(("stranger id", conversation.id)), Sense::hover());
    told.widget_info(|| WidgetInfo::labeled(Role::Label, true, &digits));
    let side = metric::ICON_BUTTON;
    let button =
        Rect::from_center_size(pos2(rect.right() - side / 2.0 + 6.0, rect.top() + 8.0), vec2(side, side));
    let (copy, name) = (Id::unique(("copy stranger id", conversation.id)), cx.t("copy-account-id"));
    if button::icon_at(ui, cx, button, copy, Icon::COPY, &name).clicked() {
        cx.copy(ui, digits, "account-id-copied");
    }
}

/// What they call themselves, or the beginning of their id.
fn said_name(cx: &ViewCtx<'_>, conversation: &Conversation) -> String {
    match (conversation.name.as_str(), conversation.address.account()) {
        ("", Some(id)) => id.short(),
        ("", None) => cx.t("stranger-no-name").to_string(),
        (name, _) => name.to_owned(),
    }
}

/// How much they wrote.
fn message_count(cx: &ViewCtx<'_>, thread: &Thread) -> String {
    let written = thread.messages.iter().filter(|it| !it.outgoing && it.notice.is_none()).count();
    cx.strings.with("stranger-messages", [("count", written.into())])
}

/// What stands in place of the composer while a stranger waits; what was chosen that asks first.
pub fn bar(ui: &mut Ui, cx: &ViewCtx<'_>, conversation: &Conversation) -> Option<Deed> {
    let mut chosen = None;
    let top = ui.max_rect().left_top();
    ui.painter().hline(top.x..=top.x + ui.available_width(), top.y, Stroke::new(1.0, cx.theme.line));
    Frame::new().inner_margin(Margin::symmetric(24, 16)).show(ui, |ui| {
        let name = conversation.title();
        let text = cx.strings.with("request-explained", [("name", name.as_str().into())]);
        paragraph(ui, &text, cx.small());
        ui.add_space(12.0);
        ui.horizontal(|ui| {
            let width = ((ui.available_width() - 16.0) / 3.0).min(180.0);
            if button::wide(ui, cx, &cx.t("accept"), Tone::Primary, width).clicked() {
                cx.send(Command::Accept(conversation.id));
            }
            for (name, tone, deed) in
                [("decline", Tone::Quiet, Deed::Decline), ("block", Tone::Danger, Deed::Block)]
            {
                ui.add_space(8.0);
                if button::wide(ui, cx, &cx.t(name), tone, width).clicked() {
                    chosen = Some(deed);
                }
            }
        });
    });
    chosen
}

/// Whether files may be sent: to whom has accepted us, and not to whom we do not write at all.
pub fn takes_files(conversation: &Conversation) -> bool {
    let accepted = conversation.approved_me || conversation.kind != ConversationKind::Private;
    accepted && !conversation.is_request() && !conversation.blocked
}

/// The way to files, which waits until the other has accepted us. True if it was taken.
pub fn attach(ui: &Ui, cx: &ViewCtx<'_>, conversation: ConversationId, rect: Rect) -> bool {
    let (id, label) = (Id::unique("attach"), cx.t("attach"));
    if cx.state.conversation(conversation).is_none_or(takes_files) {
        return button::icon_at(ui, cx, rect, id, Icon::PAPERCLIP, &label).clicked();
    }
    Icon::PAPERCLIP.paint(ui.painter(), rect.center(), metric::ICON, cx.theme.faint);
    let response = ui.interact(rect, id, Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, false, &*label));
    response.on_hover_text(&*cx.t("files-wait"));
    false
}

/// Says that files have to wait, if they have to.
pub fn refuses_files(cx: &ViewCtx<'_>, conversation: ConversationId) -> bool {
    let refuses = cx.state.conversation(conversation).is_some_and(|with| !takes_files(with));
    if refuses {
        cx.actions.toast(Toast::info(&*cx.t("files-wait")));
    }
    refuses
}

/// What stands above the composer while the other has not accepted us: a panel of its own, so that the composer stays
/// where it is when that goes.
pub fn waits(ui: &mut Ui, cx: &ViewCtx<'_>, conversation: &Conversation) {
    if takes_files(conversation) || conversation.is_request() || conversation.blocked {
        return;
    }
    let frame = Frame::new().inner_margin(Margin { left: 24, right: 24, top: 8, bottom: 8 });
    let panel = Panel::bottom(("waits", conversation.id)).frame(frame.fill(cx.theme.bg));
    panel.show_separator_line(false).resizable(false).show(ui, |ui| {
        let name = conversation.title();
        let words = if conversation.approved { "request-waits" } else { "request-first" };
        paragraph(ui, &cx.strings.with(words, [("name", name.as_str().into())]), cx.small());
    });
}
