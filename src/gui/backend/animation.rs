//! Decoding moving pictures, away from the window.
//!
//! Decision: a stranger made them, so everything is bounded: the canvas before anything is decoded, the pixels worked on,
//! the frames, and the memory that is kept. A picture that needs more than its share is kept at half the size, and again
//! at half, before it is cut short.

use std::io::Cursor;
use std::sync::{Arc, LazyLock};

use egui::ColorImage;
use image::codecs::gif::GifDecoder;
use image::codecs::webp::WebPDecoder;
use image::imageops::{self, FilterType};
use image::{AnimationDecoder, Frames as Decoding, ImageDecoder, Limits, RgbaImage};
use septet_client::client::Client;
use tokio::sync::Semaphore;

use super::Teller;
use crate::gui::attached::{FileNews, Frames};
use crate::gui::command::{ImageKey, Update};

/// The most pixels of a frame.
const CANVAS: u64 = 8_000_000;
/// The most pixels of all frames together that are decoded.
const WORK: u64 = 600_000_000;
/// The most frames.
const MOST_FRAMES: usize = 1000;
/// The most bytes that are kept of one picture.
const MOST_BYTES: usize = 40 << 20;
/// It is not made smaller than this, in pixels of the longer side.
const SMALLEST: u32 = 60;
/// What tells a shorter time is shown for [`USUAL`], as browsers do; in ms.
const SHORTEST: u32 = 20;
const USUAL: u32 = 100;
/// One at a time.
static AT_ONCE: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(1));

/// Makes the frames of a picture and tells the window.
pub fn load(client: Client, teller: Teller, key: ImageKey, side: u32) {
    tokio::spawn(async move {
        let (ImageKey::Attachment(id) | ImageKey::Full(id)) = key else { return };
        let frames = match client.attachment_bytes(id).await {
            Ok(bytes) => {
                let _turn = AT_ONCE.acquire().await;
                tokio::task::spawn_blocking(move || decode(&bytes, side)).await.ok().flatten()
            }
            Err(_) => None, // what is shown still tells why
        };
        teller.tell(Update::File(FileNews::Animation(key, frames)));
    });
}

/// The frames of a picture, neither side longer than `side` pixels. `None` if it does not move, or cannot be shown.
pub fn decode(bytes: &[u8], side: u32) -> Option<Frames> {
    let mut limits = Limits::default();
    limits.max_alloc = Some(CANVAS * 12);
    let cursor = Cursor::new(bytes);
    let (size, frames) = match image::guess_format(bytes).ok()? {
        image::ImageFormat::Gif => {
            let mut decoder = GifDecoder::new(cursor).ok()?;
            let size = decoder.dimensions();
            decoder.set_limits(limits).ok()?;
            (size, decoder.into_frames())
        }
        image::ImageFormat::WebP => {
            let mut decoder = WebPDecoder::new(cursor).ok()?;
            if !decoder.has_animation() {
                return None;
            }
            let size = decoder.dimensions();
            decoder.set_limits(limits).ok()?;
            (size, decoder.into_frames())
        }
        _ => return None,
    };
    let pixels = u64::from(size.0) * u64::from(size.1);
    let most = usize::try_from(WORK / pixels.max(1)).ok()?.min(MOST_FRAMES);
    (pixels <= CANVAS).then(|| collect(frames, side, most)).flatten()
}

fn collect(decoding: Decoding<'_>, mut side: u32, most: usize) -> Option<Frames> {
    let mut frames: Vec<(RgbaImage, f64)> = Vec::new();
    let mut bytes = 0;
    // What cannot be decoded any more ends it; what came before moves.
    for frame in decoding.take(most).map_while(Result::ok) {
        let (numerator, denominator) = frame.delay().numer_denom_ms();
        let ms = numerator / denominator.max(1);
        let seconds = f64::from(if ms < SHORTEST { USUAL } else { ms }) / 1000.0;
        let image = within(frame.into_buffer(), side);
        bytes += image.len();
        frames.push((image, seconds));
        while bytes > MOST_BYTES && side / 2 >= SMALLEST {
            side /= 2;
            for (image, _) in &mut frames {
                *image = within(std::mem::take(image), side);
            }
            bytes = frames.iter().map(|(image, _)| image.len()).sum();
        }
        if bytes > MOST_BYTES {
            break;
        }
    }
    if frames.len() < 2 {
        return None;
    }
    let shown = |(image, seconds): (RgbaImage, f64)| {
        let size = [image.width() as usize, image.height() as usize];
        (Arc::new(ColorImage::from_rgba_unmultiplied(size, image.as_raw())), seconds)
    };
    Some(Frames(frames.into_iter().map(shown).collect()))
}

