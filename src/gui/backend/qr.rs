//! Reading the QR code on a picture that a person chose, dropped or pasted.

use std::path::PathBuf;
use std::sync::Arc;

use egui::ColorImage;
use zeroize::Zeroizing;

use super::super::command::{QrProblem, Secret, Update};
use super::{Teller, files, pictures};

/// Sides in pixels that pictures are looked at with: a photograph is often too sharp for its code to be found.
const SIDES: [u32; 3] = [1600, 900, 500];
/// Larger files are no pictures of codes.
const LARGEST: u64 = 64 << 20;

/// Asks for a picture and reads its code.
pub fn pick(teller: Teller) {
    tokio::spawn(async move {
        if !files::dialogs() {
            teller.tell(Update::NoFileDialog);
            return;
        }
        if let Some(file) = files::pictures_only().pick_file().await {
            read_file(teller, file.path().to_owned());
        }
    });
}

/// Reads the code of a picture in a file.
pub fn read_file(teller: Teller, path: PathBuf) {
    tokio::task::spawn_blocking(move || {
        let small = std::fs::metadata(&path).is_ok_and(|about| about.is_file() && about.len() <= LARGEST);
        let bytes = if small { std::fs::read(&path).ok().map(Zeroizing::new) } else { None };
        let said = bytes.ok_or(QrProblem::Unreadable).and_then(|bytes| from_bytes(&bytes));
        teller.tell(Update::QrRead(said));
    });
}

/// Reads the code of a pasted picture.
pub fn read_picture(teller: Teller, picture: Arc<ColorImage>) {
    tokio::task::spawn_blocking(move || {
        teller.tell(Update::QrRead(decode(&picture).ok_or(QrProblem::NoCode)))
    });
}

fn from_bytes(bytes: &[u8]) -> Result<Secret, QrProblem> {
    let mut found = Err(QrProblem::Unreadable);
    for side in SIDES {
        let Some(picture) = pictures::decode(bytes, side) else { return found };
        if let Some(said) = decode(&picture) {
            return Ok(said);
        }
        found = Err(QrProblem::NoCode);
    }
    found
}

/// What the first readable code of a picture says; also if it is light on dark.
fn decode(picture: &ColorImage) -> Option<Secret> {
    let [width, height] = picture.size;
    let light = |x: usize, y: usize| {
        picture.pixels.get(y * width + x).map_or(255, |pixel| {
            // What is transparent is paper.
            let [r, g, b, a] = pixel.to_array().map(u32::from);
            let light = (r * 299 + g * 587 + b * 114) / 1000 + (255 - a);
            u8::try_from(light.min(255)).unwrap_or(u8::MAX)
        })
    };
    [false, true].into_iter().find_map(|inverted| {
        let shade = |x, y| if inverted { 255 - light(x, y) } else { light(x, y) };
        let mut prepared = rqrr::PreparedImage::prepare_from_greyscale(width, height, shade);
        let said = prepared.detect_grids().iter().find_map(|grid| grid.decode().ok());
        said.map(|(_, text)| Secret::from(Zeroizing::new(text)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gui::widgets::qr::Qr;

    const DIGITS: &str = "000102030405060708090a0b0c0d0e0f";

    #[test]
    fn our_own_codes_are_read() {
        let picture = Qr::new(DIGITS).unwrap().picture(5);
        assert_eq!(decode(&picture).unwrap().reveal(), DIGITS);
        let mut inverted = picture.clone();
        for pixel in &mut inverted.pixels {
            let [r, g, b, _] = pixel.to_array();
            *pixel = egui::Color32::from_rgb(255 - r, 255 - g, 255 - b);
        }
        assert_eq!(decode(&inverted).unwrap().reveal(), DIGITS);
        assert!(decode(&ColorImage::filled([64, 64], egui::Color32::WHITE)).is_none());
        assert!(decode(&ColorImage::filled([0, 0], egui::Color32::WHITE)).is_none());
    }

    #[test]
    fn files_are_read_or_refused() {
        let picture = Qr::new(DIGITS).unwrap().picture(4);
        let [width, height] = picture.size.map(|side| u32::try_from(side).unwrap());
        let pixels = picture.pixels.iter().flat_map(|pixel| pixel.to_array()).collect();
        let image = image::RgbaImage::from_raw(width, height, pixels).unwrap();
        let mut png = std::io::Cursor::new(Vec::new());
        image.write_to(&mut png, image::ImageFormat::Png).unwrap();
        assert_eq!(from_bytes(png.get_ref()).unwrap().reveal(), DIGITS);
        let mut jpeg = std::io::Cursor::new(Vec::new());
        let rgb = image::DynamicImage::ImageRgba8(image).to_rgb8();
        rgb.write_to(&mut jpeg, image::ImageFormat::Jpeg).unwrap();
        assert_eq!(from_bytes(jpeg.get_ref()).unwrap().reveal(), DIGITS);
        assert_eq!(from_bytes(b"no picture").err(), Some(QrProblem::Unreadable));
    }
}
