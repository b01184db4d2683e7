//! Our display picture: choosing it, looking at it, setting it.
//!
//! Decision: whatever a person chooses, drops or pastes is decoded here, with limits, and either becomes a
//! [`Candidate`] or a reason. Setting one runs beside everything else and can be stopped until it is uploaded.

use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use egui::ColorImage;
use image::codecs::{gif::GifDecoder, png::PngDecoder, webp::WebPDecoder};
use image::{AnimationDecoder, DynamicImage, ImageFormat, imageops::FilterType};
use septet_client::client::Client;
use tokio::task::AbortHandle;

use super::super::own_picture::{Candidate, Cut, PictureNews, PictureProblem, PictureWish};
use super::{Teller, files, pictures, sentence};
use crate::gui::command::Update;

/// Larger files are not read, in bytes.
const LARGEST_FILE: u64 = 64 << 20;
/// More pixels are not decoded; the account would refuse them too.
const MOST_PIXELS: u64 = 120_000_000;
/// More pixels are not kept: this is 64 MB, and a square of it is far larger than a display picture.
const KEPT_PIXELS: f64 = 16_000_000.0;
/// The longest side in pixels of what is looked at; every graphics card takes this.
const VIEW: u32 = 1600;

/// Carries out what is wanted of our picture.
pub struct OwnPicture {
    client: Client,
    teller: Teller,
    setting: Option<AbortHandle>,
}

impl OwnPicture {
    /// For this account.
    pub fn new(client: Client, teller: Teller) -> Self {
        Self { client, teller, setting: None }
    }

    /// Carries out a wish.
    pub fn carry_out(&mut self, wish: PictureWish) {
        let (client, teller) = (self.client.clone(), self.teller.clone());
        match wish {
            PictureWish::Pick => pick(teller),
            PictureWish::File(path) => open_file(teller, path),
            PictureWish::Pasted(picture) => open_pasted(teller, picture),
            PictureWish::Set(cut) => {
                self.stop();
                self.setting = Some(tokio::spawn(set(client, teller, cut)).abort_handle());
            }
            PictureWish::Stop => self.stop(),
            PictureWish::Remove => {
                self.stop();
                tokio::spawn(async move {
                    if let Err(error) = client.set_picture(None).await {
                        teller.problem(&error);
                    }
                });
            }
        }
    }

    fn stop(&mut self) {
        if let Some(setting) = self.setting.take() {
            setting.abort();
        }
    }
}

fn tell(teller: &Teller, news: PictureNews) {
    teller.tell(Update::OwnPicture(news));
}

/// Asks for a file.
fn pick(teller: Teller) {
    tokio::spawn(async move {
        if !files::dialogs() {
            teller.tell(Update::NoFileDialog);
            return;
        }
        if let Some(file) = files::pictures_only().pick_file().await {
            tell(&teller, PictureNews::Opening);
            open_file(teller, file.path().to_owned());
        }
    });
}

fn open_file(teller: Teller, path: PathBuf) {
    tokio::task::spawn_blocking(move || {
        let opened = read(&path).and_then(|bytes| from_bytes(&bytes));
        tell(&teller, found(opened));
    });
}

fn open_pasted(teller: Teller, picture: Arc<ColorImage>) {
    tokio::task::spawn_blocking(move || {
        let pixels = pictures::unmultiplied(&picture).ok_or(PictureProblem::Unreadable);
        let opened = pixels.and_then(|pixels| candidate(DynamicImage::ImageRgba8(pixels), false));
        tell(&teller, found(opened));
    });
}

