//! What happens to a picture before it is sent: turned upright, made to fit, and stripped of what it tells about
//! where and with what it was taken (spec 04 §9).
//!
//! Decision: a picture is decoded only when it must be. A JPEG or WebP that is upright and fits within 4,096 pixels
//! keeps its pixels bit by bit and only loses its metadata; everything else that is not JPEG or WebP is never
//! re-encoded, so an animation stays one.

use std::io::Cursor;

use image::codecs::jpeg::{JpegDecoder, JpegEncoder};
use image::codecs::webp::{WebPDecoder, WebPEncoder};
use image::imageops::FilterType;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageEncoder, ImageFormat, ImageReader, Limits};
use septet_protocol::attachment::{metadata, mime};

use crate::model::PreviewImage;

/// The longest side in pixels of a JPEG or WebP that is sent.
const LONGEST_SIDE: u32 = 4096;
/// More pixels than this are not decoded: they would take gigabytes.
const MOST_PIXELS: u64 = 120_000_000;
/// The side in pixels of a display picture (spec 04 §13).
const DISPLAY_SIDE: u32 = 600;
/// Its JPEG quality.
const DISPLAY_QUALITY: u8 = 88;
/// A page's picture with a longer side, in pixels, is not decoded: it comes from a stranger.
const PREVIEW_SIDE: u32 = 10_000;
/// Nor is one that takes more memory, in bytes.
const PREVIEW_MEMORY: u64 = 160_000_000;
/// The JPEG quality of the small picture that is made of it.
const PREVIEW_QUALITY: u8 = 80;
/// Longest sides of a WebP to try in turn until the picture is small enough: it is encoded without loss.
const SIDES: [u32; 4] = [LONGEST_SIDE, 2896, 2048, 1024];
/// JPEG qualities to try in turn until the picture is small enough.
const QUALITIES: [u8; 4] = [85, 75, 55, 30];

/// A file as it will be sent.
pub struct Prepared {
    /// The file.
    pub bytes: Vec<u8>,
    /// Its MIME type.
    pub content_type: String,
    /// Width and height in pixels, if it is a picture.
    pub dimensions: Option<(u32, u32)>,
}

/// Prepares a file for sending; what is neither picture nor video passes unchanged. Takes as long as decoding does:
/// call it where blocking is allowed. `limit` is the largest size in bytes to aim at.
pub fn prepare(bytes: Vec<u8>, content_type: &str, limit: u64) -> Prepared {
    let format = image::guess_format(&bytes).ok();
    let fitted = match format {
        Some(ImageFormat::Jpeg) => fit_jpeg(&bytes, limit),
        Some(ImageFormat::WebP) => fit_webp(&bytes, limit),
        _ => None,
    };
    let content_type = sniffed(&bytes, content_type);
    let cleaned = metadata::clean(fitted.unwrap_or(bytes));
    // A picture that nobody can show is just a file.
    let content_type = if cleaned.damaged { mime::UNKNOWN.to_owned() } else { content_type };
    let dimensions = format.and_then(|format| dimensions(&cleaned.bytes, format));
    Prepared { bytes: cleaned.bytes, content_type, dimensions }
}

/// A file whose kind is known, such as a voice message: only what it tells of place and time is taken out.
pub fn as_it_is(bytes: Vec<u8>, content_type: &str) -> Prepared {
    let bytes = metadata::clean(bytes).bytes;
    Prepared { bytes, content_type: content_type.to_owned(), dimensions: None }
}

