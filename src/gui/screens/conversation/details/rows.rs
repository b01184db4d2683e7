//! What can be set about a conversation, and what can be deleted.

use egui::{Popup, RectAlign, Ui, vec2};
use septet_client::model::Conversation;

use super::super::super::super::icons::Icon;
use super::super::super::super::theme::metric;
use super::super::super::super::view::ViewCtx;
use super::super::super::super::widgets::button::Tone;
use super::super::super::deeds::{self, Deed};
use super::super::{menu_frame, words};
use super::row::row;
use super::{Wish, card, files, timer};

/// Shows two cards; what was chosen.
pub fn show(ui: &mut Ui, cx: &ViewCtx<'_>, conversation: &Conversation) -> Option<Wish> {
    let upper = [Deed::Show, Deed::Pin, Deed::Unpin, Deed::MarkRead, Deed::MarkUnread];
    let lower = [
        Deed::Hide,
        Deed::Unblock,
        Deed::Block,
        Deed::Decline,
        Deed::DeleteConversation,
        Deed::DeleteContact,
    ];
    let mutes = deeds::can_be_muted(conversation);
    let (mut chosen, mut timer) = (None, false);
    let files = files::applies(conversation);
    if mutes || files || upper.iter().any(|deed| deed.applies(conversation)) {
        card(ui, cx, 4, |ui| {
            chosen = rows(ui, cx, conversation, &upper).or(chosen);
            if mutes {
                chosen = mute(ui, cx, conversation).or(chosen);
            }
            if timer::can_be_set(conversation) {
                let off = || cx.t("disappearing-off").to_string();
                let when = words::expiry_chip(cx, conversation.expiry).unwrap_or_else(off);
                timer = row(ui, cx, Icon::TIMER, &cx.t("disappearing-short"), Tone::Quiet, &when).clicked();
            }
            if files {
                files::show(ui, cx, conversation);
            }
        });
    }
    if lower.iter().any(|deed| deed.applies(conversation)) {
        card(ui, cx, 4, |ui| chosen = rows(ui, cx, conversation, &lower).or(chosen));
    }
    chosen.map(Wish::Deed).or(timer.then_some(Wish::Timer))
}

fn rows(ui: &mut Ui, cx: &ViewCtx<'_>, conversation: &Conversation, deeds: &[Deed]) -> Option<Deed> {
    let mut chosen = None;
    for deed in deeds.iter().copied().filter(|deed| deed.applies(conversation)) {
        let (icon, name, tone) = deed.look(conversation);
        if row(ui, cx, icon, &cx.t(name), tone, "").clicked() {
            chosen = Some(deed);
        }
    }
    chosen
}

/// Mutes for a time of choice, or tells until when it is muted and ends that.
fn mute(ui: &mut Ui, cx: &ViewCtx<'_>, conversation: &Conversation) -> Option<Deed> {
    if deeds::is_muted(cx, conversation) {
        let until = deeds::mute_words(cx, conversation);
        let label = cx.t("unmute");
        return row(ui, cx, Icon::BELL, &label, Tone::Quiet, &until).clicked().then_some(Deed::Unmute);
    }
    let opener = row(ui, cx, Icon::BELL_OFF, &cx.t("mute"), Tone::Quiet, "");
    let end = opener.rect.right_center() - vec2(18.0, 0.0);
    Icon::CHEVRON_DOWN.paint(ui.painter(), end, metric::ICON - 2.0, cx.theme.faint);
    Popup::menu(&opener)
        .align(RectAlign::BOTTOM_END)
        .frame(menu_frame(cx))
        .show(|ui| deeds::mute_times(ui, cx, conversation.id));
    None
}
