//! A message that was laid out, on screen: bubbles, pictures, files, and what can be clicked in them.

use std::sync::Arc;

use egui::accesskit::Role;
use egui::epaint::RectShape;
use egui::{
    Color32, CornerRadius, CursorIcon, Galley, Id, Pos2, Rect, Response, Sense, Stroke, StrokeKind, Ui, Vec2,
    WidgetInfo, pos2, vec2,
};
use septet_client::model::{Attachment, AttachmentId, AttachmentState, Message, MessageId, MessageState};

use super::super::super::command::{Command, ImageKey};
use super::super::super::icons::Icon;
use super::super::super::images::Picture;
use super::super::super::text::{Style, Weight};
use super::super::super::theme::size;
use super::super::super::view::ViewCtx;
use super::super::super::widgets::{self, text_center, text_left};
use super::prepare::{Block, Prepared, TextBlock};
use super::words;

/// What a click in a message asks of the conversation.
#[derive(Clone, Debug, PartialEq)]
pub enum Act {
    /// Answer it.
    Reply(MessageId),
    /// Show a picture large.
    View(AttachmentId),
    /// Go to the message it answers.
    JumpTo(MessageId),
    /// Open an address, after asking.
    Link(String),
}

/// The pictures of a message are decoded for this many pixels on the longer side.
const THUMBNAIL: u32 = 960;

struct Painting<'a> {
    ui: &'a Ui,
    cx: &'a ViewCtx<'a>,
    message: &'a Message,
    offset: Vec2,
    act: Option<Act>,
}

/// Paints it with its top left corner at `origin`. The returned response is that of the whole message.
pub fn paint(ui: &Ui, cx: &ViewCtx<'_>, prepared: &Prepared, origin: Pos2) -> (Response, Option<Act>) {
    let message = &*prepared.message;
    let offset = origin.to_vec2();
    let bounds = prepared.bounds.translate(offset);
    let whole = ui.interact(bounds, Id::unique(("message", message.id)), Sense::click());
    whole.widget_info(|| WidgetInfo::labeled(Role::ListItem, true, spoken(cx, message)));
    let mut painting = Painting { ui, cx, message, offset, act: None };
    for block in &prepared.blocks {
        match block {
            Block::Text(block) => painting.text(block, &whole),
            Block::Images { cells, more, meta } => painting.images(cells, *more, meta.as_ref()),
            Block::File { index, rect, corners, meta } => {
                painting.file(*index, *rect, *corners, meta.as_ref())
            }
            Block::Reactions(pills) => painting.reactions(pills),
            Block::Failure { rect, text } => painting.failure(*rect, text),
        }
    }
    if whole.has_focus() {
        let ring = Stroke::new(1.5, cx.theme.accent);
        ui.painter().rect_stroke(bounds.expand(2.0), 16, ring, StrokeKind::Outside);
    }
    (whole, painting.act)
}

/// A message in one sentence, for the screen reader and for tests.
fn spoken(cx: &ViewCtx<'_>, message: &Message) -> String {
    let author = words::author(cx, message.from);
    let text = if message.deleted { cx.t("message-deleted").to_string() } else { message.text.clone() };
    let state = words::state(cx, message).map(|state| format!(", {state}")).unwrap_or_default();
    format!("{author}: {text}, {}{state}", cx.clock.time(message.timestamp))
}

