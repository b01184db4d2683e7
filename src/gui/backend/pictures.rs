//! Decoding and scaling pictures, away from the window.
//!
//! Decision: a picture comes from a stranger. What it may cost is limited before it is decoded: sides and memory.

use std::io::Cursor;
use std::sync::LazyLock;

use egui::ColorImage;
use image::metadata::Orientation;
use image::{
    DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, RgbaImage, imageops::FilterType,
};
use septet_client::client::Client;
use tokio::sync::Semaphore;

use super::super::command::{ImageKey, Update};
use super::super::own_picture::PictureProblem;
use super::Teller;

/// The longest side that is decoded at all, in pixels.
const LARGEST_SIDE: u32 = 16_384;
/// The most memory for decoding one picture, in bytes.
const MEMORY: u64 = 256 << 20;
/// So many are decoded at the same time.
static AT_ONCE: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(2));

/// Makes a picture ready and tells the window.
pub fn load(client: Client, teller: Teller, key: ImageKey, side: u32) {
    tokio::spawn(async move {
        let bytes = match &key {
            ImageKey::Attachment(id) | ImageKey::Full(id) => client.attachment_bytes(*id).await,
            ImageKey::Picture(id) | ImageKey::LargePicture(id) => client.picture(id).await,
        };
        let image = match bytes {
            Ok(bytes) => {
                let _turn = AT_ONCE.acquire().await;
                tokio::task::spawn_blocking(move || decode(&bytes, side)).await.ok().flatten()
            }
            Err(error) => {
                tracing::debug!("a picture is not there: {error}");
                None
            }
        };
        teller.tell(Update::Image(key, image));
    });
}

/// A picture, upright, neither side longer than `side` pixels. `None` if it is not one that can be shown.
pub fn decode(bytes: &[u8], side: u32) -> Option<ColorImage> {
    let (mut image, orientation) = open(bytes, u64::MAX).ok()?;
    if image.width().max(image.height()) > side {
        let rough = image.width().max(image.height()) > side * 4;
        let filter = if rough { FilterType::Triangle } else { FilterType::CatmullRom };
        image = image.resize(side, side, filter);
    }
    image.apply_orientation(orientation);
    color_image(&image)
}

/// Decodes the first picture of a file of at most so many pixels, and tells how it is to be turned upright.
pub fn open(bytes: &[u8], most_pixels: u64) -> Result<(DynamicImage, Orientation), PictureProblem> {
    let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format();
    let mut reader = reader.map_err(|_| PictureProblem::Unreadable)?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(LARGEST_SIDE);
    limits.max_image_height = Some(LARGEST_SIDE);
    limits.max_alloc = Some(MEMORY);
    reader.limits(limits.clone());
    let mut decoder = reader.into_decoder().map_err(problem)?;
    // Decoders keep to the limits in what they need for themselves. The picture counts as well.
    limits.reserve(decoder.total_bytes()).map_err(problem)?;
    decoder.set_limits(limits).map_err(problem)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > most_pixels {
        return Err(PictureProblem::TooLarge);
    }
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    Ok((DynamicImage::from_decoder(decoder).map_err(problem)?, orientation))
}

fn problem(error: ImageError) -> PictureProblem {
    match error {
        ImageError::Limits(_) => PictureProblem::TooLarge,
        _ => PictureProblem::Unreadable,
    }
}

/// A picture as the window takes it.
pub fn color_image(image: &DynamicImage) -> Option<ColorImage> {
    let pixels = image.to_rgba8();
    let size = [usize::try_from(pixels.width()).ok()?, usize::try_from(pixels.height()).ok()?];
    Some(ColorImage::from_rgba_unmultiplied(size, pixels.as_raw()))
}

/// A picture of the window as files have it. `None` only if it is larger than any can be.
pub fn unmultiplied(picture: &ColorImage) -> Option<RgbaImage> {
    let [width, height] = picture.size;
    let pixels: Vec<u8> = picture.pixels.iter().flat_map(egui::Color32::to_srgba_unmultiplied).collect();
    RgbaImage::from_raw(u32::try_from(width).ok()?, u32::try_from(height).ok()?, pixels)
}

/// A picture as a PNG file.
pub fn png(picture: RgbaImage) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    picture.write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The head of a PNG file, whose pixels never come.
    fn png_head(width: u32, height: u32, depth: u8) -> Vec<u8> {
        let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
        let kind = if depth == 16 { 6 } else { 2 };
        let head = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[depth, kind, 0, 0, 0]].concat();
        for (name, content) in [(b"IHDR", &head[..]), (b"IDAT", &[0x78, 0x9c])] {
            let checked = [&name[..], content].concat();
            file.extend((content.len() as u32).to_be_bytes());
            file.extend_from_slice(&checked);
            // A CRC-32, bit by bit.
            let checksum = checked.iter().fold(!0u32, |sum, byte| {
                (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
                    sum >> 1 ^ if sum & 1 == 1 { 0xedb8_8320 } else { 0 }
                })
            });
            file.extend((!checksum).to_be_bytes());
        }
        file
    }

    /// Bombs: what they would take is known, and refused, before anything is decoded.
    #[test]
    fn pictures_that_would_take_gigabytes_are_refused_by_their_heads() {
        let mut jpeg =
            b"\xff\xd8\xff\xc0\0\x11\x08\x75\x30\x75\x30\x03\x01\x11\0\x02\x11\0\x03\x11\0".to_vec();
        jpeg.extend(b"\xff\xda\0\x0c\x03\x01\0\x02\0\x03\0\0\x3f\0");
        let gif = b"GIF89a\x30\x75\x30\x75\x80\0\0aaabbb\x2c\0\0\0\0\x30\x75\x30\x75\0".to_vec();
        // 12,000 pixels each way.
        let webp = b"RIFF\x16\0\0\0WEBPVP8L\x09\0\0\0\x2f\xdf\xee\xb7\x0b\0\0\0\0\0".to_vec();
        for (kind, file) in [
            ("PNG", png_head(30_000, 30_000, 8)),
            ("PNG of few but rich pixels", png_head(16_384, 4_096, 16)),
            ("PNG that is just not too wide", png_head(16_384, 16_384, 8)),
            ("JPEG", jpeg),
            ("GIF", gif),
            ("WebP", webp),
        ] {
            let problem = open(&file, u64::MAX).err();
            assert!(matches!(problem, Some(PictureProblem::TooLarge)), "{kind}: {problem:?}");
        }
        // The same kind of head with few pixels is only cut short.
        let cut = open(&png_head(100, 100, 8), u64::MAX).err();
        assert!(matches!(cut, Some(PictureProblem::Unreadable)), "{cut:?}");
    }

    #[test]
    fn of_a_hundred_thousand_frames_one_is_decoded() {
        let mut file = b"GIF89a\x01\0\x01\0\x80\0\0\xff\0\0\0\0\xff".to_vec();
        let frame = b"\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0";
        file.extend(frame.repeat(100_000));
        file.push(b';');
        assert_eq!(decode(&file, 64).unwrap().size, [1, 1]);
    }

    #[test]
    fn pictures_are_scaled_and_rubbish_is_refused() {
        let mut png = Vec::new();
        DynamicImage::new_rgb8(800, 200)
            .write_to(&mut Cursor::new(&mut png), image::ImageFormat::Png)
            .unwrap();
        assert_eq!(decode(&png, 100).unwrap().size, [100, 25]);
        assert_eq!(decode(&png, 4000).unwrap().size, [800, 200]);
        assert!(decode(b"not a picture", 100).is_none());
        assert!(decode(&png[..40], 100).is_none());
    }
}