/// A picture as a display picture: its first frame, upright, cropped to the square in its centre, at most
/// [`DISPLAY_SIDE`] pixels wide, and without metadata. `None` if it cannot be decoded. Takes as long as that does.
pub fn display_picture(file: &[u8]) -> Option<Vec<u8>> {
    let reader = ImageReader::new(Cursor::new(file)).with_guessed_format().ok()?;
    let mut decoder = reader.into_decoder().ok()?;
    if !decodable(decoder.dimensions()) {
        return None;
    }
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut picture = DynamicImage::from_decoder(decoder).ok()?;
    picture.apply_orientation(orientation);
    let side = picture.width().min(picture.height());
    let (left, top) = ((picture.width() - side) / 2, (picture.height() - side) / 2);
    let mut square = picture.crop_imm(left, top, side, side);
    if side > DISPLAY_SIDE {
        square = square.resize_exact(DISPLAY_SIDE, DISPLAY_SIDE, FilterType::Triangle);
    }
    encoded(square, DISPLAY_QUALITY).map(|(bytes, _)| bytes)
}

/// The picture of a page, made small for the preview of its link: its first frame, upright, neither side longer than
/// `side` pixels, without metadata. Of GIF, ICO, JPEG, PNG and WebP (spec 02 §15); `None` if it is none of them, is broken,
/// or would take too much to decode. Takes as long as that does.
pub fn small(file: &[u8], side: u32) -> Option<PreviewImage> {
    let mut reader = ImageReader::new(Cursor::new(file)).with_guessed_format().ok()?;
    let known = [ImageFormat::Gif, ImageFormat::Ico, ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP];
    reader.format().filter(|format| known.contains(format))?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(PREVIEW_SIDE);
    limits.max_image_height = Some(PREVIEW_SIDE);
    limits.max_alloc = Some(PREVIEW_MEMORY);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().ok()?;
    let (width, height) = decoder.dimensions();
    if width.max(height) > PREVIEW_SIDE || u64::from(width) * u64::from(height) * 8 > PREVIEW_MEMORY {
        return None;
    }
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut picture = DynamicImage::from_decoder(decoder).ok()?;
    picture.apply_orientation(orientation);
    if picture.width().max(picture.height()) > side {
        picture = picture.resize(side, side, FilterType::Triangle);
    }
    let dimensions = (picture.width(), picture.height());
    let (bytes, content_type) = encoded(picture, PREVIEW_QUALITY)?;
    Some(PreviewImage { bytes: bytes.into(), content_type: content_type.to_owned(), dimensions })
}

/// A picture as a file, with its MIME type.
fn encoded(picture: DynamicImage, quality: u8) -> Option<(Vec<u8>, &'static str)> {
    let mut out = Vec::new();
    let picture = picture.into_rgba8();
    if picture.pixels().any(|pixel| pixel.0.last() != Some(&u8::MAX)) {
        // Only this keeps what is transparent, and it keeps it small enough.
        picture.write_with_encoder(WebPEncoder::new_lossless(&mut out)).ok()?;
        return Some((out, "image/webp"));
    }
    let opaque = DynamicImage::ImageRgba8(picture).into_rgb8();
    JpegEncoder::new_with_quality(&mut out, quality).encode_image(&opaque).ok()?;
    Some((out, "image/jpeg"))
}

/// What the first bytes prove a picture to be, over what its name says.
fn sniffed(bytes: &[u8], content_type: &str) -> String {
    let head = bytes.get(..64).unwrap_or(bytes);
    mime::sniff(head).filter(|kind| kind.starts_with("image/")).unwrap_or(content_type).to_owned()
}

/// Whether a file that begins so may shrink when it is prepared, so that its size says nothing yet.
pub fn may_shrink(head: &[u8]) -> bool {
    matches!(image::guess_format(head), Ok(ImageFormat::Jpeg | ImageFormat::WebP))
}

/// Width and height that a picture will have once it is prepared, if the first bytes of its file tell.
pub fn foresee(head: &[u8]) -> Option<(u32, u32)> {
    match image::guess_format(head).ok()? {
        ImageFormat::Jpeg => {
            let mut decoder = JpegDecoder::new(Cursor::new(head)).ok()?;
            let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
            Some(fitted(decoder.dimensions(), orientation))
        }
        format => dimensions(head, format),
    }
}

