//! When what one writes in a conversation disappears (spec 02 §18.1).
//!
//! Decision: a choice holds when it is set, not when it is clicked, because the other is told of each.

use egui::accesskit::Role;
use egui::{CursorIcon, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};
use septet_client::model::{Conversation, ConversationKind, Expiry};

use super::super::words;
use super::card;
use crate::gui::command::{Change, Command};
use crate::gui::screens::deeds;
use crate::gui::text::{Style, Weight};
use crate::gui::theme::{radius, size};
use crate::gui::view::ViewCtx;
use crate::gui::widgets::button::{self, Tone};
use crate::gui::widgets::{focus_ring, paragraph, text_left};

const HOUR: u32 = 3600;
const DAY: u32 = 24 * HOUR;
/// Times after reading, in seconds.
const AFTER_READ: &[u32] = &[300, HOUR, 12 * HOUR, DAY, 7 * DAY, 14 * DAY];
/// Times after sending, in seconds.
const AFTER_SEND: &[u32] = &[12 * HOUR, DAY, 7 * DAY, 14 * DAY];

/// Whether one can choose that what one writes there disappears.
pub fn can_be_set(conversation: &Conversation) -> bool {
    match conversation.kind {
        ConversationKind::NoteToSelf => true,
        ConversationKind::Private => deeds::is_ours(conversation) && !conversation.blocked,
        ConversationKind::Group | ConversationKind::Room | ConversationKind::Blinded => false,
    }
}

/// When something disappears, without saying after how long.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Off,
    Read,
    Send,
}

impl Kind {
    fn of(expiry: Expiry) -> Self {
        match expiry {
            Expiry::Off => Self::Off,
            Expiry::AfterRead(_) => Self::Read,
            Expiry::AfterSend(_) => Self::Send,
        }
    }

    /// With the time that is offered first.
    fn usual(self) -> Expiry {
        match self {
            Self::Off => Expiry::Off,
            Self::Read => Expiry::AfterRead(12 * HOUR),
            Self::Send => Expiry::AfterSend(DAY),
        }
    }

    /// With each of its times.
    fn offers(self) -> Vec<Expiry> {
        match self {
            Self::Off => Vec::new(),
            Self::Read => AFTER_READ.iter().map(|time| Expiry::AfterRead(*time)).collect(),
            Self::Send => AFTER_SEND.iter().map(|time| Expiry::AfterSend(*time)).collect(),
        }
    }

    fn names(self) -> [&'static str; 2] {
        match self {
            Self::Off => ["expire-off", "expire-off-explained"],
            Self::Read => ["expire-read", "expire-read-explained"],
            Self::Send => ["expire-sent", "expire-sent-explained"],
        }
    }
}

/// The page, and what is chosen on it.
pub struct Timer {
    chosen: Expiry,
    /// The details were open before; there one goes back to.
    pub from_details: bool,
}

impl Timer {
    /// Begins with what holds.
    pub fn new(holds: Expiry, from_details: bool) -> Self {
        Self { chosen: holds, from_details }
    }

    /// Shows it; true if it was set.
    pub fn show(&mut self, ui: &mut Ui, cx: &ViewCtx<'_>, conversation: &Conversation) -> bool {
        let note = conversation.kind == ConversationKind::NoteToSelf;
        ui.add_space(20.0);
        let explained = match note {
            true => cx.t("disappearing-explained-note").to_string(),
            false => cx.strings.with("disappearing-explained", [("name", conversation.title().into())]),
        };
        paragraph(ui, &explained, cx.small());
        ui.add_space(16.0);
        let kinds: &[Kind] =
            if note { &[Kind::Off, Kind::Send] } else { &[Kind::Off, Kind::Read, Kind::Send] };
        card(ui, cx, 4, |ui| {
            for kind in kinds {
                let [name, explained] = kind.names();
                let chosen = Kind::of(self.chosen) == *kind;
                if choice(ui, cx, &cx.t(name), Some(&*cx.t(explained)), chosen) && !chosen {
                    let holds = Kind::of(conversation.expiry) == *kind;
                    self.chosen = if holds { conversation.expiry } else { kind.usual() };
                }
            }
        });
        self.times(ui, cx, conversation);
        ui.add_space(4.0);
        let changed = self.chosen != conversation.expiry;
        let width = ui.available_width();
        let set = ui.add_enabled_ui(changed, |ui| {
            button::wide(ui, cx, &cx.t("set-timer"), Tone::Primary, width).clicked()
        });
        ui.add_space(12.0);
        paragraph(ui, &cx.t("disappearing-stays"), cx.tiny());
        if set.inner {
            cx.send(Command::Change(conversation.id, Change::Expiry(self.chosen)));
        }
        set.inner
    }

    /// The times of what is chosen; one that another device chose among them.
    fn times(&mut self, ui: &mut Ui, cx: &ViewCtx<'_>, conversation: &Conversation) {
        let kind = Kind::of(self.chosen);
        let mut offers = kind.offers();
        if kind == Kind::Off {
            return;
        }
        if Kind::of(conversation.expiry) == kind && !offers.contains(&conversation.expiry) {
            offers.push(conversation.expiry);
        }
        let style = Style::new(size::SMALL, cx.theme.text).weight(Weight::Semibold).line(18.0);
        ui.add_space(4.0);
        paragraph(ui, &cx.t("expire-times"), style);
        ui.add_space(8.0);
        card(ui, cx, 4, |ui| {
            for offer in offers {
                let (Expiry::AfterRead(time) | Expiry::AfterSend(time)) = offer else { continue };
                let name = words::duration(cx.strings, time);
                if choice(ui, cx, &name, None, self.chosen == offer) {
                    self.chosen = offer;
                }
            }
        });
    }
}

/// One of several things of which one holds. True if it was clicked.
fn choice(ui: &mut Ui, cx: &ViewCtx<'_>, name: &str, explained: Option<&str>, chosen: bool) -> bool {
    let height = if explained.is_some() { 54.0 } else { 38.0 };
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::click());
    if response.hovered() {
        ui.painter().rect_filled(rect, radius::FIELD, cx.theme.hover);
    }
    let dot = pos2(rect.left() + 21.0, rect.center().y);
    let ring = if chosen { cx.theme.accent } else { cx.theme.faint };
    ui.painter().circle_stroke(dot, 8.0, Stroke::new(1.5, ring));
    if chosen {
        ui.painter().circle_filled(dot, 4.5, cx.theme.accent);
    }
    let (left, room) = (rect.left() + 42.0, rect.width() - 50.0);
    let upper = if explained.is_some() { rect.top() + 18.0 } else { rect.center().y };
    text_left(ui.painter(), pos2(left, upper), name, cx.body(), room);
    if let Some(explained) = explained {
        text_left(ui.painter(), pos2(left, rect.top() + 37.0), explained, cx.tiny(), room);
    }
    focus_ring(ui, &response, cx.theme, radius::FIELD);
    response.widget_info(|| WidgetInfo::selected(Role::RadioButton, true, chosen, name));
    response.on_hover_cursor(CursorIcon::PointingHand).clicked()
}
