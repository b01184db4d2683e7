//! What the list shows: the conversations, or one of the parts that are kept out of it.
//!
//! Decision: nothing is ever out of reach. Requests are a row above the list, because they wait for an answer; hidden
//! conversations and blocked contacts are quiet rows below it. Each row is there while there is something behind it.

use egui::accesskit::Role;
use egui::{Sense, Ui, WidgetInfo, pos2, vec2};
use septet_client::model::Conversation;

use super::super::super::icons::Icon;
use super::super::super::text::Weight;
use super::super::super::theme::{metric, radius};
use super::super::super::view::ViewCtx;
use super::super::super::widgets::{focus_ring, pill, text_left, text_right};
use super::super::deeds;

/// A part of all conversations.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Shelf {
    /// The list itself.
    #[default]
    Listed,
    /// Strangers who wait to be accepted.
    Requests,
    /// Conversations taken out of the list.
    Hidden,
    /// Accounts whose messages we do not want.
    Blocked,
}

impl Shelf {
    /// Whether a conversation is there.
    pub fn holds(self, conversation: &Conversation) -> bool {
        match self {
            Self::Listed => conversation.is_listed(),
            Self::Requests => conversation.is_request(),
            Self::Hidden => deeds::is_tucked_away(conversation),
            Self::Blocked => conversation.blocked,
        }
    }

    /// Itself if anything is there, or if one stays to be told that nothing is; else the list.
    pub fn if_any(self, cx: &ViewCtx<'_>) -> Self {
        if self.count(cx) > 0 || self == Self::Requests { self } else { Self::Listed }
    }

    /// The sentence for nothing being there.
    pub fn empty(self) -> &'static str {
        if self == Self::Requests { "no-requests" } else { "list-empty" }
    }

    /// How many are there.
    pub fn count(self, cx: &ViewCtx<'_>) -> usize {
        cx.state.conversations.iter().filter(|conversation| self.holds(conversation)).count()
    }

    /// Its picture, its name, and its name with the count of what is there.
    fn look(self) -> (Icon, &'static str, &'static str) {
        match self {
            Self::Listed => (Icon::CHEVRON_LEFT, "all-conversations", "all-conversations"),
            Self::Requests => (Icon::INBOX, "message-requests", "message-requests-count"),
            Self::Hidden => (Icon::EYE_OFF, "hidden-conversations", "hidden-conversations-count"),
            Self::Blocked => (Icon::BAN, "blocked-contacts", "blocked-contacts-count"),
        }
    }
}

/// What stands above the rows: requests that wait, or the way back and what is shown. Returns what was chosen.
pub fn before(ui: &mut Ui, cx: &ViewCtx<'_>, shown: Shelf) -> Option<Shelf> {
    if shown != Shelf::Listed {
        let back = row(ui, cx, Shelf::Listed, 0);
        let (_, name, _) = shown.look();
        heading(ui, cx, &cx.t(name));
        return back.then_some(Shelf::Listed);
    }
    let waiting = Shelf::Requests.count(cx);
    (waiting > 0 && row(ui, cx, Shelf::Requests, waiting)).then_some(Shelf::Requests)
}

/// What stands below the list: the ways to what is not in it. Returns what was chosen.
pub fn after(ui: &mut Ui, cx: &ViewCtx<'_>, shown: Shelf) -> Option<Shelf> {
    if shown != Shelf::Listed {
        return None;
    }
    let mut chosen = None;
    let mut first = true;
    for shelf in [Shelf::Hidden, Shelf::Blocked] {
        let count = shelf.count(cx);
        if count == 0 {
            continue;
        }
        if std::mem::take(&mut first) {
            ui.add_space(8.0);
        }
        if row(ui, cx, shelf, count) {
            chosen = Some(shelf);
        }
    }
    chosen
}

fn row(ui: &mut Ui, cx: &ViewCtx<'_>, shelf: Shelf, count: usize) -> bool {
    let width = ui.available_width();
    let (outer, response) = ui.allocate_exact_size(vec2(width, 48.0), Sense::click());
    let rect = outer.with_max_y(outer.top() + 44.0).shrink2(vec2(6.0, 0.0));
    if response.hovered() {
        ui.painter().rect_filled(rect, radius::ROW, cx.theme.hover);
    }
    let middle = rect.center().y;
    let (icon, name, counted) = shelf.look();
    icon.paint(ui.painter(), pos2(rect.left() + 21.0, middle), metric::ICON, cx.theme.muted);
    let style = cx.body().color(cx.theme.muted);
    text_left(ui.painter(), pos2(rect.left() + 40.0, middle), &cx.t(name), style, width - 120.0);
    let end = pos2(rect.right() - 12.0, middle);
    let words = pill::count(u32::try_from(count).unwrap_or(u32::MAX));
    match shelf {
        Shelf::Listed => {}
        Shelf::Requests => {
            pill::right(ui.painter(), end, &words, cx.theme.accent, cx.theme.on_accent);
        }
        Shelf::Hidden | Shelf::Blocked => {
            text_right(ui.painter(), end, &words, cx.tiny());
        }
    }
    focus_ring(ui, &response.clone().with_new_rect(rect), cx.theme, radius::ROW);
    let spoken = cx.strings.with(counted, [("count", count.into())]);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &spoken));
    response.clicked()
}

/// The name of what is shown.
fn heading(ui: &mut Ui, cx: &ViewCtx<'_>, name: &str) {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 28.0), Sense::hover());
    let style = cx.tiny().color(cx.theme.muted).weight(Weight::Semibold);
    text_left(ui.painter(), pos2(rect.left() + 18.0, rect.center().y), name, style, rect.width() - 36.0);
    response.widget_info(|| WidgetInfo::labeled(Role::Heading, true, name));
}