/// The size of a picture that was turned upright and scaled down to [`LONGEST_SIDE`].
fn fitted((width, height): (u32, u32), orientation: Orientation) -> (u32, u32) {
    let longest = width.max(height);
    let scaled = |side: u32| match longest > LONGEST_SIDE {
        true => (f64::from(side) * f64::from(LONGEST_SIDE) / f64::from(longest)).round().max(1.0) as u32,
        false => side,
    };
    let turned = matches!(
        orientation,
        Orientation::Rotate90
            | Orientation::Rotate270
            | Orientation::Rotate90FlipH
            | Orientation::Rotate270FlipH
    );
    if turned { (scaled(height), scaled(width)) } else { (scaled(width), scaled(height)) }
}

/// Width and height, if the file's head tells.
fn dimensions(bytes: &[u8], format: ImageFormat) -> Option<(u32, u32)> {
    ImageReader::with_format(Cursor::new(bytes), format).into_dimensions().ok()
}

/// A JPEG turned upright and made to fit; `None` if it may stay as it is.
fn fit_jpeg(bytes: &[u8], limit: u64) -> Option<Vec<u8>> {
    let mut decoder = JpegDecoder::new(Cursor::new(bytes)).ok()?;
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let fits = fits(decoder.dimensions(), orientation) && bytes.len() as u64 <= limit;
    if fits || !decodable(decoder.dimensions()) {
        return None;
    }
    let profile = decoder.icc_profile().ok().flatten();
    let picture = upright(DynamicImage::from_decoder(decoder).ok()?, orientation);
    let picture = DynamicImage::ImageRgb8(picture.into_rgb8());
    QUALITIES.iter().find_map(|&quality| {
        let mut out = Vec::new();
        let mut encoder = JpegEncoder::new_with_quality(&mut out, quality);
        if let Some(profile) = &profile {
            // A profile that the encoder cannot keep only shifts colours a little.
            let _ = encoder.set_icc_profile(profile.clone());
        }
        encoder.encode_image(&picture).ok()?;
        (out.len() as u64 <= limit).then_some(out)
    })
}

/// A still WebP turned upright and made to fit; `None` if it may stay as it is.
fn fit_webp(bytes: &[u8], limit: u64) -> Option<Vec<u8>> {
    let mut decoder = WebPDecoder::new(Cursor::new(bytes)).ok()?;
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let fits = fits(decoder.dimensions(), orientation) && bytes.len() as u64 <= limit;
    if decoder.has_animation() || fits || !decodable(decoder.dimensions()) {
        return None;
    }
    let mut picture = DynamicImage::from_decoder(decoder).ok()?;
    picture.apply_orientation(orientation);
    SIDES.iter().find_map(|&side| {
        picture = within(std::mem::take(&mut picture), side);
        let mut out = Vec::new();
        picture.write_with_encoder(WebPEncoder::new_lossless(&mut out)).ok()?;
        (out.len() as u64 <= limit).then_some(out)
    })
}

/// Applies the orientation and scales down to [`LONGEST_SIDE`]; never enlarges.
fn upright(picture: DynamicImage, orientation: Orientation) -> DynamicImage {
    let mut picture = within(picture, LONGEST_SIDE);
    picture.apply_orientation(orientation);
    picture
}

/// Scales a picture down until neither side is longer than `side`.
fn within(picture: DynamicImage, side: u32) -> DynamicImage {
    match picture.width().max(picture.height()) > side {
        true => picture.resize(side, side, FilterType::Triangle),
        false => picture,
    }
}

/// Whether the pixels may stay as they are.
fn fits((width, height): (u32, u32), orientation: Orientation) -> bool {
    width.max(height) <= LONGEST_SIDE && orientation == Orientation::NoTransforms
}