impl Painting<'_> {
    fn click(&mut self, rect: Rect, part: impl std::hash::Hash + std::fmt::Debug, label: &str) -> Response {
        let id = Id::unique(("part of message", self.message.id)).with(part);
        let response = self.ui.interact(rect, id, Sense::click());
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, label));
        response.on_hover_cursor(CursorIcon::PointingHand)
    }

    fn text(&mut self, block: &TextBlock, whole: &Response) {
        let (theme, painter) = (self.cx.theme, self.ui.painter());
        if !block.bare {
            let rect = block.rect.translate(self.offset);
            painter.rect_filled(rect, block.corners, theme.bubble(self.message.outgoing));
        }
        let at = block.text.0 + self.offset;
        painter.galley(at, Arc::clone(&block.text.1.galley), theme.text);
        if let Some((at, meta)) = &block.meta {
            painter.galley(*at + self.offset, Arc::clone(meta), theme.muted);
        }
        if !block.links.is_empty() {
            self.links(block, at, whole);
        }
        if let Some((rect, author, text)) = &block.quote {
            self.quote(rect.translate(self.offset), author, text);
        }
    }

    fn links(&mut self, block: &TextBlock, at: Pos2, whole: &Response) {
        let under = whole.hover_pos().and_then(|pointer| block.text.1.mark_at((pointer - at).to_pos2()));
        let Some((_, address)) = block.links.iter().find(|(span, _)| Some(*span) == under) else { return };
        self.ui.ctx().set_cursor_icon(CursorIcon::PointingHand);
        if whole.clicked() {
            self.act = Some(Act::Link(address.clone()));
        }
    }

    fn quote(&mut self, rect: Rect, author: &Arc<Galley>, text: &Arc<Galley>) {
        let accent = self.cx.theme.bubble_accent(self.message.outgoing);
        let bar = Rect::from_min_size(rect.min, vec2(3.0, rect.height()));
        let painter = self.ui.painter();
        painter.rect_filled(bar, 1, accent);
        painter.galley(rect.min + vec2(12.0, 1.0), Arc::clone(author), accent);
        painter.galley(rect.min + vec2(12.0, 19.0), Arc::clone(text), self.cx.theme.muted);
        if let Some(quoted) = self.message.quote.as_ref().and_then(|quote| quote.message)
            && self.click(rect, "quote", &self.cx.t("go-to-quoted")).clicked()
        {
            self.act = Some(Act::JumpTo(quoted));
        }
    }

    fn images(&mut self, cells: &[(usize, Rect, CornerRadius)], more: usize, meta: Option<&Arc<Galley>>) {
        for (count, (index, rect, corners)) in cells.iter().enumerate() {
            let Some(attachment) = self.message.attachments.get(*index) else { continue };
            let rect = rect.translate(self.offset);
            let veiled = more > 0 && count + 1 == cells.len();
            self.image(attachment, rect, *corners, !veiled);
            if veiled {
                self.ui.painter().rect_filled(rect, *corners, Color32::from_black_alpha(0x99));
                let style = Style::new(size::HEADING, Color32::WHITE).weight(Weight::Semibold);
                text_center(self.ui.painter(), rect.center(), &format!("+{more}"), style, rect.width());
            }
        }
        if let (Some(meta), Some((_, last, _))) = (meta, cells.last()) {
            let corner = last.right_bottom() + self.offset - vec2(8.0, 8.0);
            let ground = Rect::from_min_max(corner - meta.size() - vec2(14.0, 4.0), corner);
            let painter = self.ui.painter();
            painter.rect_filled(ground, 10, Color32::from_black_alpha(0x99));
            let at = ground.center() - meta.size() / 2.0;
            painter.galley_with_override_text_color(at, Arc::clone(meta), Color32::WHITE);
        }
    }

    /// One picture; `state` to show how far it is.
    fn image(&mut self, attachment: &Attachment, rect: Rect, corners: CornerRadius, state: bool) {
        let theme = self.cx.theme;
        let here = is_here(attachment);
        let key = ImageKey::Attachment(attachment.id);
        if attachment.state == AttachmentState::Remote && self.is_trusted() {
            self.cx.images.fetch(self.cx.actions, attachment.id);
        }
        let picture =
            if here { self.cx.images.get(self.cx.actions, &key, THUMBNAIL) } else { Picture::Loading };
        match picture {
            Picture::Ready { texture, size } => {
                let shape = RectShape::filled(rect, corners, Color32::WHITE);
                self.ui.painter().add(shape.with_texture(texture, cover(size, rect.size())));
            }
            Picture::Loading => {
                self.ui.painter().rect_filled(rect, corners, theme.bubble(self.message.outgoing));
            }
            Picture::Bad => {
                self.ui.painter().rect_filled(rect, corners, theme.bubble(self.message.outgoing));
                Icon::IMAGE_OFF.paint(self.ui.painter(), rect.center(), 24.0, theme.muted);
            }
        }
        let name = if attachment.name.is_empty() {
            self.cx.t("picture").to_string()
        } else {
            attachment.name.clone()
        };
        let label = match attachment.state {
            AttachmentState::Local | AttachmentState::Preparing | AttachmentState::Uploading { .. } => name,
            AttachmentState::Remote => format!("{} {name}", self.cx.t("download")),
            AttachmentState::Downloading { .. } => format!("{} {name}", self.cx.t("stop-receiving")),
            AttachmentState::Failed { .. } => format!("{} {name}", self.cx.t("try-again")),
            AttachmentState::Expired => format!("{name} {}", self.cx.t("file-expired")),
            AttachmentState::Unusable => format!("{name} {}", self.cx.t("file-unusable")),
        };
        let response = self.click(rect, attachment.id, &label);
        if state {
            self.overlay(attachment, rect);
        }
        if response.clicked() {
            match attachment.state {
                AttachmentState::Remote | AttachmentState::Failed { .. } => {
                    self.cx.send(self.again(attachment))
                }
                AttachmentState::Downloading { .. } => self.cx.send(Command::StopTransfer(attachment.id)),
                AttachmentState::Expired | AttachmentState::Unusable => {}
                AttachmentState::Local | AttachmentState::Preparing | AttachmentState::Uploading { .. } => {
                    self.act = Some(Act::View(attachment.id));
                }
            }
        }
    }

    /// Pictures of people we accepted are fetched when they come into view; those of strangers wait for a click.
    fn is_trusted(&self) -> bool {
        self.message.outgoing
            || self.cx.state.conversation(self.message.conversation).is_some_and(|with| with.approved)
    }

    /// What fetches a file; one of ours that could not be sent goes with its message.
    fn again(&self, attachment: &Attachment) -> Command {
        match self.message.outgoing && self.message.state == MessageState::Failed {
            true => Command::Resend(self.message.id),
            false => Command::Download(attachment.id),
        }
    }

    /// What stands over a picture that is not here yet.
    fn overlay(&self, attachment: &Attachment, rect: Rect) {
        let (icon, part) = match &attachment.state {
            AttachmentState::Local => return,
            AttachmentState::Preparing => (Icon::ARROW_UP, Some(fraction(0, 0))),
            AttachmentState::Remote => (Icon::DOWNLOAD, None),
            AttachmentState::Failed { .. } => (Icon::ROTATE_CW, None),
            AttachmentState::Expired | AttachmentState::Unusable => (Icon::IMAGE_OFF, None),
            AttachmentState::Uploading { done, total } => (Icon::ARROW_UP, Some(fraction(*done, *total))),
            AttachmentState::Downloading { done, total } => (Icon::X, Some(fraction(*done, *total))),
        };
        let painter = self.ui.painter();
        painter.circle_filled(rect.center(), 22.0, Color32::from_black_alpha(0x88));
        icon.paint(painter, rect.center(), 18.0, Color32::WHITE);
        if let Some(part) = part {
            ring(self.ui, rect.center(), 20.0, part);
        }
    }

    fn file(&mut self, index: usize, rect: Rect, corners: CornerRadius, meta: Option<&Arc<Galley>>) {
        let Some(attachment) = self.message.attachments.get(index) else { return };
        let theme = self.cx.theme;
        let rect = rect.translate(self.offset);
        let outgoing = self.message.outgoing;
        self.ui.painter().rect_filled(rect, corners, theme.bubble(outgoing));
        let accent = theme.bubble_accent(outgoing);
        let tile = Rect::from_center_size(pos2(rect.left() + 31.0, rect.center().y), vec2(38.0, 38.0));
        self.ui.painter().rect_filled(tile, 9, accent.gamma_multiply(0.15));
        file_icon(attachment).paint(self.ui.painter(), tile.center(), 18.0, accent);
        let (left, right) = (tile.right() + 10.0, rect.right() - 44.0);
        let name = if attachment.voice {
            self.cx.t("voice-message").to_string()
        } else if attachment.name.is_empty() {
            self.cx.t("file").to_string()
        } else {
            attachment.name.clone()
        };
        let top = tile.top() + if transfer(attachment).is_some() { -1.0 } else { 1.0 };
        text_left(self.ui.painter(), pos2(left, top + 10.0), &name, self.cx.body(), right - left);
        let failed = matches!(attachment.state, AttachmentState::Failed { .. } | AttachmentState::Unusable);
        let color = match (failed, outgoing) {
            (true, _) => theme.out_bad,
            (false, _) => theme.bubble_muted(outgoing),
        };
        let second = Style::new(size::TINY, color).line(16.0);
        text_left(
            self.ui.painter(),
            pos2(left, top + 28.0),
            &self.file_line(attachment),
            second,
            right - left,
        );
        if let Some(part) = transfer(attachment) {
            let bar = Rect::from_min_size(pos2(left, top + 40.0), vec2(right - left, 3.0));
            self.ui.painter().rect_filled(bar, 2, theme.line);
            let done = bar.with_max_x(bar.left() + bar.width() * part);
            self.ui.painter().rect_filled(done, 2, accent);
        } else if let Some(meta) = meta {
            let at = rect.right_bottom() - vec2(12.0 + meta.size().x, 22.0);
            self.ui.painter().galley(at, Arc::clone(meta), theme.muted);
        }
        self.file_button(attachment, rect, &name);
    }

    fn file_line(&self, attachment: &Attachment) -> String {
        let size = words::bytes(self.cx, attachment.size);
        let moved = |name, done: u64| {
            self.cx.strings.with(name, [("done", part_of(done).into()), ("total", size.clone().into())])
        };
        match &attachment.state {
            AttachmentState::Preparing => self.cx.strings.with("file-preparing", [("total", size.into())]),
            AttachmentState::Uploading { done, .. } => moved("file-sending", *done),
            AttachmentState::Downloading { done, .. } => moved("file-receiving", *done),
            AttachmentState::Failed { reason } => reason.clone(),
            AttachmentState::Expired => self.cx.t("file-expired").to_string(),
            AttachmentState::Unusable => self.cx.t("file-unusable").to_string(),
            AttachmentState::Remote | AttachmentState::Local => size,
        }
    }

    fn file_button(&mut self, attachment: &Attachment, rect: Rect, name: &str) {
        let (icon, label, command) = match attachment.state {
            AttachmentState::Uploading { .. } => {
                (Icon::X, "stop-sending", Command::StopTransfer(attachment.id))
            }
            AttachmentState::Downloading { .. } => {
                (Icon::X, "stop-receiving", Command::StopTransfer(attachment.id))
            }
            AttachmentState::Remote => (Icon::DOWNLOAD, "download", Command::Download(attachment.id)),
            AttachmentState::Failed { .. } => (Icon::ROTATE_CW, "try-again", self.again(attachment)),
            AttachmentState::Local => {
                (Icon::SAVE, "save-as", Command::SaveAs { attachment: attachment.id, name: name.to_owned() })
            }
            AttachmentState::Preparing | AttachmentState::Expired | AttachmentState::Unusable => return,
        };
        let place = Rect::from_center_size(pos2(rect.right() - 22.0, rect.top() + 22.0), vec2(28.0, 28.0));
        let label = format!("{} {name}", self.cx.t(label));
        let response = self.click(place, ("button", attachment.id), &label);
        let theme = self.cx.theme;
        let lit = response.hovered() || response.has_focus();
        if lit {
            self.ui.painter().rect_filled(place, 7, theme.text.gamma_multiply(0.08));
        }
        let color = if lit { theme.text } else { theme.bubble_muted(self.message.outgoing) };
        icon.paint(self.ui.painter(), place.center(), 17.0, color);
        if response.on_hover_text(label).clicked() {
            self.cx.send(command);
        }
    }

    fn reactions(&self, pills: &[(Rect, Arc<Galley>, bool)]) {
        let theme = self.cx.theme;
        for (rect, galley, ours) in pills {
            let rect = rect.translate(self.offset);
            let stroke = Stroke::new(1.0, if *ours { theme.accent } else { theme.bg });
            self.ui.painter().rect(rect, 12, theme.raised, stroke, StrokeKind::Inside);
            self.ui.painter().galley(rect.center() - galley.size() / 2.0, Arc::clone(galley), theme.text);
        }
    }

    fn failure(&mut self, rect: Rect, text: &Arc<Galley>) {
        let rect = rect.translate(self.offset);
        self.ui.painter().galley(rect.min, Arc::clone(text), self.cx.theme.bad);
        if self.click(rect, "retry", &self.cx.t("try-again")).clicked() {
            self.cx.send(Command::Resend(self.message.id));
        }
    }
}

