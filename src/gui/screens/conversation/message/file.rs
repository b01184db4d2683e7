//! A file of a message in a bubble of its own.

use egui::{CornerRadius, Rect, Stroke, StrokeKind, pos2, vec2};
use septet_client::model::{Attachment, AttachmentState};
use septet_protocol::attachment::mime;

use super::super::words;
use super::file_menu;
use super::layouter::Layouter;
use super::meta::Meta;
use super::painting::{Act, Painting};
use super::transfer::transfer;
use crate::gui::attached::FileWish;
use crate::gui::command::Command;
use crate::gui::icons::Icon;
use crate::gui::text::Style;
use crate::gui::theme::size;
use crate::gui::widgets::text_left;

/// A file in a bubble.
pub struct FileBlock {
    /// The place of the attachment in the message.
    index: usize,
    /// The bubble.
    pub rect: Rect,
    /// Its corners.
    corners: CornerRadius,
    /// Time and state.
    meta: Option<Meta>,
}

impl FileBlock {
    /// The place of the attachment in the message.
    pub fn index(&self) -> usize {
        self.index
    }
}

impl Layouter<'_> {
    /// Lays out the attachment at this place of the message.
    pub fn file(&mut self, index: usize, corners: CornerRadius, meta: Option<Meta>) -> FileBlock {
        let moving = self.message.attachments.get(index).is_some_and(|attachment| {
            matches!(
                attachment.state,
                AttachmentState::Uploading { .. } | AttachmentState::Downloading { .. }
            )
        });
        let height = if moving { 60.0 } else { 55.0 };
        let rect = self.take(vec2(324.0_f32.min(self.widest), height));
        FileBlock { index, rect, corners, meta }
    }
}

