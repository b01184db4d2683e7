//! A voice message in a bubble of its own; and what lets any other file with sound in it be played where it is shown.

use std::time::Duration;

use egui::{CornerRadius, Rect, pos2, vec2};
use septet_client::model::{Attachment, AttachmentState};

use super::super::player;
use super::layouter::Layouter;
use super::meta::Meta;
use super::painting::Painting;
use super::transfer::{is_here, transfer};
use crate::gui::icons::Icon;
use crate::gui::sound::{ClipKey, FRAME, Looked};
use crate::gui::text::Style;
use crate::gui::theme::size;
use crate::gui::widgets::{text_center, text_left};

/// Size of the bubble in points.
const BUBBLE: egui::Vec2 = vec2(300.0, 66.0);
/// Side of the round button in points.
const BUTTON: f32 = 38.0;

/// A voice message in a bubble.
pub struct VoiceBlock {
    /// The place of the attachment in the message.
    index: usize,
    /// The bubble.
    pub rect: Rect,
    /// Its corners.
    corners: CornerRadius,
    /// Time and state.
    meta: Option<Meta>,
}

/// A clip that can be played, as it is now.
pub struct Audible {
    clip: ClipKey,
    look: Looked,
    /// Where the listener is, if it is what plays.
    position: Option<Duration>,
    paused: bool,
}

impl Audible {
    fn duration(&self) -> Duration {
        if let Looked::Ready(waveform) = &self.look { waveform.duration } else { Duration::ZERO }
    }

    /// What is left of it, in seconds as they are counted down.
    pub(super) fn left(&self) -> String {
        player::time(self.duration().saturating_sub(self.position.unwrap_or_default()))
    }
}

impl Layouter<'_> {
    /// Lays out the attachment at this place of the message.
    pub fn voice(&mut self, index: usize, corners: CornerRadius, meta: Option<Meta>) -> VoiceBlock {
        let rect = self.take(vec2(BUBBLE.x.min(self.widest), BUBBLE.y));
        VoiceBlock { index, rect, corners, meta }
    }
}

