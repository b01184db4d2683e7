//! Pictures on the graphics card: asked for while drawing, decoded elsewhere, kept within a budget.
//!
//! Decision: a view asks for a picture every frame it shows it. If it is not there, the account's side is asked once
//! to decrypt, decode and scale it, and the frame goes on without. What was not shown longest is dropped first.

use std::cell::RefCell;
use std::collections::HashMap;

use egui::{ColorImage, Context, Rect, TextureHandle, TextureId, TextureOptions, Vec2};
use septet_client::model::AttachmentId;

use super::actions::Actions;
use super::animations::Animations;
use super::command::{Command, ImageKey};

/// Bytes of decoded pictures to keep.
const BUDGET: usize = 96 << 20;

enum Entry {
    Asked,
    Ready { texture: TextureHandle, bytes: usize },
    Bad,
}

/// What there is of a picture.
#[derive(Clone)]
pub enum Picture {
    /// It is on its way.
    Loading,
    /// It can be painted.
    Ready {
        /// The texture.
        texture: egui::TextureId,
        /// Its size in pixels.
        size: Vec2,
    },
    /// It cannot be shown.
    Bad,
}

/// The pictures of one window.
#[derive(Default)]
pub struct Images {
    /// Those that move.
    pub animations: Animations,
    inner: RefCell<Inner>,
    preview: RefCell<Option<Preview>>,
}

/// Our own new picture, shown until the account has it and it was made ready like any other.
pub struct Preview {
    texture: TextureHandle,
    part: Rect,
    settled: bool,
    /// The frame that painted it last.
    painted: u64,
}

impl Preview {
    /// A part of a texture.
    pub fn new(texture: TextureHandle, part: Rect) -> Self {
        Self { texture, part, settled: false, painted: 0 }
    }
}

#[derive(Default)]
struct Inner {
    entries: HashMap<ImageKey, (Entry, u64)>,
    frame: u64,
}

impl Images {
    /// The picture, neither side longer than `max_side` pixels; asks for it if it is not here.
    pub fn get(&self, actions: &Actions, key: &ImageKey, max_side: u32) -> Picture {
        let mut inner = self.inner.borrow_mut();
        let frame = inner.frame;
        if let Some((entry, used)) = inner.entries.get_mut(key) {
            *used = frame;
            return match entry {
                Entry::Asked => Picture::Loading,
                Entry::Ready { texture, .. } => {
                    Picture::Ready { texture: texture.id(), size: texture.size_vec2() }
                }
                Entry::Bad => Picture::Bad,
            };
        }
        inner.entries.insert(key.clone(), (Entry::Asked, frame));
        actions.send(Command::LoadImage(key.clone(), max_side));
        Picture::Loading
    }

    /// A picture has been made ready, or cannot be.
    pub fn loaded(&self, ctx: &Context, key: ImageKey, image: Option<ColorImage>) {
        let entry = match image {
            Some(image) => {
                let bytes = image.pixels.len() * 4;
                let texture = ctx.load_texture(format!("{key:?}"), image, TextureOptions::LINEAR);
                Entry::Ready { texture, bytes }
            }
            None => Entry::Bad,
        };
        let mut inner = self.inner.borrow_mut();
        let frame = inner.frame;
        inner.entries.insert(key, (entry, frame));
        inner.shrink();
    }

    /// Forgets that the picture of an attachment could not be shown, because its file has just come.
    pub fn retry_file(&self, id: AttachmentId) {
        let mut inner = self.inner.borrow_mut();
        for key in [ImageKey::Attachment(id), ImageKey::Full(id)] {
            if matches!(inner.entries.get(&key), Some((Entry::Bad, _))) {
                inner.entries.remove(&key);
            }
        }
    }

    /// Shows this as our own picture from now on.
    pub fn show_preview(&self, preview: Preview) {
        *self.preview.borrow_mut() = Some(preview);
    }

    /// Shows what the account has again.
    pub fn drop_preview(&self) {
        *self.preview.borrow_mut() = None;
    }

    /// The account has it: it is dropped as soon as nobody paints it any more.
    pub fn settle_preview(&self) {
        let frame = self.inner.borrow().frame;
        if let Some(preview) = self.preview.borrow_mut().as_mut() {
            (preview.settled, preview.painted) = (true, frame);
        }
    }

    /// What to paint as our own picture instead of what the account has, whose picture is `ready` or not yet.
    pub fn preview(&self, ready: bool) -> Option<(TextureId, Rect)> {
        let mut preview = self.preview.borrow_mut();
        let preview = preview.as_mut().filter(|preview| !(preview.settled && ready))?;
        preview.painted = self.inner.borrow().frame;
        Some((preview.texture.id(), preview.part))
    }

    /// Counts a frame.
    pub fn next_frame(&self) {
        self.animations.next_frame();
        let mut inner = self.inner.borrow_mut();
        let frame = inner.frame;
        self.preview.borrow_mut().take_if(|preview| preview.settled && preview.painted < frame);
        inner.frame += 1;
    }
}

impl Inner {
    fn shrink(&mut self) {
        let size = |entry: &Entry| if let Entry::Ready { bytes, .. } = entry { *bytes } else { 0 };
        let mut total: usize = self.entries.values().map(|(entry, _)| size(entry)).sum();
        if total <= BUDGET {
            return;
        }
        let mut by_use: Vec<(u64, ImageKey, usize)> = self
            .entries
            .iter()
            .filter(|(_, (entry, _))| size(entry) > 0)
            .map(|(key, (entry, used))| (*used, key.clone(), size(entry)))
            .collect();
        by_use.sort();
        for (used, key, bytes) in by_use {
            if total <= BUDGET || used >= self.frame {
                break;
            }
            self.entries.remove(&key);
            total -= bytes;
        }
    }
}
