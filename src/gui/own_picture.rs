//! A display picture on its way from a file to the account.
//!
//! Decision: the window gets a picture of modest size to look at, and the account's side keeps hold of the pixels it
//! was made from. What the person chose is a square of those pixels, and it is cut and scaled once, without loss,
//! when it is set; the only lossy step is the one that the account itself takes for the network.

use std::path::PathBuf;
use std::sync::Arc;

use egui::ColorImage;
use image::{RgbaImage, imageops};

use super::crop::Square;

/// The side in pixels of the largest display picture (spec 04 §13).
pub const SIDE: u32 = 600;

/// What the person wants of their picture.
#[derive(Debug)]
pub enum PictureWish {
    /// Ask for a file.
    Pick,
    /// Look at this file.
    File(PathBuf),
    /// Look at this picture from the clipboard.
    Pasted(Arc<ColorImage>),
    /// Show this to people.
    Set(Cut),
    /// Stop setting it.
    Stop,
    /// Show none.
    Remove,
}

/// What became of it.
#[derive(Debug)]
pub enum PictureNews {
    /// A file was chosen and is being looked at.
    Opening,
    /// It can be cut.
    Opened(Arc<Candidate>),
    /// It cannot be used.
    Unusable(PictureProblem),
    /// The account has it now.
    Set(Cut),
    /// The account does not have it, as a sentence.
    NotSet(Cut, String),
}

/// Why a file does not become a picture.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PictureProblem {
    /// The file cannot be read.
    NoFile,
    /// It is no picture, or a broken one.
    Unreadable,
    /// It would take too much memory.
    TooLarge,
}

/// A picture that may become ours.
pub struct Candidate {
    /// All its pixels, upright.
    pub pixels: RgbaImage,
    /// The same for looking at, neither side longer than a texture may be.
    pub view: Arc<ColorImage>,
    /// It is the first of several that follow one another.
    pub moves: bool,
}

impl std::fmt::Debug for Candidate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Candidate({} × {})", self.pixels.width(), self.pixels.height())
    }
}

/// A square of a picture.
#[derive(Clone, Debug)]
pub struct Cut {
    /// The picture.
    pub of: Arc<Candidate>,
    /// The square.
    pub square: Square,
}

impl Cut {
    /// The pixels of the square, scaled down to [`SIDE`] if there are more. Takes a while: not for a frame.
    pub fn pixels(&self) -> RgbaImage {
        let Square { left, top, side } = self.square;
        let cut = imageops::crop_imm(&self.of.pixels, left, top, side, side);
        if side > SIDE {
            imageops::resize(&*cut, SIDE, SIDE, imageops::FilterType::CatmullRom)
        } else {
            cut.to_image()
        }
    }

    /// Whether this is the same square of the same picture.
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.of, &other.of) && self.square == other.square
    }
}