fn found(opened: Result<Candidate, PictureProblem>) -> PictureNews {
    match opened {
        Ok(candidate) => PictureNews::Opened(Arc::new(candidate)),
        Err(problem) => PictureNews::Unusable(problem),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, PictureProblem> {
    let about = std::fs::metadata(path).map_err(|_| PictureProblem::NoFile)?;
    match (about.is_file(), about.len()) {
        (false, _) => Err(PictureProblem::NoFile),
        (true, LARGEST_FILE..) => Err(PictureProblem::TooLarge),
        (true, _) => std::fs::read(path).map_err(|_| PictureProblem::NoFile),
    }
}

/// A file's first picture, upright.
fn from_bytes(bytes: &[u8]) -> Result<Candidate, PictureProblem> {
    let (image, orientation) = pictures::open(bytes, MOST_PIXELS)?;
    let mut image = fitted(image);
    image.apply_orientation(orientation);
    candidate(image, moves(bytes))
}

/// Scaled down to what is kept.
fn fitted(image: DynamicImage) -> DynamicImage {
    let pixels = f64::from(image.width()) * f64::from(image.height());
    if pixels <= KEPT_PIXELS {
        return image;
    }
    let scale = (KEPT_PIXELS / pixels).sqrt();
    let scaled = |side: u32| ((f64::from(side) * scale) as u32).max(1);
    image.resize_exact(scaled(image.width()), scaled(image.height()), FilterType::Triangle)
}

fn candidate(image: DynamicImage, moves: bool) -> Result<Candidate, PictureProblem> {
    if image.width() == 0 || image.height() == 0 {
        return Err(PictureProblem::Unreadable);
    }
    let image = fitted(image);
    let view = if image.width().max(image.height()) > VIEW {
        pictures::color_image(&image.resize(VIEW, VIEW, FilterType::CatmullRom))
    } else {
        pictures::color_image(&image)
    };
    let view = Arc::new(view.ok_or(PictureProblem::Unreadable)?);
    Ok(Candidate { pixels: image.into_rgba8(), view, moves })
}

/// Whether a file has more pictures than one. One that cannot be told has one.
fn moves(bytes: &[u8]) -> bool {
    let file = Cursor::new(bytes);
    match image::guess_format(bytes) {
        Ok(ImageFormat::Gif) => {
            GifDecoder::new(file).is_ok_and(|gif| gif.into_frames().take(2).filter(Result::is_ok).count() > 1)
        }
        Ok(ImageFormat::WebP) => WebPDecoder::new(file).is_ok_and(|webp| webp.has_animation()),
        Ok(ImageFormat::Png) => PngDecoder::new(file).is_ok_and(|png| png.is_apng().unwrap_or(false)),
        _ => false,
    }
}

/// Cuts, uploads and sets.
async fn set(client: Client, teller: Teller, cut: Cut) {
    let wanted = cut.clone();
    let bytes = tokio::task::spawn_blocking(move || pictures::png(wanted.pixels())).await.ok().flatten();
    let news = match bytes {
        Some(bytes) => match client.set_picture(Some(bytes)).await {
            Ok(()) => PictureNews::Set(cut),
            Err(error) => PictureNews::NotSet(cut, sentence(&error)),
        },
        None => PictureNews::Unusable(PictureProblem::Unreadable),
    };
    // The window hears of the new profile before it lets go of the picture it shows meanwhile.
    if let (PictureNews::Set(_), Ok(profile)) = (&news, client.profile().await) {
        teller.tell(Update::Profile(profile));
    }
    tell(&teller, news);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gui::crop::{Crop, Square};
    use image::codecs::gif::GifEncoder;
    use image::codecs::jpeg::JpegEncoder;
    use image::{Frame, Rgb, RgbImage, Rgba, RgbaImage};

    fn png(image: &DynamicImage) -> Vec<u8> {
        let mut out = Cursor::new(Vec::new());
        image.write_to(&mut out, ImageFormat::Png).unwrap();
        out.into_inner()
    }

    #[test]
    fn a_cut_is_exactly_its_pixels() {
        let image = RgbaImage::from_fn(90, 70, |x, y| Rgba([x as u8, y as u8, 7, 200 + (x % 50) as u8]));
        let candidate = from_bytes(&png(&DynamicImage::ImageRgba8(image.clone()))).unwrap();
        assert!(!candidate.moves);
        let cut = Cut { of: Arc::new(candidate), square: Square { left: 11, top: 5, side: 60 } };
        let pixels = pictures::png(cut.pixels()).unwrap();
        let pixels = image::load_from_memory(&pixels).unwrap().into_rgba8();
        assert_eq!(pixels.dimensions(), (60, 60));
        assert!(pixels.enumerate_pixels().all(|(x, y, pixel)| pixel == image.get_pixel(x + 11, y + 5)));
    }

    #[test]
    fn large_pictures_are_cut_from_all_their_pixels_and_made_to_fit() {
        let image = DynamicImage::ImageRgb8(RgbImage::from_fn(3000, 1000, |x, _| {
            if x < 1500 { Rgb([200, 0, 0]) } else { Rgb([0, 0, 200]) }
        }));
        let candidate = Arc::new(from_bytes(&png(&image)).unwrap());
        assert_eq!(candidate.pixels.dimensions(), (3000, 1000));
        assert_eq!(candidate.view.size, [1600, 533]);
        let cut = Cut { of: candidate, square: Crop::new(3000, 1000).square() };
        let pixels = cut.pixels();
        assert_eq!(pixels.dimensions(), (600, 600));
        assert_eq!((pixels.get_pixel(10, 300)[0], pixels.get_pixel(590, 300)[2]), (200, 200));
        let huge = fitted(DynamicImage::new_luma8(9000, 4000));
        assert!(f64::from(huge.width()) * f64::from(huge.height()) <= KEPT_PIXELS);
        assert_eq!(fitted(DynamicImage::new_luma8(16_000, 1)).width(), 16_000);
    }

    #[test]
    fn photographs_stand_upright() {
        let mut jpeg = Vec::new();
        let image =
            RgbImage::from_fn(40, 20, |x, _| if x < 20 { Rgb([220, 0, 0]) } else { Rgb([0, 0, 220]) });
        JpegEncoder::new_with_quality(&mut jpeg, 95).encode_image(&image).unwrap();
        // "Turn right by 90 degrees."
        let exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
        let mut turned = jpeg[..2].to_vec();
        turned.extend([0xff, 0xe1]);
        turned.extend(((exif.len() + 2) as u16).to_be_bytes());
        turned.extend(exif);
        turned.extend(&jpeg[2..]);
        let candidate = from_bytes(&turned).unwrap();
        assert_eq!((candidate.pixels.dimensions(), candidate.view.size), ((20, 40), [20, 40]));
        assert!(candidate.pixels.get_pixel(10, 5)[0] > 150 && candidate.pixels.get_pixel(10, 35)[2] > 150);
    }

    #[test]
    fn an_animation_gives_its_first_picture_and_says_so() {
        let gif = |frames: u8| {
            let mut out = Vec::new();
            let mut encoder = GifEncoder::new(&mut out);
            for shade in 0..frames {
                let frame = RgbaImage::from_pixel(20, 10, Rgba([shade * 200, 30, 30, 255]));
                encoder.encode_frame(Frame::new(frame)).unwrap();
            }
            drop(encoder);
            out
        };
        let moving = from_bytes(&gif(2)).unwrap();
        assert!(moving.moves && moving.pixels.get_pixel(3, 3)[0] < 50);
        assert!(!from_bytes(&gif(1)).unwrap().moves);
    }

    #[test]
    fn what_cannot_be_used_is_told_apart() {
        let problem = |bytes: &[u8]| from_bytes(bytes).unwrap_err();
        assert_eq!(problem(b"hello"), PictureProblem::Unreadable);
        let whole = png(&DynamicImage::new_rgb8(64, 64));
        assert_eq!(problem(&whole[..whole.len() / 2]), PictureProblem::Unreadable);
        // A head that promises 60,000 pixels each way.
        let mut promises = whole.clone();
        promises[16..24].copy_from_slice(&[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
        let checksum = crc(&promises[12..29]);
        promises[29..33].copy_from_slice(&checksum.to_be_bytes());
        assert_eq!(problem(&promises), PictureProblem::TooLarge);
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read(folder.path()), Err(PictureProblem::NoFile));
        assert_eq!(read(&folder.path().join("none")), Err(PictureProblem::NoFile));
        let sparse = folder.path().join("sparse.png");
        std::fs::File::create(&sparse).unwrap().set_len(LARGEST_FILE + 1).unwrap();
        assert_eq!(read(&sparse), Err(PictureProblem::TooLarge));
    }

    /// The checksum of a part of a PNG.
    fn crc(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(u32::MAX, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 * (crc & 1)))
        })
    }
}
