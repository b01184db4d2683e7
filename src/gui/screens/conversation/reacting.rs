//! A few emoji to react with, and the way to all of them.

use egui::accesskit::Role;
use egui::{Rect, Sense, Stroke, StrokeKind, Ui, WidgetInfo, vec2};
use septet_client::client::FIRST_EMOJI;
use septet_client::model::{Message, MessageState};

use crate::gui::command::Command;
use crate::gui::icons::Icon;
use crate::gui::view::ViewCtx;
use crate::gui::widgets::{emoji_picker, focus_ring};

/// So many are offered at once.
const FEW: usize = 6;
/// Side of one of them.
const SIDE: f32 = 34.0;

/// What was chosen.
pub enum Chosen {
    /// This emoji.
    Emoji(String),
    /// To see all of them.
    All,
}

/// Whether one can react to a message: it is out, and whom it is with is neither a stranger nor blocked.
pub fn can_react(cx: &ViewCtx<'_>, message: &Message) -> bool {
    let open = |id| cx.state.conversation(id).is_some_and(|with| !with.is_request() && !with.blocked);
    let out = matches!(message.state, MessageState::Sent | MessageState::Received);
    out && !message.deleted && message.notice.is_none() && open(message.conversation)
}

/// Emoji to offer, the likeliest first.
pub fn offered(cx: &ViewCtx<'_>) -> Vec<String> {
    match cx.state.recent_emoji.is_empty() {
        true => FIRST_EMOJI.map(str::to_owned).into(),
        false => cx.state.recent_emoji.clone(),
    }
}

/// Shows a few; those that are ours already are marked. `first` gives the keyboard to the first of them.
pub fn few(ui: &mut Ui, cx: &ViewCtx<'_>, message: &Message, first: bool) -> Option<Chosen> {
    let mut chosen = None;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 0.0;
        for (index, emoji) in offered(cx).into_iter().take(FEW).enumerate() {
            let (rect, response) = ui.allocate_exact_size(vec2(SIDE, SIDE), Sense::click());
            let ours = is_ours(cx, message, &emoji);
            if ours {
                ring(ui, cx, rect);
            }
            emoji_picker::cell(ui, cx, rect, &emoji, response.hovered());
            focus_ring(ui, &response, cx.theme, 8);
            let name = emoji_picker::name_of(&emoji);
            let label = cx
                .strings
                .with(if ours { "react-not-with" } else { "react-with" }, [("emoji", name.as_str().into())]);
            response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &label));
            if first && index == 0 {
                response.request_focus();
            }
            if response.clicked() {
                chosen = Some(Chosen::Emoji(emoji));
            }
        }
        let (rect, response) = ui.allocate_exact_size(vec2(SIDE, SIDE), Sense::click());
        let lit = response.hovered() || response.has_focus();
        ui.painter().circle_filled(rect.center(), 14.0, if lit { cx.theme.hover } else { cx.theme.raised });
        Icon::PLUS.paint(ui.painter(), rect.center(), 17.0, cx.theme.muted);
        focus_ring(ui, &response, cx.theme, 8);
        let label = cx.t("emoji-all");
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &*label));
        if response.on_hover_text(&*label).clicked() {
            chosen = Some(Chosen::All);
        }
    });
    chosen
}

fn ring(ui: &Ui, cx: &ViewCtx<'_>, rect: Rect) {
    let edge = Stroke::new(1.0, cx.theme.accent);
    ui.painter().rect(rect.shrink(2.0), 8, cx.theme.hover, edge, StrokeKind::Inside);
}

fn is_ours(cx: &ViewCtx<'_>, message: &Message, emoji: &str) -> bool {
    let mut all = message.reactions.iter();
    all.any(|reaction| reaction.emoji == emoji && reaction.from.iter().any(|id| cx.state.is_me(*id)))
}

/// Reacts with an emoji, or takes it back if it is ours already.
pub fn toggle(cx: &ViewCtx<'_>, message: &Message, emoji: String) {
    let remove = is_ours(cx, message, &emoji);
    cx.send(Command::React { message: message.id, emoji, remove });
}