impl Painting<'_> {
    /// Paints it.
    pub fn file(&mut self, block: &FileBlock) {
        let FileBlock { index, rect, corners, meta } = block;
        let Some(attachment) = self.message.attachments.get(*index) else { return };
        let theme = self.cx.theme;
        let rect = rect.translate(self.offset);
        let outgoing = self.message.outgoing;
        self.ui.painter().rect_filled(rect, *corners, theme.bubble(outgoing));
        let accent = theme.bubble_accent(outgoing);
        let tile = Rect::from_center_size(pos2(rect.left() + 31.0, rect.center().y), vec2(38.0, 38.0));
        self.ui.painter().rect_filled(tile, 9, accent.gamma_multiply(0.15));
        let name = if attachment.voice {
            self.cx.t("voice-message").to_string()
        } else if attachment.name.is_empty() {
            self.cx.t("file").to_string()
        } else {
            attachment.name.clone()
        };
        self.file_button(attachment, rect, *corners, &name);
        let clip = self.audible(attachment);
        match &clip {
            Some(clip) => self.play_button(clip, tile, 9, attachment),
            None => file_icon(attachment).paint(self.ui.painter(), tile.center(), 18.0, accent),
        }
        let (left, right) = (tile.right() + 10.0, rect.right() - 44.0);
        let top = tile.top() + if transfer(attachment).is_some() { -1.0 } else { 1.0 };
        text_left(self.ui.painter(), pos2(left, top + 10.0), &name, self.cx.body(), right - left);
        let failed = matches!(attachment.state, AttachmentState::Failed { .. } | AttachmentState::Unusable);
        let color = match (failed, outgoing) {
            (true, _) => theme.out_bad,
            (false, _) => theme.bubble_muted(outgoing),
        };
        let line = match &clip {
            Some(clip) => format!("{} · {}", clip.left(), self.file_line(attachment)),
            None => self.file_line(attachment),
        };
        let second = Style::new(size::TINY, color).line(16.0);
        text_left(self.ui.painter(), pos2(left, top + 28.0), &line, second, right - left);
        if let Some(part) = transfer(attachment) {
            let bar = Rect::from_min_size(pos2(left, top + 40.0), vec2(right - left, 3.0));
            self.ui.painter().rect_filled(bar, 2, theme.line);
            let done = bar.with_max_x(bar.left() + bar.width() * part);
            self.ui.painter().rect_filled(done, 2, accent);
        } else if let Some(meta) = meta {
            let at = rect.right_bottom() - vec2(12.0 + meta.size().x, 22.0);
            self.meta(at, meta, None);
        }
        if let Some(clip) = &clip {
            self.file_progress(clip, rect, accent);
        }
    }

    /// What is said of a file in a line.
    pub(super) fn file_line(&self, attachment: &Attachment) -> String {
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
            AttachmentState::Remote | AttachmentState::Local => match kind(&attachment.content_type) {
                Some(kind) => format!("{kind} · {size}"),
                None => size,
            },
        }
    }

    /// What can be done with a file: its icon, the name of its words, what a click does.
    pub(super) fn file_act(&self, attachment: &Attachment) -> Option<(Icon, &'static str, Click)> {
        Some(match attachment.state {
            AttachmentState::Uploading { .. } => {
                (Icon::X, "stop-sending", Click::Send(Command::StopTransfer(attachment.id)))
            }
            AttachmentState::Downloading { .. } => {
                (Icon::X, "stop-receiving", Click::Send(Command::StopTransfer(attachment.id)))
            }
            AttachmentState::Remote => (Icon::DOWNLOAD, "download", Click::Act(Act::Fetch(attachment.id))),
            AttachmentState::Failed { .. } => {
                (Icon::ROTATE_CW, "try-again", Click::Send(self.again(attachment)))
            }
            AttachmentState::Local if is_film(attachment) => {
                let wish = FileWish::Open { attachment: attachment.id, warned: false };
                (Icon::EXTERNAL_LINK, "open-file", Click::Send(Command::File(wish)))
            }
            AttachmentState::Local => {
                (Icon::SAVE, "save-as", Click::Send(file_menu::save_as(self.message, attachment.id)))
            }
            AttachmentState::Preparing | AttachmentState::Expired | AttachmentState::Unusable => return None,
        })
    }

    /// Does what a click on a file does.
    pub(super) fn follow(&mut self, click: Click) {
        match click {
            Click::Send(command) => self.cx.send(command),
            Click::Act(act) => self.act = Some(act),
        }
    }

    /// The whole chip is the button: it fetches, stops, tries again, plays a film or saves. Parts of it that are painted
    /// later may be buttons of their own.
    fn file_button(&mut self, attachment: &Attachment, rect: Rect, corners: CornerRadius, name: &str) {
        let Some((icon, label, click)) = self.file_act(attachment) else { return };
        let label = format!("{} {name}", self.cx.t(label));
        let response = self.click(rect, ("button", attachment.id), &label);
        let theme = self.cx.theme;
        let lit = response.hovered() || response.has_focus();
        if lit {
            self.ui.painter().rect_filled(rect, corners, theme.text.gamma_multiply(0.05));
        }
        if response.has_focus() {
            let ring = Stroke::new(1.5, theme.accent);
            self.ui.painter().rect_stroke(rect, corners, ring, StrokeKind::Inside);
        }
        let color = if lit { theme.text } else { theme.bubble_muted(self.message.outgoing) };
        let place = pos2(rect.right() - 22.0, rect.top() + 22.0);
        icon.paint(self.ui.painter(), place, 17.0, color);
        if response.on_hover_text(label).clicked() {
            self.follow(click);
        }
    }
}

/// What a click on a chip does.
pub(super) enum Click {
    /// Something of the account.
    Send(Command),
    /// Something of the conversation.
    Act(Act),
}

fn is_film(attachment: &Attachment) -> bool {
    attachment.content_type.starts_with("video/")
}

/// What a kind of sound or film is called: `MP4`, `WEBM`.
fn kind(content_type: &str) -> Option<String> {
    let is_media = content_type.starts_with("video/") || content_type.starts_with("audio/");
    mime::extension(content_type).filter(|_| is_media).map(str::to_uppercase)
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
        ("video", _) if attachment.state == AttachmentState::Local => Icon::PLAY,
        ("video", _) => Icon::VIDEO,
        (_, "application/zip" | "application/gzip" | "application/x-7z-compressed") => Icon::FILE_ARCHIVE,
        ("text", _) | (_, "application/pdf") => Icon::FILE_TEXT,
        _ => Icon::FILE,
    }
}
