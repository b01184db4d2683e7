//! What the window and the account's side tell each other about files of messages.

use std::path::PathBuf;
use std::sync::Arc;

use egui::ColorImage;
use septet_client::model::{AttachmentId, ConversationId, Downloads};

use super::image_key::ImageKey;

/// What a person wants of files.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FileWish {
    /// Whether those of a conversation come by themselves.
    Let(ConversationId, Downloads),
    /// Open it with the program that the system has for it.
    Open {
        /// Which.
        attachment: AttachmentId,
        /// The person was told what it may do.
        warned: bool,
    },
    /// Make the frames of a moving picture, neither side longer than this many pixels.
    Animate(ImageKey, u32),
}

/// What became of files.
#[derive(Clone, Debug)]
pub enum FileNews {
    /// It may do harm: it is opened only if the person says so.
    Risky {
        /// Where it is.
        conversation: ConversationId,
        /// Which.
        attachment: AttachmentId,
        /// What it would be opened as.
        name: String,
    },
    /// Nothing on this system opens what has this name.
    NoOpener(String),
    /// So many files are in this folder now.
    SavedAll(PathBuf, usize),
    /// The frames of a picture; none if it does not move.
    Animation(ImageKey, Option<Frames>),
}

/// The frames of a moving picture, each with how long it is shown, in seconds.
#[derive(Clone, Debug)]
pub struct Frames(pub Vec<(Arc<ColorImage>, f64)>);

impl Frames {
    /// How long it takes to show all of them once, in seconds.
    pub fn length(&self) -> f64 {
        self.0.iter().map(|(_, seconds)| seconds).sum()
    }

    /// How many bytes they take.
    pub fn bytes(&self) -> usize {
        self.0.iter().map(|(image, _)| image.pixels.len() * 4).sum()
    }

    /// Which frame is shown so many seconds after the beginning, and for how long still.
    pub fn at(&self, time: f64) -> (usize, f64) {
        let mut rest = time.rem_euclid(self.length().max(f64::MIN_POSITIVE));
        for (index, (_, seconds)) in self.0.iter().enumerate() {
            if rest < *seconds {
                return (index, seconds - rest);
            }
            rest -= seconds;
        }
        (0, self.0.first().map_or(1.0, |(_, seconds)| *seconds))
    }
}