/// Whether its bytes are on this disk.
pub fn is_here(attachment: &Attachment) -> bool {
    matches!(
        attachment.state,
        AttachmentState::Local | AttachmentState::Preparing | AttachmentState::Uploading { .. }
    )
}

/// Done parts of a whole; a whole that is not known yet looks just begun.
fn fraction(done: u64, total: u64) -> f32 {
    if total == 0 { 0.02 } else { (done as f32 / total as f32).clamp(0.02, 1.0) }
}

fn transfer(attachment: &Attachment) -> Option<f32> {
    match attachment.state {
        AttachmentState::Uploading { done, total } | AttachmentState::Downloading { done, total } => {
            Some(fraction(done, total))
        }
        _ => None,
    }
}

/// Megabytes done, to stand before "of 2.9 MB".
fn part_of(done: u64) -> String {
    format!("{:.1}", done as f64 / 1e6)
}

/// The icon of a kind of file.
fn file_icon(attachment: &Attachment) -> Icon {
    let kind = attachment.content_type.split('/').next().unwrap_or_default();
    match (kind, attachment.content_type.as_str()) {
        _ if attachment.voice => Icon::MIC,
        ("image", _) => Icon::IMAGE,
        ("audio", _) => Icon::MUSIC,
        ("video", _) => Icon::VIDEO,
        (_, "application/zip" | "application/gzip" | "application/x-7z-compressed") => Icon::FILE_ARCHIVE,
        ("text", _) | (_, "application/pdf") => Icon::FILE_TEXT,
        _ => Icon::FILE,
    }
}

