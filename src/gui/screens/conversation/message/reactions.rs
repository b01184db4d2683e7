//! The reactions under a message.
//!
//! A pill for each emoji: a click adds ours or takes it away, pointer and keyboard learn who chose it. Of many kinds the
//! first few are shown until one asks for the rest.

use std::sync::Arc;

use egui::{Galley, Rect, Stroke, StrokeKind, Vec2, pos2, vec2};
use septet_client::model::{ConversationKind, Message, Reaction};

use super::super::words;
use super::layouter::Layouter;
use super::painting::{Act, Painting};
use crate::gui::command::Command;
use crate::gui::text::{Style, Weight, Wrap, layout_spans};
use crate::gui::theme::size;
use crate::gui::view::ViewCtx;
use crate::gui::widgets::paragraph;

/// More kinds than this are folded…
const MOST: usize = 6;
/// …to so many, and how many more there are.
const FOLDED: usize = 5;
/// Height of a pill.
const HEIGHT: f32 = 24.0;
/// Between pills.
const GAP: f32 = 4.0;

/// Reactions under the last bubble.
pub struct ReactionsBlock(Vec<Pill>);

/// One of them.
struct Pill {
    rect: Rect,
    text: Arc<Galley>,
    /// Its place among the message's reactions; `None` for what shows the rest.
    reaction: Option<usize>,
    ours: bool,
}

impl ReactionsBlock {
    /// The rectangle it covers.
    pub fn bounds(&self) -> Rect {
        self.0.iter().map(|pill| pill.rect).reduce(Rect::union).unwrap_or(Rect::NOTHING)
    }
}

impl Layouter<'_> {
    /// Lays out the reactions; all of them if they are unfolded.
    pub fn reactions(&mut self, unfolded: bool) -> ReactionsBlock {
        self.y -= 4.0;
        let all = &self.message.reactions;
        let shown = if all.len() > MOST && !unfolded { FOLDED } else { all.len() };
        let count = Style::new(size::SMALL, self.cx.theme.text).weight(Weight::Semibold).line(18.0);
        let mut pills: Vec<Pill> = Vec::new();
        for (index, reaction) in all.iter().take(shown).enumerate() {
            let number = counted(self.cx, self.message, reaction);
            let text = layout_spans(self.ctx, &[(&reaction.emoji, count), (&number, count)], Wrap::None);
            let ours = reaction.from.iter().any(|id| self.cx.state.is_me(*id));
            pills.push(pill(text, Some(index), ours));
        }
        if shown < all.len() {
            let more = format!("+{}", all.len() - shown);
            pills.push(pill(layout_spans(self.ctx, &[(&more, count)], Wrap::None), None, false));
        }
        let rows = rows(&mut pills, self.widest - 8.0);
        let frame = self.take(rows + vec2(8.0, 0.0));
        self.y += 4.0;
        let left = if self.message.outgoing { frame.left() } else { frame.left() + 8.0 };
        for pill in &mut pills {
            pill.rect = pill.rect.translate(vec2(left, frame.top()));
        }
        ReactionsBlock(pills)
    }
}

fn pill(text: Arc<Galley>, reaction: Option<usize>, ours: bool) -> Pill {
    let rect = Rect::from_min_size(pos2(0.0, 0.0), vec2((text.size().x + 16.0).max(34.0), HEIGHT));
    Pill { rect, text, reaction, ours }
}

/// Puts pills beside each other, in as many rows as they need; the room of all.
fn rows(pills: &mut [Pill], widest: f32) -> Vec2 {
    let (mut x, mut y, mut width) = (0.0_f32, 0.0, 0.0_f32);
    for pill in pills {
        if x > 0.0 && x + pill.rect.width() > widest {
            (x, y) = (0.0, y + HEIGHT + GAP);
        }
        pill.rect = pill.rect.translate(vec2(x, y));
        x += pill.rect.width() + GAP;
        width = width.max(x - GAP);
    }
    vec2(width, y + HEIGHT)
}

/// How many chose an emoji; nothing to be said of one in a private chat.
fn counted(cx: &ViewCtx<'_>, message: &Message, reaction: &Reaction) -> String {
    let kind = cx.state.conversation(message.conversation).map(|conversation| conversation.kind);
    let private = matches!(kind, None | Some(ConversationKind::Private | ConversationKind::NoteToSelf));
    match reaction.from.len() {
        1 if private => String::new(),
        count => format!(" {count}"),
    }
}

/// Who chose an emoji, as a sentence.
fn who(cx: &ViewCtx<'_>, reaction: &Reaction) -> String {
    let names: Vec<String> = reaction.from.iter().take(4).map(|id| words::author(cx, *id)).collect();
    let more = reaction.from.len() - names.len();
    cx.strings.with(
        "reacted",
        [
            ("emoji", reaction.emoji.as_str().into()),
            ("names", names.join(", ").into()),
            ("more", more.into()),
        ],
    )
}

impl Painting<'_> {
    /// Paints them.
    pub fn reactions(&mut self, block: &ReactionsBlock) {
        for pill in &block.0 {
            let rect = pill.rect.translate(self.offset);
            let reaction = pill.reaction.and_then(|index| self.message.reactions.get(index));
            match reaction {
                Some(reaction) => self.reaction(pill, rect, reaction),
                None => self.fold(pill, rect),
            }
        }
    }

    fn reaction(&mut self, pill: &Pill, rect: Rect, reaction: &Reaction) {
        let cx = self.cx;
        let said = who(cx, reaction);
        let response = self.click(rect, ("reaction", &reaction.emoji), &said);
        self.pill(pill, rect, &response);
        if response.secondary_clicked() {
            self.act = Some(Act::Reactors(self.message.id, Some(reaction.emoji.clone())));
        } else if response.clicked() {
            let (message, emoji) = (self.message.id, reaction.emoji.clone());
            cx.send(Command::React { message, emoji, remove: pill.ours });
        }
        let tip = |ui: &mut egui::Ui| {
            ui.set_max_width(260.0);
            paragraph(ui, &said, cx.small().color(cx.theme.text));
        };
        if response.has_focus() {
            response.show_tooltip_ui(tip);
        } else {
            response.on_hover_ui(tip);
        }
    }

    /// What shows the rest.
    fn fold(&mut self, pill: &Pill, rect: Rect) {
        let label = self.cx.t("reactions-all");
        let response = self.click(rect, "all reactions", &label);
        self.pill(pill, rect, &response);
        if response.clicked() {
            self.act = Some(Act::Unfold(self.message.id));
        }
    }

    fn pill(&self, pill: &Pill, rect: Rect, response: &egui::Response) {
        let theme = self.cx.theme;
        let lit = response.hovered() || response.has_focus();
        let ground = match (pill.ours, lit) {
            (true, _) => theme.raised.lerp_to_gamma(theme.accent, if lit { 0.34 } else { 0.2 }),
            (false, true) => theme.hover,
            (false, false) => theme.raised,
        };
        let edge = match (response.has_focus(), pill.ours) {
            (true, _) => Stroke::new(2.0, theme.accent),
            (_, true) => Stroke::new(1.0, theme.accent),
            _ => Stroke::new(1.0, theme.bg),
        };
        self.ui.painter().rect(rect, 12, ground, edge, StrokeKind::Inside);
        let at = rect.center() - pill.text.size() / 2.0;
        self.ui.painter().galley(at, Arc::clone(&pill.text), theme.text);
    }
}
