//! One conversation in the list, and the menu under the second mouse button.

use std::time::Duration;

use egui::accesskit::Role;
use egui::{PointerButton, Popup, Rect, Sense, Ui, WidgetInfo, pos2, vec2};
use septet_client::model::{Conversation, ConversationKind, LastMessage, MessageState};

use super::super::super::icons::Icon;
use super::super::super::text::{self, Weight, Wrap};
use super::super::super::theme::{metric, radius};
use super::super::super::view::ViewCtx;
use super::super::super::widgets::avatar::{self, Avatar};
use super::super::super::widgets::button::{Tone, menu_row};
use super::super::super::widgets::{focus_ring, pill, text_left, text_right};
use super::super::conversation::{menu_frame, words};
use super::super::deeds::{self, Deed};

/// What was done with a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Did {
    /// It was chosen.
    Opened,
    /// Its details were asked for.
    Details,
    /// Something of its menu.
    Deed(Deed),
}

/// Shows it.
pub fn show(ui: &mut Ui, cx: &ViewCtx<'_>, conversation: &Conversation, selected: bool) -> Option<Did> {
    let width = ui.available_width();
    let (outer, response) = ui.allocate_exact_size(vec2(width, metric::ROW), Sense::click());
    let name = words::title(cx, conversation);
    response.widget_info(|| {
        WidgetInfo::selected(Role::ListItem, true, selected, spoken(cx, conversation, &name))
    });
    let did = menu(&response, cx, conversation);
    if ui.is_rect_visible(outer) {
        let rect = outer.shrink2(vec2(6.0, 0.0));
        if selected {
            ui.painter().rect_filled(rect, radius::ROW, cx.theme.accent_soft);
        } else if response.hovered() {
            ui.painter().rect_filled(rect, radius::ROW, cx.theme.hover);
        }
        row_text(ui, cx, conversation, &name, rect);
        focus_ring(ui, &response.clone().with_new_rect(rect), cx.theme, radius::ROW);
    }
    // On press, not on release: the conversation is there before the finger is up. Both may be within one frame.
    let pressed = ui.input(|input| input.pointer.primary_pressed());
    let by_key = response.clicked() && !response.clicked_by(PointerButton::Primary);
    let by_hand = pressed && (response.is_pointer_button_down_on() || response.clicked());
    did.or((by_key || by_hand).then_some(Did::Opened))
}

/// The row read aloud.
fn spoken(cx: &ViewCtx<'_>, conversation: &Conversation, name: &str) -> String {
    let mut spoken =
        cx.strings.with("row-label", [("name", name.into()), ("count", conversation.unread.into())]);
    for (holds, what) in [
        (cx.state.typing.contains(&conversation.id), "typing"),
        (conversation.unread == 0 && conversation.marked_unread, "marked-unread"),
        (conversation.blocked, "blocked"),
        (deeds::is_tucked_away(conversation), "hidden"),
    ] {
        if holds {
            spoken.push_str(", ");
            spoken.push_str(&cx.t(what).to_lowercase());
        }
    }
    spoken
}

fn row_text(ui: &Ui, cx: &ViewCtx<'_>, conversation: &Conversation, name: &str, rect: Rect) {
    let painter = ui.painter();
    let unread = conversation.unread > 0 || conversation.marked_unread;
    let known = !conversation.name.is_empty() || conversation.nickname.is_some();
    Avatar {
        id: avatar::whose(&conversation.address),
        name: if known { name } else { "" },
        picture: conversation.picture.as_ref(),
        note: conversation.kind == ConversationKind::NoteToSelf,
    }
    .paint(painter, pos2(rect.left() + 28.0, rect.center().y), metric::AVATAR, cx);
    let (left, mut right) = (rect.left() + 58.0, rect.right() - 8.0);
    let (upper, lower) = (rect.top() + 20.0, rect.top() + 41.0);
    if let Some(last) = &conversation.last_message {
        let time = cx.clock.brief(last.timestamp, cx.strings);
        right = text_right(painter, pos2(right, upper), &time, cx.tiny()).left() - 6.0;
    }
    let muted = deeds::is_muted(cx, conversation);
    if let Some(end) = deeds::mute_ends(cx, conversation) {
        let left = end.as_ms().saturating_sub(cx.clock.timestamp().as_ms());
        ui.ctx().request_repaint_after(Duration::from_millis(left));
    }
    for (shown, icon) in [
        (muted, Icon::BELL_OFF),
        (conversation.pinned > 0, Icon::PIN),
        (conversation.blocked, Icon::BAN),
        (deeds::is_tucked_away(conversation), Icon::EYE_OFF),
    ] {
        if shown {
            icon.paint(painter, pos2(right - 7.0, upper), 14.0, cx.theme.faint);
            right -= 20.0;
        }
    }
    let weight = if unread { Weight::Semibold } else { Weight::Medium };
    text_left(painter, pos2(left, upper), name, cx.body().weight(weight), right - left);
    let mut right = rect.right() - 8.0;
    if unread {
        let ground = if muted { cx.theme.faint } else { cx.theme.accent };
        let at = pos2(right, lower);
        let count = pill::count(conversation.unread);
        right -= 6.0
            + match (conversation.mentions, conversation.unread) {
                (_, 0) => pill::dot(painter, at, ground),
                (0, _) => pill::right(painter, at, &count, ground, cx.theme.on_accent),
                _ => pill::right(painter, at, &format!("@ {count}"), ground, cx.theme.on_accent),
            };
    }
    last_line(ui, cx, conversation, unread, pos2(left, lower), right - left);
}

