//! Decoding and scaling pictures, away from the window.
//!
//! Decision: a picture comes from a stranger. What it may cost is limited before it is decoded: sides and memory.

use std::io::Cursor;
use std::sync::LazyLock;

use egui::ColorImage;
use image::{DynamicImage, ImageDecoder, ImageReader, Limits, imageops::FilterType};
use septet_client::client::Client;
use tokio::sync::Semaphore;

use super::super::command::{ImageKey, Update};
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
            ImageKey::Picture(id) => client.picture(id).await,
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
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().ok()?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(LARGEST_SIDE);
    limits.max_image_height = Some(LARGEST_SIDE);
    limits.max_alloc = Some(MEMORY);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().ok()?;
    let orientation = decoder.orientation().ok();
    let mut image = DynamicImage::from_decoder(decoder).ok()?;
    if image.width().max(image.height()) > side {
        let rough = image.width().max(image.height()) > side * 4;
        let filter = if rough { FilterType::Triangle } else { FilterType::CatmullRom };
        image = image.resize(side, side, filter);
    }
    if let Some(orientation) = orientation {
        image.apply_orientation(orientation);
    }
    let pixels = image.to_rgba8();
    let size = [usize::try_from(pixels.width()).ok()?, usize::try_from(pixels.height()).ok()?];
    Some(ColorImage::from_rgba_unmultiplied(size, pixels.as_raw()))
}

#[cfg(test)]
mod tests {
    use super::*;

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
