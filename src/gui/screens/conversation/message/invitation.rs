//! An invitation into a community: its name and where it is.
//!
//! Decision: the address with its key says nothing to a person, so the card shows the host in it. This version joins no
//! communities; a click says so, and offers the address to be kept.

use std::sync::Arc;

use egui::{CornerRadius, Galley, Rect, pos2, vec2};
use septet_client::model::Notice;

use super::layouter::Layouter;
use super::meta::Meta;
use super::painting::{Act, Painting};
use crate::gui::icons::Icon;
use crate::gui::text::{Style, Weight, Wrap, layout, links};
use crate::gui::theme::size;

const HEIGHT: f32 = 78.0;

/// An invitation in a bubble.
pub struct InvitationBlock {
    /// The bubble.
    pub rect: Rect,
    corners: CornerRadius,
    lines: [Arc<Galley>; 3],
    meta: Option<Meta>,
    label: String,
}

impl Layouter<'_> {
    /// Lays out the invitation; nothing if the message is none.
    pub fn invitation(&mut self, corners: CornerRadius, meta: Option<Meta>) -> Option<InvitationBlock> {
        let Some(Notice::CommunityInvitation { url, name }) = self.message.notice.as_ref() else {
            return None;
        };
        let outgoing = self.message.outgoing;
        let host = links::host(url).unwrap_or_else(|| url.clone());
        let kind = self.cx.t("community-invitation");
        let width = 320.0_f32.min(self.widest);
        let room = Wrap::Line(width - 74.0);
        let muted = Style::new(size::TINY, self.cx.theme.bubble_muted(outgoing)).line(16.0);
        let lines = [
            layout(self.ctx, name, self.cx.body().weight(Weight::Semibold), room),
            layout(self.ctx, &kind, self.cx.small(), room),
            layout(self.ctx, &host, muted, room),
        ];
        let label = format!("{kind}: {name}, {host}");
        let rect = self.take(vec2(width, HEIGHT));
        Some(InvitationBlock { rect, corners, lines, meta, label })
    }
}

impl Painting<'_> {
    /// Paints it.
    pub fn invitation(&mut self, block: &InvitationBlock) {
        let Some(Notice::CommunityInvitation { url, name }) = self.message.notice.as_ref() else { return };
        let (theme, outgoing) = (self.cx.theme, self.message.outgoing);
        let rect = block.rect.translate(self.offset);
        let response = self.click(rect, "invitation", &block.label);
        let accent = theme.bubble_accent(outgoing);
        let painter = self.ui.painter();
        painter.rect_filled(rect, block.corners, theme.bubble(outgoing));
        if response.hovered() || response.has_focus() {
            painter.rect_filled(rect, block.corners, theme.text.gamma_multiply(0.05));
        }
        let center = pos2(rect.left() + 35.0, rect.center().y);
        painter.circle_filled(center, 21.0, accent.gamma_multiply(0.15));
        Icon::USERS.paint(painter, center, 20.0, accent);
        let mut at = pos2(rect.left() + 66.0, rect.top() + 11.0);
        for line in &block.lines {
            painter.galley(at, Arc::clone(line), theme.text);
            at.y += line.size().y + 1.0;
        }
        if let Some(meta) = &block.meta {
            let at = rect.right_bottom() - vec2(12.0, 6.0) - meta.size();
            self.meta(at, meta, None);
        }
        if response.clicked() {
            self.act = Some(Act::Community { url: url.clone(), name: name.clone() });
        }
    }
}