/// Whether decoding stays within reasonable memory.
fn decodable((width, height): (u32, u32)) -> bool {
    u64::from(width) * u64::from(height) <= MOST_PIXELS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jpeg(width: u32, height: u32) -> Vec<u8> {
        let picture = DynamicImage::ImageRgb8(image::RgbImage::from_fn(width, height, |x, y| {
            image::Rgb([x as u8, y as u8, 128])
        }));
        let mut out = Vec::new();
        JpegEncoder::new_with_quality(&mut out, 90).encode_image(&picture).unwrap();
        out
    }

    /// The JPEG with an EXIF block that says "turn right by 90 degrees".
    fn turned(jpeg: &[u8]) -> Vec<u8> {
        let mut exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0".to_vec();
        let mut out = jpeg[..2].to_vec();
        out.extend([0xff, 0xe1]);
        out.extend(((exif.len() + 2) as u16).to_be_bytes());
        out.append(&mut exif);
        out.extend(&jpeg[2..]);
        out
    }

    #[test]
    fn a_small_upright_jpeg_keeps_its_pixels() {
        let prepared = prepare(jpeg(40, 20), "application/octet-stream", 10_000_000);
        assert_eq!(prepared.dimensions, Some((40, 20)));
        assert_eq!(prepared.content_type, "image/jpeg");
        assert_eq!(
            image::load_from_memory(&prepared.bytes).unwrap().into_rgb8(),
            image::load_from_memory(&jpeg(40, 20)).unwrap().into_rgb8()
        );
    }

    #[test]
    fn a_turned_jpeg_is_sent_upright_and_without_metadata() {
        let prepared = prepare(turned(&jpeg(40, 20)), "image/jpeg", 10_000_000);
        assert_eq!(prepared.dimensions, Some((20, 40)));
        assert!(!prepared.bytes.windows(4).any(|window| window == b"Exif"));
    }

    #[test]
    fn an_animation_stays_one_and_loses_its_notes() {
        use image::AnimationDecoder;
        use image::codecs::gif::{GifDecoder, GifEncoder};
        let mut file = Vec::new();
        let mut encoder = GifEncoder::new(&mut file);
        for grey in [0, 100, 200] {
            let frame = image::RgbaImage::from_pixel(5000, 2, image::Rgba([grey, grey, grey, 255]));
            encoder.encode_frame(image::Frame::new(frame)).unwrap();
        }
        drop(encoder);
        // A comment before the end of the file.
        let end = file.len() - 1;
        file.splice(end..end, *b"\x21\xfe\x0e52.52, 13.4050\0");
        let prepared = prepare(file, "image/gif", 10_000_000);
        assert_eq!((prepared.content_type.as_str(), prepared.dimensions), ("image/gif", Some((5000, 2))));
        assert!(!prepared.bytes.windows(5).any(|window| window == b"52.52"));
        let frames = GifDecoder::new(Cursor::new(&prepared.bytes)).unwrap().into_frames();
        assert_eq!(frames.map(Result::unwrap).count(), 3);
    }

    #[test]
    fn a_picture_of_gigabytes_is_not_decoded() {
        let mut file = jpeg(40, 20);
        // Its head says 30,000 × 30,000.
        let size = file.windows(5).position(|it| it == [0xff, 0xc0, 0, 17, 8]).unwrap() + 5;
        file[size..size + 4].copy_from_slice(&[0x75, 0x30, 0x75, 0x30]);
        let prepared = prepare(file.clone(), "image/jpeg", 10_000_000);
        assert_eq!(prepared.dimensions, Some((30_000, 30_000)), "it goes as it is");
        assert!(fit_jpeg(&file, 10_000_000).is_none());
        assert!(display_picture(&file).is_none());
    }

    #[test]
    fn a_video_loses_its_notes_and_keeps_its_length() {
        let notes = |name: &[u8]| [b"\0\0\0\x0cftypisom\0\0\0\x14moov\0\0\0\x0c", name].concat();
        let prepared = prepare([notes(b"udta").as_slice(), b"52.5"].concat(), "video/mp4", 10_000_000);
        assert_eq!(prepared.bytes, [notes(b"free").as_slice(), &[0; 4]].concat());
        assert_eq!((prepared.content_type.as_str(), prepared.dimensions), ("video/mp4", None));
    }

    #[test]
    fn a_large_jpeg_is_made_to_fit() {
        let prepared = prepare(jpeg(4000, 20), "image/jpeg", 10_000_000);
        assert_eq!(prepared.dimensions, Some((4000, 20)), "that is not large");
        let prepared = prepare(jpeg(8192, 40), "image/jpeg", 10_000_000);
        assert_eq!(prepared.dimensions, Some((4096, 20)));
    }

    #[test]
    fn pictures_of_too_many_bytes_are_made_smaller() {
        let mut random = fastrand::Rng::with_seed(1);
        let mut noise = |width, height| {
            image::RgbImage::from_fn(width, height, |_, _| image::Rgb(std::array::from_fn(|_| random.u8(..))))
        };
        let mut file = Vec::new();
        JpegEncoder::new_with_quality(&mut file, 100).encode_image(&noise(300, 200)).unwrap();
        let limit = file.len() as u64 / 2;
        let prepared = prepare(file, "image/jpeg", limit);
        assert!((prepared.bytes.len() as u64) <= limit);
        assert_eq!(prepared.dimensions, Some((300, 200)), "its pixels only lose some of their precision");

        let mut file = Vec::new();
        noise(1500, 8).write_with_encoder(WebPEncoder::new_lossless(&mut file)).unwrap();
        let limit = file.len() as u64 - 1;
        let prepared = prepare(file, "image/webp", limit);
        assert!((prepared.bytes.len() as u64) <= limit);
        assert_eq!(prepared.dimensions.map(|(width, _)| width), Some(1024));
    }

    #[test]
    fn the_size_of_a_picture_is_known_before_it_is_prepared() {
        for file in [jpeg(40, 20), turned(&jpeg(40, 20)), jpeg(5001, 151), turned(&jpeg(4097, 3))] {
            let prepared = prepare(file.clone(), "image/jpeg", 10_000_000);
            assert_eq!(foresee(file.get(..4096).unwrap_or(&file)), prepared.dimensions);
        }
        assert_eq!(foresee(b"hello"), None);
    }

    #[test]
    fn a_display_picture_is_the_square_in_the_centre() {
        let size = |file: &[u8]| {
            let picture = image::load_from_memory(&display_picture(file).unwrap()).unwrap();
            (picture.width(), picture.height())
        };
        assert_eq!(size(&jpeg(1300, 700)), (600, 600));
        assert_eq!(size(&turned(&jpeg(40, 20))), (20, 20));
        // Left, centre and right of three colours; the centre stays, and what is transparent stays so.
        let striped = image::RgbaImage::from_fn(30, 10, |x, y| match (x / 10, y) {
            (1, 0) => image::Rgba([0, 0, 0, 0]),
            (1, _) => image::Rgba([9, 200, 9, 255]),
            _ => image::Rgba([200, 9, 9, 255]),
        });
        let mut png = Vec::new();
        DynamicImage::ImageRgba8(striped).write_to(&mut Cursor::new(&mut png), ImageFormat::Png).unwrap();
        let square = image::load_from_memory(&display_picture(&png).unwrap()).unwrap().into_rgba8();
        assert_eq!(square.dimensions(), (10, 10));
        assert!(square.enumerate_pixels().all(|(_, y, pixel)| match y {
            0 => pixel.0[3] == 0,
            _ => pixel.0 == [9, 200, 9, 255],
        }));
        assert!(display_picture(b"hello").is_none());
    }

    #[test]
    fn what_is_no_picture_passes_unchanged() {
        let prepared = prepare(b"hello".to_vec(), "text/plain", 10_000_000);
        assert_eq!(
            (prepared.bytes.as_slice(), prepared.content_type.as_str()),
            (&b"hello"[..], "text/plain")
        );
        assert_eq!(prepared.dimensions, None);
    }
}