/// Scales a frame down until neither side is longer than `side`.
fn within(image: RgbaImage, side: u32) -> RgbaImage {
    let longest = image.width().max(image.height());
    if longest <= side {
        return image;
    }
    let scaled = |length: u32| {
        let scaled = u64::from(length) * u64::from(side) / u64::from(longest);
        u32::try_from(scaled).unwrap_or(side).max(1)
    };
    imageops::resize(&image, scaled(image.width()), scaled(image.height()), FilterType::Triangle)
}

#[cfg(test)]
mod tests {
    use image::codecs::gif::GifEncoder;
    use image::{Delay, Frame, Rgba};

    use super::*;

    /// A GIF of frames of one grey each, shown for so many ms.
    fn gif(width: u32, height: u32, frames: u8, ms: u32) -> Vec<u8> {
        let mut out = Vec::new();
        let mut encoder = GifEncoder::new_with_speed(&mut out, 30);
        for index in 0..frames {
            let image = RgbaImage::from_pixel(width, height, Rgba([index, index, index, 255]));
            let delay = Delay::from_numer_denom_ms(ms, 1);
            encoder.encode_frame(Frame::from_parts(image, 0, 0, delay)).unwrap();
        }
        drop(encoder);
        out
    }

    #[test]
    fn frames_come_in_order_scaled_and_with_their_times() {
        let frames = decode(&gif(300, 150, 3, 200), 100).unwrap();
        assert_eq!(frames.0.len(), 3);
        assert!(frames.0.iter().all(|(image, seconds)| image.size == [100, 50] && *seconds == 0.2));
        let greys: Vec<u8> = frames.0.iter().map(|(image, _)| image.pixels[0].r()).collect();
        assert!(greys.is_sorted() && greys[0] < greys[2], "{greys:?}");
        assert!((frames.length() - 0.6).abs() < 1e-9);
        assert_eq!([0.0, 0.25, 0.59, 0.7].map(|time| frames.at(time).0), [0, 1, 2, 0]);
        assert_eq!(decode(&gif(8, 8, 2, 0), 100).unwrap().0[0].1, 0.1, "as fast as can be is not meant");
    }

    #[test]
    fn what_does_not_move_has_no_frames() {
        assert!(decode(&gif(8, 8, 1, 100), 100).is_none());
        assert!(decode(b"GIF89a", 100).is_none());
        let mut still = Vec::new();
        let webp = image::codecs::webp::WebPEncoder::new_lossless(&mut still);
        image::RgbImage::new(8, 8).write_with_encoder(webp).unwrap();
        assert!(decode(&still, 100).is_none());
    }

    #[test]
    fn a_canvas_beyond_all_bounds_is_refused_before_it_is_decoded() {
        let mut huge = gif(8, 8, 2, 100);
        huge[6..10].copy_from_slice(&[0x30, 0x75, 0x30, 0x75]); // 30,000 × 30,000
        assert!(decode(&huge, 100).is_none());
    }

    #[test]
    fn what_takes_too_much_memory_is_made_smaller() {
        // 60 frames of 640,000 pixels are 150 MB.
        let frames = decode(&gif(800, 800, 60, 100), 800).unwrap();
        assert_eq!(frames.0.len(), 60);
        assert!(frames.bytes() <= MOST_BYTES);
        assert!(frames.0.iter().all(|(image, _)| image.size == [400, 400]));
    }
}
