//! Where the parts of a message go while it is laid out: one below the other, at the author's side.

use egui::{Context, CornerRadius, Rect, Vec2, pos2};
use septet_client::model::Message;

use crate::gui::text::{Laid, Span, Style, Wrap, layout_rich};
use crate::gui::theme::radius;
use crate::gui::view::ViewCtx;

/// Where a message stands in a run of messages of one author, and how much of it is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    /// It begins the run.
    pub first: bool,
    /// It ends the run.
    pub last: bool,
    /// All its reactions are shown, however many.
    pub unfolded: bool,
}

/// A message that is being laid out.
pub struct Layouter<'a> {
    /// For measuring text.
    pub ctx: &'a Context,
    /// The world.
    pub cx: &'a ViewCtx<'a>,
    /// What is laid out.
    pub message: &'a Message,
    /// Width of the column, in points.
    pub column: f32,
    /// The widest that a part may be, in points.
    pub widest: f32,
    /// A long text is shown whole.
    pub whole: bool,
    /// Where the next part begins, from the top of the item.
    pub y: f32,
}

impl Layouter<'_> {
    /// A rectangle of this size at the author's side, below what is there already.
    pub fn take(&mut self, size: Vec2) -> Rect {
        let left = if self.message.outgoing { self.column - size.x } else { 0.0 };
        let rect = Rect::from_min_size(pos2(left, self.y), size);
        self.y += size.y;
        rect
    }
}

/// A text in which nothing can be followed.
pub fn plain(ctx: &Context, text: &str, style: Style, room: f32) -> Laid {
    layout_rich(ctx, &[Span { text, style, marked: false }], Wrap::Lines(room))
}

/// Corners of a bubble: tight where it meets its neighbour in the run.
pub fn corners(outgoing: bool, first: bool, last: bool) -> CornerRadius {
    let top = if first { radius::BUBBLE } else { radius::TIGHT };
    let bottom = if last { radius::BUBBLE } else { radius::TIGHT };
    let round = radius::BUBBLE;
    if outgoing {
        CornerRadius { nw: round, ne: top, sw: round, se: bottom }
    } else {
        CornerRadius { nw: top, ne: round, sw: bottom, se: round }
    }
}