/// The part of a picture that fills a frame, as texture coordinates.
fn cover(picture: Vec2, frame: Vec2) -> Rect {
    let (picture, frame) = (picture.x / picture.y.max(1.0), frame.x / frame.y.max(1.0));
    let part = if picture > frame { vec2(frame / picture, 1.0) } else { vec2(1.0, picture / frame) };
    Rect::from_center_size(pos2(0.5, 0.5), part)
}

/// A ring of which a part is drawn.
fn ring(ui: &Ui, center: Pos2, radius: f32, part: f32) {
    let steps = (part * 48.0).ceil() as usize;
    let point = |step: usize| {
        let turn = (step as f32 / 48.0).min(part) * std::f32::consts::TAU - std::f32::consts::FRAC_PI_2;
        center + Vec2::angled(turn) * radius
    };
    let points = (0..=steps).map(point).collect();
    ui.painter().line(points, Stroke::new(2.5, Color32::WHITE));
}

/// The centred line that tells what happened.
pub fn notice(ui: &Ui, cx: &ViewCtx<'_>, center: Pos2, text: &str, width: f32) {
    widgets::text_center(ui.painter(), center, text, cx.tiny().color(cx.theme.muted), width);
}

/// The name of a day.
pub fn day(ui: &Ui, cx: &ViewCtx<'_>, center: Pos2, text: &str, width: f32) {
    widgets::text_center(ui.painter(), center, text, cx.tiny(), width);
}

/// The line above the first message not read yet.
pub fn unread_line(ui: &Ui, cx: &ViewCtx<'_>, row: Rect) {
    let style = cx.tiny().color(cx.theme.accent).weight(Weight::Semibold);
    let words = text_center(ui.painter(), row.center(), &cx.t("unread-line"), style, row.width());
    let stroke = Stroke::new(1.0, cx.theme.accent.gamma_multiply(0.5));
    ui.painter().hline(row.left()..=words.left() - 12.0, row.center().y, stroke);
    ui.painter().hline(words.right() + 12.0..=row.right(), row.center().y, stroke);
}