impl Painting<'_> {
    /// Paints it.
    pub fn voice(&mut self, block: &VoiceBlock) {
        let Some(attachment) = self.message.attachments.get(block.index) else { return };
        let (theme, outgoing) = (self.cx.theme, self.message.outgoing);
        let rect = block.rect.translate(self.offset);
        self.ui.painter().rect_filled(rect, block.corners, theme.bubble(outgoing));
        let button = Rect::from_center_size(pos2(rect.left() + 31.0, rect.center().y), vec2(BUTTON, BUTTON));
        let (left, right) = (button.right() + 12.0, rect.right() - 14.0);
        let below = rect.bottom() - 15.0;
        let muted = theme.bubble_muted(outgoing);
        let meta = block.meta.as_ref().map_or(0.0, |meta| meta.size().x + 12.0);
        match self.audible(attachment) {
            Some(clip) => {
                self.play_button(&clip, button, (BUTTON / 2.0) as u8, attachment);
                let bars = Rect::from_x_y_ranges(left..=right, rect.top() + 10.0..=rect.top() + 38.0);
                self.seek_bar(&clip, bars);
                let style = Style::new(size::TINY, muted).line(16.0);
                text_left(self.ui.painter(), pos2(left, below), &clip.left(), style, 60.0);
                self.speed_button(&clip, Rect::from_center_size(pos2(left + 54.0, below), vec2(34.0, 18.0)));
            }
            None => {
                let failed = matches!(attachment.state, AttachmentState::Failed { .. });
                let color = if failed { theme.out_bad } else { muted };
                self.round_button(attachment, button);
                let name = self.cx.t("voice-message");
                text_left(
                    self.ui.painter(),
                    pos2(left, rect.top() + 24.0),
                    &name,
                    self.cx.body(),
                    right - left,
                );
                let line = match is_here(attachment) {
                    true => self.cx.t("cannot-be-played").to_string(),
                    false => self.file_line(attachment),
                };
                let style = Style::new(size::TINY, color).line(16.0);
                text_left(self.ui.painter(), pos2(left, below), &line, style, right - left - meta);
            }
        }
        if let Some(part) = transfer(attachment) {
            let bar = Rect::from_x_y_ranges(left..=right, rect.bottom() - 5.0..=rect.bottom() - 2.0);
            self.ui.painter().rect_filled(bar, 2, theme.line);
            let done = bar.with_max_x(bar.left() + bar.width() * part);
            self.ui.painter().rect_filled(done, 2, theme.bubble_accent(outgoing));
        }
        if let Some(meta) = &block.meta {
            let at = rect.right_bottom() - vec2(12.0 + meta.size().x, 23.0);
            self.meta(at, meta, None);
        }
    }

    /// What is to be heard of a file, if it is here and may be sound.
    pub(super) fn audible(&self, attachment: &Attachment) -> Option<Audible> {
        let sounds = attachment.voice || attachment.content_type.starts_with("audio/");
        if !sounds || !is_here(attachment) {
            return None;
        }
        let clip = ClipKey::Attachment(attachment.id);
        let look = self.cx.sound.look(self.cx.actions, &clip);
        // What may turn out not to be sound looks like any file until then.
        if matches!(look, Looked::Bad) || !attachment.voice && matches!(look, Looked::Loading) {
            return None;
        }
        let now = self.cx.sound.playing(&clip);
        let (position, paused) = (now.as_ref().map(|now| now.position()), now.is_none_or(|now| now.paused));
        Some(Audible { clip, look, position, paused })
    }

    /// Play and pause.
    pub(super) fn play_button(&mut self, clip: &Audible, rect: Rect, corner: u8, attachment: &Attachment) {
        let theme = self.cx.theme;
        let what = match attachment.voice {
            true => self.cx.t("voice-message").to_string(),
            false => attachment.name.clone(),
        };
        let label = if clip.paused { "play-clip" } else { "pause-clip" };
        let label = self.cx.strings.with(label, [("name", what.into())]);
        let response = self.click(rect, ("play", attachment.id), &label);
        let accent = theme.bubble_accent(self.message.outgoing);
        let ground = if attachment.voice { accent } else { accent.gamma_multiply(0.15) };
        let lit = response.hovered() || response.has_focus();
        let ground = if lit { ground.lerp_to_gamma(theme.text, 0.15) } else { ground };
        self.ui.painter().rect_filled(rect, corner, ground);
        let ink = if attachment.voice { theme.bubble(self.message.outgoing) } else { accent };
        let icon = if clip.paused { Icon::PLAY } else { Icon::PAUSE };
        icon.paint(self.ui.painter(), rect.center(), 18.0, ink);
        player::ring(self.ui, &response, theme, rect, corner);
        if response.clicked() {
            let of = Some((self.message.conversation, self.message.id));
            self.cx.sound.toggle(self.cx.actions, &clip.clip, of);
        }
        if !clip.paused && self.ui.is_rect_visible(rect) {
            self.ui.ctx().request_repaint_after(FRAME);
        }
    }

    /// The waveform, and going to another place in it.
    fn seek_bar(&mut self, clip: &Audible, rect: Rect) {
        let (theme, outgoing) = (self.cx.theme, self.message.outgoing);
        let duration = clip.duration();
        let bars = player::Bars {
            look: &clip.look,
            part: player::part(clip.position.unwrap_or_default(), duration),
            done: theme.bubble_accent(outgoing),
            rest: theme.bubble_muted(outgoing).gamma_multiply(0.45),
        };
        bars.paint(self.ui.painter(), rect);
        let id = egui::Id::unique(("seek", self.message.id)).with(format!("{:?}", clip.clip));
        if let Some(to) =
            player::seek(self.ui, self.cx, id, rect, clip.position.unwrap_or_default(), duration)
        {
            let of = Some((self.message.conversation, self.message.id));
            self.cx.sound.seek(self.cx.actions, &clip.clip, of, to);
        }
    }

    /// How fast it is played.
    fn speed_button(&mut self, clip: &Audible, rect: Rect) {
        let (theme, outgoing) = (self.cx.theme, self.message.outgoing);
        let text = player::speed(self.cx.sound.speed());
        let label = self.cx.strings.with("speed", [("speed", text.into())]);
        let response = self.click(rect, ("speed", format!("{:?}", clip.clip)), &label);
        let lit = response.hovered() || response.has_focus();
        let muted = theme.bubble_muted(outgoing);
        self.ui.painter().rect_filled(rect, 9, muted.gamma_multiply(if lit { 0.35 } else { 0.18 }));
        let ink = if lit { theme.text } else { muted };
        text_center(
            self.ui.painter(),
            rect.center(),
            text,
            Style::new(size::META, ink).line(14.0),
            rect.width(),
        );
        if response.on_hover_text(label).clicked() {
            self.cx.sound.next_speed(self.cx.actions);
        }
    }

    /// What can be done with a voice message that cannot be heard now.
    fn round_button(&mut self, attachment: &Attachment, rect: Rect) {
        let theme = self.cx.theme;
        let accent = theme.bubble_accent(self.message.outgoing);
        let name = self.cx.t("voice-message");
        let act = self.file_act(attachment);
        let (icon, lit, response) = match &act {
            Some((icon, label, _)) => {
                let label = format!("{} {name}", self.cx.t(label));
                let response = self.click(rect, ("button", attachment.id), &label);
                (*icon, response.hovered() || response.has_focus(), Some(response.on_hover_text(label)))
            }
            None => (Icon::MIC, false, None),
        };
        let ground = accent.gamma_multiply(if lit { 0.3 } else { 0.15 });
        self.ui.painter().circle_filled(rect.center(), rect.width() / 2.0, ground);
        icon.paint(self.ui.painter(), rect.center(), 18.0, accent);
        if let (Some((_, _, click)), Some(response)) = (act, response) {
            player::ring(self.ui, &response, theme, rect, (BUTTON / 2.0) as u8);
            if response.clicked() {
                self.follow(click);
            }
        }
    }

    /// How far a file is played, at the lower edge of its bubble; with a way to go elsewhere in it.
    pub(super) fn file_progress(&mut self, clip: &Audible, rect: Rect, accent: egui::Color32) {
        let Some(position) = clip.position else { return };
        let duration = clip.duration();
        let track = Rect::from_x_y_ranges(
            rect.left() + 60.0..=rect.right() - 44.0,
            rect.bottom() - 9.0..=rect.bottom(),
        );
        let line = Rect::from_center_size(track.center(), vec2(track.width(), 3.0));
        self.ui.painter().rect_filled(line, 2, self.cx.theme.line);
        let end = line.left() + line.width() * player::part(position, duration);
        self.ui.painter().rect_filled(line.with_max_x(end), 2, accent);
        let id = egui::Id::unique(("seek", self.message.id)).with(format!("{:?}", clip.clip));
        if let Some(to) = player::seek(self.ui, self.cx, id, track, position, duration) {
            let of = Some((self.message.conversation, self.message.id));
            self.cx.sound.seek(self.cx.actions, &clip.clip, of, to);
        }
    }
}