/// The second line: a draft, or the newest message with its state.
fn last_line(
    ui: &Ui,
    cx: &ViewCtx<'_>,
    conversation: &Conversation,
    unread: bool,
    at: egui::Pos2,
    width: f32,
) {
    if cx.state.typing.contains(&conversation.id) {
        let style = cx.small().color(cx.theme.accent);
        text_left(ui.painter(), at, &cx.t("typing"), style, width);
        return;
    }
    let plain = cx.small().color(if unread { cx.theme.text } else { cx.theme.muted });
    let (lead, text) = match (&conversation.draft, &conversation.last_message) {
        (Some(draft), _) if draft.files > 0 || !draft.text.trim().is_empty() => {
            (Some((format!("{} ", cx.t("draft")), cx.theme.accent)), words::draft(cx, draft))
        }
        (_, Some(last)) => (lead(cx, last), line(cx, conversation, last)),
        _ => (None, String::new()),
    };
    let galley = match &lead {
        Some((words, color)) => {
            let spans = [(words.as_str(), plain.color(*color)), (text.as_str(), plain)];
            text::layout_spans(ui.ctx(), &spans, Wrap::Line(width))
        }
        None => text::layout(ui.ctx(), &text, plain, Wrap::Line(width)),
    };
    ui.painter().galley(at - vec2(0.0, galley.size().y / 2.0), galley, plain.color);
}

fn lead(cx: &ViewCtx<'_>, last: &LastMessage) -> Option<(String, egui::Color32)> {
    match last.state {
        MessageState::Failed => Some((format!("{} · ", cx.t("state-failed")), cx.theme.bad)),
        MessageState::Sending => Some((format!("{} · ", cx.t("state-sending")), cx.theme.faint)),
        MessageState::Sent | MessageState::Received => None,
    }
}

fn line(cx: &ViewCtx<'_>, conversation: &Conversation, last: &LastMessage) -> String {
    if last.deleted {
        return cx.t("row-deleted").to_string();
    }
    if !last.text.is_empty() {
        return words::named(cx, &last.text);
    }
    if let Some(notice) = &last.notice {
        return words::notice(cx.strings, notice, last.outgoing, &words::title(cx, conversation));
    }
    let Some(attachment) = &last.attachment else { return String::new() };
    let what = words::attachment_kind(cx, attachment);
    if last.outgoing {
        cx.strings.with("you-sent", [("what", what.into())])
    } else {
        cx.strings.with("they-sent", [("what", what.into())])
    }
}

fn menu(response: &egui::Response, cx: &ViewCtx<'_>, conversation: &Conversation) -> Option<Did> {
    let shown = Popup::context_menu(response).frame(menu_frame(cx)).show(|ui| {
        let mut did = None;
        let upper = [Deed::Pin, Deed::Unpin, Deed::MarkRead, Deed::MarkUnread];
        did = deeds::menu_rows(ui, cx, conversation, &upper).map(Did::Deed).or(did);
        deeds::mute_row(ui, cx, conversation);
        let details = cx.t(words::details(conversation));
        if menu_row(ui, cx, Icon::INFO, &details, Tone::Quiet).clicked() {
            did = Some(Did::Details);
            ui.close();
        }
        if menu_row(ui, cx, Icon::COPY, &cx.t("copy-account-id"), Tone::Quiet).clicked() {
            cx.copy(ui, conversation.address.to_string(), "account-id-copied");
            ui.close();
        }
        let lower = [
            Deed::Show,
            Deed::Hide,
            Deed::Unblock,
            Deed::Block,
            Deed::Decline,
            Deed::DeleteConversation,
            Deed::DeleteContact,
        ];
        deeds::menu_rows(ui, cx, conversation, &lower).map(Did::Deed).or(did)
    });
    shown.and_then(|shown| shown.inner)
}
