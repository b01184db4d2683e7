//! The reactions under a message.

use std::sync::Arc;

use egui::{Galley, Rect, Stroke, StrokeKind, pos2, vec2};

use super::layouter::Layouter;
use super::painting::Painting;
use crate::gui::text::{Style, Weight, Wrap, layout_spans};
use crate::gui::theme::size;

/// Reactions under the last bubble: where, emoji and count, whether one of them is ours.
pub struct ReactionsBlock(Vec<(Rect, Arc<Galley>, bool)>);

impl ReactionsBlock {
    /// The rectangle it covers.
    pub fn bounds(&self) -> Rect {
        self.0.iter().map(|(rect, ..)| *rect).reduce(Rect::union).unwrap_or(Rect::NOTHING)
    }
}

impl Layouter<'_> {
    /// Lays out the reactions.
    pub fn reactions(&mut self) -> ReactionsBlock {
        self.y -= 4.0;
        let count = Style::new(size::SMALL, self.cx.theme.text).weight(Weight::Semibold).line(18.0);
        let mut pills: Vec<(f32, Arc<Galley>, bool)> = Vec::new();
        for reaction in &self.message.reactions {
            let number = format!(" {}", reaction.from.len());
            let galley = layout_spans(self.ctx, &[(&reaction.emoji, count), (&number, count)], Wrap::None);
            let ours = reaction.from.iter().any(|id| self.cx.state.is_me(*id));
            pills.push((galley.size().x + 16.0, galley, ours));
        }
        let width: f32 = pills.iter().map(|(width, ..)| width + 4.0).sum::<f32>() - 4.0;
        let row = self.take(vec2(width + 8.0, 24.0));
        self.y += 4.0;
        let mut x = if self.message.outgoing { row.left() } else { row.left() + 8.0 };
        let place = |(width, galley, ours): (f32, Arc<Galley>, bool)| {
            let rect = Rect::from_min_size(pos2(x, row.top()), vec2(width, 24.0));
            x += width + 4.0;
            (rect, galley, ours)
        };
        ReactionsBlock(pills.into_iter().map(place).collect())
    }
}

impl Painting<'_> {
    /// Paints them.
    pub fn reactions(&self, block: &ReactionsBlock) {
        let theme = self.cx.theme;
        for (rect, galley, ours) in &block.0 {
            let rect = rect.translate(self.offset);
            let stroke = Stroke::new(1.0, if *ours { theme.accent } else { theme.bg });
            self.ui.painter().rect(rect, 12, theme.raised, stroke, StrokeKind::Inside);
            self.ui.painter().galley(rect.center() - galley.size() / 2.0, Arc::clone(galley), theme.text);
        }
    }
}
